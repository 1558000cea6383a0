"""Tables and code lists: what a record may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quanmin.model.words import Label


@dataclass(frozen=True)
class Column:
    """One declared column.

    `element` is the national data element or front-page field; `codes` the code list its values come from;
    `required` = a row should have it (a completeness check), while the table's key columns must be there for a row to be accepted;
    `private` is "direct" (names a person), "quasi" (helps to find one) or "no".
    """

    name: str
    type: str
    label: Label
    unit: str = ""
    codes: str = ""
    required: bool = False
    element: str = ""
    private: str = "no"
    person: str = ""
    maximum_length: int = 0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """Declared columns with their key, their time column and what their rows belong to.

    `period` names the date column whose month is the slice a re-submission replaces ("" = the whole table is one slice);
    `scope` says which column holds the county, facility or sender that a role may be limited to;
    `owed` = senders are expected to send it every month; `near` = how many months before and after a month of a derived table its rows
    depend on (their tables are offered to its SQL as `<table>_near`); `computed` names what makes further columns out of those its SQL gives.
    """

    id: str
    label: Label
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    time: str = ""
    period: str = ""
    place: str = ""
    scope: Mapping[str, str] = field(default_factory=dict)
    owed: bool = False
    derived_from: tuple[str, ...] = ()
    near: tuple[int, int] = (0, 0)
    about: Label | None = None
    computed: str = ""
    path: str = ""

    @property
    def is_derived(self) -> bool:
        """Whether the table is built by SQL from other tables."""
        return bool(self.derived_from)

    @property
    def person_columns(self) -> dict[str, str]:
        """Person role (name, sex, birth_date, identity_number, …) → column name."""
        return {c.person: c.name for c in self.columns.values() if c.person}


@dataclass(frozen=True)
class CodeList:
    """A value domain with its card: standard, version, licence and source."""

    id: str
    label: Label
    standard: str
    version: str
    licence: str
    source: str
    status: str
    codes: Mapping[str, Label]
    parents: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
