"""A file handed in at the desk: who may hand in what for whom, and intake as if it had come any other way."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.data_desk import DataDesk
from quanmin.model import Fill, Mapping, Problem, Receipt, Refusal
from quanmin.records.arrivals import open_with
from quanmin.records.intake import Intake
from quanmin.records.landing import safe_name
from quanmin.records.sources.batch import OpenFile

LONGEST_NAME = 200  # bytes; file systems take 255, and landing adds nothing
WAIT, TRIES = 1.0, 120  # seconds, times: a build or another intake is writing


class NotYours(Refusal):
    """A file with rows (or tables) that its sender has no business sending."""


def named(name: str) -> str:
    """A name a file may be kept under: no path in it, short enough for any file system, its ending kept."""
    shown = safe_name(name)
    while len(shown.encode()) > LONGEST_NAME:
        shown = shown[1:]
    return shown.strip(". ") or "unnamed"


def submit(desk: DataDesk, intake: Intake, sender: str, name: str, stream: BinaryIO, mode: str = "") -> Receipt:
    """Take in one file for a sender (`mode` as in Intake.take); returns its receipt (unreadable, repeated or accepted).

    Raises Refusal where the actor may not, or nobody can write.
    """
    desk.actor.require("submit", "submit", sender)
    desk.require_sender(sender, "submit")
    with tempfile.TemporaryDirectory(prefix="quanmin-") as folder:
        path = Path(folder) / named(name)
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        try:
            _hold_to_own(desk, path)
        except NotYours:
            Audit(desk.ledger).note(desk.actor.name, "submit", sender, "refused")
            raise
        receipt = _when_free(intake, path, sender, mode)
    Audit(desk.ledger).note(desk.actor.name, "submit", f"{sender} {receipt.submission or receipt.status}", "done" if receipt.submission else "refused",
                            rows=receipt.accepted)
    return receipt


def _when_free(intake: Intake, path: Path, sender: str, mode: str) -> Receipt:
    """The receipt, as soon as no other process writes."""
    for left in reversed(range(TRIES)):
        try:
            return intake.take([path], sender=sender, mode=mode)[0]
        except Refusal as refusal:
            if not left or refusal.problems[0].mend != say("mend_writer_busy"):
                raise
            time.sleep(WAIT)
    raise AssertionError("unreachable")


def _hold_to_own(desk: DataDesk, path: Path) -> None:
    """Refuse rows of institutions outside the actor's scope, and tables that do not say whose rows they are; what cannot be read is left to intake."""
    if desk.actor.scope.kind == "region":
        return
    try:
        mapping, opened = open_with(desk.catalog, path, path.name, "")
    except Refusal:
        return
    own = {desk.actor.scope.value} if desk.actor.scope.kind == "facility" else {s for s, county in desk.counties.items() if county == desk.actor.scope.value}
    fills = list(_owners(desk, mapping))
    foreign = next(_foreign(opened, fills, own), None)
    if not fills or foreign is not None:
        line, field, value = foreign or (None, "", mapping.label.zh)
        raise NotYours(Problem(path.name, line, field, value[:80], say("bad_value"), say("choose_from", choices=", ".join(sorted(own)[:5]))))


def _owners(desk: DataDesk, mapping: Mapping) -> Iterator[Fill]:
    """How the columns are filled that say whose rows they are; raises NotYours where a table has none."""
    for into in mapping.into:
        column = desk.catalog.tables[into.table].scope.get("facility", "")
        fill = next((fill for fill in into.fills if fill.column == column), None)
        if fill is None:
            raise NotYours(Problem(mapping.id, None, "table", into.table, say("bad_value"), say("mend_not_allowed")))
        yield fill


def _foreign(opened: OpenFile, fills: Iterable[Fill], own: set[str]) -> Iterator[tuple[int | None, str, str]]:
    """(line, column, value) of what belongs to somebody else; blank owners are left to intake."""
    by_column = {next((c for c in fill.source if c in opened.header), ""): fill for fill in fills}
    for fill in by_column.values():
        if fill.constant is not None and fill.constant not in own:
            yield None, fill.column, fill.constant
    for batch in opened.batches:
        for column, fill in by_column.items():
            if column not in batch.table.column_names:
                continue
            for line, value in zip(batch.lines.to_pylist(), batch.table[column].to_pylist(), strict=True):
                said = (value or "").strip()
                if said and fill.codes.get(said, said) not in own:
                    yield line, column, said
