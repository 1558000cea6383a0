"""The answer about a surge: what is short, where and from which day, with every figure's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from quanmin.services.preparedness.scenario import Scenario
from quanmin.services.preparedness.surge import CLASSES, Clinic, Surge, SurgeSwing, Wave, bottleneck, surge, surge_swings, wave_of
from quanmin.services.preparedness.testing_answer import Assumption, Sum, assumptions_of, finite, spoken, told
from quanmin.services.preparedness.wave_supplies import SupplyNeed, TestWeek, wave_supplies


@dataclass(frozen=True)
class Shortage:
    """A class in a county: its supply once all that can be converted is, its highest need, the worst gap, and the first day (and date) it is short."""

    county: str
    name: str
    of: str
    supply: float | None
    peak_need: float
    peak_day: int
    worst_gap: float
    first_day: int | None
    first_on: str
    days_short: int


@dataclass(frozen=True)
class DayNeed:
    """A day in a county: new cases and the need of every class."""

    day: int
    on: str
    county: str
    new_cases: float
    ward: float
    icu: float
    ventilator: float
    oxygen_m3: float
    nurses: float


@dataclass(frozen=True)
class SurgeAnswer:
    """What a wave asks for. `bottleneck` is the class that is short first, "" where none is; shares are of the region's people."""

    name: str
    counties: tuple[str, ...]
    people: float
    days: int
    attack_share: float
    peak_day: int
    peak_on: str
    peak_new_cases: float
    bottleneck: str
    first_day: int | None
    first_on: str
    first_county: str
    shortages: tuple[Shortage, ...]
    clinics: tuple[Clinic, ...]
    sums: tuple[Sum, ...]
    course: tuple[DayNeed, ...]
    swings: tuple[SurgeSwing, ...]
    tests: tuple[TestWeek, ...]
    supplies: tuple[SupplyNeed, ...]
    assumptions: tuple[Assumption, ...]


def _on(start: date | None, day: int | None) -> str:
    return "" if start is None or day is None else (start + timedelta(days=day)).isoformat()


def _shortages(found: Surge, names: list[str], start: date | None) -> tuple[Shortage, ...]:
    rows = []
    for of in CLASSES:
        gap = found.short(of)
        for at, county in enumerate(found.wave.counties):
            need, first = found.need[of][:, at], found.first_day[of][at]
            peak = int(need.argmax())
            rows.append(Shortage(county, names[at], of, finite(float(found.supply[of][-1, at])), float(need[peak]), peak, float(gap[:, at].max()), first,
                                 _on(start, first), int((gap[:, at] > 0).sum())))
    return tuple(rows)


def _sums(one: Wave, found: Surge) -> tuple[Sum, ...]:
    people, peak = float(one.people.sum()), int(found.new_cases.sum(axis=1).argmax())
    ever = float(found.course.ever_infected[-1].sum() + found.course.exposed[-1].sum() - (one.people * one.immune_share).sum())
    in_force = one.reproduction * (1 - one.contact_reduction)
    worst = {of: int(found.need[of].sum(axis=1).argmax()) for of in CLASSES}
    need = {of: float(found.need[of].sum(axis=1)[worst[of]]) for of in CLASSES}
    ward, icu, vent = (float(found.need[of].sum(axis=1)[worst["oxygen"]]) for of in ("ward", "icu", "ventilator"))
    vent = min(vent, icu)
    o, n = one.oxygen, one.nursing
    nurses = (float(found.need[of].sum(axis=1)[worst["nurse"]]) for of in ("ward", "icu"))
    w, i = nurses
    return (
        Sum("effective_reproduction", f"{one.reproduction:g} × (1 − {one.contact_reduction:g}) × (1 − {one.immune_share:g})",
            in_force * (1 - one.immune_share), ""),
        Sum("attack", f"{told(ever)} ÷ {told(people)}", 100 * ever / people if people else None, "%"),
        Sum("peak_cases", "max Σ Δ(I + R)", float(found.new_cases.sum(axis=1)[peak]), "/d"),
        Sum("admissions_at_peak", f"{told(float(found.new_cases.sum(axis=1)[peak]))} × {one.shares['ward']:g}",
            float(found.new_cases.sum(axis=1)[peak]) * one.shares["ward"], "/d"),
        Sum("ward_need", f"Σ {one.stays['ward']} d", need["ward"], ""), Sum("icu_need", f"Σ {one.stays['icu']} d", need["icu"], ""),
        Sum("oxygen_need", f"({told(ward)} × {o['ward_share']:g} × {o['ward_lpm']:g} + {told(icu - vent)} × {o['icu_lpm']:g} + {told(vent)} × "
            f"{o['ventilated_lpm']:g}) × 1.44", need["oxygen"], "m³/d"),
        Sum("nurse_need", f"({told(w)} × {n['ward_hours']:g} + {told(i)} × {n['icu_hours']:g}) ÷ {n['shift_hours']:g}", need["nurse"], "/d"))


def surge_answer(scenario: Scenario, is_whole: bool = True) -> SurgeAnswer:
    """Run a checked scenario; without `is_whole` no sensitivity, no tests and no supplies."""
    one, start = wave_of(scenario), scenario.of("")["starts_on"]
    found, names = surge(one), [spoken(row["name"], row["id"]) for row in scenario.rows("county")]
    shortages, short_of = _shortages(found, names, start), bottleneck(found)
    first = min((row for row in shortages if row.of == short_of and row.first_day is not None), key=lambda row: row.first_day or 0, default=None)
    new, people = found.new_cases.sum(axis=1), float(one.people.sum())
    peak = int(new.argmax())
    days = tuple(DayNeed(day, _on(start, day), county, float(found.new_cases[day, at]), *(float(found.need[of][day, at]) for of in CLASSES))
                 for at, county in enumerate(one.counties) for day in range(one.days + 1))
    tests, supplies = wave_supplies(found, scenario) if is_whole else ((), ())
    caught = float((found.course.recovered[-1] + found.course.infected[-1] + found.course.exposed[-1] - one.people * one.immune_share).sum())
    return SurgeAnswer(
        spoken(scenario.label, "surge"), tuple(names), people, one.days, caught / people if people else 0.0, peak, _on(start, peak), float(new[peak]),
        short_of or "",
        first.first_day if first else None, first.first_on if first else "", first.name if first else "", shortages, found.clinics, _sums(one, found), days,
        surge_swings(one, short_of or "icu") if is_whole else (), tests, supplies, assumptions_of(scenario))


def by_day(answer: SurgeAnswer, field: str, county: str = "") -> np.ndarray:
    """A field of the course by day, of one county or of all together."""
    values = np.array([getattr(row, field) for row in answer.course if county in ("", row.county)], dtype=float)
    return np.asarray(values.reshape(-1, answer.days + 1).sum(axis=0))
