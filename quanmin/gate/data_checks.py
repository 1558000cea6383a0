"""Data-quality checks as one actor sees them: what fails at which sender, how it moved, and the rows to mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quanmin.gate.data_desk import DataDesk
from quanmin.model import Answer, Cell, Check
from quanmin.services.indicators import Indicators
from quanmin.services.indicators.asking import Finding
from quanmin.services.indicators.suppression import suppress

WORST_FIRST = {"fail": 0, "tolerated": 1, "pass": 2, "not_applicable": 3}
SENT_AS = ("sender", "file", "submission", "line")


@dataclass(frozen=True)
class Held:
    """One check held against one sender's rows (or those of all visible senders); `is_withheld` = its counts are too small for the role."""

    finding: Finding
    is_withheld: bool = False

    @property
    def check(self) -> Check:
        """The rule."""
        return self.finding.check

    @property
    def status(self) -> str:
        """not_applicable, pass, tolerated or fail."""
        return self.finding.status

    @property
    def order(self) -> tuple[int, int, float]:
        """Sort key: failed first, errors before warnings, the largest share first."""
        return WORST_FIRST[self.status], int(self.check.severity != "error"), -(self.finding.share or 0.0)


Counts = dict[str, dict[str | None, tuple[int, int]]]


def _counted(whole: Indicators) -> Counts:
    """Check → sender → (violations, rows it applies to), of the whole region; one pass per table."""
    by_table: dict[str, list[Check]] = {}
    for check in whole.catalog.checks.values():
        by_table.setdefault(check.table, []).append(check)
    found: Counts = {}
    for table, checks in by_table.items():
        by = ("sender",) if "sender" in whole.catalog.tables[table].columns else ()
        for name, groups in whole.engine.tallies(checks, by).items():
            found[name] = {key[0] if key else None: counts for key, counts in groups.items()}
    return found


def held(desk: DataDesk, sender: str = "", check: str = "") -> list[Held]:
    """Every check (or one) held against every visible sender's rows (or those of one sender)."""
    desk.actor.require("figures", "checks", "list")
    counted: Counts = desk.remember(("check counts", desk.whole.snapshot), lambda: _counted(desk.whole))
    seen = {name: {key: counts for key, counts in groups.items() if (desk.actor.scope.kind == "region" if key is None else desk.sees(key))}
            for name, groups in counted.items() if check in ("", name)}
    return [one for name, groups in seen.items() for one in _of_one(desk, desk.catalog.checks[name], groups) if sender in ("", one.finding.sender)]


def _of_one(desk: DataDesk, check: Check, counts: dict[Any, tuple[int, int]]) -> list[Held]:
    withheld: set[Any] = set()
    if not desk.actor.may("small"):
        cells = tuple(Cell({"sender": sender}, bad, whole, 0, None) for sender, (bad, whole) in counts.items() if whole)
        withheld = {c.key["sender"] for c in suppress(Answer(check.id, "", ("sender",), cells), desk.whole.suppress_below).cells if c.suppressed}
    return [Held(Finding(check, sender, bad, whole, bad / whole * 100 if whole else None), sender in withheld) for sender, (bad, whole) in sorted(
        counts.items(), key=lambda pair: str(pair[0]))]


def summed(rows: Sequence[Held], check: Check) -> Held:
    """A check over all the senders given."""
    bad, whole = (sum(getattr(h.finding, name) for h in rows) for name in ("violations", "applicable"))
    return Held(Finding(check, None, bad, whole, bad / whole * 100 if whole else None), any(h.is_withheld for h in rows))


def trend(desk: DataDesk, check: Check, sender: str = "") -> Answer | None:
    """A check month by month (year by year where its table is kept by year); None where its rows have no time."""
    desk.actor.require("figures", "checks", check.id)
    table = desk.catalog.tables[check.table]
    if not table.time:
        return None
    grain = "year" if table.columns[table.time].type == "integer" else "month"
    return desk.whole.ask(check.id, [grain], desk.within(sender) if "sender" in table.columns else [], 0 if desk.actor.may("small") else None)


def offending(desk: DataDesk, check: Check, sender: str = "", limit: int = 1000, unmasked: bool = False) -> list[dict[str, Any]]:
    """The rows that violate a check: where they came from, what tells them apart, and the fields to mend; masked, audited."""
    table = desk.catalog.tables[check.table]
    where = desk.within(sender) if "sender" in table.columns else []
    if unmasked and not desk.is_own(sender or desk.actor.scope.value):
        desk.actor.refuse("rows unmasked", check.id)
    rows = desk.actor.rows(desk.whole, check.id, "numerator", where, limit, unmasked)
    wanted = [c for c in dict.fromkeys([*SENT_AS, *table.key, *check.fields]) if c in rows.column_names]
    found: list[dict[str, Any]] = rows.select(wanted).to_pylist()
    return found
