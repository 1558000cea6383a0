"""XmR chart of a count over time as a detector: above the limit, or a run of seven above the mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quanmin.detectors.signals import NO_MODEL, Series, Signals, signals

LIMIT, SCREEN, RUN = 2.66, 3.267, 7  # NHS England, Making Data Count


def xmr(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """Mean ± 2.66 × mean moving range, ranges above 3.267 times their mean left out once; `baseline` "before" (the periods before those judged) or "all"."""
    end = of.counts.shape[1] if settings["baseline"] == "all" else int(of.periods[0])
    base = of.history[:, :end]
    with np.errstate(invalid="ignore", divide="ignore"):
        there = (~np.isnan(base)).sum(axis=1)
        mean = np.nansum(base, axis=1) / there
        ranges = np.abs(np.diff(base, axis=1))
        whole = np.nansum(ranges, axis=1) / (~np.isnan(ranges)).sum(axis=1)
        kept = np.where(ranges < SCREEN * whole[:, None], ranges, np.nan)
        screened = np.nansum(kept, axis=1) / (~np.isnan(kept)).sum(axis=1)
    spread = np.where(np.isnan(screened), whole, screened)
    seen, shape = of.observed(), of.shape
    expected, upper = (np.repeat(column[:, None], shape[1], axis=1) for column in (mean, mean + LIMIT * spread))
    run = np.zeros(shape, np.int64)
    length = np.zeros(shape[0], np.int64)
    for j, t in enumerate(of.periods.tolist()):
        value = of.counts[:, t]
        length = np.where(value > mean, length + 1, np.where(np.isnan(value), length, 0))
        run[:, j] = length
    raised = (seen > upper) | ((run >= RUN) & settings["runs"])
    alarm = np.where(np.isnan(seen) | np.isnan(upper), NO_MODEL, raised).astype(np.int8)
    size = np.broadcast_to(there[:, None], shape)
    told = signals(name, of, upper, expected=expected, alarm=alarm, extra={"run": run.astype(np.float64)},
                   baseline=(np.zeros(shape[1], np.int64), np.full(shape[1], end - 1), size))
    return told
