"""The rules a clean row keeps, written from the front-page specification and apart from the catalogue's checks."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

from readers import Region, Row, amount, day, moment, number_is_valid

CODES = Path(__file__).parents[2] / "quanmin" / "catalog" / "codes"
PARTS = [f"D{k}" for k in range(11, 35)]
ALWAYS = (
    "A01 A02 A48 A49 B12 B15 A46C A11 A12C A13 A14 A15C A21C A38C A19C A22 A23C A24 A25C A26 A27 A28C A29 A30 A31C A32 A33C A34 A35 "
    "B11C B13C B14 B16C B17 B20 C01C C02N C03C C04N C05C C24C B22 B23 B24 B25 B26 B29 C26C C27C C28 C29 C30 C31 C32 C33 B36C B34C D01 D09"
)


@cache
def codes(name: str) -> frozenset[str]:
    """The codes of a code list."""
    with (CODES / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return frozenset(r["code"] for r in csv.DictReader(stream))


def _money(row: Row, name: str) -> float:
    return amount(row[name]) or 0.0


def _years(row: Row) -> int:
    born, admitted = day(row["A13"]), moment(row["B12"])
    return admitted.year - born.year - ((admitted.month, admitted.day) < (born.month, born.day))


def _length(row: Row) -> int:
    return (moment(row["B15"]).date() - moment(row["B12"]).date()).days


def _is_newborn(row: Row) -> bool:
    return row["A16"] != "" and int(row["A16"]) <= 28


def _tumour(code: str) -> bool:
    return code[:1] == "C" or (code[:1] == "D" and code[1:3].isdigit() and int(code[1:3]) <= 48)


Rule = Callable[[Row], bool]
STAY_RULES: dict[str, Rule] = {
    "identity_number_missing": lambda r: r["A20"] == "" and int(r["A14"]) >= 1,
    "identity_number_invalid": lambda r: r["A20"] != "" and not number_is_valid(r["A20"]),
    "identity_birth_mismatch": lambda r: number_is_valid(r["A20"]) and r["A20"][6:14] != r["A13"].replace("-", ""),
    "identity_sex_mismatch": lambda r: (
        number_is_valid(r["A20"]) and r["A12C"] in "12" and (int(r["A20"][16]) % 2 == 1) != (r["A12C"] == "1")
    ),
    "discharge_before_admission": lambda r: moment(r["B12"]) > moment(r["B15"]),
    "stay_days_mismatch": lambda r: moment(r["B12"]) <= moment(r["B15"]) and int(r["B20"]) != max(1, _length(r)),
    "age_birth_mismatch": lambda r: moment(r["B12"]) <= moment(r["B15"]) and int(r["A14"]) != _years(r),
    "male_obstetric_diagnosis": lambda r: r["A12C"] == "1" and r["C03C"].startswith("O"),
    "female_prostate_diagnosis": lambda r: r["A12C"] == "2" and r["C03C"][:3] in ("N40", "N41", "N42", "C61"),
    "newborn_weight_missing": lambda r: _is_newborn(r) and r["A17"] == "",
    "birth_weight_out_of_range": lambda r: r["A18x01"] != "" and not 100 <= int(r["A18x01"]) <= 9999,
    "charge_parts_exceed_total": lambda r: _money(r, "D01") > 0 and round(sum(_money(r, p) for p in PARTS) - _money(r, "D01"), 2) > 0,
    "charge_parts_below_total": lambda r: round(_money(r, "D01") - sum(_money(r, p) for p in PARTS), 2) > 0,
    "self_paid_exceeds_total": lambda r: _money(r, "D09") > _money(r, "D01"),
    "sex_not_in_list": lambda r: r["A12C"] not in codes("sex"),
    "disposition_not_in_list": lambda r: r["B34C"] not in codes("disposition"),
    "principal_diagnosis_not_in_list": lambda r: r["C03C"] != "" and r["C03C"] not in codes("icd10"),
    "principal_diagnosis_missing": lambda r: r["C03C"] == "",
    "total_charge_not_positive": lambda r: _money(r, "D01") <= 0,
    "autopsy_without_death": lambda r: r["C34C"] == "1" and r["B34C"] != "5",
    "external_cause_missing": lambda r: r["C03C"][:1] in ("S", "T") and r["C12C"] == "",
    "pathology_missing": lambda r: _tumour(r["C03C"]) and "" in (r["C09C"], r["C10N"], r["C11"]),
    "operation_before_admission": lambda r: (
        r["C16x01"] != "" and moment(r["B12"]) <= moment(r["B15"]) and moment(r["C16x01"]) < moment(r["B12"])
    ),
    "operation_after_discharge": lambda r: r["C16x01"] != "" and moment(r["C16x01"]) > moment(r["B15"]),
    "required_field_blank": lambda r: any(r[c] == "" for c in ALWAYS.split() if c not in ("C03C", "C04N", "C05C")),
    "receiving_facility_missing": lambda r: (r["B34C"] in ("2", "3")) != (r["B35"] != ""),
    "readmission_purpose_missing": lambda r: (r["B36C"] == "2") != (r["B37"] != ""),
    "allergy_drug_missing": lambda r: (r["C24C"] == "2") != (r["C25"] != ""),
    "delivery_weight_missing": lambda r: any(r[f"C06x{k:02d}C"].startswith("Z37") for k in range(1, 41)) and r["A18x01"] == "",
    "age_in_days_missing": lambda r: (int(r["A14"]) < 1) != (r["A16"] != ""),
    "other_diagnosis_not_in_list": lambda r: any(r[f"C06x{k:02d}C"] not in codes("icd10") for k in range(1, 41) if r[f"C06x{k:02d}C"]),
    "diagnosis_repeated": lambda r: len(_diagnoses(r)) != len(set(_diagnoses(r))),
    "procedure_not_in_list": lambda r: any(r[c] != "" and r[c] not in codes("icd9cm3") for c in ("C14x01C", "C35x01C")),
    "operation_details_missing": lambda r: r["C17x01"] != "" and "" in (r["C18x01"], r["C21x01C"], r["C22x01C"], r["C23x01"]),
    "sub_part_exceeds_part": lambda r: (
        _money(r, "D19x01") > _money(r, "D19")
        or _money(r, "D20x01") + _money(r, "D20x02") > _money(r, "D20")
        or _money(r, "D23x01") > _money(r, "D23")
    ),
    "child_married": lambda r: int(r["A14"]) < 15 and r["A21C"] != "1",
    "phone_malformed": lambda r: not (r["A27"].isdigit() and len(r["A27"]) == 11),
}
# A wrong sex, total or diagnosis also breaks these rules of the same row.
CODE_LISTS = {
    "A12C": "sex",
    "A21C": "marital_status",
    "A38C": "occupation",
    "A19C": "ethnicity",
    "A33C": "contact_relation",
    "A46C": "payment_method",
    "B11C": "admission_route",
    "B13C": "department",
    "B16C": "department",
    "C05C": "present_on_admission",
    "C24C": "drug_allergy",
    "C26C": "abo_blood",
    "C27C": "rh_blood",
    "B36C": "readmission_plan",
    "B30C": "record_quality",
    "C17x01": "operation_level",
    "C21x01C": "incision_healing",
    "C22x01C": "anaesthesia",
}
STAY_RULES |= {
    f"{column}_not_in_list": (lambda r, c=column, n=name: r[c] != "" and r[c] not in codes(n))
    for column, name in CODE_LISTS.items()
    if column != "A12C"
}


def _diagnoses(row: Row) -> list[str]:
    return [c for c in (row["C03C"], *(row[f"C06x{k:02d}C"] for k in range(1, 41))) if c]


def _birth_of(row: Row) -> str:
    born = day(row["birth_date"])
    return born.strftime("%Y%m%d")


VISIT_RULES: dict[str, Rule] = {
    "identity_number_missing": lambda r: r["identity_number"] == "",
    "identity_number_invalid": lambda r: r["identity_number"] != "" and not number_is_valid(r["identity_number"]),
    "identity_birth_mismatch": lambda r: number_is_valid(r["identity_number"]) and r["identity_number"][6:14] != _birth_of(r),
    "diagnosis_not_in_list": lambda r: r["diagnosis_code"] not in codes("icd10"),
    "total_charge_negative": lambda r: _money(r, "total_charge_cny") < 0,
    "part_exceeds_total": lambda r: max(_money(r, "drug_charge_cny"), _money(r, "fund_paid_cny")) > abs(_money(r, "total_charge_cny")),
    "birth_after_visit": lambda r: day(r["birth_date"]) > moment(r["visited_at"]).date(),
    "department_not_in_list": lambda r: r["department_code"] not in codes("department"),
}


def claim_rules(columns: dict[str, str]) -> dict[str, Rule]:
    """Rules over the claim file; `columns` = our name → their header."""
    total, fund, own = columns["total_cny"], columns["fund_paid_cny"], columns["self_paid_cny"]
    admitted, discharged, number = columns["admitted_on"], columns["discharged_on"], columns["identity_number"]
    return {
        "fund_exceeds_total": lambda r: _money(r, fund) > _money(r, total),
        "discharge_before_admission": lambda r: r[admitted] != "" and day(r[admitted]) > day(r[discharged]),
        "identity_number_invalid": lambda r: not number_is_valid(r[number]),
        "parts_differ": lambda r: (
            _money(r, fund) <= _money(r, total) and round(_money(r, fund) + _money(r, own) - _money(r, total), 2) != 0
        ),
        "diagnosis_not_in_list": lambda r: r[columns["diagnosis_code"]] not in codes("icd10"),
        "procedure_not_in_list": lambda r: r[columns["procedure_code"]] != "" and r[columns["procedure_code"]] not in codes("icd9cm3"),
        "settled_before": lambda r: day(r[columns["settled_on"]]) < day(r[discharged]),
    }


def repeats(region: Region, rows: list[Row]) -> dict[str, set[tuple[str, int]]]:
    """Admissions, overlaps and stays after death that only show when the stays of a person stand side by side (by the true person)."""
    by_person: dict[str, list[Row]] = defaultdict(list)
    for r in rows:
        by_person[region.resident_of[r.file, r.line]].append(r)
    found: dict[str, set[tuple[str, int]]] = {"duplicate_admission": set(), "overlapping_stays": set(), "stay_after_death": set()}
    for stays in by_person.values():
        stays.sort(key=lambda r: (r["B12"], r["B15"]))
        for k, r in enumerate(stays):
            for earlier in stays[:k]:
                same_day = earlier["A01"] == r["A01"] and earlier["B12"][:10] == r["B12"][:10]
                if same_day:
                    found["duplicate_admission"] |= {(r.file, r.line), (earlier.file, earlier.line)}
                elif earlier["B34C"] == "5" and r["B12"] > earlier["B15"]:
                    found["stay_after_death"].add((r.file, r.line))
                elif earlier["B15"][:10] > r["B12"][:10]:
                    found["overlapping_stays"].add((r.file, r.line))
    return found
