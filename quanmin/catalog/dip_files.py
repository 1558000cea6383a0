"""The lists of a DIP scheme (catalog/groupers of kind dip): groups.csv, drawn from a region's cases, and procedure_kinds.csv."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from quanmin.catalog.reading import Complaints
from quanmin.model import Label
from quanmin.model.scheme import PROCEDURE_KINDS, Cluster

FILES = {  # file → columns, of which the first so many are its key
    "groups": (("group", "type", "diagnosis", "procedures", "kind", "cases", "points", "mean_charge_cny", "zh", "en"), 1),
    "procedure_kinds": (("prefix", "kind"), 1),
}
CORE, COMPOSITE = "core", "composite"
JOINT = "+"  # between the procedures of a set
LONGEST_ID = 60
Lines = Iterable[tuple[int, tuple[str, ...]]]  # line and values as in FILES


def read_clusters(shown: str, rows: Lines, complaints: Complaints) -> tuple[Cluster, ...]:
    """The groups of a DIP scheme; complains of a line that is none, and of two that take the same cases."""
    found, seen = [], set()
    for line, (name, sort, diagnosis, procedures, kind, cases, points, _, zh, en) in rows:
        said = _numbers(cases, points)
        if sort not in (CORE, COMPOSITE) or kind not in PROCEDURE_KINDS or said is None or len(name) > LONGEST_ID or not zh:
            complaints.add(shown, line, "group", name, "is not a group",
                           f"type {CORE} or {COMPOSITE}, kind {', '.join(PROCEDURE_KINDS)}, cases, points above 0, a name, an id up to {LONGEST_ID} characters")
            continue
        takes = (sort, diagnosis, procedures if sort == CORE else kind)
        if not diagnosis or takes in seen:
            complaints.add(shown, line, "diagnosis", diagnosis, "is blank, or another group takes the same cases", "keep one group for them")
        seen.add(takes)
        found.append(Cluster(name, sort == CORE, diagnosis, tuple(p for p in procedures.split(JOINT) if p), kind, *said, Label(zh, en or zh)))
    return tuple(found)


def read_kinds(shown: str, rows: Lines, complaints: Complaints) -> Mapping[str, str]:
    """Beginning of a procedure code → its kind."""
    found = {}
    for line, (prefix, kind) in rows:
        if kind not in PROCEDURE_KINDS:
            complaints.add(shown, line, "kind", kind, "is not one of " + ", ".join(PROCEDURE_KINDS), "choose one of them")
        found[prefix] = kind
    return found


def _numbers(cases: str, points: str) -> tuple[int, float] | None:
    try:
        count, value = int(cases), float(points)
    except ValueError:
        return None
    return (count, value) if count > 0 and math.isfinite(value) and value > 0 else None
