"""Question → SQL, built as a syntax tree (DuckDB dialect; other engines render the same tree).

A *tally* is the query behind one table's part of a figure. It returns the group keys and then
`amount` (what is counted or summed), `total` (what it is a part of), `unknown` (rows whose condition or amount is null)
and `squares` (sum of squares, for the interval of a mean).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from quanmin.catalog import Catalog
from quanmin.catalog.expressions import BadExpression, check, parse
from quanmin.model import Check, Half, Indicator, Problem, Refusal, Table
from quanmin.model.words import GRAINS

SMALL_LIST = 64
PLACES = ("place", "county")
_GRAIN_FORMAT = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True)
class Part:
    """One table's part of a question: which rows (`whole`), which of them count (`counted`), and what is summed or counted distinct."""

    table: Table
    whole: str
    counted: str = ""
    sum: str = ""
    distinct: str = ""
    time: str = ""
    place: str = ""
    squares: bool = False

    @classmethod
    def of_half(cls, catalog: Catalog, half: Half, squares: bool = False) -> Part:
        """The part that one half of a quotient stands for."""
        return cls(catalog.tables[half.table], half.where, "", half.sum, half.distinct, half.time, half.place, squares)


def parts(catalog: Catalog, question: Indicator | Check) -> tuple[Part, Part | None]:
    """The one or two parts a question counted from tables consists of."""
    if isinstance(question, Check):
        table = catalog.tables[question.table]
        return Part(table, question.applies, question.violated, time=table.time, place=table.place), None
    upper, lower = question.numerator, question.denominator
    assert upper is not None
    if question.kind == "share" and lower is not None:
        return Part(catalog.tables[upper.table], lower.where, upper.where, upper.sum, time=upper.time, place=upper.place), None
    if question.kind == "mean":
        return Part.of_half(catalog, upper, squares=True), None
    return Part.of_half(catalog, upper), Part.of_half(catalog, lower) if lower else None


def refuse(field: str, value: str, rule: str, mend: str) -> Refusal:
    """A refusal of something asked for."""
    return Refusal(Problem("question", None, field, value, rule, mend))


def _grain(name: str, part: Part) -> exp.Expression:
    if not part.time:
        raise refuse("by", name, f"table {part.table.id} has no time in this question", "leave the time grain out")
    column = exp.column(part.time, quoted=True)
    if part.table.columns[part.time].type == "integer":
        if name != "year":
            raise refuse("by", name, f"table {part.table.id} is kept by year", "group by year")
        return exp.cast(column, "VARCHAR")
    if name == "quarter":
        quarter = exp.Anonymous(this="quarter", expressions=[column.copy()])
        year = exp.cast(exp.Anonymous(this="year", expressions=[column]), "VARCHAR")
        return exp.DPipe(this=exp.DPipe(this=year, expression=exp.Literal.string("-Q")), expression=exp.cast(quarter, "VARCHAR"))
    return exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string(name), column])


def dimension(name: str, part: Part) -> exp.Expression:
    """The expression a `by` name stands for in this part; raises Refusal if it stands for nothing."""
    if name in GRAINS and part.time:
        return _grain(name, part)
    if name in part.table.columns:
        return exp.column(name, quoted=True)
    if name in GRAINS:
        return _grain(name, part)
    if name in PLACES and part.place:
        return exp.column(part.place, quoted=True)
    choices = [*GRAINS, *PLACES, *part.table.columns]
    raise refuse("by", name, f"is not a dimension of table {part.table.id}", "choose from " + ", ".join(choices))


def _pseudo(part: Part) -> dict[str, exp.Expression]:
    found: dict[str, exp.Expression] = {}
    if part.place:
        found |= {name: exp.column(part.place, quoted=True) for name in PLACES}
    if part.time:
        column = exp.column(part.time, quoted=True)
        if part.table.columns[part.time].type == "integer":
            found["year"] = column
        else:
            found["year"] = exp.Anonymous(this="year", expressions=[column])
            for grain in ("day", "month"):
                found[grain] = exp.Anonymous(this="strftime", expressions=[column.copy(), exp.Literal.string(_GRAIN_FORMAT[grain])])
    columns = part.table.columns
    return {name: tree for name, tree in found.items() if name not in columns or columns[name].type in ("date", "timestamp")}


def condition(text: str, part: Part, catalog: Catalog, field: str = "where") -> exp.Expression:
    """A condition given by a person, checked; besides columns it may use county, place, year, month ('2026-03') and day."""
    pseudo = _pseudo(part)
    types = {c.name: c.type for c in part.table.columns.values()} | {name: "integer" if name == "year" else "text" for name in pseudo}
    try:
        tree = check(text, types, catalog.codes)
    except BadExpression as error:
        raise refuse(field, text, f"{error} (table {part.table.id})", "correct the condition") from error
    return ready(tree, catalog, pseudo)


