"""Cumulative sums: Rossi's CUSUM with its transformations (R's algo.cusum) and the binomial likelihood-ratio CUSUM (R's categoricalCUSUM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import hyp2f1

from quanmin.detectors.compiling import compiled
from quanmin.detectors.seasonal_mean import expectation
from quanmin.detectors.signals import ALARM, NO_EXPECTATION, NO_MODEL, QUIET, Numbers, Series, SettingError, Signals, signals

TRANSFORMATIONS = ("none", "standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "anscombeNegBin")


def transformed(y: Numbers, m: Numbers, trans: str, alpha: Numbers, is_strict: bool = False) -> Numbers:
    """Counts y (in control with mean m) as values about 0 with variance 1; `alpha` is the negative binomial's (variance m + alpha m²)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if trans == "standard":
            return (y - m) / np.sqrt(m)
        if trans == "rossi":
            return (y - 3 * m + 2 * np.sqrt(m * y)) / (2 * np.sqrt(m))
        if trans == "anscombe":
            return 1.5 * (y ** (2 / 3) - m ** (2 / 3)) / m ** (1 / 6)
        if trans == "anscombe2nd":
            return (y ** (2 / 3) - (m ** (2 / 3) - m ** (-1 / 3) / 9)) / (2 / 3 * m ** (1 / 6))
        if trans == "pearsonNegBin":
            return (y - m) / np.sqrt(m + alpha * m * m)
        if trans == "anscombeNegBin":
            return (_negbin(y, alpha, is_strict) - _negbin(m, alpha, is_strict)) / (m + alpha * m * m) ** (1 / 6)
        return y - 0 * m


def _negbin(y: Numbers, alpha: Numbers, is_strict: bool) -> Numbers:
    """The integral of (t + alpha t²)^(−1/3) from 0 to y, by its hypergeometric form.

    The reference reads that from a table with steps of 0.01 down to −10, of 1 (interpolated) down to −100, and none below: `is_strict` does the same.
    """
    z = -alpha * y
    if not is_strict:
        return 1.5 * y ** (2 / 3) * hyp2f1(1 / 3, 2 / 3, 5 / 3, z)
    below = np.floor(z)
    far = hyp2f1(1 / 3, 2 / 3, 5 / 3, below) + (z - below) * (hyp2f1(1 / 3, 2 / 3, 5 / 3, below + 1) - hyp2f1(1 / 3, 2 / 3, 5 / 3, below))
    near = hyp2f1(1 / 3, 2 / 3, 5 / 3, np.round(z, 2))
    return 1.5 * y ** (2 / 3) * np.where(z >= -10, near, np.where(z >= -100, far, np.nan))


@compiled
def _sums(x, k, h, total, alarm):  # type: ignore[no-untyped-def]
    for s in range(len(x)):
        now = 0.0
        for j in range(x.shape[1]):
            if not np.isnan(x[s, j]):
                now = max(0.0, now + x[s, j] - k)
                alarm[s, j] = ALARM if now >= h else QUIET
            total[s, j] = now


def in_control(of: Series, settings: Mapping[str, Any]) -> Numbers:
    """The expected counts of the periods judged: given (`m` or `mu0` an array), the mean of all earlier periods, or a Poisson regression with a yearly wave."""
    m = settings["m"]
    if isinstance(m, str) and m == "glm":
        return expectation(of.history, of.timeline.freq, of.periods, 1, False, False, of.timeline.start[1] - 1)[0]
    if m is None or isinstance(m, str):
        with np.errstate(invalid="ignore"):
            past = of.history[:, : int(of.periods[0])]
            there = (~np.isnan(past)).sum(axis=1)
            mean = np.where(there > 0, np.nansum(past, axis=1) / np.maximum(there, 1), np.nan)
        return np.repeat(mean[:, None], of.shape[1], axis=1)
    return given(of, m, "m")


def given(of: Series, value: Any, name: str) -> Numbers:
    """A number, one per series, one per period judged or (series, period) as an array of the shape judged; per period of the whole series is cut to those
    judged."""
    found = as_numbers(name, value)
    if found.ndim and found.shape[-1] == of.counts.shape[1] and found.shape[-1] != of.shape[1]:
        found = found[..., of.periods]
    if found.ndim == 1 and len(found) == of.shape[0] and len(found) != of.shape[1]:
        found = found[:, None]
    try:
        return np.ascontiguousarray(np.broadcast_to(found, of.shape))
    except ValueError as error:
        raise SettingError(name, f"{found.shape}", "range", f"{of.shape}") from error


