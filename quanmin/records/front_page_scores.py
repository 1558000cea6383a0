"""The table `front_page_error` as a derivation like any other: its SQL is written from all checks of front pages, so it is made again when one changes."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.front_page_points import TABLES, points_of
from quanmin.engines.front_page_errors import front_page_errors
from quanmin.model import Check
from quanmin.records.fingerprints import Lookup

ERROR, SCORE = "front_page_error", "front_page"
CHECKS, PARTS = "front_page_check", "front_page_most"
NOTHING = "SELECT submission, line, NULL::BIGINT AS check_number FROM stay WHERE FALSE"
SCHEMA = pa.schema([("check_number", pa.int64()), ("check_id", pa.string()), ("severity", pa.string()), ("part_code", pa.string()), ("points", pa.float64()),
                    ("decides_group", pa.bool_())])


def checks_of_front_pages(catalog: Catalog) -> dict[int, Check]:
    """The checks that cost a front page points, numbered in the order of their names."""
    known = sorted((c for c in catalog.checks.values() if c.table in TABLES and points_of(catalog.front_page_points, c)), key=lambda check: check.id)
    return dict(enumerate(known))


def with_front_pages(catalog: Catalog) -> Catalog:
    """The catalogue with the derivation of `front_page_error`; as it is where it knows no such table."""
    if ERROR not in catalog.derivations or not set(TABLES) <= catalog.tables.keys():
        return catalog
    query = front_page_errors(catalog, checks_of_front_pages(catalog))
    violated = NOTHING if query is None else query.sql("duckdb")
    return replace(catalog, derivations={**catalog.derivations, ERROR: f"WITH violated AS ({violated})\n{catalog.derivations[ERROR]}"})


def points_of_front_pages(catalog: Catalog) -> dict[str, Lookup]:
    """What each check costs and what each part is worth, as the derivations read them."""
    rows = []
    for number, check in checks_of_front_pages(catalog).items():
        found = points_of(catalog.front_page_points, check)
        if found is not None:
            points = found.error if check.severity == "error" else found.warning
            rows.append({"check_number": number, "check_id": check.id, "severity": check.severity, "part_code": found.part, "points": points,
                         "decides_group": found.decides_group})
    most = catalog.front_page_points.most
    worth = pa.table({"part_code": pa.array(list(most), pa.string()), "most_points": pa.array(list(most.values()), pa.float64())})
    return {CHECKS: Lookup(pa.Table.from_pylist(rows, SCHEMA), (ERROR,)), PARTS: Lookup(worth, (SCORE,))}
