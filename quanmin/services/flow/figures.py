"""What the flow service hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quanmin.model import Answer, Cell

Withhold = Callable[[Answer], Answer]
WHATS = ("matrix", "split", "siphon", "regain")  # all stays; those outside the home county; by kind; what would come home
MEASURES = ("stays", "bed_days", "relative_weight", "charge_cny", "fund_paid_cny")
UNWEIGHED = "unweighed_count"  # told wherever the weight is


@dataclass(frozen=True)
class Measures:
    """Stays, bed-days, CNY and relative weight (1 = the mean case); what the fund paid is known of claims and of front pages with a claim.

    `unweighed_count` of the stays have no known weight (no group, or none in force) and are not in `relative_weight`.
    """

    stays: int = 0
    bed_days: int = 0
    charge_cny: Decimal = Decimal(0)
    fund_paid_cny: Decimal = Decimal(0)
    relative_weight: Decimal = Decimal(0)
    unweighed_count: int = 0

    def __add__(self, other: Measures) -> Measures:
        return Measures(self.stays + other.stays, self.bed_days + other.bed_days, self.charge_cny + other.charge_cny, self.fund_paid_cny + other.fund_paid_cny,
                        self.relative_weight + other.relative_weight, self.unweighed_count + other.unweighed_count)


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
class TreatedGroup:
    """A group (DRG, or that of the site's scheme) whose cases leave avoidably while facilities at home treat it.

    `measures`: of the avoidable stays. `home_stays`: stays of residents in the group at home; `facility_code`: where most of the avoidable go; each None
    where it is withheld with small counts.
    """

    drg: str
    measures: Measures
    home_stays: int | None
    facility_code: str | None


@dataclass(frozen=True)
class CountyFlow:
    """One county's flow in a period: its residents' stays at home and away, and those away by kind, destination and facility.

    `places`: by where (home, away). `kinds`: by kind_code. `destinations`: by destination_code, facility_level, kind_code. `facilities` and
    `groups`: of the avoidable, the largest first; `short`: groups rightly referred, the largest first; `treated`: groups (drg) of the avoidable that are
    treated at home, the greatest weight first. `months`: length of the period.
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
    treated: tuple[TreatedGroup, ...] = ()


def withheld(by: tuple[str, ...], found: Iterable[tuple[tuple[Any, ...], Measures]], withhold: Withhold) -> tuple[FlowCell, ...]:
    """Cells of the groups found, with the measures of those that `withhold` takes the count from left out."""
    listed = list(found)
    cells = tuple(Cell(dict(zip(by, key, strict=True)), measures.stays, None, 0, measures.stays) for key, measures in listed)
    answer = withhold(Answer("flow", "", by, cells))
    return tuple(FlowCell(cell.key, None if cell.suppressed else measures) for cell, (_, measures) in zip(answer.cells, listed, strict=True))
