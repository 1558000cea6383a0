"""What this site is made of: definitions, code lists, snapshots, and what it has never received."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from quanmin.catalog import Catalog
from quanmin.gate.actor import Actor
from quanmin.model import CodeList, Indicator, Table
from quanmin.records.ledger import Ledger, Snapshot


@dataclass(frozen=True)
class Published:
    """A snapshot, the rows of its tables, and how many files it was built from."""

    snapshot: Snapshot
    rows: dict[str, int]


@dataclass(frozen=True)
class About:
    """A site's parts."""

    software: str
    catalog_version: str
    definitions: dict[str, int]
    by_status: dict[tuple[str, str], int]
    executable: int
    waiting: list[Indicator]
    code_lists: list[CodeList]
    published: list[Published]
    never_received: list[Table]
    absent_lists: list[tuple[str, str]]


def catalog_version(catalog: Catalog) -> str:
    """A short hash of the versions of all questions and mappings."""
    parts = [f"{kind}/{one.id}={one.version}" for kind in ("indicators", "checks", "rules", "mappings") for one in getattr(catalog, kind).values()]
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:12]


def software_version() -> str:
    """The installed version of the platform, or "" where it runs from a checkout that is not installed."""
    try:
        return version("quanmin")
    except PackageNotFoundError:
        return ""


def about_site(actor: Actor, catalog: Catalog, ledger: Ledger) -> About:
    """What a site is made of, for whoever may see figures."""
    actor.require("figures", "about", "")
    indicators = list(catalog.indicators.values())
    by_status = Counter(("indicator", i.source.status) for i in indicators) + Counter(("check", c.source.status) for c in catalog.checks.values())
    lists = [catalog.codes[name] for name in catalog.codes]
    by_status += Counter(("code_list", one.status) for one in lists)
    counts = {"tables": len(catalog.tables), "indicators": len(indicators), "checks": len(catalog.checks), "mappings": len(catalog.mappings),
              "codes": len(lists)}
    received = {piece.table_name for piece in ledger.pieces()}
    used = {(c.codes, table.id) for table in catalog.tables.values() for c in table.columns.values() if c.codes}
    published = [Published(s, {table: rows for table, (_, rows) in ledger.versions(s.id).items()}) for s in reversed(ledger.snapshots())]
    return About(software_version(), catalog_version(catalog), counts, dict(by_status), sum(i.is_executable for i in indicators),
                 sorted((i for i in indicators if not i.is_executable), key=lambda i: (i.code, i.part)), lists, published,
                 [t for t in catalog.base_tables() if t.id not in received], sorted((name, table) for name, table in used if name not in catalog.codes))
