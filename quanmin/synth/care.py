"""What happens during a stay: death, transfer, disposition, times, diagnoses, operation."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.illness import Illnesses, Rows, next_admission, stacked, taken
from quanmin.synth.people import NEVER, People, full_years
from quanmin.synth.place import Place, code_names, table, words
from quanmin.synth.text import texts

OTHERS = 6  # other diagnoses at most
FAILING = np.array([1, 36, 54])  # by severity, of 60 stays those with an organ in distress on admission: of severe ones in failure
EXTRAS = ("87.4101", "87.0300x001", "88.7201")  # examinations coded beside an operation


class Codes:
    """The diagnosis codes in use, and which ones a case may carry."""

    def __init__(self, illnesses: Illnesses) -> None:
        rows, self.words = illnesses.mix.rows, words("words.toml")
        groups: dict[str, list[str]] = {}
        for r in table("comorbidity.csv"):
            groups.setdefault(r["group"], []).append(r["diagnosis_code"])
        fixed = self.words["codes"]
        used = sorted(
            {c for r in rows for c in r["diagnoses"].split("|")}
            | {c for g in groups.values() for c in g}
            | {c for v in self.words["external"].values() for c in v}
            | {fixed["birth_outcome"], *fixed["pregnancy"], *fixed["new_in_hospital"], *fixed["organ_failure"], *fixed["organ_strain"]}
            | {fixed[k] for k in ("male_error", "female_error", "failing", "failing_newborn")}
        )
        self.at = {c: k for k, c in enumerate(used)}
        names = code_names("icd10")
        self.code, self.name = texts([*used, ""]), texts([*(names[c] for c in used), ""])
        self.variants = self._matrix([r["diagnoses"].split("|") for r in rows])
        self.adult = self._matrix([self._without(groups[r["other"]], r) for r in rows])
        self.child = self._matrix([self._without(groups["child"], r) for r in rows])
        self.mother = self._matrix([fixed["pregnancy"]] * len(rows))
        external = self.words["external"]
        self.external = self._matrix([external.get(r["external"], []) for r in rows])
        self.acquired = np.array([self.at[c] for c in fixed["new_in_hospital"]])
        self.organs = [np.array([self.at[c] for c in fixed[name]]) for name in ("organ_strain", "organ_failure")]
        self.failing = np.array([self.at[fixed["failing"]], self.at[fixed["failing_newborn"]]])
        self.outcome = self.at[fixed["birth_outcome"]]

    @staticmethod
    def _without(codes: list[str], row: dict[str, str]) -> list[str]:
        return [c for c in codes if c not in row["diagnoses"].split("|")]

    def _matrix(self, lists: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        width = max(1, *(len(x) for x in lists))
        found = np.full((len(lists), width), -1)
        for k, codes in enumerate(lists):
            found[k, : len(codes)] = [self.at[c] for c in codes]
        return found, np.array([len(x) for x in lists])

    def pick(self, lists: tuple[np.ndarray, np.ndarray], case: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Entry `step` (wrapping round) of the list of each case, -1 where the list is empty."""
        matrix, size = lists
        return np.where(size[case] > 0, matrix[case, step % np.maximum(size[case], 1)], -1)


def settle_deaths(rows: Rows, people: People, illnesses: Illnesses, odds_ratio: np.ndarray, rng: np.random.Generator) -> Rows:
    """Draws deaths in hospital, ends those lives, drops what would come after; adds `died` and `risk` (without the planted effect)."""
    usual = illnesses.death_risk(rows, people, np.ones(len(rows["case"])))
    died = rng.random(len(usual)) < illnesses.death_risk(rows, people, odds_ratio[rows["facility"]])
    died &= rows["home"] >= 0
    first = np.full(len(people), NEVER)
    np.minimum.at(first, rows["person"][died], rows["discharge"][died])
    people.died[:] = np.minimum(people.died, first)
    people.moved_out[people.moved_out >= people.died] = NEVER
    rows = {**rows, "died": died, "risk": usual}
    return taken(rows, rows["discharge"] <= people.died[rows["person"]])


