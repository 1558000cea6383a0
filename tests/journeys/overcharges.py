"""Overcharges planted in a region, and what the rules over itemised charges find of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import duckdb

from quanmin.site import Site

FAMILIES = ("repeated_test", "unbundled_charge", "excessive_charge", "antibiotic", "consumable")
Subject = tuple[str, str, str]  # table, facility, number as sent


@dataclass
class Overcharges:
    """Planted, innocent and found subjects by family or rule; `also` = the stays of planted lines, which a rule over stays may rightly find."""

    planted: dict[str, set[Subject]] = field(default_factory=lambda: defaultdict(set))
    innocent: dict[str, set[Subject]] = field(default_factory=lambda: defaultdict(set))
    found: dict[str, set[Subject]] = field(default_factory=lambda: defaultdict(set))
    also: dict[str, set[Subject]] = field(default_factory=lambda: defaultdict(set))

    def fair(self, family: str) -> set[Subject]:
        """What was found of a family, but for stays that hold a planted line of it."""
        return self.found[family] - (self.also[family] - self.planted[family])


def overcharges(site: Site, truth: Iterable[Mapping[str, str]], without: str = "") -> Overcharges:
    """What was planted (truth/violations.csv; all but one rule) and what the rules find in a site."""
    found, indicators = Overcharges(), site.indicators()
    files = site.files(site.snapshot())["charge_item"]
    stay_of = dict(duckdb.sql(f"SELECT charge_number, case_number FROM read_parquet({files}) WHERE case_number IS NOT NULL").fetchall())
    for row in truth:
        if row["family"] not in FAMILIES or row["rule"] == without:
            continue
        subject = (row["rule"].split("/")[0], row["facility_code"], row["subject"])
        if row["is_violation"] == "1":
            found.planted[row["family"]].add(subject)
            found.planted[row["rule"]].add(subject)
            found.also[row["family"]].add(("stay_charges", row["facility_code"], stay_of.get(row["subject"], "")))
        else:
            found.innocent[row["rule"]].add(subject)
            found.innocent[row["family"]].add(subject)
    for rule in site.catalog.rules.values():
        if rule.finding is not None and rule.finding.family in FAMILIES:
            number = "charge_number" if rule.table == "charge_review" else "case_number"
            rows = indicators.rows(rule.id, "numerator", columns=["facility_code", number]).to_pylist()
            subjects = {(rule.table, row["facility_code"], row[number]) for row in rows}
            found.found[rule.id] = subjects
            found.found[rule.finding.family] |= subjects
    return found
