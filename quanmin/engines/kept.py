"""Tallies counted before. What follows from them exactly is not counted a second time: one value of a dimension they were cut by, or the sum over groups.

Sums over groups are taken only of counts and of amounts in whole numbers or cents: what has a floating point, and what is counted distinct, is asked again.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import finalize

from quanmin.catalog import Catalog
from quanmin.catalog.expressions import parse
from quanmin.engines.answers import Key, Tally
from quanmin.engines.sql import PLACES, Part, counts_exactly, tally
from quanmin.model import Refusal

MOST_GROUPS, MOST_SUMMED = 300_000, 30_000
PIN = re.compile(r"(month|place|county|facility_code) = '([0-9A-Za-z_.-]{1,40})'|(year) = ([0-9]{4})")
MOST_WRITTEN, OPEN_TEXT, OPEN_YEAR = 4096, "value-left-open-", 780_000_000  # what stands for a value in a statement that is kept: no code, no year
Tallies = dict[Key, Tally]


def key_of(part: Part) -> Hashable:
    """What tells parts apart."""
    return part.table.id, part.whole, part.counted, part.sum, part.distinct, part.time, part.place, part.squares


class Written:
    """Statements written before, the values that conditions name left open; a statement takes milliseconds to write."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = Lock()

    def tally(self, part: Part, by: Sequence[str], filters: Sequence[str], catalog: Catalog) -> str:
        """The statement of a tally; raises Refusal where a dimension or condition does not fit."""
        found = [PIN.fullmatch(text) for text in filters]
        opened = [text if one is None else f"{one[1]} = '{OPEN_TEXT}{i}.'" if one[1] else f"year = {OPEN_YEAR + i}"
                  for i, (text, one) in enumerate(zip(filters, found, strict=True))]
        key = key_of(part), tuple(by), tuple(opened)
        with self._lock:
            known = self._known.get(key, "")
        if not known:
            try:
                known = tally(part, by, opened, catalog).sql("duckdb")
            except Refusal:
                return str(tally(part, by, filters, catalog).sql("duckdb"))  # what does not fit is refused in its own words
            with self._lock:
                self._known[key] = known
                while len(self._known) > MOST_WRITTEN:
                    self._known.popitem(last=False)
        for i, one in enumerate(found):
            if one is not None:
                known = known.replace(f"'{OPEN_TEXT}{i}.'", f"'{one[2]}'") if one[1] else known.replace(str(OPEN_YEAR + i), one[4])
        return known


_WRITTEN: dict[int, Written] = {}  # catalog → statements: a site opens an engine per snapshot and scope over the same catalog


def written_of(catalog: Catalog) -> Written:
    """The statements written for a catalog, shared by all engines over it and gone with it."""
    found = _WRITTEN.get(id(catalog))
    if found is None:
        found = _WRITTEN.setdefault(id(catalog), Written())
        finalize(catalog, _WRITTEN.pop, id(catalog), None)
    return found


def _is_plain(part: Part, name: str) -> bool:
    """Whether a dimension and a condition of this name speak of the same values."""
    column = part.table.columns.get(name)
    if name == "facility_code":
        return column is not None and column.type in ("text", "code")
    if name in PLACES:
        return bool(part.place) and column is None
    return bool(part.time) and column is None and (name == "year" or part.table.columns[part.time].type != "integer")


