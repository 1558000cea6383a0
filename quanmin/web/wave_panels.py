"""What a wave takes week by week: tests against laboratories, and every item of supply, as charts with their sheets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from quanmin.services.preparedness.surge_answer import SurgeAnswer
from quanmin.services.preparedness.wave_supplies import SupplyNeed
from quanmin.web.preparedness_sheets import panel_of, text
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import word

FOR_WHOM = ("diagnosis", "release", "moderate", "mild", "suspected", "contacts", "staff")
DRAWN = ("swab", "respirator", "reservoir_mask", "endotracheal_tube", "sodium_chloride_0_9_500_ml")  # one of each group whose use follows the wave
SLACK = 1e-9
FAR = 4  # times the most that is wanted: a line so far above would press the rest flat
About = Mapping[str, Any]
Tile = tuple[str, str, str]


def _week(number: int, on: str) -> str:
    return on or word("prep_week_number", week=number)


def tests_chart(found: SurgeAnswer) -> dict[str, Any] | None:
    """Tests that are wanted by week and for whom, with the line of what laboratories can do."""
    if not found.tests:
        return None
    lines = [{"name": word(f"prep_f_tests_{name}"), "data": [round(getattr(row, name)) for row in found.tests]} for name in FOR_WHOM]
    limit = found.tests[0].capacity
    shown = {"kind": "prep_cases", "x": [_week(row.week, row.on) for row in found.tests], "lines": [line for line in lines if any(line["data"])],
             "distinct": True, "words": {"y": word("prep_f_wanted")}}
    if limit is None or limit > FAR * max(row.wanted for row in found.tests):
        return shown
    return shown | {"limit": {"at": limit, "name": word("prep_lab_line", tests=text(limit))}}


def supplies_chart(found: SurgeAnswer) -> dict[str, Any] | None:
    """Use of one item of every group by week, in percent of its busiest week."""
    by_item = {row.item: row for row in found.supplies}
    rows = [by_item[item] for item in DRAWN if item in by_item]
    if not rows:
        return None
    lines = [{"name": row.name, "data": [round(100 * value / row.peak_amount, 1) for value in row.by_week],
              "told": [word("prep_told_use", item=row.name, amount=text(math.ceil(value - SLACK)), unit=row.unit) for value in row.by_week]} for row in rows]
    return {"kind": "prep_need", "x": [_week(row.week, row.on) for row in found.tests], "lines": lines,
            "words": {"line": word("prep_busiest_week"), "y": word("prep_y_busiest")}}


def _whole(value: float) -> Shown:
    return Shown(text(math.ceil(value - SLACK)), value)


def _supplies_sheet(found: SurgeAnswer, about: About) -> Sheet:
    columns = [Column(name, word(f"prep_f_{name}"), name in ("total", "peak_amount"))
               for name in ("group", "item_name", "unit", "total", "peak_on", "peak_amount")]
    columns += [Column(f"week_{row.week}", _week(row.week, row.on), True) for row in found.tests]

    def row_of(one: SupplyNeed) -> list[Any]:
        return [Shown(word(f"prep_group_{one.group}"), one.group), one.name, one.unit, _whole(one.total), _week(one.peak_week, one.peak_on),
                _whole(one.peak_amount), *map(_whole, one.by_week)]

    return Sheet(columns, [row_of(one) for one in found.supplies], dict(about))


def wave_panels(found: SurgeAnswer, about: About) -> list[Panel]:
    """The panels of tests and supplies; none where they were not worked out."""
    if not found.tests:
        return []
    rows = [vars(row) | {f"tests_{name}": getattr(row, name) for name in FOR_WHOM} | {"done_share": None if row.share is None else 100 * row.share}
            for row in found.tests]
    tests = panel_of("tests", rows, "week:0 on cases:0 " + " ".join(f"tests_{name}:0" for name in FOR_WHOM) + " wanted:0 capacity:0 done:0 done_share:1", about,
                     tests_chart(found))
    return [tests, Panel("supplies", word("prep_panel_supplies"), _supplies_sheet(found, about), supplies_chart(found), word("prep_panel_supplies_note"))]


def wave_tiles(found: SurgeAnswer) -> list[Tile]:
    """From when laboratories cannot keep up with the tests, and how many of all tests they can do."""
    if not found.tests:
        return []
    if found.tests[0].capacity is None:
        return [(word("prep_tests_above"), word("prep_no_capacity"), "")]
    short = next((row for row in found.tests if row.capacity is not None and row.wanted > row.capacity), None)
    wanted, done = sum(row.wanted for row in found.tests), sum(row.done or 0.0 for row in found.tests)
    first = (word("prep_tests_above"), _week(short.week, short.on), "bad") if short else (word("prep_tests_above"), word("prep_tests_never"), "good")
    return [first, (word("prep_tests_done"), f"{100 * done / wanted:.1f} %" if wanted else word("prep_tests_never"), "")]
