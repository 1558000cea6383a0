"""The list of indicators, and the audit trail."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from quanmin.gate.audit import Audit
from quanmin.web.desk import Desk
from quanmin.web.rendering import page
from quanmin.web.view import View

router = APIRouter()
ENTRIES_SHOWN = 200
THEMES = ("tiered_care", "county_community", "tertiary_hospitals", "secondary_hospitals", "case_mix", "quality", "accreditation", "resources", "public_health",
          "surveillance", "preparedness", "earlier_editions")


@router.get("/indicators")
def indicators_page(request: Request, theme: str = THEMES[0], period: str = "") -> HTMLResponse:
    """The list of indicators of a theme, with values by county against targets."""
    view = View.of(request)
    view.actor.require("figures", "figures", "list")
    indicators = view.catalog.indicators.values()
    others = sorted({i.theme for i in indicators} - set(THEMES))
    if theme not in (*THEMES, *others):
        raise HTTPException(404)
    chosen = view.period(period)
    waiting = sorted((i for i in indicators if i.theme == theme and not i.is_executable), key=lambda i: (i.code, i.part))
    return page(
        request, "indicators.html", themes=[*THEMES, *others], known=THEMES, theme=theme, rows=view.rows(theme, chosen), waiting=waiting,
        counties=view.counties(),
        periods=view.periods(), period=chosen, snapshot=view.snapshot, subject=view.subject()[1],
    )


@router.get("/audit")
def audit(request: Request) -> HTMLResponse:
    """The newest entries of the audit trail, and whether its chain holds."""
    desk: Desk = request.app.state.desk
    actor = desk.actor(request)
    actor.require("audit", "audit", "list")
    trail = Audit(desk.site.ledger)
    return page(request, "audit.html", entries=trail.entries(ENTRIES_SHOWN), count=ENTRIES_SHOWN, broken=trail.first_break())
