"""The desk for the data itself: who has sent what, what was accepted of it and what was not; every reading within the actor's scope."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq

from quanmin.catalog.messages import language
from quanmin.gate.actor import Actor
from quanmin.gate.audit import Audit
from quanmin.gate.retold import retold
from quanmin.model import Answer, Cell, Refusal
from quanmin.records.arrivals import open_with
from quanmin.records.folders import Folders
from quanmin.records.landing import Landing
from quanmin.records.ledger import WHOLE, Ledger, Piece, Snapshot, Submission
from quanmin.records.months_named import months_named
from quanmin.services.indicators import Indicators
from quanmin.services.indicators.suppression import suppress

STATES = ("on_time", "late", "nil", "history", "missing")  # from best to worst

_COUNTIES = """
WITH said AS (
    SELECT sender, facility_code AS code FROM facility_month UNION ALL SELECT sender, facility_code FROM facility_year),
placed AS (
    SELECT sender, f.facility_county AS county FROM said LEFT JOIN facility_attributes f ON f.facility_code = said.code
    UNION ALL SELECT sender, left(region_code, 6) FROM resident
    UNION ALL SELECT facility_code, facility_county FROM facility_attributes)
SELECT sender, min(county) AS county FROM placed WHERE sender IS NOT NULL GROUP BY sender HAVING min(county) = max(county)
"""


@dataclass(frozen=True)
class Slot:
    """What a sender owed of one table for one month: one of STATES, and the days it came late (None where nobody was waiting)."""

    sender: str
    table: str
    month: str
    state: str
    days_late: int | None
    received_on: date | None


@dataclass(frozen=True)
class Sent:
    """One received file: what it says of which tables and months, and the submissions that replaced it (where all of it is replaced it stands no more)."""

    submission: Submission
    tables: tuple[str, ...]
    months: tuple[str, ...]
    replaced_by: tuple[int, ...]
    stands: bool
    is_built: bool
    is_withheld: bool = False

    def stands_in(self, through: int) -> bool:
        """Whether it is among the first `through` submissions and not wholly replaced by others of them."""
        return self.submission.id <= through and (self.stands or (bool(self.replaced_by) and max(self.replaced_by) > through))


@dataclass(frozen=True)
class Reject:
    """One reason why a row was not accepted, in the spoken language; the value is masked where its column is personal."""

    submission: int
    file: str
    line: int | None
    field: str
    value: str
    rule: str
    mend: str


@dataclass(frozen=True)
class Filled:
    """How completely a sender fills a mandatory column: `filled` of `rows`."""

    sender: str
    table: str
    column: str
    filled: int
    rows: int


class DataDesk:
    """What one actor may see of the data itself. `whole` are the answers over the whole region: the desk narrows every reading to the actor's senders.

    A region account sees every sender, a county account the senders of its county, a facility account only what it sent itself. `remember` keeps,
    per key, what is counted of the whole region before it is narrowed.
    """

    def __init__(self, actor: Actor, whole: Indicators, ledger: Ledger, folders: Folders, snapshot: Snapshot,
                 remember: Callable[[Hashable, Callable[[], Any]], Any] = lambda key, make: make()) -> None:
        actor.require("figures", "data", "")
        self.remember = remember
        self.actor, self.whole, self.catalog, self.ledger, self.snapshot = actor, whole, whole.catalog, ledger, snapshot
        self.landing, self.folders = Landing(folders), folders

    @cached_property
    def counties(self) -> dict[str, str]:
        """Sender → the one county that all it sends is about."""
        def read() -> dict[str, str]:
            return {row["sender"]: row["county"] for row in self.whole.engine.table(_COUNTIES).to_pylist()}

        found: dict[str, str] = self.remember(("counties of senders", self.whole.snapshot), read)
        return found

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.senders)

    @cached_property
    def senders(self) -> list[str]:
        """The senders the actor may see, of those that have sent anything (and the actor's own institution)."""
        known = {s.sender for s in self._submissions}
        scope = self.actor.scope
        if scope.kind == "facility":
            return [scope.value]
        return sorted(s for s in known if scope.kind == "region" or self.counties.get(s) == scope.value)

    def sees(self, sender: str) -> bool:
        """Whether a sender is one the actor may see."""
        return sender in self._seen

    def is_own(self, sender: str) -> bool:
        """Whether the actor may see what a sender's personal columns hold: the institution itself, and whoever runs the machine."""
        return self.actor.may("identified") and (self.actor.role == "operator" or (self.actor.scope.kind, self.actor.scope.value) == ("facility", sender))

    def require_sender(self, sender: str, action: str) -> None:
        """Refuse, with an audit entry, a sender the actor may not see; one that does not exist is refused the same way."""
        if not self.sees(sender):
            self.actor.refuse(action, sender if sender in {s.sender for s in self._submissions} else "?")

    def within(self, sender: str = "") -> list[str]:
        """The condition that keeps a question to the actor's senders (or to one of them)."""
        if sender:
            self.require_sender(sender, "data")
        if not sender and self.actor.scope.kind == "region":
            return []
        listed = ", ".join("'" + s.replace("'", "''") + "'" for s in ([sender] if sender else self.senders))
        return [f"sender IN ({listed})"] if listed else ["sender = ''"]

    @cached_property
    def _submissions(self) -> list[Submission]:
        return self.ledger.submissions()

    def slots(self, months: int = 12) -> list[Slot]:
        """What every visible sender owed in the last months, month by month."""
        rows = self.whole.engine.table(
            "SELECT sender, \"table\", strftime(period, '%Y-%m') AS month, is_received, is_backfill, days_late, received_on, accepted FROM receipt"
            " WHERE period > (SELECT max(period) FROM receipt) - to_months($months) ORDER BY sender, \"table\", period", {"months": months}).to_pylist()
        return [Slot(row["sender"], row["table"], row["month"], _state(row), row["days_late"], row["received_on"]) for row in rows if self.sees(row["sender"])]

    def sent(self, sender: str = "") -> list[Sent]:
        """The received files of the visible senders (or of one), the newest first; counts that are too small for the role are withheld."""
        if sender:
            self.require_sender(sender, "submissions")
        return [one for one in self._sent if sender in ("", one.submission.sender)]

    @cached_property
    def _sent(self) -> list[Sent]:
        newest = self._submissions[-1].id if self._submissions else 0
        whole: list[Sent] = self.remember(("sent", self.snapshot.id, newest), self._all_sent)
        shown = [one for one in whole if self.sees(one.submission.sender)]
        withheld = self._withheld({one.submission.id: (one.submission.rejected, one.submission.read) for one in shown})
        return [replace(one, is_withheld=True) if one.submission.id in withheld else one for one in shown]

    def _all_sent(self) -> list[Sent]:
        """The files of all senders, the newest first."""
        pieces: dict[int, list[Piece]] = {}
        places: dict[tuple[str, str, str], list[Piece]] = {}
        for piece in self.ledger.pieces():
            pieces.setdefault(piece.submission, []).append(piece)
            places.setdefault((piece.table_name, piece.period, piece.sender), []).append(piece)
        later = {(s.sender, s.mapping, months_named(s.file)): s.id for s in self._submissions}
        return [self._one(s, pieces.get(s.id, []), places, later) for s in reversed(self._submissions)]

    def _one(self, one: Submission, pieces: Sequence[Piece], places: dict[tuple[str, str, str], list[Piece]],
             later: dict[tuple[str, str, tuple[str, str] | None], int]) -> Sent:
        after = [next((p.submission for p in places[(piece.table_name, piece.period, piece.sender)] if p.submission > one.id and p.mode == "replace"), None)
                 for piece in pieces]
        replaced = {number for number in after if number is not None}
        stands = None in after
        if not pieces:  # a file without one accepted row is replaced by a later one that names the same months
            named = months_named(one.file)
            newest = later[(one.sender, one.mapping, named)] if named else one.id
            replaced, stands = ({newest}, False) if newest != one.id else (set(), True)
        months = sorted({p.period[:7] for p in pieces if p.period != WHOLE})
        return Sent(one, tuple(dict.fromkeys(p.table_name for p in pieces)), tuple(months), tuple(sorted(replaced)), stands,
                    one.id <= self.snapshot.through)

    def _withheld(self, counts: dict[Any, tuple[int, int]]) -> set[Any]:
        """Those of (part, whole) counts that may not be shown to the role, with what would give them away."""
        if self.actor.may("small") or not counts:
            return set()
        cells = tuple(Cell({"k": key}, part, whole, 0, None) for key, (part, whole) in counts.items())
        return {cell.key["k"] for cell in suppress(Answer("", "", ("k",), cells), self.whole.suppress_below).cells if cell.suppressed}

    def tallies(self) -> dict[str, tuple[int, int, int] | None]:
        """Sender → rows read, accepted and rejected of the files that stand in the snapshot; None where they are too few to be shown to the role."""
        found = {sender: [0, 0, 0] for sender in self.senders}
        for one in self.sent():
            if one.stands_in(self.snapshot.through):
                for i, count in enumerate((one.submission.read, one.submission.accepted, one.submission.rejected)):
                    found[one.submission.sender][i] += count
        withheld = self._withheld({sender: (rejected, read) for sender, (read, _, rejected) in found.items()})
        return {sender: None if sender in withheld else (read, accepted, rejected) for sender, (read, accepted, rejected) in found.items()}

    def total(self) -> tuple[int, int, int] | None:
        """The same over all visible senders."""
        standing = [one.submission for one in self.sent() if one.stands_in(self.snapshot.through)]
        read, accepted, rejected = (sum(getattr(s, name) for s in standing) for name in ("read", "accepted", "rejected"))
        return None if self._withheld({"": (rejected, read)}) else (read, accepted, rejected)

    def receipt(self, sender: str, number: int) -> dict[str, Any] | None:
        """What was said of one submission of a sender when it came; None where there is none."""
        self.require_sender(sender, "submissions")
        one = next((s for s in self._submissions if (s.id, s.sender) == (number, sender)), None)
        path = self.landing.folder_of(one.sha256) / f".receipt-{number}.json" if one else None
        if one is None or path is None or not path.exists() or self._withheld({number: (one.rejected, one.read)}):
            return None
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        rejects = self.rejects_of(one) if self.actor.may("rows") and one.rejected else []
        if rejects:
            Audit(self.ledger).note(self.actor.name, "rejects", f"{sender} {number}", rows=len(rejects))
        return said | {"notes": [retold(note, language()) for note in said["notes"]], "rejects": rejects, "is_built": number <= self.snapshot.through}

    def rejects(self, sender: str, unmasked: bool = False) -> list[Reject]:
        """The fix list: every rejected row of the files of a sender that stand, newest file first; audited.

        Values of personal columns are masked; an institution sees its own as it sent them.
        """
        self.require_sender(sender, "rejects")
        self.actor.require("identified" if unmasked else "rows", "rejects", sender)
        if unmasked and not self.is_own(sender):
            self.actor.refuse("rejects unmasked", sender)
        found: list[Reject] = []
        for one in self.sent(sender):
            if one.stands_in(self.snapshot.through) and one.submission.rejected:
                found += self.rejects_of(one.submission, unmasked)
        Audit(self.ledger).note(self.actor.name, "rejects unmasked" if unmasked else "rejects", sender, rows=len(found))
        return found

    def rejects_of(self, one: Submission, unmasked: bool = False) -> list[Reject]:
        """The rejected rows of one submission as they lie beside it in landing."""
        path = self.landing.folder_of(one.sha256) / f".rejects-{one.id}.parquet"
        rows = pq.read_table(path).to_pylist() if path.exists() else []
        whole = self._as_sent(one, {row["line"] for row in rows}) if unmasked else {}
        spoken = language()
        return [Reject(one.id, row["file"], row["line"], row["field"], whole.get((row["line"], row["field"]), row["value"]),
                       retold(row["rule"], spoken), retold(row["mend"], spoken)) for row in rows]

    def _as_sent(self, one: Submission, lines: set[int | None]) -> dict[tuple[int, str], str]:
        """(line, column) → value as it stands in the received file; nothing where the file cannot be opened any more."""
        path = self.landing.find(one.sha256)
        if path is None:
            return {}
        try:
            _, opened = open_with(self.catalog, path, one.file, one.mapping)
            return {(line, name): str(value) for batch in opened.batches for i, line in enumerate(batch.lines.to_pylist()) if line in lines
                    for name, value in batch.table.slice(i, 1).to_pylist()[0].items() if value is not None}
        except Refusal:
            return {}

    def waiting(self) -> int:
        """How many received files of visible senders are not in the snapshot yet."""
        return sum(s.id > self.snapshot.through and self.sees(s.sender) for s in self._submissions)

    def completeness(self, sender: str = "") -> list[Filled]:
        """How far the visible senders fill the mandatory columns of what they send."""
        counted: list[Filled] = self.remember(("completeness", self.whole.snapshot), lambda: list(_filled(self.whole)))
        found = [one for one in counted if self.sees(one.sender) and sender in ("", one.sender)]
        withheld = self._withheld({i: (one.rows - one.filled, one.rows) for i, one in enumerate(found)})
        return [one for i, one in enumerate(found) if i not in withheld]


def _filled(whole: Indicators) -> Iterator[Filled]:
    for table in whole.catalog.base_tables():
        required = [c.name for c in table.columns.values() if c.required and c.name not in table.key]
        if not required or "sender" not in table.columns:
            continue
        counted = ", ".join(f'count("{name}") AS c{i}' for i, name in enumerate(required))
        rows = whole.engine.table(f'SELECT sender, count(*) AS n, {counted} FROM "{table.id}" WHERE sender IS NOT NULL GROUP BY 1 ORDER BY 1')
        for row in rows.to_pylist():
            yield from (Filled(row["sender"], table.id, name, row[f"c{i}"], row["n"]) for i, name in enumerate(required))


def _state(row: dict[str, Any]) -> str:
    if not row["is_received"]:
        return "missing"
    if row["is_backfill"]:
        return "history"
    if row["days_late"]:
        return "late"
    return "on_time" if row["accepted"] else "nil"


def worst(states: Iterable[str]) -> str:
    """The state that wants most attention of several."""
    return max(states, key=STATES.index)
