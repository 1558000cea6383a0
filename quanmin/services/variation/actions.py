"""What may be asked of variation: an XmR chart, a funnel of units, deciles over time, and what is unusual anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.variation.deciles import deciles as deciles_of
from quanmin.services.variation.funnel import curve
from quanmin.services.variation.funnel import funnel as funnel_of
from quanmin.services.variation.highlights import Highlight, Peers, Series
from quanmin.services.variation.highlights import highlights as unusual
from quanmin.services.variation.xmr import XmR, xmr

COUNTED = ("share", "rate")
CURVE_POINTS = 60
FEWEST_UNITS = 5  # a funnel or deciles of fewer say nothing
FALSE_SHARE = 0.1  # of what is listed may be false alarms


@dataclass(frozen=True)
class Point:
    """A month of an XmR chart; numbers are None where there is none, `is_bounds` where owed submissions are missing."""

    month: str
    value: float | None
    numerator: float | None
    denominator: float | None
    unknown: int
    mean: float | None
    low: float | None
    high: float | None
    rule: str
    kind: str
    length: int
    is_bounds: bool
    suppressed: bool


@dataclass(frozen=True)
class Variation:
    """An indicator over time, read by the rules of XmR charts; see XmR."""

    indicator: str
    place: str
    points: tuple[Point, ...]
    variation: str
    variation_side: int
    assurance: str | None
    target: float | None
    is_provisional: bool
    snapshot: int


@dataclass(frozen=True)
class FunnelUnit:
    """A unit of a funnel; `outside` 0 within, ±1 beyond the 95 % and ±2 beyond the 99.8 % limit."""

    code: str
    name: str
    numerator: float
    denominator: float
    value: float
    low: float
    high: float
    z: float
    outside: int


@dataclass(frozen=True)
class FunnelPlot:
    """Units against each other in a period; `curve` rows are size, low 95, high 95, low 99.8, high 99.8; `left_out` units are withheld or without cases."""

    indicator: str
    period: str
    target: float
    phi: float
    dispersion: str
    units: tuple[FunnelUnit, ...]
    curve: tuple[tuple[float, ...], ...]
    left_out: int
    snapshot: int


@dataclass(frozen=True)
class DecilePlot:
    """Deciles over units by month (rows as months), and one unit's own months where one was named."""

    indicator: str
    unit: str
    months: tuple[str, ...]
    percentiles: tuple[float, ...]
    values: tuple[tuple[float | None, ...], ...]
    counts: tuple[int, ...]
    own: tuple[float | None, ...]
    snapshot: int


@dataclass(frozen=True)
class Unusual:
    """What is unusual in the newest month, strongest first, out of how many tests; `false_share` of the items may be false alarms."""

    month: str
    items: tuple[Highlight, ...]
    series_tested: int
    units_tested: int
    false_share: float
    snapshot: int


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _value(cell: Cell | None) -> float | None:
    """What a chart may take a cell for: nothing where only bounds are known or the count is withheld."""
    return None if cell is None or cell.missing or cell.suppressed or cell.value is None else float(cell.value)


def months_between(first: str, last: str) -> list[str]:
    """All months from first to last, both included."""
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(start, end + 1)]


def chart_of(one: Indicator, cells: Mapping[str, Cell], target: float | None) -> tuple[list[str], XmR] | None:
    """The XmR chart of a series of cells by month, months without a cell in it as gaps; None without any value."""
    if not any(_value(cell) is not None for cell in cells.values()):
        return None
    months = months_between(min(cells), max(cells))
    return months, xmr([_value(cells.get(month)) for month in months], one.better, target)


def _point(at: int, month: str, cell: Cell | None, chart: XmR) -> Point:
    seen = Cell({}, None, None, 0, None) if cell is None or cell.suppressed else cell
    return Point(month=month, value=_number(chart.values[at]), numerator=_plain(seen.numerator), denominator=_plain(seen.denominator), unknown=seen.unknown,
                 mean=_number(chart.mean[at]), low=_number(chart.low[at]), high=_number(chart.high[at]), rule=chart.rule[at], kind=chart.kind[at],
                 length=int(chart.length[at]), is_bounds=bool(seen.missing), suppressed=bool(cell and cell.suppressed))


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)


def variation_of(one: Indicator, unit: str, cells: Mapping[str, Cell], target: float | None, snapshot: int) -> Variation | None:
    """A series of cells by month as it is read by the rules; None without any value."""
    found = chart_of(one, cells, target)
    if found is None:
        return None
    months, chart = found
    points = tuple(_point(at, month, cells.get(month), chart) for at, month in enumerate(months))
    return Variation(one.id, unit, points, chart.variation, chart.variation_side, chart.assurance, target, chart.is_provisional, snapshot)


def _no_data(name: str) -> Refusal:
    return Refusal(Problem("question", None, "indicator", name, say("no_figures"), say("mend_no_figures")))


@action("figures")
def variation(asker: Asker, indicator: str, place: str = "", facility: str = "") -> Variation:
    """An indicator's months as an XmR chart by the Making Data Count rules."""
    one = asker.question(indicator)
    cells = asker.series(indicator, place, facility)
    unit = facility or place or asker.region
    targets = asker.targets(indicator)
    target = targets.get((unit, max(cells)[:4])) if cells else None
    found = variation_of(one, unit, cells, target, asker.snapshot)
    if found is None:
        raise _no_data(indicator)
    return found


