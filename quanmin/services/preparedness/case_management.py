"""What treating patients takes: equipment and consumables from admissions and beds in use, medicines from courses and the share of patients that gets them.

Source: WHO COVID-19 Essential Supplies Forecasting Tool v4 (formulas learnt from its R implementation, package `esft`, MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from quanmin.catalog.supplies import listed
from quanmin.model import Label

PARTS = ("severe", "critical", "both")  # each is rounded up by itself
CLASSES = ("critical", "severe", "moderate", "mild")
SLACK = 1e-9  # quantities are thirds and sixths of fifteen digits


@dataclass(frozen=True)
class Supply:
    """A piece of equipment or a consumable: units per admission and per bed in use, by part; what is used again is got once."""

    id: str
    label: Label
    unit: str
    group: str
    is_reusable: bool
    per_admission: Mapping[str, float]
    per_bed: Mapping[str, float]


@dataclass(frozen=True)
class Medicine:
    """A medicine: units of a course and the share of patients that gets one, by severity."""

    id: str
    label: Label
    unit: str
    is_for_covid: bool
    course: Mapping[str, float]
    share: Mapping[str, float]

    def per_case(self, of: str) -> float:
        """Units that a case of a severity takes on the average."""
        return self.course[of] * self.share[of]


@cache
def supplies() -> Mapping[str, Supply]:
    """Equipment and consumables by id."""

    def by_part(row: dict[str, str], kind: str) -> dict[str, float]:
        return {part: float(row[f"per_{kind}" if part == "both" else f"per_{part}_{kind}"] or 0) for part in PARTS}

    return {row["item"]: Supply(row["item"], Label(row["zh"], row["en"]), row["unit"], row["group"], row["reusable"] == "true", by_part(row, "admission"),
                                by_part(row, "bed")) for row in listed("care_supplies")}


@cache
def medicines() -> Mapping[str, Medicine]:
    """Medicines by id."""
    return {row["item"]: Medicine(row["item"], Label(row["zh"], row["en"]), row["unit"], row["for_covid"] == "true",
                                  {name: float(row[f"course_{name}"] or 0) for name in CLASSES},
                                  {name: float(row[f"share_{name}"] or 0) for name in CLASSES}) for row in listed("medicines")}


def needed(one: Supply, admitted: Mapping[str, np.ndarray], beds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Units to get in each week by part, arrays [weeks], from the severe and critical who are admitted and the beds they are in.

    Consumables are got anew every week; of what is used again only what is missing.
    """
    people = {"severe": (admitted["severe"], beds["severe"]), "critical": (admitted["critical"], beds["critical"]),
              "both": (admitted["severe"] + admitted["critical"], beds["severe"] + beds["critical"])}
    found = {}
    for part, (came, lying) in people.items():
        whole = np.maximum(0.0, np.ceil(came * one.per_admission[part] + lying * one.per_bed[part] - SLACK))
        found[part] = np.diff(np.maximum.accumulate(whole), prepend=0.0) if one.is_reusable else whole
    return found


def courses(one: Medicine, new: Mapping[str, np.ndarray]) -> np.ndarray:
    """Units of a medicine for the new cases of each week [weeks], by severity."""
    return np.asarray(sum(people * one.per_case(name) for name, people in new.items()))
