"""What rows show: never who somebody is, unless the role may see it and asks to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

from quanmin.engines.duckdb import DuckDBEngine
from quanmin.gate import Actor, NotAllowed, Scope
from quanmin.gate.masking import mask
from quanmin.model import Column, Label, Table
from quanmin.records.ledger import Ledger
from quanmin.services.indicators import Indicators
from tests.conftest import frames_of
from tests.gate.conftest import STAYS, WHOLE, stays

NONE = Label("", "")
KINDS = {"name": ("text", "direct"), "number": ("integer", "direct"), "born": ("date", "quasi"), "township": ("code", "quasi"), "sex": ("code", "no"),
         "seen": ("date", "no")}
TABLE = Table("x", NONE, {name: Column(name, kind, NONE, private=private) for name, (kind, private) in KINDS.items()})
ROWS = pa.table({
    "name": ["Wang Fang", "Li", "X", "", None, "\U00020000\u4e00"], "number": pa.array([13800001111, 7, 12, None, 0, 5]),
    "born": pa.array([date(1950, 3, 4), date(2000, 12, 31), None, date(1900, 1, 1), date(2026, 1, 1), date(1999, 9, 9)]),
    "township": ["T1"] * 6, "sex": ["1"] * 6,
    "seen": pa.array([date(2026, 3, 4)] * 6), "counted": [True] * 6,
})


def test_direct_identifiers_are_starred_and_birth_dates_cut_to_the_year() -> None:
    masked = mask(ROWS, TABLE).to_pydict()
    assert masked["name"] == ["W**", "L**", "**", "**", None, "\U00020000**"]
    assert masked["number"] == ["1**", "**", "1**", None, "**", "**"]
    assert masked["born"] == [1950, 2000, None, 1900, 2026, 1999]
    assert {name: masked[name] for name in ("township", "sex", "seen", "counted")} == {
        name: ROWS[name].to_pylist() for name in ("township", "sex", "seen", "counted")}
    assert mask(ROWS, TABLE).column_names == ROWS.column_names


def test_masking_takes_no_rows_and_half_the_columns() -> None:
    assert mask(ROWS.slice(0, 0), TABLE).num_rows == 0
    assert mask(ROWS.select(["sex", "name"]), TABLE)["name"].to_pylist()[0] == "W**"


@pytest.mark.parametrize("table", sorted(WHOLE.tables))
def test_every_private_column_of_every_table_is_masked(table: str) -> None:
    declared = WHOLE.tables[table]
    row = {"text": "Wang Fang", "code": "110101", "integer": 42, "date": date(1950, 3, 4), "boolean": True}
    frame = frames_of(WHOLE, {table: [{c.name: row.get(c.type) for c in declared.columns.values()}]})[table]
    [before], [after] = frame.to_pylist(), mask(frame, declared).to_pylist()
    for column in declared.columns.values():
        if column.private == "direct":
            assert column.type in ("text", "integer") and after[column.name] in ("W**", "4**"), column.name
        elif column.private == "quasi" and column.type == "date":
            assert after[column.name] == 1950, column.name
        else:
            assert after[column.name] == before[column.name], column.name
        assert column.private != "quasi" or column.type not in ("timestamp", "integer"), f"masking does nothing to {column.name}"


@pytest.mark.parametrize(("role", "unmasked", "sees"), [
    ("section", False, "masked"), ("section", True, "nothing"), ("institution", False, "masked"), ("institution", True, "all"),
    ("leader", False, "nothing"), ("leader", True, "nothing"), ("viewer", True, "nothing"), ("auditor", True, "nothing"), ("administrator", True, "nothing"),
    ("operator", False, "masked"), ("operator", True, "all"),
])
def test_what_each_role_sees_of_names_and_birth_dates(ledger: Ledger, indicators: Indicators, role: str, unmasked: bool, sees: str) -> None:
    table = WHOLE.tables[STAYS]
    named = {"patient": Column("patient", "text", NONE, private="direct"), "birth_date": Column("birth_date", "date", NONE, private="quasi")}
    catalog = replace(indicators.catalog, tables={STAYS: replace(table, columns={**table.columns, **named})})
    rows = [row | {"patient": "Wang Fang", "birth_date": date(1950, 3, 4)} for row in stays()]
    indicators = Indicators(catalog, DuckDBEngine(catalog, frames=frames_of(catalog, {STAYS: rows}), threads=1), 7)
    actor = Actor("x", role, Scope(), ledger)
    if sees == "nothing":
        with pytest.raises(NotAllowed):
            actor.rows(indicators, "deaths", unmasked=unmasked)
        return
    shown = actor.rows(indicators, "deaths", unmasked=unmasked, limit=9).to_pylist()
    assert len(shown) == 9
    expected = ("Wang Fang", date(1950, 3, 4)) if sees == "all" else ("W**", 1950)
    assert {(row["patient"], row["birth_date"]) for row in shown} == {expected}
