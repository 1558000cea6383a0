"""The flow pages: page = API = command = service, within scope, small counts withheld, nothing unkind to a bad address, and readable by all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser
from typer.testing import CliRunner

from quanmin.cli import app as cli
from quanmin.gate.audit import Audit
from quanmin.model import Refusal
from quanmin.services.flow import outflow_rule
from quanmin.site import Site, make_site
from quanmin.web import maps
from quanmin.web.app import create_app
from tests.journeys.browsing import Visitor, visiting
from tests.journeys.conftest import Region
from tests.journeys.pages import read
from tests.journeys.people import Person, exported, somebody

pytestmark = pytest.mark.xdist_group("region")
YEAR, MONTH, COUNTY, OTHER = "2025", "2026-03", "990104", "990105"
MEASURES = ("stays", "bed_days", "relative_weight", "charge_cny", "fund_paid_cny", "unweighed_count")
PANELS = ("map", "sankey", "counties", "regain", "matrix")
COUNTY_PANELS = ("trend", "destinations", "facilities", "treated", "groups", "short")


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {role: somebody(app, role) for role in ("section", "leader", "viewer", "administrator", "auditor")} | {
        "county": somebody(app, "section", f"county:{COUNTY}")}


def typed(region: Region, *arguments: str) -> list[dict[str, Any]]:
    """The rows that the command gives as JSON, run in this process."""
    done = CliRunner().invoke(cli, ["flow", str(region.folder), *arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


def command(region: Region, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as at a terminal."""
    program = [sys.executable, "-c", "from quanmin.cli import main; main()", "flow", str(region.folder), *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=600)


def charts(text: str) -> dict[str, dict[str, Any]]:
    """The charts of a page by kind (the last of a kind)."""
    return {data["kind"]: data for data in map(json.loads, read(text).data)}


def test_page_api_command_and_service_say_the_same(region: Region, people: dict[str, Person]) -> None:
    flow = region.site.flow(region.site.indicators(), suppress_below=0)
    for what, by, panel in (("split", "home_county,facility_county,kind_code", "map"), ("split", "home_county,kind_code", "counties"),
                            ("regain", "home_county", "regain"), ("matrix", "home_county,facility_county", "matrix")):
        names = by.split(",")
        found = {tuple(cell.key[n] for n in names): cell.measures for cell in getattr(flow, what)(names, {"year": YEAR}).cells}
        served = people["section"].get(f"/api/flow/{what}", by=by, year=YEAR).json()
        assert served["snapshot"] == region.site.snapshot().id and served["where"]["year"] == YEAR
        assert served["rule"]["values"] == dict(outflow_rule().values)
        told = {tuple(cell[n] for n in names): cell for cell in served["cells"]}
        shown = {tuple(row[n] or None for n in names): row for row in exported(people["section"], "/flow", panel, period=YEAR)}
        printed = {tuple(row[n] for n in names): row for row in typed(region, "--what", what, "--by", by, "--where", f"year={YEAR}")}
        assert found.keys() == told.keys() == shown.keys() == printed.keys() and len(found) >= 8
        for key, measures in found.items():
            for name in MEASURES:
                amount = getattr(measures, name)
                assert told[key][name] == printed[key][name] == float(shown[key][name]) == float(amount), (what, key, name)


