"""What may be asked of appraisal: scores and grades, one hospital's items, what would move it, what its gaps are made of, and what a handbook changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.appraisal import ScoredItem, ScoringSheet
from quanmin.model.asker import Asker, Evidence, Unit
from quanmin.services.appraisal.drivers import Gap, drivers
from quanmin.services.appraisal.handbooks import handbooks_compared
from quanmin.services.appraisal.scoring import Score, earned, score
from quanmin.services.appraisal.values import Values, usable, values_of

__all__ = ["appraisal", "appraisal_drivers", "appraisal_hospital", "appraisal_what_if", "handbooks_compared"]
DIFFERS = 0.01  # relative: a reported value that far from the computed one is pointed out
QUOTIENTS = ("share", "rate", "ratio", "mean")


@dataclass(frozen=True)
class Hospital:
    """A hospital's score and its place among the hospitals of the sheet (1 = most points; None where open points could change it)."""

    facility: str
    name: str
    county: str
    score: Score
    groups: dict[str, float]
    rank: int | None


@dataclass(frozen=True)
class ItemScore:
    """An item of a hospital: its value and the year before's, what it reported itself and whether that differs, points and lost points, and its peers.

    `status` is computed, reported, withheld, bounds or unknown. Quartiles are the peers'; `national` is the share (%) of hospitals below, where given.
    """

    item: str
    indicator: str
    group: str
    unit: str
    better: str
    status: str
    value: float | None
    before: float | None
    reported: float | None
    differs: bool
    judgement: str
    aim: float | None
    full: float
    points: float | None
    lost: float
    low: float | None
    median: float | None
    high: float | None
    peers: int
    national: float | None


@dataclass(frozen=True)
class Appraised:
    """One hospital's appraisal, item by item, those that lose most first."""

    sheet: str
    year: int
    hospital: Hospital
    items: tuple[ItemScore, ...]
    snapshot: int


@dataclass(frozen=True)
class WhatIf:
    """A hospital's score as it is and as it would be with other values, the others' being as they are."""

    now: Hospital
    then: Hospital
    changes: dict[str, float]


@dataclass(frozen=True)
class Drivers:
    """What a hospital's gap to its peers in an indicator is made of."""

    indicator: str
    facility: str
    by: str
    gap: Gap | None


def _refuse(field: str, value: str, mend: str, rule: str = "bad_value") -> Refusal:
    return Refusal(Problem("appraisal", None, field, value[:60], say(rule), mend))


def _sheet(asker: Asker, name: str) -> ScoringSheet:
    if name not in asker.sheets():
        raise _refuse("sheet", name, ", ".join(asker.sheets()))
    return asker.sheets()[name]


def _year(asker: Asker, year: int) -> int:
    newest = int(asker.period()[:4] or 0)
    if year and not 1949 <= year <= 2100:
        raise _refuse("year", str(year), str(newest - 1))
    return year or newest - 1  # the last whole year


def _evidence(asker: Asker, year: int) -> dict[tuple[str, str], Evidence]:
    return {(one.indicator, one.unit): one for one in asker.evidence() if one.year == year}


def _judgement(item: ScoredItem, facility: str, evidence: Mapping[tuple[str, str], Evidence]) -> tuple[str, float | None]:
    """What a hospital reported of an item: a judgement and a value, by the item's code or by the indicator's id."""
    one = evidence.get((item.indicator, facility)) or evidence.get((item.item, facility))
    return ("", None) if one is None else (one.judgement, one.value)


def _points(sheet: ScoringSheet, facility: str, found: Mapping[str, float | None], evidence: Mapping[tuple[str, str], Evidence]) -> dict[str, float | None]:
    """Indicator → points; a value that is not computed but reported counts as reported."""
    points = {}
    for item in sheet.items:
        judgement, reported = _judgement(item, facility, evidence)
        value = found.get(item.indicator)
        points[item.indicator] = earned(item, value if value is not None else reported, judgement)
    return points


