"""Findings of supervision: what a rule found, and what people did about it."""

from __future__ import annotations

from dataclasses import dataclass

from quanmin.model.question import Check


@dataclass(frozen=True)
class Found:
    """A row that violates a rule; `id` outlives a re-submission, `row_key` is the key of the row in `table`; amount in CNY, None where the rule names none."""

    id: str
    rule: str
    family: str
    table: str
    row_key: str
    subject_key: str
    facility: str
    county: str
    department: str
    found_on: str
    amount_cny: float | None


@dataclass(frozen=True)
class FindingAct:
    """What somebody did about a finding: `step` counts its acts from 1; `due_on` is a day by which the other side has to act, "" for none.

    `evidence` is the SHA-256 of an attached file, "" for none. What was found (rule to amount) is kept beside it, since a corrected record is found no more.
    """

    finding: str
    step: int
    act: str
    text: str
    due_on: str
    evidence: str
    evidence_name: str
    rule: str
    facility: str
    county: str
    found_on: str
    amount_cny: float | None
    by: str
    at: str = ""


@dataclass(frozen=True)
class Compared:
    """Findings of one facility in one month (2026-03): by both rules, only by the one as it is, only by the changed one."""

    facility_code: str
    month: str
    both: int
    only_before: int
    only_after: int


@dataclass(frozen=True)
class Replay:
    """What a change of a rule would have meant: counts in all, by facility and month, and some row keys of each side."""

    before: Check
    after: Check
    both: int
    only_before: int
    only_after: int
    by: tuple[Compared, ...]
    sample: dict[str, tuple[str, ...]]
