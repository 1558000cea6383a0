"""The warning board: every planted outbreak is one event on it, what is shown is what the API gives, and each judges, follows up and sees what is theirs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response

from quanmin.gate.audit import Audit
from quanmin.gate.performing import perform
from quanmin.model import Refusal
from quanmin.records.event_ledger import recorded_event_acts
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody
from tests.journeys.sent_files import copy_ledger

PAGE = "/warnings"
LATEST = 3  # days after an outbreak's third case
NAME, PHONE = "Wang Xiaoming", "13900001234"


@pytest.fixture(scope="module")
def app(region: Region, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Over the region's warehouse, with a ledger of its own."""
    folder = tmp_path_factory.mktemp("warnings")
    copy_ledger(region.folder, folder)
    for name in ("site.toml", "warehouse", "landing", "definitions"):
        (folder / name).symlink_to(region.folder / name)
    return create_app(Site(Path(folder)))


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


@pytest.fixture(scope="module")
def events(section: Person) -> list[dict[str, str]]:
    """The events before anybody acted."""
    return exported(section, PAGE, "events")


def of_disease(events: list[dict[str, str]], disease: str) -> dict[str, str]:
    return next(one for one in events if one["item"] == disease)


def act(person: Person, event: str, step: str, text: str = "because", **more: str) -> Response:
    return person.client.post(f"{PAGE}/{event}?lang=en", data={"csrf": person.csrf, "act": step, "text": text} | more, follow_redirects=False)


def seen(person: Person, event: str) -> dict[str, Any]:
    return person.get("/api/event", event=event).json()


def cases_of(region: Region, disease: str, county: str, first: str, last: str) -> list[dict[str, Any]]:
    """The cards of a disease and county reported in some days, counted here from the table itself."""
    return region.site.indicators().engine.table(
        f"SELECT card_number, name, home_township, reported_on FROM notifiable_case WHERE NOT is_repeat AND disease_code = '{disease}'"
        f" AND home_county = '{county}' AND reported_on BETWEEN DATE '{first}' AND DATE '{last}' ORDER BY reported_on").to_pylist()


def test_every_planted_outbreak_is_one_event_in_time(region: Region, events: list[dict[str, str]]) -> None:
    planted = region.truth("outbreaks")
    assert len(planted) >= 5
    for one in planted:
        hit = [event for event in events if (event["item"], event["county"]) == (one["disease_code"], one["county_code"])
               and event["first_on"] <= one["last_on"] and event["last_on"] >= one["first_on"]]
        assert len(hit) == 1, (one, hit)
        cards = cases_of(region, one["disease_code"], one["county_code"], one["first_on"], "2026-12-31")
        third = [row["reported_on"] for row in cards][2]
        assert (date.fromisoformat(hit[0]["raised_on"]) - third).days <= LATEST, (one, hit[0]["raised_on"], third)
        assert hit[0]["township"] == one["township_code"] and float(hit[0]["p"]) < 0.005 and "case" in hit[0]["sources"].split()


def test_the_page_the_api_and_the_files_say_the_same(region: Region, section: Person, events: list[dict[str, str]]) -> None:
    told = section.get("/api/events", limit="100000").json()
    assert [one["id"] for one in told["events"]] == [one["event"] for one in events] and told["count"] == len(events) > 5
    for mine, theirs in zip(events, told["events"], strict=True):
        assert {name: str(theirs[name]) for name in ("item", "county", "state", "due_on", "activity", "cases")} == {
            name: mine[name] for name in ("item", "county", "state", "due_on", "activity", "cases")}
    page = section.get(PAGE, lang="en").text
    assert all(f"{PAGE}/{one['event']}" in page for one in events[:50])
    as_json = section.get(PAGE, export="events.json").json()["rows"]
    assert [(row["event"], str(row["cases"])) for row in as_json] == [(one["event"], one["cases"]) for one in events]
    for chosen in ({"place": "990102"}, {"activity": "closed"}, {"state": "late"}, {"item": "measles"}):
        api = [one["id"] for one in section.get("/api/events", limit="100000", **chosen).json()["events"]]
        assert [row["event"] for row in exported(section, PAGE, "events", **chosen)] == api and 0 < len(api) < len(events), chosen
    others = exported(section, PAGE, "signals")
    assert {row["source"] for row in others} >= {"combined", "pharmacy"} and not any(row["source"] == "case" for row in others)
    for row in others:
        parts = row["shares"].split()  # source, share, source, share
        is_told = row["source"] == "combined" and float(row["p"]) < 0.05
        assert not is_told or sum(map(float, parts[1::2])) == pytest.approx(1, abs=0.001)
        assert row["source"] == "combined" or not parts


