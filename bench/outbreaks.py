"""Noufaily's 42 scenarios (Noufaily et al. 2013, Stat Med 32): simulated series with known outbreaks, and what detectors make of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors.detect import detect
from quanmin.detectors.evaluation import Worth, worth
from quanmin.detectors.signals import ALARM

Numbers = NDArray[np.float64]
WEEKS, FIRST, PAST = 624, 575, 312  # weeks, and the places from which outbreaks are looked for and from which past ones lie
THETA, BETA = (0.1, -2, 1.5, 0.5, 2.5, 3.75, 5), (0.0025, 0.005, 0.003, 0.002, 0.001, 0.001, 0.0001)
WAVE1, WAVE2, PHI = (0.6, 0.1, 0.2, 0.5, 1, 0.1, 0.05), (0.6, 0.3, -0.4, 0.5, 0.1, -0.1, 0.01), (1.5, 2, 1, 5, 3, 1.1, 1.2)
PAST_SIZES = (0, 2, 3, 5, 10)
NOUFAILY = {"b": 5, "w": 3, "weightsThreshold": 2.58, "pThresholdTrend": 1.0, "limit54": [0, 4], "noPeriods": 10, "pastWeeksNotIncluded": 26,
            "thresholdMethod": "nbPlugin"}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "Farrington flexible, alpha 0.05": ("farrington_flexible", NOUFAILY | {"alpha": 0.05}),
    "Farrington flexible, alpha 0.01": ("farrington_flexible", NOUFAILY | {"alpha": 0.01}),
    "Farrington flexible, alpha 0.005": ("farrington_flexible", NOUFAILY | {"alpha": 0.005}),
    "Farrington flexible, 10 levels, delta, alpha 0.01": ("farrington_flexible", NOUFAILY | {"alpha": 0.01, "thresholdMethod": "delta",
                                                                                             "pThresholdTrend": 0.05}),
    "Farrington 1996, alpha 0.01": ("farrington", {"b": 5, "w": 3, "alpha": 0.01, "limit54": [0, 4]}),
    "RKI 3": ("rki", {"b": 2, "w": 4, "actY": False}),
    "Bayes 3": ("bayes", {"b": 2, "w": 4, "actY": False, "alpha": 0.05}),
    "EARS C2, alpha 0.01": ("ears", {"method": "C2", "alpha": 0.01}),
    "GLR negative binomial, limit 5": ("glr_negbin", {"c.ARL": 5, "ret": "value"}),
    "CIDARS moving percentile, P90 above": ("moving_percentile", {"P": 90, "years": 3, "block_steps": 1, "year_steps": 52}),
    "CIDARS moving percentile, P80 or above": ("moving_percentile", {"P": 80, "years": 3, "block_steps": 1, "year_steps": 52, "at_least": True}),
}
# false positive rate, found, sensitivity, specificity, precision, F1, delay: R's surveillance on 420 series, as the project's methods note has them
PUBLISHED = {
    "Farrington flexible, alpha 0.05": (0.042, 0.746, 0.418, 0.959, 0.390, 0.404, 0.300),
    "Farrington flexible, alpha 0.01": (0.009, 0.538, 0.262, 0.992, 0.658, 0.375, 0.501),
    "Farrington flexible, alpha 0.005": (0.005, 0.447, 0.208, 0.995, 0.720, 0.322, 0.590),
    "Farrington flexible, 10 levels, delta, alpha 0.01": (0.012, 0.582, 0.292, 0.988, 0.608, 0.394, 0.456),
    "Farrington 1996, alpha 0.01": (0.025, 0.599, 0.319, 0.975, 0.440, 0.370, 0.437),
    "RKI 3": (0.070, 0.746, 0.459, 0.930, 0.290, 0.356, 0.293),
    "Bayes 3": (0.105, 0.844, 0.504, 0.896, 0.232, 0.317, 0.197),
    "EARS C2, alpha 0.01": (0.085, 0.702, 0.414, 0.923, 0.250, 0.312, 0.335),
    "GLR negative binomial, limit 5": (0.043, 0.516, 0.228, 0.958, 0.250, 0.238, 0.559),
    "CIDARS moving percentile, P90 above": (0.185, 0.885, 0.624, 0.815, 0.173, 0.270, 0.146),
    "CIDARS moving percentile, P80 or above": (0.302, 0.963, 0.737, 0.699, 0.132, 0.223, 0.066),
}


def means() -> tuple[Numbers, Numbers]:
    """The expected counts of the 42 scenarios (scenario, week) and their dispersions."""
    t, rows, dispersion = np.arange(1, WEEKS + 1), [], []
    for group in range(7):
        for trend in (0, 1):
            for waves in (0, 1, 2):
                wave = sum(WAVE1[group] * np.cos(2 * np.pi * j * t / 52) + WAVE2[group] * np.sin(2 * np.pi * j * t / 52) for j in range(1, waves + 1))
                rows.append(np.exp(THETA[group] + trend * BETA[group] * t + wave))
                dispersion.append(PHI[group])
    return np.array(rows), np.array(dispersion)


def _outbreak(rng: np.random.Generator, mean: Numbers, phi: float, k: int, begin: int, end: int) -> Numbers:
    """Cases by week of one outbreak that starts in begin … end−1: Poisson(k standard deviations) of them, spread log-normally over the weeks after."""
    start = int(rng.integers(begin, end))
    size = int(rng.poisson(k * np.sqrt(phi * mean[start])))
    at = start + np.floor(rng.lognormal(0, 0.5, size)).astype(int)
    return np.bincount(at[at < WEEKS], minlength=WEEKS).astype(np.float64)


def simulate(replicates: int, seed: int) -> tuple[Numbers, Numbers, Numbers]:
    """Series without the current outbreak, with it, and its cases: each (42 × replicates, week)."""
    rng = np.random.default_rng(seed)
    base, out = [], []
    for mean, phi in zip(*means(), strict=True):
        for replicate in range(replicates):
            y = rng.poisson(mean) if phi == 1 else rng.negative_binomial(mean / (phi - 1), 1 / phi)
            past = sum((_outbreak(rng, mean, phi, PAST_SIZES[replicate % 5], PAST, FIRST) for _ in range(4)), np.zeros(WEEKS))
            past[FIRST:] = 0
            base.append(y + past)
            out.append(_outbreak(rng, mean, phi, 1 + replicate % 10, FIRST, WEEKS))
    return np.array(base), np.array(base) + np.array(out), np.array(out)


def scores(base: Numbers, full: Numbers, out: Numbers, names: Iterable[str] = (), fallback: bool = False) -> dict[str, Worth]:
    """The worth of the named methods (or all) on series without and with their outbreaks."""
    judged, found = {"from": FIRST + 1, "to": WEEKS}, {}
    for name in names or METHODS:
        method, settings = METHODS[name]
        without, alarms = (detect(y, method, range=judged, fallback=fallback, **settings).alarm == ALARM for y in (base, full))
        found[name] = worth(without, alarms, out[:, FIRST:])
    return found
