"""Stockpiles: days of cover by item and institution in each situation, and orders with their lead time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from quanmin.catalog.messages import say
from quanmin.model import Label, Problem, Refusal
from quanmin.services.preparedness.scenario import Field, Part, Scenario
from quanmin.services.preparedness.stock_items import BEDS, CASES, stock_items

KIND = "stockpile"
DRIVERS = ("hcw", "cleaner", "ambulance_worker", "engineer", "screening_hcw", "lab_technician", "lab_cleaner", "patient", "isolated_patient",
           "isolation_caregiver", "screened_patient", *CASES.values(), *BEDS.values())
PARTS = (
    Part("", (Field("as_of", kind="date"), Field("target_days", 1, 365, 30), Field("safety_days", 0, 365, 7),
              Field("judged_in", kind="text", is_optional=True))),
    Part("situation", (Field("id", kind="text"), Field("name", kind="label"), Field("activity", 0, 1000, {}, kind="map")), True, 1),
    Part("institution", (Field("id", kind="text"), Field("name", kind="label", is_optional=True), Field("activity", 0, 1e6, {}, kind="map")), True, 1),
    Part("item", (Field("id", kind="text"), Field("name", kind="label", is_optional=True), Field("unit", kind="text", is_optional=True),
                  Field("use", 0, 1e5, {}, kind="map"),
                  Field("lead_days", 0, 365, 14), Field("pack", 1e-6, 1e7, 1), Field("price_cny", 0, 1e6, 0)), True, 1),
    Part("stock", (Field("institution", kind="text"), Field("item", kind="text"), Field("quantity", 0, 1e12),
                   Field("expires_on", kind="date", is_optional=True),
                   Field("lot", kind="text", is_optional=True)), True),
    Part("on_order", (Field("institution", kind="text"), Field("item", kind="text"), Field("quantity", 0, 1e12),
                      Field("due_on", kind="date", is_optional=True)), True),
)


@dataclass(frozen=True)
class Stockpile:
    """What is held: `rate` [situations × institutions × items] units a day, `lots` arrays of equal length, expiry in days from `as_of` (inf without).

    `measured` [institutions × items] is what was issued a day, NaN where unknown; where a rate equals it, it was taken from there.
    """

    as_of: date
    target_days: float
    safety_days: float
    situations: tuple[str, ...]
    judged: int
    institutions: tuple[str, ...]
    items: tuple[str, ...]
    rate: np.ndarray
    lot_institution: np.ndarray
    lot_item: np.ndarray
    lot_quantity: np.ndarray
    lot_expiry: np.ndarray
    lot_names: tuple[str, ...]
    on_order: np.ndarray
    lead_days: np.ndarray
    pack: np.ndarray
    price: np.ndarray
    use: tuple[Mapping[str, float], ...]
    activity: tuple[Mapping[str, float], ...]
    factors: tuple[Mapping[str, float], ...]
    measured: np.ndarray | None = None

    @property
    def stock(self) -> np.ndarray:
        """Units held [institutions × items]."""
        found = np.zeros((len(self.institutions), len(self.items)))
        np.add.at(found, (self.lot_institution, self.lot_item), self.lot_quantity)
        return found


@dataclass(frozen=True)
class Order:
    """An order that keeps an institution at its target: units in whole packs, and the last day on which it may be placed."""

    institution: str
    item: str
    quantity: float
    by: date
    is_late: bool
    cny: float


def _index(rows: list[dict[str, object]]) -> dict[object, int]:
    return {row["id"]: at for at, row in enumerate(rows)}


def _unknown(scenario: Scenario, shown: str) -> list[Problem]:
    """What names an institution, item, driver or situation that is not there."""
    known = {"institution": _index(scenario.rows("institution")), "item": _index(scenario.rows("item"))}
    found = [Problem(shown, None, f"{part}[{at}].{name}", str(row[name])[:60], say("scenario_no_such"), ", ".join(map(str, list(known[name])[:8])))
             for part in ("stock", "on_order") for at, row in enumerate(scenario.rows(part)) for name in known if row[name] not in known[name]]
    for part, field in (("situation", "activity"), ("institution", "activity"), ("item", "use")):
        found += [Problem(shown, None, f"{part}[{at}].{field}", driver[:60], say("scenario_no_such"), ", ".join(DRIVERS))
                  for at, row in enumerate(scenario.rows(part)) for driver in row[field] if driver not in DRIVERS]
    found += [Problem(shown, None, f"item[{at}].use", str(row["id"])[:60], say("scenario_missing"), "use = { hcw = 1 }")
              for at, row in enumerate(scenario.rows("item")) if not row["use"] and row["id"] not in stock_items()]
    judged = scenario.of("")["judged_in"]
    if judged is not None and judged not in _index(scenario.rows("situation")):
        found.append(Problem(shown, None, "judged_in", judged[:60], say("scenario_no_such"), ", ".join(map(str, _index(scenario.rows("situation"))))))
    return found


def stockpile_of(scenario: Scenario, shown: str = KIND) -> Stockpile:
    """The stockpile of a checked scenario; raises Refusal with everything that names what is not there."""
    if problems := _unknown(scenario, shown):
        raise Refusal(*problems)
    top, situations, institutions, items = scenario.of(""), scenario.rows("situation"), scenario.rows("institution"), scenario.rows("item")
    places, kinds = _index(institutions), _index(items)
    use = tuple(row["use"] or stock_items()[row["id"]].use for row in items)
    by_driver = np.array([[row.get(driver, 0.0) for driver in DRIVERS] for row in use])
    activity = np.array([[row["activity"].get(driver, 0.0) for driver in DRIVERS] for row in institutions], dtype=float)
    factors = np.array([[row["activity"].get(driver, 1.0) for driver in DRIVERS] for row in situations], dtype=float)
    rate = np.einsum("sd,id,kd->sik", factors, activity, by_driver)
    lots = scenario.rows("stock")
    expiry = [math.inf if lot["expires_on"] is None else max(0, (lot["expires_on"] - top["as_of"]).days + 1) for lot in lots]
    coming = np.zeros((len(institutions), len(items)))
    for row in scenario.rows("on_order"):
        coming[places[row["institution"]], kinds[row["item"]]] += row["quantity"]
    return Stockpile(
        top["as_of"], float(top["target_days"]), float(top["safety_days"]), tuple(row["id"] for row in situations),
        _index(situations)[top["judged_in"]] if top["judged_in"] is not None else 0, tuple(row["id"] for row in institutions),
        tuple(row["id"] for row in items), rate,
        np.array([places[lot["institution"]] for lot in lots], dtype=int), np.array([kinds[lot["item"]] for lot in lots], dtype=int),
        np.array([lot["quantity"] for lot in lots], dtype=float), np.array(expiry, dtype=float), tuple(str(lot["lot"] or "") for lot in lots), coming,
        np.array([row["lead_days"] for row in items], dtype=float), np.array([row["pack"] for row in items], dtype=float),
        np.array([row["price_cny"] for row in items],
                 dtype=float), use, tuple(row["activity"] for row in institutions), tuple(row["activity"] for row in situations))


def days_of_cover(stock: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Whole days that a stock lasts at a daily use (broadcast): floor(stock ÷ use), infinite where nothing is used."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(rate > 0, np.floor(stock / np.where(rate > 0, rate, 1.0) + 1e-9), np.inf)


def orders(one: Stockpile, situation: int, usable: np.ndarray) -> tuple[Order, ...]:
    """What to order so that the target still stands when the goods come: (target + lead time) × use - usable stock - on order, in whole packs.

    `usable` is what is there and will not expire first [institutions × items], transfers already in it.
    """
    rate = one.rate[situation]
    cover = days_of_cover(usable, rate)
    needed = (one.target_days + one.lead_days) * rate - usable - one.on_order
    packs = np.ceil(np.maximum(0.0, needed) / one.pack - 1e-9)
    found = []
    for i, k in zip(*np.nonzero(packs), strict=True):
        spare = math.floor(cover[i, k] - one.lead_days[k] - one.safety_days)
        quantity = float(packs[i, k] * one.pack[k])
        found.append(Order(one.institutions[i], one.items[k], quantity, one.as_of + timedelta(days=max(0, min(spare, 36_500))), spare < 0,
                           quantity * float(one.price[k])))
    return tuple(sorted(found, key=lambda order: (order.by, not order.is_late, order.institution, order.item)))


def item_label(scenario: Scenario, at: int) -> Label:
    """What an item is called: as the scenario says, else as the shipped list does, else by its id."""
    row = scenario.rows("item")[at]
    found: Label = row["name"] or (stock_items()[row["id"]].label if row["id"] in stock_items() else Label(row["id"], row["id"]))
    return found
