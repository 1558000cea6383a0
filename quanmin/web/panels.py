"""Panels: what a page draws and lists, and the same as a file; the table under a chart and the export are one sheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.web.rendering import page
from quanmin.web.sheets import Panel, Sheet, Shown

OFFICE = "application/vnd.openxmlformats-officedocument."
FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "xlsx": f"{OFFICE}spreadsheetml.sheet", "docx": f"{OFFICE}wordprocessingml.document"}
EXPORT = re.compile(r"([a-z][a-z0-9_]{0,40})\.(csv|json|xlsx|docx)")
MOST_IN_WORD = 2_000  # rows: a longer table is no document
FORMULA = ("=", "+", "-", "@", "\t", "\r")
WIDEST = 48  # characters of a workbook's column


def _plain(value: Any) -> Any:
    found = value.value if isinstance(value, Shown) else value
    return float(found) if isinstance(found, Decimal) else found


def harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _csv(sheet: Sheet) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(c.name for c in sheet.columns), *sheet.about])
    for row in sheet.rows:
        writer.writerow([*(harmless(_plain(v)) for v in row), *(harmless(v) for v in sheet.about.values())])
    return stream.getvalue().encode("utf-8-sig")  # spreadsheets in China read UTF-8 only with its mark


def _json(sheet: Sheet) -> bytes:
    names = [c.name for c in sheet.columns]
    rows = [dict(zip(names, (_plain(v) for v in row), strict=True)) for row in sheet.rows]
    return json.dumps({"about": dict(sheet.about), "rows": rows}, ensure_ascii=False, default=str).encode()


def _xlsx(panel: Panel) -> bytes:
    stream, sheet = io.BytesIO(), panel.sheet
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    head, whole, broken = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "#,##0"}), book.add_format({"num_format": "#,##0.00"})
    data, about = book.add_worksheet(), book.add_worksheet("about")
    for j, column in enumerate(sheet.columns):
        data.write_string(0, j, column.label, head)
        texts = [str(row[j].text if isinstance(row[j], Shown) else row[j] or "") for row in sheet.rows[:200]]
        data.set_column(j, j, min(WIDEST, 2 + max(sum(1 + (ord(c) > 0x2E7F) for c in t) for t in (column.label, *texts))))
    for i, row in enumerate(sheet.rows, 1):
        for j, value in enumerate(row):
            found = _plain(value)
            if isinstance(found, int | float) and not isinstance(found, bool):
                data.write_number(i, j, found, whole if float(found).is_integer() else broken)
            elif found is not None:
                data.write_string(i, j, str(found))
    data.freeze_panes(1, 0)
    about.set_column(0, 1, WIDEST)
    for i, (name, value) in enumerate(({"title": panel.title} | dict(sheet.about)).items()):
        about.write_string(i, 0, str(name), head)
        about.write_string(i, 1, str(value))
    book.close()
    return stream.getvalue()


def _docx(panel: Panel) -> bytes:
    from docx import Document  # large, and rarely asked for

    stream, document, sheet = io.BytesIO(), Document(), panel.sheet
    document.add_heading(panel.title, 1)
    table = document.add_table(rows=1, cols=len(sheet.columns), style="Light Grid")
    for cell, column in zip(table.rows[0].cells, sheet.columns, strict=True):
        cell.text = column.label
    for row in sheet.rows[:MOST_IN_WORD]:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value.text if isinstance(value, Shown) else "" if value is None else str(value)
    document.add_paragraph(" · ".join(f"{name} {value}" for name, value in sheet.about.items()))
    document.save(stream)
    return stream.getvalue()


def as_file(panel: Panel, form: str) -> Response:
    """A panel's sheet as a file of a form of FORMS."""
    body = {"xlsx": _xlsx, "docx": _docx}[form](panel) if form in ("xlsx", "docx") else _csv(panel.sheet) if form == "csv" else _json(panel.sheet)
    return Response(body, media_type=FORMS[form], headers={"Content-Disposition": f'attachment; filename="{panel.id}.{form}"'})


def answer(request: Request, template: str, panels: Sequence[Panel], **values: Any) -> Response:
    """The page with its panels (by id in `panels`), or with `export=<panel>.<form>` in the address the panel's sheet as a file."""
    wanted = request.query_params.get("export", "")
    known = {panel.id: panel for panel in panels}
    if not wanted:
        return page(request, template, panels=known, **values)
    found = EXPORT.fullmatch(wanted)
    if not found or found[1] not in known:
        raise HTTPException(404)
    return as_file(known[found[1]], found[2])
