"""The overview: where the region stands on its key indicators, what is unusual, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from quanmin.catalog.messages import language
from quanmin.gate.accounts import roles
from quanmin.model import Refusal
from quanmin.reports.standing import standing
from quanmin.reports.words import told
from quanmin.services.variation.actions import Unusual, highlights
from quanmin.services.variation.highlights import Highlight
from quanmin.web.figures import Figure, figure, unit, value_text
from quanmin.web.maps import map_chart
from quanmin.web.panels import answer
from quanmin.web.rendering import page
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.standings import Card, card, standings_panel
from quanmin.web.view import View, asked_place, refused
from quanmin.web.words import word

router = APIRouter()
MOST_LISTED = 12


def board_names(view: View) -> list[str]:
    """The indicators of the boards, in order."""
    return [name for group in view.desk.site.boards for name in group.indicators]


def cards_of(view: View, period: str, place: str = "", facility: str = "") -> dict[str, Card]:
    """The cards of the boards' indicators at a place, those that cannot be asked there left out."""
    found = {}
    for name in board_names(view):
        try:
            found[name] = card(standing(view.inquiry, name, period, place, facility), view.indicators.suppress_below, bool(place))
        except Refusal:
            continue
    return found


def about(view: View, period: str) -> dict[str, Any]:
    """What every sheet says of itself."""
    return {"period": period, "snapshot": view.snapshot.id, "as_of": view.snapshot.published_at}


def highlights_panel(view: View, found: Unusual) -> Panel:
    """The highlights as a sheet, the rule that put each there beside it."""
    names = view.place_names()
    columns = [Column("place", word("place")), Column("indicator", word("indicator")), Column("rule", word("rule")), Column("direction", word("direction_is")),
               Column("value", word("value"), True), Column("low", word("usual_low"), True), Column("high", word("usual_high"), True)]
    rows = []
    for item in found.items:
        one = view.catalog.indicators[item.indicator]
        link = f"/indicator/{item.indicator}?place={item.unit}&period={found.month}"
        rows.append([Shown(names.get(str(item.unit), str(item.unit)), item.unit, f"/place/{item.unit}?period={found.month}"),
                     Shown(one.label.in_language(language()), item.indicator, link), told("variation", f"rule_{item.rule}", length=item.length),
                     told("variation", f"direction_{item.direction}"), *(Shown(value_text(one, v), v) for v in (item.value, item.low, item.high))])
    note = word("highlights_note", month=found.month, series=found.series_tested, units=found.units_tested, share=round(found.false_share * 100))
    return Panel("highlights", word("highlights"), Sheet(columns, rows, about(view, found.month)), None, note)


def highlight_lines(view: View, items: Sequence[Highlight], month: str) -> list[dict[str, Any]]:
    """Highlights as people read them."""
    names, lines = view.place_names(), []
    for item in items[:MOST_LISTED]:
        one = view.catalog.indicators[item.indicator]
        low, high = value_text(one, item.low), value_text(one, item.high)
        lines.append({
            "direction": item.direction, "side": item.side, "said": told("variation", f"direction_{item.direction}"),
            "title": word("highlight_item", place=names.get(str(item.unit), str(item.unit)), indicator=one.label.in_language(language())),
            "href": f"/indicator/{item.indicator}?place={item.unit}&period={month}", "rule": told("variation", f"rule_{item.rule}", length=item.length),
            "usual": word("highlight_values", value=value_text(one, item.value), low=low, high=high),
            "also": word("also_in", count=len(item.also)) if item.also else "",
        })
    return lines


def counties_panel(view: View, period: str) -> Panel:
    """Counties by key indicators."""
    names = board_names(view)
    columns = [Column("county", word("county")), *(Column(n, view.catalog.indicators[n].label.in_language(language()), True) for n in names)]
    by_name = {name: _by_county(view, name, period) for name in names}
    rows = [[Shown(title, code, f"/place/{code}?period={period}"), *(_shown(by_name[name].get(code), f"/indicator/{name}?place={code}&period={period}")
                                                                    for name in names)] for code, title in view.counties()]
    return Panel("counties", word("by_county_heat"), Sheet(columns, rows, about(view, period)), None, word("legend"), is_open=True)


