"""What the flow service hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quanmin.model import Answer, Cell

Withhold = Callable[[Answer], Answer]
WHATS = ("matrix", "split", "siphon", "regain")  # all stays; those outside the home county; by kind; what would come home
MEASURES = ("stays", "bed_days", "charge_cny", "fund_paid_cny")


@dataclass(frozen=True)
class Measures:
    """Stays, bed-days and CNY; what the fund paid is known of claims and of front pages that a claim was found for."""

    stays: int = 0
    bed_days: int = 0
    charge_cny: Decimal = Decimal(0)
    fund_paid_cny: Decimal = Decimal(0)

    def __add__(self, other: Measures) -> Measures:
        return Measures(self.stays + other.stays, self.bed_days + other.bed_days, self.charge_cny + other.charge_cny, self.fund_paid_cny + other.fund_paid_cny)


@dataclass(frozen=True)
class FlowCell:
    """One group: its key and its measures, None where small counts are withheld."""

    key: Mapping[str, Any]
    measures: Measures | None

    @property
    def suppressed(self) -> bool:
        """Whether the measures are withheld."""
        return self.measures is None


@dataclass(frozen=True)
class FlowTable:
    """Measures by groups, in the order of the keys; `where` are the filters as asked, `snapshot` what they were counted from."""

    by: tuple[str, ...]
    cells: tuple[FlowCell, ...]
    where: Mapping[str, str]
    snapshot: int


@dataclass(frozen=True)
class GroupGain:
    """A group (ICD-10 subcategory, severity) that leaves the county: what would come home, and how many cases a year.

    `diagnosis_code` is the commonest full code of the group; `home_share` (0 to 1) the mean estimated share of such cases treated at home;
    `facility_code` where most of them go, None where that is withheld with small counts.
    """

    group: str
    diagnosis_code: str
    severity: str
    measures: Measures
    cases_per_year: float
    home_share: float | None
    facility_code: str | None


@dataclass(frozen=True)
class CountyFlow:
    """One county's flow in a period: its residents' stays at home and away, and those away by kind, destination and facility.

    `places`: by where (home, away). `kinds`: by kind_code. `destinations`: by destination_code, facility_level, kind_code. `facilities` and
    `groups`: of the avoidable, the largest first; `short`: groups rightly referred, the largest first. `months`: length of the period.
    """

    county: str
    first_month: str
    last_month: str
    months: int
    places: FlowTable
    kinds: FlowTable
    destinations: FlowTable
    facilities: FlowTable
    groups: tuple[GroupGain, ...]
    short: tuple[GroupGain, ...]


def withheld(by: tuple[str, ...], found: Iterable[tuple[tuple[Any, ...], Measures]], withhold: Withhold) -> tuple[FlowCell, ...]:
    """Cells of the groups found, with the measures of those that `withhold` takes the count from left out."""
    listed = list(found)
    cells = tuple(Cell(dict(zip(by, key, strict=True)), measures.stays, None, 0, measures.stays) for key, measures in listed)
    answer = withhold(Answer("flow", "", by, cells))
    return tuple(FlowCell(cell.key, None if cell.suppressed else measures) for cell, (_, measures) in zip(answer.cells, listed, strict=True))
