"""Planted errors: which rows get one, what is changed, and by which check it must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.synth import settings
from quanmin.synth.illness import Rows, taken
from quanmin.synth.text import replaced

Columns = dict[str, pa.Array]
Edit = Callable[[Rows, Columns, np.random.Generator], Columns]


@dataclass(frozen=True)
class Kind:
    """One kind of planted error: `eligible` says for which rows it makes sense, `edit` gives the changed columns of those rows."""

    name: str
    field: str
    found_by: str
    edit: Edit | None
    eligible: Callable[[Rows], np.ndarray] | None = None
    share: float = settings.ERROR_SHARE


@dataclass
class Planted:
    """The planted errors of one batch of rows: row positions with kind, field and finder."""

    rows: list[np.ndarray] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)

    def add(self, rows: np.ndarray, kind: Kind) -> None:
        """Notes that `rows` carry an error of `kind`."""
        if len(rows):
            self.rows.append(rows)
            self.kinds.append(kind)

    def of(self, name: str) -> np.ndarray:
        """Row positions with an error of one kind, ascending."""
        found = [r for r, k in zip(self.rows, self.kinds, strict=True) if k.name == name]
        return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


REJECTED = "rejected"


def rejects(date_field: str, date_column: str, number_field: str, number_column: str, key_field: str, key_column: str) -> list[Kind]:
    """The kinds that make a row unacceptable, for a table with these columns; duplicate and short lines are made when lines are written."""

    def bad_date(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        size = len(columns[date_column])
        return {
            date_column: pa.array(["2026-02-30", "20261345", "2026/13/1 8:00", "0000-00-00"], pa.string()).take(
                pa.array(rng.integers(0, 4, size))
            )
        }

    def bad_number(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {number_column: pc.replace_substring(columns[number_column], ".", "O.")}

    def no_key(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {key_column: pa.repeat(pa.scalar("", pa.string()), len(columns[key_column]))}

    share = settings.REJECT_SHARE
    return [
        Kind("unreadable_date", date_field, REJECTED, bad_date, share=share),
        Kind("unreadable_number", number_field, REJECTED, bad_number, share=share),
        Kind("missing_key", key_field, REJECTED, no_key, share=share),
        Kind("duplicate_line", "", REJECTED, None, share=share),
        Kind("short_line", "", REJECTED, None, share=share),
    ]


def plant(kinds: list[Kind], rows: Rows, columns: Columns, blocked: np.ndarray, rng: np.random.Generator) -> tuple[Columns, Planted]:
    """Plants each kind in its share of rows, at least one where any is eligible, never two in a row, none in `blocked` rows."""
    columns, planted, free = dict(columns), Planted(), ~blocked
    for kind in kinds:
        fit = np.flatnonzero(free if kind.eligible is None else free & kind.eligible(rows))
        wanted = min(len(fit), max(1, round(kind.share * float(len(free)))))
        chosen = np.sort(rng.choice(fit, wanted, replace=False)) if wanted else fit[:0]
        if len(chosen) == 0:
            continue
        free[chosen] = False
        planted.add(chosen, kind)
        if kind.edit is not None:
            index = pa.array(chosen)
            for name, values in kind.edit(taken(rows, chosen), {n: c.take(index) for n, c in columns.items()}, rng).items():
                columns[name] = replaced(columns[name], chosen, values)
    return columns, planted
