"""Score cards of county medical communities: official items in order, what computes each, and what may be said of a figure.

Nothing here is scored as a document would: what is said of a figure is our own and explained: whether it meets its target, whether it is better
than the year before, and (added where services may be combined) its rank among communities. What is not known is never 0.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Cell, Indicator, Label, Problem, Refusal
from quanmin.model.answer import verdict_of
from quanmin.model.asker import Asker, Evidence, Unit

SETS = ("2024", "2020")
COUNTED = ("community", "county", "lead", "reported")
KINDS = ("met", "missed", "improved", "worse", "shown", "uncertain", "reported", "awaited")
JUDGED = {"met": "met", "unmet": "missed"}


@dataclass(frozen=True)
class ItemFigure:
    """One figure of an item: an indicator, and how a community's is counted (one of COUNTED)."""

    indicator: str
    counted: str


@dataclass(frozen=True)
class Item:
    """An official item."""

    code: str
    group: str
    title: Label
    figures: tuple[ItemFigure, ...]


@dataclass(frozen=True)
class ScoreSet:
    """The items of one document; `stated` is how many the document has, `groups` its groups by id, in order."""

    id: str
    name: Label
    document: str
    note: Label
    stated: int
    groups: Mapping[str, Label]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Community:
    """A county medical community: its lead hospital (None where none is registered), all members, its county and how many communities share that."""

    code: str
    name: str
    county: str
    county_name: str
    lead: Unit | None
    members: tuple[Unit, ...]
    in_county: int = 1


@dataclass(frozen=True)
class Scored:
    """A community's figure on an item in a year, and the year before; counts and values are None where unknown.

    `status` is computed, bounds (owed submissions are missing: `low`–`high` bound it), withheld (a small count), no_data, reported or not_reported.
    `verdict` is met, missed or "" (no target, or no direction). `moved` is improved, worse, same or "" (not comparable), `is_clear` whether the
    intervals of the two years are apart (None without intervals). `rank_low`–`rank_high` is the interval of the rank among `of` communities.
    """

    community: str
    item: str
    indicator: str
    counted: str
    status: str
    better: str
    unit: str
    period: str = ""
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    unknown: int | None = None
    low: float | None = None
    high: float | None = None
    missing: tuple[str, ...] = ()
    target: float | None = None
    verdict: str = ""
    before: float | None = None
    change: float | None = None
    moved: str = ""
    is_clear: bool | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    of: int = 0
    evidence: tuple[Evidence, ...] = ()
    version: str = ""

    @property
    def kind(self) -> str:
        """The one of KINDS it is counted under: its target first, then its movement."""
        if self.status in ("bounds", "withheld", "no_data"):
            return "uncertain"
        if self.status == "not_reported":
            return "awaited"
        return self.verdict or (self.moved if self.moved in ("improved", "worse") else "reported" if self.status == "reported" else "shown")


@dataclass(frozen=True)
class Tally:
    """How many figures there are of each kind (see KINDS): each counted once, by its target if it has one, else by its movement."""

    met: int
    missed: int
    improved: int
    worse: int
    shown: int
    uncertain: int
    reported: int
    awaited: int


@cache
def _sets() -> dict[str, ScoreSet]:
    data = tomllib.loads(Path(__file__).with_name("scorecard.toml").read_text("utf-8"))
    return {name: ScoreSet(
        name, Label(**one["name"]), one["document"], Label(**one["note"]), one["stated"], {group: Label(**label) for group, label in one["groups"].items()},
        tuple(Item(item["code"], item["group"], Label(**item["title"]), tuple(ItemFigure(**figure) for figure in item["figures"])) for item in one["items"]),
    ) for name, one in data.items()}


def score_set(name: str) -> ScoreSet:
    """The items of 2024 or of 2020; raises Refusal for another set."""
    if name not in SETS:
        raise Refusal(Problem("question", None, "set", name[:40], say("bad_value"), ", ".join(SETS)))
    return _sets()[name]


def communities_of(asker: Asker) -> tuple[Community, ...]:
    """The communities whose institutions the asker sees, by code; raises Refusal where there is none or only one institution is seen."""
    units, counties = asker.units("facility"), asker.units("county")
    members: dict[str, list[Unit]] = {}
    for unit in units.values():
        if unit.of_community:
            members.setdefault(unit.of_community, []).append(unit)
    if asker.region in units or not members:  # what one institution sees of its county is not the county
        raise Refusal(Problem("question", None, "community", "", say("no_communities"), say("mend_no_communities")))
    found = []
    for code, of_it in sorted(members.items()):
        lead = next((unit for unit in of_it if unit.is_lead), None)
        county = lead.county if lead else Counter(unit.county for unit in of_it).most_common(1)[0][0]
        name = counties[county].name if county in counties else county
        found.append(Community(code, lead.name if lead else code, county, name, lead, tuple(sorted(of_it, key=lambda u: (not u.is_lead, u.type, u.code)))))
    shared = Counter(one.county for one in found)
    return tuple(Community(c.code, c.name, c.county, c.county_name, c.lead, c.members, shared[c.county]) for c in found)


