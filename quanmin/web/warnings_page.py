"""Surveillance: the board of what is unusual, and one event with what explains it, what was done and what may be done next."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from quanmin.detectors.telling import is_preparing
from quanmin.gate import NotAllowed
from quanmin.gate.performing import perform
from quanmin.model import Problem, Refusal
from quanmin.services.surveillance.actions import SHOWN, ClusterList, EventList, EventView, SignalList
from quanmin.services.surveillance.events import STATES, Event
from quanmin.services.surveillance.signal import COMBINED
from quanmin.services.surveillance.signal import STATES as ACTIVITIES
from quanmin.web.cluster_panels import clusters_panel
from quanmin.web.event_panels import (
    EXPLAINED,
    acts_panel,
    case_panels,
    contacts_panel,
    curve_panel,
    event_signals_panel,
    rows_panel,
    told,
    towns_panel,
)
from quanmin.web.panels import answer
from quanmin.web.rendering import page
from quanmin.web.view import View
from quanmin.web.warnings_panels import (
    PATH,
    chance,
    due,
    events_panel,
    leads,
    link,
    name_of,
    now_panel,
    place_of,
    records_panel,
    signals_panel,
    weeks_panel,
)
from quanmin.web.words import word

router = APIRouter()
ALL = 100_000
EVENT = re.compile("[0-9a-f]{12}")
CONTACT = re.compile("[0-9]{1,6}")
MEASURE, ADD, ILL = "measure", "contact", "ill"  # what is done with a form besides a verdict


def _tiles(events: tuple[Event, ...], place: str) -> list[tuple[str, int, str]]:
    """(word, count, where it leads): what waits, what is late, what goes on, what was confirmed."""
    counted = {"unverified": [one for one in events if one.state == "unverified"], "late": [one for one in events if one.is_late],
               "confirmed": [one for one in events if one.state == "confirmed"], "watched": [one for one in events if one.state == "watched"]}
    tiles = [(name, len(counted[name]), link(place=place, state=name)) for name in ("unverified", "late")]
    tiles += [(name, sum(one.activity == name for one in events), link(place=place, activity=name)) for name in ("new", "ongoing")]
    return tiles + [(name, len(counted[name]), link(place=place, state=name)) for name in ("watched", "confirmed")]


@router.get(PATH)
def board(request: Request, place: str = "", state: str = "", activity: str = "", item: str = "") -> Response:
    """What is unusual, where, since when, how sure, and who must act by when."""
    view = View.of(request)
    view.actor.require("small", "events", "list")
    if is_preparing():  # the first start on a machine: better a word than a page that does not come
        return page(request, "waiting.html")
    every: EventList = perform(view.inquiry, "events", {"place": place, "limit": ALL})
    known: SignalList = perform(view.inquiry, "signals", {"place": place, "limit": ALL})
    limit = ALL if request.query_params.get("export") else SHOWN
    chosen: EventList = perform(view.inquiry, "events", {"place": place, "state": state, "activity": activity, "item": item, "limit": limit})
    others = [one for one in known.signals if one.source != "case" and activity in ("", one.state) and item in ("", one.item, one.trigger)]
    clustered: ClusterList = perform(view.inquiry, "clusters", {"place": place, "item": item if item in view.catalog.diseases else ""})
    panels = [now_panel(view, every.events, place, every.known_on), clusters_panel(view, clustered, False, place),
              weeks_panel(view, every.events, every.known_on),
              events_panel(view, chosen, leads(known.signals)),
              signals_panel(view, others, limit, word("warning_other_signals"), word("warning_other_note", count="{count}", shown="{shown}"),
                            word("warning_no_other")), records_panel(view, every.records)]
    is_shut = view.actor.scope.kind == "facility"
    return answer(request, "warnings.html", panels if not is_shut else [], snapshot=view.snapshot, place=place, counties=view.counties(), state=state,
                  states=(*STATES, "late"), activity=activity, activities=ACTIVITIES, item=item, item_name=name_of(view, item) if item else "",
                  tiles=_tiles(every.events, place), known_on=every.known_on, is_shut=is_shut, all_of_it=PATH)


def _event(view: View, event: str) -> EventView:
    """An event as the actor sees it; what is none, or lies outside their scope, is not there."""
    is_id = EVENT.fullmatch(event) is not None
    view.actor.require("small", "event", event if is_id else "?")
    try:
        found: EventView = perform(view.inquiry, "event", {"event": event if is_id else "?"})
    except NotAllowed:
        raise
    except Refusal as refusal:
        raise HTTPException(404) from refusal
    return found


def _page(request: Request, view: View, found: EventView, problems: tuple[Problem, ...] = ()) -> Response:
    one, wanted = found.event, request.query_params.get("export", "")
    panels = [curve_panel(view, found), towns_panel(view, found), *case_panels(view, one), event_signals_panel(view, found), acts_panel(view, found)]
    if view.actor.may("rows") and wanted.split(".")[0] in ("", "contacts", "rows"):  # another export is no look at persons
        panels += [contacts_panel(view, one, perform(view.inquiry, "event_contacts", {"event": one.id})), rows_panel(view, one)]
    case_first = sorted(found.signals, key=lambda s: (s.source != "case", s.source == COMBINED, s.p if s.p is not None else 1.0))
    shown = answer(request, "event.html", panels, snapshot=view.snapshot, one=one, name=name_of(view, one.item), county=place_of(view, one.county),
                   reasons=[told(view, signal) for signal in case_first[:EXPLAINED]], state=word(f"warning_{one.state}"), due=due(one), p=chance(one.p).text,
                   activity=word(f"warning_{one.activity}"), desk=word(f"warning_desk_{one.desk}"), may=found.may, problems=problems,
                   may_follow=view.actor.may("respond"), known_on=one.known_on, today=view.inquiry.today(), is_disease=one.item in view.catalog.diseases)
    shown.status_code = 400 if problems else shown.status_code
    return shown


@router.get(f"{PATH}/{{event}}")
def event_page(request: Request, event: str) -> Response:
    """One event: why, how it ran, what was done and what may be done next."""
    view = View.of(request)
    return _page(request, view, _event(view, event))


def _note_refused(view: View, event: str) -> None:
    """Put on record that somebody tried to act on an event that is none, or that they may not see."""
    with suppress(NotAllowed):
        view.actor.refuse("act on event", event if EVENT.fullmatch(event) else "?")


def _do(view: View, event: str, told: dict[str, Any]) -> None:
    """A step with an event: a measure, a contact, a contact who fell ill, or a verdict."""
    act, number = told["act"], told["contact"]
    if act == MEASURE:
        perform(view.inquiry, "note_measure", {"event": event, "text": told["text"]})
    elif act == ADD:
        perform(view.inquiry, "add_contact", {"event": event} | {name: told[name] for name in ("card", "name", "met_on", "phone", "relation")})
    elif act == ILL:
        perform(view.inquiry, "contact_ill", {"event": event, "contact": int(number) if CONTACT.fullmatch(number) else 0, "card": told["card"]})
    else:
        perform(view.inquiry, "judge_event", {"event": event, "verdict": act, "reason": told["text"]})


@router.post(f"{PATH}/{{event}}")
def act_on(request: Request, event: str, act: Annotated[str, Form()] = "", text: Annotated[str, Form()] = "", card: Annotated[str, Form()] = "",
           name: Annotated[str, Form()] = "", phone: Annotated[str, Form()] = "", relation: Annotated[str, Form()] = "", met_on: Annotated[str, Form()] = "",
           contact: Annotated[str, Form()] = "") -> Response:
    """Take a step with an event: a verdict, a measure, a contact."""
    view = View.of(request)
    try:
        found = _event(view, event)
    except HTTPException:
        _note_refused(view, event)
        raise
    try:
        _do(view, event, {"act": act, "text": text, "card": card, "name": name, "phone": phone, "relation": relation, "met_on": met_on, "contact": contact})
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _page(request, view, found, refusal.problems)
    return RedirectResponse(f"{PATH}/{event}", 303)
