"""A notifiable disease: its cases by week over the whole history with its signals, by day of onset with those to come, R, a map over time,
clusters, how timely its cards were, and clues to missed cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.gate.performing import perform
from quanmin.model import Cell
from quanmin.model.disease import NotifiableDisease
from quanmin.services.surveillance.actions import SignalList
from quanmin.services.surveillance.signal import Signal
from quanmin.web.case_panels import nowcast_panel, reproduction_panel, weeks_panel
from quanmin.web.cluster_panels import clusters_panel
from quanmin.web.data_pages import bars
from quanmin.web.figures import NOTHING
from quanmin.web.overview_page import about
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.warnings_panels import link, name_of, place_of, signals_panel, time_columns
from quanmin.web.words import word

router = APIRouter()
CASES, LATE, MISSED = "onset_to_report_days", "late_case_report_share", "missed_cases_per_100_reported"
ALL = 100_000
DRAWN = 15  # institutions of a chart
WEEK = timedelta(days=7)


def _weeks(first: str, last: str) -> list[str]:
    """All ISO weeks between two, as 2026-W05."""
    day, end = (date.fromisoformat(f"{week}-1") for week in (first, last))
    return [f"{one.isocalendar().year}-W{one.isocalendar().week:02}" for one in (day + WEEK * k for k in range((end - day).days // 7 + 1))]


def _signalled(signals: Sequence[Signal]) -> set[str]:
    """The ISO weeks in which a signal lies."""
    found: set[str] = set()
    for one in signals:
        ends = [date.fromisoformat(day).isocalendar() for day in (one.first_on, one.last_on)]
        first, last = (f"{end.year}-W{end.week:02}" for end in ends)
        found.update(_weeks(first, last))
    return found


def _cases(view: View, code: str, place: str, signals: Sequence[Signal]) -> Panel:
    """Cases by week of report and county of residence."""
    where = [f"disease_code = '{code}'", *view.inquiry.where(place)]
    counts = {(str(c.key["week"]), str(c.key["place"])): int(c.denominator or 0) + c.unknown
              for c in view.inquiry.figures(CASES, ["week", "place"], where).cells if c.key["week"] is not None and c.key["place"] is not None}
    known = [str(c.key["week"]) for c in view.inquiry.figures(CASES, ["week"]).cells if c.key["week"] is not None]  # of all diseases: the whole history
    weeks = _weeks(min(known), max(known)) if counts else []
    places, marked = [(one, name) for one, name in view.counties() if place in ("", one)], _signalled(signals)
    columns = [Column("week", word("disease_week")), Column("cases", word("warning_cases"), True), Column("signalled", word("disease_signalled")),
               *(Column(one, name, True) for one, name in places)]
    totals = [sum(counts.get((week, one), 0) for one, _ in places) for week in weeks]
    rows = [[week, total, Shown(word("yes" if week in marked else "no"), week in marked), *(counts.get((week, one), 0) for one, _ in places)]
            for week, total in zip(weeks, totals, strict=True)]
    parts = [(word("disease_other_weeks"), [0 if week in marked else n for week, n in zip(weeks, totals, strict=True)], "brand", "none"),
             (word("disease_signalled"), [n if week in marked else 0 for week, n in zip(weeks, totals, strict=True)], "warn", "lines")]
    return Panel("cases", word("disease_cases"), Sheet(columns, rows, about(view, "") | {"disease": code}), time_columns(weeks, parts) if rows else None,
                 note=word("disease_cases_note") if rows else word("disease_no_cases"))


def _by_facility(view: View, indicator: str, code: str, place: str) -> list[Cell]:
    """An indicator's cells of the disease by institution, those with most events first."""
    found = view.inquiry.figures(indicator, ["facility_code"], [f"disease_code = '{code}'", *view.inquiry.where(place)]).cells
    return sorted((c for c in found if c.key["facility_code"] is not None), key=lambda c: (-(c.numerator or 0), str(c.key["facility_code"])))


