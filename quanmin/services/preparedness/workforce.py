"""Staff of a wave from hours of care: how many a bed takes by severity, how many of the staff there are may treat and screen.

Source: WHO COVID-19 Essential Supplies Forecasting Tool v4 with the hours of its Health Workforce Estimator (learnt from the R package `esft`, MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from quanmin.catalog.supplies import listed
from quanmin.model import Label

SHIFT = 8
CLASSES = ("mild", "moderate", "severe", "critical", "screened")
CLEANERS_TIMES = 10  # a factor of the tool, which does not say why
DIGITS = 5  # the tool rounds its shares


@dataclass(frozen=True)
class Cadre:
    """A kind of staff and its hours a day with a patient of each class."""

    id: str
    label: Label
    group: str
    hours: Mapping[str, float]


@dataclass(frozen=True)
class Workforce:
    """How much staff a bed takes, and how many there are at most for treating, screening, cleaning; shares are of all staff."""

    staff_per_bed: float
    cleaners_per_bed: float
    screened_per_staff_day: float
    critical_share: float
    inpatient_share_of_staff: float
    treating_share: float
    screening_share: float
    staff_cap: float
    screening_cap: float
    cleaners_cap: float


@cache
def cadres() -> tuple[Cadre, ...]:
    """The kinds of staff with their hours."""
    return tuple(Cadre(row["cadre"], Label(row["zh"], row["en"]), row["group"], {name: float(row[name] or 0) for name in CLASSES})
                 for row in listed("care_hours"))


def per_patient(group: str, of: str) -> float:
    """Persons of a group (hcw, cleaner, office) that a patient of a class takes, each a shift a day."""
    return sum(one.hours[of] for one in cadres() if one.group == group) / SHIFT


def workforce(severe_beds: float, critical_beds: float, staff: float, beds: float, elsewhere: float = 0.4, inpatient: float = 0.2) -> Workforce:
    """Staff from beds in use (bed-weeks of the whole forecast, by class), all staff, all beds, the share kept elsewhere and that of cases in a bed."""
    both = severe_beds + critical_beds
    critical = critical_beds / both if both else 0.0
    per_bed = {group: per_patient(group, "severe") * (1 - critical) + per_patient(group, "critical") * critical for group in ("hcw", "cleaner")}
    cleaners = per_bed["cleaner"] * CLEANERS_TIMES
    screened = 1 / per_patient("hcw", "screened")
    outpatient = (1 - inpatient) * round(1 / screened, DIGITS)
    ratio = round(inpatient * per_bed["hcw"] / (inpatient * per_bed["hcw"] + outpatient), DIGITS)
    treating = round(ratio * (1 - elsewhere), DIGITS)
    screening = round(1 - elsewhere - treating, DIGITS)
    return Workforce(per_bed["hcw"], cleaners, screened, round(critical, DIGITS), ratio, treating, screening, round(treating * staff, DIGITS),
                     round(screening * staff, DIGITS), beds * cleaners)
