"""The panels of an indicator's page: months, progress, counties, ranks, funnel, deciles; what charts.js draws and the sheet beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.model import Cell, Indicator
from quanmin.reports.words import told
from quanmin.services.progress.actions import TargetProgress
from quanmin.services.ranking.actions import Ranked, RankList
from quanmin.services.variation.actions import DecilePlot, FunnelPlot, Point, Variation
from quanmin.web.charts import bars_of, drawn, trend_of
from quanmin.web.figures import NOTHING, Figure, figure, half_words, number, value_text
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

FULL = 100.0  # %: no share is higher
GROUPS_DRAWN = 24
FIRST, LAST = 8, 16  # ranks that a chart draws where there are more


def about(view: View, one: Indicator, **more: Any) -> dict[str, Any]:
    """What every sheet says of itself."""
    return {"indicator": one.id, "definition": one.version, "measured_in": one.unit, "snapshot": view.snapshot.id, "as_of": view.snapshot.published_at} | {
        name: value for name, value in more.items() if value}


def link(one: Indicator, **told_by: str) -> str:
    """An address of the indicator's page."""
    return f"/indicator/{one.id}?{urlencode({name: value for name, value in told_by.items() if value})}"


def rows_link(view: View, one: Indicator, **told_by: str) -> str:
    """The address of the rows behind a figure, "" for who may not see rows."""
    return f"/indicator/{one.id}/rows?{urlencode({k: v for k, v in told_by.items() if v})}" if view.actor.may("rows") else ""


def counts(one: Indicator) -> list[Column]:
    """The columns of what was counted."""
    upper, lower = half_words(one)
    return [Column("numerator", upper, True), *([Column("denominator", lower, True)] if lower else []), Column("unknown", word("unknown"), True)]


def counted(one: Indicator, cell: Cell | None) -> list[Any]:
    """What was counted, "*" where it is withheld."""
    names = ["numerator", *(["denominator"] if half_words(one)[1] else []), "unknown"]
    if cell is None:
        return [None] * len(names)
    return [Shown("*") if cell.suppressed else None if (v := getattr(cell, name)) is None else float(v) for name in names]


def figure_shown(found: Figure, href: str = "") -> Shown:
    """A figure in a sheet: its text on the page, its value in files; bounds and withheld counts have none."""
    cell = found.cell
    value = None if cell is None or cell.suppressed or cell.missing or cell.value is None else float(cell.value)
    return Shown(found.text, value, href, found.verdict, found.detail)


def _interval(one: Indicator, cell: Cell | None) -> list[Shown]:
    ends = (None, None) if cell is None or cell.suppressed else (cell.low, cell.high)
    return [Shown(value_text(one, end), None if end is None else float(end)) for end in ends]


def _told(one: Indicator, p: Point) -> str:
    upper, lower = half_words(one)
    parts = [f"{word('value')} {value_text(one, p.value)}", f"{upper} {number(p.numerator)}" + (f" / {lower} {number(p.denominator)}" if lower else "")]
    parts += [f"{word('xmr_limits')} {value_text(one, p.low)}–{value_text(one, p.high)}"] if p.low is not None else []
    return "\n".join(parts + ([told("variation", f"rule_{p.rule}", length=p.length)] if p.rule else []))


def xmr_panel(view: View, one: Indicator, found: Variation, cells: Mapping[str, Cell], place: str) -> Panel:
    """Months as an XmR chart; months with missing submissions as bounds."""
    points = found.points
    columns = [Column("month", word("month")), Column("value", word("value"), True), *counts(one), Column("mean", word("xmr_mean"), True),
               Column("low", word("control_low"), True), Column("high", word("control_high"), True), Column("rule", word("special"))]
    rows = [[p.month, Shown("*" if p.suppressed else value_text(one, p.value), p.value, rows_link(view, one, period=p.month, place=place)),
             *counted(one, cells.get(p.month)), *(Shown(value_text(one, v), v) for v in (p.mean, p.low, p.high)),
             told("variation", f"rule_{p.rule}", length=p.length) if p.rule else ""] for p in reversed(points)]
    bounds = [(c.low, c.high) if (c := cells.get(p.month)) is not None and c.missing else (None, None) for p in points]
    chart = {
        "kind": "xmr", "x": [p.month for p in points], "y": [p.value for p in points], "mean": [p.mean for p in points], "low": [p.low for p in points],
        "high": [p.high for p in points], "kinds": [p.kind for p in points], "told": [_told(one, p) for p in points], "target": found.target,
        "bound_low": [low for low, _ in bounds], "bound_high": [high for _, high in bounds],
        "links": [link(one, period=p.month, place=place) for p in points],
        "words": {"value": word("value"), "mean": word("xmr_mean"), "limits": word("xmr_limits"), "target": word("target")}}
    notes = [told("variation", f"variation_{found.variation}")] + ([told("variation", f"assurance_{found.assurance}")] if found.assurance else [])
    notes += [told("variation", "note_provisional")] if found.is_provisional else []
    return Panel("trend", word("xmr_title"), Sheet(columns, rows, about(view, one, place=place)), chart, " · ".join(notes), "wide")


