"""Cases of a site on made data: those still to be reported, R, weeks by place and attack rates, each held against what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.model.disease import NotifiableDisease, SerialInterval
from quanmin.services.surveillance.case_lines import CaseLines
from quanmin.services.surveillance.case_weeks import AGE, SEX, TOTAL, TOWNSHIP, attack_rates_of, mondays, place_weeks
from quanmin.services.surveillance.daily import Daily
from quanmin.services.surveillance.delays import onset_counts, shown_nowcast
from quanmin.services.surveillance.townships import Places, Residents
from quanmin.services.surveillance.transmission import transmission

FLU = NotifiableDisease("influenza", "C", 24, ("J10",), "respiratory", serial=SerialInterval(2.6, 1.5, "x", "own"))
MUMPS = NotifiableDisease("mumps", "C", 24, ("B26",), "respiratory")
PLAGUE = NotifiableDisease("plague", "A", 2, ("A20",), "other")
DISEASES = {one.code: one for one in (FLU, MUMPS, PLAGUE)}
NOW = 20_000  # days since 1970
DELAYS = np.array([0.1, 0.25, 0.2, 0.15, 0.12, 0.08, 0.06, 0.04])


def lines(onset: np.ndarray, reported: np.ndarray, disease: np.ndarray | str = "influenza", county: np.ndarray | str = "1") -> CaseLines:
    """Cases, all of whom are women of 5 to 9."""
    names = np.broadcast_to(np.asarray(disease, dtype=np.str_), onset.shape)
    classes = np.array([DISEASES[name].law_class for name in names.tolist()], dtype=np.str_)
    fixed = [np.array([text] * len(onset), dtype=np.str_) for text in ("2", "5-9")]
    return CaseLines(names, classes, np.broadcast_to(np.asarray(county, dtype=np.str_), onset.shape), fixed[0], fixed[1], onset, reported,
                     int(reported.max()) if len(reported) else 0)


def epidemic(seed: int, per_day: float, days: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Onsets of a steady disease up to NOW and their reports, later ones too."""
    rng = np.random.default_rng(seed)
    onset = np.repeat(np.arange(NOW - days + 1, NOW + 1), rng.poisson(per_day, days))
    return onset, onset + rng.choice(8, len(onset), p=DELAYS)


def known(onset: np.ndarray, reported: np.ndarray) -> CaseLines:
    """What is known at NOW, with a last card on that day."""
    at = reported <= NOW
    return lines(np.r_[onset[at], NOW], np.r_[reported[at], NOW])


@pytest.mark.parametrize("per_day", [0.3, 5.0])
def test_limits_hold_the_cases_that_came_later_and_little_is_missing_or_too_much(per_day: float) -> None:
    held, told, truth, seen = [], 0.0, 0, 0
    for seed in range(30 if per_day > 1 else 200):
        onset, reported = epidemic(seed, per_day)
        found = shown_nowcast(known(onset, reported), "influenza", "", {"1"}, DISEASES, NOW - 6, NOW - 1)
        later = [int((onset == NOW - 6 + k).sum()) for k in range(6)]
        held += [one.low <= count <= one.high for one, count in zip(found.days, later, strict=True)]
        told, truth, seen = told + sum(one.mean for one in found.days), truth + sum(later), seen + sum(one.reported for one in found.days)
    assert 0.9 <= np.mean(held) <= 0.995
    assert seen < 0.75 * truth and 0.85 <= told / truth <= 1.15, (seen, told, truth)


def test_the_delay_is_the_diseases_own_or_that_of_its_class_or_of_all() -> None:
    onset, reported = epidemic(1, 1.0)
    disease = np.where(np.arange(len(onset)) % 10 == 0, "mumps", "influenza")
    few = lines(onset, reported, disease)
    assert onset_counts(few, "influenza", {"1"}, DISEASES).delays_of == "own"
    assert (disease == "mumps").sum() < 50 and onset_counts(few, "mumps", {"1"}, DISEASES).delays_of == "class"
    of_all = onset_counts(few, "plague", {"1"}, DISEASES)
    assert of_all.delays_of == "all" and of_all.delay_cases == len(onset) and of_all.told.reported.sum() == 0 and of_all.told.mean.max() < 0.5
    empty = shown_nowcast(lines(onset[:0], reported[:0]), "mumps", "", {"1"}, DISEASES, NOW - 5, NOW)
    assert empty.delays_of == "" and empty.days == ()


def test_cases_of_other_counties_and_without_onset_are_left_out() -> None:
    onset, reported = epidemic(2, 2.0)
    county = np.where(np.arange(len(onset)) % 2 == 0, "1", "2")
    unknown = np.where(np.arange(len(onset)) % 5 == 0, -1, onset)
    found = shown_nowcast(lines(unknown, reported, county=county), "influenza", "1", {"1"}, DISEASES, NOW - 700, NOW)
    assert sum(one.reported for one in found.days) == int(((county == "1") & (unknown >= 0) & (reported <= reported.max())).sum())
    assert found.without_onset == int(((county == "1") & (unknown < 0)).sum())


@pytest.mark.parametrize("r", [0.8, 1.6])
def test_r_of_a_simulated_epidemic(r: float) -> None:
    from quanmin.detectors.reproduction import gamma_interval

    weights, rng = gamma_interval(2.6, 1.5, 12), np.random.default_rng(5)
    cases = np.zeros(60)
    cases[:6] = 40 if r < 1 else 4
    for day in range(6, 60):
        cases[day] = rng.poisson(r * sum(cases[day - back] * weights[back] for back in range(1, min(day, 12) + 1)))
        if cases[: day + 1].sum() > 6_000:
            break
    onset = np.repeat(NOW - 60 + np.arange(60), cases.astype(int))
    found = transmission(lines(onset, onset + 1), "influenza", "", {"1"}, DISEASES)
    inside = [one for one in found.windows if 14 <= int(np.datetime64(one.last_on, "D").astype(int)) - (NOW - 60) <= int(np.flatnonzero(cases).max())]
    assert len(inside) >= 5 and found.reason == "" and found.window_days == 7
    assert np.mean([one.low <= r <= one.high for one in inside]) >= 0.8 and abs(np.mean([one.mean for one in inside]) - r) < 0.25
    assert all(one.cases >= found.fewest for one in found.windows)


