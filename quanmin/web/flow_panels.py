"""The panels of the region's flow: map, Sankey, matrix, outflow by county and by group, and what would come home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quanmin.services.flow import FlowCell, FlowTable, Measures
from quanmin.web import maps
from quanmin.web.figures import number
from quanmin.web.flow_view import COLUMNS, KINDS, MEASURES, MONEY, WEIGHT, FlowView, amount, drawn, measure_column, short, unit
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import word

MOST_HOMES, MOST_DESTINATIONS, MOST_COLUMNS, MOST_GROUPS, MOST_ARCS = 20, 12, 18, 24, 60
LISTED = 300  # rows of a table on a page
REST = "…"


def _size(cell: FlowCell, measure: str) -> float:
    return amount(cell.measures, measure) or 0.0


def largest(found: FlowTable, dimension: str, measure: str, most: int) -> list[Any]:
    """The groups of a dimension that have most of a measure, the largest first; those without a value last."""
    sizes: dict[Any, float] = defaultdict(float)
    for cell in found.cells:
        sizes[cell.key[dimension]] += _size(cell, measure)
    return sorted(sizes, key=lambda key: (key is None, -sizes[key], str(key)))[:most]


def sheet_of(flow: FlowView, found: FlowTable, what: str, is_whole: bool, labels: Mapping[str, str]) -> tuple[Sheet, str]:
    """A table with one row per group, each number a link to what is behind it; on a page the first LISTED rows and a note on that."""
    columns = [Column(name, labels[name]) for name in found.by] + [measure_column(name) for name in COLUMNS]
    cells = found.cells if is_whole else found.cells[:LISTED]
    rows: list[list[Any]] = []
    for cell in cells:
        href = flow.drill(what, cell.key)
        keys: list[Any] = [
            Shown(flow.name(name, value), value, flow.county_link(value) if name == "home_county" else "") for name, value in cell.key.items()]
        rows.append(keys + [flow.shown(cell.measures, name, href) for name in COLUMNS])
    note = "" if len(cells) == len(found.cells) else word("flow_first_rows", shown=len(cells), count=f"{len(found.cells):,}")
    return Sheet(columns, rows, flow.about()), note


def labels(cut: str) -> dict[str, str]:
    """Dimension → heading."""
    return {"home_county": word("flow_home_county"), "kind_code": word("flow_kind"), "facility_county": word("flow_facility_county"),
            "month": word("month"), cut: word(f"flow_dimension_{cut}")}


def kinds_of(found: FlowTable) -> list[Any]:
    """The kinds that occur, in the order of KINDS."""
    seen = {cell.key["kind_code"] for cell in found.cells}
    return [kind for kind in KINDS if kind in seen]


def stack(flow: FlowView, found: FlowTable, dimension: str, order: Sequence[Any], what: str = "outflow", is_upright: bool = False,
          key_more: Mapping[str, Any] | None = None, links: Mapping[Any, str] | None = None) -> dict[str, Any] | None:
    """A chart of one bar per group of a dimension, split by kind; None where nothing is there to draw."""
    measure, names = flow.asked.measure, [flow.name(dimension, key) for key in order]
    cells = {(cell.key[dimension], cell.key["kind_code"]): cell.measures for cell in found.cells}
    kinds = kinds_of(found)
    if not order or not kinds:
        return None

    def href(key: Any, kind: Any) -> str:
        return (links or {}).get(key, "") or flow.drill(what, {dimension: key, "kind_code": kind, **(key_more or {})})

    series = [{
        "name": flow.name("kind_code", kind), "tone": KINDS[kind][0], "decal": KINDS[kind][1],
        "values": [drawn(amount(cells.get((key, kind)), measure), measure) for key in order],
        "texts": [short(amount(cells.get((key, kind), Measures()), measure), measure) for key in order], "links": [href(key, kind) for key in order],
    } for kind in kinds]
    totals = [sum((amount(cells.get((key, kind)), measure) or 0.0) for kind in kinds) for key in order]
    hidden = [any((key, kind) in cells and cells[key, kind] is None for kind in kinds) for key in order]
    texts = [("≥ " if is_hidden else "") + short(total, measure) for total, is_hidden in zip(totals, hidden, strict=True)]
    return {"kind": "flow_stack", "x": names, "is_upright": is_upright, "series": series, "totals": texts, "unit": unit(measure)}


def sankey(flow: FlowView, tables: Iterable[FlowTable], key_more: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """A Sankey diagram of tables with two dimensions each: from the groups of the first to those of the second, and on from there."""
    measure, nodes, links = flow.asked.measure, {}, []
    for depth, found in enumerate(tables):
        left, right = found.by
        keep = [set(largest(found, name, measure, most)) for name, most in ((left, MOST_HOMES), (right, MOST_DESTINATIONS))]
        sums: dict[tuple[Any, Any], float] = defaultdict(float)
        for cell in found.cells:
            ends = tuple(cell.key[name] if cell.key[name] in kept else REST for name, kept in zip(found.by, keep, strict=True))
            sums[ends[0], ends[1]] += _size(cell, measure)
        for (start, end), value in sums.items():
            if not value:
                continue
            tone = KINDS[start if left == "kind_code" else end][0] if "kind_code" in found.by else "brand"
            ids = f"{depth}:{start}", f"{depth + 1}:{end}"
            for identity, name, key, at in ((ids[0], left, start, depth), (ids[1], right, end, depth + 1)):
                node = nodes.setdefault(identity, {
                    "id": identity, "depth": at, "in": 0.0, "out": 0.0, "tone": KINDS[key][0] if name == "kind_code" else "soft",
                    "name": word("flow_others") if key == REST else flow.name(name, key), "link": _node_link(flow, name, key, key_more)})
                node["out" if at == depth else "in"] += value
            key = {**(key_more or {}), left: start, right: end}
            links.append({"source": ids[0], "target": ids[1], "value": value, "text": f"{short(value, measure)} {unit(measure)}", "tone": tone,
                          "link": "" if REST in (start, end) else flow.drill("outflow", key)})
    shown = [{name: node[name] for name in ("id", "depth", "tone", "name", "link")} | {"text": short(max(node["in"], node["out"]), measure)}
             for node in nodes.values()]
    return {"kind": "flow_sankey", "nodes": shown, "links": links} if links else None


def _node_link(flow: FlowView, name: str, key: Any, key_more: Mapping[str, Any] | None) -> str:
    if key == REST:
        return ""
    return flow.county_link(key) if name == "home_county" else flow.rows_link("outflow", {**(key_more or {}), name: key})


class RegionPanels:
    """Everything the region's page shows, from a handful of answers."""

    def __init__(self, flow: FlowView, is_whole: bool) -> None:
        self.flow, self.is_whole, self.asked = flow, is_whole, flow.asked
        self.stays = flow.table("matrix", ["home_county"])
        self.by_county = flow.table("split", ["home_county", "kind_code"])

    def all(self) -> list[Panel]:
        """The panels that have something to show, in order."""
        cut = [] if self.asked.cut == "facility_county" else [self.by_cut()]
        return [one for one in (self.arcs(), self.sankey(), self.counties(), self.regain(), self.matrix(), *cut) if one is not None]

    def _sheet(self, found: FlowTable, what: str = "outflow") -> tuple[Sheet, str]:
        return sheet_of(self.flow, found, what, self.is_whole, labels(self.asked.cut))

    def shares(self) -> dict[Any, float]:
        """Home county → share of its stays that are elsewhere, where neither count is withheld."""
        away: dict[Any, int | None] = {}
        for cell in self.by_county.cells:
            sofar, key = away.get(cell.key["home_county"], 0), cell.key["home_county"]
            away[key] = None if sofar is None or cell.measures is None else sofar + cell.measures.stays
        stays = {cell.key["home_county"]: cell.measures.stays for cell in self.stays.cells if cell.measures}
        return {code: count / stays[code] for code, count in away.items() if count is not None and stays.get(code)}

    def arcs(self) -> Panel | None:
        """Lines from home county to the county of the facility; None where no outline is registered."""
        flow, measure = self.flow, self.asked.measure
        shapes, points, names = maps.outlines(flow.view), maps.points(flow.view), flow.view.place_names()
        if not shapes:
            return None
        found = flow.table("split", ["home_county", "facility_county", "kind_code"])
        sized = sorted((c for c in found.cells if c.measures and _size(c, measure) and {c.key["home_county"], c.key["facility_county"]} <= set(points)),
                       key=lambda cell: -_size(cell, measure))[:MOST_ARCS]
        drawn = [{"from": c.key["home_county"], "to": c.key["facility_county"], "group": str(c.key["kind_code"]), "value": _size(c, measure),
                  "text": f"{short(_size(c, measure), measure)} {unit(measure)}", "link": flow.drill("outflow", c.key)} for c in sized]
        shares = self.shares()
        used = set(shapes) | {arc["to"] for arc in drawn}
        chart = {
            "kind": "arcs", "outlines": shapes, "points": {code: points[code] for code in used if code in points},
            "names": {code: names.get(code, code) for code in used},
            "shares": {code: shares.get(code) for code in shapes}, "links": {code: flow.county_link(code) for code in shapes}, "arcs": drawn,
            "texts": {code: f"{word('flow_away_share')} {shares[code] * 100:.1f}%" if code in shares else "" for code in shapes},
            "groups": [{"id": str(kind), "name": flow.name("kind_code", kind), "tone": KINDS[kind][0], "line": KINDS[kind][2]} for kind in kinds_of(found)],
        }
        sheet, note = self._sheet(found)
        return Panel("map", word("flow_map"), sheet, chart, f"{word('flow_map_note', measure=word(f'flow_{measure}').lower())} {note}".strip(), "")

    def sankey(self) -> Panel:
        """From home county over kind to the county of the facility."""
        onward = self.flow.table("split", ["kind_code", "facility_county"])
        sheet, note = self._sheet(self.flow.table("split", ["home_county", "kind_code", "facility_county"]))
        return Panel("sankey", word("flow_sankey"), sheet, sankey(self.flow, (self.by_county, onward)), note, "")

    def counties(self) -> Panel:
        """Outflow of every county by kind."""
        order = largest(self.by_county, "home_county", self.asked.measure, MOST_GROUPS)
        links = {code: self.flow.county_link(code) for code in order}
        sheet, note = self._sheet(self.by_county)
        return Panel("counties", word("flow_by_county"), sheet, stack(self.flow, self.by_county, "home_county", order, links=links), note, "")

    def by_cut(self) -> Panel:
        """Outflow by the groups of the cut and kind."""
        cut = self.asked.cut
        found = self.flow.table("split", [cut, "kind_code"])
        sheet, note = self._sheet(found)
        chart = stack(self.flow, found, cut, largest(found, cut, self.asked.measure, MOST_GROUPS))
        return Panel("cut", word("flow_by_cut", dimension=word(f"flow_dimension_{cut}")), sheet, chart, note)

    def matrix(self) -> Panel:
        """Home county by the groups of the cut, all stays."""
        flow, measure, cut = self.flow, self.asked.measure, self.asked.cut
        found = flow.table("matrix", ["home_county", cut])
        homes, columns = largest(found, "home_county", measure, MOST_HOMES), largest(found, cut, measure, MOST_COLUMNS)
        if cut == "facility_county":  # the counties in one order on both sides, so that the diagonal is what stays at home
            homes = sorted(homes, key=str)
            columns = sorted(columns, key=lambda code: (code not in homes, str(code)))
        totals: dict[Any, float] = defaultdict(float)
        for cell in found.cells:
            totals[cell.key["home_county"]] += _size(cell, measure)
        cells = [[columns.index(c.key[cut]), homes.index(c.key["home_county"]), round(_size(c, measure) / (totals[c.key["home_county"]] or 1.0), 4),
                  short(amount(c.measures, measure), measure), flow.drill("stays", c.key)]
                 for c in found.cells if c.key["home_county"] in homes and c.key[cut] in columns]
        chart = {"kind": "flow_heat", "x": [flow.name(cut, key) for key in columns], "y": [flow.name("home_county", key) for key in homes],
                 "cells": cells, "unit": unit(measure)}
        sheet, note = self._sheet(found, "stays")
        title = word("flow_matrix", row=word("flow_home_county"), column=word(f"flow_dimension_{cut}"))
        return Panel("matrix", title, sheet, chart if cells else None, f"{word('flow_matrix_note', measure=word(f'flow_{measure}').lower())} {note}".strip())

    def regain(self) -> Panel:
        """What would come home with avoidable outflow: stays, days and money by county."""
        found = self.flow.table("regain", ["home_county"])
        sheet, note = self._sheet(found)
        sheet = Sheet(sheet.columns, [[row[0], *(_avoidable(self.flow, cell, shown) for shown in row[1:])]
                                      for cell, row in zip(found.cells, sheet.rows, strict=False)], sheet.about)
        seen = [cell for cell in found.cells if cell.measures][:MOST_GROUPS]
        parts = [{"name": word(f"flow_{name}"), "unit": unit(name), "is_money": name in MONEY, "tone": "good" if name in MONEY else "brand",
                  "values": [_size(c, name) for c in seen], "texts": [short(_size(c, name), name) for c in seen]} for name in MEASURES]
        chart = {"kind": "flow_multiples", "x": [self.flow.name("home_county", c.key["home_county"]) for c in seen], "parts": parts,
                 "links": [self.flow.county_link(c.key["home_county"]) for c in seen]}
        return Panel("regain", word("flow_regain"), sheet, chart if seen else None, note)


