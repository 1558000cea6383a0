"""Asking on behalf of an actor: what services get to see, the actor's scope, permissions and suppression already in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from quanmin.catalog.messages import language, say
from quanmin.gate.actor import Actor
from quanmin.gate.event_desk import EventDesk
from quanmin.gate.exercise_desk import ExerciseDesk
from quanmin.gate.finding_desk import act, acts_seen, findings_seen, replayed
from quanmin.gate.targets import InForce, in_force
from quanmin.model import Answer, Cell, Indicator, Problem, Refusal
from quanmin.model.appraisal import Handbook, ScoringSheet
from quanmin.model.asker import UNITS, Evidence, Unit
from quanmin.model.disease import NotifiableDisease
from quanmin.model.finding import FindingAct, Found, Replay
from quanmin.model.question import Check
from quanmin.records.ledger import now, today
from quanmin.services.indicators import Indicators
from quanmin.services.indicators.suppression import suppress

if TYPE_CHECKING:
    import pyarrow as pa

PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
CODE = re.compile(r"[0-9A-Za-z_.-]{1,40}")
UNIT_DIMENSION = {"county": "place", "facility": "facility_code"}
Made = TypeVar("Made")
FEWEST_COUNTIES = 8  # where no regions are registered, the most frequent home counties stand in


def _refused(field: str, value: str, mend: str) -> Refusal:
    return Refusal(Problem("question", None, field, value[:40], say("bad_value"), mend))


def _own_memory() -> Callable[[Hashable, Callable[[], Any]], Any]:
    """What remembers for as long as one inquiry lasts."""
    kept: dict[Hashable, Any] = {}

    def remember(key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in kept:
            kept[key] = make()
        return kept[key]

    return remember


def has_time(indicator: Indicator, others: Mapping[str, Indicator]) -> bool:
    """Whether an indicator can be cut by periods."""
    if indicator.kind in ("growth", "composite"):
        return all(has_time(others[name], others) for name in _made_of(indicator))
    return bool(indicator.numerator and indicator.numerator.time)


def _made_of(indicator: Indicator) -> list[str]:
    return [indicator.of] if indicator.kind == "growth" else list(indicator.parts.values())


class Inquiry(EventDesk, ExerciseDesk):
    """An Asker: an actor in front of opened indicators; `remember` may keep what was worked out under a key (see Desk.remembered).

    `whole` gives the same of the whole region, for what is learnt from all of it; without it only who sees the region can compare with it.
    """

    def __init__(self, actor: Actor, indicators: Indicators, region: str, remember: Callable[[Hashable, Callable[[], Any]], Any] | None = None,
                 whole: Callable[[], Inquiry] | None = None) -> None:
        self.actor, self.indicators, self._remember, self._whole = actor, indicators, remember or _own_memory(), whole
        scope = actor.scope
        self._region = region if scope.kind == "region" else scope.value

    @property
    def region(self) -> str:
        """The code of what the headline figures are about."""
        return self._region

    @property
    def snapshot(self) -> int:
        """The snapshot that answers."""
        return self.indicators.snapshot

    def may(self, permission: str) -> bool:
        """Whether the role grants a permission."""
        return self.actor.may(permission)

    def listed(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a query within the actor's scope."""
        found: list[dict[str, Any]] = self.indicators.engine.table(sql, values).to_pylist()
        return found

    def question(self, name: str) -> Indicator:
        """An indicator that can be computed; raises Refusal otherwise."""
        found = self.definition(name)
        if not found.is_executable:
            raise _refused("indicator", name, say("mend_indicator"))
        return found

    def definition(self, name: str) -> Indicator:
        """An indicator, whether it can be computed or not; raises Refusal for an unknown one."""
        if name not in self.indicators.catalog.indicators:
            raise _refused("indicator", name, say("mend_indicator"))
        return self.indicators.catalog.indicators[name]

    def questions(self) -> Mapping[str, Indicator]:
        """All indicators that can be computed."""
        return {name: one for name, one in self.indicators.catalog.indicators.items() if one.is_executable}

    def figures(self, name: str, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        """An indicator's figures; raises Refusal."""
        self.actor.admit(self.indicators, name, by, where)  # what was worked out for one role is not another's
        found: Answer = self._remember(("figures", name, tuple(by), tuple(where)), lambda: self.actor.figures(self.indicators, name, by, where))
        return found

    def prepare(self, names: Sequence[str], groupings: Sequence[Sequence[str]], where: Sequence[str] = ()) -> None:
        """Count figures that will be asked by each of these groupings together; raises Refusal."""
        self.actor.prepare(self.indicators, names, groupings, where)

    def is_yearly(self, name: str) -> bool:
        """Whether an indicator is counted from yearly records on either side."""
        indicator, catalog = self.indicators.catalog.indicators[name], self.indicators.catalog
        if indicator.kind in ("growth", "composite"):
            return any(self.is_yearly(part) for part in _made_of(indicator))
        halves = [half for half in (indicator.numerator, indicator.denominator) if half is not None and half.time]
        return any(catalog.tables[half.table].columns[half.time].type == "integer" for half in halves)

    def has_months(self, name: str) -> bool:
        """Whether an indicator can be cut by months."""
        return has_time(self.indicators.catalog.indicators[name], self.indicators.catalog.indicators) and not self.is_yearly(name)

    def periods(self) -> list[str]:
        """Years and months with stays, the newest first."""
        found: list[str] = self._remember("periods", self._periods)
        return found

    def _periods(self) -> list[str]:
        rows = self.listed("SELECT DISTINCT strftime(discharged_on, '%Y-%m') AS month FROM hospitalisation WHERE discharged_on IS NOT NULL")
        months = sorted((row["month"] for row in rows), reverse=True)
        return [period for year in sorted({m[:4] for m in months}, reverse=True) for period in (year, *(m for m in months if m[:4] == year))]

    def newest(self) -> str:
        """The newest month for which all that insurance owes has come, "" without data."""
        found: str = self._remember("newest", self._newest)
        return found

    def _newest(self) -> str:
        silent = {row["m"] for row in self.listed(
            "SELECT DISTINCT strftime(period, '%Y-%m') AS m FROM receipt WHERE NOT is_received AND \"table\" = 'claim'")}
        months = [period for period in self.periods() if len(period) == 7]
        return next((month for month in months if month not in silent), months[0] if months else "")

    def period(self, asked: str = "") -> str:
        """The year or month asked for, or the newest complete month; raises Refusal for what is none."""
        if asked and not PERIOD.fullmatch(asked):
            raise _refused("period", asked, "2026, 2026-03")
        return asked or self.newest()

    def months(self) -> Sequence[str]:
        """All months with data up to the newest complete one, in order."""
        periods, newest = self.periods(), self.newest()
        return sorted(period for period in periods if len(period) == 7 and period <= newest)

    def where(self, place: str = "", facility: str = "") -> list[str]:
        """The condition for a place or a facility; raises Refusal for what cannot be a code."""
        for name, code in (("place", place), ("facility", facility)):
            if code and not CODE.fullmatch(code):
                raise _refused(name, code, say("mend_code"))
        return ([f"place = '{place}'"] if place else []) + ([f"facility_code = '{facility}'"] if facility else [])

    def series(self, name: str, place: str = "", facility: str = "") -> Mapping[str, Cell]:
        """Month → cell up to the newest complete month, of all, a place or a facility; raises Refusal for an indicator without months."""
        where = self.where(place, facility)
        self.question(name)
        if not self.has_months(name):
            raise _refused("indicator", name, say("mend_months"))
        if facility and not self.may("small"):  # a role without small counts filters by place and period alone: from all facilities, this one
            return self.monthly(name, "facility").get(facility, {})
        return self._until_newest(self.figures(name, ["month"], where).cells)

    def _until_newest(self, cells: Sequence[Cell]) -> dict[str, Cell]:
        newest = self.newest()
        return {str(c.key["month"]): c for c in cells if c.key["month"] is not None and str(c.key["month"]) <= newest}

    def shown_period(self, name: str, period: str) -> str:
        """The period an indicator's figures are for: its year where it is counted by years, "" where it has no time."""
        others = self.indicators.catalog.indicators
        if not period or not has_time(others[name], others):
            return ""
        return period[:4] if self.is_yearly(name) else period

    def of_period(self, name: str, period: str) -> Cell | None:
        """The cell of all that is seen in a period."""
        return next(iter(self.cells(name, [], period)), None)

    def cells(self, name: str, by: list[str], period: str) -> tuple[Cell, ...]:
        """The cells of a period; of growth, the period before must be in the answer as well."""
        shown = self.shown_period(name, period)
        if self.question(name).kind != "growth" or not shown:
            return self.figures(name, by, self.within(name, period)).cells
        grain = "year" if len(shown) == 4 else "month"
        cells = self.figures(name, [*by, grain]).cells
        return tuple(replace(c, key={k: v for k, v in c.key.items() if k != grain}) for c in cells if str(c.key[grain]) == shown)

    def by_unit(self, name: str, period: str, unit: str = "county") -> Mapping[str, Cell]:
        """Unit code → cell of a period, of registered units only."""
        dimension, known = self._dimension(unit), self.units(unit)
        self.question(name)
        cells = self.cells(name, [dimension], period)
        return {str(c.key[dimension]): c for c in cells if str(c.key[dimension]) in known}

    def within(self, name: str, period: str) -> list[str]:
        """The condition that limits an indicator to a period: its year where it is counted by years, none where it has no time."""
        if not period or not has_time(self.indicators.catalog.indicators[name], self.indicators.catalog.indicators):
            return []
        shown = self.period(period)[:4] if self.is_yearly(name) else self.period(period)
        return [f"year = {shown}"] if len(shown) == 4 else [f"month = '{shown}'"]

    def monthly(self, name: str, unit: str = "county") -> Mapping[str, Mapping[str, Cell]]:
        """Unit code → month → cell up to the newest complete month, of registered units only."""
        dimension, known = self._dimension(unit), self.units(unit)
        self.question(name)
        if not self.has_months(name):
            raise _refused("indicator", name, say("mend_months"))
        self.actor.admit(self.indicators, name, ["month", dimension], ())
        found: Mapping[str, Mapping[str, Cell]] = self._remember(("monthly", name, unit), lambda: self._monthly(name, dimension, known))
        return found

    def _monthly(self, name: str, dimension: str, known: Collection[str]) -> Mapping[str, Mapping[str, Cell]]:
        found: dict[str, list[Cell]] = {}
        for cell in self.figures(name, ["month", dimension]).cells:
            if str(cell.key[dimension]) in known:
                found.setdefault(str(cell.key[dimension]), []).append(cell)
        return {code: self._until_newest(cells) for code, cells in found.items()}

    @staticmethod
    def _dimension(unit: str) -> str:
        if unit not in UNITS:
            raise _refused("unit", unit, ", ".join(UNITS))
        return UNIT_DIMENSION[unit]

    def units(self, unit: str = "county") -> Mapping[str, Unit]:
        """The registered units by code, named in the spoken language."""
        self._dimension(unit)
        found: dict[str, Unit] = self._remember(("units", unit, language()), self._counties if unit == "county" else self._facilities)
        return found

    def _counties(self) -> dict[str, Unit]:
        name = "coalesce(name_en, name)" if language() == "en" else "name"
        rows = self.listed(f"SELECT region_code AS code, {name} AS name, is_urban FROM region WHERE level = 'county' ORDER BY code")
        if self.actor.scope.kind == "county":
            rows = [row for row in rows if row["code"] == self.actor.scope.value]
        seen = self.listed("SELECT home_county AS code, count(*) AS n FROM hospitalisation WHERE home_county IS NOT NULL GROUP BY ALL ORDER BY n DESC, code")
        lived = {row["code"] for row in seen}
        chosen = [row for row in rows if row["code"] in lived] or rows
        if not chosen:
            chosen = [{"code": row["code"], "name": row["code"], "is_urban": None} for row in seen[:FEWEST_COUNTIES]]
        kinds = {True: "urban", False: "rural", None: ""}
        return {row["code"]: Unit(row["code"], row["name"], "county", kinds[row["is_urban"]], row["code"]) for row in chosen}

    def _facilities(self) -> dict[str, Unit]:
        name = "coalesce(name_en, name)" if language() == "en" else "name"
        rows = self.listed(f"SELECT facility_code, {name} AS name, level_code, type_code, county_code, community_code, is_community_lead FROM facility"
                           " ORDER BY facility_code")
        return {row["facility_code"]: Unit(row["facility_code"], row["name"] or row["facility_code"], row["level_code"] or "", row["type_code"] or "",
                                           row["county_code"] or "", row["community_code"] or "", bool(row["is_community_lead"])) for row in rows}

    def place_names(self) -> Mapping[str, str]:
        """Division code → name in the spoken language."""
        name = "coalesce(name_en, name)" if language() == "en" else "name"
        query = f"SELECT region_code AS code, any_value({name} ORDER BY region_code) AS name FROM region GROUP BY ALL"
        found: dict[str, str] = self._remember(("place names", language()), lambda: {row["code"]: row["name"] for row in self.listed(query)})
        return found

    def targets(self, name: str) -> Mapping[tuple[str, str], float]:
        """(place or facility code, period) → target: the files' and, over them, those people have set."""
        filed = {(place, period): value for indicator, place, period, value in self.filed_targets() if indicator == name}
        entered = {(place, period): value for (indicator, place, period), value in self.set_targets.values.items() if indicator == name}
        return {key: value for key, value in (filed | entered).items() if value is not None}

    def filed_targets(self) -> list[tuple[str, str, str, float]]:
        """(indicator, place or facility code, period, value) of the targets that files brought."""
        rows = self._remember("targets of files", lambda: self.listed("SELECT indicator, place_code, period, value FROM target"))
        return [(row["indicator"], row["place_code"], row["period"], float(row["value"])) for row in rows]

    @cached_property
    def set_targets(self) -> InForce:
        """The targets people have set that hold as of the snapshot."""
        return in_force(self.actor.ledger, self.snapshot)

    def received(self, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        """(sender, month) of the submissions that have come."""
        query = "SELECT sender, strftime(period, '%Y-%m') AS month FROM receipt WHERE is_received AND list_contains($tables, \"table\")"
        return frozenset((row["sender"], row["month"]) for row in self.listed(query, tables=list(tables)))

    def evidence(self) -> Sequence[Evidence]:
        """What was reported of items that are not computed, within the actor's scope."""
        self.actor.require("figures", "evidence", "list")
        found: list[Evidence] = self._remember("evidence", self._evidence)
        return found

    def _evidence(self) -> list[Evidence]:
        sent = {one.id: one for one in self.actor.ledger.submissions()}
        rows = self.listed("SELECT * FROM appraisal_evidence ORDER BY indicator, unit_code, year, document")
        return [Evidence(row["indicator"], row["unit_code"], row["county_code"] or "", row["year"], row["document"] or "", row["judgement"] or "",
                         None if row["value"] is None else float(row["value"]), row["statement"] or "", row["sender"], sent[row["submission"]].file,
                         row["line"], sent[row["submission"]].received_at) for row in rows]

    def today(self) -> str:
        """This day in China."""
        return today()

    def now(self) -> str:
        """This moment, its offset stated."""
        return now()

    def sheets(self) -> Mapping[str, ScoringSheet]:
        """The scoring sheets of appraisals by id."""
        return self.indicators.catalog.sheets

    def handbooks(self) -> Mapping[str, Handbook]:
        """The handbooks of appraisals by id."""
        return self.indicators.catalog.handbooks

    def rules(self) -> Mapping[str, Check]:
        """The rules of supervision by id."""
        return self.indicators.catalog.rules

    def findings(self, rule: str = "", family: str = "", facility: str = "", place: str = "", period: str = "", finding: str = "",
                 among: Sequence[str] | None = None) -> Sequence[Found]:
        """What the rules find in the snapshot, within the actor's scope."""
        self.actor.require("figures", "findings", "list")
        told = {"rule": rule, "family": family, "facility": facility, "place": place, "period": period, "finding": finding}
        return findings_seen(self, told, among)

    def replayed(self, rule: str, applies: str, violated: str, where: Sequence[str] = ()) -> Replay:
        """The findings of a rule and of the same with other conditions ("" = as it is), over all months within the actor's scope, audited."""
        return replayed(self, rule, applies, violated, where)

    def finding_acts(self, finding: str = "") -> Sequence[FindingAct]:
        """What was done about a finding, or about all, within the actor's scope."""
        return acts_seen(self, finding)

    def act_on_findings(self, acts: Sequence[FindingAct]) -> None:
        """Record acts in the actor's name, audited."""
        act(self, acts)

    def diseases(self) -> Mapping[str, NotifiableDisease]:
        """The notifiable diseases by code."""
        return self.indicators.catalog.diseases

    def kept(self, key: str, make: Callable[[], Made]) -> Made:
        """What `make` gives of what was learnt of the region, worked out once for everybody; raises NotAllowed like `learnt`."""
        self.actor.require("figures", "figures", f"learnt {key}")
        if self._whole is not None:
            return self._whole().kept(key, make)
        if self.actor.scope.kind != "region":
            self.actor.refuse("figures", f"learnt {key}")
        found: Made = self._remember(("kept", key), make)
        return found

    def learnt(self, key: str, table: str, columns: Sequence[str], make: Callable[[pa.Table, str], Any]) -> Any:
        """What `make` learns from columns of all rows of the region and its newest complete month, worked out once for everybody.

        Raises NotAllowed without the permission to see figures, and ValueError for a column that could tell persons.
        """
        self.actor.require("figures", "figures", f"learnt {key}")
        if self._whole is not None:
            return self._whole().learnt(key, table, columns, make)
        if self.actor.scope.kind != "region":
            self.actor.refuse("figures", f"learnt {key}")
        private = [name for name in columns if self.indicators.catalog.tables[table].columns[name].private != "no"]
        if private:
            raise ValueError(f"{table}: {', '.join(private)}")
        query = f'SELECT {", ".join(columns)} FROM "{table}"'
        return self._remember(("learnt", key), lambda: make(self.indicators.engine.table(query), self.newest()))

    def withheld(self, counts: Mapping[str, tuple[float, float]]) -> frozenset[str]:
        """Of units with (events, cases) those whose counts the role may not see, and those that would give them away."""
        below = self.indicators.suppress_below
        if self.may("small") or below <= 1:
            return frozenset()
        cells = tuple(Cell({"unit": code}, events, cases, 0, None) for code, (events, cases) in counts.items())
        return frozenset(cell.key["unit"] for cell in suppress(Answer("", "", ("unit",), cells), below).cells if cell.suppressed)
