"""Report cards and laboratory results of the infectious diseases that care saw: most reported in time, some late, twice, changed, deleted, or never."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.dirt import Columns, Kind, Planted, plant, rejects
from quanmin.synth.epidemics import Epidemics
from quanmin.synth.identity import MISSING, WRONG, Identity, identify
from quanmin.synth.illness import Rows, stacked, taken
from quanmin.synth.outbox import Outbox, Sent
from quanmin.synth.people import People, full_years
from quanmin.synth.place import Place, table, words
from quanmin.synth.posting import Post
from quanmin.synth.text import choose, dates, glue, moments, number, pick, texts
from quanmin.synth.truth import Truth

FIRST = int(settings.MONTH_STARTS[settings.MONTH_NAMES.index("2025-01")])  # of tests, doses and daily counts
SAME_CASE = 90  # days within which the same disease of a person is one case
STAY, VISIT, LABORATORY = 0, 1, 2
SOURCES = ("stay", "visit", "laboratory")
GROUPS = ("home_child", "kindergarten", "pupil", "farmer", "retired")
PERSON = ("name", "sex_code", "birth_date", "identity_number", "phone")


def groups_by_age(birth_day: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Index of the population group of a case by age: 0–2, 3–6, 7–18, 19–59, 60 and more years."""
    return np.searchsorted([3, 7, 19, 60], full_years(birth_day, day), side="right")


