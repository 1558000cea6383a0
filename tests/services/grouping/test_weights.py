"""Weights against sums done by hand, and lists of weights as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter

from quanmin.cli import main
from quanmin.model import Refusal
from quanmin.services.grouping.weights import Drawn, drawn_weights, last_whole_year, publish_official
from quanmin.site import Site, make_site

SCHEME = "chs_drg_1_1"


class Stays:
    """A snapshot that holds nothing but hospitalisations: (drg, charge, days, died, day, origin)."""

    def __init__(self, rows: list[tuple]) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("CREATE TABLE hospitalisation (mdc VARCHAR, adrg VARCHAR, drg VARCHAR, total_charge_cny DECIMAL(14,2), stay_days BIGINT,"
                                " died BOOLEAN, discharged_on DATE, origin VARCHAR)")
        for drg, charge, days, died, day, origin in rows:
            self.connection.execute("INSERT INTO hospitalisation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                    [drg and drg[0], drg and drg[:3], drg, charge, days, died, day, origin])

    def table(self, sql: str, parameters: dict | None = None) -> pa.Table:
        return self.connection.execute(sql, parameters or {}).to_arrow_table()


def stays(drg: str | None, charges: list[int], days: int = 5, died: int = 0, day: str = "2025-06-15", origin: str = "front_page") -> list[tuple]:
    return [(drg, charge, days, i < died, day, origin) for i, charge in enumerate(charges)]


def drawn(*rows: list[tuple], minimum: int = 4) -> tuple[Drawn, dict[str, dict]]:
    found = drawn_weights(Stays([one for part in rows for one in part]), "2025-01", "2025-12", minimum)
    return found, {row["drg"]: row for row in found.rows}


def test_weights_are_means_over_the_mean_of_all_cases() -> None:
    found, by = drawn(stays("FR41", [9000] * 4, 10), stays("KS15", [3000] * 8, 4))
    assert (by["FR41"]["weight"], by["KS15"]["weight"]) == (1.8, 0.6)  # the mean case costs (4 * 9000 + 8 * 3000) / 12 = 5000
    assert (by["FR41"]["mean_charge_cny"], by["FR41"]["mean_days"], by["KS15"]["mean_days"]) == (9000, 10, 4)
    assert sum(row["weight"] * row["cases"] for row in found.rows) == pytest.approx(found.cases)


def test_a_charge_far_outside_its_group_is_left_out() -> None:
    usual = [1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700]
    _, by = drawn(stays("FR41", [*usual, 90_000, 1]))
    assert (by["FR41"]["cases"], by["FR41"]["mean_charge_cny"]) == (8, sum(usual) / 8)


def test_a_small_group_leans_on_its_adjacent_group_or_its_category() -> None:
    found, by = drawn(stays("FR41", [8000]), stays("FR43", [4000] * 7), stays("FM19", [20_000] * 2), minimum=4)
    siblings = (8000 + 7 * 4000) / 8
    category = (8000 + 7 * 4000 + 2 * 20_000) / 10
    assert found.pooled == 2
    assert (by["FR41"]["pooled_with"], by["FR43"]["pooled_with"], by["FM19"]["pooled_with"]) == ("FR4", None, "F")
    assert by["FR41"]["mean_charge_cny"] == pytest.approx(8000 / 4 + 3 / 4 * siblings, abs=0.01)
    assert by["FM19"]["mean_charge_cny"] == pytest.approx(2 / 4 * 20_000 + 2 / 4 * category, abs=0.01)


def test_only_front_pages_with_a_group_and_a_charge_in_these_months_count() -> None:
    found, by = drawn(stays("FR41", [1000] * 4), stays("FR41", [9000] * 4, day="2024-12-31"), stays("FR41", [9000] * 4, day="2026-01-01"),
                      stays("FR41", [9000] * 4, origin="claim"), stays(None, [9000] * 4), stays("FR41", [0] * 4))
    assert (found.cases, by["FR41"]["mean_charge_cny"]) == (4, 1000)
    with pytest.raises(Refusal):
        drawn(stays("FR41", [1000] * 4, day="2024-12-31"))


def test_levels_of_risk_are_bands_of_the_logarithm_of_mortality() -> None:
    deaths = {"AA19": 0, "BA19": 1, "CA19": 10, "DA19": 10, "EA19": 10, "FA19": 100}  # of 1000; logarithms apart by ln 10 on both sides of the middle
    _, by = drawn(*(stays(drg, [1000] * 1000, died=died) for drg, died in deaths.items()))
    assert {drg: row["risk_level"] for drg, row in by.items()} == {"AA19": 0, "BA19": 1, "CA19": 3, "DA19": 3, "EA19": 3, "FA19": 4}


@pytest.mark.parametrize(("day", "year"), [("2025-12-01", 2025), ("2026-11-30", 2025)])
def test_the_last_whole_year_is_one_whose_december_has_discharges(day: str, year: int) -> None:
    assert last_whole_year(Stays(stays("FR41", [1], day=day))) == year


def excel(path: Path, text: str) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for i, line in enumerate(text.splitlines()):
        for j, value in enumerate(line.split(",")):
            sheet.write_string(i, j, value)
    book.close()
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_text(content, encoding)
    return path


@pytest.mark.parametrize("make", [text, excel, lambda path, content: text(path, content.replace("note", "\u540d\u79f0"), "gb18030")])
def test_a_list_is_taken_as_it_comes(tmp_path: Path, make: Callable[[Path, str], Path]) -> None:
    site = make_site(tmp_path / "site")
    listed = make(tmp_path / 'o"1.csv', "note,drg,weight,risk_level\nx,FR41,1.25,1\ny,KS15,0.5,\n")
    publish_official(listed, site.folder / "definitions", SCHEME, "2026-01-01")
    [found] = Site(site.folder).catalog.weights.values()
    assert found.valid_from == "2026-01-01" and 'o"1' in found.label.en
    assert {drg: (norm.weight, norm.risk_level, norm.mean_days) for drg, norm in found.groups.items()} == {"FR41": (1.25, 1, None), "KS15": (0.5, None, None)}


@pytest.mark.parametrize(("content", "told"), [
    ("drg,weight\nFR41,-1\n", "FR41"), ("drg,weight\nFR41,1\nFR41,2\n", "FR41"), ("drg,weight\nFR41,heavy\n", "heavy"), ("group,weight\nFR41,1\n", "drg"),
    ("drg,weight\n", "empty"), ("drg,weight\nFR41,1,2,3\n", "4"), ("", "w.csv:1")])
def test_a_list_that_cannot_be_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, english: None, content: str,
                                               told: str) -> None:
    site = make_site(tmp_path / "site")
    before = sorted(path.name for path in (site.folder / "definitions").rglob("*"))
    listed = text(tmp_path / "w.csv", content)
    monkeypatch.setattr("sys.argv", ["quanmin", "weigh", str(site.folder), "--official", str(listed), "--valid-from", "2026-01-01"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in (site.folder / "definitions").rglob("*") if path.name != "weights") == before
    assert json.dumps(list(Site(site.folder).catalog.weights)) == "[]"


@pytest.mark.parametrize("day", ["", "2026-13-01", "soon"])
def test_a_day_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, english: None, day: str) -> None:
    site = make_site(tmp_path / "site")
    monkeypatch.setattr("sys.argv", ["quanmin", "weigh", str(site.folder), "--valid-from", day])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--valid-from" in capsys.readouterr().err
