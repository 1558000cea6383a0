"""The answer about stockpiles: who has how many days of what, what will expire, what to move and what to order, with the arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from quanmin.catalog.messages import language
from quanmin.catalog.wording import unit_in
from quanmin.services.preparedness.rotation import Rotation, rescued, rotated, usable_stock
from quanmin.services.preparedness.scenario import Scenario
from quanmin.services.preparedness.stock_items import stock_items
from quanmin.services.preparedness.stock_parts import Consumption, MonthCover, Reported
from quanmin.services.preparedness.stockpile import Order, Stockpile, days_of_cover, item_label, orders, stockpile_of
from quanmin.services.preparedness.testing_answer import Assumption, Sum, assumptions_of, spoken, told
from quanmin.services.preparedness.transfers import LARGEST_PROVED, Plan, transfers


@dataclass(frozen=True)
class Cover:
    """An item at an institution in a situation: whole days that all stock and the usable part of it (first expired, first out) last; None without use.

    `basis` is issued where the daily use is what was issued, else activity.
    """

    situation: str
    situation_name: str
    institution: str
    institution_name: str
    item: str
    item_name: str
    unit: str
    stock: float
    per_day: float
    days: float | None
    usable_days: float | None
    is_short: bool
    sum: str
    basis: str


@dataclass(frozen=True)
class Lot:
    """A lot in the order of use: when its turn comes, what of it is used and what expires."""

    institution: str
    institution_name: str
    item: str
    item_name: str
    lot: str
    quantity: float
    expires_on: str
    begins_on: str
    expired: float
    unit: str


@dataclass(frozen=True)
class Move:
    """Units that go from one institution to another, and the days of cover of both before and after."""

    item: str
    item_name: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    quantity: float
    unit: str
    giver_days_before: float | None
    giver_days_after: float | None
    taker_days_before: float | None
    taker_days_after: float | None


@dataclass(frozen=True)
class Saved:
    """Units of a lot that would expire where they lie and go to who uses them in time."""

    item: str
    item_name: str
    lot: str
    expires_on: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    quantity: float
    unit: str


@dataclass(frozen=True)
class OrderLine:
    """An order with names; see Order."""

    institution: str
    institution_name: str
    item: str
    item_name: str
    quantity: float
    unit: str
    by: str
    is_late: bool
    cny: float


@dataclass(frozen=True)
class Level:
    """An item over all institutions: days that everybody has after the transfers, how many there are, and whether fewer are proven impossible."""

    item: str
    item_name: str
    unit: str
    stock: float
    per_day: float
    common_days: float
    transfers: int
    fewest: int
    is_proved: bool


@dataclass(frozen=True)
class StockpileAnswer:
    """A stockpile judged; `judged_in` is the situation that lots, transfers and orders are worked out for.

    `source` is scenario, assumed (stocks that nobody reports) or counted; of what was counted also the age of the newest count, who reported, what was issued
    and cover by month.
    """

    name: str
    as_of: str
    target_days: float
    judged_in: str
    least_days: float | None
    least_item: str
    least_institution: str
    short_count: int
    expiring_count: int
    cover: tuple[Cover, ...]
    lots: tuple[Lot, ...]
    levels: tuple[Level, ...]
    moves: tuple[Move, ...]
    rescues: tuple[Saved, ...]
    orders: tuple[OrderLine, ...]
    sums: tuple[Sum, ...]
    assumptions: tuple[Assumption, ...]
    source: str = "scenario"
    age_days: int | None = None
    reported: tuple[Reported, ...] = ()
    consumption: tuple[Consumption, ...] = ()
    months: tuple[MonthCover, ...] = ()


@dataclass(frozen=True)
class Names:
    """What situations, institutions and items are called, and the items' units."""

    situations: list[str]
    institutions: list[str]
    items: list[str]
    units: list[str]


