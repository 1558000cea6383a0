"""Units and notes of definitions in both languages: units.csv and notes.csv beside this file."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from quanmin.model import Label

BETWEEN = "; "  # between the phrases of a note


@cache
def _list(name: str) -> dict[str, Label]:
    with Path(__file__).with_name(f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return {row[0]: Label(row[1], row[2]) for row in list(csv.reader(stream))[1:]}


def _phrases(note: str) -> list[str]:
    return [phrase.strip() for phrase in note.split(BETWEEN) if phrase.strip()]


def unit_in(unit: str, language: str) -> str:
    """A definition's unit as people write it in a language; one that is not listed stays as it is."""
    found = _list("units").get(unit)
    return found.in_language(language) if found else unit


def note_in(note: str, language: str) -> str:
    """The note of a definition's source in a language, phrase by phrase; a phrase that is not listed stays as it is."""
    known = _list("notes")
    shown = [known[phrase].in_language(language) if phrase in known else phrase for phrase in _phrases(note)]
    return known[BETWEEN].in_language(language).join(shown)


def unworded(unit: str, note: str) -> list[str]:
    """What of a definition's unit and note does not stand in both languages yet."""
    return [phrase for phrase in _phrases(note) if phrase not in _list("notes")] + ([unit] if unit and unit not in _list("units") else [])
