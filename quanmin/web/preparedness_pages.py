"""Preparedness: an overview with three answers, and a page for each with sliders that work it out again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.gate import NotAllowed
from quanmin.gate.performing import perform
from quanmin.model import Refusal
from quanmin.services.preparedness.counted import has_counts
from quanmin.services.preparedness.on_site import counties_seen
from quanmin.services.preparedness.scenario import template, template_names
from quanmin.web.overview_page import about
from quanmin.web.panels import answer
from quanmin.web.preparedness_panels import cover_chart, hours_chart, need_chart, stockpile_panels, surge_panels, testing_panels
from quanmin.web.preparedness_sheets import sheet_of
from quanmin.web.preparedness_words import Tile, stockpile_notes, stockpile_tiles, surge_tiles, testing_advice, testing_tiles
from quanmin.web.sheets import Panel
from quanmin.web.view import View, refused
from quanmin.web.words import word

router = APIRouter()


@dataclass(frozen=True)
class Slider:
    """A number that may be moved; `part.name` of the template gives where it starts, unless `start` does."""

    name: str
    low: float
    high: float
    step: float
    start: float


TESTING = (Slider("rate", 20, 300, 5, 100), Slider("hours", 4, 24, 1, 12), Slider("pool", 1, 20, 1, 10), Slider("positive", 0, 0.05, 0.0001, 0.0001),
           Slider("teams", 0.1, 4, 0.1, 1), Slider("lab", 0.1, 8, 0.1, 1), Slider("vehicles", 0, 12, 1, 2))
HELD = Slider("held", 0, 120, 1, 30)  # of a site to which nobody reports stocks
STOCKPILE = (Slider("duty", 0.05, 1, 0.05, 0.35), Slider("load", 1, 4, 0.1, 1.5), Slider("target", 5, 90, 1, 30))
SURGE = (Slider("infected", 0.1, 200, 0.1, 10), Slider("reproduction", 0.5, 10, 0.1, 2.5), Slider("reduction", 0, 0.9, 0.05, 0.3),
         Slider("from_day", 0, 90, 1, 14), Slider("occupied", 0, 1, 0.05, 0.75), Slider("converted", 0, 90, 1, 21), Slider("days", 30, 365, 5, 180),
         Slider("tested", 0, 1, 0.05, 1))
STARTS = {"reproduction": "disease.reproduction", "reduction": "disease.contact_reduction", "from_day": "disease.reduction_from_day",
          "occupied": "beds.occupied_share", "converted": "beds.convertible_from_day", "days": "days", "tested": "testing.tested_share"}


@dataclass(frozen=True)
class Moved:
    """A slider where it stands."""

    slider: Slider
    value: float

    @property
    def text(self) -> str:
        """The value as an address carries it."""
        return f"{self.value:g}"


def _begin(slider: Slider, of: str) -> float:
    """Where a slider stands before anybody moves it: as the scenario's template says."""
    found: Any = template(of) if of and slider.name in STARTS else None
    for step in STARTS.get(slider.name, "").split(".") if found is not None else ():
        found = found[step]
    return float(found["value"] if isinstance(found, dict) else found) if found is not None else slider.start


def _moved(request: Request, sliders: Sequence[Slider], of: str = "") -> list[Moved]:
    """Where the sliders stand in an address; raises Refusal for what is no number of theirs."""
    found = []
    for slider in sliders:
        told = request.query_params.get(slider.name, "")
        try:
            value = float(told) if told else _begin(slider, of)
        except ValueError:
            value = math.nan
        if not slider.low - 1e-9 <= value <= slider.high + 1e-9:
            raise refused(slider.name, told)
        found.append(Moved(slider, round(value, 6)))
    return found


def _place(request: Request, view: View) -> str:
    """The county that is asked for; raises Refusal for one that the account does not see."""
    place = request.query_params.get("place", "")
    counties_seen(view.inquiry, place)
    return place


def _counties(view: View) -> list[tuple[str, str]]:
    seen = counties_seen(view.inquiry)
    return [(code, name) for code, name in view.counties() if code in seen]


