"""A sender's text columns → our typed columns, set by set: what can be read is accepted, what cannot is explained."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from quanmin import catalog as catalog_package
from quanmin.catalog import Catalog
from quanmin.catalog.expressions import parse
from quanmin.catalog.mapping_files import ORDER
from quanmin.catalog.messages import say
from quanmin.engines.sql import ready
from quanmin.model import Column, Fill, Into, Mapping, Problem, Table

FORMATS = tomllib.loads((Path(catalog_package.__file__).parent / "formats.toml").read_text("utf-8"))
FILE, LINE = "__file", "__line"
MISSING = pa.array(FORMATS["missing"])
RULES = {"date": ("unreadable_date", "mend_date"), "timestamp": ("unreadable_date", "mend_date"), "integer": ("unreadable_integer", "mend_integer"),
         "number": ("unreadable_number", "mend_number"), "money": ("unreadable_number", "mend_number"),
         "boolean": ("unreadable_boolean", "mend_boolean")}


def name(identifier: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """An SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _list(values: Iterable[str]) -> str:
    return ", ".join(text(value) for value in values)


def _narrow(value: str) -> str:
    wide = FORMATS["full_width"]
    return f"replace(translate({value}, {text(wide['from'])}, {text(wide['to'])}), ',', '')"


def typed(value: str, column: Column, formats: Sequence[str] = ()) -> str:
    """SQL that reads text as the column's type, NULL where it cannot."""
    kind = column.type
    if kind in ("text", "code"):
        return value
    if kind in ("date", "timestamp"):
        to = kind.upper()
        if formats:
            return f"CAST(try_strptime({value}, [{_list(formats)}]) AS {to})"
        return f"coalesce(TRY_CAST({value} AS {to}), CAST(try_strptime({value}, [{_list(FORMATS[kind + 's'])}]) AS {to}))"
    if kind == "boolean":
        return f"CASE WHEN lower({value}) IN ({_list(FORMATS['true'])}) THEN TRUE WHEN lower({value}) IN ({_list(FORMATS['false'])}) THEN FALSE END"
    number = f"coalesce(TRY_CAST({value} AS DECIMAL(18,3)), TRY_CAST({_narrow(value)} AS DECIMAL(18,3)))"
    if kind == "integer":
        return f"CASE WHEN {number} % 1 = 0 THEN CAST({number} AS BIGINT) END"
    if kind == "money":
        return f"TRY_CAST({number} AS DECIMAL(14,2))"
    wide = f"coalesce(TRY_CAST({value} AS DOUBLE), TRY_CAST({_narrow(value)} AS DOUBLE))"
    return f"CASE WHEN isfinite({wide}) THEN {wide} END"


def sender_sql(expression: str, blank: dict[str, exp.Expression]) -> str:
    """An expression over the sender's columns as SQL; columns the file lacks or leaves empty are null."""
    return str(ready(parse(expression), Catalog(), blank).sql("duckdb"))


def raw_value(fill: Fill, header: set[str], blank: dict[str, exp.Expression], order: int, number: str = "", index: str = "") -> str | None:
    """SQL for the text that fills a column, or None where the sender gives nothing."""
    if fill.expression == ORDER:
        return text(str(order))
    if fill.constant is not None:
        return text(fill.constant)
    if fill.expression:
        value = sender_sql(fill.expression, blank)
    else:
        named = [source.replace("{n}", number).replace("{i}", index) for source in fill.source]
        found = next((source for source in named if source in header), None)
        if found is None or found in blank:
            return None
        value = name(found)
    if fill.codes:
        branches = " ".join(f"WHEN {text(ours)} THEN {text(theirs)}" for ours, theirs in fill.codes.items())
        rest = text(fill.others) if fill.others is not None else value
        value = f"CASE WHEN {value} IS NULL THEN NULL ELSE CASE {value} {branches} ELSE {rest} END END"
    return f"CAST({value} AS VARCHAR)" if fill.expression else value


