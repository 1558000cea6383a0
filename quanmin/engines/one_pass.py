"""Counting many parts of one table, by many groupings, in one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from quanmin.catalog import Catalog
from quanmin.catalog.expressions import parse
from quanmin.engines.sql import Part, condition, counted_of, dimension, given, kept_rows, named, ready, selected

WIDTH = 5  # columns per part: the rows it may be about, then amount, total, unknown and squares as a tally has them


@dataclass(frozen=True)
class OnePass:
    """The query; the names of its keys k0 …, then WIDTH columns per part, then `which` grouping a row is of (`marks` has each grouping's value)."""

    query: exp.Select
    keys: tuple[str, ...]
    marks: dict[int, int]
    groupings: tuple[tuple[str, ...], ...]

    def groups(self, rows: Sequence[Sequence[Any]], write: Callable[[Any, str], Any]) -> list[tuple[int, tuple[Any, ...]]]:
        """Of each row the grouping it is of, and its group key as `write` gives it for a value and the name of its dimension."""
        places = [[(self.keys.index(name), name) for name in by] for by in self.groupings]
        return [(at := self.marks[row[-1]], tuple(write(row[i], name) for i, name in places[at])) for row in rows]

    def counted(self, rows: Sequence[Sequence[Any]], groups: Sequence[tuple[int, tuple[Any, ...]]], part: int) -> Iterator[tuple[int, Any, Sequence[Any]]]:
        """(grouping, group key, amount … squares) of the groups that hold rows the part may be about; without keys there is one group, if empty."""
        first = len(self.keys) + WIDTH * part
        for row, (at, key) in zip(rows, groups, strict=True):
            if row[first] or not key:
                yield at, key, row[first + 1 : first + WIDTH]


def _columns(part: Part, i: int, catalog: Catalog) -> tuple[list[exp.Expression], list[exp.Expression]]:
    """What a part needs of every row, and what is counted of it."""
    whole, whether = ready(parse(part.whole), catalog), kept_rows(part, catalog)
    belongs: list[exp.Expression] = [exp.paren(whole, copy=False)] if part.whole.strip() else []
    rows, amount, mark = (exp.column(f"{name}{i}") for name in ("r", "a", "m"))
    shown = [named(given(exp.Literal.number(1), [] if whether is None else [whether]), f"r{i}")]
    if part.sum or part.distinct:
        value = ready(parse(part.sum or part.distinct), catalog)
        shown.append(named(given(value, belongs), f"a{i}"))
        belongs = [*belongs, exp.Not(this=exp.Is(this=exp.paren(value.copy(), copy=False), expression=exp.null()))]
    if part.counted or not (part.sum or part.distinct):
        shown.append(named(given(ready(parse(part.counted), catalog), belongs), f"m{i}"))
    star = exp.Count(this=rows)
    return shown, [star, *counted_of(part, amount, mark, star)]


def one_pass(of: Sequence[Part], groupings: Sequence[Sequence[str]], filters: Sequence[str], catalog: Catalog) -> OnePass:
    """The query over parts of one table with the same time and place; raises Refusal where a dimension or condition does not fit."""
    names, first = tuple(dict.fromkeys(name for by in groupings for name in by)), of[0]
    keys = {name: exp.column(f"k{i}") for i, name in enumerate(names)}
    needed: list[exp.Expression] = [named(dimension(name, first), f"k{i}") for i, name in enumerate(names)]
    columns: list[exp.Expression] = []
    for i, part in enumerate(of):
        shown, counted = _columns(part, i, catalog)
        needed += shown
        columns += [named(one, f"c{i}_{j}") for j, one in enumerate(counted)]
    alone = kept_rows(first, catalog) if len(of) == 1 else None
    wanted = [*([alone] if alone is not None else []), *(exp.paren(condition(text, first, catalog), copy=False) for text in filters)]
    which: exp.Expression = exp.Grouping(expressions=[key.copy() for key in keys.values()]) if names else exp.Literal.number(0)
    query = exp.Select(expressions=[*(key.copy() for key in keys.values()), *columns, named(which, "which")])
    query = query.from_(selected(needed, first, wanted).subquery("r", copy=False), copy=False)
    if names:
        sets = [exp.Tuple(expressions=[keys[name].copy() for name in by]) for by in groupings]
        query.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=sets)]))
    marks = {sum(1 << (len(names) - 1 - i) for i, name in enumerate(names) if name not in by): at for at, by in enumerate(groupings)}
    return OnePass(query, names, marks, tuple(map(tuple, groupings)))