def test_a_county_is_the_same_everywhere(region: Region, people: dict[str, Person]) -> None:
    first, last = f"{YEAR}-01", f"{YEAR}-12"
    found = region.site.flow(region.site.indicators(), suppress_below=0).county(COUNTY, first, last)
    served = people["section"].get(f"/api/flow/county/{COUNTY}", **{"from": first, "to": last}).json()
    printed = typed(region, "--county", COUNTY, "--from", first, "--to", last)
    for part in ("facilities", "destinations"):
        wanted = [(*cell.key.values(), cell.measures.stays, float(cell.measures.charge_cny)) for cell in getattr(found, part).cells]
        keys = list(getattr(found, part).by)
        assert wanted == [(*(cell[k] for k in keys), cell["stays"], cell["charge_cny"]) for cell in served[part]]
        assert wanted == [(*(row[k] for k in keys), row["stays"], row["charge_cny"]) for row in printed if row["part"] == part]
        shown = exported(people["section"], f"/flow/county/{COUNTY}", part, period=YEAR)
        assert wanted == [(*(row[k] or None for k in keys), int(row["stays"]), float(row["charge_cny"])) for row in shown]
    for part in ("groups", "short"):
        wanted = [(gain.group, gain.severity, gain.measures.stays) for gain in getattr(found, part)]
        assert wanted and wanted == [(one["group"], one["severity"], one["stays"]) for one in served[part]]
        shown = exported(people["section"], f"/flow/county/{COUNTY}", part, period=YEAR)
        assert wanted == [(row["group"], row["severity"], int(row["stays"])) for row in shown]
    wanted = [(one.drg, one.measures.stays, float(one.measures.relative_weight), one.measures.unweighed_count, one.home_stays, one.facility_code)
              for one in found.treated]
    names = ("drg", "stays", "relative_weight", "unweighed_count", "home_stays", "facility_code")
    assert wanted == [tuple(one[name] for name in names) for one in served["treated"]]
    assert wanted == [tuple(row[name] for name in names) for row in printed if row["part"] == "treated"]
    shown = exported(people["section"], f"/flow/county/{COUNTY}", "treated", period=YEAR)
    assert wanted == [(row["drg"], int(row["stays"]), float(row["relative_weight"]), int(row["unweighed_count"]), int(row["home_stays"]), row["facility_code"])
                      for row in shown]


def test_the_parts_add_up_to_the_whole(people: dict[str, Person]) -> None:
    section = people["section"]
    whole = section.get("/api/flow/split", by="year", year=YEAR).json()["cells"][0]
    for panel, column in (("map", "facility_county"), ("sankey", "kind_code"), ("counties", "home_county")):
        rows = exported(section, "/flow", panel, period=YEAR)
        assert all(row[column] for row in rows)
        for name in MEASURES:
            assert sum(Decimal(row[name]) for row in rows) == pytest.approx(Decimal(str(whole[name])), abs=Decimal("0.005")), (panel, name)
    everything = section.get("/api/flow/matrix", by="year", year=YEAR).json()["cells"][0]
    matrix = exported(section, "/flow", "matrix", period=YEAR)
    assert sum(int(row["stays"]) for row in matrix) == everything["stays"]
    assert sum(int(row["stays"]) for row in matrix if row["home_county"] != row["facility_county"]) == whole["stays"]
    avoidable = [c for c in section.get("/api/flow/split", year=YEAR).json()["cells"] if c["kind_code"] == "avoidable"]
    assert sum(int(row["stays"]) for row in exported(section, "/flow", "regain", period=YEAR)) == avoidable[0]["stays"] > 0
    drawn = charts(section.get("/flow", period=YEAR).text)
    links = drawn["flow_sankey"]["links"]
    assert sum(one["value"] for one in links if one["source"].startswith("0:")) == whole["stays"]
    assert sum(one["value"] for one in links if one["source"].startswith("1:")) == whole["stays"]
    assert len(drawn["arcs"]["outlines"]) == 8 and drawn["arcs"]["arcs"]


def test_every_number_leads_to_as_many_rows(people: dict[str, Person]) -> None:
    section = people["section"]
    for path, kind in (("/flow", "arcs"), ("/flow?cut=age_band", "flow_heat"), (f"/flow/county/{COUNTY}", "flow_stack")):
        data = charts(section.client.get(path, params={"period": YEAR, "cut": "age_band"} if "cut" in path else {"period": YEAR}).text)[kind]
        if kind == "arcs":
            pairs = [(one["link"], one["value"]) for one in data["arcs"][:4]]
        elif kind == "flow_heat":
            pairs = [(one[4], float(one[3].replace(",", ""))) for one in data["cells"][:4]]
        else:
            pairs = list(zip(data["series"][0]["links"], data["series"][0]["values"], strict=True))[:3]
        for link, value in pairs:
            assert link.startswith("/flow/rows?"), (path, link)
            count = re.search(r"(\d[\d,]*) rows", section.client.get(f"{link}&lang=en").text)
            assert count and float(count[1].replace(",", "")) == value, (link, value)


