"""What the cases of a group usually need: a set of relative weights, in force from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quanmin.model.words import Label


@dataclass(frozen=True)
class GroupNorm:
    """What a group's cases usually need: relative weight (1 = the mean case), and where known mean charge, mean days and level of risk (0 to 4)."""

    weight: float
    mean_charge_cny: float | None = None
    mean_days: float | None = None
    risk_level: int | None = None


@dataclass(frozen=True)
class Weights:
    """The norms of a scheme's groups from `valid_from` (a day) until another set of the scheme begins."""

    id: str
    label: Label
    scheme: str
    valid_from: str
    status: str
    groups: Mapping[str, GroupNorm]
