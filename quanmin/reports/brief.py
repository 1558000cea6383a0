"""The monthly brief of what somebody sees: the same figures as the pages, in sentences, tables, charts and a map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language, say
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Cell, Problem, Refusal
from quanmin.model.answer import verdict_of
from quanmin.reports.boards import Group
from quanmin.reports.standing import Standing, standing
from quanmin.reports.wording import NOTHING, cause_text, change_text, ends_text, signed, since_year, step_text, unit, value_text
from quanmin.reports.words import told
from quanmin.services.briefs import Bars, Brief, Footnote, KeyFigure, MapOf, Section, Trend
from quanmin.services.change.actions import Change, change
from quanmin.services.variation.actions import highlights

MONTHS_DRAWN, TRENDS, BARS, CHANGES, CAUSES, HIGHLIGHTS = 24, 3, 2, 3, 3, 3
WORTH_TELLING = 0.05  # of the change, below which a cause is not told


@dataclass(frozen=True)
class Issue:
    """Who issues a brief, on which day (ISO), and the address its links lead to."""

    issued_by: str
    issued_on: str
    address: str = ""


@dataclass
class _Draft:
    """What is being put together."""

    inquiry: Inquiry
    period: str
    issue: Issue
    standings: list[Standing]
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, indicator: str) -> int:
        """The number of an indicator's footnote."""
        return self.notes.setdefault(indicator, len(self.notes) + 1)

    def link(self, indicator: str, **more: str) -> str:
        """The page that shows an indicator for the period."""
        return f"{self.issue.address}/indicator/{indicator}?{urlencode({'period': self.period} | more)}"


def _standings(inquiry: Inquiry, boards: Sequence[Group], period: str) -> list[Standing]:
    found = []
    for name in (name for group in boards for name in group.indicators):
        try:
            found.append(standing(inquiry, name, period))
        except Refusal:
            continue
    return [one for one in found if one.cell is not None]


def shown_text(one: Standing, below: int) -> str:
    """A standing's value as the pages show it."""
    cell = one.cell
    if cell is None:
        return NOTHING
    if cell.suppressed:
        return "*"
    if cell.missing:
        return NOTHING if cell.low is None else f"{value_text(one.indicator, cell.low)}–{value_text(one.indicator, cell.high)}"
    return value_text(one.indicator, cell.value)


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def _figure(draft: _Draft, one: Standing) -> KeyFigure:
    cell = one.cell or Cell({}, None, None, 0, None)
    seen = not cell.suppressed
    return KeyFigure(
        indicator=one.indicator.id, name=one.indicator.label.in_language(language()), unit=unit(one.indicator),
        text=shown_text(one, draft.inquiry.indicators.suppress_below), value=_plain(cell.value) if seen and not cell.missing else None,
        numerator=_plain(cell.numerator) if seen else None, denominator=_plain(cell.denominator) if seen else None,
        unknown=float(cell.unknown) if seen else None, target_text=NOTHING if one.target is None else value_text(one.indicator, one.target), target=one.target,
        verdict=one.verdict, rank=ends_text(one), change=change_text(one), chance="" if one.progress is None else f"{one.progress.probability:.0%}",
        footnote=draft.note(one.indicator.id))


def _trend(draft: _Draft, one: Standing) -> Trend:
    cells = draft.inquiry.series(one.indicator.id)
    months = [month for month in sorted(cells) if month <= draft.period][-MONTHS_DRAWN:]
    shown = [None if cells[m].suppressed else cells[m] for m in months]
    return Trend(
        one.indicator.label.in_language(language()), unit(one.indicator), months, [None if c is None or c.missing else _plain(c.value) for c in shown],
        [None if c is None else _plain(c.low) for c in shown], [None if c is None else _plain(c.high) for c in shown], one.target,
        told("reports", "target_word"), draft.note(one.indicator.id))


def _bars(draft: _Draft, one: Standing) -> Bars | None:
    cells = {code: c for code, c in draft.inquiry.by_unit(one.indicator.id, one.period).items() if not c.suppressed and not c.missing and c.value is not None}
    names, targets, year = draft.inquiry.units("county"), draft.inquiry.targets(one.indicator.id), draft.period[:4]
    ordered = sorted(cells, key=lambda code: -float(cells[code].value or 0))
    if len(ordered) < 2:
        return None
    aims = [targets.get((code, year), one.target) for code in ordered]
    return Bars(
        one.indicator.label.in_language(language()), unit(one.indicator), [names[code].name for code in ordered],
        [_plain(cells[code].value) for code in ordered], [_plain(cells[code].low) for code in ordered], [_plain(cells[code].high) for code in ordered],
        [verdict_of(one.indicator.better, cells[code].value, aim) for code, aim in zip(ordered, aims, strict=True)], one.target, told("reports", "target_word"),
        draft.note(one.indicator.id))


