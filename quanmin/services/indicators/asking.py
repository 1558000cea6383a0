"""Asking a question of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.model import Answer, Check, Half, Indicator, Problem, Refusal
from quanmin.services.indicators.completeness import Gaps, bounded, gaps_of
from quanmin.services.indicators.suppression import suppress

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Finding:
    """One check held against one sender's rows (or all of them): how many rows violate the rule, and whether that is tolerated."""

    check: Check
    sender: str | None
    violations: int
    applicable: int
    share: float | None

    @property
    def status(self) -> str:
        """not_applicable, pass, tolerated or fail."""
        if not self.applicable:
            return "not_applicable"
        if not self.violations:
            return "pass"
        return "tolerated" if self.share is not None and self.share <= self.check.tolerated else "fail"


class Indicators:
    """Answers over one snapshot; `limits` are predicates (table → condition) that every read of that table carries."""

    def __init__(self, catalog: Catalog, engine: DuckDBEngine, snapshot: int, suppress_below: int = 0) -> None:
        self.catalog, self.engine, self.snapshot, self.suppress_below = catalog, engine, snapshot, suppress_below

    def tables_of(self, question: Indicator | Check) -> tuple[str, ...]:
        """The tables a question reads."""
        if isinstance(question, Check):
            return (question.table,)
        names = [question.of, *question.parts.values()] if question.kind in ("growth", "composite") else []
        found = [t for name in names if name for t in self.tables_of(self.catalog.indicators[name])]
        halves: list[Half | None] = [question.numerator, question.denominator]
        return tuple(dict.fromkeys(found + [half.table for half in halves if half is not None]))

    def ask(self, name: str, by: Sequence[str] = (), where: Sequence[str] = (), suppress_below: int | None = None) -> Answer:
        """The figures of an indicator or check; where owed submissions are missing, bounds instead of a value. Raises Refusal."""
        question = self.catalog.question(name)
        answer = replace(self.engine.ask(question, by, where), snapshot=self.snapshot)
        if isinstance(question, Indicator) and question.requires and question.kind == "share":
            gaps = self.gaps(question)
            answer = bounded(answer, question, gaps, self.engine, by, where)
            notes = tuple(say("incomplete", period=period[:7], senders=", ".join(senders)) for period, senders in gaps.by_period().items())
            answer = replace(answer, notes=notes if any(cell.missing for cell in answer.cells) else ())
        below = self.suppress_below if suppress_below is None else suppress_below
        return suppress(answer, below, is_quotient=isinstance(question, Check) or question.kind != "total") if below > 1 else answer

    def gaps(self, question: Indicator) -> Gaps:
        """The owed submissions of the tables a question requires that have not come."""
        return gaps_of(self.engine, question.requires)

    def rows(self, name: str, which: str = "", where: Sequence[str] = (), columns: Sequence[str] = (), limit: int | None = None,
             by: Sequence[str] = ()) -> pa.Table:
        """The rows behind a figure; of a check its violations unless asked otherwise. Raises Refusal."""
        question = self.catalog.question(name)
        chosen = which or ("numerator" if isinstance(question, Check) else "denominator")
        if chosen not in ("numerator", "denominator", "unknown"):
            raise Refusal(Problem("question", None, "which", chosen, say("bad_value"), "numerator, denominator, unknown"))
        return self.engine.rows(question, chosen, where, columns, limit, by)

    def findings(self, where: Sequence[str] = (), by_sender: bool = True, checks: Sequence[str] = ()) -> list[Finding]:
        """Every check (or the named ones) held against the snapshot, by sender."""
        found = []
        for check in self.catalog.checks.values():
            if checks and check.id not in checks:
                continue
            has_sender = "sender" in self.catalog.tables[check.table].columns and by_sender
            answer = self.engine.ask(check, ("sender",) if has_sender else (), where)
            for cell in answer.cells:
                found.append(Finding(check, cell.key.get("sender"), int(cell.numerator or 0), int(cell.denominator or 0), cell.value))
        return found
