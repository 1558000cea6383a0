"""A region's price list: every fault is told with its line, a sound one takes the place of the shipped one and reaches the derivations."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanmin.catalog import load
from quanmin.catalog.charge_items import COLUMNS
from quanmin.catalog.loader import SHIPPED, read_all
from quanmin.records.charge_items import charge_list

GOOD = {"code": "A1", "zh": "a", "en": "a", "kind": "laboratory",
        "price_cny": "20", "unit_zh": "x", "unit_en": "test", "validity_days": "7", "recognised": "true"}
CASES = {
    "unknown kind": ({"kind": "lab"}, "kind", "is not one of"),
    "no price": ({"price_cny": ""}, "price_cny", "not a number above nought"),
    "a price in words": ({"price_cny": "twenty"}, "price_cny", "not a number above nought"),
    "no day of validity": ({"validity_days": "0"}, "validity_days", "not a number above nought"),
    "part of nothing": ({"part_of": "A9"}, "part_of", "is not another item"),
    "part of itself": ({"part_of": "A1"}, "part_of", "is not another item"),
    "needs nothing there is": ({"needs": "A2|A9"}, "needs", "is not another item"),
    "an antibiotic without doses": ({"antibiotic_class": "special"}, "ddds", "defined daily doses"),
    "an unknown class": ({"antibiotic_class": "strong", "ddds": "1"}, "antibiotic_class", "is not one of"),
    "twice": ({"code": "A2"}, "code", "twice"),
}


def _write(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> None:
    target = folder / "codes"
    target.mkdir()
    (target / "charge_item.toml").write_text((SHIPPED / "codes" / "charge_item.toml").read_text("utf-8"), "utf-8")
    lines = [",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]
    (target / "charge_item.csv").write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_its_line(tmp_path: Path, case: str) -> None:
    change, key, reason = CASES[case]
    _write(tmp_path, GOOD | {"code": "A2"}, GOOD | change)
    told = [p for p in read_all(tmp_path)[1].problems if p.file == "definitions/codes/charge_item.csv"]
    assert any(p.line == 3 and p.field == key and reason in p.sentence() for p in told), [p.sentence() for p in told]


def test_a_list_without_its_columns_is_told(tmp_path: Path) -> None:
    _write(tmp_path, GOOD, columns=("code", "zh", "en", "price_cny"))
    told = [p.sentence() for p in read_all(tmp_path)[1].problems]
    assert any("kind" in one and "missing from the price list" in one for one in told), told


def test_a_sound_list_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    _write(tmp_path, GOOD, GOOD | {"code": "A2", "part_of": "A1"})
    own, shipped = load(tmp_path), load()
    assert set(own.charge_items) == {"A1", "A2"} == set(own.codes["charge_item"].codes) and own.charge_items["A2"].part_of == ("A1",)
    assert len(shipped.charge_items) >= 100
    assert charge_list(own).fingerprint != charge_list(shipped).fingerprint, "derived tables are made again when prices change"