def years_panel(view: View, one: Indicator, aim: float | None) -> Panel | None:
    """The years of an indicator that is not counted by months."""
    chart = trend_of(view, one, aim)
    if chart is None:
        return None
    rows = [[x, figure_shown(figure(one, c, None, view.indicators.suppress_below)), *_interval(one, c), *counted(one, c)]
            for x, c in reversed(list(zip(chart["x"], chart["cells"], strict=True)))]
    columns = [Column("period", word("period")), Column("value", word("value"), True), Column("low", word("interval_low"), True),
               Column("high", word("interval_high"), True), *counts(one)]
    return Panel("trend", chart["title"], Sheet(columns, rows, about(view, one)), drawn(chart), width="wide")


def progress_panel(view: View, one: Indicator, found: TargetProgress) -> Panel:
    """The way to the target of the year, with the forecast and its interval."""
    p, series = found.progress, view.inquiry.series(one.id, "" if found.place == view.inquiry.region else found.place)
    year = p.due[:4]
    past = [(month, cell) for month, cell in sorted(series.items()) if f"{int(year) - 1}-12" <= month <= p.as_of and cell.value is not None]
    steps = p.steps
    columns = [Column("month", word("month")), Column("value", word("value"), True), Column("expected", word("progress_expected_short"), True),
               Column("low", word("forecast_low"), True), Column("high", word("forecast_high"), True), Column("needed", word("progress_needed_short"), True)]
    rows = [[m, Shown(value_text(one, c.value), c.value), None, None, None, None] for m, c in past]
    rows += [[s.month, None, *(Shown(value_text(one, v), v) for v in (s.value, s.low, s.high, s.needed))] for s in steps]
    said = [told("progress", "progress_chance", due=p.due, target=value_text(one, p.target), probability=round(p.probability * 100)),
            told("progress", "progress_expected", expected=value_text(one, p.expected), level=round(p.level * 100), low=value_text(one, p.low),
                 high=value_text(one, p.high))]
    if p.months_left and one.kind == "share" and p.needed > FULL:
        said.append(told("progress", "progress_out_of_reach", full=f"{FULL:.0f}"))
    elif p.months_left:
        said.append(told("progress", "progress_needed", needed=value_text(one, p.needed), change=value_text(one, p.needed_per_month)))
    chart = None if not steps or not past else {
        "kind": "fan", "x": [m for m, _ in past] + [s.month for s in steps], "past": [float(c.value or 0) for _, c in past], "target": p.target,
        "expected": [s.value for s in steps], "low": [s.low for s in steps], "high": [s.high for s in steps], "needed": [s.needed for s in steps],
        "told": [f"{word('value')} {value_text(one, c.value)}" for _, c in past] + [
            f"{word('progress_expected_short')} {value_text(one, s.value)} ({value_text(one, s.low)}–{value_text(one, s.high)})\n"
            f"{word('progress_needed_short')} {value_text(one, s.needed)}" for s in steps],
        "words": {"value": word("value"), "expected": word("progress_expected_short"), "needed": word("progress_needed_short"), "target": word("target")}}
    return Panel("progress", word("progress_title", year=year), Sheet(columns, rows, about(view, one, place=found.place, target=p.target)), chart,
                 word("sentence_join").join([told("progress", f"verdict_{p.verdict}"), *said]))


