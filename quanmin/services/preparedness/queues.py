"""Pooling and queues: the two closed forms that mass testing and fever clinics stand on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

LARGEST_POOL = 400
SERVERS = 2_000


def tests_per_person(share: float, pool: int) -> float:
    """Tests per person in pools of `pool` whose members are tested again one by one where the pool is positive, for a perfect test.

    1/k + 1 - (1 - p)^k for k ≥ 2, else 1. Source: R. Dorfman, Annals of Mathematical Statistics 14 (1943) 436.
    """
    return 1 / pool + 1 - (1 - share) ** pool if pool > 1 else 1.0


def positive_pools(share: float, pool: int) -> float:
    """The share of pools with at least one positive member: 1 - (1 - p)^k; 0 for pools of one, which are not tested again."""
    return 1 - (1 - share) ** pool if pool > 1 else 0.0


def best_pool(share: float, largest: int = LARGEST_POOL) -> int:
    """The pool size with the fewest tests per person; 1 where pooling saves nothing."""
    sizes = np.arange(2, largest + 1)
    tests = 1 / sizes + 1 - (1 - share) ** sizes
    at = int(np.argmin(tests))
    return int(sizes[at]) if tests[at] < 1 else 1


def wait_probability(servers: int, load: float) -> float:
    """The probability of having to wait with `servers` and an offered load in erlangs (arrivals × service time); 1 where the load is not carried.

    Erlang's C formula by the recursion of Erlang B, which does not overflow. Source: A. K. Erlang (1917).
    """
    if load >= servers:
        return 1.0
    if load <= 0:
        return 0.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(servers: int, load: float) -> float:
    """The mean wait in service times; infinite where the load is not carried."""
    return math.inf if load >= servers else wait_probability(servers, load) / (servers - load)


def servers_needed(load: float, most_wait: float) -> int:
    """The fewest servers whose mean wait (in service times) is at most `most_wait`; SERVERS where even they do not do."""
    least = int(load) + 1
    for servers in range(least, SERVERS):
        if mean_wait(servers, load) <= most_wait:
            return servers
    return SERVERS


def day_of_queue(arrivals: npt.ArrayLike, served: float) -> np.ndarray:
    """Who is still waiting at the end of each day when `served` can be seen a day and those left come again: a fluid queue."""
    waiting, found = 0.0, []
    for come in np.asarray(arrivals, dtype=float):
        waiting = max(0.0, waiting + come - served)
        found.append(waiting)
    return np.array(found)
