"""group: cases of a bare file; weigh: the weights of a site's groups; cluster: DIP groups from a region's own cases."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog import load
from quanmin.catalog.messages import say
from quanmin.cli.printing import Progress, complain
from quanmin.cli.sites import SiteFolder, open_site
from quanmin.model import Problem, Refusal
from quanmin.site import Site


def group(file: Annotated[Path, typer.Argument(metavar="CASES.csv")], out: Annotated[Path, typer.Option(metavar="GROUPS.csv")],
          scheme: Annotated[str, typer.Option(metavar="ID")] = "chs_drg_1_1", explain: Annotated[bool, typer.Option(help="which rule, which code")] = False,
          clinical: Annotated[bool, typer.Option(help="all codes are of the clinical edition")] = False,
          site: Annotated[Path | None, typer.Option(metavar="SITE", help="also the schemes of this site")] = None) -> None:
    """Group cases (CHS-DRG, DIP): adds mdc, adrg, drg, cc_level and the reason where a case has no group."""
    from quanmin.services.grouping.files import group_file
    from quanmin.services.grouping.schemes import scheme_of

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


def draw_weights(site: Site, first: str, last: str, valid_from: str, minimum: int) -> None:
    """Weights from the stays of a site's newest snapshot into its definitions; the next build uses them."""
    from quanmin.services.grouping.weights import publish_drawn

    drawn, path = publish_drawn(site.indicators().engine, site.folder / "definitions", site.settings.scheme, first, last, valid_from, minimum)
    print(say("weighed", groups=len(drawn.rows), cases=f"{drawn.cases:,}", pooled=drawn.pooled, path=path))


def weigh(site: SiteFolder, first: Annotated[str, typer.Option("--from", metavar="MONTH")] = "",
          last: Annotated[str, typer.Option("--to", metavar="MONTH")] = "",
          valid_from: Annotated[str, typer.Option(metavar="DAY", help="in force from this day (the first day of --from)")] = "",
          minimum: Annotated[int, typer.Option(min=1, help="groups of fewer cases are pooled")] = 30,
          official: Annotated[Path | None, typer.Option(metavar="WEIGHTS.csv", help="take this list (drg, weight) instead")] = None) -> None:
    """Set the relative weights of the groups: from the region's own charges, or an official list. The next build uses them."""
    opened, begins = open_site(site), _day("weigh", valid_from, first)
    if official is None:
        draw_weights(opened, first, last or first, begins, minimum)
        return
    from quanmin.services.grouping.weights import publish_official

    path = publish_official(official, opened.folder / "definitions", opened.settings.scheme, begins)
    print(say("weights_taken", path=path))


def _day(command: str, valid_from: str, first: str) -> str:
    begins = valid_from or (f"{first}-01" if first else "")
    try:
        return date.fromisoformat(begins).isoformat()
    except ValueError as error:
        raise Refusal(Problem(command, None, "--valid-from", begins, say("bad_value"), "--valid-from 2026-01-01")) from error


def cluster(source: Annotated[Path, typer.Argument(metavar="SITE|CASES.csv")], name: Annotated[str, typer.Option("--id", metavar="ID")] = "dip_region",
            first: Annotated[str, typer.Option("--from", metavar="MONTH")] = "", last: Annotated[str, typer.Option("--to", metavar="MONTH")] = "",
            least: Annotated[int, typer.Option(min=1, help="cases of a core group")] = 15,
            valid_from: Annotated[str, typer.Option(metavar="DAY", help="weights in force from this day (the first day of --from)")] = "",
            charge: Annotated[str, typer.Option(metavar="COLUMN", help="of a file: its charges")] = "total_charge_cny",
            site: Annotated[Path | None, typer.Option(metavar="SITE", help="of a file: whose definitions to write")] = None) -> None:
    """Draw DIP groups, their points and weights from a site's own cases, or those of a file; `[grouping] scheme` in site.toml then names them."""
    from quanmin.services.grouping.clusters import file_cases, publish_clusters, site_cases

    begins = _day("cluster", valid_from, first)
    if source.is_dir():
        opened = open_site(source)
        folder, told = source, f"{first} – {last or first}"
        catalog, cases = opened.catalog, site_cases(opened.indicators().engine, first, last or first)
    elif site is None:
        raise Refusal(Problem("cluster", None, "--site", "", say("cluster_no_site"), "--site SITE"))
    else:
        folder, told = site, source.name
        catalog = load(site / "definitions")
        cases, problems = file_cases(source, charge)
        complain(problems)
    found, path = publish_clusters(catalog, cases, folder / "definitions", name, begins, least, told)
    counts = {"cases": found.cases, "core": found.core, "composite": len(found.groups) - found.core, "left": found.left}
    print(say("clustered", **{key: f"{count:,}" for key, count in counts.items()}, path=path, scheme=name))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(group)
    app.command()(weigh)
    app.command()(cluster)
