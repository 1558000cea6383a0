"""A campaign of mass testing as arrays: areas with their tables, laboratories with their capacity by hour, and the road between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.services.preparedness.laboratory import platforms
from quanmin.services.preparedness.scenario import Field, Part, Scenario

KIND = "mass_testing"
MOST = {"hours_per_day": 24, "pool": 50}
EARTH_KM = 6371.0088
RATES = {"low": 60.0, "normal": 100.0, "optimised": 200.0}  # persons an hour at a table: first rounds, Beijing 2020, Minhang 2022 (transcribed from the press)
PARTS = (
    Part("", (Field("deadlines_days", 0.1, 60, [2, 3, 5], kind="list"), Field("most_days", 1, 60, 21, True))),
    Part("sampling", (
        Field("rate_per_table_hour", 1, 1000, words=RATES), Field("hours_per_day", 1, 24, is_whole=True), Field("shift_hours", 1, 24, 6),
        Field("staff_per_table", 0.1, 20, 2), Field("tables_per_point", 1, 20, 1), Field("pool_size", 1, 50, is_whole=True), Field("positive_share", 0, 1, 0.0),
        Field("people_per_point", 1, 1e6, 2500), Field("people_per_sampler", 1, 1e6, 360))),
    Part("transport", (
        Field("hours", 0, 48, 2, True), Field("vehicles_per_area", 0, 1000, 0, True), Field("tubes_per_vehicle", 1, 1e6, 1000, True),
        Field("every_hours", 1, 24, 1, True), Field("speed_kmh", 1, 200, 40), Field("detour", 1, 5, 1.3), Field("handling_hours", 0, 24, 1.0))),
    Part("laboratory", (Field("assay_hours", 0, 48, 6, True), Field("recall_hours", 0, 72, 4, True))),
    Part("costs", (
        Field("sampler_day_cny", 0, 1e5, 600), Field("point_day_cny", 0, 1e6, 800), Field("vehicle_day_cny", 0, 1e5, 1200),
        Field("lab_tube_cny", 0, 1e5, 30))),
    Part("area", (
        Field("id", kind="text"), Field("name", kind="label", is_optional=True), Field("population", 0, 1e9, is_whole=True),
        Field("points", 0, 1e6, is_optional=True), Field("staff", 0, 1e7, is_optional=True), Field("vehicles", 0, 1e5, is_whole=True, is_optional=True),
        Field("transport_hours", 0, 48, is_whole=True, is_optional=True),
        Field("longitude", -180, 180, is_optional=True), Field("latitude", -90, 90, is_optional=True)), True, 1),
    Part("lab", (
        Field("id", kind="text"), Field("name", kind="label", is_optional=True), Field("tubes_per_hour", 0, 1e6, is_optional=True),
        Field("instruments", 0, 10_000, {}, kind="map", choices=tuple(platforms())), Field("hours_per_day", 1, 24, 24, True),
        Field("starts_hour", 0, 23, 0, True),
        Field("available_share", 0, 1, 1.0), Field("longitude", -180, 180, is_optional=True), Field("latitude", -90, 90, is_optional=True)), True, 1),
)


@dataclass(frozen=True)
class Campaign:
    """What is simulated. Arrays: [areas], `lag` [areas × labs] whole hours, `capacity` [labs × 24] tubes by hour of the campaign's day.

    Hour 0 is when sampling begins. `tables` are tables staffed at once (fractions: staffed part of the time), `vehicles` 0 means as many as needed.
    """

    areas: tuple[str, ...]
    labs: tuple[str, ...]
    people: np.ndarray
    points: np.ndarray
    staff: np.ndarray
    vehicles: np.ndarray
    lag: np.ndarray
    capacity: np.ndarray
    rate: float
    hours_per_day: int
    shift_hours: float
    staff_per_table: float
    tables_per_point: float
    pool: int
    positive_share: float
    vehicle_tubes: int
    every_hours: int
    assay_hours: int
    recall_hours: int
    most_days: int = 21
    is_fluid: bool = False

    @property
    def shifts(self) -> int:
        """Shifts a day that the open hours need."""
        return max(1, math.ceil(self.hours_per_day / self.shift_hours - 1e-9))

    @property
    def tables(self) -> np.ndarray:
        """Tables open at once: what points have room for, or what the staff of one shift can man."""
        return np.minimum(self.points * self.tables_per_point, self.staff / (self.staff_per_table * self.shifts))

    @property
    def persons_per_hour(self) -> np.ndarray:
        """What each area can sample in an open hour."""
        return self.tables * self.rate

    @property
    def tubes(self) -> float:
        """Tubes of the first pass if every tube were full."""
        return float(self.people.sum()) / self.pool

    def scaled(self, **factors: float) -> Campaign:
        """The same with a resource or parameter times a factor: `teams` is staff and points, `lab` the capacity of every laboratory."""
        changes: dict[str, Any] = {}
        for name, factor in factors.items():
            if name == "teams":
                changes |= {"staff": self.staff * factor, "points": self.points * factor}
            elif name == "lab":
                changes["capacity"] = self.capacity * factor
            elif name in MOST:
                changes[name] = int(min(MOST[name], max(1, round(getattr(self, name) * factor))))
            elif name in ("lag", "assay_hours", "recall_hours", "vehicles"):
                value = np.ceil(np.asarray(getattr(self, name)) * factor - 1e-9).astype(int)
                changes[name] = int(value) if value.ndim == 0 else value
            elif name == "people":
                changes["people"] = np.round(self.people * factor)
            else:
                changes[name] = getattr(self, name) * factor
        return replace(self, **changes)


def hourly_capacity(instruments: dict[str, float], hours: float) -> float:
    """Tubes an hour of a park of instruments that runs `hours` a day: its throughput in 8, 16 or 24 hours, between them by straight lines."""
    return sum(count * platforms()[name].per_day(hours) for name, count in instruments.items()) / hours


def _road_hours(areas: Sequence[dict[str, Any]], labs: Sequence[dict[str, Any]], transport: dict[str, Any]) -> np.ndarray:
    """Hours from area to laboratory [areas × labs]: as given, else from coordinates (great circle × detour ÷ speed + handling), else the default."""
    found = np.full((len(areas), len(labs)), float(transport["hours"]))
    for i, area in enumerate(areas):
        for j, lab in enumerate(labs):
            if area["transport_hours"] is not None:
                found[i, j] = area["transport_hours"]
            elif None not in (area["longitude"], area["latitude"], lab["longitude"], lab["latitude"]):
                km = _great_circle(area["longitude"], area["latitude"], lab["longitude"], lab["latitude"]) * transport["detour"]
                found[i, j] = km / transport["speed_kmh"] + transport["handling_hours"]
    return np.ceil(found - 1e-9).astype(int)


def _great_circle(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Kilometres between two places in degrees."""
    a, b, c = math.radians(lat), math.radians(other_lat), math.radians(other_lon - lon)
    inner = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(c / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, inner)))


