"""Groups equal the reference, case by case; columns equal one case after another; and a case without a group says why."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanmin.catalog import Catalog
from quanmin.model import Refusal
from quanmin.services.grouping.files import group_file
from quanmin.services.grouping.grouper import Ready, group
from quanmin.services.grouping.plain import Case, group_one
from quanmin.services.grouping.schemes import scheme_of

EXAMPLES = Path(__file__).with_name("reference")


def table(*cases: dict[str, str]) -> pa.Table:
    """Cases as text; what is not said of one is blank."""
    names = ("sex", "age_years", "age_days", "birth_weight_g", "diagnoses", "procedures")
    return pa.table({name: pa.array([case.get(name, "") for case in cases], pa.string()) for name in names})


def one(prepared: Ready, **case: str) -> dict[str, str]:
    """The group of one case, by default a man of 50."""
    found: dict[str, str] = group(prepared, table({"sex": "1", "age_years": "50"} | case)).to_pylist()[0]
    return found


def test_every_example_equals_the_reference(national: Ready, tmp_path: Path) -> None:
    summary = group_file(EXAMPLES / "cases.csv", national, tmp_path / "groups.csv")
    with (tmp_path / "groups.csv").open(encoding="utf-8", newline="") as ours, (EXAMPLES / "expected.csv").open(encoding="utf-8", newline="") as theirs:
        found = {row["case_id"]: (row["mdc"], row["adrg"], row["drg"]) for row in csv.DictReader(ours)}
        expected = {row["case_id"]: (row["mdc"], row["adrg"], row["drg"]) for row in csv.DictReader(theirs)}
    assert len(expected) == 1500
    assert found == expected
    assert (summary.read, summary.malformed, summary.grouped) == (1500, 0, sum(drg != "" for *_, drg in expected.values()))


@st.composite
def cases(draw: st.DrawFn, prepared: Ready) -> list[Case]:
    """Cases whose codes meet many rules: those of categories and groups, complications and the principal diagnoses that exclude them, and unknown codes."""
    scheme = prepared.scheme
    chosen = draw(st.lists(st.sampled_from(scheme.adjacents), min_size=1, max_size=6))
    listed = [code for adjacent in chosen for codes in adjacent.lists.values() for code in sorted(codes)[:40]]
    principal = [code for category in scheme.categories for code in list(category.diagnoses)[:25] if category.id in {a.category for a in chosen} | {"P", "Z"}]
    worse = sorted(scheme.complications)[:: max(1, len(scheme.complications) // 60)]
    diagnosis = st.sampled_from([*principal, *worse, *(c for c in listed if c in scheme.exclusions), "X99.999"])
    procedure = st.sampled_from([*(c for c in listed if c not in scheme.exclusions), *sorted(scheme.lists["VALID_OR"])[:10], "99.9999"])
    number = {"AGE_YEARS": st.sampled_from([0, 0, 0.0, 1, 17, 60]), "AGE_DAYS": st.sampled_from([0, 28, 29, 300]),
              "BIRTH_WEIGHT_G": st.sampled_from([900, 1499, 1500, 1999, 2000, 2499, 2500, 3200])}
    return [Case(draw(st.sampled_from([0, 1, 2])), {name: draw(values) for name, values in number.items() if draw(st.booleans())},
                 draw(st.lists(diagnosis, max_size=6)), draw(st.lists(procedure, max_size=4))) for _ in range(draw(st.integers(1, 12)))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_columns_and_one_case_after_another_agree(national: Ready, data: st.DataObject) -> None:
    drawn = data.draw(cases(national))
    found = group(national, table(*(
        {"sex": str(c.sex or ""), "diagnoses": "|".join(c.diagnoses), "procedures": "|".join(c.procedures)}
        | {name.lower(): f"{value:g}" for name, value in c.numbers.items()} for c in drawn))).to_pylist()
    for case, row in zip(drawn, found, strict=True):
        plain = group_one(national.scheme, case)
        assert (row["mdc"], row["adrg"], row["drg"], row["cc_level"]) == (plain.category or "0000", plain.adjacent, plain.group, plain.level), case
        assert bool(row["drg"]) or row["reason"] not in ("", "other_codes_unknown"), case


@pytest.mark.parametrize(("case", "reason"), [
    ({"diagnoses": ""}, "no_principal"), ({"diagnoses": " | |I10.x00x002"}, ""), ({"diagnoses": "I10"}, "unknown_principal"),
    ({"diagnoses": "N40.x00", "sex": "2"}, "sex_conflict"), ({"diagnoses": "N40.x00", "sex": ""}, "number_unknown"), ({"diagnoses": "N40.x00"}, ""),
    ({"diagnoses": "P22.000"}, "age_conflict"), ({"diagnoses": "P22.000", "age_years": "0"}, "number_unknown"),
    ({"diagnoses": "P22.000", "age_years": "0", "age_days": "3", "birth_weight_g": "3000"}, ""), ({"diagnoses": "P22.000", "age_years": "?"}, "number_unknown"),
    ({"diagnoses": "I10.x00x002|Q9"}, "other_codes_unknown"), ({"diagnoses": "I10.x00x002", "procedures": "1"}, "other_codes_unknown"),
    ({"diagnoses": "I21.000"}, "no_category")])
def test_a_case_says_what_is_wrong_with_it(national: Ready, case: dict[str, str], reason: str) -> None:
    assert one(national, **case)["reason"] == reason


def test_the_principal_diagnosis_excludes_complications_that_belong_to_it(national: Ready) -> None:
    scheme = national.scheme
    worse, (_, excluded_by) = next((c, v) for c, v in scheme.complications.items() if v[0] == "MCC" and v[1] in scheme.exclusions.values())
    inside = next(c for c, excluded in scheme.exclusions.items() if excluded == excluded_by)
    outside = next(c for c, excluded in scheme.exclusions.items() if excluded != excluded_by)
    assert one(national, diagnoses=f"{inside}|{worse}")["cc_level"] == ""
    assert one(national, diagnoses=f"{outside}|{worse}")["cc_level"] == "MCC"
    assert one(national, diagnoses=worse)["cc_level"] == "", "a principal diagnosis is no complication"


def test_codes_of_the_clinical_edition_become_those_of_the_scheme(national: Ready, catalog: Catalog) -> None:
    edition = national.scheme.diagnosis_edition
    only = next(code for code, into in edition.items() if code not in national.diagnoses.names and into in national.scheme.categories[6].diagnoses)
    assert one(national, diagnoses=only)["drg"] == one(national, diagnoses=edition[only])["drg"] != ""
    both = next(code for code, into in edition.items() if code in national.diagnoses.names and one(national, diagnoses=code)["adrg"]
                not in ("", one(national, diagnoses=into)["adrg"]))
    clinical = scheme_of(catalog, "chs_drg_1_1", is_clinical=True)
    assert one(clinical, diagnoses=both)["adrg"] == one(national, diagnoses=edition[both])["adrg"]


def test_the_order_of_other_diagnoses_and_of_cases_changes_nothing(national: Ready) -> None:
    drawn = [{"sex": "1", "age_years": "60", "diagnoses": f"I25.103|{a}|{b}"} for a in ("I50.103", "E11.900", "J18.900") for b in ("N17.900", "A41.900")]
    turned = [case | {"diagnoses": "|".join([*case["diagnoses"].split("|")[:1], *case["diagnoses"].split("|")[:0:-1]])} for case in drawn]
    found = group(national, table(*drawn)).to_pylist()
    assert group(national, table(*turned)).to_pylist() == found
    assert group(national, table(*reversed(drawn))).to_pylist() == found[::-1]


def test_a_scheme_that_is_only_a_list_says_what_to_bring(catalog: Catalog, english: None) -> None:
    assert len(catalog.groupers["chs_drg_2_0"].groups) == 634
    with pytest.raises(Refusal) as refusal:
        scheme_of(catalog, "chs_drg_2_0")
    assert "definitions/groupers/chs_drg_2_0/" in refusal.value.problems[0].sentence()


def test_the_shipped_scheme_is_whole(national: Ready, catalog: Catalog) -> None:
    scheme = national.scheme
    assert (len(scheme.categories), len(scheme.adjacents), len(scheme.groups), len(scheme.complications)) == (26, 376, 628, 21_246)
    assert Counter(level for level, _ in scheme.complications.values()) == {"MCC": 4_678, "CC": 16_568}
    assert {g.id: (g.label.zh, g.label.en) for g in scheme.groups} == {code: (name.zh, name.en) for code, name in catalog.codes["drg"].codes.items()}
    assert {m.id: (m.label.zh, m.label.en) for m in scheme.categories} == {code: (name.zh, name.en) for code, name in catalog.codes["mdc"].codes.items()}
    known = set(catalog.codes["icd10"].codes)
    assert {code for category in scheme.categories for code in category.diagnoses} <= known
