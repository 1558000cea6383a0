"""The pages about the data itself: who has sent what, how completely, and what one sender must mend."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate import Actor, Scope
from quanmin.gate.data_checks import Held, held
from quanmin.gate.data_desk import STATES, DataDesk, Filled, Reject, Sent, Slot, worst
from quanmin.gate.retold import retold
from quanmin.web.desk import Desk
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View, refused
from quanmin.web.words import word

router = APIRouter()
WORST_SHOWN, SHADED = 15, 25  # senders in charts; tables have them all


def data_desk(view: View) -> DataDesk:
    """The desk for the data of what a request may see."""
    site = view.desk.site
    return DataDesk(view.actor, view.desk.indicators(Scope(), view.snapshot.id), site.ledger, site.folders, view.snapshot, view.desk.remembered)


def warm_data(desk: Desk) -> None:
    """Count what the data pages show before anybody asks; nothing where there is no snapshot yet."""
    if desk.is_serving and desk.site.ledger.snapshots():
        view = View(desk, Actor("", "leader", Scope(), desk.site.ledger))
        desk_of_all = data_desk(view)
        held(desk_of_all)
        desk_of_all.completeness()
        desk_of_all.sent()
        retold("", language())


def about(view: View) -> dict[str, Any]:
    """What stands beside every row of a file."""
    return {"snapshot": view.snapshot.id, "published_at": view.snapshot.published_at, "scope": str(view.actor.scope)}


def sender_name(view: View, sender: str) -> str:
    """A sender's name where it is a known institution, else its code."""
    return view.facility_names().get(sender, sender)


def sender_link(view: View, sender: str) -> Shown:
    """A sender by its code, leading to its page."""
    return Shown(sender, sender, href=f"/data/sender/{sender}")


def table_name(view: View, table: str) -> str:
    """A table's name in the spoken language."""
    found = view.catalog.tables.get(table)
    return found.label.in_language(language()) if found else table


def share(part: float, whole: float) -> float | None:
    """part of whole in percent."""
    return round(part / whole * 100, 2) if whole else None


def percent(value: float | None) -> Shown:
    """A share as the page shows it."""
    return Shown("–" if value is None else f"{value:.2f}%", value)


def bars(title: str, shown: list[tuple[str, float, str, str]], unit: str = "%") -> dict[str, Any] | None:
    """A chart of horizontal bars from (name, value, text, link)."""
    if not shown:
        return None
    return {"kind": "data_bars", "title": title, "unit": unit, "x": [s[0] for s in shown], "y": [s[1] for s in shown], "text": [s[2] for s in shown],
            "links": [s[3] for s in shown]}


def timeliness(view: View, slots: list[Slot], by: str) -> Panel:
    """Senders (or the tables of one) by months: in time, late, missing, or with nothing to report."""
    months = sorted({slot.month for slot in slots})
    cells: dict[tuple[str, str], list[Slot]] = {}
    for slot in slots:
        cells.setdefault((getattr(slot, by), slot.month), []).append(slot)
    states = {key: worst(s.state for s in found) for key, found in cells.items()}
    counts = {key: Counter(state for (name, _), state in states.items() if name == key) for key in {name for name, _ in states}}
    order = sorted(counts, key=lambda key: (-counts[key]["missing"], -counts[key]["late"], key))
    named = (lambda key: sender_name(view, key)) if by == "sender" else (lambda key: table_name(view, key))
    late = {key: max((s.days_late or 0 for s in found), default=0) for key, found in cells.items()}

    def said(key: tuple[str, str]) -> str:
        if key not in states:
            return ""
        return word("days_late", days=late[key]) if states[key] == "late" else word(f"slot_{states[key]}")

    first = [Column("sender", word("sender")), Column("name", word("sender_name"))] if by == "sender" else [Column("table", word("data_table"))]
    rows = [[*([sender_link(view, key), named(key)] if by == "sender" else [Shown(named(key), key)]), *(said((key, month)) for month in months),
             *(counts[key][state] for state in STATES)] for key in order]
    columns = [*first, *(Column(month, month) for month in months), *(Column(state, word(f"slot_{state}"), True) for state in STATES)]
    chart = {
        "kind": "calendar_heat", "x": months, "y": [named(key) for key in order], "states": [word(f"slot_{state}") for state in STATES],
        "tones": ["good", "warn", "soft", "line", "bad"], "marks": ["✓", "", "0", "·", "✕"],
        "cells": [[months.index(month), order.index(key), STATES.index(state), str(late[(key, month)]) if state == "late" else "", said((key, month)),
                   f"/data/sender/{key}" if by == "sender" else ""] for (key, month), state in states.items()],
    } if months else None
    return Panel("timeliness", word("timeliness"), Sheet(columns, rows, about(view)), chart, note=word("timeliness_note"))


