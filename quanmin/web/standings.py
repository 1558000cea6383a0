"""How a standing looks: a card with value, target, rank, trend and next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.reports.standing import Standing
from quanmin.reports.wording import change_text, rank_text, step_text
from quanmin.reports.words import told
from quanmin.services.variation.actions import Variation
from quanmin.web.figures import NOTHING, Figure, figure, unit, value_text
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import word

MONTHS_DRAWN = 24
WIDTH, HEIGHT, EDGE = 240.0, 48.0, 5.0  # of a sparkline, in its own units
LETTERS = {1: "H", -1: "L", 0: ""}


@dataclass(frozen=True)
class Dot:
    """A special point of a sparkline; `kind` as in XmR."""

    x: float
    y: float
    kind: str


@dataclass(frozen=True)
class Spark:
    """A sparkline: `lines` are the points of its unbroken parts, `target` the height of the target (None outside)."""

    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    target: float | None
    last: Dot | None
    label: str


@dataclass(frozen=True)
class Card:
    """A standing in words."""

    standing: Standing
    name: str
    unit: str
    figure: Figure
    target: str
    change: str
    rank: str
    trend: str
    trend_kind: str
    trend_letter: str
    assurance: str
    chance: str
    step: str
    step_href: str
    href: str
    spark: Spark | None


def sparkline(trend: Variation, target: float | None) -> Spark | None:
    """The newest months of a trend as a small line; None with fewer than two values."""
    points = trend.points[-MONTHS_DRAWN:]
    known = [p.value for p in points if p.value is not None]
    if len(known) < 2:
        return None
    spread = [*known, *([target] if target is not None else [])]
    low, high = min(spread), max(spread)
    step = (WIDTH - 2 * EDGE) / max(1, len(points) - 1)

    def at(value: float) -> float:
        return round(HEIGHT - EDGE - (value - low) / ((high - low) or 1) * (HEIGHT - 2 * EDGE), 1)

    lines: list[list[str]] = [[]]
    dots = []
    for i, point in enumerate(points):
        if point.value is None:
            lines.append([])
            continue
        x = round(EDGE + i * step, 1)
        lines[-1].append(f"{x},{at(point.value)}")
        dots.append(Dot(x, at(point.value), point.kind))
    label = f"{word('trend')} {points[0].month} – {points[-1].month}"
    return Spark(tuple(" ".join(line) for line in lines if line), tuple(d for d in dots if d.kind not in ("common_cause",)),
                 None if target is None else at(target), dots[-1], label)


def address(one: Standing, view: str = "", county: bool = True) -> str:
    """The page of a standing's indicator at its place."""
    told_by = {"period": one.period, "view": view} | ({"place": one.place} if county and one.rank is not None else {})
    return f"/indicator/{one.indicator.id}?{urlencode({k: v for k, v in told_by.items() if v})}"


def _step_address(one: Standing, is_county: bool) -> str:
    if one.step.view == "data":
        return "/data"
    if one.step.view == "targets":
        return f"/targets?{urlencode({'indicator': one.indicator.id})}"
    return address(one, one.step.view, is_county)


def card(one: Standing, below: int, is_county: bool = False) -> Card:
    """A standing's card; `below` as in figure."""
    found, trend = figure(one.indicator, one.cell, one.target, below), one.trend
    letter = "" if trend is None else LETTERS[trend.variation_side]
    return Card(
        one, one.indicator.label.in_language(language()), unit(one.indicator), found,
        NOTHING if one.target is None else value_text(one.indicator, one.target), change_text(one), rank_text(one),
        "" if trend is None else told("variation", f"variation_{trend.variation}"), "" if trend is None else trend.variation, letter,
        "" if trend is None or trend.assurance is None else told("variation", f"assurance_{trend.assurance}"),
        "" if one.progress is None else word("chance_short", chance=f"{one.progress.probability:.0%}"),
        step_text(one), _step_address(one, is_county), address(one, "", is_county),
        None if trend is None else sparkline(trend, one.target),
    )


def standings_panel(cards: Sequence[Card], title: str, about: dict[str, object]) -> Panel:
    """All cards as one sheet."""
    columns = [Column("indicator", word("indicator")), Column("unit", word("unit_of")), Column("period", word("period")),
               *(Column(name, word(name), True) for name in ("value", "numerator", "denominator", "unknown", "target")),
               Column("verdict", word("verdict")), Column("rank", word("rank")), Column("trend", word("trend_short")), Column("chance", word("chance"), True),
               Column("next_step", word("next_step")), Column("version", word("version"))]
    rows = []
    for one in cards:
        cell = one.standing.cell
        seen = cell if cell is not None and not cell.suppressed else None
        progress = one.standing.progress
        rows.append([
            Shown(one.name, one.standing.indicator.id, one.href), one.unit, one.standing.period,
            Shown(one.figure.text, None if seen is None or seen.missing else seen.value, "", one.figure.verdict, one.figure.detail),
            *(None if seen is None else getattr(seen, name) for name in ("numerator", "denominator", "unknown")),
            Shown(one.target, one.standing.target), word(one.standing.verdict) if one.standing.verdict else "", one.rank, one.trend,
            None if progress is None else round(progress.probability, 3), Shown(one.step, one.step, one.step_href), one.standing.indicator.version])
    return Panel("standings", title, Sheet(columns, rows, about))
