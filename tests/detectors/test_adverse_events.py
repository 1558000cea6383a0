"""Adverse events: equal to the published measures and critical values, fair where there is only chance, and named where a file is wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from quanmin.cli import app
from quanmin.detectors.disproportionality import PRIOR, disproportionality, empirical_bayes, fitted_prior, rates_per_dose
from quanmin.detectors.maxsprt import chance_to_signal, critical_value, log_ratio, watch
from quanmin.model import Refusal
from quanmin.services.surveillance.adverse_files import AskedAdverse, adverse_events_of

ORACLES = Path(__file__).parents[3] / "shared" / "oracles" / "surveillance" / "aefi"
NAMES = {"expected": "expected", "rr": "RR", "prr": "PRR", "prr_low": "PRR_lo", "prr_high": "PRR_hi", "ror": "ROR", "ror_low": "ROR_lo", "ror_high": "ROR_hi",
         "chi2": "chi2", "chi2_yates": "chi2_yates", "ic": "IC", "ic025": "IC025", "ic975": "IC975", "ebgm": "EBGM_fixed_prior", "eb05": "EB05", "eb95": "EB95",
         "fisher_p": "fisher_p"}


def read(name: str) -> list[dict[str, str]]:
    if not (ORACLES / name).exists():
        pytest.skip(f"{name} is not at ../shared/oracles/surveillance/aefi")
    with (ORACLES / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_measures_of_two_by_two_tables_are_the_published_ones() -> None:
    rows = read("disproportionality.csv")
    found = disproportionality(*(np.array([float(row[cell]) for row in rows]) for cell in "abcd"))
    for ours, theirs in NAMES.items():
        values = np.array([float(row[theirs]) if row[theirs] else np.nan for row in rows])
        assert np.allclose(getattr(found, ours), values, rtol=1e-7, atol=1e-12, equal_nan=True), ours


def test_critical_values_and_power_are_the_published_ones() -> None:
    for row in read("maxsprt_poisson_cv.csv"):
        upper, least = float(row["T"]), int(row["M"])
        found = critical_value(upper, float(row["alpha"]), least)
        if not row["CV"]:
            assert found is None
            continue
        assert found == pytest.approx(float(row["CV"]), abs=1e-8)
        assert chance_to_signal(upper, found, least, 2.0) == pytest.approx(float(row["power_rr2"]), abs=1e-9)


def test_a_watch_signals_by_chance_as_often_as_it_says() -> None:
    rng, signals = np.random.default_rng(3), 0
    critical = critical_value(5.0)
    for _ in range(4000):
        times = np.cumsum(rng.exponential(size=40))
        times = times[times <= 5.0]
        signals += bool((log_ratio(np.arange(1, len(times) + 1), times) >= critical).any())
    assert abs(signals / 4000 - 0.05) < 0.012
    found = watch(np.array([1, 4, 9]), np.array([1.0, 1.5, 2.0]), 5.0)
    assert found.first == 2 and found.signal.tolist() == [False, False, True] and found.critical == critical


def test_a_fitted_prior_is_near_the_one_that_made_the_counts() -> None:
    rng, truth = np.random.default_rng(1), (3.0, 3.0, 4.0, 0.8, 0.8)
    expected = rng.gamma(1, 8, 4000)
    ratio = np.where(rng.random(4000) < truth[4], rng.gamma(truth[0], 1 / truth[1], 4000), rng.gamma(truth[2], 1 / truth[3], 4000))
    observed = rng.poisson(ratio * expected).astype(float)
    prior = fitted_prior(observed, expected)
    means = sorted((prior[0] / prior[1], prior[2] / prior[3]))
    assert means == pytest.approx([1.0, 5.0], rel=0.25)
    ours, published = (empirical_bayes(observed, expected, one) for one in (prior, PRIOR))
    assert np.mean((ratio >= ours[1]) & (ratio <= ours[2])) == pytest.approx(0.9, abs=0.03)
    assert np.abs(np.log(ours[0]) - np.log(ratio)).mean() <= np.abs(np.log(published[0]) - np.log(ratio)).mean()


def test_rates_per_dose_have_exact_limits() -> None:
    found = rates_per_dose(np.array([0, 7]), np.array([50_000, 140_000]), np.array([2.0, 2.0]))
    assert found.rate.tolist() == [0, 5] and found.low[0] == 0
    assert found.high[0] == pytest.approx(stats.chi2.ppf(0.975, 2) / 2 * 2) and found.high[1] == pytest.approx(stats.chi2.ppf(0.975, 16) / 2 / 1.4)
    assert found.p == pytest.approx([1.0, stats.poisson.sf(6, 2.0)]) and found.ratio.tolist() == [0, 3.5]


def test_files_of_reports_rates_and_looks(tmp_path: Path) -> None:
    pairs, rates, looks = tmp_path / "pairs.csv", tmp_path / "rates.csv", tmp_path / "looks.csv"
    pairs.write_text("product,event,count\nA,fever,30\nA,rash,10\nB,fever,20\nB,rash,40\nB,fit,5\n", "utf-8")
    told = adverse_events_of(AskedAdverse(pairs))
    assert [told[0][name] for name in ("product", "event", "a", "b", "c", "d")] == ["A", "fever", 30, 10, 20, 45]
    assert told[0]["prr"] == pytest.approx((30 / 40) / (20 / 65)) and len(told) == 5
    rates.write_text("vaccine,events,doses,expected\nX,7,140000,2\n", "utf-8")
    assert adverse_events_of(AskedAdverse(rates))[0]["vaccine"] == "X" and adverse_events_of(AskedAdverse(rates))[0]["rate"] == 5
    looks.write_text("week,events,expected\n1,1,1\n2,3,0.5\n3,5,0.5\n", "utf-8")
    assert [row["signal"] for row in adverse_events_of(AskedAdverse(looks, settings=("T=5",)))] == [False, False, True]


def test_commands_write_what_the_functions_find(tmp_path: Path) -> None:
    rates, days, cases, out = tmp_path / "rates.csv", tmp_path / "days.csv", tmp_path / "cases.csv", tmp_path / "out.csv"
    rates.write_text("events,doses\n7,140000\n", "utf-8")
    days.write_text("date,count\n" + "".join(f"2026-03-{day:02d},{day}\n" for day in range(1, 21)), "utf-8")
    cases.write_text("onset,report\n" + "".join(f"2026-03-{day:02d},2026-03-{min(day + day % 4, 28):02d}\n" for day in range(1, 29) for _ in range(9)), "utf-8")
    for words, column, value in ((["adverse-events", str(rates)], "rate", 5.0),
                                 (["reproduction", str(days), "--set", "mean_si=3", "--set", "std_si=1"], "cases", 119),
                                 (["nowcast", str(cases), "--set", "D=5"], "reported", 9)):
        shown = CliRunner().invoke(app, words)
        result = CliRunner().invoke(app, [*words, "--out", str(out)])
        assert shown.exit_code == result.exit_code == 0, shown.output + result.output
        with out.open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert float(rows[-1][column]) == value
    assert isinstance(CliRunner().invoke(app, ["nowcast", str(rates)]).exception, Refusal)


@pytest.mark.parametrize(("text", "measure", "settings", "field"), [
    ("a,b,c,d\n1,2,3,x\n", "", (), "d"), ("a,b,c,d\n1,2,3,-4\n", "", (), "d"), ("a,b,c,d\n0,0,3,4\n", "", (), "a"), ("x,y\n1,2\n", "", (), ""),
    ("events,doses\n5,0\n", "", (), "doses"), ("events,doses\n5,3\n", "", (), "events"), ("events,expected\n5,0.01\n", "", ("M=4",), "--set T"),
    ("a,b,c,d\n1,2,3,4\n", "guess", (), "--measure"), ("a,b,c,d\n", "", (), ""), ("a,b,c,d\n1,2,3,4\n", "", ("prior=mine",), "--set prior")])
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, measure: str, settings: tuple[str, ...], field: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(Refusal) as refused:
        adverse_events_of(AskedAdverse(file, measure, settings))
    assert refused.value.problems[0].field == field and refused.value.problems[0].rule
