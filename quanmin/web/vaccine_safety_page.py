"""Vaccine safety of all that is seen or a county."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.gate.performing import perform
from quanmin.services.surveillance.actions import VaccineSafety
from quanmin.web.figures import NOTHING
from quanmin.web.panels import answer
from quanmin.web.vaccine_safety_panels import HIDDEN, lots_panel, pairs_panel, rates_panel
from quanmin.web.view import View, asked_period
from quanmin.web.words import word

router = APIRouter()
PER = 100_000


def _made(view: View, place: str, period: str) -> dict[str, Any]:
    found: VaccineSafety = perform(view.inquiry, "vaccine_safety", {"place": place, "period": period})
    panels = [rates_panel(view, found)]
    if not found.is_withheld:
        panels += [pairs_panel(view, found), lots_panel(view, found)]
    counts = [(one.doses, one.reports) for one in found.rates]
    doses, reports = (sum(values) if None not in values else None for values in ([pair[k] for pair in counts] for k in (0, 1)))
    tiles = [(word("vaccine_doses"), HIDDEN if doses is None else f"{doses:,}"), (word("vaccine_reports"), HIDDEN if reports is None else f"{reports:,}"),
             (word("vaccine_rate"), HIDDEN if doses is None or reports is None else f"{PER * reports / doses:.1f}" if doses else NOTHING),
             (word("vaccine_lots_signalled"), HIDDEN if found.is_withheld else str(sum(bool(one.signalled_on) for one in found.lots)))]
    return {"panels": panels, "tiles": tiles, "is_withheld": found.is_withheld}


@router.get("/vaccine-safety")
def vaccine_safety_page(request: Request, period: str = "", place: str = "") -> Response:
    """Reports after vaccination by vaccine, reaction and lot, of all periods or one."""
    view = View.of(request)
    view.actor.require("figures", "figures", "vaccine_safety")
    view.inquiry.where(place)
    chosen = period if asked_period(period) in view.periods() else ""
    found = view.remembered(("vaccine safety", place, chosen), lambda: _made(view, place, chosen))
    return answer(request, "vaccine_safety.html", found["panels"], snapshot=view.snapshot, period=chosen, periods=view.periods(), place=place,
                  counties=view.counties(), tiles=found["tiles"], is_withheld=found["is_withheld"])
