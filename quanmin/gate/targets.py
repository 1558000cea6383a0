"""Targets people set: who may set which, and which are in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.gate.actor import Actor
from quanmin.gate.audit import Audit
from quanmin.model import Problem, Refusal
from quanmin.records.ledger import Ledger, TargetSet


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


def set_targets(actor: Actor, allowed: Collection[str], targets: Sequence[TargetSet]) -> None:
    """Set targets for places among `allowed` (codes within the actor's scope), all or none, audited; raises Refusal."""
    actor.require("targets", "set target", f"{len(targets)}")
    for one in targets:
        if one.place_code not in allowed:
            raise Refusal(Problem("target", None, "place", one.place_code[:40], say("target_place"), say("mend_code")))
    actor.ledger.set_targets(targets)
    for one in targets:
        Audit(actor.ledger).note(actor.name, "set target", f"{one.indicator} {one.place_code} {one.period} {'' if one.value is None else one.value}".strip())
