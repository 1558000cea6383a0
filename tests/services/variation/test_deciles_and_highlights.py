"""Deciles over units, and the list of what is unusual only."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.services.variation import Peers, Series, deciles, funnel, highlights, xmr
from quanmin.services.variation.highlights import discoveries


def test_deciles_by_hand() -> None:
    """Eleven units at 0, 10 … 100 %: the 10th percentile is 10 % and so on (type 7); a twelfth with too few cases does not count."""
    fan = deciles([[*range(0, 101, 10), 1], [np.nan] * 12], [[100] * 11 + [1], [100] * 12], minimum=10, scale=100.0)
    assert fan.values[0].tolist() == pytest.approx([10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert np.isnan(fan.values[1]).all() and fan.units.tolist() == [11, 0]
    with pytest.raises(ValueError, match="months × units"):
        deciles([1], [2])


def test_benjamini_hochberg_by_hand() -> None:
    """Benjamini & Hochberg 1995, section 3.2: fifteen p-values of the myocardial infarction example, four stand at 5 %."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert discoveries(p, 0.05).sum() == 4
    assert discoveries([np.nan, 0.9], 0.05).tolist() == [False, False]


def nothing_happens(count: int, seed: int = 1) -> list[Series]:
    rng = np.random.default_rng(seed)
    return [Series(f"i{n}", "u", xmr(rng.normal(50, 3, 36), better="higher"), "higher") for n in range(count)]


def test_where_nothing_happens_nothing_is_listed() -> None:
    """Of 600 series of noise, the rules alone mark some; the list stays all but empty."""
    series = nothing_happens(600)
    assert sum(bool(one.chart.rule[-1]) for one in series) >= 6
    assert len(highlights(series)) <= 1
    rng = np.random.default_rng(5)
    sizes = rng.integers(50, 500, 400)
    assert len(highlights(peers=[Peers("i", tuple(range(400)), funnel(rng.binomial(sizes, 0.2), sizes))])) <= 2


def test_what_happens_is_listed_with_its_rule_and_direction() -> None:
    rng = np.random.default_rng(2)
    fallen = np.r_[rng.normal(50, 3, 35), 20.0]
    shifted = np.r_[rng.normal(50, 3, 24), rng.normal(44, 1, 14)]
    series = [*nothing_happens(200), Series("fallen", "a", xmr(fallen, better="higher"), "higher"),
              Series("shifted", "b", xmr(shifted, better="lower"), "lower")]
    found = highlights(series)
    assert {(item.indicator, item.rule, item.direction) for item in found} == {("fallen", "outside", "worse"), ("shifted", "run", "better")}
    assert [item.strength for item in found] == sorted((item.strength for item in found), reverse=True)
    assert next(item for item in found if item.rule == "run").length >= 13


def test_a_unit_far_from_its_peers_is_listed() -> None:
    plot = funnel([40] * 9 + [90, 41], [200] * 11, target=20.0, scale=100.0)
    found = highlights(peers=[Peers("share", tuple("abcdefghijk"), plot, "lower")])
    assert [(item.unit, item.rule, item.direction, item.side) for item in found] == [("j", "funnel_998", "worse", 1)]
    assert found[0].expected == 20.0 and found[0].value == 45.0 and found[0].high < 45.0


def test_a_short_series_is_not_tested_and_an_old_signal_is_not_news() -> None:
    short = Series("short", "a", xmr([1, 1.1, 1, 1.2, 1, 1.1, 9.0]), "higher")
    old = np.random.default_rng(4).normal(50, 1, 40)
    old[20] = 90
    assert highlights([short, Series("old", "a", xmr(old), "higher")]) == []
    assert [item.indicator for item in highlights([Series("old", "a", xmr(old), "higher")], recent=25)] == ["old"]


def test_rare_events_are_no_news() -> None:
    """Thirty months of 0 and a case now and then: screened limits close on 0 and every case is outside, which means nothing."""
    rare = [0.0] * 10 + [5.0] + [0.0] * 18 + [4.0]
    chart = xmr(rare, better="lower")
    assert chart.rule[-1] == "outside" and highlights([Series("rare", "a", chart, "lower")]) == []
