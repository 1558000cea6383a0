"""Institutions against what was expected of their stays: ratios with limits, a funnel that allows for over-dispersion, and which are far out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from quanmin.services.quality.standardise import funnel_limits, indirect, over_dispersion, poisson_p

Numbers = NDArray[np.float64]
FEWEST_EXPECTED = 1.0  # events (days: whatever counts as much): below it one event more or less decides, and no institution is flagged
LIMITS = ("low_95", "high_95", "low_998", "high_998")
TAILS = {"low_95": 0.025, "high_95": 0.975}


@dataclass(frozen=True)
class Comparison:
    """One place per institution, NaN where nothing was expected.

    `low` and `high` are the exact mid-P limits of observed ÷ expected (of days: on the square-root scale), `byar_low` and `byar_high` Byar's; `p` the
    two-sided mid-p if chance alone were at work. `limits` are those of the funnel at each expected count with `tau` between institutions; `outside` is
    0 within, ±1 beyond 95 %, ±2 beyond 99.8 %, and 0 where `is_few`. `within` is the variance of a sum over its expectation: 1 of events.
    """

    ratio: Numbers
    low: Numbers
    high: Numbers
    byar_low: Numbers
    byar_high: Numbers
    p: Numbers
    limits: dict[str, Numbers]
    outside: NDArray[np.int64]
    is_few: NDArray[np.bool_]
    phi: float
    tau: float
    within: float

    def curve(self, expected: Numbers) -> dict[str, Numbers]:
        """The funnel's limits at any expected counts."""
        return _limits(expected, self.tau**2, self.within)


def _limits(expected: Numbers, tau2: float, within: float) -> dict[str, Numbers]:
    return funnel_limits(expected, within, tau2)


def compared(observed: Numbers, expected: Numbers, within: float = 1.0) -> Comparison:
    """Observed against expected sums of institutions; over-dispersion is the additive one of Spiegelhalter et al. 2012, from those with enough expected.

    With τ = 0 the limits of events are exact. An institution is outside only where chance alone (its mid-p) would not do either: limits alone call 0 of
    few expected, or 1 of 1, outside (Manktelow & Seaton 2012).
    """
    is_few = expected < FEWEST_EXPECTED * within
    used = ~is_few
    phi, tau2 = over_dispersion(observed[used], expected[used], within)
    outside = np.zeros(observed.shape, dtype=np.int64)
    limits = {name: np.full(observed.shape, np.nan) for name in LIMITS}
    for name, values in _limits(expected[used], tau2, within).items():
        limits[name][used] = values
    exact, byar = indirect(observed, expected, "midp"), indirect(observed, expected, "byar")
    p = poisson_p(observed, expected)
    low, high, p = (exact.low, exact.high, p) if within <= 1 else _of_days(exact.smr, expected, within)
    for degree, name, tail in ((1, "95", 0.05), (2, "998", 0.002)):
        is_rare = used & (p < tail)
        outside[is_rare & (exact.smr > limits[f"high_{name}"])] = degree
        outside[is_rare & (exact.smr < limits[f"low_{name}"])] = -degree
    return Comparison(exact.smr, low, high, byar.low if within <= 1 else low, byar.high if within <= 1 else high, p, limits, outside, is_few, phi,
                      float(np.sqrt(tau2)), within)


def _of_days(ratio: Numbers, expected: Numbers, within: float) -> tuple[Numbers, Numbers, Numbers]:
    """95 % limits and two-sided p of ratios of days, on the square-root scale."""
    spread = np.sqrt(np.divide(within, 4 * expected, out=np.full(expected.shape, np.nan), where=expected > 0))
    ends = [np.maximum(np.sqrt(ratio) + float(special.ndtri(tail)) * spread, 0) ** 2 for tail in TAILS.values()]
    return ends[0], ends[1], 2 * special.ndtr(-np.abs(np.sqrt(ratio) - 1) / spread)
