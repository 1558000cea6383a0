"""What a detector is given and what it says: series over one time axis, and for every series and period what was expected, the limit and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Small = NDArray[np.int8]

NO_MODEL, QUIET, ALARM = -1, 0, 1
USED = ("none", "method", "bayes_predictive", "single_case")
NONE, METHOD, BAYES, SINGLE = range(4)
REASONS = ("", "too_few_cases", "not_converged", "too_short", "missing", "no_variation", "few_baseline_cases", "fewer_years", "listed", "no_expectation")
OK, TOO_FEW_CASES, NOT_CONVERGED, TOO_SHORT, MISSING, NO_VARIATION, FEW_BASELINE_CASES, FEWER_YEARS, LISTED, NO_EXPECTATION = range(10)


class SettingError(ValueError):
    """A setting that cannot be used: its name, its value and which rule it breaks (`unknown`, `range`, `choice`, `needed`), with what would do."""

    def __init__(self, name: str, value: object, rule: str, allowed: str = "") -> None:
        super().__init__(f"{name}={value!r}: {rule} {allowed}".rstrip())
        self.name, self.value, self.rule, self.allowed = name, value, rule, allowed


@dataclass(frozen=True)
class Timeline:
    """The time axis of all series: periods a year (52, 12, 365), the position in the year of the first one, and its dates where they are known.

    With `dates` (first day of each period, ascending, evenly spread) reference periods are found by calendar, so that years of 53 weeks are right;
    without them a year is `freq` periods.
    """

    freq: int = 52
    start: tuple[int, int] = (1, 1)
    dates: tuple[date, ...] | None = None

    @cached_property
    def days(self) -> Whole:
        """The dates as days since 1970-01-01, or an empty array."""
        return np.array([] if self.dates is None else np.array(self.dates, dtype="datetime64[D]"), dtype="datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Series:
    """Counts (series, time), what of them may serve as baseline (`history`: NaN where left out), population or None, and the periods to be judged."""

    counts: Numbers
    history: Numbers
    population: Numbers | None
    timeline: Timeline
    periods: Whole
    is_strict: bool  # as the reference does: a missing value makes the result missing, nothing is put in its place
    workers: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Series and periods judged."""
        return len(self.counts), len(self.periods)

    def observed(self) -> Numbers:
        """The counts of the periods judged."""
        return np.ascontiguousarray(self.counts[:, self.periods])


def _nothing() -> dict[str, Numbers]:
    return {}


@dataclass(frozen=True)
class Signals:
    """What a method says, arrays of shape (series, periods judged); `periods` are their places in the input, from 0.

    `alarm` is 1, 0 or -1 (no model); `used` says what judged (a place in USED) and `reason` why otherwise than asked or not at all (a place in REASONS).
    `p_value` is the probability of as many cases or more, where the method knows it. `first`, `last`, `size` are the baseline's first and last place and how
    many periods it holds (-1, -1, 0 where there is none); `phi` the dispersion; `trend` the growth of the expectation per period on the log scale where a trend
    was used.
    """

    method: str
    periods: Whole
    observed: Numbers
    expected: Numbers
    upper: Numbers
    score: Numbers
    p_value: Numbers
    alarm: Small
    used: Small
    reason: Small
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    size: NDArray[np.int32]
    phi: Numbers
    trend: Numbers
    extra: dict[str, Numbers] = field(default_factory=_nothing)


def blank(shape: tuple[int, int]) -> Numbers:
    """Not a number everywhere, without taking memory."""
    return np.broadcast_to(np.nan, shape)


def signals(method: str, of: Series, upper: Numbers, *, expected: Numbers | None = None, score: Numbers | None = None, alarm: Small | None = None,
            reason: Small | None = None, p_value: Numbers | None = None, baseline: tuple[Whole, Whole, Whole] | None = None, phi: Numbers | None = None,
            trend: Numbers | None = None, observed: Numbers | None = None, extra: dict[str, Numbers] | None = None) -> Signals:
    """Signals from what a method knows; without `alarm` it is raised above `upper`, without `score` it is how far observed lies between expected and upper."""
    seen = of.observed() if observed is None else observed
    no = blank(of.shape)
    if expected is None:
        expected = no
    if alarm is None:
        alarm = np.where(np.isnan(seen) | np.isnan(upper), NO_MODEL, seen > upper).astype(np.int8)
    if score is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            score = (seen - expected) / (upper - expected)
    if reason is None:
        reason = np.where(alarm != NO_MODEL, OK, np.where(np.isnan(seen), MISSING, TOO_SHORT)).astype(np.int8)
    ends = (np.full(of.shape[1], -1), np.full(of.shape[1], -1), np.zeros(of.shape[1])) if baseline is None else baseline
    first, last, size = (np.broadcast_to(np.asarray(end, dtype=np.int32), of.shape) for end in ends)
    used = (alarm != NO_MODEL).astype(np.int8)
    return Signals(method, of.periods, seen, expected, upper, score, no if p_value is None else p_value, alarm, used, reason, first, last, size,
                   no if phi is None else phi, no if trend is None else trend, {} if extra is None else extra)
