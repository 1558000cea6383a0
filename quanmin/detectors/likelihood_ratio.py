"""Likelihood-ratio charts for counts with a known expectation: LR and generalised LR, Poisson and negative binomial (Höhle & Paul 2008; R's algo.glrnb)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from quanmin.detectors.compiling import compiled
from quanmin.detectors.contagious import contagious
from quanmin.detectors.cusum import all_before, as_numbers, given
from quanmin.detectors.seasonal_mean import expectation
from quanmin.detectors.signals import ALARM, NO_EXPECTATION, NO_MODEL, QUIET, Numbers, Series, SettingError, Signals, signals

MOST_CASES = 100_000  # that are tried when the cases needed for an alarm are asked for


@compiled
def _known(y, mu, kappa, alpha, limit, value, cases, alarm):  # type: ignore[no-untyped-def]
    """LR CUSUM for a known change: means times exp(kappa)."""
    for s in range(len(y)):
        now, a = 0.0, alpha[s]
        for j in range(y.shape[1]):
            m = mu[s, j]
            value[s, j] = now
            if math.isnan(y[s, j]) or math.isnan(m) or math.isnan(a):
                continue
            if a == 0:
                gain, fixed = kappa, (1 - math.exp(kappa)) * m
            else:
                ratio = math.log((1 + a * m) / (1 + a * m * math.exp(kappa)))
                gain, fixed = kappa + ratio, ratio / a
            cases[s, j] = (limit - now - fixed) / gain
            now = max(0.0, now + gain * y[s, j] + fixed)
            value[s, j] = now
            is_over = now > limit
            alarm[s, j] = ALARM if is_over else QUIET
            if is_over:
                now = 0.0


@compiled
def _poisson_part(total, mean, sign, is_strict):  # type: ignore[no-untyped-def]
    if total == 0:  # no case at all speaks for a decrease by as much as was expected; the reference passes over such stretches
        return 0.0 if sign > 0 or is_strict else mean
    kappa = sign * max(0.0, sign * math.log(total / mean))
    return kappa * total + (1 - math.exp(kappa)) * mean


@compiled
def _negbin_kappa(y, mu, s, begin, end, a, sign, kappa):  # type: ignore[no-untyped-def]
    """The most likely change of a stretch: the root of its score, by Newton's steps held inside what the score allows."""
    low, high = -30.0, 30.0
    for _ in range(100):
        slope, curve = 0.0, 0.0
        e = math.exp(kappa)
        for t in range(begin, end):
            if math.isnan(y[s, t]) or math.isnan(mu[s, t]):
                continue
            d = 1 + a * e * mu[s, t]
            slope += (y[s, t] - e * mu[s, t]) / d
            curve -= e * mu[s, t] * (1 + a * y[s, t]) / (d * d)
        if slope > 0:
            low = kappa
        else:
            high = kappa
        step = kappa - slope / curve if curve < 0 else 0.5 * (low + high)
        if not low <= step <= high:
            step = 0.5 * (low + high)
        if abs(step - kappa) < 1e-13 * (1 + abs(kappa)):
            kappa = step
            break
        kappa = step
    return sign * max(0.0, sign * kappa)


@compiled
def _negbin_part(y, mu, s, begin, end, a, sign):  # type: ignore[no-untyped-def]
    kappa, total = _negbin_kappa(y, mu, s, begin, end, a, sign, 0.0), 0.0
    e = math.exp(kappa)
    for t in range(begin, end):
        if not math.isnan(y[s, t]) and not math.isnan(mu[s, t]):
            total += kappa * y[s, t] + (y[s, t] + 1 / a) * math.log((1 + a * mu[s, t]) / (1 + a * mu[s, t] * e))
    return total


@compiled
def _statistic(y, mu, s, start, n, a, change, sign, window, fewest, before, is_strict):  # type: ignore[no-untyped-def]
    """The largest log-likelihood ratio over the change points allowed, of the values start … n (both included); −1 where there are too few values."""
    count = n - start + 1
    longest, shortest = count, fewest
    if window > 0 and change == 0 and a == 0:  # as R's C code: from n − M to n − Mtilde
        longest, shortest = min(count, window + 1), fewest + 1
    elif window > 0:
        longest = min(count, window + 1)
    if count < shortest:
        return -1.0
    if change == 1:
        last = y[s, start - 1] if start else before
        return max(0.0, contagious(y, mu, s, n - longest + 1, n - shortest + 1, n + 1, start, last, a, is_strict))
    best, total, mean = 0.0, 0.0, 0.0
    for k in range(n, n - longest, -1):
        if not math.isnan(y[s, k]) and not math.isnan(mu[s, k]):
            total += y[s, k]
            mean += mu[s, k]
        if n - k + 1 < shortest or mean <= 0:
            continue
        best = max(best, _poisson_part(total, mean, sign, is_strict) if a == 0 else _negbin_part(y, mu, s, k, n + 1, a, sign))
    return best


