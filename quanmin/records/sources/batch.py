"""What every source hands over: the sender's columns as text, each row with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from quanmin.model import Mapping, Problem


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: `table` holds the sender's columns as text, `lines` the physical line (1 = first) of each row.

    `malformed` are rows that could not be taken apart at all; they count as read and rejected. `bytes_read` is the position reached.
    """

    table: pa.Table
    lines: pa.Array
    malformed: tuple[Problem, ...] = ()
    bytes_read: int = 0


@dataclass
class OpenFile:
    """A file ready to be read: its header, how it is encoded, and its batches (to be consumed once).

    `wanted` are the columns that will be used (None: not known yet); what is wrong with others matters to nobody.
    """

    path: Path
    name: str
    header: tuple[str, ...]
    batches: Iterator[Batch]
    size: int
    encoding: str = ""
    notes: list[str] = field(default_factory=list)
    wanted: set[str] | None = None


class Source(Protocol):
    """The socket a file format plugs into."""

    id: str

    def recognises(self, path: Path, name: str) -> bool:
        """Whether the file's content (not only its name) is of this format."""
        ...

    def open(self, path: Path, name: str, mapping: Mapping | None) -> OpenFile:
        """Header and batches; raises Refusal for what cannot be read."""
        ...
