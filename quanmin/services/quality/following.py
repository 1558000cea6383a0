"""One institution followed stay by stay: VLAD and risk-adjusted CUSUM for more and for less of an outcome, with limits from its own mix of risks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from quanmin.services.quality.charts import Cusum, ra_cusum, vlad
from quanmin.services.quality.run_length import limit_for, mean_run_length, simulated_run_length

Numbers = NDArray[np.float64]
SIDES = {"worse": 2.0, "better": 0.5}  # odds ratios looked for, Steiner 2000
FALSE_ALARM_YEARS = 10.0  # years of an institution's stays between false alarms on each side
DAYS_A_YEAR, MONTHS_A_YEAR = 365.25, 12.0
RISKS, NODES, TOLERANCE = 300, 150, 1e-3  # groups of risks, nodes of the chain and precision of the limit: run lengths come within a tenth of finer ones
DRAWS, FEWEST_RUNS, MOST_RUNS = 3_000_000, 20, 400  # of the simulation that states how often a chart is wrong
FEWEST_STAYS = 20
LEVEL = 0.95


@dataclass(frozen=True)
class Limit:
    """When a chart signals: at `limit`, for odds `odds` times those expected.

    `run_length` is the mean number of stays until a false alarm by Steiner's Markov chain, `false_alarms_per_year` the same from simulated charts of
    this institution's stays with its standard error; `months_to_notice` is how long odds changed by `odds` go unnoticed on average.
    """

    side: str
    odds: float
    limit: float
    run_length: float
    false_alarms_per_year: float
    standard_error: float
    months_to_notice: float


@dataclass(frozen=True)
class Charts:
    """The charts of an institution's stays in order of discharge; `sides` by name, none for days."""

    vlad: Numbers
    tails: Numbers
    sides: dict[str, Cusum]
    limits: tuple[Limit, ...]


def grouped_risks(risks: Numbers, groups: int = RISKS) -> Numbers:
    """The mix of risks in groups of equal size, each by its mean."""
    if risks.size <= groups:
        return risks
    return np.array([part.mean() for part in np.array_split(np.sort(risks), groups)])


def limit_of(side: str, risks: Numbers, stays_a_year: float) -> Limit:
    """The limit of one side for stays with these risks; raises ValueError where they are too few to follow."""
    odds, mix = SIDES[side], grouped_risks(risks)
    wanted = FALSE_ALARM_YEARS * stays_a_year
    found = limit_for(wanted, mix, odds, NODES, TOLERANCE)
    runs = int(np.clip(DRAWS / wanted, FEWEST_RUNS, MOST_RUNS))
    told = simulated_run_length(found, risks, odds, 1.0, runs)
    noticed = mean_run_length(found, mix, odds, odds, NODES)
    return Limit(side, odds, found, mean_run_length(found, mix, odds, 1.0, NODES), stays_a_year / told.mean,
                 stays_a_year / told.mean * told.standard_error / told.mean, noticed / stays_a_year * MONTHS_A_YEAR)


def charts_of(happened: Numbers, expected: Numbers, years: float, is_binary: bool, within: float = 1.0) -> Charts:
    """The charts of stays in order over so many years; of days a VLAD alone, whose tails come from the variance `within` of a day expected.

    Raises ValueError for fewer than FEWEST_STAYS stays.
    """
    if happened.size < FEWEST_STAYS:
        raise ValueError("too few stays to follow")
    z = float(special.ndtri((1 + LEVEL) / 2))
    if not is_binary:
        return Charts(np.cumsum(expected - happened), z * np.sqrt(within * np.cumsum(expected)), {}, ())
    limits = tuple(limit_of(side, expected, happened.size / years) for side in SIDES)
    sides = {one.side: ra_cusum(happened, expected, one.odds, one.limit) for one in limits}
    return Charts(vlad(happened, expected), z * np.sqrt(np.cumsum(expected * (1 - expected))), sides, limits)