@compiled
def _cases_needed(y, mu, s, start, n, a, change, sign, window, fewest, before, is_strict, limit):  # type: ignore[no-untyped-def]
    """The fewest cases of period n that reach the limit; of a chart for decreases the fewest that no longer exceed it."""
    kept, low, at, high = y[s, n], -1.0, 1.0, math.inf
    while high - low > 1 and at <= 2 * MOST_CASES:
        y[s, n] = at
        value = _statistic(y, mu, s, start, n, a, change, sign, window, fewest, before, is_strict)
        if value >= limit if sign > 0 else value <= limit:
            high = at
        else:
            low = at
        at = 2 * at if math.isinf(high) else math.floor((low + high) / 2)
    y[s, n] = kept
    return high


@compiled
def _generalised(y, mu, alpha, limit, change, sign, window, fewest, wants_cases, before, is_strict, value, cases, alarm):  # type: ignore[no-untyped-def]
    for s in range(len(y)):
        start = np.int64(0)  # not 0 itself: compiled once
        for n in range(y.shape[1]):
            value[s, n] = cases[s, n] = 0.0
            if math.isnan(mu[s, n]) or math.isnan(alpha[s]):
                continue
            if not math.isnan(y[s, n]):
                alarm[s, n] = QUIET
            now = _statistic(y, mu, s, start, n, alpha[s], change, sign, window, fewest, before[s], is_strict)
            if wants_cases and now >= 0:
                cases[s, n] = _cases_needed(y, mu, s, start, n, alpha[s], change, sign, window, fewest, before[s], is_strict, limit)
            if now < 0 or math.isnan(y[s, n]):
                continue
            value[s, n] = now
            if now > limit or (now == limit and change == 0):
                alarm[s, n] = ALARM
                start = n + 1


def _expected(of: Series, settings: Mapping[str, Any], is_negative_binomial: bool) -> tuple[Numbers, Numbers]:
    """The in-control means and the negative binomial's alpha of each series."""
    given_alpha = settings["alpha"]
    if settings["mu0"] is None:
        mu, found = expectation(of.history, of.timeline.freq, of.periods, int(settings["S"]), settings["trend"], is_negative_binomial)
    else:
        mu, found = given(of, settings["mu0"], "mu0"), np.zeros(of.shape[0])
        if is_negative_binomial and given_alpha is None:
            raise SettingError("alpha", None, "needed", "alpha")
    if not is_negative_binomial:
        return mu, np.zeros(of.shape[0])
    if given_alpha is not None:
        told = as_numbers("alpha", given_alpha)
        if told.shape not in ((), of.shape[:1]) or not (told >= 0).all():
            raise SettingError("alpha", str(given_alpha)[:60], "range", "0 …")
        found = np.broadcast_to(told, of.shape[:1]).astype(np.float64)
    return mu, found


def glr(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """(Generalised) likelihood-ratio chart; `mu0` expected counts (or a regression on time and `S` yearly waves over all earlier periods), `alpha` (0 Poisson),
    `theta` a known change on the log scale (None: estimated), `c.ARL` the limit, `change` intercept or epi, `M`, `Mtilde`, `dir` inc or dec, `ret` cases
    or value.

    With ret = "value" `upper` holds the statistic, as in R; it starts anew after an alarm.
    """
    is_negative_binomial = name == "glr_negbin" and not (settings["alpha"] is not None and (as_numbers("alpha", settings["alpha"]) == 0).all())
    mu, alpha = _expected(of, settings, is_negative_binomial)
    y, limit = of.observed(), float(settings["c.ARL"])
    value, cases, alarm = np.full(of.shape, np.nan), np.full(of.shape, np.nan), np.full(of.shape, NO_MODEL, np.int8)
    wants_cases = settings["ret"] == "cases"
    if settings["theta"] is not None:
        _known(y, mu, float(settings["theta"]), alpha, limit, value, cases, alarm)
    else:
        first = int(of.periods[0])
        before = of.history[:, first - 1] if first and not of.is_strict else np.zeros(of.shape[0])
        _generalised(y.copy(), mu, alpha, limit, 1 if settings["change"] == "epi" else 0, 1.0 if settings["dir"] == "inc" else -1.0, int(settings["M"]),
                     int(settings["Mtilde"]), wants_cases, np.ascontiguousarray(before), of.is_strict, value, cases, alarm)
    told = signals(name, of, cases if wants_cases else value, expected=mu, score=value / limit, alarm=alarm, baseline=all_before(of),
                   extra={"statistic": value})
    told.reason[(alarm == NO_MODEL) & ~np.isnan(y)] = NO_EXPECTATION
    return told
