"""The kinds of errors planted in front pages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.synth.dirt import Columns, Kind, rejects
from quanmin.synth.illness import Rows
from quanmin.synth.naming import all_letters, check_letters
from quanmin.synth.text import moments, money, number, same, texts


def _one_of(values: list[str], count: int, rng: np.random.Generator) -> pa.Array:
    return texts(values).take(pa.array(rng.integers(0, len(values), count)))


def _cleared(*names: str):
    def edit(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {n: same("", len(rows["case"])) for n in names}

    return edit


def _chosen(name: str, *values: str):
    def edit(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {name: _one_of(list(values), len(rows["case"]), rng)}

    return edit


def _other_birth(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    letters = rows["letters"].copy()
    year = (letters[:, 6:10] - 48) @ np.array([1000, 100, 10, 1]) - rng.integers(1, 4, len(letters))
    letters[:, 6:10] = year[:, None] // np.array([1000, 100, 10, 1]) % 10 + 48
    letters[:, 17] = check_letters(letters[:, :17].astype(np.int64) - 48)
    return {"A20": all_letters(letters)}


def _other_sex(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"A12C": number(3 - rows["sex"])}


def _late_admission(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"B12": moments(rows["discharge_at"] + rng.integers(1, 4, len(rows["case"])) * 1440)}


def _wrong_days(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"B20": number(rows["discharge"] - rows["admit"] + rng.integers(2, 30, len(rows["case"])))}


def _wrong_age(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"A14": number(np.abs(rows["age"] - rng.integers(4, 10, len(rows["case"]))))}


def _weight(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    count = len(rows["case"])
    return {"A18x01": number(np.where(rng.random(count) < 0.5, rng.integers(2, 9, count) * 10, rng.integers(1500, 4500, count) * 10))}


def _low_total(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    total = (rows["total"] * 0.7).astype(np.int64)
    return {"D01": money(total), "D09": money(np.minimum(rows["self"], total))}


def _high_self(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"D09": money(rows["total"] + rng.integers(1000, 90000, len(rows["case"])))}


def _no_total(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    nothing = money(np.where(rng.random(len(rows["case"])) < 0.5, 0, -rows["total"]))
    return {"D01": nothing, "D09": nothing}


def _unknown_code(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"C03C": pc.replace_substring(columns["C03C"], ".", "")}


def _early_operation(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
    return {"C16x01": moments(rows["admit_at"] - rng.integers(1, 6, len(rows["case"])) * 1440)}


def _replaced_diagnosis(code: str, name: str):
    def edit(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"C03C": same(code, len(rows["case"])), "C04N": same(name, len(rows["case"]))}

    return edit


def stay_kinds(male: tuple[str, str], female: tuple[str, str]) -> list[Kind]:
    """The kinds; `male` and `female` = code and name of a diagnosis that the sex cannot have."""

    def grown(rows: Rows) -> np.ndarray:
        return (rows["age"] >= 18) & ~rows["has_pathology"] & (rows["external"] < 0)

    def found(kind: str, column: str, edit, eligible=None) -> Kind:
        return Kind(kind, column, f"stay/{kind}", edit, eligible)

    return [
        found("identity_birth_mismatch", "identity_number", _other_birth, lambda r: (r["identity"] == 0) & (r["age"] > 8)),
        found("identity_sex_mismatch", "sex_code", _other_sex, lambda r: (r["identity"] == 0) & (r["case_sex"] == 0)),
        found("discharge_before_admission", "admitted_at", _late_admission),
        found("stay_days_mismatch", "stay_days", _wrong_days),
        found("age_birth_mismatch", "age_years", _wrong_age, lambda r: r["age"] > 12),
        found("male_obstetric_diagnosis", "principal_diagnosis_code", _replaced_diagnosis(*male), lambda r: grown(r) & (r["sex"] == 1)),
        found("female_prostate_diagnosis", "principal_diagnosis_code", _replaced_diagnosis(*female), lambda r: grown(r) & (r["sex"] == 2)),
        found("newborn_weight_missing", "admission_weight_grams", _cleared("A17", "A18x01"), lambda r: r["day_age"] <= 28),
        found("birth_weight_out_of_range", "birth_weight_grams", _weight, lambda r: (r["birth_weight"] > 0) & (r["day_age"] > 28)),
        found("charge_parts_exceed_total", "total_charge_cny", _low_total),
        found("self_paid_exceeds_total", "self_paid_cny", _high_self),
        found("sex_not_in_list", "sex_code", _chosen("A12C", "3", "8")),
        found("disposition_not_in_list", "disposition_code", _chosen("B34C", "7", "0"), lambda r: r["disposition"] == 1),
        found("principal_diagnosis_not_in_list", "principal_diagnosis_code", _unknown_code, grown),
        found("principal_diagnosis_missing", "principal_diagnosis_code", _cleared("C03C", "C04N", "C05C"), grown),
        found("total_charge_not_positive", "total_charge_cny", _no_total),
        found("autopsy_without_death", "autopsy_code", _chosen("C34C", "1"), lambda r: r["disposition"] == 1),
        found("external_cause_missing", "external_cause_code", _cleared("C12C", "C13N"), lambda r: r["external"] >= 0),
        found("pathology_missing", "pathology_code", _cleared("C09C", "C10N", "C11"), lambda r: r["has_pathology"]),
        Kind(
            "operation_before_admission",
            "performed_at",
            "stay_review/operation_before_admission",
            _early_operation,
            lambda r: r["operated"] & (r["extras"] == 0),
        ),
        *rejects("admitted_at", "B12", "total_charge_cny", "D01", "case_number", "A48"),
    ]
