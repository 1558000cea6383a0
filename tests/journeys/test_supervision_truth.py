"""What the rules of supervision find in the synthetic region, held against what was planted in it."""

from __future__ import annotations

import duckdb
import pytest

from tests.journeys.conftest import Region
from tests.journeys.violations import SUBJECTS, Family, families

# Family → what is planted at least, and in this small region the least share found, the least share of what is found that was planted.
EXPECTED = {
    "front_page": (5, 0.95, 0.8), "impossible_procedure": (5, 0.95, 0.8), "overlapping_stay": (5, 0.95, 0.8), "after_death": (12, 0.95, 0.8),
    "split_stay": (5, 0.95, 0.7), "readmission_same_day": (5, 0.95, 0.8), "upcoding": (7, 0.85, 0.8), "surgery_level": (5, 0.95, 0.8),
    "stay_length": (8, 0.85, 0.7), "private_pattern": (30, 0.95, 0.8), "visit_pattern": (30, 0.95, 0.8),
}


@pytest.fixture(scope="module")
def found(region: Region) -> dict[str, Family]:
    return families(region.site, region.folder / "region" / "truth" / "violations.csv")


@pytest.mark.parametrize("family", EXPECTED)
def test_planted_violations_are_found_and_others_left_alone(found: dict[str, Family], family: str) -> None:
    one, (planted, recall, precision) = found[family], EXPECTED[family]
    assert len(one.planted) >= planted
    assert one.recall >= recall, sorted(one.planted - one.found)
    assert one.precision >= precision, {rule: sorted(subjects - one.planted) for rule, subjects in one.by_rule.items()}


def test_no_innocent_look_alike_is_accused(found: dict[str, Family]) -> None:
    assert sum(len(one.innocent) for one in found.values()) >= 30
    accused = {name: sorted(one.innocent & one.found) for name, one in found.items() if one.innocent & one.found}
    assert not accused


def test_findings_are_those_of_each_rule_asked_alone(region: Region) -> None:
    """The table made in one scan holds, rule by rule, the rows that the rule gives when it is asked."""
    site = region.site
    files = site.files(site.snapshot())["finding"]
    kept = duckdb.sql(f"SELECT rule, row_key, family, rule_version, finding_id FROM read_parquet({files})").fetchall()
    assert len({row[4] for row in kept}) == len(kept)
    indicators, asked = site.indicators(), set()
    for rule in site.catalog.rules.values():
        if rule.table in SUBJECTS:
            key = site.catalog.tables[rule.table].key[0]
            asked |= {(rule.id, row[key]) for row in indicators.rows(rule.id, columns=[key]).to_pylist()}
    assert {row[:2] for row in kept if row[0].split("/")[0] in SUBJECTS} == asked and asked
    for name, _, family, version, _ in kept:
        assert (site.catalog.rules[name].finding.family, site.catalog.rules[name].version) == (family, version)


def test_findings_tell_what_their_explanation_asks_for(region: Region) -> None:
    """Every explanation can be filled in from the row that its finding stands on."""
    site, indicators = region.site, region.site.indicators()
    rows = duckdb.sql(f"SELECT rule, any_value(row_key) FROM read_parquet({site.files(site.snapshot())['finding']}) GROUP BY rule").fetchall()
    assert len(rows) >= 12
    for name, row_key in rows:
        rule = site.catalog.rules[name]
        key = site.catalog.tables[rule.table].key[0]
        row = indicators.rows(name, where=[f"{key} = '{row_key}'"]).to_pylist()[0]
        for text in (rule.finding.explanation.zh, rule.finding.explanation.en):
            assert "{" not in text.format(**row) and "None" not in text.format(**row), name
