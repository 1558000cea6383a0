"""The history of an indicator's definition: what it was from which snapshot on, and what changed."""

from __future__ import annotations

import tomllib
from typing import Any

from quanmin.model import Indicator
from quanmin.web.indicator_panels import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

LONGEST = 120  # characters of a value shown


def _flat(values: dict[str, Any], before: str = "") -> dict[str, str]:
    """Dotted key → value as text."""
    found: dict[str, str] = {}
    for key, value in values.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": str(value)[:LONGEST]}
    return found


def changes(before: str, after: str) -> list[str]:
    """What differs between two definition files, key by key."""
    old, new = _flat(tomllib.loads(before)), _flat(tomllib.loads(after))
    return [f"{key}: {old.get(key, '')} → {new.get(key, '')}" for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]


def history_panel(view: View, one: Indicator) -> Panel:
    """The versions of a definition, the newest first."""
    noted = view.desk.site.ledger.definitions(one.id)
    rows = []
    for i, entry in enumerate(noted):
        told = [word("first_recorded")] if i == 0 else changes(noted[i - 1].text, entry.text)
        since = Shown(str(entry.snapshot), entry.snapshot, f"/indicator/{one.id}?as_of={entry.snapshot}")
        rows.append([entry.version, since, entry.noted_at[:10], "; ".join(told)])
    columns = [Column("version", word("version")), Column("snapshot", word("since_snapshot")), Column("date", word("since_date")),
               Column("changes", word("what_changed"))]
    return Panel("history", word("history_title"), Sheet(columns, rows[::-1], about(view, one)), is_open=True)
