"""Delimited text as it really comes: UTF-8, GB18030 or UTF-16, quoted or not, whole or cut off, in blocks of bounded size."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.sources.batch import Batch

BLOCK = 16 << 20
SAMPLE = 1 << 20
LONGEST_RECORD = 20  # physical lines: a quote left open would otherwise swallow the rest of the file
DELIMITERS = (",", "\t", "|", ";")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class TextShape:
    """How a text file is written."""

    encoding: str
    bom: int
    delimiter: str
    header: tuple[str, ...]
    header_lines: int


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(sample: bytes, name: str) -> tuple[str, int]:
    """Encoding and length of the byte-order mark; raises Refusal for what is no text."""
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding, len(bom)
    if b"\x00" in sample:
        raise Refusal(Problem(name, 1, "", "", say("not_text"), say("send_text_or_excel")))
    for encoding in ("utf-8", "gb18030"):
        if _decodes(sample, encoding):
            return encoding, 0
    raise Refusal(Problem(name, 1, "", "", say("unknown_encoding"), say("save_as_utf8")))


def _split_header(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(column.strip() for column in next(csv.reader([line], delimiter=delimiter)))


def shape_of(path: Path, name: str, delimiter: str = "", header_row: int = 1, encoding: str = "") -> TextShape:
    """Encoding, delimiter and header of a text file; raises Refusal for an empty one or one with repeated columns."""
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    found, bom = encoding_of(sample, name)
    encoding = encoding or found
    lines = sample[bom:].decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) < header_row or not lines[header_row - 1].strip():
        raise Refusal(Problem(name, header_row, "", "", say("no_header"), say("send_header")))
    first = lines[header_row - 1]
    delimiter = delimiter or max(DELIMITERS, key=first.count)
    header = _split_header(first, delimiter)
    repeated = sorted(column for column, count in Counter(header).items() if column and count > 1)
    if repeated:
        raise Refusal(Problem(name, header_row, repeated[0], "", say("repeated_column"), say("name_columns_once")))
    return TextShape(encoding, bom, delimiter, tuple(c or f"column_{i}" for i, c in enumerate(header, 1)), header_row)


def _record_ends(block: np.ndarray, has_quotes: bool) -> np.ndarray:
    ends = np.flatnonzero(block == 10)
    if has_quotes:
        quotes = np.flatnonzero(block == 34)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return ends


class TextBlocks:
    """Cuts a text file into blocks that end with a record, as UTF-8, with the physical line of every record."""

    def __init__(self, stream: BinaryIO, shape: TextShape) -> None:
        self.stream, self.encoding = stream, shape.encoding
        self.line, self.position, self.rest = 1, 0, b""
        self._skip = shape.header_lines
        self._only_ascii = True
        stream.seek(shape.bom)

    def __iter__(self) -> Iterator[tuple[bytes, np.ndarray, bool]]:
        """Yields (UTF-8 bytes, first line of each record, whether quotes may be trusted)."""
        wide = codecs.getincrementaldecoder(self.encoding)(errors="replace") if self.encoding.startswith("utf-16") else None
        undecoded, raw = b"", b"start"
        while raw:
            raw = self.stream.read(BLOCK)
            self.position += len(raw)
            if wide is not None:
                text = wide.decode(raw, final=not raw).encode("utf-8", errors="replace")
            else:
                data = undecoded + raw
                if b"\n" not in data:
                    data = data.replace(b"\r", b"\n")
                cut = data.rfind(b"\n") + 1 if raw else len(data)
                text, undecoded = self._as_utf8(data[:cut]), data[cut:]
            yield from self._cut(self.rest + text, final=not raw)

    def _as_utf8(self, lines: bytes) -> bytes:
        """Whole lines as UTF-8. A file that began as plain ASCII may turn out to be GB18030; bytes that are neither become U+FFFD."""
        if lines.isascii():
            return lines
        if self.encoding == "utf-8" and not _decodes(lines, "utf-8") and self._only_ascii and _decodes(lines, "gb18030"):
            self.encoding = "gb18030"
        self._only_ascii = False
        if self.encoding == "utf-8" and _decodes(lines, "utf-8"):
            return lines
        return lines.decode(self.encoding, errors="replace").encode("utf-8")

    def _cut(self, data: bytes, final: bool) -> Iterator[tuple[bytes, np.ndarray, bool]]:
        if final and data and not data.endswith(b"\n"):
            data += b"\n"
        block = np.frombuffer(data, dtype=np.uint8)
        has_quotes = b'"' in data
        ends = _record_ends(block, has_quotes)
        newlines = np.flatnonzero(block == 10)
        trusts = True
        if has_quotes and newlines.size:
            before = np.searchsorted(newlines, ends)
            longest = int(np.diff(before, prepend=-1).max()) if before.size else newlines.size
            if longest > LONGEST_RECORD or (final and (not ends.size or ends[-1] != newlines[-1])):
                ends, trusts = newlines, False
        if not ends.size:
            self.rest = data
            return
        cut = int(ends[-1]) + 1
        self.rest = data[cut:]
        starts = np.concatenate(([0], ends[:-1] + 1))
        first_lines = self.line + np.searchsorted(newlines, starts)
        self.line += int(np.searchsorted(newlines, cut))
        is_blank = (ends - starts == 0) | ((ends - starts == 1) & (block[starts] == 13))
        skip = min(self._skip, len(starts))
        self._skip -= skip
        if skip:
            body = int(ends[skip - 1]) + 1
            data, first_lines, is_blank = data[body:cut], first_lines[skip:], is_blank[skip:]
        else:
            data = data[:cut]
        yield data, first_lines[~is_blank], trusts


def read_block(data: bytes, first_lines: np.ndarray, trusts_quotes: bool, shape: TextShape, name: str, position: int) -> Batch:
    """One block's rows as text columns; rows with the wrong number of fields or undecodable bytes become problems."""
    malformed: list[tuple[int, Problem]] = []

    def note(row: pacsv.InvalidRow) -> str:
        line = int(first_lines[row.number - 1]) if row.number else 0
        rule = say("wrong_field_count", found=row.actual_columns, expected=row.expected_columns)
        malformed.append((row.number - 1, Problem(name, line, "", "", rule, say("mend_field_count"))))
        return "skip"

    parsed = pacsv.read_csv(
        io.BytesIO(data), read_options=pacsv.ReadOptions(column_names=list(shape.header), use_threads=False, block_size=len(data) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=shape.delimiter, quote_char='"' if trusts_quotes else False, newlines_in_values=trusts_quotes, invalid_row_handler=note
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={column: pa.string() for column in shape.header}, strings_can_be_null=False, null_values=[], check_utf8=False
        ),
    ) if data.strip() else pa.table({column: pa.array([], pa.string()) for column in shape.header})
    keep = np.ones(len(first_lines), dtype=bool)
    keep[[index for index, _ in malformed]] = False
    lines = first_lines[keep]
    if "\ufffd".encode() in data:
        parsed, lines, broken = _without_broken_text(parsed, lines, name)
        malformed += [(0, problem) for problem in broken]
    return Batch(parsed, pa.array(lines, pa.int64()), tuple(problem for _, problem in malformed), position)


def _without_broken_text(parsed: pa.Table, lines: np.ndarray, name: str) -> tuple[pa.Table, np.ndarray, list[Problem]]:
    problems = []
    broken = np.zeros(len(lines), dtype=bool)
    for column in parsed.column_names:
        hits = pc.match_substring(parsed[column], "\ufffd").to_numpy(zero_copy_only=False).astype(bool)
        for index in np.flatnonzero(hits & ~broken):
            problems.append(Problem(name, int(lines[index]), column, "", say("undecodable"), say("save_as_utf8")))
        broken |= hits
    return parsed.filter(pa.array(~broken)), lines[~broken], problems


def batches(path: Path, name: str, shape: TextShape) -> Iterator[Batch]:
    """All rows of a text file in bounded batches."""
    with path.open("rb") as stream:
        blocks = TextBlocks(stream, shape)
        for data, first_lines, trusts in blocks:
            if len(first_lines):
                yield read_block(data, first_lines, trusts, shape, name, blocks.position)
