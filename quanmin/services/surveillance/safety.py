"""Safety of vaccines: reports per dose, reactions reported out of proportion, and lots with more reports than the vaccine's others.

Doses and reports belong together: of a period are the doses given in it and the reports of doses given in it, whenever they came. Criteria of disproportion:
PRR S. J. Evans et al., Pharmacoepidemiology and Drug Safety 2001;10:483–486 (PRR ≥ 2, χ² with Yates ≥ 4, three reports); IC025 > 0 and EB05 ≥ 2 are the
usual limits of BCPNN and MGPS (recalled). A lot is watched by MaxSPRT from its first dose on, `LEAST` reports at least.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from quanmin.detectors.disproportionality import disproportionality, rates_per_dose
from quanmin.detectors.maxsprt import critical_value, log_ratio
from quanmin.detectors.ranking import benjamini_hochberg
from quanmin.model.asker import Asker

DOSES, REPORTS = "dose_given", "adverse_event"
DOSE_COLUMNS = ("facility_code", "vaccine_code", "lot_number", "given_on")
REPORT_COLUMNS = ("facility_code", "vaccine_code", "lot_number", "vaccinated_on", "reported_on", "reaction_code", "is_serious")
LEAST = 3  # reports: fewer are no signal, of a reaction or a lot
ALPHA = 0.05
ALWAYS = 1e-6  # MaxSPRT where so few reports are expected that any `LEAST` of them signal with a chance below ALPHA
PRR_AT, CHI2_AT, EB05_AT = 2, 4, 2
YEAR = 4  # letters of a year
Texts = NDArray[np.str_]
Days = NDArray[np.datetime64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class VaccineRate:
    """Reports per 100,000 doses of a vaccine with exact 95 % Poisson limits; counts that may not be seen are None and `is_withheld`."""

    vaccine: str
    doses: int | None
    reports: int | None
    serious: int | None
    rate: float | None
    low: float | None
    high: float | None
    is_withheld: bool = False


@dataclass(frozen=True)
class ReactionPair:
    """A reaction reported after a vaccine against all other reports; `signals` which criteria it meets: prr, ror, ic, eb."""

    vaccine: str
    reaction: str
    reports: int
    expected: float
    prr: float
    prr_low: float
    prr_high: float
    ror: float
    ror_low: float
    ror_high: float
    ic025: float
    ebgm: float
    eb05: float
    signals: tuple[str, ...]


@dataclass(frozen=True)
class LotSafety:
    """A lot against the same vaccine's doses: `expected` reports if all lots were alike, `p` exact (so many or more by chance), `q` over all lots.

    `llr` and `critical` are MaxSPRT's at the last report (None: fewer than three reports, never looked up); `signalled_on` the report with which it crossed.
    """

    vaccine: str
    lot: str
    doses: int
    reports: int
    serious: int
    expected: float
    ratio: float
    p: float
    q: float
    llr: float
    critical: float | None
    signalled_on: str


@dataclass(frozen=True)
class _Doses:
    """Doses counted: one value per institution, vaccine, lot and day."""

    facility: Texts
    vaccine: Texts
    lot: Texts
    day: Days
    count: Places

    def taken(self, at: NDArray[np.bool_]) -> _Doses:
        return _Doses(self.facility[at], self.vaccine[at], self.lot[at], self.day[at], self.count[at])


@dataclass(frozen=True)
class _Reports:
    """One value per report; `day` is the vaccination."""

    facility: Texts
    vaccine: Texts
    lot: Texts
    day: Days
    reported: Days
    reaction: Texts
    serious: NDArray[np.bool_]

    def taken(self, at: NDArray[np.bool_]) -> _Reports:
        return _Reports(self.facility[at], self.vaccine[at], self.lot[at], self.day[at], self.reported[at], self.reaction[at], self.serious[at])


@dataclass(frozen=True)
class Given:
    """Doses and reports that are looked at."""

    doses: _Doses
    reports: _Reports


def _texts(rows: Any, name: str) -> Texts:
    return np.asarray(rows[name].fill_null("").to_numpy(zero_copy_only=False), dtype=np.str_)


def _days(rows: Any, name: str) -> Days:
    return np.asarray(rows[name].cast("date32").to_numpy(zero_copy_only=False), dtype="datetime64[D]")


def _learn_doses(rows: Any, newest: str) -> _Doses:
    del newest
    told = rows.group_by(list(DOSE_COLUMNS)).aggregate([([], "count_all")]).combine_chunks()
    facility, vaccine, lot = (_texts(told, name) for name in DOSE_COLUMNS[:3])
    return _Doses(facility, vaccine, lot, _days(told, "given_on"), np.asarray(told["count_all"].to_numpy(), dtype=np.int64))


def _learn_reports(rows: Any, newest: str) -> _Reports:
    del newest
    facility, vaccine, lot, reaction = (_texts(rows, name) for name in (*REPORT_COLUMNS[:3], "reaction_code"))
    serious = np.asarray(rows["is_serious"].fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
    return _Reports(facility, vaccine, lot, _days(rows, "vaccinated_on"), _days(rows, "reported_on"), reaction, serious)


def given(asker: Asker, facilities: Collection[str], period: str = "") -> Given:
    """Doses of some institutions in a year or month ("" = all), and the reports of those doses."""
    doses: _Doses = asker.learnt("vaccine doses", DOSES, DOSE_COLUMNS, _learn_doses)
    reports: _Reports = asker.learnt("vaccine reports", REPORTS, REPORT_COLUMNS, _learn_reports)
    seen = np.array(sorted(facilities), dtype=np.str_)

    def within(facility: Texts, day: Days) -> NDArray[np.bool_]:
        at = np.isin(facility, seen)
        return at if not period else at & (np.datetime_as_string(day, "Y" if len(period) == YEAR else "M") == period)

    return Given(doses.taken(within(doses.facility, doses.day)), reports.taken(within(reports.facility, reports.day)))


def _by(names: Texts, weights: NDArray[Any], among: Texts) -> Places:
    """Sums per name of `among` (sorted)."""
    at = np.searchsorted(among, names).clip(max=max(len(among) - 1, 0))
    known = among[at] == names if len(among) else np.zeros(len(names), dtype=bool)
    return np.bincount(at[known], weights[known], len(among)).astype(np.int64)


def vaccine_rates(told: Given) -> tuple[VaccineRate, ...]:
    """Reports per 100,000 doses by vaccine, the highest rate first."""
    names = np.unique(told.doses.vaccine)
    doses, ones = _by(told.doses.vaccine, told.doses.count, names), np.ones(len(told.reports.vaccine))
    reports, serious = _by(told.reports.vaccine, ones, names), _by(told.reports.vaccine, told.reports.serious.astype(float), names)
    rate = rates_per_dose(reports.astype(float), doses.astype(float))
    found = [VaccineRate(str(name), int(doses[k]), int(reports[k]), int(serious[k]), float(rate.rate[k]), float(rate.low[k]), float(rate.high[k]))
             for k, name in enumerate(names)]
    return tuple(sorted(found, key=lambda one: (-(one.rate or 0), one.vaccine)))


def reaction_pairs(told: Given) -> tuple[ReactionPair, ...]:
    """Each vaccine with each reaction reported after it, the largest EB05 first."""
    vaccine, of_vaccine = np.unique(told.reports.vaccine, return_inverse=True)
    reaction, of_reaction = np.unique(told.reports.reaction, return_inverse=True)
    table = np.zeros((len(vaccine), len(reaction)))
    np.add.at(table, (of_vaccine, of_reaction), 1)
    v, r = np.nonzero(table)
    a, total = table[v, r], table.sum()
    b, c = table.sum(axis=1)[v] - a, table.sum(axis=0)[r] - a
    one = disproportionality(a, b, c, total - a - b - c)
    with np.errstate(invalid="ignore"):
        enough = a >= LEAST
        met = {"prr": enough & (one.prr >= PRR_AT) & (one.chi2_yates >= CHI2_AT), "ror": enough & (one.ror_low > 1), "ic": one.ic025 > 0,
               "eb": one.eb05 >= EB05_AT}
    found = [ReactionPair(str(vaccine[v[k]]), str(reaction[r[k]]), int(a[k]), float(one.expected[k]), float(one.prr[k]), float(one.prr_low[k]),
                          float(one.prr_high[k]), float(one.ror[k]), float(one.ror_low[k]), float(one.ror_high[k]), float(one.ic025[k]), float(one.ebgm[k]),
                          float(one.eb05[k]), tuple(name for name, hits in met.items() if hits[k])) for k in range(len(a))]
    return tuple(sorted(found, key=lambda pair: (-pair.eb05, -pair.reports, pair.vaccine, pair.reaction)))


def _keys(vaccine: Texts, lot: Texts) -> Texts:
    return np.char.add(np.char.add(vaccine, "\t"), lot)


def lots(told: Given) -> tuple[LotSafety, ...]:
    """Lots against all doses of their vaccine whose lot is known, the least likely first.

    Given a vaccine's reports, those of one lot are binomial with its share of the doses if all lots are alike: `p` is P(at least so many). MaxSPRT expects the
    other lots' reports per dose (half a report where they have none), counted up to the day of each report. Doses without a lot, and reports that name a lot
    of which no dose is known, belong to none.
    """
    has = told.doses.lot != ""
    keys, of_dose = np.unique(_keys(told.doses.vaccine[has], told.doses.lot[has]), return_inverse=True)
    if not len(keys):
        return ()
    parts = np.char.partition(keys, "\t")
    _, of_vaccine = np.unique(parts[:, 0], return_inverse=True)
    doses, own = np.bincount(of_dose, told.doses.count[has], len(keys)), _keys(told.reports.vaccine, told.reports.lot)
    at = np.searchsorted(keys, own).clip(max=len(keys) - 1)
    known = keys[at] == own
    reports, serious = (np.bincount(at[known], weight[known], len(keys)) for weight in (np.ones(len(own)), told.reports.serious.astype(float)))
    all_doses, all_reports = (np.bincount(of_vaccine, values)[of_vaccine] for values in (doses, reports))
    expected = all_reports * doses / all_doses
    p = np.where(reports > 0, stats.binom.sf(reports - 1, all_reports, doses / all_doses), 1.0)
    q = benjamini_hochberg(p)[:, 0]
    others = np.maximum(all_reports - reports, 0.5) / np.maximum(all_doses - doses, 1)
    found = []
    for k in range(len(keys)):
        llr, critical, when = 0.0, None, ""
        if reports[k] >= LEAST and all_doses[k] > doses[k]:
            mine = of_dose == k
            llr, critical, when = _watched(told.doses.day[has][mine], told.doses.count[has][mine], told.reports.reported[known & (at == k)], float(others[k]))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = float(reports[k] / expected[k]) if expected[k] > 0 else 0.0
        found.append(LotSafety(str(parts[k, 0]), str(parts[k, 2]), int(doses[k]), int(reports[k]), int(serious[k]), float(expected[k]), ratio, float(p[k]),
                               float(q[k]), llr, critical, when))
    return tuple(sorted(found, key=lambda one: (one.p, -one.llr, one.vaccine, one.lot)))


def unmatched(told: Given) -> int:
    """Reports without a lot, or with one of which no dose is known."""
    return int((~np.isin(_keys(told.reports.vaccine, told.reports.lot), _keys(told.doses.vaccine, told.doses.lot)) | (told.reports.lot == "")).sum())


def _watched(day: Days, count: Places, reported: Days, rate: float) -> tuple[float, float, str]:
    """MaxSPRT of a lot: the log likelihood ratio at its last report, the critical value, and the day it crossed ("" = not)."""
    order = np.argsort(day)
    days, given_by = day[order], np.cumsum(count[order])
    told = np.sort(reported)
    upto = np.searchsorted(days, told, side="right")
    expected = rate * np.where(upto > 0, given_by[np.maximum(upto - 1, 0)], 0)
    critical = critical_value(rate * float(given_by[-1]), ALPHA, LEAST) or ALWAYS
    events = np.arange(1.0, len(told) + 1)
    ratio = log_ratio(events, expected)
    crossed = np.flatnonzero((ratio >= critical) & (events >= LEAST))
    return float(ratio[-1]), critical, str(told[crossed[0]]) if len(crossed) else ""
