"""The groups of a site's stays, as a derived table asks for them."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog import Catalog
from quanmin.records.fingerprints import Computation
from quanmin.services.grouping.files import scheme_of
from quanmin.services.grouping.grouper import UNGROUPED, Ready, group

ADDED = ("mdc", "adrg", "drg", "cc_level", "reason")


_prepared: dict[str, Ready] = {}  # by fingerprint: making a scheme ready takes longer than grouping a month


class StayGroups:
    """Puts a site's stays into the groups of its scheme; the scheme's lists are read when the first stay comes."""

    def __init__(self, catalog: Catalog, scheme: str, is_clinical: bool) -> None:
        self.catalog, self.scheme, self.is_clinical = catalog, scheme, is_clinical
        lists = [catalog.codes.csv_path(name) for name in ("icd10", "icd9cm3")]
        digest = hashlib.sha256(f"{scheme} {is_clinical} {catalog.groupers.fingerprint(scheme)}".encode())
        for path in lists:
            digest.update(path.read_bytes())
        self.fingerprint = digest.hexdigest()

    def __call__(self, stays: pa.Table) -> pa.Table:
        """Stays with ADDED; blank where a stay has no group."""
        if self.fingerprint not in _prepared:
            _prepared[self.fingerprint] = scheme_of(self.catalog, self.scheme, self.is_clinical)
        found = group(_prepared[self.fingerprint], stays)
        for name in ADDED:
            is_blank = pc.is_in(found[name], pa.array(["", UNGROUPED]))
            stays = stays.append_column(name, pc.if_else(is_blank, pa.scalar(None, pa.string()), found[name]))
        return stays

    def computation(self) -> Computation:
        """This as what a build needs."""
        return Computation(self.fingerprint, self)