def counties_panel(view: View, one: Indicator, period: str, aim: float | None) -> Panel | None:
    """Counties against their targets; None where there are none."""
    targets, year, below = view.targets(one.id), period[:4], view.indicators.suppress_below
    names = dict(view.counties())
    cells = {str(c.key["place"]): c for c in view.cells(one, ["place"], period) if str(c.key.get("place")) in names}
    found = [(code, names[code], figure(one, cell, targets.get((code, year), aim), below)) for code, cell in cells.items()]
    if not found:
        return None
    columns = [Column("county", word("county")), Column("value", word("value"), True), Column("target", word("target"), True),
               Column("low", word("interval_low"), True), Column("high", word("interval_high"), True), *counts(one),
               *([Column("rows", word("rows"))] if view.actor.may("rows") else [])]
    rows = [[Shown(name, code, link(one, period=period, place=code)), figure_shown(f), Shown(value_text(one, f.target), f.target), *_interval(one, f.cell),
             *counted(one, f.cell), *([Shown(word("rows"), None, rows_link(view, one, period=period, place=code))] if view.actor.may("rows") else [])]
            for code, name, f in found]
    chart = drawn(bars_of(one, found, aim, word("counties")))
    return Panel("counties", f"{word('counties')} · {view.shown_period(one, period) or word('whole_period')}",
                 Sheet(columns, rows, about(view, one, period=view.shown_period(one, period))), chart, is_open=True)


def _rank_told(one: Indicator, r: Ranked, count: int, names: Mapping[str, str]) -> str:
    lines = [f"{r.name} {value_text(one, r.value)}"]
    if r.low is not None:
        lines.append(told("ranking", "rank_of", rank=r.rank, count=count, level=95, low=r.low, high=r.high))
        lines.append(told("ranking", "rank_alike", alike=r.alike))
    if r.cases is not None:
        lines.append(told("ranking", "rank_cases", cases=f"{r.cases:+,.0f}") + (f" ({names.get(r.behind, r.behind)})" if r.behind else ""))
    return "\n".join(lines)


def ranks_panel(view: View, one: Indicator, found: RankList, own: str = "") -> Panel:
    """Units in the order of their ranks, with intervals and the cases to the next."""
    names = {r.code: r.name for r in found.units}
    columns = [Column("unit", word("institution" if found.unit == "facility" else "county")), Column("rank", word("rank"), True),
               Column("low", word("rank_low"), True), Column("high", word("rank_high"), True), Column("value", word("value"), True),
               Column("alike", word("rank_alike"), True), Column("cases", word("rank_cases"), True), Column("behind", word("next_better"))]
    page = "place" if found.unit == "county" else "facility"
    rows = [[Shown(r.name, r.code, f"/{page}/{r.code}?period={found.period}"), r.rank, r.low, r.high, Shown(value_text(one, r.value), r.value), r.alike,
             r.cases, Shown(names.get(r.behind, NOTHING), r.behind)] for r in found.units]
    drawn_units = [r for i, r in enumerate(found.units) if i < FIRST or i >= len(found.units) - LAST or r.code == own]
    chart = {"kind": "ranks", "names": [r.name for r in drawn_units], "rank": [r.rank for r in drawn_units], "low": [r.low for r in drawn_units],
             "high": [r.high for r in drawn_units], "texts": [value_text(one, r.value) for r in drawn_units], "own": names.get(own, ""),
             "count": len(found.units),
             "told": [_rank_told(one, r, len(found.units), names) for r in drawn_units],
             "links": [f"/{page}/{r.code}?period={found.period}" for r in drawn_units], "words": {"rank": word("rank_axis")}}
    note = told("ranking", "note_interval", level=round(found.level * 100)) if found.units and found.units[0].low is not None else ""
    if len(drawn_units) < len(found.units):
        note = word("sentence_join").join(part for part in (note, word("ranks_shortened", first=FIRST, last=LAST)) if part)
    return Panel("ranks", f"{word('ranks_title')} · {told('ranking', f'scheme_{found.peers}')}",
                 Sheet(columns, rows, about(view, one, period=found.period, peers=found.peers)), chart if found.units else None, note)


