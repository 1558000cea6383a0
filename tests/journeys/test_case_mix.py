"""The page of the case mix says what the engine says, to each what is theirs."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from quanmin.model import Answer
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

YEAR, COUNTY, HOSPITAL = "2025", "990104", "990104H001"
INDICES = ("case_mix_index", "charge_consumption_index", "time_consumption_index")


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {role: somebody(app, role) for role in ("section", "viewer")} | {"county": somebody(app, "section", f"county:{COUNTY}")}


@pytest.fixture(scope="module")
def section(people: dict[str, Person]) -> Person:
    return people["section"]


def asked(region: Region, name: str, by: str, *where: str) -> Answer:
    return region.site.indicators().ask(name, [by], [f"year = {YEAR}", *where], suppress_below=0)


def by_key(answer: Answer, by: str) -> dict[str, float | None]:
    return {str(cell.key[by]): cell.value for cell in answer.cells if cell.key[by] is not None}


def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.parametrize(("more", "where"), [
    ({}, ()), ({"place": COUNTY}, (f"place = '{COUNTY}'",)), ({"facility": HOSPITAL}, (f"facility_code = '{HOSPITAL}'",))])
def test_groups_are_those_of_the_engine(region: Region, section: Person, more: dict[str, str], where: tuple[str, ...]) -> None:
    rows = {row["drg"]: row for row in exported(section, "/case-mix", "groups", period=YEAR, **more)}
    cases = {str(c.key["drg"]): c.denominator for c in asked(region, INDICES[0], "drg", *where).cells if c.key["drg"] is not None}
    assert len(rows) > 5 and {drg: int(float(row["cases"])) for drg, row in rows.items()} == cases
    names = region.site.catalog.codes["drg"].codes
    assert all(row["name"] in (names[drg].zh, drg) for drg, row in rows.items())
    for name in INDICES:
        found = by_key(asked(region, name, "drg", *where), "drg")
        assert {drg: number(row[name]) for drg, row in rows.items()} == pytest.approx({drg: found.get(drg) for drg in rows}), name


def test_institutions_are_those_of_the_engine(region: Region, section: Person) -> None:
    rows = {row["facility"]: row for row in exported(section, "/case-mix", "facilities", period=YEAR)}
    assert len(rows) > 10
    for name in (*INDICES, "grouped_share", "drg_count"):
        found = by_key(asked(region, name, "facility_code"), "facility_code")
        assert {code: number(row[name]) for code, row in rows.items()} == pytest.approx({code: found.get(code) for code in rows}), name


def test_a_county_sees_its_own_and_small_counts_are_withheld(region: Region, people: dict[str, Person]) -> None:
    seen = {row["facility"] for row in exported(people["county"], "/case-mix", "facilities", period=YEAR)}
    everything = {row["facility"] for row in exported(people["section"], "/case-mix", "facilities", period=YEAR)}
    assert seen and seen < everything and HOSPITAL in seen
    own = exported(people["county"], "/case-mix", "groups", period=YEAR)
    cells = asked(region, INDICES[0], "drg", f"place = '{COUNTY}'").cells  # a county's figures are those of its place
    assert {row["drg"]: int(float(row["cases"])) for row in own} == {str(c.key["drg"]): c.denominator for c in cells if c.key["drg"] is not None}
    groups = exported(people["viewer"], "/case-mix", "groups", period=YEAR)
    whole = {str(c.key["drg"]): c.denominator or 0 for c in asked(region, INDICES[0], "drg").cells}
    small = [row for row in groups if whole[row["drg"]] < 5]
    assert small and all(row["cases"] in ("", "*") and not row["case_mix_index"] for row in small)

