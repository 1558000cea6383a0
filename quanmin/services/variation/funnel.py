"""Funnel plots of shares and rates: which units differ from the target by more than chance.

Source: D. J. Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 2005;24:1185–1202
(doi:10.1002/sim.1970): exact binomial and Poisson limits interpolated between counts (appendix A.1), over-dispersion from winsorised z-scores,
multiplicative or as an additive random effect (section on over-dispersion and appendix).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
WINSORISED = 0.1
KINDS = ("share", "rate")
DISPERSIONS = ("none", "multiplicative", "additive")


@dataclass(frozen=True)
class Limits:
    """Control limits, one per size asked for, in the unit of the values: 95 % and 99.8 %."""

    low_95: Numbers
    high_95: Numbers
    low_998: Numbers
    high_998: Numbers


@dataclass(frozen=True)
class Funnel:
    """Units against a target: arrays have one place per unit, NaN where a unit has no denominator.

    `values`, `target` and `limits` are in the indicator's unit (× `scale`). `z` is the score and `p` its two-sided probability, after
    over-dispersion; `outside` is 0 within, ±1 beyond the 95 % and ±2 beyond the 99.8 % limit. `phi` is the dispersion found (1 if as chance
    would have it), `tau` the standard deviation between units (only for additive), in the unit of the values.
    """

    kind: str
    dispersion: str
    target: float
    scale: float
    values: Numbers
    sizes: Numbers
    limits: Limits
    z: Numbers
    p: Numbers
    outside: NDArray[np.int64]
    phi: float
    tau: float


def _cdf(kind: str, counts: Numbers, sizes: Numbers, target: float) -> Numbers:
    """P(X ≤ count), 0 below 0."""
    at = np.maximum(counts, 0)
    if kind == "rate":
        return np.where(counts < 0, 0.0, special.pdtr(at, sizes * target))
    return np.where(counts < 0, 0.0, np.where(at >= sizes, 1.0, special.betaincc(at + 1, np.maximum(sizes - at, 0.5), target)))


def _tail(kind: str, counts: Numbers, sizes: Numbers, target: float) -> Numbers:
    """P(X > count)."""
    if kind == "rate":
        found: Numbers = special.pdtrc(counts, sizes * target)
        return found
    return np.where(counts >= sizes, 0.0, special.betainc(counts + 1, np.maximum(sizes - counts, 0.5), target))


def _quantile(kind: str, p: float, sizes: Numbers, target: float) -> Numbers:
    """The smallest count r with P(X ≤ r) ≥ p."""
    spread = np.sqrt(sizes * target * ((1 - target) if kind == "share" else 1.0))
    count = np.floor(np.maximum(sizes * target + float(special.ndtri(p)) * spread, 0))
    if kind == "share":
        count = np.minimum(count, sizes)
    for _ in range(200):
        up = _cdf(kind, count, sizes, target) < p
        down = ~up & (count > 0) & (_cdf(kind, count - 1, sizes, target) >= p)
        if not (up | down).any():
            break
        count = count + up - down
    return count


def exact_limit(kind: str, p: float, sizes: ArrayLike, target: float) -> Numbers:
    """The interpolated exact limit at probability `p`, as a fraction of `sizes` (whole denominators, or exposure for a rate).

    With r the smallest count for which F(r) ≥ p, the limit is (r − α) ÷ size, α = (F(r) − p) ÷ (F(r) − F(r − 1)): Spiegelhalter 2005, A.1.
    """
    size = np.asarray(sizes, dtype=np.float64)
    if target <= 0 or (kind == "share" and target >= 1):
        return np.full(size.shape, float(target))
    count = _quantile(kind, p, size, target)
    above, below = _cdf(kind, count, size, target), _cdf(kind, count - 1, size, target)
    alpha = np.divide(above - p, above - below, out=np.zeros(size.shape), where=above > below)
    found: Numbers = np.divide(count - alpha, size, out=np.full(size.shape, np.nan), where=size > 0)
    return np.maximum(found, 0.0)


def _variance(kind: str, target: float, sizes: Numbers) -> Numbers:
    each = target * (1 - target) if kind == "share" else target
    variance: Numbers = np.divide(each, sizes, out=np.full(sizes.shape, np.nan), where=sizes > 0)
    return variance


def winsorised(z: ArrayLike, share: float = WINSORISED) -> Numbers:
    """z-scores with the lowest and highest `share` of them set to the quantile there."""
    scores: Numbers = np.asarray(z, dtype=np.float64)
    if scores.size:
        scores = np.clip(scores, np.quantile(scores, share), np.quantile(scores, 1 - share))
    return scores


def over_dispersion(z: ArrayLike, variances: ArrayLike) -> tuple[float, float]:
    """φ and τ² of naive z-scores and their sampling variances: φ = Σ z² ÷ I winsorised, τ² by moments, 0 when I φ < I − 1.

    Source: Spiegelhalter 2005; DerSimonian & Laird 1986 for τ².
    """
    scores, spread = winsorised(z), np.asarray(variances, dtype=np.float64)
    units = scores.size
    if units < 2 or not (spread > 0).all():
        return 1.0, 0.0
    phi = float((scores**2).sum() / units)
    weights = 1 / spread
    freedom = weights.sum() - (weights**2).sum() / weights.sum()
    tau2 = max(0.0, (units * phi - (units - 1)) / freedom) if freedom > 0 else 0.0
    return phi, float(tau2)


def _limits(kind: str, target: float, scale: float, sizes: Numbers, phi: float, tau2: float) -> Limits:
    if phi <= 1 and tau2 <= 0:
        low, high, lower, higher = (exact_limit(kind, p, sizes, target) for p in (0.025, 0.975, 0.001, 0.999))
    else:
        spread = np.sqrt(_variance(kind, target, sizes) * max(phi, 1.0) + tau2)
        low, high, lower, higher = (target + float(special.ndtri(p)) * spread for p in (0.025, 0.975, 0.001, 0.999))
    top = 1.0 if kind == "share" else np.inf
    return Limits(*(np.clip(one, 0.0, top) * scale for one in (low, high, lower, higher)))


def curve(funnel: Funnel, sizes: ArrayLike) -> Limits:
    """The limits of a funnel at other sizes, to draw it."""
    tau2 = (funnel.tau / funnel.scale) ** 2
    phi = funnel.phi if funnel.dispersion == "multiplicative" else 1.0
    return _limits(funnel.kind, funnel.target / funnel.scale, funnel.scale, np.asarray(sizes, dtype=np.float64), phi, tau2)


def _scores(kind: str, counts: Numbers, sizes: Numbers, target: float) -> tuple[Numbers, Numbers]:
    """Exact two-sided mid-p and its z."""
    if target <= 0 or (kind == "share" and target >= 1):
        differs = (counts != sizes * target) & (sizes > 0)
        return np.where(differs, np.copysign(np.inf, counts - sizes * target), 0.0), np.where(differs, 0.0, 1.0)
    below = _cdf(kind, counts - 1, sizes, target)
    upto = _cdf(kind, counts, sizes, target)
    tail = _tail(kind, counts, sizes, target)
    low, high = (below + upto) / 2, tail + (upto - below) / 2
    z = np.where(low <= high, special.ndtri(np.maximum(low, 1e-300)), -special.ndtri(np.maximum(high, 1e-300)))
    return z, np.minimum(1.0, 2 * np.minimum(low, high))


def _outside(values: Numbers, limits: Limits, p: Numbers, is_exact: bool) -> NDArray[np.int64]:
    found = np.zeros(values.shape, dtype=np.int64)
    for degree, low, high, level in ((1, limits.low_95, limits.high_95, 0.05), (2, limits.low_998, limits.high_998, 0.002)):
        unlikely = (p < level) if is_exact else np.ones(values.shape, dtype=bool)
        found = np.where((values > high) & unlikely, degree, np.where((values < low) & unlikely, -degree, found))
    return found


def funnel(numerators: ArrayLike, denominators: ArrayLike, kind: str = "share", target: float | None = None, dispersion: str = "none",
           scale: float = 1.0) -> Funnel:
    """The funnel of units around a target.

    `numerators` are counts, `denominators` cases (share) or exposure (rate), one per unit; `target` in the unit of the values (numerator ÷
    denominator × `scale`), without it the units' own pooled value. `dispersion` widens the limits when units differ by more than chance. With
    exact limits a unit counts as outside only if its mid-p is below the level as well, so that 1 of 1 is never an outlier: the published upper
    limit alone lets that happen (Manktelow & Seaton 2012, doi:10.1371/journal.pone.0045723). Raises ValueError for other kinds, counts below 0,
    or a share above 1.
    """
    counts, sizes = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if kind not in KINDS or dispersion not in DISPERSIONS or counts.shape != sizes.shape:
        raise ValueError(f"kind must be one of {KINDS}, dispersion one of {DISPERSIONS}, and the arrays of one shape")
    known = (sizes > 0) & ~np.isnan(counts)
    if (counts[known] < 0).any() or (kind == "share" and (counts[known] > sizes[known]).any()):
        raise ValueError("a numerator is below 0 or, of a share, above its denominator")
    centre = float(counts[known].sum() / sizes[known].sum() if known.any() else 0.0) if target is None else target / scale
    used = np.where(known, sizes, np.nan)
    shares = np.divide(counts, used, out=np.full(sizes.shape, np.nan), where=known)
    variance = _variance(kind, centre, np.where(known, sizes, 0.0))
    naive = np.divide(shares - centre, np.sqrt(variance), out=np.full(sizes.shape, np.nan), where=variance > 0)
    phi, tau2 = (1.0, 0.0) if dispersion == "none" else over_dispersion(naive[known], variance[known])
    tau2 = tau2 if dispersion == "additive" else 0.0
    is_exact = tau2 <= 0 and (dispersion != "multiplicative" or phi <= 1)
    if is_exact:
        z, p = np.full(sizes.shape, np.nan), np.full(sizes.shape, np.nan)
        z[known], p[known] = _scores(kind, counts[known], sizes[known], centre)
    else:
        z = (shares - centre) / np.sqrt(variance * (max(phi, 1.0) if dispersion == "multiplicative" else 1.0) + tau2)
        p = 2 * special.ndtr(-np.abs(z))
    limits = _limits(kind, centre, scale, used, phi if dispersion == "multiplicative" else 1.0, tau2)
    return Funnel(kind, dispersion, centre * scale, scale, shares * scale, used, limits, z, p,
                  _outside(shares * scale, limits, p, is_exact), phi, float(np.sqrt(tau2)) * scale)
