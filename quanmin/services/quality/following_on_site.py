"""An institution's charts as they are shown: by week, by month, and the days on which they signalled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quanmin.services.quality.following import DAYS_A_YEAR, FEWEST_STAYS, Charts, Limit, charts_of
from quanmin.services.quality.learning import Learnt

Numbers = NDArray[np.float64]
Groups = NDArray[np.int64]


@dataclass(frozen=True)
class Signal:
    """A chart reached its limit: on which day, after how many stays, and on which side (worse, better)."""

    on: str
    month: str
    stay: int
    side: str


@dataclass(frozen=True)
class PointFollowed:
    """A week (its Monday): VLAD at its end with the band of chance, and the highest the two sums came to; None for days."""

    week: str
    vlad: float
    low: float
    high: float
    worse: float | None
    better: float | None


@dataclass(frozen=True)
class MonthFollowed:
    """A month: stays, observed, expected, VLAD at its end, the highest of the two sums, and the sides that signalled in it."""

    month: str
    stays: int
    observed: float
    expected: float
    vlad: float
    worse: float | None
    better: float | None
    signals: str


@dataclass(frozen=True)
class Followed:
    """An institution's charts from its first month to its last."""

    first_month: str
    last_month: str
    stays: int
    observed: float
    expected: float
    limits: tuple[Limit, ...]
    signals: tuple[Signal, ...]
    months: tuple[MonthFollowed, ...]
    points: tuple[PointFollowed, ...]


def _grouped(days: NDArray[np.datetime64], unit: str) -> tuple[list[str], Groups]:
    """The weeks or months that occur, in order, and where each begins among the stays, which are in order of days."""
    if unit == "week":
        numbers = (days.astype(np.int64) + 3) // 7  # the day 0 of numpy, 1 January 1970, was a Thursday
        names, starts = np.unique(numbers, return_index=True)
        return [str(np.datetime64(int(number) * 7 - 3, "D")) for number in names], starts
    months, starts = np.unique(days.astype("datetime64[M]"), return_index=True)
    return [str(month) for month in months], starts


def _highest(path: Numbers | None, starts: Groups) -> list[float | None]:
    return [None] * starts.size if path is None else [float(v) for v in np.maximum.reduceat(path, starts)]


def followed(found: Learnt, place: int, since: str = "", within: float = 1.0) -> Followed | None:
    """The charts of the institution at a place, from a month on; None where it has too few stays or nothing was expected of them.

    Finding the limits takes a second for a large hospital, so what was found is kept with the model.
    """
    key = ("followed", place, since)
    if key not in found.kept:
        found.kept[key] = _followed(found, place, since, within)
    told: Followed | None = found.kept[key]
    return told


def _followed(found: Learnt, place: int, since: str, within: float) -> Followed | None:
    own = slice(int(found.edges[place]), int(found.edges[place + 1]))
    days, happened, expected = found.discharged[own], found.happened[own], found.expected[own]
    is_in = days >= np.datetime64(f"{since}-01") if since else np.ones(days.size, dtype=np.bool_)
    days, happened, expected = days[is_in], happened[is_in], expected[is_in]
    if days.size < FEWEST_STAYS:
        return None
    weeks, week_starts = _grouped(days, "week")
    months, month_starts = _grouped(days, "month")
    years = max(float((days[-1] - days[0]).astype(int) + 1), 1.0) / DAYS_A_YEAR
    try:
        charts = charts_of(happened, expected, years, found.outcome.is_binary, within)
    except ValueError:
        return None
    sides = {side: chart.path for side, chart in charts.sides.items()}
    signals = _signals(charts, days)
    ends = np.append(week_starts[1:], days.size) - 1
    points = tuple(PointFollowed(week, float(charts.vlad[end]), -float(charts.tails[end]), float(charts.tails[end]), worse, better)
                   for week, end, worse, better in zip(weeks, ends, _highest(sides.get("worse"), week_starts), _highest(sides.get("better"), week_starts),
                                                       strict=True))
    return Followed(months[0], months[-1], days.size, float(happened.sum()), float(expected.sum()), charts.limits, signals,
                    _months(charts, months, month_starts, happened, expected, signals), points)


def _signals(charts: Charts, days: NDArray[np.datetime64]) -> tuple[Signal, ...]:
    found = [(int(at), side) for side, chart in charts.sides.items() for at in np.flatnonzero(chart.signal)]
    return tuple(Signal(str(days[at]), str(days[at])[:7], at + 1, side) for at, side in sorted(found))


def _months(charts: Charts, months: list[str], starts: Groups, happened: Numbers, expected: Numbers, signals: tuple[Signal, ...]) -> tuple[MonthFollowed, ...]:
    observed, awaited = np.add.reduceat(happened, starts), np.add.reduceat(expected, starts)
    ends = np.append(starts[1:], happened.size)
    worse, better = (_highest(charts.sides[side].path if side in charts.sides else None, starts) for side in ("worse", "better"))
    return tuple(MonthFollowed(month, int(ends[i] - starts[i]), float(observed[i]), float(awaited[i]), float(charts.vlad[ends[i] - 1]), worse[i], better[i],
                               " ".join(dict.fromkeys(signal.side for signal in signals if signal.month == month))) for i, month in enumerate(months))
