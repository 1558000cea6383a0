"""The reasoning behind the numbers is the same on a page, over the API and on the command line, and adds up."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from docx import Document
from fastapi import FastAPI
from python_calamine import CalamineWorkbook

from quanmin.gate.inquiry import Inquiry
from quanmin.gate.performing import actions, perform
from quanmin.model import Refusal
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody

SHARE, MONTH = "in_county_inpatient_share", "2026-09"
PERIODS = {"before": "2025-03..2025-09", "after": "2026-03..2026-09"}


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


@pytest.fixture(scope="module")
def inquiry(region: Region) -> Inquiry:
    return Inquiry(region.site.operator(), region.site.indicators(), region.site.settings.region)


def exported(person: Person, path: str, **told: str) -> list[dict[str, str]]:
    answer = person.get(path, **told)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv"), answer.text[:300]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_every_action_has_a_route_and_a_command(app: FastAPI, section: Person) -> None:
    listed = subprocess.run([sys.executable, "-c", "from quanmin.cli import main; main()", "--help"], capture_output=True, text=True, timeout=600).stdout
    wanted = actions()
    assert {"variation", "funnel", "deciles", "highlights", "ranking", "progress", "change"} <= set(wanted)
    for name in wanted:
        assert f"  {name.replace('_', '-')} " in listed, name
        address, csrf = f"/api/{name.replace('_', '-')}", section.get("/api/session").json()["csrf"]
        answer = section.client.post(address, data={"csrf": csrf}) if wanted[name].changes else section.get(address, nonsense="1")
        assert answer.status_code in (200, 400, 422), (name, answer.status_code)
        assert not wanted[name].changes or section.get(address).status_code == 405, name


def test_the_months_of_the_page_are_those_of_the_api_and_of_the_command(region: Region, section: Person) -> None:
    found = section.get("/api/variation", indicator=SHARE).json()
    shown = exported(section, f"/indicator/{SHARE}", export="trend.csv")
    answer = {str(c.key["month"]): c for c in region.site.indicators().ask(SHARE, ["month"], suppress_below=0).cells}
    assert [row["month"] for row in reversed(shown)] == [p["month"] for p in found["points"]]
    for row, point in zip(reversed(shown), found["points"], strict=True):
        cell = answer[point["month"]]
        assert point["value"] == pytest.approx(cell.value, rel=1e-12) and float(row["value"]) == point["value"]
        assert float(row["numerator"]) == point["numerator"] == cell.numerator and row["definition"] == cell_version(region)
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "variation", str(region.folder), SHARE]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout)
    assert told == found


def cell_version(region: Region) -> str:
    return region.site.catalog.indicators[SHARE].version


def test_ranks_come_with_intervals_and_the_cases_to_the_next(section: Person, inquiry: Inquiry) -> None:
    found = section.get("/api/ranking", indicator=SHARE, period=MONTH).json()
    units = found["units"]
    assert len(units) == 8 and [u["rank"] for u in units] == sorted(u["rank"] for u in units) and [u["value"] for u in units] == sorted(
        (u["value"] for u in units), reverse=True)
    assert all(u["low"] <= u["rank"] <= u["high"] for u in units) and units[0]["behind"] == "" and units[0]["cases"] is None
    by_code = {u["code"]: u for u in units}
    cells = inquiry.by_unit(SHARE, MONTH)
    for unit in units[1:]:
        own, ahead = cells[unit["code"]], cells[unit["behind"]]
        level = (float(own.numerator or 0) + unit["cases"]) / float(own.denominator or 1)
        assert level >= float(ahead.numerator or 0) / float(ahead.denominator or 1) - 1e-9, "so many cases draw level"
        assert by_code[unit["behind"]]["rank"] < unit["rank"]
    shown = exported(section, f"/indicator/{SHARE}", export="ranks.csv", period=MONTH)
    assert [(row["unit"], int(row["rank"])) for row in shown] == [(u["code"], u["rank"]) for u in units]
    refused = section.get("/api/ranking", indicator="average_stay_days")
    assert refused.status_code == 400 and "problems" in refused.json(), "what has no better direction has no ranks"


def test_the_parts_of_a_change_sum_to_it_and_name_the_county_that_lost_services(region: Region, section: Person) -> None:
    event = next(row for row in region.truth("events") if row["kind"] == "lost_services")
    found = section.get("/api/change", indicator=SHARE, **PERIODS).json()["explanation"]
    for dimension in found["dimensions"]:
        split = dimension["split"]
        assert split["data"] + split["mix"] + split["rate"] == pytest.approx(found["after"] - found["before"], abs=1e-9)
        assert sum(g["data"] + g["mix"] + g["rate"] for g in split["groups"]) == pytest.approx(found["after"] - found["before"], abs=1e-9)
    assert found["causes"][0]["dimension"] == "home_county" and found["causes"][0]["group"] == event["place_code"]
    page = section.get(f"/indicator/{SHARE}", view="change", place=event["place_code"], lang="en", **PERIODS)
    assert page.status_code == 200 and "What explains it best" in page.text
    bridge = exported(section, f"/indicator/{SHARE}", view="change", place=event["place_code"], export="bridge.csv", **PERIODS)
    points = [float(row["points"]) for row in bridge]
    assert points[0] + sum(points[1:4]) == pytest.approx(points[4], abs=1e-9)


def test_progress_says_how_likely_and_what_is_needed(region: Region, section: Person) -> None:
    found = section.get("/api/progress", indicator=SHARE).json()["progress"]
    assert 0 <= found["probability"] <= 1 and found["low"] <= found["expected"] <= found["high"] and found["target"] == 83.0
    certain = section.get("/api/progress", indicator=SHARE, target="1").json()["progress"]
    assert certain["probability"] > 0.99 > found["probability"]
    assert "2026-12" in section.get(f"/indicator/{SHARE}", period=MONTH).text


def test_a_funnel_lies_within_its_own_limits_and_leaves_out_what_it_says(section: Person, inquiry: Inquiry) -> None:
    found = perform(inquiry, "funnel", {"indicator": "unplanned_readmission_31_days_share", "period": "2025"})
    assert len(found.units) + found.left_out == len(inquiry.by_unit("unplanned_readmission_31_days_share", "2025", "facility"))
    total = sum(u.numerator for u in found.units) / sum(u.denominator for u in found.units) * 100
    assert found.target == pytest.approx(total)
    assert any(unit.outside for unit in found.units), "somebody stands out"
    for unit in found.units:
        assert unit.outside != 2 or (unit.value > unit.high and unit.z > 0)
        assert unit.outside != -2 or (unit.value < unit.low and unit.z < 0)
        assert abs(unit.outside) == 2 or abs(unit.z) < 4, "who is far out is not within"
    shown = exported(section, "/indicator/unplanned_readmission_31_days_share", view="institutions", period="2025", export="funnel.csv")
    assert {row["unit"] for row in shown} == {u.code for u in found.units}


def test_highlights_name_their_rule_and_lie_outside_what_is_usual(section: Person) -> None:
    found = section.get("/api/highlights").json()
    assert found["month"] == MONTH and found["series_tested"] > 500
    for item in found["items"]:
        assert item["rule"] in ("outside", "trend", "run", "two_of_three", "funnel_95", "funnel_998") and 0 <= item["p"] <= 0.1
        assert item["rule"] not in ("outside", "funnel_95", "funnel_998") or not item["low"] <= item["value"] <= item["high"]
    shown = exported(section, "/highlights", export="highlights.csv")
    assert [(row["place"], row["indicator"]) for row in shown] == [(item["unit"], item["indicator"]) for item in found["items"]]


@pytest.mark.parametrize("told", [
    {"name": "nothing"}, {"name": "variation"}, {"name": "variation", "indicator": "nothing"}, {"name": "variation", "indicator": SHARE, "place": "x' OR 1=1"},
    {"name": "ranking", "indicator": SHARE, "period": "yesterday"}, {"name": "ranking", "indicator": SHARE, "unit": "village"},
    {"name": "ranking", "indicator": SHARE, "peers": "same_level"}, {"name": "change", "indicator": SHARE, "before": "2025", "after": "x"},
    {"name": "change", "indicator": SHARE, "before": "1999", "after": "2000"}, {"name": "funnel", "indicator": SHARE, "dispersion": "x"},
    {"name": "progress", "indicator": "beds_per_1000"}, {"name": "deciles", "indicator": "beds_per_1000"}, {"name": "variation", "indicator": SHARE, "x": "1"},
])
def test_what_cannot_be_asked_is_refused_with_words(inquiry: Inquiry, told: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        perform(inquiry, told.pop("name"), told)
    assert refusal.value.problems[0].rule and refusal.value.problems[0].mend


def test_what_a_role_may_not_ask_it_does_not_get(app: FastAPI) -> None:
    viewer, county = somebody(app, "viewer"), somebody(app, "section", "county:990103")
    assert viewer.get("/api/change", indicator=SHARE, **PERIODS).status_code == 403, "a change is made of small counts"
    assert viewer.get(f"/indicator/{SHARE}", view="change").status_code == 200, "the page shows another view instead"
    assert "data-chart=\"bridge" not in viewer.get(f"/indicator/{SHARE}", view="change").text
    seen = county.get("/api/ranking", indicator=SHARE, period=MONTH)
    assert seen.status_code == 200 and {u["code"] for u in seen.json()["units"]} == {"990103"}
    assert county.get(f"/indicator/{SHARE}", place="990104").status_code == 400
    assert county.get("/place/990104").status_code == 404 and county.get("/place/990103").status_code == 200
    assert county.get("/facility/990104H001").status_code == 404
    assert {row["unit"] for row in exported(county, f"/indicator/{SHARE}", view="institutions", period="2025", export="ranks.csv")} <= {
        one["unit"] for one in exported(somebody(app, "section"), f"/indicator/{SHARE}", view="institutions", period="2025", export="ranks.csv")}


def test_small_counts_stay_hidden_in_every_panel(app: FastAPI, region: Region) -> None:
    viewer = somebody(app, "viewer")
    small = [c for c in region.site.indicators().ask("unplanned_readmission_31_days_share", ["place"], [f"month = '{MONTH}'"], suppress_below=0).cells
             if c.numerator and 0 < c.numerator < 5]
    assert small, "the region has small counts"
    rows = {row["county"]: row for row in exported(viewer, "/indicator/unplanned_readmission_31_days_share", period=MONTH, export="counties.csv")}
    for cell in small:
        row = rows[str(cell.key["place"])]
        assert row["value"] == row["numerator"] == row["low"] == "", "withheld, not 0"


def test_a_panel_leaves_as_csv_json_workbook_and_document_with_the_same_figures(section: Person) -> None:
    path, told = f"/indicator/{SHARE}", {"period": MONTH}
    rows = exported(section, path, export="counties.csv", **told)
    found = section.get(path, export="counties.json", **told).json()
    assert [row["county"] for row in found["rows"]] == [row["county"] for row in rows] and found["about"]["indicator"] == SHARE
    assert [row["value"] for row in found["rows"]] == [float(row["value"]) for row in rows]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(section.get(path, export="counties.xlsx", **told).content)).get_sheet_by_index(0).to_python()
    assert [line[1] for line in sheet[1:]] == [float(row["value"]) for row in rows]
    table = Document(io.BytesIO(section.get(path, export="counties.docx", **told).content)).tables[0]
    assert [line.cells[1].text for line in table.rows][1:] == [f"{float(row['value']):.2f}" for row in rows]
    for wrong in ("counties.exe", "nothing.csv", "../x.csv", "counties"):
        assert section.get(path, export=wrong, **told).status_code == 404, wrong


def test_a_permanent_link_gives_the_figures_of_its_snapshot(region: Region, section: Person) -> None:
    now = region.site.snapshot().id
    assert f"as_of={now}#counties" in section.get(f"/indicator/{SHARE}", period=MONTH).text
    assert exported(section, f"/indicator/{SHARE}", period=MONTH, as_of=str(now), export="counties.csv") == exported(
        section, f"/indicator/{SHARE}", period=MONTH, export="counties.csv")
    assert section.get(f"/indicator/{SHARE}", as_of="999").status_code == 400 and section.get("/", as_of="x").status_code == 400
