"""Exercises: a list with a form to start one, and the live board of one with what is due, what was recorded, and its score."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from quanmin.gate import NotAllowed
from quanmin.gate.performing import perform
from quanmin.model import Problem, Refusal
from quanmin.reports.brief import Issue
from quanmin.reports.exercise_report import exercise_report, file_name
from quanmin.services.preparedness.exercise_view import ExerciseView
from quanmin.services.preparedness.on_site import counties_seen
from quanmin.web.exercise_panels import PATH, acts_panel, earlier_panel, list_panel, place_of, reactions_panel, record_panel, steps, tiles
from quanmin.web.overview_page import about
from quanmin.web.panels import FORMS, answer
from quanmin.web.view import View, refused

router = APIRouter()
EXERCISE = re.compile("[0-9a-f]{12}")
PACES = (1, 5, 10, 30, 60, 120, 240)
ACTS = ("record_reaction", "correct_reaction", "end_exercise")


def _names(view: View) -> dict[str, str]:
    return dict(view.counties())


def _list(request: Request, view: View, problems: Sequence[Problem] = ()) -> Response:
    found, names = perform(view.inquiry, "exercises", {}), _names(view)
    seen = counties_seen(view.inquiry)
    panels = [list_panel(found, names, about(view, ""))]
    shown = answer(request, "exercises.html", panels, problems=problems, templates=found.templates, counties=[(code, names.get(code, code)) for code in seen],
                   sees_all=view.inquiry.sees_exercise(""), may=view.actor.may("respond") and view.actor.scope.kind != "facility", paces=PACES,
                   snapshot=view.snapshot)
    shown.status_code = 400 if problems else shown.status_code
    return shown


def _exercise(view: View, exercise: str) -> ExerciseView:
    """An exercise that may be seen; another is not found."""
    view.actor.require("small", "exercise", exercise[:12] if EXERCISE.fullmatch(exercise) else "?")
    if not EXERCISE.fullmatch(exercise):
        raise HTTPException(404)
    try:
        found: ExerciseView = perform(view.inquiry, "exercise", {"exercise": exercise})
    except NotAllowed:
        raise
    except Refusal as error:
        raise HTTPException(404) from error
    return found


def _page(request: Request, view: View, found: ExerciseView, problems: Sequence[Problem] = ()) -> Response:
    said, names = about(view, ""), _names(view)
    panels = [reactions_panel(found, said), acts_panel(found, said), record_panel(found, said)]
    panels += [earlier_panel(found, names, said)] if found.earlier else []
    shown = answer(request, "exercise.html", panels, problems=problems, found=found, one=found.played, place=place_of(found.played.county, names),
                   tiles=tiles(found), steps=steps(found), open=[row for row in found.reactions if row.state in ("due", "overdue")],
                   done=[row for row in found.reactions if row.state not in ("due", "overdue")], order=[panel.id for panel in panels], snapshot=view.snapshot)
    shown.status_code = 400 if problems else shown.status_code
    return shown


@router.get(PATH)
def exercises_page(request: Request) -> Response:
    """The exercises that may be seen, and a form to start one."""
    return _list(request, View.of(request))


@router.post(PATH)
def start(request: Request, template: Annotated[str, Form()] = "", place: Annotated[str, Form()] = "", pace: Annotated[str, Form()] = "1") -> Response:
    """Start an exercise."""
    view = View.of(request)
    try:
        found = perform(view.inquiry, "start_exercise", {"template": template, "place": place, "pace": _number("pace", pace)})
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _list(request, view, refusal.problems)
    return RedirectResponse(f"{PATH}/{found.played.exercise}", 303)


@router.get(f"{PATH}/{{exercise}}")
def exercise_page(request: Request, exercise: str) -> Response:
    """The board of one exercise."""
    view = View.of(request)
    return _page(request, view, _exercise(view, exercise))


@router.post(f"{PATH}/{{exercise}}")
def act_on(request: Request, exercise: str, act: Annotated[str, Form()] = "", reaction: Annotated[str, Form()] = "", note: Annotated[str, Form()] = "",
           minutes: Annotated[str, Form()] = "") -> Response:
    """Record a reaction, correct one, or end the exercise."""
    view = View.of(request)
    found = _exercise(view, exercise)
    try:
        _do(view, exercise, act, {"reaction": reaction, "note": note, "minutes": minutes})
    except NotAllowed:
        raise
    except Refusal as refusal:
        return _page(request, view, found, refusal.problems)
    return RedirectResponse(f"{PATH}/{exercise}", 303)


def _do(view: View, exercise: str, act: str, told: dict[str, str]) -> None:
    if act not in ACTS:
        raise refused("act", act)
    given: dict[str, Any] = {"exercise": exercise, "note": told["note"]}
    if act != "end_exercise":
        given["reaction"] = told["reaction"]
    if act == "correct_reaction":
        given["minutes"] = _number("minutes", told["minutes"])
    perform(view.inquiry, act, given)


def _number(name: str, told: str) -> float:
    """A number of a form; raises Refusal for what is none."""
    try:
        value = float(told)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refused(name, told)
    return value


@router.get(f"{PATH}/{{exercise}}/report.docx")
def report(request: Request, exercise: str) -> Response:
    """The report of one exercise as a Word document, in the spoken language."""
    view = View.of(request)
    found = _exercise(view, exercise)
    site = view.desk.site
    made = exercise_report(view.inquiry, found, Issue(site.settings.issued_by, site.today()))
    return Response(made, media_type=FORMS["docx"], headers={"Content-Disposition": f'attachment; filename="{file_name(found)}"'})
