"""XmR charts by the rules of NHS England's Making Data Count, as the R package NHSRplotthedots 0.2 reckons them.

Limits are mean ± 2.66 × mean moving range; moving ranges of 3.267 times their mean or more are left out once (`screen`). A point is special by
the first rule that holds: `outside` a limit; part of a `trend` of seven that rise or fall without a tie; one of `two_of_three` points beyond two
thirds of the way to a limit but not beyond it, all three on one side of the mean; part of a `run` of seven on one side of the mean (a point
exactly on the mean ends a run). Months without a value are passed over: no moving range is formed across them, and runs and trends go on after
them. Source: NHS England, Making Data Count; NHSRplotthedots (ptd_spc_standard, ptd_calculate_point_type, ptd_calculate_assurance_type).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int64]

LIMIT = 2.66
NEAR = LIMIT * 2 / 3
SCREEN = 3.267
RUN = 7
ENOUGH_POINTS = 13
RULES = ("outside", "trend", "two_of_three", "run")


@dataclass(frozen=True)
class XmR:
    """An XmR chart: per month the value (NaN where missing), mean, limits, and what is special about it.

    Arrays have the length of the series. `rule` is one of RULES or "", `side` 1 for high or rising, −1 for low or falling, 0 for common cause;
    `kind` is common_cause, improving, concerning or neither (special, but no direction is better). `length` counts the months of the run or trend
    a month belongs to. `variation` is the kind of the last month with a value, `variation_side` its side; `assurance` is consistently_met,
    consistently_missed, inconsistent or None (no target, or no direction is better). `is_provisional` says that the last stretch has fewer than
    13 values, too few for firm limits.
    """

    values: Numbers
    mean: Numbers
    low: Numbers
    high: Numbers
    near_low: Numbers
    near_high: Numbers
    rule: tuple[str, ...]
    side: Signs
    length: Signs
    kind: tuple[str, ...]
    variation: str
    variation_side: int
    assurance: str | None
    target: float | None
    is_provisional: bool


@dataclass(frozen=True)
class _Stretch:
    """Limits and flags of the observed points between two recalculations."""

    limits: Numbers
    outside: Flags
    side: Signs
    rule: list[str]
    signs: Signs
    length: Signs


def _mean_range(values: Numbers, is_next: Flags, screen: bool) -> float:
    ranges = np.abs(np.diff(values))[is_next]
    if not ranges.size:
        return float("nan")
    mean = float(ranges.mean())
    kept = ranges[ranges < SCREEN * mean] if screen else ranges
    return float(kept.mean()) if kept.size else mean


def _streaks(signs: Signs) -> Signs:
    """For every position the length of the streak of equal, non-zero signs it belongs to (0 where the sign is 0)."""
    if not signs.size:
        return signs
    starts = np.flatnonzero(np.r_[True, signs[1:] != signs[:-1]])
    lengths = np.diff(np.r_[starts, signs.size])
    return np.where(signs == 0, 0, np.repeat(lengths, lengths))


def _trends(values: Numbers) -> tuple[Signs, Signs]:
    """Per point its direction within a trend of seven (0 if in none; of two that meet in it, the later) and that trend's length in points."""
    direction = np.zeros(values.size, dtype=np.int64)
    length = np.zeros(values.size, dtype=np.int64)
    steps = np.sign(np.diff(values)).astype(np.int64)
    points = np.where(_streaks(steps) > 0, _streaks(steps) + 1, 0)
    steps, points = np.where(points >= RUN, steps, 0), np.where(points >= RUN, points, 0)
    direction[1:], length[1:] = steps, points
    begins = np.flatnonzero(steps)
    direction[begins], length[begins] = steps[begins], points[begins]
    return direction, length


def _two_of_three(close: Flags, side: Signs) -> Flags:
    """Close points of a window of three with at least two close ones and all three on one side of the mean."""
    found = np.zeros(close.size, dtype=bool)
    if close.size >= 3:
        hit = (close[:-2].astype(int) + close[1:-1] + close[2:] >= 2) & (np.abs(side[:-2] + side[1:-1] + side[2:]) == 3)
        for shift in range(3):
            found[shift : shift + hit.size] |= hit
    return found & close


