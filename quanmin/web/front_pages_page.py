"""Quality of discharge front pages: institutions and coders by score, the errors that cost most, and those that move a case's group."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.gate.performing import perform
from quanmin.services.front_pages.actions import YEAR, FrontPages
from quanmin.web.front_pages_panels import PATH, coders_panel, errors_panel, facilities_panel, group_panel, link, months_panel, text
from quanmin.web.panels import answer
from quanmin.web.view import View, asked_period
from quanmin.web.words import word

router = APIRouter()


def _made(view: View, place: str, facility: str, period: str) -> dict[str, Any]:
    found: FrontPages = perform(view.inquiry, "front_pages", {"place": place, "facility": facility, "period": period})
    panels = [] if facility else [facilities_panel(view, found, place)]
    panels += [coders_panel(view, found)] if found.coders else []
    panels += [months_panel(view, found), errors_panel(view, found, facility), group_panel(view, found, facility)]
    total = found.total
    tiles = [(word("front_pages_score"), text(total.score)), (word("front_pages_pages"), text(total.pages, 0)),
             (word("front_pages_group_error"), text(total.group_error_share)), (word("front_pages_change"), text(total.change, 2, "+"))]
    return {"panels": panels, "tiles": tiles, "period": found.period}


@router.get(PATH)
def front_pages_page(request: Request, period: str = "", place: str = "", facility: str = "") -> Response:
    """Front pages of a period: of all that is seen, a county, or one institution with its coders."""
    view = View.of(request)
    view.actor.require("figures", "figures", "front_pages")
    view.inquiry.where(place, facility)
    periods = [one for one in view.periods() if view.actor.may("small") or len(one) == YEAR]
    chosen = period if asked_period(period) in periods else (view.period("")[:YEAR])
    key = ("front pages", place, facility, chosen, view.actor.may("rows"), view.actor.may("identified"))
    found = view.remembered(key, lambda: _made(view, place, facility, chosen))
    return answer(request, "front_pages.html", found["panels"], snapshot=view.snapshot, period=chosen, periods=periods, place=place,
                  counties=view.counties(), facility=facility, facility_name=view.facility_names().get(facility, facility), tiles=found["tiles"],
                  all_of_it=link(period=chosen))
