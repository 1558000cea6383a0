"""Clusters of a site on made townships: one that is planted is found where it is, a season is none, chance raises few, and who sees a part sees that part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quanmin.services.surveillance.clustering import Cluster, ClusterPlace, Study, clusters_on, overlapping, seen_part, study_of
from quanmin.services.surveillance.daily import Daily
from quanmin.services.surveillance.townships import Places

SIDE, DAYS = 6, 900
CODES = [f"11010{1 + k // 12}{k % 12:03d}" for k in range(SIDE * SIDE)]
COUNTIES = sorted({code[:6] for code in CODES})
PEOPLE = {code: 500 + 20 * (k % 7) for k, code in enumerate(CODES)}
RATE = np.array([PEOPLE[code] for code in CODES]) / sum(PEOPLE.values())
PLACES = Places(np.array([*COUNTIES, *CODES]), np.array([*COUNTIES, *(code[:6] for code in CODES)]), np.array([False] * 3 + [True] * len(CODES)),
                np.array([[110.0, 30.0]] * 3 + [[110 + 0.05 * (k % SIDE), 30 + 0.05 * (k // SIDE)] for k in range(len(CODES))]))


def made(cases: dict[str, np.ndarray], places: Places = PLACES, people: dict[str, int] = PEOPLE) -> Study:
    """A study of diseases whose cases are given as townships × days."""
    keys = tuple(("case", disease, "other", county) for disease in cases for county in COUNTIES)
    counts, rows = np.zeros((len(keys), DAYS)), []
    for disease, table in cases.items():
        for town, day in np.argwhere(table).tolist():
            series = keys.index(("case", disease, "other", CODES[town][:6]))
            counts[series, day] += table[town, day]
            rows.append((series, day, CODES[town], int(table[town, day])))
    of, day, town, count = (np.array(values) for values in zip(*rows, strict=True))
    return study_of(Daily(keys, counts, 19_000, (of, day, town.astype(np.str_), count)), places, people)


def chance(seed: int, per_day: float, season: float = 0.0) -> np.ndarray:
    """Cases by residents alone, with a season."""
    by_day = per_day * (1 + season * np.sin(2 * np.pi * np.arange(DAYS) / 365))
    return np.random.default_rng(seed).poisson(np.outer(RATE, by_day))


def planted(seed: int, per_day: float) -> tuple[np.ndarray, list[int]]:
    """The same with two more cases a day in each of four neighbouring townships over the newest six days."""
    table, towns = chance(seed, per_day), [14, 15, 20, 21]
    table[np.ix_(towns, range(DAYS - 6, DAYS))] += 2
    return table, towns


def test_a_planted_cluster_is_found_where_and_when_it_is() -> None:
    table, towns = planted(1, 1.0)
    found = clusters_on(made({"mumps": table, "other": chance(2, 0.5)}), DAYS - 1)
    assert found.diseases == 2 and found.places == len(CODES) and found.unplaced == 0
    one = found.clusters[0]
    names = {place.place for place in one.places}
    assert one.item == "mumps" and one.is_going_on and one.p < 1e-6 and one.q <= 0.01 and one.model == "poisson"
    assert len(names & {CODES[k] for k in towns}) >= 3 and len(names) <= 9
    assert one.first_on >= str(np.datetime64(19_000 + DAYS - 7, "D")) and one.observed == sum(place.cases for place in one.places) >= 36
    assert abs(one.expected - sum(place.expected for place in one.places)) < 1e-6 and one.relative_risk > 5
    past = clusters_on(made({"mumps": np.roll(table, -200, axis=1)}), DAYS - 1, ["mumps"], True).clusters[0]
    assert not past.is_going_on and {place.place for place in past.places} & {CODES[k] for k in towns}
    assert past.last_on == str(np.datetime64(19_000 + DAYS - 201, "D"))


def test_a_season_of_the_whole_region_is_no_cluster_and_chance_raises_few() -> None:
    raised = 0
    for seed in range(30):
        tables = {"a": chance(seed, 2.0, 0.9), "b": chance(100 + seed, 0.2), "c": chance(200 + seed, 0.7)}
        raised += bool(clusters_on(made(tables), DAYS - 1 - 7 * (seed % 20)).clusters)
    assert raised <= 2, "one in a hundred is the budget"


def test_a_township_that_always_reports_more_is_no_cluster() -> None:
    raised = 0
    for seed in range(10):
        table = chance(300 + seed, 1.0)
        table[3] += np.random.default_rng(seed).poisson(0.12, DAYS)
        raised += bool(clusters_on(made({"a": table}), DAYS - 1).clusters)
    assert raised <= 1, "four times what its residents explain, but so it was before"


def test_a_rare_disease_needs_no_history_and_two_cases_are_none() -> None:
    table = np.zeros((len(CODES), DAYS), dtype=int)
    table[30, [DAYS - 5, DAYS - 3, DAYS - 1]] = 2
    assert [place.place for place in clusters_on(made({"typhoid": table}), DAYS - 1).clusters[0].places] == [CODES[30]]
    two = np.zeros((len(CODES), DAYS), dtype=int)
    two[30, [DAYS - 2, DAYS - 1]] = 1
    assert clusters_on(made({"typhoid": two}), DAYS - 1).clusters == ()


def test_without_residents_it_permutes_and_without_townships_counties_are_places() -> None:
    table, _ = planted(4, 1.0)
    assert clusters_on(made({"mumps": table}, people={}), DAYS - 1).clusters[0].model == "permutation"
    alone = Places(PLACES.codes[:3], PLACES.county[:3], PLACES.is_township[:3], np.array([[110.0, 30.0], [110.4, 30.0], [110.8, 30.0]]))
    burst = np.zeros((len(CODES), DAYS), dtype=int)
    burst[:, ::9], burst[0, DAYS - 4:] = 1, 40
    study = made({"mumps": burst}, alone, {code: 6_000 for code in COUNTIES})
    assert study.codes == tuple(COUNTIES) and int(study.count[study.place >= 0].sum()) == burst.sum()
    found = clusters_on(replace(study, people=study.people * [1, 3, 3]), DAYS - 1)
    assert [place.place for place in found.clusters[0].places] == [COUNTIES[0]]


def test_cases_of_unregistered_townships_are_told_and_nothing_is_no_trouble() -> None:
    table, _ = planted(5, 1.0)
    fewer = Places(PLACES.codes[:-1], PLACES.county[:-1], PLACES.is_township[:-1], PLACES.point[:-1])
    found = clusters_on(made({"mumps": table}, fewer), DAYS - 1)
    assert found.unplaced == table[-1, DAYS - 365:].sum() > 0 and found.places == len(CODES) - 1
    none = Places(PLACES.codes[:0], PLACES.county[:0], PLACES.is_township[:0], PLACES.point[:0])
    assert clusters_on(made({"mumps": table}, none), DAYS - 1).clusters == ()


def test_who_sees_one_county_sees_its_part_counted_again() -> None:
    places = tuple(ClusterPlace(code, code[:6], 1.0, 2.0, cases, expected)
                   for code, cases, expected in (("110101001", 5, 1.0), ("110102001", 7, 2.0), ("110101002", 0, 1.0)))
    one = Cluster("mumps", "2026-01-01", "2026-01-09", "2026-01-09", True, places, 12, 4.0, 3.5, 1e-5, 1e-4, "poisson")
    assert seen_part(one, {"110101", "110102", "110103"}) is one
    part = seen_part(one, {"110101"})
    assert part is not None and part.is_cut and (part.observed, part.expected, part.relative_risk) == (5, 2.0, 2.5) and part.counties == ("110101",)
    assert seen_part(one, {"110103"}) is None and seen_part(replace(one, places=places[2:]), {"110102"}) is None
    events = [("a", "mumps", "110101", "2026-01-05", "2026-01-20"), ("b", "mumps", "110103", "2026-01-05", "2026-01-20"),
              ("c", "mumps", "110102", "2026-02-05", "2026-02-20"), ("d", "measles", "110101", "2026-01-05", "2026-01-20")]
    assert overlapping(one, events) == ("a",)
