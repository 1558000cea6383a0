"""What the platform says of the synthetic region, held against what was planted in it."""

from __future__ import annotations

from collections import defaultdict

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.journeys.conftest import Region

LATE = "2026-10"  # the month whose settlements have not come


@pytest.fixture(scope="module")
def shares(region: Region):
    answer = region.site.indicators().ask("in_county_inpatient_share", ["month", "place"], suppress_below=0)
    return {(c.key["month"], c.key["place"]): c for c in answer.cells}


def test_in_county_share_is_the_true_one(region: Region, shares) -> None:
    true_in = true_all = found_in = found_all = 0
    for row in region.truth("in_county_share"):
        if row["month"][:7] != LATE:
            cell = shares.get((row["month"][:7], row["county"]))
            true_in, true_all = true_in + int(row["in_county"]), true_all + int(row["total"])
            found_in, found_all = found_in + int(cell.numerator if cell else 0), found_all + int(cell.denominator if cell else 0)
    assert true_all > 5_000
    assert abs(found_in / found_all - true_in / true_all) * 100 <= 0.1


def test_a_month_without_settlements_has_bounds_that_hold_the_truth(region: Region, shares) -> None:
    late = [row for row in region.truth("in_county_share") if row["month"][:7] == LATE]
    assert late
    for row in late:
        cell = shares[(LATE, row["county"])]
        assert cell.value is None and "HI-990100" in cell.missing
        assert cell.low <= int(row["in_county"]) / int(row["total"]) * 100 <= cell.high
        assert cell.high < 100 or cell.numerator == cell.denominator


def test_without_the_month_that_is_late_there_is_a_value(region: Region) -> None:
    whole = region.site.indicators().ask("in_county_inpatient_share", [], ["month < '2026-10'"]).cells[0]
    assert whole.value is not None and not whole.missing


def test_planted_errors_are_found_and_clean_rows_are_not_accused(region: Region) -> None:
    accused = _accusations(region)
    errors = region.truth("errors")
    planted = {(e["file"], int(e["line"])) for e in errors}
    found = sum(e["found_by"] in accused.get((e["file"], int(e["line"])), ()) for e in errors)
    assert len(errors) > 2_000
    assert found / len(errors) >= 0.98
    kinds = {e["found_by"] for e in errors}
    missed = {kind for kind in kinds if not any(kind in accused.get((e["file"], int(e["line"])), ()) for e in errors if e["found_by"] == kind)}
    assert not missed, f"kinds of error never found: {missed}"
    errors_only = {c.id for c in region.site.catalog.checks.values() if c.severity == "error"} | {"rejected"}
    false_alarms = [place for place, by in accused.items() if place not in planted and by & errors_only]
    rows = sum(s.read for s in region.site.ledger.submissions())
    assert len(false_alarms) / rows <= 0.001, false_alarms[:5]


def _accusations(region: Region) -> dict[tuple[str, int], set[str]]:
    """(file, line) → the checks it violates, or "rejected"."""
    files = region.files_of_submissions()
    accused: dict[tuple[str, int], set[str]] = defaultdict(set)
    for submission in region.site.ledger.submissions():
        listed = region.site.intake().landing.folder_of(submission.sha256) / f".rejects-{submission.id}.parquet"
        if listed.exists():
            for line in pq.read_table(listed)["line"].to_pylist():
                for file in files[submission.id]:
                    accused[(file, line)].add("rejected")
    indicators = region.site.indicators()
    for check in region.site.catalog.checks.values():
        if {"submission", "line"} <= set(region.site.catalog.tables[check.table].columns):
            for row in indicators.rows(check.id, "numerator", columns=["submission", "line"]).to_pylist():
                for file in files[row["submission"]]:
                    accused[(file, row["line"])].add(check.id)
    return accused


def test_residents_are_linked(region: Region) -> None:
    files = region.site.files(region.site.snapshot())
    sent = [(number, file) for number, names in region.files_of_submissions().items() for file in names]
    connection = duckdb.connect()
    connection.register("sent", pa.table({"submission": [n for n, _ in sent], "file": [f for _, f in sent]}))
    connection.register("truth", pq.read_table(region.folder / "region" / "truth" / "records.parquet"))
    records = " UNION ALL ".join(
        f"SELECT '{t}' AS tab, submission, line, identity_id FROM read_parquet({files[t]})" for t in ("stay", "visit", "claim", "resident")
    )
    connection.execute(
        f'CREATE TABLE linked AS SELECT t.true_resident_id AS true_id, k.resident_id AS found_id FROM ({records}) r JOIN sent USING (submission)'
        f' JOIN truth t ON t.file = sent.file AND t.line = r.line AND t."table" = r.tab JOIN read_parquet({files["resident_cluster"]}) k USING (identity_id)'
    )

    def pairs(by: str) -> float:
        return connection.execute(f"SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM linked GROUP BY {by})").fetchone()[0]

    right = pairs("true_id, found_id")
    assert right / pairs("found_id") >= 0.998
    assert right / pairs("true_id") >= 0.97


def test_the_planted_outlier_has_the_highest_excess_of_deaths(region: Region) -> None:
    planted = next(row for row in region.truth("excess_mortality") if float(row["odds_ratio"]) > 1)
    cells = region.site.indicators().ask("inpatient_mortality_share", ["facility_code"], suppress_below=0).cells
    found = {c.key["facility_code"]: (float(c.numerator), float(c.denominator)) for c in cells}
    deaths, stays = found[planted["facility_code"]]
    assert abs(deaths - int(planted["deaths"])) <= max(2, 0.05 * int(planted["deaths"]))
    assert abs(stays - int(planted["stays"])) <= 0.02 * int(planted["stays"])
