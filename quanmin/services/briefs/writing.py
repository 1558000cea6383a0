"""A brief written in one of its four forms."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from quanmin.services.briefs.brief import Brief
from quanmin.services.briefs.contents import clean
from quanmin.services.briefs.words import fixed_words, refused

WRITERS = {"docx": "word_document", "pptx": "slides", "xlsx": "workbook", "pdf": "pdf"}  # imported when first needed: their libraries are large
FORMATS = tuple(WRITERS)


def write(brief: Brief, form: str, templates: Path | None = None) -> bytes:
    """The brief as a file of `form` (see FORMATS), equal bytes for equal briefs; words of its own go before those of words.toml.

    `templates` is a site's folder that may hold a bureau's brief.docx, brief.pptx or brief.typ. An unknown form, a template that cannot be used and
    a machine without a Chinese font are Refusals.
    """
    if form not in FORMATS:
        raise refused("brief", "unknown_form", "mend_unknown_form", field="form", value=form, forms=", ".join(FORMATS))
    tidy = clean(brief)
    words = {**fixed_words(tidy.language), **tidy.words}
    writer = getattr(import_module(f"quanmin.services.briefs.{WRITERS[form]}"), WRITERS[form])
    found: bytes = writer(tidy, words) if form == "xlsx" else writer(tidy, words, templates)
    return found
