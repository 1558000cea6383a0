"""Where a site keeps what."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal

SYNCED_TOGETHER = 8


class DiskFull(Refusal):
    """Refusal because the disk is full or cannot be written to."""

    def __init__(self, place: object, rule: str = "") -> None:
        super().__init__(Problem(str(place), None, "", "", rule or say("disk_full"), say("mend_disk_full")))


@dataclass(frozen=True)
class Folders:
    """The parts of a site's folder: landing (precious), warehouse (a build product), the writers' lock."""

    root: Path

    @property
    def landing(self) -> Path:
        """Received files, unchanged."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """Columnar tables, one folder each."""
        return self.root / "warehouse"

    @property
    def accepted(self) -> Path:
        """Accepted rows per table as taken in: a cache that can be made again from landing."""
        return self.warehouse / "accepted"

    @property
    def scratch(self) -> Path:
        """Unfinished work; emptied whenever a writer starts."""
        return self.root / "scratch"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer of the site; a second one is refused with the name of the first. The lock dies with its process."""
        try:
            handle = os.open(self.root / ".writing", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DiskFull(self.root) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                who = os.read(handle, 200).decode("utf-8", "replace").strip() or "?"
                raise Refusal(Problem(str(self.root), None, "", "", say("writer_busy", who=who), say("mend_writer_busy"))) from None
            try:
                os.ftruncate(handle, 0)
                os.write(handle, f"pid {os.getpid()}, {datetime.now():%Y-%m-%d %H:%M:%S}".encode())
                self._empty_scratch()
            except OSError as error:
                raise DiskFull(self.root) from error
            yield
            os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def _empty_scratch(self) -> None:
        self.scratch.mkdir(exist_ok=True)
        for path in sorted(self.scratch.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def sync(paths: Iterable[Path]) -> None:
    """Make the content of written files and the entries of folders survive a power cut; many at a time, since a disk settles them together."""
    listed = list(paths)
    if len(listed) < 2:
        for path in listed:
            _sync_one(path)
        return
    with ThreadPoolExecutor(min(SYNCED_TOGETHER, len(listed))) as together:
        for _ in together.map(_sync_one, listed):
            pass


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
