"""Tests against laboratories: what a park of instruments can do in a week, what an epidemic asks of it by severity and strategy, and which tests that takes.

Source: WHO COVID-19 Essential Supplies Forecasting Tool v4 (formulas learnt from its R implementation, package `esft`, MIT).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from quanmin.catalog.supplies import listed
from quanmin.model import Label

HOURS = (0, 8, 16, 24)
SHIFT = 8
TECHNICIANS, CLEANERS = 3, 1  # of a laboratory
MILD = ("mild", "moderate")
SEVERE = ("severe", "critical")


@dataclass(frozen=True)
class Platform:
    """A kind of instrument: tests of one module in 8, 16 and 24 hours, days of work a week, the share left for the disease, modules that make a laboratory."""

    id: str
    label: Label
    kind: str
    tests: tuple[float, float, float]
    days_per_week: float
    share: float
    modules_per_laboratory: float

    def per_day(self, hours: float) -> float:
        """Tests of a module in a day of so many hours, by straight lines between those that are known."""
        return float(np.interp(hours, HOURS, (0, *self.tests)))


@dataclass(frozen=True)
class Capacity:
    """What the modules of a platform can do: tests of one module a day, of all in a week, and of those the ones left for the disease."""

    platform: Platform
    modules: float
    per_day: float
    per_week: float
    for_disease: float


@dataclass(frozen=True)
class Strategy:
    """Who is tested how often: shares of persons, tests a person. `tested_share` is of mild, moderate and suspected: 1 tests all, less is targeted."""

    tested_share: float = 1.0
    diagnosis_mild: float = 1.0
    diagnosis_severe: float = 1.0
    release_severe: float = 1.0
    suspected_per_case: float = 10.0
    contacts_per_case: float = 10.0
    contacts_tested: float = 0.6
    staff_per_week: float = 1.0
    antigen_share: float = 0.2
    deaths: tuple[float, float] = (0.134, 0.5)  # of severe and critical cases: who dies is not tested for release


@dataclass(frozen=True)
class Demand:
    """Tests by week, arrays [weeks]; `all_diagnosis` and `all_release` are of every severe and critical case, `diagnosis` and `release` of those in a bed."""

    all_diagnosis: np.ndarray
    all_release: np.ndarray
    diagnosis: np.ndarray
    release: np.ndarray
    moderate: np.ndarray
    mild: np.ndarray
    suspected: np.ndarray
    contacts: np.ndarray
    staff: np.ndarray

    @property
    def wanted(self) -> np.ndarray:
        """All tests of the week that the strategy asks for."""
        return np.asarray(self.diagnosis + self.release + self.mild + self.moderate + self.suspected + self.staff + self.contacts)


@cache
def platforms() -> Mapping[str, Platform]:
    """The instruments that are known, by id."""
    return {row["platform"]: Platform(row["platform"], Label(row["zh"], row["en"]), row["kind"],
                                      (float(row["tests_8h"]), float(row["tests_16h"]), float(row["tests_24h"])), float(row["days_per_week"]),
                                      float(row["share"]), float(row["modules_per_laboratory"])) for row in listed("laboratory_platforms")}


def capacity(park: Mapping[str, float], hours: float = SHIFT) -> tuple[Capacity, ...]:
    """What a park (platform → modules) can do that runs so many hours a day."""
    found = []
    for name, modules in park.items():
        one = platforms()[name]
        day = one.per_day(hours)
        week = day * modules * one.days_per_week
        found.append(Capacity(one, modules, day, week, week * one.share))
    return tuple(found)


def laboratories(park: Mapping[str, float]) -> float:
    """How many laboratories a park makes: three instruments each, four modules where they are small."""
    rooms: dict[float, float] = {}
    for name, modules in park.items():
        rooms[platforms()[name].modules_per_laboratory] = rooms.get(platforms()[name].modules_per_laboratory, 0.0) + modules
    return sum(count / size for size, count in sorted(rooms.items()))


def laboratory_staff(count: float, most_technicians: float = math.inf) -> tuple[float, float]:
    """Technicians (capped by those there are) and cleaners of so many laboratories, whole persons rounded up as the tool does, without any tolerance."""
    return min(float(math.ceil(count * TECHNICIANS)), most_technicians), float(math.ceil(count * CLEANERS))


def shares_by_kind(park: Sequence[Capacity], antigen_share: float) -> Mapping[str, tuple[float, float]]:
    """Kind of test → what can be done of it in a week, and its share of all tests; antigen tests make up the share that is wanted of them."""
    by_kind: dict[str, float] = {}
    for one in park:
        by_kind[one.platform.kind] = by_kind.get(one.platform.kind, 0.0) + one.for_disease
    total = sum(by_kind.values())
    if total <= 0:
        return {"antigen": (0.0, 1.0)}
    found = {kind: (tests, (1 - antigen_share) * tests / total) for kind, tests in by_kind.items()}
    return found | {"antigen": (total / (1 - antigen_share) - total if antigen_share < 1 else math.inf, antigen_share)}


def demand_of(one: Strategy, new: Mapping[str, np.ndarray], removed: Mapping[str, np.ndarray], admitted: Mapping[str, np.ndarray],
             discharged: Mapping[str, np.ndarray], staff: np.ndarray) -> Demand:
    """What a strategy asks for in each week; all mappings go from class of severity to persons of the week [weeks], `staff` is of all who are tested."""
    alive = dict(zip(SEVERE, (1 - share for share in one.deaths), strict=True))

    def of_severe(people: Mapping[str, np.ndarray], each: Mapping[str, float], tests: float) -> np.ndarray:
        return np.asarray(sum((people[name] * each[name] for name in SEVERE), np.zeros(len(staff))) * tests)

    each = dict.fromkeys(SEVERE, 1.0)
    all_diagnosis, all_release = of_severe(new, each, one.diagnosis_severe), of_severe(removed, alive, one.release_severe)
    mild, moderate = (new[name] * one.diagnosis_mild * one.tested_share for name in MILD)
    suspected = sum(new[name] for name in (*MILD, *SEVERE)) * one.suspected_per_case * one.diagnosis_mild * one.tested_share
    contacts = one.contacts_tested * one.contacts_per_case * (all_diagnosis + all_release + mild + moderate)
    return Demand(all_diagnosis, all_release, of_severe(admitted, each, one.diagnosis_severe), of_severe(discharged, alive, one.release_severe), moderate, mild,
                 np.asarray(suspected), contacts, staff * one.staff_per_week)
