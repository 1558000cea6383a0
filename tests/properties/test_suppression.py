"""A suppressed count cannot be undone.

Promised, and held here against an attacker who solves for what is withheld: he sees one suppressed answer by one, two or three dimensions and knows
every total over any of its dimensions exactly. That is more than the coarser askings of the same indicator tell him (of an answer by month and place:
by month, by place, and over all), as those are suppressed themselves. He knows that a group that is listed has rows. Then no withheld numerator,
complement or denominator of 1 to below - 1 follows, unless it follows from the totals alone, whatever is withheld; and no count of what is withheld
along a line adds up to 1 to below - 1 while anything is left to withhold on it.

Also promised: he may know every denominator besides, from another indicator over the same rows or a published population, as long as each total the
group is part of has another group in it whose share is neither 0 nor 1.

Not promised: that the answer by place stays closed to who also holds the answer by month and place (what is withheld of the coarser one can be added up
of the finer one), nor that answers with other conditions (by place within each month, by month within each place) stay closed together.
SECURITY.md names the limit.
"""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from quanmin.model import Answer, Cell
from quanmin.services.indicators.suppression import suppress

BELOW = 5
SHAPES = [(2,), (3,), (6,), (2, 2), (2, 3), (3, 3), (4, 4), (3, 6), (2, 2, 2), (3, 2, 3)]
NARROWEST = 1 - 1e-6  # counts are whole: a range narrower than 1 is one value
Key = tuple[int, ...]
Counts = dict[Key, tuple[int, int]]  # group → numerator, complement

HOLES: dict[str, Counts] = {
    "two complements of 1 and 1, the numerators being large": {(0,): (100, 1), (1,): (90, 1), (2,): (40, 40)},
    "complements of 0 and 2 beside a numerator of 3": {(0,): (3, 0), (1,): (178, 2), (2,): (0, 135)},
    "nobody outside: with the denominators, 3 + 3 of 3 + 3": {(0,): (3, 0), (1,): (3, 0), (2,): (128, 93)},
    "five groups of one person each": {(i,): (1, 0) for i in range(5)} | {(5,): (20, 30)},
    "no count falls below 0": {
        (0, 0): (110, 0), (0, 1): (0, 0), (0, 2): (42, 49), (0, 4): (0, 0), (0, 5): (12, 136), (1, 0): (38, 0), (1, 1): (0, 90), (1, 3): (0, 0),
        (1, 4): (72, 0), (1, 5): (34, 0), (2, 0): (0, 0), (2, 1): (0, 0), (2, 2): (0, 2), (2, 3): (0, 0), (2, 4): (0, 99), (2, 5): (140, 0)},
    "no numerator rises above its denominator": {
        (0, 0): (143, 33), (0, 1): (0, 112), (0, 2): (86, 180), (1, 0): (1, 0), (1, 1): (0, 141), (1, 2): (58, 1), (2, 0): (84, 4), (2, 1): (179, 134),
        (2, 2): (0, 1)},
}


def drawn(chance: Random) -> Counts:
    """Groups of small and large counts, many of them 0; some groups have no rows and are not listed."""
    shape, none, few, absent = chance.choice(SHAPES), chance.choice([0.1, 0.3, 0.6]), chance.choice([0.05, 0.2, 0.4]), chance.choice([0, 0, 0.2])

    def count() -> int:
        kind = chance.random()
        return 0 if kind < none else chance.randint(1, BELOW - 1) if kind < none + few else chance.randint(BELOW, 200)

    return {key: (count(), count()) for key in product(*map(range, shape)) if chance.random() >= absent}


def answer_of(table: Counts) -> Answer:
    width = len(next(iter(table), ()))
    names = tuple(f"dimension_{i}" for i in range(width))
    cells = [Cell(dict(zip(names, key, strict=True)), n, n + rest, 0, n / (n + rest) if n + rest else None) for key, (n, rest) in sorted(table.items())]
    return Answer("x", "v", names, tuple(cells))


def lines_of(keys: list[Key], among: list[Key]) -> np.ndarray:
    """One row per total that a group of `keys` is part of: which of `among` it adds up."""
    lines = {(axis, key[:axis] + key[axis + 1 :]) for key in keys for axis in range(len(key))}
    return np.array([[float(key[:axis] + key[axis + 1 :] == rest) for key in among] for axis, rest in sorted(lines)])


