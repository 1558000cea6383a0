"""A surge of patients: an epidemic by county, what it asks of beds, ventilators, oxygen, nurses and fever clinics, and the first day each is short."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.services.preparedness.epidemic import Course, admissions, census, seir
from quanmin.services.preparedness.laboratory import platforms
from quanmin.services.preparedness.queues import day_of_queue, mean_wait, servers_needed, wait_probability
from quanmin.services.preparedness.scenario import Field, Part, Scenario

KIND = "surge"
CLASSES = ("ward", "icu", "ventilator", "oxygen", "nurse")
LITRES = 1440 / 1000  # m³ a day of 1 L/min
SWING = 0.2
PARTS = (
    Part("", (Field("days", 14, 730, 180, True), Field("starts_on", kind="date", is_optional=True))),
    Part("disease", (
        Field("model", kind="text", choices=("seir", "sir"), default="seir"), Field("reproduction", 0.1, 20), Field("latent_days", 0, 30, 3.0),
        Field("infectious_days", 1, 60), Field("contact_reduction", 0, 1, 0.0), Field("reduction_from_day", 0, 730, 0, True), Field("mixing", 0, 1, 0.1),
        Field("immune_share", 0, 1, 0.0), Field("ward_share", 0, 1), Field("icu_share", 0, 1), Field("ventilated_share", 0, 1),
        Field("ward_days", 1, 120, 7, True),
        Field("icu_days", 1, 120, 9, True), Field("ventilated_days", 1, 120, 10, True), Field("admission_delay_days", 0, 60, 5, True),
        Field("consulting_share", 0, 1, 0.3))),
    Part("beds", (
        Field("occupied_share", 0, 1, 0.75), Field("icu_occupied_share", 0, 1, 0.6), Field("ventilators_used_share", 0, 1, 0.4),
        Field("convertible_from_day", 0, 730, 7, True))),
    Part("oxygen", (Field("ward_share", 0, 1, 0.5), Field("ward_lpm", 0, 200, 10), Field("icu_lpm", 0, 200, 30), Field("ventilated_lpm", 0, 200, 30))),
    Part("nursing", (Field("ward_hours", 0, 24, 3.5), Field("icu_hours", 0, 48, 16), Field("shift_hours", 1, 24, 8), Field("on_duty_share", 0, 1, 0.25))),
    Part("clinic", (Field("hours_per_day", 1, 24, 12), Field("minutes_per_visit", 1, 240, 10), Field("most_wait_minutes", 0.1, 600, 30))),
    Part("testing", (
        Field("tested_share", 0, 1, 1.0), Field("tests_mild", 0, 10, 1), Field("tests_severe", 0, 10, 1), Field("tests_release", 0, 10, 1),
        Field("suspected_per_case", 0, 100, 10), Field("contacts_per_case", 0, 100, 10), Field("contacts_tested", 0, 1, 0.6),
        Field("tests_staff_week", 0, 7, 1), Field("antigen_share", 0, 0.8, 0.2), Field("deaths_severe", 0, 1, 0.134), Field("deaths_critical", 0, 1, 0.5),
        Field("moderate_share", 0, 1, 0.5), Field("laboratory_hours", 1, 24, 8), Field("is_covid", kind="flag", default=True))),
    Part("county", (
        Field("id", kind="text"), Field("name", kind="label", is_optional=True), Field("population", 1, 1e9), Field("infected", 0, 1e9, 0.0),
        Field("exposed", 0, 1e9, 0.0), Field("beds", 0, 1e7, 0), Field("icu_beds", 0, 1e6, 0), Field("ventilators", 0, 1e6, 0),
        Field("convertible_beds", 0, 1e7, 0),
        Field("convertible_icu_beds", 0, 1e6, 0), Field("nurses", 0, 1e7, 0), Field("oxygen_m3_day", 0, 1e9, is_optional=True),
        Field("rooms", 0, 5000, 1, True), Field("tests_per_day", 0, 1e9, is_optional=True),
        Field("instruments", 0, 10_000, {}, kind="map", choices=tuple(platforms()))),
        True, 1),
)


@dataclass(frozen=True)
class Wave:
    """What is simulated; arrays by county. Shares are of all infected (ventilated are among those in intensive care)."""

    counties: tuple[str, ...]
    people: np.ndarray
    infected: np.ndarray
    exposed: np.ndarray
    stock: Mapping[str, np.ndarray]  # class → what there is for the wave before anything is converted
    converted: Mapping[str, np.ndarray]  # class → what comes from `convertible_from` on
    rooms: np.ndarray
    days: int
    reproduction: float
    latent_days: float
    infectious_days: float
    contact_reduction: float
    reduction_from: int
    mixing: float
    immune_share: float
    shares: Mapping[str, float]
    stays: Mapping[str, int]
    delay: int
    consulting_share: float
    convertible_from: int
    oxygen: Mapping[str, float]
    nursing: Mapping[str, float]
    clinic: Mapping[str, float]

    def changed(self, name: str, factor: float) -> Wave:
        """The same with a parameter times a factor: a field, share:ward …, stay:icu …, or stock."""
        kind, _, which = name.partition(":")
        if kind == "share":
            return replace(self, shares=dict(self.shares) | {which: min(1.0, self.shares[which] * factor)})
        if kind == "stay":
            return replace(self, stays=dict(self.stays) | {which: max(1, round(self.stays[which] * factor))})
        if kind == "stock":
            return replace(self, stock={key: value * factor if key == which else value for key, value in self.stock.items()})
        if kind == "contact_reduction":
            return replace(self, contact_reduction=min(1.0, self.contact_reduction * factor))
        return replace(self, **{kind: getattr(self, kind) * factor})


@dataclass(frozen=True)
class Clinic:
    """A county's fever clinics on the busiest day: visits, load in erlangs, waits, rooms for the wait that is wanted, and days on which some are left over."""

    county: str
    rooms: int
    peak_day: int
    peak_visits: float
    load: float
    wait_probability: float
    wait_minutes: float | None
    rooms_needed: int
    overrun_days: int
    most_left_over: float


