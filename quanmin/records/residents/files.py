"""`quanmin link`: who is who in bare files, one or several, with a model that the user writes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.residents.index import Linked, link
from quanmin.records.residents.model_file import LinkModel, load_model
from quanmin.records.sources.bare_file import ROWS_AT_ONCE, open_bare

FEWEST_COLUMNS = 2
MOST_PROBLEMS = 20


_ROW = "row in this batch"


@dataclass(frozen=True)
class LinkSummary:
    """What linking files came to: counts, what could not be used, and the model as used (with its estimated probabilities, if trained)."""

    row_count: int
    cluster_count: int
    linked_row_count: int
    review_count: int
    notes: tuple[str, ...]
    model: LinkModel


def _open(path: Path) -> tuple[tuple[str, ...], Iterator[pa.Table]]:
    """Header and rows of a file; raises Refusal where rows cannot be taken apart."""
    opened = open_bare(path)

    def tables() -> Iterator[pa.Table]:
        problems: list[Problem] = []
        for batch in opened.batches:
            problems += batch.malformed
            if problems and len(problems) >= MOST_PROBLEMS:
                break
            yield batch.table
        if problems:
            raise Refusal(*sorted(problems, key=lambda problem: problem.line or 0)[:MOST_PROBLEMS])

    return opened.header, tables()


def _chosen(path: Path, header: tuple[str, ...], model: LinkModel) -> tuple[dict[str, str], str]:
    """Compared column → its header in this file, and the header of the record column ("" = none)."""
    found = {}
    for column, accepted in model.columns.items():
        there = next((name for name in accepted if name in header), None)
        if there is not None:
            found[column] = there
    compared = {f"{column}_{part}": column for column in found for part in ("key", *model.comparison(column).kind.parts)}
    if len(found) < min(FEWEST_COLUMNS, len(model.comparisons)) or not any(all(c in compared for c in block.on) for block in model.blocks):
        missing = [column for column in model.columns if column not in found]
        names = "; ".join(f"{column}: {', '.join(model.columns[column])}" for column in missing)
        raise Refusal(Problem(str(path), 1, ", ".join(missing), "", say("link_too_few_columns", columns=", ".join(header)[:200]),
                              say("link_mend_columns", accepted=names[:400], model=model.path)))
    return found, next((name for name in model.record if name in header), "")


def _quoted(name: str) -> str:
    """SQL identifier of any column name."""
    return '"' + name.replace('"', '""') + '"'


def _read(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], model: LinkModel) -> tuple[str, list[str]]:
    """Fill the table `given` (identity_id, part, row, record, compared columns); returns the record column's name and notes."""
    columns = [c.column for c in model.comparisons]
    compared = ", ".join(f"{column} varchar" for column in columns)
    con.execute(f"create temp table given (identity_id varchar, part bigint, row bigint, record varchar, {compared})")
    records: set[str] = set()
    notes, total = [], 0
    for part, path in enumerate(paths):
        header, tables = _open(path)
        found, record = _chosen(path, header, model)
        if len(found) < len(columns):
            notes.append(say("link_absent_columns", file=path, columns=", ".join(c for c in columns if c not in found)))
        records.add(record)
        row = 0
        for table in tables:
            con.register("chunk", table.append_column(_ROW, pa.array(range(1, len(table) + 1), pa.int64())))
            values = ", ".join(f"{_quoted(name)}::varchar" if name else "null" for name in (record, *(found.get(c, "") for c in columns)))
            number = _quoted(_ROW)
            con.execute(f"insert into given select printf('%012d', {total} + {number}), {part}, {row} + {number}, {values} from chunk")
            con.unregister("chunk")
            row, total = row + len(table), total + len(table)
    return (records.pop() if len(records) == 1 else "record_id"), notes


def _write(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], record: str, out: Path, pairs: Path | None) -> None:
    con.register("files", pa.table({"part": range(len(paths)), "file": [str(path) for path in paths]}))
    kept = f", record as {_quoted(record)}" if record else ""
    _save(con, f"select file, row{kept}, cluster_id from numbered join files using (part) order by identity_id", out)
    if pairs is not None:
        both = ", ".join(f"{s}f.file as file_{s}, {s}.row as row_{s}" + (f", {s}.record as {_quoted(f'{record}_{s}')}" if record else "")
                         for s in "ab")
        _save(con, f"""select {both}, weight, probability, levels, decided_by, status from edges
            join numbered as a on a.identity_id = identity_a join numbered as b on b.identity_id = identity_b
            join files as af on af.part = a.part join files as bf on bf.part = b.part order by identity_a, identity_b""", pairs)


def _save(con: duckdb.DuckDBPyConnection, query: str, out: Path) -> None:
    try:
        result = con.execute(query)
        with out.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([column[0] for column in result.description or ()])
            while rows := result.fetchmany(ROWS_AT_ONCE):
                writer.writerows(rows)
    except OSError as error:
        raise Refusal(Problem(str(out), None, "", "", say("cannot_write"), say("mend_write"))) from error


def _number(con: duckdb.DuckDBPyConnection, linked: Linked) -> tuple[int, int]:
    """Make `numbered`, the given rows with cluster_id 1, 2, … in order of first row; returns clusters and rows in a cluster with others."""
    con.register("clusters", linked.clusters)
    con.register("edges", linked.edges)
    con.execute("""create temp table numbered as
        select *, dense_rank() over (order by first_id) as cluster_id, count(*) over (partition by first_id) as together from (
            select given.*, min(identity_id) over (partition by coalesce(resident_id, identity_id)) as first_id
            from given join clusters using (identity_id))""")
    counted = con.execute("select coalesce(max(cluster_id), 0), count(*) filter (together > 1) from numbered").fetchone()
    return int(counted[0]), int(counted[1])


def link_files(paths: Sequence[Path | str], model: Path | str, out: Path | str, pairs: Path | str | None = None) -> LinkSummary:
    """Link the rows of CSV, Excel or Parquet files and write `out`: file, row, record column (if any), cluster_id.

    `row` counts data rows from 1; `cluster_id` counts clusters from 1 in order of their first row. One file is searched for duplicates; of
    several files pairs are sought across and, unless the model says `within = false`, inside them. `pairs` gets every scored pair.
    Errors: Refusal naming file, line, field and mend.
    """
    used, files = load_model(model), [Path(path) for path in paths]
    con = duckdb.connect()
    try:
        con.execute("set temp_directory = ''")
        con.execute("set enable_progress_bar = false")
        record, notes = _read(con, files, used)
        if len(files) == 1:
            used = used.within(True)
        linked = link(con, "given", model=used)
        cluster_count, linked_row_count = _number(con, linked)
        _write(con, files, record, Path(out), None if pairs is None else Path(pairs))
        return LinkSummary(len(linked.clusters), cluster_count, linked_row_count, len(linked.review), tuple(notes), linked.model)
    finally:
        con.close()
