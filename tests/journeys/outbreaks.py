"""Planted outbreaks and missed cases held against what surveillance finds: for tests and for the figures of the docs."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from quanmin.gate import Actor, Scope
from quanmin.gate.inquiry import Inquiry
from quanmin.services.surveillance.actions import signals
from quanmin.services.surveillance.signal import Signal
from quanmin.services.surveillance.watching import watch
from quanmin.site import Site


@dataclass(frozen=True)
class Outbreak:
    """A planted outbreak with its case signals: `third_on` the day its third case was reported, `raised_on` the first signal ("" none)."""

    disease: str
    county: str
    township: str
    first_on: str
    last_on: str
    cases: int
    third_on: str
    raised_on: str
    signals: tuple[Signal, ...]

    @property
    def days(self) -> int:
        """Days from the third reported case to the signal, below 0 where it came before."""
        return (date.fromisoformat(self.raised_on) - date.fromisoformat(self.third_on)).days


def asker(site: Site) -> Inquiry:
    """Somebody who sees the whole region."""
    return Inquiry(Actor("x", "section", Scope(), site.ledger), site.indicators(), site.settings.region)


def outbreaks(inquiry: Inquiry, folder: Path) -> list[Outbreak]:
    """The planted outbreaks of a region's folder."""
    with (folder / "truth" / "outbreaks.csv").open(encoding="utf-8", newline="") as stream:
        told = list(csv.DictReader(stream))
    known = signals(inquiry, source="case", limit=100_000).signals
    return [_outbreak(inquiry, one, known) for one in told]


def _outbreak(inquiry: Inquiry, told: Mapping[str, str], known: Sequence[Signal]) -> Outbreak:
    mine = tuple(one for one in known if one.item == told["disease_code"] and one.county == told["county_code"]
                 and one.last_on >= told["first_on"] and one.first_on <= told["last_on"])
    query = ("SELECT reported_on FROM notifiable_case WHERE disease_code = '{disease_code}' AND home_county = '{county_code}' AND NOT is_repeat "
             "AND reported_on >= DATE '{first_on}' ORDER BY 1 LIMIT 3").format(**told)
    third = inquiry.indicators.engine.table(query).to_pylist()[-1]["reported_on"].isoformat()
    return Outbreak(told["disease_code"], told["county_code"], told["township_code"], told["first_on"], told["last_on"], int(told["cases"]), third,
                    min((one.raised_on for one in mine), default=""), mine)


def false_alarms(inquiry: Inquiry, planted: Sequence[Outbreak]) -> tuple[int, float]:
    """Case signals that belong to no planted outbreak, and how many that is per county and week of those judged."""
    right = {one.id for outbreak in planted for one in outbreak.signals}
    others = [one for one in signals(inquiry, source="case", limit=100_000).signals if one.id not in right]
    return len(others), len(others) / (watch()["case"]["judged_days"] / 7 * len(inquiry.units("county")))


def persons(folder: Path) -> dict[tuple[str, int], str]:
    """(file, line) → the true resident of each record."""
    return {(r["file"], r["line"]): r["true_resident_id"] for r in pq.read_table(folder / "truth" / "records.parquet").to_pylist()}


def sent_files(site: Site, folder: Path) -> dict[int, list[str]]:
    """Submission → the sent files with its content."""
    by_content: dict[str, list[str]] = {}
    with (folder / "files" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            by_content.setdefault(hashlib.sha256((folder / "files" / row["file"]).read_bytes()).hexdigest(), []).append(row["file"])
    return {s.id: by_content[s.sha256] for s in site.ledger.submissions()}


def missed_cases(site: Site, inquiry: Inquiry, folder: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(true resident, disease) of the missed cases that were planted, and of those found."""
    known, files = persons(folder), sent_files(site, folder)
    truth = {(r["true_resident_id"], r["disease_code"]) for r in pq.read_table(folder / "truth" / "missed_cases.parquet").to_pylist()}
    rows = inquiry.indicators.engine.table("SELECT submission, line, disease_code FROM missed_case").to_pylist()
    return truth, {(next(known[file, r["line"]] for file in files[r["submission"]] if (file, r["line"]) in known), r["disease_code"]) for r in rows}
