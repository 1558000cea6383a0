"""A small region's files, made once, and a server that runs the real commands cheaply."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quanmin.synth import make_region

ROOT = Path(__file__).parents[2]
RESIDENTS, SEED = 1_000, 11
MONTHS = ("2026-01", "2026-02", "2026-03")
SENDING = ("990101", "990103", "990105", "HI-990")  # counties, and the health insurance


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code (negative: the signal that ended it) and what it said."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands in children of the server."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "QUANMIN_LANGUAGE": "en"}
        self.server = subprocess.Popen([sys.executable, "-m", "tests.reliability.command_server"], cwd=ROOT, env=environment, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._heard() == {"ready": True}

    def _heard(self) -> dict[str, Any]:
        assert self.server.stdout is not None
        found: dict[str, Any] = json.loads(self.server.stdout.readline())
        return found

    def _say(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.server.stdin is not None
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return self._heard()

    def start(self, *words: object, **options: object) -> int:
        """Start a command; returns its process."""
        self.count += 1
        out = str(self.folder / f"{self.count}.out")
        for said in (out, out + ".err"):
            Path(said).touch()  # a command killed at once has said nothing
        return int(self._say({"run": [str(w) for w in words], "out": out, **options})["pid"])

    def end(self, process: int) -> Outcome:
        """Wait for the command started last."""
        code = int(self._say({"wait": process})["status"])
        out = self.folder / f"{self.count}.out"
        return Outcome(code, out.read_text("utf-8"), out.with_name(out.name + ".err").read_text("utf-8"))

    def run(self, *words: object, **options: object) -> Outcome:
        """Run a command to its end."""
        return self.end(self.start(*words, **options))

    def run_and_kill(self, after: float, *words: object) -> Outcome:
        """Run a command and kill it after so many seconds, unless it has ended."""
        process = self.start(*words)
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        return self.end(process)

    def close(self) -> None:
        """End the server."""
        assert self.server.stdin is not None
        self.server.stdin.close()
        self.server.wait(10)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    made = Commands(tmp_path_factory.mktemp("said"))
    yield made
    made.close()


@dataclass(frozen=True)
class Sent:
    """What one sender sent at once."""

    sender: str
    paths: tuple[Path, ...]


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Sent]:
    """Files of the region by sender: the lists, the register, and of some counties some months of front pages and visits, and the settlements."""
    folder = tmp_path_factory.mktemp("region")
    make_region(folder, residents=RESIDENTS, seed=SEED)
    with (folder / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    lists = ("facility_list", "region_list", "resident_register", "population_workbook")
    files: dict[str, list[Path]] = {}
    for row in rows:
        is_wanted = any(m in Path(row["file"]).name for m in MONTHS) and row["mapping"] in ("front_page_national", "claim_settlement", "visit_dialect_his")
        if row["mapping"] in lists or (is_wanted and row["sender"][:6] in SENDING):
            files.setdefault(row["sender"], []).append(folder / "files" / row["file"])
    return [Sent(sender, tuple(paths)) for sender, paths in files.items()]
