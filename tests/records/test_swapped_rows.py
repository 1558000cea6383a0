"""Tables whose rows change singly: a change makes only the files anew that hold a changed row, and many small additions become one file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from quanmin.records.warehouse import MOST_ADDED, StoredTable, Warehouse

TABLE = StoredTable("held", pa.schema([("who", pa.string()), ("what", pa.int64())]), False, ("who",), 2048)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE gone (who VARCHAR); CREATE TABLE come (what BIGINT, who VARCHAR)")
    return made


def _rows(warehouse: Warehouse, version: int) -> dict[str, int]:
    files = warehouse.files("held", version)
    return dict(duckdb.sql(f"SELECT who, what FROM read_parquet({files})").fetchall()) if files else {}


def _written(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection) -> int:
    return warehouse.write(connection, TABLE, "SELECT 'p' || range AS who, range AS what FROM range(20480)")[0]


def test_only_files_that_hold_a_changed_row_are_made_anew(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    warehouse = Warehouse(tmp_path)
    before = _written(warehouse, connection)
    files = set(warehouse.files("held", before))
    assert len(files) == 10
    connection.execute("INSERT INTO gone VALUES ('p7'), ('p8'); INSERT INTO come VALUES (-7, 'p7'), (1, 'new')")
    after, count = warehouse.swap(connection, TABLE, "gone", "come")
    assert count == 20480 and len(files & set(warehouse.files("held", after))) >= 8
    rows = {f"p{i}": i for i in range(20480)}
    assert _rows(warehouse, before) == rows, "who reads the snapshot of before sees what was"
    assert _rows(warehouse, after) == {who: what for who, what in rows.items() if who not in ("p7", "p8")} | {"p7": -7, "new": 1}


def test_additions_leave_all_files_and_small_ones_become_one(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    warehouse = Warehouse(tmp_path)
    version, seen = _written(warehouse, connection), 0
    large = set(warehouse.files("held", version))
    for number in range(2 * MOST_ADDED):
        connection.execute("DELETE FROM come; INSERT INTO come VALUES (?, ?)", [number, f"added {number}"])
        version, _ = warehouse.swap(connection, TABLE, "gone", "come")
        files = set(warehouse.files("held", version))
        assert large <= files
        seen = max(seen, len(files - large))
    assert seen == MOST_ADDED + 1
    assert _rows(warehouse, version) == {f"p{i}": i for i in range(20480)} | {f"added {i}": i for i in range(2 * MOST_ADDED)}


def test_a_table_of_nothing_can_be_added_to_and_emptied(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.write(connection, TABLE, "SELECT '' AS who, 0 AS what WHERE FALSE")
    connection.execute("INSERT INTO come VALUES (1, 'a')")
    assert warehouse.swap(connection, TABLE, "gone", "come")[1] == 1
    connection.execute("INSERT INTO gone VALUES ('a'); DELETE FROM come")
    version, count = warehouse.swap(connection, TABLE, "gone", "come")
    assert (count, _rows(warehouse, version)) == (0, {})