def width_of(which: np.ndarray, sums: np.ndarray, totals: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """How far a combination of counts can range, everything published being as it is."""
    ends = [linprog(sign * which, A_eq=sums, b_eq=totals, bounds=list(zip(low, high, strict=True)), method="highs") for sign in (1, -1)]
    assert all(end.status == 0 for end in ends), "what is published contradicts itself"
    return -ends[1].fun - ends[0].fun


def pinned(hidden: list[Key], table: Counts, knows_denominators: bool) -> set[tuple[Key, str]]:
    """The small counts of withheld groups that the attacker can tell."""
    size, told = len(hidden), set()
    if not hidden:
        return told
    line = lines_of(hidden, hidden)
    n, rest = (np.array([table[key][side] for key in hidden], dtype=float) for side in (0, 1))
    true = np.concatenate([n, rest])
    sums = np.kron(np.eye(2), line)
    if knows_denominators:
        sums = np.vstack([sums, np.hstack([np.eye(size), np.eye(size)])])
    else:  # a listed group has rows: its two counts add up to 1 at least (the surplus is a variable)
        sums = np.hstack([sums, np.zeros((len(sums), size))])
        sums = np.vstack([sums, np.hstack([np.eye(size), np.eye(size), -np.eye(size)])])
        true = np.concatenate([true, n + rest])
    low = np.concatenate([np.zeros(2 * size), np.minimum(1.0, n + rest) if not knows_denominators else []])
    for i, key in enumerate(hidden):
        counts = {"numerator": (n[i], [i]), "complement": (rest[i], [size + i]), "denominator": (n[i] + rest[i], [i, size + i])}
        for name, (count, places) in counts.items():
            if 0 < count < BELOW and not (knows_denominators and name == "denominator"):
                which = np.zeros(len(true))
                which[places] = 1.0
                if width_of(which, sums, sums @ true, low, np.full(len(true), np.inf)) < NARROWEST:
                    told.add((key, name))
    return told


def siblings(key: Key, table: Counts) -> list[list[tuple[int, int]]]:
    """The other groups in each of the totals that a group is part of."""
    return [[parts for other, parts in table.items() if other != key and other[:axis] + other[axis + 1 :] == key[:axis] + key[axis + 1 :]]
            for axis in range(len(key))]


def hidden_of(table: Counts) -> list[Key]:
    return [tuple(cell.key.values()) for cell in suppress(answer_of(table), BELOW).cells if cell.suppressed]


def assert_nothing_follows(table: Counts) -> None:
    hidden, filled = hidden_of(table), [key for key, parts in table.items() if sum(parts)]
    assert all(key in hidden for key in table if any(0 < count < BELOW for count in (*table[key], sum(table[key]))))
    for knows_denominators in (False, True):
        told = pinned(hidden, table, knows_denominators)
        if knows_denominators:
            told = {(key, name) for key, name in told if all(any(n and rest for n, rest in line) for line in siblings(key, table))}
        told -= pinned(filled, table, knows_denominators) if told else set()
        assert not told, f"{'knowing the denominators, ' if knows_denominators else ''}one can tell {told} of {table}, though {hidden} are withheld"


def assert_no_line_shows_few(table: Counts) -> None:
    hidden = set(hidden_of(table))
    for axis, rest in {(axis, key[:axis] + key[axis + 1 :]) for key in hidden for axis in range(len(key))}:
        along = [key for key in table if sum(table[key]) and key[:axis] + key[axis + 1 :] == rest]
        n, complement = (sum(table[key][side] for key in along if key in hidden) for side in (0, 1))
        if not hidden.issuperset(along):
            assert not any(0 < count < BELOW for count in (n, complement, n + complement)), f"{table}: withheld along {axis}, {rest}: {n} + {complement}"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**48))
def test_no_small_count_follows(seed: int) -> None:
    table = drawn(Random(seed))
    assert_nothing_follows(table)
    assert_no_line_shows_few(table)


@pytest.mark.parametrize("hole", HOLES)
def test_holes_that_were(hole: str) -> None:
    assert_nothing_follows(HOLES[hole])
    assert_no_line_shows_few(HOLES[hole])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**48))
def test_answers_that_are_not_small_are_shown_whole(seed: int) -> None:
    table = {key: (n + BELOW * (n > 0), rest + BELOW * (rest > 0)) for key, (n, rest) in drawn(Random(seed)).items()}
    assert suppress(answer_of(table), BELOW) == answer_of(table)
