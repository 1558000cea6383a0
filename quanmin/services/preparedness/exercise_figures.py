"""What the registers say at the start of an exercise, told with its steps: beds, tests a day, shortages of a surge, days of cover."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from quanmin.model import Refusal
from quanmin.model.asker import Asker
from quanmin.services.preparedness.actions import mass_testing, stockpile_cover, surge
from quanmin.services.preparedness.exercise import shows
from quanmin.services.preparedness.on_site import counties_seen, institutions
from quanmin.services.preparedness.scenario import Scenario

MOST_TOLD = 3


@dataclass(frozen=True)
class Figure:
    """A figure told with a step: `name` says what it is, `value` is None where nothing is registered.

    `what` is the code of an item or resource, `where` that of a county or institution (its name where it is told), `on` a day.
    """

    name: str
    value: float | None
    what: str = ""
    where: str = ""
    on: str = ""


def _beds(asker: Asker, place: str) -> list[Figure]:
    rows = institutions(asker, counties_seen(asker, place))
    return [Figure(name, sum(row.has[column] for row in rows)) for name, column in
            (("infectious_beds", "infectious_bed_count"), ("convertible_beds", "convertible_bed_count"), ("icu_beds", "icu_bed_count"))]


def _tests(asker: Asker, place: str) -> list[Figure]:
    found = mass_testing(asker, place=place, is_whole=False)
    hours = found.results_done_hour
    return [Figure("people", found.people), Figure("tubes_per_day", float(round(sum(lab.tubes_per_day for lab in found.labs)))),
            Figure("all_tested_hours", None if hours is None else float(hours), what=found.bottleneck)]


def _surge(asker: Asker, place: str) -> list[Figure]:
    found = surge(asker, place=place, is_whole=False)
    worst = [row for row in found.shortages if row.of in ("ward", "icu", "nurse") and row.worst_gap > 0]
    rows = sorted(worst, key=lambda row: (row.first_day if row.first_day is not None else 10**6, -row.worst_gap))[:MOST_TOLD]
    return [Figure("short", row.worst_gap, row.of, row.county, row.first_on or "") for row in rows] or [Figure("short", 0.0)]


def _cover(asker: Asker, place: str) -> list[Figure]:
    found = stockpile_cover(asker, place=place)
    judged = [row for row in found.cover if row.situation_name == found.judged_in and row.usable_days is not None]
    rows = sorted(judged, key=lambda row: (row.usable_days or 0.0, row.institution, row.item))
    least = [row for row in rows if row.is_short][:MOST_TOLD] or rows[:1]
    return [Figure("items_short", float(found.short_count), on=found.as_of),
            *(Figure("cover_days", row.usable_days, row.item, row.institution, found.as_of) for row in least)]


TOLD: Mapping[str, Callable[[Asker, str], list[Figure]]] = {"beds": _beds, "tests": _tests, "surge": _surge, "cover": _cover}


def _told(asker: Asker, name: str, place: str) -> list[Figure]:
    """A group of figures; one without a value where the site knows too little for it."""
    try:
        return TOLD[name](asker, place)
    except Refusal:
        return [Figure(f"no_{name}", None)]


def figures_now(asker: Asker, scenario: Scenario, place: str) -> str:
    """Step → figures as JSON, worked out once for each kind."""
    steps = {str(row["id"]): shows(row) for row in scenario.rows("step")}
    known = {name: [asdict(one) for one in _told(asker, name, place)] for name in dict.fromkeys(name for names in steps.values() for name in names)}
    return json.dumps({step: [one for name in names for one in known[name]] for step, names in steps.items()}, ensure_ascii=False)


def figures_then(text: str, names: Mapping[str, str]) -> dict[str, tuple[Figure, ...]]:
    """Step → figures as they were kept, with the names of places and institutions by code."""
    kept = {step: [Figure(**one) for one in rows] for step, rows in json.loads(text).items()}
    return {step: tuple(replace(one, where=names.get(one.where, one.where)) for one in rows) for step, rows in kept.items()}
