"""What a page shows of an answer: figures with their words, targets and marks."""

from __future__ import annotations

from dataclasses import dataclass

from quanmin.model import Cell, Indicator
from quanmin.model.answer import verdict_of
from quanmin.reports.wording import NOTHING, number, unit, value_text
from quanmin.web.words import word

MOST_NAMED = 8
__all__ = ["NOTHING", "Figure", "Row", "figure", "half_words", "number", "unit", "value_text"]


@dataclass(frozen=True)
class Figure:
    """One number on a page: its text, what it was counted from, whether its target is met, and where it stands."""

    text: str
    counts: str = ""
    interval: str = ""
    verdict: str = ""
    target: float | None = None
    cell: Cell | None = None

    @property
    def detail(self) -> str:
        """Everything about the number on one line."""
        return " · ".join(part for part in (self.counts, self.interval) if part)


@dataclass(frozen=True)
class Row:
    """One indicator in the list: its figure for the region, its target, and its figures by county."""

    indicator: Indicator
    period: str
    total: Figure
    target: Figure
    counties: tuple[Figure, ...]


def half_words(indicator: Indicator) -> tuple[str, str]:
    """What the two counts of a figure are called."""
    names = {"growth": ("now", "before"), "mean": ("sum", "count"), "total": ("count", "")}
    upper, lower = names.get(indicator.kind, ("numerator", "denominator"))
    return word(upper), word(lower) if lower else ""


def _counts(indicator: Indicator, cell: Cell) -> str:
    upper, lower = half_words(indicator)
    parts = [f"{upper} {number(cell.numerator)}"] if cell.numerator is not None else []
    if lower and cell.denominator is not None:
        parts.append(f"{lower} {number(cell.denominator)}")
    return " / ".join(parts) + (" · " if parts else "") + f"{word('unknown')} {number(cell.unknown)}"


def figure(indicator: Indicator, cell: Cell | None, target: float | None, below: int) -> Figure:
    """How a cell is shown: its value, or its bounds, or why there is none."""
    if cell is None:
        return Figure(NOTHING, word("no_data"), target=target)
    if cell.suppressed:
        return Figure("*", word("suppressed", below=below), target=target, cell=cell)
    counts = _counts(indicator, cell)
    if cell.missing:
        shown = NOTHING if cell.low is None else f"{value_text(indicator, cell.low)}–{value_text(indicator, cell.high)}"
        missing = word("missing_senders") + " " + ", ".join(cell.missing[:MOST_NAMED]) + (" …" if len(cell.missing) > MOST_NAMED else "")
        return Figure(shown, counts, f"{word('bounds')} · {missing}", "bounds", target, cell)
    if cell.value is None:
        return Figure(NOTHING, word("no_data") if not cell.denominator and not cell.unknown else counts, target=target, cell=cell)
    interval = "" if cell.low is None else f"{word('interval')} {value_text(indicator, cell.low)}–{value_text(indicator, cell.high)}"
    return Figure(value_text(indicator, cell.value), counts, interval, verdict_of(indicator.better, cell.value, target), target, cell)