def _by_county(view: View, name: str, period: str) -> dict[str, Figure]:
    one = view.catalog.indicators[name]
    targets, year, below = view.targets(name), period[:4], view.indicators.suppress_below
    aim = targets.get((view.subject()[0], year))
    try:
        cells = view.inquiry.by_unit(name, view.inquiry.shown_period(name, period))
    except Refusal:
        return {}
    return {code: figure(one, cell, targets.get((code, year), aim), below) for code, cell in cells.items()}


def _shown(found: Figure | None, href: str) -> Shown:
    if found is None or found.cell is None:
        return Shown("–")
    return Shown(found.text, _value(found), href, found.verdict, found.detail)


def _value(found: Figure) -> float | None:
    cell = found.cell
    return None if cell is None or cell.suppressed or cell.missing or cell.value is None else float(cell.value)


def map_panel(view: View, name: str, period: str) -> Panel:
    """The counties on the map, by one indicator, with the sheet beside it."""
    one = view.catalog.indicators[name]
    figures = _by_county(view, name, period)
    title = word("map_of", indicator=one.label.in_language(language()))
    names = dict(view.counties())
    rows = [[Shown(names[code], code, f"/place/{code}?period={period}"), _shown(f, f"/indicator/{name}?place={code}&period={period}")]
            for code, f in figures.items()]
    sheet = Sheet([Column("county", word("county")), Column("value", word("value"), True)], rows,
                  about(view, view.shown_period(one, period)) | {"indicator": name, "definition": one.version})
    links = {code: f"/place/{code}?period={period}" for code in figures}
    texts, verdicts = {code: f.text for code, f in figures.items()}, {code: f.verdict for code, f in figures.items()}
    values = {code: _value(f) for code, f in figures.items()}
    return Panel("map", title, sheet, map_chart(view, values, texts, verdicts, unit(one), links), width="")


@router.get("/")
def overview(request: Request, period: str = "", place: str = "", on: str = "") -> Response:
    """Value – target – rank – trend – next step of the key indicators, the highlights and the map."""
    actor = request.app.state.desk.actor(request)
    if actor.may("audit") and not actor.may("figures"):
        return RedirectResponse("/audit", 303)
    if not actor.may("figures"):
        return page(request, "no_figures.html", roles=roles())
    view = View.of(request)
    asked_place(place)
    names = dict(view.counties())
    if place and place not in names:
        raise refused("place", place)
    chosen, on = view.period(period), on if on in board_names(view) else board_names(view)[0]
    made = overview_of(view, chosen, place, on)
    found = view.desk.known(view.key(("unusual", place)))  # what takes seconds the first time comes after the page
    if found is not None:
        made = made | {"panels": [*made["panels"], highlights_panel(view, found)], "lines": highlight_lines(view, found.items, found.month)}
    return answer(request, "overview.html", made["panels"], periods=view.periods(), period=chosen, place=place, on=on, counties=view.counties(),
                  subject=names.get(place) or view.subject()[1], snapshot=view.snapshot, groups=view.desk.site.boards, catalog=view.catalog.indicators,
                  **{key: value for key, value in made.items() if key != "panels"})


def overview_of(view: View, period: str, place: str, on: str) -> dict[str, Any]:
    """What the overview shows of a period and place, with an indicator on the map."""
    key = ("overview", period, place, on, view.inquiry.set_targets.version, view.actor.may("targets"))
    return view.remembered(key, lambda: _overview(view, period, place, on))


def _overview(view: View, period: str, place: str, on: str) -> dict[str, Any]:
    cards = cards_of(view, period, place)
    panels = [standings_panel(list(cards.values()), word("standings"), about(view, period)), counties_panel(view, period), map_panel(view, on, period)]
    return {"cards": cards, "panels": panels}


def unusual(view: View, place: str = "") -> Unusual:
    """What is unusual in the newest month, in the whole region or a county."""
    return view.remembered(("unusual", place), lambda: highlights(view.inquiry, county=place), "")


@router.get("/highlights")
def highlights_page(request: Request, place: str = "", part: bool = False) -> Response:
    """What is unusual in the newest month: a page, or with `part` what the overview puts into itself."""
    view = View.of(request)
    view.actor.require("figures", "figures", "highlights")
    asked_place(place)
    found = unusual(view, place)
    return answer(request, "highlights_part.html" if part else "highlights.html", [highlights_panel(view, found)], snapshot=view.snapshot, place=place,
                  lines=highlight_lines(view, found.items, found.month))
