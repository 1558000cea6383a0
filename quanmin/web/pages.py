"""The pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate.accounts import roles
from quanmin.gate.audit import Audit
from quanmin.model import Answer, Cell, Indicator, Problem
from quanmin.web.desk import Desk
from quanmin.web.figures import Figure, View, figure, has_time, number
from quanmin.web.words import word

router = APIRouter()
templates = Jinja2Templates(Path(__file__).with_name("templates"))
templates.env.globals |= {"t": word, "number": number, "spoken": language}
ROWS_SHOWN = 200
THEMES = ("tiered_care", "county_community", "tertiary_hospitals", "secondary_hospitals", "quality", "accreditation", "resources", "public_health")


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A rendered page with what every page needs."""
    session = getattr(request.state, "session", None)
    other = "en" if language() == "zh" else "zh"
    here = request.url.include_query_params(lang=other)
    values |= {"session": session, "other_language": f"{here.path}?{here.query}", "role": roles()[session.account.role][0] if session else None}
    return templates.TemplateResponse(request, template, values, status_code=status)


def error_page(request: Request, status: int, problems: Sequence[Problem] = ()) -> Response:
    """A page that says what is wrong and how to mend it."""
    names = {400: "bad_request", 403: "refused", 404: "not_found", 405: "bad_request", 422: "bad_request"}
    lines = [f"{p.rule}; {p.mend}" for p in problems]
    return page(request, "error.html", status, heading=word(names.get(status, "bad_request")), lines=lines)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _view(request: Request) -> View:
    desk = _desk(request)
    actor = desk.actor(request)
    return View(actor, desk.indicators(actor.scope))


def _indicator(view: View, name: str) -> Indicator:
    found = view.catalog.indicators.get(name)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/sign-in")
def sign_in_form(request: Request) -> HTMLResponse:
    """The sign-in form."""
    return page(request, "sign_in.html", failed=False, changed="changed" in request.query_params)


