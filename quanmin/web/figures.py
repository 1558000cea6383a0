"""What a page shows of an answer: figures with their words, targets and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language
from quanmin.gate import Actor
from quanmin.model import Cell, Indicator, Refusal
from quanmin.services.indicators import Indicators
from quanmin.web.words import word

NOTHING = "–"
MOST_NAMED = 8


@dataclass(frozen=True)
class Figure:
    """One number on a page."""

    text: str
    detail: str = ""
    verdict: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Row:
    """One indicator in the list: its figure for the region, its target, and its figures by county."""

    indicator: Indicator
    total: Figure
    target: Figure
    counties: tuple[Figure, ...]


def number(value: Any) -> str:
    """A number as people read it: thousands separated, two decimals where it has any."""
    if value is None:
        return NOTHING
    return f"{float(value):,.2f}" if float(value) % 1 else f"{int(value):,}"


def verdict(indicator: Indicator, value: float | None, target: float | None) -> str:
    """met or missed against a target in the indicator's direction; "" where it has none."""
    if value is None or target is None or indicator.better not in ("higher", "lower"):
        return ""
    return "met" if (value >= target) == (indicator.better == "higher") or value == target else "missed"


def figure(indicator: Indicator, cell: Cell | None, target: float | None, below: int) -> Figure:
    """How a cell is shown: its value, or its bounds, or why there is none."""
    if cell is None:
        return Figure(NOTHING, word("no_data"))
    if cell.suppressed:
        return Figure("*", word("suppressed", below=below))
    if cell.missing:
        shown = NOTHING if cell.low is None else f"{number(round(cell.low, 2))}–{number(round(cell.high or 0, 2))}"
        return Figure(shown, word("missing_senders") + ": " + ", ".join(cell.missing[:MOST_NAMED]) + (" …" if len(cell.missing) > MOST_NAMED else ""), "bounds")
    if cell.value is None:
        return Figure(NOTHING, word("no_data"))
    counts = f"{word('numerator')} {number(cell.numerator)}" + (f" / {word('denominator')} {number(cell.denominator)}" if cell.denominator is not None else "")
    shown = number(round(float(cell.value), 2))
    return Figure(shown, counts, verdict(indicator, cell.value, target), float(cell.value))


class View:
    """Answers as one actor sees them."""

    def __init__(self, actor: Actor, indicators: Indicators) -> None:
        self.actor, self.indicators = actor, indicators
        self.catalog = indicators.catalog

    def counties(self) -> list[tuple[str, str]]:
        """(code, name) of the region's counties, or of those that occur where no regions are registered."""
        return _counties(self.indicators, language())

    def periods(self) -> list[str]:
        """Years and months with stays, the newest first."""
        return _periods(self.indicators)

    def usual_period(self) -> str:
        """The newest month for which everything owed by insurance has come, else the newest period."""
        periods = self.periods()
        silent = {row["m"] for row in self.indicators.engine.table(
            "SELECT DISTINCT strftime(period, '%Y-%m') AS m FROM receipt WHERE NOT is_received AND \"table\" = 'claim'").to_pylist()}
        months = [p for p in periods if len(p) == 7 and p not in silent]
        return months[0] if months else (periods[0] if periods else "")

    def code_names(self, indicator: Indicator, dimension: str) -> dict[str, str]:
        """Code → name for a dimension that has a code list."""
        for table in self.indicators.tables_of(indicator):
            column = self.catalog.tables[table].columns.get(dimension)
            if column is not None and column.codes:
                return {code: label.in_language(language()) for code, label in self.catalog.codes[column.codes].codes.items()}
        return {"true": word("yes"), "false": word("no")}

    def targets(self, indicator: str) -> dict[tuple[str, str], float]:
        """(place, period) → target."""
        rows = self.indicators.engine.table("SELECT place_code, period, value FROM target WHERE indicator = $id", {"id": indicator}).to_pylist()
        return {(row["place_code"], row["period"]): row["value"] for row in rows}

    def where(self, indicator: Indicator, period: str) -> list[str]:
        """The condition that limits an indicator to a period."""
        if not period or not has_time(indicator, self.catalog.indicators):
            return []
        return [f"year = {period[:4]}"] if len(period) == 4 or is_yearly(indicator, self.catalog) else [f"month = '{period}'"]

    def cells(self, indicator: Indicator, by: Sequence[str], where: Sequence[str]) -> tuple[Cell, ...]:
        """The cells of an answer; none where the question cannot be cut that way."""
        try:
            return self.actor.figures(self.indicators, indicator.id, by, where).cells
        except Refusal:
            return ()

    def row(self, indicator: Indicator, period: str, region: str) -> Row:
        """An indicator's line in the list."""
        targets, where, below = self.targets(indicator.id), self.where(indicator, period), self.indicators.suppress_below
        year = period[:4]
        by_county = {str(c.key["place"]): c for c in self.cells(indicator, ["place"], where)} if indicator.kind not in ("growth",) else {}
        total = self.cells(indicator, [], where)
        aim = targets.get((region, year))
        shown = tuple(figure(indicator, by_county.get(code), targets.get((code, year), aim), below) for code, _ in self.counties())
        of_total = figure(indicator, total[-1] if total else None, aim, below)
        return Row(indicator, of_total, Figure(number(aim) if aim is not None else NOTHING), shown)


@lru_cache(maxsize=16)
def _counties(indicators: Indicators, spoken: str) -> list[tuple[str, str]]:
    rows = indicators.engine.table(
        "SELECT r.region_code AS code, coalesce(CASE WHEN $spoken = 'en' THEN r.name_en END, r.name) AS name FROM region r"
        " WHERE r.level = 'county' AND r.region_code IN (SELECT DISTINCT home_county FROM hospitalisation) ORDER BY code", {"spoken": spoken},
    ).to_pylist()
    if not rows:
        rows = indicators.engine.table(
            "SELECT home_county AS code, home_county AS name FROM hospitalisation WHERE home_county IS NOT NULL"
            " GROUP BY ALL ORDER BY count(*) DESC, code LIMIT 8"
        ).to_pylist()
    return [(row["code"], row["name"]) for row in rows]


@lru_cache(maxsize=16)
def _periods(indicators: Indicators) -> list[str]:
    rows = indicators.engine.table("SELECT DISTINCT strftime(discharged_on, '%Y-%m') AS month FROM hospitalisation WHERE discharged_on IS NOT NULL").to_pylist()
    months = sorted((row["month"] for row in rows), reverse=True)
    return [period for year in sorted({m[:4] for m in months}, reverse=True) for period in (year, *(m for m in months if m[:4] == year))]


def is_yearly(indicator: Indicator, catalog: Catalog) -> bool:
    """Whether an indicator is counted from yearly records on either side."""
    if indicator.kind in ("growth", "composite"):
        return any(is_yearly(catalog.indicators[name], catalog) for name in ([indicator.of] if indicator.of else indicator.parts.values()))
    halves = [h for h in (indicator.numerator, indicator.denominator) if h is not None and h.time]
    return any(catalog.tables[h.table].columns[h.time].type == "integer" for h in halves)


def has_time(indicator: Indicator, others: dict[str, Indicator]) -> bool:
    """Whether an indicator can be cut by periods."""
    if indicator.kind in ("growth", "composite"):
        return all(has_time(others[name], others) for name in ([indicator.of] if indicator.of else indicator.parts.values()))
    return bool(indicator.numerator and indicator.numerator.time)
