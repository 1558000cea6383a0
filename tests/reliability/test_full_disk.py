"""On a full disk: a clear message, exit 2, a site that can be read, and the same command succeeds once there is room."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quanmin.catalog.messages import say
from quanmin.site import Site
from tests.reliability.conftest import Commands, Outcome, Sent
from tests.reliability.keeping import acknowledged, asked, hold, opened

POINTS = 10
DISK = 48 << 20
LEFT = re.escape(say("seconds_left", "zh", left="0")).replace("0", r"\d+") + "$"  # the progress of a command slower than two seconds


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own; where none may be mounted, the tests that need it are left to the limit on file sizes."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here: see the tests with a limit on the size of files")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture(scope="module")
def base(commands: Commands, sent: list[Sent], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sent, Site]:
    """A built site, files of a hospital still to come, and the site with them."""
    folder = tmp_path_factory.mktemp("base")
    start, whole = folder / "start", folder / "whole"
    commands.run("init", start, "--region", "990100")
    more = max(sent, key=lambda s: sum(p.stat().st_size for p in s.paths if "stay" in p.name))
    for one in sent[:6]:
        if one is not more:
            assert commands.run("intake", start, *one.paths, "--sender", one.sender).code == 0
    assert commands.run("build", start).code == 0
    shutil.copytree(start, whole)
    assert commands.run("intake", whole, *more.paths, "--sender", more.sender).code == 0
    assert commands.run("build", whole).code == 0
    return start, more, opened(whole)


def size_of(folder: Path) -> int:
    return sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file())


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes on the disk."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with ballast.open("wb") as stream:
        stream.write(b"\0" * max(0, free - left))
    return ballast


def refused(outcome: Outcome) -> None:
    """One clear line, exit 2."""
    assert outcome.code == 2 and "Traceback" not in outcome.out + outcome.err, outcome
    lines = [line for line in outcome.err.splitlines() if line and not re.search(LEFT, line)]
    assert len(lines) == 1 and say("mend_disk_full", "zh") in lines[0], outcome.err


def _try(commands: Commands, folder: Path, more: Sent, whole: Site, command: str, starve: Callable[[], object], relieve: Callable[[], object],
         **options: object) -> bool:
    """A command without enough room, then with: whether it was refused."""
    given = ["intake", folder, *more.paths, "--sender", more.sender] if command == "intake" else ["build", folder]
    site = opened(folder, whole)
    known, then = acknowledged(site), asked(site, 1)
    starve()
    outcome = commands.run(*given, **options)
    reading = commands.run("ask", folder, "average_stay_days", "--as-of", "1", "--format", "csv")
    assert reading.code == 0 and reading.out.startswith("numerator"), reading.err
    relieve()
    if outcome.code:
        refused(outcome)
    site = opened(folder, whole)
    hold(site, whole, outcome, more, known)
    assert asked(site, 1) == then
    assert commands.run(*given).code == 0
    assert acknowledged(site) == acknowledged(whole)
    assert commands.run("build", folder).code == 0
    assert asked(site) == asked(whole)
    return outcome.code == 2


@pytest.mark.parametrize("command", ["intake", "build"])
def test_ten_points_at_which_the_disk_is_full(commands: Commands, disk: Path, base: tuple[Path, Sent, Site], tmp_path: Path, command: str) -> None:
    start, more, whole = base
    if command == "build":
        shutil.copytree(start, tmp_path / "taken")
        assert commands.run("intake", tmp_path / "taken", *more.paths, "--sender", more.sender).code == 0
        start = tmp_path / "taken"
    shutil.copytree(start, tmp_path / "measured")
    before = size_of(tmp_path / "measured")
    words = ["intake", tmp_path / "measured", *more.paths, "--sender", more.sender] if command == "intake" else ["build", tmp_path / "measured"]
    assert commands.run(*words).code == 0
    needed = size_of(tmp_path / "measured") - before
    stopped = 0
    for point in range(POINTS // 2):
        folder = disk / "site"
        shutil.copytree(start, folder)
        left = needed * point * 2 // POINTS
        stopped += _try(commands, folder, more, whole, command, lambda left=left: fill(disk, left), lambda: (disk / "ballast").unlink())
        shutil.rmtree(folder)
    assert stopped == POINTS // 2


def test_a_site_at_rest_can_be_asked_on_a_disk_without_a_byte_left(commands: Commands, disk: Path, base: tuple[Path, Sent, Site]) -> None:
    start, more, whole = base
    folder = disk / "resting"
    shutil.copytree(start, folder)
    ledger = sqlite3.connect(folder / "ledger.db")
    ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    assert not (folder / "ledger.db-wal").exists()
    ballast = fill(disk, 0)
    said = commands.run("ask", folder, "average_stay_days", "--by", "month", "--format", "csv")
    assert said.code == 0 and said.out == commands.run("ask", whole.folder, "average_stay_days", "--by", "month", "--as-of", "1", "--format", "csv").out
    refused(commands.run("intake", folder, *more.paths, "--sender", more.sender))
    ballast.unlink()
    assert commands.run("intake", folder, *more.paths, "--sender", more.sender).code == 0


@pytest.mark.parametrize("command", ["intake", "build"])
@pytest.mark.parametrize("limit", [1_000, 5_000, 20_000])
def test_files_that_may_not_grow(commands: Commands, base: tuple[Path, Sent, Site], tmp_path: Path, command: str, limit: int) -> None:
    start, more, whole = base
    folder = tmp_path / "site"
    shutil.copytree(start, folder)
    if command == "build":
        assert commands.run("intake", folder, *more.paths, "--sender", more.sender).code == 0
    said = commands.folder / "limit"
    assert _try(commands, folder, more, whole, command, lambda: said.touch(), lambda: said.unlink(), file_limit=limit) or limit > 1_000
