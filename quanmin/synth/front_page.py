"""Front pages as text columns under the national column codes, and the layouts in which hospitals write them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.care import EXTRAS, OTHERS, Codes, code_text
from quanmin.synth.dirt import Columns
from quanmin.synth.identity import MISSING, Identity, identify
from quanmin.synth.illness import Illnesses, Rows
from quanmin.synth.people import People
from quanmin.synth.place import CATALOG, Place, code_names
from quanmin.synth.text import choose, dates, glue, moments, money, number, pick, same, texts

CHARGE_COLUMNS = {
    "total_charge_cny": "D01",
    "self_paid_cny": "D09",
    "general_service_cny": "D11",
    "general_treatment_cny": "D12",
    "nursing_cny": "D13",
    "other_service_cny": "D14",
    "pathology_cny": "D15",
    "laboratory_cny": "D16",
    "imaging_cny": "D17",
    "clinical_diagnosis_cny": "D18",
    "nonsurgical_treatment_cny": "D19",
    "physiotherapy_cny": "D19x01",
    "surgical_treatment_cny": "D20",
    "anaesthesia_cny": "D20x01",
    "operation_cny": "D20x02",
    "rehabilitation_cny": "D21",
    "tcm_treatment_cny": "D22",
    "western_drug_cny": "D23",
    "antibiotic_cny": "D23x01",
    "patent_tcm_drug_cny": "D24",
    "herbal_drug_cny": "D25",
    "blood_cny": "D26",
    "albumin_cny": "D27",
    "globulin_cny": "D28",
    "clotting_factor_cny": "D29",
    "cytokine_cny": "D30",
    "examination_material_cny": "D31",
    "treatment_material_cny": "D32",
    "operation_material_cny": "D33",
    "other_cny": "D34",
}
STAFF = 400
STAFF_COLUMNS = ("B22", "B23", "B24", "B25", "B26", "B29", "B31", "B32")


@cache
def header() -> list[str]:
    """The 642 column codes in their national order."""
    with (CATALOG / "mappings" / "front_page_national_header.csv").open(encoding="utf-8", newline="") as stream:
        return [row["column"] for row in csv.DictReader(stream)]


@dataclass(frozen=True)
class Layout:
    """How one group of hospitals writes the file."""

    columns: tuple[str, ...]
    quoted: bool
    line_end: str
    encoding: str

    def head(self) -> str:
        """The header line."""
        mark = '"' if self.quoted else ""
        return ",".join(f"{mark}{c}{mark}" for c in self.columns) + self.line_end

    def lines(self, columns: Columns) -> pa.Array:
        """One text per row with its line end; columns that are not given are blank."""
        between, edge = ('","', '"') if self.quoted else (",", "")
        parts: list[pa.Array | str] = []
        pending = edge
        for k, name in enumerate(self.columns):
            if k:
                pending += between
            if name in columns:
                parts += [pending, columns[name]] if pending else [columns[name]]
                pending = ""
        return glue(*parts, pending + edge + self.line_end)


@cache
def layouts() -> tuple[Layout, ...]:
    """The four ways: plain with byte-order mark; GB18030; GB18030 with every field quoted; other order and two more columns."""
    national = header()
    keys, rest = national[:6], national[6:]
    at = rest.index("D01")
    return (
        Layout(tuple(national), False, "\n", "utf-8-sig"),
        Layout(tuple(national), False, "\r\n", "gb18030"),
        Layout(tuple(national), True, "\r\n", "gb18030"),
        Layout((*keys, *rest[at:], *rest[:at], "SCRQ", "CZY"), False, "\r\n", "utf-8-sig"),
    )


class FrontPages:
    """Turns stays into front-page columns."""

    def __init__(self, place: Place, illnesses: Illnesses, codes: Codes, staff: pa.Array) -> None:
        self.place, self.illnesses, self.codes, self.staff = place, illnesses, codes, staff
        mix = illnesses.mix
        self.words = codes.words
        departments = code_names("department")
        used = sorted({r["department"] for r in mix.rows})
        self.department = np.array([used.index(r["department"]) for r in mix.rows])
        self.department_code = texts(used)
        self.ward = texts([departments[d] + self.words["stay"]["ward"]["zh"] for d in used])
        procedures = code_names("icd9cm3")
        rows = mix.rows
        self.procedure = {
            "code": texts([r["procedure"] for r in rows]),
            "name": texts([procedures.get(r["procedure"], "") for r in rows]),
            "level": texts([r["operation_level"] for r in rows]),
            "anaesthesia": texts([r["anaesthesia"] for r in rows]),
            "incision": texts([r["incision"] for r in rows]),
        }
        self.extra_code, self.extra_name = texts([*EXTRAS, ""]), texts([*(procedures[c] for c in EXTRAS), ""])
        pathology = self.words["pathology"]
        self.pathology_code = texts([r["pathology"] for r in rows])
        self.pathology_name = texts([pathology[r["pathology"]]["zh"] if r["pathology"] else "" for r in rows])
        self.facility_code = texts([f["facility_code"] for f in place.caring])
        self.facility_name = texts([f["name"] for f in place.caring])
        self.village = texts([*(v["name"] for v in place.villages), ""])
        self.traditional = np.arange(len(place.caring)) % 23 == 5
        self.short = np.arange(len(place.caring)) % 5 == 2

    def prepared(self, rows: Rows, people: People, rng: np.random.Generator) -> tuple[Rows, Identity]:
        """Adds to the rows what planting needs, and makes their identities."""
        person, case = rows["person"], rows["case"]
        newborn = rows["day_age"] <= 28
        who = identify(
            people,
            person,
            rows["admit"],
            rng,
            missing=np.where(newborn, 0.7, settings.MISSING_ID),
            spare=rows["spare"],
            short=self.short[rows["facility"]],
            traditional=self.traditional[rows["facility"]],
        )
        pathology = np.array([bool(r["pathology"]) for r in self.illnesses.mix.rows])
        deliveries = np.isin(case, [self.illnesses.index["delivery_vaginal"], self.illnesses.index["delivery_caesarean"]])
        preterm = case == self.illnesses.index["preterm_birth"]
        weight = (
            np.rint(np.where(preterm, rng.normal(2150, 350, len(case)), rng.normal(3250, 400, len(case))).clip(900, 4900) / 10).astype(
                np.int64
            )
            * 10
        )
        return {
            **rows,
            "identity": who.kind,
            "letters": who.letters,
            "sex": who.sex,
            "has_pathology": pathology[case],
            "case_sex": self.illnesses.mix.column("sex", int)[case],
            "birth_weight": np.where(deliveries | newborn, weight, 0),
        }, who

    def columns(
        self,
        rows: Rows,
        who: Identity,
        people: People,
        charges: dict[str, np.ndarray],
        others: np.ndarray,
        state: np.ndarray,
        rng: np.random.Generator,
    ) -> Columns:
        """All filled columns; every row keeps every rule of the national layout."""
        return {
            **self._person(rows, who, people, rng),
            **self._stay(rows, rng),
            **self._diagnoses(rows, others, state, rng),
            **self._procedures(rows, rng),
            **self._details(rows, rng),
            **{CHARGE_COLUMNS[n]: money(v) for n, v in charges.items()},
        }

    def _person(self, rows: Rows, who: Identity, people: People, rng: np.random.Generator) -> Columns:
        person, age, count = rows["person"], rows["age"], len(rows["case"])
        words = self.words["stay"]
        head = people.head[person]
        rural = ~np.array([v["is_urban"] == "true" for v in self.place.villages])[people.village[person].clip(min=0)]
        job = rng.choice(np.array([24, 17, 51, 54, 70, 13, 90]), count)
        job = np.where(age >= 60, np.where(rural, 27, 80), np.where(rural & (rng.random(count) < 0.65), 27, job))
        job = np.where(age < 6, 90, np.where(age < 20, 31, job))
        single = np.where(rng.random(count) < 0.75, 1, 4)
        married = np.where(people.coupled[person] & (age >= 22), 2, np.where(age >= 62, 3, np.where(age < 23, 1, single)))
        village = code_text(self.village, people.village[person])
        work = choose(
            job == 27,
            glue(village, words["farm"]["zh"]),
            choose(job == 31, glue(village, words["kindergarten"]["zh"]), words["none"]["zh"]),
        )
        work = choose(np.isin(job, [24, 17, 13, 54]), glue(village, words["company"]["zh"]), work)
        postcode = glue(self.place.names["postcode"]["first"], number(7000 + people.village[person] % 90 + 1, 4))
        insured = people.insured[person]
        return {
            "A11": who.name,
            "A12C": number(who.sex),
            "A13": who.birth_date,
            "A14": number(age),
            "A15C": same(words["nationality"]["zh"], count),
            "A46C": number(np.where(~insured, 7, np.where(people.employee[person], 1, 2))),
            "A21C": number(married),
            "A38C": number(job),
            "A19C": number(np.where(person % 31 == 0, 15, np.where(person % 97 == 0, 6, 1)), 2),
            "A20": choose((who.kind == MISSING) & (rows["facility"] % 2 == 0), "-", who.number),
            "A47": same("-", count),
            "A22": who.address,
            "A23C": same(self.place.names["province"]["zh_short"], count),
            "A24": who.address,
            "A25C": postcode,
            "A26": who.address,
            "A27": who.phone,
            "A28C": postcode,
            "A29": work,
            "A30": who.phone,
            "A31C": postcode,
            "A32": pick(people.texts["name"], head),
            "A33C": number(people.relation[person]),
            "A34": who.address,
            "A35": pick(people.texts["phone"], head),
            "A16": choose(age < 1, number(rows["day_age"]), ""),
        }

    def _stay(self, rows: Rows, rng: np.random.Generator) -> Columns:
        facility, count = rows["facility"], len(rows["case"])
        department = self.department[rows["case"]]
        ward = pick(self.ward, department)
        staff = (facility * 37 + department * 11) % STAFF
        number_of = (staff[:, None] + np.array([0, 3, 7, 13, 19, 101, 29, 31])) % STAFF
        receiving = rows["receiving"]
        return {
            "A01": pick(self.facility_code, facility),
            "A02": pick(self.facility_name, facility),
            "A48": number(rows["case_number"], 9),
            "A49": number(rows["admission_number"]),
            "B12": moments(rows["admit_at"]),
            "B15": moments(rows["discharge_at"]),
            "B11C": number(rows["route"]),
            "B13C": pick(self.department_code, department),
            "B14": ward,
            "B16C": pick(self.department_code, department),
            "B17": ward,
            "B20": number(rows["discharge"] - rows["admit"]),
            "B30C": number(np.where(rng.random(count) < 0.93, 1, 2)),
            "B33": dates(rows["discharge"] + 1 + rows["variant"] % 3),
            "B34C": number(rows["disposition"]),
            "B35": choose(receiving >= 0, pick(self.facility_name, receiving.clip(min=0)), ""),
            **{c: pick(self.staff, number_of[:, k]) for k, c in enumerate(STAFF_COLUMNS)},
            "SCRQ": dates(rows["discharge"] + 2),
            "CZY": pick(self.staff, number_of[:, 5]),
        }

    def _diagnoses(self, rows: Rows, others: np.ndarray, state: np.ndarray, rng: np.random.Generator) -> Columns:
        codes, principal, external = self.codes, rows["principal"], rows["external"]
        found = {
            "C01C": pick(codes.code, principal),
            "C02N": pick(codes.name, principal),
            "C03C": pick(codes.code, principal),
            "C04N": pick(codes.name, principal),
            "C05C": number(np.where(rng.random(len(principal)) < 0.03, 2, 1)),
            "C12C": code_text(codes.code, external),
            "C13N": code_text(codes.name, external),
        }
        for k in range(OTHERS):
            found[f"C06x{k + 1:02d}C"] = code_text(codes.code, others[:, k])
            found[f"C07x{k + 1:02d}N"] = code_text(codes.name, others[:, k])
            found[f"C08x{k + 1:02d}C"] = choose(others[:, k] >= 0, number(state[:, k]), "")
        tumour = rows["has_pathology"]
        found["C09C"] = pick(self.pathology_code, rows["case"])
        found["C10N"] = pick(self.pathology_name, rows["case"])
        found["C11"] = choose(tumour, glue("B", number(rows["case_number"] % 10_000_000, 8)), "")
        return found

    def _procedures(self, rows: Rows, rng: np.random.Generator) -> Columns:
        case, done = rows["case"], rows["operated"]
        staff = (rows["facility"] * 37 + self.department[case] * 11) % STAFF
        operation = done & (self.illnesses.mix.column("operation_level", int)[case] > 0)

        def person(shift: int, when: np.ndarray) -> pa.Array:
            return choose(when, pick(self.staff, (staff + shift) % STAFF), "")

        extra = rows["extras"] > 0
        return {
            "C14x01C": choose(done, pick(self.procedure["code"], case), ""),
            "C15x01N": choose(done, pick(self.procedure["name"], case), ""),
            "C16x01": choose(done, moments(rows["performed_at"]), ""),
            "C17x01": choose(done, pick(self.procedure["level"], case), ""),
            "C18x01": person(3, done),
            "C19x01": person(7, operation),
            "C20x01": person(13, operation),
            "C21x01C": choose(operation, pick(self.procedure["incision"], case), ""),
            "C22x01C": choose(operation, pick(self.procedure["anaesthesia"], case), ""),
            "C23x01": person(211, operation),
            "C35x01C": code_text(self.extra_code, rows["extras"] - 1),
            "C36x01N": code_text(self.extra_name, rows["extras"] - 1),
            "C37x01": choose(extra, moments(rows["extra_at"]), ""),
            "C39x01": person(223, extra),
        }

    def _details(self, rows: Rows, rng: np.random.Generator) -> Columns:
        count, words = len(rows["case"]), self.words["stay"]
        allergic = rng.random(count) < 0.04
        planned = rows["case"] == self.illnesses.index["chemotherapy"]
        planned &= (rows["disposition"] == 1) & (rng.random(count) < 0.8)
        head_injury = np.isin(rows["case"], [self.illnesses.index["brain_injury"], self.illnesses.index["brain_haemorrhage"]]) & (
            rows["severity"] == 2
        )
        newborn = rows["day_age"] <= 28
        zero = same("0", count)
        return {
            "C24C": number(np.where(allergic, 2, 1)),
            "C25": choose(
                allergic, pick(texts([a["zh"] for a in words["allergies"]]), rng.integers(0, len(words["allergies"]), count)), ""
            ),
            "C34C": choose(rows["disposition"] == 5, number(np.where(rng.random(count) < 0.01, 1, 2)), ""),
            "C26C": number(rng.choice(np.array([1, 2, 3, 4, 6]), count, p=[0.26, 0.24, 0.29, 0.07, 0.14])),
            "C27C": number(rng.choice(np.array([1, 2, 4]), count, p=[0.004, 0.846, 0.15])),
            "A18x01": choose(rows["birth_weight"] > 0, number(rows["birth_weight"]), ""),
            "A17": choose(newborn, number(rows["birth_weight"] - 10 * (rows["variant"] % 7)), ""),
            "C28": zero,
            "C29": choose(head_injury, number(rng.integers(0, 12, count)), "0"),
            "C30": choose(head_injury, number(rng.integers(0, 60, count)), "0"),
            "C31": choose(head_injury, number(rng.integers(0, 3, count)), "0"),
            "C32": choose(head_injury, number(rng.integers(0, 24, count)), "0"),
            "C33": zero,
            "B36C": number(np.where(planned, 2, 1)),
            "B37": choose(planned, words["plans"][0]["zh"], ""),
        }
