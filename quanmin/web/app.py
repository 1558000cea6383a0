"""The web server: one door that denies by default, then pages and the REST API."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from quanmin.api import actions as api_actions
from quanmin.api.flow import router as flow_api
from quanmin.api.routes import router as api
from quanmin.catalog.messages import LANGUAGES, speak
from quanmin.gate import NotAllowed, Scope
from quanmin.gate.building import Builds
from quanmin.model import Refusal
from quanmin.site import Site
from quanmin.web import (
    about_page,
    appraisal_page,
    brief_page,
    case_mix_page,
    communities_page,
    data_checks_page,
    data_pages,
    data_upload,
    disease_page,
    exercises_page,
    findings_page,
    flow_page,
    front_pages_page,
    indicator_page,
    infections_page,
    outcomes_page,
    overview_page,
    pages,
    preparedness_pages,
    profile_page,
    quality_goals_page,
    review_page,
    sign_in,
    situation_page,
    targets_page,
    vaccine_safety_page,
    warnings_page,
    warnings_place_page,
)
from quanmin.web.desk import Desk
from quanmin.web.rendering import failure
from quanmin.web.serving import COLD
from quanmin.web.warming import warm

PAGES = (sign_in, overview_page, case_mix_page, outcomes_page, quality_goals_page, appraisal_page, findings_page, infections_page, warnings_place_page,
         warnings_page, disease_page, profile_page, pages, indicator_page, brief_page, flow_page, communities_page, preparedness_pages, exercises_page,
         targets_page, data_pages, data_checks_page, front_pages_page, data_upload, review_page, about_page, vaccine_safety_page, situation_page)
OPEN = ("/sign-in", "/static/", "/healthy")
LOG = logging.getLogger("quanmin.web")
LARGEST_BODY = 64 << 10
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self';"
    " base-uri 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
}


def _is_open(path: str) -> bool:
    return any(path == one.rstrip("/") or (one.endswith("/") and path.startswith(one)) for one in OPEN)


def _choose_language(request: Request, site: Site) -> str:
    asked = request.query_params.get("lang", "") or request.cookies.get("lang", "")
    return asked if asked in LANGUAGES else site.settings.languages[0]


def _largest(path: str) -> int:
    """Bytes that a form may have: more where evidence is attached."""
    is_attaching = findings_page.ACT.fullmatch(path) or appraisal_page.REPORT.fullmatch(path)
    return findings_page.LARGEST_FORM if is_attaching else LARGEST_BODY


def _came_from_here(request: Request) -> bool:
    """Whether an unsafe request comes from one of our own pages (Fetch Metadata, or Origin where a browser sends none)."""
    fetch_site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    return origin is None or origin.split("//")[-1] == request.headers.get("host")


async def _admit(request: Request, desk: Desk) -> Response | None:
    """The refusal of a request that may not pass, or None; a passing one carries its session."""
    if request.method not in ("GET", "HEAD", "POST"):
        return failure(request, 405)
    is_upload = request.method == "POST" and data_upload.UPLOAD.fullmatch(request.url.path) is not None
    if request.method == "POST":
        length = request.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or not _came_from_here(request) or (int(length) > _largest(request.url.path) and not is_upload):
            return failure(request, 400)
    if _is_open(request.url.path):
        return None
    session = desk.session(request)
    if session is None:
        return JSONResponse({"error": "unauthorised"}, 401) if request.url.path.startswith("/api/") else RedirectResponse("/sign-in", 303)
    request.state.session = session
    if session.account.must_change and request.url.path not in ("/password", "/sign-out"):
        return RedirectResponse("/password", 303) if not request.url.path.startswith("/api/") else JSONResponse({"error": "password"}, 403)
    if is_upload:
        return await data_upload.receive(request, session)
    if request.method == "POST":
        await request.body()  # kept by the framework, so that the page can read the form again
        if (await request.form()).get("csrf") != session.csrf:
            return failure(request, 400)
    return None


@asynccontextmanager
async def _warmed(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    if not os.environ.get(COLD):
        desk.is_serving = True
        Thread(target=warm, args=(desk,)).start()
    elif desk.site.ledger.snapshots():
        desk.hold(Scope())
    yield
    desk.close()


def _answer_failures(app: FastAPI) -> None:
    """What is refused, not there or misread is answered with a page (or JSON) that says so."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        speak(request.state.language)
        return failure(request, 403 if isinstance(refusal, NotAllowed) else 400, refusal.problems)

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        speak(request.state.language)
        return failure(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        speak(request.state.language)
        return failure(request, 422)


def create_app(site: Site | None = None) -> FastAPI:
    """The application over a site (by default the one named in QUANMIN_SITE)."""
    opened = site or Site(Path(os.environ["QUANMIN_SITE"]))
    opened.speak()
    desk = Desk(opened)
    app = FastAPI(title="Quanmin", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_warmed)
    app.state.desk = desk
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")))
    app.state.builds = Builds(opened.folder)
    for part in PAGES:
        app.include_router(part.router)
    for served in (api, flow_api, api_actions.router):
        app.include_router(served, prefix="/api")

    @app.middleware("http")
    async def door(request: Request, call_next: RequestResponseEndpoint) -> Response:
        chosen = _choose_language(request, opened)
        speak(chosen)
        request.state.language = chosen
        try:
            response = await _admit(request, desk) or await call_next(request)
        except HTTPException as error:
            response = failure(request, error.status_code)
        except Exception:
            LOG.exception("a request failed")
            response = failure(request, 500)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "public, max-age=3600"
        if request.query_params.get("lang", "") in LANGUAGES:
            response.set_cookie("lang", request.query_params["lang"], max_age=365 * 86400, httponly=True, samesite="lax")
        return response

    _answer_failures(app)

    @app.get("/healthy")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    return app
