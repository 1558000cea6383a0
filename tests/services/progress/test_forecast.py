"""Forecasts that look at nothing but the past, and intervals that hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.services.progress import forecast
from quanmin.services.progress.forecast import paths, pooled, reach_of, restored, stabilised


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=15, max_size=40), st.integers(3, 12))
@settings(deadline=None, max_examples=25)
def test_no_forecast_knows_what_comes_after_it(counts, cut) -> None:
    above, below = [float(n) for n, _ in counts], [float(n + d) for n, d in counts]
    whole, told = paths(above, below, 4), paths(above[:-cut], below[:-cut], 4)
    assert np.allclose(whole.points[: len(told.points)], told.points, equal_nan=True)
    assert np.allclose(whole.sizes[: len(told.sizes)], told.sizes, equal_nan=True)


def test_conformal_quantile_by_hand() -> None:
    """Lei et al. 2018, section 2.2: of 19 errors 1 … 19 at 90 % the ⌈20 × 0.9⌉ = 18th."""
    assert reach_of(np.arange(1.0, 20.0) * np.where(np.arange(19) % 2, 1, -1), 0.9, "share") == 18.0
    assert reach_of(np.full(5, 0.1), 0.9, "share") == pytest.approx(1.2 * 1.645 / 2, abs=1e-3), "few errors: never below sampling variation"


def test_a_flat_series_goes_on_flat() -> None:
    found = forecast([50.0] * 40, [100.0] * 40, 6, scale=100.0)
    assert found is not None and found.points.tolist() == pytest.approx([50.0] * 6)
    assert found.sizes.tolist() == [100.0] * 6 and not found.is_short


def test_pooled_outcomes_by_hand() -> None:
    """From month 0, months 2 to 3: (3 + 4) ÷ 20."""
    found = pooled(np.array([1.0, 2, 3, 4, 5]), np.full(5, 10.0), 2, 3)
    assert found[:2].tolist() == pytest.approx([0.35, 0.45]) and np.isnan(found[2:]).all()


@pytest.mark.parametrize("kind", ["share", "rate", "mean"])
def test_the_even_scale_comes_back(kind) -> None:
    values = np.array([0.01, 0.3, 0.99])
    assert restored(kind, stabilised(kind, values)).tolist() == pytest.approx(values.tolist())


def world(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sixty-three months of a share: constant, drifting or seasonal."""
    months = np.arange(63)
    size = rng.integers(60, 160, 63)
    hidden = {"constant": np.full(63, 0.7), "drifting": 0.5 + np.cumsum(rng.normal(0, 0.015, 63)), "seasonal": 0.5 + 0.2 * np.sin(months / 6 * np.pi)}[name]
    return rng.binomial(size, np.clip(hidden, 0.02, 0.98)).astype(float), size.astype(float)


@pytest.mark.parametrize("name", ["constant", "drifting", "seasonal"])
def test_the_interval_holds_as_often_as_it_says(name) -> None:
    rng = np.random.default_rng(8)
    inside, total, widths = 0, 200, []
    for _ in range(total):
        above, below = world(name, rng)
        found = forecast(above[:60], below[:60], 3)
        assert found is not None
        inside += bool(found.low[2] <= above[62] / below[62] <= found.high[2])
        widths.append(found.high[2] - found.low[2])
    assert 0.85 <= inside / total <= (0.98 if name == "seasonal" else 0.95)
    if name == "constant":
        assert np.median(widths) < 1.35 * 2 * 1.645 * np.sqrt(0.21 / 100), "little wider than chance alone"
    if name == "seasonal":
        assert np.median(widths) < 0.26, "the season is learned: without it the width would be above 0.4"


def test_missing_months_and_young_series() -> None:
    above, below = world("constant", np.random.default_rng(1))
    holes = [None if i % 7 == 3 else v for i, v in enumerate(above)]
    found = forecast(holes, list(below), 3)
    assert found is not None and 0.6 < found.points[0] < 0.8 and not found.is_short
    young = forecast(above[:5], below[:5], 3)
    assert young is not None and young.is_short and young.low[2] < 0.7 < young.high[2]
    assert forecast([None, 3.0], [10.0, 0.0], 3) is None
    with pytest.raises(ValueError, match="kind"):
        forecast([1.0], [2.0], 1, "total")
    with pytest.raises(ValueError, match="length"):
        forecast([1.0], [2.0, 3.0], 1)


def test_a_month_of_few_cases_has_a_wider_interval() -> None:
    above, below = world("constant", np.random.default_rng(3))
    many, few = forecast(above, below, 1), forecast(np.r_[above, above[-12:] // 10], np.r_[below, below[-12:] // 10], 1)
    assert many is not None and few is not None
    assert few.high[0] - few.low[0] > 1.8 * (many.high[0] - many.low[0])
