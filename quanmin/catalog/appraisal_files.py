"""catalog/handbooks and catalog/appraisal: a card (TOML) and a list (CSV) per handbook, and per scoring sheet; national quantiles beside a sheet if given."""

from __future__ import annotations

import csv
import math
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from quanmin.catalog.question_files import read_provenance
from quanmin.catalog.reading import Definition, list_text
from quanmin.model import Indicator, Label
from quanmin.model.appraisal import Handbook, HandbookItem, ScoredItem, ScoringSheet

LEVELS = ("tertiary", "secondary", "primary")
HANDBOOK_FIELDS = ("name", "level", "year", "source")
SHEET_FIELDS = ("name", "level", "year", "source", "note", "groups", "grades")
BOUNDS = ("zero_below", "full_from", "full_to", "zero_above")
COLUMNS = "item, indicator, group, points, zero_below, full_from, full_to, zero_above"


def _rows(definition: Definition, suffix: str = ".csv", is_needed: bool = True) -> Iterator[tuple[str, int, dict[str, str]]]:
    """(file as shown, line, row) of the list beside a card."""
    path = definition.path.with_suffix(suffix)
    shown = str(Path(definition.shown).with_suffix(suffix))
    if not path.exists():
        if is_needed:
            definition.complain("name", path.name, "list file does not exist", "put the list beside its card")
        return
    reader = csv.DictReader(list_text(path, shown, definition.complaints))
    for row in reader:
        yield shown, reader.line_num, {key: (value or "").strip() for key, value in row.items() if key}


def _year(definition: Definition) -> int:
    year = definition.data.get("year")
    if not isinstance(year, int):
        definition.complain("year", year, "is not a year", "write year = 2025")
        return 0
    return year


def read_handbook(definition: Definition, indicators: Container[str]) -> Handbook:
    """The handbook of one card and the list beside it (item, part, indicator)."""
    definition.known_keys(HANDBOOK_FIELDS)
    items, seen = [], set[tuple[str, str]]()
    for shown, line, row in _rows(definition):
        one = HandbookItem(row.get("item", ""), row.get("part", ""), row.get("indicator", ""))
        if not one.item or one.indicator not in indicators or (one.item, one.part) in seen:
            definition.complaints.add(shown, line, "indicator", one.indicator, "is not an indicator, or its item and part stand twice",
                                      "columns: item, part, indicator")
            continue
        seen.add((one.item, one.part))
        items.append(one)
    return Handbook(definition.id, definition.label("name") or Label("", ""), definition.word("level", LEVELS), _year(definition), read_provenance(definition),
                    tuple(items))


def read_sheet(definition: Definition, indicators: Mapping[str, Indicator]) -> ScoringSheet:
    """The scoring sheet of one card and the list beside it, with the national quantiles of `<id>.quantiles.csv` if there are any."""
    definition.known_keys(SHEET_FIELDS)
    groups = {name: definition.label(name, definition.data.get("groups", {})) or Label("", "") for name in definition.data.get("groups", {})}
    grades = tuple((str(name), float(least)) for name, least in definition.data.get("grades", {}).items() if isinstance(least, int | float))
    if not grades or list(grades) != sorted(grades, key=lambda grade: -grade[1]) or grades[-1][1] > 0:
        definition.complain("grades", len(grades), "are not least shares from the best grade down to 0", 'write [grades] "A" = 80 … "D" = 0')
    items = [item for item in (_item(definition, row, groups, indicators) for row in _rows(definition)) if item is not None]
    name, note = (definition.label(key) or Label("", "") for key in ("name", "note"))
    return ScoringSheet(definition.id, name, definition.word("level", LEVELS), _year(definition), read_provenance(definition), note, groups, grades,
                        tuple(items), _quantiles(definition, indicators))


def _item(definition: Definition, told: tuple[str, int, dict[str, str]], groups: Container[str], indicators: Mapping[str, Indicator]) -> ScoredItem | None:
    shown, line, row = told
    try:
        points = float(row.get("points", ""))
        bounds = [float(row[name]) if row.get(name) else None for name in BOUNDS]
    except ValueError:
        points, bounds = math.nan, []
    known = [bound for bound in bounds if bound is not None]
    is_sound = points > 0 and bounds and known == sorted(known) and (bounds[0] is None) == (bounds[1] is None) and (bounds[2] is None) == (bounds[3] is None)
    if not is_sound or row.get("indicator") not in indicators or row.get("group") not in groups:
        definition.complaints.add(shown, line, "points", f"{row.get('indicator')} {row.get('group')} {row.get('points')}",
                                  "is not an indicator of a group with points and rising bounds", f"columns: {COLUMNS}")
        return None
    return ScoredItem(row.get("item", ""), row["indicator"], row["group"], points, *bounds)


def _quantiles(definition: Definition, indicators: Container[str]) -> dict[str, tuple[tuple[float, float], ...]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for shown, line, row in _rows(definition, ".quantiles.csv", is_needed=False):
        try:
            below, value = float(row["below"]), float(row["value"])
        except (KeyError, ValueError):
            below, value = math.nan, math.nan
        if not 0 <= below <= 100 or not math.isfinite(value) or row.get("indicator") not in indicators:
            definition.complaints.add(shown, line, "value", f"{row.get('indicator')} {row.get('below')} {row.get('value')}",
                                      "is not a quantile of an indicator", "columns: indicator, below (share of hospitals below, %), value")
            continue
        found.setdefault(row["indicator"], []).append((below, value))
    return {name: tuple(sorted(pairs)) for name, pairs in found.items()}
