"""A snapshot written before a column was declared still answers; what it could not hold is unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.model import Half

CATALOG, _ = read_all()


def test_what_is_not_in_the_files_is_unknown(tmp_path: Path) -> None:
    stay = CATALOG.tables["target"]
    path = tmp_path / "target.parquet"
    pq.write_table(pa.table({"indicator": ["a", "b"], "period": ["2026", "2026"]}), path)
    engine = DuckDBEngine(CATALOG, {"target": [str(path)]})
    assert engine.table("SELECT * FROM target ORDER BY indicator").column_names == list(stay.columns)
    assert engine.table("SELECT indicator, place_code FROM target ORDER BY 1").to_pylist() == [{"indicator": n, "place_code": None} for n in "ab"]
    share = next(i for i in CATALOG.indicators.values() if i.kind == "share")
    half = Half("target")
    asked = replace(share, denominator=half, numerator=replace(half, where="place_code = 'x'"), by=(), requires=())
    cell = engine.ask(asked).cells[0]
    assert (cell.denominator, cell.unknown, cell.numerator) == (0, 2, 0)
    limited = DuckDBEngine(CATALOG, {"target": [str(path)]}, limits={"target": "\"place_code\" = 'x'"})
    assert limited.table("SELECT count(*) AS n FROM target").to_pylist() == [{"n": 0}]
