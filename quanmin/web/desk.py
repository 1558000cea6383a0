"""The desk behind the pages: sessions, actors, and one engine per snapshot and scope."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from fastapi import Request

from quanmin.gate import Actor, Scope
from quanmin.gate.accounts import Session
from quanmin.services.indicators import Indicators
from quanmin.site import Site

ENGINES, HOLD_ROWS = 6, 3_000_000
COOKIE = "quanmin"


class Desk:
    """What all requests of one worker share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._engines: OrderedDict[tuple[int, Scope], Indicators] = OrderedDict()
        self._lock = Lock()

    def cookie_name(self, request: Request) -> str:
        """The session cookie's name; with TLS it carries the __Host- prefix."""
        return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE

    def session(self, request: Request) -> Session | None:
        """The signed-in session of a request."""
        token = request.cookies.get(self.cookie_name(request), "")
        return self.site.accounts.session(token) if token else None

    def actor(self, request: Request) -> Actor:
        """Who is asking."""
        account = request.state.session.account
        return Actor(account.name, account.role, account.scope, self.site.ledger)

    def indicators(self, scope: Scope) -> Indicators:
        """Answers over the newest snapshot within a scope; engines are kept while they are used."""
        snapshot = self.site.snapshot().id
        with self._lock:
            found = self._engines.get((snapshot, scope))
            if found is None:
                found = self.site.indicators(snapshot, scope, HOLD_ROWS)
                self._engines[(snapshot, scope)] = found
                while len(self._engines) > ENGINES:
                    self._engines.popitem(last=False)
            self._engines.move_to_end((snapshot, scope))
        return found
