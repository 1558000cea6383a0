"""Reproduction numbers of a site: how many people a case infects, over windows of days of onset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from quanmin.detectors.reproduction import cori, gamma_interval, infectivity, windows_of
from quanmin.model.disease import NotifiableDisease, SerialInterval
from quanmin.services.surveillance.case_lines import CaseLines
from quanmin.services.surveillance.delays import onset_counts
from quanmin.services.surveillance.watching import WEEK, day_text, watch

NO_INTERVAL, NO_CASES, FEW_CASES = "no_interval", "no_cases", "few_cases"
LOW, HIGH = 0, -1  # of the levels of the detector: 2.5 % and 97.5 %
SPREADS = 6  # standard deviations of the serial interval that are looked at


@dataclass(frozen=True)
class WindowR:
    """R over the window that ends on a day: cases that began in it, posterior mean, 95 % credible limits."""

    last_on: str
    cases: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Transmission:
    """Cori's R of a disease over the last year; `reason` why there is none ("" where there is): no_interval, no_cases, few_cases.

    `serial` is the serial interval of the catalogue. Days after `cut_on` are left out: too few of their cases are reported; the days before carry the
    nowcast's mean. Imported cases are not told from local ones, so R is too high while cases come from elsewhere.
    """

    item: str
    place: str
    serial: SerialInterval | None
    window_days: int
    fewest: int
    cut_on: str
    reason: str
    windows: tuple[WindowR, ...]


def transmission(lines: CaseLines, item: str, place: str, counties: Collection[str], diseases: Mapping[str, NotifiableDisease]) -> Transmission:
    """R of a disease in some counties by day, where the serial interval is known and windows hold cases enough."""
    told, serial = watch()["reproduction"], diseases[item].serial
    if serial is None:
        return Transmission(item, place, None, 0, told["fewest"], "", NO_INTERVAL, ())
    length = told["window_days"][0 if serial.mean <= WEEK else 1]
    found = onset_counts(lines, item, counties, diseases)
    if found is None or not found.told.reported.any():
        return Transmission(item, place, serial, length, told["fewest"], "", NO_CASES, ())
    days = int((found.told.share >= told["least_reported"]).nonzero()[0].max()) + 1 if (found.told.share >= told["least_reported"]).any() else 0
    counts = found.told.mean[:days]
    first, last = windows_of(days, length)
    weights = gamma_interval(serial.mean, serial.deviation, int(np.ceil(serial.mean + SPREADS * serial.deviation)))
    sums = np.r_[0, np.cumsum(counts)]
    cases = sums[last + 1] - sums[first]
    r = cori(counts, weights, first, last)
    unfed = np.r_[0, np.cumsum(np.where(np.nan_to_num(infectivity(counts, weights)) < told["least_pressure"], counts, 0))]
    is_fed = unfed[last + 1] - unfed[first] <= told["most_unfed"] * cases
    kept = (cases >= told["fewest"]) & is_fed & np.isfinite(r.mean) & (last >= days - told["shown_days"])
    windows = tuple(WindowR(day_text(found.first_day + int(last[k])), round(float(cases[k])), float(r.mean[k]), float(r.quantiles[k, LOW]),
                            float(r.quantiles[k, HIGH]))
                    for k in np.flatnonzero(kept))
    return Transmission(item, place, serial, length, told["fewest"], day_text(found.first_day + days - 1), "" if windows else FEW_CASES, windows)
