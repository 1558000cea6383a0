"""Reproduction numbers: equal to EpiEstim, to sums written out, and near the truth of an epidemic made up."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from quanmin.detectors.reproduction import LEVELS, cori, cori_uncertain, gamma_interval, infectivity, sampled_intervals, wallinga_teunis, windows_of
from quanmin.model import Refusal
from quanmin.services.surveillance.series_files import AskedReproduction, reproduction_of

ORACLES = Path(__file__).parents[3] / "shared" / "oracles" / "surveillance" / "rt"
RUNS = [(f"Flu2009_nonparam_w{window}_prior{prior}.csv", window, priors) for window in (1, 7, 14) for prior, priors in (("5_5", (5, 5)), ("2.5_1", (2.5, 1)))]


def read(name: str) -> list[dict[str, float]]:
    if not (ORACLES / name).exists():
        pytest.skip(f"{name} is not at ../shared/oracles/surveillance/rt")
    with (ORACLES / name).open(encoding="utf-8") as stream:
        return [{key: float(value) if value else np.nan for key, value in row.items()} for row in csv.DictReader(stream)]


def column(name: str, key: str) -> np.ndarray:
    return np.array([row[key] for row in read(name)])


@pytest.mark.parametrize(("name", "window", "prior"), [*RUNS, ("Flu2009_param_w7.csv", 7, (5, 5))])
def test_cori_is_that_of_epiestim(name: str, window: int, prior: tuple[float, float]) -> None:
    counts = column("Flu2009_incidence.csv", "I")
    weights = gamma_interval(2.6, 1.5, len(counts)) if "param_w7" in name and "nonparam" not in name else column("Flu2009_si.csv", "w")
    found = cori(counts, weights, *windows_of(len(counts), window), mean_prior=prior[0], deviation_prior=prior[1])
    assert np.array_equal(found.last + 1, column(name, "t_end"))
    assert np.allclose(found.mean, column(name, "Mean(R)"), rtol=1e-10, equal_nan=True)
    assert np.allclose(found.deviation, column(name, "Std(R)"), rtol=1e-10, equal_nan=True)
    for at, level in enumerate(LEVELS):
        theirs = column(name, "Median(R)" if level == 0.5 else f"Quantile.{level:g}(R)")
        assert np.allclose(found.quantiles[:, at], theirs, rtol=1e-9, equal_nan=True)


def test_intervals_and_infectivity_are_those_of_epiestim() -> None:
    rows = read("discr_si.csv")
    for mean, deviation in sorted({(row["mu"], row["sd"]) for row in rows}):
        theirs = [row["w"] for row in rows if (row["mu"], row["sd"]) == (mean, deviation)]
        assert np.allclose(gamma_interval(mean, deviation, len(theirs) - 1), theirs, rtol=0, atol=1e-12)
    ours = infectivity(column("Flu2009_incidence.csv", "I"), column("Flu2009_si.csv", "w"))
    assert np.allclose(ours, column("Flu2009_overall_infectivity.csv", "Lambda"), equal_nan=True, rtol=1e-12)


def test_wallinga_teunis_is_that_of_epiestim_and_its_trees_scatter_around_it() -> None:
    counts, weights = column("Flu2009_incidence.csv", "I"), column("Flu2009_si.csv", "w")
    windows = windows_of(len(counts), 7)
    found = wallinga_teunis(counts, weights, *windows)
    assert np.allclose(found.mean, column("Flu2009_wallinga_teunis_w7.csv", "Mean(R)"), rtol=1e-9) and np.isnan(found.quantiles).all()
    trees = wallinga_teunis(counts, weights, *windows, simulations=2000, seed=3)
    assert np.allclose(trees.quantiles[:, 3], found.mean, atol=0.1) and (trees.deviation > 0).all()  # a median of few whole numbers
    again = wallinga_teunis(counts, weights, *windows, simulations=2000, seed=3)
    assert np.array_equal(trees.quantiles, again.quantiles)


def test_windows_written_out_and_imported_cases() -> None:
    rng = np.random.default_rng(2)
    counts, weights = rng.poisson(9, 30).astype(float), np.array([0.0, 0.2, 0.5, 0.3])
    imported = np.minimum(rng.poisson(3, 30), counts)
    found = cori(counts, weights, np.array([8]), np.array([12]), imported=imported, mean_prior=2, deviation_prior=2)
    pressure = sum(counts[t - s] * weights[s] for t in range(8, 13) for s in (1, 2, 3))
    assert found.mean[0] == pytest.approx((1 + (counts - imported)[8:13].sum()) / (0.5 + pressure), rel=1e-12)


def test_an_uncertain_interval_widens_and_one_that_is_certain_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(np.exp(np.linspace(1, 4, 40))).astype(float)
    first, last = windows_of(40, 7)
    sure = cori(counts, gamma_interval(5, 2, 39), first, last)
    same = cori_uncertain(counts, np.repeat(gamma_interval(5, 2, 39)[None], 3, axis=0), first, last)
    assert np.allclose(sure.quantiles, same.quantiles, rtol=1e-9, equal_nan=True) and np.allclose(sure.deviation, same.deviation, equal_nan=True)
    drawn = sampled_intervals((5, 1.5, 2, 9), (2, 0.5, 1, 4), 39, 200, 1)
    wide = cori_uncertain(counts, drawn, first, last)
    spans = [one.quantiles[20, 6] - one.quantiles[20, 0] for one in (sure, wide)]
    assert spans[1] > 1.5 * spans[0]
    posterior = [cori(counts, one, first, last) for one in drawn]
    samples = np.concatenate([rng.gamma((one.mean[20] / one.deviation[20]) ** 2, one.deviation[20] ** 2 / one.mean[20], 2000) for one in posterior])
    assert np.allclose(np.quantile(samples, LEVELS), wide.quantiles[20], rtol=0.02)


def test_the_truth_of_an_epidemic_lies_within_the_limits() -> None:
    truth, weights, inside = np.r_[np.full(30, 1.6), np.full(40, 0.8)], gamma_interval(4, 2, 70), []
    for seed in range(60):
        rng, counts = np.random.default_rng(seed), np.zeros(70)
        counts[0] = 20
        for day in range(1, 70):
            counts[day] = rng.poisson(truth[day] * sum(counts[day - lag] * weights[lag] for lag in range(1, day + 1)))
        found = cori(counts, weights, np.array([20, 50]), np.array([26, 56]), mean_prior=1, deviation_prior=1)
        inside += [(found.quantiles[0, 0] <= 1.6 <= found.quantiles[0, 6]), (found.quantiles[1, 0] <= 0.8 <= found.quantiles[1, 6])]
    assert 0.88 <= np.mean(inside) <= 1.0


def test_a_file_of_days_gives_windows_with_dates(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("date,count\n2026-03-01,4\n2026-03-02,5\n2026-03-04,7\n2026-03-08,6\n2026-03-12,9\n", "utf-8")
    rows = reproduction_of(AskedReproduction(file, settings=("mean_si=3", "std_si=1.5", "window=5")))
    assert [row["first_on"] for row in rows][:2] == ["2026-03-02", "2026-03-03"] and rows[0]["cases"] == 12
    counts = np.array([4, 5, 0, 7, 0, 0, 0, 6, 0, 0, 0, 9.0])
    assert rows[-1]["r"] == pytest.approx(cori(counts, gamma_interval(3, 1.5, 12), *windows_of(12, 5)).mean[-1])


@pytest.mark.parametrize(("text", "settings", "field"), [
    ("date,count\n2026-03-01,x\n", ("mean_si=3", "std_si=1"), "count"), ("date,count\n2026-13-01,1\n", ("mean_si=3", "std_si=1"), "date"),
    ("date,count\n2099-01-01,1\n", ("mean_si=3", "std_si=1"), "date"), ("day,count\n1,1\n", ("mean_si=3", "std_si=1"), "date"),
    ("date,count\n2026-03-01,-2\n", ("mean_si=3", "std_si=1"), "count"), ("date,count\n2026-03-01,2\n", ("mean_si=3", "std_si=1"), "date"),
    ("date,count\n2026-03-01,2\n2026-03-20,1\n", (), "--set mean_si, std_si"), ("date,count\n2026-03-01,2\n", ("mean=3",), "--set"),
    ("date,count\n", (), "date")])
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, settings: tuple[str, ...], field: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(Refusal) as refused:
        reproduction_of(AskedReproduction(file, settings=settings))
    assert refused.value.problems[0].field == field and refused.value.problems[0].mend
