"""Profiles: where a county or an institution stands on the key indicators, what is unusual there, and what belongs to it; the wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.model.asker import Unit
from quanmin.web.figures import number
from quanmin.web.overview_page import about, board_names, cards_of, highlight_lines, highlights_panel, overview_of, unusual
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.standings import standings_panel
from quanmin.web.view import View, asked_place, refused
from quanmin.web.words import word

router = APIRouter()


def _code_name(view: View, column: str, code: str) -> str:
    listed = view.catalog.tables["facility"].columns[column].codes
    label = view.catalog.codes[listed].codes.get(code) if listed else None
    return (label.in_language(language()) or label.zh) if label else code


def facilities_panel(view: View, units: Sequence[Unit], period: str) -> Panel:
    """Institutions with their type and level."""
    communities = view.community_names()
    columns = [Column("facility", word("institution")), Column("type", word("facility_type")), Column("level", word("facility_level")),
               Column("community", word("community_is"))]
    rows = [[Shown(u.name, u.code, f"/facility/{u.code}?period={period}"), Shown(_code_name(view, "type_code", u.type), u.type),
             Shown(_code_name(view, "level_code", u.level), u.level),
             Shown(communities.get(u.of_community, ""), u.of_community, f"/community/{u.of_community}" if u.of_community else "")] for u in units]
    return Panel("facilities", word("facilities_here"), Sheet(columns, rows, about(view, period)), is_open=True)


def _of_county(view: View, code: str) -> list[Unit]:
    """A county's institutions with beds or visits first: hospitals, health centres, the rest; village posts left out of the list."""
    found = [u for u in view.inquiry.units("facility").values() if u.county == code and not u.type.startswith("D600")]
    return sorted(found, key=lambda u: (u.type[:1], u.level, u.code))


@router.get("/place/{code}")
def place_page(request: Request, code: str, period: str = "") -> Response:
    """A county: its standing on the key indicators, what is unusual there, and its institutions."""
    view = View.of(request)
    view.actor.require("figures", "figures", "place")
    asked_place(code)
    names = dict(view.counties())
    if code not in names:
        raise HTTPException(404)
    chosen = view.period(period)
    made = overview_of(view, chosen, code, board_names(view)[0])
    panels = [*(p for p in made["panels"] if p.id == "standings"), facilities_panel(view, _of_county(view, code), chosen)]
    found = view.desk.known(view.key(("unusual", code)))
    if found is not None:
        panels.append(highlights_panel(view, found))
    facts = [(word("facility_count"), number(len([u for u in view.inquiry.units("facility").values() if u.county == code]))), (word("place_code"), code)]
    return _profile(request, view, chosen, panels, made["cards"], names[code], facts, place=code, is_place=True,
                    lines=highlight_lines(view, found.items, found.month) if found is not None else [])


@router.get("/facility/{code}")
def facility_page(request: Request, code: str, period: str = "") -> Response:
    """An institution: its standing among institutions of its level, and where its data stand."""
    view = View.of(request)
    view.actor.require("figures", "figures", "facility")
    view.inquiry.where("", code)
    unit = view.inquiry.units("facility").get(code)
    if unit is None:
        raise HTTPException(404)
    chosen = view.period(period)
    key = ("facility", code, chosen, view.inquiry.set_targets.version, view.actor.may("targets"))
    cards = view.remembered(key, lambda: cards_of(view, chosen, facility=code))
    shown = {name: one for name, one in cards.items() if one.standing.cell is not None}
    counties, communities = dict(view.counties()), view.community_names()
    facts = [(word("facility_type"), _code_name(view, "type_code", unit.type)), (word("facility_level"), _code_name(view, "level_code", unit.level)),
             (word("county"), counties.get(unit.county, unit.county)), (word("community_is"), communities.get(unit.of_community, "–")),
             (word("place_code"), code)]
    panels = [standings_panel(list(shown.values()), word("standings"), about(view, chosen))]
    return _profile(request, view, chosen, panels, shown, unit.name, facts, unit=unit, is_place=False, lines=[], place="")


def _profile(request: Request, view: View, period: str, panels: Sequence[Panel], cards: dict[str, Any], name: str, facts: Sequence[tuple[str, str]],
             **more: Any) -> Response:
    return answer(request, "profile.html", panels, name=name, facts=facts, cards=cards, groups=view.desk.site.boards, period=period, periods=view.periods(),
                  snapshot=view.snapshot, catalog=view.catalog.indicators, **more)


@router.get("/wall")
def wall(request: Request, period: str = "", on: str = "") -> Response:
    """The key indicators, the map and what is unusual on one full screen, every number a link."""
    view = View.of(request)
    view.actor.require("figures", "figures", "wall")
    names = board_names(view)
    if on and on not in names:
        raise refused("on", on)
    chosen = view.period(period)
    made = overview_of(view, chosen, "", on or names[0])
    found = unusual(view)
    first = next((card for card in made["cards"].values() if card.standing.ranks and card.standing.indicator.id == (on or names[0])), None)
    return answer(request, "wall.html", [*made["panels"], highlights_panel(view, found)], cards=made["cards"], groups=view.desk.site.boards, period=chosen,
                  snapshot=view.snapshot, subject=view.subject()[1], lines=highlight_lines(view, found.items, found.month), ranked=first,
                  on=on or names[0], catalog=view.catalog.indicators)
