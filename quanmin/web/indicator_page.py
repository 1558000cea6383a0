"""One indicator: its definition, trend, counties and breakdown; the rows behind it; its figures as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from quanmin.model import Answer, Cell, Indicator
from quanmin.web.charts import bars_of, drawn, trend_of
from quanmin.web.figures import Figure, figure, number
from quanmin.web.rendering import page
from quanmin.web.view import View, asked_period, asked_place
from quanmin.web.words import word

router = APIRouter()
ROWS_SHOWN = 200
PLAIN_DIMENSIONS = ("month", "year", "home_county", "facility_county", "county_code", "county")  # shown by period and by county anyway
CELL = ("numerator", "denominator", "unknown", "value", "low", "high", "suppressed")
LARGE_LIST = 64  # codes; in longer lists the code is shown beside the name, but for the digits of places


def _indicator(view: View, name: str) -> Indicator:
    found = view.catalog.indicators.get(name)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/indicator/{name}")
def indicator_page(request: Request, name: str, period: str = "", by: str = "") -> HTMLResponse:
    """One indicator: definition, trend, counties, breakdown."""
    view = View.of(request)
    one = _indicator(view, name)
    view.actor.require("figures", "figures", name)
    chosen = view.period(period)
    context: dict[str, Any] = {
        "one": one, "periods": view.periods(), "period": chosen, "snapshot": view.snapshot, "labels": view.column_labels(one),
        "tables": {table: view.catalog.tables[table].label for table in view.indicators.tables_of(one)}, "others": view.catalog.indicators,
    }
    if one.is_executable:
        dimensions = [d for d in dict.fromkeys(one.by) if d not in PLAIN_DIMENSIONS]
        cut = by if by in dimensions else ""
        context |= view.remembered((one.id, one.version, chosen, cut), lambda: _figures(view, one, chosen, cut)) | {
            "dimensions": dimensions, "by": cut, "may_rows": view.actor.may("rows")}
    return page(request, "indicator.html", **context)


def _figures(view: View, one: Indicator, period: str, by: str) -> dict[str, Any]:
    targets, below, year = view.targets(one.id), view.indicators.suppress_below, period[:4]
    code, subject = view.subject()
    aim = targets.get((code, year))
    names = dict(view.counties())
    total = view.cells(one, [], period)
    counties = [
        (str(c.key["place"]), names[str(c.key["place"])], figure(one, c, targets.get((str(c.key["place"]), year), aim), below))
        for c in view.cells(one, ["place"], period) if str(c.key.get("place")) in names
    ]
    trend = trend_of(view, one, aim)
    return {
        "total": figure(one, total[-1] if total else None, aim, below), "subject": subject, "shown_period": view.shown_period(one, period), "target": aim,
        "counties": counties, "trend": trend and [(x, figure(one, c, None, below)) for x, c in zip(trend["x"], trend["cells"], strict=True)],
        "trend_chart": drawn(trend), "bars_chart": drawn(bars_of(one, counties, aim)), "breakdown": _breakdown(view, one, by, period) if by else [],
    }


def _breakdown(view: View, one: Indicator, dimension: str, period: str) -> list[tuple[str, Cell, Figure]]:
    names = view.code_names(one, dimension)
    found = []
    for cell in view.cells(one, [dimension], period):
        key = cell.key[dimension]
        shown = word("unknown") if key is None else names.get(str(key).lower() if isinstance(key, bool) else str(key), str(key))
        found.append((shown, cell, figure(one, cell, None, view.indicators.suppress_below)))
    return found


@router.get("/indicator/{name}/rows")
def rows_page(request: Request, name: str, period: str = "", place: str = "", which: str = "denominator") -> HTMLResponse:
    """The rows behind a figure, masked, each with the sender, file and line it came from."""
    view = View.of(request)
    one = _indicator(view, name)
    where = view.where(one, asked_period(period)) + asked_place(place)
    table = view.actor.rows(view.indicators, name, which, where, ROWS_SHOWN)
    filled = [c for c in table.column_names if table[c].null_count < len(table) and c != "counted"]
    names = {c: view.code_names(one, c) for c in filled}
    rows = [[_named(row[c], names[c]) for c in filled] for row in table.select(filled).to_pylist()]
    return page(
        request, "rows.html", one=one, columns=filled, rows=rows, labels=view.column_labels(one), which=which, period=period, place=place, count=ROWS_SHOWN,
        shown_period=view.shown_period(one, period), place_name=view.place_names().get(place, place), snapshot=view.snapshot,
        tabs=("denominator", "numerator", "unknown") if one.kind == "share" else ("denominator", "unknown"),
    )


def _named(value: Any, names: dict[str, str]) -> str:
    """A value as people read it: names for codes, yes and no for truth values."""
    if value is None:
        return ""
    key = str(value).lower() if isinstance(value, bool) else str(value)
    if key not in names:
        return number(value) if isinstance(value, float) else key
    is_plain = len(names) <= LARGE_LIST or isinstance(value, bool) or key.isdigit()
    return names[key] if is_plain else f"{key} {names[key]}"


@router.get("/indicator/{name}/figures.csv")
def figures_csv(request: Request, name: str, period: str = "", by: str = "place") -> Response:
    """The figures of a page as CSV, each line with its period, snapshot and definition."""
    view = View.of(request)
    one = _indicator(view, name)
    dimensions = [d for d in by.split(",") if d]
    answer = view.actor.figures(view.indicators, name, dimensions, view.where(one, asked_period(period)))
    text = _csv(answer, view.shown_period(one, period))
    return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


def _csv(answer: Answer, period: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*answer.by, *CELL, "period", "snapshot", "definition"])
    for cell in answer.cells:
        keys = [_harmless(key) for key in cell.key.values()]
        writer.writerow([*keys, *(getattr(cell, name) for name in CELL), period, answer.snapshot, answer.definition])
    return stream.getvalue()


def _harmless(key: Any) -> Any:
    """A group's name that no spreadsheet takes for a formula."""
    return f"'{key}" if isinstance(key, str) and key[:1] in ("=", "+", "-", "@", "\t", "\r") else key
