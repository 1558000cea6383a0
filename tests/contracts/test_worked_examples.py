"""Every definition's worked example holds on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.plain import PlainEngine
from tests.conftest import frames_of, rows_of

CATALOG, _ = read_all()
QUESTIONS = {**{i.id: i for i in CATALOG.indicators.values() if i.is_executable}, **CATALOG.checks, **CATALOG.rules}
TOLERANCE = 1e-4  # examples state four decimals


def hold(expected: dict, cell, by) -> list[str]:
    wrong = []
    for name, value in expected.items():
        if name in by:
            continue
        found = getattr(cell, name)
        found = None if found is None else float(found)
        if (value is None or value == "") != (found is None) or (found is not None and abs(found - float(value)) > TOLERANCE * max(1.0, abs(found))):
            wrong.append(f"{name}: expected {value}, got {found}")
    return wrong


def answers(engine_name: str, question, example):
    rows = rows_of(CATALOG, dict(example.tables))
    if engine_name == "plain":
        return PlainEngine(CATALOG, rows).ask(question, example.by, [example.where] if example.where else [])
    small = replace(CATALOG, tables={name: CATALOG.tables[name] for name in rows})
    return DuckDBEngine(small, frames=frames_of(CATALOG, rows), threads=1).ask(question, example.by, [example.where] if example.where else [])


@pytest.mark.parametrize("engine", ["duckdb", "plain"])
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_example(name: str, engine: str) -> None:
    question = QUESTIONS[name]
    example = question.example
    assert example is not None and example.tables and example.answers[0], f"{question.path} has no worked example"
    answer = answers(engine, question, example)
    for expected in example.answers:
        key = {n: v for n, v in expected.items() if n in answer.by}
        cells = [c for c in answer.cells if all(str(c.key[n]) == str(v) for n, v in key.items())]
        assert len(cells) == 1, f"{question.path}: {len(cells)} cells for {key} among {[c.key for c in answer.cells]}"
        wrong = hold(expected, cells[0], answer.by)
        assert not wrong, f"{question.path}: {'; '.join(wrong)}"
