"""Items that institutions charge for, as a region's price list has them."""

from __future__ import annotations

from dataclasses import dataclass

CHARGE_KINDS = ("bed", "nursing", "consult", "drug", "laboratory", "imaging", "examination", "treatment", "operation", "anaesthesia", "material", "other")
ROLES = ("culture", "special_consultation")
ANTIBIOTIC_CLASSES = ("unrestricted", "restricted", "special")


@dataclass(frozen=True)
class ChargeItem:
    """One item of a price list.

    `price_cny` is the ceiling per unit; `most_per_day` the most units of a day (None = no limit); `validity_days` the days within which a
    result is recognised elsewhere (None = never); `part_of` the items whose price includes it; `needs` items one of which must
    accompany it; ages in completed years; `ddds` the defined daily doses in one unit of an antibiotic; `role` = what the item is
    to the rules: a culture taken before an antibiotic, the consultation that a special-grade one needs.
    """

    code: str
    kind: str
    price_cny: float
    most_per_day: float | None = None
    validity_days: int | None = None
    is_recognised: bool = False
    part_of: tuple[str, ...] = ()
    sex_code: str = ""
    lowest_age: int | None = None
    highest_age: int | None = None
    antibiotic_class: str = ""
    ddds: float | None = None
    is_high_value: bool = False
    needs: tuple[str, ...] = ()
    role: str = ""
