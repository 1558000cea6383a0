"""A small region of three communities in two counties, and somebody who asks about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quanmin.catalog.loader import read_all
from quanmin.model import Answer, Cell, Indicator
from quanmin.model.asker import Evidence, Unit

CATALOG, _ = read_all()
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)][:33]  # to 2026-09


def unit(code: str, county: str, community: str = "", is_lead: bool = False, kind: str = "C220") -> Unit:
    return Unit(code, f"name of {code}", "", kind, county, community, is_lead)


UNITS = {one.code: one for one in (
    unit("H1", "c1", "y1", True, "A100"), unit("T1", "c1", "y1"), unit("H2", "c2", "y2", True, "A100"), unit("T2", "c2", "y2"), unit("T3", "c2", "y3"),
    unit("P1", "c1", "", False, "A100"))}
COUNTIES = {code: Unit(code, f"County {code}", "county", "", code) for code in ("c1", "c2")}


def cell(key: Mapping[str, Any], above: float | None, below: float | None = 100.0, value: float | None = None, **more: Any) -> Cell:
    shown = value if value is not None else None if above is None else 100 * above / below if below else above
    return Cell(key, above, below, 0, shown, **more)


def said(indicator: str, unit: str, judgement: str = "", value: float | None = None, year: int = 2025, received: str = "2026-01-05T08:00:00+08:00",
         line: int = 2) -> Evidence:
    return Evidence(indicator, unit, "c1", year, "minutes", judgement, value, "", "HC-c1", "evidence.xlsx", line, received)


@dataclass
class Made:
    """An Asker over given cells: `cells` is (indicator, dimension, place, year) → cell; what is not given has not come."""

    cells: dict[tuple[str, str, str, str], Cell] = field(default_factory=dict)
    said: list[Evidence] = field(default_factory=list)
    aims: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    known: Mapping[str, Unit] = field(default_factory=lambda: UNITS)
    region: str = "r"
    snapshot: int = 1

    def give(self, indicator: str, dimension: str, place: str, year: str, above: float | None, below: float | None = 100.0, **more: Any) -> None:
        self.cells[indicator, dimension, place, year] = cell({dimension: place}, above, below, **more)

    def may(self, permission: str) -> bool:
        return True

    def definition(self, name: str) -> Indicator:
        return CATALOG.indicators[name]

    question = definition

    def questions(self) -> Mapping[str, Indicator]:
        return CATALOG.indicators

    def has_months(self, name: str) -> bool:
        return False

    def months(self) -> Sequence[str]:
        return MONTHS

    def period(self, asked: str = "") -> str:
        return asked or MONTHS[-1]

    def shown_period(self, name: str, period: str) -> str:
        return period[:4]

    def units(self, unit: str = "county") -> Mapping[str, Unit]:
        return COUNTIES if unit == "county" else self.known

    def targets(self, name: str) -> Mapping[tuple[str, str], float]:
        return self.aims.get(name, {})

    def evidence(self) -> Sequence[Evidence]:
        return self.said

    def by_unit(self, name: str, period: str, unit: str = "county") -> Mapping[str, Cell]:
        wanted = "place" if unit == "county" else "facility_code"
        return {place: one for (indicator, dimension, place, year), one in self.cells.items() if (indicator, dimension, year) == (name, wanted, period[:4])}

    def figures(self, name: str, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        dimension = next(one for one in by if one != "year")
        found = tuple(
            Cell({**one.key, "year": year}, one.numerator, one.denominator, one.unknown, one.value, one.low, one.high, one.suppressed, one.missing)
            for (indicator, cut, _, year), one in self.cells.items() if (indicator, cut) == (name, dimension) and (not where or where == [f"year = {year}"]))
        return Answer(name, "v", tuple(by), found)