def completeness(view: View, found: list[Filled]) -> Panel:
    """How far each sender fills the mandatory columns of each table it sends."""
    groups: dict[tuple[str, str], list[Filled]] = {}
    for one in found:
        groups.setdefault((one.sender, one.table), []).append(one)
    rows, values = [], {}
    for (sender, table), filled in groups.items():
        expected, there = sum(f.rows for f in filled), sum(f.filled for f in filled)
        weakest = min(filled, key=lambda f: f.filled / f.rows if f.rows else 1)
        label = view.catalog.tables[table].columns[weakest.column].label.in_language(language())
        values[(sender, table)] = share(there, expected)
        rows.append([sender_link(view, sender), sender_name(view, sender), Shown(table_name(view, table), table), len(filled), expected, there,
                     percent(values[(sender, table)]), Shown(label, weakest.column), percent(share(weakest.filled, weakest.rows))])
    rows.sort(key=lambda row: (row[6].value if row[6].value is not None else 101, row[0].value))
    columns = [Column("sender", word("sender")), Column("name", word("sender_name")), Column("table", word("data_table")),
               Column("mandatory_columns", word("mandatory_columns"), True), Column("expected", word("expected_values"), True),
               Column("filled", word("filled_values"), True), Column("share", word("filled_share"), True), Column("weakest", word("weakest_column")),
               Column("weakest_share", word("weakest_share"), True)]
    chart = share_heat(view, {(s, table_name(view, t)): v for (s, t), v in values.items()}, is_good_high=True)
    return Panel("completeness", word("completeness_panel"), Sheet(columns, rows, about(view)), chart, note=word("completeness_note", count=SHADED))


def share_heat(view: View, values: dict[tuple[str, str], float | None], is_good_high: bool) -> dict[str, Any] | None:
    """A chart of senders by something: shares in percent as shades, those who need attention first."""
    known = {key: value for key, value in values.items() if value is not None}
    if not known:
        return None
    worst_of = {sender: (min if is_good_high else max)(v for (s, _), v in known.items() if s == sender) for sender in {s for s, _ in known}}
    order = sorted(worst_of, key=lambda s: (worst_of[s] if is_good_high else -worst_of[s], s))[:SHADED]
    known = {key: value for key, value in known.items() if key[0] in order}
    across = list(dict.fromkeys(name for _, name in known))
    return {"kind": "share_heat", "x": across, "y": [sender_name(view, s) for s in order], "high": is_good_high,
            "cells": [[across.index(name), order.index(s), v, f"/data/sender/{s}"] for (s, name), v in known.items()]}


def counted(view: View, desk: DataDesk) -> Panel:
    """Rows read, accepted and rejected by sender, with the sum of all."""
    tallies = {sender: counts for sender, counts in desk.tallies().items() if counts is None or counts[0] or desk.actor.scope.kind == "facility"}
    order = sorted(tallies, key=lambda s: (-(share(tallies[s][2], tallies[s][0]) or 0) if tallies[s] else 0, s))  # type: ignore[index]
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))
    rows: list[list[Any]] = []
    for sender in order:
        counts = tallies[sender]
        cells: list[Any] = [withheld] * 4 if counts is None else [*counts, percent(share(counts[2], counts[0]))]
        rows.append([sender_link(view, sender), sender_name(view, sender), *cells])
    total = desk.total()
    rows.append([Shown(word("all_senders"), ""), "", *([withheld] * 4 if total is None else [*total, percent(share(total[2], total[0]))])])
    shown = [(sender_name(view, s), share(c[2], c[0]) or 0.0, f"{c[2]:,} / {c[0]:,}", f"/data/sender/{s}") for s in order if (c := tallies[s]) and c[2]]
    columns = [Column("sender", word("sender")), Column("name", word("sender_name")), Column("read", word("rows_read"), True),
               Column("accepted", word("rows_accepted"), True), Column("rejected", word("rows_rejected"), True),
               Column("rejected_share", word("rejected_share"), True)]
    return Panel("counts", word("rejected_by_sender"), Sheet(columns, rows, about(view)), bars(word("rejected_share"), shown[:WORST_SHOWN]),
                 note=word("rejected_note", count=WORST_SHOWN))


