"""Outcomes on a site: what the pages say is what the rows say, to each what is theirs, and nothing small to who may not see it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fastapi import FastAPI
from scipy import optimize, stats

from quanmin.gate import Actor, Scope
from quanmin.gate.actor import NotAllowed
from quanmin.gate.inquiry import Inquiry
from quanmin.services.quality.actions import learnt, outcome_model, outcome_monitor, outcomes
from quanmin.services.quality.following_on_site import followed
from quanmin.services.quality.learning import outcomes_known
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

COUNTY, HOSPITAL, OTHER = "990104", "990104H001", "990101H001"
FITTED = ("death", "readmission", "complication", "stay_days")
COLUMN = {"death": "died", "readmission": "readmitted", "complication": "has_complication", "stay_days": "stay_days"}


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {role: somebody(app, role) for role in ("section", "viewer")} | {
        "county": somebody(app, "section", f"county:{COUNTY}"), "hospital": somebody(app, "institution", f"facility:{HOSPITAL}")}


@pytest.fixture(scope="module")
def inquiry(region: Region, app: FastAPI) -> Inquiry:
    return app.state.desk.inquiry(region.site.operator())


def number(text: str) -> float | None:
    return float(text) if text else None


def counted(region: Region, column: str, last_month: str, year: str = "") -> dict[str, tuple[int, float]]:
    """Stays and outcomes by institution, from front pages alone: not from the table the pages are made from."""
    where = f"AND year(h.discharged_on) = {year}" if year else ""
    outcome = {"died": "h.died::INT", "stay_days": "CASE WHEN NOT h.died THEN h.stay_days END", "has_complication": "coalesce(a.n > 0, FALSE)::INT",
               "readmitted": "CASE WHEN h.died OR h.resident_id IS NULL THEN NULL WHEN h.days_to_next_admission IS NULL THEN 0"
                             " ELSE (NOT h.readmission_planned)::INT END"}[column]
    rows = region.site.indicators().engine.table(f"""
        SELECT h.facility_code AS f, count({outcome}) AS n, sum({outcome})::DOUBLE AS o FROM hospitalisation h
        LEFT JOIN (SELECT submission, line, count(*) AS n FROM diagnosis WHERE diagnosis_order > 1 AND present_on_admission_code = '4' GROUP BY ALL) a
            ON h.submission = a.submission AND h.line = a.line
        WHERE h.origin = 'front_page' AND NOT h.is_newborn AND (h.admitted_on <> h.discharged_on OR h.died) AND h.disposition_code NOT IN ('2', '3')
            AND h.age_years BETWEEN 0 AND 120 AND h.sex_code IS NOT NULL AND strftime(h.discharged_on, '%Y-%m') <= '{last_month}' {where}
        GROUP BY ALL HAVING count({outcome}) > 0""").to_pylist()
    return {row["f"]: (row["n"], row["o"]) for row in rows}


@pytest.mark.parametrize("outcome", FITTED)
def test_what_is_observed_is_what_the_front_pages_say(region: Region, inquiry: Inquiry, people: dict[str, Person], outcome: str) -> None:
    last = learnt(inquiry, outcome).last_month
    for year in ("", "2025"):
        wanted = counted(region, COLUMN[outcome], last, year)
        found = outcomes(inquiry, outcome, year)
        assert len(found.facilities) > 50
        assert {row.facility: (row.stays, row.observed) for row in found.facilities} == {f: wanted[f] for f in wanted if f in inquiry.units("facility")}
    rows = exported(people["section"], "/outcomes", "facilities", outcome=outcome, period="2025")
    assert {row["facility"]: (float(row["stays"]), float(row["observed"])) for row in rows} == {f: wanted[f] for f in wanted}
    for row in rows:
        observed, expected, ratio = float(row["observed"]), float(row["expected"]), number(row["ratio"])
        assert ratio == pytest.approx(observed / expected) and float(row["low"]) <= ratio <= float(row["high"])


def test_limits_are_mid_p_and_byar(inquiry: Inquiry) -> None:
    """Solved for by a root finder on the Poisson distribution itself; Byar's by its formula."""
    for row in outcomes(inquiry, "readmission").facilities[:12]:
        observed, expected = row.observed or 0, row.expected or 0

        def tail(mean: float, count: float = observed) -> float:
            return float(stats.poisson.sf(count, mean) + stats.poisson.pmf(count, mean) / 2)

        high = optimize.brentq(lambda mean, at=tail: at(mean) - 0.975, 1e-9, 10 * observed + 50)
        assert row.high == pytest.approx(high / expected, rel=1e-6)
        if observed:
            low = optimize.brentq(lambda mean, at=tail: at(mean) - 0.025, 1e-9, observed + 1)
            assert row.low == pytest.approx(low / expected, rel=1e-6)
            assert row.byar_low == pytest.approx(observed * (1 - 1 / (9 * observed) - 1.959964 / (3 * observed**0.5)) ** 3 / expected, rel=1e-5)


