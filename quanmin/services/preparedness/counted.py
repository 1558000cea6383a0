"""Days of cover from what institutions counted: measured use where movements are reported, who has not reported, and how cover went by month."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from quanmin.catalog.messages import language, say
from quanmin.catalog.supplies import activity, quantities, rules, uses
from quanmin.catalog.wording import unit_in
from quanmin.model import Problem, Refusal
from quanmin.model.asker import Asker
from quanmin.services.preparedness.defaults import stockpile_template
from quanmin.services.preparedness.on_site import Institution, counties_seen, institutions
from quanmin.services.preparedness.scenario import Scenario
from quanmin.services.preparedness.stock_parts import Consumption, MonthCover, Reported
from quanmin.services.preparedness.stockpile import Stockpile
from quanmin.services.preparedness.stockpile_answer import Names, StockpileAnswer, answered, scenario_assumptions
from quanmin.services.preparedness.stores import EPOCH, LATE_DAYS, MEASURED_MONTHS, NONE, Stores, day_number, stores
from quanmin.services.preparedness.testing_answer import Assumption, spoken

LEAD_DAYS, PACK = 14.0, 1.0  # of an item that the template does not name (our own rule)
TELLING = 0.5  # units a day: of less, a month says little about use
LARGEST_ON_SITE = 60  # pairs of giver and taker up to which fewest transfers are proved, so that a page does not wait
COUNTED = "counted"


@dataclass(frozen=True)
class _Here:
    """What is counted within the scope: indices into the stores' facilities and items, and the institutions' yearly figures."""

    stores: Stores
    at: list[int]
    items: list[int]
    names: dict[str, str]
    has: dict[str, Institution]

    @property
    def codes(self) -> list[str]:
        """The facilities' codes."""
        return [self.stores.facilities[k] for k in self.at]

    def is_kept(self, measured: np.ndarray) -> np.ndarray:
        """Which items an institution should have: key ones, and those it ever counted or issued [institutions × items]; the others it does without."""
        is_key = np.array([self.stores.items[k] in rules()["key_items"] for k in self.items])
        ever = np.nan_to_num(self.stores.usable[:, self.at][:, :, self.items]).max(axis=0, initial=0.0) > 0
        return np.asarray(is_key[None, :] | ever | (measured > 0))


def has_counts(asker: Asker) -> bool:
    """Whether anybody in the region reports what is in store."""
    return stores(asker).known >= 0


def _activity(here: _Here, duty: float) -> list[dict[str, float]]:
    rows = [here.has.get(code) for code in here.codes]
    return [{} if row is None else {d: n for d, n in activity(row.has["technical_staff_count"], row.has["bed_count"], duty).items() if n > 0} for row in rows]