def funnel_panel(view: View, one: Indicator, found: FunnelPlot) -> Panel:
    """Institutions against each other, by size."""
    columns = [Column("unit", word("institution")), Column("value", word("value"), True), Column("numerator", half_words(one)[0], True),
               Column("denominator", half_words(one)[1] or word("count"), True), Column("low", word("control_low"), True),
               Column("high", word("control_high"), True), Column("z", "z", True), Column("outside", word("outside_is"))]
    units = sorted(found.units, key=lambda u: -abs(u.z))
    rows = [[Shown(u.name, u.code, f"/facility/{u.code}?period={found.period}"), Shown(value_text(one, u.value), u.value), u.numerator, u.denominator,
             *(Shown(value_text(one, v), v) for v in (u.low, u.high)), round(u.z, 2), Shown(word(f"outside_{abs(u.outside)}"), u.outside)] for u in units]
    high = max([u.value for u in units] + [row[4] for row in found.curve[len(found.curve) // 4:]])
    chart = {
        "kind": "funnel", "target": found.target, "curve": [list(row) for row in found.curve], "floor": 0, "ceiling": high * 1.1,
        "units": [{"name": u.name, "size": u.denominator, "value": u.value, "outside": u.outside, "link": f"/facility/{u.code}?period={found.period}",
                   "told": f"{u.name}\n{value_text(one, u.value)} ({number(u.numerator)} / {number(u.denominator)})\n" + word(f"outside_{abs(u.outside)}")}
                  for u in units],
        "words": {"units": word("funnel_units"), "limit_95": word("funnel_95"), "limit_998": word("funnel_998"), "centre": word("funnel_centre"),
                  "size": word("funnel_size")}}
    return Panel("funnel", word("funnel_title"), Sheet(columns, rows, about(view, one, period=found.period, dispersion=found.dispersion)), chart,
                 word("funnel_note", phi=f"{found.phi:.2f}", left_out=found.left_out))


def deciles_panel(view: View, one: Indicator, found: DecilePlot, own_name: str = "") -> Panel:
    """Deciles of institutions month by month."""
    names = [f"p{p:.0f}" for p in found.percentiles]
    columns = [Column("month", word("month")), *(Column(n, word("percentile", p=n[1:]), True) for n in names), Column("units", word("units_counted"), True),
               *([Column("own", own_name, True)] if found.own else [])]
    rows = [[month, *(Shown(value_text(one, v), v) for v in found.values[i]), found.counts[i],
             *([Shown(value_text(one, found.own[i]), found.own[i])] if found.own else [])] for i, month in reversed(list(enumerate(found.months)))]
    middle = len(names) // 2
    chart = {"kind": "deciles", "x": list(found.months), "percentiles": list(found.percentiles), "values": [list(row) for row in found.values],
             "own": list(found.own), "own_name": own_name,
             "told": [f"{word('deciles_median')} {value_text(one, row[middle])}\n{word('units_counted')} {found.counts[i]}" + (
                 f"\n{own_name} {value_text(one, found.own[i])}" if found.own else "") for i, row in enumerate(found.values)],
             "words": {"median": word("deciles_median"), "decile": word("deciles_other")}}
    return Panel("deciles", word("deciles_title"), Sheet(columns, rows, about(view, one)), chart)


def breakdown_panel(view: View, one: Indicator, dimension: str, label: str, period: str, place: str) -> Panel:
    """An indicator by the values of a dimension."""
    names, below = view.code_names(one, dimension), view.indicators.suppress_below
    order, found = {code: i for i, code in enumerate(names)}, []
    for cell in view.placed_cells(one, [dimension], period, place):
        key = cell.key[dimension]
        code = str(key).lower() if isinstance(key, bool) else str(key)
        found.append((key, word("unknown") if key is None else names.get(code, code), figure(one, cell, None, below), order.get(code, len(order))))
    found.sort(key=lambda group: (group[0] is None, group[3]))  # in the order of the code list: of age bands, 5-9 before 10-14
    rows = [[Shown(shown, key), figure_shown(f), *_interval(one, f.cell), *counted(one, f.cell)] for key, shown, f, _ in found]
    largest = {group[0] for group in sorted(found, key=lambda group: -_weight(group[2].cell))[:GROUPS_DRAWN]}
    chart = drawn(bars_of(one, [group[:3] for group in found if group[0] in largest], None, label, is_ranked=False))
    columns = [Column(dimension, label), Column("value", word("value"), True), Column("low", word("interval_low"), True),
               Column("high", word("interval_high"), True), *counts(one)]
    title = f"{word('breakdown')}: {label} · {view.shown_period(one, period) or word('whole_period')}"
    return Panel("breakdown", title, Sheet(columns, rows, about(view, one, period=view.shown_period(one, period), place=place)), chart,
                 word("groups_drawn", count=GROUPS_DRAWN) if chart and len(found) > GROUPS_DRAWN else "", is_open=True)


def _weight(cell: Cell | None) -> float:
    """How much stands behind a group's figure; nothing where that is withheld."""
    return 0.0 if cell is None or cell.suppressed else float(cell.denominator or cell.numerator or 0)


def name_of(one: Indicator) -> str:
    """The indicator's name in the spoken language."""
    return one.label.in_language(language())
