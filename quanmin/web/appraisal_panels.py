"""What the pages of appraisal show: hospitals by score, one hospital's items, what its gaps are made of, and two handbooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quanmin.catalog.messages import language
from quanmin.gate.evidence_desk import ATTACHED
from quanmin.model.appraisal import Handbook, ScoringSheet
from quanmin.services.appraisal.actions import Appraised, Drivers, Hospital, ItemScore
from quanmin.services.appraisal.handbooks import ItemCompared
from quanmin.web.data_pages import bars
from quanmin.web.figures import value_text
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

LOST_SHOWN, DRIVERS_SHOWN = 12, 12
TONES = ("brand", "warn", "good", "soft")


def _points(value: float) -> Shown:
    return Shown(f"{value:.1f}", round(value, 4))


def grades(hospital: Hospital) -> str:
    """A grade, or the two it lies between while points are open."""
    found = hospital.score
    return found.grade_low if found.grade_low == found.grade_high else f"{found.grade_low} – {found.grade_high}"


def hospitals_panel(view: View, sheet: ScoringSheet, found: Sequence[Hospital], year: int) -> Panel:
    """The hospitals by points, with what each group earned."""
    columns = [Column("rank", word("rank"), True), Column("facility", word("institution")), Column("points", word("appraisal_points"), True),
               Column("open", word("appraisal_open"), True), Column("grade", word("appraisal_grade")), Column("to_next", word("appraisal_to_next"), True),
               *(Column(group, label.in_language(language()), True) for group, label in sheet.groups.items())]
    rows = [[one.rank if one.rank is not None else Shown("–", None), Shown(one.name, one.facility, f"/appraisal/{one.facility}?sheet={sheet.id}&year={year}"),
             _points(one.score.points), _points(one.score.open_points), grades(one), _points(one.score.to_next),
             *(_points(one.groups[group]) for group in sheet.groups)] for one in found]
    series = [{"name": label.in_language(language()), "data": [round(one.groups[group], 1) for one in found]} for group, label in sheet.groups.items()]
    chart = {"kind": "stacked", "y": [one.name for one in found], "tones": list(TONES[:len(series)]), "series": series,
             "links": [row[1].href for row in rows]} if found else None
    return Panel("hospitals", word("appraisal_hospitals"), Sheet(columns, rows, about(view, str(year)) | {"sheet": sheet.id}), chart,
                 note=word("appraisal_hospitals_note", total=f"{sheet.total:g}"))


def _said(view: View, item: ItemScore, value: float | None) -> Shown:
    return Shown("–" if value is None else value_text(view.catalog.indicators[item.indicator], value), value)


def items_panel(view: View, sheet: ScoringSheet, found: Appraised) -> Panel:
    """The items of a hospital, those that lose most first."""
    columns = [Column("item", word("appraisal_item")), Column("indicator", word("indicator")), Column("group", word("appraisal_group")),
               Column("value", word("value"), True), Column("before", word("year_before"), True), Column("reported", word("appraisal_reported"), True),
               Column("status", word("appraisal_status")), Column("aim", word("appraisal_aim"), True), Column("points", word("appraisal_points"), True),
               Column("full", word("appraisal_full"), True), Column("lost", word("appraisal_lost"), True), Column("median", word("appraisal_median"), True),
               Column("national", word("appraisal_national"), True)]
    names = {item.indicator: view.catalog.indicators[item.indicator].label.in_language(language()) for item in found.items}
    rows = [[item.item, Shown(names[item.indicator], item.indicator, f"/indicator/{item.indicator}?period={found.year}"),
             sheet.groups[item.group].in_language(language()), _said(view, item, item.value), _said(view, item, item.before),
             Shown(_said(view, item, item.reported).text, item.reported, verdict="missed" if item.differs else ""),
             word(f"appraisal_{item.status}"), _said(view, item, item.aim), Shown("–") if item.points is None else _points(item.points), item.full,
             _points(item.lost), _said(view, item, item.median), "" if item.national is None else f"{item.national:.0f}%"] for item in found.items]
    lost = [item for item in found.items if item.lost > 0][:LOST_SHOWN]
    link = f"/appraisal/{found.hospital.facility}?sheet={found.sheet}&year={found.year}&indicator="
    told = [(names[i.indicator], round(i.lost, 1), f"{i.lost:.1f} / {i.full:g}", f"{link}{i.indicator}#drivers") for i in lost]
    chart = bars(word("appraisal_lost"), told, "")
    return Panel("items", word("appraisal_items"), Sheet(columns, rows, about(view, str(found.year)) | {"sheet": found.sheet}), chart,
                 note=word("appraisal_items_note"))


def drivers_panel(view: View, found: Drivers, year: int) -> Panel:
    """What a gap to the peers is made of."""
    one = view.catalog.indicators[found.indicator]
    names = view.code_names(one, found.by)
    columns = [Column("group", view.column_labels(one).get(found.by, found.by)), Column("cases", word("appraisal_cases"), True),
               Column("value", word("value"), True), Column("peers", word("appraisal_peers"), True), Column("within", word("appraisal_within"), True),
               Column("mix", word("appraisal_mix"), True), Column("gap", word("appraisal_gap"), True)]
    told = found.gap.drivers if found.gap else ()
    rows = [[Shown(names.get(d.group, d.group), d.group), Shown(f"{d.cases:,.0f}", d.cases),
             *(Shown("–" if value is None else value_text(one, value), value) for value in (d.value, d.peers_value)),
             *(Shown(f"{part:+.3f}", part) for part in (d.within, d.mix, d.gap))] for d in told]
    shown = bars(word("appraisal_gap"), [(names.get(d.group, d.group), round(abs(d.gap), 3), f"{d.gap:+.3f}", "") for d in told[:DRIVERS_SHOWN]], "")
    note = "" if found.gap is None else word("appraisal_drivers_note", indicator=one.label.in_language(language()), value=value_text(one, found.gap.value),
                                             peers=value_text(one, found.gap.peers_value), gap=f"{found.gap.value - found.gap.peers_value:+.3f}")
    return Panel("drivers", word("appraisal_drivers"), Sheet(columns, rows, about(view, str(year)) | {"indicator": one.id, "by": found.by}), shown, note=note)


def handbooks_panel(view: View, first: Handbook, second: Handbook, found: Sequence[ItemCompared], year: int) -> Panel:
    """What changed between two handbooks, item by item."""
    known = view.catalog.indicators

    def name(indicator: str) -> Any:
        return Shown(known[indicator].label.in_language(language()), indicator, f"/indicator/{indicator}?view=definition") if indicator else ""

    columns = [Column("item", word("appraisal_item")), Column("kind", word("handbook_kind")), Column("first", first.label.in_language(language())),
               Column("second", second.label.in_language(language())), Column("largest", word("handbook_largest"), True)]
    rows = [[one.item, Shown(word(f"handbook_{one.kind}"), one.kind), name(one.first), name(one.second),
             Shown(value_text(known[one.second], one.largest) if one.hospitals else "", one.largest if one.hospitals else None)] for one in found]
    return Panel("handbooks", word("handbooks_items"), Sheet(columns, rows, about(view, str(year)) | {"first": first.id, "second": second.id}))


def moved_panel(view: View, found: Sequence[ItemCompared], year: int) -> Panel:
    """Every hospital's values by both definitions, of the items whose definition changed."""
    columns = [Column("item", word("appraisal_item")), Column("facility", word("institution")), Column("first", word("handbook_first"), True),
               Column("second", word("handbook_second"), True), Column("difference", word("handbook_difference"), True)]
    rows, shown = [], []
    for one in (one for one in found if one.kind == "changed"):
        unit = view.catalog.indicators[one.second]
        for h in one.hospitals:
            said = [Shown("–" if value is None else value_text(unit, value), value) for value in (h.first, h.second)]
            rows.append([one.item, Shown(h.name, h.facility, f"/facility/{h.facility}"), *said,
                         Shown("–" if h.difference is None else f"{h.difference:+.2f}", h.difference)])
            if h.difference is not None:
                shown.append((f"{one.item} {h.name}", round(abs(h.difference), 3), f"{h.difference:+.2f}", ""))
    return Panel("moved", word("handbooks_moved"), Sheet(columns, rows, about(view, str(year))), bars(word("handbook_difference"), shown, ""),
                 note=word("handbooks_moved_note"))


