"""Transfers between institutions: as few as lift everyone to the target, or, where there is not enough, to the highest level all can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

PATIENCE = 2.0  # seconds per item
LARGEST_PROVED = 900  # pairs of giver and taker, beyond which the plan is the simple one


@dataclass(frozen=True)
class Transfer:
    """Units that go from one institution to another (indices)."""

    giver: int
    taker: int
    quantity: float


@dataclass(frozen=True)
class Plan:
    """Transfers of one item; `level_days` is what everybody has afterwards at least, `fewest` a proven lower bound of the number of transfers."""

    level_days: float
    transfers: tuple[Transfer, ...]
    fewest: int
    is_proved: bool


def common_level(stock: np.ndarray, rate: np.ndarray, target: float) -> float:
    """The most days that everybody can have: the target, or all stock over all use."""
    use = float(rate.sum())
    return target if use <= 0 else min(target, float(stock[rate > 0].sum() + stock[rate <= 0].sum()) / use)


def transfers(stock: np.ndarray, rate: np.ndarray, target: float, largest: int = LARGEST_PROVED) -> Plan:
    """The fewest transfers [institutions] with which everybody reaches the common level; ties go to fewer units moved.

    A mixed-integer programme over pairs (a transfer is used or not), solved by HiGHS; the simple plan (most missing from most to spare) where there are too
    many pairs (more than `largest`) or the time is over.
    """
    level = common_level(stock, rate, target)
    wanted = level * rate
    spare, missing = np.maximum(0.0, stock - wanted), np.maximum(0.0, wanted - stock)
    small = 1e-6 * max(1.0, float(wanted.max(initial=0.0)))
    givers, takers = np.nonzero(spare > small)[0], np.nonzero(missing > small)[0]
    if not len(takers) or not len(givers):
        return Plan(level, (), 0, True)
    simple = _simple(spare, missing, givers, takers, small)
    least = _least(spare[givers], missing[takers])
    if len(simple) <= least or len(givers) * len(takers) > largest:
        return Plan(level, simple, least, len(simple) <= least)
    found = _fewest(spare[givers], missing[takers] * (1 - 1e-9), givers, takers)
    if found is None or len(found[0]) > len(simple):
        return Plan(level, simple, least, False)
    return Plan(level, found[0], max(least, found[1]), len(found[0]) <= max(least, found[1]))


def _least(spare: np.ndarray, missing: np.ndarray) -> int:
    """A bound without solving: every taker needs one, and as many givers as it takes to have enough."""
    enough = np.cumsum(np.sort(spare)[::-1]) >= missing.sum() * (1 - 1e-9)
    return max(len(missing), int(enough.argmax()) + 1 if enough.any() else len(spare))


def _simple(spare: np.ndarray, missing: np.ndarray, givers: np.ndarray, takers: np.ndarray, small: float) -> tuple[Transfer, ...]:
    spare, missing = spare.copy(), missing.copy()
    found: list[Transfer] = []
    while True:
        taker, giver = max(takers, key=lambda i: missing[i]), max(givers, key=lambda i: spare[i])
        quantity = min(missing[taker], spare[giver])
        if quantity <= small:
            return tuple(found)
        spare[giver] -= quantity
        missing[taker] -= quantity
        found.append(Transfer(int(giver), int(taker), float(quantity)))


def _fewest(spare: np.ndarray, missing: np.ndarray, givers: np.ndarray, takers: np.ndarray) -> tuple[tuple[Transfer, ...], int] | None:
    n, m = len(spare), len(missing)
    pairs, scale = n * m, float(missing.max())
    most = np.minimum(spare[:, None], missing[None, :]).ravel() / scale
    giver, taker = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    given, taken, linked = np.zeros((n, 2 * pairs)), np.zeros((m, 2 * pairs)), np.zeros((pairs, 2 * pairs))
    given[giver, np.arange(pairs)] = 1
    taken[taker, np.arange(pairs)] = 1
    linked[np.arange(pairs), np.arange(pairs)], linked[np.arange(pairs), pairs + np.arange(pairs)] = 1, -most
    rules = [LinearConstraint(given, -np.inf, spare / scale), LinearConstraint(taken, missing / scale, np.inf), LinearConstraint(linked, -np.inf, 0)]
    weight = 0.5 / max(1.0, float(most.sum()))
    found = milp(np.append(np.full(pairs, weight), np.ones(pairs)), constraints=rules, bounds=Bounds(0, np.append(most, np.ones(pairs))),
                 integrality=np.append(np.zeros(pairs), np.ones(pairs)), options={"time_limit": PATIENCE, "mip_rel_gap": 0})
    if found.x is None:
        return None
    chosen = [Transfer(int(givers[giver[p]]), int(takers[taker[p]]), float(found.x[p] * scale)) for p in range(pairs) if found.x[p] > 1e-7]
    return tuple(chosen), int(np.ceil((found.mip_dual_bound or 0.0) - 0.5 - 1e-6))
