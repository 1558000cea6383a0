"""The answer about mass testing: can everybody be tested in time, what holds it up, what mends it, with every figure's arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from quanmin.catalog.messages import language
from quanmin.model import Label
from quanmin.services.preparedness.campaign import Campaign, campaign_of
from quanmin.services.preparedness.mass_testing import DAY, Simulated
from quanmin.services.preparedness.queues import best_pool, positive_pools, tests_per_person
from quanmin.services.preparedness.scenario import Scenario
from quanmin.services.preparedness.testing_advice import Mend, Swing, Verdict, Worth, judged, mends, swings, worths


@dataclass(frozen=True)
class Sum:
    """A figure with its arithmetic: `step` names it, `sum` is the formula with the numbers put in, `value` what it comes to."""

    step: str
    sum: str
    value: float | None
    unit: str


@dataclass(frozen=True)
class Assumption:
    """A number that a scenario rests on (`parameter` is part.name), where it is from and how far that was verified ("" where it is not told)."""

    parameter: str
    value: str
    source: str
    status: str


@dataclass(frozen=True)
class AreaPlan:
    """An area: who samples there, when it is done, and where its tubes go (laboratories with their share)."""

    area: str
    name: str
    people: int
    points: float
    staff: float
    tables: float
    persons_per_hour: float
    sampling_done_hour: int
    labs: str
    travel_hours: int


@dataclass(frozen=True)
class LabPlan:
    """A laboratory: what it can do a day, what it does, when it is done and how much of its capacity until then was used."""

    lab: str
    name: str
    tubes_per_day: float
    tubes: float
    last_tube_hour: int
    use_share: float | None


@dataclass(frozen=True)
class Hour:
    """An hour of the campaign, cumulative but for what waits at points and in laboratories."""

    hour: int
    sampled: float
    tubes_made: float
    tubes_arrived: float
    tubes_tested: float
    retests_done: float
    people_with_result: float
    waiting_for_transport: float
    waiting_for_test: float


@dataclass(frozen=True)
class DeadlineMade:
    """Whether all results are there in so many days."""

    days: float
    is_made: bool


@dataclass(frozen=True)
class MassTesting:
    """What a campaign comes to. Hours count from the first swab; `results_done_hour` is None where it is beyond `most_days`."""

    name: str
    people: int
    sampling_done_hour: int | None
    results_done_hour: int | None
    bound_hours: float | None
    most_days: int
    deadlines: tuple[DeadlineMade, ...]
    bottleneck: str
    done_without: dict[str, int | None]
    tubes: float
    retests: float
    best_pool: int
    sums: tuple[Sum, ...]
    areas: tuple[AreaPlan, ...]
    labs: tuple[LabPlan, ...]
    hours: tuple[Hour, ...]
    worths: tuple[Worth, ...]
    mends: tuple[Mend, ...]
    swings: tuple[Swing, ...]
    assumptions: tuple[Assumption, ...]


def _written(value: Any) -> str:
    """A number, several, or a word (those of models are abbreviations) as a list of assumptions shows it."""
    if isinstance(value, list):
        return ", ".join(f"{one:g}" for one in value)
    if isinstance(value, int | float):
        return f"{value:g}"
    return value.upper() if value in ("sir", "seir") else str(value or "")


def assumptions_of(scenario: Scenario) -> tuple[Assumption, ...]:
    """The numbers of a scenario that are not of a place."""
    found = []
    for part, values in scenario.values.items():
        for name, value in values.items() if isinstance(values, dict) else ():
            path = f"{part}.{name}".lstrip(".")
            shown = _written(value)
            source, status = scenario.sources.get(path, (None, ""))
            found.append(Assumption(path, shown, spoken(source, ""), status))
    return tuple(found)


def spoken(label: Label | None, otherwise: str) -> str:
    """A name in the spoken language."""
    return label.in_language(language()) if label is not None else otherwise


def told(value: float, digits: int = 0) -> str:
    """A number as a sum shows it."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else "∞"


def finite(value: float) -> float | None:
    """A number, None where it is infinite or none."""
    return value if math.isfinite(value) else None


