"""Intake: received files → accepted rows or explained rejects; accepted + rejected = read, always.

Order of events, so that a kill at any instant leaves the site as before or as after: the file is kept in landing; its rows are typed into
scratch; finished Parquet files are moved into place; landing is made durable; then one ledger transaction acknowledges the submission.
Only what the ledger acknowledges exists; files of numbers it does not know are removed by the next writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language, say, speak
from quanmin.model import Mapping, Problem, Receipt, Refusal, Table
from quanmin.records.accepted import Accepted, Staging, finished, schema_of
from quanmin.records.arrivals import Arrival, Arrivals, open_with
from quanmin.records.conform import FILE, LINE, Conformed, Conformer
from quanmin.records.folders import DiskFull, Folders
from quanmin.records.landing import Landed, Landing, fingerprint
from quanmin.records.ledger import WHOLE, Ledger, Piece, Submission, now
from quanmin.records.supersede import hangs_on, mode_of, standing

RUN_BYTES = 48 << 20
RUN_FILES = 400
ENOUGH_ROWS = 16_384
ENOUGH_BYTES = 12 << 20

Progress = Callable[[int, int, int], None]


@dataclass
class Run:
    """Some files of one layout taken in together."""

    arrivals: list[Arrival]
    first: int
    read: list[int] = field(default_factory=list)
    problems: list[list[Problem]] = field(default_factory=list)
    refused: set[tuple[int, int]] = field(default_factory=set)
    malformed: list[int] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The number of the run's last submission."""
        return self.first + len(self.arrivals) - 1

    @property
    def mapping(self) -> Mapping:
        """The layout they share."""
        return self.arrivals[0].mapping

    def has_room_for(self, landed: Landed) -> bool:
        """Whether a file more still makes a run of bounded size."""
        return len(self.arrivals) < RUN_FILES and sum(a.landed.bytes for a in self.arrivals) + landed.bytes <= RUN_BYTES


