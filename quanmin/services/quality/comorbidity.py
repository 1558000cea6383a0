"""What else a patient suffers from, by diagnosis codes: Charlson's and Elixhauser's categories and acute organ failure, from catalog/comorbidity.

Sources: H. Quan et al., Medical Care 2005;43:1130–1139 (the code sets); M. E. Charlson et al., Journal of Chronic Diseases 1987;40:373–383; H. Quan
et al., American Journal of Epidemiology 2011;173:676–682; C. van Walraven et al., Medical Care 2009;47:626–633 (the weights);
D. C. Angus et al., Critical Care Medicine 2001;29:1303–1310 (organ systems).
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

import quanmin.catalog
from quanmin.model import Label

Bits = NDArray[np.uint64]
FOLDER = Path(quanmin.catalog.__file__).parent / "comorbidity"
INDICES = ("charlson", "elixhauser", "organ_failure")
NO_PART = "[^0-9A-Z]"  # dots, blanks, daggers and asterisks are no part of a code


@dataclass(frozen=True)
class Category:
    """A disease category: the beginnings of its codes, without dot, and its weight by scheme."""

    id: str
    label: Label
    prefixes: tuple[str, ...]
    weights: Mapping[str, int]


@dataclass(frozen=True)
class ComorbidityIndex:
    """A published index: its categories, the schemes of weights (the first is the usual one), and which category takes the place of which."""

    id: str
    label: Label
    categories: tuple[Category, ...]
    schemes: tuple[str, ...]
    outranks: Mapping[str, tuple[str, ...]]
    status: str
    source: str


@dataclass(frozen=True)
class Comorbidities:
    """Per stay: `flags` (stays × categories, after the hierarchy) and `score`, the sum of their weights."""

    index: ComorbidityIndex
    scheme: str
    flags: NDArray[np.bool_]
    score: NDArray[np.int64]


@cache
def comorbidity_index(name: str) -> ComorbidityIndex:
    """The index of this name from the catalogue; raises KeyError for another."""
    if name not in INDICES:
        raise KeyError(name)
    card: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    schemes = tuple(card["weights"])
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        categories = tuple(Category(row["category"], Label(row["zh"], row["en"]), tuple(row["prefix"].split()), {s: int(row[s]) for s in schemes})
                           for row in csv.DictReader(stream))
    outranks = {higher: tuple(lower) for higher, lower in card["outranks"].items()}
    return ComorbidityIndex(name, Label(card["name"]["zh"], card["name"]["en"]), categories, schemes, outranks, card["status"], card["source"])


def _bits(codes: pa.Array, index: ComorbidityIndex) -> Bits:
    """The categories of each distinct code, one bit each."""
    plain = pc.replace_substring_regex(pc.utf8_upper(codes), NO_PART, "")
    found = np.zeros(len(codes), dtype=np.uint64)
    by_length: dict[int, dict[str, int]] = {}
    for bit, category in enumerate(index.categories):
        for prefix in category.prefixes:
            held = by_length.setdefault(len(prefix), {})
            held[prefix] = held.get(prefix, 0) | 1 << bit
    for length, held in by_length.items():
        known = pc.index_in(pc.utf8_slice_codeunits(plain, 0, length), value_set=pa.array(list(held)))
        of = np.array([*held.values(), 0], dtype=np.uint64)
        found |= of[pc.fill_null(known, len(held)).to_numpy(zero_copy_only=False)]
    return found


def _ranked(bits: Bits, index: ComorbidityIndex) -> Bits:
    """Without the categories whose place another one takes."""
    place = {category.id: np.uint64(at) for at, category in enumerate(index.categories)}
    one = np.uint64(1)
    for higher, lower in index.outranks.items():
        is_in_force = bits >> place[higher] & one
        for name in lower:
            bits = bits & ~(is_in_force << place[name])
    return bits


def comorbidities(stays: NDArray[np.int64], codes: pa.Array | pa.ChunkedArray, stay_count: int, index: ComorbidityIndex, scheme: str = "") -> Comorbidities:
    """The comorbidities of `stay_count` stays from one row per diagnosis: the stay's place (0 …) and the ICD-10 code, with or without a dot.

    A category counts once however many codes of it a stay has; no code, or an unknown one, has none. Give the other diagnoses only where the main
    one is the reason of the stay and not a comorbidity. Raises ValueError for lengths that differ and KeyError for an unknown scheme.
    """
    used = scheme or index.schemes[0]
    weights = np.array([category.weights[used] for category in index.categories], dtype=np.int64)
    if len(stays) != len(codes):
        raise ValueError("there must be one code per diagnosis")
    flat = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    encoded = flat if pa.types.is_dictionary(flat.type) else pc.dictionary_encode(flat)
    of = np.append(_bits(pc.cast(encoded.dictionary, pa.string()), index), np.uint64(0))
    per_row = of[pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy(zero_copy_only=False)]
    per_stay = np.zeros(stay_count, dtype=np.uint64)
    is_any = per_row > 0
    if is_any.any():
        order = np.argsort(stays[is_any], kind="stable")
        places, ordered = stays[is_any][order], per_row[is_any][order]
        starts = np.flatnonzero(np.r_[True, places[1:] != places[:-1]])
        per_stay[places[starts]] = np.bitwise_or.reduceat(ordered, starts)
    per_stay = _ranked(per_stay, index)
    flags = (per_stay[:, None] >> np.arange(len(index.categories), dtype=np.uint64) & np.uint64(1)).astype(np.bool_)
    return Comorbidities(index, used, flags, flags @ weights)


def split_codes(texts: pa.Array | pa.ChunkedArray, separator: str = "|") -> tuple[NDArray[np.int64], pa.Array]:
    """One row per diagnosis from one text per stay (`I10|E119`): the stay's place and the code; blank ones are left out."""
    flat = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    listed = pc.split_pattern(pc.fill_null(flat, ""), separator)
    stays, codes = pc.list_parent_indices(listed).to_numpy(zero_copy_only=False).astype(np.int64), pc.utf8_trim_whitespace(pc.list_flatten(listed))
    is_told = pc.not_equal(codes, "")
    return stays[is_told.to_numpy(zero_copy_only=False)], codes.filter(is_told)
