"""link and group: work on bare files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog import load
from quanmin.catalog.messages import say
from quanmin.cli.printing import Progress, complain


def link(files: Annotated[list[Path], typer.Argument(metavar="FILE...")], model: Annotated[Path, typer.Option(metavar="MODEL.toml")],
         out: Annotated[Path, typer.Option(metavar="clusters.csv")], pairs: Annotated[Path | None, typer.Option(metavar="pairs.csv")] = None) -> None:
    """Find the records that belong to one person: within a file, or across several."""
    from quanmin.records.residents.files import link_files  # loads Splink: not before it is needed

    started = time.monotonic()
    summary = link_files(files, model, out, pairs)
    print(say("linked", rows=f"{summary.row_count:,}", clusters=f"{summary.cluster_count:,}", seconds=f"{time.monotonic() - started:.1f}", out=out))


def group(file: Annotated[Path, typer.Argument(metavar="CASES.csv")], out: Annotated[Path, typer.Option(metavar="GROUPS.csv")],
          scheme: Annotated[str, typer.Option(metavar="ID")] = "chs_drg_1_1", explain: Annotated[bool, typer.Option(help="which rule, which code")] = False,
          clinical: Annotated[bool, typer.Option(help="all codes are of the clinical edition")] = False,
          site: Annotated[Path | None, typer.Option(metavar="SITE", help="also the schemes of this site")] = None) -> None:
    """Group cases (CHS-DRG): adds mdc, adrg, drg, cc_level and the reason where a case has no group."""
    from quanmin.services.grouping.files import group_file, scheme_of

    started, progress = time.monotonic(), Progress(say("grouping"))
    prepared = scheme_of(load(site / "definitions" if site else None), scheme, clinical)
    summary = group_file(file, prepared, out, explain, progress)
    progress.close()
    complain(summary.problems)
    counts = {"read": summary.read, "grouped": summary.grouped, "groups": len(summary.groups), "malformed": summary.malformed}
    left = summary.read - summary.grouped - summary.malformed
    print(say("grouped_file", **{k: f"{v:,}" for k, v in counts.items()}, left=f"{left:,}", seconds=f"{time.monotonic() - started:.1f}", out=out))
    for reason, count in summary.reasons.most_common():
        print("  " + say("grouped_reason", count=f"{count:,}", reason=say(f"ungrouped_{reason}")))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(link)
    app.command()(group)
