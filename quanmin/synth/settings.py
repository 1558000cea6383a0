"""The period, the rates and the sizes that the synthetic region is made with."""

from __future__ import annotations

from datetime import date

import numpy as np


def epoch_day(year: int, month: int, day: int = 1) -> int:
    """Days since 1970-01-01."""
    return (date(year, month, day) - date(1970, 1, 1)).days


FIRST_YEAR, FIRST_MONTH, MONTHS = 2021, 11, 60
MONTH_STARTS = np.array(
    [epoch_day(FIRST_YEAR + (FIRST_MONTH - 1 + k) // 12, (FIRST_MONTH - 1 + k) % 12 + 1) for k in range(MONTHS + 1)], dtype=np.int64
)
START, END = int(MONTH_STARTS[0]), int(MONTH_STARTS[-1]) - 1
MONTH_NAMES = [f"{FIRST_YEAR + (FIRST_MONTH - 1 + k) // 12}-{(FIRST_MONTH - 1 + k) % 12 + 1:02d}" for k in range(MONTHS)]

# When an institution was connected it sent its history year by year; since January 2026 it sends every month.
LIVE_FROM = MONTH_NAMES.index("2026-01")
BACKFILL = ("2021-11_2022-12", "2023", "2024", "2025")
BACKFILL_MONTHS = (14, 12, 12, 12)
BATCHES = [*BACKFILL, *MONTH_NAMES[LIVE_FROM:]]
BATCH_OF_MONTH = np.concatenate([np.repeat(np.arange(len(BACKFILL)), BACKFILL_MONTHS), len(BACKFILL) + np.arange(MONTHS - LIVE_FROM)])

BLOCK = 20_000  # residents made at once; memory depends on this, never on the size of the region
YEARS = np.arange(2021, 2027)  # of the population table; counted on 31 December, in 2026 on 31 October
YEAR_ENDS = np.array([min(epoch_day(int(y), 12, 31), END) for y in YEARS])

STAYS_PER_YEAR, VISITS_PER_YEAR = 0.165, 2.5
BIRTHS_PER_YEAR = 0.0068
MOVED_IN, MOVED_OUT, MOVED_WITHIN = 0.025, 0.025, 0.02  # shares of the residents over the five years
INSURED = 0.95
OUTSIDE_SHARE = 0.03  # of the local stays: people from elsewhere
CHARGES_FROM = epoch_day(2025, 11)  # stays discharged and visits made since then have itemised charges
OVERCHARGED = 0.0035  # of the stays with lines, for each kind of planted overcharge and for its innocent look-alike
CLAIMED_VISITS = 0.2  # of the visits of insured residents
CAPITAL_SHARE = {"avoidable": 0.45, "needed": 0.40}

MISSING_ID, WRONG_DIGIT = 0.04, 0.015
VARIANT_NAME, TYPO_NAME = 0.012, 0.002
ERROR_SHARE = 0.00025  # of the rows, for each planted kind of error
REJECT_SHARE = 0.0002


def month_of(days: np.ndarray) -> np.ndarray:
    """Index of the month (0 = November 2021) of epoch days; outside the period -1 or 60."""
    return np.searchsorted(MONTH_STARTS, days, side="right") - 1
