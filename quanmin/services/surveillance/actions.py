"""What may be asked of surveillance and done in it: signals, events, verdicts, measures and contacts; case_actions.py adds what is told of cases."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from quanmin.catalog.messages import say
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.model.event import Contact, EventAct
from quanmin.services.surveillance.case_actions import (
    ClusterList,
    TrendList,
    attack_rates,
    case_weeks,
    clusters,
    disease_trends,
    nowcast_cases,
    past_clusters,
    reproduction_number,
)
from quanmin.services.surveillance.daily import CASE, Daily
from quanmin.services.surveillance.events import NEXT, STATES, Event, MethodRecord, records
from quanmin.services.surveillance.safety import LotSafety, ReactionPair, VaccineRate, given, lots, reaction_pairs, unmatched, vaccine_rates
from quanmin.services.surveillance.seen import Watched, events_seen, known_on, one_event, refuse, signals_seen, watched_of
from quanmin.services.surveillance.signal import STATES as ACTIVITIES
from quanmin.services.surveillance.signal import Signal
from quanmin.services.surveillance.watching import day_text

__all__ = ["ClusterList", "EventList", "EventView", "SignalList", "TrendList", "add_contact", "attack_rates", "case_weeks", "clusters", "contact_ill",
           "disease_trends", "event",
           "event_contacts", "events", "judge_event", "note_measure", "nowcast_cases", "past_clusters", "reproduction_number", "signals", "vaccine_safety"]
LONGEST_TEXT = 2_000
SHOWN = 200
AROUND = 42  # days of the curve before and after an event
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
CARD = re.compile(r"[0-9A-Za-z_-]{1,60}")


@dataclass(frozen=True)
class SignalList:
    """Signals asked for, the newest first; `known_on` the newest day with data."""

    count: int
    signals: tuple[Signal, ...]
    known_on: str
    snapshot: int


@dataclass(frozen=True)
class EventList:
    """Events asked for: what goes on first, the least likely first; `records` how often methods were right."""

    count: int
    events: tuple[Event, ...]
    records: tuple[MethodRecord, ...]
    known_on: str
    snapshot: int


@dataclass(frozen=True)
class Day:
    """Reported cases of a day."""

    day: str
    cases: int


@dataclass(frozen=True)
class EventView:
    """An event with its signals, what was done about it, what may be done next, its cases by day of report and by township."""

    event: Event
    signals: tuple[Signal, ...]
    acts: tuple[EventAct, ...]
    may: tuple[str, ...]
    curve: tuple[Day, ...]
    townships: tuple[tuple[str, int], ...]
    snapshot: int


@dataclass(frozen=True)
class VaccineSafety:
    """Reports after vaccination of a period ("" = all): rates by vaccine, reactions out of proportion, lots the least likely first.

    `unmatched` reports name no lot, or one of which no dose is known. Who may not see small counts is given no pairs and no lots (`is_withheld`).
    """

    period: str
    rates: tuple[VaccineRate, ...]
    pairs: tuple[ReactionPair, ...]
    lots: tuple[LotSafety, ...]
    unmatched: int | None
    is_withheld: bool
    snapshot: int


@action("small")
def signals(asker: Asker, place: str = "", item: str = "", source: str = "", state: str = "", limit: int = SHOWN) -> SignalList:
    """Signals within the scope: of a county, disease or other item, source (case, laboratory, syndrome, absence, pharmacy, combined), state."""
    if state and state not in ACTIVITIES:
        raise refuse("state", state, "bad_value", ", ".join(ACTIVITIES))
    found = watched_of(asker)
    chosen = [one for one in signals_seen(asker, found, place) if item in ("", one.item) and source in ("", one.source) and state in ("", one.state)]
    return SignalList(len(chosen), tuple(chosen[: max(0, limit)]), known_on(found), asker.snapshot)


@action("small")
def events(asker: Asker, place: str = "", item: str = "", state: str = "", activity: str = "", limit: int = SHOWN) -> EventList:
    """Events within the scope: of a county, disease or kind, state (unverified, late, lapsed, watched, confirmed, dismissed, over), activity."""
    if state and state not in (*STATES, "late"):
        raise refuse("state", state, "bad_value", ", ".join((*STATES, "late")))
    if activity and activity not in ACTIVITIES:
        raise refuse("activity", activity, "bad_value", ", ".join(ACTIVITIES))
    found, acts = watched_of(asker), asker.event_acts()
    known = events_seen(asker, found, place)
    chosen = [one for one in known if item in ("", one.item, one.trigger) and activity in ("", one.activity)
              and (state in ("", one.state) or (state == "late" and one.is_late))]
    return EventList(len(chosen), tuple(chosen[: max(0, limit)]), records(acts), known_on(found), asker.snapshot)


def _view(asker: Asker, one: Event, told: tuple[Signal, ...], found: Watched) -> EventView:
    may = NEXT[one.state] if asker.may("respond") else ()
    curve, towns = _cases(found.daily, one)
    return EventView(one, told, tuple(asker.event_acts(one.id)), may, curve, towns, asker.snapshot)


def _cases(daily: Daily, one: Event) -> tuple[tuple[Day, ...], tuple[tuple[str, int], ...]]:
    """Cases by day from some weeks before to after the event, and by township during it."""
    rows = [k for k, key in enumerate(daily.keys) if key[0] == CASE and key[3] == one.county and one.item == key[1 if one.is_named else 2]]
    first, last = (int(np.datetime64(day).astype("datetime64[D]").astype(np.int64)) - daily.first_day for day in (one.first_on, one.last_on))
    start, end = max(0, first - AROUND), min(daily.counts.shape[1], last + AROUND + 1)
    counts = np.nan_to_num(daily.counts[rows, start:end]).sum(axis=0) if rows else np.zeros(end - start)
    of, day, town, count = daily.towns
    at = np.isin(of, rows) & (day >= first) & (day <= last)
    names, group = np.unique(town[at], return_inverse=True)
    sums = np.bincount(group, count[at], len(names)).astype(int)
    towns = sorted(((str(name), int(number)) for name, number in zip(names, sums, strict=True) if number), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Day(day_text(daily.first_day + start + k), int(value)) for k, value in enumerate(counts)), tuple(towns)


@action("small")
def event(asker: Asker, event: str) -> EventView:
    """One event: its signals and what explains them, its cases by day and township, what was done and what may be done next."""
    return _view(asker, *one_event(asker, event))


def _act(asker: Asker, event: str, act: str, text: str) -> EventView:
    one, told, _ = one_event(asker, event)
    if act not in NEXT[one.state]:
        raise refuse("act", act, "event_not_now", ", ".join(NEXT[one.state]))
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise refuse("text", text[:40], "event_text", say("mend_event_text"))
    steps = asker.event_acts(one.id)
    lead = told[0] if not one.is_named else next(signal for signal in told if signal.source == CASE)
    asker.act_on_event(EventAct(one.id, len(steps) + 1, act, text.strip(), one.item, one.county, one.first_on, one.last_on, lead.source, lead.method, ""))
    return _view(asker, *one_event(asker, event))


@action("respond", changes=True)
def judge_event(asker: Asker, event: str, verdict: str, reason: str) -> EventView:
    """Judge an event: watch (suspected), confirm (an outbreak), dismiss, close (over) or reopen, with the reason."""
    if verdict == "measure":
        raise refuse("verdict", verdict, "bad_value", "watch, confirm, dismiss, close, reopen")
    return _act(asker, event, verdict, reason)


@action("respond", changes=True)
def note_measure(asker: Asker, event: str, text: str) -> EventView:
    """Note a measure taken against an event that is watched or confirmed."""
    return _act(asker, event, "measure", text)


@action("rows")
def event_contacts(asker: Asker, event: str) -> tuple[Contact, ...]:
    """The contacts of an event's cases, masked by role."""
    one, _, _ = one_event(asker, event)
    return tuple(asker.contacts(one.id, one.county))


