"""What may be asked of the cases of a disease or an event: those still to be reported, R, clusters, weeks by place, attack rates, and a county's diseases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from quanmin.catalog.messages import say
from quanmin.detectors.signals import USED
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.surveillance.case_lines import cases_of
from quanmin.services.surveillance.case_weeks import DAYS, AttackRate, CaseWeeks, attack_rates_of, mondays, place_weeks
from quanmin.services.surveillance.clustering import Cluster, Scanned, Study, clusters_on, overlapping, seen_part, study_of
from quanmin.services.surveillance.daily import CASE
from quanmin.services.surveillance.delays import CaseNowcast, family, shown_nowcast
from quanmin.services.surveillance.events import Event
from quanmin.services.surveillance.seen import Watched, counties_seen, events_seen, known_on, one_event, refuse, watched_of
from quanmin.services.surveillance.townships import places, residents_by_place, residents_of_counties, residents_of_townships
from quanmin.services.surveillance.transmission import Transmission, transmission
from quanmin.services.surveillance.trends import DiseaseTrend, trends_of
from quanmin.services.surveillance.watching import watch

AROUND = 42  # days of the curve by onset before and after an event
YEAR_WEEKS = 52  # of the map of a disease


@dataclass(frozen=True)
class ClusterList:
    """Clusters seen, the least likely first; how many diseases and places were scanned, cases of the year in no known place, and the share of false ones."""

    clusters: tuple[Cluster, ...]
    diseases: int
    places: int
    unplaced: int
    q: float
    known_on: str
    snapshot: int


@dataclass(frozen=True)
class TrendList:
    """The diseases of a county, those with the most cases in four weeks first, on the newest day with counts."""

    place: str
    trends: tuple[DiseaseTrend, ...]
    known_on: str
    snapshot: int


def _disease(asker: Asker, item: str) -> None:
    if item not in asker.diseases():
        raise refuse("item", item, "bad_value", say("mend_code"))


def _sees_all(asker: Asker) -> bool:
    """Whether they see the region: what is counted over all of it is told to no one else."""
    return bool(counties_seen(asker, "")) and asker.region not in asker.units("county")


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def _named(asker: Asker, event: str) -> Event:
    one, _, _ = one_event(asker, event)
    if not one.is_named:
        raise refuse("event", event, "event_not_now", say("mend_no_event"))
    return one


@action("small")
def nowcast_cases(asker: Asker, item: str = "", place: str = "", event: str = "") -> CaseNowcast:
    """Cases by day of onset with those still to be reported: of a disease in what is seen or a county, over the newest weeks; or of an event and around it."""
    lines = cases_of(asker)
    if event:
        one = _named(asker, event)
        item, place, seen, since, until = one.item, one.county, {one.county}, _day(one.first_on) - AROUND, _day(one.last_on) + AROUND
    else:
        _disease(asker, item)
        seen, since, until = counties_seen(asker, place), lines.now - watch()["nowcast"]["shown_days"] + 1, lines.now
    key = f"nowcast {item} {place} {','.join(sorted(seen))} {since} {until}"
    told = asker.kept(key, lambda: shown_nowcast(lines, item, place, seen, asker.diseases(), since, until))
    if not seen:
        return CaseNowcast(item, place, told.known_on, "", 0, 0, 0, 0, ())
    return told if _sees_all(asker) else replace(told, delay_cases=min(told.delay_cases, watch()["nowcast"]["enough_delays"]))


@action("small")
def reproduction_number(asker: Asker, item: str, place: str = "") -> Transmission:
    """How many people a case infects (Cori's R) over the last year: of a disease whose serial interval is known, in what is seen or a county."""
    _disease(asker, item)
    lines, seen = cases_of(asker), counties_seen(asker, place)
    return asker.kept(f"r {item} {place} {','.join(sorted(seen))}", lambda: transmission(lines, item, place, seen, asker.diseases()))


def study_seen(asker: Asker, found: Watched) -> Study:
    """What is scanned: the cases of the whole region, to be filtered by what is seen."""
    year = (date(1970, 1, 1) + timedelta(days=found.daily.last_day)).year if found.daily.keys else 0
    return study_of(found.daily, places(asker), residents_by_place(asker, year))


def _scan(asker: Asker, found: Watched, item: str, is_past: bool) -> Scanned:
    if not found.daily.keys:
        return Scanned((), 0, 0, 0, "")
    end, items = found.daily.counts.shape[1] - 1, [item] if is_past else []
    return asker.kept(f"clusters {item if is_past else 'now'}", lambda: clusters_on(study_seen(asker, found), end, items, is_past))


def _clusters(asker: Asker, item: str, place: str, is_past: bool) -> ClusterList:
    """Every cluster is found over the whole region, whoever asks; who sees a part of it is shown that part."""
    found, seen, near = watched_of(asker), counties_seen(asker, ""), counties_seen(asker, place)
    told = _scan(asker, found, item, is_past)
    events = [(one.id, one.item, one.county, one.first_on, one.last_on) for one in events_seen(asker, found, "")]
    parts = [part for one in told.clusters if item in ("", one.item) and (part := seen_part(one, seen)) is not None]
    shown = tuple(replace(one, events=overlapping(one, events)) for one in parts if set(one.counties) & near)
    if not seen:
        return ClusterList((), 0, 0, 0, watch()["cluster"]["q"], told.known_on, asker.snapshot)
    return ClusterList(shown, told.diseases, told.places, told.unplaced if _sees_all(asker) else 0, watch()["cluster"]["q"], told.known_on, asker.snapshot)


@action("small")
def clusters(asker: Asker, item: str = "", place: str = "") -> ClusterList:
    """Clusters in space and time that go on now: of all diseases or one, in what is seen or a county."""
    if item:
        _disease(asker, item)
    return _clusters(asker, item, place, False)


@action("small")
def past_clusters(asker: Asker, item: str, place: str = "") -> ClusterList:
    """Clusters in space and time of a disease within the last year, over or not."""
    _disease(asker, item)
    return _clusters(asker, item, place, True)


def _weeks(asker: Asker, found: Watched, items: Collection[str], kind: str, name: str, seen: list[str], weeks: tuple[str, ...]) -> CaseWeeks:
    told = place_weeks(found.daily, items, kind, seen, weeks, places(asker), residents_by_place(asker, int(weeks[-1][:4]))) if seen else ()
    level = "township" if len(seen) == 1 and any(one.place != seen[0] for one in told) else "county"
    return CaseWeeks(name, level, weeks, told, known_on(found), asker.snapshot)


@action("small")
def case_weeks(asker: Asker, item: str = "", place: str = "", event: str = "") -> CaseWeeks:
    """Cases by week of report and place: of a disease over a year by county, or by township of one county; of an event by township, around it."""
    found = watched_of(asker)
    if event:
        one, _, _ = one_event(asker, event)
        around = timedelta(weeks=watch()["place"]["around_weeks"])
        newest = date.fromisoformat(one.known_on)
        weeks = mondays(date.fromisoformat(one.first_on) - around, min(newest, date.fromisoformat(one.last_on) + around))
        return _weeks(asker, found, {one.item} if one.is_named else (), "" if one.is_named else one.item, one.item, [one.county], weeks)
    _disease(asker, item)
    if not found.daily.keys:
        return CaseWeeks(item, "county", (), (), "", asker.snapshot)
    newest = date.fromisoformat(known_on(found))
    weeks = mondays(newest - timedelta(days=DAYS * (YEAR_WEEKS - 1)), newest)
    return _weeks(asker, found, family(item, asker.diseases()), "", item, sorted(counties_seen(asker, place)), weeks)


@action("small")
def attack_rates(asker: Asker, event: str) -> tuple[AttackRate, ...]:
    """Cases of an event per 1,000 residents of its county, by township, by age band and by sex, with exact Poisson limits."""
    one, _, found = one_event(asker, event)
    lines, known = cases_of(asker), found.daily
    if not one.is_named:
        return ()
    first, last = _day(one.first_on), _day(one.last_on)
    at = lines.chosen({one.item}, {one.county}) & (lines.reported >= first) & (lines.reported <= last)
    rows = [k for k, key in enumerate(known.keys) if key[:2] == (CASE, one.item) and key[3] == one.county]
    of, day, town, count = known.towns
    inside = np.isin(of, rows) & (day >= first - known.first_day) & (day <= last - known.first_day)
    names, group = np.unique(town[inside], return_inverse=True)
    towns = dict(zip(names.tolist(), np.bincount(group, count[inside], len(names)).astype(int).tolist(), strict=True))
    lived = (residents_of_townships(asker), residents_of_counties(asker))
    return attack_rates_of(lines, at, towns, one.county, int(one.first_on[:4]), lived, places(asker))


@action("small")
def disease_trends(asker: Asker, place: str) -> TrendList:
    """The diseases of a county: cases this week and in four weeks, what was expected, and the last half year."""
    if place not in counties_seen(asker, place):
        raise refuse("place", place, "bad_value", say("mend_code"))
    found = watched_of(asker)
    told = trends_of(found.daily, found.judged, place, USED) if found.judged is not None else ()
    return TrendList(place, told, known_on(found), asker.snapshot)
