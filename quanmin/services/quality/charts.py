"""One case after another: the risk-adjusted CUSUM of a binary outcome, and the variable life-adjusted display.

Sources: S. H. Steiner, R. J. Cook, V. T. Farewell & T. Treasure, Biostatistics 2000;1:441–452 (doi:10.1093/biostatistics/1.4.441); J. Lovegrove
et al., Lancet 1997;350:1128–1130 (VLAD); C. Sherlaw-Johnson et al., European Journal of Cardio-Thoracic Surgery 2007 (its limits, rocket tails).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cusum:
    """A risk-adjusted CUSUM: per case, in the order given, its score `weight`, the sum `path` (≥ 0) after it, and whether the path then signals."""

    odds: float
    limit: float
    weight: Numbers
    path: Numbers
    signal: Flags


def _checked(outcome: ArrayLike, risk: ArrayLike) -> tuple[Numbers, Numbers]:
    happened, expected = np.asarray(outcome, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    if happened.shape != expected.shape or not np.isin(happened, (0, 1)).all() or not ((expected >= 0) & (expected <= 1)).all():
        raise ValueError("outcomes must be 0 or 1, risks lie between 0 and 1, and there be one of each per case")
    return happened, expected


def scores(outcome: ArrayLike, risk: ArrayLike, odds: float = 2.0, base: float = 1.0) -> Numbers:
    """The log-likelihood ratio of each case: odds of the outcome `odds` times those of its risk against `base` times.

    Raises ValueError for outcomes other than 0 and 1, risks outside 0 … 1, odds ratios not above 0 or equal to each other. Source: Steiner 2000, (2.2).
    """
    happened, expected = _checked(outcome, risk)
    if odds <= 0 or base <= 0 or odds == base:
        raise ValueError("odds ratios must be above 0 and differ")
    common = np.log((1 - expected + base * expected) / (1 - expected + odds * expected))
    found: Numbers = common + happened * np.log(odds / base)
    return found


def _path(weight: Numbers) -> Numbers:
    """max(0, before + weight) for every case: the sum less its lowest value so far."""
    total = np.cumsum(weight)
    found: Numbers = total - np.minimum(np.minimum.accumulate(total), 0) if weight.size else total
    return found


def ra_cusum(outcome: ArrayLike, risk: ArrayLike, odds: float = 2.0, limit: float = 4.5, reset: bool = True, base: float = 1.0) -> Cusum:
    """The risk-adjusted CUSUM of one unit's cases in order.

    `odds` above `base` looks for more of the outcome than expected, below it for less; both signal when the path reaches `limit`. With `reset` the
    path starts from 0 again after a signal, else it goes on and every case at or above the limit is marked. Raises ValueError as `scores` does,
    and for a limit not above 0. Source: Steiner 2000.
    """
    if not limit > 0:
        raise ValueError("the limit must be above 0")
    weight = scores(outcome, risk, odds, base)
    path = _path(weight)
    signal = path >= limit
    at = 0
    while reset and signal[at:].any():
        at += int(np.argmax(signal[at:])) + 1
        path[at:] = _path(weight[at:])
        signal[at:] = path[at:] >= limit
    return Cusum(odds, limit, weight, path, signal)


def vlad(outcome: ArrayLike, risk: ArrayLike) -> Numbers:
    """Σ (risk − outcome) after every case: events fewer than expected. Source: Lovegrove 1997."""
    happened, expected = _checked(outcome, risk)
    found: Numbers = np.cumsum(expected - happened)
    return found


def rocket_tails(risk: ArrayLike, level: float = 0.95) -> Numbers:
    """How far from 0 a VLAD strays by chance: z √Σ p (1 − p) after every case, to be drawn on both sides (pointwise, normal). Source: Sherlaw-Johnson."""
    expected = np.asarray(risk, dtype=np.float64)
    if not 0 < level < 1:
        raise ValueError("the level must lie between 0 and 1")
    found: Numbers = float(special.ndtri((1 + level) / 2)) * np.sqrt(np.cumsum(expected * (1 - expected)))
    return found


def by_unit(units: NDArray[np.int64], count: int) -> Iterator[NDArray[np.int64]]:
    """The places of each of `count` units' cases, in the order they are in."""
    order = np.argsort(units, kind="stable")
    edges = np.searchsorted(units[order], np.arange(count + 1))
    for unit in range(count):
        yield order[edges[unit] : edges[unit + 1]]
