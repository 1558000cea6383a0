"""The audit trail: who did what, on what, with which result; every entry seals the one before, so that a change anywhere shows."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, insert, select

from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger, now

FIELDS = ("at", "account", "action", "subject", "result", "rows", "before")


def _seal(entry: dict[str, Any]) -> str:
    return hashlib.sha256("\x1f".join(str(entry[name]) for name in FIELDS).encode()).hexdigest()


class Audit:
    """Writes and verifies the trail. Subjects are ids, codes and conditions on codes: never identifying values."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def note(self, account: str, action: str, subject: str, result: str = "done", rows: int = 0) -> None:
        """Append one entry."""
        with self.ledger.transaction() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("UPDATE audit SET id = id WHERE id = -1")  # takes the write lock before the last seal is read
            before = self._last(connection)
            entry = {"at": now(), "account": account, "action": action, "subject": subject[:400], "result": result, "rows": rows, "before": before}
            connection.execute(insert(t.audit).values(**entry, seal=_seal(entry)))

    def _last(self, connection: Connection) -> str:
        query = select(t.audit.c.seal).order_by(t.audit.c.id.desc()).limit(1)
        return connection.execute(query if connection.dialect.name == "sqlite" else query.with_for_update()).scalar() or ""

    def entries(self, limit: int = 200) -> list[dict[str, Any]]:
        """The newest entries."""
        with self.ledger.engine.connect() as connection:
            rows = connection.execute(select(t.audit).order_by(t.audit.c.id.desc()).limit(limit))
            return [dict(row._mapping) for row in rows]

    def first_break(self) -> int | None:
        """The id of the first entry that was changed, removed or moved; None where the chain holds."""
        before, expected = "", 1
        with self.ledger.engine.connect() as connection:
            for row in connection.execute(select(t.audit).order_by(t.audit.c.id)):
                entry = dict(row._mapping)
                if entry["before"] != before or _seal(entry) != entry["seal"] or entry["id"] != expected:
                    return int(entry["id"])
                before, expected = entry["seal"], expected + 1
        return None