@router.post("/sign-in")
def sign_in(request: Request, name: str = Form("", max_length=200), password: str = Form("", max_length=500)) -> Response:
    """Sign in; a new session every time."""
    desk = _desk(request)
    token = desk.site.accounts.sign_in(name, password)
    Audit(desk.site.ledger).note(name[:100] if token else "?", "sign in", "", "done" if token else "refused")
    if token is None:
        return page(request, "sign_in.html", 401, failed=True, changed=False)
    response = RedirectResponse("/", 303)
    response.set_cookie(desk.cookie_name(request), token, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/")
    return response


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session on the server."""
    desk = _desk(request)
    desk.site.accounts.sign_out(request.cookies.get(desk.cookie_name(request), ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(desk.cookie_name(request), path="/")
    return response


@router.get("/password")
def password_form(request: Request) -> HTMLResponse:
    """The form to change one's password."""
    return page(request, "password.html")


@router.post("/password")
def change_password(request: Request, old: str = Form("", max_length=500), new: str = Form("", max_length=500)) -> Response:
    """Change one's password; every session of the account ends."""
    desk = _desk(request)
    desk.site.accounts.change_password(request.state.session.account, old, new)
    Audit(desk.site.ledger).note(request.state.session.account.name, "change password", "")
    return RedirectResponse("/sign-in?changed", 303)


@router.get("/")
def home(request: Request, theme: str = THEMES[0], period: str = "") -> HTMLResponse:
    """The list of indicators of a theme, with values by county against targets."""
    desk = _desk(request)
    if not desk.actor(request).may("figures"):
        return page(request, "no_figures.html", roles=roles())
    view = _view(request)
    others = sorted({i.theme for i in view.catalog.indicators.values()} - set(THEMES))
    if theme not in (*THEMES, *others):
        raise HTTPException(404)
    periods = view.periods()
    chosen = period if period in periods else view.usual_period()
    shown = sorted((i for i in view.catalog.indicators.values() if i.theme == theme), key=lambda i: (not i.is_executable, i.code, i.part))
    rows = [view.row(i, chosen, desk.site.settings.region) for i in shown if i.is_executable]
    return page(
        request, "home.html", themes=[*THEMES, *others], theme=theme, rows=rows, waiting=[i for i in shown if not i.is_executable], counties=view.counties(),
        periods=periods, period=chosen, snapshot=desk.site.snapshot(),
    )


@router.get("/indicator/{name}")
def indicator_page(request: Request, name: str, period: str = "", by: str = "") -> HTMLResponse:
    """One indicator: definition, trend, counties, breakdown."""
    desk, view = _desk(request), _view(request)
    one = _indicator(view, name)
    view.actor.require("figures", "figures", name)
    periods = view.periods()
    chosen = period if period in periods else view.usual_period()
    context: dict[str, Any] = {"one": one, "periods": periods, "period": chosen, "snapshot": desk.site.snapshot(), "region": desk.site.settings.region}
    if one.is_executable:
        context |= _figures(view, one, chosen, by, desk.site.settings.region)
    return page(request, "indicator.html", **context)


def _figures(view: View, one: Indicator, period: str, by: str, region: str) -> dict[str, Any]:
    where, targets, below = view.where(one, period), view.targets(one.id), view.indicators.suppress_below
    aim = targets.get((region, period[:4]))
    names = dict(view.counties())
    total = view.cells(one, [], where)
    counties = [(str(c.key["place"]), names.get(str(c.key["place"]), str(c.key["place"])), c) for c in view.cells(one, ["place"], where) if c.key.get("place")]
    dimensions = [d for d in one.by if d not in ("month", "year", "home_county", "facility_county")]
    chosen = by if by in dimensions else ""
    return {
        "total": figure(one, total[-1] if total else None, aim, below), "total_cell": total[-1] if total else None, "target": aim,
        "counties": [(code, name, c, figure(one, c, targets.get((code, period[:4]), aim), below)) for code, name, c in counties],
        "trend": _trend(view, one, aim), "dimensions": dimensions, "by": chosen,
        "breakdown": _breakdown(view, one, chosen, where) if chosen else [],
        "may_rows": view.actor.may("rows"), "column_label": _column_label(view, one),
    }


def _breakdown(view: View, one: Indicator, dimension: str, where: list[str]) -> list[tuple[str, Cell, Figure]]:
    names = view.code_names(one, dimension)
    found = []
    for cell in view.cells(one, [dimension], where):
        key = cell.key[dimension]
        shown = word("unknown") if key is None else names.get(str(key).lower() if isinstance(key, bool) else str(key), str(key))
        found.append((shown, cell, figure(one, cell, None, view.indicators.suppress_below)))
    return found


def _column_label(view: View, one: Indicator) -> dict[str, str]:
    labels: dict[str, str] = {}
    for table in view.indicators.tables_of(one):
        labels |= {c.name: c.label.in_language(language()) for c in view.catalog.tables[table].columns.values()}
    return labels


def _trend(view: View, one: Indicator, aim: float | None) -> dict[str, Any] | None:
    if not has_time(one, view.catalog.indicators):
        return None
    cells = view.cells(one, ["month"], [])
    grain = "month" if cells and len(str(cells[0].key["month"])) == 7 else "year"
    cells = cells if grain == "month" else view.cells(one, ["year"], [])
    points = [c for c in cells if c.key[grain] is not None]
    return {
        "title": word("trend" if grain == "month" else "trend_year"), "unit": one.unit, "target": aim, "targetName": word("target"),
        "valueName": one.label.in_language(language()), "intervalName": word("interval"), "boundsName": word("bounds"),
        "x": [c.key[grain] for c in points], "y": [c.value for c in points], "low": [c.low for c in points], "high": [c.high for c in points],
        "bounds": [bool(c.missing) for c in points],
    }


@router.get("/indicator/{name}/rows")
def rows_page(request: Request, name: str, period: str = "", place: str = "", which: str = "denominator") -> HTMLResponse:
    """The rows behind a figure, masked, each with the sender, file and line it came from."""
    view = _view(request)
    one = _indicator(view, name)
    where = view.where(one, period) + ([f"place = '{place}'"] if place.isalnum() else [])
    table = view.actor.rows(view.indicators, name, which, where, ROWS_SHOWN)
    filled = [c for c in table.column_names if table[c].null_count < len(table)]
    return page(request, "rows.html", one=one, columns=filled, rows=table.select(filled).to_pylist(), labels=_column_label(view, one), which=which,
                period=period, place=place, count=ROWS_SHOWN)


@router.get("/indicator/{name}/figures.csv")
def figures_csv(request: Request, name: str, period: str = "", by: str = "place") -> Response:
    """The figures of a page as CSV."""
    view = _view(request)
    one = _indicator(view, name)
    dimensions = [d for d in by.split(",") if d]
    answer = view.actor.figures(view.indicators, name, dimensions, view.where(one, period))
    return Response(_csv(answer), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


def _csv(answer: Answer) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ("numerator", "denominator", "unknown", "value", "low", "high", "suppressed")
    writer.writerow([*answer.by, *names])
    for cell in answer.cells:
        writer.writerow([*cell.key.values(), *(getattr(cell, name) for name in names)])
    return stream.getvalue()
