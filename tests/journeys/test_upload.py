"""A clerk's path: from the fix list to a corrected file, its receipt, and the figures after the build; and what must not get in."""

from __future__ import annotations

import csv
import io
import re
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from quanmin.gate import building
from quanmin.gate.audit import Audit
from quanmin.gate.building import Builds
from quanmin.gate.uploads import LONGEST_NAME, named
from quanmin.site import Site
from quanmin.web.app import create_app
from quanmin.web.data_upload import LARGEST_FORM
from tests.journeys.browsing import CHROMIUM, Visitor, serious, serving
from tests.journeys.conftest import Region
from tests.journeys.people import PASSWORD, Person, made, somebody
from tests.journeys.sent_files import Mistake, copy_of, mistakes

HEADER = "\u5c31\u8bca\u6d41\u6c34\u53f7"  # a column of a layout that is known, in an encoding that is not UTF-8


class Asked:
    """Stands for the builds of a site where no build is wanted: remembers how often one was asked for."""

    def __init__(self, folder: Path) -> None:
        self.times, self.builds = 0, Builds(folder)

    def ask(self) -> None:
        self.times += 1

    def progress(self) -> building.Progress:
        return self.builds.progress()


@pytest.fixture(scope="module")
def copied(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(copy_of(region.folder, tmp_path_factory.mktemp("upload") / "site"))


@pytest.fixture(scope="module")
def found(region: Region, copied: Site) -> list[Mistake]:
    found = mistakes(copied, region.folder / "region" / "files")
    assert len(found) >= 2, "the region has no rows with a blank to fill in"
    return found


@pytest.fixture(scope="module")
def app(copied: Site) -> FastAPI:
    app = create_app(copied)
    app.state.builds = Asked(copied.folder)
    return app


@pytest.fixture(scope="module")
def clerk(app: FastAPI, found: list[Mistake]) -> Person:
    return somebody(app, "institution", f"facility:{found[0].sender}")


def hand_in(person: Person, sender: str, name: str, content: bytes, csrf: str | None = None, lang: str = "en") -> object:
    return person.client.post(f"/data/sender/{sender}/upload?lang={lang}", data={"csrf": person.csrf if csrf is None else csrf},
                              files={"file": (name, content, "application/octet-stream")}, follow_redirects=False)


def numbers(page: str) -> tuple[int, ...]:
    return tuple(int(re.search(rf'id="{name}">([0-9,]+)<', page)[1].replace(",", "")) for name in ("rows_read", "rows_accepted", "rows_rejected"))


def test_who_may_not_hand_in(app: FastAPI, copied: Site, found: list[Mistake], clerk: Person) -> None:
    mine, other = found[0].sender, next(m.sender for m in found if m.sender != found[0].sender)
    before = len(copied.ledger.submissions())
    content = found[0].path.read_bytes()
    assert hand_in(clerk, other, "x.csv", content).status_code == 403
    assert hand_in(clerk, mine, "x.csv", content, csrf="wrong").status_code == 400
    for role, scope in (("viewer", "region"), ("leader", "region"), ("section", f"county:{other[:6]}"), ("administrator", "region")):
        if not mine.startswith(scope.removeprefix("county:")):
            assert hand_in(somebody(app, role, scope), mine, "x.csv", content).status_code == 403, role
    assert len(copied.ledger.submissions()) == before
    assert any(e["action"] == "submit" and e["result"] == "refused" for e in Audit(copied.ledger).entries())


def test_rows_of_another_institution_are_refused(copied: Site, found: list[Mistake], clerk: Person, region: Region, app: FastAPI) -> None:
    other = next(m for m in found if m.sender != found[0].sender)
    before = len(copied.ledger.submissions())
    for path in (other.path, region.folder / "region/files/HC-990100/HC-990100_region.csv"):
        answer = hand_in(clerk, found[0].sender, path.name, path.read_bytes())
        assert answer.status_code == 403 and "not this sender" in answer.text, path
    assert len(copied.ledger.submissions()) == before and app.state.builds.times == 0


def _bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1500):
                sheet.write(b" " * (1 << 20))
    return stream.getvalue()


def _workbook() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i in range(400):
            sheet.write_row(i, 0, ["a", "b", str(i)])
    return stream.getvalue()


