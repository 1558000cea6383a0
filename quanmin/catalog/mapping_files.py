"""catalog/mappings/*.toml → Mapping."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from typing import Any

from quanmin.catalog.reading import Definition
from quanmin.model import Fill, Into, Label, Mapping, Table

FIELDS = (
    "name", "recognise", "source", "encoding", "delimiter", "sheet", "header_row", "sender", "sender_column", "documentation", "into", "note",
)
INTO_FIELDS = ("table", "where", "repeat", "anchor", "first", "columns")
FILL_FIELDS = ("from", "codes", "others", "format", "formats", "constant", "expression", "order")
ORDER = "\x00order"


def _fill(column: str, given: Any, definition: Definition) -> Fill:
    if isinstance(given, str | list):
        return Fill(column, source=(given,) if isinstance(given, str) else tuple(given))
    for key in given:
        if key not in FILL_FIELDS:
            definition.complain(column, key, "is not a field of a column mapping", "known fields: " + ", ".join(FILL_FIELDS))
    source = given.get("from", ())
    formats = given.get("formats", [given["format"]] if "format" in given else [])
    return Fill(
        column, source=(source,) if isinstance(source, str) else tuple(source),
        expression=ORDER if given.get("order") else given.get("expression", ""), constant=given.get("constant"), formats=tuple(formats),
        codes={str(k): str(v) for k, v in given.get("codes", {}).items()}, others=given.get("others"),
    )


def _into(given: MappingType[str, Any], definition: Definition, tables: MappingType[str, Table]) -> Into:
    for key in given:
        if key not in INTO_FIELDS:
            definition.complain("into", key, "is not a field of [[into]]", "known fields: " + ", ".join(INTO_FIELDS))
    table = tables.get(given.get("table", ""))
    columns = given.get("columns", {})
    if table is None or table.is_derived:
        definition.complain("table", given.get("table"), "is not a table that records are taken into", "use one of catalog/tables")
    else:
        for name in columns:
            if name not in table.columns:
                definition.complain(name, name, f"is not a column of table {table.id}", "name a declared column")
        for name in table.key:
            if name not in columns:
                definition.complain("table", name, f"key column of {table.id} is not filled", "fill it from a column, an expression or a constant")
    return Into(
        table=given.get("table", ""), fills=tuple(_fill(c, g, definition) for c, g in columns.items()), repeat=int(given.get("repeat", 0)),
        anchor=given.get("anchor", ""), where=given.get("where", ""), first=int(given.get("first", 1)),
    )


def read_mapping(definition: Definition, tables: MappingType[str, Table]) -> Mapping:
    """The Mapping of one file."""
    definition.known_keys(FIELDS)
    data = definition.data
    if not data.get("recognise"):
        definition.complain("recognise", "", "names no header columns", "list the columns that only this layout has")
    if not data.get("into"):
        definition.complain("into", "", "fills no table", "add [[into]]")
    return Mapping(
        id=definition.id, label=definition.label("name") or Label("", ""), recognise=tuple(data.get("recognise", ())),
        into=tuple(_into(g, definition, tables) for g in data.get("into", ())), sender=data.get("sender", ""),
        sender_column=data.get("sender_column", ""), source=data.get("source", "table_file"), encoding=data.get("encoding", ""),
        delimiter=data.get("delimiter", ""), sheet=data.get("sheet", ""), header_row=int(data.get("header_row", 1)),
        documentation=data.get("documentation", ""), path=definition.shown, version=definition.version,
    )
