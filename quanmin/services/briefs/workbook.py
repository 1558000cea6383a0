"""The brief as an Excel workbook: numbers as numbers, texts only ever as texts, links only in the footnotes."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from quanmin.services.briefs.brief import Bars, Brief, MapOf, Trend
from quanmin.services.briefs.contents import Words, caption, charts_of, is_link, issued_at, note, verdict_text
from quanmin.services.briefs.sealing import sealed

Cell = str | float | int | None
LONGEST_LINK = 2079  # characters; Excel's own limit
WIDEST = 60  # columns of a half-width character
LINE = 16  # points of a row
SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(brief: Brief, words: Words) -> bytes:
    """The brief as .xlsx: key points, key figures, one sheet for every chart and map, and the footnotes."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, SAFE) as book:
        book.set_properties({"title": brief.title[:255], "author": brief.issued_by[:255], "created": issued_at(brief)})
        looks = {
            "title": book.add_format({"bold": True, "font_size": 16, "font_color": "#C01A1A"}),
            "heading": book.add_format({"bold": True, "font_size": 12, "font_color": "#12395B"}),
            "head": book.add_format({"bold": True, "bg_color": "#EAF0F6", "bottom": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}),
            "text": book.add_format({"text_wrap": True, "valign": "top", "indent": 1}),
            "number": book.add_format({"num_format": "#,##0.####", "valign": "top"}),
            "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
            "link": book.add_format({"font_color": "#1F5F99", "underline": 1, "text_wrap": True, "valign": "top"}),
        }
        _headline(book, brief, words, looks)
        _figures(book, brief, words, looks)
        counts: dict[str, int] = {}
        for chart in charts_of(brief):
            kind = "trend" if isinstance(chart, Trend) else "bars" if isinstance(chart, Bars) else "map"
            counts[kind] = counts.get(kind, 0) + 1
            _chart(book, f"{words[kind]} {counts[kind]}", chart, words, looks)
        _footnotes(book, brief, words, looks)
    return sealed(written.getvalue(), issued_at(brief))


def _put(sheet: Any, row: int, column: int, value: Cell, looks: dict[str, Any], look: str = "text") -> None:
    if value is None:
        sheet.write_blank(row, column, None, looks[look])
    elif isinstance(value, str):
        sheet.write_string(row, column, value[:32767], looks[look])
    else:
        sheet.write_number(row, column, value, looks["whole" if float(value).is_integer() else "number"])


def _wide(value: Cell) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in value) if isinstance(value, str) else 10


def _lines(value: Cell, width: float) -> int:
    return max(math.ceil(_wide(value) / (width - 2)), 1)


def _table(sheet: Any, top: int, head: Sequence[str], rows: Sequence[Sequence[Cell]], looks: dict[str, Any]) -> None:
    widths = [min(max([9, _wide(name) + 3, *(_wide(row[column]) + 3 for row in rows)]), WIDEST) for column, name in enumerate(head)]
    for column, (name, width) in enumerate(zip(head, widths, strict=True)):
        _put(sheet, top, column, name, looks, "head")
        sheet.set_column(column, column, width)
    for place, row in enumerate(rows, top + 1):
        sheet.set_row(place, LINE * max(_lines(value, width) for value, width in zip(row, widths, strict=True)))
        for column, value in enumerate(row):
            _put(sheet, place, column, value, looks)
    sheet.freeze_panes(top + 1, 0)
    sheet.repeat_rows(top)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _headline(book: Any, brief: Brief, words: Words, looks: dict[str, Any]) -> None:
    sheet = book.add_worksheet(words["headline"])
    sheet.set_column(0, 0, 100)
    _put(sheet, 0, 0, brief.title, looks, "title")
    row = 1
    for text in (brief.issued_by, brief.issued_on, f"{words['period']}{words['colon']}{brief.period}", brief.as_of):
        _put(sheet, row, 0, text, looks)
        row += 1
    parts = [(words["headline"], brief.headline, "")]
    parts += [(s.heading, s.sentences or [words["none"]], note(s.footnotes)) for s in (brief.changes, brief.attention, brief.next_steps, brief.notes)]
    for heading, sentences, numbers in parts:
        _put(sheet, row + 1, 0, heading + numbers, looks, "heading")
        row += 2
        for sentence in sentences:
            sheet.set_row(row, LINE * _lines(sentence, 100))
            _put(sheet, row, 0, sentence, looks)
            row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _figures(book: Any, brief: Brief, words: Words, looks: dict[str, Any]) -> None:
    names = ("code", "indicator", "unit", "value", "shown", "numerator", "denominator", "unknown", "target")
    head = [*(words[name] for name in names), f"{words['target']} ({words['shown']})",
            *(words[name] for name in ("verdict", "rank", "change", "chance", "footnote"))]
    rows = [(f.indicator, f.name, f.unit, f.value, f.text, f.numerator, f.denominator, f.unknown, f.target, f.target_text,
             verdict_text(f.verdict, words), f.rank, f.change, f.chance, f.footnote) for f in brief.figures]
    _table(book.add_worksheet(words["figures"]), 0, head, rows, looks)


