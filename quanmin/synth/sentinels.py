"""Daily counts that come without persons: fever clinics, schools, pharmacies; cases of their kind echo in each of them."""

from __future__ import annotations

from datetime import date

import numpy as np

from quanmin.synth import settings
from quanmin.synth.case_reports import FIRST, CaseReports, history_and_quarters
from quanmin.synth.dirt import Columns
from quanmin.synth.illness import SEASONS, month_of_year
from quanmin.synth.outbox import Outbox, spans
from quanmin.synth.place import Place, words
from quanmin.synth.text import dates, glue, number, pick, texts

DAYS = settings.END + 1 - FIRST
ECHOES = {  # which diseases appear where
    "fever": ("influenza", "covid19", "measles", "dengue", "typhoid"), "influenza_like": ("influenza", "covid19"),
    "diarrhoea": ("other_infectious_diarrhoea", "dysentery"), "rash_fever": ("hand_foot_mouth", "measles", "scarlet_fever"),
    "absent_respiratory": ("influenza", "covid19", "pertussis", "mumps"), "absent_enteric": ("other_infectious_diarrhoea", "dysentery"),
    "absent_rash": ("hand_foot_mouth", "measles", "scarlet_fever"), "antipyretic": ("influenza", "covid19", "dengue", "measles"),
    "cough_medicine": ("influenza", "covid19", "pertussis"), "antiviral": ("influenza",), "antidiarrhoeal": ("other_infectious_diarrhoea", "dysentery"),
}
SEASON = {"diarrhoea": "summer", "absent_enteric": "summer", "antidiarrhoeal": "summer", "rash_fever": "spring", "absent_rash": "spring"}