def _rates(here: _Here, active: list[dict[str, float]], load: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units a day [situations × institutions × items], needed by normal activity and measured: normal is what was issued, full load never less."""
    use, normal = [uses()[here.stores.items[k]] for k in here.items], rules()["normal"]
    full = np.array([[sum(amount * one.get(d, 0.0) for d, amount in of.items()) for of in use] for one in active]).reshape(len(active), len(use))
    needed = np.array([[sum(amount * one.get(d, 0.0) * normal.get(d, 1.0) for d, amount in of.items()) for of in use] for one in active]).reshape(full.shape)
    measured = here.stores.measured()[np.ix_(here.at, here.items)]
    is_kept = here.is_kept(measured)
    full, needed = np.where(is_kept, full, 0.0), np.where(is_kept, needed, 0.0)
    usual = np.where(np.isnan(measured), needed, measured)
    return np.stack([usual, np.fmax(full, measured), np.fmax(full * load, measured)]), needed, measured


def _places(known: list[int], size: int) -> np.ndarray:
    """Of each of `size` indices its place among those known, -1 where it is none of them."""
    found = np.full(size, -1, dtype=np.int64)
    found[known] = np.arange(len(known))
    return found


def _stockpile(here: _Here, scenario: Scenario, duty: float, load: float) -> tuple[Stockpile, np.ndarray]:
    """The stockpile of what was counted, and what normal activity would need [institutions × items]."""
    one, top = here.stores, scenario.of("")
    active = _activity(here, duty)
    rate, needed, measured = _rates(here, active, load)
    place, kind = (_places(known, size) for known, size in ((here.at, len(one.facilities)), (here.items, len(one.items))))
    lots = np.flatnonzero((place[one.lot_facility] >= 0) & (kind[one.lot_item] >= 0))
    expiry = one.lot_expiry[lots]
    left = np.where(expiry == NONE, math.inf, np.maximum(0.0, np.where(expiry == NONE, 0, expiry) - one.known + 1.0))
    told = {row["id"]: row for row in scenario.rows("item")}
    codes = [one.items[k] for k in here.items]
    situations = [row["id"] for row in scenario.rows("situation")]
    factors = {"normal": rules()["normal"], "surge": dict.fromkeys({d for row in active for d in row}, load)}

    def given(name: str, other: float) -> np.ndarray:
        return np.array([told[code][name] if code in told else other for code in codes], dtype=float)

    return Stockpile(
        EPOCH + timedelta(days=one.known), float(top["target_days"]), float(top["safety_days"]), tuple(situations), situations.index("full_load"),
        tuple(here.codes), tuple(codes), rate, place[one.lot_facility[lots]],
        kind[one.lot_item[lots]], one.lot_quantity[lots], left, tuple(str(name) for name in one.lot_names[lots]),
        np.zeros((len(here.at), len(codes))), given("lead_days", LEAD_DAYS), given("pack", PACK), given("price_cny", 0.0),
        tuple(uses()[code] for code in codes), tuple(active), tuple(factors.get(name, {}) for name in situations), measured), needed


def _here(asker: Asker, place: str) -> tuple[_Here, list[Institution]]:
    """What is counted of the institutions within the scope, and of which institutions counts are expected."""
    one, units, counties = stores(asker), asker.units("facility"), counties_seen(asker, place)
    expected = institutions(asker, counties)
    known = [k for k, code in enumerate(one.facilities) if code in units and units[code].county in counties]
    at = [k for k in known if one.counted[k] >= 0 and not one.is_late[k]]
    lots = np.isin(one.lot_facility, at)
    held, keys = set(one.lot_item[lots].tolist()), {one.items.index(item) for item in rules()["key_items"]}
    names = {code: unit.name for code, unit in units.items()}
    return _Here(one, at, sorted(held | keys), names, {row.code: row for row in expected}), expected


def _reported(here: _Here, expected: list[Institution], counties: list[str], units: dict[str, str]) -> tuple[Reported, ...]:
    """Every institution with beds, and every other that ever reported, the longest silent first."""
    one, rows = here.stores, []
    at = {code: k for k, code in enumerate(one.facilities) if units.get(code) in counties}
    lots = np.bincount(one.lot_facility, minlength=len(one.facilities)) if len(one.facilities) else np.zeros(0, dtype=int)
    for code in sorted(set(at) | {row.code for row in expected if row.has["bed_count"] > 0}):
        k = at.get(code, -1)
        if k < 0 or one.counted[k] < 0:
            rows.append(Reported(code, here.names.get(code, code), "", None, 0, "never"))
            continue
        day = (EPOCH + timedelta(days=int(one.counted[k]))).isoformat()
        rows.append(Reported(code, here.names.get(code, code), day, int(one.known - one.counted[k]), int(lots[k]), "late" if one.is_late[k] else "reported"))
    return tuple(sorted(rows, key=lambda row: (-(row.age_days if row.age_days is not None else 10**6), row.institution)))


def _consumption(one: Stockpile, names: Names, needed: np.ndarray) -> tuple[Consumption, ...]:
    """What was issued against what activity needs, the most out of line first."""
    measured, full, rows = one.measured, one.rate[one.judged], []
    assert measured is not None
    for i, k in zip(*np.nonzero(~np.isnan(measured) | (needed > 0)), strict=True):
        issued = None if np.isnan(measured[i, k]) else float(measured[i, k])
        ratio = 100 * issued / float(needed[i, k]) if issued is not None and needed[i, k] > 0 else None
        rows.append(Consumption(one.institutions[i], names.institutions[i], one.items[k], names.items[k], names.units[k], issued, float(needed[i, k]),
                                float(full[i, k]), ratio))
    return tuple(sorted(rows, key=_out_of_line))


def _out_of_line(row: Consumption) -> tuple[bool, float]:
    """The most out of line first, what is too little to tell last."""
    is_little = row.ratio is None or row.needed_per_day < TELLING
    return is_little, -abs(math.log(max(row.ratio, 1.0) / 100)) if row.ratio is not None else 0.0


def _months(here: _Here, one: Stockpile, names: Names) -> tuple[MonthCover, ...]:
    """Cover of the key items by month at today's full load, of those who reported in the month."""
    found, full = [], one.rate[one.judged]
    usable = here.stores.usable[:, here.at][:, :, here.items]
    for m, month in enumerate(here.stores.months):
        for k, item in enumerate(one.items):
            if item not in rules()["key_items"]:
                continue
            is_there = ~np.isnan(usable[m, :, k]) & (full[:, k] > 0)
            need, stock = full[is_there, k], usable[m, is_there, k]
            if not len(need):
                continue
            days = np.floor(stock / need + 1e-9)
            found.append(MonthCover(month, item, names.items[k], len(need), float(stock.sum() / need.sum()), float(days.min()),
                                    int((days < one.target_days).sum())))
    return tuple(found)


def _assumptions(duty: float) -> tuple[Assumption, ...]:
    """The rules that full load, use and lateness are worked out by."""
    own = say("prepared_own_rule")
    rows = (("on_duty_share", duty), ("full_beds", rules()["full_beds"]), ("measured_months", MEASURED_MONTHS), ("late_days", LATE_DAYS))
    return tuple(Assumption(name, f"{value:g}", own, "own") for name, value in rows)


def counted_answer(asker: Asker, place: str, duty: float, load: float, target: float | None) -> StockpileAnswer:
    """Judge what was counted within the scope; raises Refusal where no institution of it has reported lately."""
    here, expected = _here(asker, place)
    if not here.at:
        raise Refusal(Problem("preparedness", None, "place", place, say("prepared_no_count"), say("prepared_mend_count")))
    scenario = stockpile_template(target, EPOCH + timedelta(days=here.stores.known))
    one, needed = _stockpile(here, scenario, duty, load)
    labels = {row["id"]: spoken(row["name"], row["id"]) for row in scenario.rows("situation")}
    names = Names([labels[name] for name in one.situations], [here.names[code] for code in one.institutions],
                  [spoken(quantities()[item].label, item) for item in one.items], [unit_in(quantities()[item].unit, language()) for item in one.items])
    counties = counties_seen(asker, place)
    units = {code: unit.county for code, unit in asker.units("facility").items()}
    assumed = scenario_assumptions(scenario, names.situations[one.judged]) + _assumptions(duty)
    answer = answered(one, names, spoken(scenario.label, "stockpile"), assumed, largest=LARGEST_ON_SITE)
    return replace(answer, source=COUNTED, age_days=day_number(asker.today()) - here.stores.known, reported=_reported(here, expected, counties, units),
                   consumption=_consumption(one, names, needed), months=_months(here, one, names))
