"""Itemised charges: they add up to the front pages, keep to the price list where nothing was planted, and say what was planted."""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict

from readers import SYNTHETIC, Region, Row, amount

COLUMNS = {theirs: ours for ours, theirs in tomllib.loads((SYNTHETIC / "charge_lines.toml").read_text("utf-8"))["columns"].items()}


def lines(region: Region) -> list[Row]:
    spoilt = {(e["file"], int(e["line"])) for e in region.errors}
    rows = [r for _, found in region.of_mapping("charge_item_export") for r in found if (r.file, r.line) not in spoilt]
    return [Row(r.file, r.line, {COLUMNS[k]: v for k, v in r.values.items()}, r.complete) for r in rows]


def test_the_lines_of_a_stay_add_up_to_its_front_page(region: Region) -> None:
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in lines(region):
        if row["care_kind_code"] == "1":
            sums[row["facility_code"], row["case_number"], row["admission_number"]] += float(row["amount_cny"])
    told = {(r["A01"], r["A48"], r["A49"]): amount(r["D01"]) for r in region.stays if r.complete}
    ratios = sorted(total / told[stay] for stay, total in sums.items() if told.get(stay))
    assert len(ratios) > 300 and len(ratios) / len(sums) > 0.98
    assert all(0.99 <= ratio <= 1.001 for ratio in ratios[len(ratios) // 20 : len(ratios) // 2])
    assert sum(0.95 <= ratio <= 1.05 for ratio in ratios) / len(ratios) > 0.85, "the others hold what was planted"


def test_no_price_is_above_its_ceiling_but_the_planted_ones(region: Region) -> None:
    with (SYNTHETIC.parents[1] / "codes" / "charge_item.csv").open(encoding="utf-8", newline="") as stream:
        ceiling = {row["code"]: float(row["price_cny"]) for row in csv.DictReader(stream)}
    planted = {v["subject"] for v in region.truth("violations.csv") if v["rule"] == "charge_review/price_above_ceiling" and v["is_violation"] == "1"}
    dear = {row["charge_number"] for row in lines(region) if float(row["unit_price_cny"]) > ceiling[row["item_code"]] + 0.005}
    assert planted and dear == planted


def test_every_amount_is_quantity_times_price_and_every_number_stands_once(region: Region) -> None:
    found = lines(region)
    assert all(abs(float(r["quantity"]) * float(r["unit_price_cny"]) - float(r["amount_cny"])) < 0.005 for r in found)
    assert len({r["charge_number"] for r in found}) == len(found) > 5_000
