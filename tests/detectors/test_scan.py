"""Scan statistics: equal to SaTScan and SpatialEpi, to a slow search through every cylinder, and honest where there is only chance."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

from quanmin.detectors.scan import Model, Settings, log_likelihood_ratio, scan, zone_ratios
from quanmin.services.surveillance.scanning_files import AskedScan, scan_files

ORACLES = Path(__file__).parents[3] / "shared" / "oracles" / "surveillance" / "scan"
NM = {"period": "year", "since": "1973-01-01", "until": "1991-12-31"}
CITY = {"since": "2023-01-01", "until": "2023-03-31", "coordinates": "planar"}
RUNS = {
    "sat_nm_st_poisson": AskedScan(ORACLES / "nm.cas", ORACLES / "nm.geo", ORACLES / "nm.pop", **NM),
    "sat_nm_spatial_poisson": AskedScan(ORACLES / "nm.cas", ORACLES / "nm.geo", ORACLES / "nm.pop", spatial=True, **NM),
    "sat_nyc_stp": AskedScan(ORACLES / "NYCfever.cas", ORACLES / "NYCfever.geo", model="permutation", since="2001-11-01", until="2001-11-24",
                             settings=Settings(prospective=True, max_periods=7, max_radius=3)),
    "sat_nh_bernoulli": AskedScan(ORACLES / "NHumberside.cas", ORACLES / "NHumberside.geo", controls=ORACLES / "NHumberside.ctl", model="bernoulli",
                                  spatial=True, coordinates="planar"),
    "sat_cityA_stp_prosp": AskedScan(ORACLES / "cityA.cas", ORACLES / "cityA.geo", model="permutation", **CITY,
                                     settings=Settings(0.2, max_periods=14, prospective=True)),
    "sat_cityA_poisson_prosp": AskedScan(ORACLES / "cityA.cas", ORACLES / "cityA.geo", ORACLES / "cityA.pop", **CITY,
                                         settings=Settings(0.3, max_periods=14, prospective=True)),
    "sat_cityA_poisson_spatial": AskedScan(ORACLES / "cityA.cas", ORACLES / "cityA.geo", ORACLES / "cityA.pop", spatial=True, **CITY),
}


def needed(name: str) -> Path:
    if not (ORACLES / name).exists():
        pytest.skip(f"{name} is not at ../shared/oracles/surveillance/scan")
    return ORACLES / name


def satscan(name: str, is_prospective: bool) -> list[dict[str, object]]:
    """Clusters as SaTScan wrote them (.col.txt) with their members (.gis.txt)."""
    members: dict[str, set[str]] = {}
    for line in needed(f"{name}.gis.txt").read_text("utf-8").splitlines():
        place, cluster = line.split()[:2]
        members.setdefault(cluster, set()).add(place)
    told = []
    for words in (line.split() for line in needed(f"{name}.col.txt").read_text("utf-8").splitlines()):
        first, last = ("-".join(part.zfill(2) for part in word.split("/")) for word in words[6:8])
        later = words[12:] if is_prospective else words[11:]
        told.append({"members": members[words[0]], "radius": float(words[4]), "first": first, "last": last, "llr": float(words[9]), "p": float(words[10]),
                     "observed": int(later[0]), "expected": float(later[1])})
    return told


@pytest.mark.parametrize("name", RUNS)
def test_clusters_are_those_of_satscan(name: str) -> None:
    asked = RUNS[name]
    theirs = satscan(name, asked.settings.prospective)
    rows = scan_files(asked).rows[:len(theirs)]
    assert np.allclose([row["llr"] for row in rows], [one["llr"] for one in theirs], rtol=0, atol=6e-7)
    assert [set(row["members"].split()) for row in sorted(rows, key=lambda row: (-round(row["llr"], 6), row["members"]))] == [
        one["members"] for one in sorted(theirs, key=lambda one: (-one["llr"], sorted_like(one["members"], rows)))]
    by_members = {frozenset(row["members"].split()): row for row in rows}
    for one in theirs:
        row = by_members[frozenset(one["members"])]
        assert row["observed"] == one["observed"] and row["expected"] == pytest.approx(one["expected"], abs=0.0051)
        assert row["radius"] == pytest.approx(one["radius"], abs=0.0051)
        if not asked.spatial:
            assert (row["first_on"], row["last_on"]) == (one["first"], one["last"])
        if "bernoulli" not in name:  # theirs stopped after 139 replicas there
            spread = 4 * np.sqrt(one["p"] * (1 - one["p"]) * (2 / 999 if "nyc" not in name else 1 / 999 + 1 / 207)) + 0.002
            assert abs(row["p"] - one["p"]) < spread
        if one["p"] < 0.002:
            assert abs(np.log10(row["p_gumbel"] / one["p"])) < 0.8


def sorted_like(members: object, rows: list[dict[str, object]]) -> str:
    return next(str(row["members"]) for row in rows if set(str(row["members"]).split()) == members)


@pytest.mark.parametrize(("name", "model", "share"), [("kulldorff_pennLC_pois_ub50", "poisson", 0.5), ("kulldorff_pennLC_binom_ub10", "bernoulli", 0.1)])
def test_zones_and_their_ratios_are_those_of_spatialepi(name: str, model: Model, share: float) -> None:
    with needed("pennLC.csv").open(encoding="utf-8") as stream:
        places = list(csv.DictReader(stream))
    xy, people, expected = (np.array([[float(row[key]) for key in keys] for row in places])
                            for keys in (("x_km", "y_km"), ("population",), ("expected_strata",)))
    cases = np.array([[int(row["cases"])] for row in places])
    given = {"population": expected} if model == "poisson" else {"controls": people.astype(int) - cases}
    with needed(f"{name}_zone_llr.csv").open(encoding="utf-8") as stream:
        theirs = np.array([float(row["loglik"]) for row in csv.DictReader(stream)])
    with needed(f"{name}.csv").open(encoding="utf-8") as stream:
        clusters = list(csv.DictReader(stream))
    settings = Settings(share, replicas=0)
    _, ours = zone_ratios(cases, xy, model, **given, zone_weights=people[:, 0], settings=settings)
    assert len(ours) == len(theirs) and np.allclose(ours, theirs, rtol=0, atol=1e-7 if model == "bernoulli" else 1e-11)  # large logarithms cancel in theirs
    found = scan(cases, xy, model, **given, zone_weights=people[:, 0], settings=Settings(share)).clusters
    for row, one in zip(clusters, found, strict=False):
        assert {str(at + 1) for at in one.places} == set(row["ids"].split()) and one.cases == int(row["cases"])
        assert one.ratio == pytest.approx(float(row["LLR"]), rel=1e-6) and one.expected == pytest.approx(float(row["expected"]), rel=1e-9)
        assert abs(one.p - float(row["p"])) < 0.02


def slow(cases: np.ndarray, base: np.ndarray, xy: np.ndarray, weights: np.ndarray, share: float, longest: int, prospective: bool, is_bernoulli: bool) -> float:
    """The highest ratio over every circle and every window, one after the other."""
    best, total, units, days = 0.0, cases.sum(), base.sum(), cases.shape[1]
    for centre in range(len(xy)):
        near = np.argsort(np.hypot(*(xy - xy[centre]).T), kind="stable")
        for size in range(1, len(xy) + 1):
            zone = near[:size]
            if weights[zone].sum() > share * weights.sum() * (1 + 1e-12):
                break
            for start, end in itertools.combinations(range(days + 1), 2):
                if end - start > longest or (prospective and end != days):
                    continue
                inside, expected = cases[zone, start:end].sum(), base[zone, start:end].sum()
                if inside < 2:
                    continue
                if is_bernoulli:
                    def term(k: float, n: float) -> float:
                        return (k * np.log(k / n) if k else 0.0) + ((n - k) * np.log(1 - k / n) if n > k else 0.0)
                    value = term(inside, expected) + term(total - inside, units - expected) - term(total, units) if inside * units > total * expected else 0.0
                else:
                    value = log_likelihood_ratio(inside, expected, total)
                best = max(best, value)
    return best


@pytest.mark.parametrize("prospective", [False, True])
@pytest.mark.parametrize("model", ["poisson", "steady", "bernoulli", "permutation"])
def test_the_search_finds_what_a_search_through_everything_finds(model: str, prospective: bool) -> None:
    rng = np.random.default_rng(7)
    for trial in range(6):
        places, days, longest = int(rng.integers(3, 9)), int(rng.integers(2, 16)), int(rng.integers(1, 9))
        xy = rng.integers(0, 40, (places, 2)) + rng.random((places, 2))
        cases = rng.poisson(rng.gamma(1, 1.2 + trial, (places, 1)) * rng.gamma(2, 0.5, days))
        cases[0, 0] += 3
        people = rng.integers(50, 400, (places, days if model == "poisson" else 1)).astype(float)
        given = {"population": people} if model in ("poisson", "steady") else {"controls": rng.poisson(3, cases.shape)} if model == "bernoulli" else {}
        name: Model = "poisson" if model == "steady" else model  # type: ignore[assignment]
        people = np.broadcast_to(people, cases.shape)
        base = (cases + given["controls"] if model == "bernoulli" else np.outer(cases.sum(1), cases.sum(0)) / cases.sum() if model == "permutation"
                else people / people.sum() * cases.sum())
        found = scan(cases, xy, name, **given, settings=Settings(0.6, max_periods=longest, prospective=prospective, replicas=0))
        expected = slow(cases, base, xy, base.sum(1), 0.6, min(longest, days), prospective, model == "bernoulli")
        assert (found.clusters[0].ratio if found.clusters else 0.0) == pytest.approx(expected, abs=1e-8)


def world(places: int, days: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    people = rng.integers(2_000, 60_000, places)
    return rng.poisson(np.outer(people / people.mean(), np.full(days, rate))), rng.random((places, 2)) * 50, people


@pytest.mark.parametrize("model", ["poisson", "permutation"])
def test_p_is_fair_where_there_is_only_chance_and_small_where_something_is_planted(model: Model) -> None:
    chance = []
    for seed in range(40):
        cases, xy, people = world(12, 30, 0.4, seed)
        given = {"population": people} if model == "poisson" else {}
        chance.append(scan(cases, xy, model, **given, settings=Settings(max_periods=7, prospective=True, replicas=99, seed=seed)).clusters[0].p)
    assert 0.3 < np.mean(chance) < 0.7 and np.mean(np.array(chance) <= 0.1) <= 0.25
    cases, xy, people = world(12, 30, 0.4, 99)
    near = np.argsort(np.hypot(*(xy - xy[4]).T))[:3]
    cases[near, 25:] += 3
    found = scan(cases, xy, model, **({"population": people} if model == "poisson" else {}), settings=Settings(max_periods=7, prospective=True)).clusters[0]
    assert set(near) <= set(found.places.tolist()) and (found.first, found.last) == (25, 29)
    assert found.p <= 0.002 and found.p_gumbel < 1e-3 and found.recurrence >= 500


def test_replicas_depend_on_the_seed_alone() -> None:
    cases, xy, people = world(15, 40, 0.3, 3)
    for model, given in (("poisson", {"population": people}), ("permutation", {}), ("bernoulli", {"controls": cases[::-1]})):
        first, second, other = (scan(cases, xy, model, **given, settings=Settings(replicas=30, seed=seed, threads=threads)).replicas
                                for seed, threads in ((5, 1), (5, 3), (6, 1)))
        assert np.array_equal(first, second) and not np.array_equal(first, other)


@pytest.mark.parametrize("prospective", [False, True])
def test_replicas_searched_together_are_those_searched_alone(prospective: bool) -> None:
    for seed, places, days, rate in ((1, 15, 40, 0.3), (2, 9, 60, 2.0), (3, 25, 30, 0.05)):
        cases, xy, people = world(places, days, rate, seed)
        cases = np.random.default_rng(seed).poisson(cases * np.random.default_rng(seed).gamma(1, 1, days))
        people_by_day = np.outer(people, np.linspace(1, 3, days))
        for model, given in (("permutation", {}), ("poisson", {"population": people_by_day}), ("poisson", {"population": people})):
            limits = {"max_periods": 9, "prospective": prospective, "replicas": 24, "seed": seed}
            together, alone = (scan(cases, xy, model, **given, settings=Settings(0.7, **limits, threads=threads)) for threads in (1, 24))
            assert np.allclose(together.replicas, alone.replicas, rtol=0, atol=1e-8) and together.clusters[0].ratio == alone.clusters[0].ratio


def test_replicas_of_many_cases_are_those_of_few_in_other_words() -> None:
    cases, xy, people = world(8, 12, 500.0, 4)  # more than fit into 16 bits
    assert cases.sum() > 32_000
    found = scan(cases, xy, population=people, settings=Settings(replicas=19))
    base = np.broadcast_to(people[:, None], cases.shape) / (people.sum() * 12) * cases.sum()
    assert found.clusters[0].ratio == pytest.approx(slow(cases, base, xy, people.astype(float), 0.5, 6, False, False), rel=1e-6)
    assert (found.replicas > 0).all()


def test_edges() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [5.0, 0.0], [9.0, 0.0]])
    assert scan(np.zeros((4, 5), int), xy, population=np.ones(4)).clusters == ()
    assert scan(np.array([[3, 0, 4]]), np.zeros((1, 2)), "permutation").clusters == ()  # all places together cannot stand out
    cases = np.array([[0, 0, 6], [0, 0, 5], [1, 1, 1], [2, 1, 2]])
    found = scan(cases, xy, "poisson", population=np.ones(4), settings=Settings(replicas=99))
    assert set(found.clusters[0].places.tolist()) == {0, 1} and (found.clusters[0].first, found.clusters[0].last) == (2, 2)
    alone = scan(np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]), xy, population=np.ones(4))
    assert alone.clusters == ()  # one case is no cluster
    for model in ("poisson", "bernoulli"):
        with pytest.raises(ValueError, match="needs"):
            scan(cases, xy, model)
