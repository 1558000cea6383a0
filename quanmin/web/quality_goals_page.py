"""The ten national quality goals as a board: value, target, trend and rank of each, and which institutions are best and worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.catalog.messages import language
from quanmin.model import Cell, Indicator, Refusal
from quanmin.reports.quality_goals import Goal, quality_goals
from quanmin.reports.standing import standing
from quanmin.web.figures import value_text
from quanmin.web.overview_page import about
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.standings import Card, card
from quanmin.web.view import View
from quanmin.web.words import word

router = APIRouter()
NAMED = 3  # institutions at either end
FEWEST = 30.0  # cases of an institution that may be called best or worst


@dataclass(frozen=True)
class Placed:
    """A goal with the cards of its indicators, and the institutions at either end of the first."""

    goal: Goal
    cards: tuple[Card, ...]
    best: tuple[Shown, ...]
    worst: tuple[Shown, ...]


def _ends(view: View, one: Indicator, period: str) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
    """The best and the worst institutions with enough cases, of those whose figures may be seen."""
    try:
        cells = view.inquiry.by_unit(one.id, view.inquiry.shown_period(one.id, period), "facility")
    except Refusal:
        return (), ()
    known = [(code, cell) for code, cell in cells.items() if _counts(cell)]
    if one.better not in ("higher", "lower") or len(known) < 2:
        return (), ()
    sign = -1 if one.better == "higher" else 1
    known.sort(key=lambda pair: (sign * float(pair[1].value or 0), pair[0]))
    count, names = min(NAMED, len(known) // 2), view.facility_names()
    shown = [Shown(f"{names[code]} {value_text(one, cell.value)}", float(cell.value or 0), f"/facility/{code}?period={period}") for code, cell in known]
    return tuple(shown[:count]), tuple(reversed(shown[-count:]))


def _counts(cell: Cell) -> bool:
    return cell.value is not None and not cell.suppressed and not cell.missing and float(cell.denominator or 0) >= FEWEST


def _cards(view: View, names: Sequence[str], period: str) -> tuple[Card, ...]:
    found = []
    for name in names:
        try:
            found.append(card(standing(view.inquiry, name, period, "", ""), view.indicators.suppress_below, False))
        except Refusal:
            continue
    return tuple(found)


def _placed(view: View, period: str) -> list[Placed]:
    return [Placed(goal, _cards(view, goal.indicators, period), *_ends(view, view.catalog.indicators[goal.indicators[0]], period))
            for goal in quality_goals().goals]


def goals_panel(view: View, placed: Sequence[Placed], period: str) -> Panel:
    """The goals as a sheet: a row per indicator."""
    columns = [Column("goal", word("goals_goal")), Column("indicator", word("indicator")), Column("value", word("value"), True),
               Column("target", word("target"), True), *(Column(name, word(f"goals_{name}")) for name in ("rank", "best", "worst"))]
    rows: list[list[Any]] = []
    for one in placed:
        for at, shown in enumerate(one.cards):
            cell = shown.figure.cell
            value = None if cell is None or cell.suppressed or cell.missing or cell.value is None else float(cell.value)
            ends = ["; ".join(end.text for end in side) if at == 0 else "" for side in (one.best, one.worst)]
            rows.append([Shown(one.goal.label.in_language(language()), one.goal.code), Shown(shown.name, shown.standing.indicator.id, shown.href),
                         Shown(f"{shown.figure.text}{shown.unit}", value, "", shown.figure.verdict), Shown(shown.target, shown.figure.target), shown.rank,
                         *ends])
    return Panel("goals", quality_goals().label.in_language(language()), Sheet(columns, rows, about(view, period)))


@router.get("/quality-goals")
def quality_goals_page(request: Request, period: str = "") -> Response:
    """The board of the ten goals in a period."""
    view = View.of(request)
    view.actor.require("figures", "figures", "quality-goals")
    chosen = view.period(period)
    key = ("quality goals", chosen, view.inquiry.set_targets.version, view.actor.may("targets"))
    placed = view.remembered(key, lambda: _placed(view, chosen))
    return answer(request, "quality_goals.html", [goals_panel(view, placed, chosen)], placed=placed, listed=quality_goals(), period=chosen,
                  periods=view.periods(), snapshot=view.snapshot, fewest=int(FEWEST))
