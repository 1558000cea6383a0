"""Many series at once: how sure each signal is when thousands are looked at, in which order to look, and which to raise within a budget of alarms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanmin.detectors.signals import ALARM, Flags, Numbers, Signals, Whole


@dataclass(frozen=True)
class Ranked:
    """Of every series and period: `q` the smallest share of false alarms at which it would be raised (Benjamini & Hochberg 1995), NaN without a p-value;
    `rank` from 1, the least likely first, within its period (0: no model); `raised` whether it is an alarm within the budget."""

    q: Numbers
    rank: Whole
    raised: Flags


def benjamini_hochberg(p: Numbers) -> Numbers:
    """q-values along the first axis; NaN where p is NaN, which counts for nothing."""
    p = np.atleast_2d(p.T).T
    order = np.argsort(p, axis=0)  # NaN last
    ranked = np.take_along_axis(p, order, axis=0)
    there = (~np.isnan(p)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        scaled = ranked * there / np.arange(1, len(p) + 1)[:, None]
    scaled = np.where(np.isnan(scaled), np.inf, scaled)
    lowest = np.minimum(np.minimum.accumulate(scaled[::-1], axis=0)[::-1], 1.0)
    found = np.empty_like(p)
    np.put_along_axis(found, order, np.where(np.isnan(ranked), np.nan, lowest), axis=0)
    return found


def rank(told: Signals, share: float = 1.0, budget: int | None = None) -> Ranked:
    """Rank the series of each period by p-value, then score; keep alarms with q ≤ `share`, and of these at most `budget` a period, the first in rank.

    Signals without a p-value are ranked by their score behind those that have one at the same score's side: within a method all have one or none.
    """
    q = benjamini_hochberg(told.p_value)
    score = np.where(np.isnan(told.score), -np.inf, told.score)
    has = told.alarm >= 0
    p = np.where(np.isnan(told.p_value), 2.0, told.p_value)
    order = np.lexsort((-score, p, ~has), axis=0)
    places = np.empty(order.shape, np.int64)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(1, len(order) + 1)[:, None], order.shape), axis=0)
    raised = (told.alarm == ALARM) & (np.isnan(q) | (q <= share))
    if budget is not None:
        among = np.where(raised, places, np.iinfo(np.int64).max)
        raised &= np.argsort(np.argsort(among, axis=0, kind="stable"), axis=0) < budget
    return Ranked(q, np.where(has, places, 0), raised)
