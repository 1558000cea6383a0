"""Deciles of units over time: where a unit lies among its peers, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
DECILES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)


@dataclass(frozen=True)
class Deciles:
    """Percentiles over units: `values` is months × percentiles (NaN where no unit counts), `units` how many units counted in each month."""

    percentiles: tuple[float, ...]
    values: Numbers
    units: NDArray[np.int64]


def deciles(numerators: ArrayLike, denominators: ArrayLike, minimum: float = 1.0, scale: float = 1.0, percentiles: Sequence[float] = DECILES) -> Deciles:
    """The percentiles of numerator ÷ denominator × `scale` over the units of each month.

    Both arrays are months × units, NaN where nothing is known. A unit counts in a month when its denominator is at least `minimum`, so that tiny
    units do not make the fan. Between two units a percentile is interpolated linearly (Hyndman & Fan 1996, type 7). Raises ValueError when the
    arrays differ in shape.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if above.shape != below.shape or above.ndim != 2:
        raise ValueError(f"numerators {above.shape} and denominators {below.shape} must both be months × units")
    counts = (below >= minimum) & (below > 0) & ~np.isnan(above)
    shares = np.divide(above, below, out=np.full(above.shape, np.nan), where=counts) * scale
    values = np.full((above.shape[0], len(percentiles)), np.nan)
    filled = counts.any(axis=1)
    if filled.any():
        values[filled] = np.nanpercentile(shares[filled], list(percentiles), axis=1).T
    return Deciles(tuple(percentiles), values, counts.sum(axis=1))
