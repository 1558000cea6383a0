"""A sender's text columns → our typed columns, set by set: what can be read is accepted, what cannot is explained."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
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
from quanmin.records.accepted import SLICE, period_sql
from quanmin.records.masking import shown

FORMATS = tomllib.loads((Path(catalog_package.__file__).parent / "formats.toml").read_text("utf-8"))
FILE, LINE, GROUP = "__file", "__line", "__group"  # the group of a repeated set of columns
PLAIN, NUMERIC = "plain ", ("integer", "number", "money")
LINE_BITS = 40  # a file's place and a line in one number
EARLIEST, LATEST = "1800-01-01", "2200-01-01"  # a date before or after is no date
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
    return f"translate({value}, {text(wide['from'])}, {text(wide['to'])})"


def _digits(value: str) -> str:
    """Full-width digits made narrow; commas taken out where they part thousands."""
    narrow = _narrow(value)
    return (f"CASE WHEN regexp_full_match({narrow}, '[+-]?[0-9]{{1,3}}(,[0-9]{{3}})+([.][0-9]*)?') THEN replace({narrow}, ',', '')"
            f" WHEN NOT contains({narrow}, ',') THEN {narrow} END")


def _moment(value: str, formats: Sequence[str], kind: str) -> str:
    iso = "" if formats else f"TRY_CAST({value} AS TIMESTAMP), "
    patterns = formats or FORMATS[kind + "s"]
    written = f"try_strptime({value}, [{_list(patterns)}])"
    wide = f"try_strptime({_narrow(value)}, [{_list(patterns if formats else ['%Y-%m-%d', *patterns])}])"
    found = f"CAST(coalesce({iso}{written}, {wide}) AS {kind})"
    begins_well = f"NOT regexp_matches({value}, '^[^0-9]*[a-zA-Z]')"  # "epoch" and "infinity" are no dates, "2026-03-01T08:00" is one
    return f"CASE WHEN {begins_well} AND {found} BETWEEN {kind} '{EARLIEST}' AND {kind} '{LATEST}' THEN {found} END"


def typed(value: str, column: Column, formats: Sequence[str] = ()) -> str:
    """SQL that reads text as the column's type, NULL where it cannot."""
    kind = column.type
    if kind in ("text", "code"):
        return value
    if kind in ("date", "timestamp"):
        return _moment(value, formats, kind)
    if kind == "boolean":
        return f"CASE WHEN lower({value}) IN ({_list(FORMATS['true'])}) THEN TRUE WHEN lower({value}) IN ({_list(FORMATS['false'])}) THEN FALSE END"
    plain = f"CASE WHEN NOT contains({value}, '_') THEN {value} END"
    number = f"coalesce(TRY_CAST({plain} AS DECIMAL(18,3)), TRY_CAST({_digits(plain)} AS DECIMAL(18,3)))"
    if kind == "integer":
        return f"CASE WHEN {number} % 1 = 0 THEN CAST({number} AS BIGINT) END"
    if kind == "money":
        return f"TRY_CAST({number} AS DECIMAL(14,2))"
    wide = f"coalesce(TRY_CAST({plain} AS DOUBLE), TRY_CAST({_digits(plain)} AS DOUBLE))"
    return f"CASE WHEN isfinite({wide}) THEN {wide} END"


def sender_sql(expression: str, blank: dict[str, exp.Expression]) -> str:
    """An expression over the sender's columns as SQL; columns the file lacks or leaves empty are null."""
    return str(ready(parse(expression), Catalog(), blank).sql("duckdb"))


def _in_group(template: str, group: int) -> str:
    """A column's name in the n-th group of a repeated set."""
    return template.replace("{n}", f"{group:02d}").replace("{i}", str(group))


def narrowed(number: str, column: Column) -> str:
    """SQL that turns a decimal number into the column's type, NULL where it does not fit."""
    if column.type == "integer":
        return f"CASE WHEN {number} % 1 = 0 THEN CAST({number} AS BIGINT) END"
    return f"TRY_CAST({number} AS {'DECIMAL(14,2)' if column.type == 'money' else 'DOUBLE'})"


def raw_value(fill: Fill, header: set[str], blank: dict[str, exp.Expression], order: int, group: int = 0) -> str | None:
    """SQL for the text that fills a column, or None where the sender gives nothing."""
    if fill.expression == ORDER:
        return text(str(order))
    if fill.constant is not None:
        return text(fill.constant)
    if fill.expression:
        value = sender_sql(fill.expression, blank)
    else:
        named = [_in_group(source, group) for source in fill.source]
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
    """Every sender's column the mapping can use; read from a mapping once, since thousands of files come by the same one."""
    key = mapping.path, mapping.version
    if key not in _sources or not mapping.version:
        _sources[key] = _sources_of(mapping)
    return set(_sources[key])


_sources: dict[tuple[str, str], set[str]] = {}  # by file and version of the mapping


