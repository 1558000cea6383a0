"""Hospital infection: planted clusters are found, device-associated rates are those of the rows, and each sees what is theirs."""

from __future__ import annotations

from datetime import date

import pytest
from fastapi import FastAPI
from scipy import stats

from tests.journeys.conftest import Region
from tests.journeys.people import exported, somebody

PAGE = "/infections"


def days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def test_planted_clusters_are_found_in_time_and_nothing_else(region: Region, app: FastAPI) -> None:
    planted = region.truth("infection_clusters")
    found = exported(somebody(app, "section"), PAGE, "clusters")
    assert len(planted) >= 2
    for one in planted:
        hit = [row for row in found if (row["facility"], row["ward"], row["organism"]) == (one["facility_code"], one["ward"], one["organism_code"])
               and row["first_on"] <= one["last_on"] and row["last_on"] >= one["first_on"]]
        assert len(hit) == 1, one
        assert int(hit[0]["cases"]) >= int(one["cases"]) and float(hit[0]["p"]) < 0.0003 and float(hit[0]["expected"]) < 1
        assert 0 <= days(one["first_on"], hit[0]["detected_on"]) <= 14 and hit[0]["known_on"] >= hit[0]["detected_on"]
    assert len(found) <= len(planted) + 1


def test_cases_by_month_and_rates_are_those_of_the_rows(region: Region, app: FastAPI) -> None:
    engine, section = region.site.indicators().engine, somebody(app, "section")
    shown = exported(section, PAGE, "timeline")
    months = [name for name in shown[0] if name[:4].isdigit() and name[4:5] == "-"]
    rows = engine.table("SELECT count(*) AS n FROM hospital_infection WHERE organism_code IS NOT NULL").to_pylist()
    assert sum(int(row[month]) for row in shown for month in months) == rows[0]["n"] > 20
    counted = {row["f"]: (row["n"], row["d"]) for row in engine.table(
        "SELECT w.f, coalesce(i.n, 0) AS n, w.d"
        " FROM (SELECT facility_code AS f, sum(ventilator_days)::BIGINT AS d FROM ward_device_month WHERE year(month) = 2026"
        " GROUP BY ALL) w LEFT JOIN (SELECT facility_code AS f, count(*) AS n FROM hospital_infection WHERE year(onset_on) = 2026"
        " AND device_code = 'ventilator' AND site_code = 'lung' GROUP BY ALL) i ON w.f = i.f WHERE w.d > 0").to_pylist()}
    told = {row["facility"]: row for row in exported(section, PAGE, "rates", device="ventilator", period="2026")}
    assert {code for code in told if code} == set(counted) and any(n for n, _ in counted.values())
    for code, (infections, device_days) in counted.items():
        row = told[code]
        assert (int(row["infections"]), int(row["device_days"])) == (infections, device_days)
        assert float(row["rate"]) == pytest.approx(1000 * infections / device_days)
        assert float(row["high"]) == pytest.approx(1000 * stats.chi2.ppf(0.975, 2 * infections + 2) / 2 / device_days)
        assert float(row["low"]) == pytest.approx(1000 * stats.chi2.ppf(0.025, 2 * infections) / 2 / device_days if infections else 0)


def test_rows_of_a_cluster_and_who_sees_them(region: Region, app: FastAPI) -> None:
    section, viewer, leader = (somebody(app, role) for role in ("section", "viewer", "leader"))
    one = exported(section, PAGE, "clusters")[0]
    rows = exported(section, PAGE, "rows", cluster=one["cluster"])
    numbers = {row["n"] for row in region.site.indicators().engine.table("SELECT case_number AS n FROM hospital_infection").to_pylist()}
    assert len(rows) == int(one["cases"]) and not any(row["case_number"] in numbers for row in rows)
    assert viewer.get(PAGE).status_code == 403 and viewer.get("/api/infection-clusters").status_code in (400, 403)
    assert leader.get(PAGE).status_code == 200 and 'id="rows"' not in leader.get(PAGE, cluster=one["cluster"]).text
    own = somebody(app, "institution", f"facility:{one['facility']}")
    other = somebody(app, "institution", "facility:990104H001")
    assert {row["facility"] for row in exported(own, PAGE, "clusters")} == {one["facility"]}
    assert other.get(PAGE, cluster=one["cluster"]).status_code == 404 and not exported(other, PAGE, "clusters")
    assert section.get(PAGE, device="drill").status_code == 400
