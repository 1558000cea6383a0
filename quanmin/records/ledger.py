"""The ledger: what people and systems did, append-only; with landing the precious part of a site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, OperationalError

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records import ledger_tables as t
from quanmin.records.folders import DiskFull

HEAD = "0006"
CHINA_TIME = timezone(timedelta(hours=8))
WHOLE = "1900-01-01"  # the period of a table that has none


def now() -> str:
    """This moment, +08:00 stated."""
    return datetime.now(CHINA_TIME).isoformat(timespec="seconds")


@contextmanager
def first(of: str, moved: str) -> Iterator[None]:
    """Of two who take the same step the second is refused: a key of the ledger that is taken becomes a Refusal about a file of that kind."""
    try:
        yield
    except IntegrityError as error:
        raise Refusal(Problem(of, None, "step", "", say(moved), say("mend_finding_moved"))) from error


def today() -> str:
    """This day in China."""
    return datetime.now(CHINA_TIME).date().isoformat()


@dataclass(frozen=True)
class Submission:
    """One acknowledged file."""

    id: int
    sha256: str
    file: str
    sender: str
    mapping: str
    received_at: str
    bytes: int
    read: int
    accepted: int
    rejected: int
    mapping_version: str = ""


@dataclass(frozen=True)
class Piece:
    """What a submission says about one table and period."""

    submission: int
    table_name: str
    period: str
    sender: str
    mode: str
    rows: int


@dataclass(frozen=True)
class TargetSet:
    """A target somebody set, or withdrew (no value); `document` is what it rests on."""

    indicator: str
    place_code: str
    period: str
    value: float | None
    document: str
    note: str
    set_by: str
    set_at: str = ""


@dataclass(frozen=True)
class DefinitionNoted:
    """An indicator's definition as it was in use from a snapshot on."""

    indicator: str
    version: str
    snapshot: int
    noted_at: str
    text: str


@dataclass(frozen=True)
class Snapshot:
    """A published state of the warehouse."""

    id: int
    published_at: str
    through: int
    decisions: int
    definitions: str