def sources_of(mapping: Mapping) -> set[str]:
    """Every sender's column the mapping can use."""
    used: set[str] = {mapping.sender_column} if mapping.sender_column else set()
    for into in mapping.into:
        groups = range(1, into.repeat + 1) if into.repeat else (0,)
        templates = [source for fill in into.fills for source in fill.source] + ([into.anchor] if into.anchor else [])
        for i in groups:
            used |= {source.replace("{n}", f"{i:02d}").replace("{i}", str(i)) for source in templates}
        for expression in [fill.expression for fill in into.fills if fill.expression and fill.expression != ORDER] + ([into.where] if into.where else []):
            used |= {column.name for column in parse(expression).find_all(exp.Column)}
    return used


@dataclass
class Conformed:
    """What became of some rows: typed rows per table, and the reasons of those refused (one per row and field)."""

    accepted: dict[str, pa.Table] = field(default_factory=dict)
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    refused_lines: set[tuple[int, int]] = field(default_factory=set)


class Conformer:
    """Applies one mapping to batches of text columns; `raw` tables carry the columns __file and __line besides the sender's."""

    def __init__(self, catalog: Catalog, mapping: Mapping, files: dict[int, str]) -> None:
        self.catalog, self.mapping, self.files = catalog, mapping, files
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute("SET enable_progress_bar = false")
        self.needed = sources_of(mapping)
        self.blank: dict[str, exp.Expression] = {}

    def take(self, raw: pa.Table) -> Conformed:
        """Typed rows and refusals of one batch."""
        header = set(raw.column_names)
        used = [column for column in raw.column_names if column in self.needed]
        empty = {column for column in used if _is_blank(raw[column])}
        kept = {c: _cleaned(raw[c]) for c in used if c not in empty}
        self.connection.register("cleaned", pa.table({FILE: raw[FILE], LINE: raw[LINE], **kept}))
        self.blank = {column: exp.null() for column in self.needed if column not in kept}
        result = Conformed()
        made = [(into, number, self._type(into, number, header, result)) for number, into in enumerate(self.mapping.into)]
        if result.refused_lines:
            files, lines = zip(*result.refused_lines, strict=True)
            self.connection.register("refused", pa.table({FILE: pa.array(files, pa.int64()), LINE: pa.array(lines, pa.int64())}))
        for into, number, is_made in made:
            if is_made:
                self._collect(into, number, result)
        return result

    def _selects(self, into: Into, table: Table, header: set[str]) -> list[str]:
        selects = []
        for i in range(1, into.repeat + 1) if into.repeat else (0,):
            number, index = f"{i:02d}", str(i)
            anchor = into.anchor.replace("{n}", number).replace("{i}", index)
            if into.anchor and (anchor not in header or anchor in self.blank):
                continue
            order = into.first + i - 1 if into.repeat else into.first
            fills = {fill.column: raw_value(fill, header, self.blank, order, number, index) for fill in into.fills}
            values = ", ".join(f"{fills.get(c.name) or 'CAST(NULL AS VARCHAR)'} AS {name(c.name)}" for c in _declared(table))
            wheres = [f"{name(anchor)} IS NOT NULL"] if into.anchor else []
            if into.where:
                wheres.append(sender_sql(into.where, self.blank))
            where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
            selects.append(f"SELECT {FILE}, {LINE}, {values} FROM cleaned{where}")
        return selects

    def _type(self, into: Into, number: int, header: set[str], result: Conformed) -> bool:
        table = self.catalog.tables[into.table]
        selects = self._selects(into, table, header)
        if not selects:
            return False
        formats = {fill.column: fill.formats for fill in into.fills}
        converted = [c for c in _declared(table) if c.type not in ("text", "code")]
        values = ", ".join(
            f"{typed(name(c.name), c, formats.get(c.name, ()))} AS {name('t_' + c.name)}" if c in converted else f"{name(c.name)} AS {name('t_' + c.name)}"
            for c in _declared(table)
        )
        raws = ", ".join(name(c.name) for c in converted)
        faults = [f"({name(c.name)} IS NOT NULL AND {name('t_' + c.name)} IS NULL)" for c in converted]
        faults += [f"({name('t_' + key)} IS NULL)" for key in table.key]
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE typed_{number} AS SELECT *, ({' OR '.join(faults) or 'FALSE'}) AS __bad FROM"
            f" (SELECT {FILE}, {LINE}, {values}{', ' + raws if raws else ''} FROM ({' UNION ALL '.join(selects)}))"
        )
        if self.connection.execute(f"SELECT bool_or(__bad) FROM typed_{number}").fetchone() == (True,):
            self._explain(table, into, number, converted, result)
        return True

    def _explain(self, table: Table, into: Into, number: int, converted: list[Column], result: Conformed) -> None:
        """One problem per unreadable value of the refused rows."""
        fills = {fill.column: fill for fill in into.fills}
        questions = [(c, f"{name(c.name)} IS NOT NULL AND {name('t_' + c.name)} IS NULL", name(c.name), *RULES[c.type]) for c in converted]
        questions += [
            (table.columns[k], f"{name('t_' + k)} IS NULL" + (f" AND {name(k)} IS NULL" if table.columns[k] in converted else ""), "''",
             "missing_key", "mend_key")
            for k in table.key
        ]
        for column, fault, value, rule, mend in questions:
            found = self.connection.execute(
                f"SELECT {FILE}, {LINE}, {value} FROM typed_{number} WHERE __bad AND {fault} ORDER BY ALL"
            ).fetchall()
            fill = fills.get(column.name)
            field_name = "/".join(fill.source) if fill and fill.source else column.name
            for file, line, given in found:
                shown = given if column.private == "no" else mask(given)
                result.problems.append((file, Problem(self.files[file], line, field_name, shown or "", say(rule), say(mend))))
                result.refused_lines.add((file, line))

    def _collect(self, into: Into, number: int, result: Conformed) -> None:
        table = self.catalog.tables[into.table]
        columns = ", ".join(f"{name('t_' + c.name)} AS {name(c.name)}" for c in _declared(table))
        identity = ", " + identity_of(table) + " AS identity_id" if table.person_columns else ""
        refused = f" ANTI JOIN refused USING ({FILE}, {LINE})" if result.refused_lines else ""
        found = self.connection.execute(f"SELECT {FILE}, {LINE}, {columns}{identity} FROM typed_{number}{refused}").to_arrow_table()
        before = result.accepted.get(into.table)
        result.accepted[into.table] = found if before is None else pa.concat_tables([before, found])


def _cleaned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values without surrounding space; what stands for nothing is null."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, value_set=MISSING), pa.scalar(None, pa.string()), trimmed)


def _is_blank(column: pa.ChunkedArray) -> bool:
    return pc.max(pc.binary_length(column)).as_py() in (0, None)


def _declared(table: Table) -> list[Column]:
    return [c for c in table.columns.values() if c.name not in ("sender", "submission", "line", "identity_id")]


def mask(value: str | None) -> str:
    """A private value with only its ends left."""
    if not value:
        return ""
    return value[0] + "*" * (len(value) - 1) if len(value) < 8 else value[:3] + "*" * (len(value) - 6) + value[-3:]


def identity_of(table: Table) -> str:
    """SQL for the hash of a record's identifying values; NULL where it names nobody."""
    roles = sorted(table.person_columns.items())
    values = ", ".join(f"{text(role)}, coalesce(upper(CAST({name('t_' + column)} AS VARCHAR)), '')" for role, column in roles)
    named = " AND ".join(f"{name('t_' + column)} IS NULL" for role, column in roles if role in ("name", "identity_number"))
    return f"CASE WHEN {named} THEN NULL ELSE md5(concat_ws(chr(31), {values})) END"
