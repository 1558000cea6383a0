"""Small counts are not shown, nor can they be worked out from what is shown.

Primary: a count, its complement or its denominator of 1 to below − 1. Complementary: further cells are withheld until no withheld cell
follows from the others and the totals along any dimension, and until no count of what is withheld along a line adds up to 1 to below − 1.
That no count can fall below 0, nor a numerator rise above its denominator, is reckoned with: among withheld cells only those lend a small count
freedom that can themselves become more and less. Where the totals alone give a count away, withholding cells cannot help.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from quanmin.model import Answer, Cell

EXACT_UP_TO = 1200
Line = tuple[int, tuple[Hashable, ...]]


def _counts(cell: Cell, is_quotient: bool) -> tuple[float, float, float]:
    """Numerator, denominator and complement; 0 where there is none."""
    n, whole = float(cell.numerator or 0), float(cell.denominator or 0)
    return n, whole, whole - n if is_quotient and cell.numerator is not None and cell.denominator is not None else 0.0


def is_small(cell: Cell, below: int, is_quotient: bool) -> bool:
    """Whether a cell's counts would show fewer than `below` people."""
    return any(0 < count < below for count in _counts(cell, is_quotient))


@dataclass(frozen=True)
class _Weakness:
    """Lines on which something more must be withheld, best one of `wanted`; of a `cell` that is alone, until another of `wanted` is."""

    lines: list[list[int]]
    wanted: AbstractSet[int]
    cell: int | None = None


class _Pattern:
    """What is withheld of an answer."""

    def __init__(self, answer: Answer, below: int, is_quotient: bool) -> None:
        self.below = below
        self.counts = [_counts(cell, is_quotient) for cell in answer.cells]
        self.sizes = [whole if cell.denominator is not None else n for (n, whole, _), cell in zip(self.counts, answer.cells, strict=True)]
        self.hidden = {i for i, cell in enumerate(answer.cells) if is_small(cell, below, is_quotient)}
        self.small = frozenset(self.hidden)
        self.lines_of: list[list[list[int]]] = [[] for _ in answer.cells]
        self.lines = list(_lines(answer).values())
        for line in self.lines:
            for i in line:
                self.lines_of[i].append(line)
        self.filled = frozenset(i for i, size in enumerate(self.sizes) if size > 0)
        known = [cell.denominator is not None and is_quotient for cell in answer.cells]
        self.swaps = {i for i, (n, _, rest) in enumerate(self.counts) if n > 0 and (rest != 0 or not known[i])}
        self.uppers = {i for i, (n, whole, _) in enumerate(self.counts) if n > 0 and (whole > 1 or not known[i])}
        self.rests = {i for i, (_, whole, rest) in enumerate(self.counts) if rest > 0 and whole > 1}

    def _aims(self) -> Iterator[tuple[AbstractSet[int], AbstractSet[int]]]:
        """Small cells, and the cells whose changes can keep them open: of both counts at once, denominators being known; where there are none, of one."""
        swapped = {i for i in self.small if all(any(j in self.swaps and j != i for j in line) for line in self.lines_of[i])}
        yield swapped, self.swaps
        full, empty = ({i for i in self.small - swapped if self.counts[i][which] == 0} for which in (2, 0))
        yield full, {i for i, (_, whole, rest) in enumerate(self.counts) if rest > 0}
        yield empty, {i for i, (n, _, _) in enumerate(self.counts) if n > 0}
        yield self.small - swapped - full - empty, self.filled
        yield {i for i in self.small - swapped if 0 < self.counts[i][0] < self.below}, self.uppers
        yield {i for i in self.small - swapped if 0 < self.counts[i][2] < self.below}, self.rests

    def _fixed(self, cells: AbstractSet[int], mobile: AbstractSet[int], is_exact: bool) -> set[int]:
        """Those of the withheld that the line totals give away when only one of `cells` and the `mobile` ones may change (not exact: one line at a time)."""
        both = cells | mobile
        if not is_exact or len(both) > EXACT_UP_TO or not mobile:
            return {i for i in both if any(not any(j in mobile and j != i for j in line) for line in self.lines_of[i])}
        import numpy as np  # few answers withhold anything

        order, others = sorted(mobile), sorted(cells - mobile)
        rows = [line for line in self.lines if any(i in both for i in line)]
        free, held = (np.array([[float(i in members) for i in columns] for members in map(set, rows)]).reshape(len(rows), len(columns))
                      for columns in (order, others))
        values, vectors = np.linalg.eigh(free.T @ free)
        kept = values > 1e-9 * len(rows)
        freedom = np.abs(vectors[:, ~kept]).max(axis=1, initial=0.0)
        reached = free @ vectors[:, kept]
        unmet = np.abs(held - reached / values[kept] @ (reached.T @ held)).max(axis=0, initial=0.0)
        return {order[c] for c in np.flatnonzero(freedom < 1e-7)} | {others[c] for c in np.flatnonzero(unmet > 1e-7)}

    def weaknesses(self) -> Iterator[list[_Weakness]]:
        """Where the withheld shows few or can be worked out, what is told fastest first."""
        few = ((line, next((w for w in range(3) if 0 < sum(self.counts[i][w] for i in line if i in self.hidden) < self.below), None)) for line in self.lines)
        yield [_Weakness([line], {i for i in line if self.counts[i][which] > 0}) for line, which in few if which is not None]
        for is_exact in (False, True):
            for cells, mobile in ((self.hidden, self.filled), *self._aims()):
                fixed = self._fixed(cells, self.hidden & mobile, is_exact) if cells else set()
                found = [_Weakness(self.lines_of[i], mobile, None if is_exact else i) for i in sorted(fixed)]
                yield found if fixed & cells else []

    def mend(self, weakness: _Weakness) -> bool:
        """Withhold the smallest shown, non-empty cell that helps; False where there is none, or no need any more."""
        lines, cell = weakness.lines, weakness.cell
        if cell is not None:
            lines = [line for line in lines if not any(i in self.hidden and i in weakness.wanted and i != cell for i in line)]
        shown = {i for line in lines for i in line if i not in self.hidden and self.sizes[i] > 0}
        if shown:
            self.hidden.add(min(shown, key=lambda i: (i not in weakness.wanted, i not in self.swaps, self.sizes[i], i)))
        return bool(shown)


def _lines(answer: Answer) -> dict[Line, list[int]]:
    """Cells along each dimension, everything else fixed: the sums that a total over that dimension would show."""
    found: dict[Line, list[int]] = {}
    for position, cell in enumerate(answer.cells):
        values = tuple(cell.key.values())
        for axis in range(len(values)):
            found.setdefault((axis, values[:axis] + values[axis + 1 :]), []).append(position)
    return found


def suppress(answer: Answer, below: int, is_quotient: bool = True) -> Answer:
    """The answer with small cells, and those that would give them away, withheld."""
    pattern = _Pattern(answer, below, is_quotient)
    while pattern.hidden and any(any([pattern.mend(one) for one in group]) for group in pattern.weaknesses()):
        pass
    cells = tuple(
        replace(cell, numerator=None, denominator=None, unknown=0, value=None, low=None, high=None, suppressed=True) if i in pattern.hidden else cell
        for i, cell in enumerate(answer.cells)
    )
    return replace(answer, cells=cells)
