"""The ledger's part about events of surveillance: what people did, and whom they follow."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.event import Contact, EventAct
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger, now


def record_event_act(ledger: Ledger, act: EventAct) -> None:
    """Record an act; raises Refusal where somebody else has taken the step."""
    try:
        with ledger.transaction() as connection:
            connection.execute(insert(t.event_act).values(**asdict(act) | {"at": now()}))
    except IntegrityError as error:
        raise Refusal(Problem("event", None, "step", "", say("finding_moved"), say("mend_finding_moved"))) from error


def recorded_event_acts(ledger: Ledger, event: str = "") -> list[EventAct]:
    """The acts on an event, or all, in order."""
    query = select(*(column for column in t.event_act.c if column.name != "id")).order_by(t.event_act.c.id)
    with ledger.reading() as connection:
        return [EventAct(*row) for row in connection.execute(query.where(t.event_act.c.event == event) if event else query)]


def record_contact(ledger: Ledger, contact: Contact) -> int:
    """Record a contact of a case under the next number of its event, which is returned."""
    with ledger.transaction() as connection:
        last = select(func.coalesce(func.max(t.event_contact.c.number), 0)).where(t.event_contact.c.event == contact.event)
        number = int(connection.execute(last).scalar_one())
        connection.execute(insert(t.event_contact).values(**asdict(contact) | {"number": number + 1, "at": now()}))
    return number + 1


def record_contact_ill(ledger: Ledger, event: str, number: int, card: str) -> None:
    """Note the report card of a contact who fell ill."""
    with ledger.transaction() as connection:
        connection.execute(update(t.event_contact).where(t.event_contact.c.event == event, t.event_contact.c.number == number).values(found_card=card))


def recorded_contacts(ledger: Ledger, event: str) -> list[Contact]:
    """The contacts of an event, in order."""
    query = select(*(column for column in t.event_contact.c if column.name != "id")).where(t.event_contact.c.event == event).order_by(t.event_contact.c.number)
    with ledger.reading() as connection:
        return [Contact(*row) for row in connection.execute(query)]
