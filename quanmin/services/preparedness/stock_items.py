"""What a stockpile may hold by its id alone: protective equipment, consumables of care and medicines, each with what its use depends on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from quanmin.catalog.supplies import Quantity, quantities
from quanmin.services.preparedness.case_management import medicines, supplies
from quanmin.services.preparedness.esft import WEEK

CASES = {"critical": "critical_admission", "severe": "severe_admission", "moderate": "moderate_case", "mild": "mild_case"}  # a day
BEDS = {"critical": "critical_bed", "severe": "severe_bed"}  # in use


@cache
def stock_items() -> Mapping[str, Quantity]:
    """Items by id; of care and medicines units per case a day and per bed in use. What is used again is not used up and no item of a stockpile."""
    found = dict(quantities())
    for one in supplies().values():
        if not one.is_reusable:
            use = {driver: one.per_admission[name] + one.per_admission["both"] for name, driver in CASES.items() if name in BEDS}
            use |= {driver: (one.per_bed[name] + one.per_bed["both"]) / WEEK for name, driver in BEDS.items()}
            found[one.id] = Quantity(one.id, one.label, one.unit, False, {driver: amount for driver, amount in use.items() if amount})
    for drug in medicines().values():
        use = {driver: drug.per_case(name) for name, driver in CASES.items()}
        found[drug.id] = Quantity(drug.id, drug.label, drug.unit, False, {driver: amount for driver, amount in use.items() if amount})
    return {name: one for name, one in found.items() if one.use}
