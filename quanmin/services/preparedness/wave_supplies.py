"""What a wave takes week by week beside beds: tests against what laboratories can do, protective equipment, consumables, equipment and medicines.

A week is seven days from the first day of the wave; quantities are those of the WHO Essential Supplies Forecasting Tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from quanmin.catalog.messages import language
from quanmin.catalog.supplies import listed, quantities
from quanmin.catalog.wording import unit_in
from quanmin.model import Label
from quanmin.services.preparedness.case_management import courses, medicines, needed, supplies
from quanmin.services.preparedness.esft import WEEK, Setting, used_in_weeks
from quanmin.services.preparedness.laboratory import MILD, SEVERE, Demand, Strategy, capacity, demand_of, laboratories, laboratory_staff, shares_by_kind
from quanmin.services.preparedness.scenario import Scenario
from quanmin.services.preparedness.surge import Surge
from quanmin.services.preparedness.workforce import CLEANERS_TIMES, per_patient

WARD = {"severe": "ward", "critical": "icu"}  # class of severity → where it lies
USUAL = Setting()


@dataclass(frozen=True)
class TestWeek:
    """Tests of a week by whom they are for, against what laboratories can do in it (None where nothing is registered); `share` of those wanted is done."""

    week: int
    on: str
    cases: float
    diagnosis: float
    release: float
    moderate: float
    mild: float
    suspected: float
    contacts: float
    staff: float
    wanted: float
    capacity: float | None
    done: float | None
    share: float | None


@dataclass(frozen=True)
class SupplyNeed:
    """What a wave takes of an item: in all, in its busiest week (counted from 1, and the day it begins), and week by week; what is used again is got once."""

    group: str
    item: str
    name: str
    unit: str
    total: float
    peak_week: int
    peak_on: str
    peak_amount: float
    by_week: tuple[float, ...]


@dataclass(frozen=True)
class Weeks:
    """A wave in weeks, arrays [weeks] of the whole region: persons newly ill by class, admitted and discharged, bed-days, and the fullest day of the week."""

    new: Mapping[str, np.ndarray]
    admitted: Mapping[str, np.ndarray]
    discharged: Mapping[str, np.ndarray]
    bed_days: Mapping[str, np.ndarray]
    fullest: Mapping[str, np.ndarray]


def _in_weeks(daily: np.ndarray) -> np.ndarray:
    """Days of the region [days × counties] as weeks [weeks × 7], the last filled up with nothing."""
    total = daily.sum(axis=1)
    return np.concatenate([total, np.zeros(-len(total) % WEEK)]).reshape(-1, WEEK)


def weeks_of(found: Surge, moderate_share: float) -> Weeks:
    """The weeks of a wave: those in wards are the severe, those in intensive care the critical, others who consult the mild and moderate."""
    one = found.wave
    admitted = {name: _in_weeks(found.admitted[of]).sum(axis=1) for name, of in WARD.items()}
    consulting = _in_weeks(found.new_cases).sum(axis=1) * max(0.0, one.consulting_share - one.shares["ward"] - one.shares["icu"])
    new = {"moderate": consulting * moderate_share, "mild": consulting * (1 - moderate_share)} | admitted
    left = {name: np.concatenate([np.zeros((one.stays[of], len(one.counties))), found.admitted[of]])[: one.days + 1] for name, of in WARD.items()}
    beds = {name: _in_weeks(found.need[of]) for name, of in WARD.items()}
    return Weeks(new, admitted, {name: _in_weeks(values).sum(axis=1) for name, values in left.items()},
                 {name: values.sum(axis=1) for name, values in beds.items()}, {name: values.max(axis=1) for name, values in beds.items()})


def _person_days(weeks: Weeks, testing: Mapping[str, Any], infectious_days: float, technicians: tuple[float, float]) -> dict[str, np.ndarray]:
    """Person-days of each week by driver of use."""
    beds = sum(weeks.bed_days.values())
    isolated = (weeks.new["mild"] + weeks.new["moderate"]) * infectious_days
    screened = (weeks.new["mild"] + weeks.new["moderate"] + sum(weeks.new.values()) * testing["suspected_per_case"]) * testing["tested_share"]
    staff = {group: sum(days * per_patient(group, name) for name, days in weeks.bed_days.items()) for group in ("hcw", "cleaner")}
    return {name: np.asarray(values) for name, values in {
        "hcw": staff["hcw"], "cleaner": staff["cleaner"] * CLEANERS_TIMES,
        "ambulance_worker": beds * USUAL.ambulance_workers_per_bed, "engineer": beds * USUAL.engineers_per_bed,
        "screening_hcw": screened / USUAL.screened_per_staff_day, "lab_technician": np.full(len(isolated), technicians[0] * WEEK),
        "lab_cleaner": np.full(len(isolated), technicians[1] * WEEK), "patient": beds, "isolated_patient": isolated, "isolation_caregiver": isolated,
        "screened_patient": screened}.items()}


def _strategy(testing: Mapping[str, Any]) -> Strategy:
    return Strategy(testing["tested_share"], testing["tests_mild"], testing["tests_severe"], testing["tests_release"], testing["suspected_per_case"],
                    testing["contacts_per_case"], testing["contacts_tested"], testing["tests_staff_week"], testing["antigen_share"],
                    (testing["deaths_severe"], testing["deaths_critical"]))


def _laboratories(scenario: Scenario) -> tuple[float | None, Mapping[str, float], tuple[float, float]]:
    """(tests a week or None, kind of test → share, technicians and cleaners) from tests a day as reported, else from the instruments."""
    testing, per_week, park = scenario.of("testing"), 0.0, dict[str, float]()
    for row in scenario.rows("county"):
        if row["tests_per_day"] is not None:
            per_week += row["tests_per_day"] * WEEK
        else:
            for name, modules in row["instruments"].items():
                park[name] = park.get(name, 0.0) + modules
    able, antigen = capacity(park, testing["laboratory_hours"]), testing["antigen_share"]
    from_park = sum(one.for_disease for one in able)
    total = per_week + from_park
    kinds = {kind: share * from_park / total for kind, (_, share) in shares_by_kind(able, antigen).items()} if from_park else {}
    reported = (per_week / total if total else 1.0) * (1 - antigen)
    kinds |= {"all": 1.0, "antigen": antigen} | ({"pcr": reported} if reported > 0 else {})
    return total or None, kinds, laboratory_staff(laboratories(park))


def _tests(demand: Demand, weeks: Weeks, able: float | None, days: tuple[str, ...]) -> tuple[TestWeek, ...]:
    cases, wanted = sum(weeks.new.values()), demand.wanted
    parts = {name: getattr(demand, name) for name in ("diagnosis", "release", "moderate", "mild", "suspected", "contacts", "staff")}
    rows = []
    for at, on in enumerate(days):
        done = None if able is None else min(float(wanted[at]), able)
        rows.append(TestWeek(week=at + 1, on=on, cases=float(np.asarray(cases)[at]), wanted=float(wanted[at]), capacity=able, done=done,
                             share=None if done is None or not wanted[at] else done / float(wanted[at]),
                             **{name: float(part[at]) for name, part in parts.items()}))
    return tuple(rows)


def _need(group: str, item: str, label: Label, unit: str, by_week: np.ndarray, days: tuple[str, ...]) -> list[SupplyNeed]:
    """The row of an item, none where nothing is taken of it."""
    if not by_week.any():
        return []
    peak = int(by_week.argmax())
    return [SupplyNeed(group, item, label.in_language(language()), unit_in(unit, language()), float(by_week.sum()), peak + 1, days[peak], float(by_week[peak]),
                       tuple(by_week.tolist()))]


def wave_supplies(found: Surge, scenario: Scenario) -> tuple[tuple[TestWeek, ...], tuple[SupplyNeed, ...]]:
    """Tests by week, and every item that the wave takes."""
    testing, start = scenario.of("testing"), scenario.of("")["starts_on"]
    weeks = weeks_of(found, testing["moderate_share"])
    count = len(weeks.new["mild"])
    days = tuple(_on(start, at * WEEK) for at in range(count))
    able, kinds, technicians = _laboratories(scenario)
    person_days = _person_days(weeks, testing, found.wave.infectious_days, technicians)
    staff = np.asarray(sum(person_days[name] for name in ("hcw", "cleaner", "ambulance_worker", "engineer", "screening_hcw"))) / WEEK + sum(technicians)
    demand = demand_of(_strategy(testing), weeks.new, {name: weeks.discharged[name] for name in SEVERE}, weeks.admitted, weeks.discharged, staff)
    tests = _tests(demand, weeks, able, days)
    done = demand.wanted if able is None else np.minimum(demand.wanted, able)
    rows = [row for kit in listed("test_supplies") if kit["kind"] in kinds
            for row in _need("test", kit["item"], Label(kit["zh"], kit["en"]), kit["unit"], done * kinds[kit["kind"]], days)]
    rows += [row for one in quantities().values() for row in _need("protective", one.id, one.label, one.unit, used_in_weeks(one, person_days), days)]
    mean = {name: values / WEEK for name, values in weeks.bed_days.items()}
    for one in supplies().values():
        parts = needed(one, weeks.admitted, weeks.fullest if one.is_reusable else mean)
        rows += _need(one.group, one.id, one.label, one.unit, np.asarray(sum(parts.values())), days)
    is_covid = testing["is_covid"]
    for drug in medicines().values():
        if is_covid or not drug.is_for_covid:
            rows += _need("medicine", drug.id, drug.label, drug.unit, courses(drug, {name: weeks.new[name] for name in (*SEVERE, *MILD)}), days)
    return tests, tuple(rows)


def _on(start: date | None, day: int) -> str:
    return "" if start is None else (start + timedelta(days=day)).isoformat()
