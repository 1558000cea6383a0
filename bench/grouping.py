"""(h) CHS-DRG grouping of 5,000,000 cases from one CSV file to another, beside the interpreter that takes one case after another."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

from bench.measure import measure
from quanmin.catalog import load
from quanmin.services.grouping.files import group_file
from quanmin.services.grouping.plain import Case, group_one
from quanmin.services.grouping.schemes import scheme_of

CASES, PEER_CASES, BLOCK, SEED = 5_000_000, 2_000, 50_000, 4
SCHEME = "chs_drg_1_1"


def _drawn(count: int) -> list[tuple[str, int, int, list[str], list[str]]]:
    """Cases drawn from the scheme's own lists: sex, age, age in days, diagnoses, procedures."""
    scheme, draw = load().groupers[SCHEME], random.Random(SEED)
    principal = sorted({code for category in scheme.categories for code in category.diagnoses})
    others, procedures = sorted(scheme.exclusions), sorted({c for a in scheme.adjacents for name, codes in a.lists.items() if name != "DX" for c in codes})
    found = []
    for _ in range(count):
        age = draw.choice([0, *range(1, 95)])
        diagnoses = [draw.choice(principal), *draw.choices(others, k=draw.randrange(0, 5))]
        done = draw.choices(procedures, k=draw.choice([0, 0, 1, 1, 2, 4]))
        found.append((draw.choice("12"), age, draw.randrange(0, 365) if age == 0 else -1, diagnoses, done))
    return found


def _file(path: Path, count: int) -> None:
    """A file of cases: BLOCK of them drawn, then repeated with other numbers."""
    lines = [f"{sex},{age},{days if days >= 0 else ''},,{'|'.join(dx)},{'|'.join(ops)}\n" for sex, age, days, dx, ops in _drawn(BLOCK)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write("case_id,sex,age_years,age_days,birth_weight_g,diagnoses,procedures\n")
        for block in range(count // BLOCK):
            stream.write("".join(f"{block * BLOCK + i},{line}" for i, line in enumerate(lines)))


def _ours(source: str, out: str) -> float:
    prepared, started = scheme_of(load(), SCHEME), time.perf_counter()
    summary = group_file(Path(source), prepared, Path(out))
    assert summary.read == CASES
    return time.perf_counter() - started


def _peer(out: str) -> float:
    """Seconds for PEER_CASES, each compared with what the columns gave."""
    scheme, drawn, started = load().groupers[SCHEME], _drawn(BLOCK)[:PEER_CASES], time.perf_counter()
    found = [group_one(scheme, Case(int(sex), {"AGE_YEARS": age} | ({"AGE_DAYS": days} if days >= 0 else {}), dx, ops)) for sex, age, days, dx, ops in drawn]
    spent = time.perf_counter() - started
    with open(out, encoding="utf-8", newline="") as stream:
        for one, row in zip(found, csv.DictReader(stream), strict=False):
            assert one.group == row["drg"], row
    return spent


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    _file(folder / "cases.csv", CASES)
    ours = measure(_ours, str(folder / "cases.csv"), str(folder / "groups.csv"))
    peer = measure(_peer, str(folder / "groups.csv"))
    rate, peer_rate = CASES / ours.result, PEER_CASES / peer.result
    return {"bench": "(h) CHS-DRG grouping, CSV to CSV / one case after another", "rows": CASES, "MB": round((folder / "cases.csv").stat().st_size / 1e6),
            "seconds": round(ours.result, 1), "cases/s": round(rate), "peer rows": PEER_CASES, "peer cases/s": round(peer_rate),
            "ratio": round(rate / peer_rate), "limit cases/s": 200_000, "peak MB": round(ours.peak_mb)}