def _capacity(lab: dict[str, Any]) -> np.ndarray:
    """Tubes by hour of the day."""
    hours = int(lab["hours_per_day"])
    rate = lab["tubes_per_hour"] if lab["tubes_per_hour"] is not None else hourly_capacity(lab["instruments"], hours)
    found = np.zeros(24)
    found[(int(lab["starts_hour"]) + np.arange(hours)) % 24] = rate * lab["available_share"]
    return found


def campaign_of(scenario: Scenario) -> Campaign:
    """The campaign of a checked scenario; points and staff that are not given follow the rule of the guide (one per so many residents).

    Raises Refusal for a laboratory without capacity.
    """
    sampling, transport, laboratory = scenario.of("sampling"), scenario.of("transport"), scenario.of("laboratory")
    areas, labs = scenario.rows("area"), scenario.rows("lab")
    if idle := [at for at, lab in enumerate(labs) if lab["tubes_per_hour"] is None and not lab["instruments"]]:
        raise Refusal(*(Problem(KIND, None, f"lab[{at}]", labs[at]["id"][:60], say("scenario_missing"), "tubes_per_hour = 100") for at in idle))
    people = np.array([area["population"] for area in areas], dtype=float)
    points = [math.ceil(n / sampling["people_per_point"]) if area["points"] is None else area["points"] for area, n in zip(areas, people, strict=True)]
    staff = [math.ceil(n / sampling["people_per_sampler"]) if area["staff"] is None else area["staff"] for area, n in zip(areas, people, strict=True)]
    vehicles = [transport["vehicles_per_area"] if area["vehicles"] is None else area["vehicles"] for area in areas]
    return Campaign(
        tuple(area["id"] for area in areas), tuple(lab["id"] for lab in labs), people, np.array(points, dtype=float), np.array(staff, dtype=float),
        np.array(vehicles, dtype=int), _road_hours(areas, labs, transport), np.array([_capacity(lab) for lab in labs]), float(sampling["rate_per_table_hour"]),
        int(sampling["hours_per_day"]), float(sampling["shift_hours"]), float(sampling["staff_per_table"]), float(sampling["tables_per_point"]),
        int(sampling["pool_size"]), float(sampling["positive_share"]), int(transport["tubes_per_vehicle"]), int(transport["every_hours"]),
        int(laboratory["assay_hours"]), int(laboratory["recall_hours"]),
        max(int(scenario.of("")["most_days"]), math.ceil(max(scenario.of("")["deadlines_days"]))))
