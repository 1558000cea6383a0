"""Watching a site on made counts: what alarms, for how long, and what is left out of a baseline."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from quanmin.model.disease import NotifiableDisease
from quanmin.model.event import EventAct
from quanmin.services.surveillance.daily import Daily, read_daily
from quanmin.services.surveillance.episodes import watched
from quanmin.services.surveillance.events import NEXT, Event, acted_on, events_of, records, standing
from quanmin.services.surveillance.signal import Signal

FIRST, DAYS = date(2022, 1, 3), 4 * 364
MEASLES = NotifiableDisease("measles", "B", 24, ("B05",), "rash", incubation_days=21)
FLU = NotifiableDisease("influenza", "C", 24, ("J10",), "respiratory")
PLAGUE = NotifiableDisease("plague", "A", 2, ("A20",), "other", is_single_case=True)
DISEASES = {one.code: one for one in (MEASLES, FLU, PLAGUE)}


def daily(**series: np.ndarray) -> Daily:
    """Case counts by day; names are disease_county."""
    keys = tuple(("case", *name.split("_")) for name in series)
    spelt = tuple((source, item, DISEASES[item].trigger, county) for source, item, county in keys)
    empty = np.zeros(0, dtype=np.int64)
    first = (FIRST - date(1970, 1, 1)).days
    return Daily(spelt, np.array(list(series.values()), dtype=float), first, (empty, empty, empty.astype(np.str_), empty))


def on(day: int) -> str:
    return (FIRST + timedelta(days=day)).isoformat()


def some(*days: int, count: int = 1) -> np.ndarray:
    found = np.zeros(DAYS)
    found[list(days)] = count
    return found


def test_twelve_cases_of_a_disease_never_seen_before() -> None:
    found = watched(daily(measles_1=some(1400, count=12), influenza_1=np.ones(DAYS)), DISEASES)
    assert [(one.item, one.raised_on, one.cases, one.method) for one in found] == [("measles", on(1400), 12, "bayes_predictive")]
    assert found[0].state == "closed" and found[0].last_on == on(1406), "seven days' counts fall silent after a week"
    assert found[0].expected is not None and found[0].expected < 0.1 and found[0].baseline_periods > 100


def test_one_case_of_a_listed_disease_is_enough_and_of_another_is_not() -> None:
    found = watched(daily(plague_1=some(1400), measles_1=some(1400), influenza_1=np.ones(DAYS)), DISEASES)
    assert [(one.item, one.method) for one in found] == [("plague", "single_case")]


def test_it_is_not_raised_again_while_it_goes_on_and_is_after_a_quiet_week() -> None:
    again = watched(daily(measles_1=some(1380, 1381, 1392, 1393, count=4), influenza_1=np.ones(DAYS)), DISEASES)
    assert [(one.first_on, one.cases) for one in again] == [(on(1374), 16)], "a gap of less than a week without alarm is one signal"
    apart = watched(daily(measles_1=some(1380, 1381, 1420, 1421, count=4), influenza_1=np.ones(DAYS)), DISEASES)
    assert [one.raised_on for one in apart] == [on(1420), on(1380)]


def test_new_and_ongoing_are_told_by_the_newest_day() -> None:
    counts = {"measles_1": some(DAYS - 2, count=5), "measles_2": some(*range(DAYS - 20, DAYS, 3), count=2), "influenza_1": np.ones(DAYS)}
    assert {one.county: one.state for one in watched(daily(**counts), DISEASES)} == {"1": "new", "2": "ongoing"}


def test_a_rise_that_the_season_brings_every_year_is_none_and_one_that_it_does_not_is() -> None:
    week = np.arange(DAYS) // 7
    season = np.random.default_rng(3).poisson(2.0 + 1.8 * np.sin(2 * np.pi * week / 52))
    usual = watched(daily(influenza_1=season), DISEASES)
    burst = season + some(*range(1330, 1337), count=9)
    found = [one for one in watched(daily(influenza_1=burst), DISEASES) if one.last_on >= on(1330) and one.first_on <= on(1343)]
    assert len(usual) <= 6 and len(found) == 1 and found[0].method == "farrington_flexible" and found[0].raised_on <= on(1332)


def test_a_confirmed_outbreak_is_in_no_baseline() -> None:
    counts = daily(measles_1=some(*range(1000, 1011), count=2) + some(1400, count=2), influenza_1=np.ones(DAYS))
    since = [one for one in watched(counts, DISEASES) if one.raised_on > on(1300)]
    confirmed = [one for one in watched(counts, DISEASES, [("measles", "1", on(1000), on(1010))]) if one.raised_on > on(1300)]
    assert not since, "two cases are nothing unusual after twenty-two"
    assert [(one.raised_on, one.cases) for one in confirmed] == [(on(1400), 2)]


def test_a_day_nobody_reported_is_not_a_day_without_cases() -> None:
    counts = daily(measles_1=np.zeros(DAYS), influenza_1=np.ones(DAYS))
    counts.counts[0, 1390:1410] = np.nan
    assert not watched(counts, DISEASES)
    assert watched(Daily((), np.zeros((0, 0)), 0, counts.towns), DISEASES) == ()


def test_a_mistyped_year_makes_no_axis_of_centuries() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 3), date(2126, 3, 3), date(1026, 3, 3)]
    told = {"source_code": "case", "item_code": "measles", "trigger_code": "rash", "county_code": "1", "township_code": "T", "event_count": 2}
    found = read_daily(pa.Table.from_pylist([{**told, "counted_on": day} for day in days]), "2026-11-01")
    assert found.counts.tolist() == [[2, 0, 2]] and found.last_day == (date(2026, 3, 3) - date(1970, 1, 1)).days


def signal(source: str = "case", item: str = "measles", county: str = "1", first: int = 0, last: int = 6, **more: object) -> Signal:
    told = {"id": f"{source}{item}{county}{first}", "source": source, "item": item, "trigger": "rash", "county": county, "township": "", "townships": 0,
            "raised_on": on(first + 2), "first_on": on(first), "last_on": on(last), "known_on": on(20), "state": "ongoing", "cases": 5, "peak_on": on(first),
            "window_days": 7, "observed": 5.0, "expected": 0.1, "upper": 1.0, "p": 1e-6, "method": "bayes_predictive", "reason": "", "baseline_from": "",
            "baseline_to": "", "baseline_periods": 0}
    return Signal(**{**told, **more})  # type: ignore[arg-type]


def act(event: Event, step: int, what: str, **more: str) -> EventAct:
    told = {"text": "x", "item": event.item, "county": event.county, "first_on": event.first_on, "last_on": event.last_on, "source": "case",
            "method": "bayes_predictive", "by": "a"}
    return EventAct(event=event.id, step=step, act=what, **{**told, **more})


def test_one_outbreak_is_one_event() -> None:
    told = [signal(), signal(first=10, last=15), signal("absence", "absent_rash", first=1, last=3, p=1e-4), signal("combined", "rash", first=2, last=2),
            signal(county="2"), signal("syndrome", "fever", trigger="respiratory"), signal(first=100, last=105)]
    found = events_of(told, [], DISEASES)
    assert sorted((one.item, one.county, len(one.signals), one.is_named) for one in found) == [
        ("measles", "1", 1, True), ("measles", "1", 4, True), ("measles", "2", 1, True), ("respiratory", "1", 1, False)]
    main = next(one for one in found if len(one.signals) == 4)
    assert main.sources == ("case", "absence") and (main.first_on, main.last_on) == (on(0), on(15))


def test_who_has_to_act_by_when() -> None:
    alone, = events_of([signal()], [], DISEASES)
    assert (alone.desk, alone.due_hours, alone.due_on, alone.is_late) == ("county", 24, on(3), True)
    plague, = events_of([signal(item="plague", trigger="other", method="single_case")], [], DISEASES)
    assert (plague.desk, plague.due_hours, plague.due_on) == ("city", 2, on(2))
    wide = events_of([signal(county=str(k)) for k in range(3)], [], DISEASES)
    assert {one.desk for one in wide} == {"city"}


def test_an_event_keeps_its_name_when_later_data_moves_its_days() -> None:
    before, = events_of([signal()], [], DISEASES)
    acts = [act(before, 1, "watch")]
    moved, = events_of([signal(first=-9)], acts, DISEASES)
    assert moved.id == before.id and moved.state == "watched"
    assert acted_on("measles", "1", on(62), on(60), acts) != before.id
    other, = events_of([signal(county="2")], acts, DISEASES)
    assert other.state == "unverified"


def test_what_other_sources_hinted_at_lapses_and_a_case_does_not() -> None:
    told = [signal("pharmacy", "antiviral", state="closed"), signal(county="2", state="closed")]
    assert {one.county: (one.state, one.is_late) for one in events_of(told, [], DISEASES)} == {"1": ("lapsed", False), "2": ("unverified", True)}


def test_where_an_event_stands() -> None:
    one, = events_of([signal()], [], DISEASES)
    steps = [act(one, 1, "watch"), act(one, 2, "measure"), act(one, 3, "confirm"), act(one, 4, "close")]
    assert [standing(steps[:k]) for k in range(5)] == ["unverified", "watched", "watched", "confirmed", "over"]
    assert standing([*steps, act(one, 5, "reopen")]) == "unverified"
    assert "confirm" in NEXT["unverified"] and "confirm" not in NEXT["over"]


def test_methods_are_held_to_the_last_verdicts() -> None:
    first, second = events_of([signal(), signal(county="2")], [], DISEASES)
    acts = [act(first, 1, "dismiss"), act(first, 2, "reopen"), act(first, 3, "confirm"), act(second, 1, "dismiss")]
    record, = records(acts)
    assert (record.confirmed, record.dismissed, record.precision) == (1, 1, pytest.approx(0.5))
