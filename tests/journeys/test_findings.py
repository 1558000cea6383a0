"""Findings from rule to close: sent out, answered with evidence, checked, mended, closed; to each what is theirs, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from quanmin.gate.audit import Audit
from quanmin.gate.inquiry import Inquiry
from quanmin.gate.performing import perform
from quanmin.model import Refusal
from quanmin.records.finding_ledger import recorded_acts
from quanmin.records.ledger import today
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody
from tests.journeys.sent_files import copy_ledger

PDF = b"%PDF-1.4 what the ward wrote"


@pytest.fixture(scope="module")
def app(region: Region, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Over the region's warehouse, with a ledger of its own."""
    folder = tmp_path_factory.mktemp("findings")
    copy_ledger(region.folder, folder)
    for name in ("site.toml", "warehouse", "landing", "definitions"):
        (folder / name).symlink_to(region.folder / name)
    return create_app(Site(Path(folder)))


@pytest.fixture(scope="module")
def rows(region: Region) -> list[dict[str, Any]]:
    """All findings as the table holds them, of institutions with several of one rule first."""
    table = region.site.indicators().engine.table(
        "SELECT *, count(*) OVER (PARTITION BY rule, facility_code) AS alike FROM finding ORDER BY alike DESC, rule, facility_code, finding_id")
    return table.to_pylist()


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


def act(person: Person, finding: str, name: str, text: str = "because", **more: Any):
    files = {"evidence_file": more.pop("file")} if "file" in more else None
    return person.client.post(f"/findings/{finding}?lang=en", data={"csrf": person.csrf, "act": name, "text": text} | more, files=files, follow_redirects=False)


def state(person: Person, finding: str) -> dict[str, Any]:
    return person.get("/api/finding", finding=finding).json()


def test_the_page_lists_what_the_rules_find(section: Person, region: Region, rows: list[dict[str, Any]]) -> None:
    years = {str(row["found_on"])[:4] for row in rows}
    shown = [row for year in sorted(years) for row in exported(section, "/findings", "list", period=year)]
    assert {row["finding"] for row in shown} == {row["finding_id"] for row in rows} and len(shown) == len(rows) >= 20
    one = rows[0]
    violated = region.site.indicators().rows(one["rule"], "numerator", [f"subject_key = '{one['subject_key']}'"])
    assert len(violated) == 1 and violated.column("facility_code")[0].as_py() == one["facility_code"]
    page = section.get(f"/findings/{one['finding_id']}", lang="en").text
    rule = region.site.catalog.rules[one["rule"]]
    assert rule.label.en in page and "{" not in page.split("<dl>")[0].split("Why it was found")[-1]


def test_from_rule_to_close(app: FastAPI, section: Person, rows: list[dict[str, Any]]) -> None:
    one = rows[0]
    finding, hospital = one["finding_id"], somebody(app, "institution", f"facility:{one['facility_code']}")
    due = (date.fromisoformat(today()) + timedelta(days=20)).isoformat()
    alike = [row for row in rows if (row["rule"], row["facility_code"]) == (one["rule"], one["facility_code"])]
    sent = section.client.post("/findings/issue", data={"csrf": section.csrf, "rule": one["rule"], "facility": one["facility_code"], "due_on": due},
                               follow_redirects=False)
    assert sent.status_code == 303 and sent.headers["location"].endswith(f"issued={len(alike)}")
    assert {state(section, row["finding_id"])["standing"]["state"] for row in alike} == {"issued"}
    assert state(hospital, finding)["standing"]["due_on"] == due and state(hospital, finding)["may"] == ["admit", "contest"]
    assert act(section, finding, "admit").status_code == 400 and act(hospital, finding, "close").status_code == 400
    assert act(hospital, finding, "contest", "").status_code == 400
    answered = act(hospital, finding, "contest", "a second opinion was asked for", file=("why <it>.pdf", PDF, "application/pdf"))
    assert answered.status_code == 303, answered.text
    told = state(section, finding)
    assert told["standing"]["state"] == "answered" and told["acts"][-1]["text"] == "a second opinion was asked for"
    kept = section.get(f"/findings/{finding}/evidence/{told['acts'][-1]['evidence']}")
    assert kept.content == PDF and kept.headers["content-disposition"] == 'attachment; filename="why__it_.pdf"'
    for person, name in ((section, "confirm"), (hospital, "rectify"), (section, "return"), (hospital, "rectify"), (section, "close")):
        assert act(person, finding, name).status_code == 303, name
    told = state(section, finding)
    assert told["standing"] | {"due_on": ""} == {"state": "closed", "due_on": "", "days_late": 0, "verdict": "violation", "steps": 7}
    assert act(section, alike[-1]["finding_id"] if len(alike) > 1 else finding, "reopen" if len(alike) == 1 else "dismiss").status_code == 303
    outcome = next(o for o in section.get("/api/rule-outcomes").json() if o["rule"] == one["rule"])
    assert (outcome["violations"], outcome["innocent"]) == ((1, 1) if len(alike) > 1 else (0, 0))
    trail = [entry["subject"] for entry in Audit(app.state.desk.site.ledger).entries(80) if entry["action"] == "act on finding"]
    assert f"close {finding} {one['rule']} {one['facility_code']}" in trail and not any("opinion" in subject for subject in trail)


