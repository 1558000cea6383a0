"""Excel sheets written column by column.

A plain writer calls a method per cell: 740,000 cells took 6 s of the 9 s that a small region needs; this way takes under one.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.synth.text import choose, glue, number, replaced, texts

HEADER_ROW = 3
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XML = "application/xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _relations(kind: str, target: str) -> str:
    return (
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


PARTS = {
    "[Content_Types].xml": (
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{XML}"/><Override PartName="/xl/workbook.xml" ContentType="{SHEET}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
    "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
}
Column = pa.Array | np.ndarray


def letters(k: int) -> str:
    """Letters of the column with index k: A … Z, AA …"""
    return (letters(k // 26 - 1) if k >= 26 else "") + chr(65 + k % 26)


def _text_cells(column: pa.Array, name: str, row: pa.Array) -> pa.Array:
    cells = glue(f'<c r="{name}', row, '" t="inlineStr"><is><t>', column, "</t></is></c>")
    return pc.if_else(pc.equal(column, ""), "", cells)


def _number_cells(values: np.ndarray, name: str, k: int, row: pa.Array, as_text: int) -> pa.Array:
    """NaN is an empty cell; every `as_text`-th number of four digits or more is written as text with thousands separators."""
    known = ~np.isnan(values)
    clean = np.where(known, values, 0)
    whole = bool((clean == np.rint(clean)).all())
    shown = number(clean.astype(np.int64)) if whole else pc.cast(pa.array(np.round(clean, 4)), pa.string())
    cells = glue(f'<c r="{name}', row, '"><v>', shown, "</v></c>")
    if as_text:
        rows = np.flatnonzero(known & (clean >= 1000) & ((np.arange(len(values)) * 31 + k) % as_text == 0))
        if len(rows):
            spelled = texts([f"{v:,.0f}" if whole else f"{v:,.2f}" for v in clean[rows].tolist()])
            cells = replaced(cells, rows, _text_cells(spelled, name, row.take(pa.array(rows))))
    return choose(known, cells, "")


def _texts_row(row: int, values: list[str]) -> str:
    cells = "".join(f'<c r="{letters(k)}{row}" t="inlineStr"><is><t>{escape(v)}</t></is></c>' for k, v in enumerate(values) if v)
    return f'<row r="{row}">{cells}</row>'


def write_sheet(path: Path, sheet: str, titles: list[str], header: list[str], columns: list[Column], as_text: int = 0) -> None:
    """A workbook with one sheet: titles, the header in row 3, then one row per entry of the columns (text without markup, or numbers)."""
    count = len(columns[0])
    row = number(np.arange(count) + HEADER_ROW + 1)
    cells = [
        _number_cells(c, letters(k), k, row, as_text) if isinstance(c, np.ndarray) else _text_cells(c, letters(k), row)
        for k, c in enumerate(columns)
    ]
    body = "".join(glue('<row r="', row, '">', *cells, "</row>").to_pylist())
    top = "".join(_texts_row(k, [t]) for k, t in enumerate(titles, 1)) + _texts_row(HEADER_ROW, header)
    tab = f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/>'
    book = f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{tab}</sheets></workbook>'
    parts = {
        **PARTS,
        "xl/workbook.xml": book,
        "xl/worksheets/sheet1.xml": f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{top}{body}</sheetData></worksheet>',
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, (2026, 11, 1, 8, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=1)