def ready(tree: exp.Expression, catalog: Catalog, pseudo: dict[str, exp.Expression] | None = None) -> exp.Expression:
    """The tree with pseudo-columns put in and `code_in` turned into a membership test."""

    def turn(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and pseudo and node.name in pseudo:
            return pseudo[node.name].copy()
        if isinstance(node, exp.Column):
            return exp.column(node.name, quoted=True)
        if isinstance(node, exp.Anonymous) and node.name.lower() == "code_in":
            value, list_id = node.expressions[0], node.expressions[1].name
            codes = catalog.codes[list_id].codes
            if len(codes) > SMALL_LIST:
                return exp.In(this=value, query=exp.Subquery(this=exp.select("code").from_(f"code_list_{list_id}")))
            return exp.In(this=value, expressions=[exp.Literal.string(code) for code in codes])
        return node

    return tree.copy().transform(turn)


def never_null(tree: exp.Expression) -> bool:
    """Whether a condition can be told true or false for every row."""
    if isinstance(tree, exp.Is | exp.Boolean):
        return True
    if isinstance(tree, exp.Not | exp.Paren):
        return never_null(tree.this)
    if isinstance(tree, exp.And | exp.Or):
        return never_null(tree.left) and never_null(tree.right)
    return False


def _filtered(aggregate: exp.Expression, condition_tree: exp.Expression | None) -> exp.Expression:
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition_tree)) if condition_tree is not None else aggregate


def _is_null(name: str) -> exp.Expression:
    return exp.Is(this=exp.column(name), expression=exp.null())


def _not_null(name: str) -> exp.Expression:
    return exp.Not(this=_is_null(name))


def _all_of(*conditions: exp.Expression) -> exp.Expression | None:
    return exp.and_(*conditions) if conditions else None


def _projection(part: Part, by: Sequence[str], filters: Sequence[str], catalog: Catalog) -> tuple[exp.Select, dict[str, bool]]:
    whole = ready(parse(part.whole), catalog)
    knows = {"whole": never_null(whole)}
    inner = exp.select(*(exp.alias_(dimension(name, part), f"k{i}") for i, name in enumerate(by)))
    if not knows["whole"]:
        inner = inner.select(exp.alias_(whole, "whole"))
    if part.counted:
        counted = ready(parse(part.counted), catalog)
        knows["counted"] = never_null(counted)
        inner = inner.select(exp.alias_(counted, "counted"))
    if part.sum or part.distinct:
        inner = inner.select(exp.alias_(ready(parse(part.sum or part.distinct), catalog), "amount"))
    if not inner.expressions:
        inner = inner.select(exp.alias_(exp.Literal.number(1), "one"))
    inner = inner.from_(exp.to_table(part.table.id))
    if part.whole.strip():
        inner = inner.where(whole if knows["whole"] else exp.Not(this=exp.Is(this=exp.paren(whole), expression=exp.false())))
    for text in filters:
        inner = inner.where(exp.paren(condition(text, part, catalog)))
    return inner, knows


def tally(part: Part, by: Sequence[str], filters: Sequence[str], catalog: Catalog) -> exp.Select:
    """The query that counts one part by groups, keys named k0, k1, …"""
    inner, knows = _projection(part, by, filters, catalog)
    has_amount = bool(part.sum or part.distinct)
    of_whole = [] if knows["whole"] else [exp.column("whole")]
    known = of_whole + ([_not_null("amount")] if has_amount else [])
    if part.counted:
        total_of = known + ([] if knows["counted"] else [_not_null("counted")])
        amount_of = [*known, exp.column("counted")]
    else:
        total_of = amount_of = known
    star: exp.Expression = exp.Count(this=exp.Star())
    if part.sum:
        amount: exp.Expression = exp.Sum(this=exp.column("amount"))
        total = amount.copy() if part.counted else star.copy()
    elif part.distinct:
        amount = exp.Count(this=exp.Distinct(expressions=[exp.column("amount")]))
        total = star.copy()
    else:
        amount, total = star.copy(), star.copy()
    doubts = [] if knows["whole"] else [_is_null("whole")]
    if part.counted and not knows["counted"]:
        doubts.append(_is_null("counted"))
    if has_amount:
        doubts.append(_is_null("amount"))
    unknown = _filtered(star.copy(), exp.or_(*doubts)) if doubts else exp.Literal.number(0)
    outer = exp.select(*(exp.column(f"k{i}") for i in range(len(by))))
    outer = outer.select(
        exp.alias_(_filtered(amount, _all_of(*amount_of)), "amount"), exp.alias_(_filtered(total, _all_of(*total_of)), "total"),
        exp.alias_(unknown, "unknown"), exp.alias_(_squares(part, known), "squares"),
    ).from_(inner.subquery("r"))
    return outer.group_by(*(exp.column(f"k{i}") for i in range(len(by)))) if by else outer


def _squares(part: Part, known: list[exp.Expression]) -> exp.Expression:
    if not part.squares:
        return exp.null()
    value = exp.cast(exp.column("amount"), "DOUBLE")
    return _filtered(exp.Sum(this=exp.Mul(this=value, expression=value.copy())), _all_of(*known))


def listing(part: Part, filters: Sequence[str], catalog: Catalog, columns: Sequence[str], which: str) -> exp.Select:
    """The rows behind a part; `which` is numerator, denominator (all the rows it is about) or unknown; `counted` tells which of them count."""
    whole = exp.paren(ready(parse(part.whole), catalog))
    counted = exp.paren(ready(parse(part.counted), catalog)) if part.counted else exp.true()
    query = exp.select(*(exp.column(name, quoted=True) for name in columns)).select(exp.alias_(counted, "counted"))
    query = query.from_(exp.to_table(part.table.id))
    if which == "unknown":
        doubts = [exp.Is(this=tree, expression=exp.null()) for tree in (whole, counted)]
        query = query.where(exp.and_(exp.Not(this=exp.Is(this=whole.copy(), expression=exp.false())), exp.or_(*doubts)))
    else:
        query = query.where(whole)
        if which == "numerator":
            query = query.where(counted.copy())
    for text in filters:
        query = query.where(exp.paren(condition(text, part, catalog)))
    return query
