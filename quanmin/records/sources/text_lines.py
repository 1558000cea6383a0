"""Delimited text as it really comes: UTF-8, GB18030 or UTF-16, quoted or not, whole or cut off, in blocks of bounded size.

What comes out does not depend on where the blocks are cut. Line breaks are LF, CRLF or CR. A quote opens a quoted field only at the field's
beginning, anywhere else it is a character like others; a quoted field that does not end properly makes its line a problem and nothing more.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from quanmin.catalog.messages import say
from quanmin.model import Problem
from quanmin.records.sources.batch import Batch, OpenFile
from quanmin.records.sources.text_shape import WIDE, TextShape, decodes, first_sure, shape_of

__all__ = ["TextShape", "batches", "open_text", "shape_of"]

BLOCK = 16 << 20
LONGEST_RECORD = 100  # physical lines: a quote left open must not swallow the rest of the file
LONGEST_LINE = 64 << 20  # bytes
LINE_FEED, QUOTE = 10, 34
_BROKEN_BYTES = ("\ufffd".encode(), b"\x00")


class TextLines:
    """A text file as blocks of whole lines in UTF-8, each ending with LF; lines longer than `LONGEST_LINE` become a NUL."""

    def __init__(self, stream: BinaryIO, shape: TextShape) -> None:
        self.stream, self.encoding, self.is_sure = stream, shape.encoding, shape.is_sure
        self.position = 0
        self._is_skipping = False
        stream.seek(shape.bom)

    def __iter__(self) -> Iterator[bytes]:
        wide = codecs.getincrementaldecoder(self.encoding)(errors="replace") if self.encoding.startswith(WIDE) else None
        waiting, raw = b"", b"start"
        while raw:
            raw = self.stream.read(BLOCK)
            self.position += len(raw)
            waiting += raw if wide is None else wide.decode(raw, final=not raw).encode("utf-8", errors="replace")
            cut = _whole_lines(waiting) if raw else len(waiting)
            lines, waiting = waiting[:cut], waiting[cut:]
            if len(waiting) > LONGEST_LINE:
                self._is_skipping, waiting = True, b""
            if lines:
                yield self._finished(lines, wide is not None)
        if self._is_skipping:
            yield b"\x00\n"

    def _finished(self, lines: bytes, is_utf8: bool) -> bytes:
        lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not lines.endswith(b"\n"):
            lines += b"\n"
        if self._is_skipping:
            self._is_skipping, lines = False, b"\x00" + lines[lines.index(b"\n") :]
        return lines if is_utf8 or lines.isascii() else self._as_utf8(lines)

    def _as_utf8(self, lines: bytes) -> bytes:
        """Whole lines as UTF-8. A file that begins as plain ASCII shows its encoding in its first line that does not; broken bytes become U+FFFD."""
        if not self.is_sure and (found := first_sure(lines)):
            self.is_sure, before = True, _replaced(lines[: found[1]], self.encoding)
            self.encoding = found[0]
            return before + self._as_utf8(lines[found[1] :])
        if self.encoding == "utf-8" and decodes(lines, "utf-8"):
            return lines
        return _replaced(lines, self.encoding)


def _replaced(lines: bytes, encoding: str) -> bytes:
    """Lines as UTF-8, broken bytes as U+FFFD; a character cut off at the end (padded, so that it does not) takes no line break with it."""
    padding = 4
    return (lines + b"\n" * padding).decode(encoding, errors="replace")[:-padding].encode("utf-8", errors="replace")


def _whole_lines(data: bytes) -> int:
    """Where the last whole line ends; a CR at the very end may be half of a CRLF."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1


