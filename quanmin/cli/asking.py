"""Every action as a command of its own: `quanmin <action> SITE --<parameter> …`."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from quanmin.catalog.messages import say
from quanmin.cli.answers import AsOf
from quanmin.cli.printing import write_rows
from quanmin.cli.sites import SiteFolder, open_site
from quanmin.gate.inquiry import Inquiry
from quanmin.gate.performing import actions, named, perform, plain
from quanmin.model import Problem, Refusal
from quanmin.model.action import Action

FORMS = ("csv", "json")
POSITIONAL = ("indicator", "finding")


def _rows(found: Any) -> list[dict[str, Any]]:
    """The longest list of records anywhere in what was found; itself where it has none."""
    lists: list[list[Any]] = []

    def look(value: Any) -> None:
        if is_dataclass(value) and not isinstance(value, type):
            for one in fields(value):
                look(getattr(value, one.name))
        elif isinstance(value, list | tuple):
            if value and is_dataclass(value[0]):
                lists.append(list(value))
            for one in value[:1]:
                look(one)

    look(found)
    rows = max(lists, key=len, default=[found] if is_dataclass(found) else [])
    return [{key: value if not isinstance(value, dict | list) else json.dumps(value, ensure_ascii=False) for key, value in _flat(row).items()} for row in rows]


def _flat(row: Any) -> dict[str, Any]:
    """The fields of a record, those of records within it beside them."""
    found: dict[str, Any] = {}
    for one in fields(row):
        value = getattr(row, one.name)
        if is_dataclass(value) and not isinstance(value, type):
            found |= {f"{one.name}_{key}" if key in found else key: within for key, within in _flat(value).items()}
        else:
            found[one.name] = plain(value)
    return found


def _command(one: Action) -> Callable[..., None]:
    def run(site: Path, as_of: int | None, form: str, out: Path | None, **told: Any) -> None:
        if form not in FORMS:
            raise Refusal(Problem("--format", None, "", form, say("unknown_format"), say("choose_format", known=", ".join(FORMS))))
        opened = open_site(site)
        found = perform(Inquiry(opened.operator(), opened.indicators(as_of, hold=one.is_wide), opened.settings.region), one.name, told)
        if form == "csv":
            rows = _rows(found)
            write_rows(rows, list(rows[0]) if rows else [], form, out)
            return
        text = json.dumps(plain(found), ensure_ascii=False, indent=1)
        if out is None:
            sys.stdout.write(text + "\n")
        else:
            out.write_text(text + "\n", encoding="utf-8")

    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [inspect.Parameter("site", keyword, annotation=SiteFolder)]
    told = [inspect.Parameter(p.name, keyword, default=p.default,
                              annotation=Annotated[p.kind, typer.Argument(metavar=p.name.upper()) if p.name in POSITIONAL else typer.Option()])
            for p in one.parameters]
    given += [p for p in told if p.default is inspect.Parameter.empty] + [p for p in told if p.default is not inspect.Parameter.empty]
    given += [inspect.Parameter("as_of", keyword, default=None, annotation=AsOf),
              inspect.Parameter("form", keyword, default="json", annotation=Annotated[str, typer.Option("--format", help=" | ".join(FORMS))]),
              inspect.Parameter("out", keyword, default=None, annotation=Annotated[Path | None, typer.Option(metavar="FILE")])]
    run.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    run.__name__ = one.name
    run.__doc__ = one.run.__doc__
    return run


def register(app: typer.Typer, wanted: str = "") -> None:
    """Add a command for the wanted action, or for every one."""
    found = named(wanted.replace("-", "_"))
    for name, one in ({found.name: found} if found else actions()).items():
        app.command(name.replace("_", "-"))(_command(one))
