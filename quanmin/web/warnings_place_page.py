"""Surveillance of one county: its diseases against what was expected, events, clusters, a map of its townships, and how timely its institutions report."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.gate.performing import perform
from quanmin.model import Cell
from quanmin.services.surveillance.actions import ClusterList, EventList, SignalList, TrendList
from quanmin.services.surveillance.watching import watch
from quanmin.web.case_panels import decimal, weeks_panel
from quanmin.web.cluster_panels import clusters_panel
from quanmin.web.data_pages import bars
from quanmin.web.figures import NOTHING
from quanmin.web.overview_page import about
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.warnings_panels import PATH, amount, events_panel, leads, link, name_of, place_of
from quanmin.web.words import word

router = APIRouter()
LATE, DELAY = "late_case_report_share", "onset_to_report_days"
ALL = 100_000
DRAWN = 12  # diseases and institutions of a chart
NEWEST = 20  # events that are over
DAYS = 7


def _trends(view: View, found: TrendList) -> Panel:
    """The diseases of the county: this week, four weeks, what was expected, half a year week by week."""
    used = len(found.trends[0].weeks) if found.trends else 0
    ends = [(date.fromisoformat(found.known_on) - timedelta(days=DAYS * back)).isoformat() for back in range(used - 1, -1, -1)]
    columns = [Column("item", word("warning_item")), Column("week", word("place_week"), True), Column("week_expected", word("place_expected"), True),
               Column("week_limit", word("warning_limit"), True), Column("four_weeks", word("place_four_weeks"), True),
               Column("four_weeks_expected", word("place_expected"), True), Column("ratio", word("place_ratio"), True),
               *(Column(day, day[5:], True) for day in ends)]
    rows = [[Shown(name_of(view, one.item), one.item, f"/diseases/{one.item}?place={found.place}"), one.week, amount(one.week_expected), amount(one.week_upper),
             one.four_weeks, amount(one.four_weeks_expected), decimal(one.ratio, 1), *one.weeks] for one in found.trends]
    drawn = [{"name": name_of(view, one.item), "weeks": list(one.weeks), "link": f"/diseases/{one.item}?place={found.place}",
              "expected": None if one.four_weeks_expected is None else round(one.four_weeks_expected / 4, 3),
              "text": f"{one.four_weeks} / {amount(one.four_weeks_expected).text}"} for one in found.trends[:DRAWN]]
    chart = {"kind": "sparks", "rows": drawn, "weeks": ends, "words": {"week": word("place_week_to")}} if drawn else None
    return Panel("trends", word("place_trends"), Sheet(columns, rows, about(view, "") | {"place": found.place, "known_on": found.known_on}), chart,
                 word("place_trends_note", known=found.known_on) if rows else word("disease_no_cases"))


def _by_facility(view: View, indicator: str, place: str, since: str) -> dict[str, Cell]:
    where = [f"facility_county = '{place}'", f"reported_on >= DATE '{since}'"]
    return {str(c.key["facility_code"]): c for c in view.inquiry.figures(indicator, ["facility_code"], where).cells if c.key["facility_code"] is not None}


def _timeliness(view: View, place: str, known_on: str) -> Panel:
    """The county's institutions: cards of the newest months, how many came too late, and how long after onset they came."""
    days = watch()["place"]["delay_days"]
    since = (date.fromisoformat(known_on) - timedelta(days=days - 1)).isoformat() if known_on else ""
    late, delay = (_by_facility(view, name, place, since) for name in (LATE, DELAY)) if since else ({}, {})
    names = view.facility_names()
    columns = [Column("facility", word("institution")), Column("cards", word("disease_cards"), True), Column("late", word("disease_late"), True),
               Column("share", word("disease_late_share"), True), Column("delay", word("place_delay"), True)]
    order = sorted(late, key=lambda code: (-(late[code].value or 0), -(late[code].denominator or 0), code))
    rows = [[Shown(names.get(code, code), code), int(late[code].denominator or 0), int(late[code].numerator or 0),
             Shown(NOTHING if late[code].value is None else f"{late[code].value:.1f}%", late[code].value),
             decimal(delay[code].value if code in delay else None, 1)] for code in order]
    chart = bars(word("disease_late_share"), [(row[0].text, round(float(row[3].value), 1), f"{row[2]} / {row[1]}", "") for row in rows if row[3].value][:DRAWN])
    return Panel("timeliness", word("place_timeliness"), Sheet(columns, rows, about(view, "") | {"place": place, "since": since}), chart,
                 word("place_timeliness_note", days=days) if rows else word("place_no_timeliness", days=days))


def _map(view: View, place: str, item: str, known_on: str) -> Panel:
    if not item:
        empty = Sheet([Column("week", word("disease_week"))], [], about(view, "") | {"known_on": known_on})
        return Panel("map", word("week_map"), empty, None, word("disease_no_cases"))
    return weeks_panel(view, perform(view.inquiry, "case_weeks", {"item": item, "place": place}), word("week_map_of", item=name_of(view, item)))


@router.get(f"{PATH}/place/{{place}}")
def place_page(request: Request, place: str, item: str = "") -> Response:
    """One county as its epidemiologists see it."""
    view = View.of(request)
    is_county = place in view.inquiry.units("county") and view.inquiry.sees_events(place)
    view.actor.require("small", "events", place if is_county else "?")
    if not is_county or (item and item not in view.catalog.diseases):
        raise HTTPException(404)
    trends: TrendList = perform(view.inquiry, "disease_trends", {"place": place})
    found: EventList = perform(view.inquiry, "events", {"place": place, "limit": ALL})
    known: SignalList = perform(view.inquiry, "signals", {"place": place, "limit": ALL})
    clustered: ClusterList = perform(view.inquiry, "clusters", {"place": place})
    limit = ALL if request.query_params.get("export") else NEWEST
    going = [one for one in found.events if one.activity != "closed"]
    shown = (*going, *[one for one in found.events if one.activity == "closed"][:limit])
    chosen = item or (trends.trends[0].item if trends.trends else "")
    listed = EventList(found.count, shown, found.records, found.known_on, found.snapshot)
    panels = [_trends(view, trends), events_panel(view, listed, leads(known.signals)), clusters_panel(view, clustered, False, place),
              _map(view, place, chosen, trends.known_on), _timeliness(view, place, trends.known_on)]
    tiles = [("unverified", sum(one.state == "unverified" for one in found.events), link(place=place, state="unverified")),
             ("late", sum(one.is_late for one in found.events), link(place=place, state="late")),
             ("going", len(going), link(place=place)), ("clusters", len(clustered.clusters), "#clusters"),
             ("above", sum(one.week_upper is not None and one.week > one.week_upper for one in trends.trends), "#trends")]
    return answer(request, "warnings_place.html", panels, snapshot=view.snapshot, place=place, county=place_of(view, place), known_on=trends.known_on,
                  tiles=tiles, item=chosen, items=[(one.item, name_of(view, one.item)) for one in trends.trends], board=link(place=place))