def test_an_event_says_why_and_lists_its_cases(region: Region, section: Person, events: list[dict[str, str]]) -> None:
    for disease in ("measles", "dysentery"):
        one = of_disease(events, disease)
        cards = cases_of(region, disease, one["county"], one["first_on"], one["last_on"])
        path = f"{PAGE}/{one['event']}"
        curve = exported(section, path, "curve")
        inside = [row for row in curve if row["in_event"] == "True"]
        assert sum(int(row["cases"]) for row in inside) == len(cards) == int(one["cases"])
        assert {row["day"]: int(row["cases"]) for row in inside if int(row["cases"])} == {
            str(day): sum(card["reported_on"] == day for card in cards) for day in {card["reported_on"] for card in cards}}
        towns = {row["township"]: int(row["cases"]) for row in exported(section, path, "townships")}
        assert towns == {code: sum(card["home_township"] == code for card in cards) for code in {card["home_township"] for card in cards}}
        page, lead = section.get(path, lang="en").text, next(s for s in seen(section, one["event"])["signals"] if s["source"] == "case")
        assert f"{lead['baseline_from']} to {lead['baseline_to']}" in page and "Bayes predictive" in page
        assert "{" not in page.split("Why it was raised")[1][:900], "a sentence is not filled in"
        listed = exported(section, path, "rows")
        assert len(listed) == len(cards) and {row["reported_on"] for row in listed} == {str(card["reported_on"]) for card in cards}
        names = {card["name"] for card in cards}
        assert not any(row["name"] in names for row in listed), "names are masked"


def test_verdicts_change_state_and_precision(app: FastAPI, section: Person, events: list[dict[str, str]]) -> None:
    right, wrong = of_disease(events, "measles"), of_disease(events, "hepatitis_a")
    assert exported(section, PAGE, "records") == [] and "No event has been confirmed" in section.get(PAGE, lang="en").text
    assert act(section, right["event"], "measure").status_code == 400, "nothing is measured against what nobody has looked at"
    assert act(section, right["event"], "confirm", " ").status_code == 400
    for name, text in (("watch", "two in one class"), ("confirm", "IgM positive"), ("measure", "the school was vaccinated")):
        assert act(section, right["event"], name, text).status_code == 303, name
    assert act(section, wrong["event"], "dismiss", "counted twice").status_code == 303
    assert [one["act"] for one in seen(section, right["event"])["acts"]] == ["watch", "confirm", "measure"]
    assert "the school was vaccinated" in section.get(f"{PAGE}/{right['event']}", lang="en").text
    now = {one["event"]: one["state"] for one in exported(section, PAGE, "events")}
    assert (now[right["event"]], now[wrong["event"]]) == ("confirmed", "dismissed")
    record = exported(section, PAGE, "records")
    assert [(row["source"], row["confirmed"], row["dismissed"], float(row["precision"])) for row in record] == [("case", "1", "1", 0.5)]
    trail = [entry["subject"] for entry in Audit(app.state.desk.site.ledger).entries(60) if entry["action"] == "act on event"]
    assert f"confirm {right['event']} measles {right['county']}" in trail and not any("IgM" in subject for subject in trail)


