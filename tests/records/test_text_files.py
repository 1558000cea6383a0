"""Delimited text in all the ways it comes: what is taken, what is refused, and what is said of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from quanmin.catalog.messages import say
from quanmin.model import Receipt
from quanmin.site import Site
from tests.records.made_files import NAMES, NATIONAL, VISIT_COLUMNS, WORDS, accepted_rows, send, stay, text_of, visit

VISITS = [visit(i, text=WORDS[i]) for i in range(1, 6)]
CUT = "2026-03-02 09:15:00"


def problems(receipt: Receipt) -> list[tuple[int | None, str, str, str]]:
    """(line, field, value, rule) of a receipt; every problem names its file and a mend."""
    assert all(p.file == receipt.file and p.mend for p in receipt.problems)
    return [(p.line, p.field, p.value, p.rule) for p in receipt.problems]


def names(site: Site) -> list[object]:
    return [row[0] for row in accepted_rows(site, "visit", "name")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize(("delimiter", "ending", "quoting"), [(",", "\n", csv.QUOTE_MINIMAL), ("\t", "\r\n", csv.QUOTE_ALL), ("|", "\r", csv.QUOTE_MINIMAL),
                                                            (";", "\n", csv.QUOTE_ALL)])
def test_encodings_delimiters_and_line_ends(site: Site, tmp_path: Path, encoding: str, delimiter: str, ending: str, quoting: int) -> None:
    text = text_of(VISITS, VISIT_COLUMNS, delimiter, ending, quoting)
    content = ("\ufeff" + text).encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    receipt = send(site, tmp_path, "visits.csv", content)
    assert (receipt.status, receipt.read, receipt.accepted, receipt.mapping) == ("accepted", 5, 5, "plain_visits")
    assert accepted_rows(site, "visit", "line, name, diagnosis_name") == [(i + 1, NAMES[i], WORDS[i]) for i in range(1, 6)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_the_national_layout_with_all_columns(site: Site, tmp_path: Path, encoding: str, quoting: int) -> None:
    rows = [stay(i, diagnoses=1 + 10 * i) for i in range(4)]
    procedures = {"C14x01C": "81.5400", "C16x01": "2026-03-02 09:00:00", "C35x02C": "47.0100", "C37x02": "2026-03-03"}
    receipt = send(site, tmp_path, "stays.csv", text_of([row | procedures for row in rows], list(NATIONAL), quoting=quoting), encoding=encoding)
    assert len(NATIONAL) > 600
    assert (receipt.read, receipt.accepted, receipt.rejected, receipt.mapping) == (4, 4, 0, "front_page_national")
    assert not any(note.startswith(say("unknown_columns", count=0, columns="")[:3]) for note in receipt.notes)
    diagnoses = accepted_rows(site, "stay_diagnosis", "line, diagnosis_order, diagnosis_code")
    assert {line: sum(1 for d in diagnoses if d[0] == line) for line in (2, 3, 4, 5)} == {2: 1, 3: 11, 4: 21, 5: 31}
    assert sorted(d[1] for d in diagnoses if d[0] == 5) == list(range(1, 32))


def test_a_file_that_begins_as_plain_ascii_and_turns_out_gbk(site: Site, tmp_path: Path) -> None:
    rows = [visit(i, person="x") for i in range(1, 20_000)] + [visit(20_000)]
    content = text_of(rows, VISIT_COLUMNS).encode("gb18030")
    assert len(content) > 1 << 20 and content[: 1 << 20].isascii()
    receipt = send(site, tmp_path, "late.csv", content)
    assert (receipt.read, receipt.accepted) == (20_000, 20_000)
    assert names(site)[-1] == NAMES[20_000 % len(NAMES)]


def test_lines_in_another_encoding_are_refused_one_by_one(site: Site, tmp_path: Path) -> None:
    lines = text_of(VISITS, VISIT_COLUMNS).splitlines(keepends=True)
    content = b"".join(line.encode("gb18030" if i == 3 else "utf-8") for i, line in enumerate(lines))
    receipt = send(site, tmp_path, "mixed.csv", content)
    assert (receipt.read, receipt.accepted, receipt.rejected) == (5, 4, 1)
    assert problems(receipt) == [(4, "person", "", say("undecodable"))]
    assert NAMES[1] in names(site)


@pytest.mark.parametrize("broken", [b"\xff", b"\xe5\x8c", b"\x00"])
def test_one_broken_byte_costs_one_row(site: Site, tmp_path: Path, broken: bytes) -> None:
    rows = [visit(i, text=WORDS[3] if i == 3 else "x") for i in range(1, 2001)]
    content = text_of(rows, VISIT_COLUMNS).encode().replace(WORDS[3].encode() + b"\n", WORDS[3].encode() + broken + b"\n")
    receipt = send(site, tmp_path, "broken.csv", content)
    assert (receipt.status, receipt.read, receipt.accepted) == ("accepted", 2000, 1999)
    assert problems(receipt) == [(4, "text", "", say("undecodable"))]


def test_line_numbers_stay_right_after_line_breaks_in_values(site: Site, tmp_path: Path) -> None:
    rows = [visit(1, text="a\nb\r\nc"), visit(2, text='say "no"'), visit(3, seen="not a day"), visit(4, text="last\n")]
    receipt = send(site, tmp_path, "breaks.csv", text_of(rows, VISIT_COLUMNS))
    assert problems(receipt) == [(6, "seen", "not a day", say("unreadable_date"))]
    assert accepted_rows(site, "visit", "line, diagnosis_name") == [(2, "a\nb\nc"), (5, 'say "no"'), (7, "last")]


def test_stray_quotes_cost_their_own_line_only(site: Site, tmp_path: Path) -> None:
    lines = text_of(VISITS * 40, VISIT_COLUMNS, quoting=csv.QUOTE_ALL).splitlines()
    lines = [line.replace('"V', f'"{i}V') for i, line in enumerate(lines)]
    lines[3] = lines[3][:-1]  # never closed
    lines[5] = lines[5].replace('"12.5"', '"12"5"')
    lines[7] = ",".join(field.strip('"') for field in lines[7].split(",")).replace(WORDS[2], '5" nail')
    receipt = send(site, tmp_path, "quotes.csv", "\n".join(lines) + "\n")
    assert problems(receipt) == [(4, "", "", say("stray_quote")), (6, "", "", say("stray_quote"))]
    assert (receipt.read, receipt.accepted) == (200, 198)
    assert {row[0] for row in accepted_rows(site, "visit", "diagnosis_name")} == {'5" nail', *WORDS[1:6]}


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("left", [3, 30, 50])
def test_a_truncated_last_line_is_refused(site: Site, tmp_path: Path, quoting: int, left: int) -> None:
    text = text_of(VISITS, VISIT_COLUMNS, quoting=quoting)
    start = text.rindex("\n", 0, -1) + 1
    receipt = send(site, tmp_path, "cut.csv", text[: start + left].encode())
    assert (receipt.read, receipt.accepted, receipt.rejected) == (5, 4, 1)
    assert receipt.problems[0].line == 6
    assert say("no_line_end") in receipt.notes


def test_a_last_line_without_line_break_is_taken_and_remarked_upon(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "whole.csv", text_of(VISITS, VISIT_COLUMNS)[:-1])
    assert receipt.accepted == 5 and say("no_line_end") in receipt.notes
    assert say("no_line_end") not in send(site, tmp_path, "more.csv", text_of(VISITS, VISIT_COLUMNS)).notes


def test_wrong_field_counts(site: Site, tmp_path: Path) -> None:
    lines = text_of(VISITS, VISIT_COLUMNS).splitlines()
    lines[2] += ",more"
    lines[4] = lines[4].rsplit(",", 2)[0]
    receipt = send(site, tmp_path, "fields.csv", "\r\n".join(["", *lines][1:]) + "\r\n\r\n")
    expected = [(3, "", "", say("wrong_field_count", found=11, expected=10)), (5, "", "", say("wrong_field_count", found=8, expected=10))]
    assert problems(receipt) == expected


WHOLE = text_of(VISITS, VISIT_COLUMNS)
UNREADABLE = [
    ("empty", b"", "no_header", {}),
    ("only_blank_lines", b"\n\n", "no_header", {}),
    ("a_picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "not_text", {}),
    ("nuls", WHOLE.encode("utf-16-le"), "not_text", {}),
    ("neither_encoding", b"no,site,seen,charge\n" + b"\xff\xfd\xff,\xff\xff,\xff\x80,\xff\xff\n" * 3, "unknown_encoding", {}),
    ("a_name_twice", WHOLE.replace("card", "person").encode(), "repeated_column", {}),
    ("unknown_layout", b"x,y\n1,2\n", "no_mapping", {"columns": "x, y"}),
    ("a_key_column_missing", text_of(VISITS, [c for c in VISIT_COLUMNS if c != "site"]).encode(), "missing_column", {}),
    ("a_header_without_end", b"no,site,seen,charge," + b"x" * (2 << 20), "no_header", {}),
    ("broken_excel", b"PK\x03\x04" + b"junk" * 50, "broken_excel", {}),
    ("broken_old_excel", b"\xd0\xcf\x11\xe0" + b"junk" * 500, "broken_excel", {}),
]


@pytest.mark.parametrize(("name", "content", "rule", "values"), UNREADABLE, ids=[u[0] for u in UNREADABLE])
def test_unreadable_files_say_why_and_change_nothing(site: Site, tmp_path: Path, name: str, content: bytes, rule: str, values: dict[str, str]) -> None:
    mapping = "plain_visits" if rule == "missing_column" else ""
    receipt = send(site, tmp_path, f"{name}.csv", content, mapping=mapping)
    assert (receipt.status, receipt.submission, receipt.read) == ("unreadable", None, 0)
    assert receipt.problems[0].rule == say(rule, **values) and receipt.problems[0].mend and receipt.problems[0].file == f"{name}.csv"
    assert site.ledger.submissions() == [] and accepted_rows(site, "visit") == []
    if rule == "missing_column":
        assert receipt.problems[0].field == "site"
    if rule == "repeated_column":
        assert receipt.problems[0].field == "person"


def test_a_header_alone_is_taken_and_said_to_be_empty(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "header.csv", WHOLE.split("\n")[0])
    assert (receipt.status, receipt.read, receipt.accepted) == ("accepted", 0, 0)
    assert say("no_rows") in receipt.notes


def test_a_quoted_header_may_hold_line_breaks(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "header.csv", WHOLE.replace("charge", '"char\nge"', 1))
    assert (receipt.accepted, accepted_rows(site, "visit", "line")[0]) == (5, (3,))


def test_title_lines_above_the_header(site: Site, tmp_path: Path) -> None:
    text = f"{WORDS[0]}\n\"5 o'clock,,,\ntitled_no,site,seen,charge\nA,H1,{CUT},1\nB,H1,nonsense,2\n"
    receipt = send(site, tmp_path, "titled.csv", text)
    assert (receipt.mapping, receipt.read, receipt.accepted) == ("titled_visits", 2, 1)
    assert problems(receipt) == [(5, "seen", "nonsense", say("unreadable_date"))]


def test_columns_may_be_added_missing_and_in_another_order(site: Site, tmp_path: Path) -> None:
    shuffled = ["added", *reversed([c for c in VISIT_COLUMNS if c != "wait"])]
    first = send(site, tmp_path, "first.csv", text_of(VISITS, VISIT_COLUMNS))
    second = send(site, tmp_path, "second.csv", text_of([visit(i, added="y", text=WORDS[i]) for i in range(11, 16)], shuffled))
    assert (first.accepted, second.accepted, second.mapping) == (5, 5, "plain_visits")
    assert say("unknown_columns", count=1, columns="added") in second.notes
    assert say("absent_columns", count=1, columns="wait") in second.notes
    rows = accepted_rows(site, "visit", "visit_number, name, wait_minutes, total_charge_cny")
    assert [row[2] for row in rows] == [12.5] * 5 + [None] * 5
    assert [str(row[3]) for row in rows] == [f"{i}.25" for i in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)]


def test_files_of_different_columns_in_one_command(site: Site, tmp_path: Path) -> None:
    paths = []
    for i, columns in enumerate((VISIT_COLUMNS, VISIT_COLUMNS[::-1], [c for c in VISIT_COLUMNS if c != "text"])):
        paths.append(tmp_path / f"{i}.csv")
        paths[-1].write_text(text_of([visit(10 * i + j) for j in range(3)], columns), "utf-8")
    receipts = site.intake().take(paths, sender="S1")
    assert [(r.read, r.accepted) for r in receipts] == [(3, 3)] * 3
    assert [row[0] for row in accepted_rows(site, "visit", "visit_number")] == [f"V{10 * i + j}" for i in range(3) for j in range(3)]


def test_a_very_long_line_and_field(site: Site, tmp_path: Path) -> None:
    rows = [visit(1), visit(2, text="x" * (10 << 20)), visit(3, seen="9" * (1 << 20)), visit(4)]
    receipt = send(site, tmp_path, "long.csv", text_of(rows, VISIT_COLUMNS))
    assert (receipt.read, receipt.accepted) == (4, 3)
    assert problems(receipt) == [(4, "seen", "9" * 80 + "\u2026", say("unreadable_date"))]
    assert accepted_rows(site, "visit", "length(diagnosis_name)")[1] == (10 << 20,)
