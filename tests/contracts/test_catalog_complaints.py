"""A bad definition is told with file, line and reason, all errors at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanmin.catalog import load
from quanmin.catalog.loader import read_all
from quanmin.model import Refusal

GOOD = '''code = "X-1"
name = { zh = "x", en = "x" }
kind = "share"
unit = "%"
better = "higher"
table = "hospitalisation"
denominator = "home_county IS NOT NULL"
numerator = "facility_county = home_county"
time = "discharged_on"
place = "home_county"
by = ["sex_code"]
source = { document = "d", status = "own" }
why = { zh = "x", en = "x" }
[example]
answer = { numerator = 1, denominator = 1, unknown = 0, value = 100 }
rows = """
home_county | facility_county
1           | 1
"""
'''
CASES = {
    "misspelt column": ('numerator = "facility_county = home_county"', 'numerator = "facility_conty = home_county"', 8, "facility_conty"),
    "unknown function": ('numerator = "facility_county = home_county"', 'numerator = "read_csv(home_county)"', 8, "not in the dialect"),
    "subquery": ('numerator = "facility_county = home_county"', 'numerator = "home_county IN (SELECT 1)"', 8, "not in the dialect"),
    "text against a number": ('numerator = "facility_county = home_county"', 'numerator = "sex_code = 1"', 8, "write '1'"),
    "half a sentence": ('denominator = "home_county IS NOT NULL"', 'denominator = "home_county IS NOT"', 7, "denominator"),
    "unknown kind": ('kind = "share"', 'kind = "percentage"', 3, "is not one of"),
    "unknown table": ('table = "hospitalisation"', 'table = "hospitalization"', 6, "is not a table"),
    "unknown dimension": ('by = ["sex_code"]', 'by = ["gender"]', 11, "is not a column"),
    "one language": ('name = { zh = "x", en = "x" }', 'name = { zh = "x" }', 2, "both languages"),
    "a field that means nothing": ('better = "higher"', 'beter = "higher"', 5, "is not a known field"),
    "unknown status": ('status = "own"', 'status = "sure"', 12, "is not a status"),
    "broken syntax": ('kind = "share"', 'kind = share', 3, "not readable as TOML"),
}

RULE = '''name = { zh = "x", en = "x" }
applies = "is_resident_known"
violated = "overlap_days > 0"
source = { document = "d", status = "own" }
[finding]
family = "overlapping_stay"
explanation = { zh = "{overlap_days}", en = "{overlap_days} days" }
innocent = { zh = "x", en = "x" }
amount = "total_charge_cny"
due_days = 15
[example]
answer = { numerator = 1, denominator = 2, unknown = 0, value = 50 }
rows = """
hospitalisation_id | is_resident_known | overlap_days
A                  | true              | 3
B                  | true              | 0
"""
'''
RULE_CASES = {
    "unknown family": ('family = "overlapping_stay"', 'family = "overlap"', 6, "is not a family"),
    "unknown column in the explanation": ("{overlap_days} days", "{overlap} days", 7, "is not a column of table stay_review"),
    "a person named in the explanation": ("{overlap_days} days", "{case_number}", 7, "names a person"),
    "a brace left open": ("{overlap_days} days", "{overlap_days days", 7, "is not a template"),
    "explanation in one language": ('explanation = { zh = "{overlap_days}", en', 'explanation = { xx = "{overlap_days}", en', 7, "both languages"),
    "no counter-example told": ('innocent = { zh = "x", en = "x" }', 'innocent = { zh = "x" }', 8, "both languages"),
    "misspelt amount": ('amount = "total_charge_cny"', 'amount = "total_charge"', 9, "total_charge"),
    "no time to answer": ("due_days = 15", "due_days = 0", 10, "is not a number of days"),
    "a field of no finding": ("due_days = 15", "days = 15", 10, "is not a field of a finding"),
    "no violated row": ("numerator = 1", "numerator = 0", 12, "no violation beside a counter-example"),
    "only violated rows": ("denominator = 2", "denominator = 1", 12, "no violation beside a counter-example"),
    "nothing of findings": ("[finding]", "[found]", 1, "says nothing of its findings"),
}


def _write(folder: Path, name: str, text: str) -> None:
    target = folder / "indicators" / "own" / f"{name}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_each_error_names_file_line_and_reason(tmp_path: Path, case: str) -> None:
    old, new, line, reason = CASES[case]
    assert old in GOOD
    _write(tmp_path, "x", GOOD.replace(old, new))
    _, complaints = read_all(tmp_path)
    own = [p for p in complaints.problems if p.file == "definitions/indicators/own/x.toml"]
    assert any(reason in p.sentence() and p.line == line for p in own), [p.sentence() for p in own]


def _write_rule(folder: Path, table: str, name: str, text: str) -> None:
    target = folder / "rules" / table / f"{name}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _of_file(folder: Path, file: str) -> list:
    return [p for p in read_all(folder)[1].problems if p.file == f"definitions/{file}"]


@pytest.mark.parametrize("case", RULE_CASES)
def test_each_error_of_a_rule_names_file_line_and_reason(tmp_path: Path, case: str) -> None:
    old, new, line, reason = RULE_CASES[case]
    assert old in RULE
    _write_rule(tmp_path, "stay_review", "x", RULE.replace(old, new))
    found = _of_file(tmp_path, "rules/stay_review/x.toml")
    assert any(reason in p.sentence() and p.line == line for p in found), [p.sentence() for p in found]


def test_rules_stand_on_tables_made_for_them_and_beside_checks(tmp_path: Path) -> None:
    _write_rule(tmp_path, "stay", "x", RULE)
    _write_rule(tmp_path, "stay_review", "overlapping_stays", RULE)
    assert any("has no column subject_key" in p.sentence() for p in _of_file(tmp_path, "rules/stay/x.toml"))
    assert any("already the name of a check" in p.sentence() for p in _of_file(tmp_path, "rules/stay_review/overlapping_stays.toml"))


def test_a_rule_of_the_region_is_loaded_last_and_found_by_name(tmp_path: Path) -> None:
    _write_rule(tmp_path, "stay_review", "care_after_death", RULE)
    found = load(tmp_path).question("stay_review/care_after_death")
    assert found.finding is not None and found.finding.family == "overlapping_stay" and found.id not in load(tmp_path).checks


def test_a_good_definition_of_the_region_is_loaded_last(tmp_path: Path) -> None:
    _write(tmp_path, "in_county_inpatient_share", GOOD)
    assert load(tmp_path).indicators["in_county_inpatient_share"].code == "X-1"


def test_all_errors_at_once(tmp_path: Path) -> None:
    for number, (old, new, *_) in enumerate(CASES.values()):
        _write(tmp_path, f"x{number}", GOOD.replace(old, new))
    with pytest.raises(Refusal) as refused:
        load(tmp_path)
    assert len({p.file for p in refused.value.problems}) == len(CASES)
