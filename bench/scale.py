"""(c) A region of growing size made, taken in and built: seconds and peak memory of each step, so that what grows shows."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from bench.increment import manifest, take
from bench.measure import measure
from quanmin.site import Site, make_site
from quanmin.synth import make_region

SIZES = (50_000, 200_000, 1_000_000)


def _make(folder: str, residents: int) -> float:
    started = time.perf_counter()
    make_region(Path(folder) / "region", residents=residents, seed=9)
    return time.perf_counter() - started


def _intake(folder: str) -> int:
    site = make_site(Path(folder) / "site", "990100")
    return take(site, Path(folder) / "region", manifest(Path(folder) / "region"))


def _build(folder: str) -> int:
    site = Site(Path(folder) / "site")
    snapshot, _ = site.build()
    return sum(rows for _, rows in site.ledger.versions(snapshot.id).values())


def _ask(folder: str) -> int:
    cells = Site(Path(folder) / "site").indicators().ask("in_county_inpatient_share", ["month", "place"]).cells
    return len(cells)


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    sizes = {}
    for residents in SIZES:
        home = folder / str(residents)
        home.mkdir()
        made = measure(_make, str(home), residents)
        taken = measure(_intake, str(home))
        built = measure(_build, str(home))
        asked = measure(_ask, str(home))
        sizes[f"{residents:,} residents"] = {
            "rows read": taken.result, "rows built": built.result,
            "seconds": {"make": round(made.seconds, 1), "intake": round(taken.seconds, 1), "build": round(built.seconds, 1), "ask": round(asked.seconds, 1)},
            "peak MB": {"make": round(made.peak_mb), "intake": round(taken.peak_mb), "build": round(built.peak_mb), "ask": round(asked.peak_mb)},
        }
        shutil.rmtree(home)
    return {"bench": "(c) a region made, taken in, built and asked, by size", "limit MB": 4096, "sizes": sizes}
