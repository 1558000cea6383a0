"""Quality of front pages: scores are those of every check asked alone, and each sees what is theirs."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from fastapi import FastAPI

import quanmin.catalog
from tests.journeys.conftest import Region
from tests.journeys.people import exported, somebody

PAGE, HOSPITAL, OTHER = "/data/front-pages", "990104H001", "990101H001"
TABLES = ("stay", "stay_diagnosis", "stay_procedure", "stay_review", "stay_group")
CODES = Path(quanmin.catalog.__file__).parent / "codes"


def listed(name: str) -> dict[str, dict[str, str]]:
    with (CODES / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def violated(region: Region) -> dict[tuple[int, int], set[str]]:
    """(submission, line) → the checks that the page violates, each check asked alone for its rows."""
    asked, found = region.site.indicators(), defaultdict(set)
    for check in region.site.catalog.checks.values():
        if check.table in TABLES:
            for row in asked.rows(check.id, columns=["submission", "line"]).to_pylist():
                found[(row["submission"], row["line"])].add(check.id)
    return found


def test_scores_are_those_of_every_check_asked_alone(region: Region, violated: dict[tuple[int, int], set[str]]) -> None:
    fields, parts, checks = listed("front_page_field"), listed("front_page_part"), region.site.catalog.checks
    pages = region.site.indicators().engine.table("SELECT submission, line, score, error_count, has_group_error FROM front_page").to_pylist()
    stays = region.site.indicators().engine.table("SELECT count(*) AS n FROM hospitalisation WHERE origin = 'front_page'").to_pylist()[0]["n"]
    assert len(pages) >= stays > 5_000 and sum(page["error_count"] > 0 for page in pages) > 200
    for page in pages:
        lost, decides = dict.fromkeys(parts, 0.0), False
        for name in violated.get((page["submission"], page["line"]), ()):
            check = checks[name]
            mine = [fields[f"{check.table}.{one}"] for one in check.fields]
            dearest = max(mine, key=lambda row: float(row[f"{check.severity}_points"]))
            lost[dearest["parent"]] += float(dearest[f"{check.severity}_points"])
            decides |= any(row["decides_group"] == "true" for row in mine)
        expected = 100 - sum(min(points, float(parts[part]["most_points"])) for part, points in lost.items())
        assert (page["score"], page["error_count"], page["has_group_error"]) == (
            expected, len(violated.get((page["submission"], page["line"]), ())), decides), page


def test_errors_tell_what_became_of_the_group(region: Region) -> None:
    rows = region.site.indicators().engine.table(
        "SELECT e.effect, e.decides_group, h.drg IS NULL AS is_out, count(*) AS n FROM front_page_error e LEFT JOIN stay_group h USING (hospitalisation_id)"
        " GROUP BY ALL").to_pylist()
    seen = {(row["decides_group"], row["is_out"]): row["effect"] for row in rows}
    assert len(rows) == len(seen) and seen[(True, True)] == "kept_out" and seen[(True, False)] == "may_move"
    assert seen[(False, False)] == "none"


def test_the_page_says_what_the_table_says(region: Region, app: FastAPI) -> None:
    section = somebody(app, "section")
    engine = region.site.indicators().engine
    known = {row["f"]: row for row in engine.table("SELECT facility_code AS f, count(*) AS n, avg(score) AS score FROM front_page"
                                                   " WHERE year(discharged_on) = 2025 GROUP BY ALL").to_pylist()}
    shown = exported(section, PAGE, "facilities", period="2025")
    assert {row["facility"]: int(row["pages"]) for row in shown} == {code: row["n"] for code, row in known.items()}
    assert all(float(row["score"]) == pytest.approx(known[row["facility"]]["score"]) for row in shown)
    scores = [float(row["score"]) for row in shown]
    assert scores == sorted(scores) and scores[0] < scores[-1]
    points = engine.table("SELECT check_id, sum(points) AS p FROM front_page_error WHERE year(discharged_on) = 2025 GROUP BY ALL").to_pylist()
    assert {row["check"]: float(row["points"]) for row in exported(section, PAGE, "errors", period="2025")} == {row["check_id"]: row["p"] for row in points}


def test_coders_are_named_only_to_their_own_institution(region: Region, app: FastAPI) -> None:
    names = {row["coder"] for row in region.site.indicators().engine.table(
        f"SELECT DISTINCT coder FROM front_page WHERE facility_code = '{HOSPITAL}' AND coder IS NOT NULL").to_pylist()}
    own, section, viewer = somebody(app, "institution", f"facility:{HOSPITAL}"), somebody(app, "section"), somebody(app, "viewer")
    mine, theirs = (exported(person, PAGE, "coders", facility=HOSPITAL, period="2025") for person in (own, section))
    assert names and {row["coder"] for row in mine} <= names and mine and "coder" not in theirs[0]
    assert {row["coder_id"] for row in mine} == {row["coder_id"] for row in theirs}
    page = section.get(PAGE, facility=HOSPITAL, period="2025").text
    assert not any(name in page for name in names) and "coders" in page
    assert not any(name in section.get("/api/front-pages", facility=HOSPITAL, period="2025").text for name in names)
    assert not exported(own, PAGE, "facilities", period="2025") or {row["facility"] for row in exported(own, PAGE, "facilities", period="2025")} == {HOSPITAL}
    assert viewer.get(PAGE, facility=HOSPITAL).status_code == 403 and viewer.get(PAGE).status_code == 200
    assert own.get("/api/front-pages", facility=OTHER, period="2025").json()["total"]["pages"] in (0, None)
