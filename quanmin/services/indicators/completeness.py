"""When owed submissions are missing, a share is given as bounds, not as a false figure.

Let a month lack the settlements (table `claim`) that show care outside the region, or the front pages of some senders. What is seen
gives n of d. Unseen stays outside number at most U, unseen stays of the missing senders at most V, where U and V are the highest monthly
count of the twelve months before plus three Poisson standard deviations. The share then lies between n / (d + U) and (n + V) / (d + V).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from quanmin.catalog.expressions import parse
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.sql import Part, condition
from quanmin.model import Answer, Cell, Half, Indicator
from quanmin.model.words import GRAINS, UNIT_SCALE

LOOK_BACK = 12
History = dict[tuple[Any, ...], dict[str, int]]


@dataclass(frozen=True)
class Gaps:
    """Missing submissions: (period 2026-03-01, table, sender)."""

    missing: tuple[tuple[str, str, str], ...]

    def by_period(self) -> dict[str, list[str]]:
        """Period → senders missing, in order."""
        found: dict[str, list[str]] = {}
        for period, _, sender in self.missing:
            found.setdefault(period, [])
            if sender not in found[period]:
                found[period].append(sender)
        return dict(sorted(found.items()))

    def months(self, table: str = "") -> list[str]:
        """The months with something missing (of one table)."""
        return sorted({period for period, name, _ in self.missing if not table or name == table})


MISSING = 'SELECT CAST(period AS VARCHAR), "table", sender FROM receipt WHERE NOT is_received ORDER BY ALL'


def gaps_of(engine: DuckDBEngine, tables: Sequence[str]) -> Gaps:
    """The missing submissions of `tables`; where one is missing, stay senders missing in the same month count as well."""
    wanted = {*tables, "stay"}
    rows = [row for row in engine.records(MISSING) if row[1] in wanted]
    months = {period for period, table, _ in rows if table in tables}
    return Gaps(tuple((period, table, sender) for period, table, sender in rows if period in months))


TIME_WORDS = frozenset({"year", "month", "day"})


def _split(where: Sequence[str], time: str) -> tuple[list[str], list[str]]:
    """Conditions on the period alone, and all others."""
    on_time: list[str] = []
    others: list[str] = []
    for text in where:
        tree = parse(text)
        for one in tree.flatten() if isinstance(tree, exp.And) else [tree]:
            names = {column.name for column in one.find_all(exp.Column)}
            (on_time if names and names <= TIME_WORDS | {time} else others).append(one.sql("duckdb"))
    return on_time, others


def _asked_months(engine: DuckDBEngine, question: Indicator, conditions: Sequence[str], months: Sequence[str]) -> list[str]:
    """The months of which at least one day meets the conditions on the period."""
    assert question.numerator is not None
    part = Part.of_half(engine.catalog, question.numerator)
    if not conditions or not months:
        return list(months)
    met = " AND ".join(f"({condition(text, part, engine.catalog).sql('duckdb')})" for text in conditions)
    listed = ", ".join(f"DATE '{m}'" for m in months)
    days = "CAST(unnest(generate_series(m, last_day(m), INTERVAL 1 DAY)) AS DATE)"
    rows = engine.table(f'SELECT DISTINCT CAST(m AS VARCHAR) AS m FROM (SELECT m, {days} AS "{part.time}" FROM (SELECT unnest([{listed}]) AS m))'
                        f" WHERE {met} ORDER BY m").to_pylist()
    return [row["m"] for row in rows]


def _covers(key: dict[str, Any], month: str) -> bool:
    """Whether a cell's period contains a month (a cell without a period contains all)."""
    year, number = month[:4], int(month[5:7])
    whole = {"year": year, "quarter": f"{year}-Q{(number + 2) // 3}", "month": month[:7]}
    for grain in GRAINS:
        if grain in key and key[grain] is not None:
            return whole[grain] == str(key[grain]) if grain in whole else str(key[grain])[:7] == month[:7]
    return True


def _history(engine: DuckDBEngine, question: Indicator, by: Sequence[str], where: Sequence[str], met: str) -> History:
    """Group (without its period) → month → how many rows of the whole meet `met`."""
    whole = question.denominator
    assert whole is not None
    counted = Half(whole.table, f"({whole.where or 'TRUE'}) AND {met}", time=whole.time, place=whole.place)
    total = replace(question, kind="total", numerator=counted, denominator=None, requires=())
    found: History = {}
    asked = [name for name in by if name not in GRAINS]
    for cell in engine.ask(total, [*asked, "month"], where).cells:
        group = tuple(cell.key[name] for name in asked)
        found.setdefault(group, {})[str(cell.key["month"])] = int(cell.numerator or 0)
    return found


def _most(history: dict[str, int], month: str, incomplete: set[str]) -> int:
    """The highest count of the twelve complete months before, plus three Poisson standard deviations."""
    before = [count for m, count in sorted(history.items()) if m < month[:7] and m not in incomplete][-LOOK_BACK:]
    highest = max(before, default=0)
    return math.ceil(highest + 3 * math.sqrt(highest))


def bounded(answer: Answer, question: Indicator, gaps: Gaps, engine: DuckDBEngine, by: Sequence[str], where: Sequence[str]) -> Answer:
    """The answer with bounds instead of values in the cells whose period lacks submissions (no bounds where nothing is known of the missing rows)."""
    part, whole = question.numerator, question.denominator
    assert part is not None and whole is not None
    on_time, others = _split(where, part.time)
    months = [m for m in _asked_months(engine, question, on_time, gaps.months()) if any(_covers(dict(cell.key), m) for cell in answer.cells)]
    if not months:
        return answer
    outside: History = {}
    unsent: History = {}
    can_bound = "origin" in engine.catalog.tables[whole.table].columns and not whole.sum
    if can_bound:
        silent = sorted({sender for period, table, sender in gaps.missing if table == "stay" and period in months})
        listed = ", ".join("'" + s.replace("'", "''") + "'" for s in silent)
        outside = _history(engine, question, by, others, f"origin = 'claim' AND NOT ({part.where})")
        unsent = _history(engine, question, by, others, f"facility_code IN ({listed})") if silent else {}
    incomplete = {m[:7] for m in gaps.months()}
    scale = UNIT_SCALE.get(question.unit, 1.0)
    cells = [_bound(cell, months, by, (outside, unsent) if can_bound else None, incomplete, gaps, scale) for cell in answer.cells]
    return replace(answer, cells=tuple(cells))


def _bound(cell: Cell, months: list[str], by: Sequence[str], histories: tuple[History, History] | None, incomplete: set[str], gaps: Gaps, scale: float) -> Cell:
    concerned = [m for m in months if _covers(dict(cell.key), m)]
    if not concerned or cell.denominator is None:
        return cell
    senders = tuple(dict.fromkeys(sender for period, _, sender in gaps.missing if period in concerned))
    if histories is None:
        return replace(cell, value=None, low=None, high=None, missing=senders)
    group = tuple(cell.key[name] for name in by if name not in GRAINS)
    more_outside, more_local = (sum(_most(history.get(group, {}), m, incomplete) for m in concerned) for history in histories)
    n, d = float(cell.numerator or 0), float(cell.denominator)
    low = n / (d + more_outside) * scale if d + more_outside else None
    high = (n + more_local) / (d + more_local) * scale if d + more_local else None
    return replace(cell, value=None, low=low, high=high, missing=senders)
