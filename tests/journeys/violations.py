"""Findings of supervision held against what was planted: plain loops over both lists."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from quanmin.site import Site

SINCE = "2025-11-01"  # from here on violations are planted
SUBJECTS = {
    "stay_review": "SELECT 'S' || submission || '-' || line AS row_key, case_number AS subject FROM read_parquet({stay})",
    "stay_conduct": "SELECT 'S' || submission || '-' || line AS row_key, case_number AS subject FROM read_parquet({stay})",
    "visit_review": "SELECT 'V' || submission || '-' || line AS row_key, visit_number AS subject FROM read_parquet({visit})",
    "care_pattern": "SELECT care_pattern_id AS row_key, strftime(month, '%Y-%m') AS subject FROM read_parquet({care_pattern})",
}

Subject = tuple[str, str, str]  # facility, number as sent, day


@dataclass
class Family:
    """What was planted in a family, what only looks like it, and what was found."""

    planted: set[Subject] = field(default_factory=set)
    innocent: set[Subject] = field(default_factory=set)
    found: set[Subject] = field(default_factory=set)
    by_rule: dict[str, set[Subject]] = field(default_factory=lambda: defaultdict(set))

    @property
    def recall(self) -> float:
        return len(self.planted & self.found) / len(self.planted)

    @property
    def precision(self) -> float:
        return len(self.planted & self.found) / len(self.found) if self.found else 0.0


def families(site: Site, truth: Path) -> dict[str, Family]:
    """Family → planted and found, of the tables named above; `truth` is violations.csv."""
    files = site.files(site.snapshot())
    known: dict[str, Family] = defaultdict(Family)
    with truth.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["rule"].split("/")[0] in SUBJECTS:
                one = known[row["family"]]
                (one.planted if row["is_violation"] == "1" else one.innocent).add((row["facility_code"], row["subject"], row["found_on"]))
    for table, query in SUBJECTS.items():
        found = duckdb.sql(f"SELECT family, rule, facility_code, subject, CAST(found_on AS VARCHAR) FROM read_parquet({files['finding']})"
                           f" JOIN ({query.format(**files)}) USING (row_key) WHERE rule_table = '{table}' AND found_on >= DATE '{SINCE}'").fetchall()
        for family, rule, *subject in found:
            known[family].found.add(tuple(subject))
            known[family].by_rule[rule].add(tuple(subject))
    return known
