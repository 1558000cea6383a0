"""flow: where residents go for hospital care."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language, say
from quanmin.cli.answers import AsOf, By, Out
from quanmin.cli.printing import write_rows
from quanmin.cli.sites import SiteFolder, open_site
from quanmin.model import Problem, Refusal
from quanmin.services.flow import MEASURES, UNWEIGHED, WHATS, CountyFlow
from quanmin.web.words import word

FORMATS = ("table", "csv", "json")
PARTS = ("places", "kinds", "destinations", "facilities", "groups", "short", "treated")
NUMBERS = (*MEASURES, UNWEIGHED, "home_stays", "cases_per_year", "home_share")
Where = Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="only stays of this home_county, year, month, first_month …; may be given again")]


def _refuse(option: str, value: str, known: Sequence[str]) -> Refusal:
    return Refusal(Problem(option, None, "", value, say("bad_value"), say("choose_from", choices=", ".join(known))))


def _conditions(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or name.strip() in found:
            raise _refuse("--where", text, ["home_county=330105", "year=2026"])
        found[name.strip()] = value.strip().strip("'")
    return found


def flow(site: SiteFolder, what: Annotated[str, typer.Option(help=" | ".join((*WHATS, "county")))] = "matrix", by: By = "", where: Where = [],  # noqa: B006
         county: Annotated[str, typer.Option(metavar="CODE", help="everything about one county, between two months")] = "",
         from_month: Annotated[str, typer.Option("--from", metavar="MONTH", help="as 2026-01")] = "",
         to_month: Annotated[str, typer.Option("--to", metavar="MONTH", help="as 2026-06, counted in")] = "", as_of: AsOf = None,
         form: Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))] = "table", out: Out = None) -> None:
    """Where residents go for hospital care: all stays (matrix), outside the home county by kind (split, siphon), what would come home (regain)."""
    if form not in FORMATS:
        raise _refuse("--format", form, FORMATS)
    if what == "county" and not county:
        raise _refuse("--county", "", ["330105"])
    if what not in (*WHATS, "county"):
        raise _refuse("--what", what, (*WHATS, "county"))
    from quanmin.gate.flow_desk import FlowDesk, flat

    opened = open_site(site)
    desk = FlowDesk(opened.operator(), opened.indicators(as_of), opened.flow)
    names = [name.strip() for name in by.split(",") if name.strip()]
    if county:
        if names or where:
            raise _refuse("--by" if names else "--where", by or where[0], ["--county", "--from", "--to"])
        found = desk.county(county, from_month, to_month)
        _write(opened.catalog, _county_rows(found), form, out, {"what": "county", "where": dict(found.kinds.where), "months": found.months}, desk.snapshot)
        return
    conditions = _conditions(where) | {name: month for name, month in (("first_month", from_month), ("last_month", to_month)) if month}
    table = desk.table(what, names, conditions)
    about = {"what": what, "by": list(table.by), "where": dict(table.where)}
    _write(opened.catalog, [flat(cell) for cell in table.cells], form, out, about, desk.snapshot, [*table.by, *MEASURES, UNWEIGHED, "suppressed"])


def _county_rows(found: CountyFlow) -> list[dict[str, Any]]:
    """All parts of a county's flow under one head: `part` says which a row is of."""
    from quanmin.gate.flow_desk import flat, flat_gain

    rows = [{"part": part} | (flat(one) if part in PARTS[:4] else flat_gain(one))
            for part in PARTS for one in (getattr(found, part).cells if part in PARTS[:4] else getattr(found, part))]
    last = ("facility_code", *MEASURES, UNWEIGHED)
    columns = [*dict.fromkeys(name for row in rows for name in row if name not in last), *last]
    return [{name: row.get(name) for name in columns} for row in rows]


def _write(catalog: Catalog, rows: list[dict[str, Any]], form: str, out: Path | None, about: dict[str, Any], snapshot: int,
           columns: Sequence[str] = ()) -> None:
    shown = list(columns or (rows[0] if rows else ()))
    if form != "table":
        from quanmin.gate.flow_desk import rule_told

        write_rows(rows, shown, form, out, about | {"snapshot": snapshot, "rule": rule_told()})
        return
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(file=out.open("w", encoding="utf-8") if out else sys.stdout)
    for part in dict.fromkeys(row.get("part", "") for row in rows) or [""]:
        members = [row for row in rows if row.get("part", "") == part]
        told = [name for name in shown if name not in ("suppressed", "part", "diagnosis_code")]
        names = [name for name in told if not part or any(row[name] is not None for row in members)]
        titles = (word("flow_title"), word(f"flow_part_{part}") if part else "", f"{word('snapshot')} {snapshot}")
        table = RichTable(title=" · ".join(text for text in titles if text))
        for name in names:
            table.add_column(_heading(catalog, name), justify="right" if name in NUMBERS else "left", overflow="fold")
        for row in members:
            table.add_row(*("*" if row[name] is None and row.get("suppressed") and name in (*MEASURES, UNWEIGHED) else _told(row[name]) for name in names))
        console.print(table)


def _heading(catalog: Catalog, name: str) -> str:
    if name in (*MEASURES, UNWEIGHED):
        return word("flow_cny", name=word(f"flow_{name}")) if name.endswith("_cny") else word(f"flow_{name}")
    if name in ("month", "year", "cases_per_year", "home_share", "home_stays", "group", "severity", "where"):
        return word(name if name in ("month", "year") else f"flow_{name}")
    found = (catalog.tables[table].columns[name].label for table in ("outflow", "hospitalisation") if name in catalog.tables[table].columns)
    return next((label.in_language(language()) for label in found), name)


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,.0f}" if value.as_tuple().exponent == -2 else f"{value:,.2f}"  # of weights two decimals
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(flow)
