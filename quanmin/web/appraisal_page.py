"""Appraisal of public hospitals: scores and grades, one hospital with what would move it, and two handbooks on the same data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate import NotAllowed
from quanmin.gate.evidence_desk import JUDGEMENTS, Reported, kept, report
from quanmin.gate.performing import perform
from quanmin.model import Problem, Refusal
from quanmin.services.appraisal.actions import Appraised, Hospital, WhatIf, driving_dimensions
from quanmin.services.appraisal.handbooks import ItemCompared
from quanmin.web.appraisal_panels import drivers_panel, evidence_panel, grades, handbooks_panel, hospitals_panel, items_panel, moved_panel
from quanmin.web.data_pages import data_desk
from quanmin.web.panels import answer
from quanmin.web.sheets import Panel
from quanmin.web.view import View, refused

router = APIRouter()
SHA256 = re.compile("[0-9a-f]{64}")
REPORT = re.compile(r"/appraisal/[0-9A-Za-z_.-]{1,40}/evidence")
CHANGES = 3  # values that may be changed at once on the page


def default_year(view: View) -> int:
    """The last whole year, or the only one."""
    years = [period for period in view.periods() if len(period) == 4]
    return int(years[1] if len(years) > 1 else years[0] if years else 0)


def _year(view: View, asked: str) -> int:
    if asked and (not asked.isdigit() or len(asked) != 4):
        raise refused("year", asked)
    return int(asked) if asked else default_year(view)


def _sheet(view: View, asked: str) -> str:
    known = list(view.catalog.sheets)
    if asked and asked not in known:
        raise refused("sheet", asked)
    return asked or next((name for name in sorted(known, reverse=True)), "")


def _years(view: View) -> list[str]:
    return [period for period in view.periods() if len(period) == 4]


def scores_of(view: View, sheet: str, of: int) -> tuple[Hospital, ...]:
    """The hospitals of a scoring sheet in a year, worked out once."""
    return view.remembered(("appraisal", sheet, of), lambda: perform(view.inquiry, "appraisal", {"sheet": sheet, "year": of}))


def _own_sheet(view: View, facility: str, of: int) -> str:
    """The sheet that a hospital is appraised by, the first where there is none."""
    names = sorted(view.catalog.sheets, reverse=True)
    return next((name for name in names if any(one.facility == facility for one in scores_of(view, name, of))), names[0])


@router.get("/appraisal")
def appraisal_page(request: Request, sheet: str = "", year: str = "", place: str = "") -> Response:
    """The hospitals of a scoring sheet by their points in a year."""
    view = View.of(request)
    view.actor.require("figures", "figures", "appraisal")
    chosen, of = _sheet(view, sheet), _year(view, year)
    view.inquiry.where(place)
    found = tuple(one for one in scores_of(view, chosen, of) if place in ("", one.county))
    scored = view.catalog.sheets[chosen]
    return answer(request, "appraisal.html", [hospitals_panel(view, scored, found, of)], snapshot=view.snapshot, sheet=scored, sheets=view.catalog.sheets,
                  year=str(of), years=_years(view), place=place, counties=view.counties())


@router.get("/appraisal/handbooks")
def handbooks_page(request: Request, first: str = "", second: str = "", year: str = "") -> Response:
    """Two handbooks on the same records: what their definitions alone move."""
    view = View.of(request)
    view.actor.require("figures", "figures", "handbooks")
    known, of = view.catalog.handbooks, _year(view, year)
    for asked in (first, second):
        if asked and asked not in known:
            raise refused("handbook", asked)
    names = sorted(known, key=lambda name: (known[name].level != "tertiary", known[name].year))
    one, other = first or names[0], second or next((n for n in reversed(names) if known[n].level == known[first or names[0]].level), names[-1])
    found: tuple[ItemCompared, ...] = view.remembered(("handbooks", one, other, of), lambda: perform(
        view.inquiry, "handbooks_compared", {"first": one, "second": other, "year": of}))
    panels = [moved_panel(view, found, of), handbooks_panel(view, known[one], known[other], found, of)]
    return answer(request, "handbooks.html", panels, snapshot=view.snapshot, first=one, second=other, handbooks=known, year=str(of), years=_years(view))


def _changes(request: Request) -> str:
    """What is to be changed, from pairs of fields `indicator` and `to`, or told as one text."""
    query = request.query_params
    pairs = zip(query.getlist("move"), query.getlist("to"), strict=False)
    return query.get("changes", "") or ",".join(f"{name}={value.strip()}" for name, value in pairs if name and value.strip())


def _what_if(request: Request, view: View, sheet: str, facility: str, of: int) -> tuple[WhatIf | None, Sequence[Problem]]:
    told = _changes(request)
    if not told:
        return None, ()
    try:
        found: WhatIf = perform(view.inquiry, "appraisal_what_if", {"sheet": sheet, "facility": facility, "changes": told, "year": of})
    except Refusal as refusal:
        return None, refusal.problems
    return found, ()


def _reportable(view: View, level: str) -> list[tuple[str, str]]:
    """(indicator, its name) of what a hospital of a level may report of itself."""
    items = {one.indicator for book in view.catalog.handbooks.values() if book.level == level for one in book.items}
    found = [view.catalog.indicators[name] for name in items]
    return [(one.id, f"{one.code} {one.label.in_language(language())}") for one in sorted(found, key=lambda one: (one.is_executable, one.code, one.part))]


def _drivers(view: View, facility: str, indicator: str, by: str, of: int) -> Panel | None:
    one = view.catalog.indicators.get(indicator)
    if one is None or not one.is_executable or not driving_dimensions(one) or not view.actor.may("small"):
        return None
    chosen = by if by in driving_dimensions(one) else ""
    return drivers_panel(view, perform(view.inquiry, "appraisal_drivers", {"indicator": indicator, "facility": facility, "year": of, "by": chosen}), of)


@router.post("/appraisal/{facility}/evidence")
def report_evidence(request: Request, facility: str, indicator: Annotated[str, Form()] = "", year: Annotated[str, Form()] = "",
                    judgement: Annotated[str, Form()] = "", value: Annotated[str, Form()] = "", document: Annotated[str, Form()] = "",
                    statement: Annotated[str, Form()] = "", evidence_file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Report a value or a judgement of an item with the document it rests on; in force from the next build."""
    view = View.of(request)
    desk, unit = data_desk(view), view.inquiry.units("facility").get(facility)
    desk.actor.require("submit", "report evidence", facility if unit else "?")
    if unit is None:
        raise refused("facility", facility)
    known = frozenset(one.indicator for book in view.catalog.handbooks.values() for one in book.items)
    file = (evidence_file.filename, evidence_file.file.read()) if evidence_file is not None and evidence_file.filename else None
    try:
        told = Reported(indicator, facility, unit.county, _year(view, year), judgement, value, document, statement, file)
        receipt = report(desk, view.desk.site.intake(), told, known)
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _hospital(request, view, facility, "", year, "", "", refusal.problems)
    if receipt.submission is None:
        return _hospital(request, view, facility, "", year, "", "", receipt.problems)
    request.app.state.builds.ask()
    return RedirectResponse(f"/appraisal/{facility}?year={year}&reported={receipt.submission}#evidence", 303)