@router.get("/data")
def data_page(request: Request, table: str = "") -> Response:
    """Who has sent what in the last twelve months, and how well."""
    view = View.of(request)
    desk = data_desk(view)
    slots = desk.slots()
    tables = sorted({slot.table for slot in slots})
    if table and table not in tables:
        raise refused("table", table)

    def read() -> tuple[list[Panel], tuple[int, int, int] | None]:
        shown = [s for s in slots if table in ("", s.table)]
        return [timeliness(view, shown, "sender"), counted(view, desk), completeness(view, desk.completeness())], desk.total()

    panels, total = view.remembered(("data page", table), read)  # of what stands in the snapshot
    return answer(request, "data.html", panels, snapshot=view.snapshot, total=total, tables={t: table_name(view, t) for t in tables}, table=table,
                  missing=sum(s.state == "missing" for s in slots), late=sum(s.state == "late" for s in slots), senders=len(desk.senders),
                  waiting=desk.waiting())


def _files(view: View, sent: list[Sent]) -> Panel:
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))

    def fate(one: Sent) -> str:
        if one.replaced_by and not one.stands:
            return word("replaced_by", numbers=", ".join(map(str, one.replaced_by)))
        if not one.is_built:
            return word("waits_for_build")
        return word("partly_replaced_by", numbers=", ".join(map(str, one.replaced_by))) if one.replaced_by else word("stands")

    rows: list[list[Any]] = []
    for one in sent:
        s = one.submission
        months = one.months[0] if len(one.months) == 1 else f"{one.months[0]} – {one.months[-1]}" if one.months else ""
        table = one.tables[0] if one.tables else ""
        rows.append([s.id, s.file, Shown(s.received_at[:16].replace("T", " "), s.received_at), Shown(table_name(view, table), table), months,
                     *([withheld] * 3 if one.is_withheld else [s.read, s.accepted, s.rejected]), fate(one)])
    columns = [Column("submission", word("receipt_number"), True), Column("file", word("file")), Column("received_at", word("received_at")),
               Column("table", word("data_table")), Column("months", word("months_covered")), Column("read", word("rows_read"), True),
               Column("accepted", word("rows_accepted"), True), Column("rejected", word("rows_rejected"), True), Column("fate", word("what_became_of_it"))]
    return Panel("files", word("received_files"), Sheet(columns, rows, about(view)), is_open=True)


def fix_list(view: View, rejects: list[Reject], name: str = "fix", title: str = "") -> Panel:
    """Every rejected row with what is wrong and how to mend it."""
    columns = [Column("submission", word("receipt_number"), True), Column("file", word("file")), Column("line", word("line"), True),
               Column("field", word("field")), Column("value", word("value")), Column("rule", word("rule")), Column("mend", word("mend"))]
    rows = [[r.submission, r.file, r.line, r.field, r.value, r.rule, r.mend] for r in rejects]
    return Panel(name, title or word("fix_list"), Sheet(columns, rows, about(view)), is_open=True, note=word("fix_list_note"))


def _by_rule(view: View, rejects: list[Reject]) -> Panel:
    groups: dict[tuple[str, str], list[Reject]] = {}
    for one in rejects:
        groups.setdefault((one.rule, one.mend), []).append(one)
    order = sorted(groups, key=lambda key: (-len(groups[key]), key))
    rows = [[rule, len(groups[(rule, mend)]), ", ".join(dict.fromkeys(r.field for r in groups[(rule, mend)] if r.field)), mend] for rule, mend in order]
    columns = [Column("rule", word("rule")), Column("rejects", word("rejects_count"), True), Column("fields", word("field")), Column("mend", word("mend"))]
    return Panel("rules", word("rejects_by_rule"), Sheet(columns, rows, about(view)), is_open=True)


