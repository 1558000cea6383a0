"""Which illnesses lead whom into hospital, when and how badly."""

from __future__ import annotations

import numpy as np

from quanmin.synth import settings
from quanmin.synth.people import NEVER, People, age_bands, full_years
from quanmin.synth.place import SERVICES, table

Rows = dict[str, np.ndarray]

SEASONS = {
    "flat": np.ones(12),
    "winter": np.array([1.45, 1.25, 1.15, 0.95, 0.85, 0.8, 0.75, 0.75, 0.85, 0.95, 1.1, 1.35]),
    "summer": np.array([0.7, 0.7, 0.85, 0.95, 1.1, 1.3, 1.4, 1.35, 1.15, 1.0, 0.85, 0.75]),
    "spring": np.array([0.85, 0.8, 1.2, 1.25, 1.2, 1.05, 1.0, 0.95, 1.0, 1.05, 0.95, 0.85]),
}
WARM_UP = 60  # days before the period in which stays may begin
WINDOWS = 6


def taken(rows: Rows, index: np.ndarray) -> Rows:
    """The rows at an index or mask."""
    return {k: v[index] for k, v in rows.items()}


def stacked(*parts: Rows) -> Rows:
    """Rows of several parts one after the other."""
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def month_of_year(day: np.ndarray) -> np.ndarray:
    """0 = January."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12


class Mix:
    """A table of reasons for care with weights by age band, sex and season: `cumulative` is (band, sex, month of year, reason)."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.rows = rows
        shapes = table("age_shapes.csv")
        shape = np.array([[float(line[r["shape"]]) for r in rows] for line in shapes])
        weight = np.array([float(r["weight"]) for r in rows])
        sex = np.array([int(r["sex"]) for r in rows])
        allowed = np.stack([sex != 2, sex != 1])  # men, women
        season = np.array([SEASONS[r["season"]] for r in rows]).T
        self.rate = (shape * weight)[:, None, :] * allowed[None]  # band, sex, reason
        share = self.rate[:, :, None, :] * season[None, None]
        total = share.sum(-1, keepdims=True)
        self.cumulative = np.cumsum(np.divide(share, total, out=np.zeros_like(share), where=total > 0), axis=-1)

    def column(self, name: str, kind: type = float) -> np.ndarray:
        """A property of the reasons."""
        return np.array([kind(r[name] or 0) if kind is not str else r[name] for r in self.rows])

    def draw(self, band: np.ndarray, female: np.ndarray, month: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Reasons (indices) for persons of a band and sex in a month of the year."""
        row = self.cumulative[band, female.astype(np.int64), month]
        return (rng.random(len(band))[:, None] > row).sum(1).clip(max=len(self.rows) - 1)


class Illnesses:
    """Draws hospital stays."""

    def __init__(self) -> None:
        self.mix = Mix(table("case_mix.csv"))
        self.index = {r["id"]: k for k, r in enumerate(self.mix.rows)}
        self.need, self.service = self.mix.column("need", int), np.array([SERVICES.index(r["service"]) for r in self.mix.rows])
        self.moderate, self.severe = self.mix.column("moderate") / 100, self.mix.column("severe") / 100
        self.days, self.death = self.mix.column("days"), self.mix.column("death") / 1000
        self.shape = np.array([float(r["share"]) for r in table("age_sex.csv")]).reshape(19, 2)
        rate = self.mix.rate.sum(-1)
        self.rate = rate * (settings.STAYS_PER_YEAR - settings.BIRTHS_PER_YEAR * 1.25) / (rate * self.shape).sum() * self.shape.sum()

    def stays(self, people: People, rng: np.random.Generator) -> Rows:
        """Stays of one block before a hospital is chosen, ordered by person and day; at most one at a time for each person."""
        rows = stacked(self._illness(people, rng), self._deliveries(people, rng), self._newborns(people, rng), self._guests(people, rng))
        severity = self._severity(rows, people, rng)
        rows["severity"] = severity
        rows["need"] = np.minimum(self.need[rows["case"]] + (severity == 2), 4)
        length = self.days[rows["case"]] * np.array([0.85, 1.1, 1.8])[severity] * rng.gamma(6, 1 / 6, len(severity))
        rows["discharge"] = rows["admit"] + np.maximum(1, np.rint(length)).astype(np.int64)
        present = (rows["admit"] >= people.from_day[rows["person"]]) & (rows["discharge"] <= people.until[rows["person"]])
        rows = taken(rows, present & (rows["discharge"] >= settings.START) & (rows["discharge"] <= settings.END))
        rows = taken(rows, np.lexsort((rows["admit"], rows["person"])))
        while True:
            clash = np.zeros(len(rows["person"]), dtype=bool)
            clash[1:] = (rows["person"][1:] == rows["person"][:-1]) & (rows["admit"][1:] <= rows["discharge"][:-1] + 1)
            clash[1:] &= ~clash[:-1]
            if not clash.any():
                return rows
            rows = taken(rows, ~clash)

    def _illness(self, people: People, rng: np.random.Generator) -> Rows:
        resident = np.flatnonzero(people.resident)
        first = settings.START - WARM_UP
        width = (settings.END - first) / WINDOWS
        band = np.stack([age_bands(people.birth_day[resident], int(first + (k + 0.5) * width)) for k in range(WINDOWS)], axis=1).clip(min=0)
        female = ~people.male[resident]
        trend = 1 + 0.012 * (np.arange(WINDOWS) - WINDOWS / 2)
        expected = self.rate[band, female[:, None].astype(int)] * people.frailty[resident, None] * width / 365.25 * trend * 1.045
        number = rng.poisson(expected)
        person = np.repeat(np.repeat(resident, WINDOWS), number.ravel())
        window = np.repeat(np.tile(np.arange(WINDOWS), len(resident)), number.ravel())
        admit = (first + (window + rng.random(len(person))) * width).astype(np.int64)
        keep = rng.random(len(person)) < np.array([0.98, 0.88, 1, 1, 1, 0.99, 1, 1, 0.98, 0.98, 1, 1])[month_of_year(admit)]
        keep &= admit > people.birth_day[person]
        person, admit = person[keep], admit[keep]
        band = age_bands(people.birth_day[person], admit).clip(min=0)
        case = self.mix.draw(band, ~people.male[person], month_of_year(admit), rng)
        return {"person": person, "admit": admit, "case": case}

    def _deliveries(self, people: People, rng: np.random.Generator) -> Rows:
        child = np.flatnonzero(people.mother >= 0)
        caesarean = rng.random(len(child)) < 0.42
        case = np.where(caesarean, self.index["delivery_caesarean"], self.index["delivery_vaginal"])
        return {"person": people.mother[child], "admit": people.birth_day[child] - rng.integers(0, 2, len(child)), "case": case}

    def _newborns(self, people: People, rng: np.random.Generator) -> Rows:
        child = np.flatnonzero((people.mother >= 0) & (rng.random(len(people)) < 0.24))
        names = ("newborn_jaundice", "newborn_pneumonia", "preterm_birth", "birth_asphyxia")
        kind = rng.choice(4, len(child), p=[0.5, 0.24, 0.16, 0.1])
        day = np.where(kind >= 2, 0, rng.integers(1, 12, len(child)))
        return {"person": child, "admit": people.birth_day[child] + day, "case": np.array([self.index[n] for n in names])[kind]}

    def _guests(self, people: People, rng: np.random.Generator) -> Rows:
        person = np.flatnonzero(~people.resident)
        admit = settings.START + rng.integers(0, settings.END - settings.START - 20, len(person))
        old_enough = admit > people.birth_day[person] + 30
        person, admit = person[old_enough], admit[old_enough]
        case = self.mix.draw(age_bands(people.birth_day[person], admit), ~people.male[person], month_of_year(admit), rng)
        return {"person": person, "admit": admit, "case": case}

    def _severity(self, rows: Rows, people: People, rng: np.random.Generator) -> np.ndarray:
        age = full_years(people.birth_day[rows["person"]], rows["admit"])
        worse = np.where(age >= 75, 1.5, np.where(age >= 60, 1.15, 0.9))
        draw = rng.random(len(age))
        severe = self.severe[rows["case"]] * worse
        return np.where(draw < severe, 2, np.where(draw < severe + self.moderate[rows["case"]], 1, 0))

    def death_risk(self, rows: Rows, people: People, odds_ratio: np.ndarray) -> np.ndarray:
        """Probability of dying in each stay; `odds_ratio` is the planted effect of the hospital."""
        age = full_years(people.birth_day[rows["person"]], rows["admit"])
        case = rows["case"]
        newborn = case >= self.index["newborn_jaundice"]
        risk = (
            self.death[case] * np.where(newborn, 1, np.exp(0.03 * (age - 66).clip(-40, 30))) * np.array([0.25, 1.0, 4.0])[rows["severity"]]
        )
        odds = risk.clip(max=0.6) / (1 - risk.clip(max=0.6)) * odds_ratio
        return odds / (1 + odds)


def next_admission(rows: Rows) -> np.ndarray:
    """Day of the next admission of the same person (rows ordered by person and day), `NEVER` if there is none."""
    following = np.full(len(rows["person"]), NEVER)
    same = rows["person"][1:] == rows["person"][:-1]
    following[:-1] = np.where(same, rows["admit"][1:], NEVER)
    return following
