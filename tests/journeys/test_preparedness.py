"""Preparedness on a site and on the command line: what the site knows is what is simulated, to each what is theirs, and commands say what pages say."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from quanmin.gate.inquiry import Inquiry
from quanmin.services.preparedness.actions import mass_testing, surge
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

COUNTY, OTHER, HOSPITAL = "990104", "990101", "990104H001"
TESTING, STOCK, SURGE = "/preparedness/mass-testing", "/preparedness/stockpile", "/preparedness/surge"


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {"section": somebody(app, "section"), "county": somebody(app, "section", f"county:{COUNTY}"),
            "hospital": somebody(app, "institution", f"facility:{HOSPITAL}")}


@pytest.fixture(scope="module")
def inquiry(region: Region, app: FastAPI) -> Inquiry:
    return app.state.desk.inquiry(region.site.operator())


def asked(region: Region, sql: str) -> list[dict[str, object]]:
    """Counted by SQL of its own, from the tables as they were taken in."""
    return region.site.indicators().engine.table(sql).to_pylist()


def test_everybody_registered_is_tested_once(region: Region, inquiry: Inquiry) -> None:
    found = mass_testing(inquiry)
    towns = {row["region_code"]: row["n"] for row in asked(region, "SELECT region_code, sum(resident_count) AS n FROM population WHERE length(region_code) = 9"
                                                                   " AND year = (SELECT max(year) FROM population) GROUP BY ALL HAVING n > 0")}
    assert {row.area: row.people for row in found.areas} == towns and found.people == sum(towns.values())
    tubes = asked(region, "SELECT facility_code AS f, arg_max(pcr_tubes_per_day, year) AS n FROM facility_year GROUP BY ALL HAVING n > 0")
    assert {row.lab: pytest.approx(row.tubes_per_day) for row in found.labs} == {row["f"]: float(str(row["n"])) for row in tubes}
    last = found.hours[-1]
    assert last.sampled == last.people_with_result == found.people and last.tubes_made == last.tubes_tested == found.tubes
    assert found.results_done_hour is not None and found.bound_hours is not None and found.results_done_hour >= found.bound_hours


def test_a_surge_meets_the_beds_that_are_registered(region: Region, inquiry: Inquiry) -> None:
    found = surge(inquiry, occupied=0.0, converted=0.0)
    beds = {row["c"]: (row["beds"], row["icu"]) for row in asked(region, """
        WITH newest AS (SELECT facility_code, max(year) AS year FROM facility_year GROUP BY ALL)
        SELECT f.county_code AS c, sum(coalesce(y.bed_count, 0) + coalesce(y.convertible_bed_count, 0)) AS beds, sum(coalesce(y.icu_bed_count, 0)) AS icu
        FROM facility_year y JOIN newest USING (facility_code, year) JOIN facility f USING (facility_code) GROUP BY ALL""")}
    supply = {(row.county, row.of): row.supply for row in found.shortages}
    counties = set(inquiry.units("county"))
    assert {county for county, _ in supply} == counties
    for county in counties:
        assert supply[(county, "ward")] == beds[county][0] and supply[(county, "icu")] == int(0.4 * float(str(beds[county][1])) + 1e-9)
        assert supply[(county, "oxygen")] is None, "no supply of oxygen is registered: none can be short"


def test_a_surge_is_tested_by_the_laboratories_that_are_registered(region: Region, inquiry: Inquiry, people: dict[str, Person]) -> None:
    tubes = {str(row["c"]): float(str(row["n"])) for row in asked(region, """
        SELECT f.county_code AS c, sum(y.n) AS n FROM (SELECT facility_code, arg_max(pcr_tubes_per_day, year) AS n FROM facility_year GROUP BY ALL) y
        JOIN facility f USING (facility_code) WHERE y.n > 0 GROUP BY ALL""")}
    assert {row.capacity for row in surge(inquiry).tests} == {7 * sum(tubes.values())}
    rows = exported(people["county"], SURGE, "tests")
    assert {float(row["capacity"]) for row in rows} == {7 * tubes[COUNTY]}, "a county is held against its own laboratories"
    found = surge(inquiry, place=COUNTY, infected=10, reproduction=2.5, reduction=0.3, from_day=14, occupied=0.75, converted=21, days=180, tested=0.5)
    items = exported(people["county"], SURGE, "supplies", tested="0.5")
    assert {row["item_name"]: pytest.approx(float(row["total"])) for row in items} == {row.name: row.total for row in found.supplies}
    assert len(items) > 150 and float(items[0]["week_20"]) == pytest.approx(found.supplies[0].by_week[19])
    quick = people["section"].get("/api/surge", is_whole="false").json()
    assert quick["tests"] == quick["supplies"] == []


def test_each_sees_what_is_theirs(people: dict[str, Person]) -> None:
    for who in ("county", "hospital"):
        for path, panel, field in ((TESTING, "areas", "name"), (SURGE, "shortages", "name"), (STOCK, "cover", "institution_name")):
            own = {row[field] for row in exported(people["section"], path, panel, place=COUNTY)}
            seen = {row[field] for row in exported(people[who], path, panel)}
            assert seen and (seen == own if who == "county" or panel != "cover" else len(seen) == 1)
        assert people[who].get(TESTING, place=OTHER).status_code == 400
        assert people[who].get("/api/surge", place=OTHER).status_code == 400
        assert people[who].get("/preparedness").status_code == 200


def test_pages_say_what_actions_say_and_sliders_change_it(people: dict[str, Person], inquiry: Inquiry) -> None:
    page = people["section"].get(TESTING, place=COUNTY, lab="0.1", teams="0.5", pool="5", lang="en")
    found = mass_testing(inquiry, place=COUNTY, lab=0.1, teams=0.5, pool=5, rate=100, hours=12, positive=0.0001, vehicles=2)
    assert f">{found.results_done_hour} h<" in page.text and 'value="0.5"' in page.text and "Set here" in page.text
    hours = exported(people["section"], TESTING, "hours", place=COUNTY, lab="0.1", teams="0.5", pool="5")
    assert len(hours) == found.results_done_hour and float(hours[-1]["sampled"]) == found.people
    told = people["section"].get("/api/mass-testing", place=COUNTY, lab="0.1", teams="0.5", pool="5").json()
    assert told["results_done_hour"] == found.results_done_hour and told["bottleneck"] == found.bottleneck
    for path, wrong in ((TESTING, {"rate": "fast"}), (TESTING, {"pool": "99"}), (SURGE, {"template": "plague"}), (STOCK, {"duty": "-1"}),
                        (SURGE, {"days": "nan"})):
        assert people["section"].get(path, **wrong).status_code == 400
    calm = people["section"].get(SURGE, reproduction="0.8", lang="en").text
    assert "nothing is short" in calm and "nothing is short" not in people["section"].get(SURGE, infected="200", lang="en").text


def quanmin(folder: Path, *arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", "from quanmin.cli import main; main()", *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "QUANMIN_LANGUAGE": language})


def test_commands_start_from_a_template(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(quanmin(tmp_path, "simulate", "mass-testing", "--template").stdout, "utf-8")
    done = quanmin(tmp_path, "simulate", "mass-testing", "mine.toml", "--set", "laboratory.assay_hours=8", "--out", "hours.csv")
    assert done.returncode == 0 and "All tested in 3 days: no" in done.stdout and "Bottleneck: Laboratory" in done.stdout, done.stderr
    with (tmp_path / "hours.csv").open(encoding="utf-8", newline="") as stream:
        hours = list(csv.DictReader(stream))
    assert float(hours[-1]["sampled"]) == float(hours[-1]["people_with_result"]) == 600_000
    told = quanmin(tmp_path, "simulate", "surge", "surge_influenza", "--part", "shortages", "--format", "json")
    assert {row["of"] for row in json.loads(told.stdout)["rows"]} >= {"ward", "icu"}, told.stdout[:200]
    broken = quanmin(tmp_path, "simulate", "stockpile", "stockpile", "--set", "item[0].pack=0", "--set", "target_days=400")
    assert broken.returncode == 2 and broken.stderr.count("\n") == 2 and "Traceback" not in broken.stderr
    assert quanmin(tmp_path, "simulate", "surge", "nowhere.toml").returncode == 2
