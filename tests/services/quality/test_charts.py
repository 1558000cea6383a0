"""Risk-adjusted CUSUM and VLAD: against plain loops over the surgery data of ../shared/oracles, and run lengths against exact ones."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.services.quality.charts import ra_cusum, rocket_tails, scores, vlad
from quanmin.services.quality.run_length import limit_for, mean_run_length, simulated_run_length
from tests.services.quality.test_standardise import oracle

CASES = st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.999)), min_size=1, max_size=300)


def plain_path(outcome, risk, odds: float, limit: float, reset: bool) -> tuple[list[float], list[bool]]:
    """Steiner's formulas, case by case."""
    at, path, signals = 0.0, [], []
    for happened, p in zip(outcome, risk, strict=True):
        weight = log(odds / (1 - p + odds * p)) if happened else log(1 / (1 - p + odds * p))
        at = max(0.0, at + weight)
        path.append(at)
        signals.append(at >= limit)
        if signals[-1] and reset:
            at = 0.0
    return path, signals


@pytest.fixture(scope="module")
def surgery() -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and risks of 2,500 operations by the published phase I model, logit p = −3.790488 + 0.079844 Parsonnet."""
    told = oracle("surgery_vlad.csv")
    return told["y"], 1 / (1 + np.exp(3.790488 - 0.079844 * told["s"]))


@pytest.mark.parametrize("odds", [2.0, 0.5])
@pytest.mark.parametrize("reset", [True, False])
def test_the_path_over_the_surgery_data_is_that_of_the_formulas(surgery, odds: float, reset: bool) -> None:
    outcome, risk = surgery
    found = ra_cusum(outcome, risk, odds, 2.0, reset)
    path, signals = plain_path(outcome, risk, odds, 2.0, reset)
    np.testing.assert_allclose(found.path, path, atol=1e-10)
    assert found.signal.tolist() == signals and sum(signals) > 0


def test_vlad_over_the_surgery_data(surgery) -> None:
    outcome, risk = surgery
    total, path = 0.0, []
    for happened, p in zip(outcome, risk, strict=True):
        total += p - happened
        path.append(total)
    np.testing.assert_allclose(vlad(outcome, risk), path, atol=1e-10)
    assert vlad(outcome, risk)[-1] == pytest.approx(risk.sum() - 204)


def test_scores_by_hand() -> None:
    """Risk ½, odds doubled: a death log(2 ÷ 1.5), a survivor log(1 ÷ 1.5)."""
    assert scores([1, 0], [0.5, 0.5]) == pytest.approx([log(2 / 1.5), log(1 / 1.5)])
    assert scores([1, 0], [0.5, 0.5], odds=4.0, base=2.0) == pytest.approx([log(1.5 / 2.5 * 2), log(1.5 / 2.5)])


@given(CASES, st.sampled_from([0.3, 0.5, 1.5, 2.0, 5.0]), st.floats(0.2, 6), st.booleans())
@settings(deadline=None)
def test_any_path_is_that_of_the_formulas_and_never_below_zero(cases, odds: float, limit: float, reset: bool) -> None:
    outcome, risk = np.array([c[0] for c in cases], dtype=float), np.array([c[1] for c in cases])
    found = ra_cusum(outcome, risk, odds, limit, reset)
    path, _ = plain_path(outcome, risk, odds, limit, reset)
    assert (found.path >= 0).all()
    if not np.isclose(path, limit, atol=1e-9).any():
        np.testing.assert_allclose(found.path, path, atol=1e-9)


def test_looking_for_more_and_for_fewer_see_opposite_ends() -> None:
    risk = np.full(200, 0.2)
    bad, good = np.tile([1, 0], 100), np.zeros(200)
    assert ra_cusum(bad, risk).signal.any() and not ra_cusum(good, risk).signal.any()
    assert ra_cusum(good, risk, odds=0.5).signal.any() and not ra_cusum(bad, risk, odds=0.5).signal.any()


def test_a_reset_begins_from_zero_and_without_one_the_chart_stays() -> None:
    risk = np.full(30, 0.5)
    found, kept = ra_cusum(np.ones(30), risk, limit=1.0), ra_cusum(np.ones(30), risk, limit=1.0, reset=False)
    step = log(2 / 1.5)
    assert np.flatnonzero(found.signal).tolist() == [3, 7, 11, 15, 19, 23, 27] and found.path[4] == pytest.approx(step)
    assert kept.signal[3:].all() and kept.path[-1] == pytest.approx(30 * step)


def test_rocket_tails_by_hand() -> None:
    assert rocket_tails([0.5, 0.1]) == pytest.approx([1.959964 * 0.5, 1.959964 * np.sqrt(0.25 + 0.09)])


def lattice_run_length(p: float, odds: float, rise: int, height: int, true_p: float) -> float:
    """The exact run length where a case with the outcome rises `rise` steps and one without falls one: linear equations over whole steps."""
    chain = np.zeros((height, height))
    for state in range(height):
        chain[state, max(state - 1, 0)] += 1 - true_p
        if state + rise < height:
            chain[state, state + rise] += true_p
    return float(np.linalg.solve(np.eye(height) - chain, np.ones(height))[0])


@pytest.mark.parametrize("true_odds", [1.0, 2.0])
def test_run_lengths_equal_the_exact_ones_on_a_lattice(true_odds: float) -> None:
    """The risk at which a death weighs exactly nine survivors: nodes on the lattice make the chain exact."""
    odds, low, high = 2.0, 1e-6, 0.5
    for _ in range(200):
        p = (low + high) / 2
        down = log(1 - p + odds * p)
        low, high = (p, high) if (log(odds) - down) / down > 9 else (low, p)
    limit, true_p = down * 40, true_odds * p / (1 - p + true_odds * p)
    exact = lattice_run_length(p, odds, 9, 40, true_p)
    assert mean_run_length(limit, [p], odds, true_odds, nodes=400) == pytest.approx(exact, rel=1e-6)
    simulated = simulated_run_length(limit, [p], odds, true_odds, runs=4000)
    assert abs(simulated.mean - exact) < 4 * simulated.standard_error and simulated.cut_off == 0


def test_chain_and_simulation_agree_on_the_surgery_mix(surgery) -> None:
    _, risk = surgery
    for true_odds in (1.0, 2.0):
        expected, simulated = mean_run_length(3.0, risk, true_odds=true_odds), simulated_run_length(3.0, risk, true_odds=true_odds, runs=3000)
        assert abs(simulated.mean - expected) < 4 * simulated.standard_error
    assert simulated_run_length(3.0, risk, runs=50, seed=7) == simulated_run_length(3.0, risk, runs=50, seed=7)
    assert simulated_run_length(30.0, risk, runs=10, longest=100).cut_off == 10


def test_a_limit_gives_the_run_length_it_was_found_for(surgery) -> None:
    _, risk = surgery
    limit = limit_for(740, risk)
    assert mean_run_length(limit, risk) == pytest.approx(740, rel=1e-3) and 2.0 < limit < 3.0
    assert limit_for(7000, risk) > limit and mean_run_length(limit, risk, true_odds=2.0) < 200


def test_what_cannot_be_followed_is_refused() -> None:
    for wrong in (lambda: scores([2], [0.5]), lambda: scores([1], [1.5]), lambda: scores([1], [0.5], odds=1.0), lambda: scores([1], [0.5], odds=0.0),
                  lambda: ra_cusum([1], [0.5], limit=0.0), lambda: mean_run_length(1.0, []), lambda: mean_run_length(1.0, [0.0]),
                  lambda: limit_for(1.0, [0.5]), lambda: simulated_run_length(0.0, [0.5]), lambda: rocket_tails([0.5], 1.0)):
        with pytest.raises(ValueError):
            wrong()
