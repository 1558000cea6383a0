"""Why a figure changed between two periods: late or missing data, composition, and the figures within groups, adding up exactly.

With submissions common to both periods giving C₀ and C₁, and all of them R₀ and R₁, the change R₁ − R₀ is
  data: (R₁ − C₁) − (R₀ − C₀), what the submissions that came for one period only bring in;
  mix:  Σ (w₁ − w₀) × (½ (r₀ + r₁) − ½ (C₀ + C₁)), groups growing or shrinking that lie above or below the whole;
  rate: Σ ½ (w₀ + w₁) × (r₁ − r₀), figures changing within groups,
w a group's share of the common denominator and r its figure. Mix and rate are the averages over both orders of substitution (Shapley values of two
factors), so swapping the periods flips every sign. A group that exists in one period only is all mix. A numerator without any denominator of its
group counts as rate. Sources: E. M. Kitagawa 1955 (doi:10.1080/01621459.1955.10501299); P. Das Gupta, Standardization and decomposition of rates,
US Census Bureau P23-186, 1993, chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
KINDS = ("share", "rate", "mean")


@dataclass(frozen=True)
class Cells:
    """Figures of both periods by group and submission: five columns of one length, `groups` and `submissions` any labels, 0 where a period has none.

    `reported`: the submissions that came for each period; without it those with a numerator or denominator other than 0.
    """

    groups: Sequence[Hashable]
    submissions: Sequence[Hashable]
    numerator_before: ArrayLike
    denominator_before: ArrayLike
    numerator_after: ArrayLike
    denominator_after: ArrayLike
    reported: tuple[Collection[Hashable], Collection[Hashable]] | None = None


@dataclass(frozen=True)
class GroupPart:
    """What one group brings to the change, in the indicator's unit: `data` + `mix` + `rate` = `total`.

    `before` and `after` are its figures over the common submissions (None where it has no denominator), `weight_before` and `weight_after` its shares
    of their denominator; `mix_error` and `rate_error` the standard errors of its parts by chance (of a mean as if amounts spread as wide as they are high).
    """

    group: Hashable
    data: float
    mix: float
    rate: float
    before: float | None
    after: float | None
    weight_before: float
    weight_after: float
    mix_error: float
    rate_error: float

    @property
    def total(self) -> float:
        """All three parts."""
        return self.data + self.mix + self.rate


@dataclass(frozen=True)
class SubmissionPart:
    """A submission that came for one period only and what its coming or missing brings to the change; `missing` is before or after."""

    submission: Hashable
    missing: str
    data: float
    denominator: float


@dataclass(frozen=True)
class Split:
    """A change and its parts, in the indicator's unit: `data` + `mix` + `rate` = `change` = `after` − `before`, groups and submissions alike."""

    before: float
    after: float
    data: float
    mix: float
    rate: float
    groups: tuple[GroupPart, ...]
    submissions: tuple[SubmissionPart, ...]

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True)
class _Period:
    """One period's numerators and denominators by row, and which rows belong to submissions common to both."""

    above: Numbers
    below: Numbers
    is_common: NDArray[np.bool_]

    @property
    def figure(self) -> float | None:
        """Over all rows."""
        return float(self.above.sum() / self.below.sum()) if self.below.sum() > 0 else None

    @property
    def common_figure(self) -> float | None:
        """Over the common rows."""
        below = self.below[self.is_common].sum()
        return float(self.above[self.is_common].sum() / below) if below > 0 else None

    def by(self, codes: NDArray[np.int64], count: int, common_only: bool = True) -> tuple[Numbers, Numbers]:
        """Sums by code of the common rows."""
        kept = self.is_common if common_only else ~self.is_common
        above, below = (np.bincount(codes[kept], one[kept], count).astype(np.float64) for one in (self.above, self.below))
        return above, below


def _codes(labels: Sequence[Hashable]) -> tuple[list[Hashable], NDArray[np.int64]]:
    order = {label: code for code, label in enumerate(dict.fromkeys(labels))}
    return list(order), np.array([order[label] for label in labels], dtype=np.int64)


def _periods(cells: Cells) -> tuple[_Period, _Period]:
    columns = [np.asarray(one, dtype=np.float64)
               for one in (cells.numerator_before, cells.denominator_before, cells.numerator_after, cells.denominator_after)]
    if len({len(cells.groups), len(cells.submissions), *(one.size for one in columns)}) != 1:
        raise ValueError("all columns must be of one length")
    columns = [np.nan_to_num(one) for one in columns]
    if any((one < 0).any() for one in columns[1::2]):
        raise ValueError("a denominator is below 0")
    if cells.reported is None:
        names, codes = _codes(cells.submissions)
        sizes = [np.bincount(codes, np.abs(one), len(names)) > 0 for one in columns]
        common = ((sizes[0] | sizes[1]) & (sizes[2] | sizes[3]))[codes] if codes.size else np.zeros(0, dtype=bool)
    else:
        both = set(cells.reported[0]) & set(cells.reported[1])
        common = np.array([label in both for label in cells.submissions], dtype=bool)
    if any(one[common].sum() <= 0 for one in columns[1::2]):
        common = np.zeros(common.shape, dtype=bool)  # nothing to compare: all of the change is data
    return _Period(columns[0], columns[1], common), _Period(columns[2], columns[3], common)


