"""The scan for clusters: the same as window by window, quiet where there is only chance, quick where something is planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.infection import false_alarms, plain, world
from quanmin.detectors.ward_clusters import clusters, poisson_limits, scan


def test_probabilities_are_those_of_every_window_tried_alone() -> None:
    cases = world(3, 2, 30.0, 3)
    found, slow = scan(*cases, 0), plain(*cases)
    assert np.allclose(found.p, slow, rtol=1e-9, atol=0) and (slow < 0.05).sum() > 20
    again = np.random.default_rng(4).permutation(len(cases[0]))
    assert np.allclose(scan(*(column[again] for column in cases), 0).p, found.p[again], rtol=1e-12, atol=0)


def test_later_cases_change_nothing_of_earlier_ones() -> None:
    cases = world(4, 2, 20.0, 5)
    early = cases[3] < 400
    assert np.array_equal(scan(*(column[early] for column in cases), 0).p, scan(*cases, 0).p[early])


def test_few_false_alarms_where_there_is_only_chance() -> None:
    assert false_alarms(1.0, 3) <= 0.01 and false_alarms(4.0, 3) <= 0.05 and false_alarms(12.0, 3) <= 0.2


def test_planted_clusters_are_noticed_within_days() -> None:
    delays, missed = [], 0
    for seed in range(40):
        hospital, ward, organism, day = world(5, 1, 8.0, 200 + seed)
        rng = np.random.default_rng(seed)
        start, many = int(rng.integers(90, 330)), 6
        more = start + np.r_[0, np.sort(rng.integers(1, 14, many - 1))]
        parts = (np.r_[hospital, np.full(many, 2)], np.r_[ward, np.full(many, 3)], np.r_[organism, np.full(many, 9)], np.r_[day, more])
        hit = [one for one in clusters(*parts, 0) if len(set(one.rows.tolist()) & set(range(len(day), len(day) + many))) >= 4]
        missed += not hit
        delays += [one.signal_day - start for one in hit]
    assert missed <= 2 and np.median(delays) <= 10


def test_nothing_is_found_in_nothing() -> None:
    none = np.array([], dtype=np.int64)
    assert clusters(none, none, none, none, 0) == [] and len(scan(none, none, none, none, 0).p) == 0


@pytest.mark.parametrize("count", [0, 1, 7, 250])
def test_limits_are_garwood_s(count: int) -> None:
    low, high = poisson_limits(count)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0)
