"""Counts from a bare file, long or wide: one row of an array per series on one time axis; whatever cannot be used is named with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import NUMBER, Cases, header_of, read_cases
from quanmin.services.surveillance.period_axis import Axis, axis_of, parsed

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
BLANKS = pa.array(["", "NA", "NaN", "nan", "null", "NULL", "N/A"])
INDEX = "t"  # a column that R's inputs have beside the date
LONGEST_AXIS, MOST_CELLS = 100_000, 300_000_000
UNIT = "unit"  # names the column a series came from, where a file has several


@dataclass(frozen=True)
class Layout:
    """Which columns hold what: `counts` none means all that are nothing else; `shared` columns are read like counts, one value for all counts of a row."""

    date: str
    counts: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Series by time: `names` says per key column what each series is, `values` is (series, time) with NaN where there is none, `shared` by column the
    same shape."""

    keys: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    values: Numbers
    shared: dict[str, Numbers]
    axis: Axis
    rows: int

    def called(self) -> tuple[str, ...]:
        """Each series in one word: its names joined by a slash."""
        return tuple("/".join(name) for name in self.names)


def read_counts(path: Path, layout: Layout, freq: int | None = None, start: tuple[int, int] | None = None) -> Counts:
    """Read a file of counts.

    Periods that a file leaves out are missing, not 0. Raises Refusal for columns that are not there, periods that cannot be read or do not fit one rhythm,
    counts that are no numbers or below 0, and two rows of one series and period.
    """
    header = header_of(path)
    columns = layout.counts or tuple(name for name in header if name not in (layout.date, INDEX, *layout.by, *layout.shared))
    cases = read_cases([path], [layout.date, *layout.by, *columns, *layout.shared])
    if cases.malformed:
        raise Refusal(*cases.problems)
    if not columns:
        raise Refusal(Problem(str(path), 1, layout.date, "", say("detect_no_counts"), say("quality_mend_no_column", columns=", ".join(header)[:200])))
    if not len(cases.table):
        raise Refusal(Problem(str(path), 1, "", "", say("quality_no_rows"), say("quality_mend_no_rows")))
    axis, places = _placed(cases, layout.date, freq, start)
    groups, names = _grouped(cases, layout.by)
    _refuse_repeats(cases, groups, places, len(axis.labels), layout.date)
    read = {name: _numbers(cases, name) for name in dict.fromkeys((*columns, *layout.shared))}
    if not cases.usable.all():
        raise Refusal(*cases.problems)
    shape = (len(names), len(axis.labels))
    if shape[0] * shape[1] * len(columns) > MOST_CELLS:
        raise Refusal(Problem(str(path), None, layout.date, "", say("detect_too_large", periods=shape[1], series=shape[0]), say("detect_mend_axis")))

    def laid(column: str) -> Numbers:
        found = np.full(shape, np.nan)
        found[groups, places] = read[column]
        return found

    is_wide = len(columns) > 1
    values = np.stack([laid(column) for column in columns], axis=1).reshape(-1, shape[1])
    told = tuple((*name, column) if is_wide else name for name in names for column in columns)
    shared = {column: np.repeat(laid(column), len(columns), axis=0) for column in layout.shared}
    return Counts((*layout.by, UNIT) if is_wide else layout.by, told, values, shared, axis, len(cases.table))


def _placed(cases: Cases, column: str, freq: int | None, start: tuple[int, int] | None) -> tuple[Axis, Places]:
    """The axis of a file and the place of every row on it."""
    encoded = pc.dictionary_encode(cases.text(column))
    texts: list[str] = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    found = [parsed(text) for text in texts]
    forms = [one[0] if one else None for one in found]
    common = max((form for form in forms if form), key=forms.count, default=None)
    wrong = np.array([form is None or form != common for form in forms])
    cases.refuse(wrong[codes], column, say("detect_no_period"), say("detect_mend_period"))
    if common is None or not cases.usable.all():
        raise Refusal(*cases.problems)
    numbers = np.array([one[1] for one in found if one], dtype=np.int64)
    distinct = np.unique(numbers)
    made = axis_of({common}, distinct, freq, start) if distinct[-1] - distinct[0] < LONGEST_AXIS else None
    if made is None:
        far = int(np.argmax(np.abs(numbers - np.median(numbers))))
        cases.refuse(codes == far, column, say("detect_axis_long"), say("detect_mend_axis"))
    elif isinstance(made, str):
        steps = 7 if made == "week" else 1
        odd = (numbers - distinct[0]) % steps != 0 if made == "week" else np.array([text[-2:] != texts[int(numbers.argmin())][-2:] for text in texts])
        cases.refuse(odd[codes], column, say(f"detect_not_{made}"), say("detect_mend_rhythm"))
    if made is None or isinstance(made, str):
        raise Refusal(*(cases.problems or [Problem(cases.names[0], None, column, "", say("detect_no_period"), say("detect_mend_period"))]))
    axis, at = made
    return axis, at[np.searchsorted(distinct, numbers)][codes]


def _grouped(cases: Cases, by: Sequence[str]) -> tuple[Places, list[tuple[str, ...]]]:
    """The series of every row, and the names of each series in the order in which they first appear."""
    if not by:
        return np.zeros(len(cases.table), np.int64), [()]
    parts = [pc.dictionary_encode(cases.told(column)) for column in by]
    codes = np.zeros(len(cases.table), np.int64)
    for part in parts:
        codes = codes * len(part.dictionary) + part.indices.to_numpy(zero_copy_only=False)
    _, first, groups = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    texts = [part.dictionary.take(part.indices.take(pa.array(first[order]))).to_pylist() for part in parts]
    return rank[groups], list(zip(*texts, strict=True))


def _refuse_repeats(cases: Cases, groups: Places, places: Places, length: int, column: str) -> None:
    """Two rows of one series and period cannot both be right."""
    cells = groups * length + places
    order = np.argsort(cells, kind="stable")
    again = np.flatnonzero(cells[order][1:] == cells[order][:-1]) + 1
    for at in again[:1]:
        line = int(cases.lines[order[at - 1]])
        wrong = np.zeros(len(cells), dtype=bool)
        wrong[order[again]] = True
        cases.refuse(wrong, column, say("detect_repeated", line=line), say("detect_mend_repeated"))


def _numbers(cases: Cases, column: str) -> Numbers:
    """A column of counts: NaN where it is blank."""
    texts = cases.text(column)
    blank = pc.is_in(texts, value_set=BLANKS)
    is_number = pc.match_substring_regex(texts, NUMBER)
    cases.refuse(~pc.or_(blank, is_number).to_numpy(zero_copy_only=False), column, say("unreadable_number"), say("mend_number"))
    values = pc.cast(pc.if_else(is_number, texts, pa.scalar(None, pa.string())), pa.float64()).to_numpy(zero_copy_only=False)
    values = np.asarray(values, dtype=np.float64)
    cases.refuse(np.isinf(values), column, say("unreadable_number"), say("mend_number"))
    cases.refuse(values < 0, column, say("quality_below_zero"), say("quality_mend_below_zero"))
    return values
