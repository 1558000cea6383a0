"""The working engine: DuckDB over the columnar files of a snapshot."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language, say
from quanmin.engines import answers
from quanmin.engines.kept import Kept, key_of, written_of
from quanmin.engines.one_pass import one_pass
from quanmin.engines.sql import SMALL_LIST, Part, listing, parts, refuse, sums, together
from quanmin.model import Answer, Cell, Check, Indicator, Refusal, Table
from quanmin.model.words import GRAINS

if TYPE_CHECKING:  # figures come without Arrow: it is loaded where tables come or go
    import pyarrow as pa

SQL_TYPES = {"text": "VARCHAR", "code": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "money": "DECIMAL(14,2)", "date": "DATE",
             "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}
HOLD_ROWS = 3_000_000
READ_AGAIN, LONGEST_READ = 200_000, 20_000  # rows of the results of fixed statements that are kept, of all and of the longest
MACROS = Path(__file__).with_name("duckdb_functions.sql")


def empty_select(table: Table) -> str:
    """A SELECT of no rows with the table's columns."""
    columns = ", ".join(f'CAST(NULL AS {SQL_TYPES[c.type]}) AS "{c.name}"' for c in table.columns.values())
    return f"SELECT {columns} WHERE FALSE"


def column_list(table: Table) -> str:
    """The table's columns, quoted, in order."""
    return ", ".join(f'"{name}"' for name in table.columns)


@lru_cache(8192, typed=True)
def _key_text(value: Any, grain: str) -> Any:
    """A group key as people write it; the same few come thousands of times."""
    return answers.key_text(value, grain)


def _listed(files: Sequence[str]) -> str:
    return ", ".join("'" + f.replace("'", "''") + "'" for f in files)


def _alike(wanted: Iterable[tuple[Part, list[tuple[str, ...]]]]) -> dict[tuple[tuple[str, ...], ...], list[Part]]:
    """Groupings → the parts that are asked by all of them."""
    found: dict[tuple[tuple[str, ...], ...], list[Part]] = {}
    for part, by in wanted:
        found.setdefault(tuple({frozenset(one): one for one in by}.values()), []).append(part)  # the same dimensions in another order are the same groups
    return found


