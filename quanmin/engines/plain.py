"""The slow, obvious engine: the truth. It shares no code with the fast ones beyond the parser of the dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from quanmin.catalog import Catalog
from quanmin.engines.plain_values import Meaning
from quanmin.model import Answer, Cell, Check, Half, Indicator, Problem, Refusal

Rows = Sequence[Mapping[str, Any]]
GRAINS = {"day", "week", "month", "quarter", "year"}
Z = 1.959963984540054


def _refuse(field: str, value: str, rule: str) -> Refusal:
    return Refusal(Problem("question", None, field, value, rule, "correct the question"))


def _period(grain: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, int):
        return str(value)
    if grain == "week":
        return f"{value.isocalendar()[0]}-W{value.isocalendar()[1]:02d}"
    if grain == "quarter":
        return f"{value.year}-Q{(value.month + 2) // 3}"
    return {"day": f"{value.year:04d}-{value.month:02d}-{value.day:02d}", "month": f"{value.year:04d}-{value.month:02d}", "year": f"{value.year:04d}"}[grain]


class PlainEngine:
    """Answers Questions over `tables` (table → list of rows as dicts with every declared column)."""

    def __init__(self, catalog: Catalog, tables: Mapping[str, Rows]) -> None:
        self.catalog, self.tables = catalog, tables
        self.meaning = Meaning(lambda list_id: catalog.codes[list_id].codes)

    def ask(self, question: Indicator | Check, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        """The question's figures by groups."""
        if isinstance(question, Indicator) and not question.is_executable:
            raise _refuse("indicator", question.id, "cannot be computed yet")
        by = tuple(by)
        if isinstance(question, Check):
            cells = self._checked(question, by, where)
        elif question.kind == "growth":
            if not GRAINS & set(by):
                by = (*by, "year")
            cells = self._grown(question, by, where)
        elif question.kind == "composite":
            cells = self._composed(question, by, where)
        else:
            cells = self._counted(question, by, where)
        cells.sort(key=lambda cell: [(v is None, str(v)) for v in cell.key.values()])
        return Answer(question.id, question.version, by, tuple(cells), where=" AND ".join(where))

    def _grouped(self, half: Half, by: tuple[str, ...], where: Sequence[str]) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
        groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {} if by else {(): []}
        columns = self.catalog.tables[half.table].columns
        for row in self.tables.get(half.table, ()):
            seen = dict(row)
            for name in ("place", "county"):
                if half.place and name not in columns:
                    seen[name] = row[half.place]
            moment = row[half.time] if half.time else None
            for grain in ("day", "month", "year"):
                if half.time and (grain not in columns or columns[grain].type in ("date", "timestamp")):
                    period = _period(grain, moment)
                    seen[grain] = int(period) if grain == "year" and period else period
            if all(self.meaning.of(text, seen) is True for text in where):
                groups.setdefault(tuple(self._key(name, half, row, seen) for name in by), []).append(row)
        return groups

    def _key(self, name: str, half: Half, row: Mapping[str, Any], seen: Mapping[str, Any]) -> Any:
        columns = self.catalog.tables[half.table].columns
        if name in GRAINS and half.time:
            if name != "year" and columns[half.time].type == "integer":
                raise _refuse("by", name, f"table {half.table} is kept by year")
            return _period(name, row[half.time])
        if name not in seen:
            raise _refuse("by", name, f"is not a dimension of {half.table}")
        value = seen[name]
        return value.isoformat() if isinstance(value, date | datetime) else value

    def _checked(self, check: Check, by: tuple[str, ...], where: Sequence[str]) -> list[Cell]:
        table = self.catalog.tables[check.table]
        whole = Half(check.table, where=check.applies, time=table.time, place=table.place)
        part = Half(check.table, where=check.violated)
        return [self._shared(key, rows, part, whole, by, 100.0) for key, rows in self._grouped(whole, by, where).items()
                if any(self.meaning.of(check.applies, row) is not False for row in rows) or not by]

    def _counted(self, question: Indicator, by: tuple[str, ...], where: Sequence[str]) -> list[Cell]:
        upper, lower = question.numerator, question.denominator
        assert upper is not None
        scale = question.per * {"%": 100.0, "‰": 1000.0}.get(question.unit, 1.0)
        if question.kind in ("share", "mean"):
            whole = lower or upper
            groups = {k: rows for k, rows in self._grouped(whole, by, where).items()
                      if not by or any(self.meaning.of(whole.where, row) is not False for row in rows)}
            if question.kind == "share":
                return [self._shared(key, rows, upper, whole, by, scale) for key, rows in groups.items()]
            return [self._averaged(key, rows, upper, by, scale) for key, rows in groups.items()]
        first = self._amounts(upper, by, where)
        if lower is None:
            return [Cell(dict(zip(by, key, strict=True)), amount, None, unknown, amount) for key, (amount, unknown) in first.items()]
        return self._quotients(question, by, where, first, scale)

    def _amounts(self, half: Half, by: tuple[str, ...], where: Sequence[str]) -> dict[tuple[Any, ...], tuple[Any, int]]:
        found = {}
        for key, rows in self._grouped(half, by, where).items():
            states = [self.meaning.of(half.where, row) for row in rows]
            if by and all(state is False for state in states):
                continue
            met = [row for row, state in zip(rows, states, strict=True) if state is True]
            unknown = sum(state is None for state in states)
            values = [self.meaning.of(half.sum or half.distinct, row) for row in met] if half.sum or half.distinct else [1] * len(met)
            known = [value for value in values if value is not None]
            unknown += len(values) - len(known)
            amount: Any = len(set(known)) if half.distinct else self._sum(known) if half.sum else len(known)
            found[key] = (amount, unknown)
        return found

    def _quotients(self, question: Indicator, by: tuple[str, ...], where: Sequence[str], first: dict[tuple[Any, ...], tuple[Any, int]],
                   scale: float) -> list[Cell]:
        lower, upper = question.denominator, question.numerator
        assert lower is not None and upper is not None
        is_yearly = bool(lower.time) and self.catalog.tables[lower.table].columns[lower.time].type == "integer"
        coarse = [is_yearly and name in GRAINS and name != "year" for name in by]
        second = self._amounts(lower, tuple("year" if c else name for c, name in zip(coarse, by, strict=True)), where)
        keys = list(first) + ([] if any(coarse) else [key for key in second if key not in first])
        cells = []
        for key in keys:
            amount, unknown = first.get(key, (0 if not upper.sum or self._is_reported(key, by, first) else None, 0))
            below, more = second.get(tuple(k[:4] if c and k else k for c, k in zip(coarse, key, strict=True)), (None, 0))
            named = dict(zip(by, key, strict=True))
            if not below or amount is None:
                cells.append(Cell(named, amount, below, unknown + more, None))
                continue
            low = high = None
            if question.kind == "rate" and not upper.sum:
                low, high = (bound / float(below) * scale for bound in self._byar(amount))
            cells.append(Cell(named, amount, below, unknown + more, float(amount) / float(below) * scale, low, high))
        return cells

    def _is_reported(self, key: tuple[Any, ...], by: tuple[str, ...], first: Mapping[tuple[Any, ...], Any]) -> bool:
        """Whether anybody reported anything for the group's period."""
        times = [i for i, name in enumerate(by) if name in GRAINS]
        return any(all(other[i] == key[i] for i in times) for other in first)

    def _shared(self, key: tuple[Any, ...], rows: Rows, part: Half, whole: Half, by: tuple[str, ...], scale: float) -> Cell:
        inside: list[Any] = []
        outside: list[Any] = []
        unknown = 0
        for row in rows:
            belongs, counts = self.meaning.of(whole.where, row), self.meaning.of(part.where, row)
            weight = self.meaning.of(whole.sum, row) if whole.sum else 1
            if belongs is False:
                continue
            if belongs is None or counts is None or weight is None:
                unknown += 1
            else:
                (inside if counts else outside).append(weight)
        named = dict(zip(by, key, strict=True))
        n, size = sum(inside), sum(inside) + sum(outside)
        if whole.sum and not inside and not outside:
            n = size = None
        if not size:
            return Cell(named, n, size, unknown, None)
        low = high = None
        if not whole.sum:
            low, high = (bound * scale for bound in self._wilson(n, size))
        return Cell(named, n, size, unknown, float(n) / float(size) * scale, low, high)

    def _averaged(self, key: tuple[Any, ...], rows: Rows, upper: Half, by: tuple[str, ...], scale: float) -> Cell:
        states = [(self.meaning.of(upper.where, row), self.meaning.of(upper.sum, row)) for row in rows]
        values = [value for met, value in states if met is True and value is not None]
        unknown = sum(met is None or (met is True and value is None) for met, value in states)
        named = dict(zip(by, key, strict=True))
        if not values:
            return Cell(named, None, 0, unknown, None)
        n, mean = len(values), float(sum(values)) / len(values)
        low = high = None
        if n > 1:
            spread = Z * math.sqrt(sum((float(v) - mean) ** 2 for v in values) / (n - 1) / n)
            low, high = (mean - spread) * scale, (mean + spread) * scale
        return Cell(named, sum(values), n, unknown, mean * scale, low, high)

    def _sum(self, known: Sequence[Any]) -> Any:
        """A sum over nothing known is unknown, not 0."""
        return sum(known) if known else None

    def _wilson(self, n: float, size: float) -> tuple[float, float]:
        p = n / size
        root = Z * math.sqrt(p * (1 - p) / size + Z * Z / (4 * size * size))
        below = 1 + Z * Z / size
        return max(0.0, (p + Z * Z / (2 * size) - root) / below), min(1.0, (p + Z * Z / (2 * size) + root) / below)

    def _byar(self, events: float) -> tuple[float, float]:
        more = events + 1
        low = events * (1 - 1 / (9 * events) - Z / 3 / math.sqrt(events)) ** 3 if events else 0.0
        return low, more * (1 - 1 / (9 * more) + Z / 3 / math.sqrt(more)) ** 3

    def _grown(self, question: Indicator, by: tuple[str, ...], where: Sequence[str]) -> list[Cell]:
        grain = next(name for name in by if name in GRAINS)
        base = list(self.ask(self.catalog.indicators[question.of], by, where).cells)
        cells = []
        for cell in base:
            wanted = dict(cell.key) | {grain: self._before(cell.key[grain], grain, question.lag)}
            then = next((other for other in base if dict(other.key) == wanted), None)
            change = None
            if cell.value is not None and then is not None and then.value:
                change = (float(cell.value) - float(then.value)) / abs(float(then.value)) * 100
            cells.append(Cell(cell.key, cell.value, then.value if then else None, cell.unknown + (then.unknown if then else 0), change))
        return cells

    def _before(self, period: str | None, grain: str, lag: str) -> str | None:
        if period is None:
            return None
        year = int(period[:4])
        if lag == "year" or grain == "year":
            return str(year - 1) + period[4:]
        if grain == "quarter":
            return f"{year - 1}-Q4" if period.endswith("Q1") else f"{year}-Q{int(period[-1]) - 1}"
        if grain != "month":
            raise _refuse("by", grain, "cannot be compared with the period before")
        return f"{year - 1}-12" if period.endswith("-01") else f"{year}-{int(period[5:]) - 1:02d}"

    def _composed(self, question: Indicator, by: tuple[str, ...], where: Sequence[str]) -> list[Cell]:
        found = {name: self.ask(self.catalog.indicators[part], by, where).cells for name, part in question.parts.items()}
        keys: list[dict[str, Any]] = []
        for cells in found.values():
            keys += [dict(cell.key) for cell in cells if dict(cell.key) not in keys]
        results = []
        for key in keys:
            matching = {name: next((c for c in cells if dict(c.key) == key), None) for name, cells in found.items()}
            values = {name: None if c is None or c.value is None else float(c.value) for name, c in matching.items()}
            value = self.meaning.of(question.formula, values)
            scale = {"%": 100.0, "‰": 1000.0}.get(question.unit, 1.0)
            unknown = sum(c.unknown for c in matching.values() if c is not None)
            results.append(Cell(key, None, None, unknown, None if value is None else float(value) * scale))
        return results
