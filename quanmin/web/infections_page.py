"""Hospital infection: clusters by ward and organism, cases by month, device-associated rates, and the rows of one cluster."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.gate import NotAllowed
from quanmin.gate.performing import perform
from quanmin.model import Refusal
from quanmin.services.infection.actions import RATES, YEAR, Clusters, DeviceRates, InfectionCluster
from quanmin.web.infections_panels import PATH, clusters_panel, link, organisms, rate_funnel, rates_panel, timeline_panel, ward_name
from quanmin.web.panels import answer
from quanmin.web.row_sheet import row_sheet
from quanmin.web.sheets import Panel
from quanmin.web.view import View, asked_period, refused
from quanmin.web.words import word

router = APIRouter()
ROWS = "resistant_infection_share"  # its denominator: infections with an organism found
CLUSTER = re.compile("[0-9a-f]{32}")
MOST_ROWS = 1_000


def _funnel(view: View, found: DeviceRates) -> list[Panel]:
    """The funnel of all institutions; nothing where too few can be drawn."""
    try:
        plot = perform(view.inquiry, "funnel", {"indicator": found.indicator, "period": found.period})
    except NotAllowed:
        raise
    except Refusal:
        return []
    return [rate_funnel(view, found, plot)] if plot.units else []


def _made(view: View, place: str, facility: str, device: str, period: str) -> dict[str, Any]:
    found: Clusters = perform(view.inquiry, "infection_clusters", {"place": place, "facility": facility})
    rates: DeviceRates = perform(view.inquiry, "device_rates", {"device": device, "place": place, "facility": facility, "period": period})
    panels = [clusters_panel(view, found), timeline_panel(view, found), rates_panel(view, rates, facility)]
    if not (facility or place):
        panels += _funnel(view, rates)
    total = rates.total
    tiles = [(word("infection_clusters"), str(len(found.clusters))), (word("infection_cases"), str(sum(one.cases for one in found.months))),
             (word("infection_rate"), "–" if total is None else f"{total.rate:.2f}‰"),
             (word("infection_use"), "–" if total is None or total.use is None else f"{total.use:.1f}%")]
    return {"panels": panels, "tiles": tiles}


def _rows(view: View, cluster: InfectionCluster, limit: int) -> Panel:
    """The cases of a cluster; a ward is named by its hospital, so a quotation mark in it is doubled."""
    told = {"facility_code": cluster.facility, "ward": cluster.ward, "organism_code": cluster.organism}
    where = ["{} = '{}'".format(name, value.replace("'", "''")) for name, value in told.items()]
    where += [f"onset_on >= DATE '{cluster.first_on}'", f"onset_on <= DATE '{cluster.last_on}'"]
    question = view.catalog.indicators[ROWS]
    rows = view.actor.rows(view.indicators, ROWS, "denominator", where, limit)
    return Panel("rows", word("infection_rows"), row_sheet(view, question, rows, {"cluster": cluster.id, "snapshot": view.snapshot.id}), is_open=True)


@router.get(PATH)
def infections_page(request: Request, period: str = "", place: str = "", facility: str = "", device: str = "", cluster: str = "") -> Response:
    """Hospital infection of all that is seen, a county or an institution; with `cluster`, the cases of one."""
    view = View.of(request)
    view.actor.require("small", "figures", "infections")
    view.inquiry.where(place, facility)
    if device and device not in RATES:
        raise refused("device", device)
    which, chosen = device or "ventilator", period if asked_period(period) in view.periods() else view.period("")[:YEAR]
    found = view.remembered(("infections", place, facility, which, chosen, view.actor.may("rows")), lambda: _made(view, place, facility, which, chosen))
    panels, one = found["panels"], None
    if cluster:
        seen: Clusters = perform(view.inquiry, "infection_clusters", {})
        one = next((known for known in seen.clusters if known.id == cluster), None) if CLUSTER.fullmatch(cluster) else None
        if one is None:
            raise HTTPException(404)
        panels = [_rows(view, one, MOST_ROWS)] if view.actor.may("rows") else []
    return answer(request, "infections.html", panels, snapshot=view.snapshot, period=chosen, periods=view.periods(), place=place, counties=view.counties(),
                  facility=facility, facility_name=view.facility_names().get(facility, facility), tiles=found["tiles"], device=which, devices=list(RATES),
                  one=one, organism=organisms(view).get(one.organism, one.organism) if one else "", all_of_it=link(period=chosen),
                  ward=ward_name(view, one.ward, one.department) if one else "", where=view.facility_names().get(one.facility, one.facility) if one else "")
