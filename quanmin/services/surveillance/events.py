"""Events: signals of one place and disease that overlap in time, where each stands, who has to judge it by when, and how often each method was right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from quanmin.model.disease import NotifiableDisease
from quanmin.model.event import EventAct
from quanmin.services.surveillance.daily import CASE
from quanmin.services.surveillance.signal import COMBINED, Signal
from quanmin.services.surveillance.watching import watch

STATES = ("unverified", "lapsed", "watched", "confirmed", "dismissed", "over")
AFTER = MappingProxyType({"watch": "watched", "confirm": "confirmed", "dismiss": "dismissed", "close": "over", "reopen": "unverified"})
NEXT: Mapping[str, tuple[str, ...]] = MappingProxyType({  # state → acts that lead on; a measure may be noted while it is watched or confirmed
    "unverified": ("watch", "confirm", "dismiss"), "lapsed": ("watch", "confirm", "dismiss"),
    "watched": ("confirm", "dismiss", "measure"), "confirmed": ("measure", "close", "dismiss"),
    "dismissed": ("reopen",), "over": ("reopen",),
})
SAME_DAYS = 14  # an event raised on another day, because data changed, is the one acted on if it began so many days around it
CITY_COUNTIES = 3  # counties with the same disease at once, from which the city's desk leads


@dataclass(frozen=True)
class Event:
    """Signals that are one matter: of a disease in a county, or of a kind of disease where no disease is named yet.

    `item` is a disease or a trigger group (`is_named` False). `cases` are reported cases between first_on and last_on; `due_on` the day (or the same day,
    `due_hours` after raising) by which the desk (`county` or `city`) judges it; `is_late` if it has not by `known_on`; what other
    sources hinted at and no case followed has `lapsed` when it is over. `p` is that of its least likely signal.
    """

    id: str
    item: str
    is_named: bool
    trigger: str
    county: str
    township: str
    raised_on: str
    first_on: str
    last_on: str
    known_on: str
    activity: str
    cases: int
    p: float | None
    state: str
    desk: str
    due_hours: int
    due_on: str
    is_late: bool
    rank: int
    signals: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class MethodRecord:
    """How often the events a method raised were confirmed by those who looked; `precision` None where nothing was judged."""

    source: str
    method: str
    confirmed: int
    dismissed: int
    precision: float | None


def _apart(one: Signal, first: str, last: str) -> bool:
    quiet = timedelta(days=watch()["life"]["quiet_days"])
    return date.fromisoformat(one.first_on) > date.fromisoformat(last) + quiet or date.fromisoformat(one.last_on) < date.fromisoformat(first) - quiet


def grouped(signals: Sequence[Signal]) -> list[list[Signal]]:
    """Signals that are one matter: case signals of a disease and county that overlap; other sources join a case signal of their kind, or each other."""
    groups: list[list[Signal]] = []
    for one in sorted(signals, key=lambda s: (s.source != CASE, s.first_on, s.id)):
        fit = [g for g in groups if g[0].county == one.county and not _apart(one, min(s.first_on for s in g), max(s.last_on for s in g))
               and (g[0].item == one.item if one.source == CASE else g[0].trigger == one.trigger)]
        if fit:
            min(fit, key=lambda g: (g[0].source != CASE, g[0].p if g[0].p is not None else 0.0, g[0].id)).append(one)
        else:
            groups.append([one])
    return groups


def event_id(item: str, county: str, raised_on: str) -> str:
    """The same word in every snapshot that raises it in the same week."""
    year, week, _ = date.fromisoformat(raised_on).isocalendar()
    return hashlib.md5(f"event {item} {county} {year} {week}".encode(), usedforsecurity=False).hexdigest()[:12]


def standing(acts: Sequence[EventAct]) -> str:
    """The state after acts in order."""
    return next((AFTER[one.act] for one in reversed(acts) if one.act in AFTER), "unverified")


def acted_on(item: str, county: str, raised_on: str, first_on: str, acts: Sequence[EventAct]) -> str:
    """The id an event is known by: that of an earlier judgement on the same disease and county about the same days, else its own."""
    day = date.fromisoformat(first_on)
    near = [one for one in acts if one.item == item and one.county == county and abs((date.fromisoformat(one.first_on) - day).days) <= SAME_DAYS]
    return min(near, key=lambda one: abs((date.fromisoformat(one.first_on) - day).days)).event if near else event_id(item, county, raised_on)


def _event(group: Sequence[Signal], acts: Sequence[EventAct], diseases: Mapping[str, NotifiableDisease], wide: set[tuple[str, str]]) -> Event:
    lead = group[0]
    is_named = lead.source == CASE
    item = lead.item if is_named else lead.trigger
    first, last, raised = min(s.first_on for s in group), max(s.last_on for s in group), min(s.raised_on for s in group)
    name = acted_on(item, lead.county, raised, first, acts)
    state = standing([one for one in acts if one.event == name])
    disease = diseases.get(item)
    hours = watch()["life"]["verify_hours"]["A" if disease and disease.is_single_case else disease.law_class if disease else "other"]
    due = (date.fromisoformat(raised) + timedelta(days=-(-hours // 24) if hours >= 24 else 0)).isoformat()
    desk = "city" if (disease and disease.law_class == "A") or (item, raised[:7]) in wide else "county"
    order = ("ongoing", "new", "closed")
    p = [s.p for s in group if s.p is not None]
    activity = min((s.state for s in group), key=order.index)
    if state == "unverified" and activity == "closed" and not is_named:
        state = "lapsed"
    return Event(name, item, is_named, lead.trigger, lead.county, lead.township, raised, first, last, lead.known_on,
                 activity, max(s.cases for s in group if s.source == CASE) if is_named else 0, min(p, default=None),
                 state, desk, hours, due, state == "unverified" and lead.known_on > due, 0, tuple(s.id for s in group),
                 tuple(dict.fromkeys(s.source for s in group if s.source != COMBINED)))


def events_of(signals: Sequence[Signal], acts: Sequence[EventAct], diseases: Mapping[str, NotifiableDisease]) -> list[Event]:
    """Events, ranked: what is still going on before what is over, the least likely first."""
    groups = grouped(signals)
    counties: dict[tuple[str, str], set[str]] = {}
    for group in groups:
        if group[0].source == CASE:
            counties.setdefault((group[0].item, min(s.raised_on for s in group)[:7]), set()).add(group[0].county)
    wide = {key for key, places in counties.items() if len(places) >= CITY_COUNTIES}
    found = [_event(group, acts, diseases, wide) for group in groups]
    found.sort(key=lambda e: (e.activity == "closed", e.state in ("dismissed", "over"), e.p if e.p is not None else 1.0, e.id))
    ranked = [Event(**{**vars(one), "rank": k}) for k, one in enumerate(found, 1)]
    return sorted(ranked, key=lambda e: (e.activity == "closed", -date.fromisoformat(e.raised_on).toordinal() if e.activity == "closed" else e.rank))


def records(acts: Sequence[EventAct]) -> tuple[MethodRecord, ...]:
    """How often each source and method was right, by the last verdict on each event."""
    last: dict[str, EventAct] = {one.event: one for one in acts if one.act in ("confirm", "dismiss")}
    found = []
    for source, method in sorted({(one.source, one.method) for one in last.values()}):
        told = [one.act for one in last.values() if (one.source, one.method) == (source, method)]
        confirmed = told.count("confirm")
        found.append(MethodRecord(source, method, confirmed, len(told) - confirmed, confirmed / len(told) if told else None))
    return tuple(found)
