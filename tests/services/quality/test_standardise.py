"""Ratios and rates against reference figures and against figures reckoned by hand."""

from __future__ import annotations

import csv
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quanmin.services.quality.standardise import METHODS, direct, indirect, over_dispersion, poisson_limits, poisson_p, ratio_limit

REFERENCE = Path(__file__).with_name("reference")
ORACLES = Path(__file__).parents[4] / "shared" / "oracles" / "surveillance" / "quality"
COUNTS = st.lists(st.integers(0, 400), min_size=1, max_size=20)


def oracle(name: str) -> dict[str, np.ndarray]:
    """The columns of an oracle file, NaN where it says nothing."""
    path = next((folder / name for folder in (REFERENCE, ORACLES) if (folder / name).exists()), None)
    if path is None:
        pytest.skip(f"{name} is not at ../shared/oracles/surveillance/quality")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {column: np.array([float(row[column] or "nan") for row in rows]) for column in rows[0]}


def test_limits_and_p_equal_the_reference() -> None:
    told = oracle("sir_midp.csv")
    low, high = poisson_limits(told["O"], "midp")
    known = ~np.isnan(told["midp_lo"])
    assert (low[~known] == 0).all() and (told["O"][~known] == 0).all(), "the reference leaves the lower limit of nothing open"
    np.testing.assert_allclose(low[known], told["midp_lo"][known], rtol=1e-12)
    np.testing.assert_allclose(high, told["midp_hi"], rtol=1e-12)
    np.testing.assert_allclose(poisson_p(told["O"], told["E"]), told["midp_p"], rtol=1e-12)
    found, exact = indirect(told["O"], told["E"], "midp"), indirect(told["O"], told["E"])
    for ours, theirs in ((found.smr, "SIR"), (found.high, "SIR_hi"), (exact.low, "exact_lo"), (exact.high, "exact_hi")):
        np.testing.assert_allclose(ours, told[theirs], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.low[known], told["SIR_lo"][known], rtol=1e-12)


@pytest.mark.parametrize("p", ["0.001", "0.025", "0.975", "0.999"])
def test_interpolated_funnel_limits_equal_the_reference(p: str) -> None:
    told = oracle("funnel_limits_poisson.csv")
    np.testing.assert_allclose(ratio_limit(float(p), told["E"]), told[f"spiegelhalter_p{p}"], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("column", "p"), [("ci_ll95", 0.025), ("ci_ul95", 0.975), ("ci_ll998", 0.001), ("ci_ul998", 0.999)])
def test_chi_square_funnel_limits_equal_the_reference(column: str, p: float) -> None:
    told = oracle("funnel_limits_poisson.csv")
    np.testing.assert_allclose(ratio_limit(p, told["E"], "chi_square"), told[column], rtol=1e-12)


def test_limits_by_hand() -> None:
    """Of no event: exact −ln .025, mid-P −ln .05. Byar of 10: 10 (1 − 1/90 − 1.96/(3√10))³ and 11 (1 − 1/99 + 1.96/(3√11))³."""
    assert poisson_limits([0])[1] == pytest.approx([-np.log(0.025)]) and poisson_limits([0], "midp")[1] == pytest.approx([-np.log(0.05)])
    low, high = poisson_limits([10], "byar")
    assert low == pytest.approx([10 * (1 - 1 / 90 - 1.959964 / (3 * np.sqrt(10))) ** 3])
    assert high == pytest.approx([11 * (1 - 1 / 99 + 1.959964 / (3 * np.sqrt(11))) ** 3])
    assert poisson_p([0], [2.5]) == pytest.approx([exp(-2.5)]) and poisson_p([0], [2.5], is_mid=False) == pytest.approx([2 * exp(-2.5)])


@given(COUNTS, st.sampled_from([0.9, 0.95, 0.998]))
@settings(deadline=None)
def test_mid_p_lies_within_exact_and_byar_is_near(counts: list[int], level: float) -> None:
    (low, high), (mid_low, mid_high), (byar_low, byar_high) = (poisson_limits(counts, method, level) for method in ("exact", "midp", "byar"))
    many = np.array(counts) > 5
    assert (low <= mid_low).all() and (mid_high <= high).all() and (mid_low <= counts).all() and (mid_high >= counts).all()
    assert byar_low[many] == pytest.approx(low[many], rel=0.06) and byar_high[many] == pytest.approx(high[many], rel=0.03)


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0.05, 300)), min_size=1, max_size=30), st.randoms())
@settings(deadline=None)
def test_a_unit_has_its_figures_whoever_its_neighbours_are(units, random) -> None:
    counts, means = (np.array(part, dtype=float) for part in zip(*units, strict=True))
    order = list(range(len(units)))
    random.shuffle(order)
    one, other = indirect(counts, means, "midp"), indirect(counts[order], means[order], "midp")
    assert other.smr.tolist() == one.smr[order].tolist() and other.outside.tolist() == one.outside[order].tolist()
    assert (indirect(counts, means).low * means <= counts + 1e-9).all()


