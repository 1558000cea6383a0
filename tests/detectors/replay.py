"""Reading the runs of R's surveillance in ../shared/oracles, and running the same here."""

from __future__ import annotations

import csv
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest
from numpy.typing import NDArray

from quanmin.detectors.detect import detect
from quanmin.detectors.signals import Signals, Timeline

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "surveillance"
Numbers = NDArray[np.float64]


def oracle(name: str = "") -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name or 'surveillance'} is not at ../shared/oracles/surveillance")
    return path


def manifest() -> list[dict[str, str]]:
    path = FOLDER / "manifest.csv"
    return list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []


@cache
def columns(path: Path) -> dict[str, Any]:
    """The columns of a file: numbers (NA is NaN) or texts."""
    table = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True))
    found = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_text = "string" in str(column.type) or "date" in str(column.type)
        found[name] = column.to_pylist() if is_text else pc.cast(column, "double").to_numpy()
    return found


@cache
def series(name: str) -> tuple[tuple[str, ...], Numbers, Timeline]:
    """Units, counts and time axis of an input."""
    if name.startswith("syndromic"):
        base, more = (columns(oracle(f"syndromic/daily16_{part}.csv")) for part in ("base", "outbreak"))
        units = tuple(unit for unit in base if unit not in ("date", "t"))
        return units, np.array([base[unit] + more[unit] for unit in units]), Timeline(364, (2018, 1))
    found = columns(oracle(f"inputs/{name}.csv"))
    units = tuple(unit for unit in found if unit not in ("t", "date"))
    about = oracle("inputs") / f"{name}.json"
    card = json.loads(about.read_text("utf-8")) if about.exists() else {"freq": 52, "start": [1, 1]}
    dates = tuple(day if isinstance(day, date) else date.fromisoformat(day) for day in found["date"]) if "date" in found else None
    return units, np.array([found[unit] for unit in units], dtype=np.float64), Timeline(card["freq"], tuple(card["start"]), dates)


def by_unit(run: dict[str, Any], column: str, units: tuple[str, ...]) -> Numbers:
    """A column of a run as (unit, period), units in their order."""
    values, names = run[column], run["unit"]
    assert list(dict.fromkeys(names)) == list(units)[: len(dict.fromkeys(names))]
    return np.asarray(values, dtype=np.float64).reshape(len(dict.fromkeys(names)), -1)


def replayed(row: dict[str, str]) -> tuple[Signals, dict[str, Any], tuple[str, ...]]:
    """A run of the manifest done here, the run itself, and its units."""
    units, counts, timeline = series(row["input"])
    run, settings = columns(oracle(f"runs/{row['run']}.csv")), json.loads(row["params"])
    settings["fallback"] = False
    if "pi0" in settings:
        units = ("y",)
    if "mu0" in settings:
        settings["mu0"] = by_unit(run, "expected", units)
    if "pi0" in settings:
        settings["pi0"] = by_unit(run, "pi0", units)
        people = columns(oracle(f"inputs/{row['input']}_population.csv"))
        settings["population"] = np.array([people[name] for name in people if name != "t"])
    return detect(counts, row["algorithm"], timeline=timeline, workers=1, **settings), run, units
