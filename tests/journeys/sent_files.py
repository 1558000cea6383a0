"""Copies of a region that may be written to, and the files its senders sent, to be corrected."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from quanmin.gate import Actor, Scope
from quanmin.gate.data_desk import DataDesk
from quanmin.site import Site


def copy_of(folder: Path, target: Path) -> Path:
    """The site in `folder` without the files it was made from."""
    ignored = {"region", "scratch", *(file.name for file in folder.glob("ledger.db*"))}
    shutil.copytree(folder, target, ignore=lambda place, names: ignored if Path(place) == folder else set())
    copy_ledger(folder, target)
    return target


def copy_ledger(folder: Path, target: Path) -> None:
    """The ledger of a site as it stands; through SQLite, since a process that opens and closes the file itself loses its locks on it (howtocorrupt, 2.2)."""
    with closing(sqlite3.connect(folder / "ledger.db")) as source, closing(sqlite3.connect(target / "ledger.db")) as copy:
        source.backup(copy)


def desk_of(site: Site, role: str = "operator", scope: str = "region") -> DataDesk:
    return DataDesk(Actor("tester", role, Scope.parse(scope), site.ledger), site.indicators(), site.ledger, site.folders, site.snapshot())


@dataclass(frozen=True)
class Mistake:
    """A sent file of one month of one facility with a single rejected row: the line, the field that is blank and must not be."""

    sender: str
    path: Path
    submission: int
    line: int
    field: str

    def corrected(self, value: str) -> bytes:
        """The file with the field filled, everything else as it was."""
        raw = self.path.read_bytes()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                text = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
        marked = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else encoding.removesuffix("-sig")
        lines = text.splitlines(keepends=True)
        ending = lines[0][len(lines[0].rstrip("\r\n")):]
        delimiter = max(",\t|;", key=lines[0].count)
        header, row = (next(csv.reader([lines[i]], delimiter=delimiter)) for i in (0, self.line - 1))
        assert not row[header.index(self.field)].strip()
        row[header.index(self.field)] = value
        stream = io.StringIO()
        csv.writer(stream, delimiter=delimiter, lineterminator=ending).writerow(row)
        lines[self.line - 1] = stream.getvalue()
        return "".join(lines).encode(marked)


def mistakes(site: Site, files: Path) -> list[Mistake]:
    """What can be corrected by filling in one blank."""
    desk = desk_of(site)
    found = []
    for one in desk.sent():
        s = one.submission
        path = files / s.sender / s.file
        if s.rejected != 1 or len(one.months) != 1 or not one.stands or path.suffix != ".csv" or not path.exists():
            continue
        [reject] = desk.rejects_of(s)
        if reject.field and not reject.value and reject.line and "/" not in reject.field:
            found.append(Mistake(s.sender, path, s.id, reject.line, reject.field))
    return found
