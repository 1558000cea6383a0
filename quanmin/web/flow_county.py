"""The panels of one county's flow: months, destinations, facilities, the groups it could treat itself and those it is short of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quanmin.catalog.messages import language
from quanmin.services.flow import GroupGain
from quanmin.web.flow_panels import labels, sankey, stack
from quanmin.web.flow_view import COLUMNS, WEIGHT, FlowView, amount, drawn, measure_column, short, unit
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import word

MONTHS_SHOWN, GROUPS_DRAWN = 36, 12


class CountyPanels:
    """Everything one county's page shows."""

    def __init__(self, flow: FlowView, code: str, is_whole: bool) -> None:
        self.flow, self.code, self.is_whole = flow, code, is_whole
        self.found = flow.county(code)
        self.here = {"home_county": code}

    def all(self) -> list[Panel]:
        """The panels, in order."""
        found = self.found
        groups = self.groups("groups", found.groups, "avoidable"), self.groups("short", found.short, "referred")
        return [self.trend(), self.destinations(), self.facilities(), self.treated(), *groups]

    def trend(self) -> Panel:
        """Outflow by month and kind; a click leads to the month."""
        flow = self.flow
        found = flow.table("split", ["month", "kind_code"], self.here)
        months = sorted({str(c.key["month"]) for c in found.cells})[-MONTHS_SHOWN:]
        links = {month: flow.link(f"/flow/county/{self.code}", period=month) for month in months}
        chart = stack(flow, found, "month", months, is_upright=True, links=links)
        columns = [Column("month", word("month")), Column("kind_code", word("flow_kind")), *(measure_column(name) for name in COLUMNS)]
        rows = []
        for cell in reversed(found.cells):
            month, kind = cell.key["month"], cell.key["kind_code"]
            behind = flow.rows_link("outflow", {**self.here, "kind_code": kind, "period": month})
            rows.append([Shown(month, month, flow.link(f"/flow/county/{self.code}", period=month)), Shown(flow.name("kind_code", kind), kind),
                         *(flow.shown(cell.measures, name, behind) for name in COLUMNS)])
        return Panel("trend", word("flow_trend"), Sheet(columns, rows, {"snapshot": flow.view.snapshot.id, "county": self.code}), chart, word("flow_recent"))

    def destinations(self) -> Panel:
        """By kind, destination and level of the facility."""
        flow, found = self.flow, self.found.destinations
        where = {**flow.asked.time, **self.here}
        first, second = (flow.table("split", by, where) for by in (["kind_code", "destination_code"], ["destination_code", "facility_level"]))
        heads = labels("facility_level") | {"destination_code": word("flow_destination")}
        rows = [[*(Shown(flow.name(name, cell.key[name]), cell.key[name]) for name in found.by),
                 *(flow.shown(cell.measures, name, flow.rows_link("outflow", {**self.here, **cell.key})) for name in COLUMNS)] for cell in found.cells]
        sheet = Sheet([*(Column(name, heads[name]) for name in found.by), *(measure_column(name) for name in COLUMNS)], rows, flow.about(county=self.code))
        return Panel("destinations", word("flow_destinations"), sheet, sankey(flow, (first, second), self.here), "", "")

    def facilities(self) -> Panel:
        """Where avoidable outflow goes: the largest facilities."""
        flow, found = self.flow, self.found.facilities
        shown = [cell for cell in found.cells if cell.measures]
        where = {**self.here, "kind_code": "avoidable"}
        rows = [[Shown(flow.name("facility_code", cell.key["facility_code"]), cell.key["facility_code"]),
                 *(flow.shown(cell.measures, name, flow.rows_link("outflow", {**where, **cell.key})) for name in COLUMNS)] for cell in found.cells]
        columns = [Column("facility_code", word("flow_facility")), *(measure_column(name) for name in COLUMNS)]
        sheet = Sheet(columns, rows, flow.about(county=self.code, kind="avoidable"))
        chart = self._bars([flow.name("facility_code", c.key["facility_code"]) for c in shown], [amount(c.measures, flow.asked.measure) for c in shown],
                           [flow.rows_link("outflow", {**where, **c.key}) for c in shown], "avoidable")
        return Panel("facilities", word("flow_facilities"), sheet, chart, "", "")

    def treated(self) -> Panel:
        """Groups (DRG) that leave avoidably while facilities at home treat them, the greatest weight first, and where most go."""
        flow, found = self.flow, self.found.treated
        names, where = flow.names("drg"), {**self.here, "kind_code": "avoidable"}
        links = [flow.rows_link("outflow", {**where, "drg": one.drg}) for one in found]
        columns = [Column("drg", word("flow_dimension_drg")), Column("name", word("flow_group")), *(measure_column(name) for name in COLUMNS),
                   Column("home_stays", word("flow_home_stays"), True), Column("facility_code", word("flow_where_to"))]
        rows = [[Shown(one.drg, one.drg, link), names.get(one.drg, one.drg), *(flow.shown(one.measures, name, link) for name in COLUMNS),
                 Shown("*" if one.home_stays is None else f"{one.home_stays:,}", one.home_stays),
                 Shown("*" if one.facility_code is None else flow.name("facility_code", one.facility_code), one.facility_code)]
                for one, link in zip(found, links, strict=True)]
        first = found[:GROUPS_DRAWN]
        told = [f"{one.drg} {names.get(one.drg, '')}".strip() for one in first]
        chart = self._bars(told, [amount(one.measures, WEIGHT) for one in first], links, "avoidable", WEIGHT)
        return Panel("treated", word("flow_treated"), Sheet(columns, rows, flow.about(county=self.code, kind="avoidable")), chart, word("flow_treated_note"))

    def _bars(self, names: Sequence[str], values: Sequence[float | None], links: Sequence[str], kind: str, measure: str = "") -> dict[str, Any] | None:
        measure = measure or self.flow.asked.measure
        tone, decal = {"avoidable": ("bad", "lines"), "referred": ("brand", "none")}[kind]
        texts = [short(value, measure) for value in values]
        one = {"name": self.flow.name("kind_code", kind), "tone": tone, "decal": decal, "values": [drawn(value, measure) for value in values],
               "texts": texts, "links": list(links)}
        return {"kind": "flow_stack", "x": list(names), "is_upright": False, "series": [one], "totals": texts, "unit": unit(measure)} if names else None

    def groups(self, identity: str, gains: Sequence[GroupGain], kind: str) -> Panel:
        """Groups of outflow, the largest first, with cases a year, the share treated at home and where most go."""
        flow = self.flow
        codes = flow.names("principal_diagnosis_code")

        def named(gain: GroupGain) -> str:
            return codes.get(gain.diagnosis_code, "") or codes.get(gain.group, "")

        def link(gain: GroupGain) -> str:
            return flow.rows_link("outflow", {**self.here, "kind_code": kind, "diagnosis_group": gain.group, "severity_code": gain.severity})

        columns = [Column("group", word("flow_group")), Column("name", word("flow_group")), Column("severity", word("flow_severity")),
                   Column("cases_per_year", word("flow_cases_per_year"), True), *(measure_column(name) for name in COLUMNS),
                   Column("home_share", word("flow_home_share"), True), Column("facility_code", word("flow_where_to"))]
        rows = [[Shown(gain.group, gain.group, link(gain)), Shown(named(gain), gain.diagnosis_code),
                 Shown(flow.name("severity_code", gain.severity), gain.severity), Shown(f"{gain.cases_per_year:,.1f}", gain.cases_per_year),
                 *(flow.shown(gain.measures, name, link(gain)) for name in COLUMNS),
                 Shown("–" if gain.home_share is None else f"{gain.home_share * 100:.0f}%", gain.home_share),
                 Shown("*" if gain.facility_code is None else flow.name("facility_code", gain.facility_code), gain.facility_code)] for gain in gains]
        first = gains[:GROUPS_DRAWN]  # the names of ICD-10 codes are Chinese: a chart in English shows the codes, its table both
        severe = {"severe": f" ({flow.name('severity_code', 'severe')})"}
        spoken = {gain: told if language() == "zh" or told.isascii() else "" for gain in first for told in (named(gain),)}
        names = [f"{gain.group} {spoken[gain]}".strip() + severe.get(gain.severity, "") for gain in first]
        chart = self._bars(names, [amount(gain.measures, flow.asked.measure) for gain in first], [link(gain) for gain in first], kind)
        return Panel(identity, word(f"flow_{identity}"), Sheet(columns, rows, flow.about(county=self.code, kind=kind)), chart, word("flow_groups_note"), "")
