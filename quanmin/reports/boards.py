"""Boards: which indicators are shown first, in groups; boards.toml beside this file, or a site's own."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Label, Problem, Refusal

SHIPPED = Path(__file__).with_name("boards.toml")


@dataclass(frozen=True)
class Group:
    """Indicators that belong together."""

    id: str
    name: Label
    indicators: tuple[str, ...]


def read_boards(definitions: Path, known: Collection[str]) -> tuple[Group, ...]:
    """The groups of a site's boards.toml, else the shipped ones; raises Refusal for a file that cannot be used."""
    own = definitions / "boards.toml"
    path = own if own.is_file() else SHIPPED

    def refuse(field: str, value: str, mend: str) -> Refusal:
        return Refusal(Problem("definitions/boards.toml", None, field, value, say("bad_value"), mend))

    try:
        groups = tomllib.loads(path.read_text("utf-8"))
        found = tuple(Group(name, Label(group["name"]["zh"], group["name"]["en"]), tuple(group["indicators"])) for name, group in groups.items())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise refuse("", str(error), "[group] name = { zh = …, en = … }, indicators = [ … ]") from error
    unknown = [name for group in found for name in group.indicators if name not in known]
    if unknown:
        raise refuse("indicators", ", ".join(unknown), say("mend_indicator"))
    return found