def transfers(rows: Rows, place: Place, illnesses: Illnesses, rng: np.random.Generator) -> Rows:
    """Severe stays in county hospitals that end in a transfer to a city hospital, with the stay that follows next day."""
    city = np.flatnonzero(place.tier == 2)
    service = illnesses.service[rows["case"]]
    able = place.ability[city][:, service] >= 3  # city hospital, row
    able &= city[:, None] != rows["facility"][None]
    gap = next_admission(rows) - rows["discharge"]
    sent = (place.tier[rows["facility"]] == 1) & (rows["severity"] >= 1) & ~rows["died"] & able.any(0) & (gap > 30)
    sent &= (
        (rng.random(len(gap)) < np.where(rows["severity"] == 2, 0.25, 0.02)) & (rows["discharge"] < settings.END - 25) & (rows["home"] >= 0)
    )
    best = np.argmax(able * place.of_caring("pull", 0.0)[city][:, None], axis=0)
    rows = {**rows, "receiving": np.where(sent, city[best], -1), "transferred": np.zeros(len(gap), dtype=bool)}
    onward = taken(rows, sent)
    onward["facility"], onward["admit"] = onward["receiving"], onward["discharge"] + 1
    length = illnesses.days[onward["case"]] * 1.1 * rng.gamma(6, 1 / 6, len(onward["case"]))
    onward["discharge"] = onward["admit"] + np.rint(length).astype(np.int64).clip(1, 20)
    onward["receiving"], onward["transferred"] = np.full(len(length), -1), np.ones(len(length), dtype=bool)
    onward["need"] = np.full(len(length), 3)
    onward["could_stay"] = np.zeros(len(length), dtype=bool)
    return stacked(rows, onward)


def detailed(rows: Rows, people: People, place: Place, illnesses: Illnesses, rng: np.random.Generator) -> Rows:
    """Adds times, age, disposition and route of admission; rows ordered by person and day."""
    rows = taken(rows, np.lexsort((rows["admit"], rows["person"])))
    count = len(rows["case"])
    emergency = rng.random(count) < np.array([0.2, 0.35, 0.75])[rows["severity"]]
    hour = np.where(emergency, rng.integers(0, 24 * 60, count), rng.integers(8 * 60, 17 * 60, count))
    leave = np.where(rows["died"], rng.integers(60, 23 * 60, count), rng.integers(8 * 60 + 30, 16 * 60, count))
    age = full_years(people.birth_day[rows["person"]], rows["admit"])
    centre = _centre_of(place)
    to_centre = (
        (place.tier[rows["facility"]] > 0) & (place.tier[rows["facility"]] < 3) & (age > 60) & (rows["receiving"] < 0) & (rows["home"] >= 0)
    )
    to_centre &= (rng.random(count) < 0.06) & ~rows["died"]
    receiving = np.where(to_centre, centre[rows["town"]], rows["receiving"])
    draw = rng.random(count)
    disposition = np.where(draw < 0.02, 4, np.where(draw < 0.023, 9, 1))
    disposition = np.where(to_centre, 3, np.where(rows["receiving"] >= 0, 2, disposition))
    disposition = np.where(rows["died"], 5, disposition)
    visits = place.facility_county[rows["facility"]]
    known = _numbered(rows)
    return {
        **rows,
        "receiving": receiving,
        "disposition": disposition,
        "age": age,
        "route": np.where(rows["transferred"], 3, np.where(emergency, 1, 2)),
        "admit_at": rows["admit"] * 1440 + hour,
        "discharge_at": rows["discharge"] * 1440 + leave,
        "day_age": rows["admit"] - people.birth_day[rows["person"]],
        "admission_number": known,
        "facility_county": visits,
        "variant": rng.integers(0, 60, count),
        "case_number": case_numbers(people.block, rows["person"], rows["facility"]),
    }


def case_numbers(block: int, person: np.ndarray, facility: np.ndarray) -> np.ndarray:
    """The medical record number of a person in a facility: one to one within a facility (multiplication modulo a prime)."""
    return ((block * 50_000 + person) * 10_007 + facility * 7_919) % 100_000_007


def _numbered(rows: Rows) -> np.ndarray:
    """1 for the first stay of a person in a facility, then 2 …"""
    key = rows["person"] * 1000 + rows["facility"]
    order = np.argsort(key, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(key[order])) + 1]
    number = np.empty(len(key), dtype=np.int64)
    number[order] = np.arange(len(key)) - np.repeat(starts, np.diff(np.r_[starts, len(key)])) + 1
    return number


def _centre_of(place: Place) -> np.ndarray:
    """The health centre of each township."""
    codes = {f["region_code"]: k for k, f in enumerate(place.caring) if place.is_primary[k]}
    return np.array([codes[t["region_code"]] for t in place.towns])


