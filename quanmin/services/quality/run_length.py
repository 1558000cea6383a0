"""How long a risk-adjusted CUSUM runs until it signals, and the limit for a wanted length, given the risks of the cases.

Sources: S. H. Steiner et al., Biostatistics 2000;1:441–452 (run lengths by Markov chain over the mix of risks); D. Brook & D. A. Evans, Biometrika
1972;59:539–549. The chain here has nodes between which the expected length is interpolated, so that it needs few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quanmin.services.quality.charts import scores

Numbers = NDArray[np.float64]
NODES = 400
MOST_RISKS = 2000  # more distinct risks than these are averaged in groups of equal size
CASES_AT_ONCE = 64
LONGEST = 1_000_000
TINY = 1e-12
HALVINGS = 60
WIDEST = 64.0  # a log-likelihood ratio nobody waits for


@dataclass(frozen=True)
class RunLength:
    """A simulated mean run length in cases, its standard error, and how many runs were cut off before a signal."""

    mean: float
    standard_error: float
    cut_off: int


def _mix(risks: ArrayLike) -> tuple[Numbers, Numbers]:
    """Distinct risks and how frequent each is."""
    known = np.sort(np.asarray(risks, dtype=np.float64))
    if not known.size or not ((known > 0) & (known < 1)).any() or not ((known >= 0) & (known <= 1)).all():
        raise ValueError("risks must lie between 0 and 1, some of them strictly")
    values, counts = np.unique(known, return_counts=True)
    if values.size > MOST_RISKS:
        parts = np.array_split(known, MOST_RISKS)
        values, counts = np.array([part.mean() for part in parts]), np.array([part.size for part in parts])
    return values, counts / counts.sum()


def _happening(risk: Numbers, true_odds: float) -> Numbers:
    return true_odds * risk / (1 - risk + true_odds * risk)


def _steps(risks: ArrayLike, odds: float, true_odds: float) -> tuple[Numbers, Numbers]:
    """Every score a case may have and its probability."""
    if true_odds <= 0:
        raise ValueError("the true odds ratio must be above 0")
    values, frequency = _mix(risks)
    happens = _happening(values, true_odds)
    weights = np.concatenate([scores(np.ones(values.size), values, odds), scores(np.zeros(values.size), values, odds)])
    return weights, np.concatenate([frequency * happens, frequency * (1 - happens)])


def mean_run_length(limit: float, risks: ArrayLike, odds: float = 2.0, true_odds: float = 1.0, nodes: int = NODES) -> float:
    """Expected number of cases until the path first reaches `limit`, starting from 0.

    `risks` are drawn from independently and as often as they occur; the true odds are `true_odds` times those of the risks (1: the length until a false
    alarm). Raises ValueError for a limit not above 0 and risks outside 0 … 1. Source: Steiner 2000, section 3.
    """
    if not limit > 0:
        raise ValueError("the limit must be above 0")
    weights, probability = _steps(risks, odds, true_odds)
    width = limit / nodes
    chain = np.zeros((nodes + 1, nodes + 1))
    for node in range(nodes + 1):
        reached = np.maximum(node * width + weights, 0)
        stays = reached < limit - TINY
        place = reached[stays] / width
        lower = np.minimum(place.astype(np.int64), nodes - 1)
        share = place - lower
        chain[node] = np.bincount(lower, probability[stays] * (1 - share), nodes + 1) + np.bincount(lower + 1, probability[stays] * share, nodes + 1)
    try:
        lengths = np.linalg.solve(np.eye(nodes + 1) - chain, np.ones(nodes + 1))
    except np.linalg.LinAlgError:
        return float("inf")
    return float(lengths[0]) if lengths[0] > 0 else float("inf")


def limit_for(run_length: float, risks: ArrayLike, odds: float = 2.0, nodes: int = NODES, tolerance: float = TINY) -> float:
    """The limit at which a chart without any change runs `run_length` cases on average, by bisection of `mean_run_length` to a relative `tolerance`.

    Raises ValueError for a run length of 1 or less and for risks outside 0 … 1.
    """
    if not run_length > 1:
        raise ValueError("the run length must be above 1")
    low, high = 0.0, 1.0
    while mean_run_length(high, risks, odds, nodes=nodes) < run_length and high < WIDEST:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high or high - low < tolerance * high:
            break
        if mean_run_length(middle, risks, odds, nodes=nodes) < run_length:
            low = middle
        else:
            high = middle
    return high


def simulated_run_length(limit: float, risks: ArrayLike, odds: float = 2.0, true_odds: float = 1.0, runs: int = 2000, seed: int = 1,
                         longest: int = LONGEST) -> RunLength:
    """The mean run length over `runs` simulated charts, all side by side; the same seed gives the same figure.

    Each case's risk is drawn from `risks`, its outcome at `true_odds` times its odds; a run is cut off, and counted with its length so far, at `longest`.
    """
    if not limit > 0 or runs < 2:
        raise ValueError("the limit must be above 0 and the runs at least 2")
    given = np.asarray(risks, dtype=np.float64)
    _mix(given)
    random, happens = np.random.default_rng(seed), _happening(given, true_odds)
    if_event, if_none = scores(np.ones(given.size), given, odds), scores(np.zeros(given.size), given, odds)
    lengths, alive, path, done = np.full(runs, longest), np.arange(runs), np.zeros(runs), 0
    while alive.size and done < longest:
        cases = min(CASES_AT_ONCE, longest - done)
        drawn = random.integers(given.size, size=(cases, alive.size))
        weight = np.where(random.random(drawn.shape) < happens[drawn], if_event[drawn], if_none[drawn])
        total = path + np.cumsum(weight, axis=0)
        total -= np.minimum(np.minimum.accumulate(total, axis=0), 0)
        over = total >= limit - TINY
        ended = over.any(axis=0)
        lengths[alive[ended]] = done + 1 + np.argmax(over[:, ended], axis=0)
        alive, path, done = alive[~ended], total[-1, ~ended], done + cases
    return RunLength(float(lengths.mean()), float(lengths.std(ddof=1) / np.sqrt(runs)), int(alive.size))