def _avoidable(flow: FlowView, cell: FlowCell, shown: Shown) -> Shown:
    """A number of the regain table, leading to the avoidable alone."""
    return Shown(shown.text, shown.value, flow.drill("outflow", {**cell.key, "kind_code": "avoidable"}) if cell.measures else "", "", shown.title)


def headline(flow: FlowView, key: Mapping[str, Any] | None = None) -> list[tuple[str, Shown]]:
    """The numbers above everything: all stays, those elsewhere and their share, and those by kind, in the measure asked for."""
    measure, where = flow.asked.measure, {**flow.asked.where, **(key or {})}
    grain = "month" if len(flow.asked.period) == 7 else "year"
    of_all, of_kinds = flow.table("matrix", [grain], where), flow.table("split", ["kind_code"], where)
    of_away = flow.table("split", [grain], where)
    whole, away = (sum((c.measures for c in found.cells if c.measures), Measures()) if not any(c.suppressed for c in found.cells) else None
                   for found in (of_all, of_away))
    told: list[tuple[str, Shown]] = [
        (word("flow_total_stays"), _big(flow, whole, measure, flow.rows_link("stays", key or {}))),
        (word("flow_away"), _big(flow, away, measure, flow.rows_link("outflow", key or {}))),
    ]
    if whole is not None and away is not None and amount(whole, measure):
        share = (amount(away, measure) or 0.0) / (amount(whole, measure) or 1.0) * 100
        told.append((word("flow_away_share"), Shown(f"{share:.1f}%", round(share, 4))))
    if measure == WEIGHT and away is not None:
        told.append((word("flow_unweighed_away"), Shown(number(away.unweighed_count), away.unweighed_count)))
    cells = {cell.key["kind_code"]: cell.measures for cell in of_kinds.cells}
    for kind in (kind for kind in KINDS if kind in cells):
        href = flow.rows_link("outflow", {**(key or {}), "kind_code": kind})
        told.append((word("flow_kind_total", kind=flow.name("kind_code", kind)), _big(flow, cells[kind], measure, href)))
    return told


def _big(flow: FlowView, measures: Measures | None, measure: str, href: str) -> Shown:
    if measures is None:
        return Shown("*", None, "", "", word("suppressed", below=flow.view.indicators.suppress_below))
    return Shown(f"{short(amount(measures, measure), measure)} {unit(measure)}", getattr(measures, measure), href)