def test_what_is_expected_of_a_hospital_does_not_depend_on_its_own_outcomes(inquiry: Inquiry) -> None:
    """The largest hospital, left out by hand: a model of the rest alone (Newton's method here, in a few lines) expects the same of its stays."""
    found = learnt(inquiry, "readmission")
    sizes = np.diff(found.edges)
    at = int(sizes.argmax())
    own = slice(int(found.edges[at]), int(found.edges[at + 1]))
    assert found.expected[own].sum() == pytest.approx(found.happened[own].sum(), rel=0.6)
    names = list(found.model.names)
    assert names[0] == "(intercept)" and len(names) == len(set(names)) > 20
    others = np.delete(found.happened, np.r_[own])
    crude = others.mean() * sizes[at]
    assert found.expected[own].sum() == pytest.approx(crude, rel=0.5), "its patients are not the same as elsewhere, nor of another world"


@pytest.mark.parametrize("outcome", FITTED)
def test_the_model_tells_stays_apart_where_it_has_not_been(inquiry: Inquiry, outcome: str) -> None:
    card = outcome_model(inquiry, outcome)
    least = {"death": 0.85, "readmission": 0.6, "complication": 0.7, "stay_days": 0.65}[outcome]
    assert least < (card.c_statistic or 0) < (card.c_statistic_fitted or 0) <= 1
    assert sum(group.stays for group in card.groups) == card.stays
    observed = sum(group.stays * (group.observed or 0) for group in card.groups)
    assert observed == pytest.approx(card.events)
    assert set(card.excluded) == {"newborn", "transferred", "not_in_question"}


def test_deaths_expected_follow_the_planted_risks(region: Region, inquiry: Inquiry) -> None:
    """Over the larger hospitals, what the model expects goes with the risks that were planted, which no front page says."""
    planted = {row["facility_code"]: float(row["expected_deaths"]) for row in region.truth("excess_mortality")}
    rows = [row for row in outcomes(inquiry, "death").facilities if (row.stays or 0) > 80]
    expected, true = (np.array(values) for values in zip(*((row.expected, planted[row.facility]) for row in rows), strict=True))
    assert len(rows) >= 10 and np.corrcoef(np.sqrt(expected), np.sqrt(true))[0, 1] > 0.85
    assert expected.sum() == pytest.approx(true.sum(), rel=0.4)
    assert not [row for row in outcomes(inquiry, "death").facilities if row.outside == 2], "no hospital of this small region is far out"


def test_a_planted_excess_is_found_within_two_years_and_none_without_it(inquiry: Inquiry) -> None:
    """The hospital's stays a hundred times over (27 deaths expected a year), deaths drawn from what is expected: with 1.8 times the odds, and without."""
    found, rng = learnt(inquiry, "death"), np.random.default_rng(1)
    at = found.units.index("990106H001")
    months, alarms = [], 0
    for odds in (1.8, 1.0) * 4:
        picked = np.sort(rng.integers(found.edges[at], found.edges[at + 1], 100 * int(np.diff(found.edges)[at])))
        chance = found.expected[picked]
        died = rng.random(picked.size) < odds * chance / (1 - chance + odds * chance)
        grown = replace(found, edges=np.array([0, picked.size]), happened=died.astype(float), expected=chance, discharged=found.discharged[picked], kept={})
        told = followed(grown, 0)
        worse = [one.month for one in told.signals if one.side == "worse"]
        if odds > 1:
            months.append(12 * (int(worse[0][:4]) - int(told.first_month[:4])) + int(worse[0][5:]) - int(told.first_month[5:]) + 1)
        else:
            alarms += len(worse)
    assert max(months) <= 24 and sum(months) / 4 <= 18 and alarms <= 4, "one false alarm in ten years on average: two of twenty"


def test_return_to_theatre_without_any_is_told(people: dict[str, Person]) -> None:
    page = people["section"].get("/outcomes", outcome="return_to_theatre", lang="en")
    assert page.status_code == 200 and "here 0 had it" in page.text
    answer = people["section"].get("/api/outcomes", outcome="return_to_theatre")
    assert answer.status_code == 400 and "0" in answer.json()["problems"][0]


