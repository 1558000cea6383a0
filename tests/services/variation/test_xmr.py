"""XmR charts against the published figures and rules of Making Data Count as NHSRplotthedots reckons them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanmin.services.variation import xmr

# R: set.seed(123); rnorm(20): the series of NHSRplotthedots, tests/testthat/test-ptd_spc_standard.R, "it returns expected values"
SERIES = [-0.56047565, -0.23017749, 1.55870831, 0.07050839, 0.12928774, 1.71506499, 0.46091621, -1.26506123, -0.68685285, -0.44566197, 1.22408180,
          0.35981383, 0.40077145, 0.11068272, -0.55584113, 1.78691314, 0.49785048, -1.96661716, 0.70135590, -0.47279141]
FLAT = [1.0, -1.0] * 8  # mean 0, mean moving range 2, limits ± 5.32, near limits ± 3.5467


@pytest.mark.parametrize(("replaced", "screen", "mean", "low", "high"), [
    (None, True, 0.1416238, -3.01138, 3.294627), (10.0, True, 0.6694159, -2.383666, 3.722497), (10.0, False, 0.6694159, -4.596625, 5.935457)])
def test_limits_are_those_published(replaced, screen, mean, low, high) -> None:
    """NHSRplotthedots, tests/testthat/_snaps/ptd_spc_standard.md: mean_col, lpl, upl of r1, r2 (point 15 is 10, screened), r3 (not screened)."""
    series = list(SERIES)
    if replaced is not None:
        series[14] = replaced
    chart = xmr(series, screen=screen)
    assert chart.mean[0] == pytest.approx(mean, abs=5e-8)
    assert chart.low[0] == pytest.approx(low, abs=5e-6) and chart.high[0] == pytest.approx(high, abs=5e-6)


def test_a_point_beyond_a_limit_is_outside_and_one_on_it_is_not() -> None:
    chart = xmr([*FLAT, 40.0], baseline=16, better="higher")
    assert chart.high[0] == pytest.approx(5.32) and chart.rule[-1] == "outside" and chart.variation == "improving"
    assert xmr([*FLAT, 5.31], baseline=16).rule[-1] == ""


@pytest.mark.parametrize(("points", "expected"), [
    ([1.0] * 6, [False] * 6),
    ([1.0] * 6 + [-1.0], [False] * 7),
    ([1.0] * 8 + [-1.0], [True] * 8 + [False]),
    ([-1.0] * 8 + [1.0], [True] * 8 + [False]),
    ([1.0] * 3 + [0.0] + [1.0] * 4, [False] * 8)])
def test_run_of_seven_on_one_side(points, expected) -> None:
    """test-ptd_calculate_point_type.R, ptd_seven_point_one_side_mean; a point exactly on the mean belongs to no side."""
    chart = xmr([*FLAT, *points], baseline=16)
    before = sum(1 for p in points[:1] if p == -1.0)  # the last of FLAT is −1 and joins a run below
    assert [rule == "run" for rule in chart.rule[16:]] == expected
    assert all(rule == "" for rule in chart.rule[: 16 - before])


@pytest.mark.parametrize(("points", "expected"), [
    ([1, 2, 3, 4, 5, 6], [0] * 6), ([1, 2, 3, 3, 4, 5, 6], [0] * 7), ([1, 2, 3, 4, 5, 6, 7], [1] * 7), ([2, 1, 2, 3, 4, 5, 6, 7, 3], [0, *[1] * 7, 0]),
    ([7, 6, 5, 4, 3, 2, 1], [-1] * 7), ([2, 7, 6, 5, 4, 3, 2, 1, 3], [0, *[-1] * 7, 0])])
def test_trend_of_seven(points, expected) -> None:
    """test-ptd_calculate_point_type.R, ptd_seven_point_trend with ptd_part_of_seven_trend: seven points, six steps, a tie breaks it."""
    before = [0.0, 100.0] * 8 + ([0.0] if points[-2] < points[1] else [])  # its last step goes the other way
    chart = xmr([*before, *[50 + p / 100 for p in points]], baseline=16)
    assert [side if rule == "trend" else 0 for rule, side in zip(chart.rule, chart.side, strict=True)][len(before):] == expected


def test_two_of_three_near_a_limit_on_one_side() -> None:
    near = 4.0  # between 3.5467 and 5.32
    assert xmr([*FLAT, near, 0.5, near], baseline=16).rule[16:] == ("two_of_three", "", "two_of_three")
    assert xmr([*FLAT, near, 0.5, 0.5, near], baseline=16).rule[16:] == ("",) * 4
    assert xmr([*FLAT, 0.5, near, near], baseline=16).rule[16:] == ("", "two_of_three", "two_of_three")
    assert xmr([*FLAT, 40.0, near, 0.5], baseline=16).rule[16:] == ("outside", "", ""), "a point beyond the limit is not a near one"


def test_near_points_on_both_sides_are_common_cause() -> None:
    """test-ptd_spc_standard.R: "it only reports special cause for 2 of 3 points close to limits when they are on the same side of the mean"."""
    chart = xmr([*[1.0, -1.0] * 7, 5.5, -5.5])
    assert chart.kind[-2:] == ("common_cause", "common_cause")


@pytest.mark.parametrize(("better", "kind"), [("higher", "concerning"), ("lower", "improving"), ("none", "neither"), ("target", "neither")])
def test_the_icon_is_the_kind_of_the_last_point(better, kind) -> None:
    """geom_ptd_icon.R: the variation icon is the point type of the latest date; a fall counts by the better direction."""
    chart = xmr([*FLAT, -40.0, None], baseline=16, better=better)
    assert (chart.variation, chart.variation_side) == (kind, -1)
    assert xmr([*FLAT, -40.0, 1.0], baseline=16, better=better).variation == "common_cause"


def test_a_falling_trend_above_the_mean_is_a_fall() -> None:
    """ptd_special_cause_type: of a trend the direction of the steps counts, not the side of the mean."""
    chart = xmr([*[0.0, 100.0] * 8, *[80.0 - i for i in range(8)]], baseline=16, better="higher")
    assert chart.rule[-1] == "trend" and chart.variation == "concerning"


@pytest.mark.parametrize(("better", "results"), [
    ("higher", ("consistently_missed", "consistently_met", "inconsistent")), ("lower", ("consistently_met", "consistently_missed", "inconsistent")),
    ("none", (None, None, None))])
def test_assurance(better, results) -> None:
    """test-ptd_calculate_assurance_type.R: target above, below and within the limits."""
    assert tuple(xmr(FLAT, better=better, target=target).assurance for target in (6.0, -6.0, 4.0)) == results
    assert xmr(FLAT, better=better).assurance is None


def test_a_recalculation_starts_limits_and_rules_anew() -> None:
    series = [*FLAT, *[v + 50 for v in FLAT]]
    whole, parts = xmr(series), xmr(series, recalculate_at=[16])
    assert "outside" in whole.rule and set(parts.rule) == {""}
    assert (parts.mean[15], parts.mean[16]) == (0.0, 50.0)
    assert xmr([*FLAT, 50.0, 51.0], recalculate_at=[16]).is_provisional


def test_missing_months_are_passed_over() -> None:
    """A gap makes no moving range, and neither breaks nor feeds a run."""
    chart = xmr([0.0, 2.0, None, 100.0, 102.0])
    assert chart.high[0] - chart.mean[0] == pytest.approx(2.66 * 2.0)
    assert np.isnan(chart.values[2]) and chart.rule[2] == ""
    held = xmr([*FLAT, 1.0, 1.0, 1.0, None, 1.0, 1.0, 1.0, 1.0], baseline=16)
    assert held.rule[16:] == ("run",) * 3 + ("",) + ("run",) * 4


def test_series_that_say_little() -> None:
    assert xmr([]).variation == "common_cause"
    assert xmr([None, None]).assurance is None
    assert xmr([5.0] * 20, target=5.0, better="higher").kind == ("common_cause",) * 20
    with pytest.raises(ValueError, match="recalculate_at"):
        xmr([1.0, 2.0], recalculate_at=[5])


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=40))
def test_turning_the_series_upside_down_turns_every_side(values) -> None:
    up, down = xmr([float(v) for v in values]), xmr([-float(v) for v in values])
    assert up.rule == down.rule and (up.side == -down.side).all()
    assert all((rule == "") == (side == 0) for rule, side in zip(up.rule, up.side, strict=True))
