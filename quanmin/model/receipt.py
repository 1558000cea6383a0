"""Receipts: what happened to a received file."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any


def one_line(text: str) -> str:
    """Text without line breaks, control and direction characters: what a received file says must not steer a terminal."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)


@dataclass(frozen=True)
class Problem:
    """One reason why something was not accepted: where, what, which rule, and how to mend it.

    `line` is the physical line in a text file or the row in a sheet (1 = header). Values of private columns are masked.
    """

    file: str
    line: int | None
    field: str
    value: str
    rule: str
    mend: str

    def sentence(self) -> str:
        """`file:line field=value: rule; mend` on one line."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = f" {self.field}={self.value!r}" if self.field else ""
        return one_line(f"{where}{what}: {self.rule}; {self.mend}")


class Refusal(Exception):
    """A whole file, definition or request that cannot be used; carries its problems, printed without a traceback."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(p.sentence() for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Receipt:
    """What happened to one received file: read = accepted + rejected, always."""

    file: str
    sha256: str
    sender: str
    mapping: str
    submission: int | None
    read: int
    accepted: int
    rejected: int
    status: str
    slices: tuple[dict[str, Any], ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
