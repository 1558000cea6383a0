"""Flow as JSON, through the same door and scope as the pages: measures by groups, one county, and the rule behind the kinds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request

from quanmin.catalog.messages import say
from quanmin.gate.flow_desk import FlowDesk, flat, flat_gain, rule_told
from quanmin.model import Problem, Refusal
from quanmin.services.flow import WHATS, CountyFlow, FlowTable

router = APIRouter()
NO_CONDITIONS = ("by", "as_of", "lang", "from", "to")
MOST_SHOWN = 1000


def _desk(request: Request) -> FlowDesk:
    as_of = request.query_params.get("as_of", "")
    if as_of and not (as_of.isascii() and as_of.isdigit() and len(as_of) < 10):
        raise Refusal(Problem("flow", None, "as_of", as_of[:40], say("bad_value"), "1"))
    desk = request.app.state.desk
    actor = desk.actor(request)
    return FlowDesk(actor, desk.indicators(actor.scope, int(as_of) if as_of else None), desk.site.flow)


def _number(row: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _table(found: FlowTable) -> dict[str, Any]:
    return {"by": list(found.by), "where": dict(found.where), "snapshot": found.snapshot, "cells": [_number(flat(cell)) for cell in found.cells]}


def county_told(found: CountyFlow) -> dict[str, Any]:
    """A county's flow as plain values."""
    tables = {name: [_number(flat(cell)) for cell in getattr(found, name).cells] for name in ("places", "kinds", "destinations", "facilities")}
    groups = {name: [_number(flat_gain(gain)) for gain in getattr(found, name)] for name in ("groups", "short", "treated")}
    return {"county": found.county, "first_month": found.first_month, "last_month": found.last_month, "months": found.months, **tables, **groups}


@router.get("/flow/county/{code}")
def county(request: Request, code: str, most: int = 20) -> dict[str, Any]:
    """One county's flow between two months (`from`, `to`), both counted."""
    desk, asked = _desk(request), request.query_params
    found = desk.county(code, asked.get("from", ""), asked.get("to", ""), max(1, min(most, MOST_SHOWN)))
    return {"snapshot": desk.snapshot, "where": dict(found.kinds.where), "rule": rule_told(), **county_told(found)}


@router.get("/flow/{what}")
def flow(request: Request, what: str, by: str = "") -> dict[str, Any]:
    """Measures by groups: what = matrix, split, siphon or regain; `by` = dimensions; every other parameter is a condition, as home_county=330105."""
    if what not in WHATS:
        raise Refusal(Problem("flow", None, "what", what[:40], say("bad_value"), say("choose_from", choices=", ".join((*WHATS, "county")))))
    where = {name: value for name, value in request.query_params.items() if name not in NO_CONDITIONS}
    desk = _desk(request)
    found = desk.table(what, [name for name in by.split(",") if name], where)
    return {"what": what, **_table(found), "rule": rule_told()}