def test_each_sees_what_is_theirs_against_the_same_line(inquiry: Inquiry, people: dict[str, Person]) -> None:
    everything = {row["facility"]: row for row in exported(people["section"], "/outcomes", "facilities")}
    for who, belongs in (("county", lambda f: f.startswith(COUNTY)), ("hospital", lambda f: f == HOSPITAL)):
        rows = {row["facility"]: row for row in exported(people[who], "/outcomes", "facilities")}
        assert rows and set(rows) == {f for f in everything if belongs(f)}
        for code, row in rows.items():
            assert {name: row[name] for name in ("stays", "observed", "expected", "ratio", "low_998", "high_998", "outside")} == {
                name: everything[code][name] for name in ("stays", "observed", "expected", "ratio", "low_998", "high_998", "outside")}
        text = people[who].get("/outcomes").text
        names = {code: unit.name for code, unit in inquiry.units("facility").items() if code in everything}
        others = {name for code, name in names.items() if not belongs(code)} - {names[code] for code in rows}
        assert not [name for name in others if name in text]
        assert people[who].get(f"/outcomes/{OTHER}").status_code == 404
        assert people[who].get("/api/outcome-monitor", facility=OTHER).status_code == 400
        assert people[who].get(f"/outcomes/{HOSPITAL}").status_code == 200


def test_small_counts_are_withheld_and_cannot_be_worked_out(region: Region, inquiry: Inquiry, people: dict[str, Person]) -> None:
    last = learnt(inquiry, "readmission").last_month
    wanted = counted(region, "readmitted", last, "2025")
    rows = {row["facility"]: row for row in exported(people["viewer"], "/outcomes", "facilities", outcome="readmission", period="2025")}
    hidden = {code for code, row in rows.items() if not row["stays"]}
    small = {code for code, (stays, events) in wanted.items() if 0 < events < 5 or 0 < stays < 5 or 0 < stays - events < 5}
    assert small <= hidden < set(rows) and all(not any(rows[code][name] for name in ("observed", "expected", "ratio", "low")) for code in hidden)
    assert sum(wanted[code][1] for code in hidden) >= 5, "what all of the region have, less what is shown, is not small either"
    assert "left_against_advice" not in next(iter(rows.values()))
    for path in (f"/outcomes/{HOSPITAL}", f"/outcomes/{HOSPITAL}?export=months.csv"):
        assert people["viewer"].get(path).status_code == 403
    assert people["viewer"].get("/api/outcome-monitor", facility=HOSPITAL).status_code == 400
    assert people["viewer"].get("/api/outcomes", period="2025-03").status_code == 400, "months less the year would give small counts away"
    api = people["viewer"].get("/api/outcomes", outcome="readmission", period="2025").json()
    assert {row["facility"] for row in api["facilities"] if row["is_withheld"]} == hidden
    assert {code for code, row in exported_by(people["viewer"], "2025-03").items() if row["stays"]} == {
        code for code, row in exported_by(people["viewer"], "").items() if row["stays"]}, "a month that may not be seen is no other than none"


def exported_by(person: Person, period: str) -> dict[str, dict[str, str]]:
    return {row["facility"]: row for row in exported(person, "/outcomes", "facilities", outcome="readmission", period=period)}


def test_nobody_learns_from_columns_that_tell_persons(region: Region, inquiry: Inquiry, app: FastAPI) -> None:
    with pytest.raises(ValueError, match="resident_id"):
        inquiry.learnt("x", "hospitalisation", ["resident_id"], lambda rows, month: rows)
    alone = Inquiry(Actor("x", "section", Scope("county", COUNTY), region.site.ledger), region.site.indicators(scope=Scope("county", COUNTY)), COUNTY)
    with pytest.raises(NotAllowed):
        alone.learnt("x", "stay_outcome", ["died"], lambda rows, month: rows)


def test_a_hospital_followed_adds_up(region: Region, inquiry: Inquiry, people: dict[str, Person]) -> None:
    found = outcome_monitor(inquiry, HOSPITAL, "readmission")
    months = exported(people["section"], f"/outcomes/{HOSPITAL}", "months", outcome="readmission")
    assert Counter({row["month"]: int(row["stays"]) for row in months}).total() == found.stays
    assert sum(float(row["observed"]) for row in months) == found.observed
    assert float(months[0]["vlad"]) == pytest.approx(found.expected - found.observed), "the newest month ends where the VLAD does"
    whole = next(row for row in outcomes(inquiry, "readmission").facilities if row.facility == HOSPITAL)
    assert (whole.stays, whole.observed, pytest.approx(whole.expected)) == (found.stays, found.observed, found.expected)
    since = outcome_monitor(inquiry, HOSPITAL, "readmission", "2024")
    assert since.first_month == "2024-01" and since.stays == sum(int(row["stays"]) for row in months if row["month"] >= "2024-01")
    assert {one.side for one in found.limits} == {"worse", "better"} and all(0.05 < one.false_alarms_per_year < 0.2 for one in found.limits)
    days = outcome_monitor(inquiry, HOSPITAL, "stay_days")
    assert not days.limits and not days.signals and days.points[-1].vlad == pytest.approx(days.expected - days.observed)


def test_all_outcomes_are_known_by_both_languages() -> None:
    assert {"death", "readmission", "return_to_theatre", "complication", "stay_days"} == set(outcomes_known())
    assert all(one.label.zh and one.label.en and one.scope.zh and one.scope.en for one in outcomes_known().values())
