"""Answers as one actor sees them: of which places, for which periods, under which names."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import Request

from quanmin.catalog import Catalog
from quanmin.catalog.messages import language, say
from quanmin.gate import Actor, Scope
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.web.desk import Desk
from quanmin.web.figures import NOTHING, Figure, Row, figure, value_text
from quanmin.web.words import word

PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
PLACE = re.compile(r"[0-9A-Za-z_.-]{1,40}")
SNAPSHOT = re.compile(r"[0-9]{1,9}")
PLACES_SHOWN = 8  # counties in the list where no regions are registered
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
    if place and not PLACE.fullmatch(place):
        raise refused("place", place)
    return [f"place = '{place}'"] if place else []


class View:
    """What one actor may see."""

    def __init__(self, desk: Desk, actor: Actor, as_of: int | None = None) -> None:
        self.desk, self.actor = desk, actor
        self.indicators = self.desk.indicators(self.actor.scope, as_of)
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
        spoken = language() if spoken is None else spoken
        return self.desk.remembered((self.indicators.snapshot, self.actor.scope, self.actor.may("small"), spoken, key), make)

    def _listed(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.indicators.engine.table(sql, values).to_pylist()
        return found

    def counties(self) -> list[tuple[str, str]]:
        """(code, name) of the region's counties, or of those that occur where no regions are registered."""
        return self.remembered("counties", self._counties)

    def _counties(self) -> list[tuple[str, str]]:
        seen = self._listed("SELECT home_county AS code, count(*) AS n FROM hospitalisation WHERE home_county IS NOT NULL GROUP BY ALL ORDER BY n DESC, code")
        seen_codes = [row["code"] for row in seen]
        known = [row["code"] for row in self._listed("SELECT region_code AS code FROM region WHERE level = 'county' ORDER BY code")]
        if self.actor.scope.kind == "county":
            known = [code for code in known if code == self.actor.scope.value]
        chosen = [code for code in known if code in set(seen_codes)] or known or seen_codes[:PLACES_SHOWN]
        names = self.place_names()
        return [(code, names.get(code, code)) for code in chosen]

    def place_names(self) -> dict[str, str]:
        """Region code → name."""
        return self.remembered("places", lambda: self._names("region", "region_code"))

    def _names(self, table: str, code: str) -> dict[str, str]:
        chosen = "coalesce(name_en, name)" if language() == "en" else "name"
        rows = self._listed(f"SELECT {code} AS code, any_value({chosen} ORDER BY {code}) AS name FROM {table} WHERE {code} IS NOT NULL GROUP BY ALL")
        return {str(row["code"]): row["name"] for row in rows if row["name"]}

    def outlines(self) -> list[dict[str, Any]]:
        """Counties and cities with code, level, longitude, latitude (degrees, WGS-84) and boundary (GeoJSON text), each None where it is not registered."""
        last = ", ".join(f"arg_max({name}, (submission, line)) AS {name}" for name in ("level", "longitude", "latitude", "boundary"))
        return self.remembered("outlines", lambda: self._listed(
            f"SELECT region_code AS code, {last} FROM region WHERE level IN ('county', 'city') GROUP BY ALL ORDER BY code"), "")

    def facility_names(self) -> dict[str, str]:
        """Facility code → name."""
        return self.remembered("facilities", lambda: self._names("facility", "facility_code"))

    def _community_names(self) -> dict[str, str]:
        chosen = "coalesce(name_en, name)" if language() == "en" else "name"
        rows = self._listed(f"SELECT community_code AS code, any_value({chosen} ORDER BY facility_code) AS name FROM facility"
                            " WHERE is_community_lead GROUP BY ALL")
        return {str(row["code"]): word("community_of", name=row["name"]) for row in rows if row["code"]}

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
        return self.remembered("periods", self._periods, "")

    def _periods(self) -> list[str]:
        rows = self._listed("SELECT DISTINCT strftime(discharged_on, '%Y-%m') AS month FROM hospitalisation WHERE discharged_on IS NOT NULL")
        months = sorted((row["month"] for row in rows), reverse=True)
        return [period for year in sorted({m[:4] for m in months}, reverse=True) for period in (year, *(m for m in months if m[:4] == year))]

    def period(self, asked: str) -> str:
        """The period to show: the one asked for where there is data, else the newest month for which all that insurance owes has come."""
        periods = self.periods()
        if asked in periods:
            return asked
        silent = {row["m"] for row in self._listed(
            "SELECT DISTINCT strftime(period, '%Y-%m') AS m FROM receipt WHERE NOT is_received AND \"table\" = 'claim'")}
        months = [p for p in periods if len(p) == 7 and p not in silent]
        return months[0] if months else (periods[0] if periods else "")

    def code_names(self, indicator: Indicator, dimension: str) -> dict[str, str]:
        """Code → name for the values of a dimension."""
        for table in self.indicators.tables_of(indicator):
            column = self.catalog.tables[table].columns.get(dimension)
            if column is not None and column.codes:
                return {code: label.in_language(language()) or label.zh for code, label in self.catalog.codes[column.codes].codes.items()}
        if dimension == "facility_code":
            return self.facility_names()
        if dimension == "community_code":
            return self.remembered("communities", self._community_names)
        if dimension in ("place", "county") or dimension.endswith(("_county", "_township", "county_code", "township_code")):
            return self.place_names()
        return {"true": word("yes"), "false": word("no")}

    def column_labels(self, indicator: Indicator) -> dict[str, str]:
        """Column → label, of the tables the indicator is counted from."""
        tables = [self.catalog.tables[table] for table in self.indicators.tables_of(indicator)]
        return {c.name: c.label.in_language(language()) for table in reversed(tables) for c in table.columns.values()} | {
            name: word(name) for name in ("place", "county", "month", "year")}

    def targets(self, indicator: str) -> dict[tuple[str, str], float]:
        """(place, period) → target."""
        rows = self.remembered("targets", lambda: self._listed("SELECT indicator, place_code, period, value FROM target"), "")
        return {(row["place_code"], row["period"]): row["value"] for row in rows if row["indicator"] == indicator}

    def shown_period(self, indicator: Indicator, period: str) -> str:
        """The period an indicator's figures are for when `period` is looked at: its year where it is counted by years, "" where it has no time."""
        if not period or not has_time(indicator, self.catalog.indicators):
            return ""
        return period[:4] if is_yearly(indicator, self.catalog) else period

    def where(self, indicator: Indicator, period: str) -> list[str]:
        """The condition that limits an indicator to a period."""
        shown = self.shown_period(indicator, period)
        if not shown:
            return []
        return [f"year = {shown}"] if len(shown) == 4 else [f"month = '{shown}'"]

    def cells(self, indicator: Indicator, by: Sequence[str] = (), period: str = "") -> tuple[Cell, ...]:
        """The cells of an answer for a period ("" = all of it); none where the question cannot be cut that way."""
        shown = self.shown_period(indicator, period)
        if indicator.kind != "growth" or not shown:
            return self._ask(indicator, by, self.where(indicator, period))
        grain = "year" if len(shown) == 4 else "month"  # the period before must be in the answer as well
        cells = self._ask(indicator, [*by, grain], [])
        return tuple(replace(c, key={k: v for k, v in c.key.items() if k != grain}) for c in cells if str(c.key[grain]) == shown)

    def _ask(self, indicator: Indicator, by: Sequence[str], where: Sequence[str]) -> tuple[Cell, ...]:
        self.actor.require("figures", "figures", indicator.id)
        return self.remembered(("cells", indicator.id, tuple(by), tuple(where)), lambda: self._answered(indicator, by, where), "")

    def _answered(self, indicator: Indicator, by: Sequence[str], where: Sequence[str]) -> tuple[Cell, ...]:
        try:
            return self.actor.figures(self.indicators, indicator.id, by, where).cells
        except Refusal:
            return ()

    def rows(self, theme: str, period: str) -> list[Row]:
        """The indicators of a theme that can be computed, with their figures."""
        shown = sorted((i for i in self.catalog.indicators.values() if i.theme == theme and i.is_executable), key=lambda i: (i.code, i.part))
        return self.remembered((theme, period), lambda: [self._row(one, period) for one in shown])

    def _row(self, one: Indicator, period: str) -> Row:
        targets, below, year = self.targets(one.id), self.indicators.suppress_below, period[:4]
        by_county = {str(c.key["place"]): c for c in self.cells(one, ["place"], period)}
        total = self.cells(one, [], period)
        aim = targets.get((self.subject()[0], year))
        shown = tuple(figure(one, by_county.get(code), targets.get((code, year), aim), below) for code, _ in self.counties())
        of_total = figure(one, total[-1] if total else None, aim, below)
        return Row(one, self.shown_period(one, period), of_total, Figure(value_text(one, aim) if aim is not None else NOTHING), shown)


