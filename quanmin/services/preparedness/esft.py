"""Consumption from activity: patients, staff and protective equipment week by week from new cases, as the WHO Essential Supplies Forecasting Tool counts them.

Severity shares, stays in whole weeks, beds as a cap, staff per occupied bed as a cap, screening of ten suspected per positive, and quantities per person-day.
Source: WHO COVID-19 Essential Supplies Forecasting Tool v4 (parameters and quantities transcribed from its R implementation, package `esft`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quanmin.catalog.supplies import Quantity, quantities

CLASSES = ("mild", "moderate", "severe", "critical")
WEEK = 7


@dataclass(frozen=True)
class Setting:
    """The parameters of a forecast; shares add up to one, stays are whole weeks, beds and staff are what there is."""

    shares: Mapping[str, float] = field(default_factory=lambda: {"mild": 0.4, "moderate": 0.4, "severe": 0.15, "critical": 0.05})
    stay_weeks: Mapping[str, int] = field(default_factory=lambda: {"mild": 2, "moderate": 2, "severe": 1, "critical": 2})
    severe_beds: float = 0.0
    critical_beds: float = 0.0
    staff_per_bed: float = 2.577095402333
    cleaners_per_bed: float = 0.6766883306044
    staff_cap: float = math.inf
    cleaners_cap: float = math.inf
    screening_cap: float = math.inf
    ambulance_workers_per_bed: float = 0.06
    engineers_per_bed: float = 0.02
    caregivers_in_isolation: float = 1.0
    suspected_per_case: float = 10.0
    screened_per_staff_day: float = 10.0
    lab_technicians: float = 0.0
    lab_cleaners: float = 0.0
    beds_per_facility: float = 40.0


@dataclass(frozen=True)
class Forecast:
    """Weeks by what they hold: arrays [weeks]; `person_days` driver → person-days of the week, `use` item → units of the week.

    `removed` are those whose stay has ended, in a bed or not; `wanted` is the staff that patients take, `staff` what there is of it; `facilities` are in use.
    """

    new: Mapping[str, np.ndarray]
    in_care: Mapping[str, np.ndarray]
    beds_in_use: Mapping[str, np.ndarray]
    admitted: Mapping[str, np.ndarray]
    discharged: Mapping[str, np.ndarray]
    removed: Mapping[str, np.ndarray]
    suspected: np.ndarray
    facilities: np.ndarray
    wanted: Mapping[str, np.ndarray]
    staff: Mapping[str, np.ndarray]
    person_days: Mapping[str, np.ndarray]
    use: Mapping[str, np.ndarray]


def _in_care(new: np.ndarray, weeks: int) -> np.ndarray:
    """Those of the last `weeks` weeks, this one included."""
    total = np.cumsum(new)
    return np.asarray(total - np.concatenate([np.zeros(weeks), total[:-weeks]])[: len(new)])


def _after(new: np.ndarray, weeks: int) -> np.ndarray:
    """Those of so many weeks before."""
    return np.concatenate([np.zeros(weeks), new])[: len(new)]


def _wards(new: np.ndarray, patients: np.ndarray, beds: float, stay: int, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beds in use, admitted and discharged from week `first` on; those in bed the week before count as admitted then."""
    used = np.minimum(patients, beds)
    admitted, discharged = np.zeros(len(new)), np.zeros(len(new))
    if first:
        admitted[first - 1] = used[first - 1]
    for week in range(first, len(new)):
        discharged[week] = admitted[week - stay] if week - stay >= max(0, first - 1) else 0.0
        before = used[week - 1] if week else 0.0
        admitted[week] = min(new[week], beds - before + discharged[week])
    return used, admitted, discharged


def used_in_weeks(item: Quantity, person_days: Mapping[str, np.ndarray]) -> np.ndarray:
    """Units of an item in each week from the person-days of its drivers [weeks]; of what is used again, whole pieces for everybody of the week."""
    total: np.ndarray | float = 0.0
    for driver, amount in item.use.items():
        if driver in person_days:
            total = total + person_days[driver] * (math.ceil(amount * WEEK - 1e-9) / WEEK if item.is_reusable else amount)
    return np.asarray(total + np.zeros(len(next(iter(person_days.values())))))


def forecast(cases: npt.ArrayLike, one: Setting, first: int = 0, items: Mapping[str, Quantity] | None = None) -> Forecast:
    """The weeks of an epidemic from weekly new cases [weeks]; `first` is the week the forecast begins, those before only fill the beds."""
    weekly = np.asarray(cases, dtype=float)
    new = {name: weekly * one.shares[name] for name in CLASSES}
    care = {name: _in_care(new[name], one.stay_weeks[name]) for name in CLASSES}
    wards = {name: _wards(new[name], care[name], beds, one.stay_weeks[name], first)
             for name, beds in (("severe", one.severe_beds), ("critical", one.critical_beds))}
    beds = wards["severe"][0] + wards["critical"][0]
    screened = weekly * one.suspected_per_case + new["mild"] + new["moderate"]
    wanted = {"hcw": beds * one.staff_per_bed, "cleaner": beds * one.cleaners_per_bed, "screening_hcw": screened / one.screened_per_staff_day / WEEK}
    staff = {
        "hcw": np.minimum(wanted["hcw"], one.staff_cap), "cleaner": np.minimum(wanted["cleaner"], one.cleaners_cap),
        "ambulance_worker": np.round(beds * one.ambulance_workers_per_bed), "engineer": np.round(beds * one.engineers_per_bed),
        "screening_hcw": np.minimum(wanted["screening_hcw"], one.screening_cap),
        "lab_technician": np.full(len(weekly), one.lab_technicians), "lab_cleaner": np.full(len(weekly), one.lab_cleaners)}
    isolated = sum((new[name] * one.stay_weeks[name] for name in ("mild", "moderate")), np.zeros(len(weekly))) * WEEK
    days = {name: count * WEEK for name, count in staff.items()} | {
        "patient": beds * WEEK, "isolated_patient": isolated, "isolation_caregiver": isolated * one.caregivers_in_isolation,
        "screened_patient": isolated}  # the tool's worked example gives the screened as many as the isolated in every week
    known = quantities() if items is None else items
    use = {name: used_in_weeks(item, days) for name, item in known.items()}

    def cut(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: value[first:] for name, value in values.items()}

    used, admitted, discharged = (cut({name: ward[k] for name, ward in wards.items()}) for k in range(3))
    removed = {name: _after(new[name], one.stay_weeks[name]) for name in CLASSES}
    facilities = np.ceil(beds / one.beds_per_facility)
    return Forecast(cut(new), cut(care), used, admitted, discharged, cut(removed), weekly[first:] * one.suspected_per_case, facilities[first:], cut(wanted),
                    cut(staff), cut(days), cut(use))
