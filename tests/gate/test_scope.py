"""A scope is a predicate under every read: whatever is asked, a scoped actor sees the filtered tables and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.catalog import Catalog
from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.plain import PlainEngine
from quanmin.engines.plain_values import Meaning
from quanmin.gate import Actor, Scope
from quanmin.model import Check, Half, Indicator, Label, Provenance, Refusal, Table
from quanmin.records.ledger import Ledger
from quanmin.services.indicators import Indicators
from tests.conftest import frames_of
from tests.gate.conftest import STAYS, deaths, stays

CATALOG, _ = read_all()
OWN = Provenance("d", status="own")
SCOPES = [Scope("county", "C1"), Scope("facility", "C1-F.1_a")]
PUBLIC = {"region", "target", "receipt"}
CLOSED = {  # tables that say nothing of the scope's kind: nothing of them is shown
    "county": {"adverse_event_report", "case_report", "charge_item", "facility_month", "facility_year", "hospital_infection", "laboratory_result", "population",
               "resident", "resident_link", "stay", "stay_diagnosis", "stay_group", "stay_procedure", "stock_lot", "stock_movement",
               "syndrome_day", "vaccination", "visit", "ward_device_month"},
    "facility": {"county_population", "daily_count", "pharmacy_sale_day", "place", "population", "resident", "resident_link", "school_absence_day"},
}
CASES = [(name, scope) for name in CATALOG.tables for scope in SCOPES]


def is_own(row: Mapping[str, Any], table: Table, scope: Scope) -> bool:
    """Whether a row is in the scope, told the slow way."""
    if table.id in PUBLIC:
        return True
    if table.id in CLOSED[scope.kind]:
        return False
    columns = {table.scope[scope.kind]} | ({"home_county", "facility_county"} & set(table.columns) if scope.kind == "county" else set())
    return any(row[name] == scope.value for name in columns)


def values(table: Table, name: str) -> st.SearchStrategy[Any]:
    column = table.columns[name]
    if name in {"home_county", "facility_county", *table.scope.values()}:
        return st.sampled_from([None, *(scope.value for scope in SCOPES), "C2", "C2-F1", "", "c1"])
    kinds = {"integer": st.integers(0, 3), "number": st.sampled_from([0.5, 2.25]), "money": st.sampled_from([Decimal("0.10"), Decimal("7.35")]),
             "boolean": st.booleans(), "date": st.sampled_from([date(2025, 12, 31), date(2026, 1, 1)]),
             "timestamp": st.sampled_from([datetime(2025, 12, 31, 23, 59), datetime(2026, 1, 1)])}
    return st.one_of(st.none(), kinds.get(column.type, st.sampled_from(["a", "b"])))


def questions(table: Table) -> list[tuple[Indicator | Check, tuple[str, ...]]]:
    """A count, a total, distinct values and a share, over all and by groups."""
    half = Half(table.id, time=table.time, place=table.place)
    number = next((c.name for c in table.columns.values() if c.type in ("integer", "money", "number")), "")
    any_column = next(iter(table.columns))
    total = Indicator("x", "X", Label("x", "x"), "total", "", "none", "t", OWN, half)
    check = Check("x", Label("x", "x"), table.id, "conformance", "error", "", f'"{any_column}" IS NULL', (), Label("x", "x"), OWN)
    asked: list[Indicator | Check] = [total, replace(total, numerator=replace(half, distinct=any_column)), check]
    if number:
        asked.append(replace(total, numerator=replace(half, sum=f'"{number}"')))
    groups = [(), *((name,) for name in table.scope.values()), *([("year",)] if table.time else []), *([("place",)] if table.place else [])]
    return [(question, by) for question in asked for by in dict.fromkeys(groups)]


@pytest.mark.parametrize(("name", "scope"), CASES, ids=[f"{name}-{scope.kind}" for name, scope in CASES])
@settings(max_examples=3, deadline=None)
@given(st.data())
def test_what_a_scope_shows_is_the_filtered_table(name: str, scope: Scope, data: st.DataObject) -> None:
    table = CATALOG.tables[name]
    shown = [c for c in list(table.columns)[:8] if c not in table.scope.values()]
    needed = {*table.scope.values(), *({"home_county", "facility_county"} & set(table.columns)), *filter(None, [table.time])}
    drawn = {c: values(table, c) for c in {*shown, *needed}}
    rows = [{c: row.get(c) for c in table.columns} for row in data.draw(st.lists(st.fixed_dictionaries(drawn), max_size=14))]
    own = [row for row in rows if is_own(row, table, scope)]
    predicate = scope.limits({name: table}).get(name, "")
    meaning = Meaning(lambda list_id: CATALOG.codes[list_id].codes)
    assert [row for row in rows if meaning.of(predicate, row) is True] == own
    small = Catalog(tables={name: table}, codes=CATALOG.codes)
    limited = DuckDBEngine(small, frames=frames_of(small, {name: rows}), limits=scope.limits(small.tables), threads=1)
    filtered = PlainEngine(small, {name: own})
    for question, by in questions(table):
        found, expected = (engine.ask(question, by) for engine in (limited, filtered))
        assert [(dict(c.key), c.numerator and float(c.numerator), c.denominator, c.unknown) for c in found.cells] == [
            (dict(c.key), c.numerator and float(c.numerator), c.denominator, c.unknown) for c in expected.cells], (question, by)
    check = next(question for question, _ in questions(table) if isinstance(question, Check))
    listed = [{c: row[c] for c in table.columns} for row in limited.rows(check).to_pylist()]
    assert sorted(map(repr, listed)) == sorted(map(repr, own))


def test_which_tables_are_open_and_closed_is_known() -> None:
    """A new table without a scope shows nothing to a scoped actor; who wants it public names it here and in `gate/scope.py`."""
    for scope in SCOPES:
        predicates = {name: scope.predicate(table) for name, table in CATALOG.tables.items()}
        assert {name for name, predicate in predicates.items() if not predicate} == PUBLIC
        assert {name for name, predicate in predicates.items() if predicate == "FALSE"} == CLOSED[scope.kind]
    assert Scope().limits(CATALOG.tables) == {}
    assert not [name for name in PUBLIC for c in CATALOG.tables[name].columns.values() if c.private != "no"], "a public table names people"


@pytest.mark.parametrize("text", [
    "county:", "region:C1", "county:C1' OR TRUE --", 'county:C1"', "county:C1;", "county:C 1", "galaxy:C1", "", "county", "County:C1"])
def test_a_scope_cannot_carry_anything_but_a_code(text: str) -> None:
    with pytest.raises(Refusal):
        Scope.parse(text)


@pytest.mark.parametrize("text", ["region", "county:990101", "facility:C1-F.1_a"])
def test_scopes_are_written_as_they_are_read(text: str) -> None:
    assert str(Scope.parse(text)) == text


@pytest.mark.parametrize("role", ["section", "institution"])
@pytest.mark.parametrize(("scope", "ours"), [
    ("county:C1", lambda row: row["home_county"] == "C1"), ("facility:C2-F1", lambda row: row["facility_code"] == "C2-F1"), ("county:C9", lambda row: False)])
def test_an_actor_sees_the_same_part_in_figures_rows_and_conditions(ledger: Ledger, small: Catalog, role: str, scope: str, ours) -> None:
    parsed, everything = Scope.parse(scope), stays()
    away = dict(everything[0], hospitalisation_id="AWAY", home_county="C1", facility_county="C2", facility_code="C2-F1")
    here = dict(everything[0], hospitalisation_id="HERE", home_county=None, facility_county="C1", facility_code="C1-F0")
    everything += [away, here]
    engine = DuckDBEngine(small, frames=frames_of(small, {STAYS: everything}), limits=parsed.limits(small.tables), threads=1)
    seen, actor = Indicators(small, engine, 7, suppress_below=5), Actor("x", role, parsed, ledger)
    own = [row for row in everything if ours(row)]
    [total] = actor.figures(seen, "deaths").cells
    assert (total.numerator, total.denominator) == (sum(row["died"] for row in own), len(own))
    for by in ("place", "sex_code", "facility_code"):
        column = "home_county" if by == "place" else by
        cells = {cell.key[by]: cell.denominator for cell in actor.figures(seen, "deaths", [by]).cells if cell.denominator}
        assert cells == {value: n for value in {row[column] for row in own} if (n := sum(row[column] == value for row in own))}
    listed = actor.rows(seen, "deaths")["hospitalisation_id"].to_pylist()
    assert sorted(listed) == sorted(row["hospitalisation_id"] for row in own)
    for where in ("TRUE OR place = 'C2'", "home_county <> 'C1' OR home_county = 'C1'", "facility_county = 'C1') OR (TRUE"):
        try:
            more = actor.rows(seen, "deaths", where=[where])["hospitalisation_id"].to_pylist()
        except Refusal:
            continue
        assert set(more) <= set(listed), where


def test_a_county_is_not_narrowed_twice_where_a_question_has_no_place() -> None:
    assert Scope("county", "C1").narrowing(["home_county"]) == ["place = 'C1'"]
    assert Scope("county", "C1").narrowing(["home_county", ""]) == Scope("facility", "F").narrowing(["x"]) == Scope().narrowing(["x"]) == []
    assert deaths().numerator is not None