def test_of_two_who_take_one_step_one_was_first(app: FastAPI, events: list[dict[str, str]]) -> None:
    site: Site = app.state.desk.site
    event = of_disease(events, "dysentery")["event"]
    first, second = (app.state.desk.inquiry(site.operator()) for _ in range(2))
    held = second.event_acts
    second.event_acts = lambda name="": [] if name == event else held(name)  # type: ignore[method-assign]  # has looked before the first acted
    perform(first, "judge_event", {"event": event, "verdict": "watch", "reason": "first"})
    with pytest.raises(Refusal):
        perform(second, "judge_event", {"event": event, "verdict": "confirm", "reason": "second"})
    assert [one.text for one in recorded_event_acts(site.ledger, event)] == ["first"]


def test_each_sees_and_does_what_is_theirs(app: FastAPI, section: Person, events: list[dict[str, str]]) -> None:
    one, other = of_disease(events, "scarlet_fever"), of_disease(events, "dysentery")
    assert one["county"] != other["county"]
    county = somebody(app, "epidemiologist", f"county:{one['county']}")
    own = {row["event"] for row in exported(county, PAGE, "events")}
    assert own == {row["event"] for row in events if row["county"] == one["county"]} and one["event"] in own
    assert {row["county"] for row in exported(county, PAGE, "signals")} <= {one["county"]}
    before = recorded_event_acts(app.state.desk.site.ledger)
    for step in ("confirm", "measure", "contact", "ill"):
        answer = act(county, other["event"], step, card="K1", name=NAME, met_on="2026-05-01", contact="1")
        assert answer.status_code == 404, step
    assert county.get(f"{PAGE}/{other['event']}").status_code == 404 and county.get("/api/event", event=other["event"]).status_code == 400
    assert recorded_event_acts(app.state.desk.site.ledger) == before
    assert act(county, one["event"], "watch", "a visit").status_code == 303
    last = Audit(app.state.desk.site.ledger).entries(12)
    mine = [(entry["result"], entry["subject"]) for entry in last if entry["account"] == county.name and entry["action"] == "act on event"]
    assert sorted(mine) == sorted([*[("refused", other["event"])] * 4, ("done", f"watch {one['event']} scarlet_fever {one['county']}")])
    leader, viewer, hospital = somebody(app, "leader"), somebody(app, "viewer"), somebody(app, "institution", "facility:990104H001")
    page = leader.get(f"{PAGE}/{one['event']}", lang="en").text
    assert 'id="rows"' not in page and 'id="contacts"' not in page and "nothing for you to do" in page
    assert act(leader, one["event"], "confirm").status_code == 403
    assert viewer.get(PAGE).status_code == viewer.get(f"{PAGE}/{one['event']}").status_code == viewer.get("/diseases/measles").status_code == 403
    shut = hospital.get(PAGE, lang="en")
    assert shut.status_code == 200 and "an institution sees none" in shut.text and 'id="events"' not in shut.text
    assert hospital.get(f"{PAGE}/{one['event']}").status_code == 404
    assert hospital.get("/api/events").json()["count"] == hospital.get("/api/signals").json()["count"] == 0


def test_contacts_and_chains_are_masked_by_role(app: FastAPI, section: Person, events: list[dict[str, str]]) -> None:
    one = of_disease(events, "scarlet_fever")
    staff = somebody(app, "epidemiologist")
    told = {"card": "K1", "name": NAME, "phone": PHONE, "relation": "classmate", "met_on": "2026-05-12"}
    assert act(staff, one["event"], "contact", **told).status_code == 303
    assert act(staff, one["event"], "ill", card="K2", contact="1").status_code == 303
    assert act(staff, one["event"], "ill", card="K9", contact="1").status_code == 400, "it is on record already, and records are not rewritten"
    assert act(staff, one["event"], "contact", **(told | {"card": "K2", "name": "Li Hua"})).status_code == 303
    for wrong in ({"card": "<b>"}, {"met_on": "soon"}, {"met_on": "2026-02-31"}, {"met_on": "2126-02-01"}, {"name": ""}, {"name": "x" * 61}):
        assert act(staff, one["event"], "contact", **(told | wrong)).status_code == 400, wrong
    for number in ("9", "x", "-1", "9" * 30, ""):
        assert act(staff, one["event"], "ill", card="K3", contact=number).status_code == 400, number
    known, masked = exported(staff, f"{PAGE}/{one['event']}", "contacts"), exported(section, f"{PAGE}/{one['event']}", "contacts")
    assert [(row["name"], row["phone"], row["chain"]) for row in known] == [(NAME, PHONE, "K1 \u2192 K2"), ("Li Hua", PHONE, "K1 \u2192 K2 \u2192 #2")]
    assert all(row["until"] > "2026-05-12" for row in known)
    page = section.get(f"{PAGE}/{one['event']}").text
    assert NAME not in page and PHONE not in page and [row["name"][:1] for row in masked] == ["W", "L"] and masked[0]["phone"] == PHONE[:1] + "**"
    entries = Audit(app.state.desk.site.ledger).entries(200)
    assert any(entry["action"] == "contacts" and entry["account"] == section.name for entry in entries) and NAME not in str(entries)