@router.get("/appraisal/{facility}/evidence/{sha256}")
def evidence(request: Request, facility: str, sha256: str) -> Response:
    """A file that a hospital attached to what it reported, to be kept and not shown."""
    view = View.of(request)
    view.actor.require("figures", "evidence", facility if facility in view.facility_names() else "?")
    content = kept(data_desk(view), view.inquiry.evidence(), facility, sha256) if SHA256.fullmatch(sha256) else None
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{sha256[:12]}"'})


@router.get("/appraisal/{facility}")
def hospital_page(request: Request, facility: str, sheet: str = "", year: str = "", indicator: str = "", by: str = "", reported: int = 0) -> Response:
    """One hospital's appraisal: its items, what is lost where, what its gaps are made of, and its score with other values."""
    view = View.of(request)
    view.actor.require("figures", "figures", "appraisal")
    return _hospital(request, view, facility, sheet, year, indicator, by, reported=reported)


def _hospital(request: Request, view: View, facility: str, sheet: str, year: str, indicator: str, by: str, wrong: Sequence[Problem] = (),
              reported: int = 0) -> Response:
    of = _year(view, year)
    if facility not in view.facility_names():
        raise refused("facility", facility)
    chosen = _sheet(view, sheet) if sheet else _own_sheet(view, facility, of)
    found: Appraised = view.remembered(("appraised", chosen, facility, of), lambda: perform(
        view.inquiry, "appraisal_hospital", {"sheet": chosen, "facility": facility, "year": of}))
    tried, problems = _what_if(request, view, chosen, facility, of)
    scored, known = view.catalog.sheets[chosen], view.catalog.indicators
    movable = [item for item in found.items if not next(one for one in scored.items if one.indicator == item.indicator).is_judged]
    lossy = [i.indicator for i in found.items if i.lost > 0 and driving_dimensions(known[i.indicator])]
    lead = indicator or next((name for name in lossy if driving_dimensions(known[name]) != ("month",)), next(iter(lossy), ""))
    panels = [items_panel(view, scored, found), evidence_panel(view, facility, of)]
    if split := _drivers(view, facility, lead, by, of):
        panels.append(split)
    cuts = driving_dimensions(known[lead]) if lead in known else ()
    page = answer(request, "appraised.html", panels, snapshot=view.snapshot, found=found, sheet=scored, year=str(of), years=_years(view), grades=grades,
                  tried=tried, problems=problems, movable=movable, fields=range(CHANGES), known=known, lead=lead, dimensions=cuts,
                  labels=view.column_labels(known[lead]) if cuts else {}, by=by,
                  wrong=wrong, reported=reported, may_report=view.actor.may("submit"), reportable=_reportable(view, scored.level), judgements=JUDGEMENTS[1:])
    page.status_code = 400 if problems or wrong else page.status_code
    return page
