"""Base tables: of everything accepted, the rows that stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import duckdb
import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.engines.duckdb import empty_select
from quanmin.model import Problem, Refusal, Table
from quanmin.records.accepted import Accepted
from quanmin.records.ledger import Piece
from quanmin.records.supersede import hangs_on, standing


class BaseTables:
    """Says in SQL which accepted rows are a table's current content."""

    def __init__(self, catalog: Catalog, accepted: Accepted, connection: duckdb.DuckDBPyConnection, retake: Callable[[Sequence[int]], None]) -> None:
        self.catalog, self.accepted, self.connection, self.retake = catalog, accepted, connection, retake

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Make again from landing what the cache has lost of these pieces, before anything is read from it."""
        wanted: dict[str, set[int]] = {}
        for piece in pieces:
            wanted.setdefault(piece.table_name, set()).add(piece.submission)
        lost: set[int] = set()
        for name, numbers in wanted.items():
            if name in self.catalog.tables:
                lost.update(self.accepted.files_for(self.catalog.tables[name], sorted(numbers))[1])
        if lost:
            self.retake(sorted(lost))

    def files(self, table: Table, submissions: Iterable[int]) -> list[str]:
        """The files that hold these submissions; raises Refusal where one is lost."""
        files, lost = self.accepted.files_for(table, sorted(set(submissions)))
        if lost:
            number = ", ".join(str(n) for n in lost)
            raise Refusal(Problem("warehouse", None, "submission", number, say("landing_lost", submission=number), say("mend_landing_lost")))
        return files

    def _parent(self, table: Table) -> Table | None:
        """The table whose records this one's rows belong to (diagnoses belong to a stay)."""
        return next((t for t in self.catalog.base_tables() if hangs_on(table, t)), None)

    def current(self, table: Table, pieces: list[Piece], all_pieces: list[Piece]) -> str:
        """A query for the standing rows of the given pieces' periods."""
        held = standing(pieces)
        rows = [(number, period, len(numbers) > 1) for (period, _), numbers in held.items() for number in numbers]
        if not rows:
            return f"SELECT *, CAST(NULL AS DATE) AS slice_month FROM ({empty_select(table)})"
        numbers, periods, several = zip(*rows, strict=True)
        self.connection.register(f"standing_{table.id}", pa.table({
            "submission": pa.array(numbers, pa.int64()), "slice_month": pa.array(periods, pa.string()).cast(pa.date32()),
            "several": pa.array(several, pa.bool_()),
        }))
        listed = ", ".join(f"'{f}'" for f in self.files(table, numbers))
        joined = (f"SELECT a.*, v.several FROM read_parquet([{listed}]) a JOIN standing_{table.id} v"
                  " ON a.submission = v.submission AND a.slice_month = v.slice_month")
        parent = self._parent(table)
        if not any(several):
            return f"SELECT * EXCLUDE (several) FROM ({joined})"
        if parent is not None:
            return f"SELECT * EXCLUDE (several) FROM ({joined}) WHERE NOT several OR (submission, line) IN (SELECT (submission, line) FROM kept_{parent.id})"
        keys = ", ".join(f'"{key}"' for key in table.key)
        newest = (f"SELECT * EXCLUDE (several) FROM ({joined}) WHERE several"
                  f" QUALIFY row_number() OVER (PARTITION BY sender, {keys} ORDER BY submission DESC, line DESC) = 1")
        if any(hangs_on(t, table) for t in self.catalog.base_tables()):
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE kept_{table.id} AS SELECT submission, line FROM ({newest})")
        return f"SELECT * EXCLUDE (several) FROM ({joined}) WHERE NOT several UNION ALL {newest}"