def test_rows_are_masked_named_by_file_and_audited(region: Region, people: dict[str, Person]) -> None:
    link = {"what": "outflow", "period": YEAR, "home_county": COUNTY, "kind_code": "avoidable"}
    before = len(Audit(region.site.ledger).entries(10_000))
    rows = exported(people["section"], "/flow/rows", "rows", **link)
    after = Audit(region.site.ledger).entries(10_000)
    assert len(after) == before + 1 and after[0]["action"] == "rows" and after[0]["rows"] == len(rows) and "flow outflow" in after[0]["subject"]
    files = {one.id: one for one in region.site.ledger.submissions()}
    for row in rows:
        assert files[int(row["submission"])].file == row["file"] and int(row["line"]) > 1 and row["sender"] and row["home_county"] == COUNTY
    assert {row["origin"] for row in rows} == {"front_page", "claim"}
    private = {c.name for c in region.site.catalog.tables["outflow"].columns.values() if c.private == "direct"}
    assert not private & set(rows[0])


def test_roles(people: dict[str, Person]) -> None:
    paths = ("/flow", f"/flow/county/{COUNTY}", "/api/flow/matrix", f"/api/flow/county/{COUNTY}?from={YEAR}-01&to={YEAR}-12", "/flow?export=map.xlsx",
             "/flow/rows?what=outflow", "/flow/rows?what=stays&export=rows.csv")
    for role, figures, rows in (("section", 200, 200), ("leader", 200, 403), ("viewer", 200, 403), ("administrator", 403, 403), ("auditor", 403, 403)):
        got = [people[role].client.get(path).status_code for path in paths]
        assert got == [figures] * 5 + [rows] * 2, (role, got)
    assert "/flow/rows" not in people["leader"].get("/flow").text + people["viewer"].get(f"/flow/county/{COUNTY}").text


def test_a_county_sees_only_its_own(people: dict[str, Person]) -> None:
    county, section = people["county"], people["section"]
    for panel in PANELS:
        own = exported(county, "/flow", panel, period=YEAR)
        assert own and {row["home_county"] for row in own} == {COUNTY}, panel
        assert own == [row for row in exported(section, "/flow", panel, period=YEAR) if row["home_county"] == COUNTY], panel
    for what in ("matrix", "split", "siphon", "regain"):
        by = {} if what == "siphon" else {"by": "home_county"}
        assert {cell["home_county"] for cell in county.get(f"/api/flow/{what}", **by).json()["cells"]} == {COUNTY}, what
        assert county.get(f"/api/flow/{what}", home_county=OTHER).status_code == 403, what
    for path in (f"/flow/county/{OTHER}", f"/flow/county/{OTHER}?export=groups.csv", f"/api/flow/county/{OTHER}?from={YEAR}-01&to={YEAR}-12",
                 f"/flow/rows?what=outflow&home_county={OTHER}", f"/flow/rows?what=stays&home_county={OTHER}&export=rows.json"):
        assert county.client.get(path).status_code == 403, path
    for what in ("stays", "outflow"):
        rows = exported(county, "/flow/rows", "rows", what=what, period=YEAR)
        assert rows and {row["home_county"] for row in rows} == {COUNTY}, what
    for panel in COUNTY_PANELS:
        own, whole = (exported(person, f"/flow/county/{COUNTY}", panel, period=YEAR, lang="zh") for person in (county, section))
        assert own == whole, panel
    assert f"/flow/county/{OTHER}" not in county.get("/flow").text


def test_small_counts_are_withheld_from_viewers(region: Region, people: dict[str, Person]) -> None:
    viewer, below, hidden = people["viewer"], region.site.settings.suppress_below, Counter()
    for path, panels in (("/flow", PANELS), (f"/flow/county/{COUNTY}", COUNTY_PANELS)):
        for panel in panels:
            for row in exported(viewer, path, panel, period=YEAR):
                hidden[panel] += row["stays"] == ""
                assert row["stays"] == "" or int(row["stays"]) >= below, (panel, row)
                assert (row["stays"] == "") == (row["bed_days"] == "") == (row["charge_cny"] == "")
    assert hidden["map"] and hidden["matrix"] and hidden["destinations"], "the case is not tried: nothing is small"
    text = viewer.get("/flow", period=YEAR).text
    drawn = charts(text)
    assert ">*</td>" in text
    assert all(one["value"] >= below for one in drawn["arcs"]["arcs"])
    assert all(one[3] == "*" or int(one[3].replace(",", "")) >= below for one in drawn["flow_heat"]["cells"])
    assert all(v is None or v >= below for one in drawn["flow_stack"]["series"] for v in one["values"])
    cells = viewer.get("/api/flow/split", by="home_county,facility_county,kind_code", year=YEAR).json()["cells"]
    assert {(c["home_county"], c["facility_county"], c["kind_code"]) for c in cells if not c["suppressed"]} == {
        (r["home_county"], r["facility_county"], r["kind_code"]) for r in exported(viewer, "/flow", "map", period=YEAR) if r["stays"]}


