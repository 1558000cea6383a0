"""The files that leave the senders: appended block by block, with their line numbers and encodings."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from quanmin.synth.text import line_bytes

BOM = b"\xef\xbb\xbf"


@dataclass
class Sent:
    """One file of the manifest."""

    file: str
    sender: str
    mapping: str
    sent_on: str
    remark: str = ""
    lines: int = 0


@dataclass
class Outbox:
    """Files under `folder`/files; the paths of the manifest are relative to it."""

    folder: Path
    sent: dict[str, Sent] = field(default_factory=dict)

    def path(self, file: str) -> Path:
        """Where a file of the manifest is."""
        return self.folder / "files" / file

    def note(self, file: str, sender: str, mapping: str, sent_on: str, remark: str = "") -> Sent:
        """Registers a file, once; makes its folder."""
        if file not in self.sent:
            self.sent[file] = Sent(file, sender, mapping, sent_on, remark)
            self.path(file).parent.mkdir(parents=True, exist_ok=True)
        return self.sent[file]

    def append(self, entry: Sent, header: str, lines: pa.Array, first: int, last: int, encoding: str) -> int:
        """Appends lines first … last-1 (each ends with its line break) and gives the number of the first line, counted from 1."""
        content = line_bytes(lines, first, last)
        start = entry.lines
        if start == 0:
            start = 1
        with self.path(entry.file).open("ab") as stream:
            if entry.lines == 0:
                stream.write(
                    header.encode("gb18030") if encoding == "gb18030" else (BOM if encoding == "utf-8-sig" else b"") + header.encode()
                )
            stream.write(content if encoding != "gb18030" else bytes(content).decode("utf-8").encode("gb18030"))
        entry.lines = start + last - first
        return start + 1

    def manifest(self) -> list[Sent]:
        """All files in the order of sending."""
        return sorted(self.sent.values(), key=lambda s: (s.sent_on, s.file))


def spans(keys: np.ndarray) -> list[tuple[int, int, int]]:
    """(key, first, last) of each run of equal keys."""
    if len(keys) == 0:
        return []
    cuts = np.r_[0, np.flatnonzero(np.diff(keys)) + 1, len(keys)]
    return [(int(keys[a]), int(a), int(b)) for a, b in pairwise(cuts)]
