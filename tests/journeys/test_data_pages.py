"""The pages about the data itself: sums add up, scopes hold, what is sent as a file is what is shown, and people settle pairs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from quanmin.gate.audit import Audit
from quanmin.gate.data_desk import DataDesk
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.pages import seen
from tests.journeys.people import Person, exported, somebody
from tests.journeys.sent_files import copy_of

COUNTY, OTHER = "990103", "990105"
CHECK = "stay/identity_number_invalid"
PAGES = ("/data", "/data?table=visit", "/data/checks", "/data/checks?category=plausibility", f"/data/checks/{CHECK}", "/review", "/about")
CHINESE = re.compile("[\u4e00-\u9fff]+")


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


@pytest.fixture(scope="module")
def own(region: Region) -> str:
    """A facility with rejected rows."""
    sent = {s.sender: s for s in region.site.ledger.submissions() if s.rejected and s.sender.startswith(COUNTY)}
    return sorted(sent)[0]


@pytest.fixture(scope="module")
def people(app: FastAPI, own: str) -> dict[str, Person]:
    return {"county": somebody(app, "section", f"county:{COUNTY}"), "facility": somebody(app, "institution", f"facility:{own}"),
            "leader": somebody(app, "leader"), "viewer": somebody(app, "viewer")}


def test_accepted_and_rejected_make_what_was_read(region: Region, section: Person) -> None:
    rows = exported(section, "/data", "counts")
    *senders, total = rows
    assert len(senders) > 20 and total["sender"] == ""
    for row in rows:
        assert int(row["accepted"]) + int(row["rejected"]) == int(row["read"]), row
    for name in ("read", "accepted", "rejected"):
        assert sum(int(row[name]) for row in senders) == int(total[name])
    submissions = region.site.ledger.submissions()
    assert int(total["read"]) <= sum(s.read for s in submissions)
    page = seen(section.client.get("/data", params={"lang": "en"}).text)
    assert all(f"{int(total[name]):,}" in page for name in ("read", "accepted", "rejected"))
    assert int(total["rejected"]) > 0


def test_a_sender_adds_up_and_its_fix_list_has_every_rejected_row(section: Person, own: str) -> None:
    path = f"/data/sender/{own}"
    [row] = [row for row in exported(section, "/data", "counts") if row["sender"] == own]
    files = [f for f in exported(section, path, "files") if f["fate"] != "" ]
    assert sum(int(f["read"]) for f in files) >= int(row["read"])
    for f in files:
        assert int(f["accepted"]) + int(f["rejected"]) == int(f["read"])
    fixes = exported(section, path, "fix")
    assert len({(f["submission"], f["line"]) for f in fixes}) == int(row["rejected"]) > 0
    assert all(f["rule"] and f["mend"] and f["file"] for f in fixes)
    assert sum(int(r["rejects"]) for r in exported(section, path, "rules")) == len(fixes)


def test_timeliness_is_what_the_receipts_say(region: Region, section: Person) -> None:
    rows = exported(section, "/data?table=stay", "timeliness")
    table = region.site.indicators().engine.table(
        "SELECT count(*) FILTER (NOT is_received) AS missing, count(*) FILTER (days_late > 0) AS late FROM receipt WHERE \"table\" = 'stay'"
        " AND period > (SELECT max(period) FROM receipt) - INTERVAL 12 MONTH").to_pylist()[0]
    assert sum(int(r["missing"]) for r in rows) == table["missing"] > 0
    assert sum(int(r["late"]) for r in rows) == table["late"]


def test_one_pass_counts_what_each_check_answers(region: Region, section: Person) -> None:
    rows = exported(section, f"/data/checks/{CHECK}", "by_sender")
    answer = region.site.indicators().ask(CHECK, ["sender"], suppress_below=0)
    expected = {c.key["sender"]: (int(c.numerator or 0), int(c.denominator or 0)) for c in answer.cells if c.denominator}
    assert {r["sender"]: (int(r["violations"]), int(r["applicable"])) for r in rows if r["sender"]} == expected
    total = next(r for r in rows if not r["sender"])
    assert int(total["violations"]) == sum(bad for bad, _ in expected.values()) > 0
    trend = exported(section, f"/data/checks/{CHECK}", "trend")
    assert sum(int(r["violations"]) for r in trend) == int(total["violations"])
    assert len(exported(section, f"/data/checks/{CHECK}", "rows")) == int(total["violations"])


def test_all_checks_are_counted_as_one_by_one(region: Region) -> None:
    site = region.site
    desk = DataDesk(site.operator(), site.indicators(), site.ledger, site.folders, site.snapshot())
    checks = [c for c in site.catalog.checks.values() if c.table in ("receipt", "visit", "stay_review", "facility")]
    for table in ("receipt", "visit", "stay_review", "facility"):
        of_table = [c for c in checks if c.table == table]
        together = desk.whole.engine.tallies(of_table, ["sender"])
        for check in of_table:
            alone = {c.key["sender"]: (int(c.numerator or 0), int(c.denominator or 0)) for c in desk.whole.engine.ask(check, ["sender"]).cells}
            assert {k[0]: v for k, v in together[check.id].items() if v != (0, 0)} == {k: v for k, v in alone.items() if v != (0, 0)}, check.id


def test_rows_are_masked_and_audited(region: Region, section: Person) -> None:
    rows = exported(section, f"/data/checks/{CHECK}", "rows")
    assert all(re.fullmatch(r".?\*\*", r["identity_number"]) for r in rows if r["identity_number"])
    assert all(r["file"].endswith(".csv") and int(r["line"]) > 1 for r in rows)
    entry = Audit(region.site.ledger).entries()[0]
    assert (entry["account"], entry["action"], entry["rows"]) == (section.name, "rows", len(rows))


def _senders(person: Person) -> set[str]:
    found = {r["sender"] for panel in ("timeliness", "counts", "completeness") for r in exported(person, "/data", panel)}
    return (found | {r["sender"] for r in exported(person, "/data/checks", "senders")} | {r["sender"] for r in exported(
        person, f"/data/checks/{CHECK}", "by_sender")}) - {""}


def test_a_county_sees_its_senders_and_no_others(region: Region, people: dict[str, Person], section: Person) -> None:
    seen_here, all_senders = _senders(people["county"]), _senders(section)
    assert len(seen_here) > 3 and seen_here < all_senders
    assert all(COUNTY in sender for sender in seen_here), seen_here
    for other in sorted(all_senders - seen_here)[:5]:
        for path in (f"/data/sender/{other}", f"/data/sender/{other}?export=fix.csv", f"/data/checks/{CHECK}?sender={other}"):
            answer = people["county"].get(path)
            assert answer.status_code == 403, (path, answer.status_code)
    rows = exported(people["county"], f"/data/checks/{CHECK}", "rows")
    assert {r["sender"] for r in rows} <= seen_here
    whole = exported(section, f"/data/checks/{CHECK}", "rows")
    assert len(rows) == sum(r["sender"] in seen_here for r in whole)


def test_a_facility_sees_itself(people: dict[str, Person], own: str, section: Person) -> None:
    assert _senders(people["facility"]) == {own}
    other = next(s for s in sorted(_senders(section)) if s != own)
    for path in (f"/data/sender/{other}", f"/data/sender/{other}?export=fix.json", f"/data/sender/{other}?unmasked=1", "/data/sender/nobody"):
        assert people["facility"].get(path).status_code == 403, path
    theirs = exported(section, f"/data/sender/{own}?lang=zh", "fix")
    assert exported(people["facility"], f"/data/sender/{own}?lang=zh", "fix") == [r | {"scope": f"facility:{own}"} for r in theirs]
    assert section.get("/data/sender/nobody").status_code == 404


def test_only_the_institution_itself_sees_its_values_as_sent(region: Region, people: dict[str, Person], own: str, section: Person) -> None:
    path = f"/data/checks/{CHECK}?sender={own}&unmasked=1"
    assert section.get(path).status_code == 403 and section.get(f"/data/sender/{own}?unmasked=1").status_code == 403
    assert people["county"].get(path).status_code == 403
    rows = exported(people["facility"], f"/data/checks/{CHECK}?unmasked=1", "rows")
    assert all("*" not in r["identity_number"] for r in rows)
    masked = exported(people["facility"], f"/data/sender/{own}", "fix")
    whole = exported(people["facility"], f"/data/sender/{own}?unmasked=1", "fix")
    assert [r["line"] for r in masked] == [r["line"] for r in whole]
    assert not any("***" in r["value"] for r in whole)
    assert Audit(region.site.ledger).entries()[0]["action"] == "rejects unmasked"


def test_a_viewer_sees_no_small_counts_and_no_rows(people: dict[str, Person], own: str, section: Person) -> None:
    known = {r["sender"]: r for r in exported(section, "/data", "counts")}
    for row in exported(people["viewer"], "/data", "counts"):
        rejected = int(known[row["sender"]]["rejected"])
        if 0 < rejected < 5:
            assert row["read"] == row["accepted"] == row["rejected"] == "", row
    assert any(0 < int(r["rejected"]) < 5 for r in known.values())
    for row in exported(people["viewer"], "/data/checks", "checks"):
        assert not row["violations"] or int(row["violations"]) == 0 or int(row["violations"]) >= 5, row
    for person in (people["viewer"], people["leader"]):
        assert person.get(f"/data/sender/{own}", export="fix.csv").status_code == 404
        assert person.get(f"/data/checks/{CHECK}", export="rows.csv").status_code == 404
        assert "csrf" in person.get(f"/data/sender/{own}").text and "/upload" not in person.get(f"/data/sender/{own}").text


@pytest.mark.parametrize(("path", "panel"), [("/data", "counts"), ("/data/checks", "categories"), (f"/data/checks/{CHECK}", "by_sender"), ("/about", "codes"),
                                             ("/review", "pairs")])
def test_the_same_in_every_form(section: Person, path: str, panel: str) -> None:
    rows = exported(section, path, panel)
    told = json.loads(section.client.get(path, params={"export": f"{panel}.json"}).content)
    assert len(told["rows"]) == len(rows) > 0 and str(told["about"]["snapshot"]) == rows[0]["snapshot"]
    for said, row in zip(told["rows"], rows, strict=True):
        assert {k: "" if v is None else str(v) for k, v in said.items()} == {k: row[k].removeprefix("'") if row[k][:1] == "'" else row[k] for k in said}
    book = section.client.get(path, params={"export": f"{panel}.xlsx"})
    assert book.content[:2] == b"PK"
    assert section.client.get(path, params={"export": "nothing.csv"}).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_pages_speak_english(section: Person, path: str) -> None:
    answer = section.client.get(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert answer.status_code == 200
    assert not CHINESE.findall(seen(answer.text)), path
    section.client.get("/data", params={"lang": "zh"})


@pytest.mark.parametrize("path", ["/data?table=x", "/data/checks?category=x", "/review?first=0", "/review?first=x", "/data/checks/stay/nothing",
                                  "/data/checks/x/y", "/data/sender/%00", "/data/sender/..%2f..", "/data?as_of=99", "/data/sender/990103H001?receipt=x",
                                  "/data/sender/990103H001?receipt=99999999", "/data?export=../x.csv"])
def test_nonsense_is_answered(section: Person, path: str) -> None:
    assert section.client.get(path, follow_redirects=False).status_code in (200, 400, 403, 404)


def test_about_says_what_is_loaded(region: Region, section: Person) -> None:
    catalog = region.site.catalog
    waiting = [i for i in catalog.indicators.values() if not i.is_executable]
    assert {r["indicator"] for r in exported(section, "/about", "waiting")} == {i.id for i in waiting}
    assert [r["list"] for r in exported(section, "/about", "codes")] == list(catalog.codes)
    assert all(r["licence"] and r["source"] and r["standard"] for r in exported(section, "/about", "codes"))
    snapshots = exported(section, "/about", "snapshots")
    assert [r["published"] for r in snapshots] == [s.published_at for s in reversed(region.site.ledger.snapshots())]
    assert all(f'href="/?as_of={s.id}"' in section.client.get("/about").text for s in region.site.ledger.snapshots())


@pytest.fixture
def copied(region: Region, tmp_path: Path) -> Iterator[Site]:
    """A copy of the region that may be written to."""
    yield Site(copy_of(region.folder, tmp_path / "site"))
    shutil.rmtree(tmp_path / "site")


def test_a_decision_is_recorded_and_taken_back(copied: Site) -> None:
    app = create_app(copied)
    section = somebody(app, "section")
    page = section.client.get("/review").text
    first, second = (re.search(f'name="{name}" value="([0-9a-f]{{32}})"', page)[1] for name in ("first", "second"))
    form = {"csrf": section.csrf, "first": first, "second": second, "decision": "split", "reason": "<b>twins</b>"}
    assert section.client.post("/review", data=form | {"csrf": "x"}, follow_redirects=False).status_code == 400
    assert section.client.post("/review", data=form | {"reason": " "}, follow_redirects=False).status_code == 400
    assert section.client.post("/review", data=form | {"decision": "marry"}, follow_redirects=False).status_code == 400
    assert not copied.ledger.decisions()
    done = section.client.post("/review", data=form, follow_redirects=False)
    assert done.headers["location"] == "/review?decided=split"
    [decided] = copied.ledger.decisions()
    assert (decided["decision"], decided["decided_by"], {decided["identity_a"], decided["identity_b"]}) == ("split", section.name, {first, second})
    assert Audit(copied.ledger).entries()[0]["action"] == "decide" and Audit(copied.ledger).first_break() is None
    shown = exported(section, "/review", "pairs")
    assert [r["decision"] for r in shown].count("split") == 1 and shown[-1]["decision"] == "split"
    said = section.client.get("/review", params={"decided": "split", "first": str(max(1, len(shown) - 2)), "lang": "en"}).text
    assert "from the next build" in said and "&lt;b&gt;twins&lt;/b&gt;" in said and "<b>twins" not in said
    section.client.post("/review", data=form | {"decision": "withdraw"}, follow_redirects=False)
    assert not copied.ledger.decisions()
    for role, scope in (("leader", "region"), ("section", f"county:{COUNTY}"), ("viewer", "region")):
        person = somebody(app, role, scope)
        assert person.get("/review").status_code == 403
        assert person.client.post("/review", data=form | {"csrf": person.csrf}, follow_redirects=False).status_code == 403
    assert not copied.ledger.decisions()
