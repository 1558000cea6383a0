"""(v) The space-time scan of 200 places and 365 days with 999 replicas, beside the same search in plain numpy, cylinder by cylinder; both ways and models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import measure
from quanmin.detectors.scan import Model, Settings, scan
from quanmin.detectors.scan_zones import zones_of

PLACES, DAYS, LONGEST, REPLICAS, CASES = 200, 365, 30, 999, 2_000
LOOPED = 2  # replicas that the plain search is tried on
LIMIT_SECONDS = 3.0
Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


def world(seed: int) -> tuple[Whole, Numbers, Whole]:
    """Cases by chance alone in towns of unequal size: places × days, where they lie, their people."""
    rng = np.random.default_rng(seed)
    people = rng.integers(2_000, 60_000, PLACES)
    return rng.poisson(np.outer(people / people.sum(), np.full(DAYS, CASES / DAYS))), rng.random((PLACES, 2)) * 50, people


def plain(cases: Whole, xy: Numbers, base: Numbers, weights: Numbers) -> float:
    """The highest log likelihood ratio over every circle and every window that ends on the last day."""
    zones, best, total = zones_of(xy, weights), 0.0, cases.sum()
    recent = [np.cumsum(values[:, ::-1][:, :LONGEST], axis=1) for values in (cases, base)]
    for start, end in zip(zones.starts[:-1], zones.starts[1:], strict=True):
        inside, expected = (np.cumsum(values[zones.order[start:end]], axis=0) for values in recent)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = inside * np.log(inside / expected) + (total - inside) * np.log((total - inside) / (total - expected))
        best = max(best, float(np.where((inside > expected) & (inside >= 2), ratio, 0.0).max(initial=0.0)))
    return best


def _scan(model: Model, prospective: bool, replicas: int, times: int = 1) -> tuple[float, float, int, float]:
    """Seconds and processor seconds of the last of `times` runs (the first compiles or loads what was compiled), zones, the highest ratio."""
    cases, xy, people = world(4)
    for _ in range(times + 1):
        started, used = time.perf_counter(), time.process_time()
        found = scan(cases, xy, model, population=people if model == "poisson" else None,
                     settings=Settings(max_periods=LONGEST, prospective=prospective, replicas=replicas))
        spent, cpu = time.perf_counter() - started, time.process_time() - used
    return spent, cpu, found.zones, found.clusters[0].ratio


def _plain() -> tuple[float, float]:
    """Seconds of the plain search per data set (permutation, prospective), and the ratio of the data seen."""
    cases, xy, _ = world(4)
    weights = cases.sum(axis=1).astype(np.float64)
    base = np.outer(weights, cases.sum(axis=0)) / cases.sum()
    started = time.perf_counter()
    for _ in range(LOOPED):
        best = plain(cases, xy, base, weights)
    return (time.perf_counter() - started) / LOOPED, best


def run(folder: Path) -> dict[str, Any]:
    """Seconds of a prospective scan by model, what the plain search would take for as many replicas, and of a scan of the past (a tenth of the replicas)."""
    del folder
    told: dict[str, Any] = {}
    for model in ("permutation", "poisson"):
        measured = measure(_scan, model, True, REPLICAS, 1)
        told[model] = measured.result
        told[f"{model}_past"] = measure(_scan, model, False, REPLICAS // 10, 1).result
    slow, best = measure(_plain).result
    seconds, cpu, zones, ratio = told["permutation"]
    return {"name": "space-time scan", "places": PLACES, "days": DAYS, "longest": LONGEST, "replicas": REPLICAS, "cases": CASES, "zones": zones,
            "seconds": round(seconds, 2), "processor_seconds": round(cpu, 2), "poisson_seconds": round(told["poisson"][0], 2),
            "peer_seconds_for_as_many": round(slow * (REPLICAS + 1), 1), "faster": round(slow * (REPLICAS + 1) / seconds, 1),
            "ratios_differ_by": abs(ratio - best), "past_permutation_processor_seconds_for_99": round(told["permutation_past"][1], 2),
            "past_poisson_processor_seconds_for_99": round(told["poisson_past"][1], 2), "met": max(seconds, told["poisson"][0]) <= LIMIT_SECONDS}
