"""What is unusual on single days put together: signals of one series, and triggers out of all sources."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from quanmin.detectors.combining import alarms, budgeted, combine
from quanmin.detectors.signals import REASONS, USED
from quanmin.model.disease import NotifiableDisease
from quanmin.services.surveillance.daily import CASE, Daily, Whole
from quanmin.services.surveillance.signal import COMBINED, Signal
from quanmin.services.surveillance.watching import Excluded, Judged, day_text, judge_cases, judge_daily, watch


def episodes(daily: Daily, judged: Judged) -> list[Signal]:
    """Alarms of one series no further apart than the quiet days are one signal."""
    quiet = watch()["life"]["quiet_days"]
    row, day = np.nonzero(judged.alarm)
    if not len(row):
        return []
    cut = np.r_[True, (row[1:] != row[:-1]) | (np.diff(day) > quiet)]
    starts = np.flatnonzero(cut)
    return [_signal(daily, judged, int(row[a]), day[a:b]) for a, b in zip(starts, np.r_[starts[1:], len(row)], strict=True)]


def _signal(daily: Daily, judged: Judged, row: int, days: Whole) -> Signal:
    series = int(judged.series[row])
    source, item, trigger, county = daily.keys[series]
    first, last = max(0, int(days[0]) - judged.window + 1), int(days[-1])
    p = judged.p[row, days]
    peak = int(days[int(np.nanargmin(p))] if np.isfinite(p).any() else days[int(np.nanargmax(judged.observed[row, days]))])
    towns = _towns(daily, series, first, last)
    base = int(judged.first[row, peak]), int(judged.last[row, peak])
    used = USED[int(judged.used[row, peak])]
    usual = "farrington_flexible" if source == CASE else "essence"
    raised_on, first_on, last_on, peak_on = (day_text(daily.first_day + day) for day in (int(days[0]), first, last, peak))
    return Signal(
        id=signal_id(source, item, county, raised_on), source=source, item=item, trigger=trigger, county=county,
        township=max(towns, key=lambda town: (towns[town], town), default=""), townships=len(towns), raised_on=raised_on, first_on=first_on, last_on=last_on,
        known_on=day_text(daily.last_day), state=state_of(daily, int(days[0]), last), cases=int(np.nansum(daily.counts[series, first: last + 1])),
        peak_on=peak_on, window_days=judged.window, observed=float(judged.observed[row, peak]), expected=_number(judged.expected[row, peak]),
        upper=_number(judged.upper[row, peak]),
        p=_number(judged.p[row, peak]), method=usual if used == "method" else used, reason=REASONS[int(judged.reason[row, peak])],
        baseline_from=day_text(base[0]) if base[0] >= 0 else "", baseline_to=day_text(base[1]) if base[1] >= 0 else "",
        baseline_periods=int(judged.size[row, peak]))


def state_of(daily: Daily, raised: int, last: int) -> str:
    """new within the quiet days of being raised, ongoing while alarms go on, else closed; days are places in the columns."""
    quiet, newest = watch()["life"]["quiet_days"], daily.counts.shape[1] - 1
    return "closed" if newest - last > quiet else "new" if newest - raised < quiet else "ongoing"


def signal_id(source: str, item: str, county: str, raised_on: str) -> str:
    """The same word for the same signal in every snapshot that raises it on that day."""
    return hashlib.md5(f"signal {source} {item} {county} {raised_on}".encode(), usedforsecurity=False).hexdigest()[:12]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _towns(daily: Daily, series: int, first: int, last: int) -> dict[str, int]:
    of, day, town, count = daily.towns
    at = (of == series) & (day >= first) & (day <= last) & (count > 0)
    found: dict[str, int] = {}
    for name, number in zip(town[at].tolist(), count[at].tolist(), strict=True):  # the cases of one signal are few
        found[name] = found.get(name, 0) + number
    return found


def judge_together(daily: Daily, parts: Sequence[Judged]) -> list[Signal]:
    """One trigger for each kind of disease and county out of all sources that may tell of it, within a budget of false alarms."""
    triggers = sorted({key[2] for key in daily.keys if key[2]})
    sources = sorted({key[0] for key in daily.keys})
    counties = sorted({key[3] for key in daily.keys})
    days = daily.counts.shape[1]
    since = max(0, days - watch()["daily"]["judged_days"])
    found: list[Signal] = []
    for trigger in triggers:
        p = np.full((len(sources), len(counties), days - since), np.nan)
        for part in parts:
            for row, series in enumerate(part.series.tolist()):
                source, _, kind, county = daily.keys[series]
                if kind == trigger:
                    at = (sources.index(source), counties.index(county))
                    alike = sum(key[0] == source and key[2:] == (trigger, county) for key in daily.keys)
                    p[at] = np.fmin(p[at], part.p[row, since:] * alike)  # the least of several is no surprise
        if np.isfinite(p).any(axis=(1, 2)).sum() < 2:
            continue
        together = combine(np.minimum(p, 1.0))
        told = np.where(np.isfinite(together.p), together.p, 1.0)
        limit = min(budgeted(told, watch()["trigger"]["per_county_week"]).threshold, watch()["trigger"]["most_p"])
        raised = alarms(told, limit)
        for place, day in np.argwhere(raised).tolist():
            found.append(_combined(daily, trigger, counties[place], since + day, float(told[place, day]), limit,
                                   [(name, float(share)) for name, share in zip(sources, together.shares[:, place, day], strict=True) if share > 0]))
    return found


def _combined(daily: Daily, trigger: str, county: str, day: int, p: float, threshold: float, shares: list[tuple[str, float]]) -> Signal:
    on = day_text(daily.first_day + day)
    return Signal(
        id=signal_id(COMBINED, trigger, county, on), source=COMBINED, item=trigger, trigger=trigger, county=county, township="", townships=0, raised_on=on,
        first_on=on, last_on=on, known_on=day_text(daily.last_day), state=state_of(daily, day, day), cases=0, peak_on=on, window_days=1, observed=p,
        expected=None, upper=threshold, p=p, method="cauchy", reason="", baseline_from="", baseline_to="", baseline_periods=0,
        sources=tuple(sorted(shares, key=lambda one: -one[1])))


def judged_and_watched(daily: Daily, diseases: Mapping[str, NotifiableDisease], excluded: Excluded = ()) -> tuple[Judged | None, tuple[Signal, ...]]:
    """How the case reports of a site were judged (None without data), and all its signals, the newest first."""
    if not daily.keys:
        return None, ()
    cases, others = judge_cases(daily, diseases, excluded), judge_daily(daily)
    found = [*episodes(daily, cases), *episodes(daily, others), *judge_together(daily, (cases, others))]
    return cases, tuple(sorted(found, key=lambda one: (one.raised_on, one.cases, one.id), reverse=True))


def watched(daily: Daily, diseases: Mapping[str, NotifiableDisease], excluded: Excluded = ()) -> tuple[Signal, ...]:
    """All signals of a site, the newest first."""
    return judged_and_watched(daily, diseases, excluded)[1]
