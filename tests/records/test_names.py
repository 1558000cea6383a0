"""Names of files, senders and mappings that mean harm or make no sense, and files that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quanmin.catalog.messages import say
from quanmin.records.landing import safe_name
from quanmin.site import Site
from tests.records.made_files import VISIT_COLUMNS, WORDS, accepted_rows, send, text_of, visit

TEXT = text_of([visit(i) for i in range(3)], VISIT_COLUMNS)
NAMES = ["a\x1b[31m\nb.csv", ".receipt-1.json", ".rejects-1.parquet", "\u202egnp.csv", "name with spaces .csv ", "'; DROP TABLE stay; --.csv", "~$lock.csv",
         WORDS[0] + ".csv", "x" * 251 + ".csv", WORDS[1][0] * 80 + ".csv", os.fsdecode(b"\xff\xfe.csv"), "-rf", "...", "C:\\x\\y.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_odd_file_names(site: Site, tmp_path: Path, name: str) -> None:
    receipt = send(site, tmp_path, name, TEXT)
    folder = site.intake().landing.folder_of(receipt.sha256)
    assert receipt.accepted == 3
    assert receipt.file == safe_name(name) and receipt.file.isprintable() and not receipt.file.startswith(".") and "/" not in receipt.file
    assert sorted(p.name for p in folder.iterdir()) == sorted([f".receipt-{receipt.submission}.json", receipt.file])
    assert (folder / receipt.file).read_text("utf-8") == TEXT
    assert send(site, tmp_path / "again", name, TEXT).status == "repeated"
    assert {p.name for p in site.folder.parent.iterdir()} <= {"site", name, "again"}


def test_names_are_shown_on_one_line(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "bad\x1b]0;x\x07\n.csv", TEXT.replace("person", "per\x1b[2Json").replace("2026-03-02 09:15:00", "never"))
    assert all(problem.sentence().isprintable() for problem in receipt.problems) and len(receipt.problems) == 3
    assert all(note.isprintable() for note in receipt.notes)


@pytest.mark.parametrize("kind", ["directory", "missing", "dangling", "too_long", "pipe"])
def test_what_is_no_file(site: Site, tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("x" * 300 if kind == "too_long" else kind)
    if kind == "directory":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    good = tmp_path / "good.csv"
    good.write_text(TEXT, "utf-8")
    bad, receipt = site.intake().take([path, good], sender="S1")
    assert (bad.status, bad.problems[0].file, bad.problems[0].rule, bad.problems[0].mend) == ("unreadable", str(path), say("no_file"), say("mend_no_file"))
    assert receipt.accepted == 3


def test_a_file_that_may_not_be_read(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "closed.csv"
    path.write_text(TEXT, "utf-8")
    opened = Path.open

    def closed(self: Path, *given, **named):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *given, **named)

    monkeypatch.setattr(Path, "open", closed)
    receipt = site.intake().take([path], sender="S1")[0]
    assert (receipt.status, receipt.problems[0].rule) == ("unreadable", say("no_file"))


def test_an_unknown_mapping(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "v.csv", TEXT, mapping="nonsense")
    problem = receipt.problems[0]
    assert (receipt.status, problem.field, problem.value, problem.rule) == ("unreadable", "mapping", "nonsense", say("unknown_mapping"))
    assert "plain_visits" in problem.mend


@pytest.mark.parametrize(("sender", "rule"), [("", "no_sender"), ("x" * 101, "bad_value"), ("a\nb", "bad_value")])
def test_senders_that_are_none(site: Site, tmp_path: Path, sender: str, rule: str) -> None:
    receipt = send(site, tmp_path, "v.csv", TEXT, sender=sender)
    problem = receipt.problems[0]
    assert (receipt.status, problem.field, problem.rule, problem.mend) == ("unreadable", "sender", say(rule), say("mend_no_sender"))


@pytest.mark.parametrize("sender", ["O'Brien's", '"quoted"', WORDS[0], "a;b,c|d", "$x {y} %s"])
def test_senders_with_odd_characters(site: Site, tmp_path: Path, sender: str) -> None:
    receipt = send(site, tmp_path, "v.csv", TEXT, sender=sender)
    assert receipt.sender == sender
    corrected = send(site, tmp_path, "w.csv", TEXT.replace("12.5", "13"), sender=sender)
    assert {s["mode"] for s in corrected.slices} == {"replace"}
    site.build()
    assert {row[0] for row in accepted_rows(site, "visit", "sender")} == {sender}
    assert site.ledger.submissions()[0].sender == sender
    assert site.indicators().ask("visit/total_charge_negative", ["sender"]).cells[0].key["sender"] == sender


def test_an_unreadable_file_leaves_its_receipt_and_the_others_are_taken(site: Site, tmp_path: Path) -> None:
    for name, content in (("1.csv", TEXT), ("2.csv", "x,y\n1,2\n"), ("3.csv", TEXT.replace("V", "W"))):
        (tmp_path / name).write_text(content, "utf-8")
    receipts = site.intake().take([tmp_path / f"{i}.csv" for i in (1, 2, 3)], sender="S1")
    assert [r.status for r in receipts] == ["accepted", "unreadable", "accepted"]
    folder = site.intake().landing.folder_of(receipts[1].sha256)
    assert sorted(p.name for p in folder.iterdir()) == [".receipt-0.json", ".rejects-0.parquet", "2.csv"]
