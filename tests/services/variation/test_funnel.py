"""Funnel limits against figures reckoned by hand from Spiegelhalter 2005 (doi:10.1002/sim.1970)."""

from __future__ import annotations

from math import comb, exp, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.services.variation import curve, funnel
from quanmin.services.variation.funnel import exact_limit, over_dispersion, winsorised


def test_interpolated_binomial_limit_by_hand() -> None:
    """Appendix A.1: n = 10, θ = ½, p = .025: F(1) = 11/1024, F(2) = 56/1024, r = 2, α = (56/1024 − .025) ÷ (45/1024), limit (2 − α) ÷ 10."""
    alpha = (56 / 1024 - 0.025) / (45 / 1024)
    assert exact_limit("share", 0.025, [10], 0.5)[0] == pytest.approx((2 - alpha) / 10)


def test_interpolated_poisson_limit_by_hand() -> None:
    """Appendix A.1 with a Poisson mean of 5 over an exposure of 2.5 at θ = 2: F(0) = e⁻⁵ < .025 ≤ F(1) = 6 e⁻⁵, r = 1."""
    alpha = (6 * exp(-5) - 0.025) / (5 * exp(-5))
    assert exact_limit("rate", 0.025, [2.5], 2.0)[0] == pytest.approx((1 - alpha) / 2.5)


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.sampled_from([0.001, 0.025, 0.975, 0.999]))
@settings(deadline=None)
def test_the_limit_lies_between_the_two_counts_around_the_probability(n, target, p) -> None:
    count = exact_limit("share", p, [n], target)[0] * n
    cdf = np.cumsum([comb(n, k) * target**k * (1 - target) ** (n - k) for k in range(n + 1)])
    r = int(np.searchsorted(cdf, p - 1e-12))
    assert r - 1 - 1e-6 <= count <= r + 1e-6 or count == pytest.approx(0.0)


def test_limits_narrow_like_the_normal_ones_for_large_units() -> None:
    low, high = (exact_limit("share", p, [100_000], 0.2)[0] for p in (0.025, 0.975))
    assert [low, high] == pytest.approx([0.2 - 1.96 * np.sqrt(0.16 / 1e5), 0.2 + 1.96 * np.sqrt(0.16 / 1e5)], abs=2e-5)


def test_units_outside_and_their_degree() -> None:
    """Pooled 20 %; 200 cases: 95 % limits about 14.6–25.7 %, 99.8 % about 11.8–29.2 %."""
    plot = funnel([40, 55, 62, 25, 20], [200] * 5, target=20.0, scale=100.0)
    assert plot.outside.tolist() == [0, 1, 2, -1, -2]
    assert plot.values.tolist() == pytest.approx([20.0, 27.5, 31.0, 12.5, 10.0])
    assert (np.sign(plot.z) == [np.sign(v - 20.0) if v != 20 else np.sign(plot.z[0]) for v in plot.values]).all()


def test_one_of_one_and_none_of_none_are_no_outliers() -> None:
    plot = funnel([1, 0, 50], [1, 0, 100])
    assert plot.outside.tolist() == [0, 0, 0] and np.isnan(plot.values[1]) and np.isnan(plot.p[1])


def test_mid_p_by_hand() -> None:
    """Poisson mean 2, count 0: two-sided mid-p = 2 × ½ e⁻²."""
    plot = funnel([0], [2], kind="rate", target=1.0)
    assert plot.p[0] == pytest.approx(exp(-2))
    tail = 1 - sum(exp(-2) * 2**k / factorial(k) for k in range(6)) + exp(-2) * 2**5 / factorial(5) / 2
    assert funnel([5], [2], kind="rate", target=1.0).p[0] == pytest.approx(2 * tail)


def test_winsorising_pulls_in_ten_per_cent_at_each_end() -> None:
    """Eleven scores 0 … 10: the 10 % and 90 % quantiles are 1 and 9."""
    assert winsorised(np.arange(11.0)).tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]


def test_over_dispersion_by_hand() -> None:
    """z = −3, −3, 3, 3 with equal s² = .01: φ = 36 ÷ 4 = 9; τ² = (4 × 9 − 3) ÷ (400 − 40000 ÷ 400) = 33 ÷ 300."""
    phi, tau2 = over_dispersion([-3, -3, 3, 3], [0.01] * 4)
    assert (phi, tau2) == pytest.approx((9.0, 0.11))
    assert over_dispersion([0.5, -0.5, 0.5, -0.5], [0.01] * 4)[1] == 0.0


@pytest.mark.parametrize("dispersion", ["multiplicative", "additive"])
def test_over_dispersion_widens_the_limits(dispersion) -> None:
    rng = np.random.default_rng(7)
    sizes = rng.integers(300, 900, 40)
    counts = rng.binomial(sizes, np.clip(rng.normal(0.3, 0.06, 40), 0, 1))
    plain, wide = funnel(counts, sizes), funnel(counts, sizes, dispersion=dispersion)
    assert np.count_nonzero(plain.outside) > 15 > 8 > np.count_nonzero(wide.outside)
    assert (wide.limits.high_95 > plain.limits.high_95).all()
    assert wide.phi > 3 and (wide.tau == pytest.approx(0.06, rel=0.5) if dispersion == "additive" else wide.tau == 0)
    drawn = curve(wide, sizes)
    assert drawn.low_998.tolist() == pytest.approx(wide.limits.low_998.tolist())


def test_additive_limits_do_not_close_on_the_target() -> None:
    plot = funnel([100, 500, 300, 200], [1000] * 4, dispersion="additive")
    multiplied = funnel([100, 500, 300, 200], [1000] * 4, dispersion="multiplicative")
    assert curve(plot, [1e9]).high_95[0] - plot.target == pytest.approx(1.96 * plot.tau, rel=1e-3)
    assert curve(multiplied, [1e9]).high_95[0] - plot.target < 1e-3


def test_by_chance_alone_few_units_are_outside() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(5, 400, 4000)
    plot = funnel(rng.binomial(sizes, 0.1), sizes, target=0.1)
    assert 0.02 <= np.count_nonzero(plot.outside) / 4000 <= 0.055
    assert np.count_nonzero(abs(plot.outside) == 2) / 4000 <= 0.004


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="above its denominator"):
        funnel([3], [2])
    with pytest.raises(ValueError, match="kind"):
        funnel([3], [2], kind="mean")


def test_a_target_of_nothing_or_everything() -> None:
    assert funnel([0, 1], [10, 10], target=0.0).outside.tolist() == [0, 2]
    assert funnel([10, 9], [10, 10], target=1.0).outside.tolist() == [0, -2]