@given(st.integers(0, 100), st.floats(0.1, 100), st.floats(0.5, 20), st.sampled_from(METHODS))
@settings(deadline=None)
def test_a_unit_of_other_expectation_has_other_ratio_and_the_same_count(count: int, mean: float, factor: float, method: str) -> None:
    one, other = indirect([count], [mean], method), indirect([count], [mean * factor], method)
    for ours, theirs in ((one.smr, other.smr), (one.low, other.low), (one.high, other.high)):
        assert theirs * factor == pytest.approx(ours)


def test_over_dispersion_by_hand() -> None:
    """z = 2 (√O − √E) of 81, 121 around 100 twice over: ±2, φ = 4; τ² = (4 × 4 − 3) ÷ (1600 − 1600 × 400 ÷ 1600) = 13 ÷ 1200."""
    phi, tau2 = over_dispersion([81, 121, 81, 121], [100] * 4)
    assert (phi, tau2) == pytest.approx((4.0, 13 / 1200))
    wide, plain = (indirect([81, 121, 81, 121], [100] * 4, dispersion=one) for one in ("additive", "none"))
    assert (wide.high_95 > plain.high_95).all() and (wide.low_998 < plain.low_998).all() and wide.tau == pytest.approx(np.sqrt(13 / 1200))
    assert wide.high_95[0] == pytest.approx((1 + 1.959964 * np.sqrt(1 / 400 + 13 / 1200)) ** 2)
    assert indirect([81, 121, 81, 121], [100] * 4, dispersion="multiplicative").high_95[0] == pytest.approx((1 + 1.959964 * 2 / 20) ** 2)


def test_outside_the_funnel_and_without_expectation() -> None:
    found = indirect([20, 32, 40, 5, 1, 0], [20, 20, 20, 20, 0.01, 0])
    assert found.outside.tolist() == [0, 1, 2, -2, 1, 0] and np.isnan(found.smr[5]) and np.isnan(found.p[5]) and np.isnan(found.high_95[5])


@given(st.integers(0, 300), st.integers(300, 10_000), st.sampled_from(["gamma", "dobson"]))
@settings(deadline=None)
def test_a_rate_of_one_stratum_has_the_exact_limits(count: int, size: int, method: str) -> None:
    found, (low, high) = direct([[count]], [[size]], [7.0], method), poisson_limits([count])
    assert found.rate == pytest.approx([count / size]) == found.crude
    assert found.low == pytest.approx(low / size) and found.high == pytest.approx(high / size)


def test_direct_rates_by_hand() -> None:
    """Weights ½: (2/10 + 3/20) ÷ 2 = .175; variance ¼ (2/100 + 3/400) = .006875; Dobson: .175 + √(.006875 ÷ 5) × (limit of 5 − 5)."""
    found = direct([[2, 3], [4, 0]], [[10, 20], [40, 0]], [50, 50], "dobson")
    low, high = poisson_limits([5])
    assert found.rate == pytest.approx([0.175, 0.1]) and found.covered == pytest.approx([1.0, 0.5])
    assert found.low[0] == pytest.approx(0.175 + np.sqrt(0.006875 / 5) * (low[0] - 5))
    assert found.high[0] == pytest.approx(0.175 + np.sqrt(0.006875 / 5) * (high[0] - 5))
    gamma = direct([[2, 3]], [[10, 20]], [50, 50])
    v, y, most = 0.006875, 0.175, 0.05
    assert gamma.low[0] == pytest.approx(v / (2 * y) * stats.chi2.ppf(0.025, 2 * y**2 / v))
    assert gamma.high[0] == pytest.approx((v + most**2) / (2 * (y + most)) * stats.chi2.ppf(0.975, 2 * (y + most) ** 2 / (v + most**2)))


def test_gamma_limits_hold_what_they_promise() -> None:
    rng = np.random.default_rng(4)
    sizes, rates, standard = np.array([400, 200, 50]), np.array([0.004, 0.02, 0.08]), np.array([5, 3, 2.0])
    drawn = rng.poisson(sizes * rates, (4000, 3))
    found, true = direct(drawn, np.tile(sizes, (4000, 1)), standard), (rates * standard).sum() / standard.sum()
    inside = ((found.low <= true) & (true <= found.high)).mean()
    assert 0.95 <= inside <= 0.99


def test_what_cannot_be_standardised_is_refused() -> None:
    for wrong in (lambda: poisson_limits([1], "wald"), lambda: poisson_limits([-1]), lambda: poisson_limits([1], level=1.0),
                  lambda: indirect([1], [-1.0]), lambda: indirect([1], [1.0], dispersion="some"), lambda: ratio_limit(0.5, [1], "wald"),
                  lambda: direct([[1]], [[0]], [1]), lambda: direct([[1, 2]], [[3, 4]], [1])):
        with pytest.raises(ValueError):
            wrong()
