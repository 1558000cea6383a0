"""What a role may group and filter by: figures must not show by the back door the rows that a role may not see.

Who may see masked rows may use every column that masking leaves readable. Who may not, only the dimensions that the question declares, its place and
its time. Who may not even see small counts may filter by a place and a period alone: two filters of their own choice could be subtracted
from each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from quanmin.catalog import Catalog
from quanmin.model import Check, Column, Indicator, Table
from quanmin.model.words import GRAINS

if TYPE_CHECKING:  # the parser is loaded where there are conditions to read
    from sqlglot import exp

PLACES = frozenset({"place", "county"})
PERIODS = frozenset({"year", "month"})
LONGEST = 2_000  # characters of a condition


def hidden_columns(tables: Iterable[Table]) -> frozenset[str]:
    """Columns that masking stars or shortens: never a dimension, never in a condition, unless a role may see who is who."""
    return frozenset(c.name for table in tables for c in table.columns.values() if _is_hidden(c))


def _is_hidden(column: Column) -> bool:
    return column.private == "direct" or (column.private == "quasi" and column.type in ("date", "timestamp"))


def declared(catalog: Catalog, question: Indicator | Check) -> frozenset[str]:
    """The dimensions a question declares, with its places, the grains of time and who sent it; of a rule its institutions."""
    if isinstance(question, Check):
        return frozenset({"sender", *GRAINS, *PLACES} | ({"facility_code"} if question.finding else set()))
    names = {*question.by, *GRAINS, *PLACES, "sender"}
    for other in ([question.of] if question.kind == "growth" else question.parts.values()):
        names |= declared(catalog, catalog.indicators[other])
    halves = [half for half in (question.numerator, question.denominator) if half is not None]
    return frozenset(names | {half.place for half in halves if half.place})


def places_of(catalog: Catalog, question: Indicator | Check) -> list[str]:
    """The place column of everything a question is counted from ("" where it has none)."""
    if isinstance(question, Check):
        return [catalog.tables[question.table].place]
    others = [question.of] if question.kind == "growth" else list(question.parts.values())
    halves = [half for half in (question.numerator, question.denominator) if half is not None]
    return [half.place for half in halves] + [place for other in others for place in places_of(catalog, catalog.indicators[other])]


def columns_of(where: Sequence[str]) -> frozenset[str]:
    """The columns that conditions speak of; none where one cannot be parsed (the engine then refuses it)."""
    from sqlglot import exp

    from quanmin.catalog.expressions import BadExpression, parse

    try:
        return frozenset(column.name for text in where for column in parse(text).find_all(exp.Column))
    except BadExpression:
        return frozenset()


def _is_slice(tree: exp.Expression) -> bool:
    """Whether a condition only names one place or one period."""
    from sqlglot import exp

    if isinstance(tree, exp.Paren):
        return _is_slice(tree.this)
    if isinstance(tree, exp.And):
        return _is_slice(tree.left) and _is_slice(tree.right)
    return (isinstance(tree, exp.EQ) and isinstance(tree.left, exp.Column) and isinstance(tree.right, exp.Literal)
            and tree.left.name in PLACES | PERIODS)


def slices_only(where: Sequence[str]) -> bool:
    """Whether all conditions together name a place and a period and nothing else."""
    from quanmin.catalog.expressions import BadExpression, parse

    try:
        return all(_is_slice(parse(text)) for text in where)
    except BadExpression:
        return True
