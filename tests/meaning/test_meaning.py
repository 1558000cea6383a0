"""What the question language means, as small stories that are read, run on both engines, and printed in the manual (docs/generate.py).

The expected answers were worked out by hand; the intervals with scipy (Wilson, normal) and with 40 decimal places (Byar), not with an engine.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quanmin.catalog import Catalog
from quanmin.catalog.loader import read_all
from quanmin.catalog.question_files import read_check, read_indicator
from quanmin.catalog.reading import Complaints, Definition
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.plain import PlainEngine
from quanmin.engines.sql import parts
from quanmin.model import Check, Half, Indicator, Refusal
from quanmin.services.indicators import Indicators
from tests.conftest import frames_of, rows_of

WHOLE, _ = read_all()
CASES = Path(__file__).parent / "cases"
LABEL = '{ zh = "x", en = "x" }'
INDICATOR = f'code = "X"\nname = {LABEL}\nbetter = "none"\nwhy = {LABEL}\nsource = {{ document = "x", status = "own" }}\nexample = {{}}\n'
CHECK = f'name = {LABEL}\ncategory = "conformance"\nseverity = "error"\nmend = {LABEL}\nsource = {{ document = "x", status = "own" }}\nexample = {{}}\n'
FIGURES = ("numerator", "denominator", "unknown", "value", "low", "high")


@dataclass(frozen=True)
class Case:
    """One story: tables with rows, questions, what is asked, and the answer."""

    id: str
    tables: Mapping[str, str]
    questions: Mapping[str, str]
    asked: str
    told: Mapping[str, Any]


def cases() -> list[Case]:
    """All stories; tables and questions of a file belong to each of its cases, which may replace them."""
    found = []
    for path in sorted(CASES.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for one in data["case"]:
            own = one.get("questions", {})
            questions = {**data.get("questions", {}), **own}
            found.append(Case(f"{path.stem}.{one['id']}", {**data.get("tables", {}), **one.get("tables", {})}, questions,
                              one.get("ask") or next(iter(own or questions)), one))
    return found


def read_question(name: str, text: str, folder: Path, complaints: Complaints) -> Indicator | Check:
    """An indicator or check as the catalogue reads it; what a story leaves out is filled in."""
    path = folder / f"{name}.toml"
    data = tomllib.loads(text)
    if "violated" in data:
        table = data["table"]
        path.write_text(CHECK + text.replace(f'table = "{table}"', ""), encoding="utf-8")
        return read_check(Definition(path, name, complaints), table, WHOLE.tables, WHOLE.codes)
    path.write_text(INDICATOR + text, encoding="utf-8")
    return read_indicator(Definition(path, name, complaints), "t", WHOLE.tables, WHOLE.codes)


class Plain(PlainEngine):
    """The plain engine with what the services ask of an engine besides: rows, and fixed statements of ours."""

    def __init__(self, catalog: Catalog, tables: Mapping[str, list[dict[str, Any]]], fast: DuckDBEngine) -> None:
        super().__init__(catalog, tables)
        self.table, self.records = fast.table, fast.records

    def rows(self, question: Indicator | Check, which: str, where: Sequence[str], columns: Sequence[str], limit: int | None, by: Sequence[str]) -> pa.Table:
        part, _ = parts(self.catalog, question)
        half, found = Half(part.table.id, time=part.time, place=part.place), []
        for key, rows in self._grouped(half, tuple(by), where).items():
            for row in rows:
                whole, counted = self.meaning.of(part.whole, row), self.meaning.of(part.counted, row)
                is_unknown = whole is not False and None in (whole, counted)
                if {"numerator": whole is True and counted is True, "denominator": whole is True, "unknown": is_unknown}[which]:
                    found.append(dict(zip(by, key, strict=True)) | {name: row[name] for name in columns} | {"counted": counted})
        return pa.Table.from_pylist(sorted(found, key=lambda row: [(row[name] is None, str(row[name])) for name in by]))


def asked(case: Case, engine: str, folder: Path) -> Indicators:
    complaints = Complaints()
    found = {name: read_question(name, text, folder, complaints) for name, text in case.questions.items()}
    wrong = [p.sentence() for p in complaints.problems if p.field not in ("example", "name")]
    assert not wrong, wrong
    rows = rows_of(WHOLE, dict(case.tables))
    needed = {h.table for q in found.values() if isinstance(q, Indicator) for h in (q.numerator, q.denominator) if h} | set(rows)
    rows |= {name: [] for name in needed - set(rows)}
    small = Catalog({name: WHOLE.tables[name] for name in rows}, WHOLE.codes, {n: q for n, q in found.items() if isinstance(q, Indicator)},
                    {n: q for n, q in found.items() if isinstance(q, Check)})
    fast = DuckDBEngine(small, frames=frames_of(small, rows), threads=1)
    chosen: Any = fast if engine == "duckdb" else Plain(small, rows, fast)
    return Indicators(small, chosen, 1, case.told.get("below", 0))


def table_of(text: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    assert all(len(row) == len(header) for row in rows), "a row has more or fewer cells than the header"
    return header, rows


def same(found: Any, expected: str, name: str) -> bool:
    """Whether a figure is the one expected; 2/3 stands for two thirds, blank for none."""
    if expected == "" or found is None:
        return expected == "" and found in (None, ())
    if name in FIGURES:
        return math.isclose(float(found), float(Fraction(expected)), rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(found, bool):
        return str(found).lower() == expected
    return (" ".join(found) if isinstance(found, tuple) else str(found)) == expected


@pytest.mark.parametrize(("case", "engine"), [
    pytest.param(case, engine, id=f"{case.id}-{engine}") for case in cases() for engine in ("duckdb", "plain")
    if (case.told.get("refused"), engine) != ("where", "plain")  # the plain engine is given conditions that were checked
])
def test_meaning(case: Case, engine: str, tmp_path: Path) -> None:
    told, name = case.told, case.asked
    indicators = asked(case, engine, tmp_path)
    by, where = told.get("by", []), told.get("where", [])
    if "refused" in told:
        with pytest.raises(Refusal) as refusal:
            indicators.ask(name, by, where)
        assert {problem.field for problem in refusal.value.problems} == {told["refused"]}
        return
    header, expected = table_of(told["answer"])
    if "rows" in told:
        listed = indicators.rows(name, told["rows"], where, told["columns"], by=by).to_pylist()
        found = [[row[column] for column in header] for row in listed]
    else:
        cells = indicators.ask(name, by, where).cells
        found = [[cell.key[column] if column in cell.key else getattr(cell, column) for column in header] for cell in cells]
    if "rows" in told and not by:
        found.sort(key=str)
    shown = "\n".join(map(str, found))
    assert len(found) == len(expected), f"{len(expected)} rows expected, found:\n{shown}"
    for row, wanted in zip(found, expected, strict=True):
        pairs = zip(header, row, wanted, strict=True)
        wrong = [f"{column}: {wish!r} expected, {value!r} found" for column, value, wish in pairs if not same(value, wish, column)]
        assert not wrong, f"{'; '.join(wrong)}\n{shown}"


def test_every_story_is_told_in_both_languages_and_once() -> None:
    found = cases()
    assert len(found) >= 45 and len({case.told["id"] for case in found}) == len(found)
    assert not [case.id for case in found if not case.told["zh"] or not case.told["en"]]
