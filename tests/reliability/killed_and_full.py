"""Killed at any instant, or on a full disk: nothing acknowledged is lost, nothing is there by half (run by name; it takes minutes)."""

from __future__ import annotations

import csv
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from quanmin.model import Refusal
from quanmin.site import Site, make_site
from quanmin.synth import make_region

pytestmark = pytest.mark.xdist_group("reliability")
KILLS, FULL = 60, 10
QUESTIONS = {
    "in_county_inpatient_share": ["month", "place"], "in_city_inpatient_share": ["year"], "average_stay_days": ["month", "facility_code"],
    "inpatient_mortality_share": ["facility_code"], "stay/identity_number_invalid": ["sender"],
}
Sent = list[tuple[Path, str, str]]
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["quanmin.site"])


@dataclass(frozen=True)
class Undisturbed:
    """Files to send, and what a site that nothing happened to says of them."""

    sent: Sent
    answers: dict[str, list]
    seconds: float


def answers(site: Site) -> dict[str, list]:
    indicators = site.indicators()
    return {
        name: [(dict(c.key), c.numerator, c.denominator, c.unknown, c.value) for c in indicators.ask(name, by, suppress_below=0).cells]
        for name, by in QUESTIONS.items()
    }


def take_all(site: Site, sent: Sent, told: Connection | None = None) -> None:
    """Take the files in one by one, telling every acknowledged one, then build."""
    for path, sender, mapping in sent:
        receipt = site.intake().take([path], mapping=mapping, sender=sender)[0]
        assert receipt.read == receipt.accepted + receipt.rejected
        if told is not None:
            told.send((receipt.sha256, receipt.accepted, receipt.rejected))
    site.build()
    if told is not None:
        told.send("built")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    region = tmp_path_factory.mktemp("small")
    make_region(region, residents=1_000, seed=11)
    with (region / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    registers = [r for r in rows if r["mapping"] in ("region_list", "facility_list")]
    rest = [r for r in rows if r["sender"] in ("990101H001", "990102H001") or r["mapping"] == "resident_register"][:7]
    claims = [r for r in rows if r["mapping"] == "claim_settlement"][:2]
    sent = [(region / "files" / r["file"], r["sender"], r["mapping"]) for r in (*registers, *rest, *claims)]
    site = make_site(tmp_path_factory.mktemp("undisturbed") / "site", "990100")
    started = time.monotonic()
    take_all(site, sent)
    return Undisturbed(sent, answers(site), time.monotonic() - started)


def _work(folder: Path, sent: Sent, told: Connection) -> None:
    take_all(Site(folder), sent, told)


def _killed(folder: Path, sent: Sent, after: float) -> list:
    """Start the work, kill it `after` seconds, and return what it told before."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_work, args=(folder, sent, theirs))
    process.start()
    theirs.close()
    process.join(after)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    told = []
    try:
        while True:
            told.append(ours.recv())
    except (EOFError, OSError):
        return told


def _holds(site: Site, told: list) -> None:
    """Everything told before the kill is in the ledger, and nothing in it is partial."""
    kept = {s.sha256: s for s in site.ledger.submissions()}
    for one in told:
        if one != "built":
            assert (kept[one[0]].accepted, kept[one[0]].rejected) == one[1:]
    pieces = site.ledger.pieces()
    for submission in kept.values():
        assert submission.read == submission.accepted + submission.rejected
        assert any(p.submission == submission.id for p in pieces) or not submission.accepted
    if "built" in told:
        assert site.ledger.snapshots()


def test_sixty_kills(undisturbed: Undisturbed, tmp_path: Path) -> None:
    chance = random.Random(20261124)
    acknowledged = during_build = 0
    for number in range(KILLS):
        folder = tmp_path / f"site{number}"
        make_site(folder, "990100")
        told = _killed(folder, undisturbed.sent, chance.uniform(0.02, 1.1) * undisturbed.seconds)
        site = Site(folder)
        _holds(site, told)
        acknowledged += sum(one != "built" for one in told)
        during_build += len(told) == len(undisturbed.sent)
        take_all(site, undisturbed.sent)
        assert answers(site) == undisturbed.answers, f"kill {number} changed what the site says"
        assert len(site.ledger.submissions()) == len(undisturbed.sent)
        shutil.rmtree(folder)
    assert acknowledged > KILLS and during_build >= 3, (acknowledged, during_build)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes of its own (a tmpfs; mounting one needs root)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", "from quanmin.cli import main; main()", *arguments], capture_output=True, text=True, timeout=120)


def test_ten_full_disks(undisturbed: Undisturbed, small_disk: Path) -> None:
    refused = 0
    for number in range(FULL):
        folder, ballast = small_disk / "site", small_disk / "ballast"
        make_site(folder, "990100")
        free = shutil.disk_usage(small_disk).free
        left = 150_000 + number * 350_000
        ballast.write_bytes(b"\0" * (free - left))
        calls = [("intake", str(folder), str(p), "--sender", s, "--mapping", m) for p, s, m in undisturbed.sent] + [("build", str(folder))]
        results = [_cli(*call) for call in calls[:: max(1, len(calls) // 4)]] + [_cli(*calls[-1])]
        for result in results:
            assert "Traceback" not in result.stderr + result.stdout
            assert result.returncode in (0, 2), result.stderr
            assert result.returncode == 0 or result.stderr.strip()
            refused += result.returncode == 2
        ballast.unlink()
        site = Site(folder)
        _holds(site, [])
        take_all(site, undisturbed.sent)
        assert answers(site) == undisturbed.answers
        shutil.rmtree(folder)
    assert refused >= FULL // 2, refused


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site")
    with site.folders.writing():
        with pytest.raises(Refusal) as refused:
            site.build()
        assert f"pid {os.getpid()}" in refused.value.problems[0].rule
    site.build()
