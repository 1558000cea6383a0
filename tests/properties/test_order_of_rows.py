"""A figure does not depend on the order in which rows are read, not in its last digit: also of sums with a floating point, also in parallel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.model import Half, Indicator, Label, Provenance
from quanmin.records.accepted import ARROW_TYPES

TABLE, ROWS = "outpatient_visit", 400_000
WHOLE, _ = read_all()
CATALOG = replace(WHOLE, tables={TABLE: WHOLE.tables[TABLE]})
CHANCE = np.random.default_rng(5)
SEX = CHANCE.choice(["1", "2"], ROWS)
WAIT = np.exp(CHANCE.normal(2, 3, ROWS))
CHARGE = pa.array(CHANCE.integers(1, 10**9, ROWS)).cast(pa.decimal128(20, 0)).cast(pa.decimal128(22, 2))


def frame(order: np.ndarray) -> pa.Table:
    """The rows in some order."""
    made = {"sex_code": pa.array(SEX), "wait_minutes": pa.array(WAIT), "total_charge_cny": CHARGE.cast(pa.decimal128(14, 2)),
            "age_years": pa.array(WAIT.astype("int64") % 90)}
    columns = [(c.name, ARROW_TYPES[c.type]) for c in CATALOG.tables[TABLE].columns.values()]
    return pa.table({name: made[name].take(pa.array(order)) if name in made else pa.nulls(ROWS, kind) for name, kind in columns})


@pytest.mark.parametrize("amount", ["wait_minutes", "total_charge_cny", "age_years", "wait_minutes / 7", "age_years / 7", "total_charge_cny * 2 - age_years"])
def test_means_totals_and_shares(amount: str) -> None:
    half = Half(TABLE, sum=amount, time="visited_on", place="home_county")
    asked = [
        Indicator("m", "M", Label("m", "m"), "mean", "", "none", "t", Provenance("d", status="own"), half, Half(TABLE, time="visited_on", place="home_county")),
        Indicator("t", "T", Label("t", "t"), "total", "", "none", "t", Provenance("d", status="own"), half, None),
        Indicator("s", "S", Label("s", "s"), "share", "%", "none", "t", Provenance("d", status="own"), replace(half, where="sex_code = '1'"), half),
    ]
    said = []
    for order in (np.arange(ROWS), np.arange(ROWS)[::-1], CHANCE.permutation(ROWS)):
        engine = DuckDBEngine(CATALOG, frames={TABLE: frame(order)}, threads=2)
        said.append([engine.ask(question, by).cells for question in asked for by in ((), ("sex_code",))])
    assert said[0] == said[1] == said[2]
    mean = said[0][0][0].value
    values = {"wait_minutes": WAIT, "age_years": WAIT.astype("int64") % 90}.get(amount)
    assert mean is not None and (values is None or abs(mean - values.mean()) < 1e-9 * abs(mean))
