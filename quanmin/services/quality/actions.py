"""What may be asked of outcomes on a site: institutions fairly compared, and one institution followed stay by stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.quality.calibration import Calibration
from quanmin.services.quality.comparison import LIMITS, Comparison, compared
from quanmin.services.quality.following import FALSE_ALARM_YEARS
from quanmin.services.quality.following_on_site import Followed, followed
from quanmin.services.quality.learning import TABLE, Learnt, columns_of, learn, outcome_of

Numbers = NDArray[np.float64]
CURVE_POINTS = 60
YEAR = 4  # letters of a year
Z = 1.959963984540054  # the 97.5 % point of the normal distribution


@dataclass(frozen=True)
class FacilityOutcome:
    """An institution's outcome in a period: events (or days) observed and expected of its stays by the stays of all others.

    `ratio` is observed ÷ expected with exact mid-P limits and Byar's; the other limits are those of the funnel. `outside` is 0 within, ±1 beyond the
    95 % and ±2 beyond the 99.8 % limit; `is_flagged` beyond 99.8 %. Of a withheld one only code and name are told; too little expected (`is_few`)
    flags nobody.
    """

    facility: str
    name: str
    stays: int | None = None
    observed: float | None = None
    expected: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    byar_low: float | None = None
    byar_high: float | None = None
    p: float | None = None
    low_95: float | None = None
    high_95: float | None = None
    low_998: float | None = None
    high_998: float | None = None
    outside: int = 0
    is_flagged: bool = False
    is_few: bool = False
    left_against_advice: int | None = None
    is_withheld: bool = False


@dataclass(frozen=True)
class Coefficient:
    """A coefficient on the log-odds (log-days) scale with its standard error; `effect` is the odds (days) ratio with 95 % limits."""

    name: str
    estimate: float
    standard_error: float
    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationGroup:
    """A tenth of the stays by what was expected of them elsewhere: the means expected and observed; None where withheld."""

    stays: int
    expected: float
    observed: float | None


@dataclass(frozen=True)
class ModelCard:
    """What a comparison is worth: the stays the model was learnt from, and how well each institution's outcomes follow from those of all others.

    `c_statistic`, `slope`, `intercept`, `error` and `groups` judge what was expected of each institution without its own stays.
    """

    outcome: str
    kind: str
    stays: int
    events: float
    first_month: str
    last_month: str
    is_of_others: bool
    c_statistic_fitted: float | None
    c_statistic: float | None
    slope: float | None
    intercept: float | None
    error: float | None
    groups: tuple[CalibrationGroup, ...]
    coefficients: tuple[Coefficient, ...]
    excluded: Mapping[str, int]
    snapshot: int


@dataclass(frozen=True)
class Outcomes:
    """Institutions compared; `curve` rows are expected, low 95, high 95, low 99.8, high 99.8; `tau` is the spread between institutions allowed for."""

    outcome: str
    period: str
    facilities: tuple[FacilityOutcome, ...]
    curve: tuple[tuple[float, ...], ...]
    phi: float
    tau: float
    others: int
    withheld: int
    snapshot: int


@dataclass(frozen=True)
class Monitor(Followed):
    """One institution followed: by week, by month, and where the charts signalled; `limits` say how often they are wrong and how long they take."""

    outcome: str
    facility: str
    name: str
    false_alarm_years: float
    snapshot: int


def learnt(asker: Asker, outcome: str) -> Learnt:
    """The region's model of an outcome, learnt once per snapshot; raises Refusal for another outcome or too few events."""
    one = outcome_of(outcome)

    def make(stays: Any, newest: str) -> Learnt:
        return learn(one, stays, _months_before(newest, one.follow_up_months))

    found: Learnt = asker.learnt(f"outcome {one.id}", TABLE, columns_of(one), make)
    return found