def _pins(part: Part, filters: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The conditions that name one value of a dimension → the dimension and the value."""
    told = {text: PIN.fullmatch(text) for text in filters}
    named = {text: (one[1] or one[3], one[2] or one[4]) for text, one in told.items() if one}
    return {text: pin for text, pin in named.items() if _is_plain(part, pin[0])}


def _is_additive(part: Part) -> bool:
    return not part.distinct and not part.squares and (not part.sum or counts_exactly(parse(part.sum), part.table))


def _sum(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


@dataclass(frozen=True)
class _Entry:
    by: tuple[str, ...]
    filters: frozenset[str]
    tallies: Tallies


class Kept:
    """The tallies of one engine, those used last; what it gives must not be changed."""

    def __init__(self) -> None:
        self._of_part: dict[Hashable, dict[tuple[frozenset[str], frozenset[str]], _Entry]] = {}
        self._order: OrderedDict[tuple[Hashable, tuple[frozenset[str], frozenset[str]]], int] = OrderedDict()
        self._groups, self._lock = 0, Lock()

    def keep(self, part: Part, by: Sequence[str], filters: Sequence[str], tallies: Tallies) -> None:
        """Keep what was counted, in place of what was not used for longest."""
        if len(set(by)) != len(by) or len(tallies) > MOST_GROUPS // 4:
            return
        whose, which = key_of(part), (frozenset(by), frozenset(filters))
        with self._lock:
            self._groups += len(tallies) + 1 - self._order.get((whose, which), 0)
            self._of_part.setdefault(whose, {})[which] = _Entry(tuple(by), which[1], tallies)
            self._order[(whose, which)] = len(tallies) + 1
            self._order.move_to_end((whose, which))
            while self._groups > MOST_GROUPS:
                (old, one), size = self._order.popitem(last=False)
                self._groups -= size
                del self._of_part[old][one]

    def find(self, part: Part, by: Sequence[str], filters: Sequence[str]) -> Tallies | None:
        """The tallies by these groups, where they were counted or follow from some that were; None elsewhere."""
        if len(set(by)) != len(by):
            return None
        whose, which = key_of(part), (frozenset(by), frozenset(filters))
        with self._lock:
            entries = dict(self._of_part.get(whose, {}))
            if which in entries:
                self._order.move_to_end((whose, which))
        exact = entries.get(which)
        if exact is not None:
            return exact.tallies if exact.by == tuple(by) else _cut(part, exact, by, {}, False)
        pins = _pins(part, filters)
        for entry in sorted(entries.values(), key=lambda one: len(one.tallies)):
            rest = which[1] - entry.filters
            if len(entry.tallies) > MOST_SUMMED or not entry.filters <= which[1] or not rest <= pins.keys():
                continue
            wanted = dict(pins[text] for text in rest)
            if len(wanted) == len(rest) and (found := _cut(part, entry, by, wanted, True)) is not None:
                with self._lock:
                    if (whose, (frozenset(entry.by), entry.filters)) in self._order:
                        self._order.move_to_end((whose, (frozenset(entry.by), entry.filters)))
                return found
        return None


def _source(part: Part, entry: _Entry, name: str) -> tuple[int, bool] | None:
    """Where a dimension's values stand in an entry's keys, and whether its months must be shortened to years; None where they do not follow."""
    if name in entry.by:
        return entry.by.index(name), False
    if name == "year" and "month" in entry.by and _is_plain(part, "month"):
        return entry.by.index("month"), True
    return None


def _cut(part: Part, entry: _Entry, by: Sequence[str], pins: Mapping[str, str], may_sum: bool) -> Tallies | None:
    """An entry's tallies for some values, by some of its dimensions; None where that cannot be told from them."""
    sources = {name: _source(part, entry, name) for name in (*by, *pins)}
    if any(found is None for found in sources.values()):
        return None
    at = {name: found for name, found in sources.items() if found is not None}
    is_sum = {i for i, is_short in at.values() if not is_short} != set(range(len(entry.by)))
    if is_sum and not (may_sum and _is_additive(part)):
        return None

    def value(key: Key, name: str) -> Any:
        i, is_short = at[name]
        return key[i][:4] if is_short and key[i] is not None else key[i]

    groups: dict[Key, list[Tally]] = {}
    for key, counted in entry.tallies.items():
        if all(value(key, name) == wanted for name, wanted in pins.items()):
            groups.setdefault(tuple(value(key, name) for name in by), []).append(counted)
    if not groups and not by:
        return None  # without groups there is a tally even of nothing
    return {key: _added(found) for key, found in groups.items()}


def _added(tallies: Sequence[Tally]) -> Tally:
    if len(tallies) == 1:
        return tallies[0]
    return Tally(_sum([t.amount for t in tallies]), _sum([t.total for t in tallies]), sum(t.unknown for t in tallies), None)
