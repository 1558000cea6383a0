"""What each table of a warehouse is made by, besides records: when that changes, the table and what is derived from it is made again, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.model import Table
from quanmin.records.resident_index import KEPT_AS
from quanmin.records.residents.model_file import RESIDENTS_MODEL

LINKAGE = RESIDENTS_MODEL.parent  # the model and its lists decide who is who
FUNCTIONS = Path(__file__).with_name("derivation_functions.sql")


@dataclass(frozen=True)
class Computation:
    """What makes the columns of a derived table that no SQL can: `run` takes rows as the table's SQL gives them and adds the rest, row by row.

    `fingerprint` changes when its outcome may.
    """

    fingerprint: str
    run: Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Lookup:
    """Rows that derivations may read under a name, and the tables whose derivations do."""

    rows: pa.Table
    read_by: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """A word that changes with the rows."""
        return hashlib.sha256(repr(self.rows.to_pylist()).encode()).hexdigest()


def fingerprints(catalog: Catalog, region: str, computed: Mapping[str, Computation], lookups: Mapping[str, Lookup]) -> dict[str, str]:
    """Derived table → fingerprint; "" → that of what every table depends on: the base tables, who is who, the functions of derivations."""
    common = hashlib.sha256(f"{region} {KEPT_AS}".encode())
    for table in sorted(catalog.base_tables(), key=lambda t: t.id):
        common.update(_shape(table))
    common.update(FUNCTIONS.read_bytes())
    for path in sorted(LINKAGE.iterdir()):
        common.update(path.read_bytes())
    found = {"": common.hexdigest()}
    for table in (catalog.tables[name] for name in catalog.derivations):
        own = hashlib.sha256(_shape(table) + catalog.derivations.get(table.id, "").encode())
        if table.computed:
            own.update(computed[table.computed].fingerprint.encode())
        for name, lookup in sorted(lookups.items()):
            if table.id in lookup.read_by:
                own.update(f"{name} {lookup.fingerprint}".encode())
        found[table.id] = own.hexdigest()
    return found


def together(found: Mapping[str, str]) -> str:
    """One fingerprint of all."""
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


def _shape(table: Table) -> bytes:
    columns = [(c.name, c.type) for c in table.columns.values()]
    return repr((table.id, table.key, table.period, table.near, table.derived_from, columns)).encode()
