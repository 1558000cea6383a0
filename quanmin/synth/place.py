"""The fictional prefecture as arrays: regions, facilities and what each facility can treat."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from quanmin.synth import settings

CATALOG = Path(__file__).parent.parent / "catalog"
FOLDER = CATALOG / "regions" / "synthetic"
SERVICES = (
    "other",
    "respiratory",
    "paediatrics",
    "infection",
    "ear",
    "cardiology",
    "surgery",
    "thoracic",
    "neurology",
    "neurosurgery",
    "rehabilitation",
    "endocrine",
    "digestive",
    "oncology",
    "gynaecology",
    "obstetrics",
    "urology",
    "kidney",
    "orthopaedics",
    "eye",
    "skin",
    "psychiatry",
    "blood",
    "newborn",
)


@cache
def table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the region's folder."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def words(name: str) -> dict[str, Any]:
    """The content of a TOML file of the region's folder."""
    return tomllib.loads((FOLDER / name).read_text("utf-8"))


@cache
def code_names(name: str) -> dict[str, str]:
    """code → Chinese name of a code list of the catalogue."""
    with (CATALOG / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row["zh"] for row in csv.DictReader(stream)}


def _kilometres(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    delta = (a[:, None] - b[None]) * np.array([111.32 * np.cos(np.radians(30.0)), 111.32])
    return np.hypot(delta[..., 0], delta[..., 1])


@dataclass
class Place:
    """Regions and facilities; indices of villages, towns and counties follow the order of region.csv."""

    names: dict[str, Any] = field(default_factory=lambda: words("place.toml"))
    kinds: dict[str, Any] = field(default_factory=lambda: words("facility_kinds.toml")["kind"])
    regions: list[dict[str, str]] = field(default_factory=lambda: table("region.csv"))
    facilities: list[dict[str, str]] = field(default_factory=lambda: table("facility.csv"))

    def level(self, level: str) -> list[dict[str, str]]:
        """The regions of one level inside the city."""
        return [r for r in self.regions if r["level"] == level]

    @cached_property
    def counties(self) -> list[dict[str, str]]:
        """The counties of the city."""
        return self.level("county")

    @cached_property
    def towns(self) -> list[dict[str, str]]:
        """The townships of the city."""
        return self.level("township")

    @cached_property
    def villages(self) -> list[dict[str, str]]:
        """The villages of the city."""
        return self.level("village")

    @cached_property
    def village_town(self) -> np.ndarray:
        """Index of the township of each village."""
        at = {t["region_code"]: k for k, t in enumerate(self.towns)}
        return np.array([at[v["parent_code"]] for v in self.villages])

    @cached_property
    def town_county(self) -> np.ndarray:
        """Index of the county of each township."""
        at = {c["region_code"]: k for k, c in enumerate(self.counties)}
        return np.array([at[t["parent_code"]] for t in self.towns])

    @cached_property
    def village_weight(self) -> np.ndarray:
        """Share of the city's households that live in each village."""
        weight = np.array([float(v["weight"]) for v in self.villages])
        county = self.town_county[self.village_town]
        given = np.array([c["population_share"] for c in self.names["county"]])
        weight = weight / np.bincount(county, weight)[county] * given[county]
        return weight / weight.sum()

    @cached_property
    def caring(self) -> list[dict[str, str]]:
        """Facilities that take stays or visits of single patients: hospitals, health centres, provincial hospitals."""
        return [f for f in self.facilities if "pull" in self.kinds[f["kind"]]]

    def of_caring(self, key: str, default: Any = 0) -> np.ndarray:
        """A property of the kind of each caring facility."""
        return np.array([self.kinds[f["kind"]].get(key, default) for f in self.caring])

    @cached_property
    def ability(self) -> np.ndarray:
        """Highest need treated by each caring facility for each service: (facilities, services)."""
        given = [self.kinds[f["kind"]]["ability"] for f in self.caring]
        return np.array([[g.get(s, g["other"]) for s in SERVICES] for g in given])

    @cached_property
    def ability_later(self) -> np.ndarray:
        """`ability` after the planted loss of services."""
        lost = self.names["planted"]["lost_services"]
        later = self.ability.copy()
        here = self.facility_county == [c["region_code"] for c in self.counties].index(lost["county"])
        for service in lost["services"]:
            column = SERVICES.index(service)
            later[here, column] = np.minimum(later[here, column], lost["ability"])
        return later

    @cached_property
    def lost_from(self) -> int:
        """Month index from which the planted loss of services holds."""
        return settings.MONTH_NAMES.index(self.names["planted"]["lost_services"]["from"])

    @cached_property
    def facility_county(self) -> np.ndarray:
        """Index of the county of each caring facility; the number of counties stands for outside the region."""
        at = {c["region_code"]: k for k, c in enumerate(self.counties)}
        return np.array([at.get(f["county_code"], len(self.counties)) for f in self.caring])

    @cached_property
    def is_primary(self) -> np.ndarray:
        """Whether each caring facility is a health centre of a community."""
        return np.array([f["facility_code"][6] == "T" for f in self.caring])

    @cached_property
    def tier(self) -> np.ndarray:
        """0 health centre, 1 county or private hospital, 2 city hospital, 3 outside the region."""
        outside = self.facility_county == len(self.counties)
        tertiary = np.isin(self.of_caring("level_code", ""), ["1", "2", "3", "4"])
        return np.where(outside, 3, np.where(self.is_primary, 0, np.where(tertiary, 2, 1)))

    @cached_property
    def distance(self) -> np.ndarray:
        """Kilometres from each township to each caring facility."""
        towns = np.array([[float(t["longitude"]), float(t["latitude"])] for t in self.towns])
        there = np.array([[float(f["longitude"]), float(f["latitude"])] for f in self.caring])
        return _kilometres(towns, there)

    def find(self, kind: str, county: str) -> int:
        """Index of the caring facility of a kind in a county."""
        return next(k for k, f in enumerate(self.caring) if f["kind"] == kind and f["county_code"] == county)

    @cached_property
    def silent(self) -> tuple[int, int]:
        """The facility that stops sending, and the month index from which it does."""
        given = self.names["planted"]["silent"]
        return self.find(given["kind"], given["county"]), settings.MONTH_NAMES.index(given["from"])
