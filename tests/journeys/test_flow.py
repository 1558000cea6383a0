"""Outflow as the platform tells it, held against what was planted in the synthetic region."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quanmin.gate import Scope
from tests.journeys.conftest import Region


@pytest.fixture(scope="module")
def told(region: Region) -> duckdb.DuckDBPyConnection:
    """Table told: each stay outside the home county with its kind and whether it was truly avoidable."""
    outflow = region.site.indicators().engine.table("SELECT * FROM outflow")
    sent = [(number, file) for number, names in region.files_of_submissions().items() for file in names]
    connection = duckdb.connect()
    connection.register("outflow", outflow)
    connection.register("sent", pa.table({"submission": [n for n, _ in sent], "file": [f for _, f in sent]}))
    for name in ("records", "stays"):
        connection.register(name, pq.read_table(region.folder / "region" / "truth" / f"{name}.parquet"))
    connection.execute("""
        CREATE TABLE told AS SELECT o.hospitalisation_id, o.home_county, o.discharged_on, o.kind_code, bool_or(s.avoidable_outflow) AS is_avoidable
        FROM outflow o JOIN sent USING (submission)
        JOIN records r ON r.file = sent.file AND r.line = o.line AND r."table" = CASE left(o.hospitalisation_id, 1) WHEN 'C' THEN 'claim' ELSE 'stay' END
        JOIN stays s ON s.true_resident_id = r.true_resident_id AND s.facility_code = o.facility_code
            AND abs(date_diff('day', s.discharged_on, o.discharged_on)) <= 1 AND abs(date_diff('day', s.admitted_on, o.admitted_on)) <= 1
        GROUP BY ALL""")
    assert connection.execute("SELECT count(*) FROM told").fetchone()[0] >= 0.99 * len(outflow)
    return connection


def test_avoidable_outflow_is_found_and_little_else_is_called_so(told: duckdb.DuckDBPyConnection) -> None:
    truly, found, right = told.execute("""SELECT count(*) FILTER (is_avoidable), count(*) FILTER (kind_code = 'avoidable'),
        count(*) FILTER (is_avoidable AND kind_code = 'avoidable') FROM told""").fetchone()
    assert truly > 500
    assert right / truly >= 0.9
    assert right / found >= 0.8


def test_the_service_and_the_indicators_say_the_same(region: Region) -> None:
    indicators = region.site.indicators()
    flow = region.site.flow(indicators, suppress_below=0)
    found = {cell.key["kind_code"]: cell.measures for cell in flow.split(("kind_code",), {"home_county": "990104", "year": "2025"}).cells}
    for name, amount in (("avoidable_outflow_count", found["avoidable"].stays), ("avoidable_outflow_bed_days", found["avoidable"].bed_days),
                         ("avoidable_outflow_charge_cny", found["avoidable"].charge_cny), ("avoidable_outflow_fund_cny", found["avoidable"].fund_paid_cny)):
        assert indicators.ask(name, [], ["home_county = '990104'", "year = 2025"], suppress_below=0).cells[0].numerator == amount
    county = flow.county("990104", "2025-01", "2025-12")
    assert {cell.key["kind_code"]: cell.measures for cell in county.kinds.cells} == found
    shares = indicators.ask("in_county_inpatient_share", [], ["home_county = '990104'", "year = 2025"], suppress_below=0).cells[0]
    places = {cell.key["where"]: cell.measures.stays for cell in county.places.cells}
    assert (places["home"], places["home"] + places["away"]) == (shares.numerator, shares.denominator)


def test_what_leaves_and_is_treated_at_home_equals_sums_over_the_stays(region: Region) -> None:
    """Weights from the stays themselves (the table hospitalisation) and the set of weights in the definitions, not from the outflow that carries them."""
    [weights] = region.site.catalog.weights.values()
    engine = region.site.indicators().engine
    connection = duckdb.connect()
    connection.register("outflow", engine.table("SELECT hospitalisation_id, kind_code FROM outflow"))
    connection.register("stays", engine.table("SELECT * FROM hospitalisation"))
    connection.register("weights", pa.table({"drg": list(weights.groups), "weight": [norm.weight for norm in weights.groups.values()]}))
    wanted = connection.execute("""
        WITH home AS (SELECT home_county, drg, count(*) AS at_home FROM stays WHERE facility_county = home_county AND year(discharged_on) = 2025 GROUP BY ALL)
        SELECT s.home_county, s.drg, count(*), coalesce(sum(w.weight), 0), count(*) - count(w.weight), sum(s.total_charge_cny), any_value(h.at_home)
        FROM stays s JOIN outflow o USING (hospitalisation_id) JOIN home h ON s.home_county = h.home_county AND s.drg = h.drg
        LEFT JOIN weights w ON w.drg = s.drg WHERE o.kind_code = 'avoidable' AND year(s.discharged_on) = 2025 GROUP BY s.home_county, s.drg""").fetchall()
    flow = region.site.flow(region.site.indicators(), suppress_below=0)
    compared = 0
    for county in sorted({row[0] for row in wanted}):
        found = flow.county(county, "2025-01", "2025-12", most=1000).treated
        assert {one.drg: (one.measures.stays, float(one.measures.relative_weight), one.measures.unweighed_count, one.measures.charge_cny, one.home_stays)
                for one in found} == {drg: (stays, pytest.approx(weight, abs=1e-4), unweighed, charge, home)
                                      for where, drg, stays, weight, unweighed, charge, home in wanted if where == county}
        sizes = [one.measures.relative_weight for one in found]
        assert sizes == sorted(sizes, reverse=True)
        compared += len(found)
    assert compared > 50 and all(row[3] for row in wanted)
    weight, unweighed = connection.execute("""SELECT sum(w.weight), count(*) - count(w.weight) FROM stays s JOIN outflow USING (hospitalisation_id)
        LEFT JOIN weights w ON w.drg = s.drg WHERE year(s.discharged_on) = 2025""").fetchone()
    [cell] = flow.split(("year",), {"year": "2025"}).cells
    assert (float(cell.measures.relative_weight), cell.measures.unweighed_count) == (pytest.approx(weight, abs=1e-3), unweighed) and unweighed > 0


def test_a_county_sees_its_own(region: Region) -> None:
    scope = Scope("county", "990104")
    flow = region.site.flow(region.site.indicators(scope=scope), scope, suppress_below=0)
    whole = region.site.flow(region.site.indicators(), suppress_below=0)
    assert flow.county("990104", "2025-01", "2025-12") == whole.county("990104", "2025-01", "2025-12")
    assert all("990104" in cell.key.values() for cell in flow.matrix().cells)
