"""Exercises on a site: played against the registers, recorded once and corrected openly, scored as the record file is, to each what is theirs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from quanmin.gate import NotAllowed, Scope
from quanmin.gate.audit import Audit
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Refusal
from quanmin.records import ledger_tables as t
from quanmin.records.exercise_ledger import record_exercise_act
from quanmin.services.preparedness import exercise as scripts
from quanmin.services.preparedness.actions import stockpile_cover
from quanmin.services.preparedness.exercise_actions import correct_reaction, end_exercise, exercise, exercises, record_reaction, start_exercise
from quanmin.services.preparedness.exercise_view import ExerciseView
from quanmin.services.preparedness.scenario import checked, template
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody
from tests.journeys.test_preparedness import quanmin

PATH, COUNTY, OTHER = "/preparedness/exercises", "990104", "990101"


@pytest.fixture(scope="module")
def inquiry(region: Region, app: FastAPI) -> Inquiry:
    return app.state.desk.inquiry(region.site.operator())


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {"section": somebody(app, "section"), "county": somebody(app, "section", f"county:{COUNTY}"), "other": somebody(app, "section", f"county:{OTHER}"),
            "leader": somebody(app, "leader"), "hospital": somebody(app, "institution", f"facility:{COUNTY}H001"), "viewer": somebody(app, "viewer")}


@pytest.fixture
def in_english(english: None) -> Iterator[None]:
    yield


def moved_back(inquiry: Inquiry, number: str, minutes: float) -> None:
    """Let an exercise have begun some minutes earlier than it did."""
    with inquiry.actor.ledger.transaction() as connection:
        at = connection.execute(select(t.exercise.c.at).where(t.exercise.c.exercise == number)).scalar_one()
        earlier = (datetime.fromisoformat(at) - timedelta(minutes=minutes)).isoformat(timespec="seconds")
        connection.execute(update(t.exercise).where(t.exercise.c.exercise == number).values(at=earlier))


def begun(inquiry: Inquiry, minutes: float, place: str = COUNTY) -> str:
    number = start_exercise(inquiry, place=place).played.exercise
    moved_back(inquiry, number, minutes)
    return number


def state(view: ExerciseView) -> dict[str, str]:
    return {row.reaction: row.state for row in view.reactions}


def test_steps_come_when_their_minute_comes(inquiry: Inquiry) -> None:
    number = begun(inquiry, 0)
    view = exercise(inquiry, number)
    assert [step.step for step in view.steps] == ["report"] and view.next_minutes == 180 and set(state(view)) == {"card", "team", "sample"}
    assert set(state(view).values()) == {"due"} and view.played.score is None
    moved_back(inquiry, number, 200)
    view = exercise(inquiry, number)
    assert [step.step for step in view.steps] == ["report", "positive"] and view.next_minutes == 480
    assert state(view) == {"card": "overdue", "team": "overdue", "sample": "overdue", "verify": "due", "contacts": "due"}
    with pytest.raises(Refusal, match="480"):
        record_reaction(inquiry, number, "beds")


def test_figures_are_those_of_the_registers(region: Region, inquiry: Inquiry) -> None:
    view = exercise(inquiry, begun(inquiry, 500))
    told = {step.step: {one.name: one for one in step.figures} for step in view.steps}
    [beds] = region.site.indicators().engine.table(f"""
        WITH newest AS (SELECT facility_code, max(year) AS year FROM facility_year GROUP BY ALL)
        SELECT sum(coalesce(infectious_bed_count, 0)) AS infectious, sum(coalesce(convertible_bed_count, 0)) AS convertible
        FROM facility_year JOIN newest USING (facility_code, year) JOIN facility f USING (facility_code) WHERE f.county_code = '{COUNTY}'""").to_pylist()
    assert (told["report"]["infectious_beds"].value, told["report"]["convertible_beds"].value) == (beds["infectious"], beds["convertible"])
    stocks = stockpile_cover(inquiry, place=COUNTY)
    assert told["spread"]["items_short"].value == stocks.short_count and told["spread"]["items_short"].on == stocks.as_of
    assert told["positive"]["cover_days"].value == stocks.least_days and told["positive"]["cover_days"].where == stocks.least_institution
    assert view.figures_snapshot == inquiry.snapshot


def test_of_two_who_record_the_same_the_first_counts(inquiry: Inquiry, people: dict[str, Person]) -> None:
    number = begun(inquiry, 60)
    before = record_reaction(inquiry, number, "card", "network")
    with pytest.raises(Refusal):
        record_reaction(inquiry, number, "card", "again")
    answer = posted(people["county"], number, act="record_reaction", reaction="card")
    assert answer == 400 and len(exercise(inquiry, number).acts) == len(before.acts) == 1
    with pytest.raises(Refusal):  # both had seen the same state, and the other was first
        record_exercise_act(inquiry.actor.ledger, before.acts[0])
    assert posted(people["county"], number, act="record_reaction", reaction="team", note="left at once") == 303
    view = exercise(inquiry, number)
    assert [act.reaction for act in view.acts] == ["card", "team"] and view.acts[1].by == people["county"].name
    assert next(row for row in view.reactions if row.reaction == "card").after_minutes == pytest.approx(60, abs=1)


def posted(person: Person, number: str, **told: str) -> int:
    return person.client.post(f"{PATH}/{number}" if number else PATH, data={"csrf": person.csrf} | told, follow_redirects=False).status_code


def test_a_correction_is_a_record_of_its_own(inquiry: Inquiry) -> None:
    number = begun(inquiry, 150)
    record_reaction(inquiry, number, "card")
    assert state(exercise(inquiry, number))["card"] == "late"
    view = correct_reaction(inquiry, number, "card", 90.0, "by telephone at minute 90")
    assert state(view)["card"] == "in_time" and [(act.act, act.reaction) for act in view.acts] == [("react", "card"), ("correct", "card")]
    assert view.acts[0].minutes == pytest.approx(150, abs=1), "the first record stands as it was"
    view = correct_reaction(inquiry, number, "card", -1.0, "it was another exercise")
    assert state(view)["card"] == "overdue" and view.acts[-1].act == "withdraw"
    assert state(record_reaction(inquiry, number, "card"))["card"] == "late", "what was withdrawn may be recorded anew"
    for minutes, note in ((9_999.0, "later than now"), (-3.0, "before it began"), (30.0, "  ")):
        with pytest.raises(Refusal):
            correct_reaction(inquiry, number, "card", minutes, note)
    with pytest.raises(Refusal):
        correct_reaction(inquiry, number, "sample", 20.0, "was never recorded")


def test_the_end_scores_as_the_record_file_is_scored(inquiry: Inquiry, people: dict[str, Person], tmp_path: Path) -> None:
    number = begun(inquiry, 620)
    for name, minutes in (("card", 40.0), ("team", 170.0), ("verify", 500.0), ("beds", 610.0)):
        record_reaction(inquiry, number, name)
        correct_reaction(inquiry, number, name, minutes, "from the log")
    view = end_exercise(inquiry, number, "over")
    states = state(view)
    assert states == {"card": "in_time", "team": "late", "verify": "too_late", "beds": "in_time", **dict.fromkeys(("sample", "contacts", "supplies"), "missed")}
    record = tmp_path / "record.csv"
    record.write_bytes(people["section"].get(f"{PATH}/{number}", export="record.csv").content)
    script = checked(scripts.KIND, scripts.PARTS, template("exercise"), "x")
    scored = scripts.scored(script, scripts.record_of(record))
    assert view.played.score == pytest.approx(scored.score) == pytest.approx(100 * (15 + 15 * (1 - 50 / 120) + 15) / 100)
    assert {row.reaction: (row.state, row.earned) for row in scored.reactions} == {row.reaction: (row.state, row.earned) for row in view.reactions}
    told = quanmin(tmp_path, "simulate", "exercise", "exercise", "--record", "record.csv")
    assert told.returncode == 0 and f"{scored.score:.1f}" in told.stdout
    for act in (lambda: record_reaction(inquiry, number, "sample"), lambda: end_exercise(inquiry, number)):
        with pytest.raises(Refusal):
            act()
    after = correct_reaction(inquiry, number, "sample", 100.0, "the form was found")
    assert state(after)["sample"] == "in_time" and after.played.score == pytest.approx(scored.score + 10) and after.minutes == view.minutes
    again = exercise(inquiry, begun(inquiry, 10))
    assert again.earlier[0].exercise == number and again.earlier[0].score == after.played.score
    assert {row.reaction: row.before_minutes for row in again.reactions} == {"card": 40.0, "team": 170.0, "sample": 100.0}


def test_who_may_what_and_where(inquiry: Inquiry, people: dict[str, Person], app: FastAPI) -> None:
    number = begun(inquiry, 30)
    for who in ("leader", "hospital", "viewer"):
        assert posted(people[who], "", template="exercise", place=COUNTY, pace="1") in (403, 404), who
        assert posted(people[who], number, act="record_reaction", reaction="card") in (403, 404), who
    assert people["leader"].get(f"{PATH}/{number}").status_code == 200
    assert "record_reaction" not in people["leader"].get(f"{PATH}/{number}").text
    assert people["viewer"].get(PATH).status_code == 403 and people["viewer"].get("/api/exercises").status_code in (400, 403)
    for who in ("other", "hospital"):
        assert people[who].get(f"{PATH}/{number}").status_code == 404 and people[who].get(f"{PATH}/{number}/report.docx").status_code == 404
        assert people[who].get("/api/exercise", exercise=number).status_code == 400
        assert number not in people[who].get(PATH).text and number not in json.dumps(people[who].get("/api/exercises").json())
    assert posted(people["other"], number, act="record_reaction", reaction="card") == 404 and not exercise(inquiry, number).acts
    assert posted(people["county"], "", place=OTHER, pace="1") == 400, "another county's"
    assert number in people["county"].get(PATH).text
    institution = replace(inquiry.actor, scope=Scope("facility", f"{COUNTY}H001"))
    with pytest.raises(NotAllowed):  # at the desk, whatever the role may
        start_exercise(app.state.desk.inquiry(institution), place=COUNTY)


def test_bad_words_are_refused_and_the_trail_holds(inquiry: Inquiry, people: dict[str, Person]) -> None:
    for told in ({"template": "plague"}, {"pace": "0"}, {"pace": "nan"}, {"pace": "fast"}, {"pace": "1e9"}, {"place": "990999"}):
        assert posted(people["section"], "", **({"pace": "1"} | told)) == 400, told
    number = begun(inquiry, 30)
    for told in ({"act": "burn"}, {"act": "record_reaction", "reaction": "dance"},
                 {"act": "correct_reaction", "reaction": "card", "minutes": "soon", "note": "x"},
                 {"act": "record_reaction", "reaction": "card", "note": "x" * 2_001}):
        assert posted(people["section"], number, **told) == 400, told
    assert people["section"].get(f"{PATH}/nothing").status_code == 404 and people["section"].get(f"{PATH}/{'0' * 12}").status_code == 404
    assert people["section"].client.post(PATH, data={"pace": "1"}).status_code in (400, 403), "without the session's token"
    audit = Audit(inquiry.actor.ledger)
    assert [entry for entry in audit.entries(20) if entry["action"] == "start exercise" and entry["subject"].startswith(number)]
    assert audit.first_break() is None


def test_page_list_report_and_command(region: Region, inquiry: Inquiry, people: dict[str, Person], tmp_path: Path, in_english: None) -> None:
    from docx import Document

    answer = people["county"].client.post(PATH, data={"csrf": people["county"].csrf, "template": "exercise", "pace": "60"}, follow_redirects=False)
    number = answer.headers["location"].rpartition("/")[2]
    assert answer.status_code == 303 and exercise(inquiry, number).played.county == COUNTY, "who sees one county starts there"
    page = people["county"].get(f"{PATH}/{number}", lang="en").text
    assert page.count('value="record_reaction"') == 3 and "infectious-disease beds are registered" in page
    assert posted(people["county"], number, act="record_reaction", reaction="card", note="done") == 303
    assert posted(people["county"], number, act="end_exercise") == 303
    rows = {row["exercise"]: row for row in exported(people["section"], PATH, "exercises")}
    assert float(rows[number]["score"]) == 15 and rows[number]["missed"] == "6"
    assert exercises(inquiry).exercises[0].exercise == number
    document = Document(io.BytesIO(people["county"].get(f"{PATH}/{number}/report.docx", lang="en").content))
    text = "\n".join(p.text for p in document.paragraphs) + "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert "Not passed" in text and "15 / 100" in text and "Field team leaves" in text and "done" in text
    (tmp_path / "demo").symlink_to(region.folder)
    started = quanmin(tmp_path, "start-exercise", "demo", "--place", COUNTY, "--pace", "120", "--format", "json")
    assert started.returncode == 0, started.stderr
    mine = re.search(r"[0-9a-f]{12}", started.stdout)
    assert mine and quanmin(tmp_path, "record-reaction", "demo", "--exercise", mine[0], "--reaction", "card").returncode == 0
    assert quanmin(tmp_path, "end-exercise", "demo", "--exercise", mine[0]).returncode == 0
    written = quanmin(tmp_path, "exercise-report", "demo", mine[0], "--out", "report.docx", "--lang", "zh")
    assert written.returncode == 0 and (tmp_path / "report.docx").stat().st_size > 10_000
    broken = quanmin(tmp_path, "record-reaction", "demo", "--exercise", mine[0], "--reaction", "card")
    assert broken.returncode == 2 and "Traceback" not in broken.stderr
    listed = list(csv.DictReader(io.StringIO(quanmin(tmp_path, "exercises", "demo", "--format", "csv").stdout)))
    assert {row["exercise"] for row in listed} >= {mine[0], number}