def _sums(one: Campaign, verdict: Verdict) -> tuple[Sum, ...]:
    people, rate, capacity = float(one.people.sum()), float(one.persons_per_hour.sum()), float(one.capacity.sum()) / DAY
    q = positive_pools(one.positive_share, one.pool)
    tables, shifts = float(one.tables.sum()), one.shifts
    loads, found = verdict.load_hours, verdict.simulated
    tests = tests_per_person(one.positive_share, one.pool)
    return (
        Sum("tables", f"min({told(float((one.points * one.tables_per_point).sum()))}, {told(float(one.staff.sum()))} ÷ ({one.staff_per_table:g} × {shifts}))"
            if len(one.areas) == 1 else f"Σ min(P × {one.tables_per_point:g}, S ÷ ({one.staff_per_table:g} × {shifts}))", tables, ""),
        Sum("sampling_rate", f"{told(tables, 2)} × {one.rate:g}", rate, "/h"),
        Sum("sampling_load", f"{told(people)} ÷ {told(rate)}", finite(loads["sampling"]), "h"),
        Sum("sampling_done", f"⌈{told(loads['sampling'], 1)}⌉ @ {one.hours_per_day} h/d", finite(verdict.sampling_bound_hours), "h"),
        Sum("tubes", f"{told(people)} ÷ {one.pool}", one.tubes, ""),
        Sum("retests", f"{told(one.tubes)} × (1 − (1 − {one.positive_share:g})^{one.pool}) × {one.pool}", one.tubes * q * one.pool, ""),
        Sum("tests_per_person", f"1 ÷ {one.pool} + 1 − (1 − {one.positive_share:g})^{one.pool}" if one.pool > 1 else "1", tests, ""),
        Sum("lab_load", f"({told(one.tubes)} + {told(one.tubes * q * one.pool)}) ÷ {told(capacity)}", finite(loads["laboratory"]), "h"),
        Sum("bound", "max ₛ C⁻¹(C(s) + N/k − A(s)) + " + f"{one.assay_hours}", finite(verdict.bound_hours), "h"),
        Sum("simulated", "", None if found.results_done_hour is None else float(found.results_done_hour), "h"))


def _areas(scenario: Scenario, one: Campaign, verdict: Verdict) -> tuple[AreaPlan, ...]:
    rows, labs = scenario.rows("area"), [spoken(row["name"], row["id"]) for row in scenario.rows("lab")]
    found = []
    for i, row in enumerate(rows):
        share = verdict.share[i]
        goes = ", ".join(labs[j] if share[j] > 0.995 else f"{labs[j]} {share[j]:.0%}" for j in range(len(labs)) if share[j] > 0.005)
        hours = int(max((one.lag[i, j] for j in range(len(labs)) if share[j] > 0), default=0))
        found.append(AreaPlan(row["id"], spoken(row["name"], row["id"]), int(one.people[i]), float(one.points[i]), float(one.staff[i]), float(one.tables[i]),
                              float(one.persons_per_hour[i]), int(verdict.simulated.area_done_hour[i]), goes, hours))
    return tuple(found)


def _labs(scenario: Scenario, one: Campaign, verdict: Verdict) -> tuple[LabPlan, ...]:
    found = []
    for j, row in enumerate(scenario.rows("lab")):
        last = int(verdict.simulated.lab_last_hour[j])
        whole, rest = divmod(last, DAY)
        room = float(one.capacity[j].sum()) * whole + float(one.capacity[j][:rest].sum())
        tubes = float(verdict.simulated.lab_tubes[j])
        found.append(LabPlan(row["id"], spoken(row["name"], row["id"]), float(one.capacity[j].sum()), tubes, last, tubes / room if room else None))
    return tuple(found)


def _hours(found: Simulated) -> tuple[Hour, ...]:
    h = found.hours
    return tuple(Hour(at + 1, float(h.sampled[at]), float(h.made[at]), float(h.arrived[at]), float(h.tested[at]), float(h.again[at]), float(h.resulted[at]),
                      float(h.made[at] - h.left[at]), float(h.arrived[at] - h.tested[at])) for at in range(len(h.sampled)))


def mass_testing_answer(scenario: Scenario, is_whole: bool = True) -> MassTesting:
    """Simulate a checked scenario; without `is_whole` no mends, worths and swings are worked out (some forty simulations more)."""
    one = campaign_of(scenario)
    verdict = judged(one, sorted({float(days) for days in scenario.of("")["deadlines_days"]}))
    costs = scenario.of("costs")
    return MassTesting(
        spoken(scenario.label, "mass_testing"), int(one.people.sum()), verdict.simulated.sampling_done_hour, verdict.simulated.results_done_hour,
        finite(verdict.bound_hours), one.most_days, tuple(DeadlineMade(days, made) for days, made in verdict.deadlines.items()), verdict.bottleneck,
        dict(verdict.stage_hours), verdict.simulated.tubes, verdict.simulated.retests, best_pool(one.positive_share), _sums(one, verdict),
        _areas(scenario, one, verdict), _labs(scenario, one, verdict), _hours(verdict.simulated), worths(one, verdict, costs) if is_whole else (),
        mends(one, verdict, costs) if is_whole else (), swings(one, verdict.share) if is_whole else (), assumptions_of(scenario))
