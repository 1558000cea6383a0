"""What a unit's stays would have come to elsewhere: against a refit without each unit, and an outlier that must not hide itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from quanmin.services.quality.comparison import compared
from quanmin.services.quality.following import charts_of, limit_of
from quanmin.services.quality.leaving_out import expected_elsewhere
from quanmin.services.quality.risk import fit_days, fit_logistic, only
from quanmin.services.quality.run_length import mean_run_length

SIZES = (4_000, 1_500, 900, 400, 200, 60, 5)
EDGES = np.concatenate([[0], np.cumsum(SIZES)])
NAMES = ("(intercept)", "age", "a", "b", "c")
PENALTY = np.array([0.0, 0.5, 1.0, 1.0, 1.0])


def stays(outlier: int = 0, odds: float = 2.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, log-odds and deaths of seven hospitals with different patients; one has higher odds."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(len(SIZES)), SIZES)
    matrix = np.column_stack([np.ones(unit.size), rng.normal(0.2 * unit, 1), rng.random((unit.size, 3)) < [0.3, 0.1, 0.02]]).astype(float)
    score = matrix @ [-3.2, 0.7, 0.5, 1.0, 0.8]
    died = rng.random(unit.size) < 1 / (1 + np.exp(-(score + np.log(odds) * (unit == outlier))))
    return matrix, score, died.astype(float)


def rows_of(matrix: np.ndarray):
    """The rows of a matrix as a model asks for them: a block is its own to change."""
    return lambda of: matrix[of].copy()


def refitted_elsewhere(matrix: np.ndarray, outcome: np.ndarray, fit) -> np.ndarray:
    """The slow way: a model per unit, fitted from nothing to the others."""
    found = np.empty(outcome.size)
    for start, stop in pairwise(EDGES.tolist()):
        others = np.r_[0:start, stop : outcome.size]
        model = fit(only(rows_of(matrix), others), outcome[others], NAMES, penalty=PENALTY)
        found[start:stop] = model.expected(rows_of(matrix[start:]), stop - start)
    return found


def test_deaths_expected_elsewhere_are_those_of_a_refit_without_the_unit() -> None:
    matrix, _, died = stays()
    model = fit_logistic(rows_of(matrix), died, NAMES, penalty=PENALTY)
    found, slow = expected_elsewhere(model, rows_of(matrix), died, EDGES, PENALTY), refitted_elsewhere(matrix, died, fit_logistic)
    sums = [np.add.reduceat(values, EDGES[:-1]) for values in (found, slow)]
    np.testing.assert_allclose(sums[0], sums[1], rtol=0.01)  # the outlier with more than half of all stays is the hardest to leave out
    assert abs(np.add.reduceat(model.expected(rows_of(matrix), died.size), EDGES[:-1])[0] / sums[1][0] - 1) > 0.1, "the common model is not it"


def test_days_expected_elsewhere_are_those_of_a_refit_without_the_unit() -> None:
    matrix, score, _ = stays()
    days = np.exp(2 + 0.3 * score + np.random.default_rng(3).normal(0, 0.5, score.size))
    model = fit_days(rows_of(matrix), days, NAMES, penalty=PENALTY)
    found, slow = expected_elsewhere(model, rows_of(matrix), days, EDGES, PENALTY), refitted_elsewhere(matrix, days, fit_days)
    np.testing.assert_allclose(found, slow, rtol=0.01)  # the smearing factor alone comes from the common fit


def test_a_large_outlier_does_not_hide_itself() -> None:
    """The planted odds are found in the ratio of the unit that is more than half of all stays; the common model shows far less of them."""
    matrix, score, died = stays()
    model = fit_logistic(rows_of(matrix), died, NAMES, penalty=PENALTY)
    true = np.add.reduceat(1 / (1 + np.exp(-score)), EDGES[:-1])
    observed = np.add.reduceat(died, EDGES[:-1])
    elsewhere = np.add.reduceat(expected_elsewhere(model, rows_of(matrix), died, EDGES, PENALTY), EDGES[:-1])
    common = np.add.reduceat(model.expected(rows_of(matrix), died.size), EDGES[:-1])
    assert elsewhere[0] == pytest.approx(true[0], rel=0.12)
    assert common[0] > 1.3 * true[0]
    found = compared(observed, elsewhere)
    assert found.ratio[0] > 1.8 and found.low[0] > 1.5


def test_edges_that_do_not_span_the_stays_are_refused() -> None:
    matrix, _, died = stays()
    model = fit_logistic(rows_of(matrix), died, NAMES, penalty=PENALTY)
    for edges in (EDGES[:-1], EDGES[1:], EDGES[::-1]):
        with pytest.raises(ValueError, match="edges"):
            expected_elsewhere(model, rows_of(matrix), died, edges, PENALTY)


def test_a_penalty_is_a_normal_prior() -> None:
    """The penalised coefficients are where the slope of likelihood and prior together is nought."""
    matrix, _, died = stays()
    model = fit_logistic(rows_of(matrix), died, NAMES, penalty=PENALTY)
    slope = matrix.T @ (died - 1 / (1 + np.exp(-matrix @ model.coefficients))) - PENALTY * model.coefficients
    np.testing.assert_allclose(slope, 0, atol=1e-6)


@pytest.mark.parametrize("events", [0, 1, 2])
def test_a_level_of_two_stays_does_not_lead_the_fit_astray(events: int) -> None:
    """A level of two stays asks for long steps; the summit is found all the same."""
    rng = np.random.default_rng(8)
    rare = np.zeros(6_000)
    rare[:2] = 1
    matrix = np.column_stack([np.ones(6_000), rng.normal(size=6_000), rare])
    died = (rng.random(6_000) < 0.03).astype(float)
    died[:2] = [float(place < events) for place in range(2)]
    model = fit_logistic(rows_of(matrix), died, ("(intercept)", "x", "rare"), ridge=1.0)
    penalty = matrix.var(axis=0)
    slope = matrix.T @ (died - 1 / (1 + np.exp(-matrix @ model.coefficients))) - penalty * model.coefficients
    np.testing.assert_allclose(slope, 0, atol=1e-5)
    assert abs(model.coefficients[2]) < 60


def test_nobody_is_flagged_for_few_and_an_outlier_is_beside_units_that_differ() -> None:
    expected = np.array([40.0, 35, 30, 25, 60, 50, 20, 45, 0.4, 2.0])
    observed = np.array([42.0, 30, 33, 24, 62, 47, 21, 96, 3, 0])
    found = compared(observed, expected)
    assert found.outside.tolist()[7] == 2 and not found.outside[[0, 1, 2, 3, 4, 5, 6, 8, 9]].any()
    assert found.is_few.tolist() == [False] * 8 + [True, False]
    differing = compared(np.where(np.arange(10) == 7, 45, np.round(expected * np.array([1.6, 0.5, 1.5, 0.5, 1.6, 0.6, 0.5, 1, 1, 1]))), expected)
    assert differing.tau > 0.2 and not differing.outside[:7].any(), "units that all differ are no outliers"


def test_false_alarms_are_as_rare_as_the_limit_promises() -> None:
    """The limit found on few risks holds by the chain of all of them; simulated charts agree with it; more odds are noticed sooner than fewer are lost."""
    rng = np.random.default_rng(2)
    risks = 1 / (1 + np.exp(4.5 - rng.normal(0, 1.2, 3_000)))
    for side, odds in (("worse", 2.0), ("better", 0.5)):
        limit = limit_of(side, risks, 1_000)
        exact = mean_run_length(limit.limit, risks, odds)
        assert exact == pytest.approx(10_000, rel=0.1)
        assert limit.false_alarms_per_year == pytest.approx(1_000 / exact, abs=4 * limit.standard_error)
        assert limit.months_to_notice < 24


def test_charts_follow_a_change() -> None:
    rng = np.random.default_rng(4)
    risks = 1 / (1 + np.exp(3.5 - rng.normal(0, 1, 4_000)))
    odds = np.where(np.arange(4_000) < 2_000, 1.0, 2.5)
    chance = odds * risks / (1 - risks + odds * risks)
    charts = charts_of((rng.random(4_000) < chance).astype(float), risks, 4.0, True)
    signals = np.flatnonzero(charts.sides["worse"].signal)
    assert signals.size and 2_000 < signals[0] < 2_600 and not charts.sides["better"].signal[2_000:].any()
    assert charts.vlad[-1] < -charts.tails[-1]
    with pytest.raises(ValueError, match="few"):
        charts_of(np.zeros(5), risks[:5], 1.0, True)
