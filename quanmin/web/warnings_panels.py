"""The panels of the warning board: events, where they are now, when they were raised, signals of other sources, and how often methods were right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.services.surveillance.actions import EventList
from quanmin.services.surveillance.events import Event, MethodRecord
from quanmin.services.surveillance.signal import COMBINED, Signal
from quanmin.web.figures import NOTHING, number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

PATH = "/warnings"
LISTS = ("notifiable_disease", "trigger_group", "surveillance_item", "pathogen", "surveillance_source")
WEEKS = 52  # of the chart of what was raised
WEEK = 7
LATE, CASES, OTHERS, QUIET = 3, 2, 1, 0  # states of a county and kind


def link(**told: str) -> str:
    """The address of the board."""
    chosen = {name: value for name, value in told.items() if value}
    return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def name_of(view: View, code: str) -> str:
    """What a disease, kind, pathogen, syndrome, medicine or source is called; its code where no list has it."""
    if code == COMBINED:
        return word("warning_combined")
    return next((codes[code].in_language(language()) for one in LISTS if code in (codes := view.catalog.codes[one].codes)), code)


def place_of(view: View, code: str) -> str:
    """What a county or township is called; a dash for none."""
    return view.place_names().get(code, code) or NOTHING


def chance(p: float | None) -> Shown:
    """A probability: in powers of ten where it is small."""
    return Shown(NOTHING if p is None else f"{p:.3f}" if p >= 0.001 else f"{p:.1e}", p)


def amount(value: float | None) -> Shown:
    """A count or an expected count, with as many digits as it needs."""
    if value is None:
        return Shown(NOTHING, None)
    return Shown(number(int(value)) if float(value).is_integer() else f"{value:.2f}" if value >= 0.1 else f"{value:.2g}", value)


def due(one: Event) -> Shown:
    """By when an event is to be verified; marked while that is past and nobody has."""
    text = one.due_on if one.due_hours >= 24 else word("warning_due_same_day", day=one.due_on, hours=one.due_hours)
    return Shown(text, one.due_on, verdict="missed" if one.is_late else "")


def sources(view: View, one: Signal) -> str:
    """Each source of a combined signal with its share in percent."""
    return " · ".join(f"{name_of(view, source)} {100 * share:.0f}%" for source, share in one.sources if share >= 0.005)


def leads(signals: Sequence[Signal]) -> Mapping[str, Signal]:
    """Signals by id."""
    return {one.id: one for one in signals}


def lead_of(one: Event, known: Mapping[str, Signal]) -> Signal | None:
    """The least likely signal of an event; of a disease, that of its cases."""
    told = [known[name] for name in one.signals if name in known]
    fit = [s for s in told if s.source == "case"] or [s for s in told if s.source != COMBINED] or told
    return min(fit, key=lambda s: (s.p if s.p is not None else 1.0, s.id), default=None)


def events_panel(view: View, found: EventList, known: Mapping[str, Signal]) -> Panel:
    """The events: what, where, since when, how sure, who judges it by when."""
    columns = [Column("item", word("warning_item")), Column("county", word("county")), Column("township", word("warning_township")),
               Column("state", word("warning_state")), Column("desk", word("warning_desk")), Column("due_on", word("warning_due")),
               Column("activity", word("warning_activity")), Column("first_on", word("warning_first_on")), Column("raised_on", word("warning_raised_on")),
               Column("last_on", word("warning_last_on")), Column("cases", word("warning_cases"), True), Column("observed", word("warning_observed"), True),
               Column("expected", word("warning_expected"), True), Column("p", word("warning_p"), True), Column("sources", word("warning_sources")),
               Column("rank", word("warning_rank"), True), Column("event", word("warning_event"))]
    rows = []
    for one in found.events:
        lead = lead_of(one, known)
        counted = lead if lead is not None and lead.source != COMBINED else None
        rows.append([Shown(name_of(view, one.item), one.item, f"{PATH}/{one.id}"), Shown(place_of(view, one.county), one.county, link(place=one.county)),
                     Shown(place_of(view, one.township), one.township), Shown(word(f"warning_{one.state}"), one.state),
                     Shown(word(f"warning_desk_{one.desk}"), one.desk), due(one), Shown(word(f"warning_{one.activity}"), one.activity), one.first_on,
                     one.raised_on, one.last_on, one.cases, amount(counted.observed if counted else None), amount(counted.expected if counted else None),
                     chance(one.p), Shown(" · ".join(name_of(view, s) for s in one.sources) or word("warning_combined"), " ".join(one.sources) or COMBINED),
                     one.rank, Shown(one.id, one.id, f"{PATH}/{one.id}")])
    return Panel("events", word("warning_events"), Sheet(columns, rows, about(view, "") | {"known_on": found.known_on}), is_open=True,
                 note=word("warning_events_note", count=number(found.count), shown=number(len(rows))) if rows else word("warning_no_events"))


def now_panel(view: View, events: Sequence[Event], place: str, known_on: str) -> Panel:
    """Counties by kinds: what is new or goes on."""
    counties = [(code, name) for code, name in view.counties() if place in ("", code)]
    kinds = [code for code in view.catalog.codes["trigger_group"].codes]
    going = [one for one in events if one.activity != "closed" and one.state not in ("dismissed", "over")]
    counts = Counter((one.county, one.trigger) for one in going)
    state = {(code, kind): _worst([one for one in going if (one.county, one.trigger) == (code, kind)]) for code, _ in counties for kind in kinds}
    columns = [Column("county", word("county")), *(Column(kind, name_of(view, kind), True) for kind in kinds)]
    rows = [[Shown(name, code, link(place=code)), *(counts[(code, kind)] for kind in kinds)] for code, name in counties]
    cells = [[x, y, state[(code, kind)], str(counts[(code, kind)] or ""), word("warning_count_told", count=counts[(code, kind)]), ""]
             for y, (code, _) in enumerate(counties) for x, kind in enumerate(kinds)]
    words = ("warning_quiet", "warning_other_now", "warning_case_now", "warning_late_now")
    chart = {"kind": "calendar_heat", "x": [name_of(view, kind) for kind in kinds], "y": [name for _, name in counties], "states": [word(one) for one in words],
             "tones": ["line", "brand", "warn", "bad"], "marks": ["", "", "", ""], "cells": cells} if cells else None
    return Panel("now", word("warning_now"), Sheet(columns, rows, about(view, "") | {"known_on": known_on}), chart,
                 note=word("warning_now_note") if going else word("warning_nothing_now"))


def _worst(events: Sequence[Event]) -> int:
    if not events:
        return QUIET
    return LATE if any(one.is_late for one in events) else CASES if any(one.is_named for one in events) else OTHERS


def _monday(day: str) -> date:
    found = date.fromisoformat(day)
    return found - timedelta(days=found.weekday())


def weeks_panel(view: View, events: Sequence[Event], known_on: str) -> Panel:
    """Events raised in each week of the last year: of cases, and of other sources."""
    last = _monday(known_on) if known_on else None
    weeks = [(last - timedelta(days=WEEK * back)).isoformat() for back in range(WEEKS - 1, -1, -1)] if last else []
    counts = Counter((_monday(one.raised_on).isoformat(), one.is_named) for one in events)
    columns = [Column("week", word("warning_week")), Column("cases", word("warning_case_now"), True), Column("others", word("warning_other_signals"), True)]
    rows = [[week, counts[(week, True)], counts[(week, False)]] for week in weeks]
    chart = time_columns(weeks, [(word("warning_other_signals"), [row[2] for row in rows], "soft", "none"),
                                 (word("warning_case_now"), [row[1] for row in rows], "warn", "lines")]) if rows else None
    return Panel("weeks", word("warning_weeks"), Sheet(columns, rows, about(view, "") | {"known_on": known_on}), chart, word("warning_weeks_note"))


def time_columns(x: Sequence[str], series: Sequence[tuple[str, Sequence[int], str, str]]) -> dict[str, Any]:
    """A chart of columns over time, one upon another: (name, counts, tone, pattern) each."""
    return {"kind": "time_columns", "x": list(x), "series": [{"name": name, "data": list(data), "tone": tone, "pattern": pattern}
                                                            for name, data, tone, pattern in series]}


def signals_panel(view: View, chosen: Sequence[Signal], limit: int, title: str, note: str, empty: str, name: str = "signals") -> Panel:
    """Signals one by one: what was seen, expected and the limit, who judged it, and each source's share of a combined one."""
    columns = [Column("item", word("warning_item")), Column("source", word("warning_source")), Column("county", word("county")),
               Column("township", word("warning_township")), Column("activity", word("warning_activity")), Column("raised_on", word("warning_raised_on")),
               Column("last_on", word("warning_last_on")), Column("observed", word("warning_observed"), True),
               Column("expected", word("warning_expected"), True), Column("upper", word("warning_limit"), True), Column("p", word("warning_p"), True),
               Column("shares", word("warning_shares")),
               Column("method", word("warning_method")), Column("reason", word("warning_reason")), Column("signal", word("warning_signal"))]
    rows = []
    for one in chosen[:limit]:
        is_counted = one.source != COMBINED
        rows.append([Shown(name_of(view, one.item), one.item), Shown(name_of(view, one.source), one.source), Shown(place_of(view, one.county), one.county),
                     Shown(place_of(view, one.township), one.township), Shown(word(f"warning_{one.state}"), one.state), one.raised_on, one.last_on,
                     amount(one.observed if is_counted else None), amount(one.expected), amount(one.upper) if is_counted else chance(one.upper),
                     chance(one.p), Shown(sources(view, one) or NOTHING, " ".join(f"{source} {share:.4f}" for source, share in one.sources)),
                     Shown(word(f"warning_method_{one.method}"), one.method),
                     Shown(word(f"warning_reason_{one.reason}") if one.reason else NOTHING, one.reason), Shown(one.id, one.id)])
    said = note.format(count=number(len(chosen)), shown=number(len(rows))) if rows else empty
    return Panel(name, title, Sheet(columns, rows, about(view, "")), note=said, is_open=True)


def records_panel(view: View, found: Sequence[MethodRecord]) -> Panel:
    """How often the events of each source and method were confirmed."""
    columns = [Column("source", word("warning_source")), Column("method", word("warning_method")), Column("confirmed", word("warning_confirmed"), True),
               Column("dismissed", word("warning_dismissed"), True), Column("precision", word("warning_precision"), True)]
    rows = [[Shown(name_of(view, one.source), one.source), Shown(word(f"warning_method_{one.method}"), one.method), one.confirmed, one.dismissed,
             Shown(NOTHING if one.precision is None else f"{100 * one.precision:.0f}%", one.precision)] for one in found]
    return Panel("records", word("warning_records"), Sheet(columns, rows, about(view, "")), is_open=True,
                 note=word("warning_records_note") if rows else word("warning_no_records"))
