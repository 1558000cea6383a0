"""(b, c) Ten indicators by county and month over 10 million stays, beside hand-written SQL for the same ten."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from bench.measure import measure
from quanmin.catalog import load
from quanmin.engines.duckdb import SQL_TYPES, DuckDBEngine

ROWS, MONTHS, RUNS = 10_000_000, 60, 3
WRITTEN = {  # what an analyst would write for the same figure
    "in_county_inpatient_share": "home_county, count(*) FILTER (facility_county = home_county), count(*) FROM hospitalisation WHERE home_county IS NOT NULL",
    "in_city_inpatient_share": "home_county, count(*) FILTER (is_in_region), count(*) FROM hospitalisation WHERE home_county IS NOT NULL",
    "insured_in_county_inpatient_share":
        "home_county, count(*) FILTER (facility_county = home_county), count(*) FROM hospitalisation WHERE is_insured AND home_county IS NOT NULL",
    "referred_out_of_county_share":
        "home_county, count(*) FILTER (has_referral), count(*) FROM hospitalisation WHERE home_county IS NOT NULL AND facility_county <> home_county",
    "inpatient_mortality_share": "facility_county, count(*) FILTER (died), count(*) FROM hospitalisation WHERE origin = 'front_page'",
    "average_stay_days": "facility_county, avg(stay_days) FROM hospitalisation WHERE origin = 'front_page'",
    "in_county_inpatient_charge": "facility_county, avg(total_charge_cny) FROM hospitalisation WHERE origin = 'front_page'",
    "tertiary_operated_share":
        "facility_county, count(*) FILTER (has_operation), count(*) FROM hospitalisation"
        " WHERE origin = 'front_page' AND facility_level = 'tertiary' AND is_public",
    "level_four_operation_share":
        "facility_county, count(*) FILTER (highest_operation_level = 4), count(*) FROM hospitalisation"
        " WHERE origin = 'front_page' AND facility_level = 'tertiary' AND is_public AND has_operation",
    "unplanned_readmission_31_days_share":
        "facility_county, count(*) FILTER (days_to_next_admission <= 31 AND NOT readmission_planned), count(*) FROM hospitalisation"
        " WHERE origin = 'front_page' AND disposition_code NOT IN ('2', '3', '5')",
}
VALUES = {  # h and f: two hashes of the row number, 0 to 99
    "hospitalisation_id": "'S' || i", "origin": "'front_page'", "home_county": "CASE WHEN h < 98 THEN '99010' || (h % 8 + 1) END",
    "facility_county": "'99010' || ((CASE WHEN f < 80 THEN h ELSE f END) % 8 + 1)", "is_in_region": "f < 90", "died": "f < 1", "stay_days": "1 + h % 13",
    "has_operation": "f % 4 = 0", "facility_level": "CASE WHEN f < 30 THEN 'tertiary' WHEN f < 70 THEN 'secondary' ELSE 'primary' END",
    "is_public": "h % 5 > 0", "total_charge_cny": "1000 + h * f", "drug_charge_cny": "h * 9", "age_years": "h",
    "sex_code": "CASE WHEN i % 2 = 0 THEN '1' ELSE '2' END", "is_insured": "h % 20 > 0", "highest_operation_level": "f % 5",
    "facility_code": "'F' || (i % 60)", "is_primary_care": "f >= 70", "icd_chapter": "lpad(CAST(h % 22 + 1 AS VARCHAR), 2, '0')",
    "days_to_next_admission": "CASE WHEN h % 17 = 0 THEN 7 END", "readmission_planned": "FALSE", "fund_paid_cny": "h * 7", "has_referral": "h % 9 = 0",
    "disposition_code": "'1'", "principal_diagnosis_code": "'J18.9' || (h % 9)", "department_code": "'03.01'",
}


def make_rows(folder: Path) -> list[str]:
    """Parquet files of `hospitalisation`, one a month."""
    columns = load().tables["hospitalisation"].columns
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    files = []
    for month in range(MONTHS):
        day = f"DATE '2021-11-01' + INTERVAL {month} MONTH + INTERVAL (i % 28) DAY"
        made = VALUES | {"discharged_on": day, "admitted_on": f"{day} - INTERVAL 5 DAY"}
        values = ", ".join(f'CAST({made.get(c.name, "NULL")} AS {SQL_TYPES[c.type]}) AS "{c.name}"' for c in columns.values())
        file = folder / f"stays-{month:02d}.parquet"
        numbers = f"range({month * ROWS // MONTHS}, {(month + 1) * ROWS // MONTHS}) t(i)"
        source = f"(SELECT i, CAST(hash(i) % 100 AS INTEGER) AS h, CAST(hash(i + 7) % 100 AS INTEGER) AS f FROM {numbers})"
        connection.execute(f"COPY (SELECT {values} FROM {source}) TO '{file}' (FORMAT parquet)")
        files.append(str(file))
    return files


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
    files = make_rows(folder)
    ours = measure(_ours, files, list(WRITTEN), runs=RUNS)
    by_hand = {name: f"SELECT date_trunc('month', discharged_on), {rest} GROUP BY ALL" for name, rest in WRITTEN.items()}
    theirs = measure(_theirs, files, by_hand, runs=RUNS)
    us, them = sum(ours.result.values()), sum(theirs.result.values())
    return {
        "bench": f"(b) {len(WRITTEN)} indicators by county and month / hand-written SQL", "rows": ROWS, "seconds": round(us, 2), "peer seconds": round(them, 2),
        "ratio": round(us / them, 2), "limit": 1.5, "each": {name: round(ours.result[name] / theirs.result[name], 2) for name in WRITTEN},
        "peak MB": round(ours.peak_mb), "peer peak MB": round(theirs.peak_mb),
    }
