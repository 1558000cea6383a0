"""catalog/tables/*.toml → Table."""

from __future__ import annotations

import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Any

from quanmin.catalog.reading import Definition
from quanmin.model import Column, Label, Table
from quanmin.model.words import TYPES

FIELDS = ("name", "about", "key", "time", "period", "place", "owed", "scope", "derived_from", "near", "computed", "columns")
COLUMN_FIELDS = ("type", "zh", "en", "unit", "codes", "required", "element", "private", "person", "maximum_length", "low", "high")
SYSTEM = tomllib.loads(Path(__file__).with_name("system_columns.toml").read_text("utf-8"))


def _column(name: str, given: dict[str, Any], definition: Definition) -> Column:
    for key in given:
        if key not in COLUMN_FIELDS:
            definition.complain(name, key, "is not a field of a column", "known fields: " + ", ".join(COLUMN_FIELDS))
    if given.get("type") not in TYPES:
        definition.complain(name, given.get("type"), "is not a column type", "use one of " + ", ".join(TYPES))
    if not given.get("zh") or not given.get("en"):
        definition.complain(name, "", "needs both languages", 'write zh = "…", en = "…"')
    rest = {k: v for k, v in given.items() if k in COLUMN_FIELDS and k not in ("type", "zh", "en")}
    return Column(name, str(given.get("type", "text")), Label(str(given.get("zh", "")), str(given.get("en", ""))), **rest)


def read_table(definition: Definition, codes: Container[str]) -> Table:
    """The Table of one file; a base table also gets its system columns (sender, submission, line, identity_id)."""
    definition.known_keys(FIELDS)
    data = definition.data
    columns = {name: _column(name, given, definition) for name, given in data.get("columns", {}).items()}
    derived_from = tuple(data.get("derived_from", ()))
    if not derived_from:
        has_people = any(c.person for c in columns.values())
        columns |= {name: _column(name, given, definition) for name, given in SYSTEM.items() if name != "identity_id" or has_people}
    for column in columns.values():
        if column.codes and column.codes not in codes:
            definition.complain(column.name, column.codes, "code list does not exist", "add it under catalog/codes")
    near = data.get("near", (0, 0))
    table = Table(
        id=definition.id, label=definition.label("name") or Label("", ""), columns=columns, key=tuple(data.get("key", ())),
        time=data.get("time", ""), period=data.get("period", ""), place=data.get("place", ""), scope=data.get("scope", {}),
        owed=bool(data.get("owed", False)), derived_from=derived_from, near=(int(near[0]), int(near[1])), about=definition.label("about", required=False),
        computed=str(data.get("computed", "")), path=definition.shown,
    )
    named = {"key": table.key, "time": (table.time,), "period": (table.period,), "place": (table.place,), "scope": tuple(table.scope.values())}
    for what, names in named.items():
        for name in names:
            if name and name not in columns:
                definition.complain(what, name, "is not a column of this table", "name a declared column")
    return table
