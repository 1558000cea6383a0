"""The report of an exercise as a Word document: the steps with the figures registered at its start, who did what in time, the score and earlier ones."""

from __future__ import annotations

import io
from datetime import datetime

from quanmin.catalog.messages import language
from quanmin.catalog.supplies import quantities
from quanmin.gate.inquiry import Inquiry
from quanmin.reports.brief import Issue
from quanmin.reports.situation import blank_document, listed_table, word_table
from quanmin.reports.wording import NOTHING, number
from quanmin.reports.words import OWN, told
from quanmin.services.preparedness.exercise_figures import Figure
from quanmin.services.preparedness.exercise_view import ExerciseView, Played

RESOURCES = ("ward", "icu", "nurse")
WIDTHS = (52, 30, 20, 20, 24, 24)  # mm


def file_name(view: ExerciseView) -> str:
    """What the document is called."""
    return f"exercise-{view.played.exercise}-{language()}.docx"


def figure_sentence(one: Figure) -> str:
    """A figure told with a step, in words."""
    what = one.what
    if one.what in quantities():
        what = quantities()[one.what].label.in_language(language())
    elif one.name == "short" and one.what in RESOURCES:
        what = told(OWN, f"exercise_resource_{one.what}")
    name = f"exercise_figure_{one.name}"
    if one.name == "short" and not one.value:
        name = "exercise_figure_short_none"
    elif one.name == "all_tested_hours" and one.value is None:
        name = "exercise_figure_all_tested_never"
    value = NOTHING if one.value is None else number(round(one.value, 1) if one.value % 1 else int(one.value))
    return told(OWN, name, value=value, what=what, where=one.where, on=one.on or NOTHING)


def _minutes(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.1f}"


def _summary(view: ExerciseView, place: str) -> list[tuple[str, str]]:
    one = view.played
    state = told(OWN, "exercise_running") if not one.is_over else told(OWN, "exercise_passed" if one.is_passed else "exercise_failed")
    score = NOTHING if one.score is None else f"{one.score:.0f} / 100"
    return [(told(OWN, "exercise_place"), place), (told(OWN, "exercise_began"), told(OWN, "exercise_began_told", at=one.started_at[:16].replace("T", " "),
                                                                                    by=one.started_by, pace=f"{view.pace:g}")),
            (told(OWN, "exercise_lasted"), _minutes(view.minutes)), (told(OWN, "exercise_score"), score), (told(OWN, "exercise_state"), state),
            (told(OWN, "exercise_counts"), told(OWN, "exercise_counts_told", in_time=one.in_time, late=one.late, missed=one.missed))]


def _earlier(rows: tuple[Played, ...], places: dict[str, str]) -> list[list[str]]:
    return [[one.started_at[:16].replace("T", " "), _place(one.county, places), NOTHING if one.score is None else f"{one.score:.0f}", str(one.in_time),
             str(one.late), str(one.missed)] for one in rows]


def _place(county: str, places: dict[str, str]) -> str:
    return places.get(county, county) if county else told(OWN, "exercise_whole_region")


def exercise_report(inquiry: Inquiry, view: ExerciseView, issue: Issue) -> bytes:
    """The report as .docx, equal bytes for equal content."""
    from quanmin.services.briefs.sealing import sealed

    document, one, places = blank_document(), view.played, dict(inquiry.place_names())
    title = told(OWN, "exercise_title", name=one.name, place=_place(one.county, places))
    document.add_heading(title, 0)
    issued = told(OWN, "situation_issued", on=issue.issued_on, event=one.exercise, snapshot=view.figures_snapshot)
    document.add_paragraph(" · ".join(part for part in (issue.issued_by, issued) if part))
    document.add_heading(told(OWN, "situation_summary"), 1)
    summary = _summary(view, _place(one.county, places))
    word_table(document, summary[0], summary[1:])
    document.add_heading(told(OWN, "exercise_steps"), 1)
    for step in view.steps:
        document.add_heading(told(OWN, "exercise_at_minute", minute=f"{step.at_minutes:g}"), 2)
        document.add_paragraph(step.told)
        for figure in step.figures:
            document.add_paragraph(figure_sentence(figure), style="List Bullet")
    document.add_heading(told(OWN, "exercise_reactions"), 1)
    rows = [[row.expected, row.role, _minutes(row.within_minutes), _minutes(row.after_minutes), told(OWN, f"exercise_state_{row.state}"),
             f"{row.earned:.1f} / {row.points:g}"] for row in view.reactions]
    header = [told(OWN, f"exercise_{name}") for name in ("expected", "role", "within", "after", "how", "points")]
    word_table(document, header, rows, WIDTHS)
    document.add_heading(told(OWN, "exercise_records"), 1)
    acts = [[act.at[:19].replace("T", " "), told(OWN, f"exercise_act_{act.act}"), act.reaction, _minutes(act.minutes), act.note] for act in view.acts]
    listed_table(document, [told(OWN, f"exercise_{name}") for name in ("at", "record", "reaction", "minute", "note")], acts, "exercise_no_records")
    document.add_heading(told(OWN, "exercise_earlier"), 1)
    listed_table(document, [told(OWN, f"exercise_{name}") for name in ("at", "place", "score", "in_time", "late", "missed")], _earlier(view.earlier, places),
                 "exercise_no_earlier")
    properties = document.core_properties
    properties.title, properties.author, properties.language, properties.comments = title[:255], issue.issued_by[:255], language(), ""
    written = io.BytesIO()
    document.save(written)
    return sealed(written.getvalue(), datetime.fromisoformat(issue.issued_on))
