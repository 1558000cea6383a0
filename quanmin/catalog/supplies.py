"""What protective supplies are used by whom, and what an institution needs a day at full load: catalog/supplies.toml over the quantities per person-day."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from quanmin.model import Label

HERE = Path(__file__).parent
TEMPLATE = HERE / "scenarios" / "stockpile.toml"  # where it gives an item another use per person-day, that holds


@dataclass(frozen=True)
class Quantity:
    """An item and how much of it a person uses a day (`use`: driver → units); `is_reusable` counts replacements."""

    id: str
    label: Label
    unit: str
    is_reusable: bool
    use: Mapping[str, float]


@dataclass(frozen=True)
class Need:
    """Units of an item that an institution uses a day at full load: `per_staff` of its technical staff and `per_bed` of its beds."""

    item: str
    is_key: bool
    per_staff: float
    per_bed: float


def listed(name: str) -> list[dict[str, str]]:
    """The rows of a list that belongs to the scenarios, as text."""
    with (HERE / "scenarios" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def quantities() -> Mapping[str, Quantity]:
    """The protective items of the list that is shipped, by id."""
    found = {}
    for row in listed("supply_quantities"):
        use = {name.removeprefix("per_"): float(row[name]) for name in row if name.startswith("per_") and row[name]}
        found[row["item"]] = Quantity(row["item"], Label(row["zh"], row["en"]), row["unit"], row["reusable"] == "true", use)
    return found


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
    usual = {name: one.use for name, one in quantities().items()}
    return usual | {row["id"]: row["use"] for row in tomllib.loads(TEMPLATE.read_text("utf-8"))["item"] if "use" in row}


def needs() -> list[Need]:
    """What every item is needed by, at full load with the usual share of staff on duty."""
    of_staff, of_beds = activity(1, 0), activity(0, 1)
    return [Need(item, item in rules()["key_items"], *(sum(use.get(driver, 0.0) * count for driver, count in per.items()) for per in (of_staff, of_beds)))
            for item, use in uses().items()]
