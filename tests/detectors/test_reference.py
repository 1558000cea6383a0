"""Every run of R's `surveillance` in ../shared/oracles/surveillance/manifest.csv, done here: alarms equal, numbers to the tolerance of each."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import numpy as np
import pytest

from quanmin.detectors.detect import detect
from quanmin.detectors.signals import Timeline
from tests.detectors.replay import by_unit, columns, manifest, oracle, replayed, series

ROWS = [row for row in manifest() if not row["run"].startswith("mpm")]


def tolerance(text: str) -> float:
    found = re.search(r"1e-\d+", text)
    return float(found[0]) if found else 0.0


def same(ours: Any, theirs: Any, relative: float) -> None:
    """Equal to the tolerance, and missing in the same places."""
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=relative * 1e-3, equal_nan=True)


@pytest.mark.skipif(not ROWS, reason="no ../shared/oracles/surveillance")
@pytest.mark.parametrize("row", ROWS, ids=[row["run"] for row in ROWS])
def test_a_run_of_the_reference(row: dict[str, str]) -> None:
    told, run, units = replayed(row)
    alarm = by_unit(run, "alarm", units)
    np.testing.assert_array_equal(told.alarm, np.where(np.isnan(alarm), -1, alarm))
    near = tolerance(row["tol"])
    upper = by_unit(run, "upperbound", units)
    huge = (upper > 1e8) & ("muan" in row["run"])  # thresholds nobody compares with
    same(np.where(huge, 0, told.upper), np.where(huge, 0, upper), near)
    for column, ours in (("expected", told.expected), ("phi", told.phi), ("cusum", told.extra.get("cusum"))):
        if column in run and ours is not None:
            same(ours, by_unit(run, column, units), near)
    if "trend_coef" in run:
        theirs = by_unit(run, "trend_coef", units)
        same(np.nan_to_num(told.trend), np.where(np.abs(theirs) < 1e-12, 0, np.nan_to_num(theirs)), 1e-6)
        assert np.nanmax(np.abs(told.p_value - by_unit(run, "pvalue", units)), initial=0) < 1e-6


@pytest.mark.parametrize("row", [row for row in manifest() if row["run"].startswith("mpm")], ids=lambda row: row["run"])
def test_moving_percentiles(row: dict[str, str]) -> None:
    settings, (units, counts, timeline) = json.loads(row["params"]), series(row["input"])
    run = columns(oracle(f"runs/{row['run']}.csv"))
    percentiles, names = run["percentile"], np.array(run["unit"])
    for p in settings.pop("P"):
        there = percentiles == p
        for at_least, column in ((False, "alarm"), (True, "alarm_ge")):
            told = detect(counts, row["algorithm"], timeline=timeline, fallback=False, P=p, at_least=at_least, **settings)
            for s, unit in enumerate(units):
                mine = there & (names == unit)
                if mine.any():
                    same(told.upper[s], run["threshold"][mine], 1e-9)
                    same(told.observed[s], run["observed"][mine], 0)
                    np.testing.assert_array_equal(told.alarm[s], run[column][mine])


STATES = {"grey": 0, "blue": 1, "yellow": 2, "red": 3}


@pytest.mark.parametrize("detector, prefix", [("ewma", "ewma"), ("regression", "reg"), ("switch", "switch")])
def test_the_detectors_of_essence(detector: str, prefix: str) -> None:
    run = columns(oracle("syndromic/rnssp_essence_daily.csv"))
    count = len(set(run["series"]))
    days = tuple(day if isinstance(day, date) else date.fromisoformat(day) for day in run["date"][: len(run["date"]) // count])
    told = detect(run["count"].reshape(count, -1), "essence", timeline=Timeline(365, dates=days), fallback=False, detector=detector)
    colours = np.array([STATES[colour] for colour in run[f"{prefix}_alert"]]).reshape(count, -1)
    np.testing.assert_array_equal(told.extra["state"], colours)
    np.testing.assert_allclose(told.p_value, run[f"{prefix}_p"].reshape(count, -1), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(told.alarm, np.where(np.isnan(told.p_value), -1, colours == STATES["red"]))
    if detector != "switch":
        same(told.expected, run[f"{prefix}_expected"].reshape(count, -1), 1e-9)
        same(told.score, run[f"{prefix}_stat"].reshape(count, -1), 1e-9)


def test_limits_of_individuals() -> None:
    run = columns(oracle("quality/xmr_mdc_rules.csv"))
    stable = [at for at, name in enumerate(run["series"]) if name == run["series"][0]]
    assert len({run["rebase_group"][at] for at in stable}) == 1, "one stretch, so that its limits are those of the whole series"
    values = run["y"][stable][None, :]
    told = detect(values, "xmr", baseline="all", range={"from": 1, "to": len(stable)}, fallback=False)
    same(told.expected[0], run["mean"][stable], 1e-9)
    same(told.upper[0], run["upl"][stable], 1e-9)
    np.testing.assert_array_equal(told.alarm[0] == 1, values[0] > run["upl"][stable])