def _sources_of(mapping: Mapping) -> set[str]:
    used: set[str] = {mapping.sender_column} if mapping.sender_column else set()
    for into in mapping.into:
        groups = range(1, into.repeat + 1) if into.repeat else (0,)
        templates = [source for fill in into.fills for source in fill.source] + ([into.anchor] if into.anchor else [])
        for i in groups:
            used |= {_in_group(source, i) for source in templates}
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
        self.numeric = {
            source for into in mapping.into if not into.repeat for fill in into.fills
            if _is_copied(fill) and catalog.tables[into.table].columns[fill.column].type in NUMERIC for source in fill.source
        }
        self.plain: set[str] = set()
        self.blank: dict[str, exp.Expression] = {}

    def take(self, raw: pa.Table) -> Conformed:
        """Typed rows and refusals of one batch."""
        header = set(raw.column_names)
        used = [column for column in raw.column_names if column in self.needed]
        empty = {column for column in used if _is_blank(raw[column])}
        kept = {c: _cleaned(raw[c]) for c in used if c not in empty}
        plain = {PLAIN + c: numbers for c in self.numeric & set(kept) if (numbers := _plain_numbers(kept[c])) is not None}
        self.plain = set(plain)
        self.connection.register("cleaned", pa.table({FILE: raw[FILE], LINE: raw[LINE], **kept, **plain}))
        self.blank = {column: exp.null() for column in self.needed if column not in kept}
        result = Conformed()
        made = [(into, self._type(into, header, result)) for into in self.mapping.into]
        for into, rows in made:
            if rows is not None:
                _collect(self.catalog.tables[into.table], rows, result)
        if all(into.where or into.anchor for into in self.mapping.into):
            self._explain_set_aside(result)
        result.problems = list(dict.fromkeys(result.problems))  # a key stands in several tables
        return result

    def _explain_set_aside(self, result: Conformed) -> None:
        """Rows that the mapping's conditions take into no table are refused, not lost."""
        found = [f"SELECT {FILE}, {LINE} FROM taken_{number}" for number in range(len(result.accepted))]
        for number, rows in enumerate(result.accepted.values()):
            self.connection.register(f"taken_{number}", rows.select([FILE, LINE]))
        refused = pa.table({FILE: pa.array([f for f, _ in result.refused_lines], pa.int64()), LINE: pa.array([n for _, n in result.refused_lines], pa.int64())})
        self.connection.register("refused", refused)
        settled = " UNION ALL ".join([*found, f"SELECT {FILE}, {LINE} FROM refused"])
        query = f"SELECT {FILE}, {LINE} FROM cleaned ANTI JOIN ({settled}) USING ({FILE}, {LINE}) ORDER BY ALL"
        for file, line in self.connection.execute(query).fetchall():
            result.problems.append((file, Problem(self.files[file], line, "", "", say("set_aside"), say("mend_set_aside"))))
            result.refused_lines.add((file, line))

    def _selects(self, into: Into, table: Table, header: set[str]) -> list[str]:
        selects = []
        for i in range(1, into.repeat + 1) if into.repeat else (0,):
            anchor = _in_group(into.anchor, i)
            if into.anchor and (anchor not in header or anchor in self.blank):
                continue
            order = into.first + i - 1 if into.repeat else into.first
            fills = {fill.column: raw_value(fill, header, self.blank, order, i) for fill in into.fills}
            values = ", ".join(f"{fills.get(c.name) or 'CAST(NULL AS VARCHAR)'} AS {name(c.name)}" for c in _declared(table))
            wheres = [f"{name(anchor)} IS NOT NULL"] if into.anchor else []
            if into.where:
                wheres.append(sender_sql(into.where, self.blank))
            where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
            ready_made = "".join(f", {name(PLAIN + source)} AS {name('p_' + column)}" for column, source in self._ready_made(into, header).items())
            selects.append(f"SELECT {FILE}, {LINE}, {i} AS {GROUP}, {values}{ready_made} FROM cleaned{where}")
        return selects

    def _ready_made(self, into: Into, header: set[str]) -> dict[str, str]:
        """Our column → the sender's, where a whole column of plain numbers was read at once."""
        if into.repeat:
            return {}
        named = {fill.column: next((s for s in fill.source if s in header), "") for fill in into.fills if _is_copied(fill)}
        kinds = self.catalog.tables[into.table].columns
        return {column: source for column, source in named.items() if PLAIN + source in self.plain and kinds[column].type in NUMERIC}

    def _type(self, into: Into, header: set[str], result: Conformed) -> pa.Table | None:
        """The rows of one table typed: columns t_…, their text where it was converted, and __bad."""
        table = self.catalog.tables[into.table]
        selects = self._selects(into, table, header)
        if not selects:
            return None
        formats = {fill.column: fill.formats for fill in into.fills}
        converted = [c for c in _declared(table) if c.type not in ("text", "code")]
        made = self._ready_made(into, header)
        readings = {
            c.name: narrowed(name("p_" + c.name), c) if c.name in made else typed(name(c.name), c, formats.get(c.name, ())) if c in converted else name(c.name)
            for c in _declared(table)
        }
        values = ", ".join(f"{reading} AS {name('t_' + column)}" for column, reading in readings.items())
        raws = ", ".join(name(c.name) for c in converted)
        faults = [f"({name(c.name)} IS NOT NULL AND {name('t_' + c.name)} IS NULL)" for c in converted]
        faults += [f"({name('t_' + key)} IS NULL)" for key in table.key]
        identity = f", {identity_of(table)} AS t_identity_id" if table.person_columns else ""
        rows = self.connection.execute(
            f"SELECT *, ({' OR '.join(faults) or 'FALSE'}) AS __bad, {period_sql(table, 't_')} AS {SLICE}{identity} FROM"
            f" (SELECT {FILE}, {LINE}, {GROUP}, {values}{', ' + raws if raws else ''} FROM ({' UNION ALL '.join(selects)}))"
        ).to_arrow_table()
        bad = rows.filter(rows["__bad"])
        if len(bad):
            self.connection.register("bad", bad)
            self._explain(table, into, converted, result)
        return rows

    def _explain(self, table: Table, into: Into, converted: list[Column], result: Conformed) -> None:
        """One problem per unreadable value of the refused rows."""
        fills = {fill.column: fill for fill in into.fills}
        questions = [(c, f"{name(c.name)} IS NOT NULL AND {name('t_' + c.name)} IS NULL", name(c.name), *RULES[c.type]) for c in converted]
        questions += [
            (table.columns[k], f"{name('t_' + k)} IS NULL" + (f" AND {name(k)} IS NULL" if table.columns[k] in converted else ""), "''",
             "missing_key", "mend_key")
            for k in table.key
        ]
        flags = ", ".join(f"bool_or({fault})" for _, fault, *_ in questions)
        has_any = self.connection.execute(f"SELECT {flags} FROM bad").fetchall()[0]
        for column, fault, value, rule, mend in (question for question, is_there in zip(questions, has_any, strict=True) if is_there):
            found = self.connection.execute(
                f"SELECT {FILE}, {LINE}, {GROUP}, {value} FROM bad WHERE {fault} ORDER BY ALL"
            ).fetchall()
            fill = fills.get(column.name)
            template = "/".join(fill.source) if fill and fill.source else column.name
            for file, line, group, given in found:
                field_name = _in_group(template, group)
                value_shown = shown(given, column.private != "no")
                result.problems.append((file, Problem(self.files[file], line, field_name, value_shown, say(rule), say(mend))))
                result.refused_lines.add((file, line))


