"""On generated tables and generated questions the fast engine says what the plain one says."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.engines.plain import PlainEngine
from quanmin.model import Check, Half, Indicator, Label, Provenance
from tests.conftest import frames_of

STAYS, PEOPLE = "hospitalisation", "county_population"
WHOLE, _ = read_all()
CATALOG = replace(WHOLE, tables={name: WHOLE.tables[name] for name in (STAYS, PEOPLE)})
COUNTIES = ["990101", "990102", None]
DAYS = st.one_of(st.none(), st.dates(date(2024, 12, 1), date(2026, 2, 28)))
ROW = st.fixed_dictionaries({
    "home_county": st.sampled_from(COUNTIES), "facility_county": st.sampled_from(COUNTIES), "sex_code": st.sampled_from(["1", "2", None]),
    "age_years": st.one_of(st.none(), st.integers(0, 99)), "discharged_on": DAYS, "admitted_on": DAYS, "died": st.sampled_from([True, False, None]),
    "total_charge_cny": st.one_of(st.none(), st.integers(0, 99_999).map(lambda n: Decimal(n) / 100)), "resident_id": st.sampled_from(["a", "b", "c", None]),
    "stay_days": st.one_of(st.none(), st.integers(0, 40)), "principal_diagnosis_code": st.sampled_from(["J18.900", "O80.000", "C34.900", None]),
})
PERSON_YEARS = st.fixed_dictionaries({
    "county_code": st.sampled_from(COUNTIES), "year": st.sampled_from([2024, 2025, 2026]), "sex_code": st.sampled_from(["1", "2"]),
    "resident_count": st.one_of(st.none(), st.integers(0, 500)),
})
ATOMS = st.sampled_from([
    "facility_county = home_county", "home_county IS NOT NULL", "sex_code = '1'", "age_years >= 65", "age_years BETWEEN 15 AND 49", "died",
    "stay_days > date_diff('day', admitted_on, discharged_on)", "total_charge_cny / stay_days > 50", "starts_with(principal_diagnosis_code, 'J')",
    "sex_code IN ('1', '9')", "sex_code NOT IN ('2')", "coalesce(age_years, 70) < 60", "code_in(sex_code, 'sex')", "code_in(principal_diagnosis_code, 'icd10')",
    "discharged_on - admitted_on >= 3", "died IS NOT TRUE", "CASE WHEN age_years < 18 THEN stay_days ELSE 2 END > 1", "year(discharged_on) = 2025",
    "nullif(stay_days, 0) IS NULL", "admitted_on <= DATE '2025-06-30'", "home_county <> '990102'", "length(principal_diagnosis_code) = 7",
    "principal_diagnosis_code LIKE 'C%'",
    "regexp_matches(principal_diagnosis_code, '^[CO]')", "abs(stay_days - 10) < 4", "age_on(admitted_on, discharged_on) = 0",
])
CONDITION = st.recursive(ATOMS, lambda inner: st.one_of(
    st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"), inner.map(lambda c: f"NOT ({c})"),
), max_leaves=4)
PREPARED = st.sampled_from([[], [["month"], ["quarter", "home_county"]], [["home_county", "year"], ["sex_code"]]])
BY = st.lists(st.sampled_from(["month", "home_county", "sex_code", "year", "quarter", "week"]), unique=True, max_size=2)


def _indicator(kind: str, upper: Half, lower: Half | None, **more) -> Indicator:
    return Indicator("x", "X", Label("x", "x"), kind, more.pop("unit", "%"), "none", "t", Provenance("d", status="own"), upper, lower, **more)


def _half(condition: str, **more) -> Half:
    return Half(STAYS, condition, time="discharged_on", place="home_county", **more)


def _agree(question, rows, by, people=(), where=(), prepared=(), beside=()) -> None:
    """The same from both engines; the fast one counts `by` together with the groupings of `prepared` and the questions `beside`, where there are any."""
    full = [{name: row.get(name) for name in CATALOG.tables[STAYS].columns} for row in rows]
    population = [{name: row.get(name) for name in CATALOG.tables[PEOPLE].columns} for row in people]
    tables = {STAYS: full, PEOPLE: population}
    engine = DuckDBEngine(CATALOG, frames=frames_of(CATALOG, tables), threads=1)
    if prepared:
        engine.prepare([question, *beside], [by, *prepared], where)
    fast = engine.ask(question, by, where)
    slow = PlainEngine(CATALOG, tables).ask(question, by, where)
    assert [dict(c.key) for c in fast.cells] == [dict(c.key) for c in slow.cells]
    for a, b in zip(fast.cells, slow.cells, strict=True):
        for name in ("numerator", "denominator", "unknown", "value", "low", "high"):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None) == (y is None), (name, a, b)
            assert x is None or math.isclose(float(x), float(y), rel_tol=1e-9, abs_tol=1e-9), (name, a, b)


@settings(max_examples=120, deadline=None)
@given(st.lists(ROW, max_size=25), CONDITION, CONDITION, BY, PREPARED)
def test_shares(rows, whole, part, by, prepared) -> None:
    _agree(_indicator("share", _half(part), _half(whole)), rows, by, prepared=prepared)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=25), CONDITION, CONDITION, BY, st.sampled_from(["", "county = '990101'", "year = 2025", "month = '2025-03'", "sex_code = '2'"]))
def test_checks_and_conditions(rows, applies, violated, by, where) -> None:
    check = Check("x", Label("x", "x"), STAYS, "conformance", "error", applies, violated, (), Label("x", "x"), Provenance("d", status="own"))
    _agree(check, rows, by, where=[where] if where else [])


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=25), CONDITION, BY, st.sampled_from(["total_charge_cny", "stay_days", "age_years * 2"]), PREPARED)
def test_amounts(rows, condition, by, amount, prepared) -> None:
    several = [
        _indicator("share", _half(condition, sum=amount), _half("", sum=amount)),
        _indicator("mean", _half(condition, sum=amount), _half(condition), unit="CNY"),
        _indicator("total", _half(condition, sum=amount), None, unit="CNY"), _indicator("total", _half(condition, distinct="resident_id"), None, unit="CNY"),
    ]
    for one in several:
        _agree(one, rows, by, prepared=prepared, beside=several)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=25), st.lists(PERSON_YEARS, max_size=8), CONDITION,
       st.sampled_from([[], ["county"], ["year"], ["county", "year"], ["month", "county"], ["sex_code"]]))
def test_rates(rows, people, condition, by) -> None:
    below = Half(PEOPLE, sum="resident_count", time="year", place="county_code")
    _agree(_indicator("rate", _half(condition), below, per=1000.0, unit=""), rows, by, people, prepared=[["county"], ["year", "sex_code"], ["month"]])
    _agree(_indicator("ratio", _half(condition, sum="stay_days"), below, unit=""), rows, by, people)
