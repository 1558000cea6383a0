"""Tallies → Answer: quotients, intervals, periods compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlglot import exp

from quanmin.catalog.expressions import parse
from quanmin.catalog.messages import say
from quanmin.engines.sql import refuse
from quanmin.model import Answer, Cell, Check, Indicator
from quanmin.model.words import GRAINS, UNIT_SCALE

Z95 = 1.959963984540054
CANCELLED = 1e-12  # of a sum of squares: what is left below it is rounding
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Tally:
    """What one part counted in one group."""

    amount: float | None
    total: float | None
    unknown: int
    squares: float | None


def key_text(value: Any, grain: str) -> Any:
    """A group key as people write it: 2026-03, 2026-W10, 2026-Q1; other values unchanged."""
    if isinstance(value, date | datetime) and grain in GRAINS:
        if grain == "week":
            year, week, _ = value.isocalendar()
            return f"{year}-W{week:02d}"
        return value.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[grain])
    return value.isoformat() if isinstance(value, date | datetime) else value


def wilson(part: float, whole: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    share, n = part / whole, whole
    centre, spread = share + Z95**2 / (2 * n), Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + Z95**2 / n)), min(1.0, (centre + spread) / (1 + Z95**2 / n))


def byar(events: float) -> tuple[float, float]:
    """95 % interval of a count of events (Byar's approximation; Breslow & Day 1987, IARC 82, eq. 2.13)."""
    upper = events + 1
    low = events * (1 - 1 / (9 * events) - Z95 / (3 * math.sqrt(events))) ** 3 if events > 0 else 0.0
    return low, upper * (1 - 1 / (9 * upper) + Z95 / (3 * math.sqrt(upper))) ** 3


def interval_kind(question: Indicator | Check) -> str:
    """Which interval a question's figures carry."""
    if isinstance(question, Check):
        return "wilson"
    upper = question.numerator
    counts = upper is not None and not upper.sum
    return {"share": "wilson" if counts else "none", "rate": "byar" if counts else "none", "mean": "normal"}.get(question.kind, "none")


def _interval(kind: str, tally: Tally, upper: float, lower: float, scale: float) -> tuple[float | None, float | None]:
    if kind == "wilson":
        low, high = wilson(upper, lower)
    elif kind == "byar":
        low, high = (bound / lower for bound in byar(upper))
    elif kind == "normal" and tally.squares is not None and lower > 1:
        spread = tally.squares - upper * upper / lower
        variance = spread / (lower - 1) if spread > CANCELLED * tally.squares else 0.0
        half = Z95 * math.sqrt(variance / lower)
        low, high = upper / lower - half, upper / lower + half
    else:
        return None, None
    return low * scale, high * scale


def scale_of(question: Indicator | Check) -> float:
    """What a quotient is multiplied by to be in the question's unit."""
    if isinstance(question, Check):
        return 100.0
    return question.per * UNIT_SCALE.get(question.unit, 1.0) if question.kind in ("share", "rate", "ratio", "mean") else 1.0


def _absent(question: Indicator | Check, by: Sequence[str], first: dict[Key, Tally]) -> Callable[[Key], Tally]:
    """What stands for a group without rows above the line: 0, but unknown for a sum in a period for which nobody reported anything."""
    is_sum = isinstance(question, Indicator) and question.numerator is not None and bool(question.numerator.sum)
    times = [i for i, name in enumerate(by) if name in GRAINS]
    reported = {tuple(key[i] for i in times) for key in first}

    def stand_in(key: Key) -> Tally:
        is_known = not is_sum or (bool(first) and tuple(key[i] for i in times) in reported)
        return Tally(0 if is_known else None, 0, 0, None)

    return stand_in


def quotients(question: Indicator | Check, by: Sequence[str], first: dict[Key, Tally], second: dict[Key, Tally] | None,
              coarse: Sequence[bool] = ()) -> list[Cell]:
    """The cells of a question counted from one part, or from two whose keys match (`coarse`: that key is a year in the second)."""
    kind, scale = interval_kind(question), scale_of(question)
    is_total = isinstance(question, Indicator) and question.kind == "total"
    cells = []
    keys, absent = list(first), _absent(question, by, first)
    if second is not None and not any(coarse):
        keys += [key for key in second if key not in first]
    for key in keys:
        tally = first.get(key) or absent(key)
        upper, lower, unknown = tally.amount, tally.total, tally.unknown
        if second is not None:
            other = second.get(tuple(str(k)[:4] if c and k is not None else k for k, c in zip(key, coarse or [False] * len(key), strict=True)))
            lower = other.amount if other else None
            unknown += other.unknown if other else 0
        elif lower is None:
            lower = upper
        elif upper is None and isinstance(question, Indicator) and question.kind == "share":
            upper = 0
        named = dict(zip(by, key, strict=True))
        if is_total:
            cells.append(Cell(named, upper, None, unknown, upper))
        elif not lower or upper is None:
            cells.append(Cell(named, upper, lower, unknown, None))
        else:
            low, high = _interval(kind, tally, float(upper), float(lower), scale)
            cells.append(Cell(named, upper, lower, unknown, float(upper) / float(lower) * scale, low, high))
    return sort_cells(cells)


def sort_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Cells in the order of their keys, blanks last."""
    return sorted(cells, key=lambda cell: [(value is None, str(value)) for value in cell.key.values()])


def earlier(period: str, grain: str, lag: str) -> str:
    """The period a year (same season) or one grain before `period`."""
    if lag == "year" or grain == "year":
        return f"{int(period[:4]) - 1}{period[4:]}"
    if grain == "month":
        months = int(period[:4]) * 12 + int(period[5:7]) - 2
        return f"{months // 12}-{months % 12 + 1:02d}"
    if grain == "quarter":
        quarters = int(period[:4]) * 4 + int(period[6:]) - 2
        return f"{quarters // 4}-Q{quarters % 4 + 1}"
    raise refuse("by", grain, say("no_period_before"), say("mend_no_period_before"))


def growth(question: Indicator, base: Answer, grain: str) -> list[Cell]:
    """Change in % of each period against the one a lag before; numerator and denominator are the two values."""
    values = {tuple(cell.key.values()): cell for cell in base.cells}
    place = base.by.index(grain)
    cells = []
    for key, cell in values.items():
        before = values.get((*key[:place], earlier(str(key[place]), grain, question.lag), *key[place + 1 :])) if key[place] else None
        now, then = cell.value, before.value if before else None
        change = (float(now) - float(then)) / abs(float(then)) * 100 if now is not None and then else None
        cells.append(Cell(cell.key, now, then, cell.unknown + (before.unknown if before else 0), change))
    return sort_cells(cells)


def composite(question: Indicator, answers: dict[str, Answer]) -> list[Cell]:
    """The formula over the parts' values, group by group."""
    tree = parse(question.formula)
    tables = {name: {tuple(c.key.values()): c for c in answer.cells} for name, answer in answers.items()}
    keys = {key: c.key for table in tables.values() for key, c in table.items()}
    scale = UNIT_SCALE.get(question.unit, 1.0)
    cells = []
    for key, named in keys.items():
        found = {name: table[key].value if key in table else None for name, table in tables.items()}
        unknown = sum(table[key].unknown for table in tables.values() if key in table)
        value = _arithmetic(tree, found)
        cells.append(Cell(named, None, None, unknown, None if value is None else value * scale))
    return sort_cells(cells)


def _arithmetic(node: exp.Expression, values: dict[str, float | None]) -> float | None:
    if isinstance(node, exp.Paren):
        return _arithmetic(node.this, values)
    if isinstance(node, exp.Literal):
        return float(node.name)
    if isinstance(node, exp.Column):
        value = values[node.name]
        return None if value is None else float(value)
    left = _arithmetic(node.this, values)
    if isinstance(node, exp.Neg):
        return None if left is None else -left
    right = _arithmetic(node.expression, values)
    if left is None or right is None or (isinstance(node, exp.Div) and right == 0):
        return None
    operations = {exp.Add: left + right, exp.Sub: left - right, exp.Mul: left * right}
    return left / right if isinstance(node, exp.Div) else operations[type(node)]
