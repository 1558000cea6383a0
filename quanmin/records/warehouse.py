"""The warehouse: Delta tables of Parquet files, built from landing and ledger; a published snapshot names a version of each.

Files are written by the engine and committed to the Delta log as add and remove actions, so a commit is atomic and any Delta reader
can read the tables; readers keep the files of their snapshot while a build publishes the next.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from quanmin.records.folders import sync

if TYPE_CHECKING:  # readers need neither: both are loaded where something is written
    import duckdb
    import pyarrow as pa

BY_PERIOD = ["slice_month"]
MOST_ADDED = 32  # files of additions, before they are made one


@dataclass(frozen=True)
class StoredTable:
    """A table's place in the warehouse: its columns and whether it is kept by month.

    One whose rows change singly (`key` says which) is kept in files of `file_rows`, so that a change makes few of them anew.
    """

    id: str
    schema: pa.Schema
    by_period: bool
    key: tuple[str, ...] = ()
    file_rows: int = 20_480


class Warehouse:
    """The tables of one site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tables"
        self._known: dict[tuple[str, int, tuple[int, int]], list[str]] = {}  # the files of versions

    def path(self, table: str) -> Path:
        """A table's folder."""
        return self.folder / table

    def latest(self, table: str) -> int | None:
        """The newest committed version of a table, None where it does not exist."""
        path = self.path(table)
        return DeltaTable(str(path)).version() if DeltaTable.is_deltatable(str(path)) else None

    def files(self, table: str, version: int) -> list[str]:
        """The Parquet files of a version; raises FileNotFoundError when the version or a file of it is gone."""
        known = self._known.get((table, version, self._commit(table, version)))
        if known is not None and all(map(os.path.exists, known)):
            return known
        path = self.path(table)
        if not DeltaTable.is_deltatable(str(path)):
            raise FileNotFoundError(table)
        try:
            found = DeltaTable(str(path), version=version).file_uris()
        except Exception as error:
            raise FileNotFoundError(table) from error
        return self._know(table, version, found)

    def _know(self, table: str, version: int, found: list[str]) -> list[str]:
        if not all(map(os.path.exists, found)):
            raise FileNotFoundError(table)
        key = table, version, self._commit(table, version)
        self._known[key] = sorted(found)
        return self._known[key]

    def _commit(self, table: str, version: int) -> tuple[int, int]:
        """What tells a version from one of the same number in a warehouse that was lost and made again; (0, 0) where it is gone."""
        try:
            found = (self.path(table) / "_delta_log" / f"{version:020d}.json").stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def periods(self, table: str, version: int) -> dict[str, list[str]]:
        """Period → its files, of a table kept by month."""
        found: dict[str, list[str]] = {}
        for file in self.files(table, version):
            found.setdefault(file.rsplit("/", 2)[-2].removeprefix("slice_month="), []).append(file)
        return found

    def settle(self, table: str, version: int) -> int:
        """Go back to the published version after a build that did not finish; returns the version that is newest then and has its content.

        Raises FileNotFoundError when the version or a file of it is gone.
        """
        path = str(self.path(table))
        if not DeltaTable.is_deltatable(path):
            raise FileNotFoundError(table)
        try:
            newest = DeltaTable(path)
        except Exception as error:
            raise FileNotFoundError(table) from error
        if newest.version() == version:
            self._know(table, version, newest.file_uris())
            return version
        self.files(table, version)
        newest.restore(version)
        return int(newest.version())

    def write(self, connection: duckdb.DuckDBPyConnection, table: StoredTable, query: str, replaced: Iterable[str] | None = None) -> tuple[int, int]:
        """Write the query's rows as the table's new content (or that of the `replaced` periods); returns (version, rows in all).

        A table kept by month takes its `slice_month` column from the query.
        """
        wanted = None if replaced is None else set(replaced)
        return self._write(connection, table, query, lambda path, period, rows: wanted is None or period in wanted)

    def _write(self, connection: duckdb.DuckDBPyConnection, table: StoredTable, query: str, goes: Callable[[str, str, int], bool]) -> tuple[int, int]:
        """Add the query's rows and remove the files of which `goes(path, period, rows)` holds, in one commit."""
        import pyarrow as pa

        folder = self.path(table.id)
        folder.mkdir(parents=True, exist_ok=True)
        adds = self._write_files(connection, table, query, folder)
        exists = DeltaTable.is_deltatable(str(folder))
        fields = list(table.schema) + ([pa.field("slice_month", pa.date32())] if table.by_period else [])
        schema = Schema.from_arrow(pa.schema(fields))
        partition = BY_PERIOD if table.by_period else []
        if not exists:
            create_table_with_add_actions(str(folder), schema, adds, mode="error", partition_by=partition)
            return self._counted(table.id, DeltaTable(str(folder)))
        delta = DeltaTable(str(folder))
        known = [field.name for field in delta.schema().fields]
        if known != [field.name for field in fields]:
            delta.create_write_transaction(adds, "overwrite", schema, partition)
            delta.update_incremental()
            return self._counted(table.id, delta)
        stamp = int(time.time() * 1000)
        removes = [
            RemoveAction(path, True, stamp, size, {"slice_month": period} if table.by_period else None)
            for path, size, period, rows in _entries(delta, table.by_period) if goes(path, period, rows)
        ]
        if adds or removes:
            delta.create_write_transaction([*adds, *removes], "append", delta.schema(), partition)
            delta.update_incremental()
        return self._counted(table.id, delta)

    def append(self, connection: duckdb.DuckDBPyConnection, table: StoredTable, query: str) -> tuple[int, int]:
        """Add the query's rows to a table that is not kept by month."""
        return self.write(connection, table, query, replaced=())

    def swap(self, connection: duckdb.DuckDBPyConnection, table: StoredTable, gone: str, come: str) -> tuple[int, int]:
        """Take the rows with the keys of one table of the connection out of a table, and put those of another in; returns (version, rows in all).

        Only files that hold a row to be taken out are made anew; the small files of many additions become one.
        """
        entries, files = _entries(DeltaTable(str(self.path(table.id))), False), self.files(table.id, self.latest(table.id) or 0)
        key, small = ", ".join(table.key), [Path(path).name for path, _, _, rows in entries if rows < table.file_rows]
        old = set(small) if len(small) > MOST_ADDED else set()
        if files and connection.execute(f"SELECT count(*) FROM {gone}").fetchone() != (0,):
            found = f"SELECT DISTINCT filename FROM read_parquet([{_listed(files)}], filename = true) SEMI JOIN {gone} USING ({key})"
            old |= {Path(name).name for (name,) in connection.execute(found).fetchall()}
        query = f"SELECT * FROM {come}"
        if old:
            again = _listed(file for file in files if Path(file).name in old)
            query = f"SELECT * FROM read_parquet([{again}]) ANTI JOIN {gone} USING ({key}) UNION ALL BY NAME {query}"
        return self._write(connection, table, query, lambda path, period, rows: Path(path).name in old)

    def _write_files(self, connection: duckdb.DuckDBPyConnection, table: StoredTable, query: str, folder: Path) -> list[AddAction]:
        import pyarrow.parquet as pq

        batch = folder / f"new-{uuid.uuid4().hex}"
        columns = ", ".join(f'"{field.name}"' for field in table.schema)
        how = f"FORMAT parquet, ROW_GROUP_SIZE {table.file_rows if table.key else 122_880}"
        if table.by_period:
            connection.execute(
                f"COPY (SELECT {columns}, slice_month FROM ({query})) TO '{batch}' ({how}, PARTITION_BY (slice_month), FILENAME_PATTERN 'part-{{uuid}}')"
            )
        elif table.key:
            batch.mkdir()
            connection.execute(f"COPY (SELECT {columns} FROM ({query})) TO '{batch}' ({how}, ROW_GROUPS_PER_FILE 1, FILENAME_PATTERN 'part-{{uuid}}')")
        else:
            batch.mkdir()
            connection.execute(f"COPY (SELECT {columns} FROM ({query})) TO '{batch}/part-{uuid.uuid4().hex}.parquet' ({how})")
        adds, made = [], sorted(batch.rglob("*.parquet"))
        sync(made)
        for file in made:
            rows = pq.read_metadata(file).num_rows
            period = file.parent.name.removeprefix("slice_month=") if table.by_period else None
            target = folder / (f"slice_month={period}" if period else "") / file.name
            if rows:
                target.parent.mkdir(exist_ok=True)
                file.replace(target)
                relative = target.relative_to(folder).as_posix()
                values = {"slice_month": period} if period else {}
                stats = json.dumps({"numRecords": rows})
                adds.append(AddAction(relative, target.stat().st_size, values, int(time.time() * 1000), True, stats))
            else:
                file.unlink()
        for left in sorted(batch.rglob("*"), reverse=True):
            left.rmdir()
        batch.rmdir()
        return adds

    def _counted(self, table: str, delta: DeltaTable) -> tuple[int, int]:
        self._know(table, delta.version(), delta.file_uris())
        actions = _actions(delta)
        rows = sum(actions["num_records"].to_pylist()) if actions.num_rows else 0
        return delta.version(), rows

    def sweep(self) -> None:
        """Remove what an unfinished build left half-written."""
        for batch in self.folder.glob("*/new-*"):
            for left in sorted(batch.rglob("*"), reverse=True):
                left.unlink() if left.is_file() else left.rmdir()
            batch.rmdir()


def _listed(files: Iterable[str]) -> str:
    return ", ".join(f"'{file}'" for file in files)


def _actions(delta: DeltaTable) -> pa.Table:
    import pyarrow as pa

    return pa.table(delta.get_add_actions(flatten=True))


def _entries(delta: DeltaTable, by_period: bool) -> list[tuple[str, int, str, int]]:
    """Path, size, period and rows of a table's files."""
    actions = _actions(delta)
    if not actions.num_rows:
        return []
    periods = [str(p) for p in actions["partition.slice_month"].to_pylist()] if by_period else [""] * actions.num_rows
    return list(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), periods, actions["num_records"].to_pylist(), strict=True))
