"""The panels of one event: what explains it, its curve, townships, signals, acts, contacts with their chains, and its line list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from quanmin.gate.performing import perform
from quanmin.model.event import Contact
from quanmin.services.surveillance.actions import ClusterList, EventView
from quanmin.services.surveillance.events import Event
from quanmin.services.surveillance.signal import COMBINED, Signal
from quanmin.web.case_panels import attack_panels, nowcast_panel, weeks_panel
from quanmin.web.cluster_panels import clusters_panel
from quanmin.web.data_pages import bars
from quanmin.web.overview_page import about
from quanmin.web.row_sheet import row_sheet
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.warnings_panels import amount, chance, name_of, place_of, signals_panel, sources, time_columns
from quanmin.web.words import word

ROWS = "onset_to_report_days"  # its denominator: cases, one for each resident and disease
MOST_ROWS = 1_000
TOWNS = 20
EXPLAINED = 6  # signals of an event told in sentences


def told(view: View, one: Signal) -> str:
    """Why a signal was raised, in a sentence: what was seen and expected, the limit, the method and its baseline, and why not the usual method."""
    names = {"county": place_of(view, one.county), "item": name_of(view, one.item), "day": one.peak_on, "p": chance(one.p).text}
    if one.source == COMBINED:
        return word("warning_told_combined", **names, upper=chance(one.upper).text, shares=sources(view, one))
    baseline = word("warning_baseline", first=one.baseline_from, last=one.baseline_to, size=one.baseline_periods) if one.baseline_from else None
    told = names | {"observed": amount(one.observed).text, "expected": amount(one.expected).text, "upper": amount(one.upper).text,
                    "method": word(f"warning_method_{one.method}"), "baseline": baseline or word("warning_no_baseline")}
    said = word("warning_told_case", **told) if one.source == "case" else word("warning_told_day", **told, source=name_of(view, one.source))
    return said + (word("warning_because", reason=word(f"warning_reason_{one.reason}")) if one.reason else "")


def curve_panel(view: View, found: EventView) -> Panel:
    """Cases by day of report from weeks before to weeks after the event."""
    one = found.event
    marked = [one.first_on <= day.day <= one.last_on for day in found.curve]
    columns = [Column("day", word("warning_day")), Column("cases", word("warning_cases"), True), Column("in_event", word("warning_in_event"))]
    rows = [[day.day, day.cases, Shown(word("yes" if is_in else "no"), is_in)] for day, is_in in zip(found.curve, marked, strict=True)]
    inside = [day.cases if is_in else 0 for day, is_in in zip(found.curve, marked, strict=True)]
    outside = [0 if is_in else day.cases for day, is_in in zip(found.curve, marked, strict=True)]
    parts = [(word("warning_before_after"), outside, "soft", "none"), (word("warning_in_event"), inside, "warn", "lines")]
    chart = time_columns([day.day for day in found.curve], parts)
    return Panel("curve", word("warning_curve"), Sheet(columns, rows, _about(view, one)), chart if any(day.cases for day in found.curve) else None,
                 word("warning_curve_note") if one.is_named else word("warning_no_cases"), width="")


def towns_panel(view: View, found: EventView) -> Panel:
    """Cases during the event by township of residence."""
    columns = [Column("township", word("warning_town")), Column("cases", word("warning_cases"), True)]
    rows = [[Shown(place_of(view, code), code), cases] for code, cases in found.townships]
    chart = bars(word("warning_towns"), [(place_of(view, code), cases, str(cases), "") for code, cases in found.townships[:TOWNS]], "")
    return Panel("townships", word("warning_towns"), Sheet(columns, rows, _about(view, found.event)), chart, width="")


def case_panels(view: View, one: Event) -> list[Panel]:
    """The map over the weeks; of a named disease also cases by day of onset with those to come, attack rates, and clusters that overlap the event."""
    of = {"event": one.id}
    over_time = weeks_panel(view, perform(view.inquiry, "case_weeks", of), word("week_map"))
    if not one.is_named:
        return [over_time]
    past: ClusterList = perform(view.inquiry, "past_clusters", {"item": one.item, "place": one.county})
    mine = replace(past, clusters=tuple(found for found in past.clusters if one.id in found.events))
    return [over_time, nowcast_panel(view, perform(view.inquiry, "nowcast_cases", of)), *attack_panels(view, perform(view.inquiry, "attack_rates", of)),
            *([clusters_panel(view, mine, True, one.county)] if mine.clusters else [])]


def event_signals_panel(view: View, found: EventView) -> Panel:
    """The signals that are the event."""
    return signals_panel(view, found.signals, len(found.signals), word("warning_signals"), "", "")


def acts_panel(view: View, found: EventView) -> Panel:
    """What was done about the event, in order."""
    columns = [Column("step", word("warning_step"), True), Column("act", word("warning_act")), Column("text", word("warning_text")),
               Column("by", word("warning_by")), Column("at", word("warning_at"))]
    rows = [[one.step, Shown(word(f"warning_act_{one.act}"), one.act), one.text, one.by, one.at[:16].replace("T", " ")] for one in found.acts]
    return Panel("acts", word("warning_acts"), Sheet(columns, rows, _about(view, found.event)), note="" if rows else word("warning_no_acts"), is_open=True)


def chains(contacts: Sequence[Contact]) -> Mapping[int, str]:
    """Contact number → the cards from the first known case down to the contact's own, with arrows between; a circle ends where it closes."""
    before = {one.found_card: one.card for one in contacts if one.found_card}
    found = {}
    for one in contacts:
        cards = [one.found_card or f"#{one.number}", one.card]
        while (above := before.get(cards[-1])) and above not in cards:
            cards.append(above)
        found[one.number] = " → ".join(reversed(cards))
    return found


def contacts_panel(view: View, event: Event, contacts: Sequence[Contact]) -> Panel:
    """Contacts of the cases, the chain that leads to each, and until when they are followed."""
    chain = chains(contacts)
    columns = [Column("contact", word("warning_contact"), True), Column("name", word("warning_name")), Column("phone", word("warning_phone")),
               Column("relation", word("warning_relation")), Column("card", word("warning_card")), Column("met_on", word("warning_met_on")),
               Column("until", word("warning_until")), Column("found_card", word("warning_found_card")), Column("chain", word("warning_chain")),
               Column("by", word("warning_by"))]
    rows = [[one.number, one.name, one.phone, one.relation, one.card, one.met_on, one.until, one.found_card, chain[one.number], one.by] for one in contacts]
    return Panel("contacts", word("warning_contacts"), Sheet(columns, rows, _about(view, event)), is_open=True,
                 note=word("warning_contacts_note") if rows else word("warning_no_contacts"))


def rows_panel(view: View, one: Event) -> Panel:
    """The cases reported during an event, one by one, masked by role and audited."""
    of = "disease_code" if one.is_named else "trigger_code"
    where = [f"{of} = '{one.item}'", f"home_county = '{one.county}'", f"reported_on >= DATE '{one.first_on}'", f"reported_on <= DATE '{one.last_on}'",
             "classification_code <> 'carrier'"]
    rows = view.actor.rows(view.indicators, ROWS, "denominator", where, MOST_ROWS)
    sheet = row_sheet(view, view.catalog.indicators[ROWS], rows, _about(view, one))
    return Panel("rows", word("warning_rows"), sheet, note=word("warning_rows_note") if sheet.rows else word("warning_no_cases"), is_open=True)


def _about(view: View, one: Event) -> dict[str, object]:
    return about(view, "") | {"event": one.id, "item": one.item, "county": one.county}