class Sentinels:
    """Draws and sends them from the cases of all blocks; `village_people` are the residents of each village."""

    def __init__(self, place: Place, reports: CaseReports, village_people: np.ndarray, rng: np.random.Generator) -> None:
        self.place, self.reports, self.rng = place, reports, rng
        self.words, self.daily = words("epidemics.toml"), words("epidemics.toml")["daily"]
        self.people = np.bincount(place.village_town, village_people, len(place.towns))
        self.day = FIRST + np.arange(DAYS)
        self.weekday = (self.day + 3) % 7  # 0 = Monday
        self.is_holiday, self.is_vacation = (self._within(self.daily[name]) for name in ("holidays", "vacations"))

    def send(self, outbox: Outbox) -> None:
        """Write the files of all three."""
        self._syndromes(outbox)
        self._absences(outbox)
        self._sales(outbox)

    def _within(self, pairs: list[str]) -> np.ndarray:
        inside = np.zeros(DAYS, dtype=bool)
        for first, last in zip(pairs[::2], pairs[1::2], strict=True):
            inside |= (self.day >= _day(first)) & (self.day <= _day(last))
        return inside

    def _expected(self, item: str, people: np.ndarray, week: list[float]) -> np.ndarray:
        """(place, day): the ordinary rate, by season, day of the week and holiday."""
        season = SEASONS[SEASON.get(item, "winter")][month_of_year(self.day)]
        of_day = np.array(week)[self.weekday] * np.where(self.is_holiday, 0.6, 1.0)
        return people[:, None] / 1000 * self.daily[item] * season * of_day

    def _echo(self, item: str, group: np.ndarray, count: int) -> np.ndarray:
        """(place, day): what the cases of its diseases add one day after their onset; `group` is the place of each township."""
        which = [self.reports.codes.index(d) for d in ECHOES[item]]
        cases = self.reports.cases[:, which, FIRST - 1 - settings.START: FIRST - 1 - settings.START + DAYS].sum(axis=1)
        found = np.zeros((count, DAYS))
        np.add.at(found, group, cases.astype(float))
        return found * self.daily["echo"]

    def _drawn(self, item: str, people: np.ndarray, group: np.ndarray, week: list[float]) -> np.ndarray:
        """Counts with the variance of a gamma-Poisson mixture."""
        mean = self._expected(item, people, week) + self._echo(item, group, len(people))
        return self.rng.poisson(mean * self.rng.gamma(25, 1 / 25, mean.shape))

    def _syndromes(self, outbox: Outbox) -> None:
        place, week = self.place, [1.25, 1.05, 1.0, 0.98, 1.0, 0.9, 0.82]
        hospitals = [k for k, f in enumerate(place.caring) if f["kind"] in self.daily["sentinels"]]
        county = [place.facility_county[k] for k in hospitals]
        first = {c: k for k, c in reversed(list(enumerate(county)))}
        group = np.array([first.get(c, 0) for c in place.town_county])
        people = np.bincount(place.town_county, self.people, len(place.counties))[county]
        visits = self.rng.poisson(people[:, None] / 1000 * self.daily["visits"] * np.array(week)[self.weekday])
        counts = {item: np.minimum(self._drawn(item, people, group, week), visits) for item in ("fever", "influenza_like", "diarrhoea", "rash_fever")}
        code = texts([place.caring[k]["facility_code"] for k in hospitals])
        at, day = (axis.ravel() for axis in np.indices((len(hospitals), DAYS)))
        columns = {"facility_code": pick(code, at), "counted_on": dates(self.day[day]), "visit_count": number(visits.ravel()),
                   **{f"{item}_count": number(values.ravel()) for item, values in counts.items()}}
        self._write(outbox, self.reports.sender, "syndrome_day", "syndrome_day_export", columns, self.day[day])

    def _absences(self, outbox: Outbox) -> None:
        place, week = self.place, [1.2, 1.05, 1.0, 0.95, 0.95, 0.0, 0.0]
        pupils = np.maximum(20, np.rint(self.people * self.daily["pupils"]))
        towns = np.arange(len(place.towns))
        counts = {item: np.minimum(self._drawn(item, pupils, towns, week), pupils[:, None]) for item in ("absent_respiratory", "absent_enteric", "absent_rash")}
        open_day = np.flatnonzero((self.weekday < 5) & ~self.is_holiday & ~self.is_vacation)
        at, k = (axis.ravel() for axis in np.indices((len(towns), len(open_day))))
        day, code = open_day[k], texts([t["region_code"] for t in place.towns])
        columns = {
            "school_code": glue("S", pick(code, at)), "school_name": pick(texts([t["name"] + self.words["words"]["school"] for t in place.towns]), at),
            "county_code": pick(texts([c["region_code"] for c in place.counties]), place.town_county[at]), "township_code": pick(code, at),
            "counted_on": dates(self.day[day]), "pupil_count": number(pupils[at].astype(np.int64)),
            **{f"{item}_count": number(values[at, day].astype(np.int64)) for item, values in counts.items()}}
        self._write(outbox, f"EDU-{place.names['city']['code']}", "school_absence_day", "school_absence_export", columns, self.day[day])

    def _sales(self, outbox: Outbox) -> None:
        place, week = self.place, [1.0, 0.95, 0.95, 0.95, 1.05, 1.1, 1.0]
        people = np.bincount(place.town_county, self.people, len(place.counties))
        items = ("antipyretic", "cough_medicine", "antiviral", "antidiarrhoeal")
        counts = {item: self._drawn(item, people, place.town_county, week) for item in items}
        code = texts([c["region_code"] for c in place.counties])
        at, day = (axis.ravel() for axis in np.indices((len(people), DAYS)))
        columns = {"pharmacy_code": glue("P", pick(code, at)), "county_code": pick(code, at), "counted_on": dates(self.day[day]),
                   **{f"{item}_count": number(values.ravel()) for item, values in counts.items()}}
        self._write(outbox, f"PH-{place.names['city']['code']}", "pharmacy_sale_day", "pharmacy_sale_export", columns, self.day[day])

    def _write(self, outbox: Outbox, sender: str, table: str, mapping: str, columns: Columns, day: np.ndarray) -> None:
        headers = self.words["headers"][table]
        batch, entries = history_and_quarters(outbox, sender, table, mapping, day)
        order = np.lexsort((day, batch))
        lines = glue(glue(*(columns[name] for name in headers), between=","), "\n").take(order)
        for key, first, last in spans(batch[order]):
            outbox.append(entries[key], ",".join(headers.values()) + "\n", lines, first, last, "utf-8")


def _day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days
