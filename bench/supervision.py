"""(s) All rules of supervision over 1,000,000 stays in one scan per table, beside one query for each rule."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb

from bench.measure import measure
from quanmin.catalog import Catalog, load
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.findings import findings
from quanmin.model import Check, Column

STAYS = 1_000_000
TABLES = ("stay_conduct", "stay_review")
LIMIT_SECONDS = 120.0
WORDS = {"diagnoses": ("J18.900 I10.x00x002", "K80.101", "O80.000 Z37.000", "N40.x00"), "procedures": ("", "47.0100", "81.5400 88.7201", "68.2901"),
         "anaesthesia": ("", "01", "02", "03"), "cc_level": ("CC", "MCC"), "principal_diagnosis_code": ("J18.900", "C34.900", "K80.101", "A41.900", "Z51.102"),
         "facility_level": ("primary", "secondary", "tertiary")}


def _drawn(column: Column) -> str:
    """A value of the column's type that differs from row to row and is the same in every run."""
    chance = f"hash(i, '{column.name}') % 1000000 / 1000000.0"
    if column.name in WORDS:
        listed = ", ".join(f"'{word}'" for word in WORDS[column.name])
        return f"([{listed}])[1 + CAST(floor(({chance}) * {len(WORDS[column.name])}) AS INTEGER)]"
    kinds = {
        "money": f"CAST(9000 * pow({chance}, 3) AS DECIMAL(18, 2))", "number": f"3 * ({chance})", "integer": f"CAST(floor(40 * pow({chance}, 2)) AS BIGINT)",
        "boolean": f"({chance}) < 0.5", "date": f"DATE '2022-01-01' + CAST(floor(1500 * ({chance})) AS INTEGER)",
        "timestamp": f"TIMESTAMP '2022-01-01' + INTERVAL 1 DAY * CAST(floor(1500 * ({chance})) AS INTEGER)",
    }
    return kinds.get(column.type, f"CAST(1 + CAST(floor(5 * ({chance})) AS INTEGER) AS VARCHAR)")


def _tables(catalog: Catalog, folder: Path) -> dict[str, list[str]]:
    """Files of stays, the key being the number of the row."""
    files = {}
    for name in TABLES:
        table = catalog.tables[name]
        columns = ", ".join(f"{_drawn(c) if c.name not in (*table.key, 'subject_key') else 'CAST(i AS VARCHAR)'} AS {c.name}" for c in table.columns.values())
        files[name] = [str(folder / f"{name}.parquet")]
        duckdb.sql(f"COPY (SELECT {columns} FROM range({STAYS}) t(i)) TO '{files[name][0]}' (FORMAT parquet)")
    return files


def _rules(catalog: Catalog) -> list[Check]:
    return [rule for rule in catalog.rules.values() if rule.table in TABLES]


def _ours(files: dict[str, list[str]]) -> tuple[float, int]:
    catalog = load()
    engine, started = DuckDBEngine(catalog, files, threads=2), time.perf_counter()
    query = findings(catalog, _rules(catalog))
    assert query is not None
    found = len(engine.connection.execute(query.sql("duckdb")).to_arrow_table())
    return time.perf_counter() - started, found


def _peer(files: dict[str, list[str]]) -> tuple[float, int]:
    catalog = load()
    engine, started = DuckDBEngine(catalog, files, threads=2), time.perf_counter()
    found = sum(len(engine.rows(rule, "numerator")) for rule in _rules(catalog))
    return time.perf_counter() - started, found


def run(folder: Path) -> dict[str, Any]:
    """Both in processes of their own; they must find the same number of findings."""
    files, count = _tables(load(), folder), len(_rules(load()))
    ours, peer = measure(_ours, files), measure(_peer, files)
    assert ours.result[1] == peer.result[1], (ours.result, peer.result)
    return {
        "bench": "(s) all rules over stays in one scan per table / one query per rule", "rows": STAYS, "rules": count, "findings": ours.result[1],
        "seconds": round(ours.result[0], 2), "peer seconds": round(peer.result[0], 2), "ratio": round(ours.result[0] / peer.result[0], 2),
        "limit seconds": LIMIT_SECONDS, "peak MB": round(ours.peak_mb), "peer peak MB": round(peer.peak_mb),
    }
