"""What surveillance has found and somebody sees of it: the signals and events of the counties in their scope."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.asker import Asker
from quanmin.model.event import EventAct
from quanmin.services.surveillance.daily import COLUMNS, TABLE, Daily, read_daily
from quanmin.services.surveillance.episodes import judged_and_watched
from quanmin.services.surveillance.events import Event, events_of
from quanmin.services.surveillance.signal import Signal
from quanmin.services.surveillance.watching import Excluded, Judged, day_text


@dataclass(frozen=True)
class Watched:
    """The daily counts of a site, how its case reports were judged, and its signals."""

    daily: Daily
    judged: Judged | None
    signals: tuple[Signal, ...]


def refuse(field: str, value: str, rule: str, mend: str) -> Refusal:
    """The refusal of a field of an event."""
    return Refusal(Problem("event", None, field, value[:60], say(rule), mend))


def _excluded(acts: Sequence[EventAct]) -> Excluded:
    """Confirmed outbreaks, which no baseline holds."""
    last = {one.event: one for one in acts if one.act in ("confirm", "dismiss", "reopen")}
    return tuple(sorted((one.item, one.county, one.first_on, one.last_on) for one in last.values() if one.act == "confirm"))


def watched_of(asker: Asker) -> Watched:
    """All of the region, worked out once for a snapshot and the outbreaks confirmed in it: to be filtered by the counties that are seen."""
    diseases, today, excluded = asker.diseases(), asker.today(), _excluded(asker.all_event_acts())
    key = "signals " + hashlib.md5(repr(excluded).encode(), usedforsecurity=False).hexdigest()[:8]

    def make(rows: Any, newest: str) -> Watched:
        del newest
        daily = read_daily(rows, today)
        return Watched(daily, *judged_and_watched(daily, diseases, excluded))

    found: Watched = asker.learnt(key, TABLE, COLUMNS, make)
    return found


def known_on(found: Watched) -> str:
    """The newest day with counts, "" without any."""
    return day_text(found.daily.last_day) if found.daily.keys else ""


def counties_seen(asker: Asker, place: str) -> set[str]:
    """The counties whose events are seen, of these one where a place is given; raises Refusal for what cannot be a code."""
    asker.where(place)
    return {code for code in asker.units("county") if asker.sees_events(code) and place in ("", code)}


def signals_seen(asker: Asker, found: Watched, place: str) -> list[Signal]:
    """Signals of the counties that are seen."""
    counties = counties_seen(asker, place)
    return [one for one in found.signals if one.county in counties]


def events_seen(asker: Asker, found: Watched, place: str) -> list[Event]:
    """Events of the counties that are seen, grouped, ranked and given to desks as the region has them, whoever asks."""
    counties = counties_seen(asker, place)
    return [one for one in events_of(found.signals, asker.all_event_acts(), asker.diseases()) if one.county in counties]


def one_event(asker: Asker, event: str) -> tuple[Event, tuple[Signal, ...], Watched]:
    """An event that is seen, its signals, and all that was found; raises Refusal for one that is none or is not seen."""
    found = watched_of(asker)
    one = next((known for known in events_seen(asker, found, "") if known.id == event), None)
    if one is None:
        raise refuse("event", event, "no_event", say("mend_no_event"))
    return one, tuple(signal for signal in found.signals if signal.id in one.signals), found