def _months_before(month: str, count: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count if month else 0
    return f"{number // 12:04d}-{number % 12 + 1:02d}" if month else ""


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _period(asker: Asker, period: str, found: Learnt) -> str:
    """"" for all months, a year or a month; for a role without small counts a year, so that nothing can be subtracted from anything."""
    if not asker.may("small"):
        if not period:
            return found.last_month[:YEAR]
        if len(asker.period(period)) != YEAR:
            raise Refusal(Problem("question", None, "period", period, say("quality_years_only"), found.last_month[:YEAR]))
    return asker.period(period) if period else ""


def _in(found: Learnt, period: str) -> NDArray[np.bool_]:
    """Which stays are of a period."""
    if not period:
        return np.ones(found.happened.size, dtype=np.bool_)
    is_year = len(period) == YEAR
    return np.asarray(found.discharged.astype("datetime64[Y]" if is_year else "datetime64[M]") == np.datetime64(period))


def _sums(found: Learnt, values: Numbers, within: NDArray[np.bool_]) -> Numbers:
    total = np.concatenate([[0.0], np.cumsum(np.where(within, values, 0.0))])
    sums: Numbers = total[found.edges[1:]] - total[found.edges[:-1]]
    return sums


def spread_within(found: Learnt) -> float:
    """The variance of a sum of the outcome by chance over its expectation: 1 of events, of days what the stays show around what was expected of them."""
    return 1.0 if found.outcome.is_binary else float(((found.happened - found.expected) ** 2).sum() / found.expected.sum())


def _rows(asker: Asker, found: Learnt, compare: Comparison, sums: Mapping[str, Numbers]) -> list[FacilityOutcome]:
    """The institutions in the asker's scope that had stays, those far out first."""
    names, at = asker.units("facility"), {code: place for place, code in enumerate(found.units)}
    seen = {code: at[code] for code in names if code in at and sums["stays"][at[code]] > 0}
    counts = {code: (float(sums["observed" if found.outcome.is_binary else "stays"][i]), float(sums["stays"][i])) for code, i in seen.items()}
    withheld, rows = asker.withheld(counts), []
    for code, i in seen.items():
        if code in withheld:
            rows.append(FacilityOutcome(code, names[code].name, is_withheld=True))
            continue
        told: dict[str, Any] = {name: _number(getattr(compare, name)[i]) for name in ("ratio", "low", "high", "byar_low", "byar_high", "p")}
        told |= {name: _number(compare.limits[name][i]) for name in LIMITS}
        rows.append(FacilityOutcome(code, names[code].name, int(sums["stays"][i]), float(sums["observed"][i]), float(sums["expected"][i]), **told,
                                    outside=int(compare.outside[i]), is_flagged=bool(abs(compare.outside[i]) > 1), is_few=bool(compare.is_few[i]),
                                    left_against_advice=int(sums["left"][i]) if asker.may("small") else None))
    return sorted(rows, key=lambda row: (row.is_withheld, -abs(row.outside), -(row.expected or 0), row.facility))


def _groups(asker: Asker, groups: Calibration, is_binary: bool) -> tuple[CalibrationGroup, ...]:
    told = list(zip(groups.counts.tolist(), groups.expected.tolist(), groups.observed.tolist(), strict=True))
    counts = {str(place): (observed * stays if is_binary else stays, stays) for place, (stays, _, observed) in enumerate(told)}
    withheld = asker.withheld({code: (float(round(events)), float(stays)) for code, (events, stays) in counts.items()})
    return tuple(CalibrationGroup(stays, expected, None if str(place) in withheld else observed) for place, (stays, expected, observed) in enumerate(told))


def _card(asker: Asker, found: Learnt) -> ModelCard:
    model, judged = found.model, found.validated
    ends = np.exp(np.clip(model.coefficients[:, None] + np.outer(model.standard_errors, [0, -Z, Z]), -700, 700))
    coefficients = tuple(Coefficient(name, float(estimate), float(error), *(float(end) for end in effect))
                         for name, estimate, error, effect in zip(model.names, model.coefficients, model.standard_errors, ends, strict=True))
    return ModelCard(found.outcome.id, model.kind, model.row_count, float(found.happened.sum()), found.first_month, found.last_month, found.is_of_others,
                     _number(found.fitted.c_statistic), _number(judged.c_statistic), _number(judged.slope), _number(judged.intercept),
                     _number(judged.error), _groups(asker, judged.groups, found.outcome.is_binary), coefficients, found.excluded, asker.snapshot)


@action("figures")
def outcomes(asker: Asker, outcome: str = "death", period: str = "") -> Outcomes:
    """Institutions' outcomes against what the stays of all other institutions let expect of theirs; a year, a month, or all months."""
    found = learnt(asker, outcome)
    shown = _period(asker, period, found)
    within = _in(found, shown)
    sums = {"stays": _sums(found, np.ones(within.size), within), "observed": _sums(found, found.happened, within),
            "expected": _sums(found, found.expected, within), "left": _sums(found, found.left_against_advice.astype(np.float64), within)}
    has_stays = sums["stays"] > 0
    if not has_stays.any():
        raise Refusal(Problem("question", None, "period", shown, say("no_figures"), f"{found.first_month} – {found.last_month}"))
    compare = compared(sums["observed"], sums["expected"], spread_within(found))
    rows = _rows(asker, found, compare, sums)
    told = [row.expected for row in rows if row.expected]
    sizes = np.geomspace(max(min(told), 0.5 * compare.within), max(told) * 1.05, CURVE_POINTS) if told else np.zeros(0)
    curve = zip(sizes, *(compare.curve(sizes)[name] for name in LIMITS), strict=True)
    return Outcomes(found.outcome.id, shown, tuple(rows), tuple(tuple(float(v) for v in row) for row in curve), compare.phi, compare.tau,
                    int(has_stays.sum()) - len(rows), sum(row.is_withheld for row in rows), asker.snapshot)


@action("figures")
def outcome_model(asker: Asker, outcome: str = "death") -> ModelCard:
    """The region's model of an outcome: its coefficients, and how well each institution's outcomes follow from those of all others."""
    return _card(asker, learnt(asker, outcome))


@action("figures")
def outcome_monitor(asker: Asker, facility: str, outcome: str = "death", since: str = "") -> Monitor:
    """One institution's stays in order of discharge, from a month on: VLAD and risk-adjusted CUSUM for twice and for half the odds, and their signals."""
    if not asker.may("small"):
        raise Refusal(Problem("question", None, "facility", facility[:40], say("quality_needs_small"), say("mend_not_allowed")))
    names = asker.units("facility")
    if facility not in names:
        raise Refusal(Problem("question", None, "facility", facility[:40], say("bad_value"), say("mend_code")))
    if since and len(asker.period(since)) == YEAR:
        since = f"{since}-01"
    found = learnt(asker, outcome)
    since = "" if since <= found.first_month else since
    place = found.units.index(facility) if facility in found.units and since <= found.last_month else -1
    told = followed(found, place, since, spread_within(found)) if place >= 0 else None
    if told is None:
        raise Refusal(Problem("question", None, "facility", facility, say("quality_few_to_follow"), say("quality_mend_few_to_follow")))
    return Monitor(**vars(told), outcome=found.outcome.id, facility=facility, name=names[facility].name, false_alarm_years=FALSE_ALARM_YEARS,
                   snapshot=asker.snapshot)
