"""Appraisal: handbooks that say which indicators are looked at, and scoring sheets that say how many points a value earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quanmin.model.question import Provenance
from quanmin.model.words import Label


@dataclass(frozen=True)
class HandbookItem:
    """An item of a handbook and the indicator that answers it; `part` where an item has several."""

    item: str
    part: str
    indicator: str


@dataclass(frozen=True)
class Handbook:
    """What one edition of an appraisal looks at; `level` is the level of the hospitals it is about."""

    id: str
    label: Label
    level: str
    year: int
    source: Provenance
    items: tuple[HandbookItem, ...]


@dataclass(frozen=True)
class ScoredItem:
    """How a value earns points: none at or below `zero_below`, rising to all from `full_from` to `full_to`, falling to none at `zero_above`; each None = open.

    Without any of the four the item is judged on evidence: met earns all, partly half, unmet none.
    """

    item: str
    indicator: str
    group: str
    points: float
    zero_below: float | None = None
    full_from: float | None = None
    full_to: float | None = None
    zero_above: float | None = None

    @property
    def is_judged(self) -> bool:
        """Whether evidence decides and not a value."""
        return all(bound is None for bound in (self.zero_below, self.full_from, self.full_to, self.zero_above))

    @property
    def aim(self) -> float | None:
        """The value nearest to where points are lost from which all points are earned, None where evidence decides."""
        return self.full_from if self.full_from is not None else self.full_to


@dataclass(frozen=True)
class ScoringSheet:
    """A year's scoring: items with their points, groups by id, grades from the best (name → least share of the points, %).

    `quantiles` are those of the country where they were given: indicator → (share of hospitals below (%), value).
    """

    id: str
    label: Label
    level: str
    year: int
    source: Provenance
    note: Label
    groups: Mapping[str, Label]
    grades: tuple[tuple[str, float], ...]
    items: tuple[ScoredItem, ...]
    quantiles: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All the points there are."""
        return sum(one.points for one in self.items)
