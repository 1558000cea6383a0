"""Stockpiles: the WHO tool's worked example week by week, days of cover, first expired first out against a day-by-day loop, and the fewest transfers."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.catalog.supplies import quantities
from quanmin.model import Refusal
from quanmin.services.preparedness.esft import Forecast, Setting, forecast
from quanmin.services.preparedness.rotation import rescued, rotated, usable_stock
from quanmin.services.preparedness.scenario import checked, template
from quanmin.services.preparedness.stockpile import PARTS, Stockpile, days_of_cover, orders, stockpile_of
from quanmin.services.preparedness.stockpile_answer import stockpile_answer
from quanmin.services.preparedness.transfers import common_level, transfers

REFERENCE = Path(__file__).with_name("reference")
ITEMS = {"gown": "Gown, protective", "scrubs_top": "Scrubs, tops", "scrubs_pants": "Scrubs, pants", "apron": "Apron, disposable",
         "gloves": "Gloves, examination",
         "surgical_gloves": "Gloves, surgical", "goggles": "Goggles, protective", "face_shield": "Face shield", "respirator": "Respirator",
         "mask_staff": "Mask, medical / surgical for healthworker", "mask_patient": "Mask, medical / surgical for patient"}


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def example() -> Forecast:
    weeks: dict[date, int] = {}
    for row in rows("input_daily_cases.csv"):
        day = date.fromisoformat(row["Date_reported"])
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, 0) + int(row["New_cases"])
    setting = Setting(severe_beds=2052, critical_beds=108, staff_cap=1869.768, cleaners_cap=2436.07799017589, screening_cap=290.232, lab_technicians=14,
                      lab_cleaners=5)
    return forecast(list(weeks.values()), setting, list(weeks).index(date(2022, 1, 3)))


@pytest.mark.parametrize(("part", "kind", "field"), [
    ("in_care", "critical", "crit_patients_nocap"), ("in_care", "severe", "sev_patients_nocap"), ("in_care", "moderate", "mod_patients_nocap"),
    ("in_care", "mild", "mild_patients_nocap"), ("beds_in_use", "critical", "crit_beds_inuse"), ("beds_in_use", "severe", "sev_beds_inuse"),
    ("admitted", "critical", "crit_patients_admitted_cap"), ("admitted", "severe", "sev_patients_admitted_cap"),
    ("discharged", "critical", "discharged_crit_patients"), ("discharged", "severe", "discharged_sev_patients")])
def test_patients_by_week_are_the_who_tools(example: Forecast, part: str, kind: str, field: str) -> None:
    assert getattr(example, part)[kind] == pytest.approx([float(row[field]) for row in rows("patients_weekly.csv")], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("kind", "file", "field"), [
    ("hcw", "hcws_weekly.csv", "hcws_inpatient_capped"), ("cleaner", "hcws_weekly.csv", "cleaners_inpatient_capped"),
    ("ambulance_worker", "hcws_weekly.csv", "amb_personnel_inpatient_capped"), ("engineer", "hcws_weekly.csv", "bio_eng_inpatient_capped"),
    ("screening_hcw", "screening_hcws.csv", "screening_hcw_capped")])
def test_staff_by_week_are_the_who_tools(example: Forecast, kind: str, file: str, field: str) -> None:
    assert example.staff[kind] == pytest.approx([float(row[field]) for row in rows(file)], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("item", ITEMS)
def test_protective_equipment_by_week_is_the_who_tools(example: Forecast, item: str) -> None:
    wanted = [float(row["total_amount"]) for row in rows("ppe_weekly.csv") if row["item"] == ITEMS[item]]
    assert len(wanted) == 12 and example.use[item] == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert quantities()[item].label.zh and quantities()[item].unit


def test_thirty_days_of_respirators() -> None:
    """The reference's example: 42,000 for 350 on duty at 4 a day."""
    assert days_of_cover(np.array(42_000.0), np.array(350 * 4.0)) == 30
    cover = next(row for row in stockpile_answer(checked("stockpile", PARTS, template("stockpile"), "x")).cover
                 if (row.situation, row.institution, row.item) == ("full_load", "county_hospital", "respirator"))
    assert (cover.stock, cover.per_day, cover.days, cover.sum) == (42_000, 1400, 30, "42,000 ÷ (350 × 4)")
    assert np.isinf(days_of_cover(np.array(5.0), np.array(0.0)))


def one_item(rate: list[float], lots: list[tuple[int, int, int]], target: float = 30) -> Stockpile:
    """Institutions with a daily use, and lots (institution, quantity, last usable day)."""
    data = template("stockpile") | {"target_days": target, "on_order": []}
    data["institution"] = [{"id": f"i{at}", "activity": {"hcw": use}} for at, use in enumerate(rate)]
    data["item"] = [{"id": "thing", "use": {"hcw": 1}, "pack": 10, "lead_days": 7, "price_cny": 2}]
    day = data["as_of"]
    data["stock"] = [{"institution": f"i{at}", "item": "thing", "quantity": quantity, "expires_on": day + timedelta(days=until)} for at, quantity,
                     until in lots]
    return stockpile_of(checked("stockpile", PARTS, data, "x"))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.lists(st.tuples(st.just(0), st.integers(1, 60), st.integers(-3, 40)), max_size=6))
