"""Panels of cases: by day of onset with those still to be reported, R, by week and place on a map, and attack rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from quanmin.catalog.messages import language
from quanmin.services.surveillance.case_weeks import AGE, SEX, TOTAL, TOWNSHIP, AttackRate, CaseWeeks
from quanmin.services.surveillance.delays import CaseNowcast
from quanmin.services.surveillance.transmission import Transmission
from quanmin.web import maps
from quanmin.web.figures import NOTHING, number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.warnings_panels import place_of
from quanmin.web.words import word

DAY = timedelta(days=1)
RATE = 1  # digits


def decimal(value: float | None, digits: int = 2) -> Shown:
    """A figure with so many digits behind the point; a dash for none."""
    return Shown(NOTHING if value is None else f"{value:,.{digits}f}", value)


def nowcast_panel(view: View, found: CaseNowcast, name: str = "onsets") -> Panel:
    """Cases by day of onset: reported, and thought to be still on their way, with 95 % limits."""
    columns = [Column("day", word("onset_day")), Column("reported", word("onset_reported"), True), Column("estimate", word("onset_estimate"), True),
               Column("low", word("onset_low"), True), Column("high", word("onset_high"), True), Column("share", word("onset_share"), True)]
    rows = [[one.day, one.reported, one.estimate, one.low, one.high, Shown(f"{100 * one.share:.0f}%", one.share)] for one in found.days]
    chart = {"kind": "onsets", "x": [one.day for one in found.days], "reported": [one.reported for one in found.days],
             "waiting": [one.estimate - one.reported for one in found.days], "low": [one.low for one in found.days], "high": [one.high for one in found.days],
             "words": {key: word(f"onset_{key}") for key in ("reported", "waiting", "limits")}} if any(one.reported or one.high for one in found.days) else None
    source = about(view, "") | {"disease": found.item, "place": found.place, "known_on": found.known_on, "delays_of": found.delays_of}
    return Panel(name, word("onset_title"), Sheet(columns, rows, source), chart, _onset_note(found))


def _onset_note(found: CaseNowcast) -> str:
    if not found.delays_of:
        return word("onset_none")
    said = word("onset_note", known=found.known_on, outstanding=f"{found.outstanding:.1f}", median=found.median_delay, longest=found.longest_days,
                source=word(f"onset_from_{found.delays_of}", count=number(found.delay_cases)))
    return said + (word("onset_without", count=number(found.without_onset)) if found.without_onset else "")


def reproduction_panel(view: View, found: Transmission) -> Panel:
    """R by the day on which its window ends, or why there is none."""
    columns = [Column("last_on", word("r_day")), Column("cases", word("r_cases"), True), Column("mean", word("r_mean"), True),
               Column("low", word("r_low"), True), Column("high", word("r_high"), True)]
    rows = [[one.last_on, one.cases, decimal(one.mean), decimal(one.low), decimal(one.high)] for one in found.windows]
    source = about(view, "") | {"disease": found.item, "place": found.place, "cut_on": found.cut_on}
    if found.serial is not None:
        source |= {"serial_days": found.serial.mean, "serial_deviation": found.serial.deviation, "serial_source": found.serial.source,
                   "serial_status": found.serial.status}
    return Panel("r", word("r_title"), Sheet(columns, rows, source), _r_chart(found), _r_note(found))


def _r_note(found: Transmission) -> str:
    if found.serial is None:
        return word("r_no_interval")
    serial = word("r_serial", mean=f"{found.serial.mean:g}", deviation=f"{found.serial.deviation:g}",
                  status=word(f"r_status_{found.serial.status}"))
    if found.reason:
        return word(f"r_{found.reason}", days=found.window_days, fewest=found.fewest) + serial
    return word("r_note", days=found.window_days, fewest=found.fewest, cut=found.cut_on) + serial


def _r_chart(found: Transmission) -> dict[str, Any] | None:
    """The line with its band; days without a figure are gaps."""
    if not found.windows:
        return None
    told = {one.last_on: one for one in found.windows}
    first, last = (date.fromisoformat(one.last_on) for one in (found.windows[0], found.windows[-1]))
    days = [(first + DAY * k).isoformat() for k in range((last - first).days + 1)]

    def values(name: str) -> list[float | None]:
        return [round(float(getattr(told[day], name)), 3) if day in told else None for day in days]

    words = {"value": "R", "interval": word("r_interval"), "target": word("r_one"), "unit": "", "name": "R", "no_data": word("r_gap"), "bounds": ""}
    return {"kind": "trend", "title": word("r_title"), "target": 1, "words": words, "x": days, "y": values("mean"), "low": values("low"),
            "high": values("high"), "bounds": [False] * len(days)}


def _name(view: View, code: str) -> str:
    return place_of(view, code) if code else word("week_unknown_town")


def weeks_panel(view: View, found: CaseWeeks, title: str, name: str = "map") -> Panel:
    """Cases by week and place, with the rate, on a map that goes through the weeks."""
    columns = [Column("week", word("disease_week")), Column("place", word("week_place")), Column("cases", word("warning_cases"), True),
               Column("residents", word("attack_residents"), True), Column("rate", word("week_rate"), True)]
    rows = [[week, Shown(_name(view, one.place), one.place), one.cases[k], one.residents, decimal(one.rates[k], RATE)]
            for k, week in enumerate(found.weeks) for one in found.places]
    total = sum(sum(one.cases) for one in found.places)
    note = word("week_map_note", first=found.weeks[0], last=found.weeks[-1]) if total else word("disease_no_cases")
    sheet = Sheet(columns, rows, about(view, "") | {"item": found.item, "known_on": found.known_on})
    return Panel(name, title, sheet, _weeks_chart(view, found) if total else None, note)


def _weeks_chart(view: View, found: CaseWeeks) -> dict[str, Any] | None:
    drawn = [one for one in found.places if one.longitude is not None and one.latitude is not None]
    if not drawn:
        return None
    shapes = maps.outlines(view)
    if found.level == "township":
        county = drawn[0].county
        shapes = maps.township_outlines(view, county) or {code: shape for code, shape in shapes.items() if code == county}
    spots = [{"name": _name(view, one.place), "at": [one.longitude, one.latitude], "cases": list(one.cases),
              "rates": [None if rate is None else round(rate, RATE) for rate in one.rates], "link": ""} for one in drawn]
    return place_map(shapes, spots, list(found.weeks), list(map(sum, zip(*(one.cases for one in found.places), strict=True))), word("week_rate"))


def place_map(shapes: dict[str, Any], spots: Sequence[dict[str, Any]], frames: Sequence[str], totals: Sequence[int], rate: str) -> dict[str, Any]:
    """A chart of kind `place_map`: circles as large as cases and as dark as rates over outlines, frame by frame (one frame: without a slider)."""
    return {"kind": "place_map", "outlines": shapes, "spots": list(spots), "frames": list(frames), "totals": list(totals),
            "words": {"cases": word("warning_cases"), "rate": rate} | {key: word(f"player_{key}") for key in ("week", "play", "stop", "back", "on")}}


def attack_panels(view: View, found: Sequence[AttackRate]) -> list[Panel]:
    """Attack rates of an event: by township, and by age and sex."""
    whole = next((one for one in found if one.by == TOTAL), None)
    note = "" if whole is None or whole.rate is None else word("attack_note", cases=whole.cases, residents=number(whole.residents or 0),
                                                               **{name: decimal(getattr(whole, name)).text for name in ("rate", "low", "high")})
    return [_attack_panel(view, [one for one in found if one.by == TOWNSHIP], "attack_towns", note),
            _attack_panel(view, [one for one in found if one.by in (AGE, SEX)], "attack_ages", word("attack_ages_note") if found else "")]


def _group(view: View, one: AttackRate) -> str:
    if one.by == TOWNSHIP:
        return place_of(view, one.code)
    codes = view.catalog.codes["age_band" if one.by == AGE else "sex"].codes
    label = codes.get(one.code)
    return label.in_language(language()) if label is not None else word("attack_unknown")


def _attack_panel(view: View, found: Sequence[AttackRate], name: str, note: str) -> Panel:
    columns = [Column("group", word(f"{name}_group")), Column("cases", word("warning_cases"), True), Column("residents", word("attack_residents"), True),
               Column("rate", word("attack_rate"), True), Column("low", word("attack_low"), True), Column("high", word("attack_high"), True)]
    rows = [[Shown(_group(view, one), one.code or "?"), one.cases, one.residents, *map(decimal, (one.rate, one.low, one.high))] for one in found]
    shown = [one for one in found if one.cases and one.rate is not None]
    words = {"value": word("attack_rate"), "interval": word("attack_limits"), "target": "", "unit": "", "no_data": "", "bounds": ""}
    chart = {"kind": "bars", "title": word(name), "target": None, "words": words, "x": [_group(view, one) for one in shown], "y": [one.rate for one in shown],
             "low": [one.low for one in shown], "high": [one.high for one in shown], "bounds": [False] * len(shown), "verdict": [""] * len(shown),
             "targets": [None] * len(shown), "text": [f"{one.cases} / {number(one.residents or 0)}" for one in shown]} if shown else None
    sheet = Sheet(columns, rows, about(view, ""))
    return Panel(name, word(name), sheet, chart, note or word("attack_none"), width="")
