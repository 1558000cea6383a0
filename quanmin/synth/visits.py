"""Outpatient visits: drawn, described and written in three dialects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.synth import settings
from quanmin.synth.dirt import Columns, Kind, rejects
from quanmin.synth.flow import DEPARTMENT_SERVICE, Flow
from quanmin.synth.identity import Identity, identify
from quanmin.synth.illness import WINDOWS, Mix, Rows, month_of_year, taken
from quanmin.synth.people import People, age_bands
from quanmin.synth.place import Place, code_names, table, words
from quanmin.synth.text import choose, glue, moments, money, number, pick, texts

OUTPATIENT, EMERGENCY, CHECKUP = 0, 1, 2


@dataclass(frozen=True)
class Dialect:
    """A delimited layout with its own headers and words for codes."""

    name: str
    delimiter: str
    encoding: str
    line_end: str
    style: str
    columns: tuple[tuple[str, str], ...]
    given: dict[str, Any]

    @classmethod
    def named(cls, name: str) -> Dialect:
        """A dialect of dialects.toml."""
        d = words("dialects.toml")[name]
        return cls(name, d["delimiter"], d["encoding"], d["line_end"], d["style"], tuple((a, b) for a, b in d["columns"]), d)

    def head(self) -> str:
        """The header line."""
        return self.delimiter.join(theirs for _, theirs in self.columns) + self.line_end

    def lines(self, columns: Columns) -> pa.Array:
        """One text per row with its line end."""
        return glue(glue(*(columns[ours] for ours, _ in self.columns), between=self.delimiter), self.line_end)

    def word(self, key: str, index: np.ndarray) -> pa.Array:
        """Their word for a code: entry `index` of a word list."""
        return pick(texts(self.given[key]), index)


def visit_kinds() -> list[Kind]:
    """The kinds of errors planted in visits."""

    def unknown(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"diagnosis_code": pc.replace_substring(columns["diagnosis_code"], ".", "")}

    def negative(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"total_charge_cny": glue("-", columns["total_charge_cny"])}

    return [
        Kind("diagnosis_not_in_list", "diagnosis_code", "visit/diagnosis_not_in_list", unknown, share=0.0008),
        Kind("total_charge_negative", "total_charge_cny", "visit/total_charge_negative", negative, share=0.0004),
        *rejects("visited_at", "visited_at", "total_charge_cny", "total_charge_cny", "visit_number", "visit_number"),
    ]


class Visits:
    """Draws the visits of a block."""

    def __init__(self, place: Place, flow: Flow, staff: pa.Array, mix: list[dict[str, str]] | None = None, per_year: float = settings.VISITS_PER_YEAR) -> None:
        self.place, self.flow, self.staff = place, flow, staff
        self.mix = Mix(table("visit_mix.csv") if mix is None else mix)
        names = code_names("icd10")
        rows = self.mix.rows
        self.code, self.name = texts([r["diagnosis_code"] for r in rows]), texts([names[r["diagnosis_code"]] for r in rows])
        self.department = texts([r["department"] for r in rows])
        self.service = np.array([DEPARTMENT_SERVICE.get(r["department"], 0) for r in rows])
        self.check = np.array([r["id"] in ("health_check", "child_check") for r in rows])
        self.facility_code = texts([f["facility_code"] for f in place.caring])
        shape = np.array([float(r["share"]) for r in table("age_sex.csv")]).reshape(19, 2)
        rate = self.mix.rate.sum(-1)
        self.rate = rate * per_year / (rate * shape).sum() * shape.sum()

    def drawn(self, people: People, rng: np.random.Generator) -> Rows:
        """Visits ordered as drawn: person, minute, reason, facility, kind and charges."""
        resident = np.flatnonzero(people.resident)
        width = (settings.END + 1 - settings.START) / WINDOWS
        band = np.stack(
            [age_bands(people.birth_day[resident], int(settings.START + (k + 0.5) * width)) for k in range(WINDOWS)], axis=1
        ).clip(min=0)
        expected = (
            self.rate[band, (~people.male[resident])[:, None].astype(int)] * (0.35 + 0.65 * people.frailty[resident, None]) * width / 365.25
        )
        count = rng.poisson(expected)
        person = np.repeat(np.repeat(resident, WINDOWS), count.ravel())
        window = np.repeat(np.tile(np.arange(WINDOWS), len(resident)), count.ravel())
        day = (settings.START + (window + rng.random(len(person))) * width).astype(np.int64)
        present = (day >= people.from_day[person]) & (day > people.birth_day[person]) & (day < people.until[person])
        person, day = person[present], day[present]
        reason = self._reasons(people, person, day, rng)
        hospital = rng.random(len(day)) < self.mix.column("hospital")[reason] / 100
        town = self.place.village_town[people.village_on(person, day)]
        facility = self.flow.place_visits(town, hospital, self.service[reason], rng)
        emergency = hospital & (rng.random(len(day)) < self.mix.column("emergency")[reason] / 100 * 1.2)
        kind = np.where(self.check[reason], CHECKUP, np.where(emergency, EMERGENCY, OUTPATIENT))
        minute = np.where(kind == EMERGENCY, rng.integers(0, 1440, len(day)), rng.integers(8 * 60, 17 * 60 + 30, len(day)))
        rows = {"person": person, "day": day, "at": day * 1440 + minute, "case": reason, "facility": facility, "kind": kind}
        return {**rows, **self.described(rows, people, rng)}

    def _reasons(self, people: People, person: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        band, female = age_bands(people.birth_day[person], day).clip(min=0), ~people.male[person]
        month = month_of_year(day)
        reason = np.empty(len(day), dtype=np.int64)
        step = 50_000
        for start in range(0, len(day), step):
            part = slice(start, start + step)
            reason[part] = self.mix.draw(band[part], female[part], month[part], rng)
        return reason

    def described(self, rows: Rows, people: People, rng: np.random.Generator) -> Rows:
        """What further belongs to visits of given persons, reasons, facilities and kinds."""
        count, tier = len(rows["day"]), self.place.tier[rows["facility"]]
        tcm = rng.random(count) < (
            self.mix.column("tcm")[rows["case"]] / 100 * np.where(self.place.of_caring("tcm", False)[rows["facility"]], 2.2, 1)
        ).clip(max=0.95)
        booked = (rows["kind"] == OUTPATIENT) & (rng.random(count) < np.array([0.12, 0.42, 0.66, 0])[tier])
        medicated = (rows["kind"] != CHECKUP) & (rng.random(count) < 0.84)
        total = (self.mix.column("cost")[rows["case"]] * np.array([0.6, 1.0, 1.35, 1])[tier] * rng.lognormal(0, 0.45, count) * 100).astype(
            np.int64
        ) + 500
        drug = np.where(medicated, (total * rng.uniform(0.15, 0.65, count)).astype(np.int64), 0)
        insured = people.insured[rows["person"]]
        return {
            "tcm": tcm,
            "booked": booked,
            "wait": np.where(booked, rng.integers(2, 45, count), -1),
            "medicated": medicated,
            "essential": medicated & (rng.random(count) < np.array([0.86, 0.62, 0.48, 0])[tier]),
            "total": total,
            "drug": drug,
            "fund": np.where(insured, (total * rng.uniform(0.3, 0.6, count)).astype(np.int64), 0),
            "pay": np.where(~insured, 7, np.where(people.employee[rows["person"]], 1, 2)),
            "referred": np.where((tier == 2) & (rng.random(count) < 0.03), self._lead(rows, people), -1),
            "doctor": rng.integers(0, 40, count),
        }

    def _lead(self, rows: Rows, people: People) -> np.ndarray:
        leads = np.array([self.place.find(k, c) for c, k in words("facility_kinds.toml")["county_general"].items()])
        return leads[self.place.town_county[self.place.village_town[people.village[rows["person"]]]]]

    def identified(self, rows: Rows, people: People, style: str, short: np.ndarray, rng: np.random.Generator) -> Identity:
        """Identities of the visits, with the dates in the dialect's style."""
        who = identify(people, rows["person"], rows["day"], rng, style=style, short=short[rows["facility"]])
        who.phone = choose(rng.random(len(rows["day"])) < 0.08, "", who.phone)
        return who

    def columns(self, rows: Rows, who: Identity, block: int, dialect: Dialect) -> Columns:
        """Our columns as text in the words of a dialect."""
        facility, referred = rows["facility"], rows["referred"]
        return {
            "facility_code": pick(self.facility_code, facility),
            "visit_number": glue(number(rows["kind"]), number(np.full(len(facility), block), 4), number(rows["serial"], 7)),
            "visited_at": moments(rows["at"], dialect.style),
            "kind_code": dialect.word("kind", rows["kind"]),
            "department_code": pick(self.department, rows["case"]),
            "name": who.name,
            "sex_code": dialect.word("sex", who.sex - 1),
            "birth_date": who.birth_date,
            "identity_number": who.number,
            "phone": who.phone,
            "address": who.address,
            "diagnosis_code": pick(self.code, rows["case"]),
            "diagnosis_name": pick(self.name, rows["case"]),
            "is_appointment": dialect.word("boolean", 1 - rows["booked"]),
            "wait_minutes": choose(rows["wait"] >= 0, number(rows["wait"]), ""),
            "is_tcm": dialect.word("boolean", 1 - rows["tcm"]),
            "is_medicated": dialect.word("boolean", 1 - rows["medicated"]),
            "is_essential_medicine": dialect.word("boolean", 1 - rows["essential"]),
            "payment_method_code": number(rows["pay"]),
            "total_charge_cny": money(rows["total"]),
            "drug_charge_cny": money(rows["drug"]),
            "fund_paid_cny": money(rows["fund"]),
            "referred_from_code": choose(referred >= 0, pick(self.facility_code, referred.clip(min=0)), ""),
            "physician": pick(self.staff, (facility * 37 + rows["doctor"]) % len(self.staff)),
        }


def ordered(rows: Rows, file: np.ndarray) -> tuple[Rows, np.ndarray]:
    """Rows and their file index sorted by file and time."""
    order = np.lexsort((rows["at"], file))
    return taken(rows, order), file[order]