def test_first_expired_first_out_is_the_day_by_day_loop(use: int, lots: list[tuple[int, int, int]]) -> None:
    one = one_item([use], lots)
    found = rotated(one, one.judged)
    left, expiry, lasted = [float(quantity) for _, quantity, _ in lots], [until for _, _, until in lots], 0.0
    for day in range(200):
        wanted = float(use)
        for at in sorted(range(len(lots)), key=lambda lot: (expiry[lot], lot)):
            if expiry[at] >= day and wanted > 0:
                taken = min(left[at], wanted)
                left[at], wanted = left[at] - taken, wanted - taken
        lasted += (use - wanted) / use
        if wanted > 0:
            break
    assert found.cover[0, 0] == pytest.approx(lasted, abs=1e-6) or abs(found.cover[0, 0] - lasted) <= 1.0
    assert np.all(found.used + found.expired == pytest.approx(one.lot_quantity)) and found.used.sum() <= use * found.cover[0, 0] + 1e-6
    assert usable_stock(one, one.judged, found)[0, 0] == pytest.approx(found.used.sum())


def test_a_lot_that_would_expire_goes_to_who_can_use_it() -> None:
    one = one_item([1, 20], [(0, 500, 9), (1, 60, 4), (1, 1000, 90)])
    found = rotated(one, one.judged)
    assert found.expired.tolist() == [490, 0, 0]
    [plan] = rescued(one, one.judged, found)
    assert (plan.lot, plan.taker, plan.quantity) == (0, 1, 20 * 10 - 60), "ten days of its use, less its own lot that expires before"


def fewest_by_trying(stock: np.ndarray, rate: np.ndarray, target: float) -> int:
    """Every set of pairs, the smallest first, until the missing can flow over it (a greedy flow over few pairs, tried in all orders of takers)."""
    from scipy.optimize import linprog

    level = common_level(stock, rate, target)
    spare, missing = np.maximum(stock - level * rate, 0), np.maximum(level * rate - stock, 0)
    pairs = [(g, t) for g in np.nonzero(spare > 1e-9)[0] for t in np.nonzero(missing > 1e-9)[0]]
    for count in range(len(pairs) + 1):
        for chosen in combinations(pairs, count):
            if not missing.any():
                return 0
            if not chosen:
                continue
            give = [[float(g == who) for g, _ in chosen] for who in range(len(stock))]
            take = [[-float(t == who) for _, t in chosen] for who in range(len(stock))]
            if linprog(np.zeros(count), A_ub=give + take, b_ub=np.concatenate([spare + 1e-7, -missing + 1e-7]), bounds=(0, None)).status == 0:
                return count
    return 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), min_size=2, max_size=5))
def test_transfers_are_the_fewest_that_lift_everybody(places: list[tuple[int, int]]) -> None:
    stock, rate = (np.array(values, dtype=float) for values in zip(*places, strict=True))
    plan, after = transfers(stock, rate, 30.0), stock.copy()
    for move in plan.transfers:
        after[move.giver] -= move.quantity
        after[move.taker] += move.quantity
    assert after.sum() == pytest.approx(stock.sum()) and (after >= -1e-6).all()
    assert plan.level_days == pytest.approx(min(30.0, stock.sum() / rate.sum()))
    assert (after >= plan.level_days * rate * (1 - 1e-6) - 1e-6).all()
    assert plan.is_proved and len(plan.transfers) == plan.fewest == fewest_by_trying(stock, rate, 30.0)


def test_orders_keep_the_target_until_they_come() -> None:
    one = one_item([10, 10], [(0, 1000, 900), (1, 100, 900)])
    found = orders(one, one.judged, one.stock)
    [order] = found
    assert (order.institution, order.quantity, order.cny) == ("i1", 270, 540), "37 days of 10 less 100, in packs of ten"
    assert order.is_late and order.by == one.as_of, "ten days of cover, seven of delivery, seven of safety"


def test_the_template_is_judged_whole() -> None:
    answer = stockpile_answer(checked("stockpile", PARTS, template("stockpile"), "x"))
    assert len(answer.cover) == 3 * 4 * 6 and answer.expiring_count == 3 and answer.least_days == 6
    assert {level.is_proved for level in answer.levels} == {True} and all(level.common_days <= 30 for level in answer.levels)
    gowns = next(level for level in answer.levels if level.item == "gown")
    assert gowns.common_days == 30 and sum(move.item == "gown" for move in answer.moves) == gowns.transfers
    saved = sum(row.quantity for row in answer.rescues)
    assert 0 < saved <= sum(lot.expired for lot in answer.lots)


@pytest.mark.parametrize(("part", "row", "named"), [
    ("stock", {"institution": "nobody", "item": "gown", "quantity": 1}, "institution"),
    ("stock", {"institution": "tcm_hospital", "item": "x", "quantity": 1}, "item"),
    ("institution", {"id": "new", "activity": {"wizard": 3}}, "activity"), ("item", {"id": "unheard_of"}, "use")])
def test_what_is_not_there_is_named(part: str, row: dict[str, Any], named: str, english: None) -> None:
    data = template("stockpile")
    data[part] = [*data[part], row]
    with pytest.raises(Refusal, match=rf"{part}\[\d+\].{named}"):
        stockpile_of(checked("stockpile", PARTS, data, "x"))
