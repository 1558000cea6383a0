"""The situation report of an event as a Word document."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.gate import NotAllowed
from quanmin.model import Refusal
from quanmin.reports.brief import Issue
from quanmin.reports.situation import file_name, read_event, situation_report
from quanmin.web.panels import FORMS
from quanmin.web.view import View

router = APIRouter()
EVENT = re.compile("[0-9a-f]{12}")


@router.get("/warnings/{event}/report.docx")
def situation_file(request: Request, event: str) -> Response:
    """The report of one event, in the spoken language; an event that is not known, or not seen, is not found."""
    view = View.of(request)
    view.actor.require("small", "situation", "event")
    if not EVENT.fullmatch(event):
        raise HTTPException(404)
    try:
        found = read_event(view.inquiry, event)
    except NotAllowed:
        raise
    except Refusal as error:
        raise HTTPException(404) from error
    site = view.desk.site
    made = situation_report(view.inquiry, found, Issue(site.settings.issued_by, site.today()))
    return Response(made, media_type=FORMS["docx"], headers={"Content-Disposition": f'attachment; filename="{file_name(found)}"'})
