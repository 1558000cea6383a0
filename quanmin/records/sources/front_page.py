"""The discharge front page in the national CSV layout."""

from __future__ import annotations

from pathlib import Path

from quanmin.model import Mapping, Refusal
from quanmin.records.sources import text_lines
from quanmin.records.sources.batch import OpenFile

NATIONAL = {"A01", "A48", "A49", "B12", "B15", "C03C"}


class FrontPage:
    """The source for national front-page files: 600 and more columns, groups of diagnoses and procedures repeated 40 times."""

    id = "front_page"

    def recognises(self, path: Path, name: str) -> bool:
        """Whether the header names the national columns."""
        try:
            return set(text_lines.shape_of(path, name).header) >= NATIONAL
        except Refusal:
            return False

    def open(self, path: Path, name: str, mapping: Mapping | None) -> OpenFile:
        """Header and batches."""
        shape = text_lines.shape_of(path, name, mapping.delimiter if mapping else "")
        return text_lines.open_text(path, name, shape)
