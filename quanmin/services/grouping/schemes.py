"""Schemes of a catalogue made ready, once per process and state of their lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.services.grouping.grouper import Ready, ready

DIAGNOSES, PROCEDURES = "icd10", "icd9cm3"  # the lists of all codes that exist
_ready: dict[str, Ready] = {}  # by fingerprint: making a scheme ready takes longer than grouping a month


def fingerprint_of(catalog: Catalog, name: str, is_clinical: bool = False) -> str:
    """A word that changes with anything a group depends on: the scheme's lists, the codes that exist, and the code that groups."""
    digest = hashlib.sha256(f"{name} {is_clinical} {catalog.groupers.fingerprint(name)}".encode())
    for path in (catalog.codes.csv_path(DIAGNOSES), catalog.codes.csv_path(PROCEDURES), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def scheme_of(catalog: Catalog, name: str, is_clinical: bool = False, place: str = "--scheme") -> Ready:
    """A scheme of the catalogue made ready, with all codes that exist; raises Refusal where there is none of that name (said at `place`) or it has no rules."""
    if name not in catalog.groupers:
        raise Refusal(Problem(place, None, "scheme", name, say("no_scheme"), say("mend_no_scheme", known=", ".join(catalog.groupers))))
    key = fingerprint_of(catalog, name, is_clinical)
    if key not in _ready:
        scheme = catalog.groupers[name]
        others = (scheme.diagnosis_edition.keys() | scheme.procedure_edition.keys()) - scheme.in_both
        diagnoses, procedures = (catalog.codes[listed].codes.keys() - others for listed in (DIAGNOSES, PROCEDURES))
        _ready[key] = ready(scheme, diagnoses, procedures, is_clinical)
    return _ready[key]
