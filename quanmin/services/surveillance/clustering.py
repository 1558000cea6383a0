"""Space-time scan of a site: townships by days, disease by disease, on the newest day (clusters that go on) or over the last year.

Poisson: what is expected of a township on a day is its share of the cases the region had in the study, by its residents, its own level in the two years before
and the region's own rise and fall. Without residents: space-time permutation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanmin.detectors.ranking import benjamini_hochberg
from quanmin.detectors.scan import Model, ScanCluster, Settings, scan
from quanmin.services.surveillance.daily import CASE, Daily, Numbers, Whole
from quanmin.services.surveillance.townships import Places
from quanmin.services.surveillance.watching import day_text, watch


@dataclass(frozen=True)
class ClusterPlace:
    """A township (or county) of a cluster with its point in degrees: cases and expected cases on the cluster's days."""

    place: str
    county: str
    longitude: float
    latitude: float
    cases: int
    expected: float


@dataclass(frozen=True)
class Cluster:
    """Townships near each other with more cases of a disease on some days than chance makes likely.

    `observed`, `expected` and `relative_risk` (observed / expected against the same outside) are of the places shown; `is_cut` where the cluster reaches into
    counties that are not seen: then it is counted over the places that are (relative risk: observed / expected), and only `p` (of the highest ratio among the
    replicas, from a Gumbel distribution fitted to them) and `q` (share of false clusters at which it would be raised) are of the whole. `is_going_on`: still
    so on `known_on`. `events`: those it overlaps.
    """

    item: str
    first_on: str
    last_on: str
    known_on: str
    is_going_on: bool
    places: tuple[ClusterPlace, ...]
    observed: int
    expected: float
    relative_risk: float
    p: float
    q: float
    model: str
    is_cut: bool = False
    events: tuple[str, ...] = ()

    @property
    def counties(self) -> tuple[str, ...]:
        """Its counties, that of the place nearest to the centre first."""
        return tuple(dict.fromkeys(one.county for one in self.places))


@dataclass(frozen=True)
class Scanned:
    """Clusters of all diseases scanned, the least likely first; `diseases` how many were, `unplaced` cases of the study that lie in no known place."""

    clusters: tuple[Cluster, ...]
    diseases: int
    places: int
    unplaced: int
    known_on: str


@dataclass(frozen=True)
class Study:
    """What is scanned: places with points, and every case row as series, place (-1 none), day and count."""

    codes: tuple[str, ...]
    county: tuple[str, ...]
    point: Numbers
    people: Numbers
    series: Whole
    place: Whole
    day: Whole
    count: Whole
    daily: Daily


def study_of(daily: Daily, places: Places, residents: Mapping[str, int]) -> Study:
    """Townships with points, and the counties that have none registered; rows of a township that is not registered lie nowhere."""
    known = np.isfinite(places.point).all(axis=1)
    has_towns = np.isin(places.codes, np.unique(places.county[places.is_township]))
    used = np.flatnonzero(known & (places.is_township | ~has_towns))
    codes = [str(code) for code in places.codes[used]]
    where = {code: at for at, code in enumerate(codes)}
    of, day, town, count = daily.towns
    is_case = np.array([key[0] == CASE for key in daily.keys], dtype=bool)
    at = is_case[of] & np.array([key[3] not in where for key in daily.keys], dtype=bool)[of]
    row_place = np.array([where.get(code, -1) for code in town[at].tolist()], dtype=np.int64)
    series, when, number = [of[at]], [day[at]], [count[at]]
    spots = [row_place]
    for row in np.flatnonzero(is_case):  # counties without townships are places themselves
        if (spot := where.get(daily.keys[row][3], -1)) >= 0:
            days = np.flatnonzero(np.nan_to_num(daily.counts[row]) > 0)
            series.append(np.full(len(days), row))
            when.append(days)
            number.append(daily.counts[row, days].astype(np.int64))
            spots.append(np.full(len(days), spot))
    people = np.array([residents.get(code, 0) for code in codes], dtype=np.float64)
    rows, spot_of, days_of, counts = (np.concatenate(parts) for parts in (series, spots, when, number))
    return Study(tuple(codes), tuple(str(code) for code in places.county[used]), places.point[used][:, ::-1], people, rows, spot_of, days_of, counts, daily)


def _table(study: Study, item: str, first: int, last: int) -> tuple[Whole, int]:
    """Places × days of a disease between two days, and the cases that lie in no place."""
    mine = np.array([key[1] == item for key in study.daily.keys], dtype=bool)
    at = mine[study.series] & (study.day >= first) & (study.day <= last)
    found, placed = np.zeros((len(study.codes), last - first + 1), dtype=np.int64), at & (study.place >= 0)
    np.add.at(found, (study.place[placed], study.day[placed] - first), study.count[placed])
    return found, int(study.count[at & (study.place < 0)].sum())