def test_viewers_cannot_subtract_filters_of_their_own(people: dict[str, Person]) -> None:
    viewer = people["viewer"]
    for where in ({"age_band": "85+"}, {"facility_level": "tertiary"}, {"first_month": "2025-01", "last_month": "2025-11"},
                  {"first_month": "2025-02"}, {"year": YEAR, "month": "2025-03"}, {"kind_code": "avoidable"}):
        assert viewer.get("/api/flow/split", **where).status_code == 403, where
    assert viewer.get("/flow", cut="age_band", only="85+").status_code == 403
    assert viewer.get(f"/api/flow/county/{COUNTY}", **{"from": "2025-01", "to": "2025-11"}).status_code == 403
    for where in ({"year": YEAR}, {"month": MONTH, "home_county": COUNTY}, {"first_month": "2025-01", "last_month": "2025-12"}):
        assert viewer.get("/api/flow/split", **where).status_code == 200, where


BAD = (
    "/flow?period=junk", "/flow?period=1999", "/flow?period=2025-13", "/flow?cut=junk", "/flow?measure=junk", "/flow?measure=fund_paid_cny%27--",
    "/flow?cut=age_band&only=junk", "/flow?cut=facility_county&only=junk", "/flow?as_of=junk", "/flow?as_of=99999", "/flow?export=map.exe",
    "/flow?export=junk.csv", "/flow/county/junk", "/flow/county/%27;--", "/flow/county/999999", f"/flow/county/{COUNTY}?period=x", "/flow/county/",
    "/flow/rows?what=junk", "/flow/rows?home_county=junk", "/flow/rows?kind_code=junk&what=outflow", "/flow/rows?kind_code=avoidable", "/flow/rows?junk=1",
    "/flow/rows?month=2026-99", "/flow/rows?is_insured=perhaps", "/flow/rows?facility_code=%00", f"/flow/rows?facility_code={'x' * 99}",
)
BAD_API = (
    "/api/flow/junk", "/api/flow/split?by=junk", "/api/flow/split?by=resident_id", "/api/flow/split?junk=1", "/api/flow/matrix?kind_code=avoidable",
    "/api/flow/split?year=junk", "/api/flow/split?year=%C2%B2025", "/api/flow/split?month=2026-1", "/api/flow/split?quarter=2026-Q1",
    "/api/flow/siphon?by=year",
    "/api/flow/split?first_month=2026-05&last_month=2026-01", "/api/flow/split?home_county=junk", "/api/flow/split?home_county=", "/api/flow/split?as_of=x",
    "/api/flow/split?by=year,month,home_county,kind_code,sex_code", f"/api/flow/county/{COUNTY}", f"/api/flow/county/{COUNTY}?from=2026-05&to=2026-01",
    "/api/flow/county/junk?from=2026-01&to=2026-02", f"/api/flow/county/{COUNTY}?from=2026-01&to=2026-02&most=x",
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_bad_address_is_answered_with_words(people: dict[str, Person], language: str) -> None:
    for path in BAD:
        answer = people["section"].client.get(f"{path}{'&' if '?' in path else '?'}lang={language}", follow_redirects=False)
        assert answer.status_code in (400, 404, 422), (path, answer.status_code)
        assert "<h1>" in answer.text and "Traceback" not in answer.text, path
    for path in BAD_API:
        answer = people["section"].client.get(path)
        assert answer.status_code in (400, 404, 422) and answer.json()["error"], (path, answer.status_code)


def test_the_command_refuses_what_does_not_fit(region: Region) -> None:
    for arguments in (["--what", "junk"], ["--where", "year"], ["--where", "year=x"], ["--by", "junk"],
                      ["--county", "junk", "--from", "2025-01", "--to", "2025-02"],
                      ["--county", COUNTY], ["--format", "parquet"], ["--what", "county"], ["--county", COUNTY, "--by", "month"]):
        done = CliRunner().invoke(cli, ["flow", str(region.folder), *arguments])
        assert isinstance(done.exception, Refusal) and not done.stdout, arguments
    at_terminal = command(region, "--what", "junk")
    assert at_terminal.returncode == 2 and at_terminal.stderr.strip() and "Traceback" not in at_terminal.stderr and not at_terminal.stdout
    shown = command(region, "--where", f"year={YEAR}")
    assert shown.returncode == 0 and COUNTY in shown.stdout and not shown.stderr


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_speak_the_language(people: dict[str, Person], language: str) -> None:
    said = outflow_rule()
    for path in ("/flow?cut=icd_chapter&", "/flow?cut=mdc&measure=relative_weight&", "/flow?cut=drg&",
                 "/flow?cut=is_insured&measure=charge_cny&", f"/flow/county/{COUNTY}?",
                 "/flow/rows?what=outflow&kind_code=avoidable&"):
        text = people["section"].client.get(f"{path}lang={language}").text
        reader = read(text)
        words = " ".join(reader.words).replace(people["section"].name, "")
        if "rows" not in path:
            assert said.sentence.in_language(language) in " ".join(words.split()) and all(m.in_language(language) in words for m in said.meanings.values())
        if language == "en":
            assert not re.findall("[\u4e00-\u9fff]+", words), path
            assert not re.findall("[\u4e00-\u9fff]+", " ".join(re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), data) for data in reader.data)), path


