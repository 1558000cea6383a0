"""The board of the ten national quality goals says what the engine says, and names institutions only where their counts may be seen."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from quanmin.reports.quality_goals import quality_goals
from tests.journeys.conftest import Region
from tests.journeys.people import exported, somebody

YEAR, FEWEST = "2025", 30


def test_every_goal_has_its_indicators_and_none_is_forgotten(region: Region) -> None:
    listed, indicators = quality_goals(), region.site.catalog.indicators
    assert [goal.code for goal in listed.goals] == [f"NIT-{roman}" for roman in ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")]
    for goal in listed.goals:
        held = {one.id for one in indicators.values() if one.code.split(".")[0] == goal.code}
        assert held == set(goal.indicators), goal.code
        assert goal.label.zh and goal.label.en
        assert {indicators[name].source.document for name in goal.indicators} == {listed.document}
    assert listed.status != "verified"


@pytest.mark.parametrize("role", ["section", "viewer"])
def test_the_board_is_that_of_the_engine(region: Region, app: FastAPI, role: str) -> None:
    rows = {row["indicator"]: row for row in exported(somebody(app, role), "/quality-goals", "goals", period=YEAR, lang="en")}
    answers = region.site.indicators()
    assert len(rows) > 10
    for goal in quality_goals().goals:
        for name in goal.indicators:
            if name not in rows:
                continue
            whole = answers.ask(name, [], [f"year = {YEAR}"], suppress_below=0 if role == "section" else None).cells[0]
            assert (float(rows[name]["value"]) if rows[name]["value"] else None) == pytest.approx(whole.value), name
        better = region.site.catalog.indicators[goal.indicators[0]].better
        cells = [cell for cell in answers.ask(goal.indicators[0], ["facility_code"], [f"year = {YEAR}"],
                                              suppress_below=0 if role == "section" else None).cells
                 if not cell.suppressed and cell.value is not None and (cell.denominator or 0) >= FEWEST]
        row = rows.get(goal.indicators[0])
        if row is None or not row["best"]:
            continue
        first, last = (float(row[side].split("; ")[0].rsplit(" ", 1)[1]) for side in ("best", "worst"))
        ends = (max, min) if better == "higher" else (min, max)
        assert (first, last) == pytest.approx(tuple(end(float(cell.value) for cell in cells) for end in ends), abs=0.006), goal.code
