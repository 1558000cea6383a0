"""Pairs of residents that a person must settle, with what was decided already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quanmin.gate.actor import Actor
from quanmin.services.indicators import Indicators


@dataclass(frozen=True)
class Pair:
    """An uncertain pair as `Actor.review_pairs` shows it, its evidence by field, and the decision that is in force from the next build ("" = none)."""

    shown: dict[str, Any]
    evidence: tuple[tuple[str, str], ...]
    decision: str = ""
    reason: str = ""
    decided_by: str = ""


def pairs_to_review(actor: Actor, indicators: Indicators, limit: int) -> list[Pair]:
    """The uncertain pairs, the surest first; refused and audited as `Actor.review_pairs` is."""
    rows = actor.review_pairs(indicators, limit).to_pylist()
    decided = {(d["identity_a"], d["identity_b"]): d for d in actor.ledger.decisions()}
    found = []
    for row in rows:
        first, second = sorted((row["identity_a"], row["identity_b"]))
        known = decided.get((first, second), {})
        evidence = tuple((field, level) for field, _, level in (part.partition("=") for part in (row["levels"] or "").split()) if level)
        found.append(Pair(row, evidence, known.get("decision", ""), known.get("reason", ""), known.get("decided_by", "")))
    return found