def test_each_sees_and_does_what_is_theirs(app: FastAPI, section: Person, rows: list[dict[str, Any]]) -> None:
    one = rows[-1]
    other = next(row for row in rows if row["facility_county"] != one["facility_county"])
    county, hospital = somebody(app, "section", f"county:{one['facility_county']}"), somebody(app, "institution", f"facility:{other['facility_code']}")
    assert act(section, one["finding_id"], "issue").status_code == 303
    assert state(county, one["finding_id"])["found"]["facility"] == one["facility_code"]
    for stranger_, finding in ((county, other["finding_id"]), (hospital, one["finding_id"])):
        assert stranger_.get(f"/findings/{finding}").status_code == 404 and stranger_.get("/api/finding", finding=finding).status_code == 400
        assert act(stranger_, finding, "issue").status_code in (400, 404)
    assert {row["facility"] for row in exported(hospital, "/findings", "list", period=str(other["found_on"])[:4])} == {other["facility_code"]}
    leader, viewer = somebody(app, "leader"), somebody(app, "viewer")
    assert leader.get("/findings").status_code == 200 and act(leader, other["finding_id"], "issue").status_code == 400
    assert 'id="rows"' not in leader.get(f"/findings/{other['finding_id']}").text
    assert viewer.get("/findings").status_code == 403 and viewer.get("/api/findings").status_code == 400


def test_of_two_who_take_the_same_step_one_was_first(app: FastAPI, rows: list[dict[str, Any]]) -> None:
    site: Site = app.state.desk.site
    free = next(row["finding_id"] for row in reversed(rows) if not recorded_acts(site.ledger, row["finding_id"]))
    first, second = (Inquiry(site.operator(), site.indicators(), site.settings.region) for _ in range(2))
    held = second.finding_acts
    second.finding_acts = lambda finding="": [] if finding == free else held(finding)  # type: ignore[method-assign]  # has looked before the first acted
    perform(first, "act_on_finding", {"finding": free, "act": "issue"})
    with pytest.raises(Refusal):
        perform(second, "act_on_finding", {"finding": free, "act": "dismiss", "text": "no"})
    assert [one.act for one in recorded_acts(site.ledger, free)] == ["issue"]


@pytest.mark.parametrize("told", [
    {"act": "nothing"}, {"act": "close"}, {"due_on": "soon"}, {"due_on": "2020-01-01"}, {"act": "dismiss", "text": "x" * 2_001}, {"act": ""}])
def test_what_will_not_do_is_explained(section: Person, app: FastAPI, rows: list[dict[str, Any]], told: dict[str, str]) -> None:
    free = next(row["finding_id"] for row in reversed(rows) if not recorded_acts(app.state.desk.site.ledger, row["finding_id"]))
    answer = act(section, free, told.get("act", "issue"), told.get("text", "why"), **{k: v for k, v in told.items() if k == "due_on"})
    assert answer.status_code == 400 and "Not done" in answer.text and not recorded_acts(app.state.desk.site.ledger, free)


@pytest.mark.parametrize(("name", "content"), [("run.exe", b"MZ"), ("empty.pdf", b""), ("page.html", b"<script>")])
def test_what_is_no_evidence_is_not_kept(section: Person, app: FastAPI, rows: list[dict[str, Any]], name: str, content: bytes) -> None:
    free = next(row["finding_id"] for row in reversed(rows) if not recorded_acts(app.state.desk.site.ledger, row["finding_id"]))
    answer = act(section, free, "dismiss", "look", file=(name, content, "application/octet-stream"))
    assert answer.status_code == 400 and not recorded_acts(app.state.desk.site.ledger, free)


def test_a_changed_rule_is_replayed_on_history(region: Region, app: FastAPI, section: Person) -> None:
    name, engine = "stay_conduct/operation_without_charge", region.site.indicators().engine
    rule = region.site.catalog.rules[name]
    held = " AND ".join(f"({one})" for one in (rule.applies, rule.violated) if one)
    middle = engine.table(f"SELECT quantile_disc(total_charge_cny, 0.5) AS cny FROM {rule.table} WHERE {held}").to_pylist()[0]["cny"]
    rows = exported(section, "/findings/replay", "replay", rule=name, violated=f"({rule.violated}) AND total_charge_cny > {middle}")
    counted = engine.table(f"SELECT count(*) AS n, count(*) FILTER (total_charge_cny > {middle}) AS dear FROM {rule.table} WHERE {held}").to_pylist()[0]
    assert counted["n"] > counted["dear"] > 0
    assert [sum(int(row[side]) for row in rows) for side in ("both", "only_before", "only_after")] == [counted["dear"], counted["n"] - counted["dear"], 0]
    refused = section.get("/findings/replay", rule=name, violated="nonsense = 1", lang="en")
    assert refused.status_code == 400 and "nonsense" in refused.text
    hidden = section.get("/findings/replay", rule=name, violated="case_number = '1'")
    assert hidden.status_code in (400, 403) and somebody(app, "leader").get("/findings/replay", rule=name).status_code == 403