def _late(view: View, code: str, place: str) -> Panel:
    """Cards after the deadline, by institution."""
    names, cells = view.facility_names(), _by_facility(view, LATE, code, place)
    columns = [Column("facility", word("institution")), Column("late", word("disease_late"), True), Column("cards", word("disease_cards"), True),
               Column("share", word("disease_late_share"), True)]
    shown = [(Shown(names.get(str(c.key["facility_code"]), str(c.key["facility_code"])), c.key["facility_code"]), c) for c in cells]
    rows = [[unit, int(c.numerator or 0), int(c.denominator or 0), Shown(NOTHING if c.value is None else f"{c.value:.1f}%", c.value)] for unit, c in shown]
    chart = bars(word("disease_late_share"), [(unit.text, round(float(c.value), 1), f"{int(c.numerator or 0)} / {int(c.denominator or 0)}", "")
                                              for unit, c in shown if c.value][:DRAWN])
    return Panel("late", word("disease_timeliness"), Sheet(columns, rows, about(view, "") | {"disease": code}), chart,
                 note=word("disease_timeliness_note") if rows else word("disease_no_timeliness"), width="")


def _missed(view: View, code: str, place: str) -> Panel:
    """Clues to missed cases beside reported ones, by institution."""
    names, cells = view.facility_names(), [c for c in _by_facility(view, MISSED, code, place) if c.numerator]
    columns = [Column("facility", word("institution")), Column("clues", word("disease_clues"), True), Column("cases", word("warning_cases"), True)]
    rows = [[Shown(names.get(str(c.key["facility_code"]), str(c.key["facility_code"])), c.key["facility_code"]), int(c.numerator or 0), int(c.denominator or 0)]
            for c in cells]
    chart = bars(word("disease_clues"), [(row[0].text, row[1], str(row[1]), "") for row in rows[:DRAWN]], "")
    return Panel("missed", word("disease_missed"), Sheet(columns, rows, about(view, "") | {"disease": code}), chart,
                 note=word("disease_missed_note") if rows else word("disease_no_missed"), width="")


def _facts(view: View, one: NotifiableDisease) -> list[tuple[str, str]]:
    """What the law and the region's surveillance have the disease as."""
    unknown = word("disease_unknown")
    told = [(word("disease_class"), word(f"disease_class_{one.law_class}")), (word("disease_hours"), word("disease_hours_told", count=one.report_hours)),
            (word("disease_incubation"), unknown if one.incubation_days is None else word("disease_days_told", count=one.incubation_days)),
            (word("disease_kind"), name_of(view, one.trigger)),
            (word("disease_method"), word("disease_method_single") if one.is_single_case else word("disease_method_usual")),
            (word("disease_percentile"), unknown if one.percentile is None else f"P{one.percentile:g}"), ("ICD-10", ", ".join(one.icd10) or NOTHING)]
    if one.serial is not None:
        status = word(f"r_status_{one.serial.status}")
        told.append((word("disease_serial"), word("disease_serial_told", mean=f"{one.serial.mean:g}", deviation=f"{one.serial.deviation:g}", status=status)))
    return told + ([(word("disease_parent"), name_of(view, one.parent))] if one.parent else [])


@router.get("/diseases/{code}")
def disease_page(request: Request, code: str, place: str = "") -> Response:
    """A disease in all that is seen, or in one county."""
    view = View.of(request)
    one = view.catalog.diseases.get(code)
    view.actor.require("small", "disease", code if one else "?")
    if one is None:
        raise HTTPException(404)
    view.inquiry.where(place)
    found: SignalList = perform(view.inquiry, "signals", {"place": place, "item": code, "limit": ALL})
    told = {"item": code, "place": place}
    panels = [_cases(view, code, place, found.signals), nowcast_panel(view, perform(view.inquiry, "nowcast_cases", told)),
              reproduction_panel(view, perform(view.inquiry, "reproduction_number", told)),
              weeks_panel(view, perform(view.inquiry, "case_weeks", told), word("week_map")),
              clusters_panel(view, perform(view.inquiry, "past_clusters", told), True, place), _late(view, code, place), _missed(view, code, place),
              signals_panel(view, found.signals, ALL, word("disease_signals"), "", word("disease_no_signals"))]
    return answer(request, "disease.html", panels, snapshot=view.snapshot, code=code, name=name_of(view, code), place=place, counties=view.counties(),
                  county=place_of(view, place) if place else "", facts=_facts(view, one),
                  serial=one.serial, events=link(place=place, item=code))