def _stretch(values: Numbers, positions: Signs, baseline: int | None, screen: bool) -> _Stretch:
    base = values[:baseline]
    mean = float(base.mean())
    spread = _mean_range(base, np.diff(positions[:baseline]) == 1, screen)
    low, high, near_low, near_high = (mean + factor * spread for factor in (-LIMIT, LIMIT, -NEAR, NEAR))
    outside = (values < low) | (values > high)
    side = np.sign(values - mean).astype(np.int64)
    close = ~outside & ((values < near_low) | (values > near_high))
    trend, trend_length = _trends(values)
    runs = _streaks(side)
    flags = (outside, trend != 0, _two_of_three(close, side), runs >= RUN)
    rule = np.select(flags, RULES, default="")
    signs = np.select(flags, (np.where(side == 1, 1, -1), trend, side, side), default=0)
    length = np.select([rule == "trend", rule == "run"], [trend_length, runs], default=0)
    limits = np.array([mean, low, high, near_low, near_high])
    return _Stretch(limits, outside, side, [str(name) for name in rule], signs.astype(np.int64), length.astype(np.int64))


def _kind(sign: int, better: str) -> str:
    if not sign:
        return "common_cause"
    if better not in ("higher", "lower"):
        return "neither"
    return "improving" if sign == (1 if better == "higher" else -1) else "concerning"


def _assured(low: float, high: float, target: float | None, better: str) -> str | None:
    if target is None or better not in ("higher", "lower"):
        return None
    if target > high:
        return "consistently_missed" if better == "higher" else "consistently_met"
    if target < low:
        return "consistently_met" if better == "higher" else "consistently_missed"
    return "inconsistent"


def xmr(values: Sequence[float | None] | Numbers, better: str = "none", target: float | None = None, recalculate_at: Sequence[int] = (),
        baseline: int | None = None, screen: bool = True) -> XmR:
    """The XmR chart of a monthly series.

    `values` in time order, None or NaN where a month has none; `better` is higher, lower, target or none; `recalculate_at` are positions at which
    mean and limits begin anew (a step change that is understood); `baseline` fixes the limits of every stretch after its first so many values.
    Values and limits in the unit given. A stretch without two neighbouring values has no limits (NaN) and only its runs and trends are special.
    Raises ValueError when a recalculation point lies outside the series or the baseline is not positive.
    """
    series = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    if any(not 0 < at < series.size for at in recalculate_at) or (baseline is not None and baseline < 1):
        raise ValueError(f"recalculate_at must lie within 1 and {series.size - 1}, baseline be at least 1")
    limits = np.full((5, series.size), np.nan)
    rule, signs, length = [""] * series.size, np.zeros(series.size, dtype=np.int64), np.zeros(series.size, dtype=np.int64)
    edges = [0, *sorted(set(recalculate_at)), series.size]
    seen = 0
    for start, stop in pairwise(edges):
        observed = np.flatnonzero(~np.isnan(series[start:stop])) + start
        seen = observed.size
        if seen:
            part = _stretch(series[observed], observed, baseline, screen)
            limits[:, start:stop] = part.limits[:, None]
            signs[observed], length[observed] = part.signs, part.length
            for at, name in zip(observed, part.rule, strict=True):
                rule[at] = name
    last = np.flatnonzero(~np.isnan(series))
    end = int(last[-1]) if last.size else None
    kinds = tuple(_kind(int(sign), better) for sign in signs)
    mean, low, high, near_low, near_high = limits
    return XmR(series, mean, low, high, near_low, near_high, tuple(rule), signs, length, kinds,
               "common_cause" if end is None else kinds[end], 0 if end is None else int(signs[end]),
               None if end is None or np.isnan(low[end]) else _assured(float(low[end]), float(high[end]), target, better), target, seen < ENOUGH_POINTS)
