"""DIP against one case after another, with a pencil; what is drawn is what is found again; and lists as regions keep them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanmin.catalog import Catalog
from quanmin.catalog.grouper_files import Schemes
from quanmin.catalog.loader import read_all
from quanmin.catalog.reading import Complaints, Definition
from quanmin.cli import main
from quanmin.model import Refusal
from quanmin.model.scheme import PROCEDURE_KINDS
from quanmin.services.grouping.clusters import Clusters, drawn_clusters, file_cases, publish_clusters
from quanmin.services.grouping.dip import MOST_PROCEDURES, ReadyDip, kind_of
from quanmin.services.grouping.dip_plain import DipCase, groups_plain, kind_plain, points_plain
from quanmin.services.grouping.schemes import dip_of, grouped, scheme_of

DIAGNOSES = ("J18.900", "J18.903", "J18.000", "I25.103", "I25.102", "I21.900", "A00.000x001", "Z51.102")
PROCEDURES = ("36.0601", "36.0700", "00.6600", "99.2501", "88.5500", "33.2400", "93.9401", "45.1600x001", "47.0100", "51.2300", "86.2200", "39.9500", "81.5400")
HEADER = "case_id,sex,age_years,diagnoses,procedures,total_charge_cny"


@pytest.fixture(scope="module")
def method(catalog: Catalog) -> ReadyDip:
    return dip_of(catalog, "dip")


def table(cases: list[DipCase]) -> pa.Table:
    return pa.table({"diagnoses": pa.array(["|".join(c.diagnoses) for c in cases], pa.string()),
                     "procedures": pa.array(["|".join(c.procedures) for c in cases], pa.string()), "charge": pa.array([c.charge for c in cases], pa.float64()),
                     "days": pa.nulls(len(cases), pa.float64()), "died": pa.nulls(len(cases), pa.bool_())})


def to_group(cases: list[DipCase]) -> pa.Table:
    blank = pa.array([""] * len(cases), pa.string())
    return table(cases).select(["diagnoses", "procedures"]).append_column("sex", blank).append_column("age_years", blank).append_column(
        "age_days", blank).append_column("birth_weight_g", blank)


def by_group(found: Clusters) -> dict[str, dict]:
    return {row["group"]: row for row in found.groups}


cases = st.lists(st.builds(
    DipCase, st.lists(st.sampled_from(DIAGNOSES), min_size=1, max_size=3),
    st.one_of(st.lists(st.sampled_from(PROCEDURES[:6]), max_size=3), st.lists(st.sampled_from(PROCEDURES), max_size=13)),
    st.integers(1, 20).map(lambda n: 500.0 * n * n)), min_size=1, max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(cases, st.integers(1, 6))
def test_groups_and_points_are_those_of_a_pencil(catalog: Catalog, method: ReadyDip, drawn: list[DipCase], least: int) -> None:
    kinds = method.scheme.procedure_kinds
    groups = groups_plain(drawn, kinds, least, MOST_PROCEDURES)
    found = by_group(drawn_clusters(catalog, method, table(drawn), least))
    assert {name: row["cases"] for name, row in found.items()} == Counter(groups)
    assert {name: float(row["points"]) for name, row in found.items()} == pytest.approx(points_plain(drawn, groups), rel=2e-5, abs=2e-3)
    assert {name for name, row in found.items() if row["type"] == "composite"} == {name for name in groups if name.split(":")[-1] in PROCEDURE_KINDS}


def test_the_kind_of_every_procedure_is_that_of_its_longest_prefix(method: ReadyDip) -> None:
    kinds = method.scheme.procedure_kinds
    for code in method.procedures.names[::7]:
        assert PROCEDURE_KINDS[kind_of(code, method.scheme)] == kind_plain(code, kinds), code
    told = {code: kind_plain(code, kinds) for code in ("36.0601", "88.5500", "33.2400", "92.2900", "92.1800", "99.2501", "45.1600", "47.0100")}
    assert told == {"36.0601": "operation", "88.5500": "diagnostic", "33.2400": "diagnostic", "92.2900": "therapeutic", "92.1800": "diagnostic",
                    "99.2501": "therapeutic", "45.1600": "diagnostic", "47.0100": "operation"}


MIXED = [*[DipCase(["J18.900", "I10.x00"], [], 4000.0 + n) for n in range(20)], *[DipCase(["J18.903"], ["33.2400"], 6000.0) for _ in range(3)],
         *[DipCase(["I25.103"], ["88.5500", "36.0601", "00.6600", "36.0700"], 40_000.0) for _ in range(16)], DipCase(["I25.103"], ["36.0700"], 50_000.0),
         DipCase(["J18.000"], ["88.5500"], 2000.0), DipCase(["XX"], [], 9.0), DipCase([], [], 9.0), DipCase(["J18.900"], [], 0.0)]


@pytest.fixture
def site(catalog: Catalog, tmp_path: Path) -> Path:
    """A folder of definitions with groups drawn from MIXED."""
    found, _ = publish_clusters(catalog, table(MIXED), tmp_path / "definitions", "dip_region", "2025-01-01", 15, "MIXED")
    assert (found.cases, found.left, found.core) == (41, 2, 2)
    return tmp_path


def read(catalog: Catalog, site: Path) -> Schemes:
    """The schemes with the one that was drawn."""
    found = catalog.groupers.trial()
    found.add(Definition(site / "definitions" / "groupers" / "dip_region.toml", "definitions/groupers/dip_region.toml", Complaints()))
    return found


def test_what_was_drawn_is_found_again(site: Path) -> None:
    catalog, complaints = read_all(site / "definitions")
    assert not complaints.problems
    prepared = scheme_of(catalog, "dip_region")
    rows = grouped(prepared, to_group([*MIXED, DipCase(["J18.900"], ["47.0100"], 1.0), DipCase(["J18.900", "??"], [], 1.0)])).to_pylist()
    known = [case for case in MIXED if case.diagnoses and case.diagnoses[0] != "XX" and case.charge]
    plain = groups_plain(known, prepared.scheme.procedure_kinds, 15, MOST_PROCEDURES)
    assert [row["drg"] for row in rows[:41]] == plain
    assert set(plain) == {"J18.9", "I25.1:00.66+36.06+36.07", "I25:operation", "J18:diagnostic"}
    assert [(row["mdc"], row["adrg"], row["drg"], row["reason"]) for row in rows[41:]] == [
        ("0000", "", "", "unknown_principal"), ("0000", "", "", "no_principal"), ("10", "J18", "J18.9", ""), ("0000", "", "", "no_group"),
        ("10", "J18", "J18.9", "other_codes_unknown")]
    assert {row["cc_level"] for row in rows} == {""}
    [weights] = catalog.weights.values()
    points = {cluster.id: cluster.points for cluster in prepared.scheme.clusters}
    assert {name: norm.weight * 1000 for name, norm in weights.groups.items()} == pytest.approx(points, abs=0.001)
    assert weights.scheme == "dip_region" and {norm.risk_level for norm in weights.groups.values()} == {None}, "deaths of a bare file are not known"
    for code, label in catalog.codes["drg"].codes.items():
        assert (label.zh and label.en.isascii()) or code not in points, code
    assert set(points) <= set(catalog.codes["drg"].codes) and "10" in catalog.codes["mdc"].codes and "FR41" in catalog.codes["drg"].codes


def test_drawing_again_takes_the_place_of_what_was_drawn(catalog: Catalog, site: Path) -> None:
    publish_clusters(catalog, table(MIXED[:20]), site / "definitions", "dip_region", "2025-01-01", 15, "fewer")
    assert [cluster.id for cluster in read(catalog, site)["dip_region"].clusters] == ["J18.9"]
    assert sorted(path.name for path in (site / "definitions").iterdir()) == ["groupers", "weights"]


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_text(content, encoding)
    return path


def excel(path: Path, content: str) -> Path:
    book = xlsxwriter.Workbook(str(path.with_suffix(".xlsx")))
    sheet = book.add_worksheet()
    for i, line in enumerate(content.splitlines()):
        for j, value in enumerate(line.split(",")):
            sheet.write_string(i, j, value)
    book.close()
    return path.with_suffix(".xlsx")


LINES = "\n".join([HEADER + ",\u5907\u6ce8", *(f"{n},1,60,J18.900|I10.x00,,{4000 + n},\u8089" for n in range(20)), "21,1,60,J18.000,33.2400,\uffe56000,x",
                   "22,2,50,J18.000,33.2400,,x"]) + "\n"


@pytest.mark.parametrize("make", [text, excel, lambda path, content: text(path, content.replace("\uffe5", ""), "gb18030")])
def test_a_file_is_taken_as_it_comes(catalog: Catalog, method: ReadyDip, tmp_path: Path, make: Callable[[Path, str], Path]) -> None:
    read, problems = file_cases(make(tmp_path / "cases.csv", LINES))
    found = by_group(drawn_clusters(catalog, method, read, 15))
    assert not problems and {name: row["cases"] for name, row in found.items()} == {"J18.9": 20, "J18:diagnostic": 1}


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["quanmin", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_commands_draw_group_and_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], english: None) -> None:
    made = text(tmp_path / "cases.csv", LINES)
    assert ran(monkeypatch, "cluster", str(made), "--site", str(tmp_path / "s"), "--valid-from", "2025-01-01") == 0
    assert "21 cases" in capsys.readouterr().out
    assert ran(monkeypatch, "group", str(made), "--scheme", "dip_region", "--site", str(tmp_path / "s"), "--out", str(tmp_path / "out.csv"), "--explain") == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["drg"] for row in rows] == ["J18.9"] * 20 + ["J18:diagnostic"] * 2
    assert all(part in rows[0]["explanation"] for part in ("core group J18.9", "J18.900", "20 cases"))
    assert all(part in rows[20]["explanation"] for part in ("composite group", "33.2400", "diagnostic procedure"))


WHERE = ["--site", "s", "--valid-from", "2025-01-01"]


@pytest.mark.parametrize(("arguments", "told"), [
    (["--valid-from", "2025-01-01"], "--site"), (["--site", "s"], "--valid-from"), ([*WHERE, "--id", "chs_drg_1_1"], "--id"),
    ([*WHERE, "--id", "../x"], "--id"), ([*WHERE, "--id", "dip"], "--id"),
    ([*WHERE, "--charge", "cost"], "cost"), ([*WHERE, "--charge", "case_id_"], "case_id_")])
def test_what_cannot_be_drawn_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], english: None,
                                              arguments: list[str], told: str) -> None:
    monkeypatch.chdir(tmp_path)
    text(tmp_path / "cases.csv", LINES)
    assert ran(monkeypatch, "cluster", "cases.csv", *arguments) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]


def test_the_method_alone_groups_nothing(catalog: Catalog, english: None) -> None:
    with pytest.raises(Refusal) as refusal:
        scheme_of(catalog, "dip")
    assert "quanmin cluster" in refusal.value.problems[0].sentence()


@pytest.mark.parametrize(("before", "after"), [
    ("J18.9,core", "J18.9,kernel"), ("J18.9,core,J18.9", "J18.9,core,"), (",23,", ",none,"),
    ("J18:diagnostic,composite,J18,,diagnostic", "J18:diagnostic,composite,I25,,operation")])
def test_what_is_wrong_with_the_groups_is_told_with_the_line(catalog: Catalog, site: Path, before: str, after: str) -> None:
    listed = site / "definitions" / "groupers" / "dip_region" / "groups.csv"
    content = listed.read_text("utf-8-sig")
    assert before in content
    listed.write_text(content.replace(before, after, 1), "utf-8")
    with pytest.raises(Refusal) as refusal:
        _ = read(catalog, site)["dip_region"]
    assert "groups.csv" in refusal.value.problems[0].file and refusal.value.problems[0].line
