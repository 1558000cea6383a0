"""Looks through an .xlsx before a reader unpacks it: what it really unpacks to, and how far its cells reach.

A zip's directory may lie about sizes, and one cell in the last corner makes a reader allocate all that lies before it; both are counted
here, in a stream, and nothing is kept.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal

LARGEST_UNPACKED = 400 << 20
LARGEST_RATIO = 200
SMALL = 50_000  # bytes: below this size a high ratio is no sign of anything
MOST_MEMBERS = 5000
MOST_CELLS = 20_000_000
CHUNK = 1 << 20
LOCAL_HEADER, ENCRYPTED = 30, 1
REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")
LONGEST_REFERENCE = 40


def refuse_bomb(path: Path, name: str) -> None:
    """Raise Refusal for an .xlsx that is broken or encrypted, unpacks to too much, or whose cells reach too far."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if len(members) > MOST_MEMBERS or _is_too_much(unpacked, path):
                raise _bomb(name, unpacked)
            if "xl/workbook.xml" not in archive.namelist():
                raise Refusal(Problem(name, None, "", "", say("not_text"), say("send_text_or_excel")))
            unpacked = 0
            for member in members:
                extent = _Extent()
                for chunk in _unpacked(stream, member):
                    unpacked += len(chunk)
                    if _is_too_much(unpacked, path):
                        raise _bomb(name, unpacked)
                    if member.filename.startswith("xl/worksheets/"):
                        extent.add(chunk)
                if extent.rows * extent.columns > MOST_CELLS:
                    rule = say("sheet_too_far", rows=f"{extent.rows:,}", columns=f"{extent.columns:,}")
                    raise Refusal(Problem(name, None, "", "", rule, say("mend_sheet_too_far")))
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, NotImplementedError) as error:
        raise Refusal(Problem(name, None, "", "", say("broken_excel"), say("mend_broken_excel"))) from error


def _is_too_much(unpacked: int, path: Path) -> bool:
    return unpacked > LARGEST_UNPACKED or unpacked > LARGEST_RATIO * max(path.stat().st_size, SMALL)


def _bomb(name: str, unpacked: int) -> Refusal:
    return Refusal(Problem(name, None, "", "", say("zip_bomb", size=unpacked >> 20), say("mend_zip_bomb")))


def _unpacked(stream: IO[bytes], member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member really unpacks to, whatever the directory says of its size."""
    if member.flag_bits & ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(member.filename)
    stream.seek(member.header_offset)
    header = stream.read(LOCAL_HEADER)
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    stream.seek(name_length + extra_length, 1)
    left = member.compress_size
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (raw := stream.read(min(CHUNK, left))):
        left -= len(raw)
        if inflater is None:
            yield raw
            continue
        while raw and not inflater.eof:
            yield inflater.decompress(raw, CHUNK)
            raw = inflater.unconsumed_tail


def _column(letters: bytes) -> int:
    """The number of a column: A is 1, AA is 27; 0 without letters."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


class _Extent:
    """How far the cells of a sheet reach."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        text = self._tail + chunk
        found = REFERENCE.findall(text)
        if found:
            letters, digits = zip(*found, strict=True)
            self.rows = max(self.rows, *map(int, set(digits)))
            self.columns = max(self.columns, *map(_column, set(letters)))
        self._tail = text[-LONGEST_REFERENCE:]
