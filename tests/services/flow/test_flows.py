"""Origin and destination, split, regain and one county, on tables small enough to count by eye."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from quanmin.catalog import Catalog
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.model import Answer, Refusal
from quanmin.services.flow import Flow, FlowTable, Measures
from tests.conftest import frames_of, rows_of

STAYS_COLUMNS = ("hospitalisation_id | home_county | facility_county | facility_level | facility_code | discharged_on | stay_days | total_charge_cny"
                 " | fund_paid_cny | is_insured | drg | relative_weight")
STAYS = STAYS_COLUMNS + """
s1 | A | A | secondary | HA | 2026-01-05 | 5 | 4000.10 | 2500 | true  | ES25 | 0.8
s2 | A | A | secondary | HA | 2026-02-09 | 6 | 5000.20 | 3000 | true  | GK19 |
s3 | A | B | tertiary  | HB | 2026-01-20 | 7 | 8000.30 |      | true  | ES25 | 0.8
s4 | A | B | tertiary  | HB | 2026-03-28 | 9 | 9000.40 | 4000 | false | FM19 | 2.5
s5 | B | B | tertiary  | HB | 2026-01-11 | 4 | 3000    | 2000 | true  |      |
s6 |   | B | tertiary  | HB | 2026-01-15 | 3 | 2000    |      |       |      |
s7 | B |   |           | X  | 2026-01-19 | 3 | 2000    |      |       |      |
"""
AWAY_COLUMNS = ("hospitalisation_id | home_county | facility_county | facility_level | facility_code | destination_code"
                " | discharged_on | stay_days | total_charge_cny | fund_paid_cny | kind_code | severity_code | diagnosis_group"
                " | principal_diagnosis_code | home_share | mdc | drg | relative_weight")
AWAY = AWAY_COLUMNS + """
a1 | A | B | tertiary | HB | city   | 2026-01-20 | 7  | 8000  | 5000  | avoidable | ordinary | J18.9 | J18.900 | 0.9 | E | ES25 | 0.8
a2 | A | B | tertiary | HB | city   | 2026-01-28 | 9  | 9000  | 4000  | avoidable | ordinary | J18.9 | J18.901 | 0.7 | E | ES25 | 0.8
a3 | A | P | tertiary | HP | beyond | 2026-03-11 | 5  | 7000  | 3000  | avoidable | ordinary | J18.9 | J18.900 | 0.8 | E | ES25 |
a4 | A | P | tertiary | HP | beyond | 2026-03-15 | 20 | 60000 | 25000 | referred  | severe   | I21.9 | I21.900 | 0.1 | F | FM19 | 2.5
a5 | A | B | tertiary | HB | city   | 2026-03-19 | 3  | 2000  |       | nearer    | ordinary | K29.5 | K29.500 | 0.6 | G | GK19 | 0.4
a6 | A | B | tertiary | HB | city   | 2026-03-19 | 4  | 3000  | 1000  | avoidable | ordinary | K29.5 | K29.500 | 0.8 | G | GK19 | 1.7
a7 | A | B | tertiary | HB | city   | 2026-02-19 | 3  | 2000  |       |           |          |       |         |     |   |      |
a8 | A | B | tertiary | HB | city   | 2026-07-19 | 3  | 2000  | 1000  | avoidable | ordinary | K29.5 | K29.500 | 0.8 | G | GK19 | 1.7
a9 | A | B | tertiary | HB | city   | 2026-04-19 | 3  | 2000  | 1000  | avoidable | ordinary | H26.9 | H26.900 | 0.8 | C | CB19 | 9
"""


def without_small(answer: Answer) -> Answer:
    """Counts below 2 are withheld."""
    return replace(answer, cells=tuple(replace(cell, suppressed=(cell.numerator or 0) < 2) for cell in answer.cells))


def flow_of(catalog: Catalog, withhold=lambda answer: answer, only: str = "", limits=None) -> Flow:
    rows = rows_of(catalog, {"hospitalisation": STAYS, "outflow": AWAY})
    small = replace(catalog, tables={name: catalog.tables[name] for name in rows})
    return Flow(small, DuckDBEngine(small, frames=frames_of(catalog, rows), limits=limits, threads=1), 7, withhold, only)


def shown(table: FlowTable) -> dict:
    found = {}
    for cell in table.cells:
        m = cell.measures
        found[tuple(cell.key.values())] = m and (m.stays, m.bed_days, m.charge_cny, m.fund_paid_cny)
    return found


def test_origin_and_destination(catalog: Catalog) -> None:
    found = flow_of(catalog).matrix()
    assert (found.by, found.snapshot) == (("home_county", "facility_county"), 7)
    assert shown(found) == {
        ("A", "A"): (2, 11, Decimal("9000.30"), 5500), ("A", "B"): (2, 16, Decimal("17000.70"), 4000), ("B", "B"): (1, 4, 3000, 2000),
    }


def test_filters_and_further_dimensions(catalog: Catalog) -> None:
    flow = flow_of(catalog)
    assert shown(flow.matrix(("facility_level", "month"), {"home_county": "A", "first_month": "2026-02", "last_month": "2026-03"})) == {
        ("secondary", "2026-02"): (1, 6, Decimal("5000.20"), 3000), ("tertiary", "2026-03"): (1, 9, Decimal("9000.40"), 4000)}
    assert shown(flow.matrix(("facility_code",), {"is_insured": "false"})) == {("HB",): (1, 9, Decimal("9000.40"), 4000)}
    assert shown(flow.matrix((), {"home_county": "A"})) == {(): (4, 27, Decimal("26001.00"), 9500)}


@pytest.mark.parametrize(("by", "where"), [
    (("resident_id",), {}), ((), {"home_township": "A001"}), ((), {"first_month": "2026-13"}), ((), {"first_month": "2026-03", "last_month": "2026-01"}),
    ((), {"is_insured": "maybe"}), ((), {"year": "x"}), ((), {"quarter": "2026-Q1"}),
])
def test_what_does_not_fit_is_refused(catalog: Catalog, by: tuple[str, ...], where: dict[str, str]) -> None:
    with pytest.raises(Refusal):
        flow_of(catalog).matrix(by, where)


def test_a_value_is_never_read_as_a_condition(catalog: Catalog) -> None:
    assert shown(flow_of(catalog).matrix(("home_county",), {"home_county": "A' OR 'x' = 'x"})) == {}


def test_split_siphon_and_regain(catalog: Catalog) -> None:
    flow = flow_of(catalog)
    assert {key[0]: value[0] for key, value in shown(flow.split()).items()} == {"avoidable": 6, "nearer": 1, "referred": 1, None: 1}
    assert shown(flow.siphon({"first_month": "2026-03", "last_month": "2026-03"})) == {
        ("A", "beyond", "tertiary", "avoidable"): (1, 5, 7000, 3000), ("A", "beyond", "tertiary", "referred"): (1, 20, 60000, 25000),
        ("A", "city", "tertiary", "avoidable"): (1, 4, 3000, 1000), ("A", "city", "tertiary", "nearer"): (1, 3, 2000, 0)}
    assert list(shown(flow.regain(("diagnosis_group",)))) == [("J18.9",), ("K29.5",), ("H26.9",)]
    assert shown(flow.regain()) == {("A",): (6, 31, 31000, 15000)}


def test_one_county(catalog: Catalog) -> None:
    found = flow_of(catalog).county("A", "2026-01", "2026-06")
    assert found.months == 6
    assert {key[0]: value[0] for key, value in shown(found.places).items()} == {"away": 2, "home": 2}
    assert {key[0]: value[0] for key, value in shown(found.kinds).items()} == {"avoidable": 5, "nearer": 1, "referred": 1, None: 1}
    assert list(shown(found.facilities).items()) == [(("HB",), (4, 23, 22000, 11000)), (("HP",), (1, 5, 7000, 3000))]
    first, second, _ = found.groups
    assert (first.group, first.diagnosis_code, first.severity, first.facility_code) == ("J18.9", "J18.900", "ordinary", "HB")
    assert first.measures == Measures(3, 21, Decimal(24000), Decimal(12000), Decimal("1.6"), 1)
    assert first.cases_per_year == 6.0 and first.home_share == pytest.approx(0.8)
    assert (second.group, second.cases_per_year) == ("K29.5", 2.0)
    assert [gain.group for gain in found.short] == ["I21.9"]


def test_weights_add_up_and_what_is_not_weighed_is_told(catalog: Catalog) -> None:
    flow = flow_of(catalog)

    def weighed(table: FlowTable) -> dict:
        return {tuple(cell.key.values()): (cell.measures.relative_weight, cell.measures.unweighed_count) for cell in table.cells if cell.measures}

    assert weighed(flow.split(("mdc",), {"last_month": "2026-06"})) == {
        ("C",): (9, 0), ("E",): (Decimal("1.6"), 1), ("F",): (Decimal("2.5"), 0), ("G",): (Decimal("2.1"), 0), (None,): (0, 1)}
    assert weighed(flow.matrix(("drg",), {"home_county": "A"})) == {("ES25",): (Decimal("1.6"), 0), ("FM19",): (Decimal("2.5"), 0), ("GK19",): (0, 1)}


def test_what_leaves_that_is_treated_at_home_comes_by_weight(catalog: Catalog) -> None:
    found = flow_of(catalog).county("A", "2026-01", "2026-06").treated  # CB19 is treated nowhere at home, FM19 is rightly referred
    assert [(one.drg, one.measures.relative_weight, one.measures.stays, one.measures.unweighed_count, one.home_stays, one.facility_code) for one in found] == [
        ("GK19", Decimal("1.7"), 1, 0, 1, "HB"), ("ES25", Decimal("1.6"), 3, 1, 1, "HB")]
    assert found[1].measures.charge_cny == 24000 and found[1].measures.fund_paid_cny == 12000
    small = flow_of(catalog, without_small).county("A", "2026-01", "2026-06").treated
    assert [(one.drg, one.measures.stays, one.home_stays, one.facility_code) for one in small] == [("ES25", 3, None, "HB")]


def test_small_counts_are_withheld_with_all_their_measures(catalog: Catalog) -> None:
    flow = flow_of(catalog, without_small)
    assert shown(flow.matrix())[("B", "B")] is None
    found = flow.county("A", "2026-01", "2026-06")
    assert shown(found.kinds)[("referred",)] is None and shown(found.facilities)[("HP",)] is None
    assert [gain.group for gain in found.groups] == ["J18.9"] and found.short == ()


def test_only_what_the_scope_shows(catalog: Catalog) -> None:
    narrow = flow_of(catalog, only="B", limits={"hospitalisation": "home_county = 'B' OR facility_county = 'B'"})
    assert list(shown(narrow.matrix())) == [("A", "B"), ("B", "B")]
    with pytest.raises(Refusal):
        narrow.county("A", "2026-01", "2026-06")