@pytest.mark.parametrize("event", ["0" * 12, "xyz", "0123456789abc", "%27%20OR%201", "..%2f..%2fetc", "%00", "A" * 12, "9" * 4_000])
def test_what_is_no_event_is_not_there(section: Person, event: str) -> None:
    assert section.get(f"{PAGE}/{event}").status_code == 404
    assert section.client.post(f"{PAGE}/{event}", data={"csrf": section.csrf, "act": "confirm", "text": "x"}, follow_redirects=False).status_code == 404


@pytest.mark.parametrize("name", ["", "nothing", "close", "reopen", "<img>"])
def test_a_step_that_is_none_is_explained(app: FastAPI, section: Person, events: list[dict[str, str]], name: str) -> None:
    free = next(one["event"] for one in reversed(events) if not recorded_event_acts(app.state.desk.site.ledger, one["event"]))
    answer = act(section, free, name)
    assert answer.status_code == 400 and "Not done" in answer.text and not recorded_event_acts(app.state.desk.site.ledger, free)


def test_a_disease_shows_its_history(region: Region, section: Person) -> None:
    engine = region.site.indicators().engine
    for place in ("", "990105"):
        weeks = exported(section, "/diseases/influenza", "cases", **({"place": place} if place else {}))
        within = f" AND home_county = '{place}'" if place else ""
        counted = {row["w"]: row["n"] for row in engine.table(
            "SELECT strftime(reported_on, '%G-W%V') AS w, count(*) AS n FROM notifiable_case WHERE NOT is_repeat AND disease_code = 'influenza'"
            f" AND home_county IS NOT NULL{within} GROUP BY ALL").to_pylist()}
        assert {row["week"]: int(row["cases"]) for row in weeks if int(row["cases"])} == counted and len(counted) > 3
        assert all(int(row["cases"]) == sum(int(value) for name, value in row.items() if name.isdigit()) for row in weeks)
        planted = next(one for one in region.truth("outbreaks") if one["disease_code"] == "influenza")
        first = date.fromisoformat(planted["first_on"]).isocalendar()
        near = [row for row in weeks if row["signalled"] == "True"]
        assert any(abs(int(row["week"][-2:]) - first.week) <= 2 for row in near if row["week"].startswith(str(first.year)))
    late = {row["f"]: (row["n"], row["d"]) for row in engine.table(
        "SELECT facility_code AS f, count(*) FILTER (is_late) AS n, count(is_late) AS d FROM notifiable_case WHERE disease_code = 'influenza'"
        " GROUP BY ALL").to_pylist()}
    assert {row["facility"]: (int(row["late"]), int(row["cards"])) for row in exported(section, "/diseases/influenza", "late")} == late
    clues = engine.table("SELECT count(*) AS n FROM missed_case WHERE disease_code = 'influenza'").to_pylist()[0]["n"]
    assert sum(int(row["clues"]) for row in exported(section, "/diseases/influenza", "missed")) == clues > 0
    assert section.get("/diseases/nothing").status_code == section.get("/diseases/%27").status_code == 404
