"""Events of surveillance within an actor's scope: what was done about them and whom people follow; every step and every look at contacts is audited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from quanmin.catalog.messages import say
from quanmin.gate.actor import Actor
from quanmin.gate.audit import Audit
from quanmin.gate.masking import masked
from quanmin.model import Problem, Refusal
from quanmin.model.event import Contact, EventAct
from quanmin.records.event_ledger import record_contact, record_contact_ill, record_event_act, recorded_contacts, recorded_event_acts

EVENT = re.compile(r"[0-9a-f]{12}")


class EventDesk:
    """The part of an inquiry that events go through."""

    actor: Actor

    def sees_events(self, county: str) -> bool:
        """Whether a county's signals and events lie within the actor's scope; institutions see none."""
        return self.actor.scope.holds(county)

    def _hold(self, event: str, county: str, action: str) -> None:
        """Raises Refusal, audited, for what is no event or lies outside the actor's scope."""
        if not EVENT.fullmatch(event) or not self.sees_events(county):
            self.actor.refuse(action, event[:12])

    def event_acts(self, event: str = "") -> Sequence[EventAct]:
        """What was done about an event, or about all, of counties within the actor's scope."""
        return [one for one in recorded_event_acts(self.actor.ledger, event) if self.sees_events(one.county)]

    def all_event_acts(self) -> Sequence[EventAct]:
        """What was done about events of any county: of use for what is usual, never shown."""
        return recorded_event_acts(self.actor.ledger)

    def act_on_event(self, act: EventAct) -> None:
        """Record an act in the actor's name, audited; raises Refusal outside their scope, or where somebody was faster."""
        self._hold(act.event, act.county, "act on event")
        record_event_act(self.actor.ledger, replace(act, by=self.actor.name))
        Audit(self.actor.ledger).note(self.actor.name, "act on event", f"{act.act} {act.event} {act.item} {act.county}")

    def contacts(self, event: str, county: str) -> Sequence[Contact]:
        """The contacts of an event, names and telephones masked without the right to see who people are; audited. Raises Refusal outside the scope."""
        actor = self.actor
        actor.require("rows", "contacts", event[:12])
        self._hold(event, county, "contacts")
        found = recorded_contacts(actor.ledger, event)
        if found:
            Audit(actor.ledger).note(actor.name, "contacts", event[:12], rows=len(found))
        if actor.may("identified"):
            return found
        return [replace(one, name=masked(one.name), phone=masked(one.phone) if one.phone else "") for one in found]

    def add_contact(self, contact: Contact) -> int:
        """Record a contact in the actor's name, audited without naming them; returns their number. Raises Refusal outside the actor's scope."""
        self._hold(contact.event, contact.county, "add contact")
        number = record_contact(self.actor.ledger, replace(contact, by=self.actor.name))
        Audit(self.actor.ledger).note(self.actor.name, "add contact", f"{contact.event} {number}")
        return number

    def contact_ill(self, event: str, county: str, number: int, card: str) -> None:
        """Note the card of a contact who fell ill, audited; raises Refusal outside the actor's scope or for a contact that is not known."""
        self._hold(event, county, "contact ill")
        if number not in {one.number for one in recorded_contacts(self.actor.ledger, event)}:
            raise Refusal(Problem("event", None, "contact", str(number), say("no_contact"), say("mend_no_contact")))
        record_contact_ill(self.actor.ledger, event, number, card, self.actor.name)
        Audit(self.actor.ledger).note(self.actor.name, "contact ill", f"{event} {number}")