@dataclass(frozen=True)
class Surge:
    """Need and supply by class, arrays [days + 1 × counties] (whole beds, oxygen in m³ a day); `first_day` is None where nothing is short."""

    wave: Wave
    course: Course
    new_cases: np.ndarray
    admitted: Mapping[str, np.ndarray]
    need: Mapping[str, np.ndarray]
    supply: Mapping[str, np.ndarray]
    first_day: Mapping[str, tuple[int | None, ...]]
    clinics: tuple[Clinic, ...]

    def short(self, of: str) -> np.ndarray:
        """How much of a class is missing on each day in each county."""
        return np.asarray(np.maximum(0.0, self.need[of] - self.supply[of]))


def wave_of(scenario: Scenario) -> Wave:
    """The wave of a checked scenario; raises Refusal where more are ill or immune than there are people."""
    disease, beds, rows = scenario.of("disease"), scenario.of("beds"), scenario.rows("county")

    def column(name: str) -> np.ndarray:
        return np.array([row[name] or 0 for row in rows], dtype=float)

    over = np.nonzero(column("infected") + column("exposed") + column("population") * disease["immune_share"] > column("population"))[0]
    if len(over):
        raise Refusal(*(Problem(KIND, None, f"county[{at}].infected", f"{rows[at]['infected']:g}", say("scenario_too_many"), say("scenario_mend_too_many"))
                        for at in over))
    oxygen = np.array([math.inf if row["oxygen_m3_day"] is None else row["oxygen_m3_day"] for row in rows], dtype=float)
    stock = {"ward": np.floor(column("beds") * (1 - beds["occupied_share"])), "icu": np.floor(column("icu_beds") * (1 - beds["icu_occupied_share"])),
             "ventilator": np.floor(column("ventilators") * (1 - beds["ventilators_used_share"])), "oxygen": oxygen,
             "nurse": np.floor(column("nurses") * scenario.of("nursing")["on_duty_share"])}
    converted = {"ward": column("convertible_beds"), "icu": column("convertible_icu_beds")}
    shares = {"ward": disease["ward_share"], "icu": disease["icu_share"], "ventilator": disease["ventilated_share"]}
    stays = {"ward": disease["ward_days"], "icu": disease["icu_days"], "ventilator": disease["ventilated_days"]}
    return Wave(tuple(row["id"] for row in rows), column("population"), column("infected"), column("exposed"), stock, converted, column("rooms"),
                int(scenario.of("")["days"]), disease["reproduction"],
                disease["latent_days"] if disease["model"] == "seir" else 0.0, disease["infectious_days"],
                disease["contact_reduction"], int(disease["reduction_from_day"]), disease["mixing"], disease["immune_share"], shares,
                {name: int(days) for name, days in stays.items()}, int(disease["admission_delay_days"]), disease["consulting_share"],
                int(beds["convertible_from_day"]), scenario.of("oxygen"), scenario.of("nursing"), scenario.of("clinic"))