def _collect(table: Table, rows: pa.Table, result: Conformed) -> None:
    """Add one table's typed rows, without those of refused lines, to what is accepted."""
    if result.refused_lines:
        refused = pa.array([(file << LINE_BITS) + line for file, line in result.refused_lines], pa.int64())
        place = pc.add(pc.shift_left(rows[FILE], LINE_BITS), rows[LINE])
        rows = rows.filter(pc.invert(pc.is_in(place, value_set=refused)))
    names = [c.name for c in _declared(table)] + (["identity_id"] if table.person_columns else [])
    found = pa.table({FILE: rows[FILE], LINE: rows[LINE], SLICE: rows[SLICE]} | {n: rows[f"t_{n}"] for n in names})
    before = result.accepted.get(table.id)
    result.accepted[table.id] = found if before is None else pa.concat_tables([before, found])


def _cleaned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values without surrounding space; what stands for nothing is null."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, value_set=_missing()), pa.scalar(None, pa.string()), trimmed)


@cache
def _missing() -> pa.Array:
    """What stands for nothing (made late: Arrow loads another library for it)."""
    return pa.array(FORMATS["missing"])


def _is_copied(fill: Fill) -> bool:
    return not fill.codes and fill.constant is None and not fill.expression


def _plain_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The column as decimals where every value in it is a plain number (nearly always, and forty times faster than value by value)."""
    try:
        return pc.cast(column, pa.decimal128(18, 3))
    except pa.ArrowInvalid:
        return None


def _is_blank(column: pa.ChunkedArray) -> bool:
    offsets, validity = 4 * (len(column) + column.num_chunks), len(column) // 8 + 64 * column.num_chunks
    if column.nbytes > offsets + validity:  # there are characters: most columns are told apart without looking at them
        return False
    return pc.max(pc.binary_length(column)).as_py() in (0, None)


def _declared(table: Table) -> list[Column]:
    return [c for c in table.columns.values() if c.name not in ("sender", "submission", "line", "identity_id")]


def identity_of(table: Table) -> str:
    """SQL for the hash of a record's identifying values; NULL where it names nobody."""
    roles = sorted(table.person_columns.items())
    values = ", ".join(f"{text(role)}, coalesce(upper(CAST({name('t_' + column)} AS VARCHAR)), '')" for role, column in roles)
    named = " AND ".join(f"{name('t_' + column)} IS NULL" for role, column in roles if role in ("name", "identity_number"))
    return f"CASE WHEN {named} THEN NULL ELSE md5(concat_ws(chr(31), {values})) END"
