"""Excel workbooks: sound, broken, and made to do harm."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from quanmin.catalog.messages import say
from quanmin.model import Receipt
from quanmin.records.sources import workbook_zip
from quanmin.site import Site
from tests.records.made_files import NAMES, VISIT_COLUMNS, WORDS, accepted_rows, visit, write_sheet

SHEET = "xl/worksheets/sheet1.xml"
WORKSHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def take(site: Site, path: Path, **options: str) -> Receipt:
    receipt = site.intake().take([path], sender="S1", **options)[0]
    assert receipt.read == receipt.accepted + receipt.rejected
    return receipt


def book(path: Path, rows: list[dict[str, object]], **options: object) -> Path:
    return write_sheet(path, [list(VISIT_COLUMNS), *([row.get(c) for c in VISIT_COLUMNS] for row in rows)], **options)


def with_members(source: Path, target: Path, members: dict[str, bytes]) -> Path:
    """The same archive with some members replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in members:
                new.writestr(name, old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
    return target


def test_a_workbook(site: Site, tmp_path: Path) -> None:
    rows = [visit(1, seen=datetime(2026, 3, 2, 9, 15), wait=7, charge=12.5), visit(2, seen="2026-03-03 08:00", tcm=True),
            visit(3, seen=datetime(2026, 3, 4), born=date(1970, 1, 31))]
    formats = {2: "yyyy-mm-dd hh:mm", 5: "yyyy/m/d"}
    receipt = take(site, book(tmp_path / "visits.xlsx", rows, formats=formats))
    assert (receipt.read, receipt.accepted, receipt.mapping) == (3, 3, "plain_visits")
    found = accepted_rows(site, "visit", "line, visited_at, wait_minutes, total_charge_cny, is_tcm, name, birth_date")
    assert [(r[0], r[1], r[2], str(r[3]), r[4]) for r in found] == [
        (2, datetime(2026, 3, 2, 9, 15), 7.0, "12.50", False), (3, datetime(2026, 3, 3, 8), 12.5, "2.25", True), (4, datetime(2026, 3, 4), 12.5, "3.25", False),
    ]
    assert [r[5] for r in found] == NAMES[1:4] and {r[6] for r in found} == {date(1970, 1, 31)}


def test_titles_blank_rows_and_another_name(site: Site, tmp_path: Path) -> None:
    rows = [[WORDS[0]], [None], ["titled_no", "site", "seen", "charge"], ["A", "H1", "2026-03-01", 1], [None, None, None, None], ["B", "H1", "x", 2]]
    path = write_sheet(tmp_path / "titled.xlsx", rows).rename(tmp_path / "titled.csv")
    receipt = take(site, path)
    assert (receipt.mapping, receipt.read, receipt.accepted) == ("titled_visits", 2, 1)
    assert [(p.file, p.line, p.field, p.value) for p in receipt.problems] == [("titled.csv", 6, "seen", "x")]


def test_numbers_too_long_for_excel_are_refused_where_they_matter(site: Site, tmp_path: Path) -> None:
    rows = [visit(1), visit(2, card=330101199003074512), visit(3, card="330101199003074512"), visit(4, unused=10**17)]
    path = write_sheet(tmp_path / "long.xlsx", [[*VISIT_COLUMNS, "unused"], *([row.get(c) for c in (*VISIT_COLUMNS, "unused")] for row in rows)])
    receipt = take(site, path)
    assert (receipt.read, receipt.accepted) == (4, 3)
    problem = receipt.problems[0]
    assert (problem.line, problem.field, problem.rule, problem.mend) == (3, "card", say("lost_digits"), say("mend_lost_digits"))
    assert problem.value.startswith("330***") and "199003" not in problem.value


def test_formulas_count_by_their_value_and_text_that_looks_like_one_stays_text(site: Site, tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "formulas.xlsx")) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["no", "site", "seen", "charge", "text"])
        for y, (charge, shown) in enumerate([("=1+1", 2), ("=1/0", "#DIV/0!"), ("=3*4", 12)], 1):
            sheet.write_row(y, 0, [f"V{y}", "H1", "2026-03-01"])
            sheet.write_formula(y, 3, charge, None, shown)
            sheet.write_string(y, 4, "=HYPERLINK(1)")
    receipt = take(site, tmp_path / "formulas.xlsx")
    assert receipt.read == 3
    found = accepted_rows(site, "visit", "line, total_charge_cny, diagnosis_name")
    assert [(line, None if charge is None else float(charge)) for line, charge, _ in found] == [(2, 2.0), (3, None), (4, 12.0)]
    assert {name for *_, name in found} == {"=HYPERLINK(1)"}


def test_a_named_sheet_that_is_not_there(site: Site, tmp_path: Path) -> None:
    from dataclasses import replace

    mapping = replace(site.catalog.mappings["plain_visits"], sheet="March")
    site.__dict__["catalog"] = replace(site.catalog, mappings={"plain_visits": mapping})
    path = book(tmp_path / "sheets.xlsx", [visit(1)], sheet=WORDS[0])
    receipt = take(site, path, mapping="plain_visits")
    assert receipt.status == "unreadable"
    assert (receipt.problems[0].rule, receipt.problems[0].mend) == (say("no_sheet", sheet="March"), say("mend_no_sheet", sheets=WORDS[0]))


