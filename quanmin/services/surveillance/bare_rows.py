"""Rows of bare files for scans, reproduction numbers and nowcasts: CSV or Excel with named columns, and SaTScan's files as they are.

A file is used whole or not at all: what cannot be read is told by file, line, column and value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import MOST_PROBLEMS, header_of, read_cases

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Texts = NDArray[np.object_]
Days = NDArray[np.datetime64]
SATSCAN = {".cas": ("place", "count", "date"), ".ctl": ("place", "count", "date"), ".geo": ("place", "first", "second"),
           ".pop": ("place", "date", "population")}
DATE = re.compile(r"^(\d{4}|\d{2})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[ T].*)?$")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
CENTURY, NEAR = 1900, 30  # two digits below 30 are of this century, as SaTScan reads them
LONGEST_SHOWN = 40
LARGEST = 1e12


@dataclass(frozen=True)
class Rows:
    """The rows of one file: text by column, without surrounding blanks, and the line of each."""

    file: str
    lines: Whole
    columns: dict[str, Texts]

    def __len__(self) -> int:
        return len(self.lines)

    def refuse(self, wrong: NDArray[np.bool_], column: str, rule: str, mend: str) -> None:
        """Raise Refusal for the rows marked, the first of them told."""
        found = np.flatnonzero(wrong)[:MOST_PROBLEMS]
        if len(found):
            raise Refusal(*(Problem(self.file, int(self.lines[at]), column, str(self.columns[column][at])[:LONGEST_SHOWN], rule, mend) for at in found))

    def told(self, column: str) -> Texts:
        """A column in which nothing is blank."""
        values = self.columns[column]
        self.refuse(values == "", column, say("quality_blank"), say("quality_mend_blank"))
        return values

    def numbers(self, column: str) -> Numbers:
        """A column of finite numbers."""
        parsed, at = self._parsed(column, _number)
        values = np.array([np.nan if value is None else value for value in parsed])[at] if len(at) else np.zeros(0)
        self.refuse(~(np.abs(values) <= LARGEST), column, say("unreadable_number"), say("mend_number"))
        return values

    def counts(self, column: str) -> Whole:
        """A column of whole numbers from 0 up."""
        values = self.numbers(column)
        self.refuse((values < 0) | (values != np.floor(values)), column, say("quality_no_count"), say("quality_mend_count"))
        return values.astype(np.int64)

    def dates(self, column: str) -> tuple[Days, NDArray[np.str_]]:
        """A column of dates, the first day where only a month or year is written, and how fine each is: D, M or Y."""
        parsed, at = self._parsed(column, _date)
        self.refuse(np.array([value is None for value in parsed], dtype=np.bool_)[at] if len(at) else np.zeros(0, dtype=np.bool_), column,
                    say("unreadable_date"), say("scan_mend_date"))
        days = np.array([value[0] for value in parsed if value is not None], dtype="datetime64[D]")
        return days[at], np.array([value[1] for value in parsed if value is not None], dtype="U1")[at]

    def _parsed(self, column: str, parse: Any) -> tuple[list[Any], Whole]:
        """Every text that occurs, read, and which of them each row holds."""
        values, at = np.unique(self.told(column).astype(str), return_inverse=True)
        return [parse(value) for value in values.tolist()], at.astype(np.int64)


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _date(text: str) -> tuple[date, str] | None:
    found = DATE.match(text)
    if not found:
        return None
    year, month, day = found.groups()
    whole = int(year) if len(year) > 2 else int(year) + (CENTURY if int(year) >= NEAR else CENTURY + 100)
    try:
        return date(whole, int(month or 1), int(day or 1)), "D" if day else "M" if month else "Y"
    except ValueError:
        return None


def _satscan(path: Path, names: Sequence[str], least: int) -> Rows:
    """Lines of values parted by blanks; what stands after the named ones (covariates) is joined into `rest`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refusal(Problem(str(path), None, "", "", say("no_file"), say("mend_no_file"))) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    split = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("//")]
    short = [Problem(str(path), number, names[min(len(words), len(names) - 1)], " ".join(words)[:LONGEST_SHOWN], say("scan_short_line", least=least),
                     say("scan_mend_short_line", names=" ".join(names))) for number, words in split if len(words) < least]
    if short:
        raise Refusal(*short[:MOST_PROBLEMS])
    columns = {name: np.array([words[at] if at < len(words) else "" for _, words in split], dtype=object) for at, name in enumerate(names)}
    columns["rest"] = np.array([" ".join(words[len(names):]) for _, words in split], dtype=object)
    return Rows(str(path), np.array([number for number, _ in split], dtype=np.int64), columns)


def read_rows(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> Rows:
    """The columns `wanted` (and those of `optional` that are there) of a CSV or Excel file, or the columns of a SaTScan file.

    Raises Refusal for a file that is missing, cannot be read, has a malformed line or lacks a column.
    """
    kind = path.suffix.lower()
    if kind in SATSCAN:
        missing = [name for name in wanted if name not in SATSCAN[kind]]
        if missing:
            raise Refusal(*(Problem(str(path), 1, name, "", say("quality_no_column"), say("quality_mend_no_column", columns=", ".join(SATSCAN[kind])))
                            for name in missing))
        return _satscan(path, SATSCAN[kind], 2 if kind in (".cas", ".ctl") else 3)
    header = header_of(path)
    names = tuple(dict.fromkeys([*wanted, *(name for name in optional if name in header)]))
    cases = read_cases([path], names)
    if cases.malformed:
        raise Refusal(*cases.problems)
    return Rows(str(path), cases.lines, {name: cases.text(name).to_numpy(zero_copy_only=False) for name in names})


def edges_of(first: np.datetime64, last: np.datetime64, period: str) -> Days:
    """The first day of every period (day, week from Monday, month, year) from `first` to `last`, and the day after `last`."""
    if period == "day":
        return np.arange(first, last + 2)
    if period == "week":
        monday = first - int((first - np.datetime64("1970-01-05", "D")).astype(np.int64) % 7)
        starts = np.arange(monday, last + 1, 7)
    else:
        unit = {"month": "datetime64[M]", "year": "datetime64[Y]"}[period]
        starts = np.arange(first.astype(unit), last.astype(unit) + 1).astype("datetime64[D]")
    found: Days = np.r_[first, starts[1:], last + 1]
    return found
