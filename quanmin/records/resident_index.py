"""The resident index in the warehouse: identities gathered, linked, and the evidence kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.records.accepted import Accepted
from quanmin.records.base_tables import BaseTables
from quanmin.records.conform import LINE_BITS
from quanmin.records.ledger import Piece
from quanmin.records.residents.index import link
from quanmin.records.warehouse import StoredTable, Warehouse

ROLES = {"name": pa.string(), "sex_code": pa.string(), "birth_date": pa.date32(), "identity_number": pa.string(), "phone": pa.string(),
         "address": pa.string(), "region_code": pa.string(), "health_card_number": pa.string()}
IDENTITY = StoredTable("identity", pa.schema([
    ("identity_id", pa.string()), *ROLES.items(), ("table_name", pa.string()), ("first_submission", pa.int64()), ("first_line", pa.int64()),
]), False)
CLUSTER = StoredTable("resident_cluster", pa.schema([("identity_id", pa.string()), ("resident_id", pa.string())]), False)
EDGE = StoredTable("resident_edge", pa.schema([
    ("identity_a", pa.string()), ("identity_b", pa.string()), ("weight", pa.float64()), ("probability", pa.float64()), ("levels", pa.string()),
    ("rule", pa.string()), ("set_aside", pa.string()), ("decided_by", pa.string()), ("verdict", pa.string()), ("status", pa.string()),
]), False)
REVIEW = StoredTable("resident_review", pa.schema([
    ("identity_a", pa.string()), ("identity_b", pa.string()), ("resident_a", pa.string()), ("resident_b", pa.string()), ("weight", pa.float64()),
    ("probability", pa.float64()), ("levels", pa.string()), ("reason", pa.string()),
]), False)
PREPARED = "resident_prepared"  # compared columns of identities, kept so that they are prepared once


class ResidentIndex:
    """Keeps the tables identity, resident_edge, resident_review and resident_cluster up to date."""

    def __init__(self, catalog: Catalog, accepted: Accepted, warehouse: Warehouse, connection: duckdb.DuckDBPyConnection,
                 retake: Callable[[Sequence[int]], None]) -> None:
        self.catalog, self.warehouse, self.connection = catalog, warehouse, connection
        self.base = BaseTables(catalog, accepted, connection, retake)

    def _gather(self, pieces: Sequence[Piece]) -> str:
        """A query for the distinct identities of the given pieces, superseded ones included, so that the order of arrival never matters."""
        selects = []
        for table in self.catalog.base_tables():
            roles = table.person_columns
            numbers = sorted({p.submission for p in pieces if p.table_name == table.id and p.rows})
            if not roles or not numbers:
                continue
            values = ", ".join(f'"{roles[role]}" AS {role}' if role in roles else f"CAST(NULL AS VARCHAR) AS {role}" for role in ROLES)
            listed = ", ".join(f"'{f}'" for f in self.base.files(table, numbers))
            self.connection.register(f"gathered_{table.id}", pa.table({"submission": pa.array(numbers, pa.int64())}))
            selects.append(f"SELECT identity_id, {values}, '{table.id}' AS table_name, submission, line FROM read_parquet([{listed}])"
                           f" SEMI JOIN gathered_{table.id} USING (submission) WHERE identity_id IS NOT NULL")
        if not selects:
            return ""
        first = f"submission * {1 << LINE_BITS} + line"  # values may differ in case: the first received stand, whatever is read first
        firsts = ", ".join(f"arg_min({role}, {first}) AS {role}" for role in ROLES)
        return (f"SELECT identity_id, {firsts}, arg_min(table_name, {first}) AS table_name, min(submission) AS first_submission,"
                f" arg_min(line, {first}) AS first_line FROM ({' UNION ALL '.join(selects)}) GROUP BY identity_id")

    def _stored(self, table: str, versions: Mapping[str, tuple[int, int]]) -> str:
        listed = ", ".join(f"'{f}'" for f in self.warehouse.files(table, versions[table][0])) if table in versions else ""
        return f"SELECT * FROM read_parquet([{listed}])" if listed else ""

    def update(self, versions: Mapping[str, tuple[int, int]], full: bool, new: Sequence[Piece], decisions: Sequence[Mapping[str, Any]],
               has_decided: bool) -> dict[str, tuple[int, int]]:
        """Link the identities of new pieces; returns table → (version, rows) of what was written (nothing where nobody new came)."""
        held = "" if full else self._stored("identity", versions)
        gathered = self._gather(new)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE arrived AS SELECT * FROM ({gathered or _nobody()}) g"
                                + (f" ANTI JOIN ({held}) h USING (identity_id)" if held else ""))
        came = self.connection.execute("SELECT count(*) FROM arrived").fetchone()
        if came == (0,) and held and not has_decided:
            return {}
        written = {"identity": self.warehouse.write(self.connection, IDENTITY, "SELECT * FROM arrived", () if held else None)}
        self.connection.execute("CREATE OR REPLACE TEMP TABLE identity AS SELECT * FROM arrived" + (f" UNION ALL SELECT * FROM ({held})" if held else ""))
        stored = "" if full else self._stored("resident_edge", versions)
        if stored:
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW stored_edge AS {stored}")
        decided = pa.Table.from_pylist(list(decisions)) if decisions else None
        held_columns = "" if full else self._stored(PREPARED, versions)
        if held_columns:
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW stored_columns AS {held_columns}")
        linked = link(self.connection, "identity", "stored_edge" if stored else None, decided, new="arrived" if stored else None,
                      stored_columns="stored_columns" if held_columns else None)
        self.connection.register("prepared_rows", linked.prepared)
        kept = StoredTable(PREPARED, linked.prepared.schema, False)
        written[PREPARED] = self.warehouse.write(self.connection, kept, "SELECT * FROM prepared_rows", () if held_columns else None)
        for table, rows in ((CLUSTER, linked.clusters), (EDGE, linked.edges), (REVIEW, linked.review)):
            self.connection.register("linked_rows", rows.cast(table.schema))
            written[table.id] = self.warehouse.write(self.connection, table, "SELECT * FROM linked_rows")
        self.connection.register("resident_cluster", linked.clusters)
        return written

    def views(self, versions: Mapping[str, tuple[int, int]]) -> None:
        """Make identity and resident_cluster readable in SQL."""
        for table in (IDENTITY, CLUSTER):
            query = self._stored(table.id, versions)
            if query:
                self.connection.execute(f"DROP TABLE IF EXISTS {table.id}") if table is IDENTITY else self.connection.unregister(table.id)
                self.connection.execute(f"CREATE OR REPLACE VIEW {table.id} AS {query}")


def _nobody() -> str:
    columns = ", ".join(f"CAST(NULL AS {'DATE' if kind == pa.date32() else 'VARCHAR'}) AS {role}" for role, kind in ROLES.items())
    return (f"SELECT CAST(NULL AS VARCHAR) AS identity_id, {columns}, CAST(NULL AS VARCHAR) AS table_name, CAST(NULL AS BIGINT) AS first_submission,"
            " CAST(NULL AS BIGINT) AS first_line WHERE FALSE")
