"""Accounts and sessions: Argon2id passwords, server-side sessions, no default account or secret anywhere."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, insert, select, update

from quanmin import catalog
from quanmin.catalog.messages import say
from quanmin.gate.scope import Scope
from quanmin.model import Label, Problem, Refusal
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import CHINA_TIME, Ledger, now

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP password storage cheat sheet, Argon2id minimum
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
FREE_FAILURES, LONGEST_LOCK = 5, 900  # tries before a lock, seconds
SHORTEST, DIFFERENT = 12, 6


@cache
def roles() -> dict[str, tuple[Label, frozenset[str]]]:
    """Role → its label and what it may do."""
    data = tomllib.loads((Path(catalog.__file__).parent / "roles.toml").read_text("utf-8"))
    return {name: (Label(r["zh"], r["en"]), frozenset(r["may"])) for name, r in data.items()}


@dataclass(frozen=True)
class Account:
    """A person's account."""

    id: int
    name: str
    role: str
    scope: Scope
    must_change: bool
    is_disabled: bool

    def may(self, permission: str) -> bool:
        """Whether the account's role grants a permission."""
        return permission in roles()[self.role][1]


@dataclass(frozen=True)
class Session:
    """A signed-in session."""

    account: Account
    csrf: str


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _account(row: object) -> Account:
    return Account(row.id, row.name, row.role, Scope(row.scope_kind, row.scope_value), row.must_change, row.is_disabled)  # type: ignore[attr-defined]


class Accounts:
    """The accounts of one site."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def add(self, name: str, role: str, scope: str = "region") -> str:
        """Make an account; returns its one-time password. Raises Refusal for a bad name, role or scope."""
        if role not in roles() or role == "operator":
            raise Refusal(Problem("account", None, "role", role, say("unknown_role"), ", ".join(r for r in roles() if r != "operator")))
        parsed = Scope.parse(scope)
        if not name or len(name) > 100 or not name.isprintable():
            raise Refusal(Problem("account", None, "name", name, say("bad_value"), say("mend_key")))
        password = secrets.token_urlsafe(12)
        with self.ledger.transaction() as connection:
            if connection.execute(select(t.account.c.id).where(t.account.c.name == name)).first():
                raise Refusal(Problem("account", None, "name", name, say("account_exists"), say("mend_site_exists")))
            connection.execute(insert(t.account).values(
                name=name, password_hash=HASHER.hash(password), must_change=True, role=role, scope_kind=parsed.kind, scope_value=parsed.value,
                is_disabled=False, failures=0, locked_until="", created_at=now(),
            ))
        return password

    def ensure_administrator(self) -> tuple[str, str] | None:
        """On the very first start, an administrator with a one-time password; None ever after."""
        with self.ledger.engine.connect() as connection:
            if connection.execute(select(func.count()).select_from(t.account)).scalar():
                return None
        return "admin", self.add("admin", "administrator")

    def all(self) -> list[Account]:
        """Every account by name."""
        with self.ledger.engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(t.account).order_by(t.account.c.name))]

    def disable(self, name: str) -> None:
        """Disable an account; its sessions end at once. Raises Refusal where there is none."""
        with self.ledger.transaction() as connection:
            row = connection.execute(select(t.account.c.id).where(t.account.c.name == name)).first()
            if row is None:
                raise Refusal(Problem("account", None, "name", name, say("no_account"), say("mend_key")))
            connection.execute(update(t.account).where(t.account.c.id == row.id).values(is_disabled=True))
            connection.execute(delete(t.session).where(t.session.c.account == row.id))

    def sign_in(self, name: str, password: str) -> str | None:
        """A new session's token, or None: unknown, wrong, disabled and locked look and take the same."""
        moment = datetime.now(CHINA_TIME)
        with self.ledger.engine.connect() as connection:
            row = connection.execute(select(t.account).where(t.account.c.name == name)).first()
        known = row.password_hash if row else _stand_in()
        is_right = _verifies(known, password)
        if row is None:
            return None
        is_locked = bool(row.locked_until) and datetime.fromisoformat(row.locked_until) > moment
        if not is_right or row.is_disabled or is_locked:
            self._note_failure(row.id, row.failures + 1, moment)
            return None
        token = secrets.token_urlsafe(32)
        with self.ledger.transaction() as connection:
            connection.execute(update(t.account).where(t.account.c.id == row.id).values(failures=0, locked_until=""))
            connection.execute(insert(t.session).values(
                token_hash=_hash(token), account=row.id, csrf=secrets.token_urlsafe(32), created_at=now(), seen_at=now(),
            ))
        return token

    def _note_failure(self, account: int, failures: int, moment: datetime) -> None:
        seconds = min(LONGEST_LOCK, 2 ** (failures - FREE_FAILURES)) if failures > FREE_FAILURES else 0
        until = (moment + timedelta(seconds=seconds)).isoformat(timespec="seconds") if seconds else ""
        with self.ledger.transaction() as connection:
            connection.execute(update(t.account).where(t.account.c.id == account).values(failures=failures, locked_until=until))

    def session(self, token: str) -> Session | None:
        """The session of a token, if it still stands; seeing it keeps it alive."""
        moment = datetime.now(CHINA_TIME)
        query = select(t.session, t.account).join(t.account, t.account.c.id == t.session.c.account).where(t.session.c.token_hash == _hash(token))
        with self.ledger.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or row[t.account.c.is_disabled]:
            return None
        seen, created = datetime.fromisoformat(row[t.session.c.seen_at]), datetime.fromisoformat(row[t.session.c.created_at])
        if moment - seen > IDLE or moment - created > LONGEST:
            self.sign_out(token)
            return None
        if moment - seen > timedelta(minutes=1):
            with self.ledger.transaction() as connection:
                connection.execute(update(t.session).where(t.session.c.token_hash == _hash(token)).values(seen_at=now()))
        account = Account(row[t.account.c.id], row[t.account.c.name], row[t.account.c.role], Scope(row[t.account.c.scope_kind], row[t.account.c.scope_value]),
                          row[t.account.c.must_change], row[t.account.c.is_disabled])
        return Session(account, row[t.session.c.csrf])

    def sign_out(self, token: str) -> None:
        """End a session on the server."""
        with self.ledger.transaction() as connection:
            connection.execute(delete(t.session).where(t.session.c.token_hash == _hash(token)))

    def change_password(self, account: Account, old: str, new: str) -> None:
        """Set a new password and end every session of the account; raises Refusal for a wrong old or a weak new one."""
        with self.ledger.engine.connect() as connection:
            row = connection.execute(select(t.account).where(t.account.c.id == account.id)).one()
        is_right = _verifies(row.password_hash, old)
        weak = len(new) < SHORTEST or len(set(new)) < DIFFERENT or account.name.lower() in new.lower() or new == old
        if not is_right or weak:
            raise Refusal(Problem("account", None, "password", "", say("weak_password"), say("mend_key")))
        with self.ledger.transaction() as connection:
            connection.execute(update(t.account).where(t.account.c.id == account.id).values(password_hash=HASHER.hash(new), must_change=False))
            connection.execute(delete(t.session).where(t.session.c.account == account.id))


def _verifies(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _stand_in() -> str:
    """A hash to verify against when the name is unknown, so that it takes as long."""
    return HASHER.hash(secrets.token_urlsafe(12))
