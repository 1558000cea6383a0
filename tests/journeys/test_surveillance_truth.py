"""What surveillance sees of the synthetic region, held against the cases, outbreaks and missed cases planted in it."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest

from quanmin.gate import Actor, Scope
from quanmin.gate.inquiry import Inquiry
from quanmin.services.surveillance.actions import signals
from quanmin.services.surveillance.signal import Signal
from tests.journeys.conftest import Region

WEEKS = 104  # in which case signals are looked for
COUNTIES = 8


def planted(region: Region, name: str) -> list[dict]:
    return pq.read_table(region.folder / "region" / "truth" / f"{name}.parquet").to_pylist()


@pytest.fixture(scope="module")
def inquiry(region: Region) -> Inquiry:
    return Inquiry(Actor("x", "section", Scope(), region.site.ledger), region.site.indicators(), "990100")


@pytest.fixture(scope="module")
def persons(region: Region) -> dict[tuple[str, int], str]:
    return {(r["file"], r["line"]): r["true_resident_id"] for r in planted(region, "records")}


def test_every_card_that_stands_is_a_case_of_its_person(region: Region, inquiry: Inquiry, persons: dict[tuple[str, int], str]) -> None:
    files = region.files_of_submissions()
    cases = inquiry.indicators.engine.table("SELECT submission, line, resident_id, is_repeat FROM notifiable_case").to_pylist()
    assert len(cases) > 300
    linked: dict[str, set[str]] = {}
    for one in cases:
        who = next(persons[file, one["line"]] for file in files[one["submission"]] if (file, one["line"]) in persons)
        linked.setdefault(one["resident_id"], set()).add(who)
    assert sum(len(found) == 1 for found in linked.values()) >= 0.98 * len(linked), "a resident's cards are one person's"
    assert 0 < sum(one["is_repeat"] for one in cases) < 0.05 * len(cases)


def test_missed_cases_are_found_and_little_else(region: Region, inquiry: Inquiry, persons: dict[tuple[str, int], str]) -> None:
    files = region.files_of_submissions()
    truth = {(r["true_resident_id"], r["disease_code"]) for r in planted(region, "missed_cases")}
    found = set()
    for one in inquiry.indicators.engine.table("SELECT submission, line, disease_code FROM missed_case").to_pylist():
        found.add((next(persons[file, one["line"]] for file in files[one["submission"]] if (file, one["line"]) in persons), one["disease_code"]))
    assert len(truth) >= 20
    assert len(found & truth) / len(truth) >= 0.9, sorted(truth - found)
    assert len(found & truth) / len(found) >= 0.8, sorted(found - truth)


def onset_of_third(region: Region, inquiry: Inquiry, outbreak: dict[str, str]) -> date:
    query = ("SELECT reported_on FROM notifiable_case WHERE disease_code = '{disease_code}' AND home_county = '{county_code}' AND NOT is_repeat "
             "AND reported_on >= DATE '{first_on}' ORDER BY 1 LIMIT 3").format(**outbreak)
    return inquiry.indicators.engine.table(query).to_pylist()[-1]["reported_on"]


def test_every_outbreak_signals_within_a_day_of_its_third_reported_case_and_hardly_anything_else_does(region: Region, inquiry: Inquiry) -> None:
    found = signals(inquiry, source="case", limit=10_000).signals
    told: list[Signal] = []
    for outbreak in region.truth("outbreaks"):
        mine = [one for one in found if one.item == outbreak["disease_code"] and one.county == outbreak["county_code"]
                and one.last_on >= outbreak["first_on"] and one.first_on <= outbreak["last_on"]]
        assert mine, outbreak
        assert (date.fromisoformat(min(one.raised_on for one in mine)) - onset_of_third(region, inquiry, outbreak)).days <= 1, outbreak
        assert max(mine, key=lambda one: one.cases).township == outbreak["township_code"]
        assert max(one.cases for one in mine) >= 0.8 * int(outbreak["cases"])
        told += mine
    others = [one for one in found if one not in told]
    assert len(others) / (WEEKS * COUNTIES) <= 0.1, "false alarms per county and week; the budget is one"


def test_signals_explain_themselves(region: Region, inquiry: Inquiry) -> None:
    for one in signals(inquiry, limit=10_000).signals:
        assert one.raised_on <= one.last_on <= one.known_on and one.first_on <= one.raised_on and one.method
        if one.source == "combined":
            assert abs(sum(share for _, share in one.sources) - 1) < 1e-9 and one.p is not None and one.upper is not None and one.p <= one.upper
        elif one.method in ("farrington_flexible", "bayes_predictive"):
            assert one.baseline_from < one.baseline_to < one.first_on and one.baseline_periods > 0
            assert one.expected is not None and one.upper is not None and one.observed > one.upper
