"""Sums of what the facilities did, kept while blocks pass; the workbooks are made from them."""

from __future__ import annotations

import numpy as np

from quanmin.synth import settings
from quanmin.synth.charges import DRUGS, EXAMS, MATERIALS, summed
from quanmin.synth.illness import Illnesses, Rows
from quanmin.synth.people import People, age_bands
from quanmin.synth.place import Place
from quanmin.synth.visits import CHECKUP, EMERGENCY

DAYS = settings.END - settings.START + 2


class Activity:
    """Counts by facility and month, occupied bed-days, and population by township, year, sex and age band."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.shape = (len(place.caring), settings.MONTHS)
        self.sums: dict[str, np.ndarray] = {}
        self.beds = np.zeros(self.shape[0] * DAYS, dtype=np.int64)
        self.population = np.zeros((len(place.towns), len(settings.YEARS), 2, 19, 2), dtype=np.int64)  # last axis: all, insured
        self.village_people = np.zeros(len(place.villages), dtype=np.int64)

    def _add(self, name: str, cell: np.ndarray, values: np.ndarray | None = None) -> None:
        size = self.shape[0] * self.shape[1]
        counted = np.bincount(cell, None if values is None else values.astype(float), size).reshape(self.shape)
        self.sums[name] = self.sums.get(name, 0) + counted

    def add_stays(self, rows: Rows, charges: dict[str, np.ndarray], illnesses: Illnesses) -> None:
        """Adds true stays."""
        cell = rows["facility"] * settings.MONTHS + settings.month_of(rows["discharge"])
        level = illnesses.mix.column("operation_level", int)[rows["case"]] * rows["operated"]
        self._add("discharge_count", cell)
        self._add("discharged_bed_days", cell, rows["discharge"] - rows["admit"])
        self._add("operation_patient_count", cell[level > 0])
        self._add("level4_operation_count", cell[level == 4])
        self._add("referred_down_inpatient_count", cell[rows["disposition"] == 3])
        self._add("inpatient_income_cny", cell, rows["total"] / 100)
        self._add("inpatient_fund_income_cny", cell, (rows["total"] - rows["self"]) / 100)
        self._add("inpatient_drug_income_cny", cell, summed(charges, DRUGS) / 100)
        self._add("inpatient_material", cell, summed(charges, MATERIALS) / 100)
        self._add("inpatient_exam", cell, summed(charges, EXAMS) / 100)
        for day, sign in ((rows["admit"], 1), (rows["discharge"], -1)):
            at = rows["facility"] * DAYS + (day - settings.START).clip(0, DAYS - 1)
            self.beds += sign * np.bincount(at, minlength=len(self.beds))

    def add_visits(self, rows: Rows) -> None:
        """Adds visits."""
        cell = rows["facility"] * settings.MONTHS + settings.month_of(rows["day"])
        seen = rows["kind"] != CHECKUP
        self._add("outpatient_count", cell[rows["kind"] < EMERGENCY])
        self._add("emergency_count", cell[rows["kind"] == EMERGENCY])
        self._add("appointment_count", cell[rows["booked"]])
        self._add("appointment_wait_minutes", cell[rows["booked"]], rows["wait"][rows["booked"]])
        self._add("tcm_visit_count", cell[seen & rows["tcm"]])
        self._add("outpatient_medicated_count", cell[rows["medicated"]])
        self._add("outpatient_essential_count", cell[rows["essential"]])
        self._add("outpatient_income_cny", cell, rows["total"] / 100)
        self._add("outpatient_fund_income_cny", cell, rows["fund"] / 100)
        self._add("outpatient_drug_income_cny", cell, rows["drug"] / 100)

    def add_people(self, people: People) -> None:
        """Adds the residents present at the end of each year."""
        resident = np.flatnonzero(people.resident)
        self.village_people += np.bincount(people.village[resident], minlength=len(self.village_people))
        for k, day in enumerate(settings.YEAR_ENDS.tolist()):
            here = resident[
                (people.from_day[resident] <= day)
                & (people.died[resident] > day)
                & (people.moved_out[resident] > day)
                & (people.birth_day[resident] <= day)
            ]
            town = self.place.village_town[people.village_on(here, np.full(len(here), day))]
            band, sex = age_bands(people.birth_day[here], day), (~people.male[here]).astype(int)
            for j, mask in enumerate((np.ones(len(here), dtype=bool), people.insured[here])):
                np.add.at(self.population[:, k, :, :, j], (town[mask], sex[mask], band[mask]), 1)

    def occupied(self) -> np.ndarray:
        """Occupied bed-days by facility and month."""
        daily = np.cumsum(self.beds.reshape(self.shape[0], DAYS), axis=1)[:, :-1]
        return np.add.reduceat(daily, settings.MONTH_STARTS[:-1] - settings.START, axis=1)
