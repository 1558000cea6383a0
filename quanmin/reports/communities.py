"""County medical communities on their official items: values, targets, the year before, ranks among communities, trends and reported evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.communities import Community, ItemFigure, Scored, Tally, communities_of, score_set, scored, tally
from quanmin.services.communities.scorecards import cells_of, known, place_of, plain, reported, target_of
from quanmin.services.ranking.ranks import KINDS, rank, rank_counts
from quanmin.services.variation.actions import Variation, variation_of

RESIDENTS = "cmc2020_general_practitioners_per_10000"  # its denominator counts the residents of a county


@dataclass(frozen=True)
class Year:
    """A year to look at: `since`–`through` are its months with all data, `known` all years with data, `whole` those with all their months, in order."""

    year: str
    since: str
    through: str
    is_whole: bool
    known: tuple[str, ...]
    whole: tuple[str, ...]


@dataclass(frozen=True)
class CommunityTally:
    """A community and how many of its figures are of which kind."""

    community: str
    name: str
    county: str
    county_name: str
    in_county: int
    members: int
    tally: Tally


@dataclass(frozen=True)
class ScoreCards:
    """All communities on all items of a set in a year; `figures` run through communities, then items in the document's order."""

    set: str
    year: Year
    communities: tuple[CommunityTally, ...]
    figures: tuple[Scored, ...]
    snapshot: int


@dataclass(frozen=True)
class YearValue:
    """A figure of one year; `is_bounds` where owed submissions are missing."""

    year: str
    value: float | None
    is_bounds: bool


@dataclass(frozen=True)
class Trend:
    """A figure over years and, where it has months, as an XmR chart."""

    item: str
    indicator: str
    years: tuple[YearValue, ...]
    months: Variation | None


@dataclass(frozen=True)
class CommunityCard:
    """One community; `residents` is the population of its county (None if unknown), which other communities of the county share."""

    set: str
    year: Year
    community: Community
    residents: float | None
    tally: Tally
    figures: tuple[Scored, ...]
    trends: tuple[Trend, ...]
    snapshot: int


def year_of(asker: Asker, asked: int = 0) -> Year:
    """The year asked for, or the newest with all its months (else the newest); raises Refusal for one without data."""
    months = asker.months()
    years = tuple(sorted({month[:4] for month in months}))
    if not years:
        raise Refusal(Problem("question", None, "year", "", say("no_figures"), say("mend_no_figures")))
    whole = tuple(year for year in years if sum(month[:4] == year for month in months) == 12)
    chosen = str(asked) if asked else (whole or years)[-1]
    if chosen not in years:
        raise Refusal(Problem("question", None, "year", chosen[:40], say("bad_value"), ", ".join(years)))
    within = [month for month in months if month[:4] == chosen]
    return Year(chosen, within[0], within[-1], chosen in whole, years, whole)


def _comparable(one: Indicator, year: Year, earlier: str) -> bool:
    """Counts, and counts of months over a number of the year, say nothing where either year lacks months."""
    if earlier not in year.known:
        return False
    is_mixed = bool(one.numerator and one.denominator and one.numerator.table != one.denominator.table)
    return (one.kind != "total" and not is_mixed) or {year.year, earlier} <= set(year.whole)


def _ranked(one: Indicator, figures: Sequence[Scored]) -> list[Scored]:
    """The figures with their ranks among each other, 1 the best; an interval only where cases are counted."""
    at = [i for i, figure in enumerate(figures) if figure.value is not None]
    found = list(figures)
    if one.better not in ("higher", "lower") or len({figures[i].value for i in at}) < 2:  # among equals there is no first
        return found
    is_sure = one.kind in KINDS and not (one.numerator and one.numerator.sum.endswith("_cny"))
    if is_sure:
        above, below = (np.array([getattr(figures[i], half) or 0.0 for i in at]) for half in ("numerator", "denominator"))
        ranks = rank_counts(above, below, one.kind, one.better, scale=scale_of(one))
    else:
        ranks = rank(np.array([figures[i].value or 0.0 for i in at]), np.zeros(len(at)), one.better)
    for place, i in enumerate(at):
        found[i] = replace(figures[i], rank=int(ranks.rank[place]), rank_low=int(ranks.low[place]) if is_sure else None,
                           rank_high=int(ranks.high[place]) if is_sure else None, of=ranks.count)
    return found


