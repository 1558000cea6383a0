"""Watching adverse events dose by dose: the maximised sequential probability ratio test for Poisson data, its critical values exact.

M. Kulldorff et al., A maximized sequential probability ratio test for drug and vaccine safety surveillance, Sequential Analysis 2011;30:58–78; at least `least`
events before a signal: M. Kulldorff and I. Silva, Continuous post-market sequential safety surveillance with minimum events to signal, REVSTAT 2017;15:373–394.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
HIGHEST = 60.0


@dataclass(frozen=True)
class Watched:
    """At each look: the log likelihood ratio, whether it has reached the critical value by now; `first` look that did, or None; `used` up expected events."""

    ratio: Numbers
    signal: Flags
    first: int | None
    critical: float
    used: float


def log_ratio(events: Numbers | float, expected: Numbers | float) -> Numbers:
    """n ln(n / μ) − (n − μ) where there are more than expected, else 0."""
    events, expected = np.asarray(events, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return np.where(events > expected, special.xlogy(events, events / np.maximum(expected, 1e-300)) - (events - expected), 0.0)


def _latest(events: int, critical: float) -> float:
    """The expected events up to which so many events signal."""
    return float(-events * special.lambertw(-np.exp(-1 - critical / events)).real)


def chance_to_signal(upper: float, critical: float, least: int = 1, relative_risk: float = 1.0) -> float:
    """P(a signal before `upper` expected events) when events come `relative_risk` times as often as expected: a chain over the latest times to signal."""
    quiet, since, events = np.array([1.0]), 0.0, least  # quiet[k]: P(k events so far and no signal)
    while since < upper:
        until = min(_latest(events, critical), upper)
        mean, count = relative_risk * (until - since), np.arange(events)
        more = np.exp(special.xlogy(count, mean) - mean - special.gammaln(count + 1))
        quiet = np.convolve(quiet, more)[:events]  # with as many events as signal until then, it has signalled
        since, events = until, events + 1
    return float(1 - quiet.sum())


def critical_value(upper: float, alpha: float = 0.05, least: int = 1) -> float | None:
    """The critical value with a chance of `alpha` of a false signal before `upper` expected events; None where even the lowest has a smaller chance."""
    lowest = 1e-6
    if chance_to_signal(upper, lowest, least) < alpha:
        return None
    return float(optimize.brentq(lambda critical: chance_to_signal(upper, critical, least) - alpha, lowest, HIGHEST, xtol=1e-12, rtol=1e-12))


def watch(events: Numbers, expected: Numbers, upper: float, alpha: float = 0.05, least: int = 1, critical: float | None = None) -> Watched:
    """Look at sums of events and of expected events so far, look by look, until the first signal or `upper` expected events.

    Raises ValueError where no critical value exists: `upper` is too small for `least` events at `alpha`.
    """
    found = critical if critical is not None else critical_value(upper, alpha, least)
    if found is None:
        raise ValueError("no critical value: more expected events are needed")
    ratio = log_ratio(events, expected)
    crossed = (ratio >= found) & (events >= least) & (expected <= upper)
    signal = np.maximum.accumulate(crossed) if len(crossed) else crossed
    first = int(np.argmax(crossed)) if crossed.any() else None
    return Watched(ratio, signal, first, found, float(np.max(expected, initial=0.0)))
