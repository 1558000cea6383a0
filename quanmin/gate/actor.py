"""An actor: somebody with a role and a scope, through whom everything is seen and done; what they may not is refused and audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from quanmin.catalog.messages import language, say
from quanmin.gate.accounts import roles
from quanmin.gate.audit import Audit
from quanmin.gate.masking import mask
from quanmin.gate.origins import with_files
from quanmin.gate.permitted import LONGEST, columns_of, declared, hidden_columns, places_of, slices_only
from quanmin.gate.scope import Scope
from quanmin.model import Answer, Column, Label, Problem, Refusal, Table
from quanmin.records.ledger import Ledger

if TYPE_CHECKING:
    import pyarrow as pa

    from quanmin.services.indicators import Indicators

MOST_ROWS = 100_000
_NO_LABEL = Label("", "")
REVIEWED = Table("resident_review", _NO_LABEL, {
    name: Column(name, kind, _NO_LABEL, private=private)
    for name, kind, private in (("name_a", "text", "direct"), ("name_b", "text", "direct"), ("birth_a", "date", "quasi"), ("birth_b", "date", "quasi"))
})

_PAIRS = """
WITH pair AS (
    SELECT * FROM resident_review ORDER BY probability DESC NULLS LAST, identity_a, identity_b LIMIT $limit),
person AS MATERIALIZED (
    SELECT identity_id, name, sex_code, birth_date, table_name FROM identity
    WHERE identity_id IN (SELECT unnest([identity_a, identity_b]) FROM pair))
SELECT pair.identity_a, pair.identity_b, round(pair.probability, 4) AS probability, pair.reason, pair.levels, a.name AS name_a, b.name AS name_b,
    a.sex_code AS sex_a, b.sex_code AS sex_b, a.birth_date AS birth_a, b.birth_date AS birth_b, a.table_name AS from_a, b.table_name AS from_b
FROM pair JOIN person a ON a.identity_id = pair.identity_a JOIN person b ON b.identity_id = pair.identity_b
ORDER BY pair.probability DESC NULLS LAST, pair.identity_a, pair.identity_b
"""


class NotAllowed(Refusal):
    """What the actor's role does not grant."""


def _read_pairs(indicators: Indicators, limit: int) -> pa.Table:
    return indicators.engine.table(_PAIRS, {"limit": limit})


def read_pairs_ahead(indicators: Indicators, limit: int) -> None:
    """Read the uncertain pairs before anybody asks, for the engine to keep; they are shown to nobody here."""
    _read_pairs(indicators, limit)


def _subject(indicators: Indicators, name: str) -> str:
    """What was asked for, as the trail may keep it: a name that no definition has may be anything, somebody's name too."""
    try:
        return indicators.catalog.question(name).id
    except Refusal:
        return "?"


