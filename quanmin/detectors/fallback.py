"""What judges where a method cannot: no series is left unwatched because it has no cases yet or is too short.

Single case: any case of a listed disease. Bayes predictive: after Σ cases in m reference periods a new count is negative binomial (size Σ + ½, probability
m/(m + 1)); an alarm where so many cases or more have a probability below alpha. Our own rule; the predictive distribution is that of R's `bayes`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quanmin.detectors.compiling import compiled
from quanmin.detectors.probability import predictive_at_least, predictive_quantile
from quanmin.detectors.signals import (
    ALARM,
    BAYES,
    FEW_BASELINE_CASES,
    FEWER_YEARS,
    LISTED,
    NO_MODEL,
    OK,
    QUIET,
    SINGLE,
    TOO_FEW_CASES,
    Flags,
    Series,
    Signals,
)

FEWEST = 8  # periods of baseline older than `past`; with fewer, all but the last is used


@compiled
def _baselines(history, periods, years_back, past, total, size, first, last, cases, there, after, before):  # type: ignore[no-untyped-def]
    """Sum, number, first and last place of the reference periods of every period judged, by running sums.

    Scratch of a place more than periods: sums of cases and periods with a count, the next place with a count, the last one before.
    """
    length = history.shape[1]
    for s in range(len(history)):
        before[0] = after[length] = -1
        for t in range(length):
            has = not math.isnan(history[s, t])
            cases[t + 1], there[t + 1] = cases[t] + (history[s, t] if has else 0.0), there[t] + has
            before[t + 1] = t if has else before[t]
        for t in range(length - 1, -1, -1):
            after[t] = after[t + 1] if math.isnan(history[s, t]) else t
        for j in range(len(periods)):
            t = periods[j]
            begin, end = max(0, t - years_back), t - past if t - past >= FEWEST else t
            if begin < end and there[end] > there[begin]:
                total[s, j], size[s, j] = cases[end] - cases[begin], there[end] - there[begin]
                first[s, j], last[s, j] = after[begin], before[end]


@compiled
def _judge(counts, where, total, size, level, expected, upper, tail, alarm):  # type: ignore[no-untyped-def]
    for s, j in where:
        if size[s, j] == 0 or math.isnan(counts[s, j]):
            continue
        periods = float(size[s, j])  # of one kind for all who call: compiled once
        expected[s, j] = (total[s, j] + 0.5) / periods
        upper[s, j] = predictive_quantile(level, total[s, j], periods)
        tail[s, j] = predictive_at_least(counts[s, j], total[s, j], periods)
        alarm[s, j] = ALARM if counts[s, j] > upper[s, j] else QUIET


def _own(told: Signals) -> Signals:
    """The same with arrays that can be written to."""
    names = ("observed", "expected", "upper", "score", "p_value", "alarm", "used", "reason", "first", "last", "size", "phi", "trend")
    return replace(told, **{name: np.array(getattr(told, name)) for name in names})


def with_fallback(told: Signals, of: Series, alpha: float, years_back: int, past: int, fewest_cases: float) -> Signals:
    """Put the Bayes predictive in where a method has no model, or fewer than `fewest_cases` in its baseline.

    `years_back` and `past` are in periods: how far the baseline goes back, and how many of the last it leaves out.
    """
    lacking = told.alarm == NO_MODEL
    if fewest_cases <= 0 and not lacking.any():
        return told
    sums, size = np.zeros(of.shape), np.zeros(of.shape, np.int32)
    first, last = np.full(of.shape, -1, np.int32), np.full(of.shape, -1, np.int32)
    _baselines(of.history, of.periods, years_back, past, sums, size, first, last, np.zeros(of.history.shape[1] + 1),
               *np.zeros((3, of.history.shape[1] + 1), np.int32))
    seen = of.observed()
    where = (lacking | (sums < fewest_cases)) & (size > 0) & ~np.isnan(seen)
    if not where.any():
        return told
    told = _own(told)
    told.reason[where & ((told.reason == OK) | (told.reason == TOO_FEW_CASES) | (told.reason == FEWER_YEARS))] = FEW_BASELINE_CASES
    for array in (told.expected, told.upper, told.score, told.p_value, told.phi, told.trend):
        array[where] = np.nan
    told.observed[where] = seen[where]
    _judge(seen, np.argwhere(where), sums, size, 1 - alpha, told.expected, told.upper, told.p_value, told.alarm)
    with np.errstate(invalid="ignore", divide="ignore"):
        told.score[where] = ((seen - told.expected) / (told.upper - told.expected))[where]
    for mine, theirs in ((first, told.first), (last, told.last), (size, told.size)):
        theirs[where] = mine[where]
    told.used[where] = BAYES
    return told


def with_single_cases(told: Signals, of: Series, listed: Flags) -> Signals:
    """An alarm for any case of the series `listed`, whatever the method says."""
    if not listed.any():
        return told
    told, seen = _own(told), of.observed()
    rows = listed[:, None] & ~np.isnan(seen)
    told.observed[rows] = seen[rows]
    told.alarm[rows] = np.where(seen[rows] >= 1, ALARM, QUIET)
    told.upper[rows], told.used[rows], told.reason[rows], told.score[rows] = 0.0, SINGLE, LISTED, seen[rows]
    return told
