"""The groups of a site's stays, as a derived table asks for them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog import Catalog
from quanmin.records.fingerprints import Computation
from quanmin.services.grouping.grouper import ADDED, UNGROUPED
from quanmin.services.grouping.schemes import fingerprint_of, grouped, scheme_of


def stay_groups(catalog: Catalog, scheme: str, is_clinical: bool) -> Computation:
    """What puts stays into the groups of a site's scheme, blank where a stay has none; the scheme's lists are read when the first stay comes."""

    def run(stays: pa.Table) -> pa.Table:
        found = grouped(scheme_of(catalog, scheme, is_clinical, "site.toml [grouping]"), stays)
        for name in ADDED:
            is_blank = pc.is_in(found[name], pa.array(["", UNGROUPED]))
            stays = stays.append_column(name, pc.if_else(is_blank, pa.scalar(None, pa.string()), found[name]))
        return stays

    return Computation(fingerprint_of(catalog, scheme, is_clinical), run)
