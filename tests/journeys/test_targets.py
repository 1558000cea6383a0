"""Targets set by people: one by one or from a sheet, in force at once, within the scope of who sets them, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import xlsxwriter
from fastapi import FastAPI

from quanmin.catalog.loader import read_all
from quanmin.gate.audit import Audit
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody
from tests.journeys.sent_files import copy_ledger

COUNTY, OTHER = "990103", "990104"
FILLS = {fill.column: fill.source[0] for into in read_all()[0].mappings["target_workbook"].into for fill in into.fills}
HEADER = [FILLS[name] for name in ("indicator", "place_code", "period", "value", "document")]  # in Chinese


@pytest.fixture(scope="module")
def app(region: Region, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Over the region's warehouse, with a ledger of its own."""
    folder = tmp_path_factory.mktemp("targets")
    copy_ledger(region.folder, folder)
    for name in ("site.toml", "warehouse", "landing", "definitions"):
        (folder / name).symlink_to(region.folder / name)
    return create_app(Site(Path(folder)))


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


def post(person: Person, **form: str) -> int:
    return person.client.post("/targets", data={"csrf": person.csrf} | form, follow_redirects=False).status_code


def aims(person: Person, year: str = "2026") -> dict[tuple[str, str], float]:
    rows = csv.DictReader(io.StringIO(person.get("/targets", year=year, export="targets.csv").content.decode("utf-8-sig")))
    return {(row["indicator"], row["place_code"]): float(row["value"]) for row in rows}


def sheet(rows: list[list[object]], header: list[str] = HEADER) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    page = book.add_worksheet()
    for i, row in enumerate([header, *rows]):
        page.write_row(i, 0, row)
    book.close()
    return stream.getvalue()


def hand_in(person: Person, name: str, content: bytes):
    return person.client.post("/targets/sheet?lang=en", data={"csrf": person.csrf}, files={"sheet": (name, content)}, follow_redirects=False)


def test_a_target_holds_at_once_and_can_be_withdrawn(app: FastAPI, section: Person) -> None:
    before = aims(section)[("in_county_inpatient_share", COUNTY)]
    assert post(section, indicator="in_county_inpatient_share", place_code=COUNTY, period="2026", value="1.5", document="d") == 303
    assert aims(section)[("in_county_inpatient_share", COUNTY)] == 1.5 != before
    page = section.get(f"/place/{COUNTY}", lang="en").text
    card = page[page.index("In-county inpatient share") :].split("</article>")[0]
    assert "1.50" in card and 'aria-label="met"' in card
    found = section.get("/api/progress", indicator="in_county_inpatient_share", place=COUNTY).json()["progress"]
    assert found["target"] == 1.5
    assert post(section, indicator="in_county_inpatient_share", place_code=COUNTY, period="2026", value="") == 303
    assert ("in_county_inpatient_share", COUNTY) not in aims(section)
    assert post(section, indicator="in_county_inpatient_share", place_code=COUNTY, period="2026", value=str(before)) == 303
    subjects = [entry["subject"] for entry in Audit(app.state.desk.site.ledger).entries(10) if entry["action"] == "set target"]
    assert f"in_county_inpatient_share {COUNTY} 2026 1.5" in subjects


@pytest.mark.parametrize("form", [
    {"indicator": "nothing"}, {"place_code": "1"}, {"period": "26"}, {"value": "much"}, {"value": "nan"}, {"value": "130"}, {"value": "1e400"},
    {"indicator": "<b>"},
])
def test_what_is_no_target_is_refused_with_words(section: Person, form: dict[str, str]) -> None:
    count = len(aims(section))
    assert post(section, **({"indicator": "in_county_inpatient_share", "place_code": COUNTY, "period": "2026", "value": "80"} | form)) == 400
    assert len(aims(section)) == count


def test_a_sheet_sets_what_will_do_and_explains_the_rest(section: Person) -> None:
    rows = [["RGN-02", COUNTY, "2027", 81.5, "x"], ["in_city_inpatient_share", COUNTY, "2027", "93", ""], ["RGN-02", COUNTY, "2027", 82, ""],
            ["nothing", COUNTY, "2027", 1, ""], ["RGN-02", "000000", "2027", 1, ""], ["RGN-02", OTHER, "27", 1, ""], ["RGN-02", OTHER, "2027", "two", ""]]
    answer = hand_in(section, "targets.xlsx", sheet(rows))
    assert answer.status_code == 200
    assert "7 lines read: 2 targets set, 5 lines rejected" in answer.text
    for line in (4, 5, 6, 7, 8):
        assert f"targets.xlsx:{line}" in answer.text, line
    assert aims(section, "2027") == {("in_county_inpatient_share", COUNTY): 81.5, ("in_city_inpatient_share", COUNTY): 93.0}


def test_csv_in_gb18030_and_the_exported_sheet_can_be_handed_in(section: Person) -> None:
    text = ",".join(HEADER[:4]) + "\nRGN-02,990105,2028,80\n"
    assert "1 targets set" in hand_in(section, "a.csv", text.encode("gb18030")).text
    exported = section.get("/targets", year="2028", export="targets.xlsx").content
    assert "1 targets set, 0 lines rejected" in hand_in(section, "b.xlsx", exported).text
    assert aims(section, "2028") == {("in_county_inpatient_share", "990105"): 80.0}


@pytest.mark.parametrize("name, content", [
    ("a.xlsx", b""), ("a.xlsx", b"PK\x03\x04 broken"), ("a.csv", b"\x00\x01\x02"), ("a.csv", b"a,b\n1,2\n"), ("a.exe", b"MZ" * 100), ("../../etc/passwd", b"x"),
])
def test_what_is_no_sheet_is_said(section: Person, name: str, content: bytes) -> None:
    assert hand_in(section, name, content).status_code == 400


def test_only_who_may_sets_targets_and_only_at_home(app: FastAPI) -> None:
    county = somebody(app, "section", f"county:{COUNTY}")
    assert post(county, indicator="in_county_inpatient_share", place_code=OTHER, period="2026", value="80") == 400
    assert post(county, indicator="in_county_inpatient_share", place_code=COUNTY, period="2029", value="80") == 303
    listed = county.get("/targets", year="2029", export="entries.csv").content.decode("utf-8-sig")
    assert COUNTY in listed and OTHER not in listed and "990105" not in listed
    hospital = somebody(app, "section", f"facility:{COUNTY}H001")
    assert post(hospital, indicator="average_stay_days", place_code=COUNTY, period="2026", value="8") == 400, "its county's targets are not a hospital's to set"
    assert post(hospital, indicator="average_stay_days", place_code=f"{COUNTY}H001", period="2026", value="8") == 303
    for role in ("leader", "viewer", "institution"):
        other = somebody(app, role, "facility:990103H001" if role == "institution" else "region")
        assert other.get("/targets").status_code == 200
        assert post(other, indicator="in_county_inpatient_share", place_code=COUNTY, period="2026", value="80") == 403
        assert hand_in(other, "a.xlsx", sheet([])).status_code == 403