def test_no_r_without_a_serial_interval_or_cases_or_anybody_who_infected_them() -> None:
    onset, reported = epidemic(3, 4.0)
    assert transmission(lines(onset, reported, "mumps"), "mumps", "", {"1"}, DISEASES).reason == "no_interval"
    assert transmission(lines(onset, reported), "influenza", "", {"9"}, DISEASES).reason == "no_cases"
    few = transmission(lines(onset[::40], reported[::40]), "influenza", "", {"1"}, DISEASES)
    assert few.reason == "few_cases" and few.windows == ()
    burst = np.full(30, NOW - 40)  # thirty on one day, nobody before
    assert transmission(lines(np.r_[burst, NOW], np.r_[burst + 1, NOW]), "influenza", "", {"1"}, DISEASES).windows == (), "one meal, no chain"


def test_the_last_days_are_cut_where_too_little_is_reported() -> None:
    onset, reported = epidemic(4, 6.0)
    found = transmission(known(onset, reported), "influenza", "", {"1"}, DISEASES)
    cut = int(np.datetime64(found.cut_on, "D").astype(int))
    assert NOW - 7 <= cut <= NOW - 3, "four fifths of the cases are reported within four to five days"
    assert max(one.last_on for one in found.windows) == found.cut_on


def towns() -> tuple[Daily, Places]:
    """Two counties, the first with two townships; cases on days 3 (Monday), 9 and 10 of it."""
    keys = (("case", "mumps", "respiratory", "110101"), ("case", "mumps", "respiratory", "110102"), ("absence", "x", "respiratory", "110101"))
    counts = np.zeros((3, 20))
    counts[0, [3, 9, 10]], counts[1, 10], counts[2, 3] = (4, 1, 3), 5, 99
    of, day = np.array([0, 0, 0, 0, 1]), np.array([3, 3, 9, 10, 10])
    town = np.array(["110101001", "110101002", "110101001", "110101999", "110102001"], dtype=np.str_)
    codes = np.array(["110101", "110101001", "110101002", "110102"], dtype=np.str_)
    point = np.array([[1.0, 2.0], [1.1, 2.0], [1.2, 2.0], [np.nan, np.nan]])
    places = Places(codes, np.array([code[:6] for code in codes.tolist()]), np.array([False, True, True, False]), point)
    return Daily(keys, counts, 1, (of, day, town, np.array([1, 3, 1, 3, 5]))), places  # day 0 of the counts is Friday 2 January 1970


def test_weeks_by_township_and_county_add_up() -> None:
    daily, places = towns()
    from datetime import date

    weeks = mondays(date(1970, 1, 5), date(1970, 1, 18))
    assert weeks == ("1970-01-05", "1970-01-12")
    found = place_weeks(daily, {"mumps"}, "", ["110101"], weeks, places, {"110101001": 500, "110101002": 0})
    assert {one.place: one.cases for one in found} == {"110101001": (2, 0), "110101002": (3, 0), "": (0, 3)}, "an unregistered township is not known"
    assert found[0].rates == (400.0, 0.0) and found[1].rates == (None, None) and (found[0].longitude, found[0].latitude) == (1.1, 2.0)
    both = place_weeks(daily, {"mumps"}, "", ["110101", "110102"], weeks, places, {})
    assert [(one.place, one.cases) for one in both] == [("110101", (5, 3)), ("110102", (0, 5))]
    assert [one.cases for one in place_weeks(daily, (), "respiratory", ["110101", "110102"], weeks, places, {})] == [(5, 3), (0, 5)]


def test_attack_rates_have_exact_limits() -> None:
    _, places = towns()
    onset = np.arange(10) + NOW
    cases = lines(onset, onset, "mumps", "110101")
    texts = [np.array(values, dtype=np.str_) for values in (["110101"] * 3, ["1", "2", "2"], ["5-9", "5-9", "10-14"])]
    county = Residents(texts[0], np.array([2024, 2024, 2024]), texts[1], texts[2], np.array([1_000, 600, 400]))
    town = Residents(np.array(["110101001"]), np.array([2020]), np.array(["1"]), np.array(["5-9"]), np.array([500]))
    found = attack_rates_of(cases, np.ones(10, dtype=bool), {"110101001": 4, "110101002": 6}, "110101", 2024, (town, county), places)
    told = {(one.by, one.code): one for one in found}
    whole = told[(TOTAL, "110101")]
    assert (whole.cases, whole.residents, whole.rate) == (10, 2_000, 5.0)
    assert (whole.low, whole.high) == pytest.approx((4.795389 / 2, 18.39036 / 2), abs=1e-5), "limits of ten, as tables have them"
    assert (told[(TOWNSHIP, "110101001")].rate, told[(TOWNSHIP, "110101002")].rate) == (8.0, None)
    assert told[(AGE, "5-9")].residents == 1_600 and told[(AGE, "5-9")].cases == 10 and told[(AGE, "10-14")].rate == 0 and told[(AGE, "10-14")].high > 0
    assert told[(SEX, "2")].cases == 10 and told[(SEX, "2")].rate == 10.0 and told[(SEX, "1")].cases == 0