def check_rows(view: View, found: list[Held], sender: str = "") -> Panel:
    """Checks with their counts, failed ones first."""
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))
    rows: list[list[Any]] = []
    for one in sorted(found, key=lambda h: (h.order, h.check.id)):
        check, f = one.check, one.finding
        link = f"/data/checks/{check.id}" + (f"?sender={sender}" if sender else "")
        counts: list[Any] = [withheld] * 3 if one.is_withheld else [f.violations, f.applicable, percent(f.share)]
        rows.append([Shown(check.label.in_language(language()), check.id, href=link), Shown(table_name(view, check.table), check.table),
                     Shown(word(f"category_{check.category}"), check.category), Shown(word(f"severity_{check.severity}"), check.severity), *counts,
                     Shown(f"{check.tolerated:g}%", check.tolerated), Shown(word(f"check_{one.status}"), one.status,
                                                                            verdict={"fail": "missed", "pass": "met"}.get(one.status, ""))])
    columns = [Column("check", word("check")), Column("table", word("data_table")), Column("category", word("category")), Column("severity", word("severity")),
               Column("violations", word("violations"), True), Column("applicable", word("applicable"), True), Column("share", word("violated_share"), True),
               Column("tolerated", word("tolerated"), True), Column("status", word("check_status"))]
    return Panel("checks", word("checks_panel"), Sheet(columns, rows, about(view)), is_open=True)


@router.get("/data/sender/{sender}")
def sender_page(request: Request, sender: str, receipt: str = "", unmasked: str = "") -> Response:
    """One sender: its files, what to mend, its checks; and where it hands in a corrected file."""
    view = View.of(request)
    desk = data_desk(view)
    if view.actor.scope.kind == "region" and not desk.sees(sender):
        raise HTTPException(404)
    desk.require_sender(sender, "data")
    sent = desk.sent(sender)
    found = [h for h in held(desk, sender) if h.status != "not_applicable"]
    slots = [slot for slot in desk.slots() if slot.sender == sender]
    panels = [timeliness(view, slots, "table"), _files(view, sent), check_rows(view, found, sender),
              completeness(view, desk.completeness(sender))]
    values: dict[str, Any] = {}
    if view.actor.may("rows"):
        rejects = desk.rejects(sender, bool(unmasked))
        panels += [fix_list(view, rejects), _by_rule(view, rejects)]
    if receipt:
        if not receipt.isascii() or not receipt.isdigit() or len(receipt) > 9:
            raise refused("receipt", receipt)
        values["receipt"] = desk.receipt(sender, int(receipt))
        if values["receipt"] and values["receipt"]["rejects"]:
            panels.append(fix_list(view, values["receipt"]["rejects"], "receipt_rejects", word("rejects_of_receipt", number=receipt)))
    standing = [one.submission for one in sent if one.stands_in(view.snapshot.through)]
    values["total"] = None if any(one.is_withheld for one in sent) else tuple(
        sum(getattr(s, name) for s in standing) for name in ("read", "accepted", "rejected"))
    return answer(request, "data_sender.html", panels, snapshot=view.snapshot, sender=sender, name=sender_name(view, sender), files=len(sent),
                  failed=sum(h.status == "fail" for h in found), missing=sum(s.state == "missing" for s in slots), may_submit=view.actor.may("submit"),
                  may_unmask=desk.is_own(sender), unmasked=bool(unmasked), repeated="repeated" in request.query_params,
                  build=request.app.state.builds.progress(), build_text=build_text(request), waiting=len([o for o in sent if not o.is_built]), **values)


def build_text(request: Request) -> str:
    """Where the newest build asked for stands, in one sentence."""
    progress = request.app.state.builds.progress()
    text = word(f"build_{progress.state}", percent=progress.percent, at=progress.ended_at[:16].replace("T", " "))
    return f"{text} {word('build_queued')}" if progress.is_queued and progress.state == "running" else text


@router.get("/data/build")
def build_state(request: Request) -> Response:
    """Where the newest build stands, for the page that waits for it."""
    request.app.state.desk.actor(request).require("figures", "data", "build")
    progress = request.app.state.builds.progress()
    return JSONResponse({"state": progress.state, "queued": progress.is_queued, "percent": progress.percent, "text": build_text(request)})
