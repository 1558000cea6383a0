"""County medical communities in front of the real page, the API and the command: the same numbers, within scope, and what was reported stands there."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter
from fastapi import FastAPI
from playwright.sync_api import Browser

from quanmin.model import Answer
from quanmin.services.communities import SETS, score_set
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.browsing import CHROMIUM, Visitor, visiting
from tests.journeys.conftest import Region
from tests.journeys.pages import seen
from tests.journeys.people import Person, exported, somebody
from tests.journeys.sent_files import copy_of

pytestmark = pytest.mark.xdist_group("region")
YEAR, COUNTY, CODE, OTHER = "2025", "990104", "990104Y001", "990105Y001"
CUTS = {"community": "community_code", "county": "place", "lead": "facility_code"}


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {role: somebody(app, role) for role in ("section", "viewer")} | {
        "county": somebody(app, "section", f"county:{COUNTY}"), "facility": somebody(app, "section", "facility:990104H001")}


def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.parametrize("name", SETS)
def test_page_api_command_and_the_indicators_say_the_same(region: Region, people: dict[str, Person], name: str) -> None:
    section = people["section"]
    rows = exported(section, "/communities", "figures", set=name, year=YEAR)
    told = section.get("/api/communities", set=name, year=YEAR).json()
    program = [sys.executable, "-c", "from quanmin.cli import main; main()", "communities", str(region.folder), "--set", name, "--year", YEAR]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["figures"] == told["figures"], "the command's are the API's"
    assert len(rows) == len(told["figures"]) == 8 * sum(len(item.figures) for item in score_set(name).items)
    indicators = region.site.indicators()
    answers: dict[str, Answer] = {}
    leads = {row["community_code"]: row["facility_code"] for row in indicators.engine.table(
        "SELECT community_code, facility_code FROM facility WHERE is_community_lead").to_pylist()}
    compared = 0
    for row, one in zip(rows, told["figures"], strict=True):
        assert (row["community"], row["indicator"]) == (one["community"], one["indicator"])
        for column in ("value", "numerator", "denominator", "low", "high", "before", "change", "rank"):
            assert number(row[column]) == pytest.approx(one[column]), (row["indicator"], column)
        if one["counted"] == "reported":
            assert one["value"] is None and one["status"] == "not_reported"
            continue
        cut = CUTS[one["counted"]]
        if one["indicator"] not in answers:
            by, where = ([cut, "year"], []) if one["indicator"].endswith("growth") else ([cut], [f"year = {YEAR}"])
            answers[one["indicator"]] = indicators.ask(one["indicator"], by, where, suppress_below=0)
        place = {"community": one["community"], "county": one["community"][:6], "lead": leads[one["community"]]}[one["counted"]]
        cell = next(c for c in answers[one["indicator"]].cells if c.key[cut] == place and str(c.key.get("year", YEAR)) == YEAR)
        assert (one["value"], one["unknown"]) == (pytest.approx(None if cell.value is None else float(cell.value)), cell.unknown)
        compared += one["value"] is not None
    assert compared > 100


def test_a_number_of_the_score_card_is_the_one_of_its_indicator_s_page(people: dict[str, Person]) -> None:
    """By county and by members alike, on the page that the number links to."""
    section = people["section"]
    page = section.get("/communities", year=YEAR, lang="en").text
    for indicator, cut in (("in_county_fund_share", ""), ("village_ecg_coverage_share", "&amp;by=community_code")):
        link = f"/indicator/{indicator}?place={COUNTY}&amp;period={YEAR}{cut}"
        assert link in page
        shown = page.split(link)[1].split(">")[1].split("<")[0]
        assert float(shown) > 0 and shown in seen(section.get(link.replace("&amp;", "&") + "&lang=en").text)


@pytest.mark.parametrize("name", SETS)
def test_one_community_is_the_list_s(people: dict[str, Person], name: str) -> None:
    section = people["section"]
    one, listed = section.get("/api/community", code=CODE, set=name, year=YEAR).json(), section.get("/api/communities", set=name, year=YEAR).json()
    assert one["figures"] == [figure for figure in listed["figures"] if figure["community"] == CODE]
    assert one["community"]["lead"]["code"] == "990104H001" and one["residents"] > 100
    rows = exported(section, f"/community/{CODE}", "members", set=name, year=YEAR)
    assert len(rows) == len(one["community"]["members"]) and rows[0]["lead"] == "True"
    for trend in one["trends"]:
        if trend["months"]:
            shown = section.get("/api/variation", indicator=trend["indicator"], place=COUNTY).json()
            counted = next(f["counted"] for f in one["figures"] if f["indicator"] == trend["indicator"])
            if counted == "county":
                assert [(p["month"], p["value"], p["kind"]) for p in trend["months"]["points"]] == [
                    (p["month"], p["value"], p["kind"]) for p in shown["points"]], trend["indicator"]
    assert any(trend["months"] for trend in one["trends"])


def test_a_county_sees_its_own_and_nothing_else(people: dict[str, Person]) -> None:
    county, section = people["county"], people["section"]
    own, whole = county.get("/api/communities", year=YEAR).json(), section.get("/api/communities", year=YEAR).json()
    assert [one["community"] for one in own["communities"]] == [CODE]
    for mine, theirs in zip(own["figures"], [one for one in whole["figures"] if one["community"] == CODE], strict=True):
        assert (mine["value"], mine["numerator"], mine["denominator"]) == (theirs["value"], theirs["numerator"], theirs["denominator"]), mine["indicator"]
        assert mine["rank"] is None, "who sees one community sees no ranks"
    assert OTHER not in county.get("/communities").text
    assert county.get(f"/community/{CODE}").status_code == 200
    for path in (f"/community/{OTHER}", f"/api/community?code={OTHER}"):
        assert county.get(path).status_code == 400
    assert people["facility"].get("/communities").status_code == 400, "one institution is not its community"


def test_small_counts_are_withheld_from_who_may_not_see_them(people: dict[str, Person]) -> None:
    for path, parameters in (("/api/communities", {"year": YEAR}), ("/api/communities", {"year": YEAR, "set": "2020"}), ("/api/community", {"code": CODE})):
        figures = people["viewer"].get(path, **parameters).json()["figures"]
        withheld = [one for one in figures if one["status"] == "withheld"]
        assert all(one["value"] is one["numerator"] is one["denominator"] is None for one in withheld)
        counted = [one for one in figures if one["status"] == "computed" and one["unit"] != "CNY" and one["indicator"].endswith("_count")]
        assert not [one for one in counted if 0 < one["numerator"] < 5]
    assert people["viewer"].get("/communities").status_code == people["viewer"].get(f"/community/{CODE}").status_code == 200


@pytest.mark.parametrize(("path", "status"), [
    ("/communities?set=2019", 400), ("/communities?year=1999", 400), ("/communities?year=-1", 400), ("/communities?year=x", 422),
    ("/communities?on=nothing", 400),
    ("/communities?export=nothing.csv", 404), (f"/community/{CODE}?set=%27", 400), ("/community/%3Cb%3E", 400), ("/community/990104Y999", 400),
    (f"/community/{CODE}?year=20260", 400), ("/api/communities?set=x", 400), ("/api/community?code=x", 400),
    ("/api/communities?year=99999999999999999999", 400)])
def test_a_bad_address_is_answered_with_words(people: dict[str, Person], path: str, status: int) -> None:
    answer = people["section"].get(path)
    assert answer.status_code == status, answer.text
    assert "<b>" not in answer.text.replace("<b>–</b>", "") and "Traceback" not in answer.text
    if status == 400 and path.startswith("/api/"):
        assert answer.json()["problems"][0]


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_every_panel_leaves_as_a_file(people: dict[str, Person], form: str) -> None:
    for path, panels in (("/communities", ("kinds", "gap", "scorecard", "figures", "to_send")),
                         (f"/community/{CODE}", ("ranks", "trends", "years", "members", "evidence", "figures", "to_send"))):
        for panel in panels:
            answer = people["section"].get(path, export=f"{panel}.{form}", year=YEAR)
            assert answer.status_code == 200 and answer.headers["content-disposition"].endswith(f'"{panel}.{form}"')


def test_what_is_to_be_sent_comes_back_as_evidence(region: Region, people: dict[str, Person], tmp_path: Path) -> None:
    """The workbook downloaded from the page, filled in and sent, stands on the page with sender, file, line and date."""
    sent = people["section"].get(f"/community/{CODE}", export="to_send.xlsx", year=YEAR)
    heads, *lines = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sent.content)).get_sheet_by_index(0).to_python()
    mapping = region.site.catalog.mappings["appraisal_evidence_workbook"]
    at = {fill.column: heads.index(fill.source[0]) for fill in mapping.into[0].fills}
    for row, line in enumerate(lines, 2):
        line += [""] * (len(heads) - len(line))
        line[heads.index(mapping.sender_column)], line[at["document"]] = f"HC-{COUNTY}", f"minutes {row}"
        line[at["judgement" if row == 2 else "value"]] = "met" if row == 2 else 10 + row
    filled, rows = tmp_path / "evidence.xlsx", len(lines)
    with xlsxwriter.Workbook(filled) as book:
        sheet = book.add_worksheet()
        for number_of, line in enumerate([heads, *lines]):
            sheet.write_row(number_of, 0, line)
    site = Site(copy_of(region.folder, tmp_path / "site"))
    receipts = site.intake().take([filled])
    assert [(one.sender, one.mapping, one.accepted, one.rejected) for one in receipts] == [(f"HC-{COUNTY}", mapping.id, rows, 0)]
    site.build()
    app = create_app(site)
    section, other = somebody(app, "section"), somebody(app, "section", "county:990105")
    figures = [one for one in section.get("/api/community", code=CODE, year=YEAR).json()["figures"] if one["counted"] == "reported"]
    assert {one["status"] for one in figures} == {"reported"} and len(figures) == rows == 5
    assert (figures[0]["verdict"], figures[0]["value"], figures[1]["verdict"], figures[1]["value"]) == ("met", None, "", 13.0)
    evidence = exported(section, f"/community/{CODE}", "evidence", year=YEAR)
    assert [(one["item"], one["sender"], one["file"], one["line"]) for one in evidence] == [
        (item, f"HC-{COUNTY}", "evidence.xlsx", str(line)) for line, item in enumerate(("CMC24-01", "CMC24-02", "CMC24-03", "CMC24-13", "CMC24-14"), 2)]
    page = section.get(f"/community/{CODE}", year=YEAR).text
    assert "evidence.xlsx" in page and 'id="to_send"' not in page
    assert not [one for one in other.get("/api/communities", year=YEAR).json()["figures"] if one["evidence"]], "another county's evidence is not theirs"
    assert not exported(section, f"/community/{CODE}", "evidence", year="2024")


@pytest.fixture
def visitor(region: Region, address: str, browser: Browser) -> Iterator[Visitor]:
    with visiting(region.site, address, browser, "section") as found:
        yield found


@pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
def test_a_person_goes_from_the_score_card_to_a_community_and_to_an_indicator(visitor: Visitor) -> None:
    page = visitor.go(f"/communities?year={YEAR}", "en")
    page.get_by_label("Compared in the chart").select_option("in_county_fund_share")
    page.get_by_role("button", name="Show").click()
    page.wait_for_load_state()
    assert "on=in_county_fund_share" in page.url and page.locator("#gap h2").inner_text().endswith("Insurance fund spent in facilities inside the county")
    page.locator("#scorecard thead a").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/community/{CODE}?**")
    page.get_by_role("link", name="Trial items of 2020").click()
    page.wait_for_url("**set=2020**")
    page.locator("article.figure h3 a").first.click()
    page.wait_for_url(f"**/indicator/cmc2020_insured_in_county_inpatient_share?place={COUNTY}&period={YEAR}")
