"""Points and grades: what a value earns, and what is left open by what is not known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quanmin.model.appraisal import ScoredItem, ScoringSheet

JUDGED = {"met": 1.0, "partly": 0.5, "unmet": 0.0}


def earned(item: ScoredItem, value: float | None, judgement: str = "") -> float | None:
    """The points a value (or a judgement, for what evidence decides) earns; None where it is not known."""
    if item.is_judged:
        share = JUDGED.get(judgement)
        return None if share is None else item.points * share
    if value is None or not math.isfinite(value):
        return None
    share = 1.0
    if item.full_from is not None and value < item.full_from:
        floor = item.zero_below if item.zero_below is not None else item.full_from
        share = 0.0 if value <= floor else (value - floor) / (item.full_from - floor)
    if item.full_to is not None and value > item.full_to:
        ceiling = item.zero_above if item.zero_above is not None else item.full_to
        share = 0.0 if value >= ceiling else (ceiling - value) / (ceiling - item.full_to)
    return item.points * share


def grade(sheet: ScoringSheet, points: float) -> str:
    """The grade that points earn."""
    share = 100 * points / sheet.total
    return next((name for name, least in sheet.grades if share >= least), sheet.grades[-1][0])


def to_next(sheet: ScoringSheet, points: float) -> float:
    """The points that are missing for the next better grade, 0 in the best."""
    share = 100 * points / sheet.total
    better = [least for _, least in sheet.grades if least > share]
    return (min(better) - share) / 100 * sheet.total if better else 0.0


@dataclass(frozen=True)
class Score:
    """Points earned, and `open_points` of items that are not known: the score lies between `points` and their sum; grades at either end."""

    points: float
    open_points: float
    total: float
    grade_low: str
    grade_high: str
    to_next: float


def score(sheet: ScoringSheet, points: dict[str, float | None]) -> Score:
    """The score of a hospital from the points of each indicator (None = not known)."""
    known = sum(value for value in points.values() if value is not None)
    opened = sum(one.points for one in sheet.items if points.get(one.indicator) is None)
    return Score(known, opened, sheet.total, grade(sheet, known), grade(sheet, known + opened), to_next(sheet, known))