HOSTILE = {
    "empty.csv": b"", "columns.csv": b"a,b\n1,2\n", "half.xlsx": _workbook()[:2000], "noise.xlsx": bytes(range(256)) * 40, "bomb.xlsx": _bomb(),
    "program.exe": b"MZ\x90\x00" + bytes(2000), "page.csv": b"<script>alert(1)</script>,b\n<img src=x onerror=alert(2)>,2\n",
    "gbk.csv": f"{HEADER},x\n1,2\n".encode("gb18030"), "nul.csv": b"a\0b,c\n\0,\0\n", "../../../etc/passwd": b"a,b\n1,2\n", "..": b"a,b\n1,2\n",
    "\u8868" * 300 + ".csv": b"a,b\n1,2\n", "x" * 3000 + ".csv": b"a,b\n1,2\n", "=cmd|' /C calc'!A0.csv": b"a,b\n1,2\n",
}


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: name[:20].encode("ascii", "replace").decode())
def test_hostile_files_get_a_clear_page(copied: Site, found: list[Mistake], clerk: Person, app: FastAPI, name: str) -> None:
    before = len(copied.ledger.submissions())
    answer = hand_in(clerk, found[0].sender, name, HOSTILE[name])
    assert answer.status_code == 400, (answer.status_code, answer.text[:300])
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text and "Traceback" not in answer.text
    assert 'class="alert"' in answer.text or "cannot be answered" in answer.text
    assert len(copied.ledger.submissions()) == before and app.state.builds.times == 0
    assert not (copied.folder.parent / "etc").exists()


