"""A file arrives: it is kept, its layout recognised, its sender known, and a repetition noticed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.model import Mapping, Problem, Receipt, Refusal, one_line
from quanmin.records.conform import sources_of
from quanmin.records.landing import Landed, Landing, safe_name
from quanmin.records.ledger import Ledger, Submission
from quanmin.records.months_named import months_named
from quanmin.records.sources.batch import OpenFile, Source
from quanmin.records.sources.front_page import FrontPage
from quanmin.records.sources.table_file import TableFile
from quanmin.records.supersede import standing

SOURCES: dict[str, Source] = {source.id: source for source in (FrontPage(), TableFile())}
SHOWN_COLUMNS, LONGEST_COLUMN = 12, 40
LONGEST_SENDER = 100


@dataclass(frozen=True)
class Arrival:
    """A kept file with what is known before its rows are read."""

    position: int
    landed: Landed
    opened: OpenFile
    mapping: Mapping
    sender: str


def recognise(catalog: Catalog, path: Path, name: str) -> tuple[Mapping, OpenFile]:
    """The mapping whose columns the file has (the one that names most of them), and the opened file; raises Refusal."""
    tried: dict[tuple[str, str, int], OpenFile | Refusal] = {}
    best: tuple[int, Mapping, OpenFile] | None = None
    for mapping in catalog.mappings.values():
        how = (mapping.source, f"{mapping.sheet}|{mapping.delimiter}|{mapping.encoding}", mapping.header_row)
        if how not in tried:
            try:
                tried[how] = SOURCES[mapping.source].open(path, name, mapping)
            except Refusal as refusal:
                tried[how] = refusal
        opened = tried[how]
        if isinstance(opened, OpenFile) and set(mapping.recognise) <= set(opened.header) and (best is None or len(mapping.recognise) > best[0]):
            best = (len(mapping.recognise), mapping, opened)
    if best is not None:
        return best[1], best[2]
    opened = SOURCES["table_file"].open(path, name, None)
    columns = _listed(opened.header)
    raise Refusal(Problem(name, 1, "", "", say("no_mapping", columns=columns), say("mend_no_mapping")))


def open_with(catalog: Catalog, path: Path, name: str, mapping_id: str) -> tuple[Mapping, OpenFile]:
    """The file opened under a named mapping, or under the one it is recognised by; notes what does not match; raises Refusal."""
    if mapping_id and mapping_id not in catalog.mappings:
        known = ", ".join(catalog.mappings)
        raise Refusal(Problem(name, None, "mapping", mapping_id, say("unknown_mapping"), say("mend_unknown_mapping", known=known)))
    if mapping_id:
        mapping = catalog.mappings[mapping_id]
        opened = SOURCES[mapping.source].open(path, name, mapping)
    else:
        mapping, opened = recognise(catalog, path, name)
    _hold_columns(catalog, mapping, opened)
    return mapping, opened


def _hold_columns(catalog: Catalog, mapping: Mapping, opened: OpenFile) -> None:
    header = set(opened.header)
    for into in mapping.into:
        key = set(catalog.tables[into.table].key)
        for fill in into.fills:
            if fill.column in key and fill.source and not into.repeat and not header & set(fill.source):
                raise Refusal(Problem(opened.name, mapping.header_row, "/".join(fill.source), "", say("missing_column"), say("mend_missing_column")))
    used = opened.wanted = sources_of(mapping)
    unused = [column for column in opened.header if column not in used]
    wanted = [f for into in mapping.into if not into.repeat for fill in into.fills for f in fill.source[:1] if not header & set(fill.source)]
    for message, columns in (("unknown_columns", unused), ("absent_columns", list(dict.fromkeys(wanted)))):
        if columns:
            opened.notes.append(say(message, count=len(columns), columns=_listed(columns)))


def _listed(columns: Sequence[str]) -> str:
    """The first columns by name, on one line."""
    return ", ".join(one_line(column[:LONGEST_COLUMN]) for column in columns[:SHOWN_COLUMNS]) + (" …" if len(columns) > SHOWN_COLUMNS else "")


def sender_in(opened: OpenFile, mapping: Mapping) -> str:
    """The sender named in the file's first row, where the mapping says in which column."""
    if not mapping.sender_column or mapping.sender_column not in opened.header:
        return ""
    first = next(opened.batches, None)
    if first is None or not len(first.table):
        return ""
    opened.batches = itertools.chain([first], opened.batches)
    return str(first.table[mapping.sender_column][0].as_py()).strip()


class Arrivals:
    """Receives files one by one."""

    def __init__(self, catalog: Catalog, landing: Landing, ledger: Ledger) -> None:
        self.catalog, self.landing, self.ledger = catalog, landing, ledger
        self.mode = ""

    def receive(self, path: Path, position: int, mapping_id: str, sender: str, waiting: Sequence[Arrival]) -> Arrival | Receipt:
        """The arrival of one file, or at once its receipt where nothing is to be read: repeated, or unreadable."""
        name, landed = safe_name(path.name), None
        try:
            if not _is_readable(path):
                raise Refusal(Problem(str(path), None, "", "", say("no_file"), say("mend_no_file")))
            landed = self.landing.keep(path)
            mapping, opened = open_with(self.catalog, landed.path, name, mapping_id)
            sender = sender or mapping.sender or sender_in(opened, mapping)
            if not sender or len(sender) > LONGEST_SENDER or not sender.isprintable():
                rule = say("bad_value") if sender else say("no_sender")
                raise Refusal(Problem(name, None, "sender", sender[:LONGEST_SENDER], rule, say("mend_no_sender")))
        except Refusal as refusal:
            receipt = Receipt(name, landed.sha256 if landed else "", sender, mapping_id, None, 0, 0, 0, "unreadable", problems=refusal.problems)
            if landed:
                self.landing.write_receipt(receipt, refusal.problems)
            return receipt
        earlier = next((s for s in self.ledger.found(landed.sha256, sender, mapping.id) if s.mapping_version == mapping.version
                        and (s.read or months_named(s.file) == months_named(name))), None)
        same = next((a for a in waiting if (a.landed.sha256, a.sender, a.mapping.id) == (landed.sha256, sender, mapping.id)
                     and (months_named(a.landed.name) == months_named(name) or _has_rows(opened))), None)
        if same is not None or (earlier is not None and self._stands(earlier)):
            number = earlier.id if earlier else None
            said = say("already_received", submission=number or "-")
            counts = (earlier.read, earlier.accepted, earlier.rejected) if earlier else (0, 0, 0)
            return Receipt(name, landed.sha256, sender, mapping.id, number, *counts, "repeated", notes=(said,))
        return Arrival(position, landed, opened, mapping, sender)

    def _stands(self, earlier: Submission) -> bool:
        """Whether a file received before already stands as is asked for: alone (replace), among others (add), or in whatever way."""
        if not self.mode:
            return True
        pieces = self.ledger.pieces()
        for table in {p.table_name for p in pieces if p.submission == earlier.id}:
            held = standing(p for p in pieces if p.table_name == table)
            for piece in pieces:
                numbers = held[(piece.period, piece.sender)]
                if (piece.submission, piece.table_name) == (earlier.id, table) and (earlier.id not in numbers or (self.mode == "replace" and len(numbers) > 1)):
                    return False
        return True


def _has_rows(opened: OpenFile) -> bool:
    first = next(opened.batches, None)
    if first is None:
        return False
    opened.batches = itertools.chain([first], opened.batches)
    return bool(len(first.table) or first.malformed)


def _is_readable(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            stream.read(1)
    except OSError:
        return False
    return True
