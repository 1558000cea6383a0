"""Signing in and out, and changing one's password."""

from __future__ import annotations

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from quanmin.gate.audit import Audit
from quanmin.model import Refusal
from quanmin.web.desk import Desk
from quanmin.web.rendering import page
from quanmin.web.words import word

router = APIRouter()


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


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
    return page(request, "password.html", problems=())


@router.post("/password")
def change_password(request: Request, old: str = Form("", max_length=500), new: str = Form("", max_length=500)) -> Response:
    """Change one's password; every session of the account ends."""
    desk = _desk(request)
    try:
        desk.site.accounts.change_password(request.state.session.account, old, new)
    except Refusal as refusal:
        return page(request, "password.html", 400, problems=[word("password_refused"), *(p.rule for p in refusal.problems)])
    Audit(desk.site.ledger).note(request.state.session.account.name, "change password", "")
    return RedirectResponse("/sign-in?changed", 303)
