"""(e) Mass testing of a city of five million: the whole answer with its advice, one simulation beside a plain loop, and whether they end together."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import measure
from quanmin.services.preparedness.campaign import PARTS, campaign_of
from quanmin.services.preparedness.mass_testing import simulate
from quanmin.services.preparedness.scenario import Scenario, checked, template
from quanmin.services.preparedness.surge import PARTS as SURGE_PARTS
from quanmin.services.preparedness.surge_answer import surge_answer
from quanmin.services.preparedness.testing_answer import mass_testing_answer

TOWNSHIPS, PEOPLE, LAB_TUBES_PER_HOUR, COUNTIES, RUNS = 120, 5_000_000, 5_000.0, 20, 3
LIMIT_SECONDS = 1.0


def city() -> Scenario:
    """A city with one laboratory and vehicles enough, so that a plain loop can follow it."""
    sizes = np.random.default_rng(1).dirichlet(np.full(TOWNSHIPS, 2.0)) * PEOPLE
    data = template("mass_testing")
    data["sampling"]["positive_share"] = 0.0
    data["transport"] |= {"vehicles_per_area": 0, "hours": 3}
    data["area"] = [{"id": f"t{at}", "population": round(size)} for at, size in enumerate(sizes)]
    data["lab"] = [{"id": "lab", "tubes_per_hour": LAB_TUBES_PER_HOUR}]
    return checked("mass_testing", PARTS, data, "city")


def plain(scenario: Scenario) -> int:
    """The hour when all is done: every area asked in every hour, one tube after the other counted."""
    one = campaign_of(scenario)
    left, opened, room = [int(n) for n in one.people], [0] * TOWNSHIPS, [0.0] * TOWNSHIPS
    done_people, coming, queue, hour, last = [0] * TOWNSHIPS, dict[int, int](), 0, 0, 0
    while any(left) or queue or any(at >= hour for at in coming):
        for area in range(TOWNSHIPS):
            if left[area] and hour % 24 < one.hours_per_day:
                room[area] += float(one.persons_per_hour[area])
                come = min(left[area], math.floor(room[area] + 1e-7) - done_people[area])
                left[area], done_people[area] = left[area] - come, done_people[area] + come
                tubes, opened[area] = divmod(opened[area] + come, one.pool)
                if opened[area] and (not left[area] or hour % 24 == one.hours_per_day - 1):
                    tubes, opened[area] = tubes + 1, 0
                coming[hour + int(one.lag[area, 0])] = coming.get(hour + int(one.lag[area, 0]), 0) + tubes
        queue += coming.pop(hour, 0)
        tested = min(queue, math.floor(LAB_TUBES_PER_HOUR * (hour + 1)) - math.floor(LAB_TUBES_PER_HOUR * hour))
        queue, hour, last = queue - tested, hour + 1, hour + 1 if tested else last
    return last + one.assay_hours


def _whole() -> float:
    scenario, started = city(), time.process_time()
    mass_testing_answer(scenario)
    return time.process_time() - started


def _both() -> tuple[float, float, int, int]:
    scenario, started = city(), time.process_time()
    one = campaign_of(scenario)
    ours = simulate(one).results_done_hour or 0
    middle = time.process_time()
    theirs = plain(scenario)
    return middle - started, time.process_time() - middle, ours, theirs


def _surge() -> float:
    data = template("surge")
    data["county"] = [dict(data["county"][0]) | {"id": f"c{at}"} for at in range(COUNTIES)]
    scenario, started = checked("surge", SURGE_PARTS, data, "x"), time.process_time()
    surge_answer(scenario)
    return time.process_time() - started


def run(folder: Path) -> dict[str, Any]:
    """CPU seconds of the answers, and of one simulation beside the loop; both must end in the same hour."""
    del folder
    seconds, wave = measure(_whole, runs=RUNS).result, measure(_surge, runs=RUNS).result
    ours, theirs, hour, other = measure(_both, runs=RUNS).result
    return {"name": "preparedness", "people": PEOPLE, "townships": TOWNSHIPS, "cpu_seconds_with_advice": round(seconds, 2),
            "surge_cpu_seconds": round(wave, 2), "counties": COUNTIES, "one_simulation_cpu_seconds": round(ours, 3), "plain_loop_cpu_seconds": round(theirs, 3),
            "done_hour": hour, "plain_loop_done_hour": other, "met": hour == other and max(seconds, wave) < LIMIT_SECONDS}
