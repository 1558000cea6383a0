"""Schemes of a catalogue made ready, once per process and state of their lists."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.scheme import Scheme
from quanmin.services.grouping.dip import ReadyDip, group_dip, ready_dip
from quanmin.services.grouping.grouper import Ready, group, ready

DIAGNOSES, PROCEDURES, CHAPTERS = "icd10", "icd9cm3", "icd_chapter"  # the lists of all codes that exist
Prepared: TypeAlias = Ready | ReadyDip
_ready: dict[str, Prepared] = {}  # by fingerprint: making a scheme ready takes longer than grouping a month


def fingerprint_of(catalog: Catalog, name: str, is_clinical: bool = False) -> str:
    """A word that changes with anything a group depends on: the scheme's lists, the codes that exist, and the code that groups."""
    digest = hashlib.sha256(f"{name} {is_clinical} {catalog.groupers.fingerprint(name)}".encode())
    for path in (*(catalog.codes.csv_path(name) for name in (DIAGNOSES, PROCEDURES, CHAPTERS)), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def scheme_of(catalog: Catalog, name: str, is_clinical: bool = False, place: str = "--scheme") -> Prepared:
    """A scheme of the catalogue made ready, with all codes that exist; raises Refusal where there is none of that name (said at `place`) or it has no rules."""
    if name not in catalog.groupers:
        raise Refusal(Problem(place, None, "scheme", name, say("no_scheme"), say("mend_no_scheme", known=", ".join(catalog.groupers))))
    key = fingerprint_of(catalog, name, is_clinical)
    if key not in _ready:
        scheme = catalog.groupers[name]
        if scheme.is_dip and not scheme.has_rules:
            raise Refusal(Problem(place, None, "scheme", name, say("scheme_without_clusters"), say("mend_scheme_without_clusters")))
        _ready[key] = dip_of(catalog, name, is_clinical) if scheme.is_dip else ready(scheme, *codes_of(catalog, scheme), is_clinical)
    return _ready[key]


def codes_of(catalog: Catalog, scheme: Scheme) -> tuple[Iterable[str], Iterable[str]]:
    """All diagnoses and procedures that exist in the edition of a scheme."""
    others = (scheme.diagnosis_edition.keys() | scheme.procedure_edition.keys()) - scheme.in_both
    diagnoses, procedures = (catalog.codes[listed].codes.keys() - others for listed in (DIAGNOSES, PROCEDURES))
    return diagnoses, procedures


def dip_of(catalog: Catalog, name: str, is_clinical: bool = False) -> ReadyDip:
    """A scheme of kind dip made ready, with groups or without: the method is enough to tell what a case is known by."""
    scheme = catalog.groupers[name]
    return ready_dip(scheme, *codes_of(catalog, scheme), catalog.codes.csv_path(CHAPTERS), is_clinical)


def grouped(prepared: Prepared, table: pa.Table) -> pa.Table:
    """The group of every case by a scheme of whichever kind: the columns ADDED, row by row (see `grouper.group`, `dip.group_dip`)."""
    return group_dip(prepared, table) if isinstance(prepared, ReadyDip) else group(prepared, table)
