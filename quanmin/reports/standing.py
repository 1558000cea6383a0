"""Where a place stands on an indicator: value – target – rank – trend – next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quanmin.model import Cell, Indicator, Refusal
from quanmin.model.answer import verdict_of
from quanmin.model.asker import Asker
from quanmin.services.progress.actions import progress as asked_progress
from quanmin.services.progress.targets import Progress
from quanmin.services.ranking.actions import Ranked, RankList
from quanmin.services.ranking.actions import ranking as asked_ranking
from quanmin.services.variation.actions import Variation
from quanmin.services.variation.actions import variation as asked_variation

UNLIKELY = 0.2  # a chance to reach a target below this asks for more than waiting


@dataclass(frozen=True)
class Step:
    """What to do next: `kind` names a sentence of words.toml (step_…), `values` fill it in, `view` is the indicator's page that helps."""

    kind: str
    values: Mapping[str, object] = field(default_factory=dict)
    view: str = ""


@dataclass(frozen=True)
class Standing:
    """An indicator at a place in a period; what does not apply to its kind is None.

    `cell` and `before` (the same period a year earlier) are the place's figures, `rank` its rank among counties or facilities of its level, `ranks`
    all of them, `trend` its months, `progress` the way to the year's target. `verdict` is met, missed or "".
    """

    indicator: Indicator
    place: str
    period: str
    cell: Cell | None
    before: Cell | None
    target: float | None
    verdict: str
    rank: Ranked | None
    ranks: RankList | None
    trend: Variation | None
    progress: Progress | None
    step: Step


def year_before(period: str) -> str:
    """The same period of the year before."""
    return f"{int(period[:4]) - 1}{period[4:]}" if period else ""


def _cell(asker: Asker, name: str, period: str, place: str, facility: str) -> Cell | None:
    if len(period) == 7 and asker.has_months(name):  # the months are asked for anyway
        return asker.series(name, place, facility).get(period)
    if facility:
        return asker.by_unit(name, period, "facility").get(facility)
    if place:
        return asker.by_unit(name, period).get(place)
    return asker.of_period(name, period)


def _trend(asker: Asker, name: str, place: str, facility: str) -> Variation | None:
    try:
        return asked_variation(asker, name, place, facility) if asker.has_months(name) else None
    except Refusal:
        return None


def _progress(asker: Asker, one: Indicator, place: str, period: str, target: float | None) -> Progress | None:
    if target is None or not asker.has_months(one.id) or one.better not in ("higher", "lower"):
        return None
    try:
        return asked_progress(asker, one.id, place, int(period[:4]), target).progress
    except Refusal:
        return None


def _ranks(asker: Asker, name: str, period: str, facility: str) -> RankList | None:
    try:
        return asked_ranking(asker, name, period, "facility", "same_level", facility) if facility else asked_ranking(asker, name, period)
    except Refusal:
        return None


def _step(one: Indicator, cell: Cell | None, target: float | None, verdict: str, trend: Variation | None, progress: Progress | None,
          ranks: RankList | None, may_set: bool, is_part: bool) -> Step:
    """The first of these that applies: get the data, look into a change for the worse, close the gap, keep watching, set a target, keep on."""
    if cell is None or (cell.value is None and not cell.missing):
        return Step("no_data")
    if cell.missing:
        return Step("ask_senders", {"count": len(cell.missing)}, "data")
    if trend is not None and trend.variation == "concerning":
        return Step("explain", {}, "change")
    if verdict == "missed" and progress is not None and progress.probability < UNLIKELY:
        chance = f"{progress.probability:.0%}"
        if is_part or ranks is None or not ranks.units:
            return Step("close_gap_here", {"chance": chance}, "change")
        return Step("close_gap", {"last": ranks.units[-1].name, "chance": chance}, "change")
    if verdict == "missed":
        return Step("close_gap_plain", {}, "institutions")
    if target is None and may_set and one.better in ("higher", "lower"):
        return Step("set_target", {}, "targets")
    return Step("keep" if verdict == "met" else "watch")


def standing(asker: Asker, name: str, period: str = "", place: str = "", facility: str = "") -> Standing:
    """An indicator's standing at a county or facility, or of everything the asker sees; raises Refusal for what cannot be asked."""
    one, shown = asker.question(name), asker.shown_period(name, asker.period(period))
    unit = facility or place or asker.region
    cell, before = _cell(asker, name, shown, place, facility), _cell(asker, name, year_before(shown), place, facility) if shown else None
    targets = asker.targets(name)
    year = asker.period(period)[:4]
    target = targets.get((unit, year), None if facility else targets.get((asker.region, year)))
    value = None if cell is None or cell.missing or cell.suppressed else cell.value
    verdict = verdict_of(one.better, value, target)
    ranks = _ranks(asker, name, shown, facility)
    rank = next((ranked for ranked in ranks.units if ranked.code == unit), None) if ranks else None
    trend = _trend(asker, name, place, facility)
    progress = None if facility else _progress(asker, one, place, year, target)
    step = _step(one, cell, target, verdict, trend, progress, ranks, asker.may("targets"), bool(place or facility))
    return Standing(one, unit, shown, cell, before, target, verdict, rank, ranks, trend, progress, step)
