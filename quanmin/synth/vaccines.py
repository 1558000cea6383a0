"""Doses by schedule and of adults, adverse events by chance, and a lot that harms more often than others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.case_reports import FIRST, Files, history_and_quarters, numbered, person_columns
from quanmin.synth.dirt import Columns, Kind, Planted, plant
from quanmin.synth.identity import identify
from quanmin.synth.illness import Rows, stacked, taken
from quanmin.synth.people import People, full_years
from quanmin.synth.place import Place, words
from quanmin.synth.posting import Post
from quanmin.synth.text import dates, glue, number, pick, texts

YEARS = (settings.END - FIRST + 1) / 365.25
MONTH = 30.44  # days
ADULT = {"influenza": 60, "ppv23": 60, "rabies": 3, "hpv": 13}  # youngest age
SERIOUS = ("febrile_convulsion", "angioedema", "anaphylaxis", "purpura")


class Vaccines:
    """Draws and sends the doses and adverse events of a block."""

    def __init__(self, place: Place, post: Post) -> None:
        self.place, self.post, self.words = place, post, words("epidemics.toml")
        self.given = self.words["vaccines"]
        self.codes = list(self.words["words"]["vaccine"])
        self.reactions = list(self.given["shares"])
        self.sender = f"IM-{place.names['city']['code']}"
        primary = np.flatnonzero(place.is_primary)
        county = place.facility_county[primary]
        self.primary = [primary[county == c] for c in range(len(place.counties))]
        self.facility_code = texts([f["facility_code"] for f in place.caring])
        self.count = 0

    def block(self, people: People, rng: np.random.Generator) -> None:
        """Write the doses and the adverse events of the block."""
        rows = stacked(self._children(people, rng), self._adults(people, rng))
        person = rows["person"]
        fit = (rows["day"] >= FIRST) & (rows["day"] <= settings.END - 20) & (rows["day"] >= people.from_day[person]) & (rows["day"] <= people.until[person])
        rows = taken(rows, fit & people.resident[rows["person"]])
        village = people.village_on(rows["person"], rows["day"])
        county = self.place.town_county[self.place.village_town[village]]
        facility = np.array([len(c) for c in self.primary])[county]
        at = (village * 7919) % np.maximum(facility, 1)
        start = np.r_[0, np.cumsum([len(c) for c in self.primary])[:-1]]
        rows["facility"] = np.concatenate(self.primary)[start[county] + at]
        month = settings.month_of(rows["day"])
        rows["lot"] = month // 3 * 3  # a lot of each vaccine a quarter
        self._send_doses(rows, people, rng)
        self._send_events(self._events(rows, rng), people, rng)

    def _children(self, people: People, rng: np.random.Generator) -> Rows:
        parts = []
        child = np.flatnonzero(people.resident & (people.birth_day > FIRST - 5 * 366))
        for name, months in self.given["schedule"].items():
            for dose, month in enumerate(months, 1):
                came = child[rng.random(len(child)) < self.given["coverage"]]
                day = people.birth_day[came] + int(month * MONTH) + rng.integers(0, 25, len(came))
                parts.append({"person": came, "day": day, "vaccine": np.full(len(came), self.codes.index(name)), "dose": np.full(len(came), dose)})
        return stacked(*parts)

    def _adults(self, people: People, rng: np.random.Generator) -> Rows:
        parts = []
        for name, share in self.given["adults"].items():
            old = np.flatnonzero(people.resident & (full_years(people.birth_day, np.full(len(people), FIRST)) >= ADULT[name]))
            person = old[rng.random(len(old)) < share * YEARS]
            day = FIRST + rng.integers(0, settings.END - FIRST, len(person))
            parts.append({"person": person, "day": day, "vaccine": np.full(len(person), self.codes.index(name)), "dose": np.ones(len(person), dtype=np.int64)})
        return stacked(*parts)

    def _lots(self, vaccine: np.ndarray, lot: np.ndarray) -> pa.Array:
        letters = texts([code[0].upper() for code in self.codes])
        return glue(pick(letters, vaccine), pick(texts(settings.MONTH_NAMES), lot.clip(max=settings.MONTHS - 1)))

    def _send_doses(self, rows: Rows, people: People, rng: np.random.Generator) -> None:
        rows = taken(rows, np.argsort(rows["day"], kind="stable"))
        count = len(rows["day"])
        batch, entries = history_and_quarters(self.post.outbox, self.sender, "vaccination", "vaccination_export", rows["day"])
        who, say = identify(people, rows["person"], rows["day"], rng, missing=0.02, wrong=0.0), self.words["words"]
        columns = {
            "vaccination_number": numbered("V", people.block, count), **person_columns(who, say["sex"]),
            "vaccine_code": pick(texts(list(say["vaccine"].values())), rows["vaccine"]), "dose_number": number(rows["dose"]),
            "lot_number": self._lots(rows["vaccine"], rows["lot"]), "given_on": dates(rows["day"]), "facility_code": pick(self.facility_code, rows["facility"])}
        Files("vaccination", self.words["headers"]["vaccination"]).deliver(self.post, columns, batch, entries, who, people.ids(rows["person"]), Planted())

    def _events(self, rows: Rows, rng: np.random.Generator) -> Rows:
        harm = self.given["harm"]
        chance = np.array([self.given["reactions_per_100000"][code] for code in self.codes])[rows["vaccine"]] / 100_000
        lot = settings.MONTH_NAMES.index(harm["lot"][1:])
        harmed = (rows["vaccine"] == self.codes.index(harm["vaccine"])) & (rows["lot"] == lot)
        ill = rng.random(len(chance)) < np.where(harmed, chance * harm["times"], chance)
        share = np.array([self.given["shares"][r] for r in self.reactions])
        reaction = rng.choice(len(share), len(chance), p=share / share.sum())
        reaction = np.where(harmed & (rng.random(len(chance)) < 0.8), self.reactions.index(harm["reaction"]), reaction)
        rows = taken({**rows, "reaction": reaction}, ill)
        onset = rows["day"] + rng.integers(0, 3, len(rows["day"]))
        return {**rows, "onset": onset, "reported": onset + rng.integers(0, 5, len(onset))}

    def _send_events(self, rows: Rows, people: People, rng: np.random.Generator) -> None:
        rows = taken(rows, np.argsort(rows["reported"], kind="stable"))
        count, say = len(rows["day"]), self.words["words"]
        if not count:
            return
        batch, entries = history_and_quarters(self.post.outbox, self.sender, "adverse_event_report", "adverse_event_export", rows["reported"])
        who = identify(people, rows["person"], rows["day"], rng, missing=0.02, wrong=0.0)
        serious = np.isin(np.array(self.reactions)[rows["reaction"]], SERIOUS)
        kind = np.where(rows["reaction"] < 2, 0, np.where(rng.random(count) < 0.15, 4, 1))
        columns = {
            "report_number": numbered("A", people.block, count), **person_columns(who, say["sex"]),
            "vaccine_code": pick(texts(list(say["vaccine"].values())), rows["vaccine"]), "lot_number": self._lots(rows["vaccine"], rows["lot"]),
            "vaccinated_on": dates(rows["day"]), "onset_on": dates(rows["onset"]), "reported_on": dates(rows["reported"]),
            "reaction_code": pick(texts([say["vaccine_reaction"][r] for r in self.reactions]), rows["reaction"]),
            "class_code": pick(texts(list(say["adverse_event_class"].values())), kind),
            "is_serious": pick(texts([say["no"], say["yes"]]), serious.astype(np.int64)),
            "facility_code": pick(self.facility_code, rows["facility"])}
        columns, planted = plant(event_kinds(), rows, columns, np.zeros(count, dtype=bool), rng)
        Files("adverse_event_report", self.words["headers"]["adverse_event_report"]).deliver(
            self.post, columns, batch, entries, who, people.ids(rows["person"]), planted)


def event_kinds() -> list[Kind]:
    """The kinds of errors planted in reports of adverse events."""

    def early(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"onset_on": dates(rows["day"] - 4)}

    return [Kind("onset_before_vaccination", "onset_on", "adverse_event_report/onset_before_vaccination", early, share=0.002)]
