"""The monthly brief as a file, of what the account sees."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.reports.brief import Issue, brief
from quanmin.services.briefs import FORMATS, write
from quanmin.web.view import View

router = APIRouter()
OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA = {"docx": f"{OFFICE}wordprocessingml.document", "pptx": f"{OFFICE}presentationml.presentation", "xlsx": f"{OFFICE}spreadsheetml.sheet",
         "pdf": "application/pdf"}


@router.get("/brief.{form}")
def brief_file(request: Request, form: str, period: str = "") -> Response:
    """The brief of a month as docx, pptx, xlsx or pdf, in the spoken language."""
    if form not in FORMATS:
        raise HTTPException(404)
    view = View.of(request)
    view.actor.require("figures", "brief", form)
    settings = view.desk.site.settings
    issue = Issue(settings.issued_by, view.desk.site.today(), settings.address or str(request.base_url).rstrip("/"))
    key = ("brief", period, issue, view.inquiry.set_targets.version)
    made = view.remembered(key, lambda: brief(view.inquiry, view.desk.site.boards, issue, view.snapshot.published_at, period))
    name = f"brief-{made.period}-{language()}.{form}"
    return Response(write(made, form, view.desk.site.folder / "templates"), media_type=MEDIA[form],
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})
