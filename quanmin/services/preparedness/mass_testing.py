"""Mass testing simulated hour by hour, and its closed-form bound.

One step is an hour, one unit a whole person or tube. In each hour every area samples what its tables can, fills tubes, and hands them to vehicles that leave
(each drives there and back before it leaves again); tubes that reach a laboratory in an hour may be tested in that hour; results are there `assay_hours` after
its end. Pools that are positive come back as single tubes, `recall_hours` after their result. A tube that is not full at the end of an area's day is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from quanmin.services.preparedness.campaign import Campaign
from quanmin.services.preparedness.queues import positive_pools

EPSILON = 1e-7
DAY = 24
PREFERENCE = 1e-3  # hours of testing that an hour on the road may cost at most, so that of equal plans the nearer one is taken


@dataclass(frozen=True)
class Hours:
    """Hour by hour, cumulative: persons sampled, tubes made, left, arrived and tested (first pass and again), and persons whose pool has a result."""

    sampled: np.ndarray
    made: np.ndarray
    left: np.ndarray
    arrived: np.ndarray
    tested: np.ndarray
    again: np.ndarray
    resulted: np.ndarray


@dataclass(frozen=True)
class Simulated:
    """What a campaign comes to; hours are None where it is not done in the campaign's `most_days`."""

    sampling_done_hour: int | None
    results_done_hour: int | None
    tubes: float
    retests: float
    area_done_hour: np.ndarray
    lab_tubes: np.ndarray
    lab_last_hour: np.ndarray
    hours: Hours


