"""Build: accepted rows → base tables → resident index → derived tables → one published snapshot.

What is built is a pure function of the ledger, of landing and of the definitions. A build starts from the last snapshot and does again only
the months that new submissions touched, and the derived tables whose definitions changed; without one it does everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.engines.duckdb import MACROS, SQL_TYPES, empty_select
from quanmin.model import Problem, Refusal, Table
from quanmin.records.accepted import Accepted, schema_of
from quanmin.records.base_tables import BaseTables
from quanmin.records.fingerprints import FUNCTIONS, Computation, Lookup, fingerprints, together
from quanmin.records.folders import DiskFull, Folders
from quanmin.records.front_page_scores import points_of_front_pages, with_front_pages
from quanmin.records.ledger import Ledger, Piece, Snapshot
from quanmin.records.receipts_table import receipt_rows
from quanmin.records.resident_index import TOUCHED, ResidentIndex
from quanmin.records.rule_findings import lists_of_rules, with_findings
from quanmin.records.warehouse import StoredTable, Warehouse

BATCH_ROWS = 2_000_000
COMPUTED_ROWS = 100_000
Progress = Callable[[str, int, int], None]
Retake = Callable[[Sequence[int]], None]


@dataclass(frozen=True)
class Setting:
    """What a build needs to know of its site: the region's code and the day of the month by which the month before is due."""

    region: str = ""
    due_day: int = 10
    memory_limit: str = "2GB"


