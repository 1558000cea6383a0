"""The ledger's part about events of surveillance: what people did, and whom they follow."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, insert, select

from quanmin.model.event import Contact, EventAct
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger, first, now


def record_event_act(ledger: Ledger, act: EventAct) -> None:
    """Record an act; raises Refusal where somebody else has taken the step."""
    with first("event", "finding_moved"), ledger.transaction() as connection:
        connection.execute(insert(t.event_act).values(**asdict(act) | {"at": now()}))


def recorded_event_acts(ledger: Ledger, event: str = "") -> list[EventAct]:
    """The acts on an event, or all, in order."""
    query = select(*(column for column in t.event_act.c if column.name != "id")).order_by(t.event_act.c.id)
    with ledger.reading() as connection:
        return [EventAct(*row) for row in connection.execute(query.where(t.event_act.c.event == event) if event else query)]


def record_contact(ledger: Ledger, contact: Contact) -> int:
    """Record a contact of a case under the next number of its event, which is returned; raises Refusal where somebody else took the number."""
    told = {name: value for name, value in asdict(contact).items() if name != "found_card"}
    with first("event", "finding_moved"), ledger.transaction() as connection:
        last = select(func.coalesce(func.max(t.event_contact.c.number), 0)).where(t.event_contact.c.event == contact.event)
        number = int(connection.execute(last).scalar_one()) + 1
        connection.execute(insert(t.event_contact).values(**told | {"number": number, "at": now()}))
    return number


def record_contact_ill(ledger: Ledger, event: str, number: int, card: str, by: str) -> None:
    """Record the report card of a contact who fell ill, once; raises Refusal where it is recorded already."""
    with first("event", "finding_moved"), ledger.transaction() as connection:
        connection.execute(insert(t.event_illness).values(event=event, contact=number, card=card, by=by, at=now()))


def recorded_contacts(ledger: Ledger, event: str) -> list[Contact]:
    """The contacts of an event, in order."""
    people = select(*(column for column in t.event_contact.c if column.name != "id")).where(t.event_contact.c.event == event)
    ill = select(t.event_illness.c.contact, t.event_illness.c.card).where(t.event_illness.c.event == event)
    with ledger.reading() as connection:
        cards: dict[int, str] = {contact: card for contact, card in connection.execute(ill)}
        return [Contact(**row, found_card=cards.get(row["number"], "")) for row in connection.execute(people.order_by(t.event_contact.c.number)).mappings()]
