"""The dimension and the group behind a change."""

from __future__ import annotations

import numpy as np
import pytest

from quanmin.model import Cell
from quanmin.services.change import Cells, aligned, explain

DEPARTMENTS, SEXES = [f"d{i}" for i in range(8)], ["f", "m"]


def world(seed: int = 1) -> dict[str, Cells]:
    """Stays by department and sex; department d3 falls from 80 % to 40 %, and sender late did not send the period after."""
    rng = np.random.default_rng(seed)
    rows = []
    for department in DEPARTMENTS:
        for sex in SEXES:
            for sender in ("in time", "late"):
                size = rng.integers(80, 120, 2)
                now = 0.4 if department == "d3" else 0.8
                after = (0, 0) if sender == "late" else (rng.binomial(size[1], now), size[1])
                rows.append((department, sex, sender, rng.binomial(size[0], 0.8 if sender == "in time" else 0.85), size[0], *after))
    columns = np.array([row[3:] for row in rows], dtype=float).T
    return {name: Cells([row[i] for row in rows], [row[2] for row in rows], *columns) for i, name in enumerate(("department", "sex"))}


def test_the_planted_group_and_dimension_come_first() -> None:
    found = explain(world(), scale=100.0)
    assert found.dimensions[0].name == "department" and found.dimensions[0].explained > 2 * found.dimensions[1].explained
    first = found.causes[0]
    assert (first.dimension, first.group, first.part, first.is_clear) == ("department", "d3", "rate", True)
    assert first.points == pytest.approx(-40 / 8, abs=1.2)
    late = next(cause for cause in found.causes if cause.part == "data")
    assert (late.dimension, late.group) == ("sender", "late") and late.points == pytest.approx(found.data) and late.points < -1
    assert sum(d.split.mix + d.split.rate for d in found.dimensions) == pytest.approx(2 * (found.change - found.data))


def test_an_even_fall_has_no_single_cause() -> None:
    rows = Cells(DEPARTMENTS, ["x"] * 8, [80] * 8, [100] * 8, [60] * 8, [100] * 8)
    found = explain({"department": rows}, scale=100.0)
    assert found.change == pytest.approx(-20.0) and found.dimensions[0].explained == pytest.approx(0.0)
    assert not any(cause.is_clear for cause in found.causes)


def test_dimensions_of_different_rows_are_refused() -> None:
    other = Cells("a", "x", [1.0], [2.0], [1.0], [3.0])
    with pytest.raises(ValueError, match="same rows"):
        explain({**world(), "other": other})
    with pytest.raises(ValueError, match="at least one"):
        explain({})


def test_cells_of_two_periods_side_by_side() -> None:
    def cell(month: str, group: str, numerator: float, denominator: float) -> Cell:
        return Cell({"month": month, "group": group, "sender": "H"}, numerator, denominator, 0, None)

    found = aligned([cell("2025-03", "a", 1, 2), cell("2025-03", "a", 1, 3)], [cell("2026-03", "b", 4, 5)], ["group"], ["sender", "month"],
                    {"2025-03": 1, "2026-03": 1})
    assert list(found.groups) == ["a", "b"] and list(found.submissions) == [("H", 1), ("H", 1)]
    assert np.asarray(found.numerator_before).tolist() == [2, 0] and np.asarray(found.denominator_after).tolist() == [0, 5]
