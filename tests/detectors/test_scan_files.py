"""Scans of bare files by command: CSV in either language's encoding, weeks and covariates, and every file that cannot be used named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quanmin.cli import app
from quanmin.detectors.scan import Settings, scan
from quanmin.model import Refusal
from quanmin.services.surveillance.scanning_files import AskedScan, limits_of, scan_files

PLACES = "place,x,y\nA,0,0\nB,1,0\nC,9,9\nD,10,9\nE,5,5\n"
PEOPLE = "place,population\nA,1000\nB,2000\nC,1500\nD,1200\nE,900\n"
CASES = "place,date,count\n" + "".join(f"{place},2026-03-{day:02d},1\n" for day in range(1, 29) for place in "ABCDE" if (day * 7 + ord(place)) % 5 == 0) + (
    "C,2026-03-26,4\nD,2026-03-27,5\nC,2026-03-28,3\n")


def files(tmp_path: Path, **texts: str) -> dict[str, Path]:
    told = {}
    for name, text in ({"cases": CASES, "places": PLACES, "population": PEOPLE} | texts).items():
        told[name] = tmp_path / f"{name}.csv"
        told[name].write_text(text, "utf-8")
    return told


def test_a_command_writes_the_clusters_it_found(tmp_path: Path) -> None:
    given, out = files(tmp_path), tmp_path / "clusters.csv"
    asked = ["scan", str(given["cases"]), "--places", str(given["places"]), "--population", str(given["population"]), "--prospective", "--max-days", "7",
             "--set", "replicas=99", "--set", "seed=3", "--out", str(out)]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8") as stream:
        first = next(csv.DictReader(stream))
    assert set(first["members"].split()) == {"C", "D"} and (first["first_on"], first["last_on"]) == ("2026-03-26", "2026-03-28")
    assert float(first["p"]) == 0.01 and float(first["recurrence_days"]) == 100 and float(first["observed"]) == 13
    again = out.read_text("utf-8")
    CliRunner().invoke(app, asked)
    assert out.read_text("utf-8") == again


def test_satscan_files_and_columns_of_other_names_say_the_same(tmp_path: Path) -> None:
    given = files(tmp_path)
    settings = Settings(replicas=0)
    plain = scan_files(AskedScan(given["cases"], given["places"], given["population"], settings=settings)).rows
    for name, suffix in (("cases", "cas"), ("places", "geo"), ("population", "pop")):
        rows = [line.split(",") for line in given[name].read_text("utf-8").splitlines()[1:]]
        told = [[row[0], row[2], row[1].replace("-", "/")] if suffix == "cas" else [row[0], "2026", row[1]] if suffix == "pop" else row for row in rows]
        (tmp_path / f"a.{suffix}").write_text("\n".join("  ".join(row) for row in told) + "\n", "utf-8")
    same = scan_files(AskedScan(tmp_path / "a.cas", tmp_path / "a.geo", tmp_path / "a.pop", coordinates="planar", settings=settings)).rows
    assert [(row["members"], row["llr"], row["first_on"]) for row in same] == [(row["members"], pytest.approx(row["llr"]), row["first_on"]) for row in plain]
    for name in given:
        text = given[name].read_text("utf-8").replace("place", "town").replace("count", "n").replace("date", "day")
        given[name].write_bytes(text.encode("gb18030"))
    columns = (("place", "town"), ("count", "n"), ("date", "day"))
    named = scan_files(AskedScan(given["cases"], given["places"], given["population"], columns=columns, settings=settings)).rows
    assert [row["llr"] for row in named] == [row["llr"] for row in plain]


def test_weeks_and_covariates(tmp_path: Path) -> None:
    given = files(tmp_path, cases="place,date,sex\nA,2026-03-02,f\nA,2026-03-08,f\nB,2026-03-09,m\nC,2026-03-20,f\nC,2026-03-21,f\nD,2026-03-22,m\n",
                  population="place,sex,population\n" + "".join(f"{place},{sex},{people}\n" for place in "ABCDE" for sex, people in (("f", 100), ("m", 300))))
    found = scan_files(AskedScan(given["cases"], given["places"], given["population"], period="week", covariates=("sex",), settings=Settings(replicas=0)))
    assert found.periods == 3 and (found.first_on, found.last_on) == ("2026-03-02", "2026-03-22")
    top = found.rows[0]
    assert set(top["members"].split()) == {"C", "D"} and (top["first_on"], top["last_on"]) == ("2026-03-16", "2026-03-22")
    assert top["expected"] == pytest.approx(6 * 2 / 5 / 3)  # every place has the same mix, so strata cancel
    uneven = given["population"].read_text("utf-8").replace("C,f,100", "C,f,900")
    given["population"].write_text(uneven, "utf-8")
    again = scan_files(AskedScan(given["cases"], given["places"], given["population"], period="week", covariates=("sex",), settings=Settings(replicas=0)))
    women, men = 4 * np.array([1, 1, 9, 1, 1]) / 13, 2 * np.ones(5) / 5
    own = scan(np.array([[2, 0, 0], [0, 1, 0], [0, 0, 2], [0, 0, 1], [0, 0, 0]]), np.array([[0, 0], [1, 0], [9, 9], [10, 9], [5, 5]]),
               population=women + men, settings=Settings(replicas=0))
    assert again.rows[0]["llr"] == pytest.approx(own.clusters[0].ratio)


def test_no_case_at_all_and_one_place(tmp_path: Path) -> None:
    given = files(tmp_path, cases="place,date,count\nA,2026-03-01,0\n")
    assert scan_files(AskedScan(given["cases"], given["places"], given["population"])).rows == []
    given = files(tmp_path, cases="place,date\n")
    assert scan_files(AskedScan(given["cases"], given["places"], model="permutation")).rows == []
    given = files(tmp_path, places="place,lat,lon\nA,30.1,120.2\n", cases="place,date\nA,2026-03-01\nA,2026-03-02\n", population="place,population\nA,10\n")
    assert scan_files(AskedScan(given["cases"], given["places"], given["population"])).rows == []


@pytest.mark.parametrize(("texts", "more", "file", "field"), [
    ({"cases": "place,date,count\nA,2026-03-01,x\n"}, {}, "cases", "count"), ({"cases": "place,date,count\nA,2026-03-01,-1\n"}, {}, "cases", "count"),
    ({"cases": "place,date,count\nA,2026-02-30,1\n"}, {}, "cases", "date"), ({"cases": "place,date,count\nA,2099-01-01,1\n"}, {}, "cases", "date"),
    ({"cases": "place,date,count\nA,,1\n"}, {}, "cases", "date"), ({"cases": "place,date,count\nZ,2026-03-01,1\n"}, {}, "cases", "place"),
    ({"cases": "place,day\nA,2026-03-01\n"}, {}, "cases", "date"), ({"places": "place,x,y\nA,0,0\nA,1,1\n"}, {}, "places", "place"),
    ({"places": "place,x,y\nA,0,\n"}, {}, "places", "y"), ({"places": "place,lat,lon\nA,120.2,30.1\n"}, {}, "places", "lat"),
    ({"places": "place,x,y\n"}, {}, "places", ""), ({"places": "place,x\nA,1\n"}, {}, "places", "latitude"),
    ({"population": PEOPLE.replace("1500", "0")}, {}, "population", "place"), ({"population": PEOPLE.replace("1500", "-1")}, {}, "population", "population"),
    ({"population": PEOPLE.replace("E,900\n", "")}, {}, "population", "place"), ({}, {"model": "guess"}, "scan", "--model"),
    ({}, {"period": "hour"}, "scan", "--period"), ({}, {"model": "bernoulli"}, "scan", "--controls"), ({}, {"population": None}, "scan", "--population"),
    ({}, {"model": "permutation", "spatial": True}, "scan", "--model"), ({}, {"since": "2026-04-01", "until": "2026-03-01"}, "scan", "--from, --to"),
    ({}, {"since": "spring"}, "scan", "--from"), ({}, {"places": Path("none.csv")}, "none", ""), ({}, {"covariates": ("sex",)}, "cases", "sex")])
def test_what_cannot_be_used_is_named(tmp_path: Path, texts: dict[str, str], more: dict[str, object], file: str, field: str) -> None:
    given = files(tmp_path, **texts)
    with pytest.raises(Refusal) as refused:
        scan_files(AskedScan(**({"cases": given["cases"], "places": given["places"], "population": given["population"]} | more)))  # type: ignore[arg-type]
    problem = refused.value.problems[0]
    assert Path(problem.file).stem == file and problem.field == field and problem.rule and problem.mend


@pytest.mark.parametrize("text", ["max_share=2", "replicas=many", "seed", "radius=3", "replicas=1.5"])
def test_settings_that_do_not_exist_are_named(text: str) -> None:
    with pytest.raises(Refusal):
        limits_of([text])


def test_a_short_line_of_a_satscan_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cas").write_text("A 1 2026/3/1\nB\n", "utf-8")
    given = files(tmp_path)
    for cases, places, field in ((given["cases"], tmp_path / "a.cas", "first"), (tmp_path / "a.geo", given["places"], "count")):
        with pytest.raises(Refusal) as refused:  # one kind of file in the place of another
            scan_files(AskedScan(cases, places, given["population"]))
        assert refused.value.problems[0].field == field
    with pytest.raises(Refusal) as refused:
        scan_files(AskedScan(tmp_path / "a.cas", given["places"], given["population"]))
    assert refused.value.problems[0].line == 2