def as_numbers(name: str, value: Any) -> Numbers:
    """A number or numbers as an array; raises SettingError for what are none."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SettingError(name, str(value)[:60], "number") from error


def cusum(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """S = max(0, S + x − k) of transformed counts, an alarm at S ≥ h and no restart (Rossi et al. 1999); `k`, `h`, `trans`, `alpha` (negative binomial),
    `m`."""
    k, h, trans = float(settings["k"]), float(settings["h"]), settings["trans"]
    m = in_control(of, settings)
    alpha = np.asarray(np.nan if settings["alpha"] is None else float(settings["alpha"]))
    if trans.endswith("NegBin") and settings["alpha"] is None:
        alpha = _moment_alpha(of, m)
    seen = of.observed()
    x = transformed(seen, m, trans, alpha, of.is_strict)
    total, alarm = np.zeros(of.shape), np.full(of.shape, NO_MODEL, np.int8)
    _sums(x, k, h, total, alarm)
    if of.is_strict:
        total = np.where(alarm == NO_MODEL, np.nan, total)
    before = np.concatenate([np.zeros((of.shape[0], 1)), total[:, :-1]], axis=1)
    need = h + k - before
    with np.errstate(invalid="ignore", divide="ignore"):
        upper = _inverted(need, m, trans, alpha, h - total)
    told = signals(name, of, upper, expected=m, score=total / h if h else total, alarm=alarm, baseline=all_before(of), extra={"cusum": total})
    told.reason[(alarm == NO_MODEL) & ~np.isnan(seen)] = NO_EXPECTATION
    return told


def all_before(of: Series) -> tuple[Any, Any, Any]:
    """The ends and the size of a baseline of all periods before those judged."""
    first = int(of.periods[0])
    full = np.full(of.shape[1], first)
    return (np.zeros(of.shape[1], np.int64), full - 1, full) if first else (full - 1, full - 1, full)


def _moment_alpha(of: Series, m: Numbers) -> Numbers:
    """Negative binomial alpha from the variance of all earlier periods, by moments."""
    past = of.history[:, : int(of.periods[0])]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, spread = np.nanmean(past, axis=1), np.nanvar(past, axis=1, ddof=1)
        return np.repeat(np.maximum((spread - mean) / (mean * mean), 0)[:, None], m.shape[1], axis=1)


def _inverted(need: Numbers, m: Numbers, trans: str, alpha: Numbers, left: Numbers) -> Numbers:
    """The count that would bring the sum to the limit: the transformation backwards, at least 0. Where R does not turn it (none, anscombeNegBin) it is
    what is `left` to the limit; R takes the cube root of m, not its inverse, in the second order."""
    if trans == "standard":
        found = np.ceil(np.sqrt(m) * need + m)
    elif trans == "rossi":
        found = 2 * np.sqrt(m) * need + 5 * m - 2 * np.sqrt(4 * m * m + 2 * m * np.sqrt(m) * need)
    elif trans in ("anscombe", "anscombe2nd"):
        found = (2 / 3 * need * m ** (1 / 6) + m ** (2 / 3) - (m ** (1 / 3) / 9 if trans == "anscombe2nd" else 0)) ** 1.5
    elif trans == "pearsonNegBin":
        found = np.sqrt(m + alpha * m * m) * need + m
    else:
        found = left
    return np.fmax(found, 0.0)


@compiled
def _binomial(y, size, low, high, h, total, alarm):  # type: ignore[no-untyped-def]
    for s in range(len(y)):
        now = 0.0
        for j in range(y.shape[1]):
            if np.isnan(y[s, j]) or np.isnan(size[s, j]) or np.isnan(low[s, j]):
                total[s, j] = now
                continue
            now += y[s, j] * np.log(high[s, j] / low[s, j]) + (size[s, j] - y[s, j]) * np.log((1 - high[s, j]) / (1 - low[s, j]))
            now = max(0.0, now)
            total[s, j] = now
            alarm[s, j] = ALARM if now >= h else QUIET
            if now >= h:
                now = 0.0


def binomial_cusum(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """Likelihood-ratio CUSUM of positives among those tested (the population): the odds of `pi0` (given, or the share of all earlier periods) against `OR`
    times these; an alarm at `h`, then from 0 again. `upper` holds the statistic, as in R's categoricalCUSUM."""
    if of.population is None:
        raise SettingError("population", None, "needed", "population")
    size = np.ascontiguousarray(of.population[:, of.periods])
    if settings["pi0"] is None:
        first = int(of.periods[0])
        past, tested = of.history[:, :first], of.population[:, :first]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.nansum(past, axis=1) / np.nansum(np.where(np.isnan(past), np.nan, tested), axis=1)
        low = np.repeat(share[:, None], of.shape[1], axis=1)
    else:
        low = given(of, settings["pi0"], "pi0")
    odds = settings["OR"] * low / (1 - low)
    high = odds / (1 + odds)
    total, alarm = np.zeros(of.shape), np.full(of.shape, NO_MODEL, np.int8)
    _binomial(of.observed(), size, low, high, float(settings["h"]), total, alarm)
    return signals(name, of, total, expected=low * size, score=total / settings["h"], alarm=alarm, baseline=all_before(of), extra={"pi0": low, "pi1": high})
