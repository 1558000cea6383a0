"""Spatial and space-time scan statistics: the zones and days with more cases than chance makes likely, wherever and whenever they are.

M. Kulldorff, A spatial scan statistic, Communications in Statistics: Theory and Methods 1997;26:1481–1496 (Poisson, Bernoulli); M. Kulldorff, Prospective
time periodic geographical disease surveillance using a scan statistic, Journal of the Royal Statistical Society A 2001;164:61–72; M. Kulldorff et al., A
space–time permutation scan statistic for disease outbreak detection, PLoS Medicine 2005;2:e59. Equal to SaTScan 10.3.2: one most likely cylinder per
centre, the most likely first, secondary ones only where no place is shared, at least two cases.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors import scan_search
from quanmin.detectors.scan_zones import Zones, zones_of

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Model = Literal["poisson", "bernoulli", "permutation"]
MODELS: tuple[Model, ...] = ("poisson", "bernoulli", "permutation")
SAME = 1e-8  # ratios that differ by less are the same: they come from other sums
GUIDE = 4096
BLOCK_BYTES = 96_000_000  # of data sets that are searched together
MOST_SMALL = 32_000  # what still fits into 16 bits
EULER = 0.5772156649015329


@dataclass(frozen=True)
class ScanCluster:
    """A cylinder: places (numbers, nearest to the centre first), first and last period (numbers, both included) and how unlikely it is.

    `expected` as the model makes it, `relative_risk` inside against outside, `p` the rank among the replicas, `p_gumbel` from a Gumbel distribution fitted
    to them (finer than the rank where `p` is at its least), `recurrence` 1 / p of them in periods. `units`: people (mean of the periods), or cases and
    controls.
    """

    centre: int
    places: Whole
    radius: float
    first: int
    last: int
    cases: int
    expected: float
    ratio: float
    relative_risk: float
    units: float
    p: float
    p_gumbel: float
    recurrence: float


@dataclass(frozen=True)
class Scanned:
    """Clusters, the most likely first, and the highest log likelihood ratio of every replica."""

    clusters: tuple[ScanCluster, ...]
    replicas: Numbers
    zones: int


@dataclass(frozen=True)
class Settings:
    """How to scan: the largest share of people at risk (of expected cases; permutation: of cases) and the largest radius of a zone, the most periods of a
    cluster, whether only those still going on count.

    `replicas` Monte-Carlo data sets drawn from `seed`; `planar`: coordinates are x and y instead of latitude and longitude in degrees.
    """

    max_share: float = 0.5
    max_radius: float = np.inf
    max_periods: int | None = None
    prospective: bool = False
    planar: bool = True
    replicas: int = 999
    seed: int = 1
    least_cases: int = 2
    threads: int | None = None


@dataclass(frozen=True)
class _Data:
    """What is searched: cases and what is expected (Bernoulli: units) by place and period, and the weight of each place."""

    model: Model
    cases: Whole
    base: Numbers
    weights: Numbers
    total: int
    units: float
    people: Numbers

    @property
    def code(self) -> int:
        """The search's number of the model."""
        return scan_search.BERNOULLI if self.model == "bernoulli" else scan_search.POISSON

    def expected(self, units: float) -> float:
        """Cases that so many units of `base` make expected."""
        return units * self.total / self.units if self.model == "bernoulli" else units


def _data(cases: Whole, model: Model, population: Numbers | None, controls: Whole | None, people: Numbers | None = None) -> _Data:
    total = int(cases.sum())
    if model == "bernoulli":
        if controls is None:
            raise ValueError("the Bernoulli model needs controls")
        units = (cases + controls).astype(np.float64)
        return _Data(model, cases, units, units.sum(axis=1), total, float(units.sum()), units.sum(axis=1))
    if model == "permutation":
        by_place, by_period = cases.sum(axis=1, dtype=np.float64), cases.sum(axis=0, dtype=np.float64)
        return _Data(model, cases, np.outer(by_place, by_period) / max(total, 1), by_place, total, float(total), by_place)
    if population is None:
        raise ValueError("the Poisson model needs a population")
    risks = np.broadcast_to(population if population.ndim > 1 else population[:, None], cases.shape).astype(np.float64)
    return _Data(model, cases, risks * (total / risks.sum()), risks.mean(axis=1), total, float(total), risks.mean(axis=1) if people is None else people)