class QuotedLines:
    """Tells of one line after another whether it begins, continues or ends a quoted field that holds line breaks."""

    def __init__(self, delimiter: str) -> None:
        d = re.escape(delimiter.encode())
        inside = rb'[^"]*+(?:""[^"]*+)*+'
        rest = rb'(?>(?>"%(q)b"|[^"%(d)b][^%(d)b]*+|)%(d)b)*+' % {b"q": inside, b"d": d}
        last = rb'(?>"%(q)b"|[^"%(d)b][^%(d)b]*+|)' % {b"q": inside, b"d": d}
        self._closed = (re.compile(rest + last), re.compile(inside + rb'"(?:%b%b%b)?' % (d, rest, last)))
        self._open = (re.compile(rest + b'"' + inside), re.compile(rb'%b(?:"%b%b"%b)?' % (inside, d, rest, inside)))

    def after(self, line: bytes, is_open: bool) -> bool | None:
        """Whether a quoted field is open after `line`; None where the line's quotes fit no quoting."""
        if b'"' not in line:
            return is_open
        if self._closed[is_open].fullmatch(line):
            return False
        return True if self._open[is_open].fullmatch(line) else None


@dataclass
class Block:
    """Some records: their text, the physical line each begins in, and the lines whose quotes fit no quoting."""

    data: bytes
    first_lines: np.ndarray
    stray: list[int] = field(default_factory=list)


class TextBlocks:
    """Cuts a text file into blocks of whole records; only a block whose quotes are in disorder is looked at line by line."""

    def __init__(self, stream: BinaryIO, shape: TextShape) -> None:
        self.lines, self.delimiter = TextLines(stream, shape), ord(shape.delimiter)
        self.quoted = QuotedLines(shape.delimiter)
        self.line, self.rest, self._skip = 1, b"", shape.header_lines

    def __iter__(self) -> Iterator[Block]:
        for data in self.lines:
            body = self._without_header(data)
            if body:
                yield from self._cut(self.rest + body, final=False)
        if self.rest:
            yield from self._cut(self.rest, final=True)

    def _without_header(self, data: bytes) -> bytes:
        start = 0
        while self._skip and start < len(data):
            start = data.index(b"\n", start) + 1
            self._skip -= 1
            self.line += 1
        return data[start:]

    def _cut(self, data: bytes, final: bool) -> Iterator[Block]:
        block = np.frombuffer(data, dtype=np.uint8)
        newlines = np.flatnonzero(block == LINE_FEED)
        ends = newlines
        if b'"' in data:
            quotes = np.flatnonzero(block == QUOTE)
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
            if not self._is_orderly(block, quotes) or not _are_short(ends, newlines, final):
                yield self._by_line(data, final)
                return
        if not ends.size:
            self.rest = data
            return
        cut = int(ends[-1]) + 1
        starts = np.concatenate(([0], ends[:-1] + 1))
        first_lines = self.line + np.searchsorted(newlines, starts)
        self.rest, self.line = data[cut:], self.line + int(np.searchsorted(newlines, cut))
        yield Block(data[:cut], first_lines[ends > starts])

    def _is_orderly(self, block: np.ndarray, quotes: np.ndarray) -> bool:
        """Whether every quote opens a field at its beginning, closes it at its end, or stands doubled inside it."""
        opening, closing = quotes[0::2], quotes[1::2]
        before = np.where(opening > 0, block[opening - 1], LINE_FEED)
        after = block[closing + 1]
        doubled = (np.diff(quotes) == 1)[1::2]  # a closing quote with an opening one right behind it
        no, is_even = np.zeros(1, dtype=bool), len(quotes) % 2 == 0
        may_open = (before == self.delimiter) | (before == LINE_FEED) | np.concatenate((no, doubled))
        may_close = (after == self.delimiter) | (after == LINE_FEED) | (np.concatenate((doubled, no)) if is_even else doubled)
        return bool(may_open.all() and may_close.all())

    def _record_end(self, lines: list[bytes], at: int) -> int | None:
        """The last line of the record that begins in line `at`: None where its quotes fit no quoting, len(lines) where it is not all there."""
        is_open = self.quoted.after(lines[at], False)
        for until in range(at, at + LONGEST_RECORD):
            if is_open is None or not is_open:
                return None if is_open is None else until
            if until + 1 == len(lines):
                return until + 1
            is_open = self.quoted.after(lines[until + 1], True)
        return None

    def _by_line(self, data: bytes, final: bool) -> Block:
        lines = data.split(b"\n")[:-1]
        good: list[bytes] = []
        first_lines: list[int] = []
        stray: list[int] = []
        at = 0
        while at < len(lines):
            until = self._record_end(lines, at)
            if until == len(lines) and not final and sum(map(len, lines[at:])) < LONGEST_LINE:
                break
            if until is None or until == len(lines):
                stray.append(self.line + at)
                at += 1
                continue
            if lines[at]:
                good.extend(lines[at : until + 1])
                first_lines.append(self.line + at)
            at = until + 1
        self.line, self.rest = self.line + at, _joined(lines[at:])
        return Block(_joined(good), np.array(first_lines, dtype=np.int64), stray)


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _are_short(ends: np.ndarray, newlines: np.ndarray, final: bool) -> bool:
    """Whether no record takes more lines than one may."""
    before = np.searchsorted(newlines, ends)
    tail = newlines.size - (before[-1] + 1 if before.size else 0)
    longest = int(np.diff(before, prepend=-1).max()) if before.size else 0
    return longest <= LONGEST_RECORD and tail < LONGEST_RECORD and not (final and tail)


