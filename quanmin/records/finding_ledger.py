"""The ledger's part about findings: what people did about them, and the files they attached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select

from quanmin.model.finding import FindingAct
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger, first, now


def record_acts(ledger: Ledger, acts: Sequence[FindingAct]) -> None:
    """Record acts, all or none; raises Refusal where somebody else has taken one of the steps."""
    if not acts:
        return
    with first("finding", "finding_moved"), ledger.transaction() as connection:
        connection.execute(insert(t.finding_act), [asdict(one) | {"at": now()} for one in acts])


def recorded_acts(ledger: Ledger, finding: str = "") -> list[FindingAct]:
    """The acts on a finding, or all, in order."""
    query = select(*(column for column in t.finding_act.c if column.name != "id")).order_by(t.finding_act.c.id)
    with ledger.reading() as connection:
        return [FindingAct(*row) for row in connection.execute(query.where(t.finding_act.c.finding == finding) if finding else query)]


def keep_attachment(ledger: Ledger, facility: str, content: bytes, kept_by: str) -> str:
    """Keep a file for an institution's findings, once; returns its SHA-256."""
    sha256 = hashlib.sha256(content).hexdigest()
    if attachment(ledger, facility, sha256) is None:
        with ledger.transaction() as connection:
            connection.execute(insert(t.attachment).values(sha256=sha256, facility=facility, content=content, kept_by=kept_by, kept_at=now()))
    return sha256


def attachment(ledger: Ledger, facility: str, sha256: str) -> bytes | None:
    """The content of a kept file, None where there is none."""
    query = select(t.attachment.c.content).where(t.attachment.c.sha256 == sha256, t.attachment.c.facility == facility)
    with ledger.reading() as connection:
        found: bytes | None = connection.execute(query).scalar()
        return found
