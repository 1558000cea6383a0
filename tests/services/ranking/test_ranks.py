"""Ranks, their intervals and the cases between two places."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.services.ranking import peers, rank, rank_counts


def test_ranks_and_interval_by_hand() -> None:
    """Three values 1, 2, 9 with errors .5: z of 1 and 2 is 1.41 (no difference), all others above 9."""
    found = rank([1.0, 2.0, 9.0], [0.5] * 3)
    assert found.rank.tolist() == [3, 2, 1]
    assert list(zip(found.low.tolist(), found.high.tolist(), found.alike.tolist(), strict=True)) == [(2, 3, 1), (2, 3, 1), (1, 1, 0)]
    assert rank([1.0, 2.0, 9.0], [0.5] * 3, better="lower").rank.tolist() == [1, 2, 3]


def test_holm_by_hand() -> None:
    """Against the leader p = .0455 (z = 2): alone it stands at 5 %, among two comparisons of .0455 each it needs 2.5 % and does not."""
    error = np.sqrt(0.5)
    assert rank([0.0, 2.0], [error] * 2).alike.tolist() == [0, 0]
    assert rank([0.0, 2.0, 2.0], [error] * 3).alike.tolist() == [2, 2, 2]


def test_equal_values_share_the_better_place_and_unknown_ones_have_none() -> None:
    found = rank([5.0, 5.0, 3.0, np.nan], [1.0, 1.0, 1.0, np.nan])
    assert found.rank.tolist() == [1, 1, 3, 0] and found.count == 3
    assert found.low[3] == found.high[3] == found.alike[3] == 0 and found.behind.tolist() == [-1, -1, 0, -1]


def test_cases_to_the_next_place_by_hand() -> None:
    """60 of 100 is next above 115 of 200: 120 of 200 are needed, 5 more; above 60 of 100 stands 90 of 120 (75 %): 15 more."""
    found = rank_counts([60, 115, 90], [100, 200, 120])
    assert found.rank.tolist() == [2, 3, 1] and found.behind.tolist() == [2, 0, -1]
    assert found.cases[:2].tolist() == [15.0, 5.0] and np.isnan(found.cases[2])
    fewer = rank_counts([60, 115, 90], [100, 200, 120], better="lower")
    assert fewer.cases[0] == -3.0, "57 of 100 is at most 57.5 %"
    assert rank_counts([1, 2], [3, 6]).cases.tolist() != [0.0, 0.0]


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.1])
def test_the_interval_covers_the_true_rank(spread) -> None:
    """Simulated shares of 20 units, equal, nearly equal and unequal: the true rank lies within the 95 % interval at least as often as said."""
    rng = np.random.default_rng(11)
    inside = total = width = 0
    for _ in range(150):
        truth = np.clip(rng.normal(0.4, spread, 20), 0.02, 0.98) if spread else np.full(20, 0.4)
        sizes = rng.integers(40, 600, 20)
        found = rank_counts(rng.binomial(sizes, truth), sizes)
        best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
        inside += int(((found.low <= best) & (best <= found.high)).sum())
        total, width = total + 20, width + int((found.high - found.low).sum())
    assert inside / total >= 0.95
    assert spread < 0.1 or width / total < 13, "unequal units must be told apart"


def test_posterior_draws_fail_where_units_are_equal() -> None:
    """Why no Monte Carlo of posteriors: with twenty equal units its 95 % rank intervals miss a true rank of 1 far more often."""
    rng = np.random.default_rng(12)
    missed = 0
    for _ in range(40):
        sizes = np.full(20, 300)
        counts = rng.binomial(sizes, 0.4)
        draws = rng.beta(counts + 0.5, sizes - counts + 0.5, size=(400, 20))
        ranks = 20 - draws.argsort(axis=1).argsort(axis=1)
        missed += int((np.quantile(ranks, 0.025, axis=0) > 1).sum())
    assert missed / 800 > 0.3


def test_peer_groups() -> None:
    table = {"a": {"level": "tertiary", "type": "general"}, "b": {"level": "tertiary", "type": "tcm"},
             "c": {"level": "secondary", "type": "general"}, "d": {"level": None, "type": "general"}}
    assert peers(table, "a") == ("a", "b", "c", "d")
    assert peers(table, "a", "same_level") == ("a", "b")
    assert peers(table, "a", "same_type") == ("a", "c", "d")
    assert peers(table, "a", "named", ["c"]) == ("a", "c")
    assert peers(table, "a", "same_type", same=["level"]) == ("a",)
    assert peers(table, "d", "same_level") == ("d",)
    with pytest.raises(KeyError):
        peers(table, "z")
    with pytest.raises(ValueError, match="scheme"):
        peers(table, "a", "any")
