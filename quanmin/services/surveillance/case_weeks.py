"""Cases by place and week, and attack rates by township, age and sex."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from quanmin.detectors.ward_clusters import poisson_limits
from quanmin.services.surveillance.case_lines import CaseLines, Flags
from quanmin.services.surveillance.daily import CASE, Daily, Whole
from quanmin.services.surveillance.townships import Places, Residents

PER_WEEK, PER_ATTACK = 100_000, 1_000
DAYS = 7
TOTAL, TOWNSHIP, AGE, SEX = "total", "township", "age", "sex"


@dataclass(frozen=True)
class PlaceWeeks:
    """Cases of a place by week; `place` "" for those of a county whose township is not known; `residents` and point None where they are not registered."""

    place: str
    county: str
    residents: int | None
    longitude: float | None
    latitude: float | None
    cases: tuple[int, ...]

    @property
    def rates(self) -> tuple[float | None, ...]:
        """Per 100,000 residents and week."""
        return tuple(PER_WEEK * count / self.residents if self.residents else None for count in self.cases)


@dataclass(frozen=True)
class CaseWeeks:
    """Cases by day of report over weeks (their Mondays) and the counties seen, or the townships where one county is looked at."""

    item: str
    level: str
    weeks: tuple[str, ...]
    places: tuple[PlaceWeeks, ...]
    known_on: str
    snapshot: int


@dataclass(frozen=True)
class AttackRate:
    """Cases of an event per 1,000 residents of a group with exact 95 % Poisson limits; None where residents are not known.

    `by`: total, township, age, sex.
    """

    by: str
    code: str
    cases: int
    residents: int | None
    rate: float | None
    low: float | None
    high: float | None


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def mondays(first: date, last: date) -> tuple[str, ...]:
    """The Mondays of all weeks from that of a day to that of another."""
    start = monday(first)
    return tuple((start + timedelta(days=DAYS * k)).isoformat() for k in range((monday(last) - start).days // DAYS + 1))


def place_weeks(daily: Daily, items: Collection[str], kind: str, counties: Sequence[str], weeks: Sequence[str], places: Places,
                residents: Mapping[str, int]) -> tuple[PlaceWeeks, ...]:
    """Cases of some diseases (or of a kind of disease) by week, of counties, or of the townships of the only county."""
    start = (date.fromisoformat(weeks[0]) - date(1970, 1, 1)).days - daily.first_day
    rows = [k for k, key in enumerate(daily.keys) if key[0] == CASE and key[3] in counties and (key[1] in items or (kind and key[2] == kind))]
    days = np.zeros((len(rows), DAYS * len(weeks)))
    lie = np.arange(days.shape[1]) + start
    inside = (lie >= 0) & (lie < daily.counts.shape[1])
    days[:, inside] = np.nan_to_num(daily.counts[rows][:, lie[inside]])
    by_row = days.reshape(len(rows), len(weeks), DAYS).sum(axis=2).astype(int)
    points = places.points()

    def told(place: str, county: str, cases: Whole) -> PlaceWeeks:
        x, y = points.get(place, (None, None))
        return PlaceWeeks(place, county, residents.get(place), x, y, tuple(cases.tolist()))

    of_county = {one: by_row[[k for k, row in enumerate(rows) if daily.keys[row][3] == one]].sum(axis=0) for one in counties}
    towns = places.townships(counties[0]) if len(counties) == 1 else []
    if not towns:
        return tuple(told(one, one, of_county[one]) for one in counties)
    of, day, town, count = daily.towns
    at = np.isin(of, rows) & (day >= start) & (day < start + days.shape[1])
    found = {code: np.zeros(len(weeks), dtype=int) for code in towns}
    for code, week, number in zip(town[at].tolist(), ((day[at] - start) // DAYS).tolist(), count[at].tolist(), strict=True):  # rows of one disease are few
        if code in found:
            found[code][week] += number
    rest = of_county[counties[0]] - sum(found.values())
    return tuple(told(code, counties[0], cases) for code, cases in found.items()) + ((told("", counties[0], rest),) if rest.any() else ())


def _rate(by: str, code: str, cases: int, residents: int | None) -> AttackRate:
    if not residents:
        return AttackRate(by, code, cases, None, None, None, None)
    rate, low, high = (PER_ATTACK * value / residents for value in (cases, *poisson_limits(cases)))
    return AttackRate(by, code, cases, residents, rate, low, high)


def _age_first(code: str) -> tuple[int, str]:
    """Age bands by the age they begin with."""
    begin = code.split("-")[0].rstrip("+")
    return int(begin) if begin.isdecimal() else -1, code


def attack_rates_of(lines: CaseLines, at: Flags, towns: Mapping[str, int], county: str, year: int, residents: tuple[Residents, Residents], places: Places,
                    ) -> tuple[AttackRate, ...]:
    """Of the cases `at` in a county: all, by registered township (`towns`: its cases), by age band in order, by sex. `residents` of townships, of counties."""
    of_towns, of_counties = residents
    lived = of_towns.of(year)
    found = [_rate(TOTAL, county, int(at.sum()), sum(of_counties.of(year, "place", county).values()) or None)]
    found += [_rate(TOWNSHIP, code, towns.get(code, 0), lived.get(code)) for code in places.townships(county)]
    for by, values in ((AGE, lines.age[at]), (SEX, lines.sex[at])):
        people = of_counties.of(year, by, county)
        counts = {code: int((values == code).sum()) for code in np.unique(values).tolist()}
        found += [_rate(by, code, counts.get(code, 0), people.get(code)) for code in sorted({*people, *counts} - {""}, key=_age_first)]
        if counts.get(""):
            found.append(_rate(by, "", counts[""], None))
    return tuple(found)