def evidence_panel(view: View, facility: str, year: int) -> Panel:
    """What a hospital reported of itself in a year, with the document each rests on."""
    columns = [Column("indicator", word("indicator")), Column("judgement", word("appraisal_judgement")), Column("value", word("value"), True),
               Column("document", word("document")), Column("statement", word("appraisal_statement")), Column("received_at", word("appraisal_received"))]
    names, rows = view.catalog.codes["evidence_judgement"].codes, []
    for one in view.inquiry.evidence():
        if one.unit != facility or one.year != year:
            continue
        known = view.catalog.indicators.get(one.indicator)
        document, _, sha256 = one.document.rpartition(" #") if ATTACHED.search(one.document) else (one.document, "", "")
        rows.append([Shown(known.label.in_language(language()) if known else one.indicator, one.indicator),
                     Shown(names[one.judgement].in_language(language()) if one.judgement in names else "", one.judgement), one.value,
                     Shown(document, one.document, f"/appraisal/{facility}/evidence/{sha256}" if sha256 else ""), one.statement,
                     one.received_at[:16].replace("T", " ")])
    return Panel("evidence", word("appraisal_evidence"), Sheet(columns, rows, about(view, str(year))), is_open=True,
                 note="" if rows else word("appraisal_evidence_none", year=year))
