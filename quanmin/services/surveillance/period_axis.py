"""The periods of a file of counts: days, ISO weeks, months or plain numbers, put on one axis without gaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors.signals import Timeline

Form = Literal["day", "week", "month", "number"]
DAY = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?$")
COMPACT = re.compile(r"^((?:19|20)\d{2})(\d{2})(\d{2})$")
WEEK = re.compile(r"^(\d{4})-?W(\d{1,2})$", re.IGNORECASE)
MONTH = re.compile(r"^(\d{4})[-/.](\d{1,2})$")
NUMBER = re.compile(r"^\d{1,6}$")
DAYS_A_WEEK, WEEKS, MONTHS, DAYS = 7, 52, 12, 365
MONTH_LENGTHS = range(28, 32)  # days


@dataclass(frozen=True)
class Axis:
    """All periods from the first to the last, as they are written, and where they lie in time."""

    labels: tuple[str, ...]
    timeline: Timeline
    form: Form

    def place(self, text: str) -> int | None:
        """The place of a period (from 0) by how it is written; None where it is not on the axis."""
        found = parsed(text)
        if found is None or (found[0] != self.form and "day" not in (found[0], self.form)):
            return None
        if self.timeline.dates is None:
            at = found[1] - int(self.labels[0])
            return at if found[0] == "number" and 0 <= at < len(self.labels) else None
        days = self.timeline.days
        at = int(np.searchsorted(days, found[1] - date(1970, 1, 1).toordinal(), side="right")) - 1
        return at if at >= 0 else None


def parsed(text: str) -> tuple[Form, int] | None:
    """The form and number of a period: its first day as ordinal, or the number itself; None for what is no period."""
    try:
        if found := DAY.match(text) or COMPACT.match(text):
            return "day", date(int(found[1]), int(found[2]), int(found[3])).toordinal()
        if found := WEEK.match(text):
            return "week", date.fromisocalendar(int(found[1]), int(found[2]), 1).toordinal()
        if found := MONTH.match(text):
            return "month", date(int(found[1]), int(found[2]), 1).toordinal()
    except ValueError:
        return None
    return ("number", int(text)) if NUMBER.match(text) else None


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * MONTHS + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + i) // MONTHS, (first.month - 1 + i) % MONTHS + 1, first.day) for i in range(count)]


def _written(day: date, form: Form) -> str:
    if form == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day:%Y-%m}" if form == "month" else day.isoformat()


def _spacing(days: Sequence[int], freq: int | None) -> Literal["day", "week", "month"]:
    """What dates are apart: asked for, or days, weeks (all on one weekday) or months (all on one day of the month)."""
    if freq in (WEEKS, MONTHS):
        return "week" if freq == WEEKS else "month"
    if freq is not None and freq > 300:
        return "day"
    steps = np.diff(days)
    if len(steps) and (steps % DAYS_A_WEEK == 0).all():
        return "week"
    one_day = len({date.fromordinal(day).day for day in days}) == 1
    return "month" if one_day and len(steps) and steps.min() >= MONTH_LENGTHS[0] else "day"


def axis_of(forms: set[Form], numbers: NDArray[np.int64], freq: int | None, start: tuple[int, int] | None) -> tuple[Axis, NDArray[np.int64]] | Form:
    """The axis of the distinct periods `numbers` (ascending) and the place of each on it; the form whose rule a period breaks where there is none."""
    form: Form = next(iter(forms))
    if form == "number":
        labels = tuple(str(one) for one in range(int(numbers[0]), int(numbers[-1]) + 1))
        return Axis(labels, Timeline(freq or WEEKS, start or (1, 1)), form), numbers - numbers[0]
    spacing = form if form != "day" else _spacing(numbers.tolist(), freq)
    first, last = date.fromordinal(int(numbers[0])), date.fromordinal(int(numbers[-1]))
    if spacing == "month":
        if len({date.fromordinal(one).day for one in numbers.tolist()}) > 1 or first.day > MONTH_LENGTHS[0]:
            return "month"
        days, natural = _months(first, last), (first.year, first.month)
    else:
        step = DAYS_A_WEEK if spacing == "week" else 1
        if ((numbers - numbers[0]) % step).any():
            return "week"
        days = [first + timedelta(days=step * i) for i in range((int(numbers[-1]) - int(numbers[0])) // step + 1)]
        natural = first.isocalendar()[:2] if spacing == "week" else (first.year, first.timetuple().tm_yday)
    usual = {"day": DAYS, "week": WEEKS, "month": MONTHS}[spacing]
    ordinals = np.array([day.toordinal() for day in days])
    line = Timeline(freq or usual, start or natural, tuple(days))
    return Axis(tuple(_written(day, form) for day in days), line, form), np.searchsorted(ordinals, numbers)