def read_block(block: Block, shape: TextShape, name: str, position: int) -> Batch:
    """One block's rows as text columns; rows with stray quotes, the wrong number of fields or undecodable bytes become problems."""
    problems = [Problem(name, line, "", "", say("stray_quote"), say("mend_stray_quote")) for line in block.stray]
    refused: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        rule = say("wrong_field_count", found=row.actual_columns, expected=row.expected_columns)
        problems.append(Problem(name, int(block.first_lines[row.number - 1]), "", "", rule, say("mend_field_count")))
        refused.append(row.number - 1)
        return "skip"

    parsed = pacsv.read_csv(
        io.BytesIO(block.data),
        read_options=pacsv.ReadOptions(column_names=list(shape.header), use_threads=False, block_size=len(block.data) + 1),
        parse_options=pacsv.ParseOptions(delimiter=shape.delimiter, newlines_in_values=b'"' in block.data, invalid_row_handler=note),
        convert_options=pacsv.ConvertOptions(
            column_types={column: pa.string() for column in shape.header}, strings_can_be_null=False, null_values=[], check_utf8=False
        ),
    ) if len(block.first_lines) else pa.table({column: pa.array([], pa.string()) for column in shape.header})
    lines = np.delete(block.first_lines, refused)
    if len(lines) != len(parsed):
        raise AssertionError(f"{name}: {len(lines)} records, but {len(parsed)} parsed")
    if any(mark in block.data for mark in _BROKEN_BYTES):
        parsed, lines, broken = _without_broken_text(parsed, lines, name)
        problems += broken
    return Batch(parsed, pa.array(lines, pa.int64()), tuple(problems), position)


def _without_broken_text(parsed: pa.Table, lines: np.ndarray, name: str) -> tuple[pa.Table, np.ndarray, list[Problem]]:
    problems = []
    broken = np.zeros(len(lines), dtype=bool)
    for column in parsed.column_names:
        hits = pc.match_substring_regex(parsed[column], "[\ufffd\\x00]").to_numpy(zero_copy_only=False).astype(bool)
        for index in np.flatnonzero(hits & ~broken):
            problems.append(Problem(name, int(lines[index]), column, "", say("undecodable"), say("save_as_utf8")))
        broken |= hits
    return parsed.filter(pa.array(~broken)), lines[~broken], problems


def open_text(path: Path, name: str, shape: TextShape) -> OpenFile:
    """A text file ready to be read."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - 4))
        is_ended = stream.read().rstrip(b"\x00")[-1:] in (b"\n", b"\r")
        notes = [] if is_ended else [say("no_line_end")]
    return OpenFile(path, name, shape.header, batches(path, name, shape), size, shape.encoding, notes)


def batches(path: Path, name: str, shape: TextShape) -> Iterator[Batch]:
    """All rows of a text file in bounded batches."""
    with path.open("rb") as stream:
        blocks = TextBlocks(stream, shape)
        for block in blocks:
            if len(block.first_lines) or block.stray:
                yield read_block(block, shape, name, blocks.lines.position)
