"""Scenarios: shipped ones are whole, every error is told at once with its line, and what is set is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanmin.model import Refusal
from quanmin.services.preparedness import campaign, exercise, stockpile, surge
from quanmin.services.preparedness.exercise import earned_share, record_of, scored
from quanmin.services.preparedness.scenario import STATUSES, changed, checked, lines_of, read, template, template_names, template_text

KINDS = {module.KIND: module.PARTS for module in (campaign, exercise, stockpile, surge)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in template_names(kind)])
def test_shipped_scenarios_say_where_every_number_is_from(kind: str, name: str) -> None:
    found = checked(kind, KINDS[kind], template(name), name)
    assert found.label.zh and found.label.en
    for source, status in found.sources.values():
        assert source.zh and source.en and status in STATUSES and status != "verified", "verified needs the document at hand"
    told = [path for part, values in found.values.items() if part and isinstance(values, dict) for path in (f"{part}.{field}" for field in values)]
    assert not [path for path in told if path not in found.sources and path != "disease.model"], "a number says where it is from"
    assert template_text(name).startswith("#")


BAD = """kind = "mass_testing"
name = { zh = "x" }

[sampling]
rate_per_table_hour = "many"
hours_per_day = 30
pool_size = { value = 5, source = "x", status = "sure" }
wizards = 3

[[area]]
id = "a"
population = 10

[[area]]
id = "a"
population = -4

[[lab]]
id = "l"
"""


def test_every_error_is_told_at_once_with_its_line(tmp_path: Path, english: None) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD, "utf-8")
    with pytest.raises(Refusal) as refused:
        read("mass_testing", campaign.PARTS, path, ["sampling.pool_size", "transport.hours=-1"])
    told = {(p.file, p.line, p.field): p for p in refused.value.problems}
    assert set(told) == {("bad.toml", 2, "name"), ("bad.toml", 5, "sampling.rate_per_table_hour"), ("bad.toml", 6, "sampling.hours_per_day"),
                         ("bad.toml", 7, "sampling.pool_size"), ("bad.toml", 8, "sampling.wizards"), ("bad.toml", 15, "area[1].id"),
                         ("bad.toml", 16, "area[1].population"), ("bad.toml", None, "transport.hours"), ("--set", None, "sampling.pool_size")}
    assert all(p.rule and p.mend for p in told.values()) and told[("bad.toml", 6, "sampling.hours_per_day")].value == "30"


@pytest.mark.parametrize("text", ["kind = [", "\x00", "kind = 'surge'", "area = 3\nkind = 'mass_testing'", "[[sampling]]\nkind='mass_testing'",
                                  "name = 1979-05-27"])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(Refusal):
        read("mass_testing", campaign.PARTS, path)
    path.write_bytes(b"\xff\xfe\x00k")
    with pytest.raises(Refusal):
        read("mass_testing", campaign.PARTS, path)


def test_lines_are_found_in_tables_and_lists() -> None:
    found = lines_of('a = 1\n[b]\nc = 2\n[[d]]\ne = 3\n[[d]]\ne = 4\n')
    assert found == {"a": 1, "b": 2, "b.c": 3, "d": 4, "d[0]": 4, "d[0].e": 5, "d[1]": 6, "d[1].e": 7}


def test_numbers_are_set_by_their_path() -> None:
    data, problems = changed(template("mass_testing"), ["sampling.pool_size=20", "area[1].population=7", "most_days=9", "area[99].population=1", "x.y.z=1",
                                                        "=3"])
    assert data["sampling"]["pool_size"]["value"] == 20 and data["area"][1]["population"] == 7 and data["most_days"] == 9
    assert [p.field for p in problems] == ["area[99].population", ""] and data["x"] == {"y": {"z": 1}}
    assert template("mass_testing")["sampling"]["pool_size"]["value"] == 10, "the template itself stays as it is"


@pytest.mark.parametrize(("after", "state", "share"), [
    (0, "in_time", 1), (120, "in_time", 1), (150, "late", 0.75), (239, "late", 1 / 120), (240, "too_late", 0), (None, "missed", 0), (-5, "missed", 0)])
def test_what_comes_late_earns_less(after: float | None, state: str, share: float) -> None:
    found = earned_share(after, 120)
    assert found[0] == state and found[1] == pytest.approx(share)


def test_an_exercise_is_scored_by_its_record(tmp_path: Path, english: None) -> None:
    one = checked("exercise", exercise.PARTS, template("exercise"), "x")
    path = tmp_path / "r.csv"
    path.write_text("reaction,minutes\ncard,60\nteam,150\nverify,280\ncard,400\n", "utf-8")
    found = scored(one, record_of(path))
    assert found.score == pytest.approx(15 + 15 * 0.75 + 15) and not found.is_passed
    assert {row.reaction: row.state for row in found.reactions} == {
        "card": "in_time", "team": "late", "sample": "missed", "verify": "in_time", "contacts": "missed", "beds": "missed", "supplies": "missed"}
    whole = {row["id"]: next(step["at_minutes"] for step in one.rows("step") if step["id"] == row["step"]) for row in one.rows("reaction")}
    assert scored(one, whole).score == 100
    for text in ("who,when\na,1\n", "reaction,minutes\ncard,soon\n", "reaction,minutes\nnobody,3\n"):
        path.write_text(text, "utf-8")
        with pytest.raises(Refusal):
            scored(one, record_of(path))
