"""Appraisal on the pages: points are those of the engine's values, other values change nobody else, gaps add up, handbooks differ by definition alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from fastapi import FastAPI

from quanmin.gate.audit import Audit
from quanmin.records.finding_ledger import attachment, keep_attachment
from quanmin.services.appraisal.scoring import earned
from quanmin.site import Site, make_site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

SHEET, YEAR, COUNTY = "secondary_2025", "2025", "990104"


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


def valued(region: Region, indicator: str) -> dict[str, float | None]:
    """Facility → value of the year as the engine answers it (growth: of a year among all)."""
    one, engine = region.site.catalog.indicators[indicator], region.site.indicators()
    by, where = (["facility_code", "year"], []) if one.kind == "growth" else (["facility_code"], [f"year = {YEAR}"])
    cells = engine.ask(indicator, by, where, suppress_below=0).cells
    return {str(c.key["facility_code"]): None if c.missing else c.value for c in cells if str(c.key.get("year", YEAR)) == YEAR}


def points_of(region: Region, changes: dict[tuple[str, str], float] | None = None) -> dict[str, float]:
    """Facility → points known, worked out from the engine's values."""
    found: dict[str, float] = {}
    for item in region.site.catalog.sheets[SHEET].items:
        values = valued(region, item.indicator) | {unit: value for (name, unit), value in (changes or {}).items() if name == item.indicator}
        for facility, value in values.items():
            found[facility] = found.get(facility, 0.0) + (earned(item, None if value is None else float(value)) or 0.0)
    return found


def test_points_are_those_of_the_engine(region: Region, section: Person) -> None:
    rows = exported(section, "/appraisal", "hospitals", sheet=SHEET, year=YEAR)
    expected = points_of(region)
    assert len(rows) > 15
    assert {row["facility"]: float(row["points"]) for row in rows} == pytest.approx({row["facility"]: expected[row["facility"]] for row in rows}, abs=1e-3)
    groups = list(region.site.catalog.sheets[SHEET].groups)
    assert all(sum(float(row[group]) for group in groups) == pytest.approx(float(row["points"]), abs=1e-3) for row in rows)
    told = section.get("/api/appraisal", sheet=SHEET, year=YEAR).json()
    assert {one["facility"]: one["score"]["points"] for one in told} == pytest.approx({row["facility"]: expected[row["facility"]] for row in rows})