class Ledger:
    """Access to the ledger database (SQLite in WAL mode by default, PostgreSQL when larger)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url, pool_pre_ping=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _durable)

    def migrate(self) -> None:
        """Bring the database to this version's shape; a no-op when it is."""
        with self.reading() as connection:
            is_known = inspect(connection).has_table("alembic_version")
            if is_known and connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD:
                return
        with self.transaction() as connection:
            from alembic import command
            from alembic.config import Config

            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
            command.upgrade(config, "head")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction; a full or read-only disk becomes a Refusal and leaves the ledger as it was."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise _explained(error) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; raises Refusal where the database cannot be opened."""
        try:
            with self._connected() as connection:
                yield connection
        except OperationalError as error:
            raise _explained(error) from error

    def _connected(self) -> Connection:
        """A connection; where the disk has no room even for what readers of SQLite share, one that shares nothing (if all is in the file itself)."""
        try:
            return self.engine.connect()
        except OperationalError:
            file = Path(self.engine.url.database or "")
            unfinished = file.with_name(file.name + "-wal")
            if self.engine.dialect.name != "sqlite" or (unfinished.exists() and unfinished.stat().st_size):
                raise
            return create_engine(f"sqlite:///file:{quote(str(file))}?mode=ro&immutable=1&uri=true").connect()

    def next_submission(self) -> int:
        """The number the next acknowledged file gets."""
        with self.reading() as connection:
            return (connection.execute(select(func.max(t.submission.c.id))).scalar() or 0) + 1

    def found(self, sha256: str, sender: str, mapping: str) -> list[Submission]:
        """The submissions of exactly this content by this sender under this mapping, the newest first."""
        query = select(t.submission).where(t.submission.c.sha256 == sha256, t.submission.c.sender == sender, t.submission.c.mapping == mapping)
        with self.reading() as connection:
            return [Submission(*row) for row in connection.execute(query.order_by(t.submission.c.id.desc()))]

    def numbers_of(self, sha256: str) -> set[int]:
        """The submissions of a file with this content."""
        with self.reading() as connection:
            return set(connection.execute(select(t.submission.c.id).where(t.submission.c.sha256 == sha256)).scalars())

    def acknowledge(self, submissions: Sequence[Submission], pieces: Sequence[Piece]) -> None:
        """Acknowledge files and their pieces in one transaction."""
        with self.transaction() as connection:
            connection.execute(insert(t.submission), [asdict(s) for s in submissions])
            if pieces:
                connection.execute(insert(t.piece), [asdict(p) for p in pieces])

    def submissions(self) -> list[Submission]:
        """All acknowledged files in order."""
        with self.reading() as connection:
            return [Submission(*row) for row in connection.execute(select(t.submission).order_by(t.submission.c.id)).all()]

    def pieces(self, table: str = "") -> list[Piece]:
        """All pieces in order of submission, of one table or of all."""
        query = select(t.piece).order_by(t.piece.c.submission)
        with self.reading() as connection:
            return [Piece(*row) for row in connection.execute(query.where(t.piece.c.table_name == table) if table else query).all()]

    def publish(self, versions: Mapping[str, tuple[int, int]], through: int, decisions: int, definitions: str, made_by: Mapping[str, str] | None = None) -> int:
        """Publish table versions (table → (version, rows)) as the next snapshot: one transaction, seen at once by all readers.

        `made_by`: table → fingerprint of what it was made by, "" → that of the others.
        """
        made = made_by or {}
        with self.transaction() as connection:
            number = (connection.execute(select(func.max(t.snapshot.c.id))).scalar() or 0) + 1
            connection.execute(insert(t.snapshot).values(asdict(Snapshot(number, now(), through, decisions, definitions))))
            rows = [{"snapshot": number, "table_name": name, "version": v, "rows": n, "made_by": made.get(name, made.get("", ""))}
                    for name, (v, n) in versions.items()]
            connection.execute(insert(t.version), rows)
        return number

    def snapshots(self) -> list[Snapshot]:
        """All published snapshots in order."""
        with self.reading() as connection:
            return [Snapshot(*row) for row in connection.execute(select(t.snapshot).order_by(t.snapshot.c.id))]

    def versions(self, snapshot: int) -> dict[str, tuple[int, int]]:
        """Table → (version, rows) of a snapshot."""
        with self.reading() as connection:
            rows = connection.execute(select(t.version).where(t.version.c.snapshot == snapshot))
            return {row.table_name: (row.version, row.rows) for row in rows}

    def made_by(self, snapshot: int) -> dict[str, str]:
        """Table → fingerprint of what it was made by."""
        with self.reading() as connection:
            return {row.table_name: row.made_by for row in connection.execute(select(t.version).where(t.version.c.snapshot == snapshot))}

    def decide(self, identity_a: str, identity_b: str, decision: str, reason: str, decided_by: str) -> None:
        """Record a person's decision on two identities: join, split, or withdraw (back to what the model says)."""
        first, second = sorted((identity_a, identity_b))
        with self.transaction() as connection:
            connection.execute(insert(t.decision).values(
                identity_a=first, identity_b=second, decision=decision, reason=reason, decided_by=decided_by, decided_at=now(),
            ))

    def decisions(self) -> list[dict[str, Any]]:
        """The newest decision on every pair of identities, withdrawn ones left out."""
        with self.reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(select(t.decision).order_by(t.decision.c.id))]
        newest = {(row["identity_a"], row["identity_b"]): row for row in rows}
        return [row for row in newest.values() if row["decision"] != "withdraw"]

    def decided_since(self, count: int) -> list[dict[str, Any]]:
        """All decisions but the first `count`, withdrawals included."""
        with self.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(select(t.decision).order_by(t.decision.c.id).offset(count))]

    def set_targets(self, targets: Sequence[TargetSet]) -> None:
        """Record targets somebody set, all or none."""
        with self.transaction() as connection:
            connection.execute(insert(t.target), [asdict(one) | {"set_at": now()} for one in targets])

    def targets(self) -> list[TargetSet]:
        """Every target ever set, in order."""
        columns = [column for column in t.target.c if column.name != "id"]
        with self.reading() as connection:
            return [TargetSet(*row) for row in connection.execute(select(*columns).order_by(t.target.c.id))]

    def note_definitions(self, snapshot: int, versions: Mapping[str, str], texts: Mapping[str, str]) -> int:
        """Write down the definitions (indicator → version, → text) that differ from those noted last; returns how many."""
        with self.transaction() as connection:
            query = select(t.definition.c.indicator, t.definition.c.version).order_by(t.definition.c.id)
            noted = {row.indicator: row.version for row in connection.execute(query)}
            new = [asdict(DefinitionNoted(name, version, snapshot, now(), texts[name])) for name, version in versions.items() if noted.get(name) != version]
            if new:
                connection.execute(insert(t.definition), new)
        return len(new)

    def definitions(self, indicator: str) -> list[DefinitionNoted]:
        """The definitions an indicator has had, in order."""
        query = select(*(column for column in t.definition.c if column.name != "id")).where(t.definition.c.indicator == indicator)
        with self.reading() as connection:
            return [DefinitionNoted(*row) for row in connection.execute(query.order_by(t.definition.c.id))]

    def decision_count(self) -> int:
        """How many decisions were ever recorded."""
        with self.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(t.decision)).scalar() or 0)


def _explained(error: OperationalError) -> Exception:
    """What a person is told of a database that cannot be used."""
    said = str(error.orig)
    if "locked" in said:
        return Refusal(Problem("ledger", None, "", "", say("writer_busy", who="?"), say("mend_writer_busy")))
    if any(word in said for word in ("full", "disk I/O", "readonly", "unable to open", "No space")):
        return DiskFull("ledger")
    return error


def _durable(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
