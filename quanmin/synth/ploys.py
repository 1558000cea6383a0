"""What facilities are made to do wrong, and what only looks like it: each with the rule of supervision that tells them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ploy:
    """One way to break a rule (or its innocent look-alike); without a rule it only prepares for another."""

    name: str
    family: str = ""
    rule: str = ""
    is_violation: bool = True


PLOYS = (
    Ploy(""),
    Ploy("no_surgery_charge", "front_page", "stay_conduct/operation_without_charge"),
    Ploy("material_alone", "front_page", "stay_conduct/operation_material_without_procedure"),
    Ploy("diagnostic_procedure", "front_page", "stay_conduct/operation_without_charge", False),
    Ploy("womans_procedure", "impossible_procedure", "stay_conduct/male_female_procedure"),
    Ploy("her_procedure", "impossible_procedure", "stay_conduct/male_female_procedure", False),
    Ploy("bare_code", "upcoding", "stay_conduct/severe_complication_without_care"),
    Ploy("borne_out_code", "upcoding", "stay_conduct/severe_complication_without_care", False),
    Ploy("high_level", "surgery_level", "stay_conduct/high_level_operation_in_primary_care"),
    Ploy("low_level", "surgery_level", "stay_conduct/high_level_operation_in_primary_care", False),
    Ploy("examined", "stay_length", "stay_conduct/examination_only"),
    Ploy("shortly_treated", "stay_length", "stay_conduct/examination_only", False),
    Ploy("plans_return"),
    Ploy("sends_on"),
    Ploy("first_part"),
    Ploy("split", "split_stay", "stay_conduct/same_disease_within_seven_days"),
    Ploy("planned_return", "split_stay", "stay_conduct/same_disease_within_seven_days", False),
    Ploy("same_day", "readmission_same_day", "stay_conduct/readmitted_same_day_same_facility"),
    Ploy("transfer_in", "readmission_same_day", "stay_conduct/readmitted_same_day_elsewhere", False),
    Ploy("overlap", "overlapping_stay", "stay_conduct/in_two_facilities_at_once"),
    Ploy("after_transfer", "overlapping_stay", "stay_conduct/in_two_facilities_at_once", False),
    Ploy("after_death", "after_death", "stay_review/care_after_death"),
    Ploy("neighbour", "private_pattern", "stay_conduct/own_part_waived"),
    Ploy("checked_up"),
    Ploy("coded"),
)
CODE = {ploy.name: code for code, ploy in enumerate(PLOYS)}


class Choice:
    """Draws rows for ploys, no person twice."""

    def __init__(self, person: np.ndarray, rng: np.random.Generator) -> None:
        self.person, self.rng = person, rng
        self.used: set[int] = set()

    def some(self, mask: np.ndarray, many: int) -> np.ndarray:
        """Up to `many` rows of a mask, in their order."""
        fit = np.flatnonzero(mask & ~np.isin(self.person, list(self.used)))
        _, first = np.unique(self.person[fit], return_index=True)
        fit = fit[np.sort(first)]
        chosen = np.sort(self.rng.choice(fit, min(many, len(fit)), replace=False)) if len(fit) else fit
        self.used.update(self.person[chosen].tolist())
        return chosen
