"""One indicator: its months, counties, institutions, why it changed, breakdowns and definition; the rows behind it; its figures as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.gate.actor import MOST_ROWS
from quanmin.model import Indicator, Refusal
from quanmin.services.change.actions import change, dimensions_of
from quanmin.services.progress.actions import progress
from quanmin.services.ranking.actions import ranking
from quanmin.services.variation.actions import deciles, funnel, variation
from quanmin.web.change_panels import bridge_panel, causes_panel, groups_panel
from quanmin.web.definition_panels import history_panel
from quanmin.web.figures import figure
from quanmin.web.indicator_panels import (
    about,
    breakdown_panel,
    counties_panel,
    deciles_panel,
    funnel_panel,
    name_of,
    progress_panel,
    ranks_panel,
    xmr_panel,
    years_panel,
)
from quanmin.web.panels import answer, as_file
from quanmin.web.row_sheet import row_sheet
from quanmin.web.sheets import Column, Panel, Sheet
from quanmin.web.view import View, asked_period, asked_place, refused
from quanmin.web.words import word

router = APIRouter()
ROWS_SHOWN = 200
PLAIN_DIMENSIONS = ("month", "year", "home_county", "facility_county", "county_code", "county")  # shown by period and by county anyway
CELL = ("numerator", "denominator", "unknown", "value", "low", "high", "suppressed")
VIEWS = ("trend", "institutions", "change", "breakdown", "definition")
COUNTED = ("share", "rate", "mean")


def known(view: View, name: str) -> Indicator:
    """The indicator of an address."""
    found = view.catalog.indicators.get(name)
    if found is None:
        raise HTTPException(404)
    return found


def _views(view: View, one: Indicator) -> list[str]:
    """The views that make sense for an indicator and the role."""
    if not one.is_executable:
        return ["definition"]
    has = {"institutions": "facility_code" in one.by, "breakdown": bool(dimensions(one)),
           "change": view.actor.may("small") and one.kind in COUNTED and view.inquiry.has_months(one.id) and bool(dimensions_of(one, ""))}
    return [name for name in VIEWS if has.get(name, True)]


def dimensions(one: Indicator) -> list[str]:
    """What an indicator can be broken down by."""
    return [d for d in dict.fromkeys(one.by) if d not in PLAIN_DIMENSIONS]


@router.get("/indicator/{name}")
def indicator_page(request: Request, name: str, period: str = "", place: str = "", look: Annotated[str, Query(alias="view")] = "", by: str = "",
                   before: str = "", after: str = "", peers: str = "", of: str = "") -> Response:
    """One indicator in one of its views (`view` in the address)."""
    view = View.of(request)
    one = known(view, name)
    view.actor.require("figures", "figures", name)
    asked_place(place)
    names = dict(view.counties())
    if place and place not in names:
        raise refused("place", place)
    views = _views(view, one)
    asked = look or views[0]
    if asked not in VIEWS:
        raise HTTPException(404)
    current = asked if asked in views else views[0]
    chosen = view.period(period)
    cut = by if by in dimensions(one) else ""
    told = {"breakdown": {"by": cut}, "change": {"before": before, "after": after}, "institutions": {"peers": peers, "of": of}}.get(current, {})
    key = (one.id, one.version, chosen, place, current, tuple(told.values()), view.inquiry.set_targets.version, view.actor.role)  # links differ by role
    made = view.remembered(key, lambda: MADE[current](view, one, chosen, place, told))
    return answer(
        request, "indicator.html", [panel for panel in made["panels"] if panel is not None], one=one, views=views,
        current=current, periods=view.periods(), period=chosen, shown_period=view.shown_period(one, chosen) if one.is_executable else "", place=place,
        counties=view.counties(), snapshot=view.snapshot, subject=names.get(place) or view.subject()[1], labels=view.column_labels(one), title=name_of(one),
        tables={table: view.catalog.tables[table].label for table in view.indicators.tables_of(one)}, others=view.catalog.indicators,
        may_rows=view.actor.may("rows"), may_targets=view.actor.may("targets"),
        **{key: value for key, value in made.items() if key != "panels"})


def _tried(make: Callable[[], Panel | None], reasons: list[str]) -> Panel | None:
    """A panel, or the reason there is none."""
    try:
        return make()
    except Refusal as refusal:
        reasons += [f"{p.rule} · {p.mend}" for p in refusal.problems]
        return None


def _headline(view: View, one: Indicator, period: str, place: str) -> dict[str, Any]:
    targets, year = view.targets(one.id), period[:4]
    aim = targets.get((place or view.subject()[0], year), targets.get((view.subject()[0], year)))
    cells = view.placed_cells(one, [], period, place)
    total = figure(one, cells[-1] if cells else None, aim, view.indicators.suppress_below)
    return {"total": total, "target": aim}


def _trend(view: View, one: Indicator, period: str, place: str, told: dict[str, str]) -> dict[str, Any]:
    head, reasons = _headline(view, one, period, place), []  # type: dict[str, Any], list[str]
    inquiry = view.inquiry
    if inquiry.has_months(one.id):
        trend = _tried(lambda: xmr_panel(view, one, variation(inquiry, one.id, place), inquiry.series(one.id, place), place), reasons)
    else:
        trend = years_panel(view, one, head["target"]) if not place else None
    way = _tried(lambda: progress_panel(view, one, progress(inquiry, one.id, place, int(period[:4] or 0))), []) if head["target"] is not None else None
    ranks = _tried(lambda: ranks_panel(view, one, ranking(inquiry, one.id, period), place), [])
    return head | {"panels": [trend, way, counties_panel(view, one, period, head["target"]), ranks], "reasons": reasons}


def _institutions(view: View, one: Indicator, period: str, place: str, told: dict[str, str]) -> dict[str, Any]:
    reasons: list[str] = []
    inquiry, of = view.inquiry, told["of"]
    names = view.facility_names()
    if of and of not in names:
        raise refused("of", of)
    peers = told["peers"] or "all"
    panels = [
        _tried(lambda: funnel_panel(view, one, funnel(inquiry, one.id, period)), reasons) if one.kind in ("share", "rate") else None,
        _tried(lambda: ranks_panel(view, one, ranking(inquiry, one.id, period, "facility", peers, of), of), reasons),
        _tried(lambda: deciles_panel(view, one, deciles(inquiry, one.id, "facility", of), names.get(of, of)), reasons) if inquiry.has_months(one.id) else None]
    return {"panels": panels, "reasons": reasons, "facilities": sorted(names.items(), key=lambda pair: pair[1]), "of": of, "peers": peers}


def default_periods(view: View, period: str) -> tuple[str, str]:
    """The twelve months up to a period (or a year, as far as it has come) and the same months a year before."""
    months = [m for m in view.inquiry.months() if m <= (period if len(period) == 7 else f"{period}-12")]
    last = months[-1] if months else ""
    if not last:
        return "", ""
    first = f"{last[:4]}-01"
    before = (f"{int(m[:4]) - 1}{m[4:]}" for m in (first, last))
    return "..".join(before), f"{first}..{last}"


def _change(view: View, one: Indicator, period: str, place: str, told: dict[str, str]) -> dict[str, Any]:
    reasons: list[str] = []
    usual = default_periods(view, period)
    before, after = told["before"] or usual[0], told["after"] or usual[1]
    panels: list[Panel | None] = []
    try:
        found = change(view.inquiry, one.id, before, after, place)
        panels = [bridge_panel(view, one, found), causes_panel(view, one, found), groups_panel(view, one, found)]
    except Refusal as refusal:
        reasons += [f"{p.value} {p.rule} · {p.mend}" for p in refusal.problems]
    return {"panels": panels, "reasons": reasons, "before": before, "after": after}


def _breakdown(view: View, one: Indicator, period: str, place: str, told: dict[str, str]) -> dict[str, Any]:
    cut = told["by"] or dimensions(one)[0]
    label = view.column_labels(one).get(cut, cut)
    return {"panels": [breakdown_panel(view, one, cut, label, period, place)], "by": cut, "dimensions": dimensions(one), "reasons": []}


def _definition(view: View, one: Indicator, period: str, place: str, told: dict[str, str]) -> dict[str, Any]:
    return {"panels": [history_panel(view, one)], "reasons": []}


MADE = {"trend": _trend, "institutions": _institutions, "change": _change, "breakdown": _breakdown, "definition": _definition}


@router.get("/indicator/{name}/rows")
def rows_page(request: Request, name: str, period: str = "", place: str = "", facility: str = "", which: str = "denominator") -> Response:
    """The rows behind a figure, masked, each with the sender, file and line it came from; as a file, up to a hundred thousand of them."""
    view = View.of(request)
    one = known(view, name)
    where = view.where(one, asked_period(period)) + asked_place(place) + view.inquiry.where("", facility)
    limit = MOST_ROWS if request.query_params.get("export") else ROWS_SHOWN
    table = view.actor.rows(view.indicators, name, which, where, limit)
    sheet = row_sheet(view, one, table, about(view, one, period=view.shown_period(one, period), place=place, which=which))
    shown_place = view.place_names().get(place, place) or view.facility_names().get(facility, facility)
    return answer(
        request, "rows.html", [Panel("rows", word("rows"), sheet)], one=one, which=which, period=period, place=place, facility=facility, count=ROWS_SHOWN,
        shown_period=view.shown_period(one, period), place_name=shown_place, snapshot=view.snapshot,
        tabs=("denominator", "numerator", "unknown") if one.kind == "share" else ("denominator", "unknown"))


@router.get("/indicator/{name}/figures.{form}")
def figures_file(request: Request, name: str, form: str, period: str = "", by: str = "place") -> Response:
    """The figures of an indicator by any dimensions as csv, xlsx or json, each line with its period, snapshot and definition."""
    view = View.of(request)
    one = known(view, name)
    if form not in ("csv", "json", "xlsx"):
        raise HTTPException(404)
    found = view.actor.figures(view.indicators, name, [d for d in by.split(",") if d], view.where(one, asked_period(period)))
    columns = [*(Column(d, d) for d in found.by), *(Column(c, c, True) for c in CELL)]
    rows = [[*cell.key.values(), *(getattr(cell, c) for c in CELL)] for cell in found.cells]
    told = {"period": view.shown_period(one, period), "snapshot": found.snapshot, "definition": found.definition}
    return as_file(Panel(name, name_of(one), Sheet(columns, rows, told)), form)
