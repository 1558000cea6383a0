"""Sheets: tables of values with what their page shows of them, the panels that hold them, and a panel's table as HTML.

The HTML is written without a template, since a page may hold thousands of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

from markupsafe import Markup, escape

from quanmin.reports.wording import NOTHING, number
from quanmin.web.words import native, word

TALL = 14  # rows, beyond which a table scrolls in itself
DAY = 16  # characters of a day, with its minute at most
MARKS = {"met": "●", "missed": "▲"}


@dataclass(frozen=True)
class Column:
    """A column of a sheet: `name` heads it in files, `label` on the page."""

    name: str
    label: str
    is_number: bool = False


@dataclass(frozen=True)
class Shown:
    """A value as the page shows it: `text` on the page, `value` in files; `verdict` is met, missed, bounds or "", `title` what it was counted from."""

    text: str
    value: Any = None
    href: str = ""
    verdict: str = ""
    title: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table: its columns and its rows (plain values or Shown); `about` says period, snapshot, definition and the like of all of it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """One chart (or none) with its sheet; `id` names it in addresses and files; `width` is "", wide or full; `is_open` shows the table at once."""

    id: str
    title: str
    sheet: Sheet
    chart: Mapping[str, Any] | None = None
    note: str = ""
    width: str = "full"
    is_open: bool = False


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    return native(number(value) if isinstance(value, Number) else value)


def _cell(value: Any, tag: str, kind: str) -> str:
    end = tag.split(" ")[0]
    if not isinstance(value, Shown):
        is_day = isinstance(value, str) and value[4:5] == "-" and len(value) <= DAY
        return f'<{tag} class="{kind}{" day" if is_day else ""}">{_text(value)}</{end}>'
    title = f' title="{escape(value.title)}"' if value.title else ""
    mark = f'<span class="mark" role="img" aria-label="{escape(word(value.verdict))}">{MARKS[value.verdict]}</span>' if value.verdict in MARKS else ""
    text = native(value.text)
    shown = f'<a href="{escape(value.href)}">{text}</a>' if value.href else text
    return f'<{tag} class="{kind} {escape(value.verdict)}"{title}>{mark}{shown}</{end}>'


def _row(row: Any, tags: list[tuple[str, str]]) -> str:
    return f"<tr>{''.join(_cell(value, tag, kind) for value, (tag, kind) in zip(row, tags, strict=True))}</tr>"


def _head(column: Column) -> str:
    kind = ' class="n"' if column.is_number else ""
    return f'<th scope="col"{kind}>{native(column.label)}</th>'


def table_of(panel: Panel, kind: str = "") -> Markup:
    """A panel's sheet as a table that scrolls in itself."""
    sheet = panel.sheet
    tags = [("td" if i else 'th scope="row"', "n" if column.is_number else "") for i, column in enumerate(sheet.columns)]
    tall = "tall" if len(sheet.rows) > TALL else ""
    head, body = "".join(map(_head, sheet.columns)), "".join(_row(row, tags) for row in sheet.rows)
    return Markup(f'<div class="scroll {tall}" tabindex="0" role="region" aria-label="{escape(panel.title)}"><table class="{escape(kind)}">'
                  f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>")
