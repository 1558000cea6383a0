"""Nowcast of a site: cases by day of onset, and how many of each day are still to be reported."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from quanmin.detectors.nowcast import Nowcast, nowcast, triangle_of
from quanmin.model.disease import NotifiableDisease
from quanmin.services.surveillance.case_lines import CaseLines, Flags
from quanmin.services.surveillance.daily import Whole
from quanmin.services.surveillance.watching import day_text, watch

OWN, LAW_CLASS, EVERY = "own", "class", "all"


@dataclass(frozen=True)
class OnsetDay:
    """Cases that began on a day: reported so far, the median, 95 % limits and mean of all of them, and the share thought reported."""

    day: str
    reported: int
    estimate: int
    low: int
    high: int
    share: float
    mean: float


@dataclass(frozen=True)
class CaseNowcast:
    """Cases of a disease by day of onset up to `known_on`, the newest day on which any case was reported.

    The delay was learned from `delay_cases` (who sees a part of the region is told no more than that they were enough) of the disease itself
    (`delays_of` own), of its class of the law, or of all diseases: their median in days; longer
    delays than `longest_days` are not looked for. `without_onset` cases of two years have no day of onset and are not among them.
    """

    item: str
    place: str
    known_on: str
    delays_of: str
    delay_cases: int
    median_delay: int
    longest_days: int
    without_onset: int
    days: tuple[OnsetDay, ...]

    @property
    def outstanding(self) -> float:
        """How many are thought to have begun in these days and not to be reported yet: the sum of the means."""
        return sum(one.mean - one.reported for one in self.days)


@dataclass(frozen=True)
class OnsetCounts:
    """A nowcast as arrays from `first_day` (days since 1970) to now."""

    first_day: int
    told: Nowcast
    delays_of: str
    delay_cases: int
    median_delay: int
    longest: int


def family(item: str, diseases: Mapping[str, NotifiableDisease]) -> set[str]:
    """A disease and those that are a part of it."""
    return {item} | {code for code, one in diseases.items() if one.parent == item}


def _learned_from(lines: CaseLines, items: Collection[str], law_class: str) -> tuple[str, Flags]:
    """Whose delays are used: the disease's own where it has enough cases, else those of its class, else of all."""
    told = watch()["nowcast"]
    dated = (lines.onset >= 0) & (lines.onset > lines.now - told["learned_days"])
    for name, at in ((OWN, np.isin(lines.disease, sorted(items))), (LAW_CLASS, lines.law_class == law_class)):
        if int((dated & at).sum()) >= told["enough_delays"]:
            return name, dated & at
    return EVERY, dated


def onset_counts(lines: CaseLines, item: str, counties: Collection[str], diseases: Mapping[str, NotifiableDisease]) -> OnsetCounts | None:
    """Cases of a disease in some counties by day of onset over two years, with what is still to come; None where no case has a day of onset."""
    items = family(item, diseases)
    name, source = _learned_from(lines, items, diseases[item].law_class)
    if not source.any():
        return None
    told = watch()["nowcast"]
    delay = lines.reported[source] - lines.onset[source]
    longest = int(np.clip(np.quantile(delay, told["longest_share"], method="higher"), *told["longest_days"]))
    first = lines.now - told["learned_days"] + 1
    mine = lines.chosen(items, counties) & (lines.onset >= first)

    def triangle(at: Flags) -> Whole:
        return triangle_of(lines.onset[at] - first, lines.reported[at] - first, lines.now - first, longest)

    found = nowcast(triangle(mine), "gamma_poisson", delays=triangle(source))
    return OnsetCounts(first, found, name, int(source.sum()), int(np.median(delay)), longest)


def shown_nowcast(lines: CaseLines, item: str, place: str, counties: Collection[str], diseases: Mapping[str, NotifiableDisease], since: int,
                  until: int) -> CaseNowcast:
    """The days from `since` to `until` (days since 1970), as far as they lie in the two years before now."""
    found = onset_counts(lines, item, counties, diseases)
    mine = lines.chosen(family(item, diseases), counties)
    unknown = int((mine & (lines.onset < 0) & (lines.reported > lines.now - watch()["nowcast"]["learned_days"])).sum())
    if found is None:
        return CaseNowcast(item, place, day_text(lines.now) if len(lines.reported) else "", "", 0, 0, 0, unknown, ())
    told, length = found.told, len(found.told.reported)
    days = tuple(OnsetDay(day_text(found.first_day + k), int(told.reported[k]), int(told.median[k]), int(told.low[k]), int(told.high[k]), float(told.share[k]),
                          float(told.mean[k]))
                 for k in range(max(0, since - found.first_day), min(length, until - found.first_day + 1)))
    return CaseNowcast(item, place, day_text(lines.now), found.delays_of, found.delay_cases, found.median_delay, found.longest, unknown, days)
