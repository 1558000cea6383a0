"""A change split into data, mix and rate: by hand, and what must hold for any figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quanmin.services.change import Cells, split

COUNT = st.integers(0, 400)
ROW = st.tuples(st.integers(0, 4), st.integers(0, 3), COUNT, COUNT, COUNT, COUNT)
ROWS = st.lists(ROW, min_size=1, max_size=25)


def cells_of(rows, reported=None) -> Cells:
    """Rows of group, submission, numerator and rest before, numerator and rest after; a group's rows of one submission may repeat."""
    columns = np.array([(n0, n0 + m0, n1, n1 + m1) for _, _, n0, m0, n1, m1 in rows], dtype=float).reshape(-1, 4).T
    return Cells([g for g, *_ in rows], [s for _, s, *_ in rows], *columns, reported)


def swapped(cells: Cells) -> Cells:
    return Cells(cells.groups, cells.submissions, cells.numerator_after, cells.denominator_after, cells.numerator_before, cells.denominator_before)


def test_mix_and_rate_by_hand() -> None:
    """Kitagawa 1955 on two groups: 50 of 100 and 10 of 100 become 60 of 150 and 4 of 50; 30 % becomes 32 %.

    Weights ½, ½ → ¾, ¼; figures .5, .1 → .4, .08. Rate: .625 × −.1 and .375 × −.02 = −.0625 − .0075. Mix about ½ (.3 + .32) = .31:
    .25 × (.45 − .31) and −.25 × (.09 − .31) = .035 + .055.
    """
    found = split(Cells("ab", "xx", [50, 10], [100, 100], [60, 4], [150, 50]), scale=100.0)
    assert (found.before, found.after, found.data) == pytest.approx((30.0, 32.0, 0.0))
    assert [(g.mix, g.rate) for g in found.groups] == [pytest.approx((3.5, -6.25)), pytest.approx((5.5, -0.75))]
    assert found.mix == pytest.approx(9.0) and found.rate == pytest.approx(-7.0)


def test_published_two_factor_example() -> None:
    """Reconvictions of women and men (Scotland 2004, as in the DasGuptR manual) against the same rates with equally many of both: all is mix.

    2,190 of 7,842 and 13,787 of 41,509: 32.4 %; Das Gupta 1993, chapter 2: the effect of composition is Σ (w₁ − w₀) × mean rate.
    """
    women, men = 2190 / 7842, 13787 / 41509
    found = split(Cells("fm", "xx", [2190, 13787], [7842, 41509], [women * 500, men * 500], [500, 500]))
    assert found.before == pytest.approx(0.324, abs=5e-4)
    assert found.mix == pytest.approx((0.5 - 7842 / 49351) * (women - men)) and found.rate == pytest.approx(0, abs=1e-12)


def test_a_missing_submission_is_data_by_hand() -> None:
    """Senders x and y of 100 at 80 % and 20 % before; y does not send after: 50 % becomes 80 %, and nothing happened in truth."""
    found = split(Cells("aa", "xy", [80, 20], [100, 100], [80, 0], [100, 0]), scale=100.0)
    assert (found.data, found.mix, found.rate) == pytest.approx((30.0, 0.0, 0.0))
    assert [(p.submission, p.missing, p.data) for p in found.submissions] == [("y", "after", pytest.approx(30.0))]


def test_what_came_is_said_and_not_guessed() -> None:
    """A clinic that reported a month without a case is no missing submission."""
    rows = Cells("aab", "xyy", [80, 20, 5], [100, 100, 10], [80, 0, 0], [100, 0, 0], ({"x", "y"}, {"x", "y"}))
    found = split(rows)
    assert found.data == 0 and not found.submissions and found.mix + found.rate == pytest.approx(found.change)


def test_a_group_in_one_period_only_is_mix() -> None:
    found = split(Cells("ab", "xx", [50, 0], [100, 0], [50, 90], [100, 100]))
    assert found.rate == pytest.approx(0) and found.mix == pytest.approx(0.2)
    assert found.groups[1].before is None and found.groups[1].after == pytest.approx(0.9)


def test_a_numerator_without_denominator_is_rate() -> None:
    found = split(Cells("ab", "xx", [50, 0], [100, 0], [50, 10], [100, 0]), "rate")
    assert found.groups[1].rate == pytest.approx(0.1) and found.mix == pytest.approx(0)


