"""What may be asked of hospital infection: clusters by ward and organism, cases by month, and device-associated rates with exact limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.detectors.ward_clusters import clusters, poisson_limits
from quanmin.model import Cell, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker

TABLE = "infection"
COLUMNS = ("infection_id", "facility_code", "facility_county", "ward", "department_code", "organism_code", "onset_on", "reported_on", "is_resistant")
RATES = {"ventilator": "ventilator_pneumonia_per_1000_days", "catheter": "catheter_urinary_infection_per_1000_days",
         "line": "line_bloodstream_infection_per_1000_days"}
USES = {"ventilator": "ventilator_use_share", "catheter": "catheter_use_share", "line": "line_use_share"}
PER, YEAR = 1_000, 4


@dataclass(frozen=True)
class InfectionCluster:
    """Cases of one organism in one ward within a short time: more than the days before make likely (`p`, with `expected` cases of its best window).

    `detected_on` is the onset of the case with which it became unlikely, `known_on` the day by which that case and those before it were reported.
    """

    id: str
    facility: str
    county: str
    ward: str
    department: str
    organism: str
    first_on: str
    last_on: str
    detected_on: str
    known_on: str
    cases: int
    resistant: int
    expected: float
    p: float


@dataclass(frozen=True)
class InfectionMonth:
    """Cases of an organism in a ward with onset in a month."""

    facility: str
    ward: str
    department: str
    organism: str
    month: str
    cases: int


@dataclass(frozen=True)
class Clusters:
    """Clusters, those detected last first, and the cases they stand among, month by month."""

    clusters: tuple[InfectionCluster, ...]
    months: tuple[InfectionMonth, ...]
    snapshot: int


@dataclass(frozen=True)
class DeviceRate:
    """Device-associated infections of a unit (facility code, or facility and ward) per 1,000 device-days with exact 95 % Poisson limits.

    `use` is device-days per 100 patient-days.
    """

    facility: str
    ward: str
    department: str
    infections: int
    device_days: int
    rate: float
    low: float
    high: float
    use: float | None


@dataclass(frozen=True)
class DeviceRates:
    """Rates of a device in a period, of all and by unit."""

    device: str
    indicator: str
    period: str
    total: DeviceRate | None
    units: tuple[DeviceRate, ...]
    snapshot: int


@dataclass(frozen=True)
class _Found:
    """Everything that was found in the region, worked out once."""

    clusters: tuple[InfectionCluster, ...] = ()
    months: tuple[InfectionMonth, ...] = field(default=())


def _texts(rows: Any, name: str) -> NDArray[np.str_]:
    return np.array([value or "" for value in rows[name].to_pylist()], dtype=np.str_)


def _learn(rows: Any, newest: str) -> _Found:
    """Clusters of the whole region's infections; those without an organism belong to none."""
    import pyarrow.compute as pc  # large, and only needed once

    rows = rows.filter(pc.and_(pc.is_valid(rows["onset_on"]), pc.is_valid(rows["organism_code"])))
    rows = rows.sort_by([("onset_on", "ascending"), ("infection_id", "ascending")])
    if not rows.num_rows:
        return _Found()
    facility, ward, department, organism, ids = (_texts(rows, name) for name in ("facility_code", "ward", "department_code", "organism_code", "infection_id"))
    onset, reported = (rows[name].cast("date32").to_numpy().astype("datetime64[D]") for name in ("onset_on", "reported_on"))
    county, resistant = _texts(rows, "facility_county"), np.array([bool(value) for value in rows["is_resistant"].to_pylist()])
    day = onset.astype(np.int64)
    told = []
    for one in clusters(facility, ward, organism, day, int(day.min())):
        at, until = one.rows[0], one.rows[day[one.rows] <= one.signal_day]
        known = reported[until][~np.isnat(reported[until])]
        first, last, signal = (str(np.datetime64(value, "D")) for value in (one.first_day, one.last_day, one.signal_day))
        told.append(InfectionCluster(
            str(ids[at]), str(facility[at]), str(county[at]), str(ward[at]), str(department[at]), str(organism[at]), first, last, signal,
            str(known.max()) if known.size else "", len(one.rows), int(resistant[one.rows].sum()), one.expected, one.p))
    month = onset.astype("datetime64[M]").astype(np.str_)
    keys, counts = np.unique(np.stack([facility, ward, department, organism, month], axis=1), axis=0, return_counts=True)
    return _Found(tuple(sorted(told, key=lambda one: (one.detected_on, one.id), reverse=True)),
                  tuple(InfectionMonth(unit, at_ward, of, organism_code, when, count)
                        for (unit, at_ward, of, organism_code, when), count in zip(keys.tolist(), counts.tolist(), strict=True)))


@action("small")
def infection_clusters(asker: Asker, facility: str = "", place: str = "", since: str = "") -> Clusters:
    """Clusters of one organism in one ward within the scope, with a case on or after a day or month, and the cases by month around them."""
    asker.where(place, facility)
    if since and not (since.replace("-", "").isdigit() and len(since) in (7, 10)):
        raise Refusal(Problem("question", None, "since", since[:40], say("bad_value"), "2026-03, 2026-03-15"))
    found: _Found = asker.learnt("infection clusters", TABLE, COLUMNS, _learn)
    units = {code for code, unit in asker.units("facility").items() if facility in ("", code) and place in ("", unit.county)}
    return Clusters(tuple(one for one in found.clusters if one.facility in units and one.last_on >= since),
                    tuple(one for one in found.months if one.facility in units and one.month >= since[:7]), asker.snapshot)


def _rate(unit: tuple[str, str, str], cell: Cell, use: Cell | None) -> DeviceRate | None:
    days = float(cell.denominator or 0)
    if days <= 0:
        return None
    count = int(cell.numerator or 0)
    low, high = (PER * limit / days for limit in poisson_limits(count))
    return DeviceRate(unit[0], unit[1], unit[2], count, int(days), PER * count / days, low, high, None if use is None else use.value)


@action("small")
def device_rates(asker: Asker, device: str = "ventilator", place: str = "", facility: str = "", period: str = "") -> DeviceRates:
    """Device-associated infections per 1,000 device-days by institution, or by ward of one, with exact Poisson limits; device: ventilator, catheter, line."""
    if device not in RATES:
        raise Refusal(Problem("question", None, "device", device[:40], say("bad_value"), ", ".join(RATES)))
    shown = asker.period(period)
    where = [f"year = {shown}" if len(shown) == YEAR else f"month = '{shown}'", *asker.where(place, facility)]
    by = ["facility_code", "ward", "department_code"] if facility else ["facility_code"]

    def told(name: str, groups: list[str]) -> dict[tuple[str, str, str], Cell]:
        return {(str(cell.key.get("facility_code") or ""), str(cell.key.get("ward") or ""), str(cell.key.get("department_code") or "")): cell
                for cell in asker.figures(name, groups, where).cells}

    everything = ("", "", "")
    uses, whole_use = told(USES[device], by), told(USES[device], []).get(everything)
    whole = told(RATES[device], []).get(everything)
    rates = [_rate(unit, cell, uses.get(unit)) for unit, cell in told(RATES[device], by).items()]
    total = None if whole is None else _rate((facility or place, "", ""), whole, whole_use)
    return DeviceRates(device, RATES[device], shown, total, tuple(sorted((one for one in rates if one), key=lambda one: (-one.rate, one.facility, one.ward))),
                       asker.snapshot)
