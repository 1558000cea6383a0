"""The expression dialect: DuckDB SQL over one table's columns, parsed and checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

OWN_FUNCTIONS = {"identity_number_valid": 1, "identity_birth_date": 1, "identity_sex": 1, "age_on": 2, "code_in": 2}

ALLOWED = (
    exp.And, exp.Or, exp.Not, exp.Xor, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like,
    exp.Case, exp.If, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Cast, exp.Coalesce, exp.Nullif, exp.Abs,
    exp.Round, exp.Floor, exp.Ceil, exp.Least, exp.Greatest, exp.Length, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right,
    exp.Concat, exp.Contains, exp.StartsWith, exp.EndsWith, exp.RegexpLike, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.DateTrunc,
    exp.TimestampTrunc, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.DataType, exp.Anonymous, exp.Var, exp.Tuple,
    exp.DPipe, exp.TsOrDsToDate, exp.Date, exp.Interval, exp.DataTypeParam,
)
TEXTUAL = {"text", "code"}
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


class BadExpression(ValueError):
    """An expression that cannot be used, with the reason."""


def parse(text: str) -> exp.Expression:
    """The syntax tree of one expression in the dialect; raises BadExpression with the reason."""
    if "\0" in text:
        raise BadExpression("holds a NUL character")
    try:
        tree = sqlglot.parse_one(text, read="duckdb", into=exp.Condition) if text.strip() else exp.true()
    except (ParseError, TokenError) as error:
        said = str(error).splitlines()[0]
        raise BadExpression("is not one expression" if "sqlglot" in said else said) from error
    except RecursionError as error:
        raise BadExpression("is nested too deeply") from error
    if not isinstance(tree, exp.Expression):
        raise BadExpression("is not one expression")
    return tree


def _faults(tree: exp.Expression, types: Mapping[str, str], code_lists: Collection[str]) -> list[str]:
    faults = []
    for node in tree.walk():
        if isinstance(node, exp.Anonymous):
            name = node.name.lower()
            if name not in OWN_FUNCTIONS:
                faults.append(f"function {name} is not in the dialect")
            elif len(node.expressions) != OWN_FUNCTIONS[name]:
                faults.append(f"function {name} takes {OWN_FUNCTIONS[name]} value(s)")
            elif name == "code_in" and node.expressions[1].name not in code_lists:
                faults.append(f"code list {node.expressions[1].name} does not exist")
        elif not isinstance(node, ALLOWED):
            faults.append(f"{type(node).__name__} is not in the dialect")
        elif isinstance(node, exp.Column) and node.name not in types:
            faults.append(f"column {node.name} does not exist")
        elif isinstance(node, exp.Column) and node.table:
            faults.append(f"column {node.sql()} must be written without a table")
        elif isinstance(node, COMPARISONS):
            faults += _type_faults(node, types)
    return faults


def _type_faults(node: exp.Expression, types: Mapping[str, str]) -> list[str]:
    pairs = ((node.this, node.expression), (node.expression, node.this))
    return [
        f"column {column.name} holds text and is compared with the number {literal.sql()}: write '{literal.name}'"
        for column, literal in pairs
        if isinstance(column, exp.Column) and types.get(column.name) in TEXTUAL and isinstance(literal, exp.Literal) and literal.is_number
    ]


def check(text: str, types: Mapping[str, str], code_lists: Collection[str]) -> exp.Expression:
    """Parse `text` and hold it against a table's columns (name → type); raises BadExpression naming every fault."""
    tree = parse(text)
    faults = _faults(tree, types, code_lists)
    if faults:
        raise BadExpression("; ".join(dict.fromkeys(faults)))
    return tree
