"""A signal: a stretch of days on which one series was unusual, with everything that explains it."""

from __future__ import annotations

from dataclasses import dataclass

STATES = ("new", "ongoing", "closed")
COMBINED = "combined"


@dataclass(frozen=True)
class Signal:
    """An episode of alarms of one source, item and county.

    `raised_on` is the first day with an alarm, `first_on` the first day of the counts that gave it, `last_on` the last day with an alarm;
    `cases` lie between first_on and last_on; `peak_on` is the least likely day, with what was `observed` (of `window_days` days), expected and the limit.
    `p` is its probability without an outbreak (None where the method has none), `method` what judged it and `reason` why not the usual one;
    the baseline runs from `baseline_from` to `baseline_to` ("" for none) and holds `baseline_periods`. `state` is new, ongoing or closed on `known_on`,
    the newest day with data. `township` has most of the cases; `sources` (combined signals) each source's part, summing to 1.
    """

    id: str
    source: str
    item: str
    trigger: str
    county: str
    township: str
    townships: int
    raised_on: str
    first_on: str
    last_on: str
    known_on: str
    state: str
    cases: int
    peak_on: str
    window_days: int
    observed: float
    expected: float | None
    upper: float | None
    p: float | None
    method: str
    reason: str
    baseline_from: str
    baseline_to: str
    baseline_periods: int
    sources: tuple[tuple[str, float], ...] = ()
