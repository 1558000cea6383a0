"""The panels of why an indicator changed: the bridge of its parts, what explains it best, and the groups of one dimension."""

from __future__ import annotations

from typing import Any

from quanmin.model import Indicator
from quanmin.reports.wording import cause_text, dimension_name, group_name, signed, value_text
from quanmin.reports.words import told
from quanmin.services.change.actions import Change
from quanmin.web.indicator_panels import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

PARTS = ("data", "mix", "rate")


def _tone(one: Indicator, value: float) -> str:
    if one.better not in ("higher", "lower") or abs(value) < 1e-12:
        return ""
    return "good" if (value > 0) == (one.better == "higher") else "bad"


def bridge_panel(view: View, one: Indicator, found: Change) -> Panel:
    """Before – data – mix – rate – after, by the dimension that explains most."""
    explanation = found.explanation
    split = explanation.dimensions[0].split
    columns = [Column("part", word("part")), Column("points", word("points"), True), Column("means", word("definition"))]
    parts = [(part, getattr(split, part)) for part in PARTS]
    rows: list[list[Any]] = [[word("before_period"), Shown(value_text(one, split.before), split.before), f"{found.before[0]} – {found.before[-1]}"]]
    rows += [[word(f"{part}_part"), Shown(signed(one, value), value), told("change", f"part_{part}")] for part, value in parts]
    rows.append([word("after_period"), Shown(value_text(one, split.after), split.after), f"{found.after[0]} – {found.after[-1]}"])
    bars, at = [_end(one, word("before_short"), split.before)], split.before
    for part, value in parts:
        bars.append({"name": word(f"{part}_part"), "from": at, "to": at + value, "text": signed(one, value), "tone": _tone(one, value),
                     "told": f"{word(f'{part}_part')} {signed(one, value)}", "is_total": False})
        at += value
    bars.append(_end(one, word("after_short"), split.after))
    note = told("change", "change_sum", before=value_text(one, split.before), after=value_text(one, split.after), change=signed(one, split.change),
                **{part: signed(one, value) for part, value in parts})
    return Panel("bridge", word("change_title"), Sheet(columns, rows, about(view, one, before="..".join(found.before[:1] + found.before[-1:]),
                                                                         after="..".join(found.after[:1] + found.after[-1:]), place=found.place)),
                 {"kind": "bridge", "bars": bars}, note, "")


def _end(one: Indicator, name: str, value: float) -> dict[str, Any]:
    return {"name": name, "from": value, "to": value, "text": value_text(one, value), "tone": "", "told": f"{name} {value_text(one, value)}", "is_total": True}


def causes_panel(view: View, one: Indicator, found: Change) -> Panel:
    """The groups that contribute most, those that push the way the figure went first."""
    causes = found.explanation.causes
    columns = [Column("dimension", word("dimension")), Column("group", word("group")), Column("part", word("part")), Column("points", word("points"), True),
               Column("share", word("share_of_change"), True), Column("is_clear", word("is_clear"))]
    rows = [[dimension_name(view.inquiry, one, c.dimension), Shown(group_name(view.inquiry, one, c.dimension, c.group), str(c.group)),
             told("change", f"short_{c.part}"), Shown(signed(one, c.points), c.points), Shown("–" if c.share is None else f"{c.share:.1%}", c.share),
             word("yes" if c.is_clear else "no")] for c in causes]
    bars = [{"name": group_name(view.inquiry, one, c.dimension, c.group), "from": 0.0, "to": c.points, "text": signed(one, c.points),
             "tone": _tone(one, c.points), "told": cause_text(view.inquiry, one, c), "is_total": False} for c in causes[:6]]
    note = "" if any(c.is_clear for c in causes) else told("change", "note_unclear")
    return Panel("causes", word("causes_title"), Sheet(columns, rows, about(view, one, place=found.place)),
                 {"kind": "bridge", "bars": bars} if bars else None, note, "")


def groups_panel(view: View, one: Indicator, found: Change) -> Panel:
    """All groups of the dimension that explains most."""
    first = found.explanation.dimensions[0]
    columns = [Column("group", dimension_name(view.inquiry, one, first.name)), Column("before", word("before_period"), True),
               Column("after", word("after_period"), True),
               *(Column(part, word(f"{part}_part"), True) for part in PARTS), Column("total", word("points"), True),
               Column("weight_before", word("weight_before"), True), Column("weight_after", word("weight_after"), True)]
    rows = [[Shown(group_name(view.inquiry, one, first.name, g.group), str(g.group)), *(Shown(value_text(one, v), v) for v in (g.before, g.after)),
             *(Shown(signed(one, getattr(g, part)), getattr(g, part)) for part in PARTS), Shown(signed(one, g.total), g.total),
             *(Shown(f"{w:.1%}", w) for w in (g.weight_before, g.weight_after))] for g in sorted(first.split.groups, key=lambda g: -abs(g.total))]
    title = word("groups_title", dimension=dimension_name(view.inquiry, one, first.name))
    return Panel("groups", title, Sheet(columns, rows, about(view, one, place=found.place)),
                 is_open=True)
