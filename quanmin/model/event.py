"""Events of surveillance: what people did about signals, and the contacts they follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EventAct:
    """What somebody did about an event: `step` counts its acts from 1; what it was about stands beside it, since later data may move its days."""

    event: str
    step: int
    act: str
    text: str
    item: str
    county: str
    first_on: str
    last_on: str
    source: str
    method: str
    by: str
    at: str = ""


@dataclass(frozen=True)
class Contact:
    """Somebody who met a case: `card` is the case's report card, `found_card` that of the contact if they fell ill ("" if not); followed until `until`."""

    event: str
    number: int
    card: str
    name: str
    phone: str
    relation: str
    met_on: str
    until: str
    found_card: str
    county: str
    by: str
    at: str = ""
