"""Data-quality checks: what fails by category and sender, and one check with its trend and the rows to mend."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate.data_checks import Held, held, offending, summed, trend
from quanmin.gate.data_desk import DataDesk
from quanmin.model import Check
from quanmin.web.data_pages import SHADED, about, bars, check_rows, data_desk, percent, sender_link, sender_name, share, share_heat
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View, refused
from quanmin.web.words import word

router = APIRouter()
CATEGORIES = ("conformance", "completeness", "plausibility")
ROWS_SHOWN, BARS_SHOWN = 200, 20


def _categories(view: View, by_check: list[Held]) -> Panel:
    rows: list[list[Any]] = []
    shown = []
    for name in CATEGORIES:
        found = [h for h in by_check if h.check.category == name]
        statuses = [h.status for h in found]
        is_withheld = any(h.is_withheld for h in found)
        bad, whole = sum(h.finding.violations for h in found), sum(h.finding.applicable for h in found)
        counts: list[Any] = [Shown("*", None)] * 3 if is_withheld else [bad, whole, percent(share(bad, whole))]
        rows.append([Shown(word(f"category_{name}"), name), len(found), *(statuses.count(s) for s in ("fail", "tolerated", "pass", "not_applicable")), *counts])
        if not is_withheld:
            shown.append((word(f"category_{name}"), share(bad, whole) or 0.0, f"{bad:,} / {whole:,}", f"/data/checks?category={name}"))
    columns = [Column("category", word("category")), Column("checks", word("checks_count"), True), Column("failed", word("check_fail"), True),
               Column("tolerated", word("check_tolerated"), True), Column("passed", word("check_pass"), True),
               Column("not_applicable", word("check_not_applicable"), True), Column("violations", word("violations"), True),
               Column("applicable", word("applicable"), True), Column("share", word("violated_share"), True)]
    return Panel("categories", word("by_category"), Sheet(columns, rows, about(view)), bars(word("violated_share"), shown), is_open=True)


def _senders(view: View, found: list[Held]) -> Panel:
    groups: dict[tuple[str, str], list[Held]] = {}
    for one in found:
        if one.finding.sender:
            groups.setdefault((one.finding.sender, one.check.category), []).append(one)
    rows: list[list[Any]] = []
    values: dict[tuple[str, str], float | None] = {}
    for (sender, category), several in sorted(groups.items()):
        bad, whole = sum(h.finding.violations for h in several), sum(h.finding.applicable for h in several)
        if not whole:
            continue
        is_withheld = any(h.is_withheld for h in several)
        values[(sender, word(f"category_{category}"))] = None if is_withheld else share(bad, whole)
        counts: list[Any] = [Shown("*", None)] * 3 if is_withheld else [bad, whole, percent(share(bad, whole))]
        rows.append([sender_link(view, sender), sender_name(view, sender), Shown(word(f"category_{category}"), category),
                     sum(h.status == "fail" for h in several), *counts])
    rows.sort(key=lambda row: (-row[3], row[0].value))
    columns = [Column("sender", word("sender")), Column("name", word("sender_name")), Column("category", word("category")),
               Column("failed", word("failed_checks"), True), Column("violations", word("violations"), True), Column("applicable", word("applicable"), True),
               Column("share", word("violated_share"), True)]
    return Panel("senders", word("checks_by_sender"), Sheet(columns, rows, about(view)), share_heat(view, values, is_good_high=False),
                 note=word("worst_note", count=SHADED))


@router.get("/data/checks")
def checks_page(request: Request, category: str = "") -> Response:
    """All checks: by category, by sender, and one by one."""
    view = View.of(request)
    desk = data_desk(view)
    if category and category not in CATEGORIES:
        raise refused("category", category)

    def read() -> tuple[list[Panel], int, int]:
        found = held(desk)
        by_check: dict[str, list[Held]] = {}
        for one in found:
            by_check.setdefault(one.check.id, []).append(one)
        whole = [summed(several, several[0].check) for several in by_check.values()]
        listed, shown = ([h for h in some if category in ("", h.check.category)] for some in (whole, found))
        panels = [_categories(view, whole), _senders(view, shown), check_rows(view, listed)]
        return panels, sum(h.status == "fail" for h in whole), len(whole)

    panels, failed, checks = view.remembered(("checks page", category), read)
    return answer(request, "data_checks.html", panels, snapshot=view.snapshot, category=category, categories=CATEGORIES, failed=failed, checks=checks)


def _by_sender(view: View, found: list[Held]) -> Panel:
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))
    rows: list[list[Any]] = []
    shown = []
    for one in sorted(found, key=lambda h: (h.order, h.finding.sender or "")):
        f = one.finding
        if not f.applicable:
            continue
        sender = f.sender or ""
        link = f"/data/checks/{one.check.id}?sender={sender}"
        counts: list[Any] = [withheld] * 3 if one.is_withheld else [f.violations, f.applicable, percent(f.share)]
        rows.append([Shown(sender, sender, href=link if sender else ""), sender_name(view, sender), *counts,
                     Shown(word(f"check_{one.status}"), one.status, verdict={"fail": "missed", "pass": "met"}.get(one.status, ""))])
        if not one.is_withheld and f.violations:
            shown.append((sender_name(view, sender), round(f.share or 0, 2), f"{f.violations:,} / {f.applicable:,}", link))
    total = summed(found, found[0].check) if found else None
    if total:
        counts = [withheld] * 3 if total.is_withheld else [total.finding.violations, total.finding.applicable, percent(total.finding.share)]
        rows.append([Shown(word("all_senders"), ""), "", *counts, Shown(word(f"check_{total.status}"), total.status)])
    columns = [Column("sender", word("sender")), Column("name", word("sender_name")), Column("violations", word("violations"), True),
               Column("applicable", word("applicable"), True), Column("share", word("violated_share"), True), Column("status", word("check_status"))]
    return Panel("by_sender", word("violations_by_sender"), Sheet(columns, rows, about(view)), bars(word("violated_share"), shown[:BARS_SHOWN]))


def _trend(view: View, desk: DataDesk, check: Check, sender: str) -> Panel | None:
    found = trend(desk, check, sender)
    cells = [c for c in found.cells if c.key[found.by[0]] is not None] if found else []
    if not found or not cells:
        return None
    grain = found.by[0]
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))
    rows: list[list[Any]] = [[str(c.key[grain]), *([withheld] * 3 if c.suppressed else [int(c.numerator or 0), int(c.denominator or 0), percent(c.value)])]
                             for c in cells]
    names = {name: word(name) for name in ("value", "target", "interval", "bounds", "no_data", "met", "missed")}
    blank = [None] * len(cells)
    chart = {"kind": "trend", "title": word("violated_share"), "target": check.tolerated or None, "words": names | {
        "unit": "%", "name": check.label.in_language(language()), "target": word("tolerated")}, "x": [str(c.key[grain]) for c in cells],
        "y": [None if c.value is None else round(float(c.value), 2) for c in cells], "low": blank, "high": blank, "bounds": [False] * len(cells)}
    columns = [Column(grain, word(grain)), Column("violations", word("violations"), True), Column("applicable", word("applicable"), True),
               Column("share", word("violated_share"), True)]
    return Panel("trend", word("trend" if grain == "month" else "trend_year"), Sheet(columns, list(reversed(rows)), about(view)),
                 chart if any(y is not None for y in chart["y"]) else None)


def _plain(value: Any) -> Any:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else value


def _rows(view: View, desk: DataDesk, check: Check, sender: str, unmasked: bool, is_export: bool) -> Panel:
    found = offending(desk, check, sender, 100_000 if is_export else ROWS_SHOWN, unmasked)
    labels = {c.name: c.label.in_language(language()) for c in view.catalog.tables[check.table].columns.values()} | {
        "file": word("file"), "line": word("line"), "sender": word("sender"), "submission": word("receipt_number")}
    names = list(found[0]) if found else ["sender", "file", "line", *check.fields]
    order = [n for n in ("sender", "file", "submission", "line") if n in names]
    order += [n for n in names if n not in order]
    columns = [Column(name, labels.get(name, name), name in ("line", "submission")) for name in order]
    rows = [[_said(name, row.get(name)) for name in order] for row in found]
    return Panel("rows", word("offending_rows"), Sheet(columns, rows, about(view)), is_open=True,
                 note=word("rows_note") + " " + word("shown_rows", count=ROWS_SHOWN))


def _said(name: str, value: Any) -> Any:
    """Whole numbers that name something (a year, a line) stay as they are written."""
    plain = _plain(value)
    return Shown(str(plain), plain) if isinstance(plain, int) and not isinstance(plain, bool) and name not in ("line", "submission") else plain


@router.get("/data/checks/{table}/{name}")
def check_page(request: Request, table: str, name: str, sender: str = "", unmasked: str = "") -> Response:
    """One check: what it says, who violates it, since when, and the rows."""
    view = View.of(request)
    desk = data_desk(view)
    check = view.catalog.checks.get(f"{table}/{name}")
    if check is None:
        raise HTTPException(404)
    if sender:
        desk.require_sender(sender, "data")
    found = held(desk, check=check.id)
    panels = [_by_sender(view, found)]
    if moved := _trend(view, desk, check, sender):
        panels.append(moved)
    if view.actor.may("rows"):
        panels.append(_rows(view, desk, check, sender, bool(unmasked), request.query_params.get("export", "").startswith("rows.")))
    mine = [h for h in found if sender in ("", h.finding.sender)]
    return answer(request, "data_check.html", panels, snapshot=view.snapshot, check=check, sender=sender, name=sender_name(view, sender) if sender else "",
                  total=summed(mine, check), table_label=view.catalog.tables[check.table].label.in_language(language()), unmasked=bool(unmasked),
                  fields=[(f, view.catalog.tables[check.table].columns[f].label.in_language(language())) for f in check.fields],
                  may_unmask=desk.is_own(sender or view.actor.scope.value))
