"""Methods that compare with the mean and spread of a few recent or earlier periods: EARS C1–C3, RKI, Bayes, CDC's historical limits, moving percentiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from quanmin.detectors.compiling import compiled
from quanmin.detectors.probability import normal_above, predictive_at_least, predictive_quantile
from quanmin.detectors.signals import NO_MODEL, NO_VARIATION, Series, Signals, Whole, blank, signals

# 97.5 % Poisson limits that R's algo.rki uses for means of 0 … 20 (column O of its table)
RKI_LIMITS = np.array([3.285, 5.323, 6.686, 8.102, 9.598, 11.177, 12.817, 13.765, 14.921, 16.768, 17.633, 19.05, 20.335, 21.364, 22.945, 23.762, 25.4,
                       26.306, 27.735,
                       28.966, 30.017])
LEAST_SHARE = 0.5  # of a short baseline that must be there where missing periods are left out


@compiled
def _mean_sd(y, s, begin, end, fewest):  # type: ignore[no-untyped-def]
    """Mean and standard deviation (n − 1) of a stretch without its missing periods; NaN with fewer than `fewest`."""
    total, n = 0.0, 0
    for t in range(begin, end):
        if not math.isnan(y[s, t]):
            total += y[s, t]
            n += 1
    if n < fewest or n < 2:
        return math.nan, math.nan
    mean, squares = total / n, 0.0
    for t in range(begin, end):
        if not math.isnan(y[s, t]):
            squares += (y[s, t] - mean) ** 2
    return mean, math.sqrt(squares / (n - 1))


@compiled
def _ears(counts, history, periods, kind, b, fewest, least_sigma, z, is_strict, mean_out, upper, tail):  # type: ignore[no-untyped-def]
    gap = 0 if kind == 1 else 2
    for s in range(len(counts)):
        for j in range(len(periods)):
            t = periods[j]
            begin = t - gap - b
            if begin < 0:
                continue
            mean, sd = _mean_sd(history, s, begin, t - gap, fewest)
            sigma = max(sd, least_sigma)
            mean_out[s, j] = mean
            if kind < 3:
                upper[s, j] = mean + z * sigma
                if sigma > 0:
                    tail[s, j] = normal_above((counts[s, t] - mean) / sigma)
                continue
            excess = 0.0
            for back in range(1, 3):
                u = t - back
                if u - 2 - b < 0:
                    excess = math.nan
                    break
                m, d = _mean_sd(history, s, u - 2 - b, u - 2, fewest)
                d = max(d, least_sigma)
                c2 = (counts[s, u] - m) / d if d > 0 else (math.nan if counts[s, u] == m else math.inf * (counts[s, u] - m))
                if math.isnan(c2):
                    excess = math.nan
                    break
                excess += max(0.0, c2 - 1)
            bound = counts[s, t] + sigma * (z - excess)
            upper[s, j] = max(0.0, bound) if not math.isnan(bound) and (is_strict or sigma > 0) else math.nan


def ears(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """EARS C1, C2 or C3 (Hutwagner et al. 2003; R's earsC): `method`, `baseline` periods, `minSigma`, `alpha`. C3's limit is R's: today's count plus what
    the excess of the two days before leaves to the limit."""
    kind, b = int(settings["method"][1]), int(settings["baseline"])
    alpha = settings["alpha"] if settings["alpha"] is not None else (0.025 if kind == 3 else 0.001)
    mean, upper, tail = (np.full(of.shape, np.nan) for _ in range(3))
    _ears(of.counts, of.history, of.periods, kind, b, b if of.is_strict else math.ceil(b * LEAST_SHARE), float(settings["minSigma"]),
          float(ndtri(1 - alpha)), of.is_strict,
          mean, upper, tail)
    gap = 0 if kind == 1 else 2
    told = signals(name, of, upper, expected=mean, p_value=tail, baseline=_ends(of.periods - gap - b, of.periods - gap - 1, b))
    flat = (told.alarm == NO_MODEL) & ~np.isnan(mean) & ~np.isnan(told.observed)
    told.reason[flat] = NO_VARIATION
    return told


def _ends(first: Whole, last: Whole, size: int | Whole) -> tuple[Whole, Whole, Whole]:
    ok = first >= 0
    return np.where(ok, first, -1), np.where(ok, last, -1), np.where(ok, size, 0)


def _windows(of: Series, b: int, w: int, has_recent: bool) -> NDArray[np.int64]:
    """Reference places of every period (period, reference): the previous w where `has_recent`, and 2w + 1 around each of the b earlier years; −1 before
    the first."""
    freq = of.timeline.freq
    back = [np.arange(-w, 0)] if has_recent else []
    back += [np.arange(-i * freq - w, -i * freq + w + 1) for i in range(1, b + 1)]
    places = of.periods[:, None] + np.concatenate(back)[None, :]
    places[(places < 0).any(axis=1)] = -1
    return np.ascontiguousarray(places)


@compiled
def _rki(history, places, limits, fewest, mean_out, upper, size):  # type: ignore[no-untyped-def]
    for s in range(len(history)):
        for j in range(len(places)):
            total, n = 0.0, 0
            for r in places[j]:
                if r >= 0 and not math.isnan(history[s, r]):
                    total += history[s, r]
                    n += 1
            size[s, j] = n
            if n < fewest:
                continue
            mean, squares = total / n, 0.0
            mean_out[s, j] = mean
            if mean <= 20:
                upper[s, j] = limits[int(mean)]
                continue
            for r in places[j]:
                if not math.isnan(history[s, r]):
                    squares += (history[s, r] - mean) ** 2
            upper[s, j] = mean + 2 * math.sqrt(squares / (n - 1))


@compiled
def _bayes(counts, history, places, periods, level, fewest, mean_out, upper, tail, size):  # type: ignore[no-untyped-def]
    for s in range(len(history)):
        for j in range(len(places)):
            total, n = 0.0, 0.0
            for r in places[j]:
                if r >= 0 and not math.isnan(history[s, r]):
                    total += history[s, r]
                    n += 1.0
            size[s, j] = n
            if n < fewest:
                continue
            mean_out[s, j] = (total + 0.5) / n
            upper[s, j] = predictive_quantile(level, total, n)
            if not math.isnan(counts[s, periods[j]]):
                tail[s, j] = predictive_at_least(counts[s, periods[j]], total, n)


def rki(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """RKI 1–3 and Bayes 1–3 (R's rki and bayes): `b` years back, half window `w`, `actY`: also the previous w periods of this year; Bayes: `alpha`."""
    places = _windows(of, settings["b"], settings["w"], settings["actY"])
    fewest = places.shape[1] if of.is_strict else max(2, math.ceil(places.shape[1] * LEAST_SHARE))
    mean, upper, tail, size = (np.full(of.shape, np.nan) for _ in range(4))
    if name == "rki":
        _rki(of.history, places, RKI_LIMITS, fewest, mean, upper, size)
    else:
        _bayes(of.counts, of.history, places, of.periods, 1 - settings["alpha"], fewest, mean, upper, tail, size)
    ends = (places.min(axis=1), places.max(axis=1))
    told = signals(name, of, upper, expected=mean, p_value=tail if name == "bayes" else None, baseline=(*ends, np.where(ends[0] >= 0, places.shape[1], 0)))
    return told


def cdc(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """CDC's historical limits (Stroup et al. 1989; R's algo.cdc): the last four weeks against the same, previous and next `m` months of `b` years; `alpha`."""
    b, m, alpha = settings["b"], settings["m"], settings["alpha"]
    sums = np.full(of.counts.shape, np.nan)
    sums[:, 3:] = np.lib.stride_tricks.sliding_window_view(of.history, 4, axis=1).sum(axis=2) if of.history.shape[1] > 3 else np.nan
    now = np.full(of.counts.shape, np.nan)
    if of.counts.shape[1] > 3:
        now[:, 3:] = np.lib.stride_tricks.sliding_window_view(of.counts, 4, axis=1).sum(axis=2)
    ends = of.periods[:, None, None] - of.timeline.freq * np.arange(1, b + 1)[None, :, None] + 4 * np.arange(-m, m + 1)[None, None, :]
    ends = ends.reshape(len(of.periods), -1)
    ok = (ends - 3 >= 0).all(axis=1)
    values = np.where(ok[None, :, None], sums[:, np.where(ok[:, None], ends, 3)], np.nan) if sums.shape[1] > 3 else np.full((*of.shape, ends.shape[1]), np.nan)
    there = (~np.isnan(values)).sum(axis=2)
    enough = there == ends.shape[1] if of.is_strict else there >= max(2, ends.shape[1] * LEAST_SHARE)
    values = np.where(enough[:, :, None], values, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(enough, np.nansum(values, axis=2) / there, np.nan)
        sd = np.sqrt(np.nansum((values - mean[:, :, None]) ** 2, axis=2) / (there - 1))
        upper = mean + ndtri(1 - alpha / 2) * sd * np.sqrt(1 + 1 / there)
    baseline = _ends(np.where(ok, ends.min(axis=1) - 3, -1), ends.max(axis=1), ends.shape[1] * 4)
    told = signals(name, of, upper, expected=mean, observed=np.ascontiguousarray(now[:, of.periods]), baseline=baseline)
    return told


def moving_percentile(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """China's moving percentile method (CIDARS): the last block (a week) against percentile `P` of the same block and `half_window_blocks` before and
    after it in each of `years` years. `block_steps` periods make a block (7 days, 1 week), `year_steps` a year. `at_least` raises the alarm at the
    percentile, not above it."""
    steps = settings["block_steps"] or (7 if of.timeline.freq >= 300 else 1)
    year = settings["year_steps"] or (364 if of.timeline.freq >= 300 else of.timeline.freq)
    half, years = settings["half_window_blocks"], settings["years"]
    if of.counts.shape[1] < steps:
        return signals(name, of, np.full(of.shape, np.nan))
    sums, now = np.full(of.counts.shape, np.nan), np.full(of.counts.shape, np.nan)
    for target, source in ((sums, of.history), (now, of.counts)):
        target[:, steps - 1:] = np.lib.stride_tricks.sliding_window_view(source, steps, axis=1).sum(axis=2)
    ends = of.periods[:, None, None] - year * np.arange(1, years + 1)[None, :, None] + steps * np.arange(-half, half + 1)[None, None, :]
    ends = ends.reshape(len(of.periods), -1)
    ok = (ends - steps + 1 >= 0).all(axis=1) & (ends < of.periods[:, None]).all(axis=1)
    values = sums[:, np.where(ok[:, None], ends, 0)]
    values[:, ~ok] = np.nan
    there = (~np.isnan(values)).sum(axis=2)
    enough = there == ends.shape[1] if of.is_strict else there >= max(1, ends.shape[1] * LEAST_SHARE)
    values.sort(axis=2)  # missing ones last
    rank = np.where(enough, (there - 1) * settings["P"] / 100, 0.0)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(there - 1, 0))
    below, above = (np.take_along_axis(values, at[:, :, None], axis=2)[:, :, 0] for at in (low, high))
    upper = np.where(enough, below + (above - below) * (rank - low), np.nan)
    middle = np.where(enough, np.take_along_axis(values, np.maximum((there - 1) // 2, 0)[:, :, None], axis=2)[:, :, 0], np.nan)
    seen = np.ascontiguousarray(now[:, of.periods])
    raised = (seen >= upper) & (seen > 0) if settings["at_least"] else seen > upper
    alarm = np.where(np.isnan(seen) | np.isnan(upper), NO_MODEL, raised).astype(np.int8)
    return signals(name, of, upper, expected=middle, observed=seen, alarm=alarm, baseline=_ends(np.where(ok, ends.min(axis=1) - steps + 1, -1),
                                                                                                ends.max(axis=1), ends.shape[1]))


def fixed_threshold(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """An alarm at `threshold` cases or more (a single case: 1), as CIDARS has for plague, cholera and others."""
    seen = of.observed()
    limit = float(settings["threshold"])
    alarm = np.where(np.isnan(seen), NO_MODEL, seen >= limit).astype(np.int8)
    return signals(name, of, np.full(of.shape, limit), observed=seen, alarm=alarm, score=seen / limit, expected=blank(of.shape))