def history_and_quarters(outbox: Outbox, sender: str, table_name: str, mapping: str, day: np.ndarray) -> tuple[np.ndarray, dict[int, Sent]]:
    """The file of each row (2025 as history sent in January 2026, then each quarter in the month after it) and the files by number."""
    month = settings.month_of(day)
    history = words("epidemics.toml")["history"]
    batch = np.where(month < settings.LIVE_FROM, 0, 1 + (month - settings.LIVE_FROM) // 3)
    entries = {}
    for key in np.unique(batch).tolist():
        if key == 0:
            entries[key] = outbox.note(f"{sender}/{sender}_{table_name}_{history}.csv", sender, mapping, "2026-01-21")
            continue
        first, last = (settings.MONTH_NAMES[min(settings.LIVE_FROM + 3 * (key - 1) + k, settings.MONTHS - 1)] for k in (0, 2))
        year, of_year = (int(x) for x in last.split("-"))
        entries[key] = outbox.note(f"{sender}/{sender}_{table_name}_{first}_{last}.csv", sender, mapping, f"{year + of_year // 12}-{of_year % 12 + 1:02d}-06")
    return batch, entries


@dataclass
class Files:
    """Where the rows of one table go: headers by our names, and the encoding."""

    table: str
    headers: dict[str, str]

    def deliver(self, post: Post, columns: Columns, file: np.ndarray, entries: dict[int, Sent], who: Identity, ids: pa.Array, planted: Planted) -> None:
        """Append rows in the order of their files."""
        lines = glue(glue(*(columns[name] for name in self.headers), between=","), "\n")
        post.deliver(self.table, lines, file, entries, ",".join(self.headers.values()) + "\n", "utf-8", ",", ids, planted, who.kind)


class CaseReports:
    """Collects what care saw of a block and writes its cards and tests."""

    def __init__(self, place: Place, epidemics: Epidemics, post: Post, truth: Truth, staff: pa.Array) -> None:
        self.place, self.epidemics, self.post, self.truth, self.staff = place, epidemics, post, truth, staff
        self.words = words("epidemics.toml")
        self.sender = f"CDC-{place.names['city']['code']}"
        self.codes = list(self.words["words"]["notifiable_disease"])
        listed = table("../../codes/notifiable_disease.csv")
        self.prefixes = [(k, prefix) for k, r in enumerate(listed) for prefix in r["icd10"].split("|")]
        self.hours = np.array([float(r["report_hours"]) for r in listed])
        mix = {r["id"]: r for r in epidemics.visits.mix.rows}
        self.delay = np.array([float(mix[c]["delay"]) if c in mix else 3.0 for c in self.codes])
        self.tested = np.array([float(mix[c]["tested"]) / 100 if c in mix else 0.0 for c in self.codes])
        self.pathogens = [tuple(p for p in r["pathogens"].split("|") if p) for r in listed]
        self.of_visit = np.array([self.codes.index(d) for d in epidemics.diseases])
        towns = place.level("township")
        self.town_code = texts([t["region_code"] for t in towns] + [""])
        self.school = texts([t["name"] + self.words["words"]["school"] for t in towns] + [""])
        self.facility_code = texts([f["facility_code"] for f in place.caring])
        self.events: list[Rows] = []
        self.cases = np.zeros((len(place.towns), len(self.codes), settings.END - settings.START + 1), dtype=np.int64)  # by home, disease, day of onset
        self.count = 0

    def diseases_of(self, codes: pa.Array) -> np.ndarray:
        """Index of the notifiable disease of ICD-10 codes, -1 none."""
        known = codes.to_pylist()
        return np.array([next((k for k, prefix in self.prefixes if (code or "").startswith(prefix)), -1) for code in known])

    def see_stays(self, rows: Rows, disease_of_code: np.ndarray) -> None:
        """Take note of stays that were sent with a notifiable principal diagnosis."""
        disease = disease_of_code[rows["principal"]]
        fit = (disease >= 0) & rows["sent"]
        self.events.append({"person": rows["person"][fit], "disease": disease[fit], "day": rows["admit"][fit], "facility": rows["facility"][fit],
                            "source": np.full(fit.sum(), STAY), "outbreak": np.full(fit.sum(), -1)})

    def see_visits(self, rows: Rows) -> None:
        """Take note of visits for a notifiable disease."""
        silent, since = self.place.silent
        here = (self.place.facility_county[rows["facility"]] < len(self.place.counties)) & ~(
            (rows["facility"] == silent) & (settings.month_of(rows["day"]) >= since))
        rows = taken(rows, here)
        self.events.append({"person": rows["person"], "disease": self.of_visit[rows["case"]], "day": rows["day"], "facility": rows["facility"],
                            "source": np.full(len(rows["day"]), VISIT), "outbreak": rows["outbreak"]})

    def block(self, people: People, others: Rows, rng: np.random.Generator) -> None:
        """Write the cards and tests of the block; `others` are visits for something else, some of them tested too."""
        events = stacked(*self.events)
        self.events = []
        events = taken(events, np.lexsort((events["day"], events["disease"], events["person"])))
        new = np.ones(len(events["day"]), dtype=bool)
        new[1:] = (events["person"][1:] != events["person"][:-1]) | (events["disease"][1:] != events["disease"][:-1]) | (np.diff(events["day"]) > SAME_CASE)
        cases = taken(events, new & (events["day"] >= settings.START) & (events["day"] < settings.END - 1))
        given = self.words["shares"]
        missed = (rng.random(len(cases["day"])) < given["missed"]) & (cases["outbreak"] < 0)
        onset = cases["day"] - np.minimum(rng.geometric(1 / (1 + self.delay[cases["disease"]])) - 1, 120)
        cases = {**cases, "onset": onset, "missed": missed, "tested": self._tested(cases, rng)}
        town = self._town(people, cases)
        at = (town >= 0) & (onset >= settings.START)
        np.add.at(self.cases, (town[at], cases["disease"][at], onset[at] - settings.START), 1)
        self._send_cards(taken(cases, ~missed), people, rng)
        alone = self._send_tests(cases, others, people, rng)
        self._tell(taken(cases, missed), alone, people)

    def _town(self, people: People, rows: Rows) -> np.ndarray:
        village = people.village_on(rows["person"], rows["day"])
        return np.where(village >= 0, self.place.village_town[village.clip(min=0)], -1)

    def _tested(self, rows: Rows, rng: np.random.Generator) -> np.ndarray:
        hospital = self.place.tier[rows["facility"]] > 0
        return hospital & (rng.random(len(rows["day"])) < self.tested[rows["disease"]]) & (rows["day"] >= FIRST)

    def _cards(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Cards: one for each case, a second one for some, with times and what became of them."""
        given, count = self.words["shares"], len(rows["day"])
        diagnosed = rows["day"] * 1440 + rng.integers(8 * 60, 20 * 60, count)
        limit = self.hours[rows["disease"]]
        wait = limit * 60 * np.minimum(rng.lognormal(-1.6, 0.8, count), 0.95)
        wait = np.where(rng.random(count) < given["late"], limit * 60 * rng.uniform(1.05, 3.5, count), wait).astype(np.int64)
        draw = rng.random(count)
        state = np.where(draw < given["deleted"], 2, np.where(draw < given["deleted"] + given["revised"], 1, 0))
        state = np.where(rows["outbreak"] >= 0, 0, state)
        rows = {**rows, "diagnosed": diagnosed, "reported": diagnosed + wait, "state": state, "again": np.zeros(count, dtype=bool)}
        twice = taken(rows, (rng.random(count) < given["repeated"]) & (state == 0))
        lag = rng.integers(1, 6, len(twice["day"])) * 1440
        twice = {**twice, "diagnosed": twice["diagnosed"] + lag, "reported": twice["reported"] + lag, "again": np.ones(len(lag), dtype=bool)}
        rows = stacked(rows, twice)
        rows = taken(rows, rows["reported"] // 1440 <= settings.END)
        file = settings.BATCH_OF_MONTH[settings.month_of(rows["reported"] // 1440)]
        return {k: v[np.lexsort((rows["reported"], file))] for k, v in {**rows, "file": file}.items()}

    def _send_cards(self, rows: Rows, people: People, rng: np.random.Generator) -> None:
        rows = self._cards(rows, rng)
        who = identify(people, rows["person"], rows["day"], rng, missing=0.03, wrong=0.006)
        columns = self._card_columns(rows, who, people, rng)
        columns, planted = plant(card_kinds(), rows, columns, np.isin(who.kind, (WRONG, MISSING)) | (rows["outbreak"] >= 0), rng)
        for code, what in ((MISSING, "missing"), (WRONG, "invalid")):
            planted.add(np.flatnonzero(who.kind == code), Kind(f"identity_number_{what}", "identity_number", f"case_report/identity_number_{what}", None))
        entries = {}
        for batch in np.unique(rows["file"]).tolist():
            period = settings.BATCHES[batch]
            sent_on = "2026-01-21" if batch < len(settings.BACKFILL) else f"{_next_month(period)}-02"
            entries[batch] = self.post.outbox.note(f"{self.sender}/{self.sender}_case_report_{period}.csv", self.sender, "case_report_export", sent_on)
        Files("case_report", self.words["headers"]["case_report"]).deliver(
            self.post, columns, rows["file"], entries, who, people.ids(rows["person"]), planted)

    def _card_columns(self, rows: Rows, who: Identity, people: People, rng: np.random.Generator) -> Columns:
        count, say = len(rows["day"]), self.words["words"]
        group, town = groups_by_age(people.birth_day[rows["person"]], rows["day"]), self._town(people, rows)
        town = np.where(town < 0, len(self.town_code) - 1, town)  # of people from elsewhere nothing is known
        suspected = rng.random(count) < self.words["shares"]["suspected"]
        names, serial = texts(list(say["notifiable_disease"].values())), self.count + np.arange(count)
        self.count += count
        other = np.where(rows["disease"] == self.codes.index("dysentery"), self.codes.index("other_infectious_diarrhoea"), self.codes.index("influenza"))
        at_school = np.isin(group, (1, 2))
        revised = choose(rows["state"] == 1, moments(rows["reported"] + 2 * 1440), "")
        return {
            "card_number": glue("K", number(np.full(count, people.block), 3), number(serial, 7)),
            "state_code": pick(texts(list(say["card_state"].values())), rows["state"]), **person_columns(who, say["sex"]), "address": who.address,
            "home_region_code": pick(self.town_code, town), "patient_group_code": pick(texts([say["patient_group"][g] for g in GROUPS]), group),
            "workplace": choose(at_school, pick(self.school, town), ""), "disease_code": pick(names, rows["disease"]),
            "original_disease_code": choose((rows["state"] == 1) & (other != rows["disease"]), pick(names, other), ""),
            "classification_code": pick(texts(list(say["case_classification"].values())), np.where(suspected, 2, np.where(rows["tested"], 0, 1))),
            "onset_on": dates(rows["onset"]), "diagnosed_at": moments(rows["diagnosed"]), "reported_at": moments(rows["reported"]),
            "facility_code": pick(self.facility_code, rows["facility"]), "physician": pick(self.staff, (rows["facility"] * 37 + rows["day"]) % len(self.staff)),
            "died_on": texts([""] * count), "revised_at": revised, "deleted_at": choose(rows["state"] == 2, moments(rows["reported"] + 3 * 1440), ""),
            "deletion_reason": choose(rows["state"] == 2, pick(texts(say["deletion_reasons"]), rows["day"] % 2), ""),
        }

    def _send_tests(self, cases: Rows, others: Rows, people: People, rng: np.random.Generator) -> Rows:
        """Tests of cases (nine of ten positive), negative tests of people seen for something else, and a few positives that nobody reported."""
        given = self.words["shares"]
        own = taken(cases, cases["tested"])
        fit = np.flatnonzero((others["day"] >= FIRST) & (others["day"] < settings.END - 2) & (self.place.tier[others["facility"]] > 0)
                             & (self.place.facility_county[others["facility"]] < len(self.place.counties)) & (people.village[others["person"]] >= 0))
        fit = rng.permutation(fit)[: max(round(given["negative_tests"] * len(fit)), given["laboratory_only"])]
        some = {k: others[k][fit] for k in ("person", "day", "facility")}
        alone = (np.arange(len(fit)) < given["laboratory_only"]) & (people.block == 0)
        likely = [self.codes.index(d) for d in ("influenza", "other_infectious_diarrhoea", "covid19", "pertussis")]
        some = {**some, "disease": np.array(likely)[np.where(alone, 1, rng.choice(4, len(fit), p=[0.5, 0.25, 0.15, 0.1]))], "positive": alone}
        own = {**{k: own[k] for k in ("person", "day", "facility", "disease")}, "positive": rng.random(len(own["day"])) < 0.9}
        rows = stacked(own, some)
        size, start = np.array([len(p) for p in self.pathogens]), np.r_[0, np.cumsum([len(p) for p in self.pathogens])[:-1]]
        names = texts([self.words["words"]["pathogen"][p] for of in self.pathogens for p in of])
        pathogen = start[rows["disease"]] + (rng.random(len(rows["day"])) * size[rows["disease"]]).astype(np.int64)
        tested = rows["day"] + rng.integers(0, 2, len(rows["day"]))
        batch, entries = history_and_quarters(self.post.outbox, self.sender, "laboratory_result", "laboratory_result_export", tested)
        order = np.lexsort((tested, batch))
        rows, batch, tested, pathogen = taken(rows, order), batch[order], tested[order], pathogen[order]
        who, say = identify(people, rows["person"], rows["day"], rng, missing=0.02, wrong=0.0), self.words["words"]
        columns = {
            "facility_code": pick(self.facility_code, rows["facility"]), "specimen_number": numbered("L", people.block, len(order)),
            **person_columns(who, say["sex"]), "pathogen_code": pick(names, pathogen),
            "is_positive": pick(texts([say["negative"], say["positive"]]), rows["positive"].astype(np.int64)),
            "sampled_on": dates(rows["day"]), "tested_on": dates(tested),
        }
        columns, planted = plant(test_kinds(), rows, columns, who.kind == MISSING, rng)
        ids = people.ids(rows["person"])
        Files("laboratory_result", self.words["headers"]["laboratory_result"]).deliver(self.post, columns, batch, entries, who, ids, planted)
        return taken({**some, "source": np.full(len(fit), LABORATORY)}, alone)

    def _tell(self, missed: Rows, alone: Rows, people: People) -> None:
        rows = stacked(*({k: part[k] for k in ("person", "day", "facility", "disease", "source")} for part in (missed, alone)))
        if len(rows["day"]):
            self.truth.write("missed_cases", {
                "true_resident_id": people.ids(rows["person"]), "disease_code": pick(texts(self.codes), rows["disease"]), "seen_on": dates(rows["day"]),
                "facility_code": pick(self.facility_code, rows["facility"]), "source": pick(texts(SOURCES), rows["source"])})


def person_columns(who: Identity, sex: list[str]) -> Columns:
    """The identifying columns of records that carry name, sex, birth date, number and phone."""
    return {"name": who.name, "sex_code": pick(texts(sex), who.sex - 1), "birth_date": who.birth_date, "identity_number": who.number, "phone": who.phone}


def numbered(letter: str, block: int, count: int) -> pa.Array:
    """Numbers of records of a block."""
    return glue(letter, number(np.full(count, block), 3), number(np.arange(count), 7))


def _next_month(period: str) -> str:
    year, month = (int(x) for x in period.split("-"))
    return f"{year + month // 12}-{month % 12 + 1:02d}"


def card_kinds() -> list[Kind]:
    """The kinds of errors planted in cards."""

    def early(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"reported_at": moments(rows["diagnosed"] - 3 * 60)}

    def after(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"onset_on": dates(rows["day"] + 3)}

    def elsewhere(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"home_region_code": texts(["99010100"] * len(rows["day"]))}

    return [
        Kind("reported_before_diagnosis", "reported_at", "case_report/reported_before_diagnosis", early),
        Kind("onset_after_diagnosis", "onset_on", "case_report/onset_after_diagnosis", after),
        Kind("home_region_wrong_length", "home_region_code", "case_report/home_region_wrong_length", elsewhere),
        *rejects("diagnosed_at", "diagnosed_at", "reported_at", "reported_at", "card_number", "card_number")[:1],
        *rejects("diagnosed_at", "diagnosed_at", "reported_at", "reported_at", "card_number", "card_number")[2:4],
    ]


def test_kinds() -> list[Kind]:
    """The kinds of errors planted in laboratory results."""

    def early(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"tested_on": dates(rows["day"] - 2)}

    return [Kind("tested_before_sampled", "tested_on", "laboratory_result/tested_before_sampled", early, share=0.002)]
