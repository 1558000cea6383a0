"""What a reader of one of our pages sees: its words, without code, scripts and what is marked as being in another language."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}
SPOKEN = ("title", "aria-label", "placeholder", "alt")
SKIPPED = {"code", "script", "style"}
CODED = {"kind", "kinds", "verdict", "verdicts", "link", "links", "tone", "tones", "line", "id", "group", "from", "to", "outlines", "points", "type"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.data: list[str] = []
        self.tags: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def _is_skipped(self) -> bool:
        return any(skipped for _, skipped in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        is_other = "lang" in given and tag != "html"
        if not self._is_skipped() and not is_other:
            self.words += [given[name] or "" for name in SPOKEN if name in given]
        if tag not in VOID:
            self._open.append((tag, tag in SKIPPED or is_other))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "script" and data.strip():
            self.data.append(data)
        if not self._is_skipped():
            self.words.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def seen(page: str) -> str:
    """The words of a page and of its charts."""
    reader = read(page)
    charts = [" ".join(_texts(json.loads(data))) for data in reader.data]
    return re.sub(r"\s+", " ", " ".join(reader.words + charts))


def _texts(value: object, key: str = "") -> list[str]:
    if isinstance(value, str):
        return [] if key in CODED else [value]
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in _texts(inner, key if key in CODED else name)]
    return [text for inner in value for text in _texts(inner, key)] if isinstance(value, list) else []
