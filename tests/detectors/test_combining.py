"""The trigger of several sources: keeps its budget where sources move together, and sees what no source alone would."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quanmin.detectors.combining import alarms, budgeted, combine


def sources(seed: int, days: int, together: float = 0.6, places: int = 20) -> np.ndarray:
    """p-values of five sources that share a cause (correlation `together`), without any outbreak."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(1, places, days)), rng.normal(size=(5, places, days))
    return stats.norm.sf(np.sqrt(together) * shared + np.sqrt(1 - together) * own)


def test_the_three_rules_written_out() -> None:
    p = np.array([0.01, 0.2, 0.5])[:, None, None]
    assert combine(p).p[0, 0] == pytest.approx(stats.cauchy.sf(np.mean(np.tan((0.5 - p) * np.pi))))
    assert combine(p, method="fisher").p[0, 0] == pytest.approx(stats.combine_pvalues(p.ravel(), "fisher").pvalue)
    assert combine(p, np.array([1, 2, 3]), "stouffer").p[0, 0] == pytest.approx(stats.combine_pvalues(p.ravel(), "stouffer", [1, 2, 3]).pvalue)
    with pytest.raises(ValueError, match="no method"):
        combine(p, method="guess")


def test_sources_that_move_together_fool_fisher_and_not_cauchy() -> None:
    p = sources(1, 4000)
    share = {method: float((combine(p, method=method).p <= 0.001).mean()) for method in ("cauchy", "fisher", "stouffer")}
    assert share["cauchy"] < 0.002 and share["fisher"] > 0.01 and share["stouffer"] > 0.01


@pytest.mark.parametrize("budget", [0.02, 0.2])
def test_false_alarms_keep_to_the_budget_in_days_to_come(budget: float) -> None:
    found = budgeted(combine(sources(2, 1400)).p, budget)
    later = alarms(combine(sources(3, 1400)).p, found.threshold).sum() / (20 * 200)
    assert found.alarms_per_week <= budget and later == pytest.approx(budget, rel=0.35)
    assert 0 < found.threshold < 1 and found.weeks == pytest.approx(20 * 200)


def test_three_sources_a_little_up_alarm_and_say_why() -> None:
    history, now = sources(4, 1400, 0.2), sources(5, 700, 0.2)
    threshold = budgeted(combine(history).p, 0.02).threshold
    up = stats.norm.sf(stats.norm.isf(now) + np.array([2.2, 2.2, 2.2, 0, 0])[:, None, None])
    together = combine(up)
    alone = (up <= budgeted(history.min(axis=0), 0.02).threshold).any(axis=0).mean()
    assert (together.p <= threshold).mean() > alone  # a threshold on each source within the same budget finds fewer
    assert together.shares[:3].sum(axis=0).mean() > 0.85 and np.allclose(together.shares.sum(axis=0)[together.p < 0.3], 1)


def test_missing_and_quiet_sources_silence_nobody() -> None:
    p = np.array([1e-9, np.nan, 1.0, 1.0, 1.0])[:, None, None]
    found = combine(p)
    assert found.p[0, 0] < 1e-7 and found.shares[:, 0, 0].round(6).tolist() == [1, 0, 0, 0, 0]
    assert combine(np.array([0.0, 1.0])[:, None, None]).p[0, 0] < 1e-13
    nobody = combine(np.full((3, 1, 1), np.nan))
    assert np.isnan(nobody.p[0, 0]) and not alarms(nobody.p, 0.5).any()


def test_an_alarm_is_not_raised_again_within_the_week_and_outbreaks_do_not_count() -> None:
    p = np.full((1, 20), 0.5)
    p[0, 3:14] = 1e-6
    assert np.flatnonzero(alarms(p, 0.001)[0]).tolist() == [3, 10]
    p[0, 18] = 0.01
    outbreak = np.zeros((1, 20), bool)
    outbreak[0, 3:14] = True
    assert budgeted(p, 0.8, outbreak=outbreak).threshold == 0.01 > budgeted(p, 0.8).threshold == 1e-6
    for bad in (0.0, -1.0):
        with pytest.raises(ValueError, match="budget"):
            budgeted(p, bad)
