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
from quanmin.records.residents import Known, link, relink
from quanmin.records.warehouse import StoredTable, Warehouse

ROLES = {"name": pa.string(), "sex_code": pa.string(), "birth_date": pa.date32(), "identity_number": pa.string(), "phone": pa.string(),
         "address": pa.string(), "region_code": pa.string(), "health_card_number": pa.string()}
ADDED_TO = 122_880  # rows in a file of a table that is only added to
IDENTITY = StoredTable("identity", pa.schema([
    ("identity_id", pa.string()), *ROLES.items(), ("table_name", pa.string()), ("first_submission", pa.int64()), ("first_line", pa.int64()),
]), False, ("identity_id",), ADDED_TO)
CLUSTER = StoredTable("resident_cluster", pa.schema([("identity_id", pa.string()), ("resident_id", pa.string())]), False, ("identity_id",))
EDGE = StoredTable("resident_edge", pa.schema([
    ("identity_a", pa.string()), ("identity_b", pa.string()), ("weight", pa.float64()), ("probability", pa.float64()), ("levels", pa.string()),
    ("rule", pa.string()), ("set_aside", pa.string()), ("decided_by", pa.string()), ("verdict", pa.string()), ("status", pa.string()),
]), False, ("identity_a", "identity_b", "decided_by"))
REVIEW = StoredTable("resident_review", pa.schema([
    ("identity_a", pa.string()), ("identity_b", pa.string()), ("resident_a", pa.string()), ("resident_b", pa.string()), ("weight", pa.float64()),
    ("probability", pa.float64()), ("levels", pa.string()), ("reason", pa.string()),
]), False, ("identity_a", "identity_b"))
SQL_OF = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.date32(): "DATE"}
PREPARED = "resident_prepared"  # compared columns of identities, kept so that they are prepared once
KEPT_AS = 2  # raised when what is kept of the index changes: it is then made anew
TOUCHED = "touched_cluster"  # the clusters that a build looked at, as they are now


class ResidentIndex:
    """Keeps the tables identity, resident_edge, resident_review and resident_cluster up to date."""

    def __init__(self, catalog: Catalog, accepted: Accepted, warehouse: Warehouse, connection: duckdb.DuckDBPyConnection,
                 retake: Callable[[Sequence[int]], None]) -> None:
        self.catalog, self.warehouse, self.connection = catalog, warehouse, connection
        self.base = BaseTables(catalog, accepted, connection, retake)
        self.is_new = False  # whether `update` made everything anew

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
               reopened: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
        """Link the identities of new pieces; returns table → (version, rows) of what was written (nothing where nobody new came).

        `reopened` are the pairs of identities that decisions may have changed since the last build. Where it only adds to what was known, it leaves
        the table `TOUCHED`.
        """
        held = not full and all(self._stored(t, versions) for t in (IDENTITY.id, CLUSTER.id, PREPARED))
        known = f" ANTI JOIN ({self._stored(IDENTITY.id, versions)}) h USING (identity_id)" if held else ""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE arrived AS SELECT * FROM ({self._gather(new) or _none(IDENTITY)}) g{known}")
        came = self.connection.execute("SELECT count(*) FROM arrived").fetchone() != (0,)
        if held and not came and not reopened:
            return {}
        decided = pa.Table.from_pylist(list(decisions)) if decisions else None
        if held:
            pairs = {end: pa.array([pair[end] for pair in reopened], pa.string()) for end in ("identity_a", "identity_b")}
            return self._add(versions, decided, pa.table(pairs))
        self.is_new, linked = True, link(self.connection, "arrived", decided)
        written = {IDENTITY.id: self.warehouse.write(self.connection, IDENTITY, "SELECT * FROM arrived")}
        for table, rows in ((CLUSTER, linked.clusters), (EDGE, linked.edges), (REVIEW, linked.review), (_kept(linked.prepared), linked.prepared)):
            self.connection.register("linked_rows", rows.cast(table.schema))
            written[table.id] = self.warehouse.write(self.connection, table, "SELECT * FROM linked_rows")
        return written

    def _add(self, versions: Mapping[str, tuple[int, int]], decided: pa.Table | None, reopened: pa.Table) -> dict[str, tuple[int, int]]:
        """Link the new identities to those of before; writes only what that changes."""
        for name, none in ((PREPARED, ""), (CLUSTER.id, _none(CLUSTER)), (EDGE.id, _none(EDGE)), (REVIEW.id, _none(REVIEW))):
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW known_{name} AS {self._stored(name, versions) or none}")
        known = Known(f"known_{PREPARED}", f"known_{CLUSTER.id}", f"known_{EDGE.id}", f"known_{REVIEW.id}")
        linked = relink(self.connection, "arrived", known, decided, reopened)
        self.connection.register("linked_touched", linked.touched)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {TOUCHED} AS SELECT * FROM linked_touched")
        arrived, nobody = self.connection.execute("SELECT * FROM arrived").to_arrow_table(), linked.prepared.slice(0, 0)
        written = {}
        for table, gone, come in ((IDENTITY, nobody, arrived), (_kept(linked.prepared), nobody, linked.prepared),
                                  (CLUSTER, linked.clusters.gone, linked.clusters.come), (EDGE, linked.edges.gone, linked.edges.come),
                                  (REVIEW, linked.review.gone, linked.review.come)):
            if len(gone) or len(come):
                self.connection.register("gone_rows", gone)
                self.connection.register("come_rows", come)
                written[table.id] = self.warehouse.swap(self.connection, table, "gone_rows", "come_rows")
        return written

    def views(self, versions: Mapping[str, tuple[int, int]]) -> None:
        """Make identity and resident_cluster readable in SQL."""
        for table in (IDENTITY, CLUSTER):
            self.connection.execute(f"CREATE OR REPLACE VIEW {table.id} AS {self._stored(table.id, versions) or _none(table)}")

    def narrow(self) -> None:
        """The same two with nothing but the identities and residents that the last `update` touched."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE touched_identity AS SELECT * FROM identity SEMI JOIN {TOUCHED} USING (identity_id)")
        self.connection.execute("CREATE OR REPLACE VIEW identity AS SELECT * FROM touched_identity")
        self.connection.execute(f"CREATE OR REPLACE VIEW resident_cluster AS SELECT * FROM {TOUCHED}")


def _kept(prepared: pa.Table) -> StoredTable:
    return StoredTable(PREPARED, prepared.schema, False, ("identity_id",), ADDED_TO)


def _none(table: StoredTable) -> str:
    """A query of the table's shape without a row."""
    columns = ", ".join(f"CAST(NULL AS {SQL_OF[field.type]}) AS {field.name}" for field in table.schema)
    return f"SELECT {columns} WHERE FALSE"
