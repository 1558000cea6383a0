"""What no reference has: series without cases or history, missing periods, excluded outbreaks, many series at once, weekdays and holidays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from quanmin.detectors.day_effects import day_factors, kinds_of_days
from quanmin.detectors.detect import METHODS, detect
from quanmin.detectors.probability import count_at_least, count_quantile, predictive_at_least, predictive_quantile
from quanmin.detectors.ranking import benjamini_hochberg, rank
from quanmin.detectors.reference_periods import reference_points
from quanmin.detectors.signals import BAYES, REASONS, SINGLE, SettingError, Timeline

WEEKS = 312
LAST = {"from": 300, "to": WEEKS}


def mondays(count: int, first: date = date(2018, 1, 1)) -> tuple[date, ...]:
    return tuple(first + timedelta(weeks=i) for i in range(count))


def counts(mean: float, seed: int = 1, series: int = 1, length: int = WEEKS) -> Any:
    return np.random.default_rng(seed).poisson(mean, (series, length)).astype(float)


@pytest.mark.parametrize("method", ["farrington_flexible", "farrington"])
def test_a_disease_never_seen_before_raises_an_alarm(method: str) -> None:
    y = np.zeros((3, WEEKS))
    y[0, -1] = 12
    y[1, -5:] = [1, 3, 8, 5, 2]
    told = detect(y, method, range=LAST)
    assert told.alarm[0, -1] == 1 and told.used[0, -1] == BAYES
    assert (told.alarm[1, -4:] == 1).all()
    assert (told.alarm[2] == 0).all()
    assert REASONS[told.reason[0, -1]] in ("not_converged", "few_baseline_cases")
    assert told.p_value[0, -1] == pytest.approx(stats.nbinom.sf(11, 0.5, told.size[0, -1] / (told.size[0, -1] + 1)), rel=1e-9)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("binomial_cusum", "essence", "fixed_threshold")])
@pytest.mark.parametrize("kind", ["short", "one_row", "zero", "constant", "all_missing", "huge", "last_missing"])
def test_no_shape_of_data_stops_a_run_or_leaves_a_series_unwatched(method: str, kind: str) -> None:
    y = {"short": counts(3, length=20), "one_row": np.array([[4.0]]), "zero": np.zeros((1, WEEKS)), "constant": np.full((1, WEEKS), 7.0),
         "all_missing": np.full((1, WEEKS), np.nan), "huge": counts(1e7) * 1e3, "last_missing": counts(5)}[kind]
    if kind == "last_missing":
        y[0, -4:-1] = np.nan
    told = detect(y, method)
    assert told.observed.shape == told.alarm.shape == told.upper.shape and told.alarm.shape[1] >= 1
    if kind not in ("all_missing", "one_row"):
        assert told.alarm[0, -1] in (0, 1), REASONS[told.reason[0, -1]]
    if kind == "last_missing":
        assert method in ("cdc",) or (told.alarm[0, -3] == -1 and REASONS[told.reason[0, -3]] == "missing")


def test_a_short_history_is_judged_by_what_there_is() -> None:
    y = counts(2, length=20)
    y[0, -1] = 15
    told = detect(y, "farrington_flexible")
    assert told.alarm[0, -1] == 1 and told.used[0, -1] == BAYES and REASONS[told.reason[0, -1]] == "too_short"
    four = detect(counts(6, length=4 * 52 + 40), "farrington_flexible", range=[4 * 52 + 30])
    assert REASONS[four.reason[0, 0]] == "fewer_years" and four.alarm[0, 0] == 0 and np.isfinite(four.phi[0, 0])
    assert detect(counts(6, length=4 * 52 + 40), "farrington_flexible", range=[4 * 52 + 30], fallback=False).alarm[0, 0] == -1


def test_any_case_of_a_listed_disease_is_a_signal() -> None:
    y = counts(6, series=2)
    y[:, -1] = 1
    told = detect(y, "farrington_flexible", range=LAST, single_case=[True, False])
    assert told.alarm[:, -1].tolist() == [1, 0] and told.used[0, -1] == SINGLE


def test_a_missing_week_of_the_baseline_changes_little() -> None:
    y = counts(20)
    holed = y.copy()
    holed[0, [100, 150, 200]] = np.nan
    whole, less = (detect(one, "farrington_flexible", range=LAST) for one in (y, holed))
    np.testing.assert_allclose(less.expected, whole.expected, rtol=0.05)
    assert (less.size[0] < whole.size[0]).any() and (less.alarm >= 0).all()


def test_an_outbreak_left_out_of_the_baseline_does_not_hide_the_next_one() -> None:
    y = counts(5)
    y[0, 250:256] = 60
    marked = np.zeros(WEEKS, bool)
    marked[250:256] = True
    # the same as never having known those weeks
    unknown = y.copy()
    unknown[0, 250:256] = np.nan
    told = detect(y, "farrington_flexible", range=LAST, exclude=marked, reweight=False)
    np.testing.assert_array_equal(told.upper, detect(unknown, "farrington_flexible", range=LAST, reweight=False).upper)
    assert (told.upper < detect(y, "farrington_flexible", range=LAST, reweight=False).upper).all()
    within = detect(y, "farrington_flexible", exclude=marked, range={"from": 266, "to": 312})
    assert np.isfinite(within.observed).all()


@pytest.mark.parametrize("day, years, expected", [(date(2021, 1, 4), 1, date(2020, 1, 6)), (date(2020, 12, 28), 1, date(2019, 12, 30))])
def test_the_same_week_of_another_year_is_found_by_the_calendar(day: date, years: int, expected: date) -> None:
    weeks = mondays(WEEKS, date(2015, 12, 28))
    points = reference_points(Timeline(52, dates=weeks), weeks.index(day), years)
    assert weeks[points[1]] == expected
    assert abs((day.replace(year=day.year - 1) - expected).days) <= 3


def test_quantiles_and_tails_of_counts() -> None:
    for mean in (0.01, 0.7, 12.0, 300.0, 5e4, 3e6):
        for phi in (1.0, 1.0001, 1.8, 40.0):
            for level in (0.95, 0.995, 0.9999):
                law = stats.poisson(mean) if phi == 1 else stats.nbinom(mean / (phi - 1), 1 / phi)
                k = count_quantile(level, float(stats.norm.ppf(level)), mean, phi)
                assert law.cdf(k) >= level * (1 - 1e-9) and (k == 0 or law.cdf(k - 1) < level * (1 + 1e-9)), (mean, phi, level)
                assert count_at_least(k + 1, mean, phi) == pytest.approx(law.sf(k), rel=1e-7, abs=1e-300)
    assert count_quantile(0.995, 2.5758, 1e18, 3.0) > 1e18  # scipy's does not return
    for total, periods in ((0, 260), (3, 5), (5000, 40), (2e6, 3)):
        law = stats.nbinom(total + 0.5, periods / (periods + 1))
        k = predictive_quantile(0.995, total, periods)
        assert law.cdf(k) >= 0.995 - 1e-12 and (k == 0 or law.cdf(k - 1) < 0.995)
        assert predictive_at_least(k + 1, total, periods) == pytest.approx(law.sf(k), rel=1e-7)
    assert predictive_at_least(1, 0, 260) == pytest.approx(0.0019, abs=5e-5)  # the figure of the methods note


def test_false_discoveries_are_counted_over_all_series() -> None:
    p = np.random.default_rng(3).random((50, 2))
    p[4, 0] = np.nan
    expected = stats.false_discovery_control(np.delete(p[:, 0], 4))
    np.testing.assert_allclose(np.delete(benjamini_hochberg(p)[:, 0], 4), expected)
    y = counts(20, series=200, seed=5)
    y[:3, -1] = [60, 70, 80]
    told = detect(y, "farrington_flexible", range=LAST, alpha=0.05)
    few = rank(told, share=0.05)
    assert few.raised[:3, -1].all() and few.raised[3:, -1].sum() <= 1 < (told.alarm[3:, -1] == 1).sum()
    assert few.rank[2, -1] == 1 and sorted(few.rank[:, -1]) == list(range(1, 201))
    assert rank(told, budget=2).raised.sum(axis=0).max() == 2 and rank(told, budget=2).raised[2, -1]


def test_a_day_is_compared_with_days_of_its_kind() -> None:
    days = tuple(date(2023, 1, 2) + timedelta(days=i) for i in range(700))
    holidays = [date(2023, 10, day) for day in range(1, 8)] + [date(2024, 10, day) for day in range(1, 8)]
    timeline = Timeline(365, dates=days)
    truth = np.array([1.6, 1.2, 1.0, 1.0, 1.0, 0.7, 0.5])
    truth = truth / truth.mean()
    kinds = kinds_of_days(timeline, holidays)
    mean = 60 * np.where(kinds == 7, 0.3, truth[np.array([day.weekday() for day in days])])
    y = np.random.default_rng(7).poisson(mean, (20, 700)).astype(float)
    factors = day_factors(y, kinds, 600)
    np.testing.assert_allclose(factors[:, :7].mean(axis=0), truth, atol=0.05)
    judged = {"from": 601, "to": 700}
    plain = detect(y, "ears", method="C2", timeline=timeline, range=judged, baseline=28, alpha=0.001)
    fair = detect(y, "ears", method="C2", timeline=timeline, range=judged, baseline=28, alpha=0.001, day_effects=True, holidays=holidays)
    after = kinds[600:] == 0
    assert (fair.alarm[:, after] == 1).mean() < 0.5 * (plain.alarm[:, after] == 1).mean() + 0.005
    y[:, 650] *= 3  # an outbreak is still seen
    assert (detect(y, "ears", timeline=timeline, range=judged, baseline=28, day_effects=True).alarm[:, 50] == 1).all()


@pytest.mark.parametrize("settings, name", [({"alpha": 7}, "alpha"), ({"b": 2.5}, "b"), ({"nonsense": 1}, "nonsense"), ({"thresholdMethod": "x"},
                                                                                                                        "thresholdMethod"),
                                            ({"limit54": 5}, "limit54"), ({"range": {"from": 9, "to": 3}}, "range"), ({"populationOffset": True},
                                                                                                                      "populationOffset")])
def test_settings_that_cannot_be_used_are_named(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(SettingError) as caught:
        detect(counts(5), "farringtonFlexible", **settings)
    assert caught.value.name == name


def test_threads_change_nothing() -> None:
    y = counts(4, series=130)
    one, two = (detect(y, "farrington_flexible", range=LAST, workers=workers) for workers in (1, 2))
    np.testing.assert_array_equal(one.upper, two.upper)
    np.testing.assert_array_equal(one.score, two.score)


@pytest.mark.parametrize("method", ["farrington_flexible", "cusum", "rki"])
def test_too_few_periods_for_the_reference_are_refused(method: str) -> None:
    with pytest.raises(SettingError) as caught:
        detect(counts(3, length=20), method, fallback=False)
    assert caught.value.name == "range"
