"""Targets people have set: which are in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quanmin.records.ledger import Ledger


@dataclass(frozen=True)
class InForce:
    """The targets set by people that hold as of a snapshot: (indicator, place, period) → value, None where withdrawn; `version` changes with each entry."""

    values: Mapping[tuple[str, str, str], float | None]
    version: int


def in_force(ledger: Ledger, snapshot: int) -> InForce:
    """What held until the snapshot after `snapshot` was published: until now for the newest."""
    later = [one.published_at for one in ledger.snapshots() if one.id > snapshot]
    entries = [one for one in ledger.targets() if not later or one.set_at < min(later)]
    return InForce({(one.indicator, one.place_code, one.period): one.value for one in entries}, len(entries))
