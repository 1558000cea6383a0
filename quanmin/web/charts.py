"""What the charts of an indicator's page are drawn from: plain values, drawn by static/app.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quanmin.catalog.messages import language
from quanmin.gate.inquiry import has_time
from quanmin.model import Cell, Indicator
from quanmin.web.figures import Figure, unit
from quanmin.web.view import View
from quanmin.web.words import word


def _words(one: Indicator) -> dict[str, str]:
    names = {name: word(name) for name in ("value", "target", "interval", "bounds", "no_data", "met", "missed")}
    return names | {"unit": unit(one), "name": one.label.in_language(language())}


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def trend_of(view: View, one: Indicator, aim: float | None) -> dict[str, Any] | None:
    """An indicator's values over all months (or years, where it is counted by years); None where it has no time."""
    if not has_time(one, view.catalog.indicators):
        return None
    grain = "year" if view.inquiry.is_yearly(one.id) else "month"
    points = [c for c in view.cells(one, [grain]) if c.key[grain] is not None]
    if not points:
        return None
    return {
        "kind": "trend", "title": word("trend" if grain == "month" else "trend_year"), "target": aim, "words": _words(one),
        "x": [str(c.key[grain]) for c in points], "y": [_plain(c.value) for c in points], "low": [_plain(c.low) for c in points],
        "high": [_plain(c.high) for c in points], "bounds": [bool(c.missing) for c in points], "cells": points,
    }


def bars_of(one: Indicator, groups: Sequence[tuple[str, str, Figure]], aim: float | None, title: str, is_ranked: bool = True) -> dict[str, Any] | None:
    """Each county's (or other group's) value with its interval and target, the largest first unless they have an order; None of fewer than two."""
    shown = [(name, f) for _, name, f in groups if f.cell and (f.cell.value is not None or f.cell.low is not None)]
    if len(shown) < 2:
        return None
    if is_ranked:
        shown.sort(key=lambda pair: _size(pair[1].cell), reverse=True)
    cells = [f.cell for _, f in shown if f.cell]
    return {
        "kind": "bars", "title": title, "target": aim, "words": _words(one), "x": [name for name, _ in shown],
        "y": [_plain(c.value) for c in cells], "low": [_plain(c.low) for c in cells], "high": [_plain(c.high) for c in cells],
        "bounds": [bool(c.missing) for c in cells], "verdict": [f.verdict for _, f in shown], "targets": [_plain(f.target) for _, f in shown],
        "text": [f.text for _, f in shown],
    }


def _size(cell: Cell | None) -> float:
    return 0.0 if cell is None else float(cell.value if cell.value is not None else cell.low or 0)


def drawn(chart: dict[str, Any] | None) -> dict[str, Any] | None:
    """The part of a chart that goes into the page."""
    return None if chart is None else {name: value for name, value in chart.items() if name != "cells"}
