"""The catalogue as it was read and checked before: taken again while not a byte of any definition, nor of the code that checks them, has changed."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import quanmin.model

READ_WHOLE = (".toml", ".sql", ".py")  # long lists are not: the catalogue reads them when it is asked for one, not before
OURS = ("quanmin.catalog.", "quanmin.model.")
PLAIN = {"pathlib.PosixPath", "datetime.date", "datetime.time", "datetime.datetime", "datetime.timezone", "datetime.timedelta"}
KEPT = 8  # of the newest; a machine has few sets of definitions at a time


def _files(folder: str, within: tuple[str, ...] = ()) -> Iterator[str]:
    """All files below a folder in order, behind links as well, but not round in a circle."""
    here = os.path.realpath(folder)
    if here in within:
        return
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if not entry.is_dir():
            yield entry.path
        elif entry.name != "__pycache__":
            yield from _files(entry.path, (*within, here))


def _state(file: str) -> bytes:
    """What a file says, or of a list that nobody has read yet, whether it is still the same file."""
    if file.endswith(READ_WHOLE):
        with open(file, "rb") as stream:
            return hashlib.sha256(stream.read()).digest()
    found = os.stat(file)
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}".encode()


def fingerprint(folders: Sequence[Path]) -> str:
    """A digest of everything a checked catalogue depends on; "" where something cannot be read."""
    parser = find_spec("sqlglot")
    also = [Path(quanmin.model.__file__).parent, *([Path(parser.origin).with_name("_version.py")] if parser and parser.origin else [])]
    digest = hashlib.sha256(sys.version.encode())
    try:
        for place in (*folders, *also):
            for file in [str(place)] if place.is_file() else _files(str(place)):
                digest.update(f"\0{file}\0{os.path.abspath(file)}\0".encode(errors="surrogateescape") + _state(file))
    except OSError:
        return ""
    return digest.hexdigest()


class _Reader(pickle.Unpickler):
    """Makes nothing but what a catalogue is made of, whatever a file asks for."""

    def find_class(self, module: str, name: str) -> Any:
        """One of our own classes."""
        if module.startswith(OURS) or f"{module}.{name}" in PLAIN:
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a catalogue")


def _folder() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "quanmin" if os.path.isabs(base) else None


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody but us can have written it."""
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def find(key: str) -> object | None:
    """What was kept under a fingerprint; None where there is nothing, or nothing that may be trusted."""
    folder = _folder()
    if folder is None or not key:
        return None
    try:
        if not _is_ours(folder.lstat()):
            return None
        with os.fdopen(os.open(folder / f"catalog-{key}", os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
            return _Reader(stream).load() if _is_ours(os.fstat(stream.fileno())) else None
    except Exception:  # a broken file can fail in any way: the definitions are read instead
        return None


def keep(key: str, catalog: object) -> None:
    """Keep a catalogue without complaints under its fingerprint; where that is not possible, the next command reads the definitions again."""
    folder = _folder()
    if folder is None or not key:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(folder.lstat()):
            return
        handle, written = tempfile.mkstemp(dir=folder, prefix=".catalog-")
        try:
            with os.fdopen(handle, "wb") as stream:
                pickle.dump(catalog, stream, protocol=pickle.HIGHEST_PROTOCOL)
            os.replace(written, folder / f"catalog-{key}")
        except BaseException:
            os.unlink(written)
            raise
        for old in sorted(folder.glob("*catalog-*"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
