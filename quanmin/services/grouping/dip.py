"""DIP: cases looked up among groups that were drawn from a region's own cases (payment by points per disease group).

Method (technical specification of the National Healthcare Security Administration, 2020; written from knowledge, the thresholds are ours):
- A case is known by the subcategory of its principal diagnosis (ICD-10, four characters, as J18.9) and the set of its procedures that count: operations
  and therapeutic procedures, by their four-digit category (ICD-9-CM-3, as 36.06), each once, in no order. Diagnostic procedures do not count.
- Core groups are such pairs with at least LEAST cases and at most MOST_PROCEDURES procedures. A case belongs to the core group of exactly its pair.
- Every other case belongs to the composite group of its category (ICD-10, three characters) and the kind of its procedures: operation, else therapeutic,
  else diagnostic, else none.
- Points of a group: 1000 × its mean charge over the mean charge of all, charges beyond the quartile fences of the logarithm in their group left out
  of both (the trimming of `weights.py`).
The mdc of a case is the chapter of ICD-10, its adrg the category, its drg the group; complications are not told apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog.dip_files import JOINT
from quanmin.catalog.messages import say
from quanmin.model.scheme import PROCEDURE_KINDS, Cluster, Scheme
from quanmin.services.grouping.cases import SEPARATOR, Cases, Codes, Places, Whole, cases_of
from quanmin.services.grouping.grouper import ADDED, REASONS, UNGROUPED

LEAST, MOST_PROCEDURES = 15, 8
SUBCATEGORY, CATEGORY, PROCEDURE = 5, 3, 5  # characters, the point counted
OPERATION = PROCEDURE_KINDS.index("operation")
COUNTED = (PROCEDURE_KINDS.index("therapeutic"), OPERATION)
NOT_COUNTED = -1


@dataclass(frozen=True)
class ReadyDip:
    """A DIP scheme made ready: of each diagnosis and procedure, by number, what it is known by; the last of each is that of codes nobody knows."""

    scheme: Scheme
    diagnoses: Codes
    procedures: Codes
    subcategories: pa.Array
    categories: pa.Array
    chapters: pa.Array
    counted: npt.NDArray[np.int64]  # place among `sets` of a procedure that counts, NOT_COUNTED of others
    kinds: Whole  # place in PROCEDURE_KINDS
    sets: pa.Array  # four-digit categories in order


def ready_dip(scheme: Scheme, diagnoses: Iterable[str], procedures: Iterable[str], chapters: Path, is_other_edition: bool = False) -> ReadyDip:
    """The scheme made ready; `diagnoses` and `procedures` are all codes that exist, `chapters` the list of chapters with their first and last category."""
    dx = Codes(diagnoses, scheme.diagnosis_edition, is_other_edition)
    ops = Codes(procedures, scheme.procedure_edition, is_other_edition)
    categories = [code[:CATEGORY] for code in dx.names]
    of_category = _chapters(set(categories), chapters)
    kinds = [kind_of(code, scheme) for code in ops.names]
    sets = sorted({code[:PROCEDURE] for code, kind in zip(ops.names, kinds, strict=True) if kind in COUNTED})
    place = {name: i for i, name in enumerate(sets)}
    counted = [place[code[:PROCEDURE]] if kind in COUNTED else NOT_COUNTED for code, kind in zip(ops.names, kinds, strict=True)]
    return ReadyDip(
        scheme, dx, ops, pa.array([*(code[:SUBCATEGORY] for code in dx.names), None], pa.string()), pa.array([*categories, None], pa.string()),
        pa.array([*(of_category[one] for one in categories), None], pa.string()), np.array([*counted, NOT_COUNTED], np.int64),
        np.array([*kinds, 0], np.int32), pa.array(sets, pa.string()))


def kind_of(code: str, scheme: Scheme) -> int:
    """The kind of a procedure, as its place in PROCEDURE_KINDS: that of the longest beginning that is named, else an operation."""
    named = next((scheme.procedure_kinds[code[:n]] for n in range(len(code), 0, -1) if code[:n] in scheme.procedure_kinds), "operation")
    return PROCEDURE_KINDS.index(named)


def _chapters(categories: Iterable[str], listed: Path) -> dict[str, str | None]:
    with listed.open(encoding="utf-8-sig", newline="") as stream:
        ranges = [(row["first"], row["last"], row["code"]) for row in csv.DictReader(stream)]
    return {one: next((code for first, last, code in ranges if first <= one <= last), None) for one in categories}


def keys_of(prepared: ReadyDip, cases: Cases) -> pa.Table:
    """What each case is known by, row by row: chapter, category, subcategory, procedures (a set; null where too many), kind.

    All but `procedures` and `kind` are null where the principal diagnosis is not known.
    """
    principal = pa.array(cases.principal)
    values, owner = cases.procedures.values, np.repeat(np.arange(len(cases)), np.diff(cases.procedures.starts))
    kinds = np.zeros(len(cases), np.int32)
    np.maximum.at(kinds, owner, prepared.kinds[values])
    named = pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(PROCEDURE_KINDS)).cast(pa.string())
    return pa.table({"chapter": prepared.chapters.take(principal), "category": prepared.categories.take(principal),
                     "subcategory": prepared.subcategories.take(principal), "procedures": _sets(prepared, values, owner, len(cases)), "kind": named})


def _sets(prepared: ReadyDip, values: Whole, owner: Places, count: int) -> pa.Array:
    """The procedures that count of each case, each once and in order, as one text."""
    places, size = prepared.counted[values], max(1, len(prepared.sets))
    pairs = np.sort((owner * size + places)[places != NOT_COUNTED])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # np.unique goes by a hash, ten times slower here
    ends = np.searchsorted(pairs, np.arange(count + 1) * size)
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), prepared.sets.take(pa.array(pairs % size)))
    return pc.if_else(pa.array(np.diff(ends) <= MOST_PROCEDURES), pc.binary_join(lists, JOINT), pa.scalar(None, pa.string()))


def group_dip(prepared: ReadyDip, table: pa.Table) -> pa.Table:
    """The group of every case of a table with the columns of `cases_of`, row by row, as `grouper.group` gives it.

    A case without a group has mdc 0000 and no adrg and drg; `reason` says why (no_group: nothing of its category and kind was among the cases drawn from).
    """
    cases = cases_of(table, prepared.diagnoses, prepared.procedures)
    keys = keys_of(prepared, cases)
    names = pa.array([one.id for one in prepared.scheme.clusters], pa.string())
    core = _found(keys, ("subcategory", "procedures"), prepared.scheme.clusters, True)
    composite = _found(keys, ("category", "kind"), prepared.scheme.clusters, False)
    drg = names.take(pc.coalesce(core, composite))
    is_grouped = pc.is_valid(drg)
    blank = pa.array([""] * len(cases), pa.string())
    found = {"mdc": pc.if_else(is_grouped, pc.fill_null(keys["chapter"], UNGROUPED), UNGROUPED), "adrg": pc.if_else(is_grouped, keys["category"], ""),
             "drg": pc.fill_null(drg, ""), "cc_level": blank, "reason": _reasons(prepared, cases, is_grouped)}
    return pa.table({name: found[name] for name in ADDED})


def _found(keys: pa.Table, of: tuple[str, str], clusters: Sequence[Cluster], is_core: bool) -> pa.ChunkedArray:
    """The place among the clusters of those core (or composite) ones that cases belong to; null where there is none."""
    chosen = [(i, JOINT.join(sorted(one.procedures)) if is_core else one.kind, one.diagnosis) for i, one in enumerate(clusters) if one.is_core == is_core]
    known = pa.array([diagnosis + SEPARATOR + rest for _, rest, diagnosis in chosen], pa.string())
    return pa.array([i for i, *_ in chosen], pa.int32()).take(pc.index_in(pc.binary_join_element_wise(keys[of[0]], keys[of[1]], SEPARATOR), known))


def _reasons(prepared: ReadyDip, cases: Cases, is_grouped: pa.ChunkedArray) -> pa.Array:
    everyone, grouped = np.arange(len(cases)), is_grouped.to_numpy()
    unknown = cases.diagnoses.any(prepared.diagnoses.unknown(), everyone) | cases.procedures.any(prepared.procedures.unknown(), everyone)
    found = np.where(grouped, np.where(unknown, REASONS.index("other_codes_unknown"), 0), REASONS.index("no_group")).astype(np.int32)
    found[~grouped & (cases.principal == prepared.diagnoses.count)] = REASONS.index("unknown_principal")
    found[~grouped & (np.diff(cases.diagnoses.starts) == 0)] = REASONS.index("no_principal")
    return pa.DictionaryArray.from_arrays(pa.array(found), pa.array(REASONS)).cast(pa.string())


def explain_dip(scheme: Scheme, diagnoses: Sequence[str], procedures: Sequence[str], group: str) -> str:
    """Why a case is in its group, with its codes, in the spoken language; codes are those of the scheme's edition."""
    one = next(cluster for cluster in scheme.clusters if cluster.id == group)
    codes = [code for code in procedures if kind_of(code, scheme) in COUNTED]
    told: dict[str, Any] = {"group": one.id, "diagnosis": one.diagnosis, "code": diagnoses[0], "cases": one.cases, "points": f"{one.points:g}"}
    if one.is_core:
        return say("grouped_core", procedures=JOINT.join(one.procedures) or "–", codes=SEPARATOR.join(codes) or "–", **told)
    return say("grouped_composite", kind=say(f"procedure_kind_{one.kind}"), codes=SEPARATOR.join(procedures) or "–", **told)