def operations(rows: Rows, place: Place, illnesses: Illnesses, rng: np.random.Generator) -> Rows:
    """Adds whether the principal procedure was done, when, and how many further examinations are coded."""
    case = rows["case"]
    share, level = illnesses.mix.column("procedure_share"), illnesses.mix.column("operation_level", int)
    can = (place.tier[rows["facility"]] > 0) | (level[case] == 1)
    done = (rng.random(len(case)) < share[case]) & can
    span = rows["discharge_at"] - rows["admit_at"]
    return {
        **rows,
        "operated": done,
        "performed_at": rows["admit_at"] + (span * rng.uniform(0.05, 0.6, len(case))).astype(np.int64),
        "extras": np.where(done & (rng.random(len(case)) < 0.3), rng.integers(1, len(EXTRAS) + 1, len(case)), 0),
        "extra_at": rows["admit_at"] + (span * rng.uniform(0.01, 0.04, len(case))).astype(np.int64),
    }


def diagnoses(rows: Rows, illnesses: Illnesses, codes: Codes, rng: np.random.Generator) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Adds `principal` and `external` (indices of codes); gives other diagnoses (n, OTHERS; -1 none) and their state at admission (1–4)."""
    case, count = rows["case"], len(rows["case"])
    principal = codes.pick(codes.variants, case, rows["variant"])
    start = rng.integers(0, 30, count)
    number = rng.poisson((0.4 + 0.028 * rows["age"] + 0.7 * rows["severity"]).clip(max=3.2)).clip(max=OTHERS - 1)
    number = np.where(rows["day_age"] <= 28, 0, number)
    delivery = np.isin(case, [illnesses.index["delivery_vaginal"], illnesses.index["delivery_caesarean"]])
    number = np.where(delivery, number.clip(max=2), number)
    size = np.where(rows["age"] < 15, codes.child[1][case], codes.adult[1][case])
    others = np.full((count, OTHERS), -1)
    for k in range(OTHERS - 1):
        code = np.where(rows["age"] < 15, codes.pick(codes.child, case, start + k), codes.pick(codes.adult, case, start + k))
        code = np.where(delivery, codes.pick(codes.mother, case, start + k), code)
        others[:, k] = np.where(k < np.minimum(number, np.maximum(size, 1)), code, -1)
    others = np.where(delivery[:, None], np.c_[np.full(count, codes.outcome), others[:, :-1]], others)
    others = _failing_on_admission(rows, others, principal, delivery, codes)
    alone = rows["died"] & (others[:, 0] < 0)  # whoever dies has a further diagnosis that says why
    others[alone, 0] = codes.failing[(rows["day_age"] <= 28).astype(int)][alone]
    state = np.where(rng.random(others.shape) < 0.06, 2, 1)
    state[alone, 0] = 4
    acquired = codes.acquired[rng.integers(0, len(codes.acquired), count)]
    new = (rows["severity"] == 2) & (rng.random(count) < 0.12) & (rows["day_age"] > 28) & ~delivery
    new &= ~(others == acquired[:, None]).any(1) & (principal != acquired)
    at = (others >= 0).sum(1).clip(max=OTHERS - 1)
    here = np.flatnonzero(new)
    others[here, at[here]], state[here, at[here]] = acquired[here], 4
    return {**rows, "principal": principal, "external": codes.pick(codes.external, case, rows["variant"])}, others, state


def _failing_on_admission(rows: Rows, others: np.ndarray, principal: np.ndarray, delivery: np.ndarray, codes: Codes) -> np.ndarray:
    """Adds an organ in distress on admission, the surer the more severe a stay: front pages say how ill somebody came by diagnoses alone."""
    variant, severity = rows["variant"], rows["severity"]
    picked = [of[variant % len(of)] for of in codes.organs]
    code = np.where(severity == 2, picked[1], picked[0])
    distressed = (variant < FAILING[severity]) & (rows["age"] >= 1) & ~delivery & ~(others == code[:, None]).any(1) & (principal != code)
    here = np.flatnonzero(distressed)
    others = others.copy()
    others[here, (others[here] >= 0).sum(1).clip(max=OTHERS - 2)] = code[here]  # the last place is left for what arises in hospital
    return others


def blank_last(index: np.ndarray, table_size: int) -> np.ndarray:
    """Indices with -1 pointing at the last entry, which is the empty text."""
    return np.where(index < 0, table_size - 1, index)


def code_text(column: pa.Array, index: np.ndarray) -> pa.Array:
    """Text of codes or names; empty for -1."""
    return column.take(pa.array(blank_last(index, len(column))))
