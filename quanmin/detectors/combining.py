"""One trigger out of several sources: case reports, syndromes, laboratory, absence, pharmacy of one place and day.

Each source gives a p-value (how likely at least so much is without an outbreak). They are combined by the Cauchy rule (Y. Liu and J. Xie, Cauchy combination
test, Journal of the American Statistical Association 2020;115:393–402), not by Fisher's or Stouffer's: sources of one place move together (a cold day fills the
fever clinic, the classrooms and the pharmacies alike), Fisher and Stouffer take them for independent and then alarm far too often, while the tail of a sum of
Cauchy variables hardly depends on how they are correlated. One very unlikely source is enough, several fairly unlikely ones are too. What "unlikely" has to
mean is then not believed but measured: the threshold is the one at which the place's own past would have kept to the budget of false alarms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEAST, MOST = 1e-15, 0.95  # p-values are cut to these: counts of nought have p = 1, and one quiet source must not silence the others
QUIET_DAYS = 7  # after an alarm, in which it is not raised again
WEEK = 7
METHODS = ("cauchy", "stouffer", "fisher")


@dataclass(frozen=True)
class Combined:
    """p of all sources together (places × days; NaN where no source reported) and each source's share in it (sources × places × days, summing to 1)."""

    p: Numbers
    shares: Numbers


@dataclass(frozen=True)
class Budget:
    """The threshold that keeps to a budget: p at or below it alarms; `alarms_per_week` is what the past then had per place and week."""

    threshold: float
    alarms_per_week: float
    weeks: float


def combine(p_values: Numbers, weights: Numbers | None = None, method: str = "cauchy") -> Combined:
    """Combine p-values (sources × places × days; NaN: the source did not report) with weights by source (equal without).

    `stouffer` and `fisher` (weights count for Stouffer only) are there to compare with. Raises ValueError for an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method}")
    p = np.asarray(p_values, dtype=np.float64)
    is_there = np.isfinite(p)
    weight = np.where(is_there, np.reshape(np.ones(len(p)) if weights is None else weights, (-1, *[1] * (p.ndim - 1))), 0.0)
    cut = np.clip(np.where(is_there, p, 0.5), LEAST, MOST)
    if method == "fisher":
        parts = np.where(is_there, -2 * np.log(cut), 0.0)
        told = stats.chi2.sf(parts.sum(axis=0), 2 * is_there.sum(axis=0))
    elif method == "stouffer":
        parts = weight * stats.norm.isf(cut)
        told = stats.norm.sf(parts.sum(axis=0) / np.sqrt(np.maximum((weight**2).sum(axis=0), 1e-300)))
    else:
        scaled = weight / np.maximum(weight.sum(axis=0), 1e-300)
        parts = scaled * np.where(cut < 1e-8, 1 / (np.pi * cut), np.tan(np.pi * (0.5 - cut)))
        told = stats.cauchy.sf(parts.sum(axis=0))
    for_it = np.maximum(np.where(is_there, parts, 0.0), 0.0)
    total = for_it.sum(axis=0)
    shares = np.divide(for_it, total, out=np.zeros_like(for_it), where=total > 0)
    return Combined(np.where(is_there.any(axis=0), told, np.nan), shares)


def alarms(p: Numbers, threshold: float, quiet_days: int = QUIET_DAYS) -> Flags:
    """Days with an alarm (places × days): p at or below the threshold, not raised again for `quiet_days` days."""
    below, raised = p <= threshold, np.zeros(p.shape, dtype=np.bool_)
    last = np.full(p.shape[0], -quiet_days, dtype=np.int64)
    for day in range(p.shape[1]):
        raised[:, day] = below[:, day] & (day - last >= quiet_days)
        last[raised[:, day]] = day
    return raised


def budgeted(p: Numbers, per_place_week: float, quiet_days: int = QUIET_DAYS, outbreak: Flags | None = None) -> Budget:
    """The highest threshold at which the past (places × days of combined p) had at most so many alarms per place and week.

    Days marked in `outbreak` (confirmed) are left out: alarms there were right. Raises ValueError for a budget that is not above 0, or without any past.
    """
    past = np.where(outbreak, np.nan, p) if outbreak is not None else p
    known = int(np.isfinite(past).sum())
    if not per_place_week > 0 or not known:
        raise ValueError("a budget above 0 and a past are needed")
    weeks = known / WEEK
    candidates = np.unique(past[np.isfinite(past)])
    low, high = -1, len(candidates) - 1  # of the candidates: within the budget, and the most that is tried
    while low < high:  # alarms fall with the threshold but for the days kept quiet: the found one is checked below
        middle = (low + high + 1) // 2
        if alarms(past, float(candidates[middle]), quiet_days).sum() / weeks <= per_place_week:
            low = middle
        else:
            high = middle - 1
    threshold = float(candidates[low]) if low >= 0 else 0.0
    return Budget(threshold, float(alarms(past, threshold, quiet_days).sum() / weeks), weeks)
