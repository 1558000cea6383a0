"""ESSENCE's detectors of daily counts (as in CDC's Rnssp): regression on day and weekday, two exponentially weighted averages, and the switch between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from quanmin.detectors.compiling import compiled
from quanmin.detectors.probability import student_two_sided
from quanmin.detectors.signals import NO_MODEL, Numbers, Series, SettingError, Signals, signals

BASELINE, GUARD = 28, 2
FEWEST_EWMA, FEWEST_REGRESSION = 7, 11  # days of baseline to begin with
WEIGHTS = (0.4, 0.9)
RED, YELLOW = 0.01, 0.05
GREY, BLUE, YELLOW_STATE, RED_STATE = range(4)
FITS = 0.60  # adjusted R² from which the regression is believed
EXPECTED, STATISTIC, P, SIGMA, UPPER, FIT, STATE, DAYS = range(8)


@compiled
def _above(t, df):  # type: ignore[no-untyped-def]
    half = 0.5 * student_two_sided(t, df)
    return half if t > 0 else 1 - half


@compiled
def _ewma(y, weights, t95, t99, level, out):  # type: ignore[no-untyped-def]
    z = np.zeros(2)
    begun = False
    for t in range(len(y)):
        if math.isnan(y[t]):
            continue
        before = z.copy()
        for i in range(2):
            z[i] = weights[i] * y[t] + (1 - weights[i]) * z[i] if begun else y[t]
        begun = True
        end, begin = t - GUARD, max(t - GUARD - BASELINE, 0)
        n, mean, squares = 0, 0.0, 0.0
        for u in range(begin, end):
            if not math.isnan(y[u]):
                n += 1
                mean += y[u]
        if n < FEWEST_EWMA:
            continue
        mean /= n
        for u in range(begin, end):
            if not math.isnan(y[u]):
                squares += (y[u] - mean) ** 2
        sd, q95, q99 = math.sqrt(squares / (n - 1)), t95[n - 1], t99[n - 1]
        out[P, t], out[UPPER, t] = 2.0, math.inf
        for i in range(2):
            w = weights[i]
            c = (0.1289 - (0.2414 - 0.1826 * (1 - w) ** 4) * math.log(0.5)) * (w / q95)
            least = (w / q95) * (0.01 + 0.05 * (1 - w) ** 2)
            sigma = max(least, sd * math.sqrt(w / (2 - w) + 1 / n - 2 * (1 - w) ** (GUARD + 1) * (1 - (1 - w) ** n) / n) + c)
            r = (z[i] - mean) / sigma
            p = _above(r, n - 1)
            if p < out[P, t]:
                out[P, t], out[STATISTIC, t], out[SIGMA, t] = p, r, sigma
            out[UPPER, t] = min(out[UPPER, t], (mean + level[n - 1] * sigma - (1 - w) * before[i]) / w)
            if abs(r) > q99:
                z[i] = mean + math.copysign(q99, r) * sigma
        out[EXPECTED, t], out[DAYS, t] = mean, n
        out[STATE, t] = RED_STATE if out[P, t] < RED else YELLOW_STATE if out[P, t] < YELLOW else BLUE


@compiled
def _regression(y, weekday, t95, level, is_strict, out):  # type: ignore[no-untyped-def]
    weight, mean_t, mean_y = np.zeros(7), np.zeros(7), np.zeros(7)
    for t in range(len(y)):
        if math.isnan(y[t]):
            continue
        if is_strict and _is_low(y, weekday, t):  # the reference's colour even where it has no baseline yet
            out[STATE, t] = BLUE
        end, begin = t - GUARD, max(t - GUARD - BASELINE, 0)
        weight[:], mean_t[:], mean_y[:] = 0.0, 0.0, 0.0
        n, total = 0, 0.0
        for u in range(begin, end):
            if not math.isnan(y[u]):
                g = weekday[u]
                n, total = n + 1, total + y[u]
                weight[g] += 1
                mean_t[g] += u - begin + 1
                mean_y[g] += y[u]
        present = 0
        for g in range(7):
            if weight[g] > 0:
                mean_t[g] /= weight[g]
                mean_y[g] /= weight[g]
                present += 1
        if n < FEWEST_REGRESSION or weight[weekday[t]] == 0:
            continue
        spread, across = 0.0, 0.0
        for u in range(begin, end):
            if not math.isnan(y[u]):
                d = u - begin + 1 - mean_t[weekday[u]]
                spread += d * d
                across += d * (y[u] - mean_y[weekday[u]])
        slope, error, whole, df = across / spread, 0.0, 0.0, n - present - 1
        for u in range(begin, end):
            if not math.isnan(y[u]):
                g = weekday[u]
                error += (y[u] - mean_y[g] - slope * (u - begin + 1 - mean_t[g])) ** 2
                whole += (y[u] - total / n) ** 2
        sigma = max(math.sqrt(error / df) * math.sqrt((n + 7) * (n - 4) / (n * (n - 7))), 0.01 / t95[df])
        g = weekday[t]
        expected = max(0.0, mean_y[g] + slope * (t - begin + 1 - mean_t[g]))
        out[EXPECTED, t], out[STATISTIC, t], out[SIGMA, t], out[DAYS, t] = expected, (y[t] - expected) / sigma, sigma, n
        out[P, t] = _above(out[STATISTIC, t], df)
        out[UPPER, t] = expected + level[df] * sigma
        out[FIT, t] = 1 - error / df / (whole / (n - 1)) if whole > 0 else math.nan
        out[STATE, t] = BLUE if _is_low(y, weekday, t) else RED_STATE if out[P, t] < RED else YELLOW_STATE if out[P, t] < YELLOW else BLUE


@compiled
def _is_low(y, weekday, t):  # type: ignore[no-untyped-def]
    """Whether a day lies below its own last seven days, at weekends also below the last seven of the same weekday: then a regression's alarm is called off."""
    if t < 6:
        return False
    if not y[t] < y[t - 6: t + 1].mean():
        return False
    if weekday[t] < 5:
        return True
    total, n, u = 0.0, 0, t
    while u >= 0 and n < 7:
        total, n, u = total + y[u], n + 1, u - 7
    return n == 7 and y[t] < total / n