def _map(draft: _Draft, one: Standing) -> MapOf | None:
    rows = draft.inquiry.listed("SELECT region_code AS code, boundary FROM region WHERE level = 'county' AND boundary IS NOT NULL")
    names, cells = draft.inquiry.units("county"), draft.inquiry.by_unit(one.indicator.id, one.period)
    outlines: dict[str, Mapping[str, object]] = {names[row["code"]].name: json.loads(row["boundary"]) for row in rows if row["code"] in names}
    if not outlines:
        return None
    seen = {names[code].name: None if c.suppressed or c.missing else _plain(c.value) for code, c in cells.items()}
    texts = {names[code].name: "*" if c.suppressed else value_text(one.indicator, None if c.missing else c.value) for code, c in cells.items()}
    return MapOf(one.indicator.label.in_language(language()), unit(one.indicator), outlines, seen, texts, draft.note(one.indicator.id))


def _headline(draft: _Draft) -> list[str]:
    aimed = [one for one in draft.standings if one.verdict]
    missed = [one for one in aimed if one.verdict == "missed"]
    lines = [told("reports", "brief_verdicts", period=draft.period, count=len(aimed), met=len(aimed) - len(missed), missed=len(missed))] if aimed else []
    for one in (missed or draft.standings)[:2]:
        values = {"name": one.indicator.label.in_language(language()), "value": shown_text(one, 0), "unit": unit(one.indicator),
                  "change": change_text(one) or NOTHING, "n": draft.note(one.indicator.id)}
        lines.append(told("reports", "brief_plain", **values) if one.target is None or one.progress is None else told(
            "reports", "brief_first", **values, target=value_text(one.indicator, one.target), chance=f"{one.progress.probability:.0%}"))
    return lines + _unusual(draft)


def _unusual(draft: _Draft) -> list[str]:
    """The strongest highlights; only of the newest month, for which they are tested."""
    if draft.period != draft.inquiry.period():
        return []
    places, lines = draft.inquiry.place_names(), []
    for item in highlights(draft.inquiry).items[:HIGHLIGHTS]:
        one = draft.inquiry.question(item.indicator)
        lines.append(told("reports", "brief_highlight", place=places.get(str(item.unit), str(item.unit)), name=one.label.in_language(language()),
                          rule=told("variation", f"rule_{item.rule}", length=item.length), value=value_text(one, item.value), low=value_text(one, item.low),
                          high=value_text(one, item.high), n=draft.note(one.id)))
    return lines


def _explained(draft: _Draft, one: Standing) -> Change | None:
    """Why an indicator moved between this year's months and the same months of the year before."""
    first, before = f"{draft.period[:4]}-01", int(draft.period[:4]) - 1
    try:
        return change(draft.inquiry, one.indicator.id, f"{before}-01..{before}{draft.period[4:]}", f"{first}..{draft.period}")
    except Refusal:
        return None


def _changes(draft: _Draft) -> Section:
    lines: list[str] = []
    if draft.inquiry.may("small"):
        moved = sorted((one for one in draft.standings if since_year(one) is not None and one.indicator.kind in ("share", "rate")),
                       key=lambda one: (one.verdict != "missed", -abs(since_year(one) or 0)))
        for one in moved[: CHANGES * 2]:
            found = _explained(draft, one) if len(lines) < CHANGES else None
            if found is not None:
                lines.append(_change_line(draft, one, found))
    return Section(told("reports", "brief_changes"), lines)


def _change_line(draft: _Draft, one: Standing, found: Change) -> str:
    first = found.explanation.dimensions[0].split
    parts = {part: signed(one.indicator, getattr(first, part)) for part in ("data", "mix", "rate")}
    said = told("reports", "brief_change", name=one.indicator.label.in_language(language()), before=value_text(one.indicator, first.before),
                after=value_text(one.indicator, first.after), change=signed(one.indicator, first.change), n=draft.note(one.indicator.id), **parts)
    clear = [cause for cause in found.explanation.causes if cause.is_clear and abs(cause.share or 0) >= WORTH_TELLING][:CAUSES]
    causes = told("reports", "join").join(cause_text(draft.inquiry, one.indicator, cause) for cause in clear)
    return told("reports", "sentences", first=said, second=told("reports", "brief_cause", causes=causes) if clear else told("reports", "brief_no_cause"))


