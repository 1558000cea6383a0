"""(b, c) Ten indicators by county and month over 10 million stays, beside hand-written SQL for the same ten."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from bench.measure import measure
from quanmin.catalog import load
from quanmin.engines.duckdb import SQL_TYPES, DuckDBEngine

ROWS, MONTHS, RUNS = 10_000_000, 60, 3
BY = "date_trunc('month', discharged_on) AS month, {place} AS place"
WRITTEN = {  # what an analyst would write for the same figure
    "in_county_inpatient_share": ("home_county", "count(*) FILTER (facility_county = home_county), count(*)", "home_county IS NOT NULL"),
    "in_city_inpatient_share": ("home_county", "count(*) FILTER (is_in_region), count(*)", "home_county IS NOT NULL"),
    "inpatient_mortality_share": ("facility_county", "count(*) FILTER (died), count(*)", "TRUE"),
    "average_stay_days": ("facility_county", "avg(stay_days)", "TRUE"),
    "operation_patient_share": ("facility_county", "count(*) FILTER (has_operation), count(*)", "facility_level = 'tertiary' AND is_public"),
}


def make_rows(folder: Path) -> list[str]:
    """Parquet files of `hospitalisation`, one a month."""
    columns = load().tables["hospitalisation"].columns
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    made = {
        "hospitalisation_id": "'S' || i", "origin": "'front_page'", "home_county": "CASE WHEN h < 98 THEN '9901' || lpad(CAST(h % 8 + 1 AS VARCHAR), 2, '0') END",
        "facility_county": "'9901' || lpad(CAST((CASE WHEN h < 80 THEN h ELSE f END) % 8 + 1 AS VARCHAR), 2, '0')", "is_in_region": "f < 90", "died": "f < 1",
        "stay_days": "CAST(1 + h % 13 AS BIGINT)", "has_operation": "f % 4 = 0", "facility_level": "CASE WHEN f < 30 THEN 'tertiary' WHEN f < 70 THEN 'secondary' ELSE 'primary' END",
        "is_public": "h % 5 > 0", "total_charge_cny": "CAST(1000 + h * f AS DECIMAL(14, 2))", "drug_charge_cny": "CAST(h * 9 AS DECIMAL(14, 2))",
        "age_years": "CAST(h AS BIGINT)", "sex_code": "CASE WHEN i % 2 = 0 THEN '1' ELSE '2' END", "is_insured": "h % 20 > 0", "highest_operation_level": "f % 5",
        "has_minimal_invasive_operation": "f % 12 = 0", "is_newborn": "FALSE", "facility_code": "'F' || (i % 60)", "is_primary_care": "f >= 70",
        "icd_chapter": "lpad(CAST(h % 22 + 1 AS VARCHAR), 2, '0')", "days_to_next_admission": "CASE WHEN h % 17 = 0 THEN 7 END", "readmission_planned": "FALSE",
        "fund_paid_cny": "CAST(h * 7 AS DECIMAL(14, 2))", "has_referral": "h % 9 = 0", "disposition_code": "'1'", "is_community_lead": "h % 3 = 0",
        "principal_diagnosis_code": "'J18.9' || (h % 9)", "relative_weight": "NULL", "department_code": "'03.01'",
    }
    files = []
    for month in range(MONTHS):
        day = f"DATE '2021-11-01' + INTERVAL {month} MONTH + INTERVAL (i % 28) DAY"
        made |= {"discharged_on": f"CAST({day} AS DATE)", "admitted_on": f"CAST({day} - INTERVAL 5 DAY AS DATE)"}
        values = ", ".join(f'CAST({made.get(c.name, "NULL")} AS {SQL_TYPES[c.type]}) AS "{c.name}"' for c in columns.values())
        file = folder / f"stays-{month:02d}.parquet"
        source = f"(SELECT i, CAST(hash(i) % 100 AS INTEGER) AS h, CAST(hash(i + 7) % 100 AS INTEGER) AS f FROM range({month * ROWS // MONTHS}, {(month + 1) * ROWS // MONTHS}) t(i))"
        connection.execute(f"COPY (SELECT {values} FROM {source}) TO '{file}' (FORMAT parquet)")
        files.append(str(file))
    return files


def questions() -> list[str]:
    """Ten executable indicators over hospitalisation alone, those with a hand-written twin first."""
    catalog = load()
    others = [
        i.id for i in catalog.indicators.values()
        if i.is_executable and i.kind in ("share", "mean") and i.numerator and i.numerator.table == "hospitalisation" and i.id not in WRITTEN
    ]
    return [*(q for q in WRITTEN if q in catalog.indicators), *sorted(others)][:10]


def written_sql(name: str) -> str:
    """Hand-written SQL: by hand above, or the plain form an analyst would give the definition's conditions."""
    catalog = load()
    one = catalog.indicators[name]
    assert one.numerator and one.denominator
    if name in WRITTEN:
        place, figures, where = WRITTEN[name]
    else:
        place, where = one.numerator.place, one.denominator.where or "TRUE"
        figures = f"avg({one.numerator.sum})" if one.kind == "mean" else f"count(*) FILTER ({one.numerator.where}), count(*)"
        if one.kind == "share" and one.numerator.sum:
            figures = f"sum({one.numerator.sum}) FILTER ({one.numerator.where}), sum({one.numerator.sum})"
    return f"SELECT {BY.format(place=place)}, {figures} FROM hospitalisation WHERE {where} GROUP BY ALL"


def _ours(files: list[str], names: list[str]) -> dict[str, float]:
    catalog = load()
    engine = DuckDBEngine(catalog, {"hospitalisation": files}, memory_limit="3GB")
    spent = {}
    for name in names:
        started = time.perf_counter()
        assert engine.ask(catalog.indicators[name], ["month", "place"]).cells
        spent[name] = time.perf_counter() - started
    return spent


def _theirs(files: list[str], queries: dict[str, str]) -> dict[str, float]:
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "3GB"})
    listed = ", ".join(f"'{f}'" for f in files)
    connection.execute(f"CREATE VIEW hospitalisation AS FROM read_parquet([{listed}])")
    spent = {}
    for name, query in queries.items():
        started = time.perf_counter()
        assert connection.execute(query).fetchall()
        spent[name] = time.perf_counter() - started
    return spent


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    files, names = make_rows(folder), questions()
    ours = measure(_ours, files, names, runs=RUNS)
    theirs = measure(_theirs, files, {name: written_sql(name) for name in names}, runs=RUNS)
    us, them = sum(ours.result.values()), sum(theirs.result.values())
    return {
        "bench": f"(b) {len(names)} indicators by county and month / hand-written SQL", "rows": ROWS, "seconds": round(us, 2), "peer seconds": round(them, 2),
        "ratio": round(us / them, 2), "limit": 1.5, "peak MB": round(ours.peak_mb), "peer peak MB": round(theirs.peak_mb),
    }
