"""Flow at the door: where residents are treated, as far as an actor may see it, and the rows behind a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from quanmin.catalog.messages import language, say
from quanmin.gate.accounts import roles
from quanmin.gate.actor import MOST_ROWS, Actor, NotAllowed
from quanmin.gate.audit import Audit
from quanmin.gate.masking import mask
from quanmin.gate.origins import with_files
from quanmin.gate.scope import Scope
from quanmin.model import Problem, Refusal
from quanmin.services.flow import MEASURES, UNWEIGHED, WHATS, CountyFlow, Flow, FlowCell, FlowTable, GroupGain, TreatedGroup, outflow_rule
from quanmin.services.flow.flows import DIMENSIONS, OUTFLOW, STAYS
from quanmin.services.indicators import Indicators

if TYPE_CHECKING:
    import pyarrow as pa

Opener = Callable[[Indicators, Scope, int | None], Flow]
ROWS = ("stays", "outflow")
TABLES = {"matrix": STAYS, "split": OUTFLOW, "siphon": OUTFLOW, "regain": OUTFLOW, "stays": STAYS, "outflow": OUTFLOW}
PERIODS = ("year", "month", "first_month", "last_month")
FORMS = {"year": re.compile("[12][0-9]{3}"), **dict.fromkeys(PERIODS[1:], re.compile("[12][0-9]{3}-(0[1-9]|1[0-2])"))}
COUNTIES = ("home_county", "facility_county")
MOST_DIMENSIONS, LONGEST_VALUE = 4, 60
NONE = "none"  # in conditions on rows: what has no value
ROW_COLUMNS = ("hospitalisation_id", "sender", "submission", "line", "resident_id", "home_county", "home_township", "sex_code", "age_band", "is_insured",
               "facility_code", "facility_name", "facility_county", "facility_level", "admitted_on", "discharged_on", "stay_days",
               "principal_diagnosis_code", "drg", "relative_weight", "total_charge_cny", "fund_paid_cny")
TOLD_COLUMNS = ("kind_code", "destination_code", "severity_code", "home_share", "is_sent_on", "distance_km", "nearest_home_km")


@dataclass(frozen=True)
class FlowRows:
    """The rows behind a number, masked: the first of them, and how many there are."""

    table: pa.Table
    count: int


def _refuse(field: str, value: str, mend: str) -> NoReturn:
    raise Refusal(Problem("flow", None, field, value[:LONGEST_VALUE], say("bad_value"), mend))


class FlowDesk:
    """One actor's flow over opened indicators: permission, scope and small counts as for every figure; `opener` is the site's `flow`."""

    def __init__(self, actor: Actor, opened: Indicators, opener: Opener) -> None:
        self.actor, self.opened = actor, opened
        self.catalog, self.snapshot = opened.catalog, opened.snapshot
        self._flow = opener(opened, actor.scope, 0 if actor.may("small") else None)

    def table(self, what: str, by: Sequence[str] = (), where: Mapping[str, str] | None = None) -> FlowTable:
        """The answer of the service named in WHATS, one cell per group: stays, days, CNY.

        Raises NotAllowed for what the role may not see, Refusal for what does not fit.
        """
        if what not in WHATS:
            _refuse("what", what, say("choose_from", choices=", ".join((*WHATS, "county"))))
        self.actor.require("figures", "figures", f"flow {what}")
        narrowed = self._narrowed(what, where or {})
        if what == "siphon" and by:
            _refuse("by", ",".join(by), say("choose_from", choices="matrix, split, regain"))
        names = self._dimensions(what, by)
        if what == "siphon":
            return self._flow.siphon(narrowed)
        ask = {"matrix": self._flow.matrix, "split": self._flow.split, "regain": self._flow.regain}[what]
        return ask(names, narrowed) if names else ask(where=narrowed)

    def county(self, county: str, first_month: str, last_month: str, most: int = 20) -> CountyFlow:
        """One county's flow in a period (months as 2026-01, both counted); raises as `table` does."""
        self.actor.require("figures", "figures", "flow county")
        where = self._narrowed("county", {"home_county": county, "first_month": first_month, "last_month": last_month})
        return self._flow.county(where["home_county"], first_month, last_month, most)

    def rows(self, what: str, where: Mapping[str, str], limit: int = 200) -> FlowRows:
        """The stays and claims behind a number (`what`: stays, outflow), masked, with sender, file and line; every look is audited.

        A condition's value `none` stands for what has no value. Raises as `table` does.
        """
        self.actor.require("rows", "rows", "flow")
        if what not in ROWS:
            _refuse("what", what, say("choose_from", choices=", ".join(ROWS)))
        narrowed, table = self._narrowed(what, where), TABLES[what]
        condition, values = self._condition(table, narrowed)
        shown = [*ROW_COLUMNS, *(TOLD_COLUMNS if table == OUTFLOW else ())]
        named = ", ".join(f'"{name}"' for name in shown)
        limited = f'SELECT {named} FROM "{table}" WHERE {condition} ORDER BY discharged_on, hospitalisation_id LIMIT $limit'
        found = self.opened.engine.table(
            f"SELECT r.*, h.origin FROM ({limited}) r LEFT JOIN hospitalisation h USING (hospitalisation_id) ORDER BY r.discharged_on, hospitalisation_id",
            {**values, "limit": max(1, min(limit, MOST_ROWS))})
        count = self.opened.engine.table(f'SELECT count(*) AS n FROM "{table}" WHERE {condition}', values)["n"][0].as_py()
        subject = f"flow {what} {' '.join(f'{k}={v}' for k, v in narrowed.items())} @{self.snapshot}"
        Audit(self.actor.ledger).note(self.actor.name, "rows", subject, rows=len(found))
        return FlowRows(with_files(mask(found, self.catalog.tables[table]), self.actor.ledger), count)

    def _condition(self, table: str, where: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Conditions on columns named in DIMENSIONS, and the values to bind to them."""
        parts, values = (["home_county IS NOT NULL", "facility_county IS NOT NULL"] if table == STAYS else ["TRUE"]), {}
        month = "strftime(discharged_on, '%Y-%m')"
        for number, (name, value) in enumerate(where.items()):
            key = f"v{number}"
            values[key] = value
            column = self.catalog.tables[table].columns.get(name)
            if name in PERIODS:
                parts.append({"year": f"year(discharged_on) = ${key}::INTEGER", "month": f"{month} = ${key}", "first_month": f"{month} >= ${key}",
                              "last_month": f"{month} <= ${key}"}[name])
            elif value == NONE:
                del values[key]
                parts.append(f'"{name}" IS NULL')
            elif column is not None and column.type == "boolean":
                del values[key]
                parts.append(f'"{name}"' if value == "true" else f'NOT "{name}"')
            else:
                parts.append(f'"{name}" = ${key}')
        return " AND ".join(parts), values

    def _dimensions(self, what: str, by: Sequence[str]) -> list[str]:
        names, allowed = list(dict.fromkeys(by)), DIMENSIONS[TABLES[what]]
        for name in names:
            if name not in allowed:
                _refuse("by", name, say("choose_from", choices=", ".join(allowed)))
        if len(names) > MOST_DIMENSIONS:
            _refuse("by", ",".join(names), f"≤ {MOST_DIMENSIONS}")
        return names

    def _narrowed(self, what: str, where: Mapping[str, str]) -> dict[str, str]:
        """The conditions, found good, and the county of the actor besides."""
        table = TABLES.get(what, OUTFLOW)
        allowed = tuple(dict.fromkeys((*(name for name in DIMENSIONS[table] if name != "quarter"), *PERIODS)))
        is_row = what in ROWS
        for name, value in where.items():
            if name not in allowed:
                _refuse(name, value, say("choose_from", choices=", ".join(allowed)))
            if not (is_row and value == NONE and name not in PERIODS):
                self._check_value(table, name, value)
        if where.get("first_month", "") > where.get("last_month", "9999"):
            _refuse("first_month", where["first_month"], f"≤ {where['last_month']}")
        if not self.actor.may("small") and not self._is_slice(where):
            self.actor.require("small", "figures", f"flow {what}")
        scope = self.actor.scope
        if scope.kind != "county":
            return dict(where)
        if where.get("home_county", scope.value) != scope.value:
            Audit(self.actor.ledger).note(self.actor.name, "rows" if is_row else "figures", f"flow {what}", "refused")
            role = roles()[self.actor.role][0].in_language(language())
            raise NotAllowed(Problem("flow", None, "home_county", where["home_county"], say("not_allowed", role=role), scope.value))
        return {**where, "home_county": scope.value}

    def _check_value(self, table: str, name: str, value: str) -> None:
        if not value or len(value) > LONGEST_VALUE or not value.isprintable():
            _refuse(name, value, f"1–{LONGEST_VALUE}")
        if name in FORMS:
            if not FORMS[name].fullmatch(value):
                _refuse(name, value, "2026" if name == "year" else "2026-01")
            return
        column = self.catalog.tables[table].columns[name]
        if column.type == "boolean" and value not in ("true", "false"):
            _refuse(name, value, "true, false")
        if column.codes and value not in self.catalog.codes[column.codes].codes:
            _refuse(name, value, say("choose_from", choices=", ".join(list(self.catalog.codes[column.codes].codes)[:20])))
        if name in COUNTIES and not self._is_place(value):
            _refuse(name, value, say("choose_from", choices=", ".join(self._places()[:20])))

    def _places(self) -> list[str]:
        rows = self.opened.engine.table("SELECT region_code AS code FROM region WHERE level = 'county' UNION SELECT home_county FROM hospitalisation"
                                        " WHERE home_county IS NOT NULL ORDER BY code")
        return [str(code) for code in rows["code"].to_pylist()]

    def _is_place(self, code: str) -> bool:
        found = self.opened.engine.table(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM region WHERE region_code = $code) OR EXISTS (SELECT 1 FROM hospitalisation WHERE home_county = $code)"
            " OR EXISTS (SELECT 1 FROM hospitalisation WHERE facility_county = $code)", {"code": code})
        return len(found) > 0

    def _is_slice(self, where: Mapping[str, str]) -> bool:
        """Whether conditions name no more than one county and one year or month: what may be subtracted from nothing else."""
        first, last = where.get("first_month", ""), where.get("last_month", "")
        if set(where) - {"home_county", *PERIODS} or len([n for n in ("year", "month") if n in where] + ["range"] * bool(first or last)) > 1:
            return False
        is_year = first[:4] == last[:4] and first.endswith("-01") and (last.endswith("-12") or last == self.newest_month())
        return not (first or last) or first == last or is_year

    def newest_month(self) -> str:
        """The last month with a stay, as 2026-01; "" where there is none."""
        found = self.opened.engine.table("SELECT strftime(max(discharged_on), '%Y-%m') AS month FROM hospitalisation")["month"][0].as_py()
        return str(found or "")


def flat(cell: FlowCell) -> dict[str, Any]:
    """A cell as one flat row: its key, its measures (None where withheld), and whether they are."""
    return {**cell.key, **{name: getattr(cell.measures, name, None) for name in (*MEASURES, UNWEIGHED)}, "suppressed": cell.suppressed}


def flat_gain(gain: GroupGain | TreatedGroup) -> dict[str, Any]:
    """A group as one flat row."""
    plain = {name: value for name, value in asdict(gain).items() if name != "measures"}
    return plain | {name: getattr(gain.measures, name) for name in (*MEASURES, UNWEIGHED)}


def rule_told() -> dict[str, Any]:
    """The rule behind the kinds, in both languages, with its values."""
    rule = outflow_rule()
    return {"sentence": asdict(rule.sentence), "values": dict(rule.values)}
