"""What is unusual among many series and units, and nothing else.

Two families of tests are made: is the last month of a series special (XmR), and does a unit differ from its peers (funnel). Each test has a
probability under nothing but chance. Over each family the false discovery rate is held at `false_share` by Benjamini & Hochberg (1995,
doi:10.1111/j.2517-6161.1995.tb02031.x), so that of hundreds of series a handful is listed, and of hundreds where nothing happens next to none.

XmR items are kept few in five ways: only what reaches into the last `recent` month counts; series with fewer than 13 values are not tested, nor
those of rare events, of which one value (mostly 0) makes up more than a quarter, for which these charts are not made; a series gives at most one
item, its least likely rule; and that rule's probability is multiplied by the number of rules before the family is controlled. The probabilities:
outside, Student's t of the distance in moving-range standard deviations; a run of L, 2 ^ (1 − L); a trend of L, 2 ÷ L!; two of three, 6 × P(beyond
two thirds of the way)².
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from quanmin.services.variation.funnel import Funnel
from quanmin.services.variation.xmr import ENOUGH_POINTS, LIMIT, NEAR, RULES, XmR

Numbers = NDArray[np.float64]
FREEDOM = 0.62  # degrees of freedom of a mean moving range per further value (Wheeler 1995, table 3.1: about 0.62 (n − 1))
RANGE_TO_DEVIATION = 1.128
COMMONEST = 0.25  # no value may make up more of a series than this


@dataclass(frozen=True)
class Series:
    """An indicator's months at one unit, charted; `better` is higher, lower, target or none."""

    indicator: str
    unit: Hashable
    chart: XmR
    better: str = "none"


@dataclass(frozen=True)
class Peers:
    """An indicator's units in one period against each other."""

    indicator: str
    units: tuple[Hashable, ...]
    funnel: Funnel
    better: str = "none"


@dataclass(frozen=True)
class Highlight:
    """One unusual thing and the rule that put it here: outside, trend, two_of_three or run (its own past), funnel_95 or funnel_998 (its peers).

    `direction` is better, worse or neither; `side` 1 high or rising, −1 low or falling. `low` and `high` are the limits it was held against,
    `expected` their centre, `length` the months of a run or trend. `p` is the probability by chance after the number of rules, `strength` −log10 p.
    `also` are indicators of other documents that say the same.
    """

    indicator: str
    unit: Hashable
    rule: str
    direction: str
    side: int
    strength: float
    value: float
    expected: float
    low: float
    high: float
    length: int
    p: float
    also: tuple[str, ...] = ()


def discoveries(p: ArrayLike, false_share: float = 0.1) -> NDArray[np.bool_]:
    """Which of the tests stand when at most `false_share` of those that stand may be false (Benjamini & Hochberg 1995); NaN never stands."""
    values = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    found = np.zeros(values.shape, dtype=bool)
    if known.size:
        order = known[np.argsort(values[known], kind="stable")]
        met = np.flatnonzero(values[order] <= false_share * np.arange(1, order.size + 1) / order.size)
        if met.size:
            found[order[: met[-1] + 1]] = True
    return found


def _direction(side: int, better: str) -> str:
    if better not in ("higher", "lower") or not side:
        return "neither"
    return "better" if side == (1 if better == "higher" else -1) else "worse"


def _strength(p: float) -> float:
    return float(min(-math.log10(max(p, 1e-300)), 300.0)) if p < 1 else 0.0


def _chance(chart: XmR, at: int) -> float:
    """The probability of the rule at a point by chance, times the number of rules."""
    rule, length = chart.rule[at], int(chart.length[at])
    values = int((~np.isnan(chart.values)).sum())
    freedom = max(FREEDOM * (values - 1), 1.0)
    spread = (chart.high[at] - chart.mean[at]) / LIMIT / RANGE_TO_DEVIATION
    if rule == "run":
        p = 2.0 ** (1 - length)
    elif rule == "trend":
        p = 2.0 / math.factorial(min(length, 20))
    elif rule == "two_of_three":
        p = 6.0 * float(special.stdtr(freedom, -NEAR * RANGE_TO_DEVIATION)) ** 2
    elif spread > 0:
        p = 2.0 * float(special.stdtr(freedom, -abs(chart.values[at] - chart.mean[at]) / spread))
    else:
        p = 1.0
    return min(1.0, p * len(RULES))


def _can_be_tested(chart: XmR) -> bool:
    """Enough values, and not the same one again and again: a rare event's zeros make limits that mean nothing."""
    values = chart.values[~np.isnan(chart.values)]
    if values.size < ENOUGH_POINTS or chart.is_provisional:
        return False
    return bool(np.unique(values, return_counts=True)[1].max() <= COMMONEST * values.size)


def _special(one: Series, recent: int) -> tuple[int, float] | None:
    """The least likely special point among the last `recent` months and its probability; None if the series cannot be tested."""
    chart = one.chart
    if not _can_be_tested(chart):
        return None
    last = [at for at in range(max(0, chart.values.size - recent), chart.values.size) if chart.rule[at]]
    return min(((at, _chance(chart, at)) for at in last), key=lambda found: found[1], default=(-1, 1.0))


def _of_series(series: Sequence[Series], recent: int, false_share: float) -> list[Highlight]:
    tested = [(one, found) for one in series if (found := _special(one, recent)) is not None]
    stands = discoveries([p for _, (_, p) in tested], false_share)
    items = []
    for (one, (at, p)), keep in zip(tested, stands, strict=True):
        if keep and at >= 0:
            chart, side = one.chart, int(one.chart.side[at])
            items.append(Highlight(one.indicator, one.unit, chart.rule[at], _direction(side, one.better), side, _strength(p), float(chart.values[at]),
                                   float(chart.mean[at]), float(chart.low[at]), float(chart.high[at]), int(chart.length[at]), p))
    return items


def _of_peers(peers: Sequence[Peers], false_share: float) -> list[Highlight]:
    every = np.concatenate([one.funnel.p for one in peers]) if peers else np.zeros(0)
    stands = discoveries(every, false_share)
    items, start = [], 0
    for one in peers:
        plot = one.funnel
        for at, unit in enumerate(one.units):
            degree = int(plot.outside[at])
            if stands[start + at] and degree:
                far = abs(degree) == 2
                low, high = (plot.limits.low_998, plot.limits.high_998) if far else (plot.limits.low_95, plot.limits.high_95)
                side, p = (1 if degree > 0 else -1), float(plot.p[at])
                items.append(Highlight(one.indicator, unit, "funnel_998" if far else "funnel_95", _direction(side, one.better), side, _strength(p),
                                       float(plot.values[at]), plot.target, float(low[at]), float(high[at]), 0, p))
        start += len(one.units)
    return items


def highlights(series: Sequence[Series] = (), peers: Sequence[Peers] = (), false_share: float = 0.1, recent: int = 1) -> list[Highlight]:
    """Only what is unusual, strongest first (what is worse before what is better at equal strength).

    `false_share` is the share of listed items that may be false alarms, held for each family by itself; `recent` how many of the last months
    may carry the signal. Raises ValueError when a funnel has not one place per unit.
    """
    if any(len(one.units) != one.funnel.p.size for one in peers):
        raise ValueError("a funnel must have one place per unit")
    items = _of_series(series, recent, false_share) + _of_peers(peers, false_share)
    order = {"worse": 0, "neither": 1, "better": 2}
    return sorted(items, key=lambda item: (-item.strength, order[item.direction], item.indicator, str(item.unit)))
