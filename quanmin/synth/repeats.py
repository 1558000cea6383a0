"""Planted front pages too many: the same admission twice, overlapping stays, a stay after death."""

from __future__ import annotations

import numpy as np

from quanmin.synth import settings
from quanmin.synth.care import case_numbers
from quanmin.synth.illness import Rows, next_admission, stacked, taken
from quanmin.synth.people import NEVER, People, full_years
from quanmin.synth.place import Place

DUPLICATE, OVERLAP, AFTER_DEATH = 1, 2, 3
SHARE = settings.ERROR_SHARE


def with_repeats(rows: Rows, people: People, place: Place, rng: np.random.Generator) -> Rows:
    """Adds planted copies: `true` marks real stays, `repeat` rows to be found, `spare` rows whose identity must stay faultless."""
    count = len(rows["person"])
    silent, since = place.silent
    sent = (
        (place.tier[rows["facility"]] < 3)
        & ~((rows["facility"] == silent) & (settings.month_of(rows["discharge"]) >= since))
        & (rows["home"] >= 0)
    )
    rows = {**rows, "true": np.ones(count, dtype=bool), "repeat": np.zeros(count, dtype=np.int64), "spare": np.zeros(count, dtype=bool)}
    grown = sent & (rows["day_age"] > 400)
    last = next_admission(rows) == NEVER
    free = (people.died[rows["person"]] == NEVER) & (people.moved_out[rows["person"]] == NEVER)
    many = max(1, round(SHARE * count))
    length = rows["discharge"] - rows["admit"]

    def some(mask: np.ndarray) -> np.ndarray:
        fit = np.flatnonzero(mask & ~rows["spare"])
        chosen = np.sort(rng.choice(fit, min(many, len(fit)), replace=False))
        rows["spare"][chosen] = True
        return chosen

    twice = some(grown & ~rows["died"])
    rows["repeat"][twice] = DUPLICATE
    over = some(grown & last & free & (length >= 4) & (rows["discharge"] < settings.END - 5))
    dead = some(grown & rows["died"] & (rows["discharge"] < settings.END - 80))
    return stacked(
        rows,
        _copies(rows, twice),
        _elsewhere(rows, over, OVERLAP, people, place, rng),
        _elsewhere(rows, dead, AFTER_DEATH, people, place, rng),
    )


def _copies(rows: Rows, chosen: np.ndarray) -> Rows:
    copy = taken(rows, chosen)
    copy["true"] = np.zeros(len(chosen), dtype=bool)
    copy["case_number"] = (copy["case_number"] + 1) % 100_000_007
    return copy


def _elsewhere(rows: Rows, chosen: np.ndarray, kind: int, people: People, place: Place, rng: np.random.Generator) -> Rows:
    """Copies of stays, moved to another hospital and later in time."""
    copy = taken(rows, chosen)
    count = len(chosen)
    days = np.full(count, 2) if kind == OVERLAP else copy["discharge"] - copy["admit"] + rng.integers(15, 60, count)
    general, second = place.find("city_general", "990101"), place.find("city_second", "990102")
    facility = np.where(copy["facility"] == general, second, general)
    admit, discharge = copy["admit"] + days, copy["discharge"] + days
    return {
        **copy,
        "facility": facility,
        "admit": admit,
        "discharge": discharge,
        "admit_at": copy["admit_at"] + days * 1440,
        "discharge_at": copy["discharge_at"] + days * 1440,
        "performed_at": copy["performed_at"] + days * 1440,
        "extra_at": copy["extra_at"] + days * 1440,
        "operated": np.zeros(count, dtype=bool),
        "extras": np.zeros(count, dtype=np.int64),
        "died": np.zeros(count, dtype=bool),
        "disposition": np.ones(count, dtype=np.int64),
        "receiving": np.full(count, -1),
        "true": np.zeros(count, dtype=bool),
        "repeat": np.full(count, kind),
        "spare": np.ones(count, dtype=bool),
        "case_number": case_numbers(people.block, copy["person"], facility),
        "admission_number": copy["admission_number"] + 20,
        "age": full_years(people.birth_day[copy["person"]], admit),
        "day_age": admit - people.birth_day[copy["person"]],
    }
