"""`quanmin group` on files as they come, and schemes as a region changes them."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quanmin.catalog.grouper_files import Schemes
from quanmin.catalog.loader import SHIPPED
from quanmin.catalog.reading import Complaints, Definition
from quanmin.cli import main
from quanmin.model import Refusal
from quanmin.services.grouping.files import group_file
from quanmin.services.grouping.grouper import Ready, group, ready

NAMES = tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))["names"]
HEADER = "case_id,sex,age_years,diagnoses,procedures,name"
LINES = [f"1,1,63,I25.103|I50.103,36.0601,{NAMES[0]}", f"2,2,30,E11.900,,{NAMES[1]}", "3,1,50,,,"]


def written(path: Path, lines: list[str], encoding: str = "utf-8", header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_give_the_same_groups_and_keep_what_was_there(national: Ready, tmp_path: Path, encoding: str) -> None:
    group_file(written(tmp_path / "a.csv", LINES, encoding), national, tmp_path / "out.csv")
    found = rows(tmp_path / "out.csv")
    assert [row["name"] for row in found] == [*NAMES, ""]
    assert [row["mdc"] for row in found] == ["F", "K", "0000"]
    assert [row["reason"] for row in found] == ["", "", "no_principal"]


def test_parquet_with_lists_in_and_parquet_out(national: Ready, tmp_path: Path) -> None:
    given = pa.table({"sex": [1, 2, None], "age_years": [63, 30, 50], "diagnoses": [["I25.103", "I50.103"], ["E11.900"], None],
                      "procedures": [["36.0601"], [], None]})
    pq.write_table(given, tmp_path / "a.parquet")
    group_file(tmp_path / "a.parquet", national, tmp_path / "out.parquet")
    group_file(written(tmp_path / "a.csv", LINES), national, tmp_path / "out.csv")
    assert pq.read_table(tmp_path / "out.parquet")["drg"].to_pylist() == [row["drg"] for row in rows(tmp_path / "out.csv")]


def test_broken_lines_are_named_and_the_rest_is_grouped(national: Ready, tmp_path: Path, english: None) -> None:
    summary = group_file(written(tmp_path / "a.csv", [LINES[0], "9,1", LINES[1], '"7,1,50'], "utf-8"), national, tmp_path / "out.csv")
    assert (summary.read, summary.malformed, len(rows(tmp_path / "out.csv"))) == (4, 2, 2)
    assert {problem.line for problem in summary.problems} == {3, 5}


@pytest.mark.parametrize(("header", "words"), [
    ("case_id,sex,years,diagnoses,procedures,name", ("age_years", "diagnoses")), ("case_id,sex,age_years,diagnoses,drg,name", ("drg",))])
def test_wrong_columns_are_told(national: Ready, tmp_path: Path, english: None, header: str, words: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as refusal:
        group_file(written(tmp_path / "a.csv", LINES, header=header), national, tmp_path / "out.csv")
    assert all(word in refusal.value.problems[0].sentence() for word in words)
    assert not (tmp_path / "out.csv").exists()


def test_values_that_need_quotes_come_back_as_they_were(national: Ready, tmp_path: Path) -> None:
    group_file(written(tmp_path / "a.csv", ['1,1,63,I25.103,,"a ""b"", c"', "2,2,30,E11.900,,=1+1"]), national, tmp_path / "out.csv", is_explained=True)
    assert [row["name"] for row in rows(tmp_path / "out.csv")] == ['a "b", c', "=1+1"]


def test_the_command_explains_and_complains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], english: None) -> None:
    monkeypatch.setattr("sys.argv", ["quanmin", "group", str(written(tmp_path / "a.csv", LINES)), "--out", str(tmp_path / "out.csv"), "--explain"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "3 cases: 2 grouped" in capsys.readouterr().out
    explanation = rows(tmp_path / "out.csv")[0]["explanation"]
    assert all(part in explanation for part in ("MDC F", "I25.103", "36.0601"))
    monkeypatch.setattr("sys.argv", ["quanmin", "group", str(tmp_path / "none.csv"), "--out", str(tmp_path / "x.csv"), "--scheme", "chs_drg_2_0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "definitions/groupers/chs_drg_2_0/" in capsys.readouterr().err


def variant(folder: Path, files: dict[str, str], card: str = 'based_on = "chs_drg_1_1"\neditions = ["clinical_2_0"]') -> tuple[Schemes, Complaints]:
    """The shipped schemes and one that a region bases on them."""
    (folder / "ours").mkdir()
    (folder / "ours.toml").write_text(f'name = {{ zh = "ours", en = "Ours" }}\nkind = "drg"\nstandard = "s"\nversion = "1"\nlicence = "l"\nsource = "s"\n'
                                      f'status = "own"\n{card}\n', "utf-8")
    for name, text in files.items():
        (folder / "ours" / f"{name}.csv").write_text(text, "utf-8")
    complaints, schemes = Complaints(), Schemes()
    for path in [*sorted((SHIPPED / "groupers").glob("*.toml")), folder / "ours.toml"]:
        schemes.add(Definition(path, f"catalog/groupers/{path.name}", complaints))
    return schemes, complaints


def test_a_variant_holds_only_what_differs(tmp_path: Path) -> None:
    schemes, complaints = variant(tmp_path, {
        "adrg": "change,before,adrg,mdc,kind,rule\nadd,FR1,FR0,F,medical,PDX in DX and AGE_YEARS >= 60\n",
        "adrg_codes": "change,adrg,list,code\nadd,FR0,DX,I21.001\nremove,FR1,DX,I21.002\n",
        "drg": "change,drg,adrg,severity,zh\nadd,FR09,FR0,ANY,of the old\n", "complications": "change,code,level,exclusion_table\nremove,I50.103,,\n"})
    schemes.check(complaints)
    assert not complaints.problems
    ours, national = ready(schemes["ours"]), ready(schemes["chs_drg_1_1"])
    drawn = [("70", "I21.001"), ("50", "I21.001"), ("50", "I21.002"), ("50", "A04.900|I50.103")]
    cases = pa.table({"sex": ["1"] * 4, "age_years": [age for age, _ in drawn], "age_days": [""] * 4, "birth_weight_g": [""] * 4,
                      "diagnoses": [codes for _, codes in drawn], "procedures": [""] * 4})
    found, before = group(ours, cases).to_pylist(), group(national, cases).to_pylist()
    assert [row["adrg"] for row in before[:3]] == ["FR1"] * 3
    assert [row["drg"] for row in found[:2]] == ["FR09", "FR19"]
    assert found[2]["adrg"] != "FR1"
    assert (before[3]["cc_level"], found[3]["cc_level"]) == ("MCC", "")


@pytest.mark.parametrize(("files", "told"), [
    ({"adrg": "adrg,mdc,kind,rule\nXX1,F,medical,PDX in NOWHERE\n"}, ("adrg.csv:2", "NOWHERE")),
    ({"adrg": "adrg,mdc,kind,rule\nXX1,?,medical,ALWAYS\n"}, ("adrg.csv:2", "mdc")),
    ({"adrg": "adrg,mdc,kind,rule\nXX1,F,medical,__import__('os')\n"}, ("adrg.csv:2", "rule")),
    ({"drg": "drg,adrg,severity,zh\nXX19,XX1,ANY,a\n"}, ("drg.csv:2", "XX1")), ({"drg": "drg,adrg,severity,zh\nFR29,FR2,WORST,a\n"}, ("drg.csv:2", "WORST")),
    ({"lists": "list\nA\n"}, ("lists.csv:1", "code")), ({"exclusions": "exclusion_table,principal\n1,A\n1,A\n"}, ("exclusions.csv:3", "repeated"))])
def test_what_is_wrong_with_a_scheme_is_told_with_file_and_line(tmp_path: Path, files: dict[str, str], told: tuple[str, ...]) -> None:
    schemes, complaints = variant(tmp_path, files)
    schemes.check(complaints)
    assert complaints.problems
    assert all(part in " ".join(p.sentence() for p in complaints.problems) for part in told), [p.sentence() for p in complaints.problems]
    with pytest.raises(Refusal):
        _ = schemes["ours"]


def test_lists_in_another_encoding_are_told(tmp_path: Path) -> None:
    schemes, complaints = variant(tmp_path, {"lists": "list,code\nA,1\n"})
    (tmp_path / "ours" / "drg.csv").write_bytes(f"drg,adrg,severity,zh\nFR29,FR2,ANY,{NAMES[0]}\n".encode("gb18030"))
    schemes.check(complaints)
    assert [p.file.endswith("drg.csv") and "UTF-8" in p.rule for p in complaints.problems[:1]] == [True]
