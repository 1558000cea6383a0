"""Answers: never a bare number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One group's figure: what was counted, what could not be known, and how sure the value is.

    `value`, `low`, `high` are in the indicator's unit. `unknown` counts rows whose condition is null.
    `missing` lists senders whose submission for the period has not come; then `low` and `high` are bounds and `value` is None.
    """

    key: Mapping[str, Any]
    numerator: float | None
    denominator: float | None
    unknown: int
    value: float | None
    low: float | None = None
    high: float | None = None
    suppressed: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The figures of one question with everything needed to trust and repeat them."""

    question: str
    definition: str
    by: tuple[str, ...]
    cells: tuple[Cell, ...]
    interval: str = "none"
    where: str = ""
    snapshot: int | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


def verdict_of(better: str, value: float | None, target: float | None) -> str:
    """met or missed against a target where higher or lower is better; "" without value, target or direction."""
    if value is None or target is None or better not in ("higher", "lower"):
        return ""
    return "met" if value == target or (value > target) == (better == "higher") else "missed"
