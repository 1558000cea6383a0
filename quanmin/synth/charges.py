"""What a stay costs, in parts that add up exactly; amounts in cents."""

from __future__ import annotations

import numpy as np

from quanmin.synth import settings
from quanmin.synth.illness import Illnesses, Rows
from quanmin.synth.people import People
from quanmin.synth.place import Place, table

LEVEL_FACTOR = np.array([0.55, 1.0, 1.35, 1.8])  # health centre, county hospital, city hospital, provincial capital
FUND_SHARE = np.array([0.78, 0.70, 0.62, 0.48])
SURGICAL = ("surgical_treatment_cny", "operation_material_cny")
SUB_PARTS = ("physiotherapy_cny", "anaesthesia_cny", "operation_cny", "antibiotic_cny")
DRUGS = ("western_drug_cny", "patent_tcm_drug_cny", "herbal_drug_cny")
MATERIALS = ("examination_material_cny", "treatment_material_cny", "operation_material_cny")
EXAMS = ("pathology_cny", "laboratory_cny", "imaging_cny", "clinical_diagnosis_cny")


class Charges:
    """Draws the charges of stays."""

    def __init__(self, illnesses: Illnesses) -> None:
        rows = table("charge_profiles.csv")
        self.parts = [c for c in rows[0] if c != "profile"]
        share = {r["profile"]: np.array([float(r[c]) for c in self.parts]) for r in rows}
        self.share = np.array([share[r["charges"]] for r in illnesses.mix.rows])
        self.cost, self.days = illnesses.mix.column("cost"), illnesses.days

    def of(self, rows: Rows, people: People, place: Place, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Cents by column: total, self-paid, the 24 parts and the four sub-parts."""
        case, count = rows["case"], len(rows["case"])
        tier, length = place.tier[rows["facility"]], rows["discharge"] - rows["admit"]
        years = (rows["discharge"] - settings.START) / 365.25
        aim = self.cost[case] * np.array([0.85, 1.2, 2.2])[rows["severity"]] * LEVEL_FACTOR[tier] * 1.015**years
        aim *= (length / self.days[case]).clip(0.2, 4) ** 0.6 * rng.lognormal(0, 0.22, count) * 100
        weight = self.share[case] * rng.gamma(8, 1 / 8, (count, len(self.parts)))
        surgical = [self.parts.index(p) for p in SURGICAL]
        weight[:, surgical] *= np.where(rows["operated"], 1, 0)[:, None]
        tcm = [self.parts.index(p) for p in ("tcm_treatment_cny", "patent_tcm_drug_cny", "herbal_drug_cny")]
        weight[:, tcm] *= np.where(place.of_caring("tcm", False)[rows["facility"]], 4.0, 1.0)[:, None]
        parts = (aim[:, None] * weight / weight.sum(1, keepdims=True)).astype(np.int64)
        parts[:, -1] += rng.integers(1, 100, count)
        found = dict(zip(self.parts, parts.T, strict=True))
        portion = rng.uniform(0.1, 0.45, (4, count))
        for k, (name, whole) in enumerate(
            zip(SUB_PARTS, ("nonsurgical_treatment_cny", *["surgical_treatment_cny"] * 2, "western_drug_cny"), strict=True)
        ):
            found[name] = (found[whole] * portion[k]).astype(np.int64)
        total = parts.sum(1)
        insured = people.insured[rows["person"]]
        rate = FUND_SHARE[tier] + np.where(people.employee[rows["person"]], 0.07, 0) + rng.normal(0, 0.03, count)
        found["total_charge_cny"] = total
        found["self_paid_cny"] = np.where(insured, (total * (1 - rate.clip(0.2, 0.92))).astype(np.int64), total)
        return found


def summed(charges: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Sum of several parts."""
    return sum(charges[n] for n in names)
