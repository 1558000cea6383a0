"""Accounts and sessions: nothing is known beforehand, nothing is kept in clear, everything ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select, update

from quanmin.gate import Accounts
from quanmin.gate import accounts as module
from quanmin.model import Refusal
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import CHINA_TIME, Ledger

GOOD = "a long enough phrase 7"


def row_of(ledger: Ledger, name: str) -> Any:
    with ledger.engine.connect() as connection:
        return connection.execute(select(t.account).where(t.account.c.name == name)).one()


def back(**by: float) -> str:
    """A moment that long ago."""
    return (datetime.now(CHINA_TIME) - timedelta(**by)).isoformat(timespec="seconds")


def change(ledger: Ledger, table: Any, **values: Any) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(update(table).values(**values))


def test_the_first_administrator_has_a_one_time_password_and_there_is_no_second(accounts: Accounts, tmp_path) -> None:
    name, password = accounts.ensure_administrator()
    assert name == "admin" and len(password) >= 16
    assert accounts.ensure_administrator() is None
    [account] = accounts.all()
    assert account.must_change and account.role == "administrator" and str(account.scope) == "region"
    other = Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    t.metadata.create_all(other.engine)
    assert Accounts(other).ensure_administrator()[1] != password, "two sites begin with the same password"
    for guess in ("admin", "password", "quanmin", "123456", "", "administrator", name):
        assert accounts.sign_in("admin", guess) is None


def test_passwords_are_kept_as_argon2id_and_tokens_as_hashes(accounts: Accounts, ledger: Ledger, tmp_path) -> None:
    password = accounts.add("somebody", "viewer")
    token = accounts.sign_in("somebody", password)
    kept = row_of(ledger, "somebody").password_hash
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    csrf = accounts.session(token).csrf
    assert len({token, csrf, password}) == 3 and len(token) >= 40 and len(csrf) >= 40
    ledger.engine.dispose()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert password.encode() not in stored and token.encode() not in stored
    assert accounts.add("another", "viewer") != password
    assert row_of(ledger, "another").password_hash.split("$")[-2] != kept.split("$")[-2], "the salt is the same"


def test_the_one_time_password_is_changed_and_ends_every_session(accounts: Accounts) -> None:
    once = accounts.add("somebody", "viewer")
    tokens = [accounts.sign_in("somebody", once) for _ in range(2)]
    account = accounts.session(tokens[0]).account
    assert account.must_change
    accounts.change_password(account, once, GOOD)
    assert [accounts.session(token) for token in tokens] == [None, None]
    assert accounts.sign_in("somebody", once) is None
    assert not accounts.session(accounts.sign_in("somebody", GOOD)).account.must_change


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaa", "abcabcabcabcabc", "xx-SOMEBODY-1234", "ONCE"])
def test_weak_passwords_are_refused(accounts: Accounts, new: str) -> None:
    once = accounts.add("somebody", "viewer")
    token = accounts.sign_in("somebody", once)
    with pytest.raises(Refusal):
        accounts.change_password(accounts.session(token).account, once, once if new == "ONCE" else new)
    assert accounts.session(token).account.must_change


def test_a_wrong_old_password_changes_nothing(accounts: Accounts) -> None:
    once = accounts.add("somebody", "viewer")
    token = accounts.sign_in("somebody", once)
    with pytest.raises(Refusal):
        accounts.change_password(accounts.session(token).account, "wrong", GOOD)
    assert accounts.session(token) and accounts.sign_in("somebody", once)


def test_guessing_locks_longer_and_longer_and_the_right_password_does_not_open(accounts: Accounts, ledger: Ledger) -> None:
    password = accounts.add("somebody", "viewer")
    seconds = []
    with patch.object(module, "_verifies", lambda _hash, given: given == password):
        for _ in range(module.FREE_FAILURES + 12):
            assert accounts.sign_in("somebody", "wrong") is None
            until = row_of(ledger, "somebody").locked_until
            seconds.append(round((datetime.fromisoformat(until) - datetime.now(CHINA_TIME)).total_seconds()) if until else 0)
        assert seconds[: module.FREE_FAILURES] == [0] * module.FREE_FAILURES and seconds[module.FREE_FAILURES] >= 1
        assert seconds == sorted(seconds) and module.LONGEST_LOCK - 2 <= seconds[-1] <= module.LONGEST_LOCK
        assert accounts.sign_in("somebody", password) is None, "a locked account opens"
        change(ledger, t.account, locked_until=back(seconds=1))
        assert accounts.sign_in("somebody", password)
        assert row_of(ledger, "somebody").failures == 0 and not row_of(ledger, "somebody").locked_until


def test_unknown_names_cost_the_same_work(accounts: Accounts) -> None:
    accounts.add("somebody", "viewer")
    with patch.object(module, "_verifies", wraps=module._verifies) as verifies:
        assert accounts.sign_in("nobody", "x") is None and accounts.sign_in("somebody", "x") is None
    hashes = [call.args[0] for call in verifies.call_args_list]
    assert len(hashes) == 2 and hashes[0].rsplit("$", 2)[0] == hashes[1].rsplit("$", 2)[0], "an unknown name is told by the time it takes"


def test_sessions_end(accounts: Accounts, ledger: Ledger) -> None:
    password = accounts.add("somebody", "viewer")

    def signed_in() -> str:
        change(ledger, t.session, seen_at=back(), created_at=back())
        return accounts.sign_in("somebody", password)

    token = signed_in()
    assert accounts.session(token).account.name == "somebody"
    assert accounts.session(token + "x") is None and accounts.session("") is None
    for values, stands in (({"seen_at": back(minutes=29)}, True), ({"seen_at": back(minutes=31)}, False),
                           ({"created_at": back(hours=11.9)}, True), ({"created_at": back(hours=12.1)}, False)):
        token = signed_in()
        change(ledger, t.session, **values)
        assert (accounts.session(token) is not None) == stands, values
        change(ledger, t.session, seen_at=back(), created_at=back())
        assert (accounts.session(token) is not None) == stands, "an ended session comes back"
    token, other = signed_in(), signed_in()
    accounts.sign_out(token)
    assert accounts.session(token) is None and accounts.session(other)


def test_being_seen_keeps_a_session_alive_but_not_for_ever(accounts: Accounts, ledger: Ledger) -> None:
    token = accounts.sign_in("somebody", accounts.add("somebody", "viewer"))
    change(ledger, t.session, seen_at=back(minutes=20), created_at=back(hours=11))
    accounts.session(token)
    with ledger.engine.connect() as connection:
        row = connection.execute(select(t.session)).one()
    assert row.seen_at > back(minutes=1) and row.created_at < back(hours=10)


def test_disabling_ends_sessions_and_keeps_out(accounts: Accounts) -> None:
    password, other = accounts.add("somebody", "viewer"), accounts.add("other", "viewer")
    token, others = accounts.sign_in("somebody", password), accounts.sign_in("other", other)
    accounts.disable("somebody")
    assert accounts.session(token) is None and accounts.sign_in("somebody", password) is None
    assert accounts.session(others) and [a.is_disabled for a in accounts.all()] == [False, True]
    with pytest.raises(Refusal):
        accounts.disable("nobody")


@pytest.mark.parametrize(("name", "role", "scope"), [
    ("x", "operator", "region"), ("x", "king", "region"), ("x", "", "region"), ("", "viewer", "region"), ("x" * 101, "viewer", "region"),
    ("a\nb", "viewer", "region"), ("a\x1fb", "viewer", "region"), ("x", "viewer", "county:"), ("x", "viewer", "region:C1"), ("x", "viewer", "planet:C1"),
    ("x", "viewer", "county:C1' OR '1'='1"), ("x", "viewer", "county:C1\""), ("x", "viewer", ""), ("taken", "viewer", "region"),
])
def test_bad_accounts_are_refused(accounts: Accounts, name: str, role: str, scope: str) -> None:
    accounts.add("taken", "viewer")
    with pytest.raises(Refusal):
        accounts.add(name, role, scope)
    assert [a.name for a in accounts.all()] == ["taken"]
