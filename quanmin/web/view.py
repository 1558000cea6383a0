"""Answers as one actor sees them: of which places, for which periods, under which names."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language, say
from quanmin.gate import Actor
from quanmin.gate.inquiry import CODE, PERIOD
from quanmin.model import Cell, Check, Indicator, Problem, Refusal
from quanmin.reports.wording import code_names
from quanmin.reports.words import told
from quanmin.web.desk import Desk
from quanmin.web.figures import NOTHING, Figure, Row, figure, value_text
from quanmin.web.words import word

SNAPSHOT = re.compile(r"[0-9]{1,9}")
Made = TypeVar("Made")


def refused(name: str, value: str) -> Refusal:
    """The refusal of a value in an address."""
    return Refusal(Problem("question", None, name, value[:40], say("bad_value"), word("go_back")))


def asked_period(period: str) -> str:
    """A period given in an address: "", a year or a month; raises Refusal for anything else."""
    if period and not PERIOD.fullmatch(period):
        raise refused("period", period)
    return period


def asked_place(place: str) -> list[str]:
    """The condition for a place given in an address; raises Refusal for what cannot be a code."""
    if place and not CODE.fullmatch(place):
        raise refused("place", place)
    return [f"place = '{place}'"] if place else []


class View:
    """What one actor may see."""

    def __init__(self, desk: Desk, actor: Actor, as_of: int | None = None) -> None:
        self.desk, self.actor = desk, actor
        self.inquiry = desk.inquiry(actor, as_of)
        self.indicators = self.inquiry.indicators
        self.snapshot = desk.site.snapshot(self.indicators.snapshot)
        self.catalog: Catalog = self.indicators.catalog
        self.region = self.desk.site.settings.region

    @classmethod
    def of(cls, request: Request) -> View:
        """What a request may see."""
        desk: Desk = request.app.state.desk
        as_of = request.query_params.get("as_of", "")
        if as_of and not SNAPSHOT.fullmatch(as_of):
            raise refused("as_of", as_of)
        return cls(desk, desk.actor(request), int(as_of) if as_of else None)

    def remembered(self, key: Hashable, make: Callable[[], Made], spoken: str | None = None) -> Made:
        """What `make` gives, kept as long as snapshot, scope, the right to small counts and language (unless it has none: "") are the same."""
        return self.desk.remembered(self.key(key, language() if spoken is None else spoken), make)

    def key(self, key: Hashable, spoken: str = "") -> Hashable:
        """The full key of something remembered."""
        return self.desk.key(self.indicators.snapshot, self.actor, key, spoken)

    def counties(self) -> list[tuple[str, str]]:
        """(code, name) of the region's counties, or of those that occur where no regions are registered."""
        return [(code, unit.name) for code, unit in self.inquiry.units("county").items()]

    def place_names(self) -> Mapping[str, str]:
        """Region code → name."""
        return self.inquiry.place_names()

    def facility_names(self) -> dict[str, str]:
        """Facility code → name."""
        return self.remembered("facility names", lambda: {code: unit.name for code, unit in self.inquiry.units("facility").items()})

    def community_names(self) -> Mapping[str, str]:
        """Medical community code → name."""
        return {unit.of_community: told("reports", "community_of", name=unit.name) for unit in self.inquiry.units("facility").values() if unit.is_lead}

    def outlines(self) -> list[dict[str, Any]]:
        """Counties and cities with code, level, longitude, latitude (degrees, WGS-84) and boundary (GeoJSON text), each None where it is not registered."""
        last = ", ".join(f"arg_max({name}, (submission, line)) AS {name}" for name in ("level", "longitude", "latitude", "boundary"))
        return self.remembered("outlines", lambda: self.inquiry.listed(
            f"SELECT region_code AS code, {last} FROM region WHERE level IN ('county', 'city') GROUP BY ALL ORDER BY code"), "")

    def township_outlines(self, county: str) -> list[dict[str, Any]]:
        """Townships of a county with code and boundary (GeoJSON text, None where it is not registered)."""
        return self.remembered(("township outlines", county), lambda: self.inquiry.listed(
            "SELECT region_code AS code, arg_max(boundary, (submission, line)) AS boundary FROM region"
            " WHERE level = 'township' AND left(region_code, 6) = $county GROUP BY ALL ORDER BY code", county=county), "")

    def subject(self) -> tuple[str, str]:
        """(code, name) of what the headline figure is about: the region, or the part of it that the account is limited to."""
        kind, value = self.actor.scope.kind, self.actor.scope.value
        if kind == "county":
            return value, self.place_names().get(value, value)
        if kind == "facility":
            return value, self.facility_names().get(value, value)
        return self.region, word("region_total")

    def periods(self) -> list[str]:
        """Years and months with stays, the newest first."""
        return self.inquiry.periods()

    def period(self, asked: str) -> str:
        """The period to show: the one asked for where there is data, else the newest month for which all that insurance owes has come."""
        return asked if asked in self.periods() else self.inquiry.newest()

    def code_names(self, indicator: Indicator | Check, dimension: str) -> Mapping[str, str]:
        """Code → name for the values of a dimension."""
        return code_names(self.inquiry, indicator, dimension)

    def column_labels(self, indicator: Indicator | Check) -> dict[str, str]:
        """Column → label, of the tables the indicator is counted from."""
        tables = [self.catalog.tables[table] for table in self.indicators.tables_of(indicator)]
        return {c.name: c.label.in_language(language()) for table in reversed(tables) for c in table.columns.values()} | {
            name: word(name) for name in ("place", "county", "month", "year")}

    def targets(self, indicator: str) -> Mapping[tuple[str, str], float]:
        """(place, period) → target."""
        return self.inquiry.targets(indicator)

    def shown_period(self, indicator: Indicator, period: str) -> str:
        """The period an indicator's figures are for when `period` is looked at: its year where it is counted by years, "" where it has no time."""
        return self.inquiry.shown_period(indicator.id, period)

    def where(self, indicator: Indicator, period: str) -> list[str]:
        """The condition that limits an indicator to a period."""
        return self.inquiry.within(indicator.id, period)

    def cells(self, indicator: Indicator, by: Sequence[str] = (), period: str = "") -> tuple[Cell, ...]:
        """The cells of an answer for a period ("" = all of it); none where the question cannot be cut that way."""
        self.actor.require("figures", "figures", indicator.id)
        try:
            return self.inquiry.cells(indicator.id, list(by), period)
        except Refusal:
            return ()

    def placed_cells(self, indicator: Indicator, by: Sequence[str], period: str, place: str = "") -> tuple[Cell, ...]:
        """The cells of an answer for a period at a place ("" = all that is seen); none where the question cannot be cut that way."""
        if not place:
            return self.cells(indicator, by, period)
        try:
            if not by:
                found = self.inquiry.by_unit(indicator.id, period).get(place)
                return () if found is None else (found,)
            return self.inquiry.figures(indicator.id, by, [*self.where(indicator, period), *self.inquiry.where(place)]).cells
        except Refusal:
            return ()

    def rows(self, theme: str, period: str) -> list[Row]:
        """The indicators of a theme that can be computed, with their figures."""
        shown = sorted((i for i in self.catalog.indicators.values() if i.theme == theme and i.is_executable), key=lambda i: (i.code, i.part))

        def read() -> list[Row]:
            alike: dict[tuple[str, ...], list[str]] = {}
            for one in shown:
                alike.setdefault(tuple(self.where(one, period)), []).append(one.id)
            for where, names in alike.items():
                self.inquiry.prepare(names, [[], ["place"]], where)
            return [self._row(one, period) for one in shown]

        return self.remembered((theme, period, self.inquiry.set_targets.version), read)

    def _row(self, one: Indicator, period: str) -> Row:
        targets, below, year = self.targets(one.id), self.indicators.suppress_below, period[:4]
        by_county = {str(c.key["place"]): c for c in self.cells(one, ["place"], period)}
        total = self.cells(one, [], period)
        aim = targets.get((self.subject()[0], year))
        shown = tuple(figure(one, by_county.get(code), targets.get((code, year), aim), below) for code, _ in self.counties())
        of_total = figure(one, total[-1] if total else None, aim, below)
        return Row(one, self.shown_period(one, period), of_total, Figure(value_text(one, aim) if aim is not None else NOTHING), shown)