@dataclass
class State:
    """How far a build has come: versions per table, which months of which table changed, and which tables are to be made again as a whole."""

    versions: dict[str, tuple[int, int]] = field(default_factory=dict)
    touched: dict[str, set[str]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    full: bool = True
    is_index_new: bool = False
    views: dict[str, str] = field(default_factory=dict)  # as they stand in the connection


def months_around(period: str, low: int, high: int) -> set[str]:
    """First days of the months from `low` to `high` months after a period."""
    base = int(period[:4]) * 12 + int(period[5:7]) - 1
    return {f"{m // 12:04d}-{m % 12 + 1:02d}-01" for m in range(base + low, base + high + 1)}


class Builder:
    """Builds and publishes one site's warehouse."""

    def __init__(self, catalog: Catalog, folders: Folders, ledger: Ledger, setting: Setting, retake: Retake, progress: Progress | None = None,
                 computed: Mapping[str, Computation] = MappingProxyType({}), lookups: Mapping[str, Lookup] = MappingProxyType({})) -> None:
        self.computed, self.lookups = computed, {**lookups, **lists_of_rules(catalog), **points_of_front_pages(catalog)}
        self.catalog, self.folders, self.ledger, self.setting = with_front_pages(with_findings(catalog)), folders, ledger, setting
        self.warehouse = Warehouse(folders.warehouse)
        self.accepted = Accepted(folders.accepted)
        self.retake = retake
        self.progress = progress or (lambda label, done, total: None)

    def build(self) -> tuple[Snapshot, bool]:
        """Bring the warehouse up to the ledger; returns the snapshot and whether it is new. Raises Refusal when another process writes or the disk is full."""
        with self.folders.writing():
            try:
                return self._build()
            except (OSError, duckdb.IOException) as error:
                if isinstance(error, FileNotFoundError):
                    raise
                raise DiskFull(self.folders.root) from error

    def _build(self) -> tuple[Snapshot, bool]:
        snapshots = self.ledger.snapshots()
        last = snapshots[-1] if snapshots else None
        through, decisions = self.ledger.next_submission() - 1, self.ledger.decision_count()
        made_by = fingerprints(self.catalog, self.setting.region, self.computed, self.lookups)
        state = self._start(last, made_by)
        if last and not state.full and not state.stale and (last.through, last.decisions) == (through, decisions):
            return last, False
        connection = self._connection()
        pieces = self.ledger.pieces()
        new = [p for p in pieces if state.full or last is None or p.submission > last.through]
        self._base(connection, state, pieces, new)
        self._residents(connection, state, new, self.ledger.decided_since(last.decisions if last else 0))
        self._derived(connection, state)
        number = self.ledger.publish(state.versions, through, decisions, together(made_by), made_by)
        return next(s for s in self.ledger.snapshots() if s.id == number), True

    def _start(self, last: Snapshot | None, made_by: Mapping[str, str]) -> State:
        """The state of the last snapshot with unfinished work undone, or a fresh one where it cannot be built upon."""
        self.warehouse.sweep()
        if last is None:
            return State()
        before, versions = self.ledger.made_by(last.id), self.ledger.versions(last.id)
        stale = {name for name in self.catalog.derivations if before.get(name) != made_by[name]}
        for table in self._order():
            if set(table.derived_from) & stale:
                stale.add(table.id)
        kept = {name: version for name, version in versions.items() if name in self.catalog.derivations or before[name] == made_by[""]}
        if len(kept) < len(versions) or "resident_link" in stale:
            return State()
        try:
            return State({table: (self.warehouse.settle(table, version), rows) for table, (version, rows) in versions.items()}, stale=stale, full=False)
        except FileNotFoundError:
            return State()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 2, "memory_limit": self.setting.memory_limit})
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET temp_directory = '{self.folders.scratch}/spill'")
        connection.execute(MACROS.read_text("utf-8"))
        connection.execute(FUNCTIONS.read_text("utf-8"))
        for name, lookup in self.lookups.items():
            connection.register(name, lookup.rows)
        return connection

    def stored(self, table: Table) -> StoredTable:
        """How a table is kept."""
        fields = list(schema_of(table))[:-1]
        return StoredTable(table.id, pa.schema(fields), bool(table.period), table.key if table.id == "resident_link" else ())

    def _base(self, connection: duckdb.DuckDBPyConnection, state: State, pieces: list[Piece], new: list[Piece]) -> None:
        base = BaseTables(self.catalog, self.accepted, connection, self.retake)
        places = {(p.table_name, p.period) for p in new}
        base.restore(p for p in pieces if (p.table_name, p.period) in places)
        tables = sorted(self.catalog.base_tables(), key=lambda t: len(t.key))
        for done, table in enumerate(tables):
            self.progress(table.id, done, len(tables) * 2)
            touched = {p.period for p in new if p.table_name == table.id}
            if not touched and not state.full:
                continue
            query = base.current(table, [p for p in pieces if p.table_name == table.id and p.period in touched], pieces)
            replaced = None if state.full or not table.period else touched
            state.versions[table.id] = self.warehouse.write(connection, self.stored(table), query, replaced)
            state.touched[table.id] = touched
            state.changed.add(table.id)

    def _residents(self, connection: duckdb.DuckDBPyConnection, state: State, new: list[Piece], decided: list[dict[str, Any]]) -> None:
        index = self._index(connection)
        self.progress("resident_index", 1, 2)
        for table, version in index.update(state.versions, state.full, new, self.ledger.decisions(), decided).items():
            state.versions[table] = version
            state.changed.add(table)
        state.is_index_new = index.is_new
        index.views(state.versions)

    def _index(self, connection: duckdb.DuckDBPyConnection) -> ResidentIndex:
        return ResidentIndex(self.catalog, self.accepted, self.warehouse, connection, self.retake)

    def _files(self, state: State, table: str) -> dict[str, list[str]]:
        if table not in state.versions:
            return {}
        return self.warehouse.periods(table, state.versions[table][0])

    def _order(self) -> list[Table]:
        """Derived tables, each after those it is made from."""
        left = {t.id: t for t in self.catalog.tables.values() if t.is_derived and t.id in self.catalog.derivations}
        ordered: list[Table] = []
        while left:
            ready = [t for t in left.values() if not set(t.derived_from) & set(left)]
            if not ready:
                circle = Problem("catalog/tables/derived", None, "derived_from", ", ".join(left), "tables are derived from each other in a circle", "break it")
                raise Refusal(circle)
            for table in ready:
                ordered.append(left.pop(table.id))
        return ordered

    def _derived(self, connection: duckdb.DuckDBPyConnection, state: State) -> None:
        self._views(connection, state)
        tables = self._order()
        moved = self._moved_periods(connection, state)
        for done, table in enumerate(tables):
            self.progress(table.id, len(tables) + done, len(tables) * 2)
            if table.id == "resident_link":
                moved = self._rebuild_links(connection, state, table) or moved
            elif table.period:
                self._by_month(connection, state, table, moved)
            elif state.full or table.id in state.stale or set(table.derived_from) & state.changed:
                self._write_derived(connection, state, table, None)
        rows = receipt_rows(self.ledger, self.catalog, self.setting.due_day, self._counties(connection))
        connection.register("receipt_rows", rows)
        receipt = self.catalog.tables["receipt"]
        state.versions["receipt"] = self.warehouse.write(connection, self.stored(receipt), "SELECT * FROM receipt_rows")

    def _moved_periods(self, connection: duckdb.DuckDBPyConnection, state: State) -> set[str]:
        """Months to do again wherever they lie: all of them when facilities or regions changed."""
        if state.full or {"facility", "region"} & state.changed:
            return {period for t in self.catalog.base_tables() if t.period for period in self._files(state, t.id)}
        return set()

    def _rebuild_links(self, connection: duckdb.DuckDBPyConnection, state: State, table: Table) -> set[str]:
        """Do resident_link again; returns the months that hold records of residents whose link or home changed.

        Only for the residents that new identities touched, unless a table it is made from or the whole index is new.
        """
        everything, before = self._moved_periods(connection, state), state.versions.get(table.id)
        if state.full or before is None or set(table.derived_from) & state.changed or state.is_index_new:
            old = [] if state.full or before is None else self.warehouse.files(table.id, before[0])
            self._write_derived(connection, state, table, None)
            if not old:
                return everything
            listed, told = ", ".join(f"'{f}'" for f in old), [name for name in table.columns if name != "identity_id"]
            connection.execute(f"CREATE OR REPLACE TEMP TABLE moved AS SELECT identity_id FROM read_parquet([{listed}]) o WHERE NOT EXISTS"
                               " (SELECT 1 FROM resident_link n WHERE n.identity_id = o.identity_id"
                               f" AND ({_row('n', told)}) IS NOT DISTINCT FROM ({_row('o', told)}))")
        elif "resident_cluster" in state.changed:
            self._add_links(connection, state, table)
        else:
            return everything
        found = set(everything)
        if connection.execute("SELECT count(*) FROM moved").fetchone() != (0,):
            for one in self.catalog.base_tables():
                if one.period and one.person_columns:
                    month = f"CAST(CAST(date_trunc('month', {one.period}) AS DATE) AS VARCHAR)"
                    found |= {row[0] for row in connection.execute(f"SELECT DISTINCT {month} FROM {one.id}_all SEMI JOIN moved USING (identity_id)").fetchall()}
        return found

    def _add_links(self, connection: duckdb.DuckDBPyConnection, state: State, table: Table) -> None:
        """Do resident_link again for the residents touched, and write what differs; makes the table `moved` of identities known before that differ."""
        index = self._index(connection)
        index.narrow()
        columns = ", ".join(table.columns)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE links_before AS SELECT {columns} FROM {table.id} SEMI JOIN {TOUCHED} USING (identity_id)")
        with _explained(table):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE links_now AS {self._derivation(table)}")
        for made, one, other in (("moved", "before", "now"), ("links_come", "now", "before")):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {made} AS SELECT {columns} FROM links_{one} EXCEPT SELECT {columns} FROM links_{other}")
        state.versions[table.id] = self.warehouse.swap(connection, self.stored(table), "moved", "links_come")
        state.changed.add(table.id)
        index.views(state.versions)
        self._view(connection, state, table, table.id, None)

    def _by_month(self, connection: duckdb.DuckDBPyConnection, state: State, table: Table, moved: set[str]) -> None:
        """Do the months of a derived table again that its inputs touched."""
        inputs = [self.catalog.tables[name] for name in table.derived_from if name in self.catalog.tables and self.catalog.tables[name].period]
        available = {period: sum(1 for _ in files) for t in inputs for period, files in self._files(state, t.id).items()}
        low, high = table.near
        affected = {month for period in moved for month in months_around(period, -high, -low)}
        for one in inputs:
            for period in state.touched.get(one.id, ()):
                affected |= months_around(period, -high, -low)
        known = set(available) | set(self._files(state, table.id))
        affected &= known
        is_new = state.full or table.id in state.stale
        if is_new:
            affected = set(available)
        state.touched[table.id] = affected  # what is derived from it goes on from there
        rows = max((state.versions[t.id][1] for t in inputs if t.id in state.versions), default=0)
        size = max(1, int(len(available) * BATCH_ROWS / rows)) if rows else len(available) or 1
        ordered = sorted(affected)
        if is_new:
            self._write_derived(connection, state, table, set(), clear=True)
        for start in range(0, len(ordered), size):
            self._write_derived(connection, state, table, set(ordered[start : start + size]))

    def _write_derived(self, connection: duckdb.DuckDBPyConnection, state: State, table: Table, periods: set[str] | None, clear: bool = False) -> None:
        if periods is not None:
            near = {p for period in periods for p in months_around(period, *table.near)}
            for name in table.derived_from:
                if name in self.catalog.tables and self.catalog.tables[name].period:
                    self._view(connection, state, self.catalog.tables[name], name, periods)
                    self._view(connection, state, self.catalog.tables[name], f"{name}_near", near)
        query = self._compute(connection, table) if table.computed else self._derivation(table)
        if table.period:
            listed = ", ".join(f"DATE '{p}'" for p in sorted(periods or ())) or "NULL"
            month = f"CAST(date_trunc('month', \"{table.period}\") AS DATE) AS slice_month"
            query = f"SELECT * FROM (SELECT *, {month} FROM ({query})) WHERE slice_month IN ({listed})"
        with _explained(table):
            version = self.warehouse.write(connection, self.stored(table), query, None if clear or periods is None else periods)
        state.versions[table.id] = version
        state.changed.add(table.id)
        self._view(connection, state, table, table.id, None)

    def _compute(self, connection: duckdb.DuckDBPyConnection, table: Table) -> str:
        """The rows of a table that no SQL can make alone: what its SQL gives goes through its computation, some rows after others."""
        run = self.computed[table.computed].run
        with _explained(table):
            reader = connection.execute(self.catalog.derivations[table.id]).to_arrow_reader(COMPUTED_ROWS)
        found = [run(pa.Table.from_batches([batch])).select(list(table.columns)) for batch in reader]
        connection.register("computed_rows", pa.concat_tables(found) if found else schema_of(table).empty_table().select(list(table.columns)))
        columns = ", ".join(f'CAST("{c.name}" AS {SQL_TYPES[c.type]}) AS "{c.name}"' for c in table.columns.values())
        return f"SELECT {columns} FROM computed_rows"

    def _derivation(self, table: Table) -> str:
        columns = ", ".join(f'CAST("{c.name}" AS {SQL_TYPES[c.type]}) AS "{c.name}"' for c in table.columns.values())
        return f"SELECT {columns} FROM ({self.catalog.derivations[table.id]})"

    def _views(self, connection: duckdb.DuckDBPyConnection, state: State) -> None:
        for table in self.catalog.tables.values():
            for suffix in ("", "_near", "_all"):
                self._view(connection, state, table, table.id + suffix, None)
        within = f"level = 'county' AND parent_code = '{_plain(self.setting.region)}'"
        connection.execute(f"CREATE OR REPLACE VIEW our_county AS SELECT DISTINCT region_code AS code, name FROM region WHERE {within}")

    def _view(self, connection: duckdb.DuckDBPyConnection, state: State, table: Table, name: str, periods: Iterable[str] | None) -> None:
        """A view called `name` over a table's files, of some periods or of all."""
        by_period = self._files(state, table.id)
        wanted = set(by_period) if periods is None else set(periods)
        files = [f for period, found in by_period.items() if period in wanted for f in found]
        listed = ", ".join(f"'{f}'" for f in files)
        source = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)" if files else empty_select(table)
        if state.views.get(name) != source:
            connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {source}')
            state.views[name] = source

    def _counties(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        return dict(connection.execute("SELECT facility_code, facility_county FROM facility_attributes").fetchall())


@contextmanager
def _explained(table: Table) -> Iterator[None]:
    """A definition that fails as a Refusal that says which; what the machine lacks as it is."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise Refusal(Problem(table.path, None, "", "", say("derived_failed", table=table.id, reason=reason), say("mend_derived_failed"))) from error


def _row(alias: str, columns: Iterable[str]) -> str:
    return ", ".join(f'{alias}."{column}"' for column in columns)


def _plain(code: str) -> str:
    return "".join(c for c in code if c.isalnum())
