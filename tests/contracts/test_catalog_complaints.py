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


def test_a_good_definition_of_the_region_is_loaded_last(tmp_path: Path) -> None:
    _write(tmp_path, "in_county_inpatient_share", GOOD)
    assert load(tmp_path).indicators["in_county_inpatient_share"].code == "X-1"


def test_all_errors_at_once(tmp_path: Path) -> None:
    for number, (old, new, *_) in enumerate(CASES.values()):
        _write(tmp_path, f"x{number}", GOOD.replace(old, new))
    with pytest.raises(Refusal) as refused:
        load(tmp_path)
    assert len({p.file for p in refused.value.problems}) == len(CASES)
