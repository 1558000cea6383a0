"""Where residents go for hospital care: the region, one county, and the stays and claims behind a number."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.catalog.messages import language
from quanmin.gate import Actor, Scope
from quanmin.gate.actor import MOST_ROWS
from quanmin.gate.flow_desk import NONE
from quanmin.gate.inquiry import CODE
from quanmin.services.flow import outflow_rule
from quanmin.web.desk import Desk
from quanmin.web.flow_county import CountyPanels
from quanmin.web.flow_panels import RegionPanels, headline, largest
from quanmin.web.flow_view import CUTS, SHOWN_MEASURES, FlowView
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View, refused
from quanmin.web.words import word

router = APIRouter()
ROWS_SHOWN = 200
CHOICES_SHOWN = 30
NO_CONDITIONS = ("what", "period", "measure", "as_of", "export", "lang")
NUMBERS = ("submission", "line", "stay_days", "relative_weight", "total_charge_cny", "fund_paid_cny", "home_share", "distance_km", "nearest_home_km")


def _is_export(request: Request) -> bool:
    return bool(request.query_params.get("export"))


def _shared(flow: FlowView) -> dict[str, Any]:
    rule = outflow_rule()
    told = [(rule.meanings[name].in_language(language()), f"{value:g}") for name, value in rule.values.items()]
    return {
        "flow": flow, "asked": flow.asked, "periods": flow.view.periods(), "snapshot": flow.view.snapshot, "measures": SHOWN_MEASURES,
        "rule": rule.sentence.in_language(language()), "parameters": told, "counties": flow.view.counties(),
    }


def warm_flow(desk: Desk, scope: Scope | None = None) -> None:
    """Work out the flow of the region (or of a scope) and of every county in it before anybody asks; nothing where there is no snapshot yet."""
    if not desk.is_serving or not desk.site.ledger.snapshots():
        return
    flow = FlowView(View(desk, Actor("", "leader", scope or Scope(), desk.site.ledger)), {})
    RegionPanels(flow, False).all()
    headline(flow)
    for code, _ in flow.view.counties():
        if not desk.is_serving:
            return
        CountyPanels(flow, code, False).all()
        headline(flow, {"home_county": code})


@router.get("/flow")
def region_page(request: Request) -> Response:
    """The region's flow: map, Sankey, matrix, outflow by kind, and what would come home."""
    flow = FlowView.of(request)
    panels = RegionPanels(flow, _is_export(request)).all()
    cut = flow.asked.cut
    choices = []
    if flow.view.actor.may("small"):  # who may not see small counts looks at places and periods alone
        known = largest(flow.table("matrix", ["home_county", cut], flow.asked.time), cut, "stays", CHOICES_SHOWN)
        choices = [(str(key).lower() if isinstance(key, bool) else str(key), flow.name(cut, key)) for key in known if key is not None]
    return answer(
        request, "flow.html", panels, cuts=CUTS, choices=choices, headline=headline(flow), subject=flow.view.subject()[1],
        only_name=flow.name(cut, flow.asked.only) if flow.asked.only else "", **_shared(flow),
    )


@router.get("/flow/county/{code}")
def county_page(request: Request, code: str) -> Response:
    """One county's flow: months, destinations, facilities, groups to regain and groups that are short."""
    if not CODE.fullmatch(code):
        raise refused("county", code)
    flow = FlowView.of(request)
    panels = CountyPanels(flow, code, _is_export(request)).all()
    return answer(
        request, "flow_county.html", panels, code=code, name=flow.view.place_names().get(code, code),
        headline=headline(flow, {"home_county": code}), **_shared(flow),
    )


@router.get("/flow/rows")
def rows_page(request: Request) -> Response:
    """The stays and claims behind a number, masked, each with its sender, file and line."""
    flow = FlowView.of(request)
    given = {name: value for name, value in request.query_params.items() if name not in NO_CONDITIONS}
    what = request.query_params.get("what", "stays")
    time = {} if {"first_month", "last_month", "year", "month"} & set(given) else flow.asked.time
    found = flow.desk.rows(what, {**time, **given}, MOST_ROWS if _is_export(request) else ROWS_SHOWN)
    names = [name for name in found.table.column_names if found.table[name].null_count < len(found.table)]
    table = flow.view.catalog.tables["outflow"].columns | flow.view.catalog.tables["hospitalisation"].columns
    columns = [Column(n, word("flow_file") if n == "file" else table[n].label.in_language(language()), n in NUMBERS) for n in names]
    spoken = {name: flow.names(name) for name in names}
    rows = [[_told(row[name], spoken[name]) for name in names] for row in found.table.to_pylist()]
    count = word("flow_rows_count", count=f"{found.count:,}", shown=f"{min(len(found.table), ROWS_SHOWN):,}")
    conditions = [(table[name].label.in_language(language()), flow.name(name, None if value == NONE else value))
                  for name, value in given.items() if name in table]
    panel = Panel("rows", word("flow_rows"), Sheet(columns, rows, flow.about(**given)), None, f"{word('rows_note')} {count}")
    return answer(request, "flow_rows.html", [panel], conditions=conditions, back=flow.county_link(given.get("home_county")) or flow.link("/flow"),
                  count=found.count, **_shared(flow))


def _told(value: Any, names: dict[str, str]) -> Any:
    """A value of a row with the name of its code."""
    key = str(value).lower() if isinstance(value, bool) else str(value)
    if value is None or key not in names:
        return value if value is None or (isinstance(value, int | float) and not isinstance(value, bool)) else Shown(str(value), value)
    return Shown(names[key] if len(names) < 64 or key.isdigit() else f"{key} {names[key]}", value)