def _chart(book: Any, name: str, chart: Trend | Bars | MapOf, words: Words, looks: dict[str, Any]) -> None:
    sheet = book.add_worksheet(name)
    _put(sheet, 0, 0, f"{caption(chart, words)} {note(chart.footnote)}", looks, "heading")
    if isinstance(chart, MapOf):
        places = [*dict.fromkeys([*chart.outlines, *chart.values])]
        shown = [(place, chart.values.get(place), chart.texts.get(place, "")) for place in places]
        _table(sheet, 2, [words["place"], words["value"], words["shown"]], shown, looks)
        return
    measures = [words["value"], words["low"], words["high"], chart.target_name or words["target"]]
    is_trend = isinstance(chart, Trend)
    names = chart.months if isinstance(chart, Trend) else chart.names
    verdicts = [""] * len(names) if isinstance(chart, Trend) else [verdict_text(v, words) for v in chart.verdicts]
    rows = [(*row, chart.target, verdict)[:5 if is_trend else 6]
            for *row, verdict in zip(names, chart.values, chart.low, chart.high, verdicts, strict=True)]
    _table(sheet, 2, [words["month" if is_trend else "place"], *measures, *([] if is_trend else [words["verdict"]])], rows, looks)
    if rows:
        sheet.insert_chart(2, 7, _drawing(book, name, len(rows), is_trend, chart.target is not None, chart.unit))


def _drawing(book: Any, name: str, count: int, is_trend: bool, has_target: bool, unit: str) -> Any:
    """Excel's own chart of a sheet's columns; names come from cells, so that no text of the data becomes a formula."""
    drawing = book.add_chart({"type": "line" if is_trend else "bar"})
    blue, red = {"color": "#1F5F99"}, {"color": "#B42318", "dash_type": "dash", "width": 1.5}
    drawing.add_series({"name": [name, 2, 1], "categories": [name, 3, 0, 2 + count, 0], "values": [name, 3, 1, 2 + count, 1],
                        **({"line": blue, "marker": {"type": "circle", "size": 5, "fill": blue, "border": blue}} if is_trend else {"fill": blue})})
    if has_target and is_trend:
        drawing.add_series({"name": [name, 2, 4], "categories": [name, 3, 0, 2 + count, 0], "values": [name, 3, 4, 2 + count, 4], "line": red})
    if not is_trend:
        drawing.set_y_axis({"reverse": True})
    drawing.set_title({"none": True})
    drawing.set_legend({"position": "bottom"})
    drawing.set_size({"width": 620, "height": 320 if is_trend else max(260, 60 + 24 * count)})
    drawing.show_blanks_as("gap")
    return drawing


def _footnotes(book: Any, brief: Brief, words: Words, looks: dict[str, Any]) -> None:
    sheet = book.add_worksheet(words["footnotes"])
    rows = [(f.number, f.indicator, f.text, f.link) for f in brief.footnotes]
    _table(sheet, 0, [words["footnote"], words["code"], words["definition"], words["link"]], rows, looks)
    for row, footnote in enumerate(brief.footnotes, 1):
        if is_link(footnote.link) and len(footnote.link) <= LONGEST_LINK:
            sheet.write_url(row, 3, footnote.link, looks["link"], string=footnote.link)
