"""Risk models: planted coefficients come back, a general optimiser finds the same summit, and what cannot be fitted plainly is said to be held."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from quanmin.services.quality.calibration import c_statistic, calibration, performance, validated_by_folds, validated_by_time
from quanmin.services.quality.design import Category, Design, Number, design_of
from quanmin.services.quality.risk import SAMPLE, fit_days, fit_logistic, only

NAMES = ("(intercept)", "a", "b", "c")
TRUE = np.array([-2.0, 0.8, -0.5, 1.2])


def planted(size: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Rows of an intercept, two numbers and a rare mark, and outcomes drawn at the planted coefficients."""
    rng = np.random.default_rng(seed)
    made = np.column_stack([np.ones(size), rng.normal(size=(size, 2)), rng.random(size) < 0.1])
    return made, (rng.random(size) < special.expit(made @ TRUE)).astype(float)


def rows_of(made: np.ndarray):
    """A block function over a matrix."""
    return lambda of: made[of].copy()


@pytest.mark.parametrize("size", [3000, 5 * SAMPLE])
def test_planted_coefficients_come_back(size: int) -> None:
    made, happened = planted(size)
    found = fit_logistic(rows_of(made), happened, NAMES)
    assert (abs(found.coefficients - TRUE) < 4 * found.standard_errors).all() and found.ridge == 0 and found.steps <= 10
    chance = special.expit(made @ found.coefficients)
    np.testing.assert_allclose(made.T @ (happened - chance), 0, atol=1e-6 * size)
    curvature = (made * (chance * (1 - chance))[:, None]).T @ made
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(np.linalg.inv(curvature))), rtol=1e-6)
    np.testing.assert_allclose(found.expected(rows_of(made), size), chance)


def test_a_general_optimiser_finds_the_same_summit() -> None:
    made, happened = planted(800, seed=3)
    found = fit_logistic(rows_of(made), happened, NAMES)
    best = optimize.minimize(lambda b: -(happened @ (made @ b) + special.log_expit(-(made @ b)).sum()), np.zeros(4), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(found.coefficients, best.x, atol=1e-5)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)


def test_two_groups_by_hand() -> None:
    """10 of 50 against 30 of 60: log-odds ln(10/40), and ln(30/30) − ln(10/40); its standard error √(1/10 + 1/40 + 1/30 + 1/30)."""
    made = np.column_stack([np.ones(110), np.arange(110) >= 50])
    happened = np.r_[np.arange(50) < 10, np.arange(60) < 30].astype(float)
    found = fit_logistic(rows_of(made), happened, ("(intercept)", "group"))
    np.testing.assert_allclose(found.coefficients, [np.log(10 / 40), np.log(4)], rtol=1e-9)
    assert found.standard_errors[1] == pytest.approx(np.sqrt(1 / 10 + 1 / 40 + 2 / 30))


@pytest.mark.parametrize("kind", ["parted", "repeated", "empty"])
def test_what_has_no_summit_is_held_by_a_ridge_and_said_so(kind: str) -> None:
    made, happened = planted(2000)
    extra = {"parted": (made[:, 1] > 2.0).astype(float), "repeated": made[:, 1], "empty": np.zeros(2000)}[kind]
    if kind == "parted":
        happened[extra > 0] = 1.0
    rows = rows_of(np.column_stack([made, extra]))
    found = fit_logistic(rows, happened, (*NAMES, "extra"))
    assert found.ridge == 1.0 and np.isfinite(found.coefficients).all() and np.isfinite(found.standard_errors).all()
    assert found.coefficients[4] > 2 if kind == "parted" else abs(found.coefficients[4]) < 1
    plain = fit_logistic(rows_of(made), happened, NAMES)
    assert c_statistic(happened, found.expected(rows, 2000)) >= c_statistic(happened, plain.expected(rows_of(made), 2000)) - 1e-3


def test_days_are_expected_by_the_smearing_factor() -> None:
    rng = np.random.default_rng(2)
    made, _ = planted(4000)
    days = np.exp(made @ np.array([1.5, 0.3, 0.1, 0.6]) + rng.normal(0, 0.5, 4000))
    found = fit_days(rows_of(made), days, NAMES)
    solved, residual, _, _ = np.linalg.lstsq(made, np.log(days), rcond=None)
    np.testing.assert_allclose(found.coefficients, solved, atol=1e-10)
    assert found.scatter == pytest.approx(np.sqrt(residual[0] / 3996)) and found.smearing == pytest.approx(np.exp(np.log(days) - made @ solved).mean())
    assert found.smearing == pytest.approx(np.exp(0.125), rel=0.03)
    assert found.expected(rows_of(made), 4000).mean() == pytest.approx(days.mean(), rel=0.02)
    judged = validated_by_folds(found, rows_of(made), days)
    assert judged.c_statistic > 0.6 and judged.slope == pytest.approx(1, abs=0.05) and abs(judged.intercept) < 0.05


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60))
@settings(deadline=None)
def test_c_statistic_equals_counting_pairs(stays) -> None:
    happened, score = np.array([s[0] for s in stays], dtype=float), np.array([s[1] for s in stays], dtype=float)
    pairs = [(score[i] > score[j]) + (score[i] == score[j]) / 2 for i in np.flatnonzero(happened) for j in np.flatnonzero(happened == 0)]
    found = c_statistic(happened, score)
    assert np.isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=200))
