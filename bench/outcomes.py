"""(i) Outcomes over a region's real mix of cases: false alarms per hospital-year, and how soon a planted excess of deaths is found.

python -m bench.outcomes SITE [SITE …] | python -m bench i (a site of RESIDENTS). The site's stays stay what they are; their deaths are drawn anew from the
region's own model, SEEDS times, and everything is learnt again each time: without any excess, what signals is a false alarm; with the odds at one
hospital times ODDS, the month counted from the first is that of its first signal. The same over a region GROWN times as large, each hospital's stays drawn
with replacement and its risks taken as known, GROWN_SEEDS times: what the platform would see of a city of a million. No peer offers charts of a site; the
parts are held against R's and statsmodels' figures in bench.risk and tests/services/quality.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.increment import manifest, take
from quanmin.services.quality.comparison import FEWEST_EXPECTED, compared
from quanmin.services.quality.following import DAYS_A_YEAR, FEWEST_STAYS, limit_of
from quanmin.services.quality.following_on_site import followed
from quanmin.services.quality.learning import TABLE, Learnt, columns_of, learn, outcome_of
from quanmin.site import Site, make_site
from quanmin.synth import make_region

RESIDENTS, SEEDS, GROWN_SEEDS, GROWN, ODDS = 50_000, 5, 10, 20, 1.8
HOSPITAL = "990106H001"  # where the synthetic region has its planted excess


def _read(site: Site) -> tuple[pa.Table, Learnt, float]:
    columns = ", ".join(columns_of(outcome_of("death")))
    stays = site.indicators().engine.table(f"SELECT {columns} FROM {TABLE}")
    started = time.perf_counter()
    return stays, learn(outcome_of("death"), stays, "9999-12"), time.perf_counter() - started


def _drawn(chance: np.ndarray, own: slice, odds: float, rng: np.random.Generator) -> np.ndarray:
    raised = chance.copy()
    raised[own] = odds * chance[own] / (1 - chance[own] + odds * chance[own])
    return rng.random(chance.size) < raised


def _place(found: Learnt, at: int) -> slice:
    return slice(int(found.edges[at]), int(found.edges[at + 1]))


def _sums(found: Learnt) -> tuple[np.ndarray, np.ndarray]:
    return np.add.reduceat(found.happened, found.edges[:-1]), np.add.reduceat(found.expected, found.edges[:-1])


def _followed(found: Learnt, at: int) -> tuple[float, int, int]:
    """Hospital-years, signals for worse, and the month (from 1) of the first; 0 where there is none."""
    told = followed(found, at)
    if told is None:
        return 0.0, 0, 0
    worse = [one.month for one in told.signals if one.side == "worse"]
    days = found.discharged[_place(found, at)]
    years = float((days[-1] - days[0]).astype(int) + 1) / DAYS_A_YEAR
    first = 12 * (int(worse[0][:4]) - int(told.first_month[:4])) + int(worse[0][5:]) - int(told.first_month[5:]) + 1 if worse else 0
    return years, len(worse), first


def _learnt_again(stays: pa.Table, first: Learnt, chance: np.ndarray, odds: float, rng: np.random.Generator) -> Learnt:
    """Everything from the start with other deaths."""
    at = first.units.index(HOSPITAL)
    died = _drawn(chance, _place(first, at), odds, rng)
    kept = stays.set_column(stays.schema.get_field_index("died"), "died", pa.array(died))
    return learn(first.outcome, kept, "9999-12")


def _in_order(stays: pa.Table) -> pa.Table:
    """The stays a model is learnt from, in its order."""
    import pyarrow.compute as pc

    used = stays.filter(pc.and_(pc.is_null(stays["excluded_code"]), pc.is_valid(stays["died"])))
    return used.sort_by([("facility_code", "ascending"), ("discharged_on", "ascending"), ("hospitalisation_id", "ascending")])


def _small(stays: pa.Table, first: Learnt, chance: np.ndarray) -> dict[str, Any]:
    """The region as it is, learnt again for every draw."""
    years, alarms, flags, units, months, flagged, rng = 0.0, 0, 0, 0, [], 0, np.random.default_rng(7)
    at = first.units.index(HOSPITAL)
    for _ in range(SEEDS):
        quiet = _learnt_again(stays, first, chance, 1.0, rng)
        observed, expected = _sums(quiet)
        told = compared(observed, expected)
        flags, units = flags + int((told.outside == 2).sum()), units + int((~told.is_few).sum())
        for unit in np.flatnonzero((expected >= FEWEST_EXPECTED) & (np.diff(quiet.edges) >= FEWEST_STAYS)):
            of, signals, _ = _followed(quiet, int(unit))
            years, alarms = years + of, alarms + signals
        raised = _learnt_again(stays, first, chance, ODDS, rng)
        months.append(_followed(raised, at)[2])
        flagged += int(compared(*_sums(raised)).outside[at] == 2)
    return {"hospital_years": round(years), "false_alarms_per_hospital_year": round(alarms / years, 3),
            "flagged_without_excess_share": round(flags / units, 4)} | _told(months, flagged)


def _told(months: list[int], flagged: int) -> dict[str, Any]:
    found = [month for month in months if month]
    return {"planted_found_share": len(found) / len(months), "median_months_to_find": float(np.median(found)) if found else None,
            "planted_flagged_share": flagged / len(months)}


def _large(first: Learnt, chance: np.ndarray) -> dict[str, Any]:
    """The region GROWN times as large, what is expected known."""
    rng, sizes = np.random.default_rng(9), np.diff(first.edges)
    at, months, flagged, alarms, years = first.units.index(HOSPITAL), [], 0, 0, 0.0
    for _ in range(GROWN_SEEDS):
        picked = np.concatenate([np.sort(rng.integers(first.edges[u], first.edges[u + 1], GROWN * size)) for u, size in enumerate(sizes)])
        grown = replace(first, edges=first.edges * GROWN, expected=chance[picked], discharged=first.discharged[picked])
        for odds in (1.0, ODDS):
            told = replace(grown, kept={}, happened=_drawn(grown.expected, _place(grown, at), odds, rng).astype(np.float64))
            of, signals, month = _followed(told, at)
            if odds > 1:
                months.append(month)
                flagged += int(compared(*_sums(told)).outside[at] == 2)
            else:
                years, alarms = years + of, alarms + signals
    limit = limit_of("worse", chance[_place(first, at)], GROWN * sizes[at] / 5)
    return {"grown": GROWN, "false_alarms_per_hospital_year": round(alarms / years, 3), "months_to_notice_twice_the_odds": round(limit.months_to_notice, 1)} | (
        _told(months, flagged))


def measured(site: Site) -> dict[str, Any]:
    """All figures of one site."""
    stays, first, seconds = _read(site)
    used, at = _in_order(stays), first.units.index(HOSPITAL)
    observed, expected = _sums(first)
    chance = first.expected
    return {"bench": "outcomes", "stays": first.happened.size, "deaths": int(first.happened.sum()), "columns": len(first.model.names),
            "seconds_to_learn": round(seconds, 2), "c_statistic_elsewhere": round(first.validated.c_statistic, 3),
            "calibration_slope_elsewhere": round(first.validated.slope, 3), "designed_false_alarms_per_hospital_year": 0.1,
            "planted": {"odds_ratio": ODDS, "observed": int(observed[at]), "expected": round(float(expected[at]), 1),
                        "outside": int(compared(observed, expected).outside[at]), "first_signal_month": _followed(first, at)[2]},
            "as_it_is": _small(used, first, chance), "grown": _large(first, chance)}


def run(folder: Path) -> dict[str, Any]:
    """A site of RESIDENTS; the results of that size."""
    make_region(folder / "region", residents=RESIDENTS, seed=9)
    site = make_site(folder / "site", "990100")
    take(site, folder / "region", manifest(folder / "region"))
    site.build()
    return measured(site)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(measured(Site(Path(name))), indent=1))