def test_other_values_move_one_hospital(region: Region, section: Person) -> None:
    rows = exported(section, "/appraisal", "hospitals", sheet=SHEET, year=YEAR)
    chosen = rows[len(rows) // 2]["facility"]
    sheet = region.site.catalog.sheets[SHEET]
    changes = {(one.indicator, chosen): float(one.aim) for one in sheet.items[:3] if one.aim is not None}
    asked = ",".join(f"{name}={value}" for (name, _), value in changes.items())
    told = section.get("/api/appraisal-what-if", sheet=SHEET, facility=chosen, year=YEAR, changes=asked).json()
    now, then = (told[when]["score"]["points"] for when in ("now", "then"))
    assert then == pytest.approx(points_of(region, changes)[chosen]) and then > now
    assert now == pytest.approx(points_of(region)[chosen])
    page = section.get(f"/appraisal/{chosen}", sheet=SHEET, year=YEAR, changes=f"{sheet.items[0].indicator}=much", lang="en")
    assert page.status_code == 400 and "Not worked out" in page.text


def test_gaps_of_departments_add_up(region: Region, section: Person) -> None:
    chosen = exported(section, "/appraisal", "hospitals", sheet=SHEET, year=YEAR)[0]["facility"]
    told = section.get("/api/appraisal-drivers", indicator="secondary_operated_share", facility=chosen, year=YEAR).json()
    assert told["by"] == "department_code" and len(told["gap"]["drivers"]) > 3
    parts = sum(one["within"] + one["mix"] for one in told["gap"]["drivers"])
    values = valued(region, "secondary_operated_share")
    whole = region.site.indicators().ask("secondary_operated_share", ["facility_code"], [f"year = {YEAR}"], suppress_below=0).cells
    others = [c for c in whole if str(c.key["facility_code"]) != chosen]
    peers = 100 * sum(float(c.numerator or 0) for c in others) / sum(float(c.denominator or 0) for c in others)
    assert told["gap"]["value"] == pytest.approx(values[chosen]) and told["gap"]["peers_value"] == pytest.approx(peers)
    assert parts == pytest.approx(float(values[chosen] or 0) - peers, abs=1e-9)


def test_handbooks_differ_by_definition_alone(region: Region, section: Person) -> None:
    rows = exported(section, "/appraisal/handbooks", "moved", first="tertiary_2019", second="tertiary_2025", year=YEAR)
    months = region.site.indicators().engine.table(
        "SELECT facility_code, sum(appointment_count) AS booked, sum(outpatient_count) AS visits, sum(outpatient_count + emergency_count) AS everything"
        " FROM facility_activity WHERE year(month) = 2025 AND facility_level = 'tertiary' AND is_public AND outpatient_count > 0 GROUP BY ALL").to_pylist()
    expected = {m["facility_code"]: (100 * float(m["booked"] / m["everything"]), 100 * float(m["booked"] / m["visits"])) for m in months}
    found = {row["facility"]: (float(row["first"]), float(row["second"])) for row in rows if row["first"]}
    assert len(found) >= 4 and all(found[code] == pytest.approx(expected[code]) for code in found)
    kinds = {row["item"]: row["kind"] for row in exported(section, "/appraisal/handbooks", "handbooks", first="tertiary_2019", second="tertiary_2025")}
    assert kinds["NPE3-22"] == "changed" and list(kinds.values()).count("added") == 2 and kinds["NPE3-04"] == "same"


def test_each_sees_what_is_theirs(region: Region, app: FastAPI, section: Person) -> None:
    county = somebody(app, "section", f"county:{COUNTY}")
    seen = {row["facility"] for row in exported(county, "/appraisal", "hospitals", sheet=SHEET, year=YEAR)}
    everywhere = {row["facility"]: row["points"] for row in exported(section, "/appraisal", "hospitals", sheet=SHEET, year=YEAR)}
    assert seen and all(code.startswith(COUNTY) for code in seen) and len(seen) < len(everywhere)
    viewer = somebody(app, "viewer")
    assert viewer.get("/appraisal", sheet=SHEET, year=YEAR).status_code == 200
    assert viewer.get("/api/appraisal-drivers", indicator="secondary_operated_share", facility=next(iter(seen)), year=YEAR).status_code == 403
    assert somebody(app, "administrator").get("/appraisal").status_code == 403


@pytest.fixture(scope="module")
def own(region: Region, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A site of its own, made of the facilities alone: what hospitals report is taken in and built."""
    folder = tmp_path_factory.mktemp("reported") / "site"
    site = make_site(folder, "990100")
    files = region.folder / "region" / "files"
    site.intake().take([next(files.rglob("*_facility.csv"))], sender="990100")
    site.build()
    return create_app(Site(folder))


def test_what_a_hospital_reports_counts_from_the_next_build(own: FastAPI) -> None:
    hospital = somebody(own, "institution", "facility:990104H001")
    form = {"csrf": hospital.csrf, "indicator": "secondary_emr_level", "year": YEAR, "value": "3.5", "judgement": ""}
    assert hospital.client.post("/appraisal/990104H001/evidence", data=form, follow_redirects=False).status_code == 400  # names no document
    ledger = own.state.desk.site.ledger
    refused = {"evidence_file": ("x.pdf", b"%PDF x")}
    bad = hospital.client.post("/appraisal/990104H001/evidence", data=form | {"value": "much"}, files=refused, follow_redirects=False)
    assert bad.status_code == 400 and attachment(ledger, "990104H001", sha256(b"%PDF x").hexdigest()) is None, "what is refused keeps no file"
    letter = {"evidence_file": ("level.pdf", b"%PDF the letter")}
    sent = hospital.client.post("/appraisal/990104H001/evidence", data=form, files=letter, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    also = form | {"indicator": "secondary_staff_satisfaction", "value": "80", "document": "survey"}
    assert hospital.client.post("/appraisal/990104H001/evidence", data=also, follow_redirects=False).status_code == 303
    assert hospital.client.post("/appraisal/990103H001/evidence", data=form | {"document": "d"}, follow_redirects=False).status_code in (400, 403, 404)
    own.state.desk.site.build()
    found = own.state.desk.inquiry(own.state.desk.site.operator()).evidence()
    assert {(one.indicator, one.unit, one.value) for one in found} == {
        ("secondary_emr_level", "990104H001", 3.5), ("secondary_staff_satisfaction", "990104H001", 80.0)}
    document = next(one.document for one in found if one.indicator == "secondary_emr_level")
    name, _, digest = document.partition(" #")
    assert name == "level.pdf" and hospital.get(f"/appraisal/990104H001/evidence/{digest}").content == b"%PDF the letter"
    other = keep_attachment(ledger, "990104H001", b"%PDF to a finding", "somebody")
    assert hospital.get(f"/appraisal/990104H001/evidence/{other}").status_code == 404, "what was attached elsewhere is not handed out here"
    assert any(entry["action"] == "evidence" and digest[:12] in entry["subject"] for entry in Audit(ledger).entries(20))
