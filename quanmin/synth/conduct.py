"""Planted violations of the rules of supervision in stays, with innocent look-alikes; everything draws from a stream of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.care import Codes, case_numbers
from quanmin.synth.dirt import Columns, Planted
from quanmin.synth.front_page import FrontPages
from quanmin.synth.illness import Illnesses, Rows, stacked, taken
from quanmin.synth.people import People, full_years
from quanmin.synth.place import Place, code_names, words
from quanmin.synth.ploys import CODE, PLOYS, Choice
from quanmin.synth.repeats import AFTER_DEATH, OVERLAP
from quanmin.synth.text import dates, number, pick, replaced, same
from quanmin.synth.truth import Truth

SHARE = 0.0007  # of the residents, of each kind of planted violation
SINCE = settings.epoch_day(2025, 11, 6)
COURSES = ("chemotherapy", "rehabilitation", "stroke_sequelae", "kidney_failure")  # come again by plan
ELSEWHERE_KINDS = ("city_general", "city_second", "city_tcm", "county_general", "county_general_strong", "county_general_weak", "county_tcm")
PARTS_SHRUNK = 0.15  # what is left of the charges of a stay that only carries a code
EXAMINED = {"laboratory_cny": 35, "imaging_cny": 40, "clinical_diagnosis_cny": 10, "general_service_cny": 6, "nursing_cny": 3, "general_treatment_cny": 2,
            "western_drug_cny": 4}  # shares (%) of the charges of a stay for examinations only


class Conduct:
    """Bends stays of a block before and after they are described, and adds stays that should not have been."""

    def __init__(self, place: Place, illnesses: Illnesses, codes: Codes, pages: FrontPages) -> None:
        self.place, self.illnesses, self.codes, self.pages = place, illnesses, codes, pages
        mix = illnesses.mix
        self.level, self.department = mix.column("operation_level", int), [r["department"] for r in mix.rows]
        diagnosis = np.array([r["diagnoses"][0] for r in mix.rows])
        self.ordinary = ~np.isin(diagnosis, ["C", "D", "F", "O", "P", "Z"]) & ~np.isin(np.arange(len(diagnosis)), [illnesses.index[c] for c in COURSES])
        self.surgical = np.array([r["charges"] in ("surgical", "interventional", "implant") for r in mix.rows]) & (self.level >= 2)
        self.womens = mix.column("sex", int) == 2
        self.hospitals = [k for k, f in enumerate(place.caring) if f["kind"] in ELSEWHERE_KINDS and k != place.silent[0]]
        lost = place.names["planted"]["lost_services"]["county"]  # whose story is another one: nothing is planted there
        self.lost = [c["region_code"] for c in place.counties].index(lost)
        self.failing = self.codes.at[words("words.toml")["codes"]["failing"]]
        self.procedure = mix.rows[illnesses.index["ovarian_cyst"]]["procedure"]

    def other_hospital(self, facility: np.ndarray) -> np.ndarray:
        """Another hospital of the same county, else of the city."""
        county, first = self.place.facility_county, {k: k for k in self.hospitals}
        found = {}
        for k in np.unique(facility).tolist():
            others = [h for h in first if h != k]
            found[k] = next((h for h in others if county[h] == county[k]), others[0])
        return np.array([found[k] for k in facility.tolist()], dtype=np.int64)

    def plan(self, rows: Rows, people: People, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """The stays with the ploys of those that are bent, and the stays added; as `Maker._stays` gives them."""
        rows = {**{k: v.copy() for k, v in rows.items()}, "ploy": np.zeros(len(rows["person"]), dtype=np.int64)}
        many = max(4, round(SHARE * int(people.resident.sum())))
        choice, fit = Choice(rows["person"], rng), self._fit(rows, people)
        added = [self._pairs(rows, fit, choice, people, many, rng), self._after_death(rows, people, choice, many, rng)]
        self._bent(rows, fit, choice, people, many)
        return rows, stacked(*added)

    def _fit(self, rows: Rows, people: People) -> np.ndarray:
        """Clean local stays of grown residents since the first month that is planted in."""
        here = self.place.facility_county[rows["facility"]] == rows["home"]
        fit = rows["true"] & ~rows["spare"] & (rows["repeat"] == 0) & here & (rows["facility"] != self.place.silent[0]) & ~rows["died"]
        fit &= (rows["disposition"] == 1) & (rows["receiving"] < 0) & (rows["age"] >= 18)
        fit &= (rows["discharge"] >= SINCE) & (rows["discharge"] < settings.END - 2)
        fit &= rows["home"] != self.lost
        return fit & ~rows["transferred"] & (people.moved_out[rows["person"]] > settings.END)

    def _mark(self, rows: Rows, chosen: np.ndarray, name: str) -> np.ndarray:
        rows["ploy"][chosen], rows["spare"][chosen] = CODE[name], True
        return chosen

    def _bent(self, rows: Rows, fit: np.ndarray, choice: Choice, people: People, many: int) -> None:
        """Ploys that leave the number of stays as it is."""
        male, hospital, case = people.male[rows["person"]], self.place.tier[rows["facility"]] >= 1, rows["case"]
        plain = fit & ~rows["operated"] & (rows["extras"] == 0)
        few = many // 2
        mild = plain & (rows["severity"] == 0) & hospital & (self.illnesses.days[case] >= 5) & self.ordinary[case]
        self._mark(rows, choice.some(fit & rows["operated"] & self.surgical[case], many - few), "no_surgery_charge")
        self._mark(rows, choice.some(plain & hospital, few), "material_alone")
        self._mark(rows, choice.some(fit & rows["operated"] & (self.level[case] == 0), few), "diagnostic_procedure")
        self._mark(rows, choice.some(fit & rows["operated"] & male & self.surgical[case], many), "womans_procedure")
        self._mark(rows, choice.some(fit & rows["operated"] & self.womens[case] & (self.level[case] >= 2), few), "her_procedure")
        breathing = np.array([r["service"] in ("respiratory", "infection", "cardiology") for r in self.illnesses.mix.rows])
        self._shorten(rows, self._mark(rows, choice.some(mild & ~breathing[case], many), "bare_code"), people, 0.22)
        self._mark(rows, choice.some(plain & hospital & (rows["severity"] >= 1) & ~breathing[case], few), "borne_out_code")
        for name, size, what in (("high_level", many, "gallstones"), ("low_level", few, "haemorrhoids")):
            chosen = self._mark(rows, choice.some(plain & ~hospital, size), name)
            rows["case"][chosen], rows["operated"][chosen] = self.illnesses.index[what], True
        for name, size in (("examined", many), ("shortly_treated", few)):
            self._shorten(rows, self._mark(rows, choice.some(mild, size), name), people, 0.0)

    def _shorten(self, rows: Rows, chosen: np.ndarray, people: People, part: float) -> None:
        """Stays of a part of the usual length, or of two days."""
        days = np.maximum(1, np.rint(part * self.illnesses.days[rows["case"][chosen]])).astype(np.int64) if part else np.full(len(chosen), 2)
        later = rows["discharge"][chosen] - days - rows["admit"][chosen]
        for name, unit in (("admit", 1), ("admit_at", 1440), ("day_age", 1)):
            rows[name][chosen] += later * unit
        rows["age"][chosen] = full_years(people.birth_day[rows["person"][chosen]], rows["admit"][chosen])

    def _pairs(self, rows: Rows, fit: np.ndarray, choice: Choice, people: People, many: int, rng: np.random.Generator) -> Rows:
        """A second stay after (or over) one that stands alone."""
        order = np.lexsort((rows["admit"], rows["person"]))
        following = np.full(len(order), settings.END + 999)
        together = rows["person"][order][1:] == rows["person"][order][:-1]
        following[order[:-1]] = np.where(together, rows["admit"][order][1:], settings.END + 999)
        alone = fit & (following - rows["discharge"] > 45) & self.ordinary[rows["case"]] & (people.died[rows["person"]] > rows["discharge"] + 45)
        alone &= (rows["discharge"] < settings.END - 20) & (rows["discharge"] - rows["admit"] >= 4)
        few, found = many // 2, []
        for name, size, first in (("split", many, "first_part"), ("planned_return", few, "plans_return"), ("same_day", many, "first_part"),
                                  ("transfer_in", few, "sends_on"), ("overlap", many, "first_part"), ("after_transfer", few, "sends_on")):
            base = self._mark(rows, choice.some(alone, size), first)
            elsewhere = self.other_hospital(rows["facility"][base])
            moves = name in ("transfer_in", "overlap", "after_transfer")
            gap = rng.integers(1, 7, len(base)) if name in ("split", "planned_return") else np.zeros(len(base), dtype=np.int64)
            start = rows["admit"][base] + 2 if name == "overlap" else rows["discharge"][base] + gap
            end = np.maximum(start, rows["discharge"][base]) + rng.integers(2, 7, len(base))
            if first == "sends_on":
                rows["disposition"][base], rows["receiving"][base] = 2, elsewhere
            again = self._again(rows, base, start, end, elsewhere if moves else rows["facility"][base], people)
            again["ploy"][:], again["route"][:] = CODE[name], 3 if first == "sends_on" else 2
            again["repeat"][:] = OVERLAP if name == "overlap" else 0
            found.append(again)
        return stacked(*found)

    def _after_death(self, rows: Rows, people: People, choice: Choice, many: int, rng: np.random.Generator) -> Rows:
        """Stays of residents who left dead."""
        dead = rows["true"] & rows["died"] & ~rows["spare"] & (rows["home"] >= 0) & (rows["age"] >= 18) & (self.place.tier[rows["facility"]] < 3)
        dead &= (rows["discharge"] >= SINCE) & (rows["discharge"] < settings.END - 45) & (rows["facility"] != self.place.silent[0])
        base = choice.some(dead & (rows["home"] != self.lost), many)
        rows["spare"][base] = True
        start = rows["discharge"][base] + rng.integers(4, 35, len(base))
        again = self._again(rows, base, start, start + rng.integers(2, 8, len(base)), self.other_hospital(rows["facility"][base]), people)
        again["ploy"][:], again["repeat"][:], again["case"][:] = CODE["after_death"], AFTER_DEATH, self.illnesses.index["hypertension"]
        return again

    def _again(self, rows: Rows, base: np.ndarray, admit: np.ndarray, discharge: np.ndarray, facility: np.ndarray, people: People) -> Rows:
        """Copies of stays at other times (in late afternoon, after whoever leaves that day has left) and places."""
        copy, count = taken(rows, base), len(base)
        no, none = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
        return {
            **copy, "admit": admit, "discharge": discharge, "facility": facility, "admit_at": admit * 1440 + 17 * 60,
            "discharge_at": discharge * 1440 + 10 * 60, "performed_at": admit * 1440 + 18 * 60, "extra_at": admit * 1440 + 18 * 60,
            "operated": no, "extras": none, "died": no.copy(), "risk": np.zeros(count), "disposition": none + 1, "receiving": none - 1, "true": ~no,
            "repeat": none.copy(), "spare": ~no, "transferred": no.copy(), "ploy": none.copy(), "route": none + 2, "severity": none.copy(),
            "case_number": case_numbers(people.block, copy["person"], facility), "admission_number": copy["admission_number"] + 40,
            "age": full_years(people.birth_day[copy["person"]], admit), "day_age": admit - people.birth_day[copy["person"]],
            "facility_county": self.place.facility_county[facility],
        }

    def bend(self, rows: Rows, others: np.ndarray, state: np.ndarray, charges: dict[str, np.ndarray]) -> Rows:
        """The described stays with other diagnoses and charges that fit their ploys; sums stay whole."""
        ploy = rows["ploy"]
        coded = np.isin(ploy, [CODE[n] for n in ("bare_code", "borne_out_code", "coded")])
        others[coded], state[coded] = -1, 1
        others[coded, 0] = self.failing
        bare = ploy == CODE["bare_code"]
        for name in charges:
            charges[name][bare] = (charges[name][bare] * PARTS_SHRUNK).astype(np.int64)
        self._moved(charges, ploy == CODE["no_surgery_charge"], ("surgical_treatment_cny", "operation_material_cny"), "nonsurgical_treatment_cny", 1.0)
        for name in ("anaesthesia_cny", "operation_cny"):
            charges[name][ploy == CODE["no_surgery_charge"]] = 0
        self._moved(charges, ploy == CODE["material_alone"], ("laboratory_cny", "imaging_cny", "treatment_material_cny"), "operation_material_cny", 0.6)
        examined = ploy == CODE["examined"]
        total, parts = charges["total_charge_cny"], [n for n in charges if n not in ("total_charge_cny", "self_paid_cny")]
        for name in parts:
            charges[name][examined] = total[examined] * EXAMINED.get(name, 0) // 100
        whole = [n for n in parts if n not in ("physiotherapy_cny", "anaesthesia_cny", "operation_cny", "antibiotic_cny")]
        charges["total_charge_cny"] = sum(charges[n] for n in whole)
        charges["self_paid_cny"] = np.where(ploy == CODE["neighbour"], 0, np.minimum(charges["self_paid_cny"], charges["total_charge_cny"]))
        return {**rows, "total": charges["total_charge_cny"], "self": charges["self_paid_cny"]}

    @staticmethod
    def _moved(charges: dict[str, np.ndarray], mask: np.ndarray, sources: tuple[str, ...], target: str, part: float) -> None:
        for name in sources:
            amount = (charges[name][mask] * part).astype(np.int64)
            charges[name][mask] -= amount
            charges[target][mask] += amount

    def columns(self, rows: Rows, columns: Columns) -> Columns:
        """Front-page columns with what the ploys state instead."""
        found = dict(columns)
        wrong = np.flatnonzero(rows["ploy"] == CODE["womans_procedure"])
        planned = np.flatnonzero(rows["ploy"] == CODE["plans_return"])
        purpose = words("words.toml")["stay"]["plans"][2]["zh"]
        name = code_names("icd9cm3")[self.procedure]
        for at, column, value in ((wrong, "C14x01C", self.procedure), (wrong, "C15x01N", name), (planned, "B36C", "2"), (planned, "B37", purpose)):
            found[column] = replaced(found[column], at, same(value, len(at)))
        return found

    def tell(self, truth: Truth, rows: Rows) -> None:
        """Write which of the sent stays are violations and which only look like them."""
        self._tell(truth, rows, rows["ploy"])
        known = {OVERLAP: CODE["overlap"], AFTER_DEATH: CODE["after_death"]}  # planted as errors before there were rules
        repeated = (rows["ploy"] == 0) & (rows["discharge"] >= settings.MONTH_STARTS[48])
        self._tell(truth, rows, np.where(repeated, np.array([known.get(k, 0) for k in range(4)])[rows["repeat"]], 0))

    def tell_errors(self, truth: Truth, rows: Rows, planted: Planted) -> None:
        """Write the diagnoses that the sex cannot have, which were planted as errors before there were rules."""
        for kind, rule in (("male_obstetric_diagnosis", "male_female_diagnosis"), ("female_prostate_diagnosis", "female_male_diagnosis")):
            at = planted.of(kind)
            at = at[rows["discharge"][at] >= settings.MONTH_STARTS[48]]
            if len(at):
                truth.violations("impossible_procedure", f"stay_conduct/{rule}", *self._subjects(rows, at), np.ones(len(at), dtype=np.int64))

    def _tell(self, truth: Truth, rows: Rows, ploy: np.ndarray) -> None:
        for code, one in enumerate(PLOYS):
            at = np.flatnonzero(ploy == code)
            if one.rule and len(at):
                truth.violations(one.family, one.rule, *self._subjects(rows, at), np.full(len(at), int(one.is_violation)))

    def _subjects(self, rows: Rows, at: np.ndarray) -> tuple[pa.Array, pa.Array, pa.Array]:
        """Facility, record number and day of discharge of stays."""
        return pick(self.pages.facility_code, rows["facility"][at]), number(rows["case_number"][at], 9), dates(rows["discharge"][at])

