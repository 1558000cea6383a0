"""What protective supplies are used by whom, and what an institution needs a day at full load: catalog/supplies.toml over the quantities per person-day."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
QUANTITIES = HERE / "scenarios" / "supply_quantities.csv"
TEMPLATE = HERE / "scenarios" / "stockpile.toml"  # where it gives an item another use per person-day, that holds


@dataclass(frozen=True)
class Need:
    """Units of an item that an institution uses a day at full load: `per_staff` of its technical staff and `per_bed` of its beds."""

    item: str
    is_key: bool
    per_staff: float
    per_bed: float


@cache
def rules() -> Mapping[str, Any]:
    """The shares that full load is worked out by."""
    return tomllib.loads((HERE / "supplies.toml").read_text("utf-8"))


def activity(staff: float, beds: float, on_duty_share: float | None = None) -> dict[str, float]:
    """Driver → persons a day at full load, of an institution with so many technical staff and beds."""
    told = rules()
    on_duty = staff * (told["on_duty_share"] if on_duty_share is None else on_duty_share)
    found = {"hcw": on_duty, "patient": beds * told["full_beds"], "screened_patient": on_duty * told["screened_per_on_duty"]}
    return found | {driver: on_duty * share for driver, share in told["staff_share"].items()}


@cache
def uses() -> Mapping[str, Mapping[str, float]]:
    """Item → driver → units that a person uses a day, in the order of the list."""
    with QUANTITIES.open(encoding="utf-8", newline="") as stream:
        found = {row["item"]: {name.removeprefix("per_"): float(row[name]) for name in row if name.startswith("per_") and row[name]}
                 for row in csv.DictReader(stream)}
    return found | {row["id"]: row["use"] for row in tomllib.loads(TEMPLATE.read_text("utf-8"))["item"] if "use" in row}


def needs() -> list[Need]:
    """What every item is needed by, at full load with the usual share of staff on duty."""
    of_staff, of_beds = activity(1, 0), activity(0, 1)
    return [Need(item, item in rules()["key_items"], *(sum(use.get(driver, 0.0) * count for driver, count in per.items()) for per in (of_staff, of_beds)))
            for item, use in uses().items()]