def _draw(data: _Data, first: int, rng: np.random.Generator, guide: tuple[Numbers, Whole], into: NDArray[np.integer]) -> None:
    """One data set by chance alone, as sums from period `first` on, into `into` (places × periods + 1)."""
    periods = data.cases.shape[1]
    if data.model == "bernoulli" or (data.model == "poisson" and data.total > data.base.size):
        if data.model == "bernoulli":
            drawn = rng.multivariate_hypergeometric(data.base.astype(np.int64).ravel(), data.total, method="marginals")
        else:
            drawn = rng.multinomial(data.total, (data.base / data.base.sum()).ravel())
        into[:, 0] = 0
        np.cumsum(drawn.reshape(data.cases.shape)[:, first:], axis=1, out=into[:, 1:], dtype=into.dtype)
        return
    if data.model == "permutation":
        places, days = (np.repeat(np.arange(len(margin)), margin) for margin in (data.cases.sum(axis=1), data.cases.sum(axis=0)))
        days = rng.permutation(days)
    else:
        places, days = np.divmod(scan_search.cells_of(rng.random(data.total), *guide), periods)
    scan_search.count_into(into, places, days, first)


def _sums(values: NDArray[np.number], first: int, dtype: type) -> NDArray[np.number]:
    """places × periods as places × (periods + 1) sums until the end of each period from `first` on."""
    told: NDArray[np.number] = np.concatenate([np.zeros((len(values), 1), dtype), np.cumsum(values[:, first:], axis=1, dtype=dtype)], axis=1)
    return told


