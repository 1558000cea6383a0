"""Builds asked for from pages: one at a time for the whole site, whichever process was asked; who asks during one gets one more after it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Thread

from quanmin.records.ledger import now

LOG = logging.getLogger("quanmin.building")
COMMAND = (sys.executable, "-c", "from quanmin.cli import main; main()", "build")
TRIES, PAUSE = 3, 5.0  # a build that another writer keeps out is tried again, after seconds
PERCENT = re.compile(r"(\d{1,3})%")


@dataclass(frozen=True)
class Progress:
    """How far the newest build is: never, running, done or failed; `is_queued` = one more will follow; `percent` of its work done."""

    state: str = "never"
    is_queued: bool = False
    percent: int = 0
    started_at: str = ""
    ended_at: str = ""


class Builds:
    """The builds of one site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wanted, self._lock, self._said = folder / ".build-wanted", folder / ".building", folder / ".build.json"

    def ask(self) -> None:
        """Ask for a build: it starts now, or after the one that is running."""
        self._wanted.touch()
        Thread(target=self._work, name="build").start()

    def progress(self) -> Progress:
        """How far it is."""
        try:
            known = Progress(**json.loads(self._said.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            known = Progress()
        is_running = self._is_running()
        if known.state == "running" and not is_running:
            known = replace(known, state="failed")  # its process was ended
        return replace(known, is_queued=self._wanted.exists(), state="running" if is_running else known.state)

    def _is_running(self) -> bool:
        with self._held() as is_free:
            return not is_free

    @contextmanager
    def _held(self) -> Iterator[bool]:
        """Be the one who builds; false where somebody is already."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)

    def _work(self) -> None:
        while self._wanted.exists():  # asked again between the last look and the lock given back
            with self._held() as is_mine:
                if not is_mine:
                    time.sleep(0.2)
                    continue
                while self._wanted.exists():
                    self._wanted.unlink(missing_ok=True)
                    self._build()

    def _note(self, progress: Progress) -> None:
        unfinished = self._said.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        unfinished.replace(self._said)

    def _build(self) -> None:
        running = Progress("running", started_at=now())
        for left in reversed(range(TRIES)):
            self._note(running)
            process = subprocess.Popen([*COMMAND, str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                                       errors="replace")
            assert process.stderr is not None
            last = ""
            for line in process.stderr:
                last = line.strip() or last
                if found := PERCENT.search(line):
                    self._note(replace(running, percent=min(100, int(found[1]))))
            if process.wait() == 0:
                self._note(replace(running, state="done", percent=100, ended_at=now()))
                return
            LOG.error("a build failed: %s", last)
            if left:
                time.sleep(PAUSE)
        self._note(replace(running, state="failed", ended_at=now()))
