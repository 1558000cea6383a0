"""Reads the sent files with the csv module and a spreadsheet reader only: nothing of the product's own intake."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

SYNTHETIC = Path(__file__).parents[2] / "quanmin" / "catalog" / "regions" / "synthetic"
DIALECTS = tomllib.loads((SYNTHETIC / "dialects.toml").read_text("utf-8"))
DELIMITERS = {"visit_dialect_his": "|", "visit_dialect_export": "\t"}


@dataclass(frozen=True)
class Row:
    """One line of a received file."""

    file: str
    line: int
    values: dict[str, str]
    complete: bool

    def __getitem__(self, name: str) -> str:
        value = self.values.get(name, "")
        return "" if value == "-" else value


def decoded(content: bytes) -> str:
    """Text of a file: UTF-8 (with or without byte-order mark), else GB18030."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


class Region:
    """A made region with its files and its truth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def manifest(self) -> list[dict[str, str]]:
        with (self.folder / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    @cached_property
    def effective(self) -> list[dict[str, str]]:
        """Files that count: neither replaced by a correction nor sent a second time."""
        return [m for m in self.manifest if m["remark"] not in ("superseded", "duplicate")]

    def header(self, entry: dict[str, str]) -> list[str]:
        """The columns of one delimited file."""
        text = decoded((self.folder / "files" / entry["file"]).read_bytes())
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(entry["mapping"], ","), strict=True))

    def rows(self, entry: dict[str, str]) -> list[Row]:
        """The data lines of one delimited file."""
        text = decoded((self.folder / "files" / entry["file"]).read_bytes())
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(entry["mapping"], ","), strict=True)
        header = next(reader)
        found = []
        for fields in reader:
            found.append(Row(entry["file"], reader.line_num, dict(zip(header, fields, strict=False)), len(fields) == len(header)))
        return found

    def of_mapping(self, prefix: str) -> list[tuple[dict[str, str], list[Row]]]:
        """Effective files of mappings that begin with `prefix`, with their rows."""
        return [(m, self.rows(m)) for m in self.effective if m["mapping"].startswith(prefix)]

    @cached_property
    def stays(self) -> list[Row]:
        return [r for _, rows in self.of_mapping("front_page") for r in rows]

    @cached_property
    def claims(self) -> list[Row]:
        return [r for _, rows in self.of_mapping("claim") for r in rows]

    @cached_property
    def visits(self) -> list[Row]:
        """Visits under our column names, in our codes where they differ."""
        found = []
        for entry, rows in self.of_mapping("visit"):
            names = {theirs: ours for ours, theirs in DIALECTS[entry["mapping"]]["columns"]}
            found += [Row(r.file, r.line, {names[k]: v for k, v in r.values.items()}, r.complete) for r in rows]
        return found

    def sheet(self, file: str) -> list[list[Any]]:
        """Rows of the first sheet of a workbook, titles included."""
        return CalamineWorkbook.from_path(str(self.folder / "files" / file)).get_sheet_by_index(0).to_python(skip_empty_area=False)

    def truth(self, name: str) -> list[dict[str, Any]]:
        """A truth file as dictionaries."""
        path = self.folder / "truth" / name
        if path.suffix == ".parquet":
            return pq.read_table(path).to_pylist()
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    @cached_property
    def errors(self) -> list[dict[str, str]]:
        return self.truth("errors.csv")

    @cached_property
    def resident_of(self) -> dict[tuple[str, int], str]:
        return {(r["file"], r["line"]): r["true_resident_id"] for r in self.truth("records.parquet")}


def moment(text: str) -> datetime | None:
    """A time as one of the senders writes it; None if it is no time."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y/%m/%d %H:%M"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def day(text: str) -> date | None:
    """A date as one of the senders writes it; None if it is no date."""
    for form in ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def amount(text: str) -> float | None:
    """An amount; None if it is no number."""
    try:
        return float(text)
    except ValueError:
        return None


def number_is_valid(text: str) -> bool:
    """ISO 7064 MOD 11-2 over 17 digits, with a birth date that exists."""
    if len(text) != 18 or not text[:17].isdigit() or day(text[6:14]) is None:
        return False
    total = sum(int(c) * (2 ** (17 - k) % 11) for k, c in enumerate(text[:17]))
    return text[17] == "10X98765432"[total % 11]
