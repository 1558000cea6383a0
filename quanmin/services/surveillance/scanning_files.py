"""Scans of bare files: cases by place and day, places, people; CSV, Excel or SaTScan's own files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.detectors.scan import MODELS, ScanCluster, Scanned, Settings, scan
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import header_of
from quanmin.services.surveillance.bare_rows import SATSCAN, Days, Numbers, Rows, Whole, edges_of, read_rows
from quanmin.services.surveillance.set_options import Option, given

PERIODS = ("day", "week", "month", "year")
DEGREES, PLANAR = ("latitude", "longitude"), ("x", "y")
LIMITS = {"max_share": Option(0.5, 1e-6, 1), "max_radius": Option(None, 1e-9, 1e9), "replicas": Option(999, 0, 99_999, is_whole=True),
          "seed": Option(1, 0, 2**31, is_whole=True), "least_cases": Option(2, 1, 1_000_000, is_whole=True)}
SHORT = {"latitude": "lat", "longitude": "lon"}
MOST_LATITUDE, MOST_LONGITUDE = 90, 180
MID_YEAR = 181  # days; a population of a year is of the first of July, as in SaTScan
MOST_CELLS, MOST_PLACES, MOST_CASES, MOST_CONTROLS = 50_000_000, 5_000, 10_000_000, 900_000_000
COLUMNS = ("cluster", "centre", "members", "place_count", "latitude", "longitude", "radius", "first_on", "last_on", "observed", "expected", "observed_expected",
           "relative_risk", "llr", "p", "p_gumbel", "recurrence_days", "units")


@dataclass(frozen=True)
class AskedScan:
    """What is asked of a scan: its files, model, columns and limits."""

    cases: Path
    places: Path
    population: Path | None = None
    controls: Path | None = None
    model: str = "poisson"
    spatial: bool = False
    period: str = "day"
    since: str = ""
    until: str = ""
    coordinates: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    covariates: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)

    def column(self, name: str) -> str:
        """What a column is called in the files."""
        return dict(self.columns).get(name, name)


@dataclass(frozen=True)
class FoundClusters:
    """Clusters as rows, the most likely first, and how much was scanned."""

    rows: list[dict[str, Any]]
    scanned: Scanned
    cases: int
    places: int
    periods: int
    first_on: str
    last_on: str


@dataclass(frozen=True)
class _Places:
    ids: tuple[str, ...]
    coordinates: Numbers
    planar: bool

    def numbers(self, rows: Rows, column: str, file: str) -> Whole:
        """The number of the place of each row; raises Refusal for one that has no coordinates."""
        values, at = np.unique(rows.told(column).astype(str), return_inverse=True)
        known = {name: number for number, name in enumerate(self.ids)}
        found = np.array([known.get(value, -1) for value in values.tolist()], dtype=np.int64)[at] if len(at) else np.zeros(0, dtype=np.int64)
        rows.refuse(found < 0, column, say("scan_unknown_place", file=file), say("scan_mend_unknown_place"))
        return found


def limits_of(texts: Sequence[str], prospective: bool = False, max_periods: int | None = None) -> Settings:
    """The settings of a scan from `name=value`; raises Refusal for those that cannot be used."""
    chosen = given("scan", texts, LIMITS)
    return Settings(chosen.number("max_share"), chosen.number("max_radius") if chosen.has("max_radius") else np.inf, max_periods, prospective,
                    replicas=chosen.whole("replicas"), seed=chosen.whole("seed"), least_cases=chosen.whole("least_cases"))


def _bad(option: str, value: object, known: str) -> Refusal:
    return Refusal(Problem("scan", None, option, str(value)[:40], say("quality_bad_option"), say("quality_mend_range", range=known)))


def _checked(asked: AskedScan) -> None:
    if asked.model not in MODELS:
        raise _bad("--model", asked.model, " | ".join(MODELS))
    if asked.period not in PERIODS:
        raise _bad("--period", asked.period, " | ".join(PERIODS))
    if asked.coordinates not in ("", "degrees", "planar"):
        raise _bad("--coordinates", asked.coordinates, "degrees | planar")
    if asked.spatial and asked.model == "permutation":
        raise _bad("--model", asked.model, say("scan_needs_time"))
    if asked.model == "poisson" and asked.population is None:
        raise Refusal(Problem("scan", None, "--population", "", say("quality_need"), say("quality_mend_need", options="--population")))
    if asked.model == "bernoulli" and asked.controls is None:
        raise Refusal(Problem("scan", None, "--controls", "", say("quality_need"), say("quality_mend_need", options="--controls")))


def _places(asked: AskedScan) -> _Places:
    planar = asked.coordinates == "planar"
    if asked.places.suffix.lower() in SATSCAN:
        rows, names, place = read_rows(asked.places, SATSCAN[".geo"]), ("first", "second"), "place"
    else:
        header, place = header_of(asked.places), asked.column("place")
        planar = planar or (asked.coordinates == "" and all(asked.column(name) in header for name in PLANAR))
        own = [asked.column(name) for name in (PLANAR if planar else DEGREES)]
        one, two = (SHORT[name] if name not in header and SHORT.get(name) in header else name for name in own)
        names = (one, two)
        rows = read_rows(asked.places, (place, *names))
    coordinates = np.stack([rows.numbers(name) for name in names], axis=1) if len(rows) else np.zeros((0, 2))
    if not planar:
        for name, values, most in zip(names, coordinates.T, (MOST_LATITUDE, MOST_LONGITUDE), strict=True):
            rows.refuse(np.abs(values) > most, name, say("scan_bad_degrees", most=most), say("scan_mend_bad_degrees"))
    ids = rows.told(place).astype(str)
    first = np.zeros(len(ids), dtype=np.bool_)
    first[np.unique(ids, return_index=True)[1]] = True
    rows.refuse(~first, place, say("scan_place_twice"), say("scan_mend_place_twice"))
    if not len(ids):
        raise Refusal(Problem(rows.file, 1, "", "", say("quality_no_rows"), say("quality_mend_no_rows")))
    return _Places(tuple(ids.tolist()), coordinates, planar)


@dataclass(frozen=True)
class _Events:
    """Cases or controls of a file: place (number), count and day of each row; no day where the file has none and none is needed."""

    rows: Rows
    place: Whole
    count: Whole
    day: Days
    day_column: str


def _events(path: Path, asked: AskedScan, places: _Places) -> _Events:
    is_satscan = path.suffix.lower() in SATSCAN
    place, count, day = ("place", "count", "date") if is_satscan else (asked.column(name) for name in ("place", "count", "date"))
    covariates = asked.covariates if asked.model == "poisson" else ()
    wanted = [place, *((count,) if is_satscan else ()), *(() if asked.spatial or is_satscan else (day,)), *covariates]
    rows = read_rows(path, wanted, (count, day))
    at = places.numbers(rows, place, str(asked.places))
    counts = rows.counts(count) if count in rows.columns else np.ones(len(rows), dtype=np.int64)
    if asked.spatial and (day not in rows.columns or bool((rows.columns[day] == "").all())):
        return _Events(rows, at, counts, np.full(len(rows), np.datetime64("NaT"), dtype="datetime64[D]"), day)
    days = rows.dates(day)[0]
    rows.refuse(days > np.datetime64(date.today(), "D"), day, say("scan_future"), say("scan_mend_future"))
    return _Events(rows, at, counts, days, day)


@dataclass(frozen=True)
class _Study:
    """First and last day of what is scanned, and the first day of each period (one more than there are periods)."""

    first: np.datetime64
    last: np.datetime64
    edges: Days

    @property
    def periods(self) -> int:
        """How many periods there are."""
        return len(self.edges) - 1

    def inside(self, events: _Events) -> NDArray[np.bool_]:
        """Which rows are of the study; those without a day are."""
        found: NDArray[np.bool_] = np.isnat(events.day) | ((events.day >= self.first) & (events.day <= self.last))
        return found

    def table(self, events: _Events, places: int) -> Whole:
        """places × periods."""
        inside, counted = self.inside(events), np.zeros((places, self.periods), dtype=np.int64)
        period = np.searchsorted(self.edges, events.day[inside], side="right") - 1
        np.add.at(counted, (events.place[inside], np.clip(period, 0, self.periods - 1)), events.count[inside])
        return counted


def _study(asked: AskedScan, events: Sequence[_Events], places: int) -> _Study:
    days = np.concatenate([one.day for one in events])
    days = days[~np.isnat(days)]
    today = np.datetime64(date.today(), "D")
    first, last = _limit(asked.since, "--from") or (days.min() if len(days) else today), _limit(asked.until, "--to") or (days.max() if len(days) else today)
    length = {"day": 1, "week": 7, "month": 30, "year": 365}[asked.period]
    if last < first or (not asked.spatial and int((last - first).astype(np.int64)) / length * places > MOST_CELLS):
        raise _bad("--from, --to", f"{first} – {last}", say("scan_too_long"))
    return _Study(first, last, np.array([first, last + 1]) if asked.spatial else edges_of(first, last, asked.period))


def _limit(text: str, option: str) -> np.datetime64 | None:
    if not text:
        return None
    try:
        return np.datetime64(date.fromisoformat(text.replace("/", "-")), "D")
    except ValueError as error:
        raise _bad(option, text, "2026-03-01") from error


def _strata(rows: Rows, asked: AskedScan) -> NDArray[np.str_]:
    """The covariates of each row as one text: the columns named, or whatever stands behind the known ones in a SaTScan file."""
    parts = [rows.columns[name].astype(str) for name in (("rest",) if "rest" in rows.columns else asked.covariates)]
    found: NDArray[np.str_] = np.array([" ".join(row) for row in zip(*parts, strict=True)] if parts else [""] * len(rows), dtype=str)
    return found


def _population(asked: AskedScan, places: _Places, study: _Study, seen: _Events) -> tuple[Numbers, Numbers]:
    """Expected cases by place and period, as far as a factor, and the people of each place.

    People are summed over covariates and lie on straight lines between the days they were counted on; with covariates every stratum has its own risk, which is
    that of all places and periods together (indirect standardisation).
    """
    assert asked.population is not None
    path, inside = asked.population, study.inside(seen)
    named = ("place", "date", "population")
    place, when, people = named if path.suffix.lower() in SATSCAN else (asked.column(name) for name in named)
    rows = read_rows(path, (place, people, *asked.covariates), (when,))
    at, values = places.numbers(rows, place, str(asked.places)), rows.numbers(people)
    rows.refuse(values < 0, people, say("quality_below_zero"), say("quality_mend_below_zero"))
    days = np.zeros(len(rows), dtype="datetime64[D]")
    if when in rows.columns:
        days, grain = rows.dates(when)
        days = days + np.where(grain == "Y", MID_YEAR, 0)
    counted, which = np.unique(days, return_inverse=True)
    strata, stratum = np.unique(_strata(rows, asked), return_inverse=True)
    cases = _strata(seen.rows, asked)
    has_strata = len(strata) > 1 or bool(asked.covariates)
    told_in = next(iter(asked.covariates), "rest" if "rest" in seen.rows.columns else next(iter(seen.rows.columns)))
    seen.rows.refuse(inside & ~np.isin(cases, strata) & has_strata, told_in, say("scan_no_stratum"),
                     say("scan_mend_no_stratum", file=path))
    table = np.zeros((len(strata), len(places.ids), len(counted)))
    np.add.at(table, (stratum, at, which), values)
    weights = _weights(counted, study)
    length = np.diff(study.edges).astype(np.float64)  # people are at risk for as long as the period is
    everyone, expected = np.zeros((len(places.ids), study.periods)), np.zeros((len(places.ids), study.periods))
    for name, part in zip(strata, table, strict=True):
        people_of = part @ weights
        everyone += people_of
        at_risk = people_of * length
        total = float(at_risk.sum())
        expected += at_risk * (float(seen.count[inside & (cases == name)].sum()) / total if total and has_strata else 1.0)
    return expected, everyone @ length / length.sum()


def _weights(counted: Days, study: _Study) -> Numbers:
    """counts × periods: how much each day of counting says of each period (mean over its days), straight lines between and level outside."""
    if len(counted) == 1:
        return np.ones((1, study.periods))
    days = np.arange(study.edges[0], study.edges[-1]).astype(np.float64) + 0.5
    daily = np.stack([np.interp(days, counted.astype(np.float64), row) for row in np.eye(len(counted))])
    at = study.edges.astype(np.int64) - int(study.edges[0].astype(np.int64))
    return np.asarray(np.add.reduceat(daily, at[:-1], axis=1) / np.diff(at), dtype=np.float64)


def scan_files(asked: AskedScan) -> FoundClusters:
    """Scan the files for clusters.

    Raises Refusal for options and files that cannot be used: an unknown place, a place twice, a day that is none or lies in the future,
    no people where cases are.
    """
    _checked(asked)
    places = _places(asked)
    seen = _events(asked.cases, asked, places)
    control = _events(asked.controls, asked, places) if asked.model == "bernoulli" and asked.controls is not None else None
    study = _study(asked, [one for one in (seen, control) if one is not None], len(places.ids))
    cases, expected, people = study.table(seen, len(places.ids)), None, None
    if asked.model == "poisson":
        expected, people = _population(asked, places, study, seen)
        if (bad := np.argwhere((cases > 0) & (expected <= 0))).size:
            raise Refusal(Problem(str(asked.population), None, asked.column("place"), places.ids[bad[0, 0]], say("scan_no_people"), say("scan_mend_no_people")))
    negative = study.table(control, len(places.ids)) if control is not None else None
    if len(places.ids) > MOST_PLACES or cases.sum() > MOST_CASES or (negative is not None and negative.sum() > MOST_CONTROLS):
        raise Refusal(Problem(str(asked.cases), None, "", f"{len(places.ids)}, {cases.sum()}", say("scan_too_many", places=MOST_PLACES, cases=MOST_CASES),
                              say("scan_mend_too_many")))
    settings = Settings(**(vars(asked.settings) | {"planar": places.planar}))
    found = scan(cases, places.coordinates, asked.model, population=expected, people=people, settings=settings,  # type: ignore[arg-type]
                 controls=negative)
    told = [_row(number, one, places, asked, study) for number, one in enumerate(found.clusters, 1)]
    has_days = not asked.spatial or not bool(np.isnat(seen.day).all())
    return FoundClusters(told, found, int(cases.sum()), len(places.ids), study.periods, *((str(study.first), str(study.last)) if has_days else ("", "")))


def _row(number: int, one: ScanCluster, places: _Places, asked: AskedScan, study: _Study) -> dict[str, Any]:
    days = (None, None) if asked.spatial else (str(study.edges[one.first]), str(study.edges[one.last + 1] - 1))
    length = {"day": 1, "week": 7, "month": 365.25 / 12, "year": 365.25}[asked.period]
    recurrence = one.recurrence * length if asked.settings.prospective and not asked.spatial else None
    first, second = places.coordinates[one.centre].tolist()
    members = " ".join(places.ids[at] for at in one.places.tolist())
    values = (number, places.ids[one.centre], members, len(one.places), first, second, one.radius, *days, one.cases, one.expected,
              one.cases / one.expected, one.relative_risk, one.ratio, one.p, one.p_gumbel, recurrence, one.units)
    return {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in zip(COLUMNS, values, strict=True)}
