"""Killed at any instant, a site is as before or as after: nothing acknowledged lost, nothing partial, and in the end the same answers."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from quanmin.site import Site
from tests.records.made_region import every_answer
from tests.reliability.conftest import Commands, Sent
from tests.reliability.keeping import acknowledged, asked, hold, opened, rows_by_submission

KILLS = 60
CHOSEN = 10  # of the steps of a command
BUILD_AFTER = 8  # senders
TRIES = {"intake": 3, "build": 8}  # kills of one step, each a little later than the one before, until one comes too late


def plan(sent: list[Sent]) -> list[Sent | None]:
    """Intakes in order, and a build (None) now and then."""
    found: list[Sent | None] = []
    for number, one in enumerate(sent, 1):
        found += [one, None] if number % BUILD_AFTER == 0 or number == len(sent) else [one]
    return found


def words(site: Path, step: Sent | None) -> list[object]:
    return ["build", site] if step is None else ["intake", site, *step.paths, "--sender", step.sender]


@pytest.fixture(scope="module")
def whole(commands: Commands, sent: list[Sent], tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[float], list[list[str]]]:
    """The undisturbed site, how long each step took, and what it said after each build."""
    folder = tmp_path_factory.mktemp("undisturbed") / "site"
    assert commands.run("init", folder, "--region", "990100").code == 0
    site, spent, said = opened(folder), [], []
    for step in plan(sent):
        started = time.monotonic()
        outcome = commands.run(*words(folder, step))
        spent.append(time.monotonic() - started)
        assert outcome.code == 0, outcome.err
        if step is None:
            said.append(asked(site))
    return site, spent, said


def test_sixty_kills_at_random_instants(commands: Commands, sent: list[Sent], whole, tmp_path: Path) -> None:
    reference, spent, said = whole
    chance, kills, builds = random.Random(20261124), {"intake": 0, "build": 0}, 0
    folder = tmp_path / "site"
    commands.run("init", folder, "--region", "990100")
    site = opened(folder, reference)
    for step, usual in zip(plan(sent), spent, strict=True):
        kind = "intake" if step else "build"
        for attempt in range(TRIES[kind]):
            before, snapshots = acknowledged(site), site.ledger.snapshots()
            published = asked(site) if snapshots and step is None else []
            outcome = commands.run_and_kill((attempt + chance.random()) / TRIES[kind] * usual, *words(folder, step))
            kills[kind] += outcome.code == -9
            site = opened(folder, reference)
            hold(site, reference, outcome, step, before)
            if step is not None:
                assert site.ledger.snapshots() == snapshots
            elif site.ledger.snapshots() == snapshots and snapshots:
                assert asked(site) == published, "a reader's figures changed under a build that did not finish"
            if outcome.code == 0:
                break
        last = commands.run(*words(folder, step))
        assert last.code == 0, last.err
        hold(site, reference, last, step, before)
        if step is None:
            assert asked(site) == said[builds]
            builds += 1
    assert kills["intake"] >= 30 and kills["build"] >= 15 and sum(kills.values()) >= KILLS, kills
    assert acknowledged(site) == acknowledged(reference)
    assert every_answer(site) == every_answer(reference)
    for snapshot in reference.ledger.snapshots():
        assert asked(site, snapshot.id) == asked(reference, snapshot.id)


@pytest.fixture(scope="module")
def halfway(commands: Commands, sent: list[Sent], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sent, Path, Site]:
    """A site before an intake, the files to come, the site before a build, and the site after it."""
    folder = tmp_path_factory.mktemp("halfway")
    before, between, after = folder / "before", folder / "between", folder / "after"
    commands.run("init", before, "--region", "990100")
    hospital = next(s for s in sent if sum("stay" in p.name for p in s.paths) and len(s.paths) > 1)
    for one in sent[:6]:
        if one is not hospital:
            commands.run(*words(before, one))
    commands.run("build", before)
    shutil.copytree(before, between)
    assert commands.run(*words(between, hospital)).code == 0
    shutil.copytree(between, after)
    assert commands.run("build", after).code == 0
    return before, hospital, between, opened(after)


def _count(commands: Commands, start: Path, tmp_path: Path, *given: object) -> int:
    shutil.copytree(start, tmp_path / "counted")
    assert commands.run(given[0], tmp_path / "counted", *given[1:], steps=str(tmp_path / "steps")).code == 0
    return int((tmp_path / "steps").read_text())


@pytest.mark.parametrize("command", ["intake", "build"])
def test_a_kill_beside_every_step_that_outlives_the_process(commands: Commands, halfway, tmp_path: Path, command: str) -> None:
    before, hospital, between, after = halfway
    start, given = (before, words(before, hospital)) if command == "intake" else (between, words(between, None))
    count = _count(commands, start, tmp_path, given[0], *given[2:])
    assert count > 25
    for number in sorted({count * i // CHOSEN for i in range(CHOSEN)} | set(range(count - 6, count))):
        folder = tmp_path / f"s{number}"
        shutil.copytree(start, folder)
        site = opened(folder, after)
        known = acknowledged(site)
        outcome = commands.run(given[0], folder, *given[2:], die_at=number)
        assert outcome.code == -9
        site = opened(folder, after)
        hold(site, after, outcome, hospital, known)
        assert asked(site, 1) == asked(after, 1)
        again = commands.run(given[0], folder, *given[2:])
        assert again.code == 0, again.err
        hold(site, after, again, hospital, known)
        assert acknowledged(site) == acknowledged(after)
        if command == "intake" and number % 8 == 0:
            assert commands.run("build", folder).code == 0
        if command == "build" or number % 8 == 0:
            assert asked(site) == asked(after) and rows_by_submission(site) == rows_by_submission(after)
        shutil.rmtree(folder)


def test_a_second_writer_is_refused_with_the_name_of_the_first(commands: Commands, halfway, tmp_path: Path) -> None:
    before, hospital, *_ = halfway
    folder = tmp_path / "site"
    shutil.copytree(before, folder)
    site = Site(folder)
    with site.folders.writing():
        for given in (words(folder, hospital), words(folder, None)):
            outcome = commands.run(*given)
            assert outcome.code == 2 and len(outcome.err.splitlines()) == 1 and f"pid {os.getpid()}" in outcome.err
        reading = commands.run("ask", folder, "average_stay_days", "--format", "csv")
        assert reading.code == 0 and reading.out
    assert commands.run(*words(folder, hospital)).code == 0


def test_two_writers_at_once_one_works_and_one_is_told(commands: Commands, halfway, tmp_path: Path) -> None:
    before, hospital, *_ = halfway
    folder = tmp_path / "site"
    shutil.copytree(before, folder)
    first = commands.start(*words(folder, hospital))
    second = commands.start(*words(folder, hospital))
    outcomes = sorted([commands._say({"wait": first})["status"], commands._say({"wait": second})["status"]])
    assert outcomes in ([0, 2], [0, 0])
    assert len(opened(folder).ledger.submissions()) == len(opened(before).ledger.submissions()) + len(hospital.paths)