def _delayed(values: np.ndarray, days: int) -> np.ndarray:
    return np.concatenate([np.zeros((min(days, len(values)), *values.shape[1:])), values[: max(0, len(values) - days)]]) if days else values


def _clinics(one: Wave, new_cases: np.ndarray) -> tuple[Clinic, ...]:
    visits, clinic = new_cases * one.consulting_share, one.clinic
    found = []
    for at, county in enumerate(one.counties):
        peak = int(visits[:, at].argmax())
        load = float(visits[peak, at]) / clinic["hours_per_day"] * clinic["minutes_per_visit"] / 60
        rooms = int(one.rooms[at])
        wait = mean_wait(rooms, load) * clinic["minutes_per_visit"] if load else 0.0
        left = day_of_queue(visits[:, at], rooms * clinic["hours_per_day"] * 60 / clinic["minutes_per_visit"])
        found.append(Clinic(county, rooms, peak, float(visits[peak, at]), load, wait_probability(rooms, load), wait if math.isfinite(wait) else None,
                            servers_needed(load, clinic["most_wait_minutes"] / clinic["minutes_per_visit"]), int((left > 0).sum()), float(left.max())))
    return tuple(found)


def surge(one: Wave) -> Surge:
    """Run a wave: who falls ill, who is in a bed, what is short from when."""
    day = np.arange(one.days)
    strength = one.reproduction * np.where(day >= one.reduction_from, 1 - one.contact_reduction, 1.0)
    course = seir(one.people, one.exposed, one.infected, strength, one.latent_days, one.infectious_days, one.mixing, one.immune_share)
    new_cases = np.nan_to_num(admissions(course, 1.0))
    admitted = {name: _delayed(new_cases * share, one.delay) for name, share in one.shares.items()}
    need = {name: np.floor(np.nan_to_num(census(value, one.stays[name])) + 0.5) for name, value in admitted.items()}
    oxygen, nursing = one.oxygen, one.nursing
    breathing = np.minimum(need["ventilator"], need["icu"])
    need["oxygen"] = LITRES * (need["ward"] * oxygen["ward_share"] * oxygen["ward_lpm"] + (need["icu"] - breathing) * oxygen["icu_lpm"]
                               + breathing * oxygen["ventilated_lpm"])
    need["nurse"] = np.ceil((need["ward"] * nursing["ward_hours"] + need["icu"] * nursing["icu_hours"]) / nursing["shift_hours"] - 1e-9)
    is_converted = (np.arange(one.days + 1) >= one.convertible_from)[:, None]
    supply = {name: np.broadcast_to(one.stock[name], need[name].shape) + is_converted * one.converted.get(name, 0.0) for name in CLASSES}
    first = {name: tuple(_first(column) for column in (need[name] > supply[name]).T) for name in CLASSES}
    return Surge(one, course, new_cases, admitted, need, supply, first, _clinics(one, new_cases))


def _first(is_short: np.ndarray) -> int | None:
    return int(is_short.argmax()) if is_short.any() else None


def bottleneck(found: Surge) -> str | None:
    """The class that is short first in any county, the widest gap relative to its supply among equals; None where nothing is short."""
    ranked = []
    for name in CLASSES:
        days = [day for day in found.first_day[name] if day is not None]
        if days:
            supplied = float(found.supply[name].sum(axis=1).max())
            ranked.append((min(days), -float(found.short(name).sum(axis=1).max()) / max(1.0, supplied), name))
    return min(ranked)[2] if ranked else None


@dataclass(frozen=True)
class SurgeSwing:
    """The worst day's gap of a class over all counties with a parameter a fifth lower and higher."""

    parameter: str
    low: float
    high: float


def surge_swings(one: Wave, of: str) -> tuple[SurgeSwing, ...]:
    """What the worst day's gap in a class is sensitive to, the widest first."""
    own = of if of in one.shares else "ward"
    names = ["reproduction", "infectious_days", "latent_days", "contact_reduction", "mixing", f"share:{own}", f"stay:{own}", f"stock:{of}"]
    found = []
    for name in names:
        low, high = (float(surge(one.changed(name, 1 + sign * SWING)).short(of).sum(axis=1).max()) for sign in (-1, 1))
        found.append(SurgeSwing(name, low, high))
    return tuple(sorted(found, key=lambda swing: -abs(swing.high - swing.low)))
