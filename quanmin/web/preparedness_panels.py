"""The panels of preparedness: what each answer says as charts (preparedness.js) with the sheets beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quanmin.services.preparedness.exercise import Exercise
from quanmin.services.preparedness.stockpile_answer import StockpileAnswer
from quanmin.services.preparedness.surge import CLASSES
from quanmin.services.preparedness.surge_answer import SurgeAnswer, by_day
from quanmin.services.preparedness.testing_answer import MassTesting
from quanmin.web.preparedness_sheets import assumptions_panel, panel_of, parameter_name, sums_panel, text
from quanmin.web.sheets import Panel
from quanmin.web.stock_panels import counted_panels
from quanmin.web.wave_panels import wave_panels
from quanmin.web.words import word

MOST_POINTS = 240  # of a line: what more there is cannot be seen
NEED = dict(zip(CLASSES, ("ward", "icu", "ventilator", "oxygen_m3", "nurses"), strict=True))
About = Mapping[str, Any]


def _thin(count: int) -> list[int]:
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, MOST_POINTS))}) if count else []


def hours_chart(found: MassTesting) -> dict[str, Any] | None:
    """Persons sampled and with a result by hour, with the deadlines."""
    if not found.hours:
        return None
    rows = [found.hours[at] for at in _thin(len(found.hours))]
    deadlines = [[one.days * 24, word("prep_days", days=f"{one.days:g}")] for one in found.deadlines]
    return {"kind": "prep_hours", "x": [row.hour for row in rows], "people": found.people, "deadlines": deadlines,
            "lines": [{"name": word("prep_f_sampled"), "data": [round(row.sampled) for row in rows]},
                      {"name": word("prep_f_people_with_result"), "data": [round(row.people_with_result) for row in rows]}],
            "told": [word("prep_told_hour", hour=row.hour, sampled=text(row.sampled), resulted=text(row.people_with_result), waiting=text(row.waiting_for_test))
                     for row in rows], "words": {"x": word("prep_x_hours"), "y": word("prep_y_people")}}


def tornado(swings: Sequence[Any], now: float | None, far: float, unit: str) -> dict[str, Any] | None:
    """Bars from the lower to the higher side of every parameter; what is beyond what was looked at is drawn at its edge."""
    moved = [one for one in swings if one.low != one.high]
    if not moved:
        return None
    ends = [[far if end is None else end for end in (one.low, one.high)] for one in moved]
    names = [parameter_name(one.parameter) for one in moved]
    return {"kind": "prep_tornado", "y": names, "ends": ends, "now": far if now is None else now, "unit": unit,
            "told": [word("prep_told_swing", name=name, low=text(one.low), high=text(one.high)) for name, one in zip(names, moved, strict=True)],
            "words": {"low": word("prep_f_low"), "high": word("prep_f_high"), "now": word("prep_now")}}


def _some(name: str, rows: Sequence[Any], fields: str, about: About) -> list[Panel]:
    """A panel where there is something in it."""
    return [panel_of(name, rows, fields, about)] if rows else []


def testing_panels(found: MassTesting, about: About) -> list[Panel]:
    """All panels of a campaign of mass testing."""
    without = [{"stage": stage, "done_hour": hour, "gained_hours": None if hour is None or found.results_done_hour is None else found.results_done_hour - hour}
               for stage, hour in found.done_without.items()]
    swings = tornado(found.swings, found.results_done_hour, (found.most_days + 1) * 24, word("prep_x_hours"))
    return [
        panel_of("hours", found.hours,
                 "hour:0 sampled:0 tubes_made:0 tubes_arrived:0 tubes_tested:0 retests_done:0 people_with_result:0 waiting_for_transport:0"
                 " waiting_for_test:0", about, hours_chart(found)),
        panel_of("without", without, "stage done_hour:0 gained_hours:0", about),
        *_some("mends", found.mends, "deadline_days:0 resource factor:2 lab_factor:2 units:0 cny:0", about),
        panel_of("worths", found.worths, "resource units:0 day_cny:0 gained_hours:0 gained_per_10k_cny:2", about),
        panel_of("swings", found.swings, "parameter low:0 high:0", about, swings), sums_panel(found.sums, about),
        panel_of("areas", found.areas, "name people:0 points:0 staff:0 tables:1 persons_per_hour:0 sampling_done_hour:0 travel_hours:0 labs", about),
        panel_of("labs", [vars(one) | {"use_share": None if one.use_share is None else 100 * one.use_share} for one in found.labs],
                 "name tubes_per_day:0 tubes:0 last_tube_hour:0 use_share:1", about), assumptions_panel(found.assumptions, about)]


def need_chart(found: SurgeAnswer) -> dict[str, Any] | None:
    """The region's need of every class in percent of its supply, by day."""
    lines = []
    for of in CLASSES:
        supplies = [row.supply for row in found.shortages if row.of == of]
        total = sum(value for value in supplies if value is not None)
        if None in supplies or total <= 0:
            continue
        need = by_day(found, NEED[of])
        lines.append({"name": word(f"prep_f_{of}"), "data": [round(float(100 * value / total), 1) for value in need],
                      "told": [word("prep_told_need", of=word(f"prep_f_{of}"), need=text(float(value)), supply=text(total)) for value in need]})
    return {"kind": "prep_need", "x": _dates(found), "lines": lines, "words": {"line": word("prep_supply"), "y": word("prep_y_share")}} if lines else None


