"""Ranks among peers with the uncertainty they carry.

The interval of a unit's rank follows Mogstad, Romano, Shaikh & Wilhelm, Inference for ranks (Review of Economic Studies 2024;91:476–518,
doi:10.1093/restud/rdad006), without simulation: every peer is compared with the unit by a two-sided z test; Holm's step-down holds the chance of
any false difference among these comparisons at 1 − level; with B peers surely better and W surely worse of I units, the rank lies between B + 1
and I − W. It covers the true rank at least as often as stated, equal units included, where intervals from posterior draws or the bootstrap
(Goldstein & Spiegelhalter 1996, doi:10.2307/2983325) do not when many units are nearly equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
KINDS = ("share", "rate")
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Ranking:
    """Ranks of units, 1 the best (equal values share the better rank): arrays have one place per unit, rank 0 where a unit has no value.

    `low` and `high` bound the rank at `level`; `alike` counts the peers without a clear difference; `behind` is the position of the unit whose
    place is the next better one (−1 for the leaders), `cases` the change of the unit's own numerator, at its own denominator, that draws level
    with it (negative where lower is better, NaN for the leaders or where it was not asked).
    """

    values: Numbers
    rank: Whole
    low: Whole
    high: Whole
    alike: Whole
    behind: Whole
    cases: Numbers
    count: int
    level: float


def standard_errors(numerators: ArrayLike, denominators: ArrayLike, kind: str = "share") -> Numbers:
    """Standard errors of shares (one success and one failure added, Agresti & Caffo 2000) or rates (half an event added), NaN without denominator."""
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}")
    known = below > 0
    if kind == "share":
        share = (above + 1) / (below + 2)
        return np.where(known, np.sqrt(np.clip(share * (1 - share), 0, None) / (below + 2)), np.nan)
    error: Numbers = np.divide(np.sqrt(above + 0.5), below, out=np.full(below.shape, np.nan), where=known)
    return error


def _different(p: Numbers, level: float) -> NDArray[np.bool_]:
    """Row by row, which comparisons stand by Holm's step-down (NaN is no comparison)."""
    order = np.argsort(np.where(np.isnan(p), np.inf, p), axis=1)
    ordered = np.take_along_axis(p, order, axis=1)
    left = (~np.isnan(p)).sum(axis=1, keepdims=True) - np.arange(p.shape[1])
    stands = np.logical_and.accumulate(ordered <= (1 - level) / np.maximum(left, 1), axis=1)
    found = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(found, order, stands, axis=1)
    return found


def rank(values: ArrayLike, errors: ArrayLike, better: str = "higher", level: float = 0.95) -> Ranking:
    """Ranks of values with their standard errors (independent of each other).

    `better` is higher or lower; NaN values have no rank and are no peers. Raises ValueError for another `better` or arrays of different shape.
    """
    value, error = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if better not in ("higher", "lower") or value.shape != error.shape or value.ndim != 1:
        raise ValueError("better must be higher or lower, and values and errors of one length")
    known = ~np.isnan(value)
    merit = np.where(known, value if better == "higher" else -value, np.nan)
    lead = merit[None, :] - merit[:, None]
    spread = np.sqrt(error[None, :] ** 2 + error[:, None] ** 2)
    z = np.divide(lead, spread, out=np.where(lead == 0, 0.0, np.copysign(np.inf, lead)), where=spread > 0)
    p = np.where(np.isnan(lead), np.nan, 2 * special.ndtr(-np.abs(z)))
    np.fill_diagonal(p, np.nan)
    stands = _different(p, level)
    ahead, count = lead > 0, int(known.sum())
    surely_better, surely_worse = (stands & ahead).sum(axis=1), (stands & (lead < 0)).sum(axis=1)
    behind = np.full(value.shape, -1, dtype=np.int64)
    followers = np.flatnonzero(ahead.any(axis=1))
    behind[followers] = np.where(ahead, lead, np.inf)[followers].argmin(axis=1)
    ranks, low, high = (np.where(known, one, 0).astype(np.int64) for one in (ahead.sum(axis=1) + 1, surely_better + 1, count - surely_worse))
    alike = np.where(known, count - 1 - surely_better - surely_worse, 0).astype(np.int64)
    return Ranking(value, ranks, low, high, alike, behind, np.full(value.shape, np.nan), count, level)


def _cases(numerators: Numbers, denominators: Numbers, behind: Whole, better: str) -> Numbers:
    """The least change of each numerator that draws level with the unit ahead, reckoned in whole cases."""
    ahead = np.maximum(behind, 0)
    needed = np.divide(numerators[ahead] * denominators, denominators[ahead], out=np.full(numerators.shape, np.nan), where=denominators[ahead] > 0)
    needed = np.ceil(needed - TOLERANCE) if better == "higher" else np.floor(needed + TOLERANCE)
    return np.where(behind >= 0, needed - numerators, np.nan)


def rank_counts(numerators: ArrayLike, denominators: ArrayLike, kind: str = "share", better: str = "higher", level: float = 0.95,
                scale: float = 1.0) -> Ranking:
    """Ranks of shares or rates from their counts, with the cases that separate each unit from the next better place.

    One place per unit; a unit without denominator has no rank. `values` come out × `scale`.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    share = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    found = rank(share, standard_errors(above, below, kind), better, level)
    return replace(found, values=found.values * scale, cases=_cases(above, below, found.behind, better))
