"""What a hospital's gap to its peers is made of: groups of cases where it does otherwise, and groups of which it has more or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Counts = Mapping[str, tuple[float, float]]  # group → numerator, denominator


@dataclass(frozen=True)
class Driver:
    """A group's part of the gap, in the indicator's unit: `within` by doing otherwise than the peers in it, `mix` by having more or fewer of it."""

    group: str
    cases: float
    value: float | None
    peers_value: float | None
    within: float
    mix: float

    @property
    def gap(self) -> float:
        """Both parts."""
        return self.within + self.mix


@dataclass(frozen=True)
class Gap:
    """A hospital's value, that of its peers together, their difference, and the drivers it is made of (their sum is the difference)."""

    value: float
    peers_value: float
    drivers: tuple[Driver, ...]


def drivers(own: Counts, peers: Counts, scale: float) -> Gap | None:
    """The exact parts of the difference between a quotient over own groups and over the peers' (Kitagawa 1955, doi:10.1080/01621459.1955.10501299).

    A group the peers do not have is held against all their cases. None where either side has no cases; `scale` turns a quotient into the unit.
    """
    size, peer_size = (sum(denominator for _, denominator in side.values()) for side in (own, peers))
    if not size or not peer_size:
        return None
    whole, peer_whole = (sum(numerator for numerator, _ in side.values()) / n for side, n in ((own, size), (peers, peer_size)))
    found = []
    for group in sorted({*own, *peers}):
        (events, cases), (peer_events, peer_cases) = own.get(group, (0.0, 0.0)), peers.get(group, (0.0, 0.0))
        expected = peer_events / peer_cases if peer_cases else peer_whole
        rate = events / cases if cases else None
        within = cases / size * (rate - expected) if rate is not None else 0.0
        mix = (cases / size - peer_cases / peer_size) * (expected - peer_whole)
        found.append(Driver(group, cases, None if rate is None else rate * scale, expected * scale if peer_cases else None, within * scale, mix * scale))
    found.sort(key=lambda one: -abs(one.gap))
    return Gap(whole * scale, peer_whole * scale, tuple(found))
