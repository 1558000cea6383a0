"""The desk behind the pages: sessions, actors, one engine per snapshot and scope, and what was worked out for pages before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock, Timer
from typing import Any, TypeVar

from fastapi import Request

from quanmin.gate import Actor, Scope
from quanmin.gate.accounts import Session
from quanmin.gate.inquiry import Inquiry
from quanmin.services.indicators import Indicators
from quanmin.site import Site

ENGINES, REMEMBERED = 6, 4096
HOLD_AFTER = 3.0  # seconds: the page that was asked for goes first
COOKIE = "quanmin"
LEARNER = "leader"  # the role in which what is learnt of the whole region is kept, for everybody
Made = TypeVar("Made")


class Desk:
    """What all requests of one worker share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._engines: OrderedDict[tuple[int, Scope], Indicators] = OrderedDict()
        self._held: set[tuple[int, Scope]] = set()
        self._making: dict[Hashable, Lock] = {}
        self._memory: OrderedDict[Hashable, Any] = OrderedDict()
        self._timers: list[Timer] = []
        self._warm: set[tuple[int, Scope]] = set()
        self.after_hold: Callable[[Scope], None] | None = None  # what is worked out once a scope's tables are in memory
        self.is_serving = False  # only a server that stays reads tables into memory
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

    def indicators(self, scope: Scope, as_of: int | None = None) -> Indicators:
        """Answers over a snapshot (the newest) within a scope: at once from the files, and from memory as soon as they are read into it."""
        key = (self.site.snapshot(as_of).id, scope)
        with self._lock:
            found = self._engines.get(key)
            if found is None:
                found = self._keep(key, self.site.indicators(*key))
                if self.is_serving and as_of is None:
                    self._timers.append(Timer(HOLD_AFTER, self._hold, key))
                    self._timers[-1].start()
            self._engines.move_to_end(key)
        return found

    def _keep(self, key: tuple[int, Scope], indicators: Indicators) -> Indicators:
        self._engines[key] = indicators
        while len(self._engines) > ENGINES:
            self._held.discard(self._engines.popitem(last=False)[0])
        return indicators

    def close(self) -> None:
        """Start nothing more in the background."""
        self.is_serving = False
        for timer in self._timers:
            timer.cancel()

    def hold(self, scope: Scope) -> None:
        """Read the tables of a scope into memory."""
        self._hold(self.site.snapshot().id, scope)

    def _hold(self, snapshot: int, scope: Scope) -> None:
        with self._lock:
            if (snapshot, scope) in self._held:
                return
            self._held.add((snapshot, scope))
        held = self.site.indicators(snapshot, scope, hold=True)
        with self._lock:
            self._keep((snapshot, scope), held)
        if self.after_hold is not None and self.is_serving:
            self.after_hold(scope)

    def is_warm(self, scope: Scope) -> bool:
        """Whether all that is worked out before anybody asks is there, for the newest snapshot and a scope."""
        with self._lock:
            return (self.site.snapshot().id, scope) in self._warm

    def note_warm(self, snapshot: int, scope: Scope) -> None:
        """Say that it is."""
        with self._lock:
            self._warm.add((snapshot, scope))

    def memory(self) -> Mapping[Hashable, Any]:
        """All that is remembered at this moment."""
        with self._lock:
            return dict(self._memory)

    def recall(self, memory: Mapping[Hashable, Any]) -> None:
        """Remember this and nothing else (for measuring)."""
        with self._lock:
            self._memory = OrderedDict(memory)

    def forget(self) -> None:
        """Begin as if nothing had been asked before (for measuring)."""
        with self._lock:
            self._memory.clear()
            self._engines.clear()
            self._held.clear()

    def known(self, key: Hashable) -> Any:
        """What was worked out before under a key, or None."""
        with self._lock:
            return self._memory.get(key)

    def remembered(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, worked out once per key; the key says everything it depends on, the snapshot and who may see what included."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                kept: Made = self._memory[key]
                return kept
            turn = self._making.setdefault(key, Lock())
        with turn:  # who asks for the same while it is worked out waits for it
            with self._lock:
                if key in self._memory:
                    waited_for: Made = self._memory[key]
                    return waited_for
            try:
                made = make()
            except BaseException:  # whoever asks again tries again
                with self._lock:
                    self._making.pop(key, None)
                raise
            with self._lock:
                self._memory[key] = made
                self._making.pop(key, None)
                while len(self._memory) > REMEMBERED:
                    self._memory.popitem(last=False)
        return made

    @staticmethod
    def key(snapshot: int, actor: Actor, key: Hashable, spoken: str = "") -> Hashable:
        """The full key of what is remembered for everybody with an actor's scope and right to small counts ("" = in no language)."""
        return snapshot, actor.scope, actor.may("small"), spoken, key

    def inquiry(self, actor: Actor, as_of: int | None = None) -> Inquiry:
        """What an actor asks of a snapshot (the newest); figures are worked out once, and what is learnt of the whole region once for everybody."""
        opened = self.indicators(actor.scope, as_of)

        def asking(who: Actor, within: Indicators, whole: Callable[[], Inquiry] | None) -> Inquiry:
            return Inquiry(who, within, self.site.settings.region, lambda key, make: self.remembered(self.key(within.snapshot, who, key), make), whole)

        return asking(actor, opened, lambda: asking(Actor(actor.name, LEARNER, Scope(), self.site.ledger), self.indicators(Scope(), as_of), None))
