"""Why a figure changed in the synthetic region, held against what was planted in it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

import quanmin
from quanmin.gate.inquiry import Inquiry
from quanmin.services.change import aligned, explain
from quanmin.services.change.actions import change
from tests.journeys.conftest import Region

MONTHS = range(3, 10)  # March to September, pooled: a county of the small region has some twenty stays a month
PLACES = {f"{year}-{month:02d}": month for year in (2025, 2026) for month in MONTHS}
LETTERS = {**dict.fromkeys("AB", "01"), **dict.fromkeys("C", "02"), **dict.fromkeys("I", "09"), **dict.fromkeys("K", "11"), **dict.fromkeys("ST", "19")}


def reported(region: Region) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """Which sender's month came, of both periods."""
    rows = region.site.indicators().engine.table(
        "SELECT sender, CAST(period AS VARCHAR) AS period FROM receipt WHERE is_received AND \"table\" IN ('stay', 'claim')").to_pylist()
    came: tuple[set[tuple[str, int]], set[tuple[str, int]]] = (set(), set())
    for row in rows:
        if row["period"][:7] in PLACES:
            came[int(row["period"][:4]) - 2025].add((row["sender"], PLACES[row["period"][:7]]))
    return came


def explained(region: Region, county: str):
    """The change of a county's in-county share between March to September 2025 and 2026."""
    asked, came = region.site.indicators(), reported(region)

    def cells(year: int, dimension: str):
        where = [f"home_county = '{county}'", f"month >= '{year}-03'", f"month <= '{year}-09'"]
        return asked.ask("in_county_inpatient_share", [dimension, "sender", "month"], where, suppress_below=0).cells

    return explain({d: aligned(cells(2025, d), cells(2026, d), [d], ["sender", "month"], PLACES, came) for d in ("icd_chapter", "age_band", "sex_code")},
                   "share", 100.0)


def chapters_lost(services: set[str]) -> set[str]:
    """The ICD chapters whose commonest diagnoses belong to the services a county lost."""
    counted: Counter[str] = Counter()
    with (Path(quanmin.__file__).parent / "catalog/regions/synthetic/case_mix.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["service"] in services:
                counted[LETTERS.get(row["diagnoses"][0], "other")] += int(row["weight"])
    return {chapter for chapter, _ in counted.most_common(4)} - {"other"}


def test_the_lost_services_are_named_first(region: Region) -> None:
    event = next(row for row in region.truth("events") if row["kind"] == "lost_services")
    found = explained(region, event["place_code"])
    lost = chapters_lost(set(event["detail"].split()))
    assert lost == {"09", "11", "19"}
    assert found.change < -4 and found.dimensions[0].name == "icd_chapter"
    assert abs(found.data) < 1 and found.dimensions[0].split.rate < 0.8 * found.change, "neither late data nor composition"
    first = [cause for cause in found.causes if cause.dimension == "icd_chapter"][:2]
    assert found.causes[0] == first[0] and {cause.group for cause in first} <= lost and {cause.part for cause in first} == {"rate"}


def test_a_hospital_that_stopped_sending_is_the_data_part(region: Region) -> None:
    event = next(row for row in region.truth("events") if row["kind"] == "stops_sending")
    hospital = event["place_code"]
    found = explained(region, hospital[:6])
    missing = found.dimensions[0].split.submissions
    assert missing and {part.submission for part in missing} <= {(hospital, month) for month in range(int(event["from_month"][5:7]), 10)}
    assert {part.missing for part in missing} == {"after"} and found.data < -0.5
    assert found.data == pytest.approx(sum(part.data for part in missing))
    for one in found.dimensions:
        assert one.split.data + one.split.mix + one.split.rate == pytest.approx(found.change, abs=1e-9)


@pytest.mark.parametrize("kind", ["lost_services", "stops_sending"])
def test_what_an_actor_is_told_is_what_all_submissions_one_by_one_give(region: Region, kind: str) -> None:
    """The action tells submissions apart only where they did not all come for both periods."""
    county = next(row["place_code"] for row in region.truth("events") if row["kind"] == kind)[:6]
    inquiry = Inquiry(region.site.operator(), region.site.indicators(), region.site.settings.region)
    told = change(inquiry, "in_county_inpatient_share", "2025-03..2025-09", "2026-03..2026-09", county, "icd_chapter,age_band,sex_code").explanation
    found = explained(region, county)
    assert (told.before, told.after, told.data) == pytest.approx((found.before, found.after, found.data), rel=1e-9)
    for one, other in zip(told.dimensions, found.dimensions, strict=True):
        assert one.name == other.name and one.split.submissions == other.split.submissions
        assert {g.group: (g.data, g.mix, g.rate) for g in one.split.groups} == {g.group: pytest.approx((g.data, g.mix, g.rate), abs=1e-9)
                                                                                for g in other.split.groups}
    assert [(c.dimension, c.group, c.part) for c in told.causes] == [(c.dimension, c.group, c.part) for c in found.causes]
