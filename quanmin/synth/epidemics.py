"""Cases of infectious diseases: by chance through the years, and in planted outbreaks; each is a visit with that diagnosis."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.flow import DEPARTMENT_SERVICE, Flow
from quanmin.synth.illness import Rows, stacked, taken
from quanmin.synth.people import People, full_years
from quanmin.synth.place import Place, table, words
from quanmin.synth.truth import Truth
from quanmin.synth.visits import OUTPATIENT, Visits

FIRST_SERIAL = 9_000_000  # visit numbers of these visits stand apart


def mix_by_incidence(mix: list[dict[str, str]]) -> tuple[list[dict[str, str]], float]:
    """The diseases with weights that give each its incidence whatever the shape of its ages, and cases a year of one resident."""
    shape = np.array([float(r["share"]) for r in table("age_sex.csv")]).reshape(19, 2)
    bands = table("age_shapes.csv")
    rows = []
    for r in mix:
        mean = (np.array([float(line[r["shape"]]) for line in bands])[:, None] * shape).sum() / shape.sum()
        rows.append({**r, "weight": str(float(r["weight"]) / mean)})
    return rows, sum(float(r["weight"]) for r in mix) / 100_000


class Epidemics:
    """Draws the cases of a block."""

    def __init__(self, place: Place, flow: Flow, staff: pa.Array, residents: int) -> None:
        self.place, self.flow, self.words = place, flow, words("epidemics.toml")
        rows, per_year = mix_by_incidence(table("epidemic_mix.csv"))
        self.visits = Visits(place, flow, staff, rows, per_year)
        self.diseases = [r["id"] for r in rows]
        given = self.words["outbreaks"]
        self.outbreaks: list[dict[str, Any]] = self.words["outbreak"] if residents >= given["large"] else self.words["outbreak"][: given["few"]]
        part = np.ones((len(rows), len(settings.YEARS)))
        for name, years in self.words["years"].items():
            part[self.diseases.index(name)] = years
        self.part_of_year = part

    def drawn(self, people: People, rng: np.random.Generator, truth: Truth) -> Rows:
        """Visits as `Visits.drawn` gives them, with the outbreak each belongs to (-1 none)."""
        rows = self.visits.drawn(people, rng)
        year = rows["day"].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - settings.YEARS[0]
        rows = taken(rows, rng.random(len(year)) < self.part_of_year[rows["case"], year])
        rows = {**rows, "outbreak": np.full(len(rows["day"]), -1)}
        if people.block == 0:
            planted = [self._outbreak(k, one, people, rng) for k, one in enumerate(self.outbreaks)]
            rows = stacked(rows, self._seen(stacked(*planted), people, rng))
            self._tell(planted, people, truth)
        return {**rows, "serial": FIRST_SERIAL + np.arange(len(rows["day"]))}

    def _outbreak(self, number: int, told: dict[str, Any], people: People, rng: np.random.Generator) -> Rows:
        """Persons of one township of the county as far as it has enough of that age, then of the others; half fall ill in the first third of the days."""
        first = (date.fromisoformat(told["from"]) - date(1970, 1, 1)).days
        age, town = full_years(people.birth_day, first), self.place.village_town[people.village.clip(min=0)]
        county = [c["region_code"] for c in self.place.counties].index(told["county"])
        fit = people.resident & (people.from_day < first) & (people.until > first + told["days"]) & (people.move_day < first)
        fit &= (age >= told["ages"][0]) & (age <= told["ages"][1]) & (self.place.town_county[town] == county)
        candidates = np.flatnonzero(fit)
        count = min(told["cases"], len(candidates))
        home = np.bincount(town[candidates], minlength=len(self.place.towns)).argmax()
        order = np.lexsort((rng.random(len(candidates)), town[candidates] != home))
        person = candidates[order[:count]]
        day = first + np.r_[0, np.sort((told["days"] * rng.beta(1.3, 2.2, max(count - 1, 0))).astype(np.int64))][:count]
        return {"person": person, "day": day, "case": np.full(count, self.diseases.index(told["disease"])), "outbreak": np.full(count, number)}

    def _seen(self, rows: Rows, people: People, rng: np.random.Generator) -> Rows:
        """The visits of planted cases."""
        count, mix = len(rows["day"]), self.visits.mix
        hospital = rng.random(count) < mix.column("hospital")[rows["case"]] / 100
        service = np.array([DEPARTMENT_SERVICE.get(r["department"], 0) for r in mix.rows])[rows["case"]]
        facility = self.flow.place_visits(self.place.village_town[people.village[rows["person"]]], hospital, service, rng)
        at = rows["day"] * 1440 + rng.integers(8 * 60, 17 * 60, count)
        rows = {**rows, "at": at, "facility": facility, "kind": np.full(count, OUTPATIENT)}
        return {**rows, **self.visits.described(rows, people, rng)}

    def _tell(self, planted: list[Rows], people: People, truth: Truth) -> None:
        towns = [t["region_code"] for t in self.place.towns]
        lines = []
        for number, (told, rows) in enumerate(zip(self.outbreaks, planted, strict=True)):
            town = self.place.village_town[people.village[rows["person"]]]
            first, last = (str(np.datetime64(int(at(rows["day"])), "D")) for at in (np.min, np.max))
            most = int(np.bincount(town).argmax())
            lines.append([number, told["disease"], told["county"], towns[most], first, last, len(town), int((town == most).sum())])
        truth.table("outbreaks.csv", ["outbreak", "disease_code", "county_code", "township_code", "first_on", "last_on", "cases", "cases_in_township"], lines)