def warm(desk: Desk, themes: Sequence[str]) -> None:
    """Work out what is asked first, before anybody asks: the newest figures of the whole region; nothing where there is no snapshot yet."""
    if not desk.site.ledger.snapshots():
        return
    leader = Actor("", "leader", Scope(), desk.site.ledger)
    first = View(desk, leader)
    first.rows(themes[0], first.period(""))
    desk.hold(Scope())
    view = View(desk, leader)
    for theme in themes:
        if not desk.is_serving:
            return
        view.rows(theme, view.period(""))


def _halves_of(indicator: Indicator) -> list[str]:
    return [indicator.of] if indicator.kind == "growth" else list(indicator.parts.values())


def is_yearly(indicator: Indicator, catalog: Catalog) -> bool:
    """Whether an indicator is counted from yearly records on either side."""
    if indicator.kind in ("growth", "composite"):
        return any(is_yearly(catalog.indicators[name], catalog) for name in _halves_of(indicator))
    halves = [h for h in (indicator.numerator, indicator.denominator) if h is not None and h.time]
    return any(catalog.tables[h.table].columns[h.time].type == "integer" for h in halves)


def has_time(indicator: Indicator, others: dict[str, Indicator]) -> bool:
    """Whether an indicator can be cut by periods."""
    if indicator.kind in ("growth", "composite"):
        return all(has_time(others[name], others) for name in _halves_of(indicator))
    return bool(indicator.numerator and indicator.numerator.time)
