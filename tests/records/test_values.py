"""What is read as a date, a number, yes or no; what is refused, and that receipts and rejects name nobody."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quanmin.catalog.messages import say
from quanmin.records.conform import FORMATS
from quanmin.site import Site
from tests.records.made_files import NAMES, VISIT_COLUMNS, WORDS, accepted_rows, send, stay, text_of, visit

WIDE = str.maketrans(FORMATS["full_width"]["to"], FORMATS["full_width"]["from"])
YES, NO = FORMATS["true"][5], FORMATS["false"][5]
YEAR, MONTH, DAY = (FORMATS["dates"][2][i] for i in (2, 5, 8))

MOMENTS = {
    "2026-03-02": "2026-03-02 00:00:00", "2026-03-02 09:15": "2026-03-02 09:15:00", "2026-03-02T09:15:30": "2026-03-02 09:15:30",
    "2026-03-02T09:15:30+08:00": "2026-03-02 09:15:30", "2026/3/2 9:15:30": "2026-03-02 09:15:30", "20260302": "2026-03-02 00:00:00",
    "20260302091530": "2026-03-02 09:15:30", f"2026{YEAR}3{MONTH}2{DAY}": "2026-03-02 00:00:00", " 2026-03-02 ": "2026-03-02 00:00:00",
    "2026-03-02".translate(WIDE): "2026-03-02 00:00:00",
    "2026-02-30": None, "2026-13-01": None, "02/03/2026x": None, "2026-03-02 25:00": None, "2026-03-02 to 2026-03-05": None, "infinity": None, "epoch": None,
    "now": None, "0202-03-01": None, "12026-03-01": None, "2026-03-02 (BC)": None, "46083": None, "9" * 400: None,
}
AMOUNTS = {
    "12": 12.0, "12.30": 12.3, "-0.01": -0.01, "1,234.50": 1234.5, "12,345,678": 12_345_678.0, "12.30".translate(WIDE): 12.3, "1,234.5".translate(WIDE): 1234.5,
    "1e3": 1000.0, "+5": 5.0, "0": 0.0, " 7 ": 7.0,
    "12,5": None, "1,2,3": None, "12.3.4": None, "12" + WORDS[0][0]: None, "NaN": None, "inf": None, "1_000": None, "=1+1": None, "0x10": None,
    "1" + "0" * 20: None, "--5": None, "5-": None,
}
NUMBERS = AMOUNTS | {"1" + "0" * 20: 1e20, "1e400": None, "0.0004": 0.0004}
ANSWERS = {"1": True, "true": True, "Y": True, YES: True, "0": False, "no": False, NO: False, "2": None, "maybe": None, YES + NO: None}
MISSING = ["", " ", "-", "--", "/", "NULL", "\\N", *(m for m in FORMATS["missing"] if not m.isascii())]


def _taken(site: Site, folder: Path, column: str, ours: str, values: list[str]) -> tuple[dict[str, object], dict[str, tuple[str, str]]]:
    """What each value became, or the value and rule of its refusal."""
    rows = [visit(i, **{column: value}) for i, value in enumerate(values)]
    receipt = send(site, folder, "values.csv", text_of(rows, VISIT_COLUMNS))
    assert receipt.read == len(values)
    found = {values[line - 2]: value for line, value in accepted_rows(site, "visit", f"line, {ours}")}
    assert all(p.field == column and p.file == "values.csv" and p.mend for p in receipt.problems)
    return found, {values[(p.line or 0) - 2]: (p.value, p.rule) for p in receipt.problems}


def test_dates_and_times(site: Site, tmp_path: Path) -> None:
    found, refused = _taken(site, tmp_path, "seen", "visited_at", list(MOMENTS))
    assert found == {value: datetime.fromisoformat(moment) for value, moment in MOMENTS.items() if moment}
    assert {value for value, moment in MOMENTS.items() if not moment} == set(refused)
    assert {rule for _, rule in refused.values()} == {say("unreadable_date")}
    assert refused["2026-02-30"][0] == "2026-02-30" and refused["9" * 400][0] == "9" * 80 + "\u2026"


def test_days(site: Site, tmp_path: Path) -> None:
    days = {value: moment for value, moment in MOMENTS.items()}
    found, refused = _taken(site, tmp_path, "born", "birth_date", list(days))
    assert found == {value: datetime.fromisoformat(moment).date() for value, moment in days.items() if moment}
    assert set(refused) == {value for value, moment in days.items() if not moment}


@pytest.mark.parametrize(("column", "ours", "table"), [("charge", "total_charge_cny", AMOUNTS), ("wait", "wait_minutes", NUMBERS)])
def test_amounts_and_numbers(site: Site, tmp_path: Path, column: str, ours: str, table: dict[str, float | None]) -> None:
    found, refused = _taken(site, tmp_path, column, ours, list(table))
    assert {value: float(number) for value, number in found.items()} == {value: number for value, number in table.items() if number is not None}
    assert refused == {value: (value, say("unreadable_number")) for value, number in table.items() if number is None}


def test_the_same_numbers_alone_in_their_file(site: Site, tmp_path: Path) -> None:
    plain = {value: number for value, number in AMOUNTS.items() if number is not None and value.strip().replace(".", "").isdigit() and value.isascii()}
    found, refused = _taken(site, tmp_path, "charge", "total_charge_cny", list(plain))
    assert {value: float(number) for value, number in found.items()} == plain and not refused


def test_yes_and_no(site: Site, tmp_path: Path) -> None:
    found, refused = _taken(site, tmp_path, "tcm", "is_tcm", list(ANSWERS))
    assert found == {value: answer for value, answer in ANSWERS.items() if answer is not None}
    assert refused == {value: (value, say("unreadable_boolean")) for value, answer in ANSWERS.items() if answer is None}


@pytest.mark.parametrize("column", ["born", "wait", "charge", "tcm", "person"])
def test_what_stands_for_nothing(site: Site, tmp_path: Path, column: str) -> None:
    ours = {"born": "birth_date", "wait": "wait_minutes", "charge": "total_charge_cny", "tcm": "is_tcm", "person": "name"}[column]
    found, refused = _taken(site, tmp_path, column, ours, MISSING)
    assert found == dict.fromkeys(MISSING) and not refused


@pytest.mark.parametrize("number", ["1", "2.0", "3.5"])
def test_whole_numbers(site: Site, tmp_path: Path, number: str) -> None:
    receipt = send(site, tmp_path, "stays.csv", text_of([stay(1, B20=number)]))
    if number == "3.5":
        assert [(p.line, p.field, p.value, p.rule) for p in receipt.problems] == [(2, "B20", "3.5", say("unreadable_integer"))]
    else:
        assert accepted_rows(site, "stay", "stay_days") == [(int(float(number)),)]


def test_a_blank_key_is_refused_and_every_reason_is_told(site: Site, tmp_path: Path) -> None:
    rows = [stay(1), stay(2, A48=""), stay(3, B15="-", D01="much"), stay(4, A01=" ", A49="NULL")]
    receipt = send(site, tmp_path, "stays.csv", text_of(rows))
    assert (receipt.read, receipt.accepted, receipt.rejected) == (4, 1, 3)
    assert [(p.line, p.field, p.value, p.rule) for p in receipt.problems] == [
        (3, "A48", "", say("missing_key")), (4, "B15", "", say("missing_key")), (4, "D01", "much", say("unreadable_number")),
        (5, "A01", "", say("missing_key")), (5, "A49", "", say("missing_key")),
    ]


def test_a_fault_in_a_repeated_group_names_its_own_column_and_takes_the_whole_stay(site: Site, tmp_path: Path) -> None:
    rows = [stay(1, diagnoses=3), stay(2, diagnoses=3, C14x01C="81.5400", C16x01="yesterday"),
            stay(3, C35x01C="47.0100", C37x01="2026-02-31", C35x02C="47.0200")]
    receipt = send(site, tmp_path, "stays.csv", text_of(rows))
    assert (receipt.accepted, receipt.rejected) == (1, 2)
    assert [(p.line, p.field, p.value) for p in receipt.problems] == [(3, "C16x01", "yesterday"), (4, "C37x01", "2026-02-31")]
    assert {row[0] for table in ("stay", "stay_diagnosis", "stay_procedure") for row in accepted_rows(site, table, "line")} == {2}


def test_a_record_twice_in_one_file_is_taken_once(site: Site, tmp_path: Path) -> None:
    rows = [stay(1), stay(2), stay(1, D01="2"), stay(3), stay(1, D01="3", diagnoses=5), stay(1, A49="2")]
    receipt = send(site, tmp_path, "stays.csv", text_of(rows))
    assert (receipt.read, receipt.accepted, receipt.rejected) == (6, 4, 2)
    assert [(p.line, p.rule) for p in receipt.problems] == [(4, say("repeated_key", line=2)), (6, say("repeated_key", line=2))]
    assert [row[0] for row in accepted_rows(site, "stay", "line")] == [2, 3, 5, 7]
    assert {row[0] for row in accepted_rows(site, "stay_diagnosis", "line")} == {2, 3, 5, 7}


def test_numbers_that_excel_mangled_in_a_csv_are_taken_as_they_are_for_the_checks_to_find(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "stays.csv", text_of([stay(1, A20="3.30101E+17"), stay(2, A20="'330101199001010011")]))
    assert receipt.accepted == 2
    site.build()
    rows = site.indicators().rows("stay/identity_number_invalid", columns=["line"])
    assert sorted(rows["line"].to_pylist()) == [2, 3]


def test_rows_that_a_mapping_takes_nowhere_are_refused_not_lost(site: Site, tmp_path: Path) -> None:
    text = "signed_no,site,seen,sort,from\n1,H1,2026-03-01,O,CLINIC\n2,H1,2026-03-01,X,CLINIC\n3,H1,nothing,X,CLINIC\n4,H1,2026-03-02,O,CLINIC\n"
    receipt = send(site, tmp_path, "signed.csv", text, sender="")
    assert (receipt.sender, receipt.read, receipt.accepted, receipt.rejected) == ("CLINIC", 4, 2, 2)
    assert [(p.line, p.rule) for p in receipt.problems] == [(3, say("set_aside")), (4, say("set_aside"))]
    again = send(site, tmp_path, "none.csv", text.replace(",O,", ",X,"), sender="")
    assert (again.read, again.accepted, again.rejected) == (4, 0, 4) and say("nothing_accepted") in again.notes


def test_receipts_and_rejects_name_nobody(site: Site, tmp_path: Path) -> None:
    number, phone, born, card = "330101199003074512", "13800138000", "1990-03-32", "C99887766"
    row = stay(1, A11=NAMES[1], A20=number, A27=phone, A13=born, A26=WORDS[5] * 4, A47=card, A48="PRIVATE77", B12="unreadable")
    receipt = send(site, tmp_path, "stays.csv", text_of([row, row]))
    assert [(p.field, p.value) for p in receipt.problems[:2]] == [("A13", "199****-32"), ("B12", "unreadable")]
    folder = site.intake().landing.folder_of(receipt.sha256)
    kept = json.dumps(json.loads((folder / f".receipt-{receipt.submission}.json").read_text("utf-8")), ensure_ascii=False)
    kept += str(pq.read_table(folder / f".rejects-{receipt.submission}.parquet").to_pylist()) + "".join(p.sentence() for p in receipt.problems)
    for private in (number, phone, born, card, NAMES[1] + '"', WORDS[5] * 2, "PRIVATE77"):
        assert private not in kept


def test_the_complete_list_of_rejects_is_kept_beside_the_file(site: Site, tmp_path: Path) -> None:
    receipt = send(site, tmp_path, "stays.csv", text_of([stay(i, B20="x") for i in range(500)]))
    folder = site.intake().landing.folder_of(receipt.sha256)
    listed = pq.read_table(folder / f".rejects-{receipt.submission}.parquet").to_pylist()
    assert len(listed) == len(receipt.problems) == receipt.rejected == 500
    assert listed[7] == {"file": "stays.csv", "line": 9, "field": "B20", "value": "x", "rule": say("unreadable_integer"), "mend": say("mend_integer")}
    about = json.loads((folder / f".receipt-{receipt.submission}.json").read_text("utf-8"))
    assert (about["read"], about["accepted"], about["rejected"], about["rejects"]) == (500, 0, 500, f".rejects-{receipt.submission}.parquet")
    assert (folder / "stays.csv").read_bytes() == (tmp_path / "stays.csv").read_bytes()
