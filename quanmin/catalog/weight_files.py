"""definitions/weights: one card (TOML) and one list (CSV: drg, weight, mean_charge_cny, mean_days, risk_level) per set of relative weights."""

from __future__ import annotations

import csv
import math
from collections.abc import Container
from datetime import date
from pathlib import Path

from quanmin.catalog.reading import Definition, list_text
from quanmin.model import Label
from quanmin.model.weights import GroupNorm, Weights
from quanmin.model.words import STATUSES

CARD_FIELDS = ("name", "scheme", "valid_from", "method", "source", "status", "note")
RISK_LEVELS = range(5)


def read_weights(definition: Definition, schemes: Container[str]) -> Weights:
    """The set of one card and the list beside it."""
    definition.known_keys(CARD_FIELDS)
    data, rows = definition.data, definition.path.with_suffix(".csv")
    definition.word("status", STATUSES)
    if data.get("scheme") not in schemes:
        definition.complain("scheme", data.get("scheme"), "is not a grouping scheme", "name one that is loaded")
    valid_from = data.get("valid_from")
    if not isinstance(valid_from, date):
        definition.complain("valid_from", valid_from, "is not a day", "write valid_from = 2026-01-01")
    groups = _norms(definition, rows) if rows.exists() else {}
    if not groups:
        definition.complain("name", rows.name, "list file does not exist or is empty", "put the weights beside their card")
    return Weights(definition.id, definition.label("name") or Label("", ""), str(data.get("scheme", "")), str(valid_from), str(data.get("status", "")), groups)


def _norms(definition: Definition, path: Path) -> dict[str, GroupNorm]:
    shown, found = str(Path(definition.shown).with_suffix(".csv")), {}
    reader = csv.DictReader(list_text(path, shown, definition.complaints))
    for row in reader:
        drg, norm = row.get("drg") or "", _norm(row)
        if not drg or drg in found or norm is None:
            definition.complaints.add(shown, reader.line_num, "weight", f"{drg} {row.get('weight')}", "is not a group, told once, with a positive weight",
                                      "columns: drg, weight, mean_charge_cny, mean_days, risk_level (0 to 4)")
        else:
            found[drg] = norm
    return found


def _norm(row: dict[str, str]) -> GroupNorm | None:
    """What a line says of a group; None where it says no positive numbers or no level there is."""
    try:
        weight = float(row["weight"])
        charge, days = (float(row[name]) if row.get(name) else None for name in ("mean_charge_cny", "mean_days"))
        risk = int(row["risk_level"]) if row.get("risk_level") else None
    except (KeyError, TypeError, ValueError):
        return None
    is_sound = all(math.isfinite(number) and number > 0 for number in (weight, charge, days) if number is not None)
    return GroupNorm(weight, charge, days, risk) if is_sound and (risk is None or risk in RISK_LEVELS) else None
