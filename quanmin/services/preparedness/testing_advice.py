"""What holds a campaign of mass testing up, what an extra unit of each resource is worth, what makes a deadline, and what it is sensitive to.

Nothing here is a formula of its own: every figure is the difference of two simulations that differ in one thing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanmin.services.preparedness.campaign import Campaign
from quanmin.services.preparedness.mass_testing import DAY, Simulated, assigned, bound, load_hours, sampling_bound, simulate

STAGES = ("sampling", "transport", "laboratory")
RESOURCES = ("teams", "staff", "points", "vehicles", "lab")
PARAMETERS = ("rate", "teams", "hours_per_day", "pool", "lab", "people", "lag", "assay_hours", "vehicles")
STEP, SWING = 0.1, 0.2
LARGEST_FACTOR = 8.0
FREE = 1e6  # times as much: as good as unlimited
SEARCH = 8  # halvings: to within a hundredth of the factor


@dataclass(frozen=True)
class Worth:
    """A tenth more of a resource: units and cost a day, hours gained, and hours gained per 10,000 CNY of the whole campaign (None where it costs nothing)."""

    resource: str
    units: float
    day_cny: float
    gained_hours: float
    gained_per_10k_cny: float | None


@dataclass(frozen=True)
class Mend:
    """The least of a resource (times as much as now) that makes a deadline; None where no amount of it alone does.

    Of teams and laboratories together, `factor` and `units` are the teams', `lab_factor` the laboratories'.
    """

    deadline_days: float
    resource: str
    factor: float | None
    units: float
    cny: float
    lab_factor: float | None = None


@dataclass(frozen=True)
class Swing:
    """The hour when all is done with a parameter a fifth lower and a fifth higher; None where that is beyond the campaign's days."""

    parameter: str
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Verdict:
    """A campaign judged; `stage_hours` is when it would be done if a stage had no limit (the bottleneck gains most)."""

    simulated: Simulated
    bound_hours: float
    sampling_bound_hours: float
    load_hours: Mapping[str, float]
    bottleneck: str
    stage_hours: Mapping[str, int | None]
    share: np.ndarray
    deadlines: Mapping[float, bool]


def _hours(found: Simulated, one: Campaign) -> int:
    """When all is done, or one day past the end of what was looked at."""
    return found.results_done_hour if found.results_done_hour is not None else (one.most_days + 1) * DAY


def unlimited(one: Campaign, stage: str) -> Campaign:
    """The campaign if a stage had no limit."""
    if stage == "sampling":
        return one.scaled(teams=FREE)
    if stage == "transport":
        return replace(one, vehicles=np.zeros_like(one.vehicles), every_hours=1, lag=np.zeros_like(one.lag))
    return one.scaled(lab=FREE)


def judged(one: Campaign, deadlines: Sequence[float]) -> Verdict:
    """Simulate a campaign, hold it against its deadlines and name the bottleneck: the stage without which it would be done earliest."""
    share = assigned(one)
    found = simulate(one, share)
    without = {stage: simulate(unlimited(one, stage), share) for stage in STAGES}
    gained = {stage: _hours(found, one) - _hours(other, one) for stage, other in without.items()}
    loads = load_hours(one)
    best = max(STAGES, key=lambda stage: (gained[stage], loads.get(stage, 0.0)))
    bottleneck = best if gained[best] > 0 else max(loads, key=lambda name: loads[name] if math.isfinite(loads[name]) else FREE)
    done = {days: found.results_done_hour is not None and found.results_done_hour <= days * DAY for days in deadlines}
    sampled = sampling_bound(one)
    return Verdict(found, bound(one), float(sampled.max(initial=0)), loads, bottleneck, {stage: other.results_done_hour for stage, other in without.items()},
                   share, done)


def units_of(one: Campaign, resource: str) -> float:
    """How much of a resource there is: staff, points, vehicles, or tubes a day; teams count by their staff."""
    if resource in ("staff", "teams"):
        return float(one.staff.sum())
    return float({"points": one.points.sum(), "vehicles": one.vehicles.sum(), "lab": one.capacity.sum()}[resource])