def test_nothing_in_common_is_all_data() -> None:
    found = split(Cells("aa", "xy", [30, 0], [100, 0], [0, 60], [0, 100]))
    assert (found.data, found.mix, found.rate) == pytest.approx((0.3, 0, 0))
    assert sum(p.data for p in found.submissions) == pytest.approx(0.3)


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no denominator"):
        split(Cells("a", "x", [1], [2], [0], [0]))
    with pytest.raises(ValueError, match="one length"):
        split(Cells("ab", "x", [1], [2], [0], [0]))
    with pytest.raises(ValueError, match="below 0"):
        split(Cells("a", "x", [1], [-2], [0], [1]))
    with pytest.raises(ValueError, match="kind"):
        split(Cells("a", "x", [1], [2], [0], [1]), "total")


def enough(cells: Cells) -> bool:
    return np.sum(cells.denominator_before) > 0 and np.sum(cells.denominator_after) > 0


@given(ROWS, st.sampled_from([1.0, 100.0, 1e5]))
@settings(deadline=None)
def test_parts_sum_to_the_change(rows, scale) -> None:
    cells = cells_of(rows)
    assume(enough(cells))
    found = split(cells, scale=scale)
    expected = (np.sum(cells.numerator_after) / np.sum(cells.denominator_after) - np.sum(cells.numerator_before) / np.sum(cells.denominator_before)) * scale
    assert found.change == pytest.approx(expected, abs=1e-9 * scale)
    assert abs(found.data + found.mix + found.rate - found.change) <= 1e-9 * scale
    assert abs(sum(g.total for g in found.groups) - found.change) <= 1e-9 * scale
    assert abs(sum(p.data for p in found.submissions) - found.data) <= 1e-9 * scale


@given(st.lists(st.tuples(*[st.floats(0, 1e9)] * 2, *[st.floats(1, 1e6)] * 2), min_size=1, max_size=12))
@settings(deadline=None)
def test_sums_of_money_add_up_too(rows) -> None:
    """Relative to the amounts, which may reach 10⁹ per case."""
    n0, n1, d0, d1 = np.array(rows).T
    found = split(Cells(range(len(rows)), ["x"] * len(rows), n0, d0, n1, d1), "mean")
    assert abs(found.mix + found.rate + found.data - found.change) <= 1e-9 * max(1.0, found.before, found.after, *(n0 / d0), *(n1 / d1))


@given(ROWS)
@settings(deadline=None)
def test_swapping_the_periods_flips_every_sign(rows) -> None:
    cells = cells_of(rows)
    assume(enough(cells))
    there, back = split(cells), split(swapped(cells))
    for one, other in [(there, back), *zip(there.groups, back.groups, strict=True)]:
        assert (one.data, one.mix, one.rate) == pytest.approx((-other.data, -other.mix, -other.rate), abs=1e-9)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1)), min_size=1, max_size=8))
@settings(deadline=None)
def test_pure_mix_has_no_rate_and_pure_rate_no_mix(rows) -> None:
    d0, d1, share = np.array(rows).T
    names = [str(i) for i in range(len(rows))]
    assert abs(split(Cells(names, ["x"] * len(rows), share * d0, d0, share * d1, d1)).rate) <= 1e-9
    other = split(Cells(names, ["x"] * len(rows), share * d0, d0, (1 - share) * d0 * 3, d0 * 3))
    assert abs(other.mix) <= 1e-9 and all(abs(g.mix) <= 1e-9 for g in other.groups)


@given(ROWS, st.integers(2, 4))
@settings(deadline=None)
def test_splitting_groups_into_identical_subgroups_changes_nothing(rows, parts) -> None:
    cells = cells_of(rows)
    assume(enough(cells))
    many = Cells([(g, i) for g in cells.groups for i in range(parts)], [s for s in cells.submissions for _ in range(parts)],
                 *(np.repeat(np.asarray(c) / parts, parts)
                   for c in (cells.numerator_before, cells.denominator_before, cells.numerator_after, cells.denominator_after)))
    one, other = split(cells), split(many)
    assert (one.data, one.mix, one.rate) == pytest.approx((other.data, other.mix, other.rate), abs=1e-9)
