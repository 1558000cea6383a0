"""What a page shows of an answer: figures with their words, targets and marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quanmin.catalog.messages import language
from quanmin.catalog.wording import unit_in
from quanmin.model import Cell, Indicator
from quanmin.web.words import word

NOTHING = "–"
MOST_NAMED = 8


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


def number(value: Any) -> str:
    """A count as people read it: thousands separated, two decimals where it has any."""
    if value is None:
        return NOTHING
    return f"{float(value):,.2f}" if float(value) % 1 else f"{int(value):,}"


def value_text(indicator: Indicator, value: float | None) -> str:
    """An indicator's value: totals like counts, everything else with two decimals."""
    if value is None:
        return NOTHING
    return number(round(float(value), 2)) if indicator.kind == "total" else f"{float(value):,.2f}"


def unit(indicator: Indicator) -> str:
    """The indicator's unit in the spoken language."""
    return unit_in(indicator.unit, language())


def verdict(indicator: Indicator, value: float | None, target: float | None) -> str:
    """met or missed against a target in the indicator's direction; "" where it has none."""
    if value is None or target is None or indicator.better not in ("higher", "lower"):
        return ""
    return "met" if (value >= target) == (indicator.better == "higher") or value == target else "missed"


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
    return Figure(value_text(indicator, cell.value), counts, interval, verdict(indicator, cell.value, target), target, cell)
