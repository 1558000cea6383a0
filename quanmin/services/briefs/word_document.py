"""The brief as a Word document: a template filled in, with pictures, raised footnote numbers and links."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage, RichText
from jinja2 import StrictUndefined
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from quanmin.services.briefs.brief import Brief
from quanmin.services.briefs.charts import picture
from quanmin.services.briefs.contents import Words, charts_of, context, issued_at
from quanmin.services.briefs.sealing import sealed
from quanmin.services.briefs.shipped import template
from quanmin.services.briefs.words import refused

WIDTH = Mm(150)
COLOURS = {"met": "1F6B52", "missed": "B45309"}


class _Sandbox(ImmutableSandboxedEnvironment):
    """A template may read texts, lists and tables, and touch nothing else."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return isinstance(obj, str | list | dict | LoopContext) and super().is_safe_attribute(obj, attr, value)


def _literal(value: Any) -> Any:
    """Texts escaped with braces as entities, for docxtpl rewrites some braces after filling in."""
    return value if hasattr(value, "__html__") else Markup(str(escape(value)).replace("{", "&#123;").replace("}", "&#125;").replace("%", "&#37;"))


def word_document(brief: Brief, words: Words, templates: Path | None) -> bytes:
    """The brief as .docx; a bureau's own template that cannot be filled in is a Refusal."""
    charts = charts_of(brief)
    pictures = [picture(chart, words, "png") for chart in charts]
    given = template("brief.docx", templates)
    try:
        written = _filled(given.path, brief, words, pictures)
    except Exception as error:  # a bureau's template may fail in any way
        if not given.is_own:
            raise
        reason = str(error) or type(error).__name__
        raise refused(str(given.path), "broken_template", "mend_template", line=None, reason=reason) from error
    return sealed(written, issued_at(brief))


def _filled(path: Path, brief: Brief, words: Words, pictures: Sequence[bytes]) -> bytes:
    document = DocxTemplate(path)
    document.init_docx()
    values = context(brief, words)
    for entry, drawing in zip(values["pictures"], pictures, strict=True):
        entry["picture"] = InlineImage(document, io.BytesIO(drawing), width=WIDTH)
    for entry in values["figures"]:
        entry["verdict_text"] = RichText(entry["verdict_text"], color=COLOURS.get(entry["verdict"]), bold=True)
    for entry in values["footnotes"]:
        entry["link"] = RichText(entry["link"], url_id=document.build_url_id(entry["link"]), color="1F5F99", underline=True) if entry["is_link"] \
            else RichText(entry["link"])
    document.render(values, _Sandbox(autoescape=True, undefined=StrictUndefined, finalize=_literal))
    described = {drawing: entry["told"] for entry, drawing in zip(values["pictures"], pictures, strict=True)}
    _finished(document.docx, brief, described)
    written = io.BytesIO()
    document.docx.save(written)
    return written.getvalue()


def _finished(document: Any, brief: Brief, described: dict[bytes, str]) -> None:
    """Alternative texts of the pictures, the styles of the brief's language, and the document's properties."""
    for shape in document.inline_shapes:
        blob = document.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed].blob
        shape._inline.docPr.set("descr", described.get(blob, ""))
    names = {style.name: style for style in document.styles}
    cells = [cell for table in document.tables for row in table.rows for cell in row.cells]
    for holder in (document, *cells):
        for paragraph in holder.paragraphs:
            if own := names.get(f"{paragraph.style.name} {brief.language}"):
                paragraph.style = own
    properties = document.core_properties
    properties.title, properties.author, properties.language = brief.title[:255], brief.issued_by[:255], brief.language
    properties.last_modified_by, properties.created, properties.modified, properties.revision = "", issued_at(brief), issued_at(brief), 1
