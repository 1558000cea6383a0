"""Mass testing: equal to the reference vectors, never before its bound, equal to it when fluid, nobody lost, and advice that holds when followed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.model import Refusal
from quanmin.services.preparedness.campaign import PARTS, Campaign, campaign_of, hourly_capacity
from quanmin.services.preparedness.mass_testing import assigned, bound, conserved, sampling_bound, simulate
from quanmin.services.preparedness.scenario import checked, template
from quanmin.services.preparedness.testing_advice import judged, mends, worths

VECTORS = json.loads(Path(__file__).with_name("reference").joinpath("mass_testing_vectors.json").read_text("utf-8"))
COSTS = {"sampler_day_cny": 600.0, "point_day_cny": 800.0, "vehicle_day_cny": 1200.0, "lab_tube_cny": 30.0}
UNCHANGED = {"positive_share": 0.0, "vehicle_tubes": 1000, "every_hours": 1, "assay_hours": 6, "recall_hours": 4}


def plain(people: float, samplers: float, rate: float, hours: int, pool: int, tubes: float, **more: Any) -> Campaign:
    """One area and one laboratory; of the vectors only the sum of transport and assay, eight hours, is known."""
    one = Campaign(("a",), ("l",), np.array([float(people)]), np.array([float(samplers)]), np.array([float(samplers)]), np.array([0]), np.array([[2]]),
                   np.full((1, 24), float(tubes)), rate, hours, hours, 1, 1, pool, **UNCHANGED)
    return replace(one, **more)


@pytest.mark.parametrize("is_fluid", [True, False])
@pytest.mark.parametrize("case", VECTORS["campaign_fluid"]["cases"], ids=lambda case: f"{case['pop']}-{case['samplers']}-{case['pool']}")
def test_campaigns_end_when_the_reference_says(case: dict[str, float], is_fluid: bool) -> None:
    one = plain(case["pop"], case["samplers"], case["rate"], int(case["hours"]), int(case["pool"]), case["tubes_per_h"], is_fluid=is_fluid)
    found = simulate(one)
    assert (found.sampling_done_hour, found.results_done_hour) == (case["sampling_done_h"], case["results_done_h"])
    assert bound(one) == case["results_done_h"] and sampling_bound(one).max() == case["sampling_done_h"]


@st.composite
def campaigns(draw: st.DrawFn, is_fluid: bool = False) -> Campaign:
    areas, labs = draw(st.integers(1, 4)), 1 if is_fluid else draw(st.integers(1, 4))

    def some(low: int, high: int, count: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    capacity = np.zeros((labs, 24))
    for lab in range(labs):
        opens, hours = draw(st.integers(0, 23)), draw(st.integers(4, 24))
        capacity[lab, (opens + np.arange(hours)) % 24] = draw(st.floats(3, 400))
    return Campaign(
        tuple(f"a{i}" for i in range(areas)), tuple(f"l{i}" for i in range(labs)), some(0, 9000, areas).astype(float), some(1, 12, areas).astype(float),
        some(1, 20, areas).astype(float), np.zeros(areas, dtype=int) if is_fluid else some(0, 3, areas), some(0, 6, areas * labs).reshape(areas, labs),
        capacity,
        draw(st.floats(20, 200)), draw(st.integers(2, 24)), draw(st.sampled_from([4, 6, 24])), draw(st.sampled_from([1, 2])), 1, draw(st.integers(1, 20)),
        0.0 if is_fluid else draw(st.sampled_from([0.0, 0.001, 0.02])), 1000 if is_fluid else draw(st.sampled_from([20, 300, 5000])),
        1 if is_fluid else draw(st.integers(1, 5)), draw(st.integers(0, 8)), draw(st.integers(0, 6)), 40, is_fluid)


@settings(max_examples=60, deadline=None)
@given(campaigns())
def test_no_campaign_ends_before_its_bound_and_nobody_is_lost(one: Campaign) -> None:
    found = simulate(one)
    counts = conserved(one, found)
    assert counts["tested"] <= counts["left"] <= counts["made"]
    assert np.all(np.diff(found.hours.sampled) >= 0) and np.all(found.hours.resulted <= found.hours.sampled + 1e-6)
    if found.results_done_hour is None:
        return
    assert found.results_done_hour >= bound(one) and found.sampling_done_hour >= sampling_bound(one).max()
    assert counts["sampled"] == counts["people"] == one.people.sum()
    assert counts["made"] == counts["left"] == counts["tested"] and counts["again"] == counts["retests"]
    assert counts["made"] >= math.ceil(one.tubes - 1e-9) and found.lab_tubes.sum() == counts["tested"] + counts["again"]


@settings(max_examples=60, deadline=None)
@given(campaigns(is_fluid=True))
def test_a_fluid_campaign_ends_at_its_bound(one: Campaign) -> None:
    found = simulate(one)
    assert (math.inf if found.results_done_hour is None else found.results_done_hour) == bound(one)


def test_the_bound_is_the_slow_obvious_one() -> None:
    """One person and tube after the other, in a loop: a tube made in an hour may be tested in the hour it arrives, first come first served."""
    one = plain(1730, 3, 20, 5, 4, 11.0, is_fluid=False)
    arrives, people, hour, sampled, queue, tested = [0] * 400, 1730, 0, 0, 0, 0
    while tested < math.ceil(1730 / 4):
        if hour % 24 < 5 and people:
            come = min(people, 60)
            people -= come
            arrives[hour + 2] += math.ceil(come / 4)  # 60 fill fifteen; the last 50 need one more that is not full
            sampled = hour + 1
        queue += arrives[hour]
        done = min(queue, 11)
        queue, tested, hour = queue - done, tested + done, hour + 1
    found = simulate(one)
    assert (found.sampling_done_hour, found.results_done_hour, found.tubes) == (sampled, hour + 6, 433)
    assert bound(one) in (hour + 5, hour + 6)


def test_vehicles_hold_up_what_they_cannot_carry() -> None:
    free = plain(12_000, 20, 100, 12, 10, 500)
    held = replace(free, vehicles=np.array([1]), vehicle_tubes=100)
    first, second = simulate(free), simulate(held)
    assert second.results_done_hour > first.results_done_hour and second.tubes == first.tubes == 1200
    trips = math.ceil(1200 / 100)
    assert second.results_done_hour == (trips - 1) * 4 + 2 + 1 + 6, "a trip there and back takes four hours; the last tubes are tested on arrival"


def test_positive_pools_come_back_as_single_tubes() -> None:
    one = plain(10_000, 100, 100, 12, 10, 400, positive_share=0.01)
    found = simulate(one)
    assert found.retests == 10 * math.floor(1000 * (1 - 0.99**10))
    assert found.results_done_hour > simulate(replace(one, positive_share=0.0)).results_done_hour
    assert found.lab_tubes.sum() == 1000 + found.retests


def test_tubes_are_spread_so_that_laboratories_end_together() -> None:
    one = replace(plain(90_000, 100, 100, 12, 10, 1), labs=("big", "small"), lag=np.array([[2, 2]]),
                  capacity=np.vstack([np.full(24, 200.0), np.full(24, 100.0)]))
    share = assigned(one)
    assert share == pytest.approx(np.array([[2 / 3, 1 / 3]]), abs=1e-6)
    near = replace(one, areas=("a", "b"), people=np.array([30_000.0, 30_000.0]), points=np.array([50.0, 50.0]), staff=np.array([50.0, 50.0]),
                   vehicles=np.array([0, 0]), lag=np.array([[1, 9], [9, 1]]), capacity=np.full((2, 24), 200.0))
    assert assigned(near) == pytest.approx(np.eye(2), abs=1e-6), "of plans that end at the same time the nearer one"
    found = simulate(one)
    assert found.lab_tubes == pytest.approx([6000, 3000], abs=1)


def scenario(**changes: Any) -> Campaign:
    data = template("mass_testing")
    data["sampling"] |= changes
    return campaign_of(checked("mass_testing", PARTS, data, "x"))


def test_the_bottleneck_is_what_gains_most_without_limit() -> None:
    verdict = judged(scenario(), [2, 3, 5])
    assert verdict.bottleneck == "laboratory" and verdict.deadlines == {2: False, 3: False, 5: True}
    assert verdict.stage_hours["laboratory"] < min(verdict.stage_hours["sampling"], verdict.stage_hours["transport"])
    slow = judged(scenario().scaled(teams=0.15, lab=4), [5])
    assert slow.bottleneck == "sampling" and slow.load_hours["sampling"] > slow.load_hours["laboratory"]


def test_advice_that_is_followed_makes_the_deadline_and_less_does_not() -> None:
    one = scenario()
    verdict = judged(one, [2, 3, 5])
    found = mends(one, verdict, COSTS)
    lab = next(mend for mend in found if mend.deadline_days == 3 and mend.resource == "lab")
    assert lab.factor is not None and found[0].deadline_days == 2 and found[0].resource == "teams_and_lab"
    assert simulate(one.scaled(lab=lab.factor), verdict.share).results_done_hour <= 72
    assert simulate(one.scaled(lab=lab.factor * 0.95), verdict.share).results_done_hour > 72
    assert lab.cny == pytest.approx((lab.factor - 1) * one.capacity.sum() * COSTS["lab_tube_cny"] * 3)
    both = found[0]
    assert simulate(one.scaled(lab=both.lab_factor).scaled(teams=both.factor), verdict.share).results_done_hour <= 48
    assert {mend.factor for mend in found if mend.resource == "vehicles"} == {None}
    best = worths(one, verdict, COSTS)[0]
    assert best.resource == "lab" and best.gained_hours == verdict.simulated.results_done_hour - simulate(one.scaled(lab=1.1), verdict.share).results_done_hour


def test_points_and_samplers_follow_the_rule_of_the_guide() -> None:
    """Sites = people ÷ 3,000 to ÷ 2,000 as cities published them, and samplers = people ÷ 360."""
    for city in VECTORS["sizing_rule"]["published_checks"]:
        people = city["pop_used"]
        for per_point, published in ((3000, city["published_sites_wan"][0]), (2000, city["published_sites_wan"][1])):
            data = template("mass_testing")
            data["sampling"] |= {"people_per_point": per_point}
            data["area"] = [{"id": "city", "population": people}]
            one = campaign_of(checked("mass_testing", PARTS, data, "x"))
            assert one.points.sum() / 1e4 == pytest.approx(published, abs=0.05)
            assert one.staff.sum() == city["formula_samplers"] or one.staff.sum() == city["formula_samplers"] + 1


def test_instruments_give_what_their_table_says() -> None:
    assert hourly_capacity({"roche_6800": 2, "manual_pcr": 1}, 8) * 8 == 2 * 384 + 188
    assert hourly_capacity({"roche_8800": 1}, 24) * 24 == 3072 and hourly_capacity({"genexpert_module": 8}, 16) * 16 == 168
    assert hourly_capacity({"roche_6800": 1}, 12) * 12 == (384 + 768) / 2


def test_nobody_and_nothing() -> None:
    assert simulate(plain(0, 5, 50, 8, 10, 10)).results_done_hour == 0 == bound(plain(0, 5, 50, 8, 10, 10))
    stuck = plain(500, 0, 50, 8, 10, 10, most_days=3)
    assert simulate(stuck).sampling_done_hour is None and math.isinf(bound(stuck)) and math.isinf(sampling_bound(stuck).max())
    shut = plain(500, 5, 50, 8, 10, 0, most_days=3)
    assert simulate(shut).results_done_hour is None and judged(shut, [2]).bottleneck == "laboratory"


def test_rates_have_words_and_laboratories_a_capacity() -> None:
    assert [scenario(rate_per_table_hour=word).rate for word in ("low", "normal", "optimised")] == [60, 100, 200]
    for lab, named in (({"id": "x"}, r"lab\[0\]"), ({"id": "x", "instruments": {"magic": 1}}, "instruments")):
        with pytest.raises(Refusal, match=named):
            campaign_of(checked("mass_testing", PARTS, template("mass_testing") | {"lab": [lab]}, "x"))


def test_a_scenario_needs_an_area() -> None:
    data = template("mass_testing") | {"area": []}
    with pytest.raises(Refusal, match="area"):
        checked("mass_testing", PARTS, data, "x")
