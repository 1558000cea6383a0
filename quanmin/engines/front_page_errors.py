"""All checks of front pages → one query: which of them each page violates, each table read once whatever the number of its checks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from sqlglot import exp

from quanmin.catalog import Catalog
from quanmin.engines.findings import violates
from quanmin.engines.sql import named
from quanmin.model import Check

NUMBER = "check_number"


def front_page_errors(catalog: Catalog, checks: Mapping[int, Check]) -> exp.Expression | None:
    """submission, line, check_number: one row per check and row known to violate it, the numbers as given. None without checks."""
    parts = []
    for table, of_table in groupby(sorted(checks.items(), key=lambda pair: (pair[1].table, pair[0])), key=lambda pair: pair[1].table):
        tried = exp.Array(expressions=[violates(check, number, catalog) for number, check in of_table])
        met = exp.Explode(this=exp.Anonymous(this="list_distinct", expressions=[tried]))  # of a list without nulls: violations only are laid out
        parts.append(exp.select("submission", "line").select(named(met, NUMBER)).from_(exp.to_table(table)))
    whole: exp.Expression | None = None
    for part in parts:
        whole = part if whole is None else exp.Union(this=whole, expression=part, distinct=False)
    return whole
