"""Standardised outcomes: observed against expected events by unit, with limits, and rates on a standard population.

Sources: limits of a Poisson count, exact by chi-square: F. Garwood, Biometrika 1936;28:437–442; Byar's approximation and the ratio of observed to
expected: N. E. Breslow & N. E. Day, Statistical Methods in Cancer Research II, IARC 1987, chapter 2; mid-P: G. Berry & P. Armitage, The
Statistician 1995;44:417–423. Direct rates: A. J. Dobson et al., Statistics in Medicine 1991;10:457–462; M. P. Fay & E. J. Feuer, Statistics in
Medicine 1997;16:791–801. Funnels: D. J. Spiegelhalter, Statistics in Medicine 2005;24:1185–1202; the square-root scale of over-dispersion:
D. Spiegelhalter et al., Journal of the Royal Statistical Society A 2012;175:1–47.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
METHODS = ("exact", "byar", "midp")
DISPERSIONS = ("none", "multiplicative", "additive")
DIRECT_METHODS = ("gamma", "dobson")
KINDS = ("interpolated", "chi_square")
LEVEL = 0.95
WINSORISED = 0.1
HALVINGS = 200  # a double is bisected to its last bit well before
FEWEST_UNITS = 2


@dataclass(frozen=True)
class Ratios:
    """Observed ÷ expected by unit: arrays have one place per unit, NaN where nothing was expected.

    `low` and `high` are the limits of `smr` at the level asked for, `p` its two-sided probability if the true ratio were 1 (mid-p, or exact). The
    limits 95 and 99.8 are those of the funnel around 1 at each unit's expected count; `outside` is 0 within, ±1 beyond 95 %, ±2 beyond 99.8 %.
    `phi` is the dispersion found (1: as by chance), `tau` the standard deviation between units on the square-root scale (additive only).
    """

    method: str
    dispersion: str
    observed: Numbers
    expected: Numbers
    smr: Numbers
    low: Numbers
    high: Numbers
    p: Numbers
    low_95: Numbers
    high_95: Numbers
    low_998: Numbers
    high_998: Numbers
    outside: NDArray[np.int64]
    phi: float
    tau: float


@dataclass(frozen=True)
class DirectRates:
    """Directly standardised rates by unit, events ÷ exposure on the standard population; `covered` is the share of it in strata the unit has."""

    events: Numbers
    exposure: Numbers
    crude: Numbers
    rate: Numbers
    low: Numbers
    high: Numbers
    covered: Numbers


def _below(counts: Numbers, means: Numbers | float) -> Numbers:
    """P(X < count) + ½ P(X = count), X Poisson: falls from 1 (½ at count 0) to 0 as the mean rises."""
    under = np.where(counts > 0, special.gammaincc(np.maximum(counts, 1), means), 0.0)
    found: Numbers = (under + special.gammaincc(counts + 1, means)) / 2
    return found


def _mid_p_mean(counts: Numbers, share: float, low: Numbers, high: Numbers) -> Numbers:
    """The mean at which `_below` equals `share`, between the exact limits, by bisection."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_above = _below(counts, middle) > share
        if not ((middle > low) & (middle < high)).any():
            break
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
    return (low + high) / 2


def poisson_limits(counts: ArrayLike, method: str = "exact", level: float = LEVEL) -> tuple[Numbers, Numbers]:
    """Two-sided limits of the mean behind Poisson counts, one pair per count; the lower one of a count of 0 is 0.

    Raises ValueError for another method, a count below 0 or a level outside 0 … 1. Sources: Garwood 1936 (exact), Breslow & Day 1987 (Byar), Berry &
    Armitage 1995 (mid-P).
    """
    count = np.asarray(counts, dtype=np.float64)
    if method not in METHODS or not 0 < level < 1 or (count < 0).any():
        raise ValueError(f"method must be one of {METHODS}, the level lie between 0 and 1 and no count below 0")
    tail = (1 - level) / 2
    if method == "byar":
        z, up, down = float(special.ndtri(1 - tail)), count + 1, np.maximum(count, 1)
        low = np.where(count > 0, down * np.maximum(1 - 1 / (9 * down) - z / (3 * np.sqrt(down)), 0) ** 3, 0.0)
        return low, up * (1 - 1 / (9 * up) + z / (3 * np.sqrt(up))) ** 3
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1), tail), 0.0)
    high: Numbers = special.gammainccinv(count + 1, tail)
    if method == "exact":
        return low, high
    return np.where(count > 0, _mid_p_mean(count, 1 - tail, low, high), 0.0), _mid_p_mean(count, tail, low, high)


