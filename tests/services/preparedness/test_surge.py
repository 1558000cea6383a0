"""Epidemics and a surge: CHIME's reference run bit for bit, people conserved, a plain loop for SEIR, and shortages where the sums say so."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.model import Refusal
from quanmin.services.preparedness.epidemic import Chime, census, chime, seir
from quanmin.services.preparedness.scenario import checked, template, template_names
from quanmin.services.preparedness.surge import CLASSES, PARTS, Surge, bottleneck, surge, surge_swings, wave_of
from quanmin.services.preparedness.surge_answer import by_day, surge_answer

REFERENCE = Path(__file__).with_name("reference")
CHIME = Chime(4119405, 14, 0.15, 4.0, 14, 0.3, 60, {"hospitalised": 0.025, "icu": 0.0075, "ventilated": 0.005},
              {"hospitalised": 7, "icu": 9, "ventilated": 10})
THEIRS = {"hospitalised": "hospitalized", "icu": "icu", "ventilated": "ventilated"}


def column(name: str, field: str) -> np.ndarray:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        return np.array([float(row[field]) if row[field] else np.nan for row in csv.DictReader(stream)])


def test_sir_is_chimes_bit_for_bit() -> None:
    course, admitted, beds = chime(CHIME)
    assert course.first_day == -4 and len(course.infected) == 65
    for name in ("susceptible", "infected", "recovered"):
        assert np.array_equal(getattr(course, name), column("sim_sir_w_date.csv", name)), name
    for name, theirs in THEIRS.items():
        for ours, file, field in ((admitted, "projected_admits.csv", f"admits_{theirs}"), (beds, "projected_census.csv", f"census_{theirs}")):
            wanted = column(file, field)
            is_told = np.isfinite(wanted)  # the reference leaves its last days open
            assert is_told.sum() >= 50 and np.array_equal(ours[name][is_told], wanted[is_told]), field


def test_the_census_is_who_came_and_has_not_left() -> None:
    admitted = np.array([np.nan, 3, 1, 4, 1, 5, 9, 2, 6])
    slow = [np.nan] + [sum(admitted[max(1, day - 2):day + 1]) for day in range(1, 9)]
    assert census(admitted, 3)[1:].tolist() == slow[1:] and np.isnan(census(admitted, 3)[0])
    assert census(admitted, 100)[-1] == 31


def test_seir_is_the_plain_loop() -> None:
    s, e, i, r = 9_900.0, 60.0, 40.0, 0.0
    for _ in range(50):
        caught, ripe, gone = 2.2 / 5 * i / 10_000 * s, e / 3, i / 5
        s, e, i, r = s - caught, e + caught - ripe, i + ripe - gone, r + gone
    found = seir([10_000], [60], [40], np.full(50, 2.2), 3, 5)
    assert [float(part[-1, 0]) for part in (found.susceptible, found.exposed, found.infected, found.recovered)] == pytest.approx([s, e, i, r], rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(100, 10**6), st.floats(0, 0.1), st.floats(0, 0.1)), min_size=1, max_size=5), st.floats(0.1, 8), st.floats(0, 12),
       st.floats(1, 20), st.floats(0, 1), st.floats(0, 0.8))
def test_people_are_conserved(places: list[tuple[int, float, float]], strength: float, latent: float, infectious: float, mixing: float, immune: float) -> None:
    people = np.array([n for n, _, _ in places], dtype=float)
    found = seir(people, [n * share for n, share, _ in places], [n * share for n, _, share in places], np.full(120, strength), latent, infectious, mixing,
                 immune)
    for part in (found.susceptible, found.exposed, found.infected, found.recovered):
        assert (part >= -1e-6).all()
    total = found.susceptible + found.exposed + found.infected + found.recovered
    assert np.allclose(total, people, rtol=1e-9) and (np.diff(found.ever_infected, axis=0) >= -1e-6 * people.max()).all()


def test_the_final_size_is_the_known_one() -> None:
    """Of a closed SIR epidemic the share z ever infected solves z = 1 - exp(-R z) (Kermack and McKendrick), as days grow short against the infection."""
    found = seir([1e6], [0], [1], np.full(6000, 1.8), 0, 60)
    z = float(found.recovered[-1, 0] + found.infected[-1, 0]) / 1e6
    assert z == pytest.approx(1 - np.exp(-1.8 * z), abs=2e-3) and 0.7 < z < 0.75


def run(name: str = "surge", **disease: Any) -> Surge:
    data = template(name)
    data["disease"] |= disease
    return surge(wave_of(checked("surge", PARTS, data, "x")))


@pytest.mark.parametrize("name", ["surge", "surge_influenza"])
def test_what_is_short_is_short_from_its_first_day(name: str) -> None:
    assert name in template_names("surge")
    found = run(name)
    for of in CLASSES:
        gap = found.short(of)
        for at, first in enumerate(found.first_day[of]):
            assert (gap[:, at] > 0).any() == (first is not None)
            if first is not None:
                assert gap[first, at] > 0 and not gap[:first, at].any()
    of = bottleneck(found)
    days = [day for each in CLASSES for day in found.first_day[each] if day is not None]
    assert of is not None and min(day for day in found.first_day[of] if day is not None) == min(days)


def test_beds_and_oxygen_follow_from_admissions() -> None:
    found = run()
    cases = found.new_cases[:, 0] * 0.025
    day = 140
    assert found.need["ward"][day, 0] == np.floor(sum(cases[day - 5 - 6:day - 4]) + 0.5), "five days to the ward, seven days in it"
    ward, icu, vent = (found.need[of][day, 1] for of in ("ward", "icu", "ventilator"))
    assert found.need["oxygen"][day, 1] == pytest.approx((ward * 0.5 * 10 + (icu - vent) * 30 + vent * 30) * 1440 / 1000)
    assert found.need["nurse"][day, 1] == np.ceil((ward * 8.64 + icu * 15.53) / 8)
    assert found.supply["ward"][20, 0] == 900 and found.supply["ward"][21, 0] == 1500, "convertible beds from day 21"


def test_more_ill_than_people_are_refused() -> None:
    data = template("surge")
    data["county"][1]["infected"] = 450_001
    with pytest.raises(Refusal, match=r"county\[1\]"):
        wave_of(checked("surge", PARTS, data, "x"))


def test_fewer_contacts_and_more_beds_never_hurt() -> None:
    base = run()
    for changed in (run(contact_reduction=0.4), run(reproduction=2.2), run(icu_days=7)):
        assert changed.short("icu").max() <= base.short("icu").max()
    swings = {one.parameter: (one.low, one.high) for one in surge_swings(base.wave, "icu")}
    assert swings["reproduction"][0] < base.short("icu").sum(axis=1).max() < swings["reproduction"][1]
    assert swings["stock:icu"][0] >= swings["stock:icu"][1] and swings["contact_reduction"][0] > swings["contact_reduction"][1]


def test_clinics_are_as_busy_as_erlang_says() -> None:
    for clinic in run("surge_influenza").clinics:
        assert clinic.load == pytest.approx(clinic.peak_visits / 12 * 10 / 60)
        assert (clinic.wait_minutes is None) == (clinic.load >= clinic.rooms) == (clinic.wait_probability == 1.0)
        assert (clinic.overrun_days > 0) == (clinic.peak_visits > clinic.rooms * 72)
        assert clinic.rooms_needed > clinic.load


def test_the_answer_adds_up() -> None:
    data = template("surge")
    answer = surge_answer(checked("surge", PARTS, data, "x"))
    assert answer.first_on == "2027-02-24" and answer.bottleneck == "icu" and answer.days == 180 and len(answer.course) == 3 * 181
    assert by_day(answer, "new_cases").max() == pytest.approx(answer.peak_new_cases)
    assert by_day(answer, "ward", "A").max() == next(row.peak_need for row in answer.shortages if (row.county, row.of) == ("A", "ward"))
    ever = sum(by_day(answer, "new_cases")) + 65 + float(run().course.exposed[-1].sum())
    assert answer.attack_share == pytest.approx(ever / 1_350_000, rel=1e-9)
