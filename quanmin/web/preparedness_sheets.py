"""Rows of the answers of preparedness as sheets: one way to name, write and translate every field, for pages, files and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quanmin.reports.words import told
from quanmin.services.preparedness.testing_answer import Assumption
from quanmin.web.figures import NOTHING
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import is_word, word

WORDED = {"stage": "prep_stage_", "resource": "prep_resource_", "of": "prep_f_", "state": "prep_state_", "step": "prep_step_",
          "basis": "prep_basis_", "reporting": "prep_reporting_"}
Row = Mapping[str, Any]


def text(value: float | None, digits: int = 0) -> str:
    """A number as the pages write it."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def parameter_name(name: str) -> str:
    """What a parameter of a sensitivity is called: `rate`, `share:icu`, …"""
    kind, _, which = name.partition(":")
    said = word(f"prep_parameter_{kind}")
    return f"{said} · {word(f'prep_f_{which}')}" if which else said


def _shown(name: str, value: Any, digits: int | None) -> Any:
    if name == "parameter":
        return Shown(parameter_name(str(value)), value)
    if name in WORDED:
        return Shown(word(f"{WORDED[name]}{value}") if is_word(f"{WORDED[name]}{value}") else str(value), value)
    if name == "status":
        return Shown(told("reports", f"status_{value}") if value else NOTHING, value)
    if isinstance(value, bool):
        return Shown(word("prep_is" if value else "prep_is_not"), value)
    if digits is not None:
        return Shown(text(value, digits), value)
    return NOTHING if value is None else value


def sheet_of(rows: Sequence[Any], fields: str, about: Mapping[str, Any]) -> Sheet:
    """A sheet of records or mappings: `fields` as "name area people:0 hours:1", a number of digits where it is a number."""
    told_fields = [(name, int(digits) if digits else None) for name, _, digits in (part.partition(":") for part in fields.split())]
    columns = [Column(name, word(f"prep_f_{name}"), digits is not None) for name, digits in told_fields]
    found = [[_shown(name, row[name] if isinstance(row, Mapping) else getattr(row, name), digits) for name, digits in told_fields] for row in rows]
    return Sheet(columns, found, dict(about))


def panel_of(name: str, rows: Sequence[Any], fields: str, about: Mapping[str, Any], chart: Mapping[str, Any] | None = None, is_open: bool = False) -> Panel:
    """A panel called `prep_panel_<name>`, with its note where there is one."""
    note = word(f"prep_panel_{name}_note") if is_word(f"prep_panel_{name}_note") else ""
    return Panel(name, word(f"prep_panel_{name}"), sheet_of(rows, fields, about), chart, note, is_open=is_open)


def _formula(sum_: str) -> str:
    """A sum with its functions in the spoken language."""
    return sum_.replace("min(", f"{word('prep_least_of')}(").replace("max ", f"{word('prep_most_of')} ")


def sums_panel(sums: Sequence[Any], about: Mapping[str, Any]) -> Panel:
    """The arithmetic of an answer: numbers of every size, so each with the digits it needs."""
    columns = [Column("step", word("prep_f_step")), Column("sum", word("prep_f_sum")), Column("value", word("prep_f_value"), True),
               Column("unit", word("prep_f_unit"))]
    rows = [[_shown("step", one.step, None), _formula(one.sum),
             Shown(NOTHING if one.value is None else f"{one.value:,.4g}" if abs(one.value) < 100 else f"{one.value:,.0f}",
                   one.value), one.unit] for one in sums]
    return Panel("sums", word("prep_panel_sums"), Sheet(columns, rows, dict(about)), None, word("prep_panel_sums_note"))


def assumptions_panel(rows: Sequence[Assumption], about: Mapping[str, Any]) -> Panel:
    """The numbers an answer rests on, with where they are from."""
    shown = [[Shown(word(f"prep_p_{one.parameter.replace('.', '_')}"), one.parameter), one.value, one.source,
              _shown("status", one.status, None)] for one in rows]
    columns = [Column(name, word(f"prep_f_{name}")) for name in ("parameter", "value", "source", "status")]
    return Panel("assumptions", word("prep_panel_assumptions"), Sheet(columns, shown, dict(about)))
