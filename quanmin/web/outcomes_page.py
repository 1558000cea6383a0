"""Outcomes: institutions compared with what was expected of their stays, and one institution followed stay by stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate import NotAllowed
from quanmin.model import Refusal
from quanmin.services.quality.actions import YEAR, Outcomes, outcome_model, outcome_monitor, outcomes
from quanmin.services.quality.learning import Outcome, outcomes_known
from quanmin.web.outcomes_panels import (
    calibration_panel,
    coefficients_panel,
    cusum_panel,
    facilities_panel,
    model_panel,
    months_panel,
    signals_panel,
    text,
    vlad_panel,
)
from quanmin.web.panels import answer
from quanmin.web.sheets import Panel
from quanmin.web.view import View, asked_period, refused
from quanmin.web.words import word

router = APIRouter()
FIRST = "death"


def _asked(outcome: str) -> Outcome:
    known = outcomes_known()
    if (outcome or FIRST) not in known:
        raise refused("outcome", outcome)
    return known[outcome or FIRST]


def _periods(view: View) -> list[str]:
    """What may be chosen; a role without small counts sees whole years."""
    return [period for period in view.periods() if view.actor.may("small") or len(period) == YEAR]


def _compared(view: View, one: Outcome, period: str) -> dict[str, Any]:
    found, card = outcomes(view.inquiry, one.id, period), outcome_model(view.inquiry, one.id)
    panels = [facilities_panel(view, found, not one.is_binary), calibration_panel(view, card), model_panel(view, card), coefficients_panel(view, card)]
    tiles = [(word("outcomes_stays"), text(sum(row.stays or 0 for row in found.facilities), 0)), (word("outcomes_c_statistic"), text(card.c_statistic, 3)),
             (word("outcomes_slope"), text(card.slope, 2)), *_flagged(found)]
    return {"panels": panels, "tiles": tiles, "period": found.period}


def _flagged(found: Outcomes) -> list[tuple[str, str]]:
    return [(word(f"outcomes_flag_{degree}"), str(sum(row.outside == degree for row in found.facilities))) for degree in (2, -2)]


def _tried(made: Any) -> tuple[Mapping[str, Any], list[str]]:
    """What a page shows, or why there is nothing to show."""
    try:
        return made(), []
    except NotAllowed:
        raise
    except Refusal as refusal:
        return {"panels": [], "tiles": []}, [f"{p.rule} · {p.mend}" for p in refusal.problems]


@router.get("/outcomes")
def outcomes_page(request: Request, outcome: str = "", period: str = "") -> Response:
    """Institutions compared in a period: the funnel, their figures, and what the model is worth."""
    view = View.of(request)
    view.actor.require("figures", "figures", "outcomes")
    one, periods = _asked(outcome), _periods(view)
    chosen = period if asked_period(period) in periods else ""
    key = ("outcomes", one.id, chosen, view.actor.may("small"))
    found, reasons = _tried(lambda: view.remembered(key, lambda: _compared(view, one, chosen)))
    return answer(request, "outcomes.html", found["panels"], one=one, outcomes=list(outcomes_known().values()), period=found.get("period", chosen),
                  periods=periods, may_all=view.actor.may("small"), tiles=found["tiles"], reasons=reasons, snapshot=view.snapshot, name=_label(one))


def _label(one: Outcome) -> str:
    return one.label.in_language(language())


def _followed(view: View, code: str, one: Outcome, since: str) -> dict[str, Any]:
    found = outcome_monitor(view.inquiry, code, one.id, since)
    panels: list[Panel] = [vlad_panel(view, found, not one.is_binary)]
    if found.limits:
        panels += [cusum_panel(view, found), signals_panel(view, found)]
    ratio = found.observed / found.expected if found.expected else None
    tiles = [(word("outcomes_stays"), text(found.stays, 0)), (word("outcomes_observed"), text(found.observed, 0)),
             (word("outcomes_expected"), text(found.expected)), (word("outcomes_ratio"), text(ratio))]
    return {"panels": [*panels, months_panel(view, found)], "tiles": tiles, "first": found.first_month, "last": found.last_month}


@router.get("/outcomes/{code}")
def outcome_page(request: Request, code: str, outcome: str = "", since: str = "") -> Response:
    """One institution followed stay by stay from a month on."""
    view = View.of(request)
    view.actor.require("small", "figures", "outcomes")
    view.inquiry.where("", code)
    one, unit = _asked(outcome), view.inquiry.units("facility").get(code)
    if unit is None:
        raise HTTPException(404)
    since = since if asked_period(since) in view.periods() else ""
    found, reasons = _tried(lambda: view.remembered(("outcome", code, one.id, since), lambda: _followed(view, code, one, since)))
    return answer(request, "outcome.html", found["panels"], one=one, outcomes=list(outcomes_known().values()), code=code, unit=unit, since=since,
                  periods=view.periods(), tiles=found["tiles"], reasons=reasons, snapshot=view.snapshot, name=_label(one), first=found.get("first", ""),
                  last=found.get("last", ""))