def place_of(figure: ItemFigure, community: Community) -> tuple[str, str]:
    """The dimension a figure is cut by and the community's value in it ("" where it has none)."""
    if figure.counted == "community":
        return "community_code", community.code
    return ("place", community.county) if figure.counted == "county" else ("facility_code", community.lead.code if community.lead else "")


def cells_of(asker: Asker, figure: ItemFigure, year: str, communities: Iterable[Community]) -> dict[str, Cell]:
    """Community → cell of a year, counted as the figure says."""
    name = figure.indicator
    if figure.counted == "community":
        shown = asker.shown_period(name, year)
        cells = {str(c.key["community_code"]): c for c in asker.figures(name, ["community_code"], [f"year = {shown}"] if shown else []).cells}
    else:
        cells = dict(asker.by_unit(name, year, "county" if figure.counted == "county" else "facility"))
    places = {one.code: place_of(figure, one)[1] for one in communities}
    return {code: cells[place] for code, place in places.items() if place in cells}


def target_of(asker: Asker, one: Indicator, community: Community, year: str) -> float | None:
    """The community's own target of a year, else its county's, else (but for totals, which do not carry over) the whole region's."""
    targets = asker.targets(one.id)
    places = [community.code, community.county] + ([] if one.kind == "total" else [asker.region])
    return next((targets[place, year] for place in places if (place, year) in targets), None)


def moved_of(better: str, change: float | None) -> str:
    """improved, worse or same in the indicator's direction; "" where nothing can be compared or no direction is better."""
    if change is None or better not in ("higher", "lower"):
        return ""
    return "same" if change == 0 else "improved" if (change > 0) == (better == "higher") else "worse"


def plain(value: float | None) -> float | None:
    """A number as a float, None where there is none."""
    return None if value is None else float(value)


def known(cell: Cell | None) -> float | None:
    """The value that may be compared: none where it is withheld, bounded or not known."""
    return None if cell is None or cell.suppressed or cell.missing else plain(cell.value)


def _status(cell: Cell | None) -> str:
    if cell is None:
        return "no_data"
    if cell.suppressed:
        return "withheld"
    if cell.missing:
        return "bounds" if cell.low is not None else "no_data"
    return "no_data" if cell.value is None else "computed"


def _apart(now: Cell | None, before: Cell | None) -> bool | None:
    if now is None or before is None or None in (now.low, now.high, before.low, before.high):
        return None
    return bool(now.low > before.high or now.high < before.low)  # type: ignore[operator]


def scored(community: str, one: Indicator, item: str, counted: str, cell: Cell | None, before: Cell | None, target: float | None,
           period: str) -> Scored:
    """What may be said of a computed figure; `before` is the cell of the year before (None: not to be compared)."""
    status, value, then = _status(cell), known(cell), known(before)
    change = None if value is None or then is None else value - then
    seen = cell if cell is not None and not cell.suppressed else None
    return Scored(
        community, item, one.id, counted, status, one.better, one.unit, period, value, numerator=None if seen is None else plain(seen.numerator),
        denominator=None if seen is None else plain(seen.denominator), unknown=None if seen is None else seen.unknown,
        low=None if seen is None else plain(seen.low), high=None if seen is None else plain(seen.high), missing=() if seen is None else tuple(seen.missing),
        target=target, verdict=verdict_of(one.better, value, target), before=then, change=change, moved=moved_of(one.better, change),
        is_clear=None if change is None else _apart(cell, before), version=one.version)


def reported(one: Indicator, item: str, evidence: Iterable[Evidence], community: Community, year: str) -> Scored:
    """What was reported on an item that is not computed, the newest first; nothing reported is never 0."""
    places = {community.code, community.county} | ({community.lead.code} if community.lead else set())
    found = sorted((e for e in evidence if e.indicator in (one.id, item) and e.unit in places and str(e.year) == year),
                   key=lambda e: (e.received_at, e.line), reverse=True)
    newest = found[0] if found else None
    return Scored(
        community.code, item, one.id, "reported", "reported" if newest else "not_reported", one.better, one.unit, year, newest.value if newest else None,
        verdict=JUDGED.get(newest.judgement, "") if newest else "", evidence=tuple(found), version=one.version)


def tally(figures: Iterable[Scored]) -> Tally:
    """How many figures are of each kind."""
    counts = Counter(figure.kind for figure in figures)
    return Tally(**{kind: counts[kind] for kind in KINDS})
