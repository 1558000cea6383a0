"""demo, init, intake, build, serve."""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog.messages import say
from quanmin.cli.printing import Progress, complain, show_receipts
from quanmin.model import Problem, Receipt, Refusal
from quanmin.site import Site, make_site

SiteFolder = Annotated[Path, typer.Argument(metavar="SITE", help="folder of the site")]
SYNTHETIC_REGION = "990100"


def open_site(folder: Path) -> Site:
    """The site in `folder`, speaking its language."""
    site = Site(folder)
    site.speak()
    return site


def take_in(site: Site, files: list[Path], label: str, **options: object) -> list[Receipt]:
    """Intake with progress."""
    progress = Progress(label)
    try:
        return site.intake(progress).take(files, **options)  # type: ignore[arg-type]
    finally:
        progress.close()


def build_site(site: Site) -> None:
    """Build with progress, and say what was published."""
    progress, started = Progress(say("building")), time.monotonic()
    snapshot, is_new = site.build(progress.named)
    progress.close()
    versions = site.ledger.versions(snapshot.id)
    if is_new:
        rows = sum(count for _, count in versions.values())
        print(say("built", snapshot=snapshot.id, tables=len(versions), rows=f"{rows:,}", seconds=f"{time.monotonic() - started:.1f}"))
    else:
        print(say("nothing_new", snapshot=snapshot.id))


def make_demo(folder: Path, residents: int, seed: int) -> Site:
    """A synthetic region made, taken in and built in `folder`."""
    from quanmin.synth import make_region  # numpy-heavy: not before it is needed

    started = time.monotonic()
    site = make_site(folder, SYNTHETIC_REGION)
    site.speak()
    progress = Progress(say("making"))
    make_region(folder / "region", residents=residents, seed=seed, progress=lambda done, total, label: progress(done, total))
    progress.close()
    with (folder / "region" / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        sent = list(csv.DictReader(stream))
    receipts = take_in(
        site, [folder / "region" / "files" / row["file"] for row in sent], say("reading"), senders=[row["sender"] for row in sent],
        mappings=[row["mapping"] for row in sent], received_at=[f"{row['sent_on'][:10]}T09:00:00+08:00" for row in sent],
    )
    complain(p for r in receipts if r.status == "unreadable" for p in r.problems)
    build_site(site)
    site = _weighed(site)
    counts = {name: sum(getattr(r, name) for r in receipts if r.status != "repeated") for name in ("read", "accepted", "rejected")}
    shown = {name: f"{count:,}" for name, count in counts.items()}
    print(say("demo_ready", name=SYNTHETIC_REGION, files=len(receipts), seconds=f"{time.monotonic() - started:.0f}", **shown))
    return site


def _weighed(site: Site) -> Site:
    """The site with weights from its last whole year, in force since then, and built with them."""
    from quanmin.cli.grouping import draw_weights
    from quanmin.services.grouping.weights import MINIMUM, last_whole_year

    year = last_whole_year(site.indicators().engine)
    draw_weights(site, f"{year}-01", f"{year}-12", f"{year}-01-01", MINIMUM)
    again = Site(site.folder)
    build_site(again)
    return again


def demo(site: Annotated[Path, typer.Option(metavar="DIR")] = Path("demo"), residents: Annotated[int, typer.Option(min=1000)] = 50_000,
         seed: int = 1, no_serve: bool = False, port: int = 8000) -> None:
    """Make, take in, build and serve a synthetic region."""
    if not (site / "site.toml").exists():
        make_demo(site, residents, seed)
    if not no_serve:
        serve(site, port)


def init(site: SiteFolder, region: Annotated[str, typer.Option(help="division code of the region")] = "") -> None:
    """Make an empty site."""
    made = make_site(site, region)
    made.speak()
    print(say("made_site", folder=site))


def intake(site: SiteFolder, files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
           mapping: Annotated[str, typer.Option(metavar="ID")] = "", sender: Annotated[str, typer.Option(metavar="ID")] = "",
           replace: Annotated[bool, typer.Option(help="these rows supersede the months they cover")] = False,
           add: Annotated[bool, typer.Option(help="these rows join the months they cover")] = False) -> None:
    """Take files in and print a receipt for each; exit 0 accepted (rejects are listed), 2 unreadable."""
    opened = open_site(site)
    if replace and add:
        raise Refusal(Problem("intake", None, "", "--replace --add", say("bad_value"), "--replace | --add"))
    mode = "replace" if replace else "add" if add else ""
    receipts = take_in(opened, files, say("reading"), mapping=mapping, sender=sender, mode=mode)
    show_receipts(receipts, opened.folders.landing)
    if any(receipt.status == "unreadable" for receipt in receipts):
        sys.exit(2)


def build(site: SiteFolder, engine: Annotated[str, typer.Option(help="duckdb")] = "duckdb") -> None:
    """Build the warehouse from what was taken in and publish a snapshot."""
    if engine != "duckdb":
        raise Refusal(Problem("build", None, "engine", engine, say("bad_value"), "duckdb"))
    build_site(open_site(site))


def serve(site: SiteFolder, port: int = 8000, host: str = "127.0.0.1", workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
          warm: Annotated[bool, typer.Option(help="work out what is asked first before anybody asks")] = True) -> None:
    """Serve the web page."""
    from quanmin.web.serving import serve as serve_site  # loads the web framework: not before it is needed

    serve_site(open_site(site), port, host, workers, warm)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (demo, init, intake, build, serve):
        app.command()(command)