def _expected(study: Study, cases: Whole, before: Whole) -> Numbers:
    """Poisson: expected cases by place and day, summing to the cases seen."""
    told = watch()["cluster"]
    residents = study.people / study.people.sum()
    share = (before + told["history_weight"] * residents) / (before.sum() + told["history_weight"])
    days, half = cases.shape[1], told["season_days"] // 2
    sums = np.r_[0, np.cumsum(cases.sum(axis=0))]
    start, end = np.maximum(np.arange(days) - half, 0), np.minimum(np.arange(days) + half + 1, days)
    season = (sums[end] - sums[start]) / (end - start)
    season = (season + season.mean()) / 2  # half level: a season that lies in one place alone is a cluster, not a season
    return np.asarray(cases.sum() * np.outer(np.where(study.people > 0, share, 0) / share[study.people > 0].sum(), season / season.sum()), dtype=np.float64)


def _scanned(study: Study, item: str, end: int, is_past: bool) -> tuple[list[Cluster], int]:
    """The clusters of one disease as they come, without q, and the cases in no place."""
    told = watch()["cluster"]
    first = max(0, end - told["study_days"] + 1)
    cases, unplaced = _table(study, item, first, end)
    before, _ = _table(study, item, max(0, first - told["history_days"]), first - 1) if first else (np.zeros((len(study.codes), 1), dtype=np.int64), 0)
    has_people = bool((study.people > 0).any()) and not (cases.sum(axis=1)[study.people <= 0]).any()
    model: Model = "poisson" if has_people else "permutation"
    replicas, longest = told["past_replicas" if is_past else "replicas"], min(told["longest_days"], cases.shape[1])
    settings = Settings(told["largest_share"], np.inf, longest, not is_past, False, replicas, least_cases=told["fewest"])
    if has_people and cases.sum():
        expected = _expected(study, cases, before.sum(axis=1))
        found = scan(cases, study.point, model, population=expected, people=study.people, zone_weights=study.people, settings=settings)
    else:
        total = max(int(cases.sum()), 1)
        expected = np.outer(cases.sum(axis=1), cases.sum(axis=0)) / total
        found = scan(cases, study.point, model, settings=settings)
    return [_cluster(study, item, one, cases, expected, first, end, model) for one in found.clusters], unplaced


def _cluster(study: Study, item: str, one: ScanCluster, cases: Whole, expected: Numbers, first: int, end: int, model: str) -> Cluster:
    inside = slice(one.first, one.last + 1)
    told = tuple(ClusterPlace(study.codes[at], study.county[at], float(study.point[at, 1]), float(study.point[at, 0]), int(cases[at, inside].sum()),
                              float(expected[at, inside].sum())) for at in one.places.tolist())
    p = one.p_gumbel if np.isfinite(one.p_gumbel) else one.p
    start = study.daily.first_day + first
    return Cluster(item, day_text(start + one.first), day_text(start + one.last), day_text(study.daily.first_day + end), one.last == end - first, told,
                   one.cases, one.expected, one.relative_risk if np.isfinite(one.relative_risk) else one.cases / max(one.expected, 1e-9), p, 1.0, model)


def clusters_on(study: Study, end: int, items: Collection[str] = (), is_past: bool = False) -> Scanned:
    """Clusters on day `end` (a place in the columns) that go on then, or with `is_past` any of the year before, within the share of false ones.

    Each disease's most likely cluster is one test among those of all diseases scanned (Benjamini–Hochberg); further clusters of it must reach the same p.
    """
    told, found, unplaced = watch()["cluster"], [], 0
    items = sorted(items) or sorted({key[1] for key in study.daily.keys if key[0] == CASE})
    if not study.codes:
        return Scanned((), 0, 0, 0, day_text(study.daily.first_day + end))
    for item in items:
        mine, lost = _scanned(study, item, end, is_past)
        found.append(mine)
        unplaced += lost
    best = np.array([mine[0].p if mine else 1.0 for mine in found])
    q = benjamini_hochberg(best)[:, 0] if len(best) else best
    limit = float(best[q <= told["q"]].max()) if (q <= told["q"]).any() else -1.0
    kept = [replace(one, q=float(share)) for mine, share in zip(found, q, strict=True) for one in mine if one.p <= limit]
    kept.sort(key=lambda one: (one.p, one.item, one.first_on))
    return Scanned(tuple(kept), len(items), len(study.codes), unplaced, day_text(study.daily.first_day + end))


def seen_part(one: Cluster, counties: Collection[str]) -> Cluster | None:
    """A cluster as somebody who sees some counties sees it: their places alone, counted again; None where it has none of them."""
    mine = tuple(place for place in one.places if place.county in counties)
    if len(mine) == len(one.places):
        return one
    if not mine or not sum(place.cases for place in mine):
        return None
    observed, expected = sum(place.cases for place in mine), sum(place.expected for place in mine)
    return replace(one, places=mine, observed=observed, expected=expected, relative_risk=observed / max(expected, 1e-9), is_cut=True)


def overlapping(one: Cluster, events: Sequence[tuple[str, str, str, str, str]]) -> tuple[str, ...]:
    """The events (id, item, county, first day, last day) of the disease that a cluster overlaps in county and time."""
    return tuple(name for name, item, county, first, last in events
                 if item == one.item and county in one.counties and first <= one.last_on and last >= one.first_on)