def _references(before: _Period, after: _Period, figures: tuple[float, float]) -> tuple[float, float]:
    """The figures over common submissions, or the middle of the whole figures where nothing is common."""
    first, second = before.common_figure, after.common_figure
    middle = sum(figures) / 2
    return (middle, middle) if first is None or second is None else (first, second)


def _within(before: tuple[Numbers, Numbers], after: tuple[Numbers, Numbers], references: tuple[float, float], kind: str) -> dict[str, Numbers]:
    """Mix and rate by group, and their standard errors."""
    totals = [float(one[1].sum()) for one in (before, after)]
    zero = np.zeros(before[0].shape)
    if min(totals) <= 0:
        return {name: zero for name in ("w0", "w1", "r0", "r1", "mix", "rate", "mix_error", "rate_error")}
    (n0, d0), (n1, d1) = before, after
    w0, w1 = d0 / totals[0], d1 / totals[1]
    r0, r1 = (np.divide(n, d, out=np.full(n.shape, np.nan), where=d > 0) for n, d in (before, after))
    full0, full1 = (np.where(np.isnan(one), np.nan_to_num(other), one) for one, other in ((r0, r1), (r1, r0)))
    middle = (full0 + full1) / 2 - sum(references) / 2
    orphans = np.where(d1 > 0, 0, n1) / totals[1] - np.where(d0 > 0, 0, n0) / totals[0]
    together = np.divide(n0 + n1, d0 + d1, out=zero.copy(), where=d0 + d1 > 0)
    each = {"share": np.clip(together * (1 - together), 0, None), "rate": np.abs(together), "mean": together**2}[kind]
    inverse = [np.divide(1, d, out=zero.copy(), where=d > 0) for d in (d0, d1)]
    weight = (d0 + d1) / sum(totals)
    return {
        "w0": w0, "w1": w1, "r0": r0, "r1": r1, "mix": (w1 - w0) * middle, "rate": (w0 + w1) / 2 * (full1 - full0) + orphans,
        "mix_error": np.abs(middle) * np.sqrt(weight * (1 - weight) * (1 / totals[0] + 1 / totals[1])),
        "rate_error": (w0 + w1) / 2 * np.sqrt(each * (inverse[0] + inverse[1])),
    }


def _submissions(names: list[Hashable], before: _Period, after: _Period, codes: NDArray[np.int64], references: tuple[float, float],
                 scale: float) -> tuple[SubmissionPart, ...]:
    found = []
    for period, reference, sign, missing in ((before, references[0], -1, "after"), (after, references[1], 1, "before")):
        above, below = period.by(codes, len(names), common_only=False)
        for code in np.flatnonzero((above != 0) | (below > 0)):
            points = sign * float((above[code] - reference * below[code]) / period.below.sum()) * scale
            found.append(SubmissionPart(names[code], missing, points, float(below[code])))
    return tuple(sorted(found, key=lambda part: -abs(part.data)))


def split(cells: Cells, kind: str = "share", scale: float = 1.0) -> Split:
    """The change of numerator ÷ denominator × `scale` from the period before to the one after, split into data, mix and rate.

    `kind` is share, rate (events per exposure) or mean (sums, money included, per case) and matters for the standard errors only. Parts sum to the
    change to rounding. Raises ValueError for columns of unequal length, negative denominators, another kind, or a period without any denominator.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}")
    before, after = _periods(cells)
    if before.figure is None or after.figure is None:
        raise ValueError("a period has no denominator")
    references = _references(before, after, (before.figure, after.figure))
    groups, codes = _codes(cells.groups)
    parts = _within(before.by(codes, len(groups)), after.by(codes, len(groups)), references, kind)
    data = np.zeros(len(groups))
    for period, reference, sign in ((before, references[0], -1.0), (after, references[1], 1.0)):
        above, below = period.by(codes, len(groups), common_only=False)
        data += sign * (above - reference * below) / period.below.sum()
    names, submission_codes = _codes(cells.submissions)
    listed = tuple(
        GroupPart(group, float(data[i]) * scale, float(parts["mix"][i]) * scale, float(parts["rate"][i]) * scale,
                  None if np.isnan(parts["r0"][i]) else float(parts["r0"][i]) * scale, None if np.isnan(parts["r1"][i]) else float(parts["r1"][i]) * scale,
                  float(parts["w0"][i]), float(parts["w1"][i]), float(parts["mix_error"][i]) * abs(scale), float(parts["rate_error"][i]) * abs(scale))
        for i, group in enumerate(groups)
    )
    return Split(before.figure * scale, after.figure * scale, float(data.sum()) * scale, float(parts["mix"].sum()) * scale,
                 float(parts["rate"].sum()) * scale, listed, _submissions(names, before, after, submission_codes, references, scale))
