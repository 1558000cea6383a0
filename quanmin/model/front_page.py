"""What an error on a discharge front page costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FieldPoints:
    """A field of the front page: the part it belongs to, the points (of 100) an error and a warning take, and whether the group is decided by it."""

    part: str
    error: float
    warning: float
    decides_group: bool = False


@dataclass(frozen=True)
class FrontPagePoints:
    """How front pages are scored: `most` points that the errors of a part take together, and the fields by table and column."""

    most: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, FieldPoints] = field(default_factory=dict)
