"""Watching a site: every series judged on every day."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors.detect import detect
from quanmin.detectors.fallback import with_fallback, with_single_cases
from quanmin.detectors.signals import ALARM, FEW_BASELINE_CASES, SINGLE, Series, Signals, Timeline, blank, signals
from quanmin.model.disease import NotifiableDisease
from quanmin.services.surveillance.daily import Daily, Numbers, Whole

WEEK = 7
YEAR_WEEKS, PAST_WEEKS = 52, 26
Excluded = Sequence[tuple[str, str, str, str]]  # confirmed outbreaks: item, county, first day, last day


@cache
def watch() -> dict[str, Any]:
    """The settings."""
    return tomllib.loads(Path(__file__).with_name("watch.toml").read_text("utf-8"))


@dataclass
class Judged:
    """What was found of series on days: arrays (series, day) with NaN, -1 where nothing was judged; `series` are places among the keys."""

    series: Whole
    alarm: NDArray[np.bool_]
    p: Numbers
    observed: Numbers
    expected: Numbers
    upper: Numbers
    used: Whole
    reason: Whole
    first: Whole  # of the baseline, days since 1970
    last: Whole
    size: Whole
    window: int


def _nothing(series: Whole, days: int, window: int) -> Judged:
    shape = (len(series), days)
    p, observed, expected, upper = (np.full(shape, np.nan) for _ in range(4))
    used, reason, first, last, size = (np.full(shape, value, dtype=np.int64) for value in (0, 0, -1, -1, 0))
    return Judged(series, np.zeros(shape, dtype=bool), p, observed, expected, upper, used, reason, first, last, size, window)


def day_text(day: int) -> str:
    """A day since 1970 as text."""
    return (date(1970, 1, 1) + timedelta(days=int(day))).isoformat()


def _day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def judge_cases(daily: Daily, diseases: Mapping[str, NotifiableDisease], excluded: Excluded) -> Judged:
    """Case reports of the seven days ending on each day: seven weekly series for each, one for every day of the week."""
    told, chosen = watch()["case"], daily.chosen(True)
    days = daily.counts.shape[1]
    found = _nothing(chosen, days, WEEK)
    if not len(chosen):
        return found
    counts = daily.counts[chosen]
    listed = np.array([diseases[key[1]].is_single_case if key[1] in diseases else False for key in (daily.keys[k] for k in chosen)])
    outbreak = np.zeros(counts.shape, dtype=np.bool_)
    for item, county, first, last in excluded:
        rows = np.array([daily.keys[k][1] == item and daily.keys[k][3] == county for k in chosen])
        outbreak[rows, max(0, _day(first) - daily.first_day): max(0, _day(last) - daily.first_day + 1)] = True
    is_rich = np.nansum(counts, axis=1) >= told["enough_cases"]
    for phase in range(min(WEEK, days)):
        ends = np.arange(phase, days, WEEK)
        ends = ends[ends >= WEEK - 1]
        if not len(ends):
            continue
        windows = ends[:, None] - np.arange(WEEK - 1, -1, -1)
        weekly, left_out = counts[:, windows].sum(axis=2), np.asarray(outbreak[:, windows].any(axis=2))
        since = int(np.searchsorted(ends, days - told["judged_days"]))
        for rows, is_regression in ((np.flatnonzero(is_rich), True), (np.flatnonzero(~is_rich), False)):
            if len(rows):
                _weekly(found, rows, ends, weekly[rows], left_out[rows], since, daily.first_day, is_regression, listed[rows])
    fewest = np.array([told["fewest"].get(diseases[key[1]].law_class if key[1] in diseases else "C", 3) for key in (daily.keys[k] for k in chosen)])
    found.alarm &= (found.observed >= fewest[:, None]) | (found.used == SINGLE)
    return found


def _weekly(found: Judged, rows: Whole, ends: Whole, weekly: Numbers, left_out: NDArray[np.bool_], since: int, first_day: int, is_regression: bool,
            listed: NDArray[np.bool_]) -> None:
    told = watch()["case"]
    starts = tuple(date(1970, 1, 1) + timedelta(days=int(first_day + end - WEEK + 1)) for end in ends)
    line, begin = Timeline(YEAR_WEEKS, (1, 1), starts), told["years"] * YEAR_WEEKS + 3
    periods = np.arange(max(since, 2), len(ends))
    settings = {"b": told["years"], "alpha": told["alpha"], "pastWeeksNotIncluded": PAST_WEEKS, "limit54": (0, 4)}
    if not len(periods):
        return
    if is_regression and len(ends) > begin:
        judged = np.arange(max(since, begin), len(ends))
        signal = detect(weekly, "farrington_flexible", timeline=line, exclude=left_out, range=judged, single_case=listed, **settings)
        _keep(found, rows, ends, signal, first_day)
        periods = periods[periods < judged[0]]
    if len(periods):
        of = Series(weekly, np.where(left_out, np.nan, weekly), None, line, periods, False)
        nothing = signals("bayes_predictive", of, blank(of.shape), reason=np.full(of.shape, FEW_BASELINE_CASES, dtype=np.int8))
        signal = with_fallback(nothing, of, told["alpha"], told["years"] * YEAR_WEEKS, PAST_WEEKS, 0)
        _keep(found, rows, ends, with_single_cases(signal, of, listed), first_day)


def _keep(found: Judged, rows: Whole, ends: Whole, signal: Signals, first_day: int) -> None:
    at = np.ix_(rows, ends[signal.periods])
    found.alarm[at] = signal.alarm == ALARM
    for mine, theirs in ((found.p, signal.p_value), (found.observed, signal.observed), (found.expected, signal.expected), (found.upper, signal.upper),
                         (found.used, signal.used), (found.reason, signal.reason), (found.size, signal.size)):
        mine[at] = theirs
    for mine, theirs, shift in ((found.first, signal.first, WEEK - 1), (found.last, signal.last, 0)):
        mine[at] = np.where(theirs >= 0, first_day + ends[np.clip(theirs, 0, len(ends) - 1)] - shift, -1)


def judge_daily(daily: Daily) -> Judged:
    """All other sources, day by day, by ESSENCE's regression or moving average, whichever fits."""
    told, chosen = watch()["daily"], daily.chosen(False)
    days = daily.counts.shape[1]
    found = _nothing(chosen, days, 1)
    since = max(60, days - told["judged_days"])
    if not len(chosen) or since >= days:
        return found
    counts = daily.counts[chosen]
    dates = tuple(date(1970, 1, 1) + timedelta(days=int(daily.first_day + k)) for k in range(days))
    begin = max(0, since - 60)
    signal = detect(counts[:, begin:], "essence", timeline=Timeline(365, (1, 1), dates[begin:]), range=np.arange(since - begin, days - begin), fallback=False)
    ends = np.arange(begin, days)
    _keep(found, np.arange(len(chosen)), ends, signal, daily.first_day)
    with np.errstate(invalid="ignore"):
        found.alarm &= (found.p < told["p"]) & (found.observed >= told["fewest"])
    return found
