"""quanmin quality on bare files: figures by hand, every encoding alike, every row accounted for, and one clear line for what cannot be used."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter

from quanmin.catalog.messages import speak
from quanmin.cli import main

STAYS = "hospital,died,chance,band,sex,day\n"


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    monkeypatch.setattr(sys, "argv", ["quanmin", "quality", *map(str, arguments)])
    speak("en")
    code = 0
    try:
        main()
    except SystemExit as done:
        code = int(done.code or 0)
    finally:
        speak("")
    told = capsys.readouterr()
    assert "Traceback" not in told.err and "internal error" not in told.err, told.err
    return code, told.out, told.err


@pytest.fixture
def quality(capsys, monkeypatch):
    """The command in this process."""
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


def rows_in(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    """120 stays of two hospitals, out of order by day."""
    rng = np.random.default_rng(5)
    path = tmp_path / "stays.csv"
    lines = [f"{'AB'[i % 2]},{int(rng.random() < 0.3)},{rng.uniform(0.05, 0.5):.4f},{['<60', '60+'][i % 3 == 0]},{1 + i % 2},"
             f"2026-{1 + (i * 7) % 12:02d}-{1 + i % 28:02d}" for i in range(120)]
    path.write_text(STAYS + "\n".join(lines) + "\n", "utf-8")
    return path


def test_cusum_follows_every_unit_in_order(quality, stays: Path) -> None:
    code, out, err = quality("cusum", stays, "--outcome", "died", "--risk", "chance", "--unit", "hospital", "--order", "day", "--limit", 1.5, "--format", "csv")
    rows, given = rows_in(out), rows_in(stays.read_text("utf-8"))
    assert code == 0 and len(rows) == 120 and "120 rows read, 120 used, 0 rejected" in err
    assert [row["unit"] for row in rows] == ["A"] * 60 + ["B"] * 60
    for unit in "AB":
        mine = [row for row in rows if row["unit"] == unit]
        days = [row["order"] for row in mine]
        assert days == sorted(days)
        at, total = 0.0, 0.0
        for row in mine:
            one = given[int(row["line"]) - 2]
            p, died = float(one["chance"]), int(one["died"])
            at = max(0.0, at + died * np.log(2) - np.log(1 + p))
            total += p - died
            assert (float(row["cusum"]), float(row["vlad"]), row["signal"]) == (pytest.approx(at), pytest.approx(total), str(int(at >= 1.5)))
            at = 0.0 if at >= 1.5 else at
        line = next(line for line in err.splitlines() if line.startswith(f"{unit}: "))
        assert f"60 cases, {sum(int(given[int(r['line']) - 2]['died']) for r in mine)} observed" in line and f"VLAD {total:.2f}" in line


def test_cusum_from_a_score_finds_its_limit(quality, stays: Path, tmp_path: Path) -> None:
    out = tmp_path / "charts.csv"
    code, told, _ = quality("cusum", stays, "--outcome", "died", "--score", "chance", "--intercept", -2, "--slope", 3, "--run-length", 200, "--out", out)
    rows = rows_in(out.read_text("utf-8"))
    given = rows_in(stays.read_text("utf-8"))
    assert code == 0 and float(rows[0]["risk"]) == pytest.approx(1 / (1 + np.exp(2 - 3 * float(given[0]["chance"]))))
    assert "limit for an average run of 200 cases: " in told and "all: 120 cases" in told


def test_observed_and_expected_are_summed_by_unit(quality, tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("unit,o,e\nA,4,2.5\nB,5,10\nA,6,7.5\n", "utf-8")
    code, out, _ = quality("standardise", path, "--unit", "unit", "--observed", "o", "--expected", "e", "--method", "midp", "--format", "json")
    a, b = json.loads(out)["rows"]
    assert code == 0 and (a["observed"], a["expected"], a["smr"], b["smr"]) == (10, 10, 1, 0.5)
    assert b["low"] == pytest.approx(0.183199480852842) and b["high"] == pytest.approx(1.1082415664992) and b["p"] == pytest.approx(0.0963386509559929)
    assert a["low_95"] == pytest.approx(0.37751879476884) and a["high_998"] == pytest.approx(2.0662000835995) and b["outside"] == 0


def test_strata_of_the_files_and_of_a_reference(quality, stays: Path, tmp_path: Path) -> None:
    given = rows_in(stays.read_text("utf-8"))
    common = ("standardise", stays, "--unit", "hospital", "--outcome", "died", "--by", "band", "--format", "csv")
    code, out, _ = quality(*common)
    rates = {band: np.mean([int(r["died"]) for r in given if r["band"] == band]) for band in ("<60", "60+")}
    expected = {unit: sum(rates[r["band"]] for r in given if r["hospital"] == unit) for unit in "AB"}
    assert code == 0 and {r["unit"]: float(r["expected"]) for r in rows_in(out)} == pytest.approx(expected)
    assert sum(float(r["expected"]) for r in rows_in(out)) == pytest.approx(sum(int(r["died"]) for r in given)), "the files' own rates expect what came"
    (tmp_path / "rates.csv").write_text("band,rate\n<60,0.1\n", "utf-8")
    code, out, err = quality(*common, "--reference", tmp_path / "rates.csv")
    under = [r for r in given if r["band"] == "<60"]
    assert code == 0 and sum(float(r["expected"]) for r in rows_in(out)) == pytest.approx(0.1 * len(under))
    assert f"120 rows read, {len(under)} used, {120 - len(under)} rejected" in err and "band='60+'" in err
    code, out, _ = quality(*common, "--reference", stays)
    assert {r["unit"]: float(r["expected"]) for r in rows_in(out)} == pytest.approx(expected)


def test_direct_rates_from_a_file_and_from_a_column(quality, stays: Path, tmp_path: Path) -> None:
    given = rows_in(stays.read_text("utf-8"))
    (tmp_path / "standard.csv").write_text("band,population\n<60,300\n60+,100\n", "utf-8")
    common = ("--unit", "hospital", "--outcome", "died", "--by", "band", "--direct", "--format", "csv")
    code, out, _ = quality("standardise", stays, *common, "--population", tmp_path / "standard.csv")
    rate = {band: np.mean([int(r["died"]) for r in given if r["band"] == band and r["hospital"] == "A"]) for band in ("<60", "60+")}
    assert code == 0 and float(rows_in(out)[0]["rate"]) == pytest.approx(0.75 * rate["<60"] + 0.25 * rate["60+"])
    wide = tmp_path / "wide.csv"
    lines = stays.read_text("utf-8").splitlines()
    wide.write_text("\n".join([f"{lines[0]},standard", *(f"{line},{300 if '<60' in line else 100}" for line in lines[1:])]) + "\n", "utf-8")
    assert quality("standardise", wide, *common, "--population", "standard")[1] == out
    code, _, err = quality("standardise", stays, *common, "--population", "chance")
    assert code == 0 and "the standard population differs" in err, "what differs within a stratum is no standard population"


def test_a_model_is_fitted_and_its_expectation_written_beside_the_rows(quality, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    age, sex = rng.integers(20, 95, 3000), rng.integers(1, 3, 3000)
    sick = rng.choice(["", "I50.0", "K72.1|C78.0", "I10"], 3000)
    score = np.select([sick == "I50.0", sick == "K72.1|C78.0"], [1, 9], 0)
    died = rng.random(3000) < 1 / (1 + np.exp(6 - 0.05 * age - 0.4 * (sex == 1) - 0.2 * score))
    path, out = tmp_path / "stays.csv", tmp_path / "with.csv"
    lines = [f"{'died' if d else 'home'},{a},{s},{k},2026-{1 + i // 300:02d},note" for i, (d, a, s, k) in enumerate(zip(died, age, sex, sick, strict=True))]
    path.write_text("end,age,sex,other,month,more\n" + "\n".join(lines) + "\nhome,old,1,,2026-01,note\n", "utf-8")
    code, told, err = quality("risk", path, "--outcome", "end=died", "--number", "age", "--category", "sex", "--diagnoses", "other", "--time", "month",
                              "--knots", 0, "--out", out, "--format", "csv")
    rows, written = rows_in(told), rows_in(out.read_text("utf-8"))
    estimate = {row["name"]: (float(row["estimate"]), float(row["standard_error"])) for row in rows if row["part"] == "coefficients"}
    for name, true in (("age", 0.05), ("charlson", 0.2)):
        assert abs(estimate[name][0] - true) < 4 * estimate[name][1]
    assert code == 0 and "3,001 rows read, 3,000 used, 1 rejected" in err and f"{path}:3002 age='old'" in err
    assert len(written) == 3001 and written[-1]["expected"] == "" and written[0]["more"] == "note"
    assert sum(float(row["expected"]) for row in written[:-1]) == pytest.approx(died.sum(), rel=1e-6)
    performance = {row["name"]: row for row in rows if row["part"] == "performance"}
    assert performance["Rows"]["validated"] == "900" and float(performance["c-statistic"]["fitted"]) > 0.7
    code, told, _ = quality("standardise", out, "--unit", "sex", "--outcome", "end=died", "--expected", "expected", "--format", "csv")
    assert code == 0 and all(abs(float(row["smr"]) - 1) < 1e-6 for row in rows_in(told)), "the model has a level of its own for each sex"


def test_encodings_and_excel_give_the_same_figures(quality, tmp_path: Path) -> None:
    table = [["\u533b\u9662", "\u6b7b\u4ea1", "\u9884\u671f"], *([f"\u533b{i % 2}", str(int(i % 3 == 0)), "0.3"] for i in range(40))]
    text = "".join(",".join(row) + "\n" for row in table)
    for name, encoding in (("utf8.csv", "utf-8"), ("bom.csv", "utf-8-sig"), ("gbk.csv", "gbk"), ("wide.csv", "utf-16")):
        (tmp_path / name).write_bytes(text.encode(encoding))
    book = xlsxwriter.Workbook(tmp_path / "book.xlsx", {"strings_to_numbers": True})
    sheet = book.add_worksheet()
    for at, row in enumerate(table):
        sheet.write_row(at, 0, row)
    book.close()
    found = [quality("standardise", tmp_path / name, "--unit", table[0][0], "--observed", table[0][1], "--expected", table[0][2], "--format", "csv")[:2]
             for name in ("utf8.csv", "bom.csv", "gbk.csv", "wide.csv", "book.xlsx")]
    assert found[0][0] == 0 and len(rows_in(found[0][1])) == 2 and all(one == found[0] for one in found)


def test_several_files_are_one_and_their_columns_may_stand_in_any_order(quality, stays: Path, tmp_path: Path) -> None:
    given = rows_in(stays.read_text("utf-8"))
    for name, part, columns in (("a.csv", given[:50], ["hospital", "died", "chance"]), ("b.csv", given[50:], ["chance", "sex", "died", "hospital"])):
        (tmp_path / name).write_text("\n".join([",".join(columns), *(",".join(row[c] for c in columns) for row in part)]) + "\n", "utf-8")
    common = ("--unit", "hospital", "--outcome", "died", "--expected", "chance", "--format", "csv")
    assert quality("standardise", tmp_path / "a.csv", tmp_path / "b.csv", *common)[1] == quality("standardise", stays, *common)[1]


WRONG_ROWS = "u,o,p\nA,1,0.2\nA,2,0.2\nA,,0.2\nA,0,1.2\nA,0,-\n,0,0.2\nA,0,0.2,9\nA,yes,0.2\nA,1,nan\nA,0,0.9\n"


def test_rows_that_cannot_be_used_are_counted_and_named(quality, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(WRONG_ROWS, "utf-8")
    code, out, err = quality("cusum", path, "--outcome", "o", "--risk", "p", "--unit", "u", "--format", "csv")
    assert code == 0 and [row["line"] for row in rows_in(out)] == ["2", "11"] and "10 rows read, 2 used, 8 rejected" in err
    for line, what in ((3, "o='2'"), (4, "o=''"), (5, "p='1.2'"), (6, "p='-'"), (7, "u=''"), (8, ""), (9, "o='yes'"), (10, "p='nan'")):
        assert re.search(rf"rows\.csv:{line}\b.*{re.escape(what)}", err), (line, err)


def test_many_wrong_rows_are_counted_and_the_first_told(quality, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("o,p\n1,0.5\n" + "7,0.5\n" * 500, "utf-8")
    _, _, err = quality("cusum", path, "--outcome", "o", "--risk", "p", "--format", "csv")
    assert err.count("o='7'") == 20 and "480 more rows rejected" in err and "501 rows read, 1 used, 500 rejected" in err


BAD_FILES = {
    "missing": (None, ""), "empty": (b"", ""), "binary": (b"\x00\x01\x02\x03" * 50, ""), "other columns": (b"x,y\n1,2\n", "died"),
    "header only": (b"hospital,died,chance\n", ""), "cut off": (b"hospital,died,chance\nA,1,0.2\nA,0", ""), "excel cut off": (b"PK\x03\x04 and no more", ""),
    "no usable row": (b"hospital,died,chance\nA,maybe,0.2\n", "died='maybe'"), "repeated column": (b"died,died,chance\n1,1,0.2\n", "died"),
    "a folder": (b"/", "")}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["cusum", "standardise", "risk"])
def test_bad_files_end_with_one_clear_line(quality, tmp_path: Path, name: str, command: str) -> None:
    content, told = BAD_FILES[name]
    path = tmp_path / "given.csv"
    if content == b"/":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    options = {"cusum": ("--outcome", "died", "--risk", "chance"), "standardise": ("--unit", "hospital", "--outcome", "died", "--expected", "chance"),
               "risk": ("--outcome", "died", "--number", "chance")}[command]
    code, out, err = quality(command, path, *options)
    assert code == 2 and not out and "given.csv" in err and told in err and "; " in err.splitlines()[0]


@pytest.mark.parametrize("arguments", [
    ("cusum", "--outcome", "died"), ("cusum", "--outcome", "died", "--risk", "chance", "--score", "chance"),
    ("cusum", "--outcome", "nosuch", "--risk", "chance"),
    ("cusum", "--outcome", "died", "--risk", "chance", "--odds", "1"), ("cusum", "--outcome", "died", "--risk", "chance", "--limit", "0"),
    ("cusum", "--outcome", "died", "--risk", "chance", "--limit", "nan"), ("cusum", "--outcome", "died", "--risk", "chance", "--run-length", "1"),
    ("cusum", "--outcome", "died", "--risk", "chance", "--level", "95"), ("cusum", "--outcome", "died", "--risk", "chance", "--format", "xml"),
    ("cusum", "--outcome", "died", "--risk", "died", "--run-length", "100"),
    ("standardise", "--unit", "hospital"), ("standardise", "--unit", "hospital", "--outcome", "died"),
    ("standardise", "--unit", "hospital", "--outcome", "died", "--by", "band", "--method", "wald"),
    ("standardise", "--unit", "hospital", "--outcome", "died", "--by", "band", "--dispersion", "some"),
    ("standardise", "--unit", "hospital", "--outcome", "died", "--by", "band", "--direct"),
    ("standardise", "--unit", "hospital", "--outcome", "died", "--by", "band", "--direct", "--population", "nosuch.csv"),
    ("standardise", "--unit", "hospital", "--observed", "died=1", "--expected", "chance"),
    ("risk", "--outcome", "died"), ("risk", "--outcome", "died", "--number", "chance,chance", "--category", "chance"),
    ("risk", "--outcome", "died", "--number", "chance", "--index", "none"), ("risk", "--outcome", "died", "--number", "chance", "--weights", "none"),
    ("risk", "--outcome", "died", "--number", "chance", "--knots", "99"), ("risk", "--outcome", "died", "--number", "chance", "--model", "linear"),
    ("risk", "--outcome", "died=7", "--number", "chance"), ("risk", "--outcome", "died=1", "--number", "chance", "--model", "days"),
    ("risk", "--outcome", "died", "--category", "chance"), ("risk", "--outcome", "died", "--number", "chance", "--time", "nosuch"),
    ("risk", "--outcome", "died", "--number", "chance", "--out", "no/such/folder/out.csv")])
def test_bad_options_end_with_one_clear_line(quality, stays: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = quality(arguments[0], stays, *arguments[1:])
    assert code == 2 and err.strip(), (arguments, code, err)


@pytest.mark.parametrize("command", ["cusum", "standardise", "risk"])
def test_tables_speak_both_languages(quality, stays: Path, command: str) -> None:
    options = {"cusum": ("--outcome", "died", "--risk", "chance"), "standardise": ("--unit", "hospital", "--outcome", "died", "--expected", "chance"),
               "risk": ("--outcome", "died", "--number", "chance", "--category", "sex")}[command]
    code, out, err = quality(command, stays, *options)
    assert code == 0 and "120 rows read" in err and len(out.splitlines()) > 5
    assert not re.search("[\u4e00-\u9fff]", out)
