"""Every received file is kept unchanged, named by its content, with its receipt and its rejects beside it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quanmin.model import Problem, Receipt
from quanmin.records.folders import Folders, sync

COPY = 4 << 20
SHOWN = 50


@dataclass(frozen=True)
class Landed:
    """A file in landing."""

    sha256: str
    path: Path
    name: str
    bytes: int


def safe_name(name: str) -> str:
    """A file name without path, control or direction characters."""
    bare = name.encode("utf-8", "replace").decode().replace("\\", "/").rsplit("/", 1)[-1]
    kept = re.sub(r"[\x00-\x1f\x7f/:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]", "_", bare).strip(". ")
    return kept[-150:] or "unnamed"


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Landing:
    """The landing folder of a site."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self._unsettled: dict[Path, None] = {}

    def folder_of(self, sha256: str) -> Path:
        """The folder that keeps the file with this content."""
        return self.folders.landing / sha256[:2] / sha256

    def keep(self, path: Path) -> Landed:
        """Keep a copy of `path`, durable after `settle`; keeping the same content again changes nothing."""
        unfinished = self.folders.scratch / "arriving"
        digest = hashlib.sha256()
        with path.open("rb") as source, unfinished.open("wb") as copy:
            while block := source.read(COPY):
                digest.update(block)
                copy.write(block)
        sha256 = digest.hexdigest()
        folder = self.folder_of(sha256)
        target = folder / safe_name(path.name)
        size = unfinished.stat().st_size
        existing = self.find(sha256)
        if existing is not None and fingerprint(existing) == sha256:
            unfinished.unlink()
            self._note(existing)  # an earlier command may have ended before it was durable
            return Landed(sha256, existing, safe_name(path.name), size)
        target = existing or target
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.replace(target)
        self._note(target)
        return Landed(sha256, target, safe_name(path.name), size)

    def _note(self, kept: Path) -> None:
        self._unsettled |= dict.fromkeys((kept, kept.parent, kept.parent.parent, self.folders.landing))

    def settle(self) -> None:
        """Make everything kept so far survive a power cut: before anything of it is acknowledged."""
        sync(self._unsettled)
        self._unsettled = {}

    def find(self, sha256: str) -> Path | None:
        """The kept file with this content."""
        folder = self.folder_of(sha256)
        kept = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
        return kept[0] if kept else None

    def forget_receipts(self, sha256: str, known: set[int]) -> None:
        """Remove receipts that were written but never acknowledged."""
        for path in self.folder_of(sha256).glob(".re*-*"):
            if int(path.stem.rsplit("-", 1)[1]) not in known | {0}:
                path.unlink()

    def write_receipt(self, receipt: Receipt, problems: Sequence[Problem]) -> Path:
        """Write receipt and complete list of rejects beside the file; returns the path of the list."""
        folder = self.folder_of(receipt.sha256)
        listed = folder / f".rejects-{receipt.submission or 0}.parquet"
        if problems:
            table = pa.Table.from_pylist([vars(problem) for problem in problems])
            pq.write_table(table, listed)
            self._note(listed)
        shown = vars(receipt) | {"problems": [vars(p) for p in problems[:SHOWN]], "rejects": listed.name if problems else None}
        path = folder / f".receipt-{receipt.submission or 0}.json"
        path.write_text(json.dumps(shown, ensure_ascii=False), encoding="utf-8")
        return listed
