"""Which dimension, and which single group, explains a change best.

Every dimension splits the same change; what tells them apart is how unevenly it falls. A group's own part is what it brings beyond its share of a
change spread evenly over all groups; it is clear when it exceeds two standard errors of chance. A dimension explains the root of the sum of squares
of its groups' own parts, rate and mix, less what chance alone would bring. Data parts are facts and carry no chance.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanmin.model import Cell
from quanmin.services.change.split import Cells, Numbers, Split, split

CHANCE = 2.0


@dataclass(frozen=True)
class Cause:
    """One group (or sender) and the part of the change it accounts for, in the indicator's unit.

    `part` is data, mix or rate; `points` the whole of that part, `own` what of it goes beyond an even spread, `is_clear` whether by more than chance;
    `share` is points ÷ change (None when nothing changed in all). Causes are ordered by `weight`: the size of `own` times the part of its dimension's
    unevenness that is not chance.
    """

    dimension: str
    group: Hashable
    part: str
    points: float
    own: float
    is_clear: bool
    share: float | None
    weight: float


@dataclass(frozen=True)
class Dimension:
    """A dimension's split and how many points of the change it explains by itself."""

    name: str
    split: Split
    explained: float


@dataclass(frozen=True)
class Explanation:
    """Dimensions, the most telling first, and causes: those that push the way the figure went first, by weight."""

    before: float
    after: float
    data: float
    dimensions: tuple[Dimension, ...]
    causes: tuple[Cause, ...]

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before


def _beyond(excess: float, error: float) -> float:
    """What is left of `excess` after chance, with its sign."""
    size = max(0.0, abs(excess) - CHANCE * error)
    return size if excess > 0 else -size


def _causes(name: str, found: Split) -> tuple[list[Cause], float]:
    """A dimension's causes and the points it explains."""
    causes, uneven, chance = [], 0.0, 0.0
    for group in found.groups:
        spread = (group.weight_before + group.weight_after) / 2 * found.rate
        for part, points, excess, error in (("mix", group.mix, group.mix, group.mix_error), ("rate", group.rate, group.rate - spread, group.rate_error)):
            uneven, chance = uneven + excess**2, chance + error**2
            own = _beyond(excess, error)
            if points:
                is_clear = own != 0 and own * points > 0
                causes.append(Cause(name, group.group, part, points, excess, is_clear, points / found.change if found.change else None, 0.0))
    beyond = max(0.0, uneven - chance)
    return [replace(cause, weight=abs(cause.own) * (beyond / uneven if uneven else 0.0)) for cause in causes], math.sqrt(beyond)


def _order(change: float, cause: Cause) -> tuple[bool, float, float]:
    return (cause.points * change <= 0 or cause.own * change <= 0, -cause.weight, -abs(cause.own))


def explain(dimensions: Mapping[str, Cells], kind: str = "share", scale: float = 1.0, sender_name: str = "sender", limit: int = 10) -> Explanation:
    """Try every dimension on one change, rank them and name the groups that contribute most.

    `dimensions` gives the same rows grouped differently; crossed dimensions are groups that are pairs. Senders with submissions that came for one
    period only (the first element of a submission that is a tuple) appear as causes of the dimension `sender_name`. At most `limit` causes. Raises
    ValueError as `split` does, without dimensions, or when they do not tell of the same change.
    """
    if not dimensions:
        raise ValueError("name at least one dimension")
    splits = {name: split(cells, kind, scale) for name, cells in dimensions.items()}
    first = next(iter(splits.values()))
    tolerance = 1e-6 * max(abs(first.before), abs(first.after), abs(scale) * 1e-3)
    if any(abs(one.before - first.before) > tolerance or abs(one.after - first.after) > tolerance for one in splits.values()):
        raise ValueError("the dimensions must group the same rows")
    ranked, causes = [], []
    for name, found in splits.items():
        its, explained = _causes(name, found)
        ranked.append(Dimension(name, found, explained))
        causes += its
    missing: dict[Hashable, float] = {}
    for one in first.submissions:
        sender = one.submission[0] if isinstance(one.submission, tuple) and one.submission else one.submission
        missing[sender] = missing.get(sender, 0.0) + one.data
    causes += [Cause(sender_name, sender, "data", points, points, True, points / first.change if first.change else None, abs(points))
               for sender, points in missing.items() if points]
    return Explanation(first.before, first.after, first.data, tuple(sorted(ranked, key=lambda one: -one.explained)),
                       tuple(sorted(causes, key=lambda cause: _order(first.change, cause))[:limit]))


def aligned(before: Sequence[Cell], after: Sequence[Cell], group: Sequence[str], submission: Sequence[str] = (),
            places: Mapping[object, Hashable] | None = None, reported: tuple[Collection[Hashable], Collection[Hashable]] | None = None) -> Cells:
    """Answers' cells of two periods side by side.

    `group` and `submission` name the keys that make up a label (one name gives the bare value, several a tuple, none ""). `places` replaces key
    values, so that months of the two periods meet: {"2025-03": 1, "2026-03": 1}. Cells of one label are added up; suppressed cells count as nothing.
    """
    sums: dict[tuple[Hashable, Hashable], list[float]] = {}

    def label(cell: Cell, names: Sequence[str]) -> Hashable:
        values = [(places or {}).get(cell.key[name], cell.key[name]) for name in names]
        return values[0] if len(values) == 1 else tuple(values) if values else ""

    for cells, offset in ((before, 0), (after, 2)):
        for cell in cells:
            row = sums.setdefault((label(cell, group), label(cell, submission)), [0.0] * 4)
            row[offset] += float(cell.numerator or 0)
            row[offset + 1] += float(cell.denominator or 0)
    n0, d0, n1, d1 = np.array(list(sums.values()), dtype=np.float64).reshape(-1, 4).T
    return Cells([g for g, _ in sums], [s for _, s in sums], n0, d0, n1, d1, reported)


def together(parts: Sequence[Cells], reported: tuple[Collection[Hashable], Collection[Hashable]]) -> Cells:
    """Parts of the rows of one change as one."""
    def column(name: str) -> Numbers:
        return np.concatenate([np.asarray(getattr(part, name), dtype=np.float64) for part in parts])

    return Cells([g for part in parts for g in part.groups], [s for part in parts for s in part.submissions], column("numerator_before"),
                 column("denominator_before"), column("numerator_after"), column("denominator_after"), reported)
