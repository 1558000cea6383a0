"""One small synthetic region, made by the real command, shared by all journeys and all workers."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI

from quanmin.gate import Scope
from quanmin.site import Site
from quanmin.web.app import create_app
from tests.journeys.browsing import account, address, browser, visitor  # noqa: F401 (fixtures of all journeys)

RESIDENTS = 8_000


@dataclass(frozen=True)
class Region:
    """A built site with the truth that was planted in it."""

    folder: Path
    site: Site

    def truth(self, name: str) -> list[dict[str, str]]:
        with (self.folder / "region" / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def files_of_submissions(self) -> dict[int, list[str]]:
        """Submission → the sent files with its content."""
        sent = self.folder / "region" / "files"
        by_content: dict[str, list[str]] = {}
        with (sent / "manifest.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                by_content.setdefault(hashlib.sha256((sent / row["file"]).read_bytes()).hexdigest(), []).append(row["file"])
        return {s.id: by_content[s.sha256] for s in self.site.ledger.submissions()}


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Region:
    if made := os.environ.get("QUANMIN_TEST_REGION"):  # a demo site made before, for working on tests
        return Region(Path(made), Site(Path(made)))
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "site.toml").exists():
            command = [sys.executable, "-c", "from quanmin.cli import main; main()", "demo", "--site", str(folder), "--residents", str(RESIDENTS), "--no-serve"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
            assert done.returncode == 0, done.stderr
    return Region(folder, Site(folder))


@pytest.fixture(scope="session")
def app(region: Region) -> FastAPI:
    """The application over the region, in memory: what one test has asked for need not be worked out for the next."""
    made = create_app(region.site)
    made.state.desk.hold(Scope())
    return made


@pytest.fixture(scope="session")
def discharges() -> Path:
    """The real, public discharges that lie beside the repository and are never copied into it."""
    found = Path(__file__).parents[3] / "shared" / "examples" / "datasus_rs2019" / "RDRS2019.csv.gz"
    if not found.exists():
        pytest.skip(f"{found.name} is not at ../shared/examples/datasus_rs2019")
    return found
