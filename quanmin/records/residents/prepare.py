"""From raw identities to comparable columns, once per identity, in DuckDB."""

from __future__ import annotations

from typing import TypeAlias

import duckdb
import pyarrow as pa

from quanmin.records.residents.model_file import LinkModel
from quanmin.records.residents.names import name_table

# What a caller may hand in as a table: a relation of the same connection, an Arrow table, or the name of a table or view.
Rows: TypeAlias = duckdb.DuckDBPyRelation | pa.Table | str

NODE, NAMES = "residents_node", "residents_names"
FRESH, _ORDER = "residents_fresh", "residents_order"
_GIVEN, _RAW, _PARTS = "residents_given", "residents_raw", "residents_parts"
SEEN = ("first_submission", "first_line")  # the order in which identities were first received


def bring(con: duckdb.DuckDBPyConnection, rows: Rows, name: str) -> str:
    """Make `rows` readable in SQL under a name and return that name."""
    if isinstance(rows, str):
        return rows
    con.register(name, rows)
    return name


def column_names(con: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """The columns of a table or view."""
    return tuple(row[0] for row in con.execute(f"select column_name from (describe {table})").fetchall())


def _name_lists(con: duckdb.DuckDBPyConnection, model: LinkModel, raw: str) -> None:
    """A table of all distinct raw names with their parts, for the columns compared as Chinese names."""
    columns = [c.column for c in model.comparisons if c.kind.name == "chinese_name"]
    if columns:
        every = " union ".join(f"select {c}_raw as raw from {raw} where {c}_raw is not null" for c in columns)
        names = con.execute(f"select distinct raw from ({every})").to_arrow_table().column("raw").to_pylist()
        con.register("residents_parsed", name_table(names))
        con.execute(f"create or replace temp table {NAMES} as select * from residents_parsed")
        con.unregister("residents_parsed")


def _staged(model: LinkModel, source: str) -> str:
    """Nested SELECTs: stage after stage of every compared column (each may read the stage before)."""
    sql, deepest = f"select * from {source}", max(len(c.kind.stages) for c in model.comparisons)
    for index in range(deepest):
        added = [f"{expression.replace('{c}', c.column)} as {name.replace('{c}', c.column)}" for c in model.comparisons
                 if index < len(c.kind.stages) for name, expression in c.kind.stages[index].items()]
        sql = f"select *, {', '.join(added)} from ({sql})"
    return sql


def _kept(model: LinkModel) -> tuple[list[str], list[str]]:
    """Result columns and the joins they need."""
    kept, joins = [], []
    for comparison in model.comparisons:
        column = comparison.column
        if comparison.kind.name == "chinese_name":
            joins.append(f"left join {NAMES} as {column}_n on {column}_n.raw = s.{column}_raw")
            kept += [f"{column}_n.{part} as {column}_{part}" for part in comparison.kind.parts]
        else:
            kept += [f"s.{column}_{part}" for part in comparison.kind.parts]
    return kept, joins


def prepare(con: duckdb.DuckDBPyConnection, identities: Rows, model: LinkModel) -> int:
    """Make the temporary table `NODE`, one row per identity in order of first sight, and return its number of rows.

    Columns: `rn` (0 is the earliest), `identity_id`, `is_new`, `is_numbered` (all true: see `nearby`), `part` (the file, when files are linked),
    and the prepared columns of every comparison. A column that `identities` lacks counts as missing throughout.
    """
    given = bring(con, identities, _GIVEN)
    there = column_names(con, given)
    raw = [f"nullif(trim({c.column}::varchar), '') as {c.column}_raw" if c.column in there else f"null::varchar as {c.column}_raw"
           for c in model.comparisons]
    seen = [f"{column}::bigint as {column}" if column in there else f"0::bigint as {column}" for column in SEEN]
    part = "part" if "part" in there else "0 as part"
    con.execute(f"""create or replace temp table {_RAW} as
        select identity_id::varchar as identity_id, {', '.join(seen)}, {part}, {', '.join(raw)} from {given}""")
    _name_lists(con, model, _RAW)
    kept, joins = _kept(model)
    con.execute(f"""create or replace temp table {FRESH} as
        select s.identity_id, {', '.join(f's.{column}' for column in SEEN)}, {', '.join(kept)} from ({_staged(model, _RAW)}) as s {' '.join(joins)}""")
    con.execute(f"create or replace temp view {_PARTS} as select identity_id, true as is_new, true as is_numbered, part from {_RAW}")
    count = place(con, f"select * from {FRESH} join {_PARTS} using (identity_id)")
    con.execute(f"drop view {_PARTS}")
    con.execute(f"drop table {_RAW}")
    return count


def place(con: duckdb.DuckDBPyConnection, identities: str) -> int:
    """Make `NODE` of the rows of a query, numbered in order of first sight; returns how many."""
    con.execute(f"""create or replace temp table {_ORDER} as
        select row_number() over (order by {', '.join(SEEN)}, identity_id) - 1 as rn, identity_id from ({identities})""")
    con.execute(f"create or replace temp table {NODE} as select * from {_ORDER} join ({identities}) using (identity_id) order by rn")
    con.execute(f"drop table {_ORDER}")
    return int(con.execute(f"select count(*) from {NODE}").fetchone()[0])


def prepared(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The columns prepared by this run, by which later ones know these identities (`relink`)."""
    return con.execute(f"select * from {FRESH} order by identity_id").to_arrow_table()
