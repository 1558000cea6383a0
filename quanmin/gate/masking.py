"""Masking: rows are shown without what names a person unless the role may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quanmin.model import Table

if TYPE_CHECKING:  # loaded where there are rows to mask
    import pyarrow as pa

SHOWN = 1


def masked(value: str) -> str:
    """One value as `mask` shows it: the first character kept, the rest starred."""
    return value[:SHOWN] + "**" if len(value) > SHOWN else "**"


def _mask_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """First character kept, the rest starred; nothing at all of one-character values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column.cast(pa.string())
    head = pc.utf8_slice_codeunits(text, 0, SHOWN)
    length = pc.utf8_length(text)
    return pc.if_else(pc.greater(length, SHOWN), pc.binary_join_element_wise(head, "**", ""), pc.if_else(pc.is_null(text), None, "**"))


def mask(rows: pa.Table, table: Table) -> pa.Table:
    """The rows with direct identifiers starred and birth dates cut to the year; pseudonymous ids stay, so that rows can be told apart."""
    import pyarrow.compute as pc

    for name in rows.column_names:
        column = table.columns.get(name)
        if column is None or column.private == "no":
            continue
        place = rows.column_names.index(name)
        if column.private == "direct":
            rows = rows.set_column(place, name, _mask_text(rows[name]))
        elif column.type == "date":
            rows = rows.set_column(place, name, pc.year(rows[name]))
    return rows
