"""catalog/codes/front_page_part.csv and front_page_field.csv → FrontPagePoints: code lists with points, and a region puts its own in their place."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping

from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.reading import Complaints, list_text
from quanmin.model import Check, Table
from quanmin.model.front_page import FieldPoints, FrontPagePoints

PARTS, FIELDS = "front_page_part", "front_page_field"
TABLES = ("stay", "stay_diagnosis", "stay_procedure", "stay_review", "stay_group")  # whose checks speak of a front page
WHOLE = 100.0


def read_front_page_points(codes: CodeLists, tables: Mapping[str, Table], checks: Iterable[Check], complaints: Complaints) -> FrontPagePoints:
    """How front pages are scored, with everything wrong in the two lists complained of, and every check that no field of them gives points."""
    if PARTS not in codes or FIELDS not in codes:
        return FrontPagePoints()
    most = {row["code"]: _number(row.get("most_points"), codes.shown(PARTS), line, "most_points", complaints) for line, row in _rows(codes, PARTS, complaints)}
    if most and sum(most.values()) != WHOLE:
        complaints.add(codes.shown(PARTS), None, "most_points", str(sum(most.values())), "is not 100 in all", "let the parts be worth 100 points together")
    fields: dict[str, FieldPoints] = {}
    for line, row in _rows(codes, FIELDS, complaints):
        shown, (table, _, column) = codes.shown(FIELDS), row["code"].partition(".")
        if table not in TABLES or column not in tables[table].columns:
            complaints.add(shown, line, "code", row["code"], "is not a column of a front page", "write table.column, of " + ", ".join(TABLES))
        if row.get("parent") not in most:
            complaints.add(shown, line, "parent", row.get("parent") or "", "is not a part of the front page", "use one of " + ", ".join(most))
        error, warning = (_number(row.get(name), shown, line, name, complaints) for name in ("error_points", "warning_points"))
        fields[row["code"]] = FieldPoints(row.get("parent") or "", error, warning, row.get("decides_group") == "true")
    found = FrontPagePoints(most, fields)
    for check in checks:
        if check.table in TABLES and points_of(found, check) is None:
            complaints.add(check.path, None, "fields", ", ".join(check.fields), "names no field that takes points of a front page", f"add one to {FIELDS}.csv")
    return found


def points_of(scored: FrontPagePoints, check: Check) -> FieldPoints | None:
    """The points of that field of a check which costs most; None where none has any. It decides the group where any of its fields does."""
    known = [scored.fields[name] for name in (f"{check.table}.{column}" for column in check.fields) if name in scored.fields]
    if not known:
        return None
    dearest = max(known, key=lambda one: one.error if check.severity == "error" else one.warning)
    return FieldPoints(dearest.part, dearest.error, dearest.warning, any(one.decides_group for one in known))


def _rows(codes: CodeLists, name: str, complaints: Complaints) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(list_text(codes.csv_path(name), codes.shown(name), complaints))
    return [(reader.line_num, row) for row in reader if row.get("code")]


def _number(text: str | None, shown: str, line: int, field: str, complaints: Complaints) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = -1.0
    if not math.isfinite(value) or not 0 <= value <= WHOLE:
        complaints.add(shown, line, field, text or "", "is not a number of points", "write a number from 0 to 100")
        return 0.0
    return value
