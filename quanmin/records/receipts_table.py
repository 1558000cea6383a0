"""The ledger's submissions as a table like any other: who sent what for which month, and who owes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.records.accepted import ARROW_TYPES
from quanmin.records.ledger import WHOLE, Ledger, Piece, Submission

REPORTED_BY = 0.5
LONGEST_SILENCE = 12  # months


def _next(month: date, day: int) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, day)


def last_month(pieces: list[Piece]) -> str:
    """The newest month that at least half of some table's senders have reported."""
    senders: dict[str, set[str]] = {}
    by_month: dict[tuple[str, str], set[str]] = {}
    for piece in pieces:
        senders.setdefault(piece.table_name, set()).add(piece.sender)
        by_month.setdefault((piece.table_name, piece.period), set()).add(piece.sender)
    full = [period for (table, period), who in by_month.items() if len(who) >= REPORTED_BY * len(senders[table])]
    return max(full, default="")


def months_owed(heard: list[date], last: date) -> list[date]:
    """The months a sender reported, and those since when it was silent; a month with more than a year of silence after it (more likely a
    typing error in a date than a report) begins nothing.
    """
    found: list[date] = []
    for month, after in zip(heard, [*heard[1:], None], strict=True):
        if month > last:
            break
        found.append(month)
        until = min(after or _next(last, 1), _next(last, 1))
        silent = (until.year - month.year) * 12 + until.month - month.month - 1
        if after is None or silent <= LONGEST_SILENCE:
            for _ in range(silent):
                found.append(_next(found[-1], 1))
    return found


def receipt_rows(ledger: Ledger, catalog: Catalog, due_day: int, counties: Mapping[str, str]) -> pa.Table:
    """Rows of table `receipt`: per sender, owed table and month from the sender's first to the newest month, received or not."""
    submissions = {s.id: s for s in ledger.submissions()}
    pieces = [p for p in ledger.pieces() if p.table_name in catalog.tables and catalog.tables[p.table_name].owed and p.period != WHOLE]
    newest = last_month(pieces)
    heard: dict[tuple[str, str], dict[str, list[Piece]]] = {}
    for piece in pieces:
        heard.setdefault((piece.sender, piece.table_name), {}).setdefault(piece.period, []).append(piece)
    rows = []
    for (sender, table), months in sorted(heard.items()):
        reported = sorted(date.fromisoformat(period) for period in months)
        for month in months_owed(reported, max(date.fromisoformat(newest or WHOLE), reported[0])):
            rows.append(_row(sender, table, month, months.get(month.isoformat(), []), submissions, due_day, counties))
    schema = pa.schema([(c.name, ARROW_TYPES[c.type]) for c in catalog.tables["receipt"].columns.values()])
    return pa.Table.from_pylist(rows, schema=schema)


def _row(sender: str, table: str, month: date, pieces: list[Piece], submissions: Mapping[int, Submission], due_day: int,
         counties: Mapping[str, str]) -> dict[str, object]:
    due = _next(month, due_day)
    first = submissions[pieces[0].submission] if pieces else None
    received = date.fromisoformat(first.received_at[:10]) if first else None
    return {
        "sender": sender, "table": table, "period": month, "due_on": due, "received_on": received,
        "days_late": max(0, (received - due).days) if received else None, "is_received": first is not None,
        "is_correction": any(p.mode == "replace" for p in pieces[1:]), "accepted": sum(p.rows for p in pieces[-1:]),
        "rejected": submissions[pieces[-1].submission].rejected if pieces else None, "county_code": counties.get(sender),
    }
