"""All rules of supervision → one query: each table is read once, whatever the number of rules on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from sqlglot import exp

from quanmin.catalog import Catalog
from quanmin.catalog.expressions import parse
from quanmin.engines.sql import named, ready
from quanmin.model import Check, Table

FINDING = "finding"
ORIGIN = {"department_code": "VARCHAR", "sender": "VARCHAR", "submission": "BIGINT", "line": "BIGINT"}  # where a table has them
PUT_TOGETHER = ("subject_key", "facility_code", "facility_county")


def _text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def _by_rule(values: Mapping[int, exp.Expression]) -> exp.Expression:
    """The value that belongs to the rule whose number a row carries."""
    return exp.Case(this=exp.column("rule_number"), ifs=[exp.If(this=exp.Literal.number(n), true=tree) for n, tree in values.items()])


def violates(rule: Check, number: int, catalog: Catalog) -> exp.Expression:
    """The rule's number where a row is known to violate it, else null."""
    both = exp.and_(*(exp.paren(ready(parse(text), catalog), copy=False) for text in (rule.applies, rule.violated)), copy=False)
    return exp.Case(ifs=[exp.If(this=both, true=exp.Literal.number(number))])


def _of_table(table: Table, rules: list[Check], catalog: Catalog) -> exp.Select:
    """One row per rule and row of a table that violates it, in the columns of the table `finding`."""
    tried = exp.Array(expressions=[violates(rule, n, catalog) for n, rule in enumerate(rules)])
    met = exp.Explode(this=exp.Anonymous(this="list_distinct", expressions=[tried]))  # of a list without nulls: violations only are laid out
    source = exp.select(exp.Star()).select(named(met, "rule_number")).from_(exp.to_table(table.id))
    texts = [rule.finding for rule in rules]
    identity = exp.DPipe(this=exp.DPipe(this=_by_rule({n: _text(rule.id) for n, rule in enumerate(rules)}), expression=_text(" ")),
                         expression=exp.column("subject_key", quoted=True))
    amounts = {n: ready(parse(text.amount), catalog) for n, text in enumerate(texts) if text is not None and text.amount}
    amount = _by_rule(amounts) if amounts else exp.null()
    shown = {
        "finding_id": exp.Anonymous(this="md5", expressions=[identity]),
        "rule": _by_rule({n: _text(rule.id) for n, rule in enumerate(rules)}),
        "family": _by_rule({n: _text(text.family) for n, text in enumerate(texts) if text is not None}),
        "rule_table": _text(table.id),
        "row_key": exp.column(table.key[0], quoted=True),
        **{name: exp.column(name, quoted=True) for name in PUT_TOGETHER},
        "found_on": exp.cast(exp.column(table.time, quoted=True), "DATE"),
        "amount_cny": exp.cast(amount, "DECIMAL(18, 2)"),
        "rule_version": _by_rule({n: _text(rule.version) for n, rule in enumerate(rules)}),
        **{name: exp.cast(exp.column(name, quoted=True) if name in table.columns else exp.null(), kind) for name, kind in ORIGIN.items()},
    }
    return exp.select(*(named(tree, name) for name, tree in shown.items())).from_(source.subquery("tried"))


def findings(catalog: Catalog, rules: Iterable[Check]) -> exp.Expression | None:
    """The query for everything that violates one of the rules; a condition that cannot be told is no finding. None without rules."""
    ordered = sorted((rule for rule in rules if rule.finding is not None), key=lambda rule: rule.id)
    parts = [_of_table(catalog.tables[table], list(of_table), catalog) for table, of_table in groupby(ordered, key=lambda rule: rule.table)]
    if not parts:
        return None
    whole: exp.Expression = parts[0]
    for part in parts[1:]:
        whole = exp.Union(this=whole, expression=part, distinct=False)
    return whole
