"""link: works on bare files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog.messages import say


def link(files: Annotated[list[Path], typer.Argument(metavar="FILE...")], model: Annotated[Path, typer.Option(metavar="MODEL.toml")],
         out: Annotated[Path, typer.Option(metavar="clusters.csv")], pairs: Annotated[Path | None, typer.Option(metavar="pairs.csv")] = None) -> None:
    """Find the records that belong to one person: within a file, or across several."""
    from quanmin.records.residents.files import link_files  # loads Splink: not before it is needed

    started = time.monotonic()
    summary = link_files(files, model, out, pairs)
    print(say("linked", rows=f"{summary.row_count:,}", clusters=f"{summary.cluster_count:,}", seconds=f"{time.monotonic() - started:.1f}", out=out))


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(link)
