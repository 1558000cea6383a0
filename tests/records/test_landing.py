"""What is received is durable before it is acknowledged, also where an earlier command was ended before it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quanmin.records.landing import Landing
from quanmin.records.ledger import Ledger
from quanmin.site import Site
from tests.records.made_files import send, text_of, visit


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that were made durable, in order."""
    found: list[Path] = []
    usual = os.fsync

    def fsync(handle: int) -> None:
        usual(handle)
        found.append(Path(f"/proc/self/fd/{handle}").resolve())

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_files_are_durable_before_they_are_acknowledged(site: Site, tmp_path: Path, synced: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    usual, before = Ledger.acknowledge, list[set[Path]]()

    def acknowledge(self: Ledger, *given: object) -> None:
        before.append(set(synced))
        usual(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "acknowledge", acknowledge)
    receipts = [send(site, tmp_path, f"{n}.csv", text_of([visit(n)]), "C1") for n in (1, 2)]
    assert len(before) == len(receipts) and all(receipt.accepted == 1 for receipt in receipts)
    for receipt, durable in zip(receipts, before, strict=True):
        folder = site.folders.landing.resolve() / receipt.sha256[:2] / receipt.sha256
        assert {folder / receipt.file, folder, folder.parent, folder.parent.parent} <= durable


def test_a_file_that_an_interrupted_command_left_is_made_durable_as_well(site: Site, tmp_path: Path, synced: list[Path]) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n", "utf-8")
    site.folders.scratch.mkdir(exist_ok=True)
    left = Landing(site.folders).keep(tmp_path / "a.csv")
    again = Landing(site.folders)
    assert again.keep(tmp_path / "a.csv").path == left.path and left.path.resolve() not in synced
    again.settle()
    assert {left.path.resolve(), left.path.parent.resolve()} <= set(synced)