def day_cost(one: Campaign, more: Campaign, costs: Mapping[str, float]) -> float:
    """What the resources that `more` has beyond `one` cost a day (CNY)."""
    prices = {"staff": costs["sampler_day_cny"], "points": costs["point_day_cny"], "vehicles": costs["vehicle_day_cny"], "lab": costs["lab_tube_cny"]}
    return sum((units_of(more, name) - units_of(one, name)) * price for name, price in prices.items())


def _days(hours: float) -> int:
    return max(1, math.ceil(hours / DAY))


def worths(one: Campaign, verdict: Verdict, costs: Mapping[str, float]) -> tuple[Worth, ...]:
    """What a tenth more of each resource gains, the best value for money first."""
    before, found = _hours(verdict.simulated, one), []
    for resource in RESOURCES:
        if resource == "vehicles" and not one.vehicles.any():
            continue
        more = one.scaled(**{resource: 1 + STEP})
        after = _hours(simulate(more, verdict.share), one)
        cost = day_cost(one, more, costs)
        spent = cost * _days(after)
        gained = float(before - after)
        found.append(Worth(resource, units_of(more, resource) - units_of(one, resource), cost, gained, gained / spent * 1e4 if spent else None))
    return tuple(sorted(found, key=lambda worth: (-(worth.gained_per_10k_cny or 0.0), RESOURCES.index(worth.resource))))


def _least(one: Campaign, share: np.ndarray, resource: str, hours: float) -> float | None:
    """The least factor of a resource with which all is done in time, by halving; None where LARGEST_FACTOR is not enough."""
    def is_in_time(factor: float) -> bool:
        tried = replace(one.scaled(**{resource: factor}), most_days=_days(hours))
        if bound(tried) > hours:
            return False  # the bound says so, cheaply
        done = simulate(tried, share).results_done_hour
        return done is not None and done <= hours

    if not is_in_time(LARGEST_FACTOR):
        return None
    low, high = 1.0, LARGEST_FACTOR
    for _ in range(SEARCH):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_in_time(middle) else (middle, high)
    return math.ceil(high * 100) / 100


def mends(one: Campaign, verdict: Verdict, costs: Mapping[str, float]) -> tuple[Mend, ...]:
    """For every deadline that is missed, what each resource alone would have to be, the cheapest first; where none alone does, teams and laboratories both."""
    found: list[Mend] = []
    for days in sorted(days for days, is_made in verdict.deadlines.items() if not is_made):
        alone = []
        for resource in ("teams", "vehicles", "lab"):
            if resource == "vehicles" and not one.vehicles.any():
                continue
            factor = _least(one, verdict.share, resource, days * DAY)
            more = one.scaled(**{resource: factor or 1.0})
            alone.append(Mend(days, resource, factor, units_of(more, resource) - units_of(one, resource), day_cost(one, more, costs) * _days(days * DAY)))
        if all(mend.factor is None for mend in alone):
            alone += _both(one, verdict, days, costs)
        found += sorted(alone, key=lambda mend: (mend.factor is None, mend.cny))
    return tuple(found)


def _both(one: Campaign, verdict: Verdict, days: float, costs: Mapping[str, float]) -> list[Mend]:
    """The least of the laboratories with teams without limit, then the least of the teams with a tenth more than those laboratories."""
    lab = _least(one.scaled(teams=FREE), verdict.share, "lab", days * DAY)
    if lab is None:
        return []
    grown = one.scaled(lab=lab * (1 + STEP))
    teams = _least(grown, verdict.share, "teams", days * DAY)
    if teams is None:
        return []
    more = grown.scaled(teams=teams)
    return [Mend(days, "teams_and_lab", teams, units_of(more, "teams") - units_of(one, "teams"), day_cost(one, more, costs) * _days(days * DAY),
                 lab * (1 + STEP))]


def swings(one: Campaign, share: np.ndarray) -> tuple[Swing, ...]:
    """A tornado: every parameter a fifth lower and higher, the rest as it is; the widest first."""
    found = []
    for name in PARAMETERS:
        if name == "vehicles" and not one.vehicles.any():
            continue
        low, high = (simulate(one.scaled(**{name: 1 + sign * SWING}), share).results_done_hour for sign in (-1, 1))
        found.append(Swing(name, low, high))
    far = (one.most_days + 1) * DAY
    return tuple(sorted(found, key=lambda one: -abs((one.low or far) - (one.high or far))))
