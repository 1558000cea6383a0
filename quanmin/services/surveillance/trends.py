"""The diseases of one county: how many cases there are this week and in four weeks, and how many were expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanmin.services.surveillance.daily import CASE, Daily
from quanmin.services.surveillance.watching import WEEK, Judged, watch

FOUR = 4


@dataclass(frozen=True)
class DiseaseTrend:
    """Cases of a disease in a county in the seven days to the newest day and in the four times seven, with what was expected (None: nothing could be).

    `week_upper` is the limit of the week; `weeks` are the last half year, seven days each, the newest last.
    """

    item: str
    week: int
    week_expected: float | None
    week_upper: float | None
    four_weeks: int
    four_weeks_expected: float | None
    weeks: tuple[int, ...]
    method: str

    @property
    def ratio(self) -> float | None:
        """Cases of four weeks against expected ones."""
        return self.four_weeks / self.four_weeks_expected if self.four_weeks_expected else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def trends_of(daily: Daily, judged: Judged, county: str, methods: tuple[str, ...]) -> tuple[DiseaseTrend, ...]:
    """The diseases with a case within the half year, those with the most cases in four weeks first."""
    days, weeks = daily.counts.shape[1], watch()["place"]["weeks"]
    used = min(weeks, days // WEEK)
    found = []
    for row, series in enumerate(judged.series.tolist()):
        source, item, _, place = daily.keys[series]
        if source != CASE or place != county or not used:
            continue
        counts = np.nan_to_num(daily.counts[series, days - WEEK * used:]).reshape(used, WEEK).sum(axis=1).astype(int)
        if not counts.any():
            continue
        ends = [days - 1 - WEEK * back for back in range(min(FOUR, used))]
        expected = judged.expected[row, ends]
        found.append(DiseaseTrend(item, int(counts[-1]), _number(expected[0]), _number(judged.upper[row, days - 1]), int(counts[-FOUR:].sum()),
                                  _number(expected.sum()) if len(ends) == FOUR else None, tuple(counts.tolist()), methods[int(judged.used[row, days - 1])]))
    return tuple(sorted(found, key=lambda one: (-one.four_weeks, -sum(one.weeks), one.item)))
