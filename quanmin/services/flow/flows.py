"""The flow service: questions about where residents are treated, within the scope of the engine it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quanmin.catalog import Catalog
from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.services.flow.figures import CountyFlow, FlowTable, Measures, Withhold, withheld
from quanmin.services.flow.groups import Line, gains, summed, treated_groups

if TYPE_CHECKING:
    from quanmin.engines.duckdb import DuckDBEngine

STAYS, OUTFLOW = "hospitalisation", "outflow"
MEASURED = ("stay_days", "total_charge_cny", "fund_paid_cny", "relative_weight")
PERIODS = ("first_month", "last_month")
SHARED_DIMENSIONS = ("year", "quarter", "month", "home_county", "facility_county", "facility_code", "facility_level", "icd_chapter", "mdc", "drg", "age_band",
                     "sex_code", "is_insured", "payment_method_code")
DIMENSIONS = {
    STAYS: (*SHARED_DIMENSIONS, "is_in_region", "is_primary_care", "is_public"),
    OUTFLOW: (*SHARED_DIMENSIONS, "destination_code", "kind_code", "severity_code", "diagnosis_group", "is_sent_on"),
}
FINEST = ("kind_code", "destination_code", "facility_level", "facility_code", "diagnosis_group", "severity_code", "principal_diagnosis_code", "home_share")


def _refuse(field: str, value: str, mend: str) -> Refusal:
    return Refusal(Problem("flow", None, field, value, say("bad_value"), mend))


def _months(first: str, last: str) -> int:
    """Number of months from one to another, both counted (as in 2026-03); raises Refusal where they are none."""
    try:
        low, high = (int(text[:4]) * 12 + int(text[5:]) if len(text) == 7 and text[4] == "-" and 1 <= int(text[5:]) <= 12 else 0 for text in (first, last))
    except ValueError:
        low = high = 0
    if not low or high < low:
        raise _refuse("month", f"{first} {last}", "2026-01 2026-06")
    return high - low + 1


def _no_more(measures: Measures) -> tuple[int, int]:
    return -measures.stays, -measures.bed_days


class Flow:
    """Answers over one snapshot. `withhold` takes small counts out of an answer; `only_county` is the one county that may be asked about whole."""

    def __init__(self, catalog: Catalog, engine: DuckDBEngine, snapshot: int, withhold: Withhold, only_county: str = "") -> None:
        self.catalog, self.engine, self.snapshot, self.withhold, self.only_county = catalog, engine, snapshot, withhold, only_county

    def matrix(self, by: Sequence[str] = ("home_county", "facility_county"), where: Mapping[str, str] | None = None) -> FlowTable:
        """Stays of residents by origin and destination (and level, chapter, DRG, age band, insurance …).

        One cell per group that has stays; stays, days, CNY, weight. `where`: dimension → value, and first_month, last_month (2026-01). Raises Refusal
        where a dimension or value does not fit. Source: table hospitalisation, residents with a known county treated in a known county.
        """
        return self._table(STAYS, by, where or {}, ["home_county IS NOT NULL", "facility_county IS NOT NULL"])

    def split(self, by: Sequence[str] = ("kind_code",), where: Mapping[str, str] | None = None) -> FlowTable:
        """Stays outside the home county by kind (referred, avoidable, nearer; null = not to be told) and further dimensions.

        One cell per group; stays, days, CNY. Raises Refusal as `matrix` does. Source: table outflow; the rule is `outflow_rule`.
        """
        return self._table(OUTFLOW, by, where or {}, [])

    def siphon(self, where: Mapping[str, str] | None = None) -> FlowTable:
        """Stays outside the home county by home county, destination (city, beyond), level of the facility and kind.

        One cell per group; stays, days, CNY. Raises Refusal as `matrix` does. Source: table outflow.
        """
        return self.split(("home_county", "destination_code", "facility_level", "kind_code"), where)

    def regain(self, by: Sequence[str] = ("home_county",), where: Mapping[str, str] | None = None) -> FlowTable:
        """What would come home with avoidable outflow, by home county, destination, facility, group …

        One cell per group, the largest first; stays, days, CNY charged and paid by the fund. Raises Refusal as `matrix` does. Source: table outflow.
        """
        found = self.split(by, {**(where or {}), "kind_code": "avoidable"})
        ordered = sorted(found.cells, key=lambda cell: _no_more(cell.measures) if cell.measures else (0, 0))
        return FlowTable(found.by, tuple(ordered), found.where, found.snapshot)

    def county(self, county: str, first_month: str, last_month: str, most: int = 20) -> CountyFlow:
        """Everything about one county in a period (months as 2026-01, both counted), with the `most` largest facilities and groups.

        Stays, days, CNY; cases a year. Raises Refusal for a period that is none, or a county outside the scope. Source: tables hospitalisation, outflow.
        """
        if self.only_county and county != self.only_county:
            raise _refuse("county", county, self.only_county)
        months = _months(first_month, last_month)
        where = {"first_month": first_month, "last_month": last_month, "home_county": county}
        known = ["home_county IS NOT NULL", "facility_county IS NOT NULL"]
        stays = self._lines(STAYS, ("facility_county", "drg"), where, known)
        places = summed(stays, lambda key: ("home" if key["facility_county"] == county else "away",))
        lines = self._lines(OUTFLOW, FINEST, where, [])
        avoidable = [line for line in lines if line.key["kind_code"] == "avoidable"]
        needed = [line for line in lines if line.key["kind_code"] == "referred"]
        grouped = self._lines(OUTFLOW, ("drg", "facility_code"), {**where, "kind_code": "avoidable"}, ["drg IS NOT NULL"])
        at_home = {line.key["drg"]: line.measures for line in stays if line.key["facility_county"] == county}

        def table(by: tuple[str, ...], found: dict[tuple[Any, ...], Measures]) -> FlowTable:
            return FlowTable(by, withheld(by, found.items(), self.withhold), where, self.snapshot)

        def of(by: tuple[str, ...], chosen: list[Line]) -> dict[tuple[Any, ...], Measures]:
            return summed(chosen, lambda key: tuple(key[name] for name in by))

        facilities = table(("facility_code",), dict(sorted(of(("facility_code",), avoidable).items(), key=lambda item: _no_more(item[1]))))
        return CountyFlow(
            county, first_month, last_month, months, table(("where",), places), table(("kind_code",), of(("kind_code",), lines)),
            table(("destination_code", "facility_level", "kind_code"), of(("destination_code", "facility_level", "kind_code"), lines)),
            FlowTable(facilities.by, facilities.cells[:most], where, self.snapshot),
            gains(avoidable, months, self.withhold)[:most], gains(needed, months, self.withhold)[:most],
            treated_groups(grouped, at_home, self.withhold)[:most],
        )

    def _table(self, table: str, by: Sequence[str], where: Mapping[str, str], always: Sequence[str]) -> FlowTable:
        names = tuple(by)
        lines = self._lines(table, names, where, always)
        found = ((tuple(line.key[name] for name in names), line.measures) for line in lines)
        return FlowTable(names, withheld(names, found, self.withhold), dict(where), self.snapshot)

    def _lines(self, table: str, by: Sequence[str], where: Mapping[str, str], always: Sequence[str]) -> list[Line]:
        """Measures by groups, straight from the engine, in the order of the keys."""
        allowed = DIMENSIONS[table]
        for name in [*(n for n in by if n not in FINEST), *(n for n in where if n not in PERIODS)]:
            if name not in allowed:
                raise Refusal(Problem("flow", None, "by", name, say("no_dimension", table=table), say("choose_from", choices=", ".join(allowed))))
        _months(where.get("first_month", "0001-01"), where.get("last_month", "9999-12"))
        filters = [*always, *(self._condition(table, name, value) for name, value in where.items())]
        rows = self.engine.sums(self.catalog.tables[table], MEASURED, by, filters).to_pylist()
        nothing = Measures()
        return [Line({name: row[name] for name in by}, Measures(row["rows"], row["stay_days"] or 0, row["total_charge_cny"] or nothing.charge_cny,
                                                                row["fund_paid_cny"] or nothing.fund_paid_cny,
                                                                row["relative_weight"] or nothing.relative_weight, row["rows"] - row["relative_weight_known"]))
                for row in rows]

    def _condition(self, table: str, name: str, value: str) -> str:
        """A filter as a condition; values are quoted, never pasted."""
        quoted = "'" + value.replace("'", "''") + "'"
        if name in PERIODS:
            return f"month >= {quoted}" if name == "first_month" else f"month <= {quoted}"
        column = self.catalog.tables[table].columns.get(name)
        if column is not None and column.type == "boolean":
            if value not in ("true", "false"):
                raise _refuse(name, value, "true, false")
            return name if value == "true" else f"NOT {name}"
        if name == "year":
            if not value.isdigit():
                raise _refuse(name, value, "2026")
            return f"year = {value}"
        if name == "quarter":
            raise _refuse(name, value, "first_month, last_month")
        return f"{name} = {quoted}"
