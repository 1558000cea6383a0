"""The audit trail: whatever is done to it shows, and it names nobody but who acted.

What does not show by the chain alone is a trail cut off at its end, or wholly written anew: against that, a seal noted elsewhere is looked up.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update

from quanmin.engines.duckdb import DuckDBEngine
from quanmin.gate import Actor, NotAllowed, Scope
from quanmin.gate.audit import Audit
from quanmin.model import Refusal
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger
from quanmin.services.indicators import Indicators
from tests.conftest import frames_of
from tests.gate.conftest import STAYS, stays

LENGTH = 5


@pytest.fixture
def trail(ledger: Ledger) -> Audit:
    made = Audit(ledger)
    for number in range(LENGTH):
        made.note(f"account {number}", "rows", f"indicator_{number} @3", "done", number + 1)
    assert made.first_break() is None
    return made


@pytest.mark.parametrize("position", range(1, LENGTH + 1))
@pytest.mark.parametrize("field", [column.name for column in t.audit.columns])
def test_an_altered_entry_shows(trail: Audit, field: str, position: int) -> None:
    value = {"rows": 0, "id": 99, "before": "0" * 64, "seal": "f" * 64}.get(field, "altered")
    with trail.ledger.engine.begin() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == position).values({field: value}))
    found = trail.first_break()
    assert found == (position if field != "id" else position + 1 if position < LENGTH else 99)


@pytest.mark.parametrize("gone", [[1], [2], [LENGTH - 1], [1, 2], [2, 3, 4]])
def test_a_removed_entry_shows(trail: Audit, gone: list[int]) -> None:
    with trail.ledger.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.id.in_(gone)))
    assert trail.first_break() == gone[-1] + 1


@pytest.mark.parametrize("gone", [[2], [3, 4], [1]])
def test_a_removed_entry_shows_even_if_the_numbers_are_closed_up(trail: Audit, gone: list[int]) -> None:
    with trail.ledger.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.id.in_(gone)))
        for number in range(gone[-1] + 1, LENGTH + 1):
            connection.execute(update(t.audit).where(t.audit.c.id == number).values(id=number - len(gone)))
    assert trail.first_break() == gone[0]


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 3), (4, 5), (1, 5), (2, 4)])
def test_two_entries_in_each_others_place_show(trail: Audit, one: int, other: int) -> None:
    with trail.ledger.engine.begin() as connection:
        for now, then in ((one, 99), (other, one), (99, other)):
            connection.execute(update(t.audit).where(t.audit.c.id == now).values(id=then))
    assert trail.first_break() == one


@pytest.mark.parametrize("position", range(1, LENGTH + 2))
def test_an_inserted_entry_shows(trail: Audit, position: int) -> None:
    with trail.ledger.engine.begin() as connection:
        copied = dict(connection.execute(select(t.audit).where(t.audit.c.id == 3)).one()._mapping)
        for number in range(LENGTH, position - 1, -1):
            connection.execute(update(t.audit).where(t.audit.c.id == number).values(id=number + 1))
        connection.execute(t.audit.insert().values(copied | {"id": position}))
    expected = {3: 4}.get(position, position)  # a copy of the third entry in its own place: the original then is one too many
    assert trail.first_break() == expected


def test_a_trail_cut_off_at_its_end_lacks_a_seal_noted_before(trail: Audit) -> None:
    noted = trail.entries(1)[0]["seal"]
    with trail.ledger.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.id == LENGTH))
    trail.note("somebody", "rows", "later")
    assert noted not in {entry["seal"] for entry in trail.entries()}


def test_many_at_once_make_one_chain(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Audit(ledger).note(f"account {n}", "rows", "x", rows=n), range(40)))
    assert Audit(ledger).first_break() is None and {e["rows"] for e in Audit(ledger).entries()} == set(range(40))
    assert [e["id"] for e in Audit(ledger).entries(3)] == [40, 39, 38]


def test_entries_hold_no_personal_data(ledger: Ledger, indicators: Indicators) -> None:
    rows = [row | {"resident_id": "RESIDENT-SECRET", "home_township": "TOWN-SECRET"} for row in stays()]
    seen = Indicators(indicators.catalog, DuckDBEngine(indicators.catalog, frames=frames_of(indicators.catalog, {STAYS: rows}), threads=1), 7, 5)
    section, leader = (Actor(name, role, Scope(), ledger) for name, role in (("Ms Lin", "section"), ("Mr Gu", "leader")))
    section.rows(seen, "deaths", where=["resident_id = 'RESIDENT-SECRET' AND home_township = 'TOWN-SECRET'"])
    for actor, act in (
        (leader, lambda a: a.figures(seen, "deaths", where=["resident_id = 'RESIDENT-SECRET'"])), (leader, lambda a: a.rows(seen, "deaths")),
        (leader, lambda a: a.rows(seen, "NAME-SECRET")), (Actor("Mr Gu", "auditor", Scope(), ledger), lambda a: a.figures(seen, "NAME-SECRET")),
        (leader, lambda a: a.decide("RESIDENT-SECRET", "NAME-SECRET", "join", "REASON-SECRET")),
        (section, lambda a: a.rows(seen, "deaths", unmasked=True)),
    ):
        with pytest.raises(NotAllowed):
            act(actor)
    with pytest.raises(Refusal):
        section.decide("RESIDENT-SECRET", "NAME-SECRET", "join", "REASON-SECRET")
    section.decide("a" * 32, "b" * 32, "join", "REASON-SECRET")
    entries = Audit(ledger).entries()
    assert [(e["account"], e["action"], e["result"]) for e in reversed(entries)] == [
        ("Ms Lin", "rows", "done"), ("Mr Gu", "figures", "refused"), ("Mr Gu", "rows", "refused"), ("Mr Gu", "rows", "refused"),
        ("Mr Gu", "figures", "refused"), ("Mr Gu", "decide", "refused"),
        ("Ms Lin", "rows", "refused"), ("Ms Lin", "decide", "done")]
    assert entries[-1]["rows"] == 80 and entries[-1]["subject"] == "deaths @7"
    assert not re.search("SECRET", repr(entries))
    assert Audit(ledger).first_break() is None
