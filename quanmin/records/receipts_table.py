"""The ledger's submissions as a table like any other: who sent what for which month, and who owes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.records.accepted import ARROW_TYPES
from quanmin.records.ledger import WHOLE, Ledger, Piece, Submission
from quanmin.records.months_named import months_named

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


def months_covered(ledger: Ledger, catalog: Catalog, newest: date) -> dict[tuple[str, str], dict[date, Submission]]:
    """(sender, table) → month → the first submission whose file's name says that it is about this month, rows or none.

    A file of several months speaks only for those that were over when it came: one named by the year and sent in April says nothing of May.
    """
    found: dict[tuple[str, str], dict[date, Submission]] = {}
    for one in ledger.submissions():
        named, mapping = months_named(one.file), catalog.mappings.get(one.mapping)
        if named is None or mapping is None or (one.read and not one.accepted):
            continue
        until = min(date.fromisoformat(named[1] + "-01"), newest)
        over = _month_of(one.received_at) if named[0] != named[1] else date.max
        for table in {into.table for into in mapping.into if catalog.tables[into.table].owed}:
            month = date.fromisoformat(named[0] + "-01")
            while month <= until and month < over:
                found.setdefault((one.sender, table), {}).setdefault(month, one)
                month = _next(month, 1)
    return found


def receipt_rows(ledger: Ledger, catalog: Catalog, due_day: int, counties: Mapping[str, str]) -> pa.Table:
    """Rows of table `receipt`: per sender, owed table and month from the sender's first to the newest month, received or not.

    A month is received when rows of it came, or when a file that names it came without any (a nil report).
    """
    submissions = {s.id: s for s in ledger.submissions()}
    pieces = [p for p in ledger.pieces() if p.table_name in catalog.tables and catalog.tables[p.table_name].owed and p.period != WHOLE]
    newest = date.fromisoformat(last_month(pieces) or WHOLE)
    covered = months_covered(ledger, catalog, newest)
    heard: dict[tuple[str, str], dict[str, list[Piece]]] = {}
    for piece in pieces:
        heard.setdefault((piece.sender, piece.table_name), {}).setdefault(piece.period, []).append(piece)
    rows = []
    for (sender, table), months in sorted(heard.items()):
        reported = sorted(date.fromisoformat(period) for period in months)
        nil = covered.get((sender, table), {})
        connected = _month_of(min(submissions[p.submission].received_at for found in months.values() for p in found))
        known = sorted({*reported, *(month for month in nil if reported[0] <= month)})
        for month in months_owed(known, max(newest, reported[0])):
            found = months.get(month.isoformat(), [])
            came = submissions[found[0].submission] if found else nil.get(month)
            rows.append({"sender": sender, "table": table, "period": month, "county_code": counties.get(sender),
                         **_timeliness(month, came, _next(month, due_day), _next(month, 1) <= connected),
                         "is_correction": any(p.mode == "replace" for p in found[1:]), "accepted": sum(p.rows for p in found[-1:]),
                         "rejected": submissions[found[-1].submission].rejected if found else 0 if came else None})
    schema = pa.schema([(c.name, ARROW_TYPES[c.type]) for c in catalog.tables["receipt"].columns.values()])
    return pa.Table.from_pylist(rows, schema=schema)


def _timeliness(month: date, came: Submission | None, due: date, is_backfill: bool) -> dict[str, object]:
    """When a month was due and came. What ended before the month in which its sender was connected is history: nobody was waiting for it."""
    received = date.fromisoformat(came.received_at[:10]) if came else None
    return {"due_on": due, "received_on": received, "is_received": came is not None, "is_backfill": is_backfill,
            "days_late": None if received is None or is_backfill else max(0, (received - due).days)}


def _month_of(moment: str) -> date:
    return date.fromisoformat(moment[:7] + "-01")