class _Search:
    """The search of one set of data: everything that is the same for the data seen and its replicas."""

    def __init__(self, data: _Data, zones: Zones, settings: Settings) -> None:
        periods = data.cases.shape[1]
        self.data, self.zones, self.settings = data, zones, settings
        self.longest = min(settings.max_periods or max(periods // 2, 1), periods)
        self.first = periods - self.longest if settings.prospective else 0
        self.base = np.asarray(_sums(data.base, self.first, np.float64), dtype=np.float64)
        self.is_steady = bool((data.base == data.base[:, :1]).all())
        counts = np.arange(data.total + 1, dtype=np.float64)
        logs = counts * np.log(np.maximum(counts, 1))
        self.table = logs + logs[::-1]
        self.threads = settings.threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        ends = self.base.sum(axis=0)
        self.limit = float((ends[self.longest:] - ends[:len(ends) - self.longest]).max()) * min(settings.max_share * 1.5, 1.0)
        self.numbers = min(int(self.limit + 12 * np.sqrt(self.limit) + 64), data.total + 1)
        self.dtype = np.int16 if data.total < MOST_SMALL else np.int32

    def run(self, prefix: NDArray[np.number], starts: Whole, is_zone: NDArray[np.bool_]) -> tuple[Numbers, Whole]:
        """The highest ratio of each data set and where it is: zone, first period, length."""
        best, where = np.zeros(prefix.shape[1]), np.full((prefix.shape[1], 3), -1, dtype=np.int64)
        scan_search.search(prefix, self.base, self.zones.order, starts, is_zone, self.is_steady, self.longest, self.settings.prospective, self.data.total,
                           self.data.units, self.table, self.data.code, self.settings.least_cases, self.limit, self.numbers, best, where)
        return best, where

    def seen(self) -> list[tuple[float, int, Whole]]:
        """The most likely cylinder of every centre that has one: ratio, centre, (zone, first period, length); the most likely first."""
        prefix = np.ascontiguousarray(_sums(self.data.cases, self.first, self.dtype)[:, None, :])
        with ThreadPoolExecutor(self.threads) as pool:
            found = list(pool.map(lambda at: self.run(prefix, self.zones.starts[at:at + 2], self.zones.is_zone), range(len(self.zones.starts) - 1)))
        told = [(float(best[0]), centre, where[0]) for centre, (best, where) in enumerate(found) if where[0, 0] >= 0]
        return sorted(told, key=lambda one: (-round(one[0], 8), int(one[2][0]) - int(self.zones.starts[one[1]]), one[1]))

    def replicas(self) -> Numbers:
        """The highest ratio of every replica; the same for a seed on any number of threads."""
        count = self.settings.replicas
        if not count:
            return np.zeros(0)
        width = self.data.cases.shape[1] - self.first + 1
        fit = max(int(BLOCK_BYTES // (len(self.data.cases) * width * np.dtype(self.dtype).itemsize)), 1)
        blocks = -(-count // min(fit, -(-count // self.threads)))
        seeds = np.random.SeedSequence(self.settings.seed).spawn(count)
        guide = self._guide() if self.data.model == "poisson" else (np.zeros(0), np.zeros(0, dtype=np.int64))

        def work(part: NDArray[np.int64]) -> Numbers:
            prefix = np.zeros((len(self.data.cases), len(part), width), self.dtype)
            for at, one in enumerate(part):
                _draw(self.data, self.first, np.random.default_rng(seeds[one]), guide, prefix[:, at])
            return self.run(prefix, self.zones.starts, self.zones.is_first)[0]

        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(work, np.array_split(np.arange(count), blocks))))

    def _guide(self) -> tuple[Numbers, Whole]:
        cumulative = np.cumsum(self.data.base.ravel())
        cumulative /= cumulative[-1]
        cumulative[cumulative >= cumulative[-1]] = 2.0  # no draw goes past the last cell that can have cases
        return cumulative, np.searchsorted(cumulative, np.arange(GUIDE) / GUIDE, side="right").astype(np.int64)


def log_likelihood_ratio(cases: float, expected: float, total: float) -> float:
    """Poisson and permutation: of `cases` where `expected` are, among `total`; 0 where there are not more than expected."""
    if cases <= expected:
        return 0.0
    rest = total - cases
    return float(cases * np.log(cases / expected) + (rest * np.log(rest / (total - expected)) if rest else 0.0))


def gumbel_p(ratio: float, replicas: Numbers) -> float:
    """P(the highest ratio ≥ `ratio`) from a Gumbel distribution with the replicas' mean and standard deviation (Abrams, Kulldorff, Kleinman 2010)."""
    spread = float(replicas.std(ddof=1)) * np.sqrt(6) / np.pi if len(replicas) > 1 else 0.0
    if not spread:
        return float("nan")
    return float(-np.expm1(-np.exp(-(ratio - (float(replicas.mean()) - EULER * spread)) / spread)))


def _cluster(search: _Search, found: tuple[float, int, Whole], replicas: Numbers) -> ScanCluster:
    data, (ratio, centre, (zone, start, length)) = search.data, found
    places = search.zones.members(centre, int(zone))
    first, last = search.first + int(start), search.first + int(start + length) - 1
    cases, base = (float(values[places, first:last + 1].sum()) for values in (data.cases, data.base))
    expected = data.expected(base)
    if data.model == "bernoulli":  # again, without the search's tables
        exact = float(scan_search.bernoulli_ratio(cases, base, float(data.total), data.units))
    else:
        exact = log_likelihood_ratio(cases, expected, data.total)
    rest = data.total - cases
    risk = (cases / expected) / (rest / (data.total - expected)) if rest else float("inf")
    p = (1 + int((replicas >= ratio - SAME).sum())) / (len(replicas) + 1) if len(replicas) else float("nan")
    tail = gumbel_p(ratio, replicas)
    return ScanCluster(centre, places, float(search.zones.distance[zone]), first, last, int(cases), expected, exact, risk, float(data.people[places].sum()),
                       p, tail, 1 / p if p else float("nan"))


def scan(cases: Whole, coordinates: Numbers, model: Model = "poisson", *, population: Numbers | None = None, controls: Whole | None = None,
         people: Numbers | None = None, zone_weights: Numbers | None = None, settings: Settings | None = None) -> Scanned:
    """Clusters of cases in space, or in space and time.

    cases: places × periods (one period: purely spatial); coordinates: places × 2; population (Poisson): places, or places × periods: people, or expected
    cases where risks are known to differ (then `people`, by place, are only told); controls (Bernoulli): places × periods; `zone_weights` bound
    the zones instead of people at risk. Raises ValueError where what the model needs is missing.
    """
    settings, cases = settings or Settings(), np.asarray(cases, dtype=np.int64)
    if not cases.size or cases.sum() < settings.least_cases:
        return Scanned((), np.zeros(0), 0)
    data = _data(cases, model, population, controls, people)
    zones = zones_of(coordinates, data.weights if zone_weights is None else zone_weights, settings.max_share, settings.max_radius, settings.planar)
    search = _Search(data, zones, settings)
    seen = search.seen()
    replicas = search.replicas() if seen else np.zeros(0)
    told: list[ScanCluster] = []
    taken = np.zeros(len(cases), dtype=np.bool_)
    for found in seen:
        places = zones.members(found[1], int(found[2][0]))
        if not taken[places].any():
            taken[places] = True
            told.append(_cluster(search, found, replicas))
    return Scanned(tuple(told), replicas, int(zones.is_first.sum()))


def zone_ratios(cases: Whole, coordinates: Numbers, model: Model = "poisson", *, population: Numbers | None = None, controls: Whole | None = None,
                zone_weights: Numbers | None = None, settings: Settings | None = None) -> tuple[list[Whole], Numbers]:
    """Purely spatial: every zone, centre by centre, and its log likelihood ratio (whether or not it has two cases)."""
    settings, cases = settings or Settings(), np.asarray(cases, dtype=np.int64)
    data = _data(cases, model, population, controls)
    zones = zones_of(coordinates, data.weights if zone_weights is None else zone_weights, settings.max_share, settings.max_radius, settings.planar)
    members, ratios = [], []
    for centre, (start, end) in enumerate(zip(zones.starts[:-1], zones.starts[1:], strict=True)):
        for zone in range(start, end):
            if zones.is_zone[zone]:
                places = zones.members(centre, zone)
                inside, base = float(data.cases[places].sum()), float(data.base[places].sum())
                members.append(places)
                ratios.append(scan_search.bernoulli_ratio(inside, base, float(data.total), data.units) if model == "bernoulli"
                              else log_likelihood_ratio(inside, base, data.total))
    return members, np.array(ratios)
