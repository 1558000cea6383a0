"""Who is who, case by case: tests/residents/cases.toml read as tests."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from quanmin.records.residents import link
from tests.residents.made_people import with_check

COLUMNS = {"id": "identity_id", "name": "name", "sex": "sex_code", "birth": "birth_date", "number": "identity_number", "phone": "phone",
           "address": "address", "region": "region_code", "card": "health_card_number"}
CASES = tomllib.loads(Path(__file__).with_name("cases.toml").read_text("utf-8"))["case"]


def identities(rows: str) -> pa.Table:
    """A text table as identities, in order of first sight."""
    lines = [[cell.strip() for cell in line.split("|")] for line in rows.strip().splitlines()]
    table: dict[str, list[Any]] = {COLUMNS[head]: [line[i] or None for line in lines[1:]] for i, head in enumerate(lines[0])}
    numbers = table.get("identity_number", [])
    table["identity_number"] = [n and (with_check(n[:-1]) if n.endswith("?") else n) for n in numbers] or [None] * (len(lines) - 1)
    columns = {name: pa.array(values, pa.string()) for name, values in table.items()}
    return pa.table(columns | {"first_submission": pa.array([1] * (len(lines) - 1)), "first_line": pa.array(range(2, len(lines) + 1))})


def together(*others: pa.Table) -> pa.Table:
    """The identities of all cases, named apart, and others, in order of first sight."""
    parts = []
    for number, case in enumerate(CASES):
        table = identities(case["rows"])
        ids = pc.binary_join_element_wise(table["identity_id"], pa.scalar(f"{number:02d}"), "")
        parts.append(table.set_column(table.column_names.index("identity_id"), "identity_id", ids))
    whole = pa.concat_tables([*parts, *others], promote_options="default")
    assert len(set(whole["identity_id"].to_pylist())) == len(whole)
    return whole.set_column(whole.column_names.index("first_line"), "first_line", pa.array(range(len(whole)), pa.int64()))


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    given = identities(case["rows"])
    linked = link(duckdb.connect(), given)
    resident = {row["identity_id"]: row["resident_id"] for row in linked.clusters.to_pylist()}
    groups: dict[str, set[str]] = {}
    for identity, who in resident.items():
        groups.setdefault(who or identity, set()).add(identity)
    evidence = linked.edges.select(["identity_a", "identity_b", "levels", "probability", "status"]).to_pylist()
    assert {frozenset(g) for g in groups.values() if len(g) > 1} == {frozenset(g.split()) for g in case.get("groups", ())}, evidence
    review = {f"{row['identity_a']} {row['identity_b']}": row["reason"] for row in linked.review.to_pylist()}
    assert review == case.get("review", {}), evidence
    assert {i for i, who in resident.items() if who is None} == set(case.get("nobody", ()))