def _names(scenario: Scenario) -> Names:
    rows, known = scenario.rows("item"), stock_items()
    return Names([spoken(row["name"], row["id"]) for row in scenario.rows("situation")],
                  [spoken(row["name"], row["id"]) for row in scenario.rows("institution")], [spoken(item_label(scenario, at), "") for at in range(len(rows))],
                  [unit_in(row["unit"] or (known[row["id"]].unit if row["id"] in known else ""), language()) for row in rows])


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _sum(one: Stockpile, s: int, i: int, k: int, stock: float) -> str:
    """`42,000 ÷ (350 × 4)` with every driver that counts."""
    parts = []
    for driver, amount in one.use[k].items():
        count = one.activity[i].get(driver, 0.0) * one.factors[s].get(driver, 1.0)
        if count and amount:
            parts.append(f"{count:,.4g} × {amount:.4g}" if count < 1e4 else f"{count:,.0f} × {amount:.4g}")
    return f"{told(stock)} ÷ ({' + '.join(parts)})" if parts else "–"


def _cover(one: Stockpile, names: Names) -> tuple[Cover, ...]:
    stock, found = one.stock, []
    for s, situation in enumerate(one.situations):
        days, usable = days_of_cover(stock, one.rate[s]), np.floor(rotated(one, s).cover + 1e-9)
        for i, institution in enumerate(one.institutions):
            for k, item in enumerate(one.items):
                rate = float(one.rate[s, i, k])
                if rate <= 0 and stock[i, k] <= 0:
                    continue
                is_issued = one.measured is not None and bool(rate == one.measured[i, k])
                sum_ = f"{told(stock[i, k])} ÷ {told(rate, 2)}" if is_issued else _sum(one, s, i, k, float(stock[i, k]))
                found.append(Cover(situation, names.situations[s], institution, names.institutions[i], item, names.items[k], names.units[k],
                                   float(stock[i, k]), rate, _finite(days[i, k]), _finite(usable[i, k]), bool(usable[i, k] < one.target_days), sum_,
                                   "issued" if is_issued else "activity"))
    return tuple(found)


def _lots(one: Stockpile, names: Names, found: Rotation) -> tuple[Lot, ...]:
    order = np.lexsort((one.lot_expiry, one.lot_item, one.lot_institution))
    rows = []
    for at in order:
        i, k, expiry = int(one.lot_institution[at]), int(one.lot_item[at]), float(one.lot_expiry[at])
        until = "" if math.isinf(expiry) else (one.as_of + timedelta(days=int(expiry) - 1)).isoformat()
        begins = (one.as_of + timedelta(days=int(min(found.begins[at], 36_500)))).isoformat() if found.used[at] > 0 else ""
        rows.append(Lot(one.institutions[i], names.institutions[i], one.items[k], names.items[k], one.lot_names[at], float(one.lot_quantity[at]), until, begins,
                        float(found.expired[at]), names.units[k]))
    return tuple(rows)


def _rescues(one: Stockpile, names: Names, found: Rotation) -> tuple[Saved, ...]:
    rows = []
    for plan in rescued(one, one.judged, found):
        i, k = int(one.lot_institution[plan.lot]), int(one.lot_item[plan.lot])
        until = (one.as_of + timedelta(days=int(one.lot_expiry[plan.lot]) - 1)).isoformat()
        rows.append(Saved(one.items[k], names.items[k], one.lot_names[plan.lot], until, one.institutions[i], names.institutions[i],
                          one.institutions[plan.taker],
                          names.institutions[plan.taker], plan.quantity, names.units[k]))
    return tuple(rows)


def _moved(usable: np.ndarray, plans: list[Plan]) -> np.ndarray:
    """Usable stock after the transfers."""
    after = usable.copy()
    for k, plan in enumerate(plans):
        for move in plan.transfers:
            after[move.giver, k] -= move.quantity
            after[move.taker, k] += move.quantity
    return after


