"""The brief as slides: one sentence heads each, charts that PowerPoint can edit, the map as a picture, sources at the end."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pptx
from pptx.dml.color import RGBColor
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Mm, Pt

from quanmin.services.briefs.brief import Bars, Brief, Footnote, MapOf, Section
from quanmin.services.briefs.charts import picture
from quanmin.services.briefs.contents import Words, caption, charts_of, figure_row, figures_told, is_link, issued_at, note, told
from quanmin.services.briefs.sealing import sealed
from quanmin.services.briefs.shipped import template
from quanmin.services.briefs.slide_charts import add_chart, in_parts
from quanmin.services.briefs.words import refused

INK, BLUE, GREY, RED = RGBColor(0x1F, 0x29, 0x33), RGBColor(0x1F, 0x5F, 0x99), RGBColor(0x5A, 0x67, 0x75), RGBColor(0xC0, 0x1A, 0x1A)
COLOURS = {"met": RGBColor(0x1F, 0x6B, 0x52), "missed": RGBColor(0xB4, 0x53, 0x09)}
ROWS, NOTES, LINES = 8, 6, 11  # of a slide
LONGEST_TITLE = 150  # half-width characters of a slide's sentence
COLUMNS = (("indicator", 26), ("unit", 10), ("value", 11), ("numerator", 12), ("denominator", 13), ("target", 16), ("rank", 8), ("change", 14), ("chance", 13))


def slides(brief: Brief, words: Words, templates: Path | None) -> bytes:
    """The brief as .pptx on the slide master of its template; a bureau's own that cannot be used is a Refusal."""
    maps = {id(chart): picture(chart, words, "png") for chart in brief.maps}
    given = template("brief.pptx", templates)
    try:
        show = Show(given.path, brief, words)
    except Exception as error:  # a bureau's file may be broken in any way
        if not given.is_own:
            raise
        reason = words["no_layout"] if isinstance(error, LookupError) else str(error) or type(error).__name__
        raise refused(str(given.path), "broken_template", "mend_template", reason=reason) from error
    show.cover()
    show.sentences(words["headline"], brief.headline)
    show.figures()
    for chart in charts_of(brief):
        for part in in_parts(chart) if isinstance(chart, Bars) else [chart]:
            slide = show.slide(told(chart, words), caption(chart, words) + note(chart.footnote))
            if isinstance(part, MapOf):
                show.centred(slide, maps[id(part)], told(part, words))
            else:
                add_chart(slide, part, words, show.left, show.top, show.width, show.height)
    for section in (brief.changes, brief.attention, brief.next_steps, brief.notes):
        show.section(section)
    show.footnotes(brief.footnotes)
    return sealed(show.written(), issued_at(brief))


def wide(text: str) -> int:
    """The width of a text in half-width characters; Chinese ones count two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def row_height(row: dict[str, str]) -> int:
    """The height in EMU a key figure's row needs, for viewers do not all let rows grow."""
    lines = max(math.ceil(wide(row["name"] + row["note"]) / 27), 2 if row["unknown"] else 1,
                math.ceil(wide(row["change"]) / 14), math.ceil(wide(row["chance"]) / 13))
    return int(Mm(4.5 + 5.2 * lines))


