"""Mappings: how one sender's columns and codes become ours."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from quanmin.model.words import Label


@dataclass(frozen=True)
class Fill:
    """How one of our columns is filled: from a sender's column (or an expression, or a constant), then translated.

    `format` is a strptime pattern (several may be tried in order); `codes` translates sender's codes, and with
    `others` a value not listed becomes that (None: it passes unchanged).
    """

    column: str
    source: tuple[str, ...] = ()
    expression: str = ""
    constant: str | None = None
    formats: tuple[str, ...] = ()
    codes: MappingType[str, str] = field(default_factory=dict)
    others: str | None = None


@dataclass(frozen=True)
class Into:
    """One of our tables filled from each row of the sender's file; with `repeat`, one row per filled group of columns.

    With `repeat` = n, every `{n}` in a source column name is replaced by `01`, `02` … (or `1`, `2` … for `{i}`),
    `first` may name groups with names of their own that come before, and a group whose `anchor` column is blank is no row.
    """

    table: str
    fills: tuple[Fill, ...]
    repeat: int = 0
    anchor: str = ""
    where: str = ""
    first: int = 1


@dataclass(frozen=True)
class Mapping:
    """One layout of files: how it is recognised and what it becomes."""

    id: str
    label: Label
    recognise: tuple[str, ...]
    into: tuple[Into, ...]
    sender: str = ""
    sender_column: str = ""
    source: str = "table_file"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 1
    documentation: str = ""
    path: str = ""
    version: str = ""
