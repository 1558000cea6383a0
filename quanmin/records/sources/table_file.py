"""Any CSV or Excel file; the mapping says what its columns mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from quanmin.catalog.messages import say
from quanmin.model import Mapping, Problem, Refusal
from quanmin.records.masking import mask
from quanmin.records.sources import text_lines
from quanmin.records.sources.batch import Batch, OpenFile
from quanmin.records.sources.workbook_zip import refuse_bomb

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
EXACT = 10**15  # doubles hold whole numbers exactly up to 15 digits


def is_excel(path: Path) -> bool:
    """Whether the file's first bytes are those of .xlsx or .xls."""
    with path.open("rb") as stream:
        return stream.read(4) in (ZIP, OLE)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time(0) else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _sheet(path: Path, name: str, wanted: str) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(str(path))
        if wanted and wanted not in book.sheet_names:
            shown = ", ".join(book.sheet_names)
            raise Refusal(Problem(name, None, "", wanted, say("no_sheet", sheet=wanted), say("mend_no_sheet", sheets=shown)))
        return book.get_sheet_by_name(wanted) if wanted else book.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError) as error:
        raise Refusal(Problem(name, None, "", "", say("broken_excel"), say("mend_broken_excel"))) from error


def _excel(path: Path, name: str, mapping: Mapping | None) -> OpenFile:
    with path.open("rb") as stream:
        if stream.read(4) == ZIP:
            refuse_bomb(path, name)
    sheet = _sheet(path, name, mapping.sheet if mapping else "")
    rows = sheet.to_python(skip_empty_area=False)
    top = (mapping.header_row if mapping else 1) - 1
    if len(rows) <= top or not any(_text(cell).strip() for cell in rows[top]):
        raise Refusal(Problem(name, top + 1, "", "", say("no_header"), say("send_header")))
    header = [_text(cell).strip().replace("\n", "") or f"column_{i}" for i, cell in enumerate(rows[top], 1)]
    repeated = sorted(column for column, count in Counter(header).items() if count > 1)
    if repeated:
        raise Refusal(Problem(name, top + 1, repeated[0], "", say("repeated_column"), say("name_columns_once")))
    opened = OpenFile(path, name, tuple(header), iter(()), path.stat().st_size, "excel")
    opened.batches = _excel_batches(opened, rows[top + 1 :], top + 2)
    return opened


def _excel_batches(opened: OpenFile, rows: list[list[Any]], first: int) -> Iterator[Batch]:
    kept: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    used = [i for i, column in enumerate(opened.header) if opened.wanted is None or column in opened.wanted]
    for line, row in enumerate(rows, first):
        if not any(cell not in ("", None) for cell in row):
            continue
        lost = next((i for i in used if isinstance(row[i], float) and abs(row[i]) >= EXACT), None)
        if lost is not None:
            shown = mask(f"{row[lost]:.0f}")
            problems.append(Problem(opened.name, line, opened.header[lost], shown, say("lost_digits"), say("mend_lost_digits")))
            continue
        kept.append([_text(cell) for cell in row])
        lines.append(line)
    columns = list(zip(*kept, strict=True)) if kept else [()] * len(opened.header)
    table = pa.table({name: pa.array(values, pa.string()) for name, values in zip(opened.header, columns, strict=True)})
    yield Batch(table, pa.array(lines, pa.int64()), tuple(problems))


class TableFile:
    """The source for any delimited text or Excel file."""

    id = "table_file"

    def recognises(self, path: Path, name: str) -> bool:
        """True for Excel and for text with at least two columns."""
        try:
            return is_excel(path) or len(text_lines.shape_of(path, name).header) > 1
        except Refusal:
            return False

    def open(self, path: Path, name: str, mapping: Mapping | None) -> OpenFile:
        """Header and batches."""
        if is_excel(path):
            return _excel(path, name, mapping)
        options = (mapping.delimiter, mapping.header_row, mapping.encoding) if mapping else ("", 1, "")
        shape = text_lines.shape_of(path, name, *options)
        return text_lines.open_text(path, name, shape)
