"""(t) DIP: groups drawn from 1,000,000 cases and the same cases put into them, beside the same done one case after another."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.measure import measure
from quanmin.catalog import load
from quanmin.catalog.loader import read_all
from quanmin.services.grouping.clusters import publish_clusters
from quanmin.services.grouping.dip import MOST_PROCEDURES, ReadyDip
from quanmin.services.grouping.dip_plain import DipCase, groups_plain, points_plain
from quanmin.services.grouping.schemes import dip_of, grouped, scheme_of

CASES, PEER_CASES, BLOCK, LEAST, SEED = 1_000_000, 100_000, 100_000, 15, 11
SUBCATEGORIES, TREATMENTS = 900, 250


def _drawn(prepared: ReadyDip) -> list[tuple[str, str, float]]:
    """BLOCK cases: diagnoses and procedures as one text each, and a charge; few diagnoses and treatments are common, many rare."""
    draw = random.Random(SEED)
    principal = draw.sample(prepared.diagnoses.names, SUBCATEGORIES)
    treatments = [draw.sample(prepared.procedures.names, draw.choice([0, 1, 1, 2, 3])) for _ in range(TREATMENTS)]
    weights = [1 / (i + 1) for i in range(SUBCATEGORIES)]
    found = []
    for i in draw.choices(range(SUBCATEGORIES), weights, k=BLOCK):
        done = treatments[(i * 7 + min(int(draw.expovariate(0.7)), 9)) % TREATMENTS] if draw.random() < 0.6 else []
        charge = round(3000 * draw.lognormvariate(i % 7 / 5, 0.6), 2)
        found.append(("|".join([principal[i], *draw.sample(principal, draw.randrange(3))]), "|".join(done), charge))
    return found


def _file(path: Path) -> None:
    """CASES cases: BLOCK drawn, over and over."""
    drawn, times = _drawn(dip_of(load(), "dip")), CASES // BLOCK
    diagnoses, procedures, charges = (list(column) for column in zip(*drawn, strict=True))
    pq.write_table(pa.table({"diagnoses": pa.array(diagnoses * times, pa.string()), "procedures": pa.array(procedures * times, pa.string()),
                             "charge": np.tile(charges, times)}), path)


def _ours(source: str, definitions: str) -> tuple[float, float, int]:
    """Seconds to draw and to group, and how many groups."""
    catalog, table = load(), pq.read_table(source)
    cases = table.append_column("days", pa.nulls(len(table), pa.float64())).append_column("died", pa.nulls(len(table), pa.bool_()))
    started = time.perf_counter()
    found, _ = publish_clusters(catalog, cases, Path(definitions), "dip_region", "2025-01-01", LEAST, "bench")
    drawing, (after, _) = time.perf_counter() - started, read_all(Path(definitions))
    prepared, blank = scheme_of(after, "dip_region"), pa.nulls(len(table), pa.string())
    asked = table.select(["diagnoses", "procedures"])
    for name in ("sex", "age_years", "age_days", "birth_weight_g"):
        asked = asked.append_column(name, blank)
    started = time.perf_counter()
    groups = grouped(prepared, asked)["drg"]
    grouping = time.perf_counter() - started
    told = {row["group"]: row["cases"] for row in found.groups}
    counted = groups.value_counts()
    assert dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)) == told
    return drawing, grouping, len(found.groups)


def _peer() -> tuple[float, int]:
    """Seconds for one block of PEER_CASES, drawn and grouped, with as many cases of a core group as make one in CASES."""
    prepared = dip_of(load(), "dip")
    drawn = [DipCase(dx.split("|"), [code for code in ops.split("|") if code], charge) for dx, ops, charge in _drawn(prepared)[:PEER_CASES]]
    started = time.perf_counter()
    groups = groups_plain(drawn, prepared.scheme.procedure_kinds, max(1, -(-LEAST * BLOCK // CASES)), MOST_PROCEDURES)
    points_plain(drawn, groups)
    return time.perf_counter() - started, len(Counter(groups))


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    _file(folder / "cases.parquet")
    ours = measure(_ours, str(folder / "cases.parquet"), str(folder / "definitions"))
    peer = measure(_peer)
    (drawing, grouping, groups), (spent, peer_groups) = ours.result, peer.result
    assert groups == peer_groups, "a block repeated has the groups of the block"
    rate, peer_rate = CASES / (drawing + grouping), PEER_CASES / spent
    return {"bench": "(t) DIP groups drawn and cases grouped / one case after another", "rows": CASES, "groups": groups, "seconds drawing": round(drawing, 2),
            "seconds grouping": round(grouping, 2), "cases/s": round(rate), "peer rows": PEER_CASES, "peer cases/s": round(peer_rate),
            "ratio": round(rate / peer_rate, 1), "peak MB": round(ours.peak_mb)}
