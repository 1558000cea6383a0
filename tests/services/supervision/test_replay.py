"""A changed rule over the months that have passed: counted by hand on a few rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quanmin.catalog.loader import read_all
from quanmin.catalog.messages import speak
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.model import Refusal
from quanmin.model.finding import Compared
from quanmin.services.supervision.replay import changed, replay
from tests.conftest import frames_of, rows_of

CATALOG, _ = read_all()
NAME = "stay_conduct/examination_only"
ROWS = """
hospitalisation_id | facility_code | discharged_on | stay_days | operation_count | disposition_code | examination_cny | total_charge_cny
S1-1               | A             | 2026-01-05    | 2         | 0               | 1                | 800             | 1000
S1-2               | A             | 2026-01-31    | 2         | 0               | 1                | 650             | 1000
S1-3               | A             | 2026-02-01    | 3         | 0               | 1                | 800             | 1000
S1-4               | B             | 2026-02-11    | 5         | 0               | 1                | 900             | 1000
S1-5               | B             | 2026-02-12    | 2         | 0               | 1                |                 | 1000
"""


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    rows = rows_of(CATALOG, {"stay_conduct": ROWS})
    return DuckDBEngine(replace(CATALOG, tables={name: CATALOG.tables[name] for name in rows}), frames=frames_of(CATALOG, rows), threads=1)


def test_what_a_change_adds_and_takes_away(engine: DuckDBEngine) -> None:
    other = changed(CATALOG, NAME, applies="stay_days <= 2", violated="examination_cny >= 0.6 * total_charge_cny")
    told = replay(engine, CATALOG, CATALOG.rules[NAME], other)
    assert (told.both, told.only_before, told.only_after) == (1, 1, 1)
    assert told.by == (Compared("A", "2026-01", 1, 0, 1), Compared("A", "2026-02", 0, 1, 0))
    assert told.sample == {"both": ("S1-1",), "only_before": ("S1-3",), "only_after": ("S1-2",)}


def test_a_rule_against_itself_and_within_a_month(engine: DuckDBEngine) -> None:
    same = changed(CATALOG, NAME)
    assert (replay(engine, CATALOG, CATALOG.rules[NAME], same).both, replay(engine, CATALOG, same, same, ["month = '2026-02'"]).both) == (2, 1)


def test_a_change_that_finds_nothing(engine: DuckDBEngine) -> None:
    told = replay(engine, CATALOG, CATALOG.rules[NAME], changed(CATALOG, NAME, violated="stay_days > 900"))
    assert (told.both, told.only_before, told.only_after) == (0, 2, 0) and told.sample["only_after"] == ()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("name", "violated", "field"), [
    (NAME, "examination > 1", "violated"), (NAME, "stay_days >", "violated"), (NAME, " ", "violated"), (NAME, "(SELECT 1) = 1", "violated"),
    ("stay_review/overlapping_stays", "TRUE", "rule"), ("stay_conduct/none", "TRUE", "indicator"),
])
def test_what_is_no_rule_or_no_condition_is_refused(name: str, violated: str, field: str, language: str) -> None:
    speak(language)
    try:
        with pytest.raises(Refusal) as refused:
            changed(CATALOG, name, violated=violated)
    finally:
        speak("")
    problem = refused.value.problems[0]
    assert problem.field == field and any("\u4e00" <= c <= "\u9fff" for c in problem.rule) == (language == "zh")


def test_a_condition_that_fails_on_the_rows_is_refused(engine: DuckDBEngine) -> None:
    with pytest.raises(Refusal):
        replay(engine, CATALOG, CATALOG.rules[NAME], changed(CATALOG, NAME, applies="", violated="CAST(facility_code AS INTEGER) > 1"))