def _dates(found: SurgeAnswer) -> list[str]:
    return [row.on or word("prep_day_number", day=row.day) for row in found.course[: found.days + 1]]


def cases_chart(found: SurgeAnswer) -> dict[str, Any] | None:
    """New infections by day, stacked by county."""
    codes = list(dict.fromkeys(row.county for row in found.course))
    lines = [{"name": name, "data": [round(float(value), 1) for value in by_day(found, "new_cases", code)]} for code,
             name in zip(codes, found.counties, strict=True)]
    return {"kind": "prep_cases", "x": _dates(found), "lines": lines, "words": {"y": word("prep_f_new_cases")}} if lines else None


def surge_panels(found: SurgeAnswer, about: About) -> list[Panel]:
    """All panels of a surge."""
    names = dict(zip(dict.fromkeys(row.county for row in found.course), found.counties, strict=True))
    course = [vars(row) | {"county": names[row.county]} for row in found.course]
    clinics = [vars(row) | {"county": names[row.county]} for row in found.clinics]
    cases = [{"day": day, "on": on, "new_cases": value} for day, (on, value) in enumerate(zip(_dates(found), by_day(found, "new_cases").tolist(), strict=True))]
    of = found.bottleneck or "icu"
    now = [row.worst_gap for row in found.shortages if row.of == of]
    return [
        panel_of("shortages", sorted(found.shortages, key=lambda row: (row.first_day is None, row.first_day or 0)),
                 "name of supply:0 peak_need:0 peak_day:0 worst_gap:0 first_day:0 first_on days_short:0", about),
        panel_of("course", course, "day:0 on county new_cases:1 ward:0 icu:0 ventilator:0 oxygen_m3:0 nurses:0", about, need_chart(found)),
        *wave_panels(found, about),
        panel_of("cases", cases, "day:0 on new_cases:1", about, cases_chart(found)),
        panel_of("clinics", clinics,
                 "county rooms:0 peak_day:0 peak_visits:0 load:2 wait_probability:4 wait_minutes:1 rooms_needed:0 overrun_days:0 most_left_over:0",
                 about),
        panel_of("swings", found.swings, "parameter low:0 high:0", about, tornado(found.swings, float(sum(now)), 0.0, word("prep_x_gap"))),
        sums_panel(found.sums, about), assumptions_panel(found.assumptions, about)]


def cover_chart(found: StockpileAnswer) -> dict[str, Any] | None:
    """Usable days of every item where they are fewest, in the judged situation, against the target."""
    least: dict[str, tuple[float, str]] = {}
    for row in found.cover:
        if row.situation_name == found.judged_in and row.usable_days is not None and row.usable_days < least.get(row.item_name, (float("inf"), ""))[0]:
            least[row.item_name] = (row.usable_days, row.institution_name)
    shown = sorted(least.items(), key=lambda pair: pair[1][0])
    if not shown:
        return None
    return {"kind": "prep_cover", "x": [name for name, _ in shown], "y": [days for _, (days, _) in shown], "target": found.target_days,
            "told": [f"{name} · {place}: {word('prep_days', days=f'{days:g}')}" for name, (days, place) in shown],
            "words": {"target": word("prep_target"), "y": word("prep_f_usable_days")}}


def stockpile_panels(found: StockpileAnswer, about: About) -> list[Panel]:
    """All panels of a stockpile; those that only lots can fill only where there are lots with an expiry."""
    if found.source == "counted":
        return counted_panels(found, about, cover_chart(found))
    panels = [panel_of("cover", found.cover, "situation_name institution_name item_name stock:0 unit per_day:1 sum days:0 usable_days:0 is_short", about,
                       cover_chart(found))]
    panels += _some("levels", found.levels, "item_name unit stock:0 per_day:1 common_days:1 transfers:0 fewest:0 is_proved", about)
    if any(lot.expires_on for lot in found.lots):
        panels += _some("lots", found.lots, "institution_name item_name lot quantity:0 unit expires_on begins_on expired:0", about)
        panels += _some("rescues", found.rescues, "item_name lot expires_on giver_name taker_name quantity:0 unit", about)
    panels += _some("moves", found.moves, "item_name giver_name taker_name quantity:0 unit giver_days_before:0 giver_days_after:0 taker_days_before:0"
                    " taker_days_after:0", about)
    panels += _some("orders", found.orders, "institution_name item_name quantity:0 unit by is_late cny:0", about)
    return [*panels, sums_panel(found.sums, about), assumptions_panel(found.assumptions, about)]


def exercise_panels(found: Exercise, about: About) -> list[Panel]:
    """The reactions of an exercise with what they earned."""
    rows = [vars(one) | {"points_given": one.points} for one in found.reactions]
    return [panel_of("reactions", rows, "expected role within_minutes:0 after_minutes:0 state points_given:1 earned:1", about)]
