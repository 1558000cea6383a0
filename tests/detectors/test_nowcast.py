"""Nowcasts: written out case by case, and tried on delays made up: how often the limits hold what came later, and how near the median is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from quanmin.detectors.nowcast import METHODS, nowcast, reverse_hazards, triangle_of
from quanmin.model import Refusal
from quanmin.services.surveillance.series_files import AskedNowcast, nowcast_of

DELAYS = np.array([0.1, 0.25, 0.2, 0.15, 0.12, 0.08, 0.06, 0.04])


def outbreak(seed: int, days: int = 60, mean: float = 30.0) -> np.ndarray:
    """onset × delay, the future too; cases go up and down."""
    rng = np.random.default_rng(seed)
    cases = rng.poisson(mean * np.exp(np.sin(np.arange(days) / 9)))
    return np.array([rng.multinomial(many, DELAYS) for many in cases])


def test_a_line_list_becomes_a_triangle_of_what_is_known() -> None:
    onset, report = np.array([0, 0, 1, 2, 2, 2, 3]), np.array([0, 5, 2, 2, 3, 9, 2])
    told = triangle_of(onset, report, 5, 3)
    assert told.shape == (6, 4) and told.sum() == 5 and told[0].tolist() == [1, 0, 0, 1] and told[2].tolist() == [1, 1, 0, 0]


def test_hazards_and_the_estimate_written_out() -> None:
    triangle = outbreak(1, 20)
    seen = np.where(np.add.outer(np.arange(20), np.arange(8)) <= 19, triangle, 0)
    exact, within = reverse_hazards(seen)
    for delay in range(8):
        rows = [row for row in range(20) if row + delay <= 19]
        assert exact[delay] == sum(seen[row, delay] for row in rows) and within[delay] == sum(seen[row, :delay + 1].sum() for row in rows)
    found = nowcast(triangle, "lawless_full")
    share = np.prod([1 - exact[delay] / within[delay] for delay in range(3, 8)])
    assert found.share[-3] == pytest.approx(share) and found.reported[-3] == seen[-3].sum()
    assert abs(found.median[-3] - seen[-3].sum() / share) <= 1.5


def test_the_beta_negative_binomial_is_that_of_many_draws() -> None:
    triangle = outbreak(2, 30, 8.0)
    found, rng = nowcast(triangle, "bnb", alpha=0.1), np.random.default_rng(1)
    exact, _ = reverse_hazards(np.where(np.add.outer(np.arange(30), np.arange(8)) <= 29, triangle, 0))
    for back in (0, 2, 5):
        first = (exact[:back + 1] + 0.1).sum()
        share = rng.beta(first, (exact + 0.1).sum() - first, 200_000)
        count = found.reported[-1 - back]
        drawn = count + rng.negative_binomial(count + 1, share)
        assert np.allclose(np.quantile(drawn, [0.05, 0.5, 0.95]), [found.low[-1 - back], found.median[-1 - back], found.high[-1 - back]], atol=1, rtol=0.03)


def test_a_truncated_delay_is_that_of_its_posterior() -> None:
    triangle = outbreak(3, 25)
    exact, within = reverse_hazards(np.where(np.add.outer(np.arange(25), np.arange(8)) <= 24, triangle, 0))
    rng = np.random.default_rng(0)
    hazards = [rng.beta(exact[x] + 0.1, within[x] - exact[x] + 0.1 * x, 100_000) for x in range(1, 8)]
    found = nowcast(triangle, "bnb_truncated")
    for back in (0, 3):
        share = np.prod([1 - hazards[x - 1] for x in range(back + 1, 8)], axis=0)
        count = found.reported[-1 - back]
        drawn = count + rng.negative_binomial(count + 1, share)
        assert found.share[-1 - back] == pytest.approx(share.mean(), rel=0.01)
        assert np.allclose(np.quantile(drawn, [0.025, 0.975]), [found.low[-1 - back], found.high[-1 - back]], atol=1.5, rtol=0.03)


def test_limits_hold_what_came_later_as_often_as_they_say() -> None:
    held, off = {name: [] for name in METHODS}, {name: [] for name in METHODS}
    for seed in range(120):
        triangle = outbreak(100 + seed)
        truth = triangle[-5:].sum(axis=1)
        for name in METHODS:
            found = nowcast(triangle, name)
            held[name] += ((found.low[-5:] <= truth) & (truth <= found.high[-5:])).tolist()
            off[name] += ((found.median[-5:-1] - truth[:-1]) / np.maximum(truth[:-1], 1)).tolist()
    coverage = {name: float(np.mean(values)) for name, values in held.items()}
    assert 0.92 <= coverage["bnb_truncated"] <= 0.99 and 0.90 <= coverage["lawless_full"] <= 0.99
    assert coverage["lawless_full"] >= coverage["lawless"]  # theirs leaves out how uncertain the delays are
    assert all(abs(np.median(off[name])) < 0.05 for name in ("bnb_truncated", "lawless_full"))


def test_without_right_truncation_recent_days_come_out_too_low() -> None:
    rng, triangle = np.random.default_rng(9), []
    for many in rng.poisson(5 * np.exp(np.arange(14) * 0.25)):  # growing fast, in a short time
        triangle.append(rng.multinomial(many, DELAYS))
    ours, theirs, truth = nowcast(np.array(triangle)), nowcast(np.array(triangle), "bnb"), np.array(triangle).sum(axis=1)
    assert abs(ours.median[-4:].sum() - truth[-4:].sum()) < abs(theirs.median[-4:].sum() - truth[-4:].sum()) and theirs.median[-4:].sum() < truth[-4:].sum()


def test_few_cases_are_not_thought_to_be_many() -> None:
    """Where one case comes in three days, methods to which every number is equally likely expect many more; and a growing epidemic is still seen to grow."""
    delays, totals = np.array([DELAYS * 1000] * 60).astype(int), dict.fromkeys(("gamma_poisson", "bnb_truncated", "truth"), 0.0)
    rng, held = np.random.default_rng(8), []
    for _ in range(80):
        triangle = np.array([rng.multinomial(many, DELAYS) for many in rng.poisson(0.3, 60)])
        for name in ("gamma_poisson", "bnb_truncated"):
            found = nowcast(triangle, name, delays=delays)  # type: ignore[arg-type]
            totals[name] += found.mean[-5:].sum()
        truth = triangle[-5:].sum(axis=1)
        totals["truth"] += truth.sum()
        ours = nowcast(triangle, "gamma_poisson", delays=delays)
        held += ((ours.low[-5:] <= truth) & (truth <= ours.high[-5:])).tolist()
    assert 0.8 <= totals["gamma_poisson"] / totals["truth"] <= 1.2 and totals["bnb_truncated"] > 4 * totals["truth"]
    assert np.mean(held) >= 0.9
    growing = np.array([rng.multinomial(many, DELAYS) for many in rng.poisson(0.5 * np.exp(np.arange(60) / 12))])
    found, truth = nowcast(growing, "gamma_poisson"), growing.sum(axis=1)
    assert abs(found.mean[-5:].sum() / truth[-5:].sum() - 1) < 0.35 and found.reported[-5:].sum() < 0.7 * truth[-5:].sum()


def test_delays_of_other_cases() -> None:
    other = np.array([[0, 50, 50]] * 20)
    few = np.zeros((20, 3), int)
    few[-2, 1], few[-1, 0] = 3, 0
    found = nowcast(few, "gamma_poisson", delays=other)
    assert found.share[-2:] == pytest.approx([0.5, 0.0], abs=0.02) and found.mean[-2] > 5 and found.reported[-2] == 3
    with pytest.raises(ValueError, match="same shape"):
        nowcast(few, delays=other[:10])


def test_nothing_and_too_short() -> None:
    none = nowcast(np.zeros((10, 4), int), "bnb")
    assert none.median[:6].tolist() == [0] * 6 and nowcast(np.zeros((10, 4), int), "lawless").high.max() == 0
    with pytest.raises(ValueError, match="longest delay"):
        nowcast(np.zeros((3, 5), int))
    with pytest.raises(ValueError, match="no method"):
        nowcast(np.zeros((9, 5), int), "guess")  # type: ignore[arg-type]


def test_a_line_list_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    onset = rng.integers(0, 40, 900)
    report = onset + rng.choice(8, 900, p=DELAYS)
    days = np.datetime64("2026-03-01") + np.arange(60)
    file = tmp_path / "cases.csv"
    file.write_text("onset,report\n" + "".join(f"{days[a]},{days[b]}\n" for a, b in zip(onset, report, strict=True)), "utf-8")
    rows = nowcast_of(AskedNowcast(file, now="2026-04-09", settings=("D=8", "method=bnb")))
    kept = report <= 39
    found = nowcast(triangle_of(onset[kept], report[kept], 39, 8), "bnb")
    assert [row["estimate"] for row in rows] == found.median.tolist() and rows[-1]["onset_on"] == "2026-04-09"
    assert rows[-1]["estimate"] > rows[-1]["reported"] and stats.poisson.cdf(rows[-1]["high"], 22.5) > 0.5
    weekly = nowcast_of(AskedNowcast(file, now="2026-04-09", period="week", settings=("D=2",)))
    assert sum(row["reported"] for row in weekly) == kept.sum()


@pytest.mark.parametrize(("text", "field"), [("onset,report\n2026-03-05,2026-03-04\n", "report"), ("onset,report\n2026-03-05,soon\n", "report"),
                                             ("onset\n2026-03-05\n", "report"), ("onset,report\n2026-03-01,2026-03-02\n", "onset"),
                                             ("onset,report\n", "--now")])
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(Refusal) as refused:
        nowcast_of(AskedNowcast(file))
    assert refused.value.problems[0].field == field
