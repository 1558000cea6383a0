"""A brief written in one of its four forms."""

from __future__ import annotations

from pathlib import Path

from quanmin.services.briefs.brief import Brief
from quanmin.services.briefs.contents import clean
from quanmin.services.briefs.pdf import pdf
from quanmin.services.briefs.slides import slides
from quanmin.services.briefs.word_document import word_document
from quanmin.services.briefs.words import fixed_words, refused
from quanmin.services.briefs.workbook import workbook

FORMATS = ("docx", "pptx", "xlsx", "pdf")


def write(brief: Brief, form: str, templates: Path | None = None) -> bytes:
    """The brief as a file of `form` (see FORMATS), equal bytes for equal briefs; words of its own go before those of words.toml.

    `templates` is a site's folder that may hold a bureau's brief.docx, brief.pptx or brief.typ. An unknown form, a template that cannot be used and
    a machine without a Chinese font are Refusals.
    """
    if form not in FORMATS:
        raise refused("brief", "unknown_form", "mend_unknown_form", field="form", value=form, forms=", ".join(FORMATS))
    tidy = clean(brief)
    words = {**fixed_words(tidy.language), **tidy.words}
    if form == "xlsx":
        return workbook(tidy, words)
    return {"docx": word_document, "pptx": slides, "pdf": pdf}[form](tidy, words, templates)