def _bomb(source: Path, target: Path) -> Path:
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    return with_members(source, target, {SHEET: WORKSHEET.format((cells * 400_000).decode()).encode()})


def _lying_bomb(source: Path, target: Path) -> Path:
    """A member whose directory entry says it unpacks to next to nothing."""
    _bomb(source, target)
    with zipfile.ZipFile(target) as archive:
        real = archive.getinfo(SHEET).file_size
    target.write_bytes(target.read_bytes().replace(struct.pack("<L", real), struct.pack("<L", 1000)))
    return target


def _many_members(source: Path, target: Path) -> Path:
    return with_members(source, target, {f"xl/media/{i}.txt": b"" for i in range(workbook_zip.MOST_MEMBERS + 1)})


def _far_cell(source: Path, target: Path) -> Path:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    return with_members(source, target, {SHEET: WORKSHEET.format(rows).encode()})


def _encrypted_member(source: Path, target: Path) -> Path:
    content = bytearray(source.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(signature, at + 4)
    target.write_bytes(content)
    return target


def _other_zip(source: Path, target: Path) -> Path:
    del source
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    return target


def _damaged(source: Path, target: Path) -> Path:
    content = source.read_bytes()
    target.write_bytes(content[: len(content) // 2])
    return target


def _password(source: Path, target: Path) -> Path:
    del source
    target.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(4096))
    return target


HARM: list[tuple[Callable[[Path, Path], Path], str]] = [
    (_bomb, "zip_bomb"), (_lying_bomb, "zip_bomb"), (_many_members, "zip_bomb"), (_far_cell, "sheet_too_far"), (_encrypted_member, "broken_excel"),
    (_other_zip, "not_text"), (_damaged, "broken_excel"), (_password, "broken_excel"),
]


@pytest.mark.parametrize(("make", "rule"), HARM, ids=[make.__name__ for make, _ in HARM])
def test_workbooks_made_to_do_harm(site: Site, tmp_path: Path, make: Callable[[Path, Path], Path], rule: str) -> None:
    source = book(tmp_path / "good.xlsx", [visit(i) for i in range(20)])
    receipt = take(site, make(source, tmp_path / "bad.xlsx"))
    assert (receipt.status, receipt.read) == ("unreadable", 0)
    wanted = say(rule, **{"zip_bomb": {"size": "@"}, "sheet_too_far": {"rows": "1,048,576", "columns": "16,384"}}.get(rule, {}))
    assert receipt.problems[0].rule.startswith(wanted.split("@")[0]) and receipt.problems[0].mend
    assert take(site, source).accepted == 20


@pytest.mark.parametrize("entity", ["<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>",
                                    '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/hostname">]>'])
def test_entities_are_never_expanded_nor_files_read(site: Site, tmp_path: Path, entity: str) -> None:
    cells = "".join(f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>' for letter, name in zip("ABCD", ("no", "site", "seen", "charge"), strict=True))
    values = "".join(f'<c r="{letter}2" t="inlineStr"><is><t>{value}</t></is></c>' for letter, value in zip("ABC", ("&c;", "H1", "2026-03-01"), strict=True))
    xml = WORKSHEET.format(f'<row r="1">{cells}</row><row r="2">{values}</row>').replace("?>", "?>" + entity, 1)
    source = book(tmp_path / "good.xlsx", [visit(1)])
    receipt = take(site, with_members(source, tmp_path / "entities.xlsx", {SHEET: xml.encode()}))
    host = Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").exists() else "no-host"
    for row in accepted_rows(site, "visit", "visit_number"):
        assert host not in str(row[0]) and len(str(row[0])) < 20
    assert receipt.status in ("unreadable", "accepted")


def test_any_damage_to_a_workbook_is_a_receipt_never_a_crash(site: Site, tmp_path: Path) -> None:
    source = book(tmp_path / "good.xlsx", [visit(i) for i in range(5)]).read_bytes()
    with zipfile.ZipFile(tmp_path / "good.xlsx") as archive:
        xml = archive.read(SHEET)
    for seed in range(60):
        place = zlib.crc32(str(seed).encode())
        if seed % 2:
            at = place % len(source)
            content = source[:at] + bytes([source[at] ^ 0x5A]) + source[at + 1 :]
            (tmp_path / "bad.xlsx").write_bytes(content)
        else:
            at = place % len(xml)
            with_members(tmp_path / "good.xlsx", tmp_path / "bad.xlsx", {SHEET: xml[:at] + bytes([xml[at] ^ 0x5A]) + xml[at + 1 :]})
        receipt = take(site, tmp_path / "bad.xlsx")
        assert receipt.status in ("accepted", "unreadable", "repeated")
        assert receipt.status != "unreadable" or receipt.problems[0].mend
