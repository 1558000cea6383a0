"""catalog/indicators and catalog/checks → Indicator and Check, held against their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.expressions import BadExpression, check
from quanmin.catalog.reading import Definition
from quanmin.model import Check, Example, Half, Indicator, Label, Provenance, RuleText, Table, Waiting
from quanmin.model.words import BETTER, CATEGORIES, GRAINS, KINDS, SEVERITIES, STATUSES

INDICATOR_FIELDS = (
    "code", "part", "name", "kind", "unit", "better", "table", "denominator", "numerator", "sum", "of", "where", "per", "lag", "parts",
    "formula", "time", "place", "by", "requires", "source", "why", "waits_for", "valid_from", "example",
)
CHECK_FIELDS = (
    "name", "category", "severity", "applies", "violated", "fields", "mend", "tolerated", "source", "example",
)
HALF_FIELDS = ("table", "where", "sum", "distinct", "time", "place")
NEEDED = {"share": ("table", "numerator"), "mean": ("table", "of"), "total": ("numerator",), "rate": ("numerator", "denominator"),
          "ratio": ("numerator", "denominator"), "growth": ("of", "lag"), "composite": ("parts", "formula")}


class Checker:
    """Holds expressions and names of one definition against the tables it speaks of."""

    def __init__(self, definition: Definition, tables: Mapping[str, Table], codes: CodeLists) -> None:
        self.definition, self.tables, self.codes = definition, tables, codes

    def table(self, key: str, name: str) -> Table | None:
        """The table called `name`, complained of if there is none."""
        if name not in self.tables:
            where = "table" if self.definition.data.get("table") == name else key
            self.definition.complain(where, name, "is not a table", "use one of catalog/tables")
        return self.tables.get(name)

    def expression(self, key: str, text: str, table: Table | None) -> None:
        """Check one expression over `table`."""
        if table is None or not text:
            return
        try:
            check(text, {c.name: c.type for c in table.columns.values()}, self.codes)
        except BadExpression as error:
            self.definition.complain(key, text, f"{error} (table {table.id})", "correct the expression")

    def column(self, key: str, name: str, table: Table | None) -> None:
        """Check that `name` is a column of `table`."""
        if table is not None and name and name not in table.columns:
            self.definition.complain(key, name, f"is not a column of table {table.id}", "name a declared column")

    def half(self, key: str, half: Half) -> None:
        """Check one half of a quotient."""
        table = self.table(key, half.table)
        self.expression(key, half.where, table)
        self.expression(key, half.sum, table)
        self.expression(key, half.distinct, table)
        self.column("time", half.time, table)
        self.column("place", half.place, table)
        if half.sum and half.distinct:
            self.definition.complain(key, half.distinct, "sums and counts distinct at once", "keep one of sum and distinct")


def read_provenance(definition: Definition) -> Provenance:
    """Where a definition comes from, complained of where it says too little."""
    given = definition.data.get("source", {})
    status = given.get("status", "")
    if status not in STATUSES:
        definition.complain("source", status, "is not a status", "use one of " + ", ".join(STATUSES))
    if not given.get("document"):
        definition.complain("source", "", "names no document", 'write source = { document = "…", status = "…" }')
    return Provenance(given.get("document", ""), str(given.get("item", "")), status, given.get("note", ""))


def _example(definition: Definition, table: str) -> Example | None:
    given = definition.data.get("example")
    if given is None:
        return None
    tables = dict(given.get("tables", {}))
    if "rows" in given:
        tables[table] = given["rows"]
    answers = given.get("answers") or [given.get("answer", {})]
    return Example(tables, tuple(given.get("by", ())), tuple(answers), given.get("where", ""))


def _half(given: Any, data: Mapping[str, Any], definition: Definition, key: str) -> Half | None:
    if not isinstance(given, dict):
        definition.complain(key, given, "must be a table of its own for this kind", f'write {key} = {{ table = "…", where = "…" }}')
        return None
    for name in given:
        if name not in HALF_FIELDS:
            definition.complain(key, name, "is not a field of a half", "known fields: " + ", ".join(HALF_FIELDS))
    return Half(
        table=given.get("table", data.get("table", "")), where=given.get("where", ""), sum=given.get("sum", ""),
        distinct=given.get("distinct", ""), time=given.get("time", data.get("time", "")), place=given.get("place", data.get("place", "")),
    )


def _halves(kind: str, data: Mapping[str, Any], definition: Definition) -> tuple[Half | None, Half | None]:
    table, time, place = data.get("table", ""), data.get("time", ""), data.get("place", "")
    if kind == "share":
        whole = Half(table, where=data.get("denominator", ""), sum=data.get("sum", ""), time=time, place=place)
        return Half(table, where=data.get("numerator", ""), sum=data.get("sum", ""), time=time, place=place), whole
    if kind == "mean":
        where = data.get("where", "")
        return Half(table, where=where, sum=data.get("of", ""), time=time, place=place), Half(table, where=where, time=time, place=place)
    if kind == "total":
        return _half(data.get("numerator"), data, definition, "numerator"), None
    if kind in ("rate", "ratio"):
        return _half(data.get("numerator"), data, definition, "numerator"), _half(data.get("denominator"), data, definition, "denominator")
    return None, None


def _waiting(definition: Definition) -> Waiting | None:
    given = definition.data.get("waits_for")
    if given is None:
        return None
    if not given.get("table") or not given.get("column"):
        definition.complain("waits_for", "", "names no table and column", 'write waits_for = { table = "…", column = "…", reason = {…} }')
    return Waiting(given.get("table", ""), given.get("column", ""), definition.label("reason", given) or Label("", ""))


def _check_dimensions(indicator: Indicator, checker: Checker) -> None:
    halves = [h for h in (indicator.numerator, indicator.denominator) if h is not None]
    for name in indicator.by:
        if name in GRAINS or name in ("place", "county"):
            continue
        for half in halves:
            checker.column("by", name, checker.tables.get(half.table))


def read_indicator(definition: Definition, theme: str, tables: Mapping[str, Table], codes: CodeLists) -> Indicator:
    """The Indicator of one file, with everything wrong in it complained of."""
    definition.known_keys(INDICATOR_FIELDS)
    data = definition.data
    kind = definition.word("kind", KINDS)
    waiting = _waiting(definition)
    if waiting is None:
        for key in NEEDED[kind]:
            if key not in data:
                definition.complain("kind", kind, f"needs {key}", f"write {key} = …, or waits_for what is missing")
    numerator, denominator = _halves(kind, data, definition) if waiting is None else (None, None)
    indicator = Indicator(
        id=definition.id, code=str(data.get("code", "")), part=data.get("part", ""), label=definition.label("name") or Label("", ""),
        kind=kind, unit=data.get("unit", ""), better=definition.word("better", BETTER), theme=theme, source=read_provenance(definition),
        numerator=numerator, denominator=denominator, per=float(data.get("per", 1)), by=tuple(data.get("by", ())),
        of=data.get("of", ""), lag=data.get("lag", ""), parts=data.get("parts", {}), formula=data.get("formula", ""),
        requires=tuple(data.get("requires", ())), why=definition.label("why"), example=_example(definition, data.get("table", "")),
        waits_for=waiting, version=definition.version, valid_from=str(data.get("valid_from", "")), path=definition.shown,
    )
    checker = Checker(definition, tables, codes)
    for key, half in (("numerator", numerator), ("denominator", denominator)):
        if half is not None:
            checker.half(key, half)
    _check_dimensions(indicator, checker)
    for name in indicator.requires:
        checker.table("requires", name)
    if waiting is None and indicator.example is None:
        definition.complain("name", "", "has no worked example", "add [example] with rows and the answer")
    return indicator


def read_check(definition: Definition, table_id: str, tables: Mapping[str, Table], codes: CodeLists) -> Check:
    """The Check of one file; the folder it lies in names its table."""
    definition.known_keys(CHECK_FIELDS)
    return check_of(definition, table_id, tables, codes)


def check_of(definition: Definition, table_id: str, tables: Mapping[str, Table], codes: CodeLists, finding: RuleText | None = None) -> Check:
    """What a check and a rule have alike, held against their table."""
    data = definition.data
    checker = Checker(definition, tables, codes)
    table = checker.table("name", table_id)
    checker.expression("applies", data.get("applies", ""), table)
    checker.expression("violated", data.get("violated", ""), table)
    for name in data.get("fields", ()):
        checker.column("fields", name, table)
    if not data.get("violated"):
        definition.complain("name", "", "states no violation", "write violated = …")
    if "example" not in data:
        definition.complain("name", "", "has no worked example", "add [example] with rows and the answer")
    return Check(
        id=f"{table_id}/{definition.id}", label=definition.label("name") or Label("", ""), table=table_id,
        category=definition.word("category", CATEGORIES), severity=definition.word("severity", SEVERITIES),
        applies=data.get("applies", ""), violated=data.get("violated", ""), fields=tuple(data.get("fields", ())),
        mend=definition.label("mend") or Label("", ""), source=read_provenance(definition), tolerated=float(data.get("tolerated", 0)),
        example=_example(definition, table_id), finding=finding, version=definition.version, path=definition.shown,
    )
