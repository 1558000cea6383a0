"""A grouping scheme: what turns the diagnoses and procedures of a stay into a group of patients alike in cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from quanmin.model.words import Label

PROCEDURE_KINDS = ("none", "diagnostic", "therapeutic", "operation")  # the later outranks the earlier
LEVELS = ("", "CC", "MCC")  # of complications, from none to major


@dataclass(frozen=True)
class Coded:
    """Whether the principal (PDX, PROC1) or any (ANYDX, ANYPROC) code is in a list."""

    subject: str
    listed: str


@dataclass(frozen=True)
class Measured:
    """Whether a number of the case (AGE_YEARS, AGE_DAYS, BIRTH_WEIGHT_G) stands so to a value; an unknown number never does."""

    subject: str
    relation: str
    value: float


@dataclass(frozen=True)
class OfSex:
    """Whether the patient is of a sex (M, F)."""

    sex: str


@dataclass(frozen=True)
class Sites:
    """Whether the diagnoses that are in the category's list lie at so many different body sites."""

    least: int


@dataclass(frozen=True)
class Both:
    """Whether all parts hold; of no parts: always."""

    parts: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Either:
    """Whether some part holds."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True)
class Negated:
    """Whether the part does not hold."""

    part: Rule


Rule: TypeAlias = Coded | Measured | OfSex | Sites | Both | Either | Negated


@dataclass(frozen=True)
class MajorCategory:
    """An MDC: who enters it, and the body site of a diagnosis where that matters."""

    id: str
    label: Label
    rule: Rule
    text: str
    diagnoses: Mapping[str, str]


@dataclass(frozen=True)
class AdjacentGroup:
    """An ADRG (or core group): who belongs, of those that entered its category; `lists` are its code lists by name."""

    id: str
    category: str
    kind: str
    rule: Rule
    text: str
    lists: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Group:
    """A DRG: an adjacent group at a severity (MCC, MCC_OR_CC, ANY); the first that holds is the case's."""

    id: str
    adjacent: str
    severity: str
    label: Label


@dataclass(frozen=True)
class Cluster:
    """A group of a DIP scheme: `core` (a subcategory of ICD-10 with a set of procedures) or composite (a category of ICD-10 with a kind of procedure).

    `procedures` are four-digit categories of ICD-9-CM-3, `kind` is one of PROCEDURE_KINDS; `cases` and `points` (1000 = the mean case) are those of the
    cases that the group was drawn from.
    """

    id: str
    is_core: bool
    diagnosis: str
    procedures: tuple[str, ...]
    kind: str
    cases: int
    points: float
    label: Label


@dataclass(frozen=True)
class Scheme:
    """A grouping scheme: categories, adjacent groups and groups in the order in which they are tried; of kind dip, clusters that cases are looked up in."""

    id: str
    label: Label
    version: str
    status: str
    categories: tuple[MajorCategory, ...]
    adjacents: tuple[AdjacentGroup, ...]
    groups: tuple[Group, ...]
    lists: Mapping[str, frozenset[str]]
    complications: Mapping[str, tuple[str, str]]  # code → level, exclusion table
    exclusions: Mapping[str, str]  # principal diagnosis → the exclusion table it is in
    diagnosis_edition: Mapping[str, str] = field(default_factory=dict)  # code of another edition → code of the scheme's
    procedure_edition: Mapping[str, str] = field(default_factory=dict)
    in_both: frozenset[str] = frozenset()  # codes of the other edition that are also codes of the scheme's, with another meaning
    path: str = ""
    is_dip: bool = False
    clusters: tuple[Cluster, ...] = ()
    procedure_kinds: Mapping[str, str] = field(default_factory=dict)  # beginning of a procedure code → its kind; what is not named is an operation

    @property
    def has_rules(self) -> bool:
        """Whether cases can be grouped, or only groups be named."""
        return bool(self.clusters if self.is_dip else self.adjacents)

    def codes(self, one: MajorCategory | AdjacentGroup, listed: str) -> Collection[str]:
        """The codes of a list that a category or an adjacent group names."""
        if isinstance(one, AdjacentGroup):
            return one.lists.get(listed) or self.lists[listed]
        return one.diagnoses if listed == "MDC_DX" else self.lists[listed]