def _hospital(sheet: ScoringSheet, unit: Unit, points: dict[str, float | None]) -> Hospital:
    groups = {group: sum(points.get(one.indicator) or 0.0 for one in sheet.items if one.group == group) for group in sheet.groups}
    return Hospital(unit.code, unit.name, unit.county, score(sheet, points), groups, None)


def _ranked(hospitals: Sequence[Hospital]) -> list[Hospital]:
    """The most points first; a rank only among several, and where no open points could change it."""
    ordered = sorted(hospitals, key=lambda one: (-one.score.points, one.facility))
    found = []
    for i, one in enumerate(ordered):
        is_clear = len(ordered) > 1 and not any(other is not one and other.score.points + other.score.open_points > one.score.points
                           and one.score.points + one.score.open_points > other.score.points for other in ordered)
        found.append(replace(one, rank=i + 1 if is_clear else None))
    return found


def _all(asker: Asker, sheet: ScoringSheet, year: int, other: Mapping[tuple[str, str], float] | None = None) -> tuple[list[Hospital], Values]:
    """Every hospital of the sheet that has a value; `other` are values (indicator, facility) to put in the place of the found ones."""
    values, units, evidence = values_of(asker, [one.indicator for one in sheet.items], year), asker.units("facility"), _evidence(asker, year)
    codes = {code for cells in values.values() for code, cell in cells.items() if cell.denominator or cell.value is not None} & set(units)
    found = []
    for code in sorted(codes):
        own = {name: usable(cells.get(code)) for name, cells in values.items()} | {name: v for (name, unit), v in (other or {}).items() if unit == code}
        found.append(_hospital(sheet, units[code], _points(sheet, code, own, evidence)))
    return _ranked(found), values


def _one(hospitals: Sequence[Hospital], facility: str) -> Hospital:
    found = next((one for one in hospitals if one.facility == facility), None)
    if found is None:
        raise _refuse("facility", facility, ", ".join(one.facility for one in hospitals[:8]))
    return found


@action("figures")
def appraisal(asker: Asker, sheet: str, year: int = 0, place: str = "") -> tuple[Hospital, ...]:
    """Scores, grades and ranks of the hospitals a scoring sheet is about, in a year (the last whole one) and a county."""
    found, _ = _all(asker, _sheet(asker, sheet), _year(asker, year))
    return tuple(one for one in found if place in ("", one.county))


@action("figures")
def appraisal_hospital(asker: Asker, sheet: str, facility: str, year: int = 0) -> Appraised:
    """One hospital's appraisal item by item: value, year before, what it reported, peers, points and what is lost."""
    scored, of = _sheet(asker, sheet), _year(asker, year)
    hospitals, values = _all(asker, scored, of)
    hospital, before, evidence = _one(hospitals, facility), values_of(asker, [one.indicator for one in scored.items], of - 1), _evidence(asker, of)
    items = [_item(asker, scored, one, facility, values, usable(before.get(one.indicator, {}).get(facility)), evidence) for one in scored.items]
    return Appraised(sheet, of, hospital, tuple(sorted(items, key=lambda one: (-one.lost, one.item, one.indicator))), asker.snapshot)


def _item(asker: Asker, sheet: ScoringSheet, item: ScoredItem, facility: str, values: Values, before: float | None,
          evidence: Mapping[tuple[str, str], Evidence]) -> ItemScore:
    one, cells = asker.definition(item.indicator), values.get(item.indicator, {})
    cell, value = cells.get(facility), usable(cells.get(facility))
    judgement, reported = _judgement(item, facility, evidence)
    points = earned(item, value if value is not None else reported, judgement)
    peers = sorted(found for code, other in cells.items() if code != facility and (found := usable(other)) is not None)
    low, median, high = (float(q) for q in np.quantile(peers, (0.25, 0.5, 0.75))) if peers else (None, None, None)
    status = ("computed" if value is not None else "reported" if points is not None else "withheld" if cell is not None and cell.suppressed
              else "bounds" if cell is not None and cell.missing else "unknown")
    return ItemScore(item.item, item.indicator, item.group, one.unit, one.better, status, value, before, reported, differs(value, reported), judgement,
                     item.aim, item.points, points, 0.0 if points is None else item.points - points, low, median, high, len(peers),
                     national_share(sheet.quantiles.get(item.indicator, ()), value))


