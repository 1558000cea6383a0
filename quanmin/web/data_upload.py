"""Handing in a file on a page: received to disk, taken in within its own thread, answered by its receipt."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from quanmin.catalog.messages import language
from quanmin.gate.accounts import Session
from quanmin.gate.retold import retold
from quanmin.gate.uploads import NotYours, submit
from quanmin.model import Problem, Receipt, Refusal
from quanmin.web.data_pages import data_desk, sender_name
from quanmin.web.rendering import failure, page
from quanmin.web.view import View
from quanmin.web.words import word

router = APIRouter()
UPLOAD = re.compile(r"/data/sender/[^/]{1,100}/upload")
LARGEST_FILE = 64 << 20
LARGEST_FORM = LARGEST_FILE + (64 << 10)
DRAINED = 4 * LARGEST_FORM  # what is read and thrown away, so that a browser hears the answer instead of a broken connection


async def receive(request: Request, session: Session) -> Response | None:
    """The refusal of an upload that may not pass, or None; a passing one lies in a temporary file, its form in `request.state.form`."""
    try:
        request.app.state.desk.actor(request).require("submit", "submit", "")
    except Refusal as refusal:
        return failure(request, 403, refusal.problems)
    if int(request.headers["content-length"]) > LARGEST_FORM:
        if int(request.headers["content-length"]) <= DRAINED:
            async for _ in request.stream():
                pass
        return failure(request, 413, [Problem("", None, "", "", word("file_too_large", size=LARGEST_FILE >> 20), word("split_by_month"))])
    form = await request.form(max_files=1, max_fields=4)
    request.state.form = form
    return None if form.get("csrf") == session.csrf else failure(request, 400)


@router.post("/data/sender/{sender}/upload")
def upload(request: Request, sender: str) -> Response:
    """Take in a file for a sender and go to its receipt; what cannot be read is explained."""
    view = View.of(request)
    desk = data_desk(view)
    desk.require_sender(sender, "submit")
    sent = request.state.form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return _refused(request, view, sender, [Problem("", None, "", "", word("no_file_chosen"), word("choose_a_file"))])
    try:
        receipt = submit(desk, view.desk.site.intake(), sender, sent.filename, sent.file)
    except NotYours as refusal:
        return _refused(request, view, sender, [*refusal.problems, Problem("", None, "", "", word("rows_of_others"), word("rows_of_others_mend"))], 403)
    finally:
        sent.file.close()
    if receipt.submission is None:
        return _refused(request, view, sender, _again(receipt))
    if receipt.status == "repeated":
        return RedirectResponse(f"/data/sender/{sender}?receipt={receipt.submission}&repeated=1", 303)
    request.app.state.builds.ask()
    return RedirectResponse(f"/data/sender/{sender}?receipt={receipt.submission}", 303)


def _again(receipt: Receipt) -> list[Problem]:
    return [Problem(p.file, p.line, p.field, p.value, retold(p.rule, language()), retold(p.mend, language())) for p in receipt.problems]


def _refused(request: Request, view: View, sender: str, problems: list[Problem], status: int = 400) -> Response:
    return page(request, "data_refused.html", status, sender=sender, name=sender_name(view, sender), problems=problems, snapshot=view.snapshot)
