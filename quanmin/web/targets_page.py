"""Targets: what is to be reached by when, set one by one or from a sheet; who set what and when."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from quanmin.catalog.messages import language
from quanmin.gate.target_setting import TargetFile, check_target, read_targets, set_targets, settable
from quanmin.model import Problem, Refusal
from quanmin.model.answer import verdict_of
from quanmin.web.figures import value_text
from quanmin.web.overview_page import about, board_names
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

router = APIRouter()
ENTRIES_SHOWN = 300


def _target_columns() -> list[Column]:
    """The columns that a sheet of targets needs."""
    return [Column("indicator", word("indicator")), Column("place_code", word("place_or_institution")), Column("period", word("year")),
            Column("value", word("target_value"), True)]


def targets_panel(view: View, year: str) -> Panel:
    """The targets of a year, with where each stands in the newest period."""
    names = view.place_names() | view.facility_names()
    columns = [*_target_columns(), Column("now", word("value_now"), True), Column("verdict", word("verdict")), Column("source", word("target_source"))]
    filed = {(i, p, y) for i, p, y, _ in view.inquiry.filed_targets()}
    rows: list[Sequence[Any]] = []
    for name in sorted(view.inquiry.questions()):
        one = view.catalog.indicators[name]
        aims = {place: value for (place, period), value in view.targets(name).items() if period == year}
        shown = view.inquiry.newest() if view.inquiry.newest()[:4] == year else year
        cells = view.inquiry.by_unit(name, shown) if aims else {}
        for place, aim in sorted(aims.items()):
            cell = view.inquiry.of_period(name, shown) if place == view.inquiry.region else cells.get(place)
            value = None if cell is None or cell.missing or cell.suppressed else cell.value
            met = verdict_of(one.better, value, aim)
            is_set = view.inquiry.set_targets.values.get((name, place, year)) is not None
            source = word("set_by_hand") if is_set else word("from_file") if (name, place, year) in filed else ""
            now = Shown(value_text(one, value), None if value is None else float(value), "", met)
            rows.append([Shown(one.label.in_language(language()), name, f"/indicator/{name}"), Shown(names.get(place, place), place), year,
                         Shown(value_text(one, aim), aim), now, word(met) if met else "–", source])
    return Panel("targets", word("targets_of", year=year), Sheet(columns, rows, about(view, year)), is_open=True)


def entries_panel(view: View) -> Panel:
    """Who set or withdrew which target, the newest first; only what lies in the account's scope."""
    names, allowed = view.place_names() | view.facility_names(), set(settable(view.inquiry))
    columns = [Column("set_at", word("set_at")), Column("set_by", word("set_by")), Column("indicator", word("indicator")), Column("place", word("place")),
               Column("period", word("period")), Column("value", word("target"), True), Column("document", word("document")), Column("note", word("note"))]
    rows = []
    for entry in reversed([e for e in view.desk.site.ledger.targets() if e.place_code in allowed]):
        one = view.catalog.indicators.get(entry.indicator)
        shown = word("withdrawn") if entry.value is None or one is None else value_text(one, entry.value)
        rows.append([entry.set_at[:16].replace("T", " "), entry.set_by, one.label.in_language(language()) if one else entry.indicator,
                     Shown(names.get(entry.place_code, entry.place_code), entry.place_code), entry.period, Shown(shown, entry.value),
                     entry.document, entry.note])
    return Panel("entries", word("target_entries"), Sheet(columns, rows[:ENTRIES_SHOWN], about(view, "")), is_open=True)


def _page(request: Request, view: View, year: str, asked: dict[str, str], problems: Sequence[Problem] = (), read: TargetFile | None = None,
          done: int = 0) -> Response:
    known = sorted(view.inquiry.questions().values(), key=lambda one: (one.id not in board_names(view), one.code))
    years = sorted({period for name in view.inquiry.questions() for _, period in view.targets(name)} | {year, str(int(year) + 1)}, reverse=True)
    found = answer(request, "targets.html", [targets_panel(view, year), entries_panel(view)], snapshot=view.snapshot, year=year, years=years, asked=asked,
                   known=known, places=settable(view.inquiry), may_set=view.actor.may("targets"), problems=problems, read=read, done=done)
    found.status_code = 400 if problems and read is None else found.status_code
    return found


def _year(view: View, asked: str) -> str:
    return asked if asked.isdigit() and len(asked) == 4 else view.inquiry.newest()[:4]


@router.get("/targets")
def targets_page(request: Request, year: str = "", indicator: str = "", done: int = 0) -> Response:
    """The targets of a year, a form to set one, and a way to hand in a sheet."""
    view = View.of(request)
    view.actor.require("figures", "figures", "targets")
    return _page(request, view, _year(view, year), {"indicator": indicator, "period": _year(view, year)}, done=done)


@router.post("/targets")
def set_one(request: Request, indicator: Annotated[str, Form()] = "", place_code: Annotated[str, Form()] = "", period: Annotated[str, Form()] = "",
            value: Annotated[str, Form()] = "", document: Annotated[str, Form()] = "", note: Annotated[str, Form()] = "") -> Response:
    """Set one target (or with no value withdraw it)."""
    view = View.of(request)
    view.actor.require("targets", "set target", "one")
    row = {"indicator": indicator, "place_code": place_code, "period": period, "value": value, "document": document, "note": note}
    found = check_target(view.inquiry, settable(view.inquiry), row)
    if isinstance(found, Problem):
        return _page(request, view, _year(view, period), row, [found])
    set_targets(view.inquiry, [found])
    return RedirectResponse(f"/targets?year={found.period}&done=1", 303)


@router.post("/targets/sheet")
def set_from_sheet(request: Request, sheet: Annotated[UploadFile | None, File()] = None) -> Response:
    """Set the targets of a sheet: every line that will do is set, every other explained."""
    view = View.of(request)
    view.actor.require("targets", "set target", "sheet")
    year = _year(view, "")
    if sheet is None or not sheet.filename:
        return _page(request, view, year, {}, [Problem("", None, "", "", word("choose_sheet"), "CSV, XLSX")])
    name = Path(sheet.filename).name[-100:]
    with tempfile.NamedTemporaryFile(prefix="quanmin-", suffix=Path(name).suffix[:8]) as copy:
        copy.write(sheet.file.read())
        copy.flush()
        try:
            read = read_targets(view.inquiry, Path(copy.name), name, {c.label: c.name for c in _target_columns()})
        except Refusal as refusal:
            return _page(request, view, year, {}, refusal.problems)
    if read.accepted:
        set_targets(view.inquiry, read.accepted)
    return _page(request, View.of(request), read.accepted[0].period if read.accepted else year, {}, read.problems, read)
