"""Points, grades and the parts of a gap, held against what is worked out by hand and against a slow sum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanmin.catalog.loader import read_all
from quanmin.model import Label, Provenance
from quanmin.model.appraisal import ScoredItem, ScoringSheet
from quanmin.services.appraisal.actions import differs, national_share
from quanmin.services.appraisal.drivers import drivers
from quanmin.services.appraisal.scoring import earned, grade, score, to_next

RISING, FALLING = ScoredItem("1", "a", "g", 40, 10, 30), ScoredItem("2", "b", "g", 60, full_to=5, zero_above=15)
BETWEEN, JUDGED = ScoredItem("3", "c", "g", 20, 0, 10, 20, 40), ScoredItem("4", "d", "g", 80)
SHEET = ScoringSheet("s", Label("s", "s"), "tertiary", 2025, Provenance("d", status="own"), Label("n", "n"), {"g": Label("g", "g")},
                     (("A", 80), ("B", 50), ("C", 0)), (RISING, FALLING, BETWEEN, JUDGED))


@pytest.mark.parametrize(("item", "value", "points"), [
    (RISING, 5, 0), (RISING, 10, 0), (RISING, 15, 10), (RISING, 30, 40), (RISING, 99, 40), (FALLING, 0, 60), (FALLING, 5, 60), (FALLING, 10, 30),
    (FALLING, 15, 0), (FALLING, 99, 0), (BETWEEN, -3, 0), (BETWEEN, 5, 10), (BETWEEN, 15, 20), (BETWEEN, 30, 10), (BETWEEN, 40, 0), (RISING, None, None),
    (RISING, float("nan"), None)])
def test_a_value_earns_points(item: ScoredItem, value: float | None, points: float | None) -> None:
    assert earned(item, value) == (None if points is None else pytest.approx(points))


@pytest.mark.parametrize(("judgement", "points"), [("met", 80), ("partly", 40), ("unmet", 0), ("", None)])
def test_evidence_earns_points(judgement: str, points: float | None) -> None:
    assert earned(JUDGED, 3.0, judgement) == points


def test_what_is_unknown_makes_a_score_a_range() -> None:
    found = score(SHEET, {"a": 40.0, "b": 60.0, "c": None, "d": None})
    assert (found.points, found.open_points, found.total, found.grade_low, found.grade_high) == (100, 100, 200, "B", "A")
    assert found.to_next == pytest.approx(60) and to_next(SHEET, 170) == 0
    assert [grade(SHEET, points) for points in (0, 99.9, 100, 159.9, 160, 200)] == ["C", "C", "B", "B", "A", "A"]


def test_a_reported_value_is_held_against_the_records() -> None:
    assert differs(100, 102) and differs(0.0, 0.5) and not differs(100, 100.9) and not differs(None, 3) and not differs(3, None) and not differs(0, 0)


def test_a_national_percentile_lies_between_the_quantiles_given() -> None:
    quantiles = ((25.0, 10.0), (50.0, 20.0), (75.0, 40.0))
    assert [national_share(quantiles, value) for value in (5, 10, 15, 30, 99)] == [25, 25, 37.5, 62.5, 75] and national_share((), 3) is None


PARTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n).map(float), st.just(float(n))))
COUNTS = st.dictionaries(st.sampled_from("abcdef"), PARTS, min_size=1)


@given(COUNTS, COUNTS)
def test_the_parts_of_a_gap_add_up_to_it(own: dict[str, tuple[float, float]], peers: dict[str, tuple[float, float]]) -> None:
    found = drivers(own, peers, 100)
    assert found is not None
    values = [100 * sum(n for n, _ in side.values()) / sum(d for _, d in side.values()) for side in (own, peers)]
    assert [found.value, found.peers_value] == pytest.approx(values)
    assert sum(one.within + one.mix for one in found.drivers) == pytest.approx(values[0] - values[1], abs=1e-9)


def test_doing_otherwise_and_having_others_are_told_apart() -> None:
    same_rates = drivers({"a": (8, 80), "b": (10, 20)}, {"a": (5, 50), "b": (25, 50)}, 100)
    assert same_rates and all(one.within == pytest.approx(0) for one in same_rates.drivers) and same_rates.value == 18 and same_rates.peers_value == 30
    same_mix = drivers({"a": (10, 50), "b": (25, 50)}, {"a": (50, 500), "b": (250, 500)}, 100)
    assert same_mix and {one.group: (one.within, one.mix) for one in same_mix.drivers} == {"a": pytest.approx((5, 0)), "b": pytest.approx((0, 0))}
    assert drivers({}, {"a": (1, 2)}, 1) is None


def test_the_shipped_sheets_score_the_nationally_monitored_indicators() -> None:
    catalog, complaints = read_all()
    assert not complaints.problems
    for sheet in catalog.sheets.values():
        assert sheet.total == pytest.approx(1000) and sheet.source.status == "own"
        handbook = catalog.handbooks[sheet.id]
        assert {one.indicator for one in sheet.items} <= {one.indicator for one in handbook.items}
        assert all(catalog.indicators[one.indicator].code == one.item for one in sheet.items)
    items = {name: {one.item for one in book.items} for name, book in catalog.handbooks.items()}
    assert len(items["tertiary_2025"]) == 56 and len(items["secondary_2025"]) == 28
