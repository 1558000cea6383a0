"""Targets by month and by year, reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.services.progress import progress
from quanmin.services.progress.targets import chance

MONTHS = [f"{year}-{month:02d}" for year in range(2023, 2027) for month in range(1, 13)][:45]  # to 2026-09
NOISE = np.random.default_rng(6).normal(0, 4, 45).round()
ABOVE, BELOW = [60 + float(n) for n in np.r_[NOISE[:36], np.zeros(9)]], [100.0] * 45


def test_a_yearly_target_by_hand() -> None:
    """540 of 900 so far; 63 % of 1,200 are 756, so the 300 cases left must bring 216: 72 %."""
    found = progress(MONTHS, ABOVE, BELOW, 63.0, "2026-12-31", span="year", scale=100.0)
    assert (found.value, found.as_of, found.months_left) == (pytest.approx(60.0), "2026-09", 3)
    assert found.gap == pytest.approx(3.0) and found.needed == pytest.approx(72.0)
    assert found.expected == pytest.approx(60.0, abs=0.3) and found.low < found.expected < found.high
    assert found.high - found.low < 4, "only a quarter of the year is open"
    assert found.verdict == "unlikely" and found.probability < 0.05
    assert found.cases == pytest.approx(36, abs=4), "216 needed, about 180 expected"
    now = found.steps[0].value
    assert found.needed_per_month == pytest.approx((72 - now) / 2), "an even rise over three months averages two steps"
    assert [step.month for step in found.steps] == ["2026-10", "2026-11", "2026-12"]
    assert np.mean([step.needed for step in found.steps]) == pytest.approx(72.0)


def test_a_monthly_target_by_hand() -> None:
    found = progress(MONTHS, ABOVE, BELOW, 63.0, "2026-12", span="month", scale=100.0)
    assert found.needed == 63.0 and found.value == pytest.approx(60.0)
    assert found.steps[-1].needed == pytest.approx(63.0) and found.needed_per_month == pytest.approx((63 - found.steps[0].value) / 3)
    assert 0.05 < found.probability < 0.6, "one month of 100 cases may well come to 63"


@pytest.mark.parametrize(("better", "target", "verdict"), [
    ("higher", 50.0, "likely"), ("lower", 50.0, "unlikely"), ("lower", 70.0, "likely"), ("higher", 60.0, "uncertain")])
def test_verdicts_follow_the_better_direction(better, target, verdict) -> None:
    found = progress(MONTHS, ABOVE, BELOW, target, "2026-12", better, "month", scale=100.0)
    assert found.verdict == verdict
    assert found.gap is not None and (found.gap > 0) == ((target > 60) == (better == "higher") and target != 60)
    assert found.cases <= 0 if better == "lower" else found.cases >= 0


def test_a_year_that_is_over_is_decided() -> None:
    past = progress(MONTHS, ABOVE, BELOW, 40.0, "2025-12-31", scale=100.0)
    assert past.verdict == "reached" and past.probability == 1.0 and past.months_left == 0 and past.as_of == "2025-12"
    assert past.value == pytest.approx(sum(ABOVE[24:36]) / 12)
    assert progress(MONTHS, ABOVE, BELOW, 90.0, "2025-12-31", scale=100.0).verdict == "missed"


def test_a_year_not_begun_has_no_value_yet() -> None:
    found = progress(MONTHS, ABOVE, BELOW, 61.0, "2027-12-31", scale=100.0)
    assert found.value is None and found.gap is None and found.months_left == 15 and len(found.steps) == 15
    assert found.needed == pytest.approx(61.0)


def test_the_impossible_and_the_certain() -> None:
    full = progress(MONTHS, ABOVE, BELOW, 95.0, "2026-12-31", scale=100.0)
    assert full.needed > 100 and full.probability == 0.0
    sure = progress(MONTHS, ABOVE, BELOW, 20.0, "2026-12-31", scale=100.0)
    assert sure.needed < 0 and sure.probability == 1.0 and sure.cases == 0


def test_chance_by_hand() -> None:
    """Errors even around 0: half; far beyond them: 1 ÷ (2 n + 2) from the edge."""
    errors = np.linspace(-1, 1, 21)
    assert chance("share", errors, 0.5, 100.0, 0.5, "higher") == pytest.approx(0.5)
    assert chance("share", errors, 0.5, 100.0, 0.9, "higher") == pytest.approx(1 / 44)
    assert chance("share", errors, 0.5, 100.0, 0.53, "higher") == pytest.approx(1 - chance("share", errors, 0.5, 100.0, 0.53, "lower"))


def test_late_months_count_as_months_to_come_and_months_may_be_absent() -> None:
    late = progress([*MONTHS, "2026-10"], [*ABOVE, None], [*BELOW, 100.0], 63.0, "2026-12-31", scale=100.0)
    assert late.as_of == "2026-09" and late.months_left == 3
    keep = [i for i in range(45) if i != 40]
    gap = progress([MONTHS[i] for i in keep], [ABOVE[i] for i in keep], [BELOW[i] for i in keep], 63.0, "2026-12-31", scale=100.0)
    assert gap.needed == pytest.approx((0.63 * 1100 - 480) / 3), "eight months counted, three to come"


@pytest.mark.parametrize("wrong", [{"better": "none"}, {"span": "week"}, {"kind": "total"}, {"due": "2031-01"}, {"due": "2020-01"}])
def test_what_cannot_be_asked_is_refused(wrong) -> None:
    asked = {"due": "2026-12", "better": "higher", "span": "year", "kind": "share"} | wrong
    with pytest.raises(ValueError):
        progress(MONTHS, ABOVE, BELOW, 0.6, **asked)
