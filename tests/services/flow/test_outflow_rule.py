"""The rule that splits outflow, on small tables whose shares are worked out by hand."""

from __future__ import annotations

import re

import duckdb
import pytest

from quanmin.catalog import Catalog
from quanmin.services.flow import outflow_rule
from tests.conftest import frames_of, rows_of

HEADER = ("hospitalisation_id | resident_id | home_county | home_township | facility_code | facility_county | facility_level | is_in_region"
          " | admitted_on | discharged_on | principal_diagnosis_code | icd_chapter | total_charge_cny")
PLACES = """
region_code | level    | longitude | latitude
A001        | township | 125.0     | 30.0
"""
HOUSES = """
facility_code | longitude | latitude
HA            | 125.0     | 30.2
HB            | 125.0     | 30.1
"""


def line(name: str, county: str, *, code: str = "J18.900", charge: int = 5000, day: str = "2026-01-20", admitted: str = "", resident: str = "") -> str:
    """A stay of a resident of A in the one hospital of a county."""
    return " | ".join([name, resident or f"r{name}", "A", "A001", f"H{county}", county, "secondary", "true", admitted or day, day, code, "10", str(charge)])


def told(catalog: Catalog, lines: list[str], houses: str = "", places: str = "") -> dict[str, tuple]:
    """Stay → kind, severity, home share, by the derivation itself."""
    texts = {"hospitalisation": "\n".join([HEADER, *lines]), "facility": houses or "facility_code", "region": places or "region_code"}
    frames = frames_of(catalog, rows_of(catalog, texts))
    connection = duckdb.connect()
    for name, frame in frames.items():
        connection.register(name, frame)
    connection.register("hospitalisation_near", frames["hospitalisation"])
    derived = catalog.derivations["outflow"]
    found = connection.execute(f"SELECT hospitalisation_id, kind_code, severity_code, home_share, is_sent_on FROM ({derived})").fetchall()
    return {name: rest for name, *rest in found}


def test_treated_at_home_is_avoidable(catalog: Catalog) -> None:
    # Home 3 of 4. Region: (3 + 2 × 3.5 / 5) / (4 − 1 + 2) = 0.88; the county is as expected; (3 + 3 × 0.88) / (4 − 1 + 3) = 0.94.
    found = told(catalog, [line("s1", "A"), line("s2", "A"), line("s3", "A"), line("s4", "B")])
    assert found == {"s4": ["avoidable", "ordinary", 0.94, False]}


def test_what_nobody_treats_at_home_is_referred(catalog: Catalog) -> None:
    # Home 0 of 1. Class: 0.5 / 2 = 0.25; region: (0 + 2 × 0.25) / (1 − 1 + 2) = 0.25; (0 + 3 × 0.25) / 3 = 0.25.
    assert told(catalog, [line("s1", "A", code="K35.900", charge=50_000), line("s2", "B")])["s2"] == ["referred", "ordinary", 0.25, False]


def test_severe_cases_are_held_against_severe_cases(catalog: Catalog) -> None:
    # The median is 5000, so 12 000 is severe: no severe case was kept, 0.25 as above; an ordinary case beside it is avoidable.
    lines = [line(f"s{n}", "A") for n in range(5)]
    found = told(catalog, [*lines, line("severe", "B", charge=12_000), line("ordinary", "B", charge=9_000)])
    assert found["severe"][:3] == ["referred", "severe", 0.25]
    assert found["ordinary"][:2] == ["avoidable", "ordinary"]
    kept = [*lines, *(line(f"k{n}", "A", charge=12_000) for n in range(2))]
    assert told(catalog, [*kept, line("severe", "B", charge=12_000)])["severe"][:2] == ["avoidable", "severe"]


def test_a_service_lost_since_stops_counting(catalog: Catalog) -> None:
    # Two kept in September weigh ¼ each in March (half-life 3 months); three left in March. Region: (2 + 2 × 2.5 / 6) / (5 − 1 + 2) = 0.4722;
    # county: (0.5 + 1.5) / (3.5 × 2 / 5 + 1.5) = 0.6897; expected 0.3257; (0.5 + 3 × 0.3257) / (3.5 − 1 + 3) = 0.2685.
    before = [line("s1", "A", day="2025-09-05"), line("s2", "A", day="2025-09-06")]
    left = [line(f"l{n}", "B", day="2026-03-10") for n in range(3)]
    found = told(catalog, [*before, *left])
    assert {tuple(row[:3]) for row in found.values()} == {("referred", "ordinary", 0.2685)}
    # One that left in September itself: 2 of 3 kept at full weight, those of March beyond the two months after.
    # Region (2 + 2 × 2.5 / 4) / (3 − 1 + 2) = 0.8125; the county as expected; (2 + 3 × 0.8125) / (3 − 1 + 3) = 0.8875.
    assert told(catalog, [*before, line("then", "B", day="2025-09-20"), *left])["then"][:3] == ["avoidable", "ordinary", 0.8875]


def test_sent_on_by_a_facility_at_home_is_referred(catalog: Catalog) -> None:
    lines = [line("s1", "A"), line("s2", "A"), line("s3", "A", resident="r", day="2026-01-10")]
    found = told(catalog, [*lines, line("s4", "B", resident="r", admitted="2026-01-11"), line("s5", "B", resident="r", admitted="2026-01-13")])
    assert [found[name][0] for name in ("s4", "s5")] == ["referred", "avoidable"]
    assert [found[name][3] for name in ("s4", "s5")] == [True, False]


def test_nearer_than_any_facility_at_home(catalog: Catalog) -> None:
    lines = [line("s1", "A"), line("s2", "A"), line("s3", "A"), line("s4", "B")]
    assert told(catalog, lines, HOUSES, PLACES)["s4"][0] == "nearer"
    assert told(catalog, lines, HOUSES.replace("30.2", "30.05"), PLACES)["s4"][0] == "avoidable"


def test_no_diagnosis_no_judgement(catalog: Catalog) -> None:
    assert told(catalog, [line("s1", "A"), line("s2", "B", code="")])["s2"] == [None, None, None, False]


def test_prices_of_tiers_are_taken_out(catalog: Catalog) -> None:
    # Health centres treat a fifth of these, so tiers are compared: tertiary stays cost thrice as much for the same, and are not severe for it.
    cheap = [line(f"p{n}", "A", charge=5000).replace("secondary", "primary") for n in range(4)]
    dear = [line(f"t{n}", "B", charge=15_000).replace("secondary", "tertiary") for n in range(4)]
    assert {row[1] for row in told(catalog, [*cheap, *dear]).values()} == {"ordinary"}


def test_the_rule_in_words_has_the_values_of_the_derivation(catalog: Catalog) -> None:
    text = re.search(r"WITH rule AS \(\s*SELECT(.*?)\), seen", catalog.derivations["outflow"], re.DOTALL)
    assert text is not None
    written = {name: float(value) for value, name in re.findall(r"([\d.]+) AS (\w+)", text[1])}
    rule = outflow_rule()
    assert dict(rule.values) == written
    assert all("{" not in words for words in (rule.sentence.zh, rule.sentence.en)) and "24" in rule.sentence.en and "24" in rule.sentence.zh
    assert catalog.tables["outflow"].near == (-24, 2)
    assert all(meaning.zh and meaning.en for meaning in rule.meanings.values())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_rule_is_one_paragraph(language: str) -> None:
    assert "\n" not in outflow_rule().sentence.in_language(language)
