"""What this site is made of, for whoever wants to know what stands behind a figure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.catalog.messages import language
from quanmin.gate.about_site import About, about_site
from quanmin.reports.words import told
from quanmin.web.data_pages import about, table_name
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

router = APIRouter()
KINDS = ("indicator", "check", "code_list")
STATUSES = ("verified", "transcribed", "recalled", "own")


def _definitions(view: View, found: About) -> Panel:
    rows: list[list[Any]] = [[Shown(word(f"kind_{kind}"), kind), *(found.by_status.get((kind, status), 0) for status in STATUSES),
                              sum(n for (k, _), n in found.by_status.items() if k == kind)] for kind in KINDS]
    columns = [Column("kind", word("definition_kind")), *(Column(s, told("reports", f"status_{s}"), True) for s in STATUSES),
               Column("all", word("all_of_them"), True)]
    chart = {"kind": "stacked", "y": [word(f"kind_{kind}") for kind in KINDS], "tones": ["good", "brand", "warn", "soft"],
             "series": [{"name": told("reports", f"status_{s}"), "data": [found.by_status.get((kind, s), 0) for kind in KINDS]} for s in STATUSES]}
    return Panel("definitions", word("definitions_panel"), Sheet(columns, rows, about(view)), chart)


def _waiting(view: View, found: About) -> Panel:
    rows: list[list[Any]] = []
    for one in found.waiting:
        assert one.waits_for is not None
        rows.append([Shown(one.label.in_language(language()), one.id, href=f"/indicator/{one.id}"), one.code, f"{one.waits_for.table}.{one.waits_for.column}",
                     one.waits_for.reason.in_language(language())])
    columns = [Column("indicator", word("indicator")), Column("code", word("code")), Column("waits_for", word("waits_for")), Column("reason", word("why"))]
    return Panel("waiting", word("waiting_panel", count=len(rows)), Sheet(columns, rows, about(view)), is_open=True)


def _lists(view: View, found: About) -> Panel:
    rows: list[list[Any]] = [[Shown(one.label.in_language(language()), one.id), one.standard, one.version, len(one.codes), one.licence, one.source,
                              Shown(told("reports", f"status_{one.status}"), one.status)] for one in found.code_lists]
    columns = [Column("list", word("code_list")), Column("standard", word("standard")), Column("version", word("list_version")),
               Column("codes", word("codes_count"), True), Column("licence", word("licence")), Column("source", word("source")),
               Column("status", word("status"))]
    return Panel("codes", word("code_lists_panel"), Sheet(columns, rows, about(view)), is_open=True)


def _snapshots(view: View, found: About) -> Panel:
    rows: list[list[Any]] = []
    for one in found.published:
        s = one.snapshot
        rows.append([Shown(str(s.id), s.id, href=f"/?as_of={s.id}"), Shown(s.published_at[:16].replace("T", " "), s.published_at), s.through,
                     len(one.rows), sum(one.rows.values()), Shown(s.definitions[:12], s.definitions)])
    columns = [Column("number", word("snapshot"), True), Column("published", word("published_at")), Column("submissions", word("files_in_it"), True),
               Column("tables", word("tables_in_it"), True), Column("rows", word("rows_in_it"), True), Column("definitions", word("definitions_hash"))]
    return Panel("snapshots", word("snapshots_panel"), Sheet(columns, rows, about(view)), is_open=True)


def _tables(view: View, found: About) -> Panel:
    here = next((one.rows for one in found.published if one.snapshot.id == view.snapshot.id), {})
    rows: list[list[Any]] = [[Shown(table_name(view, t.id), t.id), Shown(word("yes" if t.is_derived else "no"), t.is_derived), len(t.columns),
                              here.get(t.id, 0)] for t in view.catalog.tables.values()]
    rows.sort(key=lambda row: (row[3] == 0, -row[3]))
    columns = [Column("table", word("data_table")), Column("derived", word("is_derived")), Column("columns", word("columns_count"), True),
               Column("rows", word("rows_in_it"), True)]
    return Panel("tables", word("tables_panel", id=view.snapshot.id), Sheet(columns, rows, about(view)))


@router.get("/about")
def about_page(request: Request) -> Response:
    """Definitions, code lists, snapshots, and what is missing."""
    view = View.of(request)
    found = about_site(view.actor, view.catalog, view.desk.site.ledger)
    panels = [_definitions(view, found), _waiting(view, found), _snapshots(view, found), _tables(view, found), _lists(view, found)]
    waited_for = Counter(one.waits_for.table for one in found.waiting if one.waits_for)
    names = [table_name(view, t.id) for t in found.never_received]
    return answer(request, "about.html", panels, snapshot=view.snapshot, found=found, region=view.region,
                  region_name=view.place_names().get(view.region, ""), never_received=names,
                  waited_for=waited_for.most_common())
