"""Small files as senders write them, and a site to take them into."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
import xlsxwriter

from quanmin import catalog as catalog_package
from quanmin.catalog.loader import read_all
from quanmin.model import Receipt
from quanmin.site import Site, make_site

CATALOG, COMPLAINTS = read_all(Path(__file__).parent / "definitions")
assert not COMPLAINTS.problems, COMPLAINTS.problems
with (Path(catalog_package.__file__).parent / "mappings" / "front_page_national_header.csv").open(encoding="utf-8") as _stream:
    NATIONAL = {row["column"]: row["zh"] for row in csv.DictReader(_stream)}
WORDS = [label.zh for label in CATALOG.codes["ethnicity"].codes.values()]  # Chinese text without Chinese in this file
NAMES = [word[:3] for word in WORDS]
VISIT_COLUMNS = ("no", "site", "seen", "person", "card", "born", "tcm", "wait", "charge", "text")


def stay(number: int, month: str = "2026-03", diagnoses: int = 2, facility: str = "H1", **more: str) -> dict[str, str]:
    """A front page of the national layout; other diagnoses in groups C06x01C …"""
    row = {
        "A01": facility, "A02": WORDS[0], "A48": f"R{number:04d}", "A49": "1", "B12": f"{month}-01 08:00:00", "B15": f"{month}-05 10:30:00",
        "A11": NAMES[number % len(NAMES)], "A12C": str(1 + number % 2), "A13": f"19{40 + number % 50}-0{1 + number % 9}-15", "A14": "40", "A20": "",
        "A46C": "1", "B11C": "2", "B20": "4", "B34C": "1", "C03C": "J18.900", "C05C": "1", "D01": f"{1000 + number}.50", "D09": "100",
    }
    for i in range(1, diagnoses):
        row |= {f"C06x{i:02d}C": f"I1{i % 10}.x00", f"C07x{i:02d}N": WORDS[i], f"C08x{i:02d}C": "1"}
    return row | more


def visit(number: int, **more: str) -> dict[str, str]:
    """A row of the mapping plain_visits."""
    return {"no": f"V{number}", "site": "H1", "seen": "2026-03-02 09:15:00", "person": NAMES[number % len(NAMES)], "card": "", "born": "1970-01-31",
            "tcm": "0", "wait": "12.5", "charge": f"{number}.25", "text": "x"} | more


def columns_of(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Every column the rows name, in the order of the national layout where they belong to it."""
    named = list(dict.fromkeys(c for row in rows for c in row))
    return sorted(named, key=list(NATIONAL).index) if set(named) <= set(NATIONAL) else named


def text_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = (), delimiter: str = ",", ending: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows below their header, as delimited text."""
    stream = io.StringIO()
    chosen = list(columns or columns_of(rows))
    writer = csv.DictWriter(stream, chosen, restval="", extrasaction="ignore", delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_sheet(path: Path, rows: Sequence[Sequence[object]], formats: Mapping[int, str] | None = None, sheet: str = "Sheet1") -> Path:
    """A workbook of one sheet; `formats` gives columns a number format; formulas stay formulas."""
    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, "strings_to_urls": False}) as book:
        made = book.add_worksheet(sheet)
        styles = {column: book.add_format({"num_format": text}) for column, text in (formats or {}).items()}
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if value is not None:
                    made.write(y, x, value, *([styles[x]] if x in styles and y else []))
    return path


def new_site(folder: Path, region: str = "") -> Site:
    """A site with the tests' mappings."""
    site = make_site(folder, region)
    site.__dict__["catalog"] = CATALOG
    return site


def reopened(site: Site) -> Site:
    """The same folder, opened again."""
    again = Site(site.folder)
    again.__dict__["catalog"] = CATALOG
    return again


def send(site: Site, folder: Path, name: str, content: str | bytes, sender: str = "S1", encoding: str = "utf-8", **options: str) -> Receipt:
    """Write a file and take it in."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    receipt = site.intake().take([path], sender=sender, **options)[0]
    assert receipt.read == receipt.accepted + receipt.rejected
    return receipt


def accepted_rows(site: Site, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    """What the cache of accepted rows holds of a table."""
    files = [str(p) for p in site.folders.accepted.glob(f"{table}/*.parquet")]
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({files}) ORDER BY submission, line").fetchall() if files else []


def contents(site: Site, tables: Iterable[str] = ()) -> dict[str, list[tuple[object, ...]]]:
    """Every published table's rows, sorted."""
    files = site.files(site.snapshot())
    found = {}
    for table in tables or sorted(files):
        listed = files.get(table) or []
        query = f"SELECT * FROM read_parquet({listed}, hive_partitioning = false) ORDER BY ALL"
        found[table] = duckdb.sql(query).fetchall() if listed else []
    return found
