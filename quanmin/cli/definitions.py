"""catalog check, catalog list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog import load
from quanmin.catalog.loader import read_all
from quanmin.catalog.messages import language, say
from quanmin.cli.printing import complain, write_rows

app = typer.Typer(help="The definitions.", no_args_is_help=True)
Site = Annotated[Path | None, typer.Argument(metavar="[SITE]", help="also the definitions of this site")]


@app.command()
def check(site: Site = None) -> None:
    """Validate every definition; all errors at once with file and line, exit 1."""
    catalog, complaints = read_all(site / "definitions" if site else None)
    catalog.codes.check(complaints)
    catalog.groupers.check(complaints)
    if complaints.problems:
        complain(complaints.problems)
        print(say("catalog_bad", count=len(complaints.problems)), file=sys.stderr)
        sys.exit(1)
    executable = sum(i.is_executable for i in catalog.indicators.values())
    print(say("catalog_good", tables=len(catalog.tables), codes=len(catalog.codes), indicators=len(catalog.indicators), executable=executable,
              checks=len(catalog.checks), rules=len(catalog.rules), mappings=len(catalog.mappings), groupers=len(catalog.groupers)))


@app.command("list")
def listing(site: Site = None, form: Annotated[str, typer.Option("--format")] = "csv") -> None:
    """All indicators: id, code, name, kind, unit, status, and what those not computed yet wait for."""
    catalog = load(site / "definitions" if site else None)
    rows = [
        {"id": i.id, "code": i.code, "part": i.part, "name": i.label.in_language(language()), "kind": i.kind, "unit": i.unit, "status": i.source.status,
         "waits_for": f"{i.waits_for.table}.{i.waits_for.column}" if i.waits_for else ""}
        for i in sorted(catalog.indicators.values(), key=lambda i: (i.code, i.part))
    ]
    write_rows(rows, list(rows[0]), form, None)
