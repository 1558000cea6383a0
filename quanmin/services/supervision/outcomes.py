"""What became of each rule's findings: how often it was right, for as long as people have looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quanmin.engines.answers import wilson
from quanmin.model.finding import FindingAct
from quanmin.services.supervision.standing import Standing


@dataclass(frozen=True)
class RuleOutcome:
    """A rule's record: findings `looked_at`, of which `violations` and `innocent`; precision (%) with its Wilson interval, None before any was settled."""

    rule: str
    looked_at: int
    violations: int
    innocent: int
    precision: float | None
    low: float | None
    high: float | None


def outcomes(acts: Mapping[str, Sequence[FindingAct]], standings: Mapping[str, Standing]) -> dict[str, RuleOutcome]:
    """Rule → its record over the findings whose verdict stands."""
    counts: dict[str, list[int]] = {}
    for finding, done in acts.items():
        tally = counts.setdefault(done[-1].rule, [0, 0, 0])
        verdict = standings[finding].verdict
        tally[0] += 1
        tally[1] += verdict == "violation"
        tally[2] += verdict == "innocent"
    return {rule: _outcome(rule, *tally) for rule, tally in sorted(counts.items())}


def _outcome(rule: str, looked_at: int, violations: int, innocent: int) -> RuleOutcome:
    settled = violations + innocent
    if not settled:
        return RuleOutcome(rule, looked_at, 0, 0, None, None, None)
    low, high = wilson(violations, settled)
    return RuleOutcome(rule, looked_at, violations, innocent, 100 * violations / settled, 100 * low, 100 * high)
