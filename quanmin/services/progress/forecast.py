"""Forecasts of a monthly figure with intervals that are its own past errors.

Point forecast: exponential smoothing of numerator ÷ denominator, each month weighing as its denominator does, with level, damped trend and yearly
season (Gardner & McKenzie 1985, Holt–Winters). A fixed grid of smoothing constants is averaged, each weighing by its past error over the next months
(Akaike weights, Burnham & Anderson 2002), anew at every origin from what was known there. Interval: conformal (Vovk, Gammerman & Shafer 2005; Lei et al. 2018,
doi:10.1080/01621459.2017.1307116): the errors of the same series' forecasts from earlier origins, as far ahead, on a scale on which the sampling
variation of a share (arcsine), a rate (square root) or a mean (logarithm) does not depend on its height, and per square root of its denominator. So
a month of few cases gets a wide interval, and a series that moves more than chance gets a wider one than its counts would say. Where fewer than
twelve past errors exist, the interval is at least that of pure sampling variation, and marked `is_short`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
Figures = Sequence[float | None] | NDArray[np.float64]
KINDS = ("share", "rate", "mean")
YEAR = 12
DAMPING = 0.9
ENOUGH_ERRORS = 12
RECENT = 36
MEMORY = 0.97  # what an error weighs a month later when the smoothing constants are chosen
_GRID = np.array([(level, trend, season) for season in (0.0, 0.15) for trend in (0.0, 0.1) for level in (0.03, 0.07, 0.15, 0.3, 0.55)])


@dataclass(frozen=True)
class Paths:
    """Forecasts from every origin: `points` is origins × months ahead, `sizes` the denominator expected per month at each origin."""

    points: Numbers
    sizes: Numbers


@dataclass(frozen=True)
class Forecast:
    """The months ahead in the indicator's unit: one place per month for `points`, `low`, `high`; `errors` the past errors behind each (months × errors).

    `errors` are on the stabilised scale per 1 ÷ √denominator and NaN where there is none; `sizes` the denominator expected in each month ahead,
    `level` the share of the future the interval is to hold, `is_short` whether there were too few past errors to trust it.
    """

    points: Numbers
    low: Numbers
    high: Numbers
    sizes: Numbers
    errors: Numbers
    level: float
    kind: str
    scale: float
    is_short: bool


def stabilised(kind: str, values: ArrayLike) -> Numbers:
    """Values on the scale on which their sampling variation is even: arcsine √ (share), √ (rate), logarithm (mean)."""
    value = np.asarray(values, dtype=np.float64)
    if kind == "share":
        return np.asarray(np.arcsin(np.sqrt(np.clip(value, 0, 1))))
    return np.asarray(np.sqrt(np.maximum(value, 0)) if kind == "rate" else np.log(np.maximum(value, 1e-12)))


def restored(kind: str, values: ArrayLike) -> Numbers:
    """The inverse of `stabilised`."""
    value = np.asarray(values, dtype=np.float64)
    if kind == "share":
        return np.asarray(np.sin(np.clip(value, 0, np.pi / 2)) ** 2)
    return np.asarray(np.maximum(value, 0) ** 2 if kind == "rate" else np.exp(value))


@dataclass
class _State:
    """Level, trend and season of every candidate of the grid."""

    level: Numbers
    trend: Numbers
    season: Numbers
    first: Numbers
    weight: float = 0.0
    seen: int = 0

    def ahead(self, month: int, horizon: int) -> Numbers:
        """Candidates × months ahead."""
        steps = np.arange(1, horizon + 1)
        damped = DAMPING * (1 - DAMPING**steps) / (1 - DAMPING)
        path: Numbers = self.level[:, None] + self.trend[:, None] * damped + self.season[:, (month + steps) % YEAR]
        return path

    def learn(self, month: int, value: float, size: float) -> None:
        """Take in a month: the gain is the smoothing constant times the month's weight, or a running mean while the series is young."""
        self.seen += 1
        if self.seen == 1:
            self.level[:], self.weight, self.first[month % YEAR] = value, size, value
            return
        self.weight += (size - self.weight) / min(self.seen, YEAR)
        share = min(size / self.weight, 3.0) if self.weight > 0 else 0.0
        gain = np.minimum(np.maximum(_GRID[:, 0], 1 / self.seen) * share, 1.0)
        slot = month % YEAR
        error = value - self.level - DAMPING * self.trend - self.season[:, slot]
        self.level += DAMPING * self.trend + gain * error
        if self.seen <= YEAR:
            self.first[slot] = value
            if self.seen == YEAR:
                self.season = np.where(_GRID[:, 2:] > 0, np.nan_to_num(self.first - np.nanmean(self.first)), 0.0)
                self.level = np.where(_GRID[:, 2] > 0, np.nanmean(self.first), self.level)
        else:
            self.trend = DAMPING * self.trend + gain * _GRID[:, 1] * error
            learned = np.where(_GRID[:, 2] > 0, np.maximum(_GRID[:, 2], 1 / (1 + self.seen // YEAR)), 0.0)
            self.season[:, slot] += learned * min(share, 1.0) * error

    def pass_over(self) -> None:
        """A month without a value: the trend goes on, damped."""
        self.level += DAMPING * self.trend
        self.trend *= DAMPING


def _weights(loss: Numbers, scored: float) -> Numbers:
    """What each candidate weighs by its past error: exp(−½ n (loss − least) ÷ least), n the months scored (Akaike weights)."""
    least = float(loss.min())
    weight: Numbers = np.exp(-0.5 * scored * (loss - least) / least) if least > 0 else (loss <= 0).astype(np.float64)
    weight /= weight.sum()
    return weight


def known_series(numerators: Figures, denominators: Figures) -> tuple[Numbers, Numbers]:
    """Both halves as arrays, NaN in months of which either is not known or the denominator is 0. Raises ValueError for unequal lengths."""
    above, below = (np.array([np.nan if v is None else v for v in one], dtype=np.float64) for one in (numerators, denominators))
    if above.shape != below.shape:
        raise ValueError("numerators and denominators must be of one length")
    known = ~np.isnan(above) & (below > 0)
    return np.where(known, above, np.nan), np.where(known, below, np.nan)


def paths(numerators: Figures, denominators: Figures, horizon: int, kind: str = "share") -> Paths:
    """The forecasts a reader would have been given at every month of the series, `horizon` months ahead, from what was known then.

    Arrays in time order, None or NaN where a month is missing. Values as fractions (numerator ÷ denominator). Raises ValueError for unequal lengths.
    """
    above, below = known_series(numerators, denominators)
    values, months = above / below, above.size
    even = stabilised(kind, values)
    count = len(_GRID)
    state = _State(np.zeros(count), np.zeros(count), np.zeros((count, YEAR)), np.full(YEAR, np.nan))
    points, sizes = np.full((months, horizon), np.nan), np.full(months, np.nan)
    every = np.full((months, count, horizon), np.nan)
    loss, scored, reach = np.zeros(count), 0.0, min(horizon, 3)
    for month in range(months):
        loss, scored = loss * MEMORY, scored * MEMORY
        if np.isnan(values[month]):
            state.pass_over()
        else:
            for back in range(1, min(reach, month) + 1):
                error = stabilised(kind, every[month - back, :, back - 1]) - even[month]
                loss += np.where(np.isnan(error), 0.0, error**2 * below[month])
            scored += 1.0
            state.learn(month, float(values[month]), float(below[month]))
        if state.seen:
            every[month] = np.clip(state.ahead(month, horizon), 0.0, 1.0 if kind == "share" else np.inf)
            points[month] = _weights(loss, scored) @ every[month]
            lately = below[max(0, month - YEAR + 1) : month + 1]
            sizes[month] = lately[~np.isnan(lately)].mean() if not np.isnan(lately).all() else np.nan
    return Paths(points, sizes)


def pooled(above: Numbers, below: Numbers, first: int, last: int) -> Numbers:
    """For every month the figure over all months from `first` to `last` months after it, NaN where one of them is missing or yet to come."""
    found = np.full(above.size, np.nan)
    if above.size > last:
        span = last - first + 1
        sums = [np.convolve(one, np.ones(span), "valid")[first:] for one in (above, below)]
        found[: sums[0].size] = sums[0] / sums[1]
    return found


def past_errors(kind: str, run: Paths, above: Numbers, below: Numbers, first: int, last: int) -> Numbers:
    """Outcome minus forecast over the months `first` to `last` ahead of every origin, on the stabilised scale per 1 ÷ √(expected denominator).

    NaN where an outcome is not known, for the first year of a series of more than two, when the forecasts were still learning, and for all but the
    last three years of errors.
    """
    centre = run.points[:, first - 1 : last].mean(axis=1)
    error: Numbers = (stabilised(kind, pooled(above, below, first, last)) - stabilised(kind, centre)) * np.sqrt(run.sizes * (last - first + 1))
    if error.size > 2 * YEAR:
        error[: YEAR - 1] = np.nan
    error[np.flatnonzero(~np.isnan(error))[:-RECENT]] = np.nan
    return error


def reach_of(errors: Numbers, level: float, kind: str) -> float:
    """The half-width that `level` of the errors stay within, with the finite-sample correction of split conformal prediction."""
    size = np.sort(np.abs(errors[~np.isnan(errors)]))
    pure = float(special.ndtri(0.5 + level / 2)) / 2 if kind != "mean" else 0.0
    if size.size < ENOUGH_ERRORS:
        return max(pure, float(size[-1]) if size.size else 0.0) * (1.2 if size.size else 1.5)
    place = int(np.ceil((size.size + 1) * level)) - 1
    return float(size[min(place, size.size - 1)])


def forecast(numerators: Figures, denominators: Figures, horizon: int, kind: str = "share", level: float = 0.9, scale: float = 1.0) -> Forecast | None:
    """The next `horizon` months of a series with an interval for each month's figure; None where no month has a value.

    `kind` is share, rate (events per exposure) or mean (sums per case); `scale` brings numerator ÷ denominator into the indicator's unit. The
    interval is for the figure that will be counted, chance included, not for an underlying level. Raises ValueError for another kind or unequal
    lengths.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}")
    above, below = known_series(numerators, denominators)
    known = ~np.isnan(above)
    if not known.any():
        return None
    run = paths(above, below, horizon, kind)
    errors = np.array([past_errors(kind, run, above, below, ahead, ahead) for ahead in range(1, horizon + 1)])
    reach, size = np.array([reach_of(row, level, kind) for row in errors]), run.sizes[-1]
    width = reach / np.sqrt(size) if size > 0 else np.full(horizon, np.nan)
    centre = stabilised(kind, run.points[-1])
    short = bool((~np.isnan(errors)).sum(axis=1).min() < ENOUGH_ERRORS)
    return Forecast(run.points[-1] * scale, restored(kind, centre - width) * scale, restored(kind, centre + width) * scale, np.full(horizon, size), errors,
                    level, kind, scale, short)