def test_no_file_and_wrong_forms(found: list[Mistake], clerk: Person) -> None:
    address = f"/data/sender/{found[0].sender}/upload?lang=en"
    assert clerk.client.post(address, data={"csrf": clerk.csrf}).status_code == 400
    assert clerk.client.post(address, data={"csrf": clerk.csrf, "file": "text"}).status_code == 400
    assert clerk.client.post(address, content=b"--x\r\nnonsense", headers={"content-type": "multipart/form-data; boundary=x"}).status_code == 400
    assert clerk.client.post(address, content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400
    assert clerk.client.post(address, json={"csrf": clerk.csrf}).status_code == 400
    two = [("file", ("a.csv", b"a,b\n1,2\n")), ("file", ("b.csv", b"a,b\n1,2\n"))]
    assert clerk.client.post(address, data={"csrf": clerk.csrf}, files=two).status_code == 400
    assert clerk.get(f"/data/sender/{found[0].sender}/upload").status_code == 405


def test_what_is_too_large_is_said(found: list[Mistake], clerk: Person) -> None:
    answer = hand_in(clerk, found[0].sender, "large.csv", bytes(LARGEST_FORM + 1))
    assert answer.status_code == 413 and "larger than 64 MB" in answer.text
    small_form = clerk.client.post("/review", data={"csrf": clerk.csrf, "reason": "x" * (70 << 10)})
    assert small_form.status_code == 400, "other forms keep their limit"


@pytest.mark.parametrize("name", ["\u8868" * 300 + ".csv", "a/../../b.csv", "..", "", "\x00\x01.csv", "C:\\fake\\x.csv"])
def test_names_are_short_and_hold_no_path(name: str) -> None:
    kept = named(name)
    assert kept and "/" not in kept and "\\" not in kept and kept not in (".", "..") and len(kept.encode()) <= LONGEST_NAME
    assert kept.endswith(".csv") or not name.endswith(".csv")


def test_a_corrected_file_replaces_and_a_repeated_one_changes_nothing(copied: Site, found: list[Mistake], clerk: Person, app: FastAPI) -> None:
    one = found[0]
    content = one.corrected("<b>9000000000001</b>")
    asked = app.state.builds.times
    answer = hand_in(clerk, one.sender, one.path.name, content)
    assert answer.status_code == 303, answer.text
    newest = copied.ledger.submissions()[-1]
    assert answer.headers["location"] == f"/data/sender/{one.sender}?receipt={newest.id}"
    old = next(s for s in copied.ledger.submissions() if s.id == one.submission)
    assert (newest.sender, newest.read, newest.accepted, newest.rejected) == (one.sender, old.read, old.accepted + 1, old.rejected - 1)
    assert app.state.builds.times == asked + 1
    page = clerk.client.get(answer.headers["location"] + "&lang=en").text
    assert f"Receipt {newest.id}" in page and "It counts in the figures as soon as the build is done" in page and "<b>9000" not in page
    modes = {p.mode for p in copied.ledger.pieces() if p.submission == newest.id}
    assert modes == {"replace"}
    entry = next(e for e in Audit(copied.ledger).entries() if e["action"] == "submit")
    assert (entry["account"], entry["subject"], entry["result"]) == (clerk.name, f"{one.sender} {newest.id}", "done")
    again = hand_in(clerk, one.sender, one.path.name, content)
    assert again.headers["location"] == f"/data/sender/{one.sender}?receipt={newest.id}&repeated=1"
    assert "received before; nothing changed" in clerk.client.get(again.headers["location"] + "&lang=en").text
    assert copied.ledger.submissions()[-1].id == newest.id and app.state.builds.times == asked + 1
    rows = list(csv.DictReader(io.StringIO(clerk.client.get(f"/data/sender/{one.sender}?export=files.csv&lang=en").content.decode("utf-8-sig"))))
    fates = {int(r["submission"]): r["fate"] for r in rows}
    assert fates[newest.id] == "waits for the next build" and fates[one.submission] == f"replaced by receipt {newest.id}"


def test_a_file_with_faults_is_answered_with_its_fix_list(found: list[Mistake], clerk: Person) -> None:
    lines = found[0].path.read_bytes().splitlines(keepends=True)
    answer = hand_in(clerk, found[0].sender, "repeated_2026-09.csv", b"".join([*lines, lines[1]]))
    assert answer.status_code == 303, answer.text
    listed = clerk.client.get(answer.headers["location"] + "&lang=en&export=receipt_rejects.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert len(rows) == 2 and any("same record as line" in r["rule"] for r in rows)


def test_builds_are_one_at_a_time_and_one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import os, sys, time; open(sys.argv[1] + '/log', 'a').write('in\\n'); time.sleep(1); open(sys.argv[1] + '/log', 'a').write('out\\n')"
    monkeypatch.setattr(building, "COMMAND", (sys.executable, "-c", script))
    workers = [Builds(tmp_path), Builds(tmp_path)]  # as in two processes
    assert workers[0].progress().state == "never"
    workers[0].ask()
    for _ in range(50):
        if workers[1].progress().state == "running" and (tmp_path / "log").exists():
            break
        time.sleep(0.05)
    for worker in (workers[1], workers[0], workers[1]):
        worker.ask()
    assert workers[0].progress().is_queued
    for _ in range(200):
        if workers[0].progress().state == "done" and not workers[0].progress().is_queued:
            break
        time.sleep(0.05)
    assert (tmp_path / "log").read_text().split() == ["in", "out", "in", "out"]
    assert workers[1].progress().ended_at


def test_a_build_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "COMMAND", (sys.executable, "-c", "import sys; sys.exit('no')"))
    monkeypatch.setattr(building, "PAUSE", 0.01)
    builds = Builds(tmp_path)
    builds.ask()
    for _ in range(200):
        if builds.progress().state == "failed" and builds.progress().ended_at:
            break
        time.sleep(0.05)
    assert builds.progress().state == "failed"


@pytest.fixture(scope="module")
def served(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A copy of the region, served."""
    folder = copy_of(region.folder, tmp_path_factory.mktemp("served") / "site")
    with serving(folder, folder.parent / "log") as address:
        yield Site(folder), address


@pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
def test_a_clerk_mends_a_row(region: Region, served: tuple[Site, str], browser: Browser, tmp_path: Path) -> None:
    site, address = served
    one, published = mistakes(site, region.folder / "region" / "files")[0], len(site.ledger.snapshots())
    name, once = made(site, "institution", f"facility:{one.sender}")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    visitor = Visitor(context, address)
    page = visitor.page
    page.set_default_timeout(120_000)
    visitor.go("/sign-in", "en")
    visitor.sign_in(name, once)
    visitor.change_password(once)
    visitor.sign_in(name, PASSWORD)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Data", exact=True).click()
    page.get_by_role("heading", level=1, name="Data received and its quality").wait_for()
    visitor.go(f"/data/sender/{one.sender}", "en")
    before = numbers(page.content())
    row = page.locator("#fix tbody tr", has_text=one.path.name).filter(has_text=one.field)
    expect(row).to_contain_text("fill in the field")
    with page.expect_download() as downloading:
        page.locator("#fix").get_by_role("link", name="Fix list CSV").click()
    listed = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text("utf-8-sig"))))
    mine = next(r for r in listed if r["file"] == one.path.name and int(r["submission"]) == one.submission)
    assert (mine["line"], mine["field"]) == (str(one.line), one.field) and len(listed) >= before[2]
    corrected = tmp_path / one.path.name
    corrected.write_bytes(one.corrected("9000000000001"))
    page.get_by_label("File", exact=True).set_input_files(corrected)
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url("**receipt=*")
    expect(page.locator("#receipt")).to_contain_text("Everything was accepted")
    assert not serious(page)
    expect(page.locator(".build")).to_contain_text("The last build was done", timeout=600_000)
    expect(page.locator("#receipt")).to_contain_text("It counts in the figures shown", timeout=120_000)
    visitor.go(f"/data/sender/{one.sender}", "en")
    read, accepted, rejected = numbers(page.content())
    assert (read, accepted, rejected) == (before[0], before[1] + 1, before[2] - 1)
    assert not page.locator("#fix tbody tr", has_text=one.path.name).filter(has_text=one.field).filter(has_text=str(one.submission)).count()
    assert len(site.ledger.snapshots()) == published + 1
    old = visitor.go(f"/data/sender/{one.sender}?as_of=1", "en")
    assert numbers(old.content()) == before, "the snapshot before is as it was"
    assert not visitor.errors, visitor.errors
    context.close()