class Show:
    """A presentation that grows slide by slide; lengths in EMU. A master without a title layout is a LookupError."""

    def __init__(self, path: Path, brief: Brief, words: Words) -> None:
        self.show, self.brief, self.words = pptx.Presentation(str(path)), brief, words
        for old in list(self.show.slides._sldIdLst):  # a bureau's file may hold a sample slide
            self.show.part.drop_rel(old.rId)
            self.show.slides._sldIdLst.remove(old)
        titled = [layout for layout in self.show.slide_layouts
                  if any(p.placeholder_format.type == PP_PLACEHOLDER.TITLE for p in layout.placeholders)]
        covers = [layout for layout in self.show.slide_layouts
                  if any(p.placeholder_format.type == PP_PLACEHOLDER.CENTER_TITLE for p in layout.placeholders)]
        if not titled:
            raise LookupError("title")
        self.layout = min(titled, key=lambda layout: len(list(layout.placeholders)))
        self.first = covers[0] if covers else self.layout
        self.left, self.width = Mm(14), self.show.slide_width - Mm(28)
        self.top, self.height = Mm(46), self.show.slide_height - Mm(46) - Mm(16)

    def cover(self) -> None:
        """The first slide: title, period, issuer and day."""
        slide = self.show.slides.add_slide(self.first)
        slide.shapes.title.text_frame.text = self.brief.title
        lines = [self.brief.period, self.brief.issued_by, self.brief.issued_on, self.brief.as_of]
        body = next((p for p in slide.placeholders if p.placeholder_format.type in (PP_PLACEHOLDER.SUBTITLE, PP_PLACEHOLDER.BODY)), None)
        holder = body or slide.shapes.add_textbox(self.left, int(self.show.slide_height * 0.62), self.width, Mm(36))
        self.write(holder.text_frame, lines, 20)

    def slide(self, sentence: str, kicker: str = "") -> Any:
        """A slide headed by `sentence`, with a small line above and the page's number below."""
        slide = self.show.slides.add_slide(self.layout)
        title = slide.shapes.title
        title.text_frame.text, title.text_frame.word_wrap = sentence, True
        size = 26 if wide(sentence) <= 52 else 22 if wide(sentence) <= 84 else 18
        for run in title.text_frame.paragraphs[0].runs:
            run.font.size = Pt(size)
        for spare in [p for p in slide.placeholders if p.placeholder_format.idx != title.placeholder_format.idx]:
            spare._element.getparent().remove(spare._element)
        if kicker:
            self.write(self.box(slide, self.left, Mm(34), self.width, Mm(9)), [kicker], 14, GREY)
        foot = self.show.slide_height - Mm(12)
        self.write(self.box(slide, self.left, foot, int(self.width * 0.85), Mm(8)), [f"{self.brief.title}  {self.brief.period}"], 10, GREY)
        number = self.box(slide, self.left + int(self.width * 0.85), foot, int(self.width * 0.15), Mm(8))
        self.write(number, [str(len(self.show.slides))], 10, GREY)
        number.paragraphs[0].alignment = PP_ALIGN.RIGHT
        return slide

    def box(self, slide: Any, left: int, top: int, width: int, height: int) -> Any:
        """An empty text frame that wraps."""
        frame = slide.shapes.add_textbox(left, top, width, height).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = 0
        return frame

    def write(self, frame: Any, lines: Sequence[str], size: float, colour: RGBColor | None = None, space: float = 0, *,
              is_list: bool = False) -> None:
        """`lines` as paragraphs of `size` points, `space` points apart."""
        for place, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            run = paragraph.add_run()
            run.text, run.font.size, paragraph.space_after = line, Pt(size), Pt(space)
            if is_list:
                paragraph._p.get_or_add_pPr().set("marL", str(Mm(7)))
                paragraph._p.pPr.set("indent", str(-Mm(7)))
                paragraph._p.pPr.append(parse_xml(f'<a:buChar {nsdecls("a")} char="\u2022"/>'))
            if colour is not None:
                run.font.color.rgb = colour

    def sentences(self, heading: str, sentences: Sequence[str], numbers: str = "", may_lead: bool = True) -> None:
        """Slides of sentences: the first one heads the slide unless it is the only one or too long to."""
        leads = may_lead and len(sentences) > 1 and wide(sentences[0]) <= LONGEST_TITLE
        title, rest = (sentences[0], list(sentences[1:])) if leads else (heading, list(sentences))
        pages: list[list[str]] = [[]]
        for sentence in rest:
            if pages[-1] and sum(math.ceil(wide(s) / 78) + 0.5 for s in [*pages[-1], sentence]) > LINES:
                pages.append([])
            pages[-1].append(sentence)
        for page in pages:
            slide = self.slide(title, heading + numbers if leads else numbers)
            self.write(self.box(slide, self.left, self.top, self.width, self.height), page, 20 if len(page) > 1 else 24, INK, 12, is_list=True)

    def section(self, section: Section) -> None:
        """A section as slides; none where it has nothing to say."""
        if section.sentences:
            self.sentences(section.heading, section.sentences, note(section.footnotes), section is not self.brief.notes)

    def pages_of(self, rows: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
        """The rows of the table by slide, about as many on each, none higher than a slide."""
        size = math.ceil(len(rows) / max(math.ceil(len(rows) / ROWS), 1))
        pages: list[list[dict[str, str]]] = []
        for row in rows:
            if not pages or len(pages[-1]) == size or sum(map(row_height, [*pages[-1], row])) > self.height - Mm(12):
                pages.append([])
            pages[-1].append(row)
        return pages

    def figures(self) -> None:
        """The table of key figures, as many slides as it takes."""
        for part in self.pages_of([figure_row(figure, self.words) for figure in self.brief.figures]):
            slide = self.slide(figures_told(self.brief.figures, self.words), self.words["figures"])
            table = slide.shapes.add_table(len(part) + 1, len(COLUMNS), self.left, self.top, self.width, Mm(10) * (len(part) + 1)).table
            whole = sum(share for _, share in COLUMNS)
            for column, (name, share) in enumerate(COLUMNS):
                table.columns[column].width = self.width * share // whole
                self.cell(table.cell(0, column), self.words[name], column == 0, is_head=True)
                for line, row in enumerate(part, 1):
                    table.rows[line].height = row_height(row)
                    text = row[name] if name != "indicator" else f"{row['name']}{row['note']}"
                    text = f"{text} {row['unknown']}".strip() if name == "denominator" else text
                    self.cell(table.cell(line, column), text, column == 0)
                    if name == "target" and row["verdict_text"]:
                        run = table.cell(line, column).text_frame.paragraphs[0].add_run()
                        run.text, run.font.size, run.font.bold, run.font.color.rgb = f" {row['verdict_text']}", Pt(12), True, COLOURS[row["verdict"]]

    def cell(self, cell: Any, text: str, is_left: bool = False, is_head: bool = False) -> None:
        """A cell's text in the table's letters."""
        cell.vertical_anchor = MSO_ANCHOR.MIDDLE
        cell.margin_left = cell.margin_right = Mm(1.5)
        self.write(cell.text_frame, [text], 12, None if is_head else INK)
        cell.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT if is_left else PP_ALIGN.CENTER
        cell.text_frame.paragraphs[0].runs[0].font.bold = is_head or None

    def centred(self, slide: Any, drawing: bytes, description: str) -> None:
        """A picture as large as the slide allows."""
        shape = slide.shapes.add_picture(io.BytesIO(drawing), self.left, self.top, height=self.height)
        if shape.width > self.width:
            shape.height, shape.width = int(shape.height * self.width / shape.width), self.width
        shape.left = self.left + (self.width - shape.width) // 2
        shape._element.nvPicPr.cNvPr.set("descr", description)

    def footnotes(self, footnotes: Sequence[Footnote]) -> None:
        """Definitions and sources with their links."""
        for start in range(0, len(footnotes), NOTES):
            slide = self.slide(self.words["footnotes"])
            frame = self.box(slide, self.left, Mm(38), self.width, self.height)
            part = footnotes[start:start + NOTES]
            self.write(frame, [f"{note(f.number)} {f.indicator} {f.text} " for f in part], 12, INK, 8)
            for paragraph, footnote in zip(frame.paragraphs, part, strict=True):
                run = paragraph.add_run()
                run.text, run.font.size = footnote.link, Pt(12)
                if is_link(footnote.link):
                    run.hyperlink.address = footnote.link

    def written(self) -> bytes:
        """The presentation as a file."""
        properties = self.show.core_properties
        properties.title, properties.author, properties.language = self.brief.title[:255], self.brief.issued_by[:255], self.brief.language
        properties.last_modified_by, properties.created, properties.modified = "", issued_at(self.brief), issued_at(self.brief)
        found = io.BytesIO()
        self.show.save(found)
        return found.getvalue()