def poisson_p(counts: ArrayLike, means: ArrayLike, is_mid: bool = True) -> Numbers:
    """Two-sided probability of Poisson counts if these were their means: twice the tail on the count's side, with half (mid-p) or all of the count.

    A count equal to its mean has 1, a mean of 0 NaN. Source: Berry & Armitage 1995; Rothman's and Boice's choice of the tail by the count's side.
    """
    count, mean = np.asarray(counts, dtype=np.float64), np.asarray(means, dtype=np.float64)
    known = mean > 0
    used = np.where(known, mean, 1.0)
    own = np.exp(special.xlogy(count, used) - used - special.gammaln(count + 1))
    share = 0.5 if is_mid else 1.0
    under = np.where(count > 0, special.gammaincc(np.maximum(count, 1), used), 0.0)
    over = special.gammainc(count + 1, used)
    found = np.minimum(1.0, 2 * (np.where(count <= used, under, over) + share * own))
    return np.where(known, found, np.nan)


def ratio_limit(p: float, expected: ArrayLike, kind: str = "interpolated") -> Numbers:
    """The funnel limit of observed ÷ expected around 1 at probability `p`, one per expected count, NaN where nothing is expected.

    interpolated: (r − α) ÷ E with r the smallest count for which F(r) ≥ p and α = (F(r) − p) ÷ (F(r) − F(r − 1)), Spiegelhalter 2005, A.1;
    chi_square: the exact limit of a count of E, divided by E. Raises ValueError for another kind.
    """
    mean = np.asarray(expected, dtype=np.float64)
    if kind not in KINDS or not 0 < p < 1:
        raise ValueError(f"kind must be one of {KINDS} and p lie between 0 and 1")
    known = mean > 0
    used = np.where(known, mean, 1.0)
    if kind == "chi_square":
        limit = special.gammaincinv(used, p) if p < 0.5 else special.gammaincinv(used + 1, p)
    else:
        count = np.maximum(np.ceil(np.nan_to_num(special.pdtrik(p, used))), 0)
        count = np.where((count > 0) & (special.pdtr(np.maximum(count - 1, 0), used) >= p), count - 1, count)
        count = np.where(special.pdtr(count, used) < p, count + 1, count)
        above = special.pdtr(count, used)
        below = np.where(count > 0, special.pdtr(np.maximum(count - 1, 0), used), 0.0)
        limit = np.maximum(count - (above - p) / (above - below), 0)
    return np.where(known, limit / used, np.nan)


def over_dispersion(observed: ArrayLike, expected: ArrayLike, within: float = 1.0) -> tuple[float, float]:
    """φ and τ² of ratios on the square-root scale, where √(O ÷ E) has the standard deviation √(within ÷ E) ÷ 2 by chance.

    `within` is the variance of a sum by chance over its expectation: 1 of counts, more of days. z-scores are winsorised at 10 %, φ = Σ z² ÷ I, τ² by
    moments, 0 where I φ < I − 1. Sources: Spiegelhalter 2005; Spiegelhalter et al. 2012.
    """
    count, mean = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    units = count.size
    if units < FEWEST_UNITS or not (mean > 0).all():
        return 1.0, 0.0
    z = 2 * (np.sqrt(count) - np.sqrt(mean)) / np.sqrt(within)
    z = np.clip(z, np.quantile(z, WINSORISED), np.quantile(z, 1 - WINSORISED))
    phi, weights = float((z**2).sum() / units), 4 * mean / within
    freedom = weights.sum() - (weights**2).sum() / weights.sum()
    return phi, max(0.0, float((units * phi - (units - 1)) / freedom)) if freedom > 0 else 0.0


def funnel_limits(expected: Numbers, phi: float, tau2: float, kind: str = "interpolated") -> dict[str, Numbers]:
    """The limits low_95, high_95, low_998, high_998 around 1, one per expected count: exact without dispersion, else on the square-root scale."""
    levels = {"low_95": 0.025, "high_95": 0.975, "low_998": 0.001, "high_998": 0.999}
    if phi <= 1 and tau2 <= 0:
        return {name: ratio_limit(p, expected, kind) for name, p in levels.items()}
    spread = np.sqrt(np.divide(max(phi, 1.0), 4 * expected, out=np.full(expected.shape, np.nan), where=expected > 0) + tau2)
    return {name: np.maximum(1 + float(special.ndtri(p)) * spread, 0) ** 2 for name, p in levels.items()}


