"""The situation report of one event of surveillance as a Word document: the same figures as the action `event`, and no names of persons."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from quanmin.catalog.messages import language
from quanmin.gate.inquiry import Inquiry
from quanmin.gate.performing import perform
from quanmin.reports.brief import Issue
from quanmin.reports.situation_cases import analysis
from quanmin.reports.wording import NOTHING, number
from quanmin.reports.words import OWN, told
from quanmin.services.surveillance.actions import EventView
from quanmin.services.surveillance.signal import COMBINED, Signal

HEIGHT = 2.4  # inches
DARK, PALE = "#b42318", "#b7c4d3"
TABLE = "Light Grid Accent 1"
CHINESE_FONT = "Microsoft YaHei"
TICKS = 8
MARGIN, SIGNAL_WIDTHS = 20, (42, 24, 20, 20, 20, 30, 16)  # mm


def read_event(inquiry: Inquiry, event: str) -> EventView:
    """The event as the action `event` gives it; raises Refusal for one that is not known or not seen."""
    found: EventView = perform(inquiry, "event", {"event": event})
    return found


def file_name(view: EventView) -> str:
    """What the document is called."""
    return f"situation-{view.event.id}-{language()}.docx"


def _name(inquiry: Inquiry, codes: str, code: str) -> str:
    label = inquiry.indicators.catalog.codes[codes].codes.get(code)
    return label.in_language(language()) if label is not None else code


def item_name(inquiry: Inquiry, view: EventView) -> str:
    """What the event is of: a disease, or a kind of disease where none is named."""
    return _name(inquiry, "notifiable_disease" if view.event.is_named else "trigger_group", view.event.item)


def _summary(inquiry: Inquiry, view: EventView) -> list[tuple[str, str]]:
    """The first questions and their answers."""
    one, places = view.event, inquiry.place_names()
    where = " · ".join(places.get(code, code) for code in (one.county, one.township) if code)
    sure = told(OWN, "situation_sure_listed") if one.p is None else told(OWN, "situation_sure_p", p=f"{one.p:.1e}")
    return [(told(OWN, "situation_what"), item_name(inquiry, view)), (told(OWN, "situation_where"), where),
            (told(OWN, "situation_since"), told(OWN, "situation_since_told", first=one.first_on, last=one.last_on, raised=one.raised_on)),
            (told(OWN, "situation_activity"), told(OWN, f"situation_activity_{one.activity}")),
            (told(OWN, "situation_cases"), number(one.cases) if one.is_named else NOTHING), (told(OWN, "situation_sure"), sure),
            (told(OWN, "situation_state"), told(OWN, f"situation_state_{one.state}"))]


def _next_steps(view: EventView) -> list[str]:
    one = view.event
    desk = told(OWN, f"situation_desk_{one.desk}")
    steps = [told(OWN, f"situation_next_{one.state}", desk=desk, due=one.due_on, hours=one.due_hours)]
    return [told(OWN, "situation_next_late"), *steps] if one.is_late else steps


def _notes(view: EventView) -> list[str]:
    names = ("known", "named" if view.event.is_named else "kind", "towns", "signal")
    return [told(OWN, f"situation_note_{name}", known=view.event.known_on) for name in names]


def _curve(view: EventView) -> bytes:
    """Cases by day as bars, those of the event dark, as PNG."""
    from quanmin.services.briefs.charts import drawn  # matplotlib: not before it is needed

    days, cases = [one.day for one in view.curve], [one.cases for one in view.curve]

    def paint(figure: Any) -> None:
        axes = figure.add_subplot()
        axes.bar(range(len(days)), cases, width=0.9, color=[DARK if view.event.first_on <= day <= view.event.last_on else PALE for day in days])
        step = max(1, len(days) // TICKS)
        axes.set_xticks(range(0, len(days), step), [day[5:] for day in days[::step]])
        axes.yaxis.get_major_locator().set_params(integer=True)

    return drawn(paint, HEIGHT, "png")


def word_table(document: Any, header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] = ()) -> None:
    """Add a table; `widths` in mm."""
    from docx.shared import Mm

    table = document.add_table(rows=1, cols=len(header), style=TABLE)
    for row, texts in [(table.rows[0], header), *((table.add_row(), texts) for texts in rows)]:
        for k, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            cell.text = text
            if widths:
                cell.width = Mm(widths[k])


def _signals(inquiry: Inquiry, view: EventView) -> tuple[list[str], list[list[str]]]:
    names = ("source", "peak", "observed", "expected", "upper", "method")

    def figure(value: float | None) -> str:
        return NOTHING if value is None else number(round(value, 2))

    def source(name: str) -> str:
        return told(OWN, "situation_combined") if name == COMBINED else _name(inquiry, "surveillance_source", name)

    def counts(one: Signal) -> list[str]:
        if one.source == COMBINED:  # a probability, which stands in its own column
            return [NOTHING] * 3
        return [figure(one.observed), figure(one.expected), figure(one.upper)]

    rows = [[source(one.source), one.peak_on, *counts(one), one.method,
             NOTHING if one.p is None else f"{one.p:.1e}"] for one in view.signals]
    return [*(told(OWN, f"situation_{name}") for name in names), "p"], rows


def blank_document() -> Any:
    """An empty document with the margins and fonts of our reports."""
    from docx import Document  # large, and rarely asked for
    from docx.oxml.ns import qn
    from docx.shared import Mm

    document = Document()
    document.sections[0].left_margin = document.sections[0].right_margin = Mm(MARGIN)
    for name in ("Normal", "Title", "Heading 1", "Heading 2"):
        document.styles[name].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), CHINESE_FONT)
    return document


def situation_report(inquiry: Inquiry, view: EventView, issue: Issue) -> bytes:
    """The report as .docx, equal bytes for equal content; a machine without a Chinese font is a Refusal. Who entered what is left out."""
    from docx.shared import Mm

    from quanmin.services.briefs.sealing import sealed

    document, one, places = blank_document(), view.event, inquiry.place_names()
    title = told(OWN, "situation_title", place=places.get(one.county, one.county), item=item_name(inquiry, view))
    document.add_heading(title, 0)
    issued = told(OWN, "situation_issued", on=issue.issued_on, event=one.id, snapshot=view.snapshot)
    document.add_paragraph(" · ".join(part for part in (issue.issued_by, issued) if part))
    document.add_heading(told(OWN, "situation_summary"), 1)
    summary = _summary(inquiry, view)
    word_table(document, summary[0], summary[1:])
    document.add_heading(told(OWN, "situation_curve"), 1)
    said = told(OWN, "situation_curve_told", first=view.curve[0].day, last=view.curve[-1].day, count=number(sum(day.cases for day in view.curve)))
    document.add_picture(io.BytesIO(_curve(view)), width=Mm(150))
    document.inline_shapes[0]._inline.docPr.set("descr", said)
    document.add_paragraph(said)
    _bullets(document, "situation_analysis", analysis(inquiry, one), 2)
    document.add_heading(told(OWN, "situation_towns"), 1)
    towns = [[places.get(code, code), number(count)] for code, count in view.townships]
    listed_table(document, [told(OWN, "situation_town"), told(OWN, "situation_cases")], towns, "situation_town_none")
    document.add_heading(told(OWN, "situation_signals"), 1)
    word_table(document, *_signals(inquiry, view), SIGNAL_WIDTHS)
    document.add_heading(told(OWN, "situation_measures"), 1)
    acts = [[act.at[:16].replace("T", " "), told(OWN, f"situation_act_{act.act}"), act.text] for act in view.acts]
    listed_table(document, [told(OWN, f"situation_{name}") for name in ("at", "act", "text")], acts, "situation_acts_none")
    for heading, lines in (("situation_next", _next_steps(view)), ("situation_notes", _notes(view))):
        _bullets(document, heading, lines)
    properties, at = document.core_properties, datetime.fromisoformat(issue.issued_on)
    properties.title, properties.author, properties.language, properties.comments = title[:255], issue.issued_by[:255], language(), ""
    written = io.BytesIO()
    document.save(written)
    return sealed(written.getvalue(), at)


def _bullets(document: Any, heading: str, lines: Sequence[str], level: int = 1) -> None:
    """A heading with its sentences; nothing where there are none."""
    if lines:
        document.add_heading(told(OWN, heading), level)
    for line in lines:
        document.add_paragraph(line, style="List Bullet")


def listed_table(document: Any, header: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    """A table, or a sentence that there is nothing to list."""
    if rows:
        word_table(document, header, rows)
    else:
        document.add_paragraph(told(OWN, nothing))
