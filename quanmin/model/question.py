"""Questions: Indicators and Checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quanmin.model.words import Label


@dataclass(frozen=True)
class Provenance:
    """Where a definition comes from and how far it was verified against its document."""

    document: str
    item: str = ""
    status: str = "recalled"
    note: str = ""


@dataclass(frozen=True)
class Half:
    """One side of a quotient: rows of a table, counted, summed or counted distinct.

    Exactly one of `sum` and `distinct` may be set; neither means rows are counted. `where` is a condition.
    """

    table: str
    where: str = ""
    sum: str = ""
    distinct: str = ""
    time: str = ""
    place: str = ""


@dataclass(frozen=True)
class Example:
    """A small worked example: rows per table and the answer they must give."""

    tables: Mapping[str, str]
    by: tuple[str, ...]
    answers: tuple[Mapping[str, Any], ...]
    where: str = ""


@dataclass(frozen=True)
class Waiting:
    """What an indicator that cannot be computed yet waits for."""

    table: str
    column: str
    reason: Label


@dataclass(frozen=True)
class Indicator:
    """An official or regional figure: what share, what rate, what mean.

    For `share` both halves are over the same table, the numerator's rows being among the denominator's.
    For `mean` the numerator sums an expression over the denominator's rows. `growth` and `composite` are made of other
    indicators. `requires` names tables whose senders must all have sent a period before its value stands without bounds.
    """

    id: str
    code: str
    label: Label
    kind: str
    unit: str
    better: str
    theme: str
    source: Provenance
    numerator: Half | None = None
    denominator: Half | None = None
    per: float = 1.0
    by: tuple[str, ...] = ()
    part: str = ""
    of: str = ""
    lag: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    formula: str = ""
    requires: tuple[str, ...] = ()
    why: Label | None = None
    example: Example | None = None
    waits_for: Waiting | None = None
    version: str = ""
    valid_from: str = ""
    path: str = ""

    @property
    def is_executable(self) -> bool:
        """Whether an engine can answer it."""
        return self.waits_for is None


@dataclass(frozen=True)
class RuleText:
    """What a rule of supervision says of a row that violates it.

    `family` is a code of rule_family; `explanation` tells the case with {column} put in from the row; `innocent` when the same picture is proper;
    `amount` is an expression over the table: the money in question ("" = none); `due_days` are the days an institution has to answer.
    """

    family: str
    explanation: Label
    innocent: Label
    amount: str = ""
    due_days: int = 15


@dataclass(frozen=True)
class Check:
    """A data-quality question that wants to be zero: which of the rows it applies to violate the rule.

    `applies` and `violated` are conditions over `table`; `fields` the columns to mend; `tolerated` the share (%) of violations that is
    still accepted of a sender. Categories follow Kahn et al. 2016 (doi:10.13063/2327-9214.1244). A check with `finding` is a rule of supervision:
    each violating row is a finding that its institution answers for.
    """

    id: str
    label: Label
    table: str
    category: str
    severity: str
    applies: str
    violated: str
    fields: tuple[str, ...]
    mend: Label
    source: Provenance
    tolerated: float = 0.0
    example: Example | None = None
    finding: RuleText | None = None
    version: str = ""
    path: str = ""
