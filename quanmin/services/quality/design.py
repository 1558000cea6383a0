"""Columns of stays → the numbers a risk model is fitted to, block by block: linear splines of numbers, one column per level of a category."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Rows = Callable[[slice], Numbers]
INTERCEPT = "(intercept)"
KNOTS = 3
FEWEST_LEVELS = 2
BLOCK = 1 << 15  # rows; 32,768 × 40 doubles are 10 MB


@dataclass(frozen=True)
class Number:
    """A number as a linear spline: one column for itself, and one for how far it is above each knot."""

    name: str
    knots: tuple[float, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """What its columns are called."""
        return (self.name, *(f"{self.name}>{knot:g}" for knot in self.knots))


@dataclass(frozen=True)
class Category:
    """A category: the first level is what the others are compared with; a level not listed counts as the first."""

    name: str
    levels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """What its columns are called."""
        return tuple(f"{self.name}={level}" for level in self.levels[1:])


@dataclass(frozen=True)
class Design:
    """The terms of a model, in order, behind an intercept."""

    terms: tuple[Number | Category, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return (INTERCEPT, *(name for term in self.terms for name in term.columns))

    def rows(self, stays: Mapping[str, Any]) -> Rows:
        """A function that makes the rows of any slice; `stays` holds an array (numpy or Arrow) per term, numbers without gaps."""
        held = {term.name: _places(stays[term.name], term) if isinstance(term, Category) else _numbers(stays[term.name]) for term in self.terms}

        def block(of: slice) -> Numbers:
            size = len(range(*of.indices(len(next(iter(held.values())))))) if held else (of.stop or 0) - (of.start or 0)
            made = np.zeros((size, len(self.columns)))
            made[:, 0] = 1
            at = 1
            for term in self.terms:
                values = held[term.name][of]
                if isinstance(term, Number):
                    made[:, at] = values
                    for shift, knot in enumerate(term.knots, 1):
                        made[:, at + shift] = np.maximum(values - knot, 0)
                else:
                    is_other = values > 0
                    made[np.flatnonzero(is_other), at + values[is_other] - 1] = 1
                at += len(term.columns)
            return made

        return block


def _numbers(values: Any) -> Numbers:
    found: Numbers = np.asarray(values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values, dtype=np.float64)
    return found


def _texts(values: Any) -> pa.Array:
    found = values if isinstance(values, pa.Array) else pa.array(np.asarray(values).astype(str))
    return found if pa.types.is_dictionary(found.type) else found.dictionary_encode()


def _places(values: Any, term: Category) -> Places:
    """The place of every value among the levels, 0 for those not listed."""
    encoded = _texts(values)
    at = {level: place for place, level in enumerate(term.levels)}
    place = np.array([at.get(str(value), 0) for value in encoded.dictionary.to_pylist()] or [0], dtype=np.int64)
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    found: Places = np.where(codes >= 0, place[codes], 0)
    return found


def design_of(stays: Mapping[str, Any], numbers: Sequence[str], categories: Sequence[str], knots: int = KNOTS) -> Design:
    """The design that some stays ask for: knots at equal shares of each number's values, levels by how frequent they are, the most frequent first.

    A column with a single value is left out, as nothing can be learnt from it. Raises KeyError for a column that is not among the stays.
    """
    terms: list[Number | Category] = []
    for name in numbers:
        values = _numbers(stays[name])
        cuts = np.unique(np.quantile(values, np.arange(1, knots + 1) / (knots + 1))) if values.size else values
        if values.size and values.min() < values.max():
            terms.append(Number(name, tuple(float(cut) for cut in cuts if values.min() < cut < values.max())))
    for name in categories:
        counted = sorted((-one["counts"], str(one["values"])) for one in pc.value_counts(pc.cast(_texts(stays[name]), pa.string())).to_pylist())
        if len(counted) >= FEWEST_LEVELS:
            terms.append(Category(name, tuple(level for _, level in counted)))
    return Design(tuple(terms))
