"""What a wave takes: conserved against its own course, tests against laboratories, quantities by hand, and stocks of the same items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quanmin.model import Refusal
from quanmin.services.preparedness import stockpile as stocks
from quanmin.services.preparedness.case_management import medicines
from quanmin.services.preparedness.scenario import Scenario, checked, template
from quanmin.services.preparedness.stock_items import stock_items
from quanmin.services.preparedness.stockpile import days_of_cover, stockpile_of
from quanmin.services.preparedness.surge import PARTS, Surge, surge, wave_of
from quanmin.services.preparedness.surge_answer import surge_answer
from quanmin.services.preparedness.wave_supplies import wave_supplies, weeks_of

FIELDS = ("diagnosis", "release", "moderate", "mild", "suspected", "contacts", "staff")


def scenario(name: str = "surge", **testing: Any) -> Scenario:
    data = template(name)
    data["testing"] |= testing
    return checked("surge", PARTS, data, "x")


@pytest.fixture(scope="module")
def wave() -> Surge:
    return surge(wave_of(scenario()))


def test_weeks_hold_the_whole_wave(wave: Surge) -> None:
    found = weeks_of(wave, 0.5)
    for name, of in (("severe", "ward"), ("critical", "icu")):
        assert found.admitted[name].sum() == pytest.approx(wave.admitted[of].sum()) and found.bed_days[name].sum() == wave.need[of].sum()
        assert found.fullest[name].max() == wave.need[of].sum(axis=1).max()
        stay = wave.wave.stays[of]
        assert found.discharged[name].sum() == pytest.approx(wave.admitted[of][:-stay].sum()), "who came in the last stay is still there"
    outpatients = (found.new["mild"] + found.new["moderate"]).sum()
    assert outpatients == pytest.approx(wave.new_cases.sum() * (0.3 - 0.025 - 0.0075)) and found.new["mild"] == pytest.approx(found.new["moderate"])


def test_tests_are_the_sum_of_their_parts_and_capped(wave: Surge) -> None:
    tests, _ = wave_supplies(wave, scenario())
    able = 5 * (0.5 * (384 + 94 + 10 * 8) + 188 * 10)  # the template's instruments, a shift a day, five days a week, half of the automatic for the disease
    for row in tests:
        assert row.wanted == pytest.approx(sum(getattr(row, name) for name in FIELDS)) and row.capacity == able
        assert row.done == min(row.wanted, able) and row.suspected == pytest.approx(10 * row.cases)
        assert row.share == pytest.approx(row.done / row.wanted)
    peak = max(tests, key=lambda row: row.wanted)
    assert peak.wanted > able and tests[0].wanted < able


def test_capacity_is_what_is_reported(wave: Surge) -> None:
    data = template("surge")
    for row, tubes in zip(data["county"], (300, 200, None), strict=True):
        row.pop("instruments")
        row["tests_per_day"] = tubes
    reported, kits = wave_supplies(wave, checked("surge", PARTS, data, "x"))
    assert {row.capacity for row in reported} == {3500.0}
    of = {row.item: np.array(row.by_week) for row in kits if row.group == "test"}
    assert set(of) == {"swab", "kit_pcr", "antigen_test"}
    assert of["kit_pcr"] == pytest.approx(0.8 * of["swab"]) and of["antigen_test"] == pytest.approx(0.2 * of["swab"])
    for row in data["county"]:
        row.pop("tests_per_day")
    unknown, kits = wave_supplies(wave, checked("surge", PARTS, data, "x"))
    assert {(row.capacity, row.done, row.share) for row in unknown} == {(None, None, None)}
    assert next(row.total for row in kits if row.item == "swab") == pytest.approx(sum(row.wanted for row in unknown)), "uncapped where nothing is known"


def test_kits_share_out_all_tests(wave: Surge) -> None:
    _, rows = wave_supplies(wave, scenario())
    of = {row.item: row.total for row in rows if row.group == "test"}
    assert sum(total for item, total in of.items() if item != "swab") == pytest.approx(of["swab"])
    assert of["kit_manual"] / of["kit_high_throughput"] == pytest.approx(188 * 10 / (0.5 * (384 + 94)))


def test_supplies_are_quantities_times_patients(wave: Surge) -> None:
    weeks = weeks_of(wave, 0.5)
    rows = {row.item: row for row in wave_supplies(wave, scenario())[1]}
    severe, critical = weeks.admitted["severe"], weeks.admitted["critical"]
    assert rows["reservoir_mask"].by_week == pytest.approx(np.ceil(severe * 2 / 3 - 1e-9))
    assert rows["ventilator"].total == np.ceil(weeks.fullest["critical"].max() * 0.67), "as many as the fullest day takes, got once"
    assert rows["dexamethasone_injection_4_mg_ml_1_ml"].by_week == pytest.approx(15 * critical + 6 * severe)
    for row in rows.values():
        assert row.total == pytest.approx(sum(row.by_week)) and row.by_week[row.peak_week - 1] == row.peak_amount == max(row.by_week) > 0
    assert {row.group for row in rows.values()} == {"test", "protective", "equipment", "consumable", "medicine"}


def test_influenza_takes_no_medicines_for_covid() -> None:
    items = {row.item for row in surge_answer(scenario("surge_influenza")).supplies}
    assert not items & {name for name, one in medicines().items() if one.is_for_covid} and "oseltamivir_capsule_75_mg" in items
    assert "molnupiravir_800_mg" in {row.item for row in surge_answer(scenario()).supplies}


def test_fewer_tested_are_fewer_tests_and_as_many_medicines(wave: Surge) -> None:
    every, targeted = (wave_supplies(wave, scenario(tested_share=share)) for share in (1, 0.1))
    assert all(few.suspected == pytest.approx(0.1 * one.suspected) and few.diagnosis == one.diagnosis for one, few in zip(every[0], targeted[0], strict=True))
    drugs = [{row.item: row.total for row in rows if row.group == "medicine"} for _, rows in (every, targeted)]
    assert drugs[0] == drugs[1]


def test_what_cannot_be_is_refused() -> None:
    for wrong in ({"antigen_share": 0.9}, {"tested_share": -1}, {"is_covid": "yes"}):
        with pytest.raises(Refusal, match=next(iter(wrong))):
            scenario(**wrong)
    data = template("surge")
    data["county"][0]["instruments"] = {"abacus": 1}
    with pytest.raises(Refusal, match="instruments"):
        checked("surge", PARTS, data, "x")


def test_stocks_of_consumables_and_medicines_last_by_patients() -> None:
    """420 of a mask at 9 severe admissions a day, two thirds of one each: 70 days; 150 ampoules at 1 critical (15) and 2 severe (6 each): 5 days."""
    data = template("stockpile")
    data["institution"] = [{"id": "one", "activity": {"severe_admission": 9}}, {"id": "two", "activity": {"critical_admission": 1, "severe_admission": 2}}]
    data["item"] = [{"id": "reservoir_mask"}, {"id": "dexamethasone_injection_4_mg_ml_1_ml"}]
    data["stock"] = [{"institution": "one", "item": "reservoir_mask", "quantity": 420},
                     {"institution": "two", "item": "dexamethasone_injection_4_mg_ml_1_ml", "quantity": 150}]
    data["on_order"] = []
    one = stockpile_of(checked(stocks.KIND, stocks.PARTS, data, "x"))
    full = one.situations.index("full_load")
    cover = days_of_cover(one.stock, one.rate[full])
    assert cover[0, 0] == 70 and cover[1, 1] == 5
    assert "ventilator" not in stock_items() and "cricothyrotomy_set" in stock_items()
