"""The rule language of grouping schemes: `PDX in DX and (ANYPROC in P1 or AGE_DAYS <= 28)` → Rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from quanmin.catalog.expressions import BadExpression, parse
from quanmin.model.scheme import Both, Coded, Either, Measured, Negated, OfSex, Rule, Sites

DIAGNOSES, PROCEDURES = ("PDX", "ANYDX"), ("PROC1", "ANYPROC")
NUMBERS = ("AGE_YEARS", "AGE_DAYS", "BIRTH_WEIGHT_G")
RELATIONS = {exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.EQ: "="}
ALWAYS = "ALWAYS"


def read_rule(text: str, lists: Collection[str]) -> Rule:
    """The rule that a text says; `lists` are the code lists it may name. Raises BadExpression with the reason."""
    return _rule(parse(text), lists)


def _rule(node: exp.Expression, lists: Collection[str]) -> Rule:
    if isinstance(node, exp.Paren):
        return _rule(node.this, lists)
    if isinstance(node, exp.And | exp.Or):
        kind = Both if isinstance(node, exp.And) else Either
        return kind(tuple(_rule(part, lists) for part in _flat(node, type(node))))
    if isinstance(node, exp.Not):
        return Negated(_rule(node.this, lists))
    if isinstance(node, exp.In):
        return _coded(node, lists)
    if type(node) in RELATIONS:
        return _relation(node)
    if isinstance(node, exp.Column) and node.name == ALWAYS:
        return Both()
    raise BadExpression(f"{node.sql()} is not a rule of a grouping scheme")


def _flat(node: exp.Expression, kind: type) -> Iterator[exp.Expression]:
    for part in (node.this, node.expression):
        yield from _flat(part, kind) if isinstance(part, kind) else (part,)


def _coded(node: exp.In, lists: Collection[str]) -> Coded:
    listed = node.args.get("field")
    if not isinstance(node.this, exp.Column) or node.this.name not in DIAGNOSES + PROCEDURES or listed is None:
        raise BadExpression(f"{node.sql()} does not ask {', '.join(DIAGNOSES + PROCEDURES)} for a list")
    if listed.name not in lists:
        raise BadExpression(f"list {listed.name} has no codes")
    return Coded(node.this.name, listed.name)


def _relation(node: exp.Expression) -> Rule:
    relation, left, right = RELATIONS[type(node)], node.this, node.expression
    if isinstance(left, exp.Column) and left.name == "SEX" and relation == "=" and isinstance(right, exp.Column) and right.name in ("M", "F"):
        return OfSex(right.name)
    if isinstance(right, exp.Literal) and not right.is_string:
        if isinstance(left, exp.Column) and left.name in NUMBERS:
            return Measured(left.name, relation, float(right.name))
        if isinstance(left, exp.Anonymous) and left.name == "DISTINCT_SITES" and relation == ">=":
            return Sites(int(right.name))
    raise BadExpression(f"{node.sql()} is not a comparison a grouping scheme knows")
