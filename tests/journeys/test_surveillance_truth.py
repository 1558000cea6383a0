"""What surveillance sees of the synthetic region, held against the cases, outbreaks and missed cases planted in it."""

from __future__ import annotations

import pytest

from quanmin.gate.inquiry import Inquiry
from quanmin.services.surveillance.actions import signals
from tests.journeys.conftest import Region
from tests.journeys.outbreaks import asker, false_alarms, missed_cases, outbreaks, persons, sent_files
from tests.journeys.replays import days_to_cluster, false_clusters, nowcasts, past_hits, study


@pytest.fixture(scope="module")
def inquiry(region: Region) -> Inquiry:
    return asker(region.site)


def test_every_card_that_stands_is_a_case_of_its_person(region: Region, inquiry: Inquiry) -> None:
    files, known = sent_files(region.site, region.folder / "region"), persons(region.folder / "region")
    cases = inquiry.indicators.engine.table("SELECT submission, line, resident_id, is_repeat FROM notifiable_case").to_pylist()
    assert len(cases) > 300
    linked: dict[str, set[str]] = {}
    for one in cases:
        who = next(known[file, one["line"]] for file in files[one["submission"]] if (file, one["line"]) in known)
        linked.setdefault(one["resident_id"], set()).add(who)
    assert sum(len(found) == 1 for found in linked.values()) >= 0.98 * len(linked), "a resident's cards are one person's"
    assert 0 < sum(one["is_repeat"] for one in cases) < 0.05 * len(cases)


def test_missed_cases_are_found_and_little_else(region: Region, inquiry: Inquiry) -> None:
    truth, found = missed_cases(region.site, inquiry, region.folder / "region")
    assert len(truth) >= 20
    assert len(found & truth) / len(truth) >= 0.9, sorted(truth - found)
    assert len(found & truth) / len(found) >= 0.8, sorted(found - truth)


def test_every_outbreak_signals_within_a_day_of_its_third_reported_case_and_hardly_anything_else_does(region: Region, inquiry: Inquiry) -> None:
    planted = outbreaks(inquiry, region.folder / "region")
    assert len(planted) >= 6
    for one in planted:
        assert one.raised_on and one.days <= 1, one
        most = max(one.signals, key=lambda signal: signal.cases)
        assert most.township == one.township and most.cases >= 0.8 * one.cases
    assert false_alarms(inquiry, planted)[1] <= 0.1, "per county and week; the budget is one"


def test_signals_explain_themselves(inquiry: Inquiry) -> None:
    for one in signals(inquiry, limit=10_000).signals:
        assert one.raised_on <= one.last_on <= one.known_on and one.first_on <= one.raised_on and one.method
        if one.source == "combined":
            assert abs(sum(share for _, share in one.sources) - 1) < 1e-9 and one.p is not None and one.upper is not None and one.p <= one.upper
        elif one.method in ("farrington_flexible", "bayes_predictive"):
            assert one.baseline_from < one.baseline_to < one.first_on and one.baseline_periods > 0
            assert one.expected is not None and one.upper is not None and one.observed > one.upper


def test_the_township_of_a_planted_outbreak_lies_in_a_cluster_within_days_and_hardly_another_does(region: Region, inquiry: Inquiry) -> None:
    planted, known = outbreaks(inquiry, region.folder / "region"), study(inquiry)
    days = [days_to_cluster(known, one) for one in planted]
    found = [day for day in days if day is not None]
    assert len(found) >= 0.75 * len(planted) and sorted(found)[len(found) // 2] <= 3, days
    hits, of = past_hits(known, planted)
    assert of >= 3 and hits == of
    false, scans = false_clusters(known, planted, step=28)
    assert scans >= 25 and false <= 2, "one scan in a hundred may be wrong"


def test_nowcasts_as_of_earlier_days_hold_what_was_reported_later(inquiry: Inquiry) -> None:
    told = nowcasts(inquiry, ["influenza", "other_infectious_diarrhoea", "hand_foot_mouth", "covid19", "dengue"], step=7)
    assert told.days > 5_000 and told.held >= 0.93
    assert told.reported < told.truth and abs(told.estimate - told.truth) < 3 * told.truth ** 0.5, told