@action("figures")
def funnel(asker: Asker, indicator: str, period: str = "", unit: str = "facility", dispersion: str = "multiplicative") -> FunnelPlot:
    """Institutions (or counties) against each other for a share or rate, with exact limits widened by over-dispersion."""
    one, shown = asker.question(indicator), asker.period(period)
    if one.kind not in COUNTED:
        raise Refusal(Problem("question", None, "indicator", indicator, say("not_counted"), say("mend_not_counted")))
    if dispersion not in ("none", "multiplicative", "additive"):
        raise Refusal(Problem("question", None, "dispersion", dispersion[:40], say("bad_value"), "none, multiplicative, additive"))
    cells = asker.by_unit(indicator, shown, unit)
    used = {code: cell for code, cell in cells.items() if _value(cell) is not None and cell.denominator}
    if len(used) < FEWEST_UNITS:
        raise _no_data(indicator)
    above, below = (np.array([float(getattr(cell, half) or 0) for cell in used.values()]) for half in ("numerator", "denominator"))
    plot = funnel_of(above, below, one.kind, None, dispersion, scale_of(one))
    sizes = np.geomspace(max(1.0, below.min()), below.max(), CURVE_POINTS)
    limits = curve(plot, np.round(sizes) if one.kind == "share" else sizes)
    rows = zip(sizes, limits.low_95, limits.high_95, limits.low_998, limits.high_998, strict=True)
    names = asker.units(unit)
    units = tuple(
        FunnelUnit(code, names[code].name, float(above[i]), float(below[i]), float(plot.values[i]), float(plot.limits.low_998[i]),
                   float(plot.limits.high_998[i]), float(plot.z[i]), int(plot.outside[i])) for i, code in enumerate(used))
    return FunnelPlot(indicator, shown, plot.target, plot.phi, dispersion, units, tuple(tuple(float(v) for v in row) for row in rows),
                      len(cells) - len(used), asker.snapshot)


@action("figures")
def deciles(asker: Asker, indicator: str, unit: str = "facility", of: str = "", minimum: int = 10) -> DecilePlot:
    """Deciles of institutions (or counties) month by month, and one unit among them."""
    one, by_unit = asker.question(indicator), asker.monthly(indicator, unit)
    months = sorted({month for cells in by_unit.values() for month in cells})
    if not months or len(by_unit) < FEWEST_UNITS:
        raise _no_data(indicator)
    table = np.full((2, len(months), len(by_unit)), np.nan)
    at = {month: i for i, month in enumerate(months)}
    for j, cells in enumerate(by_unit.values()):
        for month, cell in cells.items():
            if _value(cell) is not None:
                table[:, at[month], j] = float(cell.numerator or 0), float(cell.denominator or 1)
    found = deciles_of(table[0], table[1], float(minimum), scale_of(one))
    own = by_unit.get(of, {})
    return DecilePlot(indicator, unit, tuple(months), found.percentiles, tuple(tuple(_number(v) for v in row) for row in found.values),
                      tuple(int(n) for n in found.units), tuple(_value(own.get(month)) for month in months) if of else (), asker.snapshot)


def _told_once(items: list[Highlight]) -> tuple[Highlight, ...]:
    """Documents define some indicators alike: what has the same figures by the same rule at the same unit is one item."""
    found: dict[tuple[object, ...], Highlight] = {}
    for item in items:
        key = (item.unit, item.rule, item.value, item.expected, item.low)
        found[key] = replace(found[key], also=(*found[key].also, item.indicator)) if key in found else item
    return tuple(found.values())


@action("figures", is_wide=True)
def highlights(asker: Asker, theme: str = "", county: str = "") -> Unusual:
    """Only what is unusual in the newest month, over all indicators by month and county and all shares and rates across institutions."""
    chosen = {name: one for name, one in asker.questions().items() if asker.has_months(name) and (not theme or one.theme == theme)}
    month = asker.period()
    asker.prepare(list(chosen), [["month", "place"]])
    series, peers = [], []
    for name, one in chosen.items():
        by_unit = asker.monthly(name)
        for code, cells in by_unit.items():
            chart = chart_of(one, cells, None) if month in cells and (not county or code == county) else None
            if chart is not None and chart[0][-1] == month:
                series.append(Series(name, code, chart[1], one.better))
        if one.kind in COUNTED and one.unit != "CNY" and not county:
            peers += _peers(one, {code: cells[month] for code, cells in by_unit.items() if month in cells})
    items = unusual(series, peers, FALSE_SHARE)
    return Unusual(month, _told_once(items), len(series), sum(len(one.units) for one in peers), FALSE_SHARE, asker.snapshot)


def _peers(one: Indicator, by_unit: Mapping[str, Cell]) -> list[Peers]:
    """An indicator's counties against each other, where counts and not money make its share."""
    half = one.numerator
    if half is None or half.sum:
        return []
    cells = {code: cell for code, cell in by_unit.items() if _value(cell) is not None and cell.denominator}
    if len(cells) < FEWEST_UNITS:
        return []
    above, below = (np.array([float(getattr(cell, name) or 0) for cell in cells.values()]) for name in ("numerator", "denominator"))
    return [Peers(one.id, tuple(cells), funnel_of(above, below, one.kind, None, "multiplicative", scale_of(one)), one.better)]
