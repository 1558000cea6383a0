"""What came of a stay, by the derivation itself over a few hand-made stays: who is compared, what counts, and what was brought along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import empty_select
from quanmin.services.quality.stays import stay_comorbidities

CATALOG, _ = read_all()
USUAL = {"origin": "front_page", "facility_code": "H1", "admitted_on": "2026-03-02", "discharged_on": "2026-03-12", "stay_days": 10, "age_years": 60,
         "sex_code": "1", "disposition_code": "1", "died": False, "is_newborn": False, "has_operation": False, "resident_id": "r1",
         "readmission_planned": False, "principal_diagnosis_code": "J18.900"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        for name in CATALOG.tables["stay_outcome"].derived_from:
            made.execute(f"CREATE TABLE {name} AS {empty_select(CATALOG.tables[name])}")
        yield made


def stay(connection: duckdb.DuckDBPyConnection, name: str, others: tuple[tuple[str, bool | None], ...] = (), operated: tuple[str, ...] = (),
         **told: Any) -> None:
    """A stay with its other diagnoses (code, arose in hospital) and the days of its operations."""
    row = USUAL | {"hospitalisation_id": name} | told
    connection.execute(f"INSERT INTO hospitalisation BY NAME SELECT {', '.join(f'${key} AS {key}' for key in row)}", row)
    listed = [(1, row["principal_diagnosis_code"], None), *((order, *one) for order, one in enumerate(others, 2))]
    for order, code, arose in listed:
        connection.execute("INSERT INTO diagnosis BY NAME SELECT $h AS hospitalisation_id, $o AS diagnosis_order, $c AS diagnosis_code,"
                           " $a AS is_hospital_acquired", {"h": name, "o": order, "c": code, "a": arose})
    for order, day in enumerate(operated, 1):
        connection.execute("INSERT INTO operation BY NAME SELECT $h AS hospitalisation_id, $o AS procedure_order, TRUE AS is_operation,"
                           " CAST($d AS DATE) AS performed_on", {"h": name, "o": order, "d": day})


def outcomes(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    found: pa.Table = stay_comorbidities().run(connection.execute(CATALOG.derivations["stay_outcome"]).to_arrow_table())
    return {row["hospitalisation_id"]: row for row in found.select(list(CATALOG.tables["stay_outcome"].columns)).to_pylist()}


def test_who_is_not_compared_and_why(connection: duckdb.DuckDBPyConnection) -> None:
    day = {"admitted_on": "2026-03-12", "stay_days": 1}
    cases: dict[str, tuple[dict[str, Any], str | None]] = {
        "usual": ({}, None), "baby": ({"is_newborn": True, "age_years": 0}, "newborn"), "day": (day, "day_case"),
        "died at once": (day | {"died": True, "disposition_code": "5"}, None), "sent on": ({"disposition_code": "2"}, "transferred"),
        "sent down": ({"disposition_code": "3"}, "transferred"), "left": ({"disposition_code": "4"}, None),
        "untold": ({"disposition_code": None, "died": None}, "no_disposition"), "ageless": ({"age_years": None}, "no_age_or_sex"),
        "too old": ({"age_years": 130}, "no_age_or_sex"), "no sex": ({"sex_code": None}, "no_age_or_sex")}
    for name, (told, _) in cases.items():
        stay(connection, name, **told)
    stay(connection, "settled", origin="claim")
    found = outcomes(connection)
    assert {name: row["excluded_code"] for name, row in found.items()} == {name: reason for name, (_, reason) in cases.items()}
    assert {reason for _, reason in cases.values() if reason} == set(CATALOG.codes["outcome_exclusion"].codes)
    assert [name for name, row in found.items() if row["left_against_advice"]] == ["left"]


def test_readmission_counts_where_it_can_be_known(connection: duckdb.DuckDBPyConnection) -> None:
    cases: dict[str, tuple[dict[str, Any], bool | None]] = {
        "none": ({}, False), "back": ({"days_to_next_admission": 12}, True), "planned": ({"days_to_next_admission": 12, "readmission_planned": True}, False),
        "no plan told": ({"days_to_next_admission": 12, "readmission_planned": None}, None), "died": ({"died": True, "disposition_code": "5"}, None),
        "unknown": ({"resident_id": None}, None)}
    for name, (told, _) in cases.items():
        stay(connection, name, **told)
    found = outcomes(connection)
    assert {name: row["readmitted"] for name, row in found.items()} == {name: wanted for name, (_, wanted) in cases.items()}
    assert {name for name, row in found.items() if row["stay_days"] is None} == {"died"}


def test_return_to_theatre_is_another_day_within_31_of_the_same_stay(connection: duckdb.DuckDBPyConnection) -> None:
    cases: dict[str, tuple[tuple[str, ...], bool | None]] = {
        "none": ((), None), "once": (("2026-03-02",), False), "twice a day": (("2026-03-02", "2026-03-02"), False),
        "again": (("2026-03-05", "2026-03-02"), True), "day 31": (("2026-03-02", "2026-04-02"), True), "day 32": (("2026-03-02", "2026-04-03"), False)}
    for name, (days, _) in cases.items():
        stay(connection, name, operated=days, has_operation=bool(days), discharged_on="2026-04-20")
    assert {name: row["returned_to_theatre"] for name, row in outcomes(connection).items()} == {name: wanted for name, (_, wanted) in cases.items()}


def test_what_arose_in_hospital_is_a_complication_and_no_comorbidity(connection: duckdb.DuckDBPyConnection) -> None:
    stay(connection, "brought", others=(("I50.900", False), ("E11.900", None), ("J96.000", False)))
    stay(connection, "arose", others=(("I50.900", True), ("J96.000", True), ("E11.900", False)))
    stay(connection, "nothing", principal_diagnosis_code="I50.900")
    found = outcomes(connection)
    told = {name: (row["has_complication"], row["charlson"], row["charlson_score"], row["elixhauser"], row["organ_failure"], row["organ_failure_score"])
            for name, row in found.items()}
    assert told == {"brought": (False, "heart_failure|diabetes", 2, "heart_failure|diabetes", "respiratory_failure", 1),
                    "arose": (True, "diabetes", 1, "diabetes", "", 0), "nothing": (False, "", 0, "", "", 0)}
    assert found["nothing"]["principal_category"] == "I50"


def test_its_columns_tell_no_persons() -> None:
    assert not [column.name for column in CATALOG.tables["stay_outcome"].columns.values() if column.private != "no"]
