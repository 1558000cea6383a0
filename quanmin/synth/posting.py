"""Appends sorted rows to their files and notes which line holds whom and which error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.synth.dirt import Planted
from quanmin.synth.outbox import Outbox, Sent, spans
from quanmin.synth.text import pick, replaced, texts
from quanmin.synth.truth import Truth


@dataclass
class Post:
    """The way from rows to lines of files."""

    outbox: Outbox
    truth: Truth

    def deliver(
        self,
        table: str,
        lines: pa.Array,
        file: np.ndarray,
        entries: dict[int, Sent],
        header: str,
        encoding: str,
        delimiter: str,
        person: pa.Array,
        planted: Planted,
        kind: np.ndarray | None = None,
    ) -> None:
        """Appends `lines` (one per row, sorted by `file`, an index into `entries`); lines planted twice or cut short are written so."""
        count = len(lines)
        if count == 0:
            return
        short = planted.of("short_line")
        if len(short):
            mark = "\\" + delimiter if delimiter == "|" else delimiter
            cut = pc.replace_substring_regex(lines.take(pa.array(short)), f"(?:{mark}[^{mark}\r\n]*){{3}}(\r?\n)$", r"\1")
            lines = replaced(lines, short, cut)
        twice = np.zeros(count, dtype=np.int64)
        twice[planted.of("duplicate_line")] = 1
        source = np.repeat(np.arange(count), 1 + twice)
        lines, file = lines.take(pa.array(source)), file[source]
        line = np.empty(len(source), dtype=np.int64)
        for key, first, last in spans(file):
            start = self.outbox.append(entries[key], header, lines, first, last, encoding)
            line[first:last] = start + np.arange(last - first)
        known = {k: e.file for k, e in entries.items()}
        used, code = np.unique(file, return_inverse=True)
        self.truth.records(
            table, [known[int(k)] for k in used], code, line, person.take(pa.array(source)), None if kind is None else kind[source]
        )
        first_line = line[np.cumsum(1 + twice) - 1 - twice]
        first_file = file[np.cumsum(1 + twice) - 1 - twice]
        files = texts([known[int(k)] for k in used])
        for rows, what in zip(planted.rows, planted.kinds, strict=True):
            at = first_line[rows] + (what.name == "duplicate_line")
            self.truth.errors(pick(files, np.searchsorted(used, first_file[rows])), at, table, what)


def part_of(planted: Planted, first: int, last: int) -> Planted:
    """The planted errors of rows first … last-1, counted from `first`."""
    found = Planted()
    for rows, kind in zip(planted.rows, planted.kinds, strict=True):
        inside = rows[(rows >= first) & (rows < last)] - first
        found.add(inside, kind)
    return found
