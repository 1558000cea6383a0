"""Events of surveillance within an actor's scope: what was done about them and whom people follow; every step and every look at contacts is audited."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.masking import masked
from quanmin.model import Problem, Refusal
from quanmin.model.event import Contact, EventAct
from quanmin.records.event_ledger import record_contact, record_contact_ill, record_event_act, recorded_contacts, recorded_event_acts

if TYPE_CHECKING:
    from quanmin.gate.inquiry import Inquiry

EVENT = re.compile(r"[0-9a-f]{12}")


def is_seen(inquiry: Inquiry, county: str) -> bool:
    """Whether a county's events lie within the actor's scope: those of the region or of their county; institutions see none."""
    scope = inquiry.actor.scope
    return scope.kind == "region" or (scope.kind == "county" and county == scope.value)


def event_acts_seen(inquiry: Inquiry, event: str = "") -> list[EventAct]:
    """What was done about an event, or about all, of counties within the actor's scope."""
    return [one for one in recorded_event_acts(inquiry.actor.ledger, event) if is_seen(inquiry, one.county)]


def event_acts_anywhere(inquiry: Inquiry) -> list[EventAct]:
    """What was done about events of any county: of use for what is usual, never shown."""
    return recorded_event_acts(inquiry.actor.ledger)


def act_on_event(inquiry: Inquiry, act: EventAct) -> None:
    """Record an act in the actor's name, audited; raises Refusal outside their scope, or where somebody was faster."""
    actor = inquiry.actor
    if not EVENT.fullmatch(act.event) or not is_seen(inquiry, act.county):
        actor.refuse("act on event", act.event[:12])
    record_event_act(actor.ledger, replace(act, by=actor.name))
    Audit(actor.ledger).note(actor.name, "act on event", f"{act.act} {act.event} {act.item} {act.county}")


def contacts_seen(inquiry: Inquiry, event: str, county: str) -> list[Contact]:
    """The contacts of an event, names and telephones masked without the right to see who people are; audited. Raises Refusal outside the actor's scope."""
    actor = inquiry.actor
    actor.require("rows", "contacts", event[:12])
    if not is_seen(inquiry, county):
        actor.refuse("contacts", event[:12])
    found = recorded_contacts(actor.ledger, event)
    if found:
        Audit(actor.ledger).note(actor.name, "contacts", event[:12], rows=len(found))
    if actor.may("identified"):
        return found
    return [replace(one, name=masked(one.name), phone=masked(one.phone) if one.phone else "") for one in found]


def add_contact(inquiry: Inquiry, contact: Contact) -> int:
    """Record a contact in the actor's name, audited without naming them; returns their number. Raises Refusal outside the actor's scope."""
    actor = inquiry.actor
    if not EVENT.fullmatch(contact.event) or not is_seen(inquiry, contact.county):
        actor.refuse("add contact", contact.event[:12])
    number = record_contact(actor.ledger, replace(contact, by=actor.name))
    Audit(actor.ledger).note(actor.name, "add contact", f"{contact.event} {number}")
    return number


def contact_ill(inquiry: Inquiry, event: str, county: str, number: int, card: str) -> None:
    """Note the card of a contact who fell ill, audited; raises Refusal outside the actor's scope or for a contact that is not known."""
    actor = inquiry.actor
    if not is_seen(inquiry, county):
        actor.refuse("contact ill", event[:12])
    if number not in {one.number for one in recorded_contacts(actor.ledger, event)}:
        raise Refusal(Problem("event", None, "contact", str(number), say("no_contact"), say("mend_no_contact")))
    record_contact_ill(actor.ledger, event, number, card, actor.name)
    Audit(actor.ledger).note(actor.name, "contact ill", f"{event} {number}")
