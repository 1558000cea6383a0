"""(a) Intake of a front-page CSV, validation included, beside DuckDB's bare read_csv of the same file."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from bench.measure import measure
from quanmin import catalog
from quanmin.records.sources import text_lines
from quanmin.site import make_site
from quanmin.synth import make_region

RESIDENTS, COPIES, RUNS = 50_000, 4, 3


def make_file(folder: Path) -> Path:
    """Front pages of all hospitals of a synthetic region in one file of the national layout, repeated with other record numbers."""
    target = folder / "front_pages.csv"
    make_region(folder / "region", residents=RESIDENTS, seed=3)
    with (Path(catalog.__file__).parent / "mappings" / "front_page_national_header.csv").open(encoding="utf-8") as stream:
        header = [row["column"] for row in csv.DictReader(stream)]
    tables = []
    for path in sorted((folder / "region" / "files").glob("*/*stay*.csv")):
        for batch in text_lines.batches(path, path.name, text_lines.shape_of(path, path.name)):
            blank = pa.array([""] * len(batch.table))
            tables.append(pa.table({c: batch.table[c] if c in batch.table.column_names else blank for c in header}))
    whole = pa.concat_tables(tables)
    with target.open("wb") as out:
        for copy in range(COPIES):
            numbers = pc.binary_join_element_wise(whole["A48"], pa.scalar(str(copy)), "-")
            rows = whole.set_column(header.index("A48"), "A48", numbers)
            pacsv.write_csv(rows, out, pacsv.WriteOptions(include_header=copy == 0, quoting_style="needed"))
    return target


def _ours(file: str, site: str) -> int:
    shutil.rmtree(site, ignore_errors=True)
    receipt = make_site(Path(site)).intake().take([Path(file)], mapping="front_page_national", sender="bench")[0]
    assert receipt.read == receipt.accepted + receipt.rejected and receipt.accepted
    return receipt.read


def _bare(file: str) -> int:
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"CREATE TABLE rows AS FROM read_csv('{file}', all_varchar = true, max_line_size = 10000000, ignore_errors = true)")
    return int(connection.execute("SELECT count(*) FROM rows").fetchall()[0][0])


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    file = make_file(folder)
    size = file.stat().st_size / 1e6
    ours, bare = measure(_ours, str(file), str(folder / "site"), runs=RUNS), measure(_bare, str(file), runs=RUNS)
    return {
        "bench": "(a) intake of front pages / DuckDB read_csv", "rows": ours.result, "MB": round(size), "seconds": round(ours.seconds, 1),
        "peer seconds": round(bare.seconds, 1), "ratio": round(ours.seconds / bare.seconds, 2), "limit": 3.0, "rows/s": round(ours.result / ours.seconds),
        "MB/s": round(size / ours.seconds), "peak MB": round(ours.peak_mb), "peer peak MB": round(bare.peak_mb),
    }