@dataclass(frozen=True)
class Actor:
    """Somebody at the door."""

    name: str
    role: str
    scope: Scope
    ledger: Ledger

    def may(self, permission: str) -> bool:
        """Whether the role grants a permission."""
        return permission in roles()[self.role][1]

    def require(self, permission: str, action: str, subject: str) -> None:
        """Refuse, with an audit entry, what the role does not grant."""
        if not self.may(permission):
            self._deny(action, subject)

    def refuse(self, action: str, subject: str) -> NoReturn:
        """Refuse, with an audit entry, what lies outside the actor's scope."""
        self._deny(action, subject)

    def _deny(self, action: str, subject: str, field: str = "", value: str = "") -> NoReturn:
        Audit(self.ledger).note(self.name, action, subject, "refused")
        role = roles()[self.role][0].in_language(language())
        raise NotAllowed(Problem(action, None, field, value, say("not_allowed", role=role), say("mend_not_allowed")))

    def _admit(self, indicators: Indicators, action: str, name: str, by: Sequence[str], where: Sequence[str]) -> None:
        """Refuse dimensions and conditions that would show more than the role may see (see `permitted`)."""
        asked = "".join(where)
        if len(asked) > LONGEST:
            raise Refusal(Problem("question", None, "where", f"{asked[:40]}…", say("bad_value"), f"≤ {LONGEST}"))
        question = indicators.catalog.question(name)
        used = frozenset(by) | columns_of(where)
        tables = [indicators.catalog.tables[table] for table in indicators.tables_of(question)]
        refused = used & hidden_columns(tables) if not self.may("identified") else frozenset()
        if not self.may("rows"):
            refused |= used - declared(indicators.catalog, question)
        known = {column for table in tables for column in table.columns}
        refused &= known  # what no table has is not private but wrong: the engine says so
        if refused:
            self._deny(action, name, "by" if refused & set(by) else "where", ", ".join(sorted(refused)))
        if not self.may("small") and not slices_only(where):
            self._deny(action, name, "where")

    def _within(self, indicators: Indicators, name: str, where: Sequence[str]) -> list[str]:
        return [*where, *self.scope.narrowing(places_of(indicators.catalog, indicators.catalog.question(name)))]

    def admit(self, indicators: Indicators, name: str, by: Sequence[str] = (), where: Sequence[str] = ()) -> None:
        """Refuse figures that the role may not ask for."""
        self.require("figures", "figures", _subject(indicators, name))
        self._admit(indicators, "figures", name, by, where)

    def figures(self, indicators: Indicators, name: str, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        """An answer, with small counts withheld from roles that may not see them."""
        self.admit(indicators, name, by, where)
        return indicators.ask(name, by, self._within(indicators, name, where), 0 if self.may("small") else None)

    def prepare(self, indicators: Indicators, names: Sequence[str], groupings: Sequence[Sequence[str]], where: Sequence[str] = ()) -> None:
        """Count figures by several groupings together before each of them is asked for."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for name in names:
            for by in groupings:
                self.admit(indicators, name, by, where)
            alike.setdefault(tuple(self._within(indicators, name, where)), []).append(name)
        for within, several in alike.items():
            indicators.engine.prepare([indicators.catalog.question(name) for name in several], groupings, within)

    def rows(self, indicators: Indicators, name: str, which: str = "", where: Sequence[str] = (), limit: int = 1000, unmasked: bool = False,
             by: Sequence[str] = ()) -> pa.Table:
        """The rows behind a figure, with sender, file and line: masked unless the role may see who they are and asks to; audited either way."""
        self.require("identified" if unmasked else "rows", "rows", _subject(indicators, name))
        self._admit(indicators, "rows", name, by, where)
        tables = indicators.tables_of(indicators.catalog.question(name))
        found = indicators.rows(name, which, self._within(indicators, name, where), limit=min(limit, MOST_ROWS), by=by)
        Audit(self.ledger).note(self.name, "rows unmasked" if unmasked else "rows", f"{name} @{indicators.snapshot}", rows=len(found))
        return with_files(found if unmasked else mask(found, indicators.catalog.tables[tables[0]]), self.ledger)

    def _require_deciding(self, action: str, subject: str) -> None:
        """Pairs may lie anywhere in the region: who sees a part of it neither sees nor settles them."""
        self.require("decide", action, subject)
        if self.scope.kind != "region":
            self._deny(action, subject)

    def review_pairs(self, indicators: Indicators, limit: int = 100) -> pa.Table:
        """Uncertain pairs of identities, the surest first, masked."""
        self._require_deciding("review", "list")
        pairs = _read_pairs(indicators, limit)
        Audit(self.ledger).note(self.name, "review", "list", rows=len(pairs))
        return mask(pairs, REVIEWED)

    def decide(self, first: str, second: str, decision: str, reason: str) -> None:
        """Settle an uncertain pair (join, split) or withdraw a decision; in force from the next build."""
        is_pair = first != second and all(len(i) == 32 and i.isalnum() for i in (first, second))
        self._require_deciding("decide", f"{first} {second}" if is_pair else "")  # what is no identity may be anything, a name too
        if decision not in ("join", "split", "withdraw") or not is_pair:
            raise Refusal(Problem("review", None, "identity", "", say("no_pair"), say("mend_no_pair")))
        self.ledger.decide(first, second, decision, reason, self.name)
        Audit(self.ledger).note(self.name, "decide", f"{decision} {first} {second}")
