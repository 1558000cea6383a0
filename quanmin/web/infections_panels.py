"""The panels of hospital infection: clusters, cases by month, device-associated rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.services.infection.actions import Clusters, DeviceRate, DeviceRates, InfectionCluster
from quanmin.services.variation.actions import FunnelPlot
from quanmin.web.data_pages import bars
from quanmin.web.figures import NOTHING
from quanmin.web.indicator_panels import funnel_panel
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

PATH = "/infections"
MOST_LINES = 25  # of the timeline: those in clusters first, then those with most cases
DRAWN = 15
MANY, SOME = 4, 2  # cases of a month
STATES = ("infection_one", "infection_some", "infection_many", "infection_in_cluster")


def link(**told: str) -> str:
    """The address of the page."""
    chosen = {name: value for name, value in told.items() if value}
    return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def organisms(view: View) -> Mapping[str, str]:
    """Code → name of the organisms."""
    return {code: label.in_language(language()) for code, label in view.catalog.codes["infection_organism"].codes.items()}


def ward_name(view: View, ward: str, department: str) -> str:
    """A ward as its hospital calls it; in English its department, since hospitals name their wards in Chinese."""
    known = view.catalog.codes["department"].codes.get(department)
    return known.en if language() == "en" and known is not None else ward


def clusters_panel(view: View, found: Clusters) -> Panel:
    """The clusters, the last detected first."""
    names, of = view.facility_names(), organisms(view)
    columns = [Column("cluster", word("infection_cluster")), Column("facility", word("institution")), Column("ward", word("infection_ward")),
               Column("organism", word("infection_organism")), Column("cases", word("infection_cases"), True),
               Column("expected", word("infection_expected"), True), Column("resistant", word("infection_resistant"), True),
               Column("first_on", word("infection_first_on")), Column("detected_on", word("infection_detected_on")),
               Column("known_on", word("infection_known_on")),
               Column("last_on", word("infection_last_on")), Column("p", "p", True)]
    rows = [[Shown(one.id[:8], one.id, link(cluster=one.id) if view.actor.may("rows") else ""), Shown(names.get(one.facility, one.facility), one.facility,
                                                                                                      link(facility=one.facility)),
             Shown(ward_name(view, one.ward, one.department), one.ward), Shown(of.get(one.organism, one.organism), one.organism), one.cases,
             Shown(f"{one.expected:.2f}", one.expected), one.resistant,
             one.first_on, one.detected_on, one.known_on, one.last_on, Shown(f"{one.p:.1e}", one.p)] for one in found.clusters]
    return Panel("clusters", word("infection_clusters"), Sheet(columns, rows, about(view, "")), note=word("infection_clusters_note"), is_open=True)


def _in_cluster(one: InfectionCluster, month: str) -> bool:
    return one.first_on[:7] <= month <= one.last_on[:7]


def timeline_panel(view: View, found: Clusters) -> Panel:
    """Cases by month of each organism in each ward."""
    names, of = view.facility_names(), organisms(view)
    totals: Counter[tuple[str, str, str]] = Counter()
    for one in found.months:
        totals[(one.facility, one.ward, one.organism)] += one.cases
    marked = {(one.facility, one.ward, one.organism): one for one in found.clusters}
    order = sorted(totals, key=lambda key: (key not in marked, -totals[key], key))
    months, wards = sorted({one.month for one in found.months}), {(m.facility, m.ward): ward_name(view, m.ward, m.department) for m in found.months}
    cases = {(one.facility, one.ward, one.organism, one.month): one.cases for one in found.months}
    columns = [Column("facility", word("institution")), Column("ward", word("infection_ward")), Column("organism", word("infection_organism")),
               *(Column(month, month, True) for month in months)]
    rows: list[list[Any]] = [[Shown(names.get(unit, unit), unit), Shown(wards[(unit, ward)], ward), Shown(of.get(organism, organism), organism),
                              *(cases.get((unit, ward, organism, month), 0) for month in months)] for unit, ward, organism in order]
    drawn = order[:MOST_LINES]
    cells = []
    for y, key in enumerate(drawn):
        for x, month in enumerate(months):
            count = cases.get((*key, month), 0)
            if count:
                is_in = any((one.facility, one.ward, one.organism) == key and _in_cluster(one, month) for one in found.clusters)
                state = 3 if is_in else 2 if count >= MANY else 1 if count >= SOME else 0
                cells.append([x, y, state, str(count), word("infection_cases_told", count=count), ""])
    lines = [f"{of.get(organism, organism)} · {wards[(unit, ward)]} · {names.get(unit, unit)}" for unit, ward, organism in drawn]
    chart = {"kind": "calendar_heat", "x": months, "y": lines, "states": [word(state) for state in STATES], "tones": ["soft", "brand", "warn", "bad"],
             "marks": ["", "", "", ""], "cells": cells} if cells else None
    return Panel("timeline", word("infection_timeline"), Sheet(columns, rows, about(view, "")), chart, word("infection_timeline_note", count=MOST_LINES))


def _figures(one: DeviceRate) -> list[Any]:
    use = Shown(NOTHING if one.use is None else f"{one.use:.1f}%", one.use)
    return [one.infections, one.device_days, *(Shown(f"{value:.2f}", value) for value in (one.rate, one.low, one.high)), use]


def rates_panel(view: View, found: DeviceRates, facility: str) -> Panel:
    """Rates of a device by institution, or by ward of one."""
    names = view.facility_names()

    def unit(one: DeviceRate) -> Shown:
        if facility:
            return Shown(ward_name(view, one.ward, one.department), one.ward)
        return Shown(names.get(one.facility, one.facility), one.facility, link(facility=one.facility, period=found.period))

    columns = [Column("ward" if facility else "facility", word("infection_ward") if facility else word("institution")),
               Column("infections", word("infection_cases"), True), Column("device_days", word("infection_device_days"), True),
               Column("rate", word("infection_rate"), True), Column("low", word("interval_low"), True), Column("high", word("interval_high"), True),
               Column("use", word("infection_use"), True)]
    rows = [[unit(one), *_figures(one)] for one in found.units]
    if found.total is not None:
        rows.append([Shown(word("infection_all"), ""), *_figures(found.total)])
    shown = [one for one in found.units if one.infections]
    chart = bars(word("infection_rate"), [(unit(one).text, round(one.rate, 2), f"{one.infections} / {one.device_days:,}", unit(one).href)
                                          for one in shown[:DRAWN]], "‰")
    sheet = Sheet(columns, rows, about(view, found.period) | {"device": found.device})
    return Panel("rates", word("infection_rates"), sheet, chart, word("infection_rates_note"))


def rate_funnel(view: View, found: DeviceRates, plot: FunnelPlot) -> Panel:
    """The institutions' rates as a funnel with exact limits."""
    return funnel_panel(view, view.catalog.indicators[found.indicator], plot)
