"""Small counts are not shown, nor can they be worked out from what is shown.

Primary: a count, its complement or its denominator of 1 to below − 1. Complementary: further cells are withheld until no withheld cell
follows from the others and the totals along any dimension, and until what is withheld along a line adds up to at least `below`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from quanmin.model import Answer, Cell

EXACT_UP_TO = 1200
Line = tuple[int, tuple[Hashable, ...]]


def is_small(cell: Cell, below: int, is_quotient: bool) -> bool:
    """Whether a cell's counts would show fewer than `below` people."""
    counts = [cell.numerator, cell.denominator]
    if is_quotient and cell.numerator is not None and cell.denominator is not None:
        counts.append(cell.denominator - cell.numerator)
    return any(count is not None and 0 < count < below for count in counts)


def _lines(answer: Answer) -> dict[Line, list[int]]:
    """Cells along each dimension, everything else fixed: the sums that a total over that dimension would show."""
    found: dict[Line, list[int]] = {}
    for position, cell in enumerate(answer.cells):
        values = tuple(cell.key.values())
        for axis in range(len(values)):
            found.setdefault((axis, values[:axis] + values[axis + 1 :]), []).append(position)
    return found


def _size(cell: Cell) -> float:
    return float(cell.denominator if cell.denominator is not None else cell.numerator or 0)


def _determined(hidden: set[int], lines: dict[Line, list[int]]) -> set[int]:
    """Hidden cells that the line totals give away (the rest of the system leaves them no freedom)."""
    alone = {members[0] for line in lines.values() if len(members := [i for i in line if i in hidden]) == 1}
    if alone or len(hidden) > EXACT_UP_TO:
        return alone
    order = sorted(hidden)
    place = {cell: column for column, cell in enumerate(order)}
    rows = [[place[i] for i in line if i in hidden] for line in lines.values()]
    matrix = np.zeros((len(rows), len(order)))
    for row, columns in enumerate(rows):
        matrix[row, columns] = 1.0
    matrix = matrix[matrix.any(axis=1)]
    if not matrix.size:
        return set()
    _, values, vectors = np.linalg.svd(matrix, full_matrices=True)
    rank = int((values > 1e-9).sum())
    freedom = np.abs(vectors[rank:]).max(axis=0) if rank < len(order) else np.zeros(len(order))
    return {order[column] for column in np.flatnonzero(freedom < 1e-7)}


def _partner(cell: int, hidden: set[int], lines: dict[Line, list[int]], answer: Answer) -> int | None:
    """The smallest shown, non-empty cell that shares a line with `cell`."""
    shown = [i for line in lines.values() if cell in line for i in line if i not in hidden and _size(answer.cells[i]) > 0]
    return min(shown, key=lambda i: (_size(answer.cells[i]), i), default=None)


def _thin(hidden: set[int], lines: dict[Line, list[int]], answer: Answer, below: int) -> set[int]:
    """A hidden cell of every line whose hidden cells together still show fewer than `below` people."""
    found = set()
    for line in lines.values():
        members = [i for i in line if i in hidden]
        if members and sum(float(answer.cells[i].numerator or 0) for i in members) < below and len(members) < len(line):
            found.add(members[0])
    return found


def suppress(answer: Answer, below: int, is_quotient: bool = True) -> Answer:
    """The answer with small cells, and those that would give them away, withheld."""
    hidden = {i for i, cell in enumerate(answer.cells) if is_small(cell, below, is_quotient)}
    lines = _lines(answer)
    weak = _determined(hidden, lines) | _thin(hidden, lines, answer, below) if hidden else set()
    while weak:
        before = len(hidden)
        for cell in sorted(weak):
            partner = _partner(cell, hidden, lines, answer)
            if partner is not None:
                hidden.add(partner)
        if len(hidden) == before:
            break
        weak = _determined(hidden, lines) | _thin(hidden, lines, answer, below)
    cells = tuple(
        replace(cell, numerator=None, denominator=None, unknown=0, value=None, low=None, high=None, suppressed=True) if i in hidden else cell
        for i, cell in enumerate(answer.cells)
    )
    return replace(answer, cells=cells)
