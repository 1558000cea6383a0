"""Case mix: how demanding the cases are, by group and by institution, and what they use of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.catalog.messages import language
from quanmin.model import Cell, Indicator
from quanmin.web.figures import Figure, figure, number
from quanmin.web.overview_page import about
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View, refused
from quanmin.web.words import word

router = APIRouter()
CMI, CHARGE, TIME, GROUPED, COUNT = "case_mix_index", "charge_consumption_index", "time_consumption_index", "grouped_share", "drg_count"
NAMES = (CMI, CHARGE, TIME, GROUPED, COUNT)
LABELLED = 12  # circles that are named in a chart
FEWEST = 10  # cases of a circle


def _cells(view: View, name: str, by: str, where: list[str]) -> Mapping[str, Cell]:
    """Value of a dimension → cell."""
    return {str(c.key[by]): c for c in view.inquiry.figures(name, [by], where).cells if c.key[by] is not None}


def _index(one: Indicator, cell: Cell | None, below: int) -> Shown:
    """An index as a cell of a table, marked as withheld or unknown where it is."""
    shown = figure(one, cell, None, below)
    return Shown(shown.text, None if cell is None or cell.suppressed else cell.value, title=shown.counts)


def _fewest(cells: Mapping[str, Cell]) -> int:
    """How many cases make a circle: FEWEST, or one where nothing has so many."""
    return FEWEST if any((cell.denominator or 0) >= FEWEST for cell in cells.values()) else 1


def _circles(names: Mapping[str, str], sizes: Mapping[str, Cell], across: Mapping[str, Cell], up: Mapping[str, Cell], link: str) -> list[dict[str, Any]]:
    """What a chart of circles shows: those with enough cases whose two values are known."""
    found, fewest = [], _fewest(sizes)
    for code, size in sizes.items():
        x, y = across.get(code), up.get(code)
        if x is None or y is None or x.value is None or y.value is None or x.suppressed or y.suppressed or (size.denominator or 0) < fewest:
            continue
        cases = int(size.denominator or 0)
        told = word("case_mix_circle", name=names.get(code, code), cases=number(cases), x=f"{x.value:.2f}", y=f"{y.value:.2f}")
        found.append({"name": names.get(code, code), "x": float(x.value), "y": float(y.value), "size": cases, "told": told, "link": link.format(code=code)})
    return sorted(found, key=lambda one: -one["size"])


def _chart(circles: list[dict[str, Any]], x: str, y: str) -> dict[str, Any] | None:
    return {"kind": "circles", "circles": circles, "labelled": LABELLED, "x": x, "y": y, "centre": 1} if circles else None


def groups_panel(view: View, where: list[str], period: str) -> Panel:
    """The groups: cases, weight, and charge and days against the region's norm of the group."""
    found = {name: _cells(view, name, "drg", where) for name in (CMI, CHARGE, TIME)}
    one = {name: view.catalog.indicators[name] for name in found}
    names, below = view.code_names(one[CMI], "drg"), view.indicators.suppress_below
    columns = [Column("drg", word("case_mix_drg")), Column("name", word("case_mix_name")), Column("cases", word("case_mix_cases"), True),
               *(Column(name, one[name].label.in_language(language()), True) for name in found)]
    rows = [[code, names.get(code, ""), Shown("*") if cell.suppressed else cell.denominator,
             *(_index(one[name], found[name].get(code), below) for name in found)]
            for code, cell in sorted(found[CMI].items(), key=lambda item: (-(item[1].denominator or 0), item[0]))]
    circles = _circles({code: f"{code} {names.get(code, '')}".strip() for code in found[CMI]}, found[CMI], found[TIME], found[CHARGE], "")
    return Panel("groups", word("case_mix_groups"), Sheet(columns, rows, about(view, period)),
                 _chart(circles, one[TIME].label.in_language(language()), one[CHARGE].label.in_language(language())),
                 note=word("case_mix_groups_note", fewest=_fewest(found[CMI])))


def facilities_panel(view: View, period: str, place: str) -> Panel:
    """The institutions: cases, groups, CMI and the two indices."""
    units = {code: unit for code, unit in view.inquiry.units("facility").items() if place in ("", unit.county)}
    found = {name: {code: cell for code, cell in view.inquiry.by_unit(name, period, "facility").items() if code in units} for name in NAMES}
    one, below = {name: view.catalog.indicators[name] for name in NAMES}, view.indicators.suppress_below
    columns = [Column("facility", word("institution")), Column("cases", word("case_mix_cases"), True),
               *(Column(name, one[name].label.in_language(language()), True) for name in (COUNT, CMI, CHARGE, TIME, GROUPED))]
    order = sorted(found[GROUPED], key=lambda code: (-float((found[CMI].get(code) or found[GROUPED][code]).value or 0), code))
    order.sort(key=lambda code: found[CMI].get(code) is None)
    rows = [[Shown(units[code].name, code, href=f"/facility/{code}?period={period}"),
             Shown("*") if found[GROUPED][code].suppressed else found[GROUPED][code].denominator,
             *(_index(one[name], found[name].get(code), below) for name in (COUNT, CMI, CHARGE, TIME, GROUPED))] for code in order]
    link = f"/case-mix?period={period}&facility={{code}}" if view.actor.may("small") else ""  # others may not look at one institution alone
    circles = _circles({code: unit.name for code, unit in units.items()}, found[CMI], found[CMI], found[CHARGE], link)
    return Panel("facilities", word("case_mix_facilities"), Sheet(columns, rows, about(view, period)),
                 _chart(circles, one[CMI].label.in_language(language()), one[CHARGE].label.in_language(language())), note=word("case_mix_facilities_note"))


def _head(view: View, where: list[str]) -> list[tuple[Indicator, Figure]]:
    below = view.indicators.suppress_below
    return [(one, figure(one, next(iter(view.inquiry.figures(name, [], where).cells), None), None, below))
            for name, one in ((name, view.catalog.indicators[name]) for name in NAMES)]


@router.get("/case-mix")
def case_mix_page(request: Request, period: str = "", place: str = "", facility: str = "") -> Response:
    """The case mix of the region, a county or an institution in a period."""
    view = View.of(request)
    view.actor.require("figures", "figures", "case-mix")
    chosen, names = period if period in view.periods() else view.period("")[:4], view.facility_names()
    if facility and facility not in names:
        raise refused("facility", facility)
    where = [*view.inquiry.within(CMI, chosen), *view.inquiry.where(place, facility)]

    def made() -> tuple[list[tuple[Indicator, Figure]], list[Panel]]:
        view.inquiry.prepare(NAMES, [[], ["facility_code"]], view.inquiry.within(CMI, chosen))
        panels = [groups_panel(view, where, chosen)]
        return _head(view, where), panels if facility else [*panels, facilities_panel(view, chosen, place)]

    head, panels = view.remembered(("case mix", chosen, place, facility), made)
    return answer(request, "case_mix.html", panels, head=head, period=chosen, periods=view.periods(), place=place, facility=facility, counties=view.counties(),
                  name=names.get(facility, ""), snapshot=view.snapshot, weights=list(view.catalog.weights.values()))
