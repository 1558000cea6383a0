"""Rows behind a figure as a sheet: filled columns only, codes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from quanmin.model import Check, Indicator
from quanmin.web.figures import number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet
from quanmin.web.view import View
from quanmin.web.words import word

LARGE_LIST = 64  # codes; in longer lists the code is shown beside the name, but for the digits of places


def named(value: Any, names: Mapping[str, str]) -> str:
    """A value as people read it: names for codes, yes and no for truth values."""
    if value is None:
        return ""
    key = str(value).lower() if isinstance(value, bool) else str(value)
    if key not in names:
        return number(value) if isinstance(value, float) else key
    is_plain = len(names) <= LARGE_LIST or isinstance(value, bool) or key.isdigit()
    return names[key] if is_plain else f"{key} {names[key]}"


def row_sheet(view: View, question: Indicator | Check, rows: pa.Table, told: Mapping[str, Any]) -> Sheet:
    """The rows that a role may see, as a sheet."""
    filled = [c for c in rows.column_names if rows[c].null_count < len(rows) and c != "counted"]
    names = {c: view.code_names(question, c) for c in filled}
    labels = view.column_labels(question) | {"file": word("file_is")}
    cells = [[named(row[c], names[c]) for c in filled] for row in rows.select(filled).to_pylist()]
    return Sheet([Column(c, labels.get(c, c)) for c in filled], cells, told)


def record_panel(view: View, question: Indicator | Check, rows: pa.Table) -> Panel:
    """A few rows, each a column: what it holds from top to bottom."""
    sheet = row_sheet(view, question, rows, about(view, ""))
    columns = [Column("column", word("column_is")), *(Column(f"row_{i + 1}", f"{word('row_is')} {i + 1}") for i in range(len(sheet.rows)))]
    return Panel("rows", word("rows"), Sheet(columns, [[column.label, *(row[i] for row in sheet.rows)] for i, column in enumerate(sheet.columns)], sheet.about),
                 is_open=True)
