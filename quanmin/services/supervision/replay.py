"""A rule replayed: the findings of a rule as it is and as it might be, over all months that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog import Catalog
from quanmin.catalog.expressions import BadExpression, check
from quanmin.catalog.messages import say
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.sql import refuse
from quanmin.model import Check
from quanmin.model.finding import Compared, Replay

SAMPLE = 20
SIDES = ("both", "only_before", "only_after")


def changed(catalog: Catalog, name: str, applies: str | None = None, violated: str | None = None) -> Check:
    """A rule with other conditions (None = as it is), held against its table; raises Refusal for what is no rule, no condition or states no violation."""
    rule = catalog.question(name)
    if not isinstance(rule, Check) or rule.finding is None:
        raise refuse("rule", name, say("no_rule"), say("mend_no_rule"))
    types = {column.name: column.type for column in catalog.tables[rule.table].columns.values()}
    asked = {"applies": rule.applies if applies is None else applies, "violated": rule.violated if violated is None else violated}
    for field, text in asked.items():
        try:
            check(text, types, catalog.codes)
        except BadExpression as error:
            raise refuse(field, text, say("bad_condition", reason=error, table=rule.table), say("mend_condition")) from error
    if not asked["violated"].strip():
        raise refuse("violated", "", say("no_violation"), say("mend_condition"))
    return replace(rule, applies=asked["applies"], violated=asked["violated"], version="")


def replay(engine: DuckDBEngine, catalog: Catalog, before: Check, after: Check, where: Sequence[str] = (), sample: int = SAMPLE) -> Replay:
    """The findings of two rules over one table side by side; `where` narrows the rows (months, facilities).

    Raises Refusal for a condition that fails on the rows.
    """
    table = catalog.tables[before.table]
    columns = [table.key[0], "facility_code", table.time]
    found = [engine.rows(rule, "numerator", where, columns).select(columns).rename_columns(["key", "facility_code", "found_on"]) for rule in (before, after)]
    known = [pc.is_in(one["key"], value_set=other["key"].combine_chunks()) for one, other in (found, found[::-1])]
    sides = {"both": found[0].filter(known[0]), "only_before": found[0].filter(pc.invert(known[0])), "only_after": found[1].filter(pc.invert(known[1]))}
    marked = pa.concat_tables([rows.append_column("side", pa.repeat(pa.scalar(name), len(rows))) for name, rows in sides.items()])
    marked = marked.append_column("month", pc.strftime(marked["found_on"].cast(pa.date32()).cast(pa.timestamp("s")), "%Y-%m"))
    counted = marked.group_by(["facility_code", "month", "side"]).aggregate([([], "count_all")]).to_pylist()
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for row in counted:
        cells.setdefault((row["facility_code"] or "", row["month"] or ""), {})[row["side"]] = row["count_all"]
    by = tuple(Compared(facility, month, *(cell.get(side, 0) for side in SIDES)) for (facility, month), cell in sorted(cells.items()))
    shown = {name: tuple(rows.sort_by([("found_on", "descending"), ("key", "ascending")])["key"][:sample].to_pylist()) for name, rows in sides.items()}
    return Replay(before, after, len(sides["both"]), len(sides["only_before"]), len(sides["only_after"]), by, shown)
