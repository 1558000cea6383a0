"""The small text tables of worked examples → typed rows."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from quanmin.model import Table

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def typed(text: str, kind: str) -> Any:
    """One cell's value in its column's type; blank is None."""
    text = text.strip()
    if text == "":
        return None
    if kind in ("text", "code"):
        return text
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "money":
        return Decimal(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{text!r} is not true or false")


def parse_rows(text: str, table: Table) -> list[dict[str, Any]]:
    """Rows of `column | column` text, every column of the table present (None where the text has none)."""
    lines = [line for line in text.strip().splitlines() if line.strip() and not set(line.strip()) <= set("-|+ ")]
    if not lines:
        return []
    is_bordered = lines[0].strip().startswith("|")
    header = [cell.strip() for cell in lines[0].strip().strip("|").split("|")]
    for name in header:
        if name not in table.columns:
            raise ValueError(f"column {name} does not exist in table {table.id}")
    rows = []
    for line in lines[1:]:
        cells = (line.strip().removeprefix("|").removesuffix("|") if is_bordered else line).split("|")
        if len(cells) != len(header):
            raise ValueError(f"a row has {len(cells)} cells, the header {len(header)}: {line.strip()!r}")
        given = {name: typed(cell, table.columns[name].type) for name, cell in zip(header, cells, strict=True)}
        rows.append({name: given.get(name) for name in table.columns})
    return rows
