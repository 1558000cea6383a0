"""Panels of clusters in space and time: where, when, how much more than expected, and the events they overlap."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from quanmin.services.surveillance.actions import ClusterList
from quanmin.services.surveillance.clustering import Cluster
from quanmin.services.surveillance.townships import COUNTY_DIGITS
from quanmin.web import maps
from quanmin.web.case_panels import decimal, place_map
from quanmin.web.figures import number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.warnings_panels import PATH, amount, chance, name_of, place_of
from quanmin.web.words import word

NAMED = 4  # townships told by name in a table


def _places(view: View, one: Cluster) -> Shown:
    names = [place_of(view, place.place) for place in one.places]
    more = word("cluster_more_places", count=len(names) - NAMED) if len(names) > NAMED else ""
    cut = word("cluster_cut") if one.is_cut else ""
    return Shown(" · ".join(names[:NAMED]) + more + cut, " ".join(place.place for place in one.places))


def clusters_panel(view: View, found: ClusterList, is_past: bool, place: str = "") -> Panel:
    """Clusters that go on now, or those of a disease within the year, with a map."""
    columns = [Column("item", word("warning_item")), Column("county", word("county")), Column("places", word("cluster_places")),
               Column("first_on", word("warning_first_on")), Column("last_on", word("cluster_last_on")), Column("observed", word("cluster_observed"), True),
               Column("expected", word("warning_expected"), True), Column("relative_risk", word("cluster_risk"), True), Column("p", word("warning_p"), True),
               Column("q", word("cluster_q"), True), Column("activity", word("warning_activity")), Column("events", word("warning_event"))]
    rows = [[Shown(name_of(view, one.item), one.item, f"/diseases/{one.item}"),
             Shown(" · ".join(place_of(view, code) for code in one.counties), " ".join(one.counties)), _places(view, one), one.first_on, one.last_on,
             one.observed, amount(one.expected), decimal(one.relative_risk, 1), chance(one.p), chance(one.q),
             Shown(word("warning_ongoing" if one.is_going_on else "warning_closed"), one.is_going_on), _events(one)] for one in found.clusters]
    kind = "past" if is_past else "now"
    told = {"count": number(len(rows)), "diseases": found.diseases, "places": found.places, "known": found.known_on, "q": f"{100 * found.q:g}%"}
    note = word(f"cluster_{kind}_note" if rows else f"cluster_{kind}_none", **told)
    note += word("cluster_unplaced", count=number(found.unplaced)) if found.unplaced else ""
    sheet = Sheet(columns, rows, about(view, "") | {"known_on": found.known_on})
    return Panel("clusters", word(f"cluster_{kind}"), sheet, _map(view, found, place), note, is_open=True)


def _events(one: Cluster) -> Shown:
    return Shown(one.events[0] if one.events else "–", " ".join(one.events), f"{PATH}/{one.events[0]}" if one.events else "")


def _map(view: View, found: ClusterList, place: str) -> dict[str, Any] | None:
    """The places of the clusters over the counties, with the cases of all clusters they belong to."""
    cases: dict[str, int] = defaultdict(int)
    expected: dict[str, float] = defaultdict(float)
    points: dict[str, list[float]] = {}
    for one in found.clusters:
        for spot in one.places:
            cases[spot.place] += spot.cases
            expected[spot.place] += spot.expected
            points[spot.place] = [spot.longitude, spot.latitude]
    if not points:
        return None
    shapes = {code: shape for code, shape in maps.outlines(view).items() if place in ("", code)}
    spots = [{"name": place_of(view, code), "at": at, "cases": [cases[code]], "rates": [round(cases[code] / expected[code], 1) if expected[code] else None],
              "link": f"{PATH}/place/{code[:COUNTY_DIGITS]}"} for code, at in points.items() if cases[code]]
    return place_map(shapes, spots, [found.known_on], [sum(cases.values())], word("cluster_ratio"))
