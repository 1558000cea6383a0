"""Where a document's template stands: a bureau's own if it keeps one, else the shipped one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Template:
    """A template's file, and whether it is a bureau's own (whose faults are told to the bureau, not raised)."""

    path: Path
    is_own: bool


def template(name: str, templates: Path | None) -> Template:
    """The template `name` (brief.docx, brief.pptx or brief.typ) of the folder `templates`, or the shipped one where it has none."""
    if templates is not None and (templates / name).is_file():
        return Template(templates / name, True)
    return Template(TEMPLATES / name, False)
