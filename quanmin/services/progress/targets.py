"""Targets: how far, how fast, and whether they will be reached by their date.

Two spans. `month`: the figure of the month in which the target falls due must reach it. `year`: the figure over the whole calendar year up to that
month must (31 December: the whole year's numerator ÷ the whole year's denominator); what was counted so far stands, only the rest is forecast.
The probability comes from the same past errors as the interval, taken with either sign and smoothed by a Gaussian kernel (Silverman 1986, 3.31).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from quanmin.services.progress.forecast import (
    ENOUGH_ERRORS,
    KINDS,
    Figures,
    Forecast,
    Numbers,
    forecast,
    known_series,
    past_errors,
    paths,
    reach_of,
    restored,
    stabilised,
)

SPANS = ("month", "year")
LIKELY = 0.8
FARTHEST = 36


@dataclass(frozen=True)
class Step:
    """A month to come: what is expected, its interval, and what a straight way to the target would need then."""

    month: str
    value: float
    low: float
    high: float
    needed: float


@dataclass(frozen=True)
class Progress:
    """Where a figure stands against its target; all values in the indicator's unit.

    `value` is that of the last month with a value (span month) or of the year so far (span year; None before its first month), `as_of` that month.
    `gap` is what is missing, above 0 as long as the target is not met, whichever direction is better. `expected`, `low`, `high` are the figure at
    the due date. `needed` is the figure the due month (or the average of the year's months left) must show, `needed_per_month` the change per month
    this asks from the level of now, `cases` how much the months left must bring beyond what is expected of them, in the numerator's own unit
    (below 0 where lower is better, 0 where enough is expected). `verdict` is reached or missed when nothing is left to come, else likely (80 % and
    more), unlikely (20 % and less) or uncertain. `is_short`: too few past errors for a firm interval.
    """

    span: str
    value: float | None
    as_of: str
    target: float
    due: str
    better: str
    gap: float | None
    months_left: int
    expected: float
    low: float
    high: float
    probability: float
    needed: float
    needed_per_month: float
    cases: float
    verdict: str
    steps: tuple[Step, ...]
    level: float
    is_short: bool


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _name(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _filled(months: Sequence[str], numerators: Figures, denominators: Figures) -> tuple[int, Numbers, Numbers]:
    """The first month's number and both halves without holes, up to the last month with a value."""
    above, below = known_series(numerators, denominators)
    if len(months) != above.size:
        raise ValueError("months, numerators and denominators must be of one length")
    at = np.array([_number(month) for month in months], dtype=np.int64)
    known = ~np.isnan(above)
    if not known.any():
        raise ValueError("no month has a value")
    start, stop = int(at.min()), int(at[known].max())
    whole = np.full((2, stop - start + 1), np.nan)
    whole[:, at[known] - start] = above[known], below[known]
    return start, whole[0], whole[1]


def chance(kind: str, errors: Numbers, centre: float, size: float, needed: float, better: str) -> float:
    """The probability that a figure expected at `centre` from `size` cases comes to `needed` or better, by past errors of either sign.

    Never 0 or 1: at n errors it stays 1 ÷ (2 n + 2) away from both.
    """
    if (kind == "share" and not 0 <= needed <= 1) or needed < 0:
        return float((needed <= 0) == (better == "higher"))
    known = errors[~np.isnan(errors)]
    if known.size < ENOUGH_ERRORS:
        spread = max(0.5 if kind != "mean" else 0.0, float(np.sqrt((known**2).mean())) if known.size else 0.0) or 1.0
        known = np.r_[known, spread * special.ndtri((np.arange(ENOUGH_ERRORS) + 0.5) / ENOUGH_ERRORS)]
    both = np.r_[known, -known]
    band = max(0.9 * float(both.std()) * both.size**-0.2, 1e-9)
    distance = float((stabilised(kind, needed) - stabilised(kind, centre)) * np.sqrt(size))
    above = float(special.ndtr((both - distance) / band).mean())
    edge = 1 / (both.size + 2)
    return float(np.clip(above if better == "higher" else 1 - above, edge, 1 - edge))


@dataclass(frozen=True)
class _Sofar:
    """What of the year is counted, as fractions."""

    numerator: float
    denominator: float
    first: int
    last: int

    def with_rest(self, rest: float, size: float) -> float:
        """The figure over what is counted and a rest of `size` cases at `rest`."""
        return (self.numerator + rest * size) / (self.denominator + size)


def _sofar(span: str, origin: int, due: int, above: Numbers, below: Numbers) -> _Sofar:
    """The months ahead that decide, and what already counts towards them."""
    if span == "month":
        return _Sofar(0.0, 0.0, due - origin, due - origin)
    begun = due - due % 12
    counted = max(0, origin - begun + 1)
    tail = slice(max(0, above.size - counted), above.size) if counted else slice(0, 0)
    return _Sofar(float(np.nansum(above[tail])), float(np.nansum(below[tail])), max(1, begun - origin), due - origin)


def _steps(found: Forecast | None, origin: int, now: float, slope: float) -> tuple[Step, ...]:
    if found is None:
        return ()
    rows = zip(found.points.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
    return tuple(Step(_name(origin + i), point, low, high, now + slope * i) for i, (point, low, high) in enumerate(rows, 1))


def _verdict(probability: float, is_over: bool) -> str:
    if is_over:
        return "reached" if probability >= 0.5 else "missed"
    return "likely" if probability >= LIKELY else "unlikely" if probability <= 1 - LIKELY else "uncertain"


def progress(months: Sequence[str], numerators: Figures, denominators: Figures, target: float, due: str, better: str = "higher", span: str = "year",
             kind: str = "share", scale: float = 1.0, level: float = 0.9) -> Progress:
    """A series held against its target.

    `months` are "2026-03" in any order without repeats (months absent or None are missing: within the year they are left out of it); `target` in the
    indicator's unit, `due` a month or a day within it; `kind` as in `forecast`. Raises ValueError when nothing has a value, when `better` is neither
    higher nor lower, for another span or kind, or when the due month lies more than 36 months
    ahead.
    """
    if better not in ("higher", "lower") or span not in SPANS or kind not in KINDS:
        raise ValueError(f"better must be higher or lower, span one of {SPANS}, kind one of {KINDS}")
    start, above, below = _filled(months, numerators, denominators)
    before = np.flatnonzero(~np.isnan(above[: max(0, _number(due) - start + 1)]))
    if not before.size or _number(due) - start - before[-1] > FARTHEST:
        raise ValueError(f"the due month lies more than {FARTHEST} months after the last value, or before the first")
    origin = start + int(before[-1])
    above, below = above[: before[-1] + 1], below[: before[-1] + 1]
    sofar = _sofar(span, origin, _number(due), above, below)
    value = _value(span, sofar, above, below)
    ahead, goal = sofar.last, target / scale
    gap = None if value is None else (goal - value) * (1 if better == "higher" else -1) * scale
    shown = None if value is None else value * scale
    if ahead < 1:
        assert value is not None
        met = value >= goal if better == "higher" else value <= goal
        return Progress(span, shown, _name(origin), target, due, better, gap, 0, value * scale, value * scale, value * scale, float(met), target, 0.0, 0.0,
                        _verdict(float(met), True), (), level, False)
    run = paths(above, below, ahead, kind)
    count = ahead - sofar.first + 1
    centre, size = float(run.points[-1, sofar.first - 1 :].mean()), float(run.sizes[-1]) * count
    errors = past_errors(kind, run, above, below, sofar.first, ahead)
    low, high = restored(kind, stabilised(kind, centre) + np.array([-1, 1]) * reach_of(errors, level, kind) / np.sqrt(size))
    needed = goal if not sofar.denominator else (goal * (sofar.denominator + size) - sofar.numerator) / size
    now = float(run.points[-1, 0])
    slope = (needed - now) / (ahead if span == "month" else (sofar.first + ahead) / 2)
    lacking = max(0.0, (needed - centre) * (1 if better == "higher" else -1)) * size
    probability = chance(kind, errors, centre, size, needed, better)
    ends = [sofar.with_rest(float(one), size) * scale for one in (centre, low, high)]
    return Progress(span, shown, _name(origin), target, due, better, gap, ahead, ends[0], ends[1], ends[2], probability, needed * scale, slope * scale,
                    lacking if better == "higher" else -lacking, _verdict(probability, False),
                    _steps(forecast(above, below, ahead, kind, level, scale), origin, now * scale, slope * scale), level,
                    bool((~np.isnan(errors)).sum() < ENOUGH_ERRORS))


def _value(span: str, sofar: _Sofar, above: Numbers, below: Numbers) -> float | None:
    """The figure of now as a fraction."""
    if span == "year":
        return sofar.numerator / sofar.denominator if sofar.denominator else None
    last = int(np.flatnonzero(~np.isnan(above))[-1])
    return float(above[last] / below[last])
