"""Accepted rows as taken in: one Parquet file per table and run of submissions, a cache that landing can make again.

A file's name is `first-last.checksum.parquet`. A file that its checksum does not fit, or whose columns are no longer the table's, counts as
lost; no submission is ever in two files of a table.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quanmin.model import Table
from quanmin.records.ledger import WHOLE

CHECKED_AT_ONCE = 4 << 20
SLICE = "slice_month"  # the month a re-submission replaces: a column of files, never of tables
ARROW_TYPES = {"text": pa.string(), "code": pa.string(), "integer": pa.int64(), "number": pa.float64(), "money": pa.decimal128(14, 2),
               "date": pa.date32(), "timestamp": pa.timestamp("us"), "boolean": pa.bool_()}


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema of a base table's accepted rows: its columns and the month they belong to."""
    return pa.schema([(c.name, ARROW_TYPES[c.type]) for c in table.columns.values()] + [(SLICE, pa.date32())])


def period_sql(table: Table, prefix: str = "") -> str:
    """SQL for the first day of the month a row belongs to (one fixed day for tables without periods)."""
    return f"CAST(date_trunc('month', \"{prefix}{table.period}\") AS DATE)" if table.period else f"DATE '{WHOLE}'"


class Accepted:
    """The folder of accepted rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sound: dict[tuple[Path, int, int], bool] = {}

    def runs(self, table: str) -> dict[tuple[int, int], Path]:
        """All files of a table by (first, last) submission."""
        return {_numbers(path): path for path in (self.folder / table).glob("*-*.parquet")}

    def forget_from(self, submission: int) -> None:
        """Remove what an unfinished intake left: rows of submissions that were never acknowledged."""
        for path in self.folder.glob("*/*-*.parquet"):
            if _numbers(path)[1] >= submission:
                path.unlink()

    def forget(self, submissions: Iterable[int]) -> list[int]:
        """Remove every file, of whatever table, that holds one of these submissions; returns all submissions that were in them."""
        gone = set(submissions)
        for path in self.folder.glob("*/*-*.parquet"):
            first, last = _numbers(path)
            if gone & set(range(first, last + 1)):
                gone |= set(range(first, last + 1))
                path.unlink()
        return sorted(gone)

    def files_for(self, table: Table, submissions: Iterable[int]) -> tuple[list[str], list[int]]:
        """The files that hold these submissions of a table, and the submissions no sound file holds."""
        runs = self.runs(table.id)
        files: set[str] = set()
        lost = []
        for number in submissions:
            run = next((r for r in runs if r[0] <= number <= r[1]), None)
            if run is None or not self._is_sound(runs[run], table):
                lost.append(number)
            else:
                files.add(str(runs[run]))
        return sorted(files), lost

    def _is_sound(self, path: Path, table: Table) -> bool:
        about = path.stat()
        seen = path, about.st_ino, about.st_mtime_ns
        if seen not in self._sound:
            self._sound[seen] = path.name.endswith(f".{checksum(path)}.parquet") and pq.read_schema(path).equals(schema_of(table))
        return self._sound[seen]


def _numbers(path: Path) -> tuple[int, int]:
    first, last = path.name.split(".")[0].split("-")
    return int(first), int(last)


def checksum(path: Path) -> str:
    """CRC-32 of a file, as it stands in the file's name."""
    found = 0
    with path.open("rb") as stream:
        while block := stream.read(CHECKED_AT_ONCE):
            found = zlib.crc32(block, found)
    return f"{found:08x}"


class Staging:
    """Collects typed rows of one run in scratch, one Parquet writer per table; moved into place once the run is whole."""

    def __init__(self, folder: Path, first: int, last: int) -> None:
        self.folder, self.first, self.last = folder, first, last
        self.writers: dict[str, pq.ParquetWriter] = {}

    def path(self, table: str) -> Path:
        """The unfinished file of a table."""
        return self.folder / f"{table}.{self.first}-{self.last}.parquet"

    def add(self, table: Table, rows: pa.Table) -> None:
        """Append rows that already have the accepted schema."""
        if table.id not in self.writers:
            self.writers[table.id] = pq.ParquetWriter(self.path(table.id), schema_of(table), compression="snappy")
        self.writers[table.id].write_table(rows)

    def close(self) -> list[str]:
        """Finish writing; returns the tables written."""
        for writer in self.writers.values():
            writer.close()
        return list(self.writers)

    def abandon(self) -> None:
        """Let go of unfinished files after a failure (a writer that cannot finish would complain once more when it is forgotten)."""
        for writer in self.writers.values():
            with suppress(OSError, pa.ArrowException):
                writer.close()
            writer.is_open = False

    def drop(self, connection: duckdb.DuckDBPyConnection, refused: pa.Table) -> None:
        """Write the files again without the refused rows (submission, line)."""
        connection.register("dropped", refused)
        for table in self.writers:
            path, kept = self.path(table), self.folder / f"{table}.kept.parquet"
            connection.execute(f"COPY (FROM read_parquet('{path}') ANTI JOIN dropped USING (submission, line)) TO '{kept}' (FORMAT parquet)")
            kept.replace(path)
        connection.unregister("dropped")

    def move_to(self, accepted: Accepted) -> None:
        """Put the finished files where builds find them."""
        for table in self.writers:
            made = self.path(table)
            target = accepted.folder / table / f"{self.first}-{self.last}.{checksum(made)}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            made.replace(target)


def finished(table: Table, rows: pa.Table, senders: Sequence[str], first: int) -> pa.Table:
    """Conformed rows (with the file's place in its run, the line and the month) as accepted rows."""
    made = {
        "sender": pc.take(pa.array(senders, pa.string()), rows["__file"]), "submission": pc.add(rows["__file"], first), "line": rows["__line"],
        SLICE: rows[SLICE],
    }
    schema = schema_of(table)
    return pa.table([made[f.name] if f.name in made else rows[f.name] for f in schema], names=schema.names).cast(schema)
