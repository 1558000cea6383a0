"""(n) Clusters of hospital infection over 500 hospitals and five years at once, beside a plain loop over cases; false alarms where nothing is planted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.measure import measure
from quanmin.detectors.ward_clusters import ALPHA, FEWEST_CASES, LEARNING_DAYS, LONGEST_DAYS, MOST_CASES, PRIOR_DAYS, SHAPE, clusters, scan

HOSPITALS, WARDS, ORGANISMS, YEARS, YEARLY = 500, 8, 11, 5, 5.0  # cases of a ward and year, mean
ALARM_RATES = (1.0, 4.0, 12.0, 40.0)
LOOPED = 20  # hospitals that the plain loop is tried on
LIMIT_SECONDS = 60.0
Whole = NDArray[np.int64]


def world(hospitals: int, years: int, yearly: float, seed: int) -> tuple[Whole, Whole, Whole, Whole]:
    """Cases by chance alone: wards differ in how many they have (gamma), and each in its mix of organisms (Dirichlet)."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(rng.gamma(2, yearly * years / 2, (hospitals, WARDS)))
    hospital, ward = (np.repeat(at.ravel(), count.ravel()) for at in np.indices(count.shape))
    mix = rng.dirichlet(np.linspace(2.5, 0.5, ORGANISMS), (hospitals, WARDS)).cumsum(axis=2)
    organism = (rng.random(len(hospital))[:, None] > mix[hospital, ward]).sum(axis=1).clip(max=ORGANISMS - 1)
    return hospital, ward, organism, rng.integers(0, 365 * years, len(hospital))


def plain(hospital: Whole, ward: Whole, organism: Whole, day: Whole) -> NDArray[np.float64]:
    """The probability of each case's least likely window, case by case and window by window."""
    rows, told = list(zip(hospital.tolist(), ward.tolist(), organism.tolist(), day.tolist(), strict=True)), []
    for h, w, o, at in rows:
        mine = sorted(d for a, b, c, d in rows if (a, b, c) == (h, w, o) and d <= at)
        best = 1.0
        for size in range(FEWEST_CASES, min(MOST_CASES, len(mine)) + 1):
            start = mine[-size]
            span = at - start + 1
            if span > LONGEST_DAYS or start < LEARNING_DAYS:
                continue
            before = [(a, b, c) for a, b, c, d in rows if a == h and d < start]
            wards, organisms, own = sum(b == w for _, b, _ in before), sum(c == o for _, _, c in before), sum(one[1:] == (w, o) for one in before)
            guessed = (wards + 0.5) * (organisms + 0.5) / (len(before) + 1) / (start + PRIOR_DAYS)
            weight = SHAPE / guessed + start
            best = min(best, float(stats.nbinom.sf(size - 1, SHAPE + own, weight / (weight + span))))
        told.append(best)
    return np.array(told)


def _ours() -> tuple[float, int, int]:
    cases, started = world(HOSPITALS, YEARS, YEARLY, 1), time.perf_counter()
    found = clusters(*cases, 0)
    return time.perf_counter() - started, len(cases[0]), len(found)


def _peer() -> tuple[float, int, float]:
    """The loop on a few hospitals, hospital by hospital, and how far it differs from ours."""
    cases, seconds, apart, count = world(LOOPED, YEARS, YEARLY, 2), 0.0, 0.0, 0
    ours = scan(*cases, 0).p
    for hospital in range(LOOPED):
        own = np.flatnonzero(cases[0] == hospital)
        started = time.perf_counter()
        told = plain(*(column[own] for column in cases))
        seconds += time.perf_counter() - started
        count, apart = count + len(own), max(apart, float(np.abs(told - ours[own]).max(initial=0)))
    return seconds, count, apart


def false_alarms(yearly: float, seeds: int = 6) -> float:
    """Clusters told of per ward and year where there is only chance."""
    return sum(len(clusters(*world(40, 1, yearly, 100 + seed), 0)) for seed in range(seeds)) / (40 * WARDS * seeds)


def run(folder: Path) -> dict[str, Any]:
    """Seconds of both per 100,000 cases, how far their probabilities differ, and false alarms per ward and year by how many cases a ward has."""
    del folder
    ours, peer = measure(_ours), measure(_peer)
    seconds, cases, found = ours.result
    slow, few, apart = peer.result
    return {"name": "infection clusters", "cases": cases, "clusters": found, "seconds": round(seconds, 2),
            "peer_seconds_for_as_many": round(slow / few * cases, 1),
            "faster": round(slow / few * cases / seconds, 1), "probabilities_differ_at_most": apart, "alpha": ALPHA, "peak_mb": round(ours.peak_mb),
            "false_alarms_per_ward_year": {str(rate): round(false_alarms(rate), 4) for rate in ALARM_RATES}, "met": seconds < LIMIT_SECONDS}
