"""The situation report of an event, read back: its numbers are those of the action, in both languages, and it names nobody."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from fastapi import FastAPI

from quanmin.catalog.messages import speak
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Refusal
from quanmin.model.event import EventAct
from quanmin.reports.brief import Issue
from quanmin.reports.situation import read_event, situation_report
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


@pytest.fixture(scope="module")
def found(section: Person) -> dict[str, Any]:
    """The named event with most cases, as the action gives it."""
    events = section.get("/api/events", limit="1000").json()["events"]
    chosen = max((one for one in events if one["is_named"]), key=lambda one: (one["cases"], one["id"]))
    view: dict[str, Any] = section.get("/api/event", event=chosen["id"]).json()
    return view


def read(document: bytes) -> tuple[list[list[list[str]]], str, Any]:
    """The cells of the tables, all paragraphs, and the document."""
    opened = Document(io.BytesIO(document))
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in opened.tables], "\n".join(p.text for p in opened.paragraphs), opened


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_numbers_are_those_of_the_action(section: Person, found: dict[str, Any], language: str) -> None:
    answer = section.get(f"/warnings/{found['event']['id']}/report.docx", lang=language)
    assert answer.status_code == 200 and "wordprocessingml" in answer.headers["content-type"]
    tables, said, document = read(answer.content)
    summary, towns, signals = tables[0], tables[1] if found["townships"] else [], tables[2 if found["townships"] else 1]
    one = found["event"]
    assert len(summary) == 7 and summary[4][1] == f"{one['cases']:,}"
    assert all(day in summary[2][1] for day in (one["first_on"], one["last_on"], one["raised_on"]))
    assert [row[1] for row in towns[1:]] == [f"{count:,}" for _, count in found["townships"]]
    assert [row[1] for row in signals[1:]] == [signal["peak_on"] for signal in found["signals"]]
    counted = [(row[2].replace(",", ""), one["observed"]) for row, one in zip(signals[1:], found["signals"], strict=True) if one["source"] != "combined"]
    assert counted and all(float(shown) == round(observed, 2) for shown, observed in counted)
    total = sum(day["cases"] for day in found["curve"])
    assert f"{found['curve'][0]['day']}" in said and f"{total:,}" in said and one["due_on"] in said and one["known_on"] in said and total >= one["cases"] > 0
    whole = next(rate for rate in section.get("/api/attack-rates", event=one["id"]).json() if rate["by"] == "total")
    assert f"{whole['rate']:.2f}" in said and f"{whole['low']:.2f}–{whole['high']:.2f}" in said
    for cluster in section.get("/api/past-clusters", item=one["item"], place=one["county"]).json()["clusters"]:
        assert (one["id"] not in cluster["events"]) or (f"{cluster['expected']:.2f}" in said and cluster["first_on"] in said)
    assert len(document.inline_shapes) == 1 and document.inline_shapes[0]._inline.docPr.get("descr")
    told = said + "".join(cell for table in tables for row in table for cell in row)
    assert not CHINESE.search(told.replace(document.paragraphs[1].text, "")) if language == "en" else CHINESE.search(told)


def test_what_was_done_stands_in_it_and_who_did_it_does_not(region: Region, found: dict[str, Any]) -> None:
    inquiry = Inquiry(region.site.operator(), region.site.indicators(), region.site.settings.region)
    speak("en")
    with pytest.raises(Refusal):
        read_event(inquiry, "0123456789ab")
    view = read_event(inquiry, found["event"]["id"])
    one = view.event
    about = (one.item, one.county, one.first_on, one.last_on, "case", "x")
    acts = (EventAct(one.id, 1, "confirm", "Two classes closed", *about, "anna", "2026-03-12T10:00:00"),
            EventAct(one.id, 2, "measure", "School kitchen closed", *about, "bert", "2026-03-13T08:30:00"))
    issue = Issue("Office", "2026-11-02")
    document = situation_report(inquiry, replace(view, acts=acts, event=replace(one, state="confirmed", is_late=True)), issue)
    tables, said, _ = read(document)
    assert tables[-1][1:] == [["2026-03-12 10:00", "Confirm", "Two classes closed"], ["2026-03-13 08:30", "Measure", "School kitchen closed"]]
    told = said + str(tables)
    assert "anna" not in told and "bert" not in told and "overdue" in said and "longest incubation" in said and "confirmed as an outbreak" in told
    assert situation_report(inquiry, view, issue) == situation_report(inquiry, view, issue)
    other = replace(view, acts=(), townships=(), event=replace(one, is_named=False, item=one.trigger, cases=0, p=None, state="dismissed"))
    tables, said, _ = read(situation_report(inquiry, other, issue))
    assert tables[0][4][1] == "–" and "No cases that can be listed" in said and "Nothing entered yet" in said and "No disease is named yet" in said


def test_who_gets_a_report(region: Region, app: FastAPI, section: Person, found: dict[str, Any], tmp_path: Path) -> None:
    path = f"/warnings/{found['event']['id']}/report.docx"
    county = found["event"]["county"]
    elsewhere = "990101" if county != "990101" else "990102"
    assert somebody(app, "viewer").get(path).status_code == 403 and somebody(app, "section", f"county:{elsewhere}").get(path).status_code == 404
    assert somebody(app, "section", f"county:{county}").get(path).status_code == 200
    assert [section.get(f"/warnings/{name}/report.docx").status_code for name in ("0123456789ab", "x", "%27")] == [404, 404, 404]
    file = tmp_path / "report.docx"
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "situation", str(region.folder), found["event"]["id"], "--lang", "en"]
    done = subprocess.run([*command, "--out", str(file)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.strip() == str(file), done.stderr
    assert read(file.read_bytes())[0][0][4][1] == f"{found['event']['cases']:,}"
