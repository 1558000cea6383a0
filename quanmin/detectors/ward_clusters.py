"""Clusters in time of one organism in one ward: a scan over windows that end with a case, against what was expected from the cases before.

The windows and their maximum are those of the temporal scan statistic (M. Kulldorff, Prospective time periodic geographical disease surveillance
using a scan statistic, Journal of the Royal Statistical Society A 2001;164:61–72). What is expected of a ward and organism is learnt from the days
before the window alone: a gamma distribution around ward × organism of the hospital, updated by the series' own cases, so that the number of cases of
a window is negative binomial and its probability exact, without Monte Carlo. Days without cases need not be looked at: no window that ends on one
is less likely than one that ends with the last case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
LONGEST_DAYS = 30  # of a window
MOST_CASES = 12  # of a window that is tried; larger clusters signal long before
FEWEST_CASES = 3
ALPHA = 0.0003  # a window that is less likely signals; false alarms are measured in bench/infection.py
PRIOR_DAYS = 90  # days that the guess from the hospital counts like, before a series has its own
LEARNING_DAYS = 60  # at the beginning, of which no window is tried
SHAPE = 1.0  # of the gamma distribution around the guess
FAR = 1 << 20  # more than there are days


@dataclass(frozen=True)
class Scanned:
    """Per case, in the order given: the least likely window that ends with it (its cases, days, expected cases and probability); 1 where none is tried."""

    p: Numbers
    cases: Whole
    days: Whole
    expected: Numbers


def _codes(*columns: NDArray[np.generic]) -> Whole:
    """A number for each combination of values."""
    found = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, at = np.unique(column, return_inverse=True)
        found = found * (len(values) + 1) + at
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _before(group: Whole, day: Whole, of: Whole, until: Whole) -> Numbers:
    """How many cases of the group `of` were before the day `until`."""
    keys = np.sort(group * FAR + day)
    return (np.searchsorted(keys, of * FAR + until) - np.searchsorted(keys, of * FAR)).astype(np.float64)


def scan(facility: NDArray[np.generic], ward: NDArray[np.generic], organism: NDArray[np.generic], day: Whole, first_day: int) -> Scanned:
    """The least likely window that ends with each case; `day` counts from any day, `first_day` is the first on which cases were reported at all."""
    count = len(day)
    best = Scanned(np.ones(count), np.ones(count, dtype=np.int64), np.ones(count, dtype=np.int64), np.zeros(count))
    if not count:
        return best
    day = day.astype(np.int64) - first_day
    hospital, in_ward, of_organism, series = _codes(facility), _codes(facility, ward), _codes(facility, organism), _codes(facility, ward, organism)
    order = np.lexsort((day, series))
    own, at = series[order], day[order]
    p, cases, days, expected = (np.array(values, dtype=np.float64) for values in (best.p, best.cases, best.days, best.expected))
    for more in range(FEWEST_CASES - 1, MOST_CASES):
        if count <= more:
            break
        last = np.arange(more, count)
        start, span = at[:-more], at[more:] - at[:-more] + 1
        fit = (own[:-more] == own[more:]) & (span <= LONGEST_DAYS) & (start >= LEARNING_DAYS)
        last, start, span, rows = last[fit], start[fit], span[fit], order[last[fit]]
        known, shape = _before(series, day, series[rows], start), SHAPE
        total, wards, organisms = (_before(group, day, group[rows], start) for group in (hospital, in_ward, of_organism))
        guessed = (wards + 0.5) * (organisms + 0.5) / (total + 1.0) / (start + PRIOR_DAYS)  # cases a day
        size, weight = shape + known, shape / guessed + start  # gamma: shape and days
        tail = special.betainc(more + 1, size, span / (span + weight))  # P(cases of the window >= what came)
        less = tail < p[last]
        for kept, value in ((p, tail), (cases, np.full(len(last), more + 1.0)), (days, span.astype(np.float64)), (expected, span * size / weight)):
            kept[last[less]] = value[less]
    back = np.empty(count, dtype=np.int64)
    back[order] = np.searchsorted(own * FAR + at, own * FAR + at, side="right") - 1  # cases of one day share their windows
    return Scanned(p[back], cases[back].astype(np.int64), days[back].astype(np.int64), expected[back])


@dataclass(frozen=True)
class Cluster:
    """A cluster: rows (places of its cases in what was given), first and last day, the day of the case that signalled, its least likely window."""

    rows: Whole
    first_day: int
    last_day: int
    signal_day: int
    p: float
    expected: float


def clusters(facility: NDArray[np.generic], ward: NDArray[np.generic], organism: NDArray[np.generic], day: Whole, first_day: int,
             alpha: float = ALPHA) -> list[Cluster]:
    """Windows that signal, put together where they share a case, in the order of their signals."""
    found = scan(facility, ward, organism, day, first_day)
    signals = np.flatnonzero(found.p < alpha)
    if not len(signals):
        return []
    series = _codes(facility, ward, organism)
    from_day, until = day[signals] - found.days[signals] + 1, day[signals]
    order = np.lexsort((until, series[signals]))
    signals, from_day, until = signals[order], from_day[order], until[order]
    own = series[signals]
    is_new = np.r_[True, (own[1:] != own[:-1]) | (from_day[1:] > until[:-1])]
    told = []
    for group in np.split(np.arange(len(signals)), np.flatnonzero(is_new)[1:]):  # clusters are few
        first, last = int(from_day[group].min()), int(until[group].max())
        rows = np.flatnonzero((series == own[group[0]]) & (day >= first) & (day <= last))
        best = signals[group[int(np.argmin(found.p[signals[group]]))]]
        told.append(Cluster(rows[np.argsort(day[rows], kind="stable")], first, last, int(until[group[0]]), float(found.p[best]), float(found.expected[best])))
    return sorted(told, key=lambda one: (one.signal_day, one.first_day, one.rows[0]))


def poisson_limits(count: int, level: float = 0.95) -> tuple[float, float]:
    """Exact limits of a Poisson mean given a count (F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 1936;28:437–442)."""
    tail = (1 - level) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return low, float(special.gammainccinv(count + 1, tail))
