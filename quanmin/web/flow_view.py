"""Flow as one actor's pages ask for it: the period and cut in an address, answers kept in memory, names of groups, links, amounts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from quanmin.catalog.messages import language, say
from quanmin.gate.flow_desk import NONE, FlowDesk
from quanmin.model import Problem, Refusal
from quanmin.services.flow import MEASURES, UNWEIGHED, CountyFlow, FlowTable, Measures
from quanmin.web.figures import NOTHING, number
from quanmin.web.sheets import Column, Shown
from quanmin.web.view import View, asked_period, refused
from quanmin.web.words import word

CUTS = ("facility_county", "facility_level", "icd_chapter", "mdc", "drg", "age_band", "is_insured", "payment_method_code", "sex_code")
WEIGHT = "relative_weight"
SHOWN_MEASURES = ("stays", "bed_days", WEIGHT, "charge_cny")
COLUMNS = (*MEASURES, UNWEIGHED)  # of every sheet
MONEY = ("charge_cny", "fund_paid_cny")
MONEY_SCALE = {"zh": 10_000, "en": 1_000}  # CNY in the unit of charts: ten thousand, thousand
KINDS = {  # kind → colour, pattern, line
    "avoidable": ("bad", "lines", "dashed"), "referred": ("brand", "none", "solid"), "nearer": ("warn", "dots", "dotted"), None: ("soft", "cross", "dotted"),
}
TABLE_OF = ("outflow", "hospitalisation")


@dataclass(frozen=True)
class Asked:
    """What an address asks for: a period, a measure, and a cut of which one group may be looked at alone."""

    period: str
    measure: str
    cut: str
    only: str

    @property
    def time(self) -> dict[str, str]:
        """The condition on time."""
        return {} if not self.period else {"year" if len(self.period) == 4 else "month": self.period}

    @property
    def where(self) -> dict[str, str]:
        """All conditions."""
        return self.time | ({self.cut: self.only} if self.only else {})


def amount(measures: Measures | None, measure: str) -> float | None:
    """One measure as a plain number; None where it is withheld or there is none."""
    return None if measures is None else float(getattr(measures, measure))


def short(value: float | None, measure: str) -> str:
    """An amount as charts write it: counts in full, weights with one decimal, money in the unit that `unit` names."""
    if value is None:
        return "*"
    return f"{value / MONEY_SCALE[language()]:,.1f}" if measure in MONEY else f"{value:,.1f}" if measure == WEIGHT else f"{value:,.0f}"


def drawn(value: float | None, measure: str) -> float | None:
    """An amount in the unit that `unit` names."""
    return None if value is None else round(value / MONEY_SCALE[language()], 4) if measure in MONEY else value


def unit(measure: str) -> str:
    """The unit of `short`."""
    return word(f"flow_unit_{measure}")


def measure_column(name: str) -> Column:
    """The column of a measure in a sheet, money in CNY."""
    label = word(f"flow_{name}")
    return Column(name, word("flow_cny", name=label) if name in MONEY else label, True)


class FlowView:
    """One actor's flow for one address."""

    def __init__(self, view: View, given: Mapping[str, str]) -> None:
        view.actor.require("figures", "figures", "flow")  # before anything is taken from memory
        self.view, self._as_of = view, given.get("as_of", "")
        self.desk = FlowDesk(view.actor, view.indicators, view.desk.site.flow)
        self.asked = self._asked(given)
        self.may_rows = view.actor.may("rows")

    @classmethod
    def of(cls, request: Request) -> FlowView:
        """The flow a request asks for."""
        return cls(View.of(request), request.query_params)

    def _asked(self, given: Mapping[str, str]) -> Asked:
        period, measure, cut = asked_period(given.get("period", "")), given.get("measure", "") or "stays", given.get("cut", "") or CUTS[0]
        if period and period not in self.view.periods():
            raise refused("period", period)
        for name, value, known in (("measure", measure, SHOWN_MEASURES), ("cut", cut, CUTS)):
            if value not in known:
                raise Refusal(Problem("flow", None, name, value[:40], say("bad_value"), say("choose_from", choices=", ".join(known))))
        return Asked(period or self._usual_period(), measure, cut, given.get("only", ""))

    def _usual_period(self) -> str:
        """The newest year with all its months, else the newest period there is."""
        periods = self.view.periods()
        full = [p for p in periods if len(p) == 4 and sum(q.startswith(f"{p}-") for q in periods) == 12]
        return full[0] if full else (periods[0] if periods else "")

    def span(self) -> tuple[str, str]:
        """First and last month of the period with data."""
        months = sorted(p for p in self.view.periods() if len(p) == 7 and p.startswith(self.asked.period))
        return (months[0], months[-1]) if months else ("", "")

    def table(self, what: str, by: Sequence[str], where: Mapping[str, str] | None = None) -> FlowTable:
        """An answer of the service, for the address's conditions unless others are given; worked out once."""
        chosen = dict(self.asked.where if where is None else where)
        key = ("flow", what, tuple(by), tuple(sorted(chosen.items())))
        return self.view.remembered(key, lambda: self.desk.table(what, by, chosen), "")

    def county(self, code: str) -> CountyFlow:
        """One county's flow in the period; worked out once."""
        first, last = self.span()
        return self.view.remembered(("flow county", code, first, last), lambda: self.desk.county(code, first, last), "")

    def names(self, dimension: str) -> dict[str, str]:
        """Code → name of a dimension's groups."""
        if dimension.endswith("_county"):
            return self.view.place_names()
        if dimension == "facility_code":
            return self.view.facility_names()
        if dimension == "is_insured":
            return {"true": word("flow_insured"), "false": word("flow_uninsured")}
        column = next((t.columns[dimension] for t in (self.view.catalog.tables[n] for n in TABLE_OF) if dimension in t.columns), None)
        listed = self.view.catalog.codes[column.codes].codes if column is not None and column.codes else {}
        return {code: label.in_language(language()) or label.zh for code, label in listed.items()}

    def name(self, dimension: str, value: Any) -> str:
        """What a group is called."""
        if value is None:
            return word("flow_untold" if dimension == "kind_code" else "flow_not_given")
        key = str(value).lower() if isinstance(value, bool) else str(value)
        return self.names(dimension).get(key, key)

    def link(self, path: str, **more: Any) -> str:
        """An address that keeps period, measure and snapshot."""
        kept = {"period": self.asked.period, "measure": self.asked.measure, "as_of": self._as_of} | more
        return f"{path}?{urlencode({name: value for name, value in kept.items() if value})}"

    def rows_link(self, what: str, key: Mapping[str, Any]) -> str:
        """Where the rows behind a group are; "" for who may not see them."""
        if not self.may_rows:
            return ""
        conditions = {name: NONE if value is None else str(value).lower() if isinstance(value, bool) else value for name, value in key.items()}
        only = {self.asked.cut: self.asked.only} if self.asked.only else {}
        return self.link("/flow/rows", what=what, **(only | conditions))

    def county_link(self, code: Any) -> str:
        """Where a county's flow is; "" for what is none, or a county outside the account's scope."""
        scope = self.view.actor.scope
        is_seen = code is not None and (scope.kind != "county" or code == scope.value)
        return self.link(f"/flow/county/{code}") if is_seen else ""

    def drill(self, what: str, key: Mapping[str, Any]) -> str:
        """Where a number leads: to its rows, or to its county for who may not see rows."""
        return self.rows_link(what, key) or (self.county_link(key.get("home_county")) if "home_county" in key else "")

    def shown(self, measures: Measures | None, name: str, href: str = "") -> Shown:
        """A measure in a sheet."""
        if measures is None:
            return Shown("*", None, "", "", word("suppressed", below=self.view.indicators.suppress_below))
        value = getattr(measures, name)
        return Shown(f"{value:,.2f}" if name == WEIGHT else number(value), value, href)

    def about(self, **more: Any) -> dict[str, Any]:
        """What every sheet says of itself."""
        only = {self.asked.cut: self.asked.only} if self.asked.only else {}
        return {"period": self.asked.period, "snapshot": self.view.snapshot.id} | only | more


def total_text(measures: Measures | None, measure: str) -> str:
    """A total, or a dash where there is none."""
    return NOTHING if measures is None else short(amount(measures, measure), measure)
