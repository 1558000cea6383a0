"""First expired, first out: what of every lot is used where it lies, what would expire there, and who could still use it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanmin.services.preparedness.stockpile import Stockpile


@dataclass(frozen=True)
class Rotation:
    """First expired, first out: what of each lot is used and what expires, and how many days the usable stock lasts [institutions × items]."""

    used: np.ndarray
    expired: np.ndarray
    begins: np.ndarray
    cover: np.ndarray


@dataclass(frozen=True)
class Rescue:
    """Units of a lot (its index) that would expire where they lie and go to an institution that uses them in time."""

    lot: int
    taker: int
    quantity: float


def rotated(one: Stockpile, situation: int) -> Rotation:
    """Use every lot in the order in which lots expire (usable to the end of its day of expiry), all institutions and items at once."""
    items = len(one.items)
    pair, rate = one.lot_institution * items + one.lot_item, one.rate[situation].ravel()
    order = np.lexsort((np.arange(len(pair)), one.lot_expiry, pair))
    sorted_pair = pair[order]
    first = np.searchsorted(sorted_pair, sorted_pair)
    rank = np.arange(len(order)) - first
    at, used, begins = np.zeros(rate.size), np.zeros(len(pair)), np.zeros(len(pair))
    for level in range(int(rank.max(initial=-1)) + 1):
        lots = order[rank == level]
        where, quantity = pair[lots], one.lot_quantity[lots]
        begin, daily = at[where], rate[pair[lots]]
        with np.errstate(divide="ignore", invalid="ignore"):
            span = np.where(daily > 0, quantity / np.where(daily > 0, daily, 1.0), np.inf)
        end = np.minimum(begin + span, np.maximum(one.lot_expiry[lots], begin))
        is_used = daily > 0
        used[lots] = np.where(is_used, np.minimum(quantity, daily * (np.where(is_used, end, 0) - np.where(is_used, begin, 0))), 0.0)
        begins[lots] = begin
        at[where] = np.where(is_used, end, begin)
    cover = np.where(rate > 0, at, np.inf).reshape(one.rate[situation].shape)
    is_kept = (rate[pair] == 0) & np.isinf(one.lot_expiry) if len(pair) else np.zeros(0, dtype=bool)
    expired = np.where(is_kept, 0.0, one.lot_quantity - used)
    return Rotation(used, np.where(expired < 1e-6 * np.maximum(1, one.lot_quantity), 0.0, expired), begins, cover)


def usable_stock(one: Stockpile, situation: int, found: Rotation) -> np.ndarray:
    """Units that are used before they expire [institutions × items]; of what nobody uses there, all that has not expired."""
    rate = one.rate[situation]
    usable = np.where(rate > 0, np.where(rate > 0, found.cover, 0) * rate, 0.0)
    is_idle = (rate[one.lot_institution, one.lot_item] == 0) & (one.lot_expiry > 0)
    np.add.at(usable, (one.lot_institution[is_idle], one.lot_item[is_idle]), one.lot_quantity[is_idle])
    return np.asarray(usable)


def rescued(one: Stockpile, situation: int, found: Rotation) -> tuple[Rescue, ...]:
    """Where lots that would expire can still be used: up to its expiry E an institution can take rate × E less its own lots that expire by then.

    The lot that expires first goes first, to whoever can use the most of it.
    """
    rate, plan = one.rate[situation], []
    taken: dict[int, list[tuple[float, np.ndarray]]] = {}
    for lot in np.lexsort((-found.expired, one.lot_expiry)):
        left, expiry, item, home = float(found.expired[lot]), float(one.lot_expiry[lot]), int(one.lot_item[lot]), int(one.lot_institution[lot])
        if left <= 0 or not np.isfinite(expiry) or expiry <= 0:
            continue
        is_own = (one.lot_item == item) & (one.lot_expiry <= expiry)
        room = rate[:, item] * expiry
        np.subtract.at(room, one.lot_institution[is_own], one.lot_quantity[is_own])
        for until, amount in taken.get(item, []):
            room -= amount if until <= expiry else 0.0
        room[home] = 0.0
        given = np.zeros(len(room))
        for taker in np.argsort(-room):
            quantity = float(np.floor(min(left, max(0.0, room[taker]))))
            if quantity < 1:
                break
            plan.append(Rescue(int(lot), int(taker), quantity))
            given[taker] += quantity
            left -= quantity
        taken.setdefault(item, []).append((expiry, given))
    return tuple(plan)
