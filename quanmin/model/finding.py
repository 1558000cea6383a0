"""Findings of supervision: what a rule found, and what people did about it."""

from __future__ import annotations

from dataclasses import dataclass


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
