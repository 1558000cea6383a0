"""The table `finding` as a derivation like any other: its SQL is written from all rules of the catalogue, so it is made again when a rule changes."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.engines.duckdb import empty_select
from quanmin.engines.findings import FINDING, findings
from quanmin.engines.sql import SMALL_LIST
from quanmin.records.fingerprints import Lookup
from quanmin.records.front_page_scores import ERROR, checks_of_front_pages


def with_findings(catalog: Catalog) -> Catalog:
    """The catalogue with the derivation of `finding`; as it is where it knows no such table."""
    table = catalog.tables.get(FINDING)
    if table is None:
        return catalog
    query = findings(catalog, catalog.rules.values())
    return replace(catalog, derivations={**catalog.derivations, FINDING: empty_select(table) if query is None else query.sql("duckdb")})


def lists_of_rules(catalog: Catalog) -> dict[str, Lookup]:
    """The long code lists that rules and checks of front pages look codes up in, as the derivations of `finding` and `front_page_error` read them."""
    texts = {FINDING: [text for rule in catalog.rules.values() for text in (rule.applies, rule.violated, rule.finding.amount if rule.finding else "")],
             ERROR: [text for check in checks_of_front_pages(catalog).values() for text in (check.applies, check.violated)]}
    readers = {name: tuple(table for table, said in texts.items() if any(f"'{name}'" in text for text in said)) for name in catalog.codes}
    return {f"code_list_{name}": Lookup(pa.table({"code": list(catalog.codes[name].codes)}), read_by)
            for name, read_by in readers.items() if read_by and len(catalog.codes[name].codes) > SMALL_LIST}