def _asked(view: View, action: str, told: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """What an action gives, worked out once for the same numbers; or why it cannot be."""
    view.actor.require("figures", "figures", "preparedness")
    key = ("preparedness", action, view.inquiry.today(), tuple(sorted(told.items())))
    try:
        return view.remembered(key, lambda: perform(view.inquiry, action, told)), []
    except NotAllowed:
        raise
    except Refusal as refusal:
        return None, [f"{p.field} {p.rule} · {p.mend}".strip() for p in refusal.problems]


def _page(request: Request, view: View, name: str, moved: Sequence[Moved], panels: Sequence[Panel], tiles: Sequence[Tile], reasons: Sequence[str],
          **values: Any) -> Response:
    place = request.query_params.get("place", "")
    return answer(request, "preparedness_page.html", panels, name=name, moved=moved, tiles=tiles, reasons=reasons, snapshot=view.snapshot, place=place,
                  counties=_counties(view), order=[panel.id for panel in panels], **({"advice": [], "notes": [], "scenarios": [], "scenario": ""} | values))


@router.get("/preparedness/mass-testing")
def mass_testing_page(request: Request) -> Response:
    """Can everybody be tested in 2, 3, 5 days: sliders, the bottleneck, what removes it, and the arithmetic."""
    view = View.of(request)
    moved, place = _moved(request, TESTING), _place(request, view)
    found, reasons = _asked(view, "mass_testing", {"place": place} | {one.slider.name: one.value for one in moved})
    if found is None:
        return _page(request, view, "testing", moved, [], [], reasons)
    notes = [] if any(lab.lab in view.facility_names() for lab in found.labs) else [word("prep_no_labs_note")]
    shown = {"advice": testing_advice(found), "notes": notes}
    return _page(request, view, "testing", moved, testing_panels(found, about(view, "")), testing_tiles(found), reasons, **shown)


@router.get("/preparedness/stockpile")
def stockpile_page(request: Request) -> Response:
    """For how many days stocks last in each situation, what to move and what to order."""
    view = View.of(request)
    place = _place(request, view)
    moved = _moved(request, STOCKPILE if has_counts(view.inquiry) else (HELD, *STOCKPILE))
    told = {one.slider.name: one.value for one in moved}
    found, reasons = _asked(view, "stockpile_cover", {"place": place} | told)
    if found is None:
        return _page(request, view, "stockpile", moved, [], [], reasons)
    notes = stockpile_notes(found, told.get(HELD.name, HELD.start))
    return _page(request, view, "stockpile", moved, stockpile_panels(found, about(view, "")), stockpile_tiles(found), reasons, notes=notes)


@router.get("/preparedness/surge")
def surge_page(request: Request) -> Response:
    """What is short on which day of a surge, by county."""
    view, known = View.of(request), template_names("surge")
    scenario = request.query_params.get("template", "") or known[0]
    if scenario not in known:
        raise refused("template", scenario)
    moved, place = _moved(request, SURGE, scenario), _place(request, view)
    found, reasons = _asked(view, "surge", {"place": place, "template": scenario} | {one.slider.name: one.value for one in moved})
    shown = {"scenarios": known, "scenario": scenario}
    if found is None:
        return _page(request, view, "surge", moved, [], [], reasons, **shown)
    return _page(request, view, "surge", moved, surge_panels(found, about(view, "")), surge_tiles(found), reasons, notes=[word("prep_surge_note")], **shown)


@router.get("/preparedness")
def preparedness_page(request: Request) -> Response:
    """The three answers with the site's own numbers."""
    view = View.of(request)
    said, place = about(view, ""), _place(request, view)
    testing, no_testing = _asked(view, "mass_testing", {"place": place, "is_whole": False})
    stocks, no_stocks = _asked(view, "stockpile_cover", {"place": place})
    wave, no_wave = _asked(view, "surge", {"place": place, "is_whole": False})
    cards, panels = [], []
    for name, path, found, tiles, reasons in (("testing", "mass-testing", testing, testing_tiles, no_testing),
                                              ("stockpile", "stockpile", stocks, stockpile_tiles, no_stocks), ("surge", "surge", wave, surge_tiles, no_wave)):
        cards.append((name, f"/preparedness/{path}" + (f"?place={place}" if place else ""), tiles(found) if found is not None else [], reasons))
    if testing is not None:
        panels.append(Panel("testing", word("prep_panel_hours"), sheet_of(testing.hours, "hour:0 sampled:0 people_with_result:0 waiting_for_test:0", said),
                            hours_chart(testing)))
    if wave is not None:
        rows = sheet_of(wave.shortages, "name of supply:0 peak_need:0 worst_gap:0 first_day:0 first_on", said)
        panels.append(Panel("surge", word("prep_panel_course"), rows, need_chart(wave)))
    if stocks is not None:
        judged = sorted((row for row in stocks.cover if row.situation_name == stocks.judged_in), key=lambda row: (not row.is_short, row.usable_days or 0.0))
        rows = sheet_of(judged, "situation_name institution_name item_name days:0 usable_days:0 is_short", said)
        panels.append(Panel("stockpile", word("prep_panel_cover"), rows, cover_chart(stocks)))
    return answer(request, "preparedness.html", panels, cards=cards, place=place, counties=_counties(view), snapshot=view.snapshot,
                  sees_exercises=view.actor.may("small"))
