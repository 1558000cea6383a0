"""Planted months of private hospitals: neighbours admitted together, patients recruited by check-ups, severe codes on everybody."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.care import detailed, operations
from quanmin.synth.illness import Illnesses, Rows, stacked
from quanmin.synth.people import NEVER, People, full_years
from quanmin.synth.place import Place
from quanmin.synth.ploys import CODE
from quanmin.synth.text import pick, texts
from quanmin.synth.truth import Truth

FIRST, LAST = 49, 58  # December 2025 … September 2026
NEIGHBOURS, CHECKED, CODED = 8, 6, 10
MILD = ("hypertension", "dizziness", "neck_spine", "gastritis")
GRAVE = ("diabetes", "stroke", "gastritis", "disc_prolapse", "transient_ischaemia")
BY_CHECKUP, BY_WORD = ("private_eye", "private_women"), ("private_general",)


class Patterns:
    """Makes the stays (and check-ups) of the planted months; only in the first block, so that their number does not grow with the region."""

    def __init__(self, place: Place, illnesses: Illnesses) -> None:
        self.place, self.illnesses = place, illnesses
        self.told: list[tuple[str, str, int, int]] = []  # family, rule, facility, month

    def _of(self, kinds: tuple[str, ...]) -> list[int]:
        lost = self.place.names["planted"]["lost_services"]["county"]  # whose story is another one
        return [k for k, f in enumerate(self.place.caring) if f["kind"] in kinds and k != self.place.silent[0] and f["county_code"] != lost]

    def drawn(self, rows: Rows, used: np.ndarray, people: People, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Stays to be added and the check-ups before them (person, day, facility)."""
        free = people.resident & people.insured & (people.moved_out == NEVER) & (people.died == NEVER) & (people.move_day < settings.MONTH_STARTS[FIRST])
        age = full_years(people.birth_day, np.full(len(people), int(settings.MONTH_STARTS[FIRST])))
        free &= (age >= 25) & (age <= 80) & (people.from_day < settings.MONTH_STARTS[FIRST])
        free[rows["person"][rows["discharge"] >= settings.MONTH_STARTS[FIRST - 6]]] = False
        free[used] = False
        scale = max(1, round(int(people.resident.sum()) / 8_000))
        parts, checks = [], []
        for k in range(4 * scale):
            parts += self._neighbours(free, people, self._of(BY_WORD), k, rng)
        for k in range(2 * scale):
            stay, check = self._checked(free, people, k, rng)
            parts, checks = parts + stay, checks + check
        for k in range(2 * scale):
            parts += self._coded(free, people, k, rng)
        return stacked(*parts), stacked(*checks)

    def _taken(self, free: np.ndarray, mask: np.ndarray, many: int, rng: np.random.Generator) -> np.ndarray:
        fit = np.flatnonzero(free & mask)
        chosen = np.sort(rng.choice(fit, min(many, len(fit)), replace=False)) if len(fit) else fit
        free[chosen] = False
        return chosen

    def _tell(self, facility: int, month: int, *rules: tuple[str, str]) -> None:
        self.told += [(family, rule, facility, month) for family, rule in rules]

    def _neighbours(self, free: np.ndarray, people: People, hospitals: list[int], k: int, rng: np.random.Generator) -> list[Rows]:
        """Eight people of one village within three days, all for two days."""
        facility, month = hospitals[k % len(hospitals)], FIRST + (3 * k) % (LAST - FIRST + 1)
        here = self.place.facility_county[facility] == self.place.town_county[self.place.village_town]
        size = np.bincount(people.village[free], minlength=len(here)) * here
        if size.max() < NEIGHBOURS:
            return []
        person = self._taken(free, people.village == np.argmax(size), NEIGHBOURS, rng)
        admit = settings.MONTH_STARTS[month] + int(rng.integers(3, 20)) + np.arange(len(person)) % 3
        self._tell(facility, month, ("private_pattern", "care_pattern/village_cluster"), ("stay_length", "care_pattern/same_length_of_stay"))
        return [self._stays(people, person, admit, np.full(len(person), 2), facility, MILD, "neighbour", 0, rng)]

    def _checked(self, free: np.ndarray, people: People, k: int, rng: np.random.Generator) -> tuple[list[Rows], list[Rows]]:
        """Six people checked and admitted some days later."""
        hospitals = self._of(BY_CHECKUP)
        facility, month = hospitals[k % len(hospitals)], FIRST + (4 * k + 1) % (LAST - FIRST + 1)
        here = (self.place.facility_county[facility] == self.place.town_county[self.place.village_town])[people.village.clip(min=0)]
        person = self._taken(free, here, CHECKED, rng)
        day = settings.MONTH_STARTS[month] + int(rng.integers(2, 10)) + np.arange(len(person)) % 4
        self._tell(facility, month, ("private_pattern", "care_pattern/recruited_by_checkups"))
        stays = self._stays(people, person, day + 2, 3 + np.arange(len(person)) % 5, facility, MILD, "checked_up", 0, rng)
        return [stays], [{"person": person, "day": day, "facility": np.full(len(person), facility)}]

    def _coded(self, free: np.ndarray, people: People, k: int, rng: np.random.Generator) -> list[Rows]:
        """Ten ordinary stays with respiratory failure beside everything."""
        hospitals = self._of(BY_WORD)
        facility, month = hospitals[(k + 3) % len(hospitals)], FIRST + (5 * k + 2) % (LAST - FIRST + 1)
        here = (self.place.facility_county[facility] == self.place.town_county[self.place.village_town])[people.village.clip(min=0)]
        person = self._taken(free, here, CODED, rng)
        admit = settings.MONTH_STARTS[month] + 1 + np.arange(len(person)) * 2 % 15
        self._tell(facility, month, ("upcoding", "care_pattern/severe_complication_share_leap"))
        return [self._stays(people, person, admit, 5 + np.arange(len(person)) % 6, facility, GRAVE, "coded", 1, rng)]

    def _stays(self, people: People, person: np.ndarray, admit: np.ndarray, days: np.ndarray, facility: int, cases: tuple[str, ...], ploy: str,
               severity: int, rng: np.random.Generator) -> Rows:
        count = len(person)
        none, no = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        town = self.place.village_town[people.village[person]]
        case = np.array([self.illnesses.index[c] for c in cases])[np.arange(count) % len(cases)]
        rows = {
            "person": person, "admit": admit, "case": case, "severity": none + severity, "need": none + 1, "discharge": admit + days,
            "facility": none + facility, "home": self.place.town_county[town], "could_stay": ~no, "town": town, "died": no, "risk": np.zeros(count),
            "receiving": none - 1, "transferred": no.copy(),
        }
        rows = operations(detailed(rows, people, self.place, self.illnesses, rng), self.place, self.illnesses, rng)
        return {
            **rows, "receiving": none - 1, "disposition": none + 1, "route": none + 2, "operated": no.copy(), "extras": none.copy(), "true": ~no,
            "repeat": none.copy(), "spare": ~no, "ploy": none + CODE[ploy], "admission_number": rows["admission_number"] + 40,
        }

    def tell(self, truth: Truth) -> None:
        """Write the planted months."""
        code = texts([f["facility_code"] for f in self.place.caring])
        for family, rule, facility, month in self.told:
            name = settings.MONTH_NAMES[month]
            truth.violations(family, rule, pick(code, np.array([facility])), pa.array([name]), pa.array([f"{name}-01"]), np.ones(1, dtype=np.int64))
        self.told.clear()
