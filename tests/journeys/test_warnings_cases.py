"""Cases of a disease, an event and a county on the pages: what is shown adds up to the tables, and each sees what is theirs."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI

from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

PAGE = "/warnings"


@pytest.fixture(scope="module")
def app(region: Region) -> FastAPI:
    return create_app(region.site)


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


@pytest.fixture(scope="module")
def planted(region: Region) -> list[dict[str, str]]:
    """Planted outbreaks of the last year of the data."""
    return [one for one in region.truth("outbreaks") if one["first_on"] >= "2025-11-15"]


def event_of(section: Person, one: dict[str, str]) -> dict[str, str]:
    return next(row for row in exported(section, PAGE, "events", place=one["county_code"]) if row["item"] == one["disease_code"]
                and row["first_on"] <= one["last_on"] and row["last_on"] >= one["first_on"])


def cards(region: Region, condition: str) -> list[dict[str, Any]]:
    return region.site.indicators().engine.table(
        "SELECT disease_code, home_county, home_township, sex_code, age_band, onset_on, reported_on FROM notifiable_case WHERE NOT is_repeat"
        f" AND classification_code <> 'carrier' AND home_county IS NOT NULL AND {condition}").to_pylist()


def test_a_planted_outbreak_is_a_cluster_on_its_disease_and_event_pages(section: Person, planted: list[dict[str, str]]) -> None:
    assert len(planted) >= 3
    for one in planted:
        event = event_of(section, one)
        for path in (f"/diseases/{one['disease_code']}", f"{PAGE}/{event['event']}"):
            hits = [row for row in exported(section, path, "clusters") if one["township_code"] in row["places"].split()]
            assert len(hits) == 1 and event["event"] in hits[0]["events"].split(), (one, hits)
            assert int(hits[0]["observed"]) > 5 * float(hits[0]["expected"]) and float(hits[0]["p"]) < 0.001 and float(hits[0]["q"]) <= 0.01


def test_weeks_by_place_are_the_cards_and_the_rates_their_residents(region: Region, section: Person, planted: list[dict[str, str]]) -> None:
    one = planted[0]
    weeks = exported(section, f"/diseases/{one['disease_code']}", "map")
    counted = Counter((row["home_county"], row["reported_on"].strftime("%G-W%V")) for row in cards(region, f"disease_code = '{one['disease_code']}'"))
    first = weeks[0]["week"]
    assert {(row["place"], week_of(row["week"])): int(row["cases"]) for row in weeks if int(row["cases"])} == {
        key: count for key, count in counted.items() if key[1] >= week_of(first)}
    event = event_of(section, one)
    towns = exported(section, f"{PAGE}/{event['event']}", "map")
    assert sum(int(row["cases"]) for row in towns if row["place"] == one["township_code"]) >= int(one["cases_in_township"])
    people = {row["r"]: int(row["n"]) for row in region.site.indicators().engine.table(
        "SELECT region_code AS r, sum(resident_count) AS n FROM population WHERE year = 2026 GROUP BY ALL").to_pylist()}
    rated = [row for row in towns if row["place"] and row["week"] >= "2026-01-01"]
    assert rated and all(abs(float(row["rate"]) - 1e5 * int(row["cases"]) / people[row["place"]]) < 1e-6 for row in rated)


def week_of(day: str) -> str:
    return date.fromisoformat(day).strftime("%G-W%V")


def test_attack_rates_are_cards_by_residents(region: Region, section: Person, planted: list[dict[str, str]]) -> None:
    for one in planted[:2]:
        event = event_of(section, one)
        mine = cards(region, f"disease_code = '{one['disease_code']}' AND home_county = '{one['county_code']}'"
                     f" AND reported_on BETWEEN DATE '{event['first_on']}' AND DATE '{event['last_on']}'")
        towns = {row["group"]: row for row in exported(section, f"{PAGE}/{event['event']}", "attack_towns")}
        assert {code: int(row["cases"]) for code, row in towns.items() if int(row["cases"])} == dict(Counter(row["home_township"] for row in mine))
        other = exported(section, f"{PAGE}/{event['event']}", "attack_ages")
        by_age, by_sex = Counter(row["age_band"] for row in mine), Counter(row["sex_code"] for row in mine)
        ages, sexes = [row for row in other if row["group"] not in ("1", "2")], {row["group"]: row for row in other if row["group"] in ("1", "2")}
        assert {row["group"]: int(row["cases"]) for row in ages if int(row["cases"])} == dict(by_age)
        assert {code: int(row["cases"]) for code, row in sexes.items()} == {code: by_sex[code] for code in ("1", "2")}
        for row in towns.values():
            assert float(row["low"]) <= float(row["rate"]) <= float(row["high"])
            assert float(row["rate"]) == pytest.approx(1000 * int(row["cases"]) / int(row["residents"]))


def test_onsets_are_the_cards_and_r_says_why_there_is_none(region: Region, section: Person) -> None:
    onsets = exported(section, "/diseases/influenza", "onsets")
    counted = Counter(str(row["onset_on"]) for row in cards(region, "disease_code = 'influenza' AND onset_on IS NOT NULL"))
    assert len(onsets) == 56 and all(int(row["reported"]) == counted[row["day"]] for row in onsets)
    assert all(int(row["low"]) <= int(row["estimate"]) <= int(row["high"]) and int(row["reported"]) <= int(row["low"]) for row in onsets)
    shares = [float(row["share"]) for row in onsets]
    assert shares == sorted(shares, reverse=True) and shares[0] == 1 and shares[-1] < 0.6
    influenza = section.get("/diseases/influenza", lang="en").text
    assert "Serial interval: mean 2.6" in influenza and "transcribed" in influenza and "Cori et al. 2013" in influenza
    assert "not told from local ones" in influenza
    assert "No R: the catalogue has no published serial interval" in section.get("/diseases/dengue", lang="en").text
    assert section.get("/api/reproduction-number", item="dengue").json()["reason"] == "no_interval"


def test_the_page_of_a_county(region: Region, section: Person) -> None:
    trends = exported(section, f"{PAGE}/place/990103", "trends")
    known = section.get("/api/disease-trends", place="990103").json()["known_on"]
    counted = Counter(row["disease_code"] for row in cards(region, f"home_county = '990103' AND reported_on > DATE '{known}' - INTERVAL 182 DAY"
                                                           f" AND reported_on <= DATE '{known}'"))
    weekly = {row["item"]: sum(int(value) for name, value in row.items() if name[:2] == "20" and value) for row in trends}
    assert weekly == dict(counted) and len(weekly) >= 2
    assert all(float(row["ratio"]) == pytest.approx(int(row["four_weeks"]) / float(row["four_weeks_expected"])) for row in trends if row["ratio"])
    events = exported(section, f"{PAGE}/place/990103", "events")
    assert len(events) == len(exported(section, PAGE, "events", place="990103")) and {row["county"] for row in events} == {"990103"}
    for row in exported(section, f"{PAGE}/place/990103", "timeliness"):
        assert row["facility"].startswith("990103") and 0 <= int(row["late"]) <= int(row["cards"])
    chosen = trends[-1]["item"]
    assert section.get(f"{PAGE}/place/990103", item=chosen).status_code == 200
    for path in (f"{PAGE}/place/nowhere", f"{PAGE}/place/990103001", f"{PAGE}/place/%27", f"{PAGE}/place/990103?item=nothing"):
        assert section.get(path).status_code == 404, path


def test_a_county_sees_its_own_and_an_institution_nothing(app: FastAPI, section: Person, planted: list[dict[str, str]]) -> None:
    own = somebody(app, "section", "county:990103")
    assert own.get(f"{PAGE}/place/990103").status_code == 200 and own.get(f"{PAGE}/place/990104").status_code == 404
    assert {row["place"][:6] for row in exported(own, "/diseases/influenza", "map") if row["place"]} == {"990103"}
    for one in planted:
        theirs = own.get("/api/past-clusters", item=one["disease_code"]).json()
        assert all(place["county"] == "990103" for cluster in theirs["clusters"] for place in cluster["places"])
        if one["county_code"] != "990103":
            assert one["township_code"] not in str(theirs) and event_of(section, one)["event"] not in str(theirs)
            assert own.get("/api/attack-rates", event=event_of(section, one)["event"]).status_code >= 400
            assert sum(day["reported"] for day in own.get("/api/nowcast-cases", item=one["disease_code"]).json()["days"]) <= sum(
                day["reported"] for day in section.get("/api/nowcast-cases", item=one["disease_code"]).json()["days"])
    assert own.get("/api/case-weeks", item="influenza", place="990104").json()["places"] == []
    assert own.get("/api/disease-trends", place="990104").status_code >= 400
    hospital = somebody(app, "section", "facility:990103H001")
    assert hospital.get(f"{PAGE}/place/990103").status_code == 404
    assert hospital.get("/api/clusters").json()["clusters"] == [] and hospital.get("/api/case-weeks", item="influenza").json()["places"] == []
    told = hospital.get("/api/nowcast-cases", item="influenza").json()
    assert sum(day["reported"] for day in told["days"]) == 0 == len(hospital.get("/api/past-clusters", item="influenza").json()["clusters"])
    assert hospital.get("/api/reproduction-number", item="influenza").json()["windows"] == []
    assert (told["delays_of"], told["delay_cases"]) == ("", 0) and hospital.get("/api/clusters").json()["diseases"] == 0
    learned = [person.get("/api/nowcast-cases", item="influenza").json()["delay_cases"] for person in (own, section)]
    assert learned[0] <= 50 < learned[1], "how many the region had is not told"
    viewer = somebody(app, "viewer")
    for path in (f"{PAGE}/place/990103", "/api/clusters", "/api/case-weeks?item=influenza", "/api/disease-trends?place=990103"):
        assert viewer.get(path).status_code == 403, path


def test_what_is_no_disease_or_event_is_explained(section: Person) -> None:
    for name, told in (("nowcast-cases", {"item": "x"}), ("nowcast-cases", {}), ("reproduction-number", {"item": "'"}), ("past-clusters", {"item": "x"}),
                       ("clusters", {"item": "x"}), ("case-weeks", {"event": "zz"}), ("attack-rates", {"event": "0" * 12}), ("disease-trends", {"place": "x"})):
        answer = section.get(f"/api/{name}", **told)
        assert 400 <= answer.status_code < 500 and "Traceback" not in answer.text, (name, told)
