"""Cases as columns: codes by their number in a scheme, several per case in one array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ("sex", "age_years", "age_days", "birth_weight_g", "diagnoses", "procedures")
SEPARATOR = "|"
SEXES = {"M": 1, "F": 2}
Whole: TypeAlias = npt.NDArray[np.int32]
Places: TypeAlias = npt.NDArray[np.int64]
Truth: TypeAlias = npt.NDArray[np.bool_]
Number: TypeAlias = npt.NDArray[np.float64]


class Codes:
    """The codes a scheme knows, by number; those of another edition have the number of what they became."""

    def __init__(self, known: Iterable[str], edition: Mapping[str, str], is_other_edition: bool) -> None:
        self.names = sorted(set(known))
        self.count = len(self.names)
        self._place = {code: i for i, code in enumerate(self.names)}
        moved = {code: self._place[into] for code, into in edition.items() if into in self._place and (is_other_edition or code not in self._place)}
        listed = {code: i for code, i in self._place.items() if code not in moved} | moved
        self._all, self._listed = listed, pa.array(listed, pa.string())
        self._numbers = np.array([*listed.values(), self.count], np.int32)

    def numbers(self, codes: pa.Array) -> Whole:
        """The number of each code; `count` for those the scheme does not know."""
        found = pc.fill_null(pc.index_in(codes, self._listed), len(self._listed))
        numbers: Whole = self._numbers[found.to_numpy(zero_copy_only=False)]
        return numbers

    def settled(self, codes: list[str]) -> list[str]:
        """Codes as those of the scheme's edition; what is not known stays as it is."""
        return [self.names[self._all[code]] if code in self._all else code for code in codes]

    def marked(self, codes: Iterable[str]) -> Truth:
        """For every number (and that of unknown codes) whether its code is among `codes`, all of which must be known."""
        marks = np.zeros(self.count + 1, np.bool_)
        marks[[self._place[code] for code in codes]] = True
        return marks

    def unknown(self) -> Truth:
        """The marks of nothing but codes that are not known."""
        marks = np.zeros(self.count + 1, np.bool_)
        marks[self.count] = True
        return marks


@dataclass(frozen=True)
class Several:
    """The codes of each case, one after another: those of case i are values[starts[i]:starts[i + 1]], the first is the principal."""

    values: Whole
    starts: Places
    unknown: int

    def first(self) -> Whole:
        """The principal code of each case; `unknown` where there is none."""
        padded = np.append(self.values, np.int32(self.unknown))
        found: Whole = np.where(self.starts[1:] > self.starts[:-1], padded[self.starts[:-1]], self.unknown).astype(np.int32)
        return found

    def of(self, cases: Places) -> tuple[Whole, Places]:
        """The codes of some cases, and where those of each begin (one more than there are cases)."""
        begin, length = self.starts[cases], self.starts[cases + 1] - self.starts[cases]
        ends = np.concatenate([[0], np.cumsum(length)])
        return self.values[np.repeat(begin - ends[:-1], length) + np.arange(ends[-1])], ends

    def any(self, marks: Truth, cases: Places) -> Truth:
        """Whether one of the codes of each of the cases is marked."""
        values, ends = self.of(cases)
        counted = np.concatenate([[0], np.cumsum(marks[values])])
        hit: Truth = counted[ends[1:]] > counted[ends[:-1]]
        return hit


@dataclass(frozen=True)
class Cases:
    """What grouping needs of each case; unknown numbers are NaN, an unknown sex is 0."""

    sex: Whole
    numbers: Mapping[str, Number]
    diagnoses: Several
    procedures: Several
    principal: Whole
    first_procedure: Whole

    def __len__(self) -> int:
        return len(self.sex)

    def lacking(self) -> Places:
        """The cases whose sex, age or birth weight is not known, as far as any rule may ask for them."""
        infant = self.numbers["AGE_YEARS"] == 0
        unknown = np.isnan(self.numbers["AGE_YEARS"]) | (infant & (np.isnan(self.numbers["AGE_DAYS"]) | np.isnan(self.numbers["BIRTH_WEIGHT_G"])))
        return np.flatnonzero(unknown | (self.sex == 0))


def _number(column: pa.ChunkedArray) -> Number:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column)
        is_number = pc.match_substring_regex(trimmed, r"^\d{1,9}(\.\d{1,6})?$")
        column = pc.cast(pc.if_else(is_number, trimmed, pa.scalar(None, column.type)), pa.float64())
    found: Number = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(found < 0, np.nan, found)


def _several(column: pa.ChunkedArray, codes: Codes) -> Several:
    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_list(joined.type):
        filled = pc.fill_null(joined, "")
        parts = pc.split_pattern(filled, SEPARATOR)
        lengths = np.diff(parts.offsets.to_numpy())
        flat = pc.utf8_trim_whitespace(parts.values)
    else:
        lengths = pc.fill_null(pc.list_value_length(joined), 0).to_numpy(zero_copy_only=False)
        flat = joined.flatten()
    is_there = pc.fill_null(pc.not_equal(flat, ""), False).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    kept = np.concatenate([[0], np.cumsum(is_there)])
    return Several(codes.numbers(flat.filter(pa.array(is_there))), kept[ends].astype(np.int64), codes.count)


def cases_of(table: pa.Table, diagnoses: Codes, procedures: Codes) -> Cases:
    """Cases out of a table with COLUMNS; diagnoses and procedures are lists, or text joined by SEPARATOR, the principal first.

    `sex` is 1 male, 2 female; `age_days` counts where `age_years` is 0; `birth_weight_g` in grams. Text that is no number is unknown.
    """
    dx, ops = _several(table["diagnoses"], diagnoses), _several(table["procedures"], procedures)
    sex = np.nan_to_num(_number(table["sex"]), nan=0.0).astype(np.int32)
    numbers = {name.upper(): _number(table[name]) for name in ("age_years", "age_days", "birth_weight_g")}
    return Cases(sex, numbers, dx, ops, dx.first(), ops.first())