def indirect(observed: ArrayLike, expected: ArrayLike, method: str = "exact", level: float = LEVEL, dispersion: str = "none",
             kind: str = "interpolated") -> Ratios:
    """Observed ÷ expected of units, with limits and a funnel.

    `observed` are counts, `expected` the events that the units' cases would have had at the reference's rates, one per unit; `dispersion` widens the
    funnel where units differ by more than chance (square-root scale). With exact funnel limits a unit is outside only if its mid-p is below
    the level as well (Manktelow & Seaton 2012, doi:10.1371/journal.pone.0045723). Raises ValueError for negative numbers and unknown words.
    """
    count, mean = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if dispersion not in DISPERSIONS or count.shape != mean.shape or (mean < 0).any():
        raise ValueError(f"dispersion must be one of {DISPERSIONS}, the arrays of one shape and no expected number below 0")
    low, high = poisson_limits(count, method, level)
    known = mean > 0
    ratio, low, high = (np.divide(one, mean, out=np.full(mean.shape, np.nan), where=known) for one in (count, low, high))
    phi, tau2 = (1.0, 0.0) if dispersion == "none" else over_dispersion(count[known], mean[known])
    tau2 = tau2 if dispersion == "additive" else 0.0
    widened = phi if dispersion == "multiplicative" else 1.0
    limits = funnel_limits(mean, widened, tau2, kind)
    is_exact = widened <= 1 and tau2 <= 0
    by_chance, outside = poisson_p(count, mean), np.zeros(mean.shape, dtype=np.int64)
    for degree, name, tail in ((1, "95", 0.05), (2, "998", 0.002)):
        is_rare = (by_chance < tail) if is_exact else known
        outside = np.where((ratio > limits[f"high_{name}"]) & is_rare, degree, np.where((ratio < limits[f"low_{name}"]) & is_rare, -degree, outside))
    p = by_chance if method == "midp" else poisson_p(count, mean, is_mid=False)
    return Ratios(method, dispersion, count, mean, ratio, low, high, p, **limits, outside=outside, phi=phi, tau=float(np.sqrt(tau2)))


def counted(units: NDArray[np.int64], strata: NDArray[np.int64], values: Numbers | None, shape: tuple[int, int]) -> Numbers:
    """Sums of `values` (None: how many rows) by unit and stratum, from one unit and stratum number per row."""
    found: Numbers = np.bincount(units * shape[1] + strata, values, shape[0] * shape[1]).astype(np.float64).reshape(shape)
    return found


def direct(events: ArrayLike, exposure: ArrayLike, population: ArrayLike, method: str = "gamma", level: float = LEVEL) -> DirectRates:
    """Directly standardised rates: units × strata of events and exposure, and the standard population by stratum.

    Strata in which a unit has no exposure are left out and the others weigh more in proportion (`covered` says how much is left). Limits: gamma
    (Fay & Feuer 1997) or dobson (Dobson et al. 1991); a unit of one stratum gets the exact Poisson limits from both. Raises ValueError for shapes
    that do not fit, negative numbers, or another method.
    """
    count, size, standard = (np.asarray(one, dtype=np.float64) for one in (events, exposure, population))
    if count.shape != size.shape or count.ndim != 2 or standard.shape != count.shape[1:] or method not in DIRECT_METHODS:
        raise ValueError(f"events and exposure must be units × strata, the population have one number per stratum, method be one of {DIRECT_METHODS}")
    if (count < 0).any() or (size < 0).any() or (standard < 0).any() or (count[size <= 0] > 0).any():
        raise ValueError("no number may be below 0, and no event without exposure")
    share = np.where(size > 0, standard, 0.0)
    covered = share.sum(axis=1)
    weight = np.divide(share, covered[:, None] * size, out=np.zeros(size.shape), where=(size > 0) & (covered[:, None] > 0))
    known, total, exposed = covered > 0, count.sum(axis=1), size.sum(axis=1)
    rate, variance = (weight * count).sum(axis=1), (weight**2 * count).sum(axis=1)
    tail = (1 - level) / 2
    if method == "dobson":
        floor, top = poisson_limits(total, "exact", level)
        per = np.sqrt(np.divide(variance, total, out=(weight**2).max(axis=1, initial=0), where=total > 0))
        low, high = rate + per * (floor - total), rate + per * (top - total)
    else:
        most = weight.max(axis=1, initial=0)
        per = np.divide(variance, rate, out=np.zeros(rate.shape), where=rate > 0)
        low = per * special.gammaincinv(np.divide(rate, per, out=np.ones(rate.shape), where=per > 0), tail)
        wide, spread = rate + most, variance + most**2
        per = np.divide(spread, wide, out=np.zeros(rate.shape), where=wide > 0)
        high = per * special.gammainccinv(np.divide(wide, per, out=np.ones(rate.shape), where=per > 0), tail)
    rate, low, high = (np.where(known, one, np.nan) for one in (rate, low, high))
    crude = np.divide(total, exposed, out=np.full(total.shape, np.nan), where=exposed > 0)
    return DirectRates(total, exposed, crude, rate, low, high, covered / standard.sum() if standard.sum() > 0 else np.zeros(total.shape))
