"""brief: the monthly brief as Word document, slides, workbook and PDF; situation: the report of one event; exercise-report: that of one exercise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog.messages import LANGUAGES, language, say
from quanmin.cli.answers import AsOf
from quanmin.cli.sites import SiteFolder, open_site
from quanmin.model import Problem, Refusal


def _listed(given: str, known: tuple[str, ...], option: str) -> list[str]:
    wanted = [one.strip() for one in given.split(",") if one.strip()]
    wrong = [one for one in wanted if one not in known]
    if wrong or not wanted:
        raise Refusal(Problem(option, None, "", ", ".join(wrong), say("bad_value"), ", ".join(known)))
    return wanted


def brief(site: SiteFolder, period: Annotated[str, typer.Option(metavar="MONTH", help="the newest complete month unless given")] = "",
          forms: Annotated[str, typer.Option(metavar="a,b", help="docx, pptx, xlsx, pdf")] = "docx,pptx,xlsx,pdf",
          lang: Annotated[str, typer.Option(help="zh or en; the site's first language unless given")] = "",
          out: Annotated[Path, typer.Option(metavar="DIR", help="where the files go")] = Path("."), as_of: AsOf = None) -> None:
    """Write the monthly brief."""
    from quanmin.gate.inquiry import Inquiry
    from quanmin.reports.brief import Issue  # with scipy behind it: not before it is needed
    from quanmin.reports.brief import brief as made
    from quanmin.services.briefs import FORMATS, write

    opened = open_site(site)
    wanted = _listed(forms, FORMATS, "--forms")
    opened.speak(_listed(lang, LANGUAGES, "--lang")[0] if lang else "")
    inquiry = Inquiry(opened.operator(), opened.indicators(as_of, hold=True), opened.settings.region)
    issue = Issue(opened.settings.issued_by, opened.today(), opened.settings.address)
    found = made(inquiry, opened.boards, issue, opened.snapshot(as_of).published_at, period)
    out.mkdir(parents=True, exist_ok=True)
    for form in wanted:
        path = out / f"brief-{found.period}-{language()}.{form}"
        path.write_bytes(write(found, form, opened.folder / "templates"))
        print(path)


def situation(site: SiteFolder, event: Annotated[str, typer.Argument(metavar="EVENT", help="its number, as `events` lists it")],
              out: Annotated[Path | None, typer.Option(metavar="FILE.docx", help="situation-EVENT-LANG.docx unless given")] = None,
              lang: Annotated[str, typer.Option(help="zh or en; the site's first language unless given")] = "", as_of: AsOf = None) -> None:
    """Write the situation report of an event."""
    from quanmin.gate.inquiry import Inquiry
    from quanmin.reports.brief import Issue
    from quanmin.reports.situation import file_name, read_event, situation_report

    opened = open_site(site)
    opened.speak(_listed(lang, LANGUAGES, "--lang")[0] if lang else "")
    inquiry = Inquiry(opened.operator(), opened.indicators(as_of, hold=True), opened.settings.region)
    found = read_event(inquiry, event)
    path = out or Path(file_name(found))
    path.write_bytes(situation_report(inquiry, found, Issue(opened.settings.issued_by, opened.today())))
    print(path)


def exercise_report(site: SiteFolder, exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="its number, as `exercises` lists it")],
                    out: Annotated[Path | None, typer.Option(metavar="FILE.docx", help="exercise-EXERCISE-LANG.docx unless given")] = None,
                    lang: Annotated[str, typer.Option(help="zh or en; the site's first language unless given")] = "") -> None:
    """Write the report of an exercise."""
    from quanmin.gate.inquiry import Inquiry
    from quanmin.gate.performing import perform
    from quanmin.reports import exercise_report as reports
    from quanmin.reports.brief import Issue

    opened = open_site(site)
    opened.speak(_listed(lang, LANGUAGES, "--lang")[0] if lang else "")
    inquiry = Inquiry(opened.operator(), opened.indicators(None, hold=True), opened.settings.region)
    found = perform(inquiry, "exercise", {"exercise": exercise})
    path = out or Path(reports.file_name(found))
    path.write_bytes(reports.exercise_report(inquiry, found, Issue(opened.settings.issued_by, opened.today())))
    print(path)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(brief)
    app.command()(situation)
    app.command()(exercise_report)
