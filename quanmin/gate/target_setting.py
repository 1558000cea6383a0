"""Setting targets, one by one or from a sheet (CSV or Excel): for which places an actor may, and what is wrong with what will not do."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Problem, Refusal
from quanmin.records.ledger import TargetSet
from quanmin.records.sources.table_file import TableFile

FILLED_FROM = "target_workbook"  # the mapping whose column names are understood, besides our own names
WANTED = ("indicator", "place_code", "period", "value")
YEAR = re.compile(r"20[0-9]{2}")
MOST = 5_000  # lines of a sheet


@dataclass(frozen=True)
class TargetFile:
    """What a sheet says: `accepted` + `rejected` = `read`, each rejected line explained in `problems`."""

    read: int
    accepted: tuple[TargetSet, ...]
    problems: tuple[Problem, ...]

    @property
    def rejected(self) -> int:
        """Lines that will not do."""
        return self.read - len(self.accepted)


def settable(inquiry: Inquiry) -> dict[str, str]:
    """Code → name of the region, counties and institutions an actor's scope lets them set targets for, named in the spoken language."""
    scope, facilities = inquiry.actor.scope, {code: one.name for code, one in inquiry.units("facility").items()}
    if scope.kind == "facility":
        return {code: name for code, name in facilities.items() if code == scope.value}
    counties = {code: one.name for code, one in inquiry.units("county").items()}
    whole = {inquiry.region: inquiry.place_names().get(inquiry.region, inquiry.region)} if inquiry.region else {}
    return whole | counties | facilities


def set_targets(inquiry: Inquiry, targets: Sequence[TargetSet]) -> None:
    """Set targets, all or none, audited; raises Refusal for a role that may not, or a place outside the actor's scope."""
    actor, allowed = inquiry.actor, settable(inquiry)
    actor.require("targets", "set target", f"{len(targets)}")
    for one in targets:
        if one.place_code not in allowed:
            raise Refusal(Problem("target", None, "place", one.place_code[:40], say("target_place"), say("mend_code")))
    actor.ledger.set_targets(targets)
    for one in targets:
        Audit(actor.ledger).note(actor.name, "set target", f"{one.indicator} {one.place_code} {one.period} {'' if one.value is None else one.value}".strip())


def check_target(inquiry: Inquiry, places: Collection[str], row: Mapping[str, str], file: str = "", line: int | None = None) -> TargetSet | Problem:
    """A target as it may be set for one of `places`, or what is wrong with it."""
    catalog = inquiry.indicators.catalog

    def wrong(field: str, rule: str, mend: str) -> Problem:
        return Problem(file, line, field, row.get(field, "")[:40], rule, mend)

    name, place, period, value = (row.get(field, "").strip() for field in WANTED)
    try:
        one = catalog.indicator(name)
    except Refusal as refusal:
        return wrong("indicator", refusal.problems[0].rule, refusal.problems[0].mend)
    if place not in places:
        return wrong("place_code", say("target_place"), say("mend_code"))
    if not YEAR.fullmatch(period):
        return wrong("period", say("bad_value"), "2026")
    try:
        number = float(value.rstrip("%")) if value else None
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        return wrong("value", say("bad_value"), "83.0")
    if one.kind == "share" and number is not None and not 0 <= number <= (100 if one.unit == "%" else math.inf):
        return wrong("value", say("target_range"), "0–100")
    return TargetSet(one.id, place, period, number, row.get("document", "").strip()[:200], row.get("note", "").strip()[:1000], inquiry.actor.name)


def _columns(catalog: Catalog, header: Collection[str], also: Mapping[str, str]) -> dict[str, str]:
    """Column of the target table → column of the sheet."""
    names = {source: fill.column for into in catalog.mappings[FILLED_FROM].into for fill in into.fills for source in (*fill.source, fill.column)}
    known = {"note": "note"} | dict(also) | names
    return {known[column]: column for column in header if column in known}


def read_targets(inquiry: Inquiry, path: Path, name: str, also: Mapping[str, str]) -> TargetFile:
    """The targets of a sheet; `also` are further headings and the columns they mean. Raises Refusal for what is no sheet, lacks a column or is too long."""
    opened = TableFile().open(path, name, None)
    columns = _columns(inquiry.indicators.catalog, opened.header, also)
    missing = [field for field in WANTED if field not in columns]
    if missing:
        raise Refusal(Problem(name, 1, ", ".join(missing), "", say("target_columns"), ", ".join(opened.header)[:200]))
    places, accepted = settable(inquiry), list[TargetSet]()
    problems: list[Problem] = []
    seen: set[tuple[str, str, str]] = set()
    for batch in opened.batches:
        problems += batch.malformed
        for line, row in zip(batch.lines.to_pylist(), batch.table.to_pylist(), strict=True):
            found = check_target(inquiry, places, {field: row[column] or "" for field, column in columns.items()}, name, line)
            if isinstance(found, TargetSet) and (key := (found.indicator, found.place_code, found.period)) in seen:
                found = Problem(name, line, "indicator", key[0], say("target_twice"), say("mend_target_twice"))
            if isinstance(found, Problem):
                problems.append(found)
            else:
                seen.add((found.indicator, found.place_code, found.period))
                accepted.append(found)
        if len(accepted) + len(problems) > MOST:
            raise Refusal(Problem(name, None, "", str(MOST), say("target_many"), f"≤ {MOST}"))
    return TargetFile(len(accepted) + len(problems), tuple(accepted), tuple(problems))