def _moves(one: Stockpile, names: Names, plans: list[Plan], stock: np.ndarray) -> tuple[Move, ...]:
    rate, rows = one.rate[one.judged], []
    moved = _moved(stock, plans)
    for k, plan in enumerate(plans):
        before_days, after_days = days_of_cover(stock[:, k], rate[:, k]), days_of_cover(moved[:, k], rate[:, k])
        for move in plan.transfers:
            g, t = move.giver, move.taker
            rows.append(Move(one.items[k], names.items[k], one.institutions[g], names.institutions[g], one.institutions[t], names.institutions[t],
                             float(math.ceil(move.quantity - 1e-6)), names.units[k], _finite(before_days[g]), _finite(after_days[g]), _finite(before_days[t]),
                             _finite(after_days[t])))
    return tuple(rows)


def _line(one: Stockpile, names: Names, order: Order) -> OrderLine:
    i, k = one.institutions.index(order.institution), one.items.index(order.item)
    return OrderLine(order.institution, names.institutions[i], order.item, names.items[k], order.quantity, names.units[k], order.by.isoformat(),
                     order.is_late, order.cny)


def _levels(one: Stockpile, names: Names, plans: list[Plan], usable: np.ndarray) -> tuple[Level, ...]:
    return tuple(Level(item, names.items[k], names.units[k], float(usable[:, k].sum()), float(one.rate[one.judged][:, k].sum()), plan.level_days,
                       len(plan.transfers), plan.fewest, plan.is_proved) for k, (item, plan) in enumerate(zip(one.items, plans, strict=True)))


def answered(one: Stockpile, names: Names, called: str, assumptions: tuple[Assumption, ...], is_planned: bool = True,
             largest: int = LARGEST_PROVED) -> StockpileAnswer:
    """Judge a stockpile; without `is_planned` no transfers are looked for, and none are proved the fewest with more pairs than `largest`."""
    rate, turned = one.rate[one.judged], rotated(one, one.judged)
    usable = usable_stock(one, one.judged, turned)
    for saved in rescued(one, one.judged, turned):
        usable[saved.taker, one.lot_item[saved.lot]] += saved.quantity
    plans = [transfers(usable[:, k], rate[:, k], one.target_days, largest) for k in range(len(one.items))] if is_planned else []
    cover, lots = _cover(one, names), _lots(one, names, turned)
    judged = [row for row in cover if row.situation == one.situations[one.judged]]
    least = min((row for row in judged if row.usable_days is not None), key=lambda row: row.usable_days or 0.0, default=None)
    totals = [(k, float(one.stock[:, k].sum()), float(rate[:, k].sum())) for k in range(len(one.items))]
    sums = tuple(Sum(names.items[k], f"{told(stock)} ÷ {told(use, 1)}", math.floor(stock / use + 1e-9) if use else None, "d") for k, stock, use in totals)
    return StockpileAnswer(
        called, one.as_of.isoformat(), one.target_days, names.situations[one.judged], least.usable_days if least else None,
        least.item_name if least else "", least.institution_name if least else "", sum(row.is_short for row in judged), sum(lot.expired > 0 for lot in lots),
        cover, lots, _levels(one, names, plans, usable) if is_planned else (), _moves(one, names, plans, usable), _rescues(one, names, turned),
        tuple(_line(one, names, order) for order in orders(one, one.judged, _moved(usable, plans))), sums, assumptions)


def scenario_assumptions(scenario: Scenario, judged_in: str) -> tuple[Assumption, ...]:
    """The numbers of a scenario of stocks, with the name of the situation that is judged in."""
    return tuple(replace(row, value=judged_in) if row.parameter == "judged_in" else row for row in assumptions_of(scenario))


def stockpile_answer(scenario: Scenario, shown: str = "stockpile", is_planned: bool = True) -> StockpileAnswer:
    """Judge a checked scenario; raises Refusal where it names what is not there. Without `is_planned` no transfers are looked for (of assumed stocks)."""
    one, names = stockpile_of(scenario, shown), _names(scenario)
    return answered(one, names, spoken(scenario.label, "stockpile"), scenario_assumptions(scenario, names.situations[one.judged]), is_planned)
