"""catalog/codes/charge_item.csv → ChargeItem: the price list is a code list with further columns, and a region puts its own in its place."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.reading import Complaints, list_text
from quanmin.model.charge import ANTIBIOTIC_CLASSES, CHARGE_KINDS, ROLES, ChargeItem

LIST = "charge_item"
COLUMNS = ("code", "zh", "en", "kind", "price_cny", "unit_zh", "unit_en", "most_per_day", "validity_days", "recognised", "part_of", "sex",
           "lowest_age", "highest_age", "antibiotic_class", "ddds", "high_value", "needs", "role")
WORDS = {"kind": CHARGE_KINDS, "sex": ("", "1", "2"), "antibiotic_class": ("", *ANTIBIOTIC_CLASSES), "recognised": ("", "true"), "high_value": ("", "true"),
         "role": ("", *ROLES)}
POSITIVE = ("price_cny", "most_per_day", "validity_days", "ddds")


def read_charge_items(codes: CodeLists, complaints: Complaints) -> dict[str, ChargeItem]:
    """The items by code, with everything wrong in the list complained of; nothing where there is no such list."""
    if LIST not in codes or not codes.csv_path(LIST).exists():
        return {}
    path, shown = codes.csv_path(LIST), codes.shown(LIST)
    reader = csv.DictReader(list_text(path, shown, complaints))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        complaints.add(shown, 1, ", ".join(missing), "", "is missing from the price list", "columns: " + ", ".join(COLUMNS))
        return {}
    found: dict[str, ChargeItem] = {}
    lines: dict[str, int] = {}
    for row in reader:
        item = _item(row, reader.line_num, shown, complaints)
        if item.code in found:
            complaints.add(shown, reader.line_num, "code", item.code, "stands on the list twice", "keep one row per item")
        found[item.code], lines[item.code] = item, reader.line_num
    for code, item in found.items():
        for key, others in (("part_of", item.part_of), ("needs", item.needs)):
            for other in others:
                if other not in found or other == code:
                    complaints.add(shown, lines[code], key, other, "is not another item of the list", "name the code of an item, several separated by |")
    return found


def _item(row: Mapping[str, str | None], line: int, shown: str, complaints: Complaints) -> ChargeItem:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for key, allowed in WORDS.items():
        if given[key] not in allowed:
            complaints.add(shown, line, key, given[key], "is not one of " + ", ".join(word or "blank" for word in allowed), "choose one of them")
    number: dict[str, float | None] = {}
    for key in (*POSITIVE, "lowest_age", "highest_age"):
        number[key] = _number(given[key])
        is_wrong = given[key] and (number[key] is None or (number[key] or 0) < 0 or (key in POSITIVE and number[key] == 0))
        if is_wrong or (key == "price_cny" and not given[key]):
            complaints.add(shown, line, key, given[key], "is not a number above nought", "write the number, or nothing where there is none (but for the price)")
    if given["antibiotic_class"] and not given["ddds"]:
        complaints.add(shown, line, "ddds", "", "an antibiotic needs its defined daily doses in one unit", "write the amount in one unit over the DDD")
    days, low, high = (None if number[key] is None else int(number[key] or 0) for key in ("validity_days", "lowest_age", "highest_age"))
    return ChargeItem(
        given["code"], given["kind"], number["price_cny"] or 0.0, number["most_per_day"], days, given["recognised"] == "true", _codes(given["part_of"]),
        given["sex"], low, high, given["antibiotic_class"], number["ddds"], given["high_value"] == "true", _codes(given["needs"]), given["role"],
    )


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in text.split("|") if code.strip())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def shipped_charge_items() -> dict[str, ChargeItem]:
    """The items of the shipped list, without a catalogue around them; raises ValueError where it is not sound."""
    from quanmin.catalog.reading import Definition

    complaints, codes = Complaints(), CodeLists()
    card = Path(__file__).parent / "codes" / f"{LIST}.toml"
    codes.add(Definition(card, f"catalog/codes/{card.name}", complaints))
    found = read_charge_items(codes, complaints)
    if complaints.problems:
        raise ValueError(complaints.problems[0].sentence())
    return found
