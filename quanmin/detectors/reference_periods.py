"""Which past periods a period is compared with: the same weeks of earlier years, windows around them, and the blocks of the year between them."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors.signals import Timeline, Whole

NOWHERE = -1
EPOCH = date(1970, 1, 1).toordinal()


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # the 29th of February becomes the 1st of March, as in R's seq
        return date(day.year - years, 3, 1)


def _same_weekday(point: date, weekday: int) -> date:
    """The nearest date of this weekday (0 = Sunday, as R's %w counts); of two equally near the earlier in the same week."""
    first = date.fromordinal(point.toordinal() - (point.isoweekday() % 7 - weekday))
    second = date.fromordinal(first.toordinal() + (-7 if first > point else 7))
    return second if abs(first.toordinal() - point.toordinal()) > abs(second.toordinal() - point.toordinal()) else first


def reference_points(timeline: Timeline, at: int, years: int) -> Whole:
    """The places of `at` and of the same period 1 … `years` years earlier; NOWHERE for those before the first period or between dates."""
    if timeline.dates is None:
        points = at - timeline.freq * np.arange(years + 1)
        return np.where(points >= 0, points, NOWHERE)
    day = timeline.dates[at]
    wanted = [_years_before(day, back) for back in range(years + 1)]
    if timeline.freq == 52:
        wanted = [_same_weekday(one, day.isoweekday() % 7) for one in wanted]
    days = np.array([one.toordinal() for one in wanted]) - EPOCH
    found = np.searchsorted(timeline.days, days).clip(max=len(timeline.days) - 1)
    return np.where(timeline.days[found] == days, found, NOWHERE).astype(np.int64)


def usable_years(points: Whole, half_window: int) -> int:
    """How many years back the reference points go without a gap and with their whole windows."""
    ok = (points[1:] != NOWHERE) & (points[1:] - half_window >= 0)
    return int(np.argmin(ok)) if not ok.all() else len(ok)


def block_labels(points: Whole, half_window: int, blocks: int, at: int) -> NDArray[np.int64]:
    """Labels 0 … blocks−1 of the periods up to `at` (the windows have the last one), −1 for periods of no block.

    Between two windows the rest of the year is split into blocks−1 stretches; the first ones are one period longer where it cannot be split evenly
    (Noufaily 2013 as in R's farringtonFlexible). Raises ValueError where the year is too short for so many blocks.
    """
    labels = np.full(at + 1, NOWHERE)
    labels[max(at - half_window, 0):] = blocks - 1
    for later, earlier in itertools.pairwise(points):
        if blocks > 1:
            between = int(later) - 2 * half_window - 1 - int(earlier)
            if between < blocks - 1:
                raise ValueError(blocks)
            length, rest = divmod(between, blocks - 1)
            lengths = np.full(blocks - 1, length) + (np.arange(blocks - 1) < rest)
            begin = int(earlier) + half_window + 1
            labels[begin: begin + between] = np.repeat(np.arange(blocks - 1), lengths)
    for earlier in points[1:]:
        labels[int(earlier) - half_window: int(earlier) + half_window + 1] = blocks - 1
    return labels


def times(timeline: Timeline, first: int) -> NDArray[np.float64]:
    """Time as the models count it: the place from 1, or with dates the days since the place `first` in units of the first spacing."""
    if timeline.dates is None:
        return np.arange(1, 1 + 100_000, dtype=np.float64)
    days = timeline.days.astype(np.float64)
    return (days - days[first]) / (days[1] - days[0] if len(days) > 1 else 1.0)
