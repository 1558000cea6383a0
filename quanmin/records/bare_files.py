"""Cases from bare files: the columns asked for, every row that cannot be used named with its reason; read = accepted + rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.sources.batch import Batch, OpenFile
from quanmin.records.sources.table_file import TableFile

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
MOST_PROBLEMS = 20
LONGEST_SHOWN, LONGEST_HEADER = 40, 200


@dataclass
class Cases:
    """The rows of one or several files as text, each with its file and line; `usable` says which are still to be used.

    A row is refused once, for the first reason found; all of them are counted, the first of them told in `problems`. `malformed` rows could not even be
    taken apart and stand nowhere in the table.
    """

    table: pa.Table
    names: tuple[str, ...]
    files: NDArray[np.int64]
    lines: NDArray[np.int64]
    usable: Flags
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    malformed: int = 0

    @property
    def read(self) -> int:
        """Rows read."""
        return int(self.usable.size) + self.malformed

    @property
    def rejected(self) -> int:
        """Rows that cannot be used."""
        return int((~self.usable).sum()) + self.malformed

    def text(self, column: str) -> pa.Array:
        """A column without surrounding blanks."""
        values = self.table[column]
        return pc.utf8_trim_whitespace(values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values)

    def refuse(self, wrong: Flags, column: str, rule: str, mend: str) -> None:
        """Take the rows marked out of use and say why."""
        wrong = wrong & self.usable
        values = self.table[column]
        for at in np.flatnonzero(wrong)[: max(MOST_PROBLEMS - len(self.problems), 0)]:
            shown = str(values[int(at)].as_py())[:LONGEST_SHOWN]
            self.problems.append(Problem(self.names[self.files[at]], int(self.lines[at]), column, shown, rule, mend))
        self.usable = self.usable & ~wrong

    def told(self, column: str) -> pa.Array:
        """A text column; rows in which it is blank are refused."""
        found = self.text(column)
        self.refuse(pc.equal(found, "").to_numpy(zero_copy_only=False), column, say("quality_blank"), say("quality_mend_blank"))
        return found

    def numbers(self, column: str) -> Numbers:
        """A column of numbers; rows in which it is none are refused and hold NaN."""
        texts = self.told(column)
        is_number = pc.match_substring_regex(texts, NUMBER)
        self.refuse(~is_number.to_numpy(zero_copy_only=False), column, say("unreadable_number"), say("mend_number"))
        values = pc.cast(pc.if_else(is_number, texts, pa.scalar(None, pa.string())), pa.float64()).to_numpy(zero_copy_only=False)
        self.refuse(np.isinf(values), column, say("unreadable_number"), say("mend_number"))
        return np.asarray(values, dtype=np.float64)

    def between(self, column: str, low: float, high: float, rule: str, mend: str) -> Numbers:
        """A column of numbers from `low` to `high`, both included."""
        values = self.numbers(column)
        self.refuse(~((values >= low) & (values <= high)), column, rule, mend)
        return values

    def outcome(self, wanted: str) -> Numbers:
        """0 or 1: a column that holds them, or `COLUMN=VALUE`, which is 1 where the column has this value."""
        column, sign, value = wanted.partition("=")
        if sign and wanted not in self.table.column_names:
            is_value: Numbers = pc.equal(self.told(column), value.strip()).to_numpy(zero_copy_only=False).astype(np.float64)
            return is_value
        values = self.numbers(wanted)
        self.refuse(~np.isin(values, (0, 1)), wanted, say("quality_no_outcome"), say("quality_mend_outcome"))
        return values

    def kept(self) -> NDArray[np.int64]:
        """The places of the usable rows; raises Refusal where none is left."""
        found = np.flatnonzero(self.usable)
        if not found.size:
            raise Refusal(*(self.problems or [Problem(self.names[0], 1, "", "", say("quality_no_rows"), say("quality_mend_no_rows"))]))
        return found


def column_of(wanted: str, header: Sequence[str]) -> str:
    """The column an outcome is read from: itself, or what stands before `=`."""
    return wanted if wanted in header else wanted.partition("=")[0]


def _opened(path: Path) -> OpenFile:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Refusal(Problem(str(path), None, "", "", say("no_file"), say("mend_no_file"))) from error
    return TableFile().open(path, str(path), None)


def header_of(path: Path) -> tuple[str, ...]:
    """The columns of a file; raises Refusal for one that cannot be read."""
    return _opened(path).header


def _columns(opened: OpenFile, wanted: Sequence[str], outcome: str) -> list[str]:
    """The file's columns that are wanted; raises Refusal for those it has not."""
    needed = list(dict.fromkeys(name for name in (column_of(outcome, opened.header), *wanted) if name))
    missing = [name for name in needed if name not in opened.header]
    if missing:
        shown = ", ".join(opened.header)[:LONGEST_HEADER]
        raise Refusal(*(Problem(opened.name, 1, name, "", say("quality_no_column"), say("quality_mend_no_column", columns=shown)) for name in missing))
    return needed


def _taken(opened: OpenFile) -> tuple[list[Batch], list[Problem]]:
    """The batches and malformed lines of a file; raises Refusal for one that breaks off in the middle of its last line."""
    batches = list(opened.batches)
    malformed = sorted((problem for batch in batches for problem in batch.malformed), key=lambda problem: problem.line or 0)
    last = max((int(pc.max(batch.lines).as_py() or 0) for batch in batches if len(batch.lines)), default=0)
    if malformed and opened.notes and (malformed[-1].line or 0) > last:
        raise Refusal(malformed[-1])
    return batches, malformed


def read_cases(paths: Sequence[Path], wanted: Sequence[str], outcome: str = "", keep_all: bool = False) -> Cases:
    """The rows of CSV (UTF-8, GB18030, UTF-16) or Excel files that hold the columns `wanted` (blank names count for nothing) and an outcome's.

    `outcome` is as `Cases.outcome` takes it; `keep_all` keeps the other columns too.

    Raises Refusal for a file that is missing, not readable, without one of the columns, or cut off in the middle of a line.
    """
    tables, files, lines = [], [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    problems: list[Problem] = []
    notes: list[str] = []
    for number, path in enumerate(paths):
        opened = _opened(path)
        needed = _columns(opened, wanted, outcome)
        opened.wanted = set(needed)
        batches, malformed = _taken(opened)
        problems += malformed
        notes += [f"{path}: {note}" for note in opened.notes]
        for batch in batches:
            tables.append(batch.table.select(list(opened.header) if keep_all else needed))
            lines.append(batch.lines.to_numpy(zero_copy_only=False))
            files.append(np.full(len(batch.table), number, dtype=np.int64))
    table = pa.concat_tables(tables, promote_options="default") if tables else pa.table({name: pa.array([], pa.string()) for name in needed})
    filled = pa.table({name: pc.fill_null(table[name], "") for name in table.column_names})
    return Cases(filled, tuple(str(path) for path in paths), np.concatenate(files), np.concatenate(lines), np.ones(len(table), dtype=bool),
                 problems[:MOST_PROBLEMS], tuple(notes), len(problems))
