"""What a site knows becomes a scenario's default: townships with their people, institutions with beds, staff and laboratories, within the asker's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.asker import Asker

RESOURCES = ("bed_count", "icu_bed_count", "infectious_bed_count", "convertible_bed_count", "nurse_count", "icu_nurse_count", "technical_staff_count",
             "pcr_tubes_per_day")
COUNTY_DIGITS, TOWNSHIP_DIGITS = 6, 9
MOST_INSTITUTIONS = 40  # of a stockpile: the largest


@dataclass(frozen=True)
class Place:
    """A county or township with its people."""

    code: str
    name: str
    name_en: str
    people: int
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class Institution:
    """An institution with its newest yearly figures (`has` by column, 0 where not reported)."""

    code: str
    name: str
    county: str
    longitude: float | None
    latitude: float | None
    has: Mapping[str, float]


def _people(rows: pa.Table, newest: str) -> dict[str, int]:
    """Region code → residents of the newest year that the code has."""
    del newest
    found: dict[tuple[str, int], int] = {}
    for code, year, count in zip(*(rows[name].to_pylist() for name in ("region_code", "year", "resident_count")), strict=True):
        found[(code, year)] = found.get((code, year), 0) + int(count or 0)
    years: dict[str, int] = {}
    for code, year in found:
        years[code] = max(year, years.get(code, 0))
    return {code: found[(code, year)] for code, year in years.items()}


def _regions(rows: pa.Table, newest: str) -> dict[str, tuple[str, str, float | None, float | None]]:
    del newest
    return {row["region_code"]: (row["name"], row["name_en"] or row["name"], row["longitude"], row["latitude"]) for row in rows.to_pylist()}


def _resources(rows: pa.Table, newest: str) -> dict[str, dict[str, Any]]:
    """Facility → its newest yearly row."""
    del newest
    found: dict[str, dict[str, Any]] = {}
    for row in rows.to_pylist():
        kept = found.get(row["facility_code"])
        if kept is None or row["year"] > kept["year"]:
            found[row["facility_code"]] = row
    return found


def _sites(rows: pa.Table, newest: str) -> dict[str, tuple[float | None, float | None]]:
    del newest
    return {row["facility_code"]: (row["longitude"], row["latitude"]) for row in rows.to_pylist()}


def counties_seen(asker: Asker, place: str = "") -> list[str]:
    """The counties of the asker's scope (an institution's: its own), or the one that is asked for among them; raises Refusal for another."""
    asker.where(place)
    units, facilities = list(asker.units("county")), asker.units("facility")
    if asker.region in facilities:
        units = [facilities[asker.region].county]
    if place and place not in units:
        raise Refusal(Problem("preparedness", None, "place", place[:40], say("bad_value"), ", ".join(units[:12])))
    return [place] if place else units


def places(asker: Asker, counties: list[str], is_by_county: bool = False) -> list[Place]:
    """The townships of counties with their people, or the counties themselves where people are not registered by township."""
    people: dict[str, int] = asker.learnt("preparedness people", "population", ["region_code", "year", "resident_count"], _people)
    names = asker.learnt("preparedness regions", "region", ["region_code", "name", "name_en", "longitude", "latitude"], _regions)
    found = []
    for county in counties:
        towns = sorted(code for code in people if len(code) == TOWNSHIP_DIGITS and code.startswith(county))
        whole = people[county] if county in people else sum(people[code] for code in towns)
        for code, count in [(county, whole)] if is_by_county or not towns else [(code, people[code]) for code in towns]:
            name, name_en, longitude, latitude = names.get(code, (code, code, None, None))
            found.append(Place(code, name, name_en, count, longitude, latitude))
    return [place for place in found if place.people > 0]


def institutions(asker: Asker, counties: list[str]) -> list[Institution]:
    """The institutions of counties that the asker may see, those with the most beds first."""
    rows = asker.learnt("preparedness resources", "facility_resources", ["facility_code", "facility_county", "year", *RESOURCES], _resources)
    located = asker.learnt("preparedness sites", "facility", ["facility_code", "longitude", "latitude"], _sites)
    found = []
    for code, unit in asker.units("facility").items():
        if code in rows and unit.county in counties:
            has = {name: float(rows[code][name] or 0) for name in RESOURCES}
            longitude, latitude = located.get(code, (None, None))
            found.append(Institution(code, unit.name, unit.county, longitude, latitude, has))
    return sorted(found, key=lambda one: (-one.has["bed_count"], one.code))