def _of_figure(asker: Asker, one: Indicator, item: str, figure: ItemFigure, year: Year, communities: Sequence[Community]) -> list[Scored]:
    """A figure of all communities, ranked; what cannot be computed as it was reported."""
    if figure.counted == "reported" or not one.is_executable:
        evidence = asker.evidence()
        return [reported(one, item, evidence, community, year.year) for community in communities]
    earlier = str(int(year.year) - 1)
    cells = cells_of(asker, figure, year.year, communities)
    before = cells_of(asker, figure, earlier, communities) if _comparable(one, year, earlier) else {}
    return _ranked(one, [
        scored(community.code, one, item, figure.counted, cells.get(community.code), before.get(community.code),
               target_of(asker, one, community, year.year), asker.shown_period(one.id, year.year)) for community in communities])


def _scored(asker: Asker, set_name: str, year: Year, communities: Sequence[Community]) -> dict[str, list[Scored]]:
    """Community → its figures on the items of a set."""
    found: dict[str, list[Scored]] = {community.code: [] for community in communities}
    for item in score_set(set_name).items:
        for figure in item.figures:
            for one in _of_figure(asker, asker.definition(figure.indicator), item.code, figure, year, communities):
                found[one.community].append(one)
    return found


@action("figures")
def communities(asker: Asker, year: int = 0, set: str = "2024") -> ScoreCards:
    """Every county medical community on every item of 2024 or 2020: value, target, change, rank and evidence."""
    score_set(set)
    listed, shown = communities_of(asker), year_of(asker, year)
    figures = _scored(asker, set, shown, listed)
    tallies = tuple(CommunityTally(one.code, one.name, one.county, one.county_name, one.in_county, len(one.members), tally(figures[one.code]))
                    for one in listed)
    return ScoreCards(set, shown, tallies, tuple(figure for one in listed for figure in figures[one.code]), asker.snapshot)


def _months(asker: Asker, figure: ItemFigure, community: Community, newest: str) -> Mapping[str, Cell]:
    """Month → cell of a community up to the newest complete month."""
    dimension, place = place_of(figure, community)
    cells = asker.figures(figure.indicator, ["month", dimension]).cells if place else ()
    return {str(c.key["month"]): c for c in cells if c.key["month"] and str(c.key[dimension]) == place and str(c.key["month"]) <= newest}


def _variation(asker: Asker, one: Indicator, figure: ItemFigure, community: Community, target: float | None, newest: str) -> Variation | None:
    if not asker.has_months(one.id) or one.kind == "growth":
        return None
    return variation_of(one, community.code, _months(asker, figure, community, newest), target, asker.snapshot)


def _trend(asker: Asker, item: str, figure: ItemFigure, community: Community, now: Scored, year: Year, newest: str) -> Trend:
    one, (dimension, place) = asker.definition(figure.indicator), place_of(figure, community)
    cells = {str(c.key["year"]): c for c in asker.figures(one.id, [dimension, "year"]).cells if place and str(c.key[dimension]) == place}
    years = tuple(YearValue(name, known(cells[name]), bool(cells[name].missing)) for name in year.known if name in cells)
    return Trend(item, one.id, years, _variation(asker, one, figure, community, now.target, newest))


@action("figures")
def community(asker: Asker, code: str, set: str = "2024", year: int = 0) -> CommunityCard:
    """One county medical community: its figures, their trends, its members and what was reported of it."""
    items = score_set(set).items
    listed, shown = communities_of(asker), year_of(asker, year)
    one = next((found for found in listed if found.code == code), None)
    if one is None:
        raise Refusal(Problem("question", None, "code", code[:40], say("bad_value"), say("mend_code")))
    figures = _scored(asker, set, shown, listed)[code]
    newest = asker.period()
    of_figure = {figure.indicator: figure for figure in figures}
    trends = tuple(_trend(asker, item.code, figure, one, of_figure[figure.indicator], shown, newest) for item in items for figure in item.figures
                   if of_figure[figure.indicator].counted != "reported")
    cell = asker.by_unit(RESIDENTS, shown.year).get(one.county)
    residents = None if cell is None or cell.suppressed else plain(cell.denominator)
    return CommunityCard(set, shown, one, residents, tally(figures), tuple(figures), trends, asker.snapshot)