@action("respond", changes=True)
def add_contact(asker: Asker, event: str, card: str, name: str, met_on: str, phone: str = "", relation: str = "") -> int:
    """Record somebody who met the case of a report card; followed for the longest usual incubation. Returns the contact's number."""
    one, _, _ = one_event(asker, event)
    if not CARD.fullmatch(card):
        raise refuse("card", card, "bad_value", say("mend_code"))
    if not name.strip() or max(len(name), len(relation)) > 60 or len(phone) > 40:
        raise refuse("name", "", "event_text", say("mend_event_text"))
    if not DAY.fullmatch(met_on):
        raise refuse("met_on", met_on, "bad_value", "2026-03-15")
    try:
        met = date.fromisoformat(met_on)
    except ValueError:
        raise refuse("met_on", met_on, "bad_value", "2026-03-15") from None
    if met_on > asker.today():
        raise refuse("met_on", met_on, "scan_future", say("scan_mend_future"))
    disease = asker.diseases().get(one.item)
    until = met + timedelta(days=disease.incubation_days if disease and disease.incubation_days else 14)
    return asker.add_contact(Contact(one.id, 0, card, name.strip(), phone.strip(), relation.strip(), met_on, until.isoformat(), "", one.county, ""))


@action("respond", changes=True)
def contact_ill(asker: Asker, event: str, contact: int, card: str) -> tuple[Contact, ...]:
    """Note the report card of a contact who fell ill: a link of the chain."""
    one, _, _ = one_event(asker, event)
    if not CARD.fullmatch(card):
        raise refuse("card", card, "bad_value", say("mend_code"))
    asker.contact_ill(one.id, one.county, contact, card)
    return tuple(asker.contacts(one.id, one.county))


@action("figures")
def vaccine_safety(asker: Asker, place: str = "", period: str = "") -> VaccineSafety:
    """Adverse events after vaccination within the scope: reports per 100,000 doses, reactions out of proportion, lots with more reports than others."""
    asker.where(place)
    asker.period(period)
    told = given(asker, [code for code, unit in asker.units("facility").items() if place in ("", unit.county)], period)
    rates = vaccine_rates(told)
    if asker.may("small"):
        return VaccineSafety(period, rates, reaction_pairs(told), lots(told), unmatched(told), False, asker.snapshot)
    hidden = asker.withheld({one.vaccine: (float(one.reports or 0), float(one.doses or 0)) for one in rates})
    shown = tuple(sorted((VaccineRate(one.vaccine, None, None, None, None, None, None, True) if one.vaccine in hidden
                          else replace(one, serious=None) for one in rates), key=lambda one: (one.is_withheld, -(one.rate or 0), one.vaccine)))
    return VaccineSafety(period, shown, (), (), None, True, asker.snapshot)
