"""What each role and each scope may see of the same site."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI

from quanmin.gate.audit import Audit
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody

SHARE = "in_county_inpatient_share"
DEATHS = "inpatient_mortality_share"
MONTH = "2026-09"
COUNTY, OTHER = "990103", "990105"


@pytest.fixture(scope="module")
def people(region: Region, app: FastAPI) -> dict[str, Person]:
    """Somebody of every role; of the institution, with its facility as scope."""
    roles = ("administrator", "auditor", "leader", "section", "viewer")
    return {role: somebody(app, role) for role in roles} | {
        "institution": somebody(app, "institution", f"facility:{busiest(region)}"), "county": somebody(app, "section", f"county:{COUNTY}")}


def busiest(region: Region) -> str:
    cells = region.site.indicators().ask(DEATHS, ["facility_code"], suppress_below=0).cells
    return max(cells, key=lambda c: float(c.denominator or 0)).key["facility_code"]


@pytest.mark.parametrize(("role", "figures", "rows", "audit"), [
    ("administrator", 403, 403, 403), ("auditor", 403, 403, 200), ("leader", 200, 403, 403), ("section", 200, 200, 403), ("viewer", 200, 403, 403),
    ("institution", 200, 200, 403), ("county", 200, 200, 403),
])
def test_roles(people: dict[str, Person], role: str, figures: int, rows: int, audit: int) -> None:
    person = people[role]
    got = {path: person.get(path).status_code for path in (
        f"/indicator/{SHARE}", f"/indicator/{SHARE}/figures.csv", f"/api/indicators/{SHARE}", f"/indicator/{SHARE}/rows?period={MONTH}",
        f"/api/indicators/{SHARE}/rows", "/audit")}
    assert list(got.values()) == [figures, figures, figures, rows, rows, audit], got


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_who_may_see_no_figures_sees_none_anywhere(people: dict[str, Person], role: str) -> None:
    for path in ("/", "/indicators?theme=quality", f"/indicators?theme=tiered_care&period={MONTH}"):
        text = people[role].client.get(path).text
        assert not re.search(r"\b\d+\.\d\d\b", text) and 'class="figures"' not in text, path


def test_leaders_find_no_rows_by_another_way(people: dict[str, Person]) -> None:
    leader = people["leader"]
    assert "/rows" not in leader.get(f"/indicator/{SHARE}").text
    for by in ("resident_id", "hospitalisation_id", "month,resident_id", "admitted_on", "home_township"):
        assert leader.get(f"/api/indicators/{SHARE}", by=by).status_code == 403, by
        assert leader.get(f"/indicator/{SHARE}/figures.csv", by=by).status_code == 403, by
    for where in ("resident_id = 'R1'", "age_years = 80", "hospitalisation_id LIKE 'S%'", "admitted_on = DATE '2026-09-01'"):
        assert leader.get(f"/api/indicators/{SHARE}", where=where).status_code == 403, where
    assert leader.get(f"/api/indicators/{SHARE}", by="age_band,sex_code", where="facility_level = 'tertiary'").status_code == 200


def test_nobody_without_the_right_filters_by_what_is_masked(people: dict[str, Person]) -> None:
    site = people["section"].client.app.state.desk.site
    indicators, tried = site.indicators(), 0
    for one in (i for i in site.catalog.indicators.values() if i.is_executable):
        tables = [site.catalog.tables[name] for name in indicators.tables_of(one)]
        for column in {c.name for table in tables for c in table.columns.values() if c.private == "direct" or c.name == "birth_date"}:
            tried += 1
            assert people["section"].get(f"/api/indicators/{one.id}", by=column).status_code == 403, (one.id, column)
            for path in (f"/api/indicators/{one.id}/rows", f"/api/indicators/{one.id}"):
                assert people["section"].get(path, where=f"{column} IS NOT NULL").status_code == 403, (path, column)
    assert tried > 20, "no indicator is counted from a table with names"


def _figures(person: Person, name: str, **parameters: str) -> list[dict[str, str]]:
    answer = person.get(f"/indicator/{name}/figures.csv", **parameters)
    assert answer.status_code == 200, answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_viewers_see_no_small_count_anywhere(region: Region, people: dict[str, Person]) -> None:
    viewer, below = people["viewer"], region.site.settings.suppress_below
    for by in ("place", "facility_code", "place,age_band", "month"):
        for row in _figures(viewer, DEATHS, by=by, period=MONTH):
            if row["suppressed"] == "True":
                assert row["numerator"] == row["denominator"] == row["value"] == row["low"] == row["high"] == ""
                continue
            n, d = float(row["numerator"] or 0), float(row["denominator"] or 0)
            assert not any(0 < count < below for count in (n, d, d - n)), row
    tried = ((f"2026-{number:02d}", _figures(viewer, DEATHS, period=f"2026-{number:02d}")) for number in range(9, 0, -1))
    month, hidden = next((month, found) for month, rows in tried if (found := [row for row in rows if row["suppressed"] == "True"]))  # else nothing is small
    seen = {row["place"]: row for row in _figures(people["leader"], DEATHS, period=month)}
    assert all(seen[row["place"]]["denominator"] for row in hidden)
    page = viewer.get(f"/indicator/{DEATHS}", period=month).text
    assert ">*</td>" in page
    cells = viewer.get(f"/api/indicators/{DEATHS}", by="place", where=f"month = '{month}'").json()["cells"]
    assert {c["key"]["place"] for c in cells if c["suppressed"]} == {row["place"] for row in hidden}


def test_viewers_cannot_subtract_filters_of_their_own(people: dict[str, Person]) -> None:
    for where in ("month <> '2026-09'", "age_band = '85+'", "year IN (2025, 2026)", "month = '2026-09' OR month = '2026-08'", "NOT (place = '990101')",
                  "month >= '2026-01'"):
        assert people["viewer"].get(f"/api/indicators/{DEATHS}", where=where).status_code == 403, where
    for where in ("month = '2026-09'", "year = 2026 AND place = '990101'"):
        assert people["viewer"].get(f"/api/indicators/{DEATHS}", where=where).status_code == 200, where


def test_rows_are_masked(region: Region, people: dict[str, Person]) -> None:
    catalog, indicators = region.site.catalog, region.site.indicators()
    for one in (i for i in catalog.indicators.values() if i.is_executable):
        table = catalog.tables[indicators.tables_of(one)[0]]
        direct = [c.name for c in table.columns.values() if c.private == "direct"]
        dates = [c.name for c in table.columns.values() if c.private == "quasi" and c.type in ("date", "timestamp")]
        if not direct and not dates:
            continue
        rows = people["section"].get(f"/api/indicators/{one.id}/rows", limit="20").json()
        assert rows, one.id
        for row in rows:
            assert all(row[c] is None or re.fullmatch(r".?\*\*", str(row[c])) for c in direct), (one.id, row)
            assert all(row[c] is None or len(str(row[c])) == 4 for c in dates), (one.id, row)


def test_every_look_at_rows_is_audited(region: Region, people: dict[str, Person]) -> None:
    trail = Audit(region.site.ledger)

    def after(number: int, person: Person) -> list[dict[str, Any]]:
        return [e for e in trail.entries(500) if e["id"] > number and e["account"] == person.name]  # others sign in to the same region meanwhile

    for path, count in ((f"/indicator/{SHARE}/rows?period={MONTH}&place={COUNTY}", None), (f"/api/indicators/{SHARE}/rows?limit=7", 7)):
        before = trail.entries(1)[0]["id"]
        answer = people["section"].get(path)
        new = after(before, people["section"])
        assert [(e["action"], e["result"]) for e in new] == [("rows", "done")]
        assert new[0]["subject"].startswith(SHARE)
        assert new[0]["rows"] == (count or answer.text.count("<tr>") - 1)
    before = trail.entries(1)[0]["id"]
    people["leader"].get(f"/api/indicators/{SHARE}/rows")
    assert [e["result"] for e in after(before, people["leader"])] == ["refused"]
    page = people["auditor"].client.get("/audit").text
    assert people["leader"].name in page and people["section"].name in page


def test_institutions_see_their_facility_only(region: Region, people: dict[str, Person]) -> None:
    own, person = busiest(region), people["institution"]
    for one in (i for i in region.site.catalog.indicators.values() if i.is_executable and "facility_code" in i.by):
        cells = person.get(f"/api/indicators/{one.id}", by="facility_code").json().get("cells", [])
        assert {c["key"]["facility_code"] for c in cells if c["numerator"] or c["denominator"]} <= {own}, one.id
    assert {row["facility_code"] for row in _figures(person, DEATHS, by="facility_code")} == {own}
    rows = person.get(f"/api/indicators/{DEATHS}/rows", limit="1000").json()
    assert rows and {row["facility_code"] for row in rows} == {own}
    assert person.get(f"/api/indicators/{DEATHS}/rows", where=f"facility_code <> '{own}'").json() == []


def test_counties_see_their_county_only(region: Region, people: dict[str, Person]) -> None:
    person = people["county"]
    counties = region.site.indicators().engine.table("SELECT region_code, name FROM region WHERE level = 'county'").to_pylist()
    names = {row["region_code"]: row["name"] for row in counties}
    for one in (i for i in region.site.catalog.indicators.values() if i.is_executable):
        cells = person.get(f"/api/indicators/{one.id}", by="place").json().get("cells", [])
        assert {c["key"]["place"] for c in cells if c["numerator"] or c["denominator"]} <= {COUNTY}, one.id
        total = person.get(f"/api/indicators/{one.id}", where=f"place = '{OTHER}'").json().get("cells", [])
        assert not any(c["numerator"] or c["denominator"] for c in total), one.id
    for path in ("/", f"/?period={MONTH[:4]}", f"/indicator/{SHARE}", f"/indicator/{DEATHS}?by=facility_code"):
        text = unescape(person.get(path).text)
        assert names[COUNTY] in text, path
        assert not [name for code, name in names.items() if code != COUNTY and name in text], path
    rows = person.get(f"/api/indicators/{SHARE}/rows", limit="100000").json()
    assert rows and {row["home_county"] for row in rows} == {COUNTY}
    assert person.get(f"/api/indicators/{SHARE}/rows", where=f"home_county = '{OTHER}'").json() == []
    page = person.get(f"/indicator/{SHARE}/rows?place={OTHER}").text
    assert "<tbody>" not in page
    assert {row["place"] for row in _figures(person, SHARE)} == {COUNTY}


def test_a_county_sees_the_same_figure_as_the_region_sees_of_it(region: Region, people: dict[str, Person]) -> None:
    for name in (SHARE, DEATHS, "average_stay_days", "beds_per_1000"):
        for period in ("2025", MONTH, "2026-10"):
            seen = [row for row in _figures(people["section"], name, period=period) if row["place"] == COUNTY]
            own = _figures(people["county"], name, period=period)
            assert seen and seen == own, (name, period)


def test_the_list_the_page_the_csv_and_the_api_agree(people: dict[str, Person]) -> None:
    section = people["section"]
    cell = next(c for c in section.get(f"/api/indicators/{SHARE}", by="place", where=f"month = '{MONTH}'").json()["cells"] if c["key"]["place"] == COUNTY)
    row = next(row for row in _figures(section, SHARE, period=MONTH) if row["place"] == COUNTY)
    assert float(row["value"]) == cell["value"] and int(row["numerator"]) == cell["numerator"] and int(row["denominator"]) == cell["denominator"]
    shown = f"{cell['value']:.2f}"
    assert f"{shown}</td>" in section.get(f"/indicators?theme=tiered_care&period={MONTH}").text
    page = section.get(f"/indicator/{SHARE}", period=MONTH).text
    assert f"{shown}</td>" in page and f'<td class="n">{int(cell["denominator"]):,}</td>' in page
    rows = section.get(f"/api/indicators/{SHARE}/rows", where=f"month = '{MONTH}' AND place = '{COUNTY}'", limit="100000").json()
    assert len(rows) == cell["denominator"] and sum(r["counted"] for r in rows) == cell["numerator"]
    assert row["period"] == MONTH and row["snapshot"] and row["definition"]
