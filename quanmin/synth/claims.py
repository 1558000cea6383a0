"""Insurance claims: every stay of an insured resident wherever it was, and a sample of the outpatient visits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.dirt import Columns, Kind, Planted, plant, rejects
from quanmin.synth.identity import identify
from quanmin.synth.illness import Illnesses, Rows, stacked, taken
from quanmin.synth.people import People
from quanmin.synth.place import Place
from quanmin.synth.text import choose, dates, glue, money, number, pick, texts
from quanmin.synth.visits import Dialect

INPATIENT, OUTPATIENT = 0, 1
FIELDS = (
    "person",
    "admit",
    "discharge",
    "facility",
    "diagnosis",
    "case",
    "operated",
    "total",
    "fund",
    "kind",
    "disposition",
    "case_number",
    "referral",
    "serial",
)


def _more(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"fund_paid_cny": money(rows["total"] + rng.integers(1_000, 200_000, len(rows["total"])))}


def _late(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"admitted_on": dates(rows["discharge"] + rng.integers(1, 9, len(rows["total"])))}


def claim_kinds() -> list[Kind]:
    """The kinds of errors planted in claims."""
    return [
        Kind("fund_exceeds_total", "fund_paid_cny", "claim/fund_exceeds_total", _more),
        Kind("discharge_before_admission", "admitted_on", "claim/discharge_before_admission", _late, lambda r: r["kind"] == INPATIENT),
        *rejects("settled_on", "settled_on", "total_cny", "total_cny", "claim_number", "claim_number"),
    ]


class Claims:
    """Makes the claims of a block."""

    def __init__(self, place: Place, illnesses: Illnesses, stay_codes: pa.Array, visit_codes: pa.Array) -> None:
        self.place, self.dialect = place, Dialect.named("claim_settlement")
        self.sender = f"HI-{place.names['city']['code']}"
        self.offset = len(stay_codes)
        self.code = pa.concat_arrays([stay_codes, visit_codes])
        self.procedure = texts([r["procedure"] for r in illnesses.mix.rows])
        caring = place.caring
        self.facility = {
            "facility_code": texts([f["facility_code"] for f in caring]),
            "facility_name": texts([f["name"] for f in caring]),
            "facility_county_code": texts([f["county_code"] for f in caring]),
            "facility_level_code": texts(list(place.of_caring("level_code"))),
        }
        self.unsent = [settings.MONTH_NAMES.index(m) for m in place.names["planted"]["claims_not_sent"]]

    def rows(self, stays: Rows, visits: Rows, people: People, rng: np.random.Generator) -> Rows:
        """Claims sorted by month and day."""
        home = self.place.town_county[self.place.village_town[people.village[stays["person"]].clip(min=0)]]
        away = home != self.place.facility_county[stays["facility"]]
        inpatient = {
            **{
                k: stays[k] for k in ("person", "admit", "discharge", "facility", "case", "operated", "total", "disposition", "case_number")
            },
            "diagnosis": stays["principal"],
            "fund": stays["total"] - stays["self"],
            "kind": np.full(len(away), INPATIENT),
            "referral": stays["transferred"] | (away & (rng.random(len(away)) < 0.38)),
        }
        inpatient = taken(inpatient, people.insured[stays["person"]] & people.resident[stays["person"]])
        sampled = np.flatnonzero(people.insured[visits["person"]] & (rng.random(len(visits["day"])) < settings.CLAIMED_VISITS))
        nothing = np.zeros(len(sampled), dtype=np.int64)
        outpatient = {
            "person": visits["person"][sampled],
            "admit": visits["day"][sampled],
            "discharge": visits["day"][sampled],
            "facility": visits["facility"][sampled],
            "case": nothing,
            "operated": nothing.astype(bool),
            "total": visits["total"][sampled],
            "disposition": nothing,
            "case_number": nothing,
            "diagnosis": self.offset + visits["case"][sampled],
            "fund": visits["fund"][sampled],
            "kind": nothing + OUTPATIENT,
            "referral": nothing.astype(bool),
        }
        rows = stacked(inpatient, outpatient)
        rows["serial"] = np.arange(len(rows["person"]))
        month = settings.month_of(rows["discharge"])
        rows = taken(rows, ~np.isin(month, self.unsent))
        return taken(rows, np.argsort(rows["discharge"], kind="stable"))

    def columns(self, rows: Rows, people: People, rng: np.random.Generator) -> tuple[Columns, Planted, np.ndarray]:
        """Text columns with planted errors, and what is wrong with the identities."""
        count, person, inside = len(rows["person"]), rows["person"], rows["kind"] == INPATIENT
        who = identify(people, person, rows["discharge"], rng, missing=0.0, wrong=0.0)
        county = self.place.town_county[self.place.village_town[people.village[person]]]
        county_code = texts([c["region_code"] for c in self.place.counties])
        columns = {
            "claim_number": glue("JS", number(np.full(count, people.block), 4), number(rows["serial"], 7)),
            "kind_code": self.dialect.word("kind", rows["kind"]),
            "name": who.name,
            "sex_code": number(who.sex),
            "birth_date": who.birth_date,
            "identity_number": who.number,
            "insurance_type_code": self.dialect.word("insurance", 1 - people.employee[person]),
            "insured_county_code": pick(county_code, county),
            **{k: pick(v, rows["facility"]) for k, v in self.facility.items()},
            "case_number": choose(inside, number(rows["case_number"], 9), ""),
            "admitted_on": choose(inside, dates(rows["admit"]), ""),
            "discharged_on": dates(rows["discharge"]),
            "settled_on": dates(rows["discharge"] + rows["serial"] % 3),
            "diagnosis_code": pick(self.code, rows["diagnosis"]),
            "procedure_code": choose(rows["operated"], pick(self.procedure, rows["case"]), ""),
            "disposition_code": choose(inside, number(rows["disposition"]), ""),
            "has_referral": self.dialect.word("boolean", 1 - rows["referral"]),
            "total_cny": money(rows["total"]),
            "fund_paid_cny": money(rows["fund"]),
            "self_paid_cny": money(rows["total"] - rows["fund"]),
        }
        columns, planted = plant(claim_kinds(), rows, columns, np.zeros(count, dtype=bool), rng)
        return columns, planted, who.kind

    def file(self, month: int) -> str:
        """Path of the file of one month."""
        return f"{self.sender}/{self.sender}_claim_{settings.MONTH_NAMES[month]}.csv"
