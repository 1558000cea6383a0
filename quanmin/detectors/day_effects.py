"""Weekdays and holidays in daily counts: how many cases a kind of day brings, learnt from the past and taken out of the comparison."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np

from quanmin.detectors.signals import Numbers, Timeline, Whole

HOLIDAY, KINDS = 7, 9  # 0 … 6 Monday … Sunday, 7 a holiday, 8 the first working day after one
FEWEST_DAYS = 56
LEAST, SMOOTHING = 0.05, 5.0  # a factor is at least this; cases added on both sides, so that few cases say little


def kinds_of_days(timeline: Timeline, holidays: Iterable[date], workdays: Iterable[date] = ()) -> Whole:
    """The kind of every day: 0 … 6 for Monday to Sunday, 7 for a holiday, 8 for the first day after holidays. `workdays` are weekend days worked instead:
    they count as Fridays."""
    days = timeline.days
    kinds = (days + 3) % 7
    worked = np.isin(days, np.array(sorted(workdays), dtype="datetime64[D]").astype(np.int64))
    kinds = np.where(worked, 4, kinds)
    off = np.isin(days, np.array(sorted(holidays), dtype="datetime64[D]").astype(np.int64))
    after = np.concatenate([[False], off[:-1]]) & ~off
    return np.where(off, HOLIDAY, np.where(after, HOLIDAY + 1, kinds)).astype(np.int64)


def day_factors(history: Numbers, kinds: Whole, first_judged: int) -> Numbers:
    """How many times the usual a day brings, shape (series, time): cases on days of a kind over what the seven days around them bring, learnt before
    `first_judged`.

    Series with fewer than 56 days of past have factor 1; ordinary weekdays average 1, so that a week's sum is what it was.
    """
    count, length = history.shape
    factors = np.ones((count, KINDS))
    if first_judged < FEWEST_DAYS:
        return np.ones((count, length))
    past, kinds_past = history[:, :first_judged], kinds[:first_judged]
    middle = np.lib.stride_tricks.sliding_window_view(past, 7, axis=1)
    with np.errstate(invalid="ignore"):
        usual = np.full(past.shape, np.nan)
        usual[:, 3:-3] = middle.mean(axis=2)
    ordinary = np.lib.stride_tricks.sliding_window_view(kinds_past < HOLIDAY, 7).all(axis=1)
    plain = np.concatenate([np.zeros(3, bool), ordinary, np.zeros(3, bool)])
    for kind in range(KINDS):
        days = (kinds_past == kind) & (plain if kind < HOLIDAY else np.ones(first_judged, bool))
        seen = np.where(np.isnan(usual[:, days]), 0, np.nan_to_num(past[:, days])).sum(axis=1)
        factors[:, kind] = np.maximum((seen + SMOOTHING) / (np.nansum(usual[:, days], axis=1) + SMOOTHING), LEAST)
    factors[:, :HOLIDAY] /= factors[:, :HOLIDAY].mean(axis=1, keepdims=True)
    return np.ascontiguousarray(factors[:, kinds])