def assigned(one: Campaign) -> np.ndarray:
    """Which share of an area's tubes goes to which laboratory [areas × labs]: the plan whose last laboratory is done first, nearer ones among equals.

    A linear programme: minimise z (days of testing) with every area's tubes placed and no laboratory given more than z days of its capacity.
    """
    areas, labs, daily = len(one.areas), len(one.labs), one.capacity.sum(axis=1)
    if labs == 1 or daily.sum() <= 0:
        return np.tile(np.where(daily.sum() > 0, daily / max(daily.sum(), EPSILON), 1 / labs), (areas, 1))
    tubes, many = np.maximum(one.people / one.pool, 0), areas * labs
    cost = np.append(PREFERENCE * one.lag.ravel() * np.repeat(tubes, labs) / max(1.0, tubes.sum()), 1.0)  # z is in days; the lag's weight is far below
    rows, columns = np.repeat(np.arange(areas), labs), np.arange(many)
    placed = coo_array((np.ones(many), (rows, columns)), shape=(areas, many + 1))
    to, of = np.append(np.tile(np.arange(labs), areas), np.arange(labs)), np.append(columns, np.full(labs, many))
    load = coo_array((np.append(np.repeat(tubes, labs), -daily), (to, of)), shape=(labs, many + 1))
    found = linprog(cost, A_ub=load, b_ub=np.zeros(labs), A_eq=placed, b_eq=np.ones(areas), bounds=(0, None), method="highs")
    share = found.x[:many].reshape(areas, labs) if found.status == 0 else np.tile(daily / daily.sum(), (areas, 1))
    share = np.where(share < EPSILON, 0, share)
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def capacities(one: Campaign, hours: int) -> np.ndarray:
    """What every laboratory can test in every hour [labs × hours]: whole tubes unless the campaign is fluid."""
    capacity = np.tile(one.capacity, (1, hours // DAY + 1))[:, :hours]
    if one.is_fluid:
        return capacity
    total = np.floor(np.cumsum(capacity, axis=1) + EPSILON)
    return np.diff(total, axis=1, prepend=0)


class _Running:
    """The state of a simulation."""

    def __init__(self, one: Campaign, share: np.ndarray, hours: int) -> None:
        self.one = one
        areas, labs, later = len(one.areas), len(one.labs), hours + int(one.lag.max(initial=0)) + one.assay_hours + one.recall_hours + 2
        self.sampled, self.room, self.open = np.zeros(areas), np.zeros(areas), np.zeros(areas)
        self.waiting, self.left, self.made = np.zeros(areas), np.zeros(areas), np.zeros(areas)
        self.available, self.back = one.vehicles.copy(), np.zeros((later + int(2 * one.lag.max(initial=0)) + 2, areas), dtype=int)
        self.coming, self.again = np.zeros((later, labs)), np.zeros((later, labs))
        self.queue, self.queue_again = np.zeros(labs), np.zeros(labs)
        self.tested, self.tested_again, self.positive, self.last = np.zeros(labs), np.zeros(labs), np.zeros(labs), np.zeros(labs, dtype=int)
        self.done = np.zeros(areas, dtype=int)
        self.capacity = capacities(one, hours)
        self.trip = np.maximum(1, 2 * one.lag.min(axis=1))
        self.positive_pools = positive_pools(one.positive_share, one.pool)
        self.persons_per_hour = one.persons_per_hour
        self.rows = np.arange(areas)
        self.pair_area, pair_lab = np.nonzero(share)
        self.pair_share, self.sent = share[self.pair_area, pair_lab], np.zeros(len(self.pair_area))
        self.pair_at = one.lag[self.pair_area, pair_lab] * labs + pair_lab
        order = np.lexsort((-self.pair_share, self.pair_area))
        self.main = order[np.searchsorted(self.pair_area[order], self.rows)]
        self.is_main = np.zeros(len(self.pair_area), dtype=bool)
        self.is_main[self.main] = True

    def sample(self, hour: int) -> None:
        """Sample, fill tubes and close those that stay open at the end of the day."""
        one = self.one
        if hour % DAY >= one.hours_per_day or (self.sampled >= one.people).all():
            return
        self.room += self.persons_per_hour
        reached = np.minimum(one.people, self.room if one.is_fluid else np.floor(self.room + EPSILON))
        come, self.sampled = reached - self.sampled, reached
        self.done[come > 0] = hour + 1
        if one.is_fluid:
            made = come / one.pool
        else:
            self.open += come
            made = np.floor(self.open / one.pool)
            self.open -= made * one.pool
            is_closing = (self.open > 0) & ((self.sampled >= one.people) | (hour % DAY == one.hours_per_day - 1))
            made, self.open = made + is_closing, np.where(is_closing, 0, self.open)
        self.made += made
        self.waiting += made

    def drive(self, hour: int) -> None:
        """Send what waits to the laboratories with the vehicles that are there."""
        one = self.one
        self.available += self.back[hour]
        if hour % one.every_hours or not self.waiting.any():
            return
        wanted = np.ceil(self.waiting / one.vehicle_tubes - EPSILON).astype(int)
        leaving = np.where(one.vehicles > 0, np.minimum(self.available, wanted), wanted)
        load = np.minimum(self.waiting, leaving * float(one.vehicle_tubes))
        self.available = np.where(one.vehicles > 0, self.available - leaving, 0)
        self.back[hour + self.trip, self.rows] += np.where(one.vehicles > 0, leaving, 0)
        self.waiting, self.left = self.waiting - load, self.left + load
        given = self._given(load)
        self.sent += given
        np.add.at(self.coming.reshape(-1), hour * len(one.labs) + self.pair_at, given)

    def _given(self, load: np.ndarray) -> np.ndarray:
        """How the load of every area is parted among its laboratories [pairs]: whole tubes, so that shares hold over the whole campaign.

        An area's main laboratory takes what the others are not due, and all of it in an hour in which that would be less than nothing.
        """
        wanted = self.pair_share * self.left[self.pair_area] - self.sent
        if self.one.is_fluid:
            return np.asarray(wanted)
        given = np.where(self.is_main, 0.0, np.maximum(np.floor(wanted + EPSILON), 0.0))
        rest = load - np.bincount(self.pair_area, given, len(load))
        if (rest < 0).any():
            given[(rest < 0)[self.pair_area]] = 0.0
            rest = np.where(rest < 0, load, rest)
        given[self.main] += rest
        return given

    def test(self, hour: int) -> None:
        """Test what has arrived, repeats first; positive pools come back."""
        one = self.one
        self.queue += self.coming[hour]
        self.queue_again += self.again[hour]
        if not (self.queue.any() or self.queue_again.any()):
            return
        repeated = np.minimum(self.queue_again, self.capacity[:, hour])
        tested = np.minimum(self.queue, self.capacity[:, hour] - repeated)
        self.queue_again -= repeated
        self.queue -= tested
        self.tested, self.tested_again = self.tested + tested, self.tested_again + repeated
        self.last[(tested + repeated) > EPSILON] = hour + 1
        if self.positive_pools and tested.any():
            positive = self.tested * self.positive_pools
            positive = positive if one.is_fluid else np.floor(positive + EPSILON)
            self.again[hour + 1 + one.assay_hours + one.recall_hours] += (positive - self.positive) * one.pool
            self.positive = positive

    def is_idle(self, hour: int) -> bool:
        """Whether nothing can happen in an hour: nobody samples, nothing waits, comes, or comes back."""
        return not (hour % DAY < self.one.hours_per_day or self.waiting.any() or self.queue.any() or self.queue_again.any() or self.coming[hour].any()
                    or self.again[hour].any() or self.back[hour].any())

    def is_done(self) -> bool:
        """Whether nothing is left to sample, carry or test."""
        one, total = self.one, self.made.sum()
        return bool((self.sampled >= one.people - EPSILON).all() and self.tested.sum() >= total - EPSILON
                    and self.tested_again.sum() >= self.positive.sum() * one.pool - EPSILON)


def simulate(one: Campaign, share: np.ndarray | None = None) -> Simulated:
    """A campaign hour by hour until all have their result, or its `most_days` are over; `share` is what `assigned` gives."""
    hours = one.most_days * DAY
    running = _Running(one, assigned(one) if share is None else share, hours)
    told: list[tuple[float, ...]] = []
    is_done = running.is_done()
    for hour in range(hours):
        if is_done:
            break
        if told and running.is_idle(hour):
            told.append(told[-1])
            continue
        running.sample(hour)
        running.drive(hour)
        running.test(hour)
        arrived = running.tested.sum() + running.queue.sum()
        told.append((running.sampled.sum(), running.made.sum(), running.left.sum(), arrived, running.tested.sum(), running.tested_again.sum()))
        is_done = running.is_done()
    return _result(one, running, np.array(told).reshape(len(told), 6), is_done)


def _result(one: Campaign, running: _Running, told: np.ndarray, is_done: bool) -> Simulated:
    is_sampled = bool((running.sampled >= one.people - EPSILON).all())
    people, made = float(one.people.sum()), float(running.made.sum())
    persons = told[:, 0] / np.maximum(told[:, 1], 1e-300)  # a tube, of those made so far
    tested = np.maximum.accumulate(told[:, 4] * persons) if len(told) else told[:, 4]
    resulted = np.concatenate([np.zeros(one.assay_hours), tested]) if len(told) else np.zeros(0)
    extra = one.assay_hours if len(told) else 0
    drawn, *others = (np.append(column, np.full(extra, column[-1] if len(column) else 0.0)) for column in told.T)
    made_by, left, arrived, first, again = others
    done = (int(running.last.max(initial=0)) + one.assay_hours if people else 0) if is_done else None
    return Simulated(int(running.done.max(initial=0)) if is_sampled else None, done, made, float(running.positive.sum()) * one.pool, running.done,
                     running.tested + running.tested_again, running.last, Hours(drawn, made_by, left, arrived, first, again, resulted))


def sampling_bound(one: Campaign) -> np.ndarray:
    """When each area has sampled everybody at the earliest, in hours from the start; infinite where it has no tables."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(one.people > 0, np.ceil(one.people / one.persons_per_hour - EPSILON), 0)
    whole = np.where(np.isfinite(needed), np.maximum(needed - 1, 0), 0)
    done = DAY * (whole // one.hours_per_day) + whole % one.hours_per_day + 1
    return np.where(one.people <= 0, 0, np.where(np.isfinite(needed), done, np.inf))


def bound(one: Campaign) -> float:
    """No campaign with these resources has all results earlier (hours from the start), whatever its vehicles and its plan.

    With fluid persons and tubes, one laboratory, vehicles enough and nobody positive it is what the simulation gives: for a queue that is served whenever there
    is something to serve, the end is the latest over all hours s of the hour when what comes after s has been served if serving began at s
    (E. Reich 1958; the min-plus convolution of arrivals and service). Infinite where it is not reached in the campaign's `most_days`.
    """
    if not one.people.sum():
        return 0.0
    hours = one.most_days * DAY
    is_open = (np.arange(hours) % DAY) < one.hours_per_day
    opened = np.cumsum(is_open)
    nearest = one.lag.min(axis=1)
    arrived = np.zeros(hours + 1)  # tubes that have come before each hour
    for area in range(len(one.areas)):
        sampled = np.minimum(one.people[area], opened * one.persons_per_hour[area]) / one.pool
        late = int(nearest[area])
        arrived[late + 1:] += sampled[: hours - late]
    total = np.concatenate([[0.0], np.cumsum(capacities(one, hours).sum(axis=0))])
    coming = np.maximum(one.tubes - arrived, 0)
    retests = max(0.0, positive_pools(one.positive_share, one.pool) * one.tubes - len(one.labs)) * one.pool
    coming[: int(nearest[one.people > 0].min()) + 1] += retests
    is_needed = coming > EPSILON
    ends = np.searchsorted(total, (total[:-1] + coming[:-1])[is_needed[:-1]] - EPSILON)
    if not len(ends) or ends.max() > hours or is_needed[-1]:
        return np.inf
    return float(ends.max()) + one.assay_hours


def load_hours(one: Campaign) -> dict[str, float]:
    """The plain quotients: hours of sampling N ÷ (S r), open hours only, and of testing N ÷ (k L), repeats included."""
    rate, capacity = float(one.persons_per_hour.sum()), float(one.capacity.sum()) / DAY
    tests = one.tubes * (1 + positive_pools(one.positive_share, one.pool) * one.pool)
    return {"sampling": float(one.people.sum()) / rate if rate else np.inf, "laboratory": tests / capacity if capacity else np.inf}


def conserved(one: Campaign, found: Simulated) -> dict[str, Any]:
    """What must be equal at the end: persons and sampled, tubes made and left and tested, repeats ordered and done."""
    last = {name: float(getattr(found.hours, name)[-1]) if len(found.hours.sampled) else 0.0 for name in ("sampled", "made", "left", "tested", "again")}
    return last | {"people": float(one.people.sum()), "retests": found.retests}
