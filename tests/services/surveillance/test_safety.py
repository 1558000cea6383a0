"""Vaccine safety on made doses and reports: a lot that harms comes first and is signalled early, lots alike are not, pairs as counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.services.surveillance.safety import Given, _Doses, _Reports, lots, reaction_pairs, unmatched, vaccine_rates

CHANCE = {"dtap": 260e-5, "hepb": 40e-5, "mmr": 150e-5, "polio": 30e-5, "mena": 110e-5}
REACTIONS, SHARES = np.array(["fever", "local_swelling", "rash", "other"]), (0.55, 0.27, 0.14, 0.04)
DAYS, QUARTERS = 91, 8


def made(rng: np.random.Generator, daily: float, times: float) -> Given:
    """Two years of five vaccines with a lot a quarter, `daily` doses of each; lot 5 of dtap harms so many times as often, mostly by swelling."""
    length = len(CHANCE) * QUARTERS * DAYS
    vaccine = np.repeat(np.array(list(CHANCE)), QUARTERS * DAYS)
    day = np.tile(np.datetime64("2025-01-01") + np.arange(QUARTERS * DAYS), len(CHANCE))
    lot = np.tile(np.repeat(np.arange(QUARTERS).astype(str), DAYS), len(CHANCE))
    count = rng.poisson(daily, length)
    harms = (vaccine == "dtap") & (lot == "5")
    chance = np.array([CHANCE[name] for name in vaccine]) * np.where(harms, times, 1)
    at = np.repeat(np.arange(length), rng.binomial(count, chance))
    reaction = rng.choice(REACTIONS, len(at), p=SHARES)
    reaction = np.where(harms[at] & (times > 1) & (rng.random(len(at)) < 0.8), "local_swelling", reaction)
    there = np.full(length, "H1")
    return Given(_Doses(there, vaccine, lot, day, count), _Reports(there[at], vaccine[at], lot[at], day[at], day[at] + rng.integers(0, 7, len(at)), reaction,
                                                                 np.zeros(len(at), dtype=bool)))


@pytest.mark.parametrize("seed", range(5))
def test_a_lot_that_harms_is_first_and_signalled_while_it_is_given(seed: int) -> None:
    told = made(np.random.default_rng(seed), 2.5, 25)  # a region of about 50,000
    first, *others = lots(told)
    assert (first.vaccine, first.lot) == ("dtap", "5") and first.p < 0.01 and first.ratio > 3
    assert "2026-04-02" <= first.signalled_on <= "2026-06-15", "five quarters have passed; the lot lasts one"
    assert not any(one.signalled_on for one in others if one.vaccine != "dtap")


def test_lots_alike_are_rarely_signalled() -> None:
    found = [one for seed in range(20) for one in lots(made(np.random.default_rng(100 + seed), 20, 1))]
    assert len(found) == 800 and sum(one.critical is not None for one in found) > 200
    assert np.mean([bool(one.signalled_on) for one in found]) <= 0.05
    assert sum(one.q < 0.05 for one in found) <= 5


def test_the_reaction_of_the_lot_is_out_of_proportion_in_a_larger_region() -> None:
    met = {(one.vaccine, one.reaction): set(one.signals) for one in reaction_pairs(made(np.random.default_rng(1), 25, 25))}
    assert met["dtap", "local_swelling"] >= {"prr", "ror", "ic"} and not met["dtap", "fever"]


def test_few_reports_are_no_signal_and_strange_lots_belong_to_none() -> None:
    day = np.array(["2026-01-01"] * 4, dtype="datetime64[D]")
    doses = _Doses(np.array(["H"] * 3), np.array(["a", "a", "b"]), np.array(["1", "2", ""]), day[:3], np.array([10, 990, 50]))
    reports = _Reports(np.array(["H"] * 4), np.array(["a", "a", "a", "b"]), np.array(["1", "1", "9", ""]), day, day, np.array(["x", "x", "y", "y"]),
                       np.array([True, False, False, False]))
    told = Given(doses, reports)
    one, two = lots(told)
    assert (one.lot, one.reports, one.serious, one.critical, one.signalled_on) == ("1", 2, 1, None, "") and one.p == pytest.approx(0.01**2)
    assert (two.reports, two.p) == (0, 1.0) and unmatched(told) == 2
    assert [(rate.vaccine, rate.doses, rate.reports, rate.serious) for rate in vaccine_rates(told)] == [("b", 50, 1, 0), ("a", 1000, 3, 1)]
    pair = next(pair for pair in reaction_pairs(told) if (pair.vaccine, pair.reaction) == ("a", "y"))
    assert (pair.reports, pair.expected, pair.prr, pair.signals) == (1, 1.5, pytest.approx((1 / 3) / (1 / 1)), ())
    nothing = Given(doses.taken(np.zeros(3, dtype=bool)), reports.taken(np.zeros(4, dtype=bool)))
    assert vaccine_rates(nothing) == reaction_pairs(nothing) == lots(nothing) == () and unmatched(nothing) == 0