class DuckDBEngine:
    """Answers Questions over `files` (table → Parquet files) or `frames` (table → Arrow table), in a database of its own in memory.

    `limits` (table → condition) stand under every read of a table. Nothing but the given files can be read, and no setting can be changed,
    once it stands. The tables named in `hold` are read into memory, as far as `limits` shows them, if they have up to HOLD_ROWS rows
    (for servers that are asked often). One engine serves many threads: every statement runs on a cursor of its own.
    """

    def __init__(self, catalog: Catalog, files: Mapping[str, Sequence[str]] | None = None, frames: Mapping[str, pa.Table] | None = None,
                 limits: Mapping[str, str] | None = None, memory_limit: str = "3GB", threads: int = 2, hold: Collection[str] = ()) -> None:
        self.catalog = catalog
        self.connection = duckdb.connect(":memory:", config={"memory_limit": memory_limit, "threads": threads})
        self.connection.execute(MACROS.read_text("utf-8"))
        self.connection.execute("SET preserve_insertion_order = false")
        self.connection.execute("SET enable_progress_bar = false")
        self.connection.execute("SET GLOBAL ieee_floating_point_ops = false")  # divided by 0 is null, not infinity, on every cursor
        files, frames, limits = files or {}, frames or {}, limits or {}
        self._hold = hold
        for table in catalog.tables.values():
            self._open(table, files.get(table.id, ()), frames.get(table.id), limits.get(table.id, ""))
        for name in set(files) - set(catalog.tables):
            self.connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{_listed(files[name])}])' if files[name] else "SELECT 1")
        folders = sorted({str(Path(f).parent) for paths in files.values() for f in paths})
        self.connection.execute(f"SET allowed_directories = [{_listed(folders)}]")  # as text: for a parameter of any kind duckdb loads pandas
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        self._lists: set[str] = set()
        self._kept, self._written = Kept(), written_of(catalog)
        self._read: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def _open(self, table: Table, files: Sequence[str], frame: pa.Table | None, limit: str) -> None:
        source = empty_select(table)
        if frame is not None:
            self.connection.register("frame", frame)
            self.connection.execute(f'CREATE TABLE "frame {table.id}" AS SELECT {column_list(table)} FROM frame')
            self.connection.unregister("frame")
            source = f'SELECT * FROM "frame {table.id}"'
        elif files:
            source = self._reading(table, files)
            if table.id in self._hold and self._row_count(files) <= HOLD_ROWS:
                self.connection.execute(f'CREATE TABLE "held {table.id}" AS {source}{" WHERE " + limit if limit else ""}')
                source, limit = f'SELECT * FROM "held {table.id}"', ""
        self.connection.execute(f'CREATE VIEW "{table.id}" AS {f"SELECT * FROM ({source}) WHERE {limit}" if limit else source}')

    def _reading(self, table: Table, files: Sequence[str]) -> str:
        """What reads a table's files; a column that was declared after they were written is null in them."""
        stored = f"read_parquet([{_listed(files)}], hive_partitioning = false)"
        known = {name for name, *_ in self.connection.execute(f"DESCRIBE SELECT * FROM {stored}").fetchall()}
        if known >= set(table.columns):
            return f"SELECT {column_list(table)} FROM {stored}"
        return f"SELECT {column_list(table)} FROM (SELECT * FROM {stored} UNION ALL BY NAME {empty_select(table)})"

    @staticmethod
    def _row_count(files: Sequence[str]) -> int:
        import pyarrow.parquet as pq

        return sum(pq.read_metadata(f).num_rows for f in files)

    def _need_lists(self, *texts: str) -> None:
        with self._lock:
            for list_id in self.catalog.codes:
                if list_id in self._lists or not any(f"'{list_id}'" in text for text in texts):
                    continue
                codes = list(self.catalog.codes[list_id].codes)
                if len(codes) > SMALL_LIST:
                    import pyarrow as pa

                    self.connection.register("codes", pa.table({"code": codes}))
                    self.connection.execute(f"CREATE TABLE code_list_{list_id} AS SELECT code FROM codes")
                    self.connection.unregister("codes")
                self._lists.add(list_id)

    def _tally(self, part: Part, by: Sequence[str], filters: Sequence[str]) -> dict[answers.Key, answers.Tally]:
        known = self._kept.find(part, by, filters)
        if known is not None:
            return known
        self._need_lists(part.whole, part.counted, part.sum, *filters)
        found = self._run(self._written.tally(part, by, filters, self.catalog), filters).fetchall()
        width = len(by)
        counted = {tuple(_key_text(value, name) for value, name in zip(row[:width], by, strict=True)): answers.Tally(*row[width:]) for row in found}
        self._kept.keep(part, by, filters, counted)
        return counted

    def prepare(self, questions: Sequence[Indicator | Check], groupings: Sequence[Sequence[str]], where: Sequence[str] = ()) -> None:
        """Count what questions are counted from by several groupings in one pass per table, so that asking for each of them reads nothing more."""
        wanted: dict[Hashable, dict[Hashable, tuple[Part, list[tuple[str, ...]]]]] = {}
        for question in questions:
            for part, by in self._counted(question, groupings):
                if self._kept.find(part, by, where) is None:
                    same = wanted.setdefault((part.table.id, part.time, part.place), {})
                    same.setdefault(key_of(part), (part, []))[1].append(by)
        for same in wanted.values():
            for asked, of in _alike(same.values()).items():
                self._prepare(of, asked, where)

    def _counted(self, question: Indicator | Check, groupings: Sequence[Sequence[str]]) -> Iterator[tuple[Part, tuple[str, ...]]]:
        """The parts that a question is counted from in the end, with the groupings each is asked by."""
        if isinstance(question, Indicator) and not question.is_executable:
            return
        if isinstance(question, Indicator) and question.kind in ("growth", "composite"):
            for name in (question.of, *question.parts.values()):
                yield from self._counted(self.catalog.indicators[name], groupings) if name else ()
            return
        first, second = parts(self.catalog, question)
        for by in groupings:
            yield first, tuple(by)
            if second is not None:
                yield second, tuple(self._second_by(second, by)[0])

    def _prepare(self, of: Sequence[Part], groupings: Sequence[Sequence[str]], filters: Sequence[str]) -> None:
        if len(of) * len(groupings) < 2:
            return
        self._need_lists(*(text for part in of for text in (part.whole, part.counted, part.sum)), *filters)
        try:
            asked = one_pass(of, groupings, filters, self.catalog)
        except Refusal:  # what does not fit is refused to whoever asks for it
            return
        rows = self._run(asked.query, filters).fetchall()
        groups = asked.groups(rows, _key_text)
        for i, part in enumerate(of):
            counted: list[dict[answers.Key, answers.Tally]] = [{} for _ in groupings]
            for at, key, figures in asked.counted(rows, groups, i):
                counted[at][key] = answers.Tally(*figures)
            for by, found in zip(groupings, counted, strict=True):
                self._kept.keep(part, by, filters, found)

    def _run(self, query: exp.Select | str, filters: Sequence[str]) -> duckdb.DuckDBPyConnection:
        """Run a question; a value in a condition that cannot be read as its column's type is refused, not raised."""
        try:
            return self.connection.cursor().execute(query if isinstance(query, str) else query.sql("duckdb"))
        except (duckdb.ParserException, duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
            raise refuse("where", " AND ".join(filters), say("bad_condition", reason=str(error).splitlines()[0], table=""), say("mend_condition")) from error

    def ask(self, question: Indicator | Check, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        """The question's figures by groups; raises Refusal where a dimension or condition does not fit."""
        if isinstance(question, Indicator) and not question.is_executable:
            waits = question.waits_for
            assert waits is not None
            raise refuse("indicator", question.id, say("not_computed", column=f"{waits.table}.{waits.column}"), waits.reason.in_language(language()))
        if isinstance(question, Indicator) and question.kind == "growth":
            return self._growth(question, by, where)
        if isinstance(question, Indicator) and question.kind == "composite":
            found = {name: self.ask(self.catalog.indicators[part], by, where) for name, part in question.parts.items()}
            return self._answer(question, by, where, answers.composite(question, found))
        return self._answer(question, by, where, self._cells(question, by, where))

    def _answer(self, question: Indicator | Check, by: Sequence[str], where: Sequence[str], cells: list[Cell]) -> Answer:
        return Answer(question.id, question.version, tuple(by), tuple(cells), answers.interval_kind(question), " AND ".join(where))

    def _cells(self, question: Indicator | Check, by: Sequence[str], where: Sequence[str]) -> list[Cell]:
        first, second = parts(self.catalog, question)
        counted = self._tally(first, by, where)
        if second is None:
            return answers.quotients(question, by, counted, None)
        second_by, coarse = self._second_by(second, by)
        return answers.quotients(question, by, counted, self._tally(second, second_by, where), coarse)

    @staticmethod
    def _second_by(second: Part, by: Sequence[str]) -> tuple[list[str], list[bool]]:
        """What a denominator is cut by where a question is cut by `by`, and where that is coarser: by years where it is kept by years."""
        coarse = [name in GRAINS and name != "year" and second.table.columns[second.time].type == "integer" if second.time else False for name in by]
        return ["year" if is_coarse else name for is_coarse, name in zip(coarse, by, strict=True)], coarse

    def _growth(self, question: Indicator, by: Sequence[str], where: Sequence[str]) -> Answer:
        asked = list(by) if any(name in GRAINS for name in by) else [*by, "year"]
        grain = next(name for name in asked if name in GRAINS)
        base = self.ask(self.catalog.indicators[question.of], asked, where)
        return self._answer(question, asked, where, answers.growth(question, base, grain))

    def tallies(self, checks: Sequence[Check], by: Sequence[str] = (), where: Sequence[str] = ()) -> dict[str, dict[tuple[Any, ...], tuple[int, int]]]:
        """Check → group → (violations, rows it could be told of), of checks of one table, counted in one pass; the same figures as `ask` gives one by one."""
        asked = [parts(self.catalog, check)[0] for check in checks]
        self._need_lists(*(text for part in asked for text in (part.whole, part.counted)), *where)
        found = self._run(together(asked, by, where, self.catalog), where).fetchall()
        width = len(by)
        keys = [tuple(answers.key_text(value, name) for value, name in zip(row[:width], by, strict=True)) for row in found]
        return {check.id: {key: (row[width + 2 * i], row[width + 2 * i + 1]) for key, row in zip(keys, found, strict=True)} for i, check in enumerate(checks)}

    def rows(self, question: Indicator | Check, which: str = "denominator", where: Sequence[str] = (), columns: Sequence[str] = (),
             limit: int | None = None, by: Sequence[str] = ()) -> pa.Table:
        """The rows behind a figure (`which`: numerator, denominator or unknown; of a check: numerator = violations), in the order of `by`."""
        import pyarrow as pa

        if isinstance(question, Indicator) and question.kind in ("growth", "composite"):
            question = self.catalog.indicators[question.of or next(iter(question.parts.values()))]
        if isinstance(question, Indicator) and not question.is_executable:
            return self.ask(question) and pa.table({})
        part, _ = parts(self.catalog, question)
        self._need_lists(part.whole, part.counted, *where)
        shown = columns or list(part.table.columns)
        query = listing(part, where, self.catalog, shown, which, by)
        if limit is not None:  # the same rows every time, in the order they were sent
            origin = [name for name in ("submission", "line") if name in part.table.columns]
            query = query.order_by(*origin).limit(limit) if origin else query.limit(limit)
        table = self._run(query, where).to_arrow_table()
        for name in by:
            if name in GRAINS and name not in shown:
                written = [answers.key_text(value, name) for value in table[name].to_pylist()]
                table = table.set_column(table.column_names.index(name), name, pa.array(written, pa.string()))
        return table

    def sums(self, table: Table, columns: Sequence[str], by: Sequence[str] = (), where: Sequence[str] = ()) -> pa.Table:
        """The number of `rows` of a table and the sums of columns by groups, in their order; raises Refusal where a dimension or condition does not fit."""
        import pyarrow as pa

        self._need_lists(*where)
        found = self._run(sums(Part(table, "", time=table.time, place=table.place), columns, by, where, self.catalog), where).to_arrow_table()
        for name in by:
            if name in GRAINS:
                written = [answers.key_text(value, name) for value in found[name].to_pylist()]
                found = found.set_column(found.column_names.index(name), name, pa.array(written, pa.string()))
        for name in columns:
            exact = {"money": pa.decimal128(38, 2), "number": pa.decimal128(38, 6)}.get(table.columns[name].type, pa.int64())
            found = found.set_column(found.column_names.index(name), name, found[name].cast(exact))
        return found

    def table(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The result of a fixed statement of ours (never of a person's text); the files do not change, so a short one is read once."""
        return self._once((sql, repr(sorted((parameters or {}).items()))), lambda: self.connection.cursor().execute(sql, parameters or {}).to_arrow_table())

    def records(self, sql: str) -> list[tuple[Any, ...]]:
        """The same as plain values, of a statement without parameters."""
        found: list[tuple[Any, ...]] = self._once(sql, lambda: self.connection.cursor().execute(sql).fetchall())
        return found

    def _once(self, key: Hashable, read: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._read:
                self._read.move_to_end(key)
                return self._read[key]
        found = read()
        if len(found) <= LONGEST_READ:
            with self._lock:
                self._read[key] = found
                while sum(len(one) for one in self._read.values()) > READ_AGAIN:
                    self._read.popitem(last=False)
        return found