@compiled
def _all(counts, weekday, weights, t95, t99, level, detector, is_strict, out):  # type: ignore[no-untyped-def]
    for s in range(len(counts)):
        if detector != 2:
            _ewma(counts[s], weights, t95, t99, level, out[s, 0])
        if detector != 1:
            _regression(counts[s], weekday, t95, level, is_strict, out[s, 1])


def _scaled(counts: Numbers) -> Numbers:
    """Shares below 1 are divided by the median of the positive ones first, as Rnssp does; the divisor of each series."""
    divisor = np.ones(len(counts))
    for s in np.flatnonzero(np.nanmax(counts, axis=1, initial=0) < 1):
        positive = counts[s][counts[s] > 0]
        divisor[s] = float(np.median(positive)) if positive.size else 1.0
    return divisor


def essence(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """`detector` regression, ewma or switch (regression where its adjusted R² reaches 0.60); an alarm at p < `alpha` (red 0.01, yellow 0.05 in
    `extra["state"]`: 0 grey, 1 blue, 2 yellow, 3 red). Regression needs dates, for the weekday."""
    detector = ("switch", "ewma", "regression").index(settings["detector"])
    if of.timeline.dates is None and detector != 1:
        raise SettingError("dates", None, "needed", "date")
    weekday = (of.timeline.days + 3) % 7 if of.timeline.dates is not None else np.arange(of.counts.shape[1]) % 7  # 0 = Monday
    divisor = _scaled(of.counts)
    counts = np.where(np.isnan(of.history), np.nan, of.counts) / divisor[:, None]
    counts[:, of.periods] = of.counts[:, of.periods] / divisor[:, None]
    freedom = np.arange(BASELINE + 1, dtype=np.float64)
    freedom[0] = 1
    out = np.full((len(counts), 2, DAYS + 1, counts.shape[1]), np.nan)
    out[:, :, STATE], out[:, :, DAYS] = GREY, 0
    _all(np.ascontiguousarray(counts), weekday, np.array(WEIGHTS), np.round(stdtrit(freedom, 0.95), 5), np.round(stdtrit(freedom, 0.99), 5),
         stdtrit(freedom, 1 - settings["alpha"]), detector, of.is_strict, out)
    found = out[:, :, :, of.periods]
    use = np.broadcast_to(detector == 2, of.shape) if detector else found[:, 1, FIT] >= FITS
    chosen = np.where(use[:, None, :], found[:, 1], found[:, 0])
    p, state = chosen[:, P], chosen[:, STATE]
    alarm = np.where(np.isnan(p), NO_MODEL, (p < settings["alpha"]) & (state != BLUE)).astype(np.int8)
    days = chosen[:, DAYS].astype(np.int32)
    last = of.periods - GUARD - 1
    told = signals(name, of, chosen[:, UPPER] * divisor[:, None], expected=chosen[:, EXPECTED] * divisor[:, None], score=chosen[:, STATISTIC], alarm=alarm,
                   p_value=p,
                   extra={"state": state, "sigma": chosen[:, SIGMA], "fit": chosen[:, FIT], "regression": use.astype(np.float64)},
                   baseline=(np.maximum(last - BASELINE + 1, 0), last, np.full(len(last), BASELINE)))
    return replace(told, size=days, first=np.where(days > 0, told.first, -1).astype(np.int32), last=np.where(days > 0, told.last, -1).astype(np.int32))
