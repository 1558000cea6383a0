"""Planted violations of the rules of supervision in outpatient visits, with innocent look-alikes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.conduct import SHARE, SINCE
from quanmin.synth.illness import Rows, stacked
from quanmin.synth.people import NEVER, People
from quanmin.synth.place import Place
from quanmin.synth.text import dates, glue, number, pick
from quanmin.synth.truth import Truth
from quanmin.synth.visits import CHECKUP, OUTPATIENT, Visits

FIRST_SERIAL = 8_000_000  # visit numbers of what is planted stand apart
GROWN = settings.epoch_day(2000, 1)  # born before: old enough for the diseases of these visits
CROWD = 75  # visits to one physician on one day
RULES = (
    ("", ""),
    ("visit_pattern", "visit_review/many_facilities_one_day"),
    ("visit_pattern", "visit_review/same_medicine_from_many"),
    ("visit_pattern", "visit_review/visits_while_in_hospital"),
    ("after_death", "visit_review/visit_after_registered_death"),
)
PROPER = 10  # added to the rule's number where a visit only looks like it


class VisitConduct:
    """Draws the planted visits of a block."""

    def __init__(self, place: Place, visits: Visits) -> None:
        self.place, self.visits = place, visits
        self.reason = {r["id"]: k for k, r in enumerate(visits.mix.rows)}
        sends = np.array(["visit" in place.kinds[f["kind"]].get("sends", ()) for f in place.caring]) & place.of_caring("public", False)
        open_to_all = (sends & (place.tier == 1)) | place.is_primary
        open_to_all[place.silent[0]] = False
        self.near = [np.flatnonzero(open_to_all & (place.facility_county == c)) for c in range(len(place.counties))]
        self.told: list[tuple[int, int]] = []  # facility, month of crowded days

    def drawn(self, stays: Rows, checks: Rows | None, people: People, rng: np.random.Generator) -> Rows:
        """Visits as `Visits.drawn` gives them, with `serial` and the number of the rule each is planted for."""
        many = max(4, round(SHARE * int(people.resident.sum())))
        free = people.resident & (people.moved_out == NEVER) & (people.died == NEVER) & (people.from_day < SINCE) & (people.move_day < SINCE)
        free &= people.birth_day < GROWN
        parts = [self._many(free, people, many, rng), self._shopping(free, people, many, rng), self._inside(stays, people, many // 2, rng),
                 self._dead(people, many, rng)]
        if checks is not None:
            parts += [self._rows(checks["person"], checks["day"], checks["facility"], "health_check", 0, people), self._crowds(free, people, rng)]
        rows = stacked(*parts)
        rows["kind"] = np.where(rows["case"] == self.reason["health_check"], CHECKUP, OUTPATIENT)
        rows["at"] = rows["day"] * 1440 + 8 * 60 + np.arange(len(rows["day"])) * 37 % 540
        details = self.visits.described(rows, people, rng)
        details["medicated"] = rows["kind"] != CHECKUP
        details["drug"] = np.where(details["medicated"], np.maximum(details["drug"], details["total"] // 3), 0)
        details["fund"] = np.where(rows["kind"] == CHECKUP, 0, details["fund"])
        crowd = rows["doctor_of"] >= 0
        details["doctor"] = np.where(crowd, rows["doctor_of"], details["doctor"])
        return {**rows, **details, "serial": FIRST_SERIAL + np.arange(len(rows["day"]))}

    def _some(self, mask: np.ndarray, many: int, rng: np.random.Generator) -> np.ndarray:
        fit = np.flatnonzero(mask)
        return np.sort(rng.choice(fit, min(many, len(fit)), replace=False)) if len(fit) else fit

    def _places(self, people: People, person: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        """Different facilities of each person's county: (persons, size)."""
        county = self.place.town_county[self.place.village_town[people.village[person]]]
        return np.array([rng.permutation(self.near[c])[:size] for c in county.tolist()], dtype=np.int64).reshape(len(person), size)

    def _rows(self, person: np.ndarray, day: np.ndarray, facility: np.ndarray, reason: str, rule: int | np.ndarray, people: People) -> Rows:
        count = len(person)
        none = np.zeros(count, dtype=np.int64)
        return {"person": person, "day": day, "facility": facility, "case": none + self.reason[reason], "rule": none + rule, "doctor_of": none - 1}

    def _many(self, free: np.ndarray, people: People, many: int, rng: np.random.Generator) -> Rows:
        """Five facilities on one day; and two on one day, which is proper."""
        found = []
        for size, visits, rule in ((many // 2, 5, 1), (many // 2, 2, 1 + PROPER)):
            person = self._some(free, size, rng)
            free[person] = False
            day = np.repeat(rng.integers(SINCE, settings.END - 2, len(person)), visits)
            found.append(self._rows(np.repeat(person, visits), day, self._places(people, person, visits, rng).ravel(), "hypertension", rule, people))
        return stacked(*found)

    def _shopping(self, free: np.ndarray, people: People, many: int, rng: np.random.Generator) -> Rows:
        """The same medicine from four facilities within three days: the last day's two visits show it."""
        person = self._some(free, many // 2, rng)
        free[person] = False
        start = rng.integers(SINCE, settings.END - 5, len(person))
        day = (start[:, None] + np.array([0, 1, 2, 2])).ravel()
        rule = np.tile([0, 0, 2, 2], len(person))
        return self._rows(np.repeat(person, 4), day, self._places(people, person, 4, rng).ravel(), "diabetes", rule, people)

    def _inside(self, stays: Rows, people: People, many: int, rng: np.random.Generator) -> Rows:
        """Five visits elsewhere during a stay; and one on the day of admission, which is proper."""
        month = settings.month_of(stays["discharge"])
        fit = stays["true"] & (stays["ploy"] == 0) & (stays["home"] >= 0) & (stays["admit"] >= SINCE) & (stays["age"] >= 18) & (stays["spare"] == 0)
        fit &= (month == settings.month_of(stays["admit"])) & (stays["discharge"] - stays["admit"] >= 7) & (people.village[stays["person"]] >= 0)
        fit &= (self.place.tier[stays["facility"]] < 3) & (stays["facility"] != self.place.silent[0])
        chosen = self._some(fit, 2 * many, rng)
        first, second = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
        day = (stays["admit"][first][:, None] + np.arange(1, 6)).ravel()
        person = stays["person"][first]
        places = self._places(people, person, 2, rng)
        place = np.where(places[:, 0] == stays["facility"][first], places[:, 1], places[:, 0])
        during = self._rows(np.repeat(person, 5), day, np.repeat(place, 5), "hypertension", 3, people)
        person, place = stays["person"][second], self._places(people, stays["person"][second], 1, rng)[:, 0]
        return stacked(during, self._rows(person, stays["admit"][second], place, "hypertension", 3 + PROPER, people))

    def _dead(self, people: People, many: int, rng: np.random.Generator) -> Rows:
        """Visits after death; and on its day, which is proper."""
        person = self._some(people.resident & (people.birth_day < GROWN) & (people.died >= SINCE) & (people.died < settings.END - 45), 2 * many, rng)
        late = np.arange(len(person)) % 3 > 0
        day = people.died[person] + np.where(late, rng.integers(3, 40, len(person)), 0)
        return self._rows(person, day, self._places(people, person, 1, rng)[:, 0], "diabetes", np.where(late, 4, 4 + PROPER), people)

    def _crowds(self, free: np.ndarray, people: People, rng: np.random.Generator) -> Rows:
        """Days on which one physician saw far too many."""
        found = []
        for k in range(2 * max(1, round(int(people.resident.sum()) / 8_000))):
            county, month = k % len(self.near), 49 + 3 * k % 10
            here = self.place.town_county[self.place.village_town[people.village.clip(min=0)]] == county
            person = self._some(free & here, CROWD, rng)
            facility = int(self.near[county][0])
            rows = self._rows(person, np.full(len(person), settings.MONTH_STARTS[month] + 10), np.full(len(person), facility), "cold", 0, people)
            rows["doctor_of"] += 8
            found.append(rows)
            self.told.append((facility, month))
        return stacked(*found)

    def tell(self, truth: Truth, rows: Rows, block: int) -> None:
        """Write which visits are violations and which only look like them."""
        for code, (family, rule) in enumerate(RULES):
            for shift, guilty in ((0, 1), (PROPER, 0)):
                at = np.flatnonzero(rows["rule"] == code + shift)
                if code and len(at):
                    subject = glue(number(rows["kind"][at]), number(np.full(len(at), block), 4), number(rows["serial"][at], 7))
                    facility = pick(self.visits.facility_code, rows["facility"][at])
                    truth.violations(family, rule, facility, subject, dates(rows["day"][at]), np.full(len(at), guilty))
        for facility, month in self.told:
            name = settings.MONTH_NAMES[month]
            truth.violations("visit_pattern", "care_pattern/impossible_physician_day", pick(self.visits.facility_code, np.array([facility])), pa.array([name]),
                             pa.array([f"{name}-01"]), np.ones(1, dtype=np.int64))
        self.told.clear()
