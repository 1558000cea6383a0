"""Daily counts as arrays: one row for each source, item and county, one column for each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
TABLE = "daily_count"
COLUMNS = ("source_code", "item_code", "trigger_code", "county_code", "township_code", "counted_on", "event_count")
CASE = "case"
LONGEST_DAYS = 3_653  # a mistyped year must not make an axis of centuries


@dataclass(frozen=True)
class Daily:
    """Counts of shape (series, day), NaN on days without a report; `first_day` in days since 1970, `keys` (source, item, trigger, county).

    A source reports on every day from its first to its last but those without any row of it in the whole region; case reports come every day.
    `towns` holds the rows by township: series, day (a place in the columns), township and count.
    """

    keys: tuple[tuple[str, str, str, str], ...]
    counts: Numbers
    first_day: int
    towns: tuple[Whole, Whole, NDArray[np.str_], Whole]

    @property
    def last_day(self) -> int:
        """The newest day with any row."""
        return self.first_day + int(self.counts.shape[1]) - 1

    def chosen(self, is_case: bool) -> Whole:
        """The series of case reports, or all others."""
        return np.flatnonzero(np.array([(key[0] == CASE) == is_case for key in self.keys], dtype=bool))


def read_daily(rows: Any, today: str) -> Daily:
    """The rows of the table daily_count (Arrow) as arrays; rows of days after today or more than ten years ago count for nothing."""
    import pyarrow.compute as pc  # large, and only needed once

    last = date.fromisoformat(today)
    rows = rows.filter(pc.and_(pc.less_equal(rows["counted_on"], last), pc.greater(rows["counted_on"], last - timedelta(days=LONGEST_DAYS))))
    texts = {name: np.array([value or "" for value in rows[name].to_pylist()], dtype=np.str_) for name in COLUMNS[:5]}
    day = rows["counted_on"].cast("date32").to_numpy().astype("datetime64[D]").astype(np.int64)
    count = rows["event_count"].to_numpy(zero_copy_only=False).astype(np.float64)
    if not len(day):
        return Daily((), np.zeros((0, 0)), 0, (day, day, texts["township_code"], day))
    spelt = np.stack([texts[name] for name in COLUMNS[:4]], axis=1)
    keys, series = np.unique(spelt, axis=0, return_inverse=True)
    series = series.ravel().astype(np.int64)
    first, length = int(day.min()), int(day.max() - day.min()) + 1
    counts = np.zeros((len(keys), length))
    np.add.at(counts, (series, day - first), np.nan_to_num(count))
    for source in np.unique(keys[:, 0]):
        of = keys[:, 0] == source
        seen = np.zeros(length, dtype=bool)
        seen[day[of[series]] - first] = True
        if source == CASE:
            seen[np.flatnonzero(seen)[0]:] = True
        counts[np.ix_(of, ~seen)] = np.nan
    has_town = texts["township_code"] != ""
    towns = (series[has_town], day[has_town] - first, texts["township_code"][has_town], count[has_town].astype(np.int64))
    return Daily(tuple((a, b, c, d) for a, b, c, d in keys.tolist()), counts, first, towns)
