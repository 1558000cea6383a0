"""How a text file is written: its encoding, its delimiter and its header."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal

SAMPLE = 1 << 20
DELIMITERS = (",", "\t", "|", ";")
WIDE = ("utf-16", "utf-32")  # encodings in which a line break is more than one byte
CANDIDATES = ("utf-8", "gb18030")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
MOST_NULS = 1000  # a text may hold one stray NUL in so many bytes; more make it something else


@dataclass(frozen=True)
class TextShape:
    """How a text file is written; `header_lines` counts the physical lines of titles and header, `is_sure` tells whether the encoding was seen."""

    encoding: str
    bom: int
    delimiter: str
    header: tuple[str, ...]
    header_lines: int
    is_sure: bool = True


def decodes(sample: bytes, encoding: str) -> bool:
    """Whether bytes (perhaps cut off in a character) are text of this encoding."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(sample: bytes, name: str) -> tuple[str, int]:
    """Encoding and length of the byte-order mark; of a mixed text the encoding of most lines. Raises Refusal for what is no text."""
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding, len(bom)
    if sample.count(b"\x00") * MOST_NULS > len(sample):
        raise Refusal(Problem(name, 1, "", "", say("not_text"), say("send_text_or_excel")))
    for encoding in CANDIDATES:
        if decodes(sample, encoding):
            return encoding, 0
    telling = [line for line in sample.splitlines()[: -1 if len(sample) == SAMPLE else None] if not line.isascii()]
    for encoding in CANDIDATES:
        if 2 * sum(_is_whole(line, encoding) for line in telling) >= len(telling) > 0:
            return encoding, 0
    raise Refusal(Problem(name, 1, "", "", say("unknown_encoding"), say("save_as_utf8")))


def _is_whole(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def first_sure(lines: bytes) -> tuple[str, int] | None:
    """Encoding and place of the first line that is neither plain ASCII nor broken; None where there is no such line."""
    place = 0
    for line in lines.splitlines(keepends=True):
        if not line.isascii():
            for encoding in CANDIDATES:
                if _is_whole(line, encoding):
                    return encoding, place
        place += len(line)
    return None


def shape_of(path: Path, name: str, delimiter: str = "", header_row: int = 1, encoding: str = "") -> TextShape:
    """Encoding, delimiter and header of a text file; raises Refusal for an empty one or one with repeated columns."""
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    found, bom = (encoding, 0) if encoding and not sample.startswith(codecs.BOM_UTF8) else encoding_of(sample, name)
    try:
        text = sample[bom:].decode(found, errors="replace")
    except LookupError as error:
        raise Refusal(Problem(name, None, "encoding", encoding, say("bad_value"), say("save_as_utf8"))) from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    is_cut = len(sample) == SAMPLE and len(lines) <= header_row
    if is_cut or len(lines) < header_row or not lines[header_row - 1].strip():
        raise Refusal(Problem(name, header_row, "", "", say("no_header"), say("send_header")))
    delimiter = delimiter or max(DELIMITERS, key=lines[header_row - 1].count)
    if len(delimiter) != 1 or not delimiter.isascii():
        raise Refusal(Problem(name, None, "delimiter", delimiter, say("bad_value"), say("send_text_or_excel")))
    header, taken = _header(lines[header_row - 1 :], delimiter, name, header_row)
    is_sure = bool(encoding or bom or not sample.isascii())
    return TextShape(found, bom, delimiter, tuple(c or f"column_{i}" for i, c in enumerate(header, 1)), header_row - 1 + taken, is_sure)


def _header(lines: list[str], delimiter: str, name: str, row: int) -> tuple[list[str], int]:
    """Column names and how many lines they take (a quoted name may hold line breaks); raises Refusal where one stands twice."""
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
    try:
        fields = next(reader)
    except csv.Error as error:
        raise Refusal(Problem(name, row, "", "", say("no_header"), say("send_header"))) from error
    taken = reader.line_num
    if '"' not in lines[0]:
        taken = 1
    header = ["".join(field.split("\n")).strip() for field in fields]
    repeated = sorted(column for column, count in Counter(header).items() if column and count > 1)
    if repeated:
        raise Refusal(Problem(name, row, repeated[0], "", say("repeated_column"), say("name_columns_once")))
    return header, taken
