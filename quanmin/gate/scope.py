"""Scope: the one place that turns "may see this county (or facility)" into a predicate the engine puts under every read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal, Table

KINDS = ("region", "county", "facility")
BOTH_SIDES = ("home_county", "facility_county")
SHARED = frozenset({"region", "target", "receipt"})  # names of places, public targets, and which files have come: a figure is complete or not for everyone


@dataclass(frozen=True)
class Scope:
    """The part of the region an account may see: all of it, a county, or a facility."""

    kind: str = "region"
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> Scope:
        """From region, county:CODE or facility:CODE; raises Refusal."""
        kind, _, value = text.partition(":")
        if kind not in KINDS or (kind == "region") != (value == "") or not all(c.isalnum() or c in "-_." for c in value):
            raise Refusal(Problem("account", None, "scope", text, say("bad_scope"), say("mend_key")))
        return cls(kind, value)

    def __str__(self) -> str:
        return self.kind if self.kind == "region" else f"{self.kind}:{self.value}"

    def predicate(self, table: Table) -> str:
        """The condition a row of `table` must meet; "" = every row; tables that say nothing of the scope's kind show nothing, but for the shared ones."""
        if self.kind == "region" or table.id in SHARED:
            return ""
        if not table.scope and not any(c.private != "no" for c in table.columns.values()) and "sender" not in table.columns:
            return ""
        columns = self._columns(table)
        return " OR ".join(f"\"{column}\" = '{self.value}'" for column in columns) or "FALSE"

    def _columns(self, table: Table) -> list[str]:
        """The columns that place a row in the scope. A county sees what happened to its residents and what happened in its facilities."""
        declared = table.scope.get(self.kind) or (table.scope.get("sender") if self.kind == "facility" else None)
        if declared is None or self.kind != "county":
            return [declared] if declared else []
        return list(dict.fromkeys([declared, *(name for name in BOTH_SIDES if name in table.columns)]))

    def narrowing(self, places: Iterable[str]) -> list[str]:
        """The condition a question counted by `places` carries besides, so that a county's figure is the one the region sees of it."""
        return [f"place = '{self.value}'"] if self.kind == "county" and all(places) else []

    def holds(self, county: str) -> bool:
        """Whether what people do in a county ("" the whole region) lies within: the region's and the county's own; an institution holds none."""
        return self.kind == "region" or (self.kind == "county" and county == self.value)

    def limits(self, tables: dict[str, Table]) -> dict[str, str]:
        """Table → predicate, for an engine that must show nothing else."""
        return {name: predicate for name, table in tables.items() if (predicate := self.predicate(table))}