def test_a_site_without_outlines_shows_the_rest(discharges: Path, tmp_path: Path) -> None:
    import gzip

    small = tmp_path / "discharges.csv"
    with gzip.open(discharges, "rt", encoding="utf-8", newline="") as stream, small.open("w", encoding="utf-8", newline="") as out:
        for _, line in zip(range(3_000), stream, strict=False):
            out.write(line)
    site: Site = make_site(tmp_path / "site")
    site.intake().take([small], mapping="datasus_sih_rd")
    site.build()
    person = somebody(create_app(site), "section")
    for path in ("/flow", "/flow?cut=icd_chapter&measure=bed_days"):
        answer = person.client.get(path)
        assert answer.status_code == 200 and 'id="map"' not in answer.text and 'id="sankey"' in answer.text and 'id="matrix"' in answer.text
    code = re.search(r"/flow/county/(\w+)", answer.text)
    assert code and person.get(f"/flow/county/{code[1]}").status_code == 200
    rows = exported(person, "/flow", "matrix")
    assert len(rows) > 100 and sum(int(row["stays"]) for row in rows) > 1_000


def test_outlines_that_are_none_are_left_out() -> None:
    square = [[0, 0], [0, 1], [1, 1], [0, 0]]
    good = {"type": "Polygon", "coordinates": [square]}
    assert maps._geometry(json.dumps(good)) == good
    assert maps._geometry(json.dumps({"type": "Feature", "geometry": good, "properties": {}})) == good
    for bad in ("", "junk", "[]", "{}", "null", '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Polygon", "coordinates": [[["x", 1]]]}',
                '{"type": "Polygon", "coordinates": 1}', '{"type": "Polygon", "coordinates": []}', '{"type": "Feature", "geometry": null}'):
        assert maps._geometry(bad) is None, bad


@pytest.fixture(scope="module")
def opened(region: Region, address: str, browser: Browser) -> Iterator[Visitor]:
    """A section in front of the pages."""
    with visiting(region.site, address, browser, "section") as found:
        yield found


def test_a_click_on_the_map_leads_to_the_county(opened: Visitor) -> None:
    page = opened.go(f"/flow?period={YEAR}", "en")
    page.evaluate("""() => { const holder = document.querySelector('[data-chart=map-data]'), chart = echarts.getInstanceByDom(holder);
        const points = JSON.parse(document.getElementById('map-data').textContent).points, box = holder.getBoundingClientRect();
        const [x, y] = chart.convertToPixel('geo', points['990104']);
        window.place = [box.left + x, box.top + y]; }""")
    x, y = page.evaluate("window.place")
    page.mouse.click(x, y)
    page.wait_for_url(f"**/flow/county/{COUNTY}?*")
    assert not opened.errors, opened.errors
