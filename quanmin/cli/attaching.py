"""`quanmin attach`: keep a file as evidence to a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quanmin.cli.sites import SiteFolder, open_site


def attach(site: SiteFolder, finding: str, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Keep a file as evidence to a finding; prints the word to give as --evidence of the next step."""
    from quanmin.gate.finding_desk import attach as keep  # what stands behind it takes time to load
    from quanmin.gate.inquiry import Inquiry
    from quanmin.gate.performing import perform

    opened = open_site(site)
    inquiry = Inquiry(opened.operator(), opened.indicators(), opened.settings.region)
    print(keep(inquiry, perform(inquiry, "finding", {"finding": finding}).found, file.name, file.read_bytes())[0])