class Intake:
    """Takes files into a site."""

    def __init__(self, catalog: Catalog, folders: Folders, ledger: Ledger, progress: Progress | None = None) -> None:
        self.catalog, self.folders, self.ledger = catalog, folders, ledger
        self.landing, self.accepted = Landing(folders), Accepted(folders.accepted)
        self.progress = progress or (lambda done, total, rows: None)
        self.done = self.total = self.rows = 0
        self.received_at: Sequence[str] = ()

    def take(self, files: Sequence[Path], mapping: str = "", sender: str = "", mode: str = "", senders: Sequence[str] = (),
             mappings: Sequence[str] = (), received_at: Sequence[str] = ()) -> list[Receipt]:
        """Take in `files` in order (`senders`, `mappings` and `received_at`, where given, one per file); one receipt per file.

        `mode` "replace" or "add" overrides what the content suggests. Raises Refusal only for what concerns all files: a second writer, a full disk.
        """
        self.total = sum(size_of(path) for path in files)
        arrivals = Arrivals(self.catalog, self.landing, self.ledger)
        self.received_at = received_at
        receipts: dict[int, Receipt] = {}
        arrivals.mode = mode
        with self.folders.writing():
            try:
                self.accepted.forget_from(self.ledger.next_submission())
                for run in self._runs(files, arrivals, mapping, sender, senders, mappings, receipts):
                    receipts |= self._take_run(run, mode)
                self.landing.settle()
            except (OSError, duckdb.IOException, DiskFull) as error:
                done = sum(receipt.submission is not None for receipt in receipts.values())
                rule = say("disk_full_after", done=done, total=len(files)) if done else ""
                raise DiskFull(self.folders.root, rule) from error
        return [receipts[i] for i in range(len(files))]

    def _runs(self, files: Sequence[Path], arrivals: Arrivals, mapping: str, sender: str, senders: Sequence[str], mappings: Sequence[str],
              receipts: dict[int, Receipt]) -> Iterator[Run]:
        waiting: dict[str, list[Arrival]] = {}
        for position, path in enumerate(files):
            wanted = mappings[position] if mappings else mapping, senders[position] if senders else sender
            arrival = arrivals.receive(path, position, *wanted, [a for run in waiting.values() for a in run])
            if isinstance(arrival, Receipt):
                receipts[position] = arrival
                continue
            for layout in [m for m, run in waiting.items() if m != arrival.mapping.id and _meets(arrival, run)]:
                yield Run(waiting.pop(layout), self.ledger.next_submission())
            same = waiting.setdefault(arrival.mapping.id, [])
            if same and not Run(same, 0).has_room_for(arrival.landed):
                yield Run(waiting.pop(arrival.mapping.id), self.ledger.next_submission())
            waiting.setdefault(arrival.mapping.id, []).append(arrival)
        for run in waiting.values():
            yield Run(run, self.ledger.next_submission())

    def retake(self, submissions: Sequence[int]) -> None:
        """Make the accepted rows of acknowledged submissions again from landing (the warehouse was deleted or a file is broken)."""
        known = {s.id: s for s in self.ledger.submissions()}
        found = {number: self._landed(known[number]) for number in self.accepted.forget(submissions) if number in known}
        run = Run([], 0)
        for number, landed in found.items():
            if run.arrivals and not (number == run.last + 1 and known[number].mapping == run.mapping.id and run.has_room_for(landed)):
                self._settle(run)[0].move_to(self.accepted)
                run = Run([], 0)
            mapping, opened = open_with(self.catalog, landed.path, landed.name, known[number].mapping)
            run.first = run.first or number
            run.arrivals.append(Arrival(len(run.arrivals), landed, opened, mapping, known[number].sender))
        if run.arrivals:
            self._settle(run)[0].move_to(self.accepted)

    def _landed(self, submission: Submission) -> Landed:
        """The received file of a submission as it is kept; raises Refusal where it is gone or has been changed."""
        path = self.landing.find(submission.sha256)
        if path is None or fingerprint(path) != submission.sha256:
            rule = say("landing_lost", submission=submission.id)
            raise Refusal(Problem("landing", None, "submission", str(submission.id), rule, say("mend_landing_lost")))
        return Landed(submission.sha256, path, submission.file, submission.bytes)

    def _settle(self, run: Run) -> tuple[Staging, duckdb.DuckDBPyConnection]:
        """Type a run's rows into scratch, repeated records left out."""
        staging = Staging(self.folders.scratch, run.first, run.last)
        connection = duckdb.connect(config={"threads": 2})
        connection.execute("SET enable_progress_bar = false")
        try:
            self._conform(run, staging)
            tables = staging.close()
        except BaseException:
            staging.abandon()
            raise
        repeated = self._refuse_repeated(run, staging, tables, connection)
        if repeated is not None:
            staging.drop(connection, repeated)
        return staging, connection

    def _take_run(self, run: Run, mode: str) -> dict[int, Receipt]:
        staging, connection = self._settle(run)
        tables = list(staging.writers)
        pieces, notes = self._pieces(run, staging, tables, connection, mode)
        submissions = []
        for i, arrival in enumerate(run.arrivals):
            rejected = run.malformed[i] + sum(file == i for file, _ in run.refused)
            submissions.append(Submission(
                run.first + i, arrival.landed.sha256, arrival.landed.name[-400:], arrival.sender, run.mapping.id, self._moment(arrival), arrival.landed.bytes,
                run.read[i], run.read[i] - rejected, rejected, run.mapping.version,
            ))
        self._hold_to_account(staging, submissions, connection)
        staging.move_to(self.accepted)
        receipts = self._receipts(run, submissions, pieces, notes)
        self.landing.settle()
        self.ledger.acknowledge(submissions, pieces)
        return receipts

    def _moment(self, arrival: Arrival) -> str:
        return self.received_at[arrival.position] if self.received_at else now()

    def _conform(self, run: Run, staging: Staging) -> None:
        """Type all rows of a run into scratch."""
        conformer = Conformer(self.catalog, run.mapping, {i: a.landed.name for i, a in enumerate(run.arrivals)})
        run.read, run.malformed = [0] * len(run.arrivals), [0] * len(run.arrivals)
        run.problems = [[] for _ in run.arrivals]
        spoken = language()

        def take(raw: pa.Table) -> Conformed:
            speak(spoken)
            return conformer.take(raw)

        with ThreadPoolExecutor(1) as conforming:
            before: Future[Conformed] | None = None
            for raw in self._raw(run, conformer.needed):
                upcoming = conforming.submit(take, raw)
                if before is not None:
                    self._stage(run, staging, before.result())
                before = upcoming
            if before is not None:
                self._stage(run, staging, before.result())
        for into in run.mapping.into:
            if into.table not in staging.writers:
                table = self.catalog.tables[into.table]
                staging.add(table, schema_of(table).empty_table())

    def _stage(self, run: Run, staging: Staging, conformed: Conformed) -> None:
        """Note what was refused and write what was accepted of one batch, while the next is conformed."""
        run.refused |= conformed.refused_lines
        for file, problem in conformed.problems:
            run.problems[file].append(problem)
        senders = [arrival.sender for arrival in run.arrivals]
        for table_id, rows in conformed.accepted.items():
            table = self.catalog.tables[table_id]
            staging.add(table, finished(table, rows, senders, run.first))

    def _raw(self, run: Run, needed: set[str]) -> Iterator[pa.Table]:
        """The run's rows as text columns in batches worth an engine call; the next is parsed while one is conformed."""
        spoken = language()

        def parts() -> Iterator[pa.Table]:
            speak(spoken)
            for i, arrival in enumerate(run.arrivals):
                before = self.done
                for batch in arrival.opened.batches:
                    run.read[i] += len(batch.table) + len(batch.malformed)
                    run.malformed[i] += len(batch.malformed)
                    run.problems[i].extend(batch.malformed)
                    kept = batch.table.select([c for c in batch.table.column_names if c in needed])
                    kept = kept.append_column(FILE, pa.array([i] * len(kept), pa.int64())).append_column(LINE, batch.lines)
                    self.rows += len(kept)
                    self.done = before + min(batch.bytes_read or arrival.landed.bytes, arrival.landed.bytes)
                    yield kept
                self.done = before + arrival.landed.bytes
                self.progress(self.done, self.total, self.rows)

        with ThreadPoolExecutor(1) as ahead:
            source = _gathered(parts())
            upcoming = ahead.submit(next, source, None)
            while (batch := upcoming.result()) is not None:
                upcoming = ahead.submit(next, source, None)
                yield batch
                self.progress(self.done, self.total, self.rows)

    def _primary(self, run: Run) -> list[Table]:
        """The tables a row of the file is about; tables that hang on them (diagnoses of a stay) left out."""
        tables = [self.catalog.tables[t] for t in dict.fromkeys(into.table for into in run.mapping.into)]
        return [t for t in tables if not any(hangs_on(t, o) for o in tables)]

    def _refuse_repeated(self, run: Run, staging: Staging, tables: list[str], connection: duckdb.DuckDBPyConnection) -> pa.Table | None:
        """Refuse every later line of a file that repeats a record's key; returns (submission, line) of those rows."""
        found: list[tuple[int, int]] = []
        for table in self._primary(run):
            keys = ", ".join(f'"{key}"' for key in table.key)
            rows = connection.execute(
                f"SELECT submission, line, first_line FROM (SELECT submission, line, min(line) OVER (PARTITION BY submission, {keys}) AS first_line"
                f" FROM read_parquet('{staging.path(table.id)}') SEMI JOIN (SELECT submission, {keys} FROM read_parquet('{staging.path(table.id)}')"
                f" GROUP BY ALL HAVING count(*) > 1) USING (submission, {keys})) WHERE line > first_line ORDER BY ALL"
            ).fetchall()
            for submission, line, first_line in rows:
                i = submission - run.first
                problem = Problem(run.arrivals[i].landed.name, line, "", "", say("repeated_key", line=first_line), say("mend_repeated_key"))
                run.problems[i].append(problem)
                run.refused.add((i, line))
                found.append((submission, line))
        if not found:
            return None
        submissions, lines = zip(*found, strict=True)
        return pa.table({"submission": pa.array(submissions, pa.int64()), "line": pa.array(lines, pa.int64())})

    def _pieces(self, run: Run, staging: Staging, tables: list[str], connection: duckdb.DuckDBPyConnection, mode: str
                ) -> tuple[list[Piece], dict[int, list[str]]]:
        """What each file says per table and period, and whether it replaces or joins what its sender sent before."""
        notes: dict[int, list[str]] = {i: [] for i in range(len(run.arrivals))}
        pieces: list[Piece] = []
        counts = {
            table: {(s, p): n for s, p, n in connection.execute(
                f"SELECT submission, CAST(slice_month AS VARCHAR), count(*) FROM read_parquet('{staging.path(table)}') GROUP BY ALL").fetchall()}
            for table in tables
        }
        for table in self._primary(run):
            hanging = [t for t in tables if hangs_on(self.catalog.tables[t], table)]
            held = standing(self.ledger.pieces(table.id))
            for (submission, period), rows in sorted(counts[table.id].items()):
                i = submission - run.first
                place = (period, run.arrivals[i].sender)
                chosen, old = "replace", 0
                if held.get(place):
                    files = self._held_files(table, [n for n in held[place] if n < run.first])
                    chosen, old = mode_of(connection, table, [*files, str(staging.path(table.id))], held[place], submission, period)
                    chosen = mode or chosen
                    shown = "" if period == WHOLE else period[:7]
                    notes[i].append(say(chosen + "s", period=shown, table=table.id, rows=rows, held=old).strip())
                held[place] = [submission] if chosen == "replace" else [*held.get(place, []), submission]
                for name in (table.id, *hanging):
                    pieces.append(Piece(submission, name, period, place[1], chosen, counts[name].get((submission, period), 0)))
        return pieces, notes

    def _held_files(self, table: Table, submissions: list[int]) -> list[str]:
        files, lost = self.accepted.files_for(table, submissions)
        if lost:
            self.retake(lost)
            files, _ = self.accepted.files_for(table, submissions)
        return files

    def _hold_to_account(self, staging: Staging, submissions: list[Submission], connection: duckdb.DuckDBPyConnection) -> None:
        """accepted + rejected = read, counted from what was really written; a breach stops everything before it is acknowledged."""
        union = " UNION ".join(f"SELECT submission, line FROM read_parquet('{staging.path(t)}')" for t in staging.writers)
        written = dict(connection.execute(f"SELECT submission, count(*) FROM ({union}) GROUP BY ALL").fetchall())
        for one in submissions:
            if written.get(one.id, 0) != one.accepted:
                raise AssertionError(f"{one.file}: {one.read} read, {one.rejected} rejected, but {written.get(one.id, 0)} written")

    def _receipts(self, run: Run, submissions: list[Submission], pieces: list[Piece], notes: dict[int, list[str]]) -> dict[int, Receipt]:
        receipts = {}
        for i, (arrival, one) in enumerate(zip(run.arrivals, submissions, strict=True)):
            self.landing.forget_receipts(one.sha256, self.ledger.numbers_of(one.sha256) | {s.id for s in submissions})
            problems = sorted(run.problems[i], key=lambda p: (p.line or 0, p.field))
            slices = tuple({"table": p.table_name, "period": p.period, "mode": p.mode, "rows": p.rows} for p in pieces if p.submission == one.id)
            said = [*arrival.opened.notes, *notes[i]] + ([] if one.accepted else [say("nothing_accepted") if one.read else say("no_rows")])
            receipt = Receipt(arrival.landed.name, one.sha256, one.sender, one.mapping, one.id, one.read, one.accepted, one.rejected, "accepted",
                              slices, tuple(problems), tuple(said))
            self.landing.write_receipt(receipt, problems)
            receipts[arrival.position] = receipt
        return receipts


def size_of(path: Path) -> int:
    """A file's size in bytes, 0 where it cannot be told."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _meets(arrival: Arrival, run: list[Arrival]) -> bool:
    """Whether a file speaks of the same tables by the same sender as files still waiting, so that their order matters."""
    tables = {into.table for into in arrival.mapping.into}
    return any(a.sender == arrival.sender and tables & {into.table for into in a.mapping.into} for a in run)


def _gathered(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Small parts put together until they are worth an engine call; columns one file lacks are blank."""
    waiting: list[pa.Table] = []
    rows = size = 0
    for part in parts:
        waiting.append(part)
        rows, size = rows + len(part), size + part.nbytes
        if rows >= ENOUGH_ROWS or size >= ENOUGH_BYTES:
            yield _one_table(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield _one_table(waiting)


def _one_table(parts: list[pa.Table]) -> pa.Table:
    """Parts as one piece: an engine that meets hundreds of columns in pieces of a few rows is several times as slow."""
    return pa.concat_tables(parts, promote_options="default").combine_chunks() if len(parts) > 1 else parts[0]
