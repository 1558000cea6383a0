"""Pages out of templates, with what every page needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.templating import Jinja2Templates

from quanmin.catalog.messages import all_messages, language, say
from quanmin.catalog.wording import note_in
from quanmin.gate.accounts import roles
from quanmin.model import Problem
from quanmin.reports.words import told
from quanmin.web.figures import half_words, number, unit, value_text
from quanmin.web.sheets import table_of
from quanmin.web.words import is_word, native, word

NAMES = {400: "bad_request", 403: "refused", 404: "not_found", 405: "bad_request", 422: "bad_request", 500: "broken"}


def action(name: str, kind: str = "action_") -> str:
    """The name of an audited action (or result) in the spoken language."""
    known = kind + name.replace(" ", "_")
    if is_word(known):
        return word(known)
    return say(f"do_{name}") if f"do_{name}" in all_messages() else name


def here(request: Request, **changes: Any) -> str:
    """The address of the page that is shown, with other values of its query; an export is none of its own."""
    url = request.url.remove_query_params("export").include_query_params(**changes)
    return f"{url.path}?{url.query}"


SECTIONS = (  # path, word, permission
    ("/", "overview", "figures"),
    ("/indicators", "indicators", "figures"),
    ("/flow", "flow_section", "figures"),
    ("/case-mix", "case_mix_section", "figures"),
    ("/outcomes", "outcomes_section", "figures"),
    ("/quality-goals", "goals_section", "figures"),
    ("/appraisal", "appraisal_section", "figures"),
    ("/findings", "findings_section", "small"),
    ("/warnings", "warnings_section", "small"),
    ("/preparedness", "prep_section", "figures"),
    ("/communities", "communities_section", "figures"),
    ("/vaccine-safety", "vaccine_section", "figures"),
    ("/targets", "targets", "figures"),
    ("/data", "data_section", "figures"),
    ("/review", "review_section", "decide"),
    ("/about", "about_section", "figures"),
)
WITHIN = {"/diseases/": "/warnings", "/indicator/": "/indicators", "/place/": "/", "/facility/": "/", "/community/": "/communities", "/infections": "/findings"}


def section_of(path: str) -> str:
    """The section a page belongs to, by its address; "" for a page of none."""
    within = next((section for begin, section in WITHIN.items() if path.startswith(begin)), path)
    return next((section for section, *_ in SECTIONS if within == section or (section != "/" and within.startswith(section))), "")


templates = Jinja2Templates(Path(__file__).with_name("templates"))
templates.env.globals |= {
    "t": word, "section_of": section_of,
    "number": number, "spoken": language, "native": native, "unit": unit, "value_text": value_text, "half_words": half_words,
    "action": action, "sections": SECTIONS, "here": here, "told": told, "table_of": table_of, "note": lambda text: note_in(text, language()),
}


def read_templates() -> None:
    """Read every template before the first page needs it."""
    for name in templates.env.list_templates():
        templates.env.get_template(name)


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A rendered page."""
    session = getattr(request.state, "session", None)
    other = "en" if language() == "zh" else "zh"
    here = request.url.include_query_params(lang=other)
    if "snapshot" in values:
        values["newest"] = request.app.state.desk.site.snapshot().id
    values |= {"session": session, "other_language": f"?{here.query}", "role": roles()[session.account.role][0] if session else None}
    return templates.TemplateResponse(request, template, values, status_code=status)


def failure(request: Request, status: int, problems: Sequence[Problem] = ()) -> Response:
    """What is wrong and how to mend it: a page, or JSON where the API was asked."""
    heading = word(NAMES.get(status, "bad_request"))
    lines = [f"{p.field} {p.rule} · {p.mend}".strip() for p in problems]
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": heading, "problems": lines}, status)
    return page(request, "error.html", status, heading=heading, lines=lines)
