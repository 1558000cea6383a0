"""Vaccine safety: rates and lots are those of the rows, few reports are no signal, and each sees what is theirs."""

from __future__ import annotations

from math import comb

import pytest
from fastapi import FastAPI
from scipy import stats

from tests.journeys.conftest import Region
from tests.journeys.people import exported, somebody

PAGE = "/vaccine-safety"


def test_rates_and_lots_are_those_of_the_rows(region: Region, app: FastAPI) -> None:
    section, engine = somebody(app, "section"), region.site.indicators().engine
    doses = {(row["v"], row["l"]): row["n"] for row in engine.table(
        "SELECT vaccine_code AS v, lot_number AS l, count(*) AS n FROM vaccination GROUP BY ALL").to_pylist()}
    reports = {(row["v"], row["l"]): row["n"] for row in engine.table(
        "SELECT vaccine_code AS v, lot_number AS l, count(*) AS n FROM adverse_event_report GROUP BY ALL").to_pylist()}
    assert reports and set(reports) <= set(doses)
    rates = {row["vaccine"]: row for row in exported(section, PAGE, "rates")}
    assert set(rates) == {vaccine for vaccine, _ in doses}
    for vaccine, row in rates.items():
        given, told = (sum(n for (v, _), n in counts.items() if v == vaccine) for counts in (doses, reports))
        assert (int(row["doses"]), int(row["reports"])) == (given, told)
        assert float(row["rate"]) == pytest.approx(100_000 * told / given)
        assert float(row["high"]) == pytest.approx(100_000 * stats.chi2.ppf(0.975, 2 * told + 2) / 2 / given)
    lots = exported(section, PAGE, "lots")
    assert {(row["vaccine"], row["lot"]) for row in lots} == set(doses) and [float(row["p"]) for row in lots] == sorted(float(row["p"]) for row in lots)
    for row in lots:
        key = (row["vaccine"], row["lot"])
        total, own = int(rates[key[0]]["reports"]), reports.get(key, 0)
        share = doses[key] / int(rates[key[0]]["doses"])
        assert (int(row["doses"]), int(row["reports"])) == (doses[key], own) and float(row["expected"]) == pytest.approx(total * share)
        assert float(row["p"]) == pytest.approx(sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(own, total + 1)))
        assert own >= 3 or not row["signalled_on"], "fewer than three reports are no signal"


def test_who_sees_what_of_vaccine_safety(app: FastAPI) -> None:
    section, viewer, county = somebody(app, "section"), somebody(app, "viewer"), somebody(app, "section", "county:990103")
    everything = {row["vaccine"]: row for row in exported(section, PAGE, "rates")}
    few = {name for name, row in everything.items() if 0 < int(row["reports"]) < 10}
    assert few
    for row in exported(viewer, PAGE, "rates"):
        assert (row["reports"], row["rate"], row["doses"]) == ("", "", "") or row["vaccine"] not in few
        assert row["serious"] == ""
    assert viewer.get(PAGE, export="lots.csv").status_code == 404 == viewer.get(PAGE, export="pairs.csv").status_code
    told = viewer.get("/api/vaccine-safety").json()
    assert told["lots"] == told["pairs"] == [] and told["unmatched"] is None
    own, part = exported(county, PAGE, "rates"), exported(section, PAGE, "rates", place="990103")
    assert own == part and 0 < sum(int(row["doses"]) for row in own) < sum(int(row["doses"]) for row in everything.values())
    month = exported(section, PAGE, "rates", period="2026-05")
    assert 0 < sum(int(row["doses"]) for row in month) < sum(int(row["doses"]) for row in everything.values())
    assert section.get(PAGE, period="drill").status_code == 400 == section.get("/api/vaccine-safety", place="'").status_code
