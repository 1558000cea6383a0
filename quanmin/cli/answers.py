"""ask, rows, check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog.messages import language, say
from quanmin.cli.printing import FORMATS, write_answer, write_parquet, write_rows
from quanmin.cli.sites import SiteFolder, open_site
from quanmin.model import Problem, Refusal

By = Annotated[str, typer.Option(metavar="a,b", help="group by these dimensions and time grains (day week month quarter year)")]
Where = Annotated[list[str], typer.Option(metavar="EXPR", help="only rows that meet this condition; may be given again")]
AsOf = Annotated[int | None, typer.Option(metavar="SNAPSHOT", help="ask a past snapshot")]
Format = Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))]
Out = Annotated[Path | None, typer.Option(metavar="FILE")]


def _names(by: str) -> list[str]:
    return [name.strip() for name in by.split(",") if name.strip()]


def _known(form: str) -> None:
    if form not in FORMATS:
        raise Refusal(Problem("--format", None, "", form, say("unknown_format"), say("choose_format", known=", ".join(FORMATS))))


def ask(site: SiteFolder, indicator: Annotated[str, typer.Argument(metavar="INDICATOR")], by: By = "", where: Where = [], as_of: AsOf = None,  # noqa: B006
        form: Format = "table", out: Out = None, suppress: Annotated[bool, typer.Option(help="withhold small counts as set in site.toml")] = False) -> None:
    """Answer an indicator (or a check), by groups."""
    _known(form)
    opened = open_site(site)
    answer = opened.indicators(as_of).ask(indicator, _names(by), where, opened.settings.suppress_below if suppress else 0)
    write_answer(answer, opened.catalog, form, out)


def rows(site: SiteFolder, question: Annotated[str, typer.Argument(metavar="INDICATOR|CHECK")], by: By = "", where: Where = [], as_of: AsOf = None,  # noqa: B006
         which: Annotated[str, typer.Option(help="numerator | denominator | unknown")] = "", limit: int = 1000, form: Format = "csv", out: Out = None,
         unmasked: Annotated[bool, typer.Option(help="show identifying values; audited")] = False) -> None:
    """The rows behind a number: masked, and every reading of them is audited."""
    _known(form)
    opened = open_site(site)
    table = opened.operator().rows(opened.indicators(as_of), question, which, where, limit, unmasked, _names(by))
    if form == "parquet":
        write_parquet(table, out)
    else:
        write_rows(table.to_pylist(), table.column_names, "csv" if form == "table" else form, out)


def check(site: SiteFolder, where: Where = [], as_of: AsOf = None, form: Format = "table", out: Out = None,  # noqa: B006
          all_rows: Annotated[bool, typer.Option("--all", help="also what passes")] = False) -> None:
    """Data-quality findings by sender; exit 1 where a check of severity error failed."""
    _known(form)
    opened = open_site(site)
    findings = opened.indicators(as_of).findings(where)
    shown = [f for f in findings if all_rows or f.status in ("fail", "tolerated")]
    lines = [
        {"check": f.check.id, "name": f.check.label.in_language(language()), "category": f.check.category, "severity": f.check.severity,
         "sender": f.sender, "violations": f.violations, "applicable": f.applicable, "share": f.share, "status": f.status,
         "mend": f.check.mend.in_language(language())}
        for f in sorted(shown, key=lambda f: (f.check.severity, f.check.id, f.sender or ""))
    ]
    columns = ["check", "name", "category", "severity", "sender", "violations", "applicable", "share", "status", "mend"]
    write_rows(lines, columns, "csv" if form == "table" else form, out)
    worst = {}
    for finding in findings:
        order = ("not_applicable", "pass", "tolerated", "fail")
        worst[finding.check.id] = max(worst.get(finding.check.id, "not_applicable"), finding.status, key=order.index)
    counts = {status: list(worst.values()).count(status) for status in ("fail", "tolerated", "pass", "not_applicable")}
    print(say("findings_summary", checks=len(worst), failed=counts["fail"], tolerated=counts["tolerated"], passed=counts["pass"],
              none=counts["not_applicable"]), file=sys.stderr)
    if any(f.status == "fail" and f.check.severity == "error" for f in findings):
        sys.exit(1)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (ask, rows, check):
        app.command()(command)
