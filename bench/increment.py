"""(d) A build after one hospital's month, beside a full build of the same site."""

from __future__ import annotations

import csv
import shutil
import time
from pathlib import Path

from bench.measure import measure
from quanmin.site import Site, make_site
from quanmin.synth import make_region

RESIDENTS = 200_000
HELD_BACK = ("990101H001", "2026-09")


def manifest(region: Path) -> list[dict[str, str]]:
    """What a synthetic region sends, in order."""
    with (region / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def take(site: Site, region: Path, rows: list[dict[str, str]]) -> int:
    """Take these files in; returns the rows read."""
    files, senders, mappings = [region / "files" / r["file"] for r in rows], [r["sender"] for r in rows], [r["mapping"] for r in rows]
    return sum(receipt.read for receipt in site.intake().take(files, senders=senders, mappings=mappings) if receipt.status == "accepted")


def _build(folder: str) -> float:
    site = Site(Path(folder))
    assert site.catalog
    started = time.perf_counter()
    site.build()
    return time.perf_counter() - started


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    region, home = folder / "region", folder / "site"
    make_region(region, residents=RESIDENTS, seed=5)
    rows = manifest(region)
    late = [r for r in rows if r["sender"] == HELD_BACK[0] and HELD_BACK[1] in r["file"]]
    assert late, "the month held back is not among the files"
    site = make_site(home, "990100")
    take(site, region, [r for r in rows if r not in late])
    _build(str(home))
    take(site, region, late)
    increment = measure(_build, str(home))
    shutil.rmtree(home / "warehouse" / "tables")
    full = measure(_build, str(home))
    counted = sum(n for _, n in site.ledger.versions(site.ledger.snapshots()[-1].id).values())
    return {
        "bench": f"(d) build after one hospital's month / full build, {RESIDENTS:,} residents", "rows": counted, "seconds": round(increment.result, 1),
        "peer seconds": round(full.result, 1), "ratio": round(increment.result / full.result, 3), "limit": 0.1, "peak MB": round(increment.peak_mb),
        "peer peak MB": round(full.peak_mb),
    }