@settings(deadline=None)
def test_calibration_groups_hold_every_stay_once(chances) -> None:
    groups = calibration(np.round(chances), chances)
    assert groups.counts.sum() == len(chances) and (np.diff(groups.expected) > 0).all()
    assert (groups.counts * groups.expected).sum() == pytest.approx(sum(chances))


def test_calibration_of_true_and_of_exaggerated_chances() -> None:
    made, happened = planted(50_000)
    score = made @ TRUE
    true, extreme, high = (performance(happened, special.expit(one)) for one in (score, 2 * score, score + 0.7))
    assert abs(true.intercept) < 0.05 and true.slope == pytest.approx(1, abs=0.05)
    assert extreme.slope == pytest.approx(0.5, abs=0.03) and high.intercept == pytest.approx(-0.7, abs=0.05)
    assert true.error < extreme.error and true.c_statistic == pytest.approx(extreme.c_statistic)
    assert true.error == pytest.approx(((happened - special.expit(score)) ** 2).mean())


def test_a_fit_is_the_same_at_its_own_stays_and_validation_is_honest() -> None:
    made, happened = planted(600)
    noise = np.column_stack([made, np.random.default_rng(8).normal(size=(600, 25))])
    names = (*NAMES, *(f"noise{i}" for i in range(25)))
    found = fit_logistic(rows_of(noise), happened, names)
    fitted, folds = performance(happened, found.expected(rows_of(noise), 600)), validated_by_folds(found, rows_of(noise), happened)
    assert abs(fitted.intercept) < 1e-6 and fitted.slope == pytest.approx(1, abs=1e-6) and folds.row_count == 600
    assert folds.c_statistic < fitted.c_statistic - 0.02 and folds.slope < 0.9 and folds.error > fitted.error
    again = validated_by_folds(found, rows_of(noise), happened)
    assert (again.c_statistic, again.error) == (folds.c_statistic, folds.error)


def test_validation_by_time_judges_the_later_stays_only() -> None:
    made, happened = planted(4000)
    when = np.array([f"2026-{1 + i // 400:02d}" for i in range(4000)])
    happened[2800:] = 0
    happened[2800:2810] = 1
    found = fit_logistic(rows_of(made), happened, NAMES)
    judged = validated_by_time(found, rows_of(made), happened, when)
    assert judged.row_count == 1200 and judged.intercept < -2
    with pytest.raises(ValueError, match="one time"):
        validated_by_time(found, rows_of(made), happened, np.zeros(4000))


def test_columns_become_splines_and_levels() -> None:
    design = Design((Number("age", (40.0, 70.0)), Category("sex", ("2", "1"))))
    stays = {"age": np.array([30.0, 50.0, 90.0]), "sex": pa.array(["1", "2", "unheard of"])}
    assert design.columns == ("(intercept)", "age", "age>40", "age>70", "sex=1")
    assert design.rows(stays)(slice(0, 3)).tolist() == [[1, 30, 0, 0, 1], [1, 50, 10, 0, 0], [1, 90, 50, 20, 0]]
    assert only(design.rows(stays), np.array([0, 2]))(slice(0, 2)).tolist() == [[1, 30, 0, 0, 1], [1, 90, 50, 20, 0]]
    made = design_of({"age": np.arange(100.0), "sex": pa.array(["1"] * 40 + ["2"] * 60), "one": pa.array(["x"] * 100), "same": np.ones(100)},
                     ["age", "same"], ["sex", "one"], knots=1)
    assert made == Design((Number("age", (49.5,)), Category("sex", ("2", "1"))))


def test_what_cannot_be_fitted_is_refused() -> None:
    made, happened = planted(50)
    for outcome in (np.zeros(50), happened + 1, happened[:3]):
        with pytest.raises(ValueError):
            fit_logistic(rows_of(made), outcome, NAMES)
    with pytest.raises(ValueError, match="above 0"):
        fit_days(rows_of(made), happened, NAMES)