def differs(computed: float | None, reported: float | None) -> bool:
    """Whether what was reported is more than one percent away from what records give."""
    return computed is not None and reported is not None and abs(reported - computed) > DIFFERS * max(abs(computed), abs(reported))


def national_share(quantiles: Sequence[tuple[float, float]], value: float | None) -> float | None:
    """The share (%) of the country's hospitals below a value, between the quantiles that were given; None without them."""
    if value is None or not quantiles:
        return None
    ordered = sorted(quantiles, key=lambda pair: pair[1])
    return float(np.interp(value, [v for _, v in ordered], [below for below, _ in ordered]))


def _changes(sheet: ScoringSheet, told: str) -> dict[str, float]:
    """Indicator → value, from `indicator=value,indicator=value`."""
    found = {}
    for part in (part.strip() for part in told.split(",") if part.strip()):
        name, _, text = part.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if name.strip() not in {one.indicator for one in sheet.items} or not math.isfinite(value):
            raise _refuse("changes", part, f"{sheet.items[0].indicator}=35")
        found[name.strip()] = value
    return found


@action("figures")
def appraisal_what_if(asker: Asker, sheet: str, facility: str, changes: str, year: int = 0) -> WhatIf:
    """The score, grade and rank a hospital would have with other values: `changes` is indicator=value, several parted by commas."""
    scored, of = _sheet(asker, sheet), _year(asker, year)
    told = _changes(scored, changes)
    now, _ = _all(asker, scored, of)
    then, _ = _all(asker, scored, of, {(name, facility): value for name, value in told.items()})
    return WhatIf(_one(now, facility), _one(then, facility), told)


def _counts(cells: Sequence[Cell], by: str) -> dict[str, tuple[float, float]]:
    return {str(c.key[by]): (float(c.numerator or 0), float(c.denominator or 0)) for c in cells if not c.suppressed and c.denominator}


def driving_dimensions(one: Indicator) -> tuple[str, ...]:
    """The dimensions by which a gap in an indicator may be split."""
    return tuple(name for name in ("department_code", "drg", "mdc", "icd_chapter", "age_band", "month") if name in one.by) if one.kind in QUOTIENTS else ()


@action("small")
def appraisal_drivers(asker: Asker, indicator: str, facility: str, year: int = 0, by: str = "") -> Drivers:
    """What a hospital's gap to its peers in an indicator is made of: departments, groups or months where it does otherwise, or has more or fewer cases."""
    one, of = asker.question(indicator), _year(asker, year)
    known = driving_dimensions(one)
    cut = by or next(iter(known), "")
    if cut not in known:
        raise _refuse("by", by or one.id, ", ".join(known) or "–")
    where = [f"year = {of}"]
    own = _counts(asker.figures(indicator, [cut], [*where, *_at(facility)]).cells, cut)
    everybody = _counts(asker.figures(indicator, [cut], where).cells, cut)
    peers = {group: (n - own.get(group, (0, 0))[0], d - own.get(group, (0, 0))[1]) for group, (n, d) in everybody.items()}
    return Drivers(indicator, facility, cut, drivers(own, {group: counts for group, counts in peers.items() if counts[1] > 0}, scale_of(one)))


def _at(facility: str) -> list[str]:
    if not facility or not all(c.isalnum() or c in "_.-" for c in facility):
        raise _refuse("facility", facility, say("mend_code"))
    return [f"facility_code = '{facility}'"]