def _attention(draft: _Draft) -> Section:
    """Counties by how many targets they miss, with how far."""
    missed: dict[str, list[tuple[float, str]]] = {}
    year = draft.period[:4]
    for one in draft.standings:
        targets = draft.inquiry.targets(one.indicator.id)
        for code, cell in (draft.inquiry.by_unit(one.indicator.id, one.period) if one.target is not None else {}).items():
            aim = targets.get((code, year), one.target)
            value = None if cell.suppressed or cell.missing else cell.value
            if aim is not None and value is not None and verdict_of(one.indicator.better, value, aim) == "missed":
                gap = abs(aim - float(value))
                said = told("reports", "brief_county_item", name=one.indicator.label.in_language(language()), value=value_text(one.indicator, value),
                            gap=value_text(one.indicator, gap), n=draft.note(one.indicator.id))
                missed.setdefault(code, []).append((gap / (abs(aim) or 1), said))
    names = draft.inquiry.units("county")
    ordered = sorted(missed, key=lambda code: (-len(missed[code]), -sum(gap for gap, _ in missed[code])))
    lines = [told("reports", "brief_county", county=names[code].name, count=len(missed[code]),
                  names=told("reports", "join").join(said for _, said in sorted(missed[code], reverse=True))) for code in ordered]
    return Section(told("reports", "brief_attention"), lines)


def _steps(draft: _Draft) -> Section:
    wanted = [one for one in draft.standings if one.step.kind in ("ask_senders", "explain", "close_gap", "close_gap_plain")]
    return Section(told("reports", "brief_steps"), [
        told("reports", "brief_step", name=one.indicator.label.in_language(language()), step=step_text(one), n=draft.note(one.indicator.id)) for one in wanted])


def _data_notes(draft: _Draft, as_of: str) -> Section:
    missing = [told("reports", "brief_note_missing", name=one.indicator.label.in_language(language()), count=len(one.cell.missing))
               for one in draft.standings if one.cell is not None and one.cell.missing]
    lines = [told("reports", "brief_note_snapshot", as_of=as_of), *(missing or [told("reports", "brief_note_complete")])]
    lines.append(told("reports", "brief_note_interval"))
    if not any(one.indicator.source.status == "verified" for one in draft.standings):
        lines.append(told("reports", "brief_note_status"))
    return Section(told("reports", "brief_notes"), lines)


def _footnotes(draft: _Draft) -> list[Footnote]:
    found = []
    for name, number in draft.notes.items():
        one = draft.inquiry.question(name)
        text = told("reports", "footnote_text", code=one.code, name=one.label.in_language(language()), document=one.source.document, item=one.source.item,
                    status=told("reports", f"status_{one.source.status}"), version=one.version)
        found.append(Footnote(number, name, text, draft.link(name)))
    return found


def brief(inquiry: Inquiry, boards: Sequence[Group], issue: Issue, published_at: str, period: str = "") -> Brief:
    """The brief of a month (the newest complete one) in the spoken language; raises Refusal for what is no month or has no figures."""
    month = inquiry.period(period)
    if len(month) != 7 or month not in inquiry.periods():
        raise Refusal(Problem("brief", None, "period", month[:40], say("bad_value"), "2026-03"))
    draft = _Draft(inquiry, month, issue, _standings(inquiry, boards, month))
    region = inquiry.place_names().get(inquiry.region) or next(
        (one.name for one in inquiry.units("facility").values() if one.code == inquiry.region), told("reports", "brief_region"))
    as_of = told("reports", "brief_as_of", snapshot=inquiry.snapshot, date=published_at[:10])
    monthly = [one for one in draft.standings if inquiry.has_months(one.indicator.id)]
    figures = [_figure(draft, one) for one in draft.standings]
    first = sorted(monthly, key=lambda one: one.verdict != "missed")
    charts = [_trend(draft, one) for one in first[:TRENDS]]
    bars = [found for one in first[:BARS] if (found := _bars(draft, one)) is not None]
    maps = [drawn for one in first[:1] if (drawn := _map(draft, one)) is not None]
    parts = _headline(draft), _changes(draft), _attention(draft), _steps(draft), _data_notes(draft, as_of)
    return Brief(
        language=language(), region=region, title=told("reports", "brief_title", region=region, period=month), period=month,
        issued_by=issue.issued_by or region, issued_on=issue.issued_on, as_of=as_of, headline=parts[0], figures=figures, trends=charts, bars=bars, maps=maps,
        changes=parts[1], attention=parts[2], next_steps=parts[3], notes=parts[4], footnotes=_footnotes(draft))
