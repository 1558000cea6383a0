"""account add/list/disable; review list/join/split/withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from quanmin.catalog.messages import say
from quanmin.cli.printing import write_rows
from quanmin.cli.sites import SiteFolder, open_site

accounts = typer.Typer(help="Who may sign in.", no_args_is_help=True)
review = typer.Typer(help="Uncertain pairs of the resident index.", no_args_is_help=True)
Identity = Annotated[str, typer.Argument(metavar="IDENTITY")]
Reason = Annotated[str, typer.Option(help="why")]


@accounts.command()
def add(site: SiteFolder, name: str, role: str = "viewer", scope: Annotated[str, typer.Option(help="region | county:CODE | facility:CODE")] = "region") -> None:
    """Make an account; prints its one-time password."""
    opened = open_site(site)
    made = opened.accounts.add(name, role, scope)
    print(say("user_made", name=name, role=role, scope=scope, password=made))


@accounts.command("list")
def list_accounts(site: SiteFolder) -> None:
    """All accounts."""
    rows = [{"name": a.name, "role": a.role, "scope": a.scope, "disabled": a.is_disabled} for a in open_site(site).accounts.all()]
    write_rows(rows, ["name", "role", "scope", "disabled"], "csv", None)


@accounts.command()
def disable(site: SiteFolder, name: str) -> None:
    """Disable an account and end all its sessions at once."""
    open_site(site).accounts.disable(name)


@review.command("list")
def list_pairs(site: SiteFolder, limit: int = 100) -> None:
    """Pairs of identities that may be one person, the surest first; masked."""
    opened = open_site(site)
    table = opened.operator().review_pairs(opened.indicators(), limit)
    write_rows(table.to_pylist(), table.column_names, "csv", None)


def _decide(site: SiteFolder, first: str, second: str, decision: str, reason: str) -> None:
    open_site(site).operator().decide(first, second, decision, reason)
    print(say("decided", decision=decision))


@review.command()
def join(site: SiteFolder, first: Identity, second: Identity, reason: Reason) -> None:
    """These two are one person."""
    _decide(site, first, second, "join", reason)


@review.command()
def split(site: SiteFolder, first: Identity, second: Identity, reason: Reason) -> None:
    """These two are different people."""
    _decide(site, first, second, "split", reason)


@review.command()
def withdraw(site: SiteFolder, first: Identity, second: Identity, reason: Reason) -> None:
    """Undo a decision: back to what the model says."""
    _decide(site, first, second, "withdraw", reason)
