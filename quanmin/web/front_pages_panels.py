"""The panels of the quality of front pages: institutions, months, coders, the errors that cost most and those that move the group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.services.front_pages.actions import ErrorCost, FrontPages, Scored
from quanmin.web.data_pages import bars
from quanmin.web.figures import NOTHING
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

PATH = "/data/front-pages"
DRAWN = 15  # institutions, coders and errors of a chart
WHOLE = 100


def link(**told: str) -> str:
    """The address of the page."""
    chosen = {name: value for name, value in told.items() if value}
    return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def text(value: float | None, digits: int = 2, sign: str = "") -> str:
    """A number as the page writes it."""
    return NOTHING if value is None else f"{value:{sign},.{digits}f}"


def _shown(value: float | None, digits: int = 2, sign: str = "") -> Shown:
    return Shown(text(value, digits, sign), value)


def _withheld(view: View) -> Shown:
    return Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))


def _figures(view: View, one: Scored, rows: str = "") -> list[Any]:
    if one.is_withheld:
        return [_withheld(view)] * 6
    pages = Shown(text(one.pages, 0), one.pages, rows)
    return [pages, _shown(one.score), _shown(one.low), _shown(one.high), _shown(one.group_error_share), _shown(one.change, 2, "+")]


def _columns() -> list[Column]:
    return [Column("pages", word("front_pages_pages"), True), Column("score", word("front_pages_score"), True), Column("low", word("interval_low"), True),
            Column("high", word("interval_high"), True), Column("group_error_share", word("front_pages_group_error"), True),
            Column("change", word("front_pages_change"), True)]


def _lost(named: list[tuple[str, Scored, str]]) -> dict[str, Any] | None:
    """Points lost per page, most first."""
    known = [(name, WHOLE - one.score, f"{text(one.score)} · {text(one.pages, 0)}", href) for name, one, href in named if one.score is not None]
    shown = sorted((one for one in known if one[1] > 0), key=lambda one: -one[1])
    return bars(word("front_pages_lost"), [(name, round(lost, 3), told, href) for name, lost, told, href in shown[:DRAWN]], "")


def facilities_panel(view: View, found: FrontPages, place: str) -> Panel:
    """Institutions by score, the lowest first."""
    names, may_rows = view.facility_names(), view.actor.may("rows")

    def href(code: str) -> str:
        return link(facility=code, period=found.period) if view.actor.may("small") else ""

    def rows_of(code: str) -> str:
        return f"/indicator/front_page_score/rows?{urlencode({'period': found.period, 'facility': code})}" if may_rows else ""

    rows = [[Shown(names.get(one.of, one.of), one.of, href(one.of)), *_figures(view, one, rows_of(one.of))] for one in found.facilities]
    return Panel("facilities", word("front_pages_facilities"), Sheet([Column("facility", word("institution")), *_columns()], rows,
                                                                     about(view, found.period) | {"place": place}),
                 _lost([(names.get(one.of, one.of), one, href(one.of)) for one in found.facilities]), word("front_pages_facilities_note"))


def months_panel(view: View, found: FrontPages) -> Panel:
    """The score month by month with its 95 % limits."""
    rows = [[one.of, *_figures(view, one)[:-1]] for one in reversed(found.months)]
    drawn = [one for one in found.months if one.score is not None]
    words = {name: word(name) for name in ("value", "target", "interval", "bounds", "no_data", "met", "missed")}
    chart = {"kind": "trend", "title": word("front_pages_score"), "target": None, "words": words | {"unit": "", "name": word("front_pages_score")},
             "x": [one.of for one in drawn], "y": [round(one.score or 0, 2) for one in drawn],
             "low": [None if one.low is None else round(one.low, 2) for one in drawn],
             "high": [None if one.high is None else round(min(one.high, WHOLE), 2) for one in drawn], "bounds": [False] * len(drawn)} if drawn else None
    return Panel("months", word("front_pages_months"), Sheet([Column("month", word("month")), *_columns()[:-1]], rows, about(view, "")), chart)


def coders_panel(view: View, found: FrontPages) -> Panel:
    """The coders of an institution: under a word that stays the same, with the name only for who may see it."""
    is_named = view.actor.may("identified")
    columns = [Column("coder_id", word("front_pages_coder")), *([Column("coder", word("front_pages_coder_name"))] if is_named else []), *_columns()[:-1]]
    rows = [[one.of or NOTHING, *([one.name or NOTHING] if is_named else []), *_figures(view, one)[:-1]] for one in found.coders]
    chart = _lost([(one.name or one.of or NOTHING, one, "") for one in found.coders])
    return Panel("coders", word("front_pages_coders"), Sheet(columns, rows, about(view, found.period) | {"facility": found.total.of}), chart,
                 word("front_pages_coders_note"))


def _check(view: View, check: str) -> str:
    return view.catalog.checks[check].label.in_language(language()) if check in view.catalog.checks else check


def _rows_link(check: str, facility: str) -> str:
    return f"/data/checks/{check}{f'?sender={facility}' if facility else ''}"


def _parts(view: View) -> Mapping[str, str]:
    return {code: label.in_language(language()) for code, label in view.catalog.codes["front_page_part"].codes.items()}


def errors_panel(view: View, found: FrontPages, facility: str) -> Panel:
    """The errors that took most points."""
    parts, points = _parts(view), view.catalog.front_page_points

    def part(check: str) -> str:
        known = view.catalog.checks.get(check)
        fields = [points.fields[f"{known.table}.{name}"] for name in known.fields if f"{known.table}.{name}" in points.fields] if known else []
        return parts.get(fields[0].part, "") if fields else ""

    columns = [Column("check", word("front_pages_error")), Column("part", word("front_pages_part")), Column("pages", word("front_pages_pages"), True),
               Column("points", word("front_pages_points"), True), Column("points_per_100", word("front_pages_points_100"), True)]
    rows = [[Shown(_check(view, one.check), one.check, _rows_link(one.check, facility)), part(one.check),
             *([_withheld(view)] * 3 if one.is_withheld else [one.pages, _shown(one.points, 0), _shown(one.points_per_100)])] for one in found.errors]
    chart = bars(word("front_pages_points"), [(_check(view, one.check), one.points or 0, text(one.pages, 0), _rows_link(one.check, facility))
                                              for one in found.errors[:DRAWN] if one.points], "")
    return Panel("errors", word("front_pages_errors"), Sheet(columns, rows, about(view, found.period)), chart, word("front_pages_errors_note"))


def group_panel(view: View, found: FrontPages, facility: str) -> Panel:
    """The errors that keep a case from its group or may move it to another."""
    moving = [one for one in found.errors if one.kept_out is not None]
    moving.sort(key=lambda one: (-(one.pages or 0), one.check))
    columns = [Column("check", word("front_pages_error")), Column("kept_out", word("front_pages_kept_out"), True),
               Column("may_move", word("front_pages_may_move"), True), Column("kept_out_share", word("front_pages_kept_out_share"), True)]
    rows = [[Shown(_check(view, one.check), one.check, _rows_link(one.check, facility)), one.kept_out, one.may_move, _shown(_share(one))] for one in moving]
    drawn = moving[:DRAWN]
    chart = {"kind": "stacked", "y": [_check(view, one.check) for one in drawn], "tones": ["bad", "warn"],
             "series": [{"name": word(f"front_pages_{name}"), "data": [getattr(one, name) for one in drawn]} for name in ("kept_out", "may_move")]}
    return Panel("groups", word("front_pages_groups"), Sheet(columns, rows, about(view, found.period)), chart if drawn else None,
                 word("front_pages_groups_note"))


def _share(one: ErrorCost) -> float | None:
    whole = (one.kept_out or 0) + (one.may_move or 0)
    return 100 * (one.kept_out or 0) / whole if whole else None
