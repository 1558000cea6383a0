"""Pooling and queues against the published table of Dorfman, reference values of Erlang C, and sums written out."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from quanmin.services.preparedness.queues import best_pool, day_of_queue, mean_wait, positive_pools, servers_needed, wait_probability
from quanmin.services.preparedness.queues import tests_per_person as needed_tests

VECTORS = json.loads(Path(__file__).with_name("reference").joinpath("mass_testing_vectors.json").read_text("utf-8"))


@pytest.mark.parametrize(("share", "published"), VECTORS["dorfman"]["published_dorfman_1943"].items())
def test_the_best_pool_is_dorfmans(share: str, published: list[float]) -> None:
    assert best_pool(float(share)) == published[0]
    assert needed_tests(float(share), int(published[0])) == pytest.approx(published[1], abs=0.0051), "printed to whole percents"


@pytest.mark.parametrize(("share", "row"), VECTORS["dorfman"]["computed"].items())
def test_the_tests_of_a_person(share: str, row: dict[str, float]) -> None:
    assert best_pool(float(share)) == row["k_opt"]
    for pool in (5, 10, 20):
        assert needed_tests(float(share), pool) == pytest.approx(row[f"k{pool}"], rel=1e-12)
        assert needed_tests(float(share), pool) == pytest.approx(1 / pool + positive_pools(float(share), pool), rel=1e-12)


def test_pools_of_one_are_tests_of_one() -> None:
    assert needed_tests(0.3, 1) == 1.0 and positive_pools(0.3, 1) == 0.0
    assert best_pool(0.5) == 1, "beyond about 30 % nothing is saved"


@pytest.mark.parametrize("row", VECTORS["erlang_c"])
def test_waits_are_erlangs(row: dict[str, float]) -> None:
    servers, load = int(row["servers"]), row["offered"]
    assert wait_probability(servers, load) == pytest.approx(row["P_wait"], rel=1e-12)
    assert mean_wait(servers, load) == pytest.approx(row["Wq_in_service_times"], rel=1e-12)
    terms = [load**n / math.factorial(n) for n in range(servers)]  # the textbook's sum
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    assert wait_probability(servers, load) == pytest.approx(last / (sum(terms) + last), rel=1e-9)


def test_five_rooms_and_four_erlangs() -> None:
    assert round(wait_probability(5, 4), 4) == 0.5541


def test_rooms_for_a_wait_are_the_fewest() -> None:
    for load in (0.0, 0.4, 3.7, 19.9, 240.0):
        rooms = servers_needed(load, 0.5)
        assert mean_wait(rooms, load) <= 0.5 and (rooms - 1 <= load or mean_wait(rooms - 1, load) > 0.5)
    assert mean_wait(3, 3) == math.inf and wait_probability(3, 5) == 1.0


def test_who_is_left_over_comes_again() -> None:
    left = day_of_queue([50, 120, 130, 20, 0], 100)
    assert left.tolist() == [0, 20, 50, 0, 0]
    assert np.array_equal(day_of_queue([1.0] * 4, 0.0), [1, 2, 3, 4])
