"""(p) Server time of every page, export and API action: the first opening and again, beside the same with nothing held in memory and nothing remembered.

`python -m bench p` makes a site of RESIDENTS; `python -m bench.pages SITE …` measures sites that are there (it adds accounts to them, and takes
them away again) and keeps the results of each size.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient

from bench.increment import manifest, take
from bench.measure import measure
from quanmin.gate import Scope
from quanmin.gate.performing import actions
from quanmin.site import Site, make_site
from quanmin.synth import make_region
from quanmin.web.app import create_app
from quanmin.web.desk import Desk
from quanmin.web.pages import THEMES

RESIDENTS, RUNS = 50_000, 5
LONGEST_WAIT = 600  # seconds
LIMITS = {100_000: 0.3, 10_000_000: 1.0}  # seconds, for sites of up to so many residents
COUNTED, MONEY = "in_county_inpatient_share", "in_county_inpatient_charge"
FILES = (".csv", ".xlsx", ".json", ".docx", ".pptx", ".pdf", "export=")


class Unanswered(Exception):
    """A page that did not answer as it should: it is listed by its status, not timed."""


@dataclass(frozen=True)
class Place:
    """What the addresses name: a county and a hospital in it, a community, a period that is not the newest, and the newest year."""

    county: str
    facility: str
    community: str
    older: str
    year: int


def _place(site: Site) -> Place:
    engine = site.indicators().engine
    facility = engine.table("SELECT facility_code AS f, county_code AS c FROM facility WHERE type_code LIKE 'A%' ORDER BY facility_code LIMIT 1").to_pylist()[0]
    community = engine.table("SELECT min(community_code) AS c FROM facility WHERE county_code = $c", {"c": facility["c"]}).to_pylist()[0]["c"]
    found = engine.table("SELECT DISTINCT strftime(discharged_on, '%Y-%m') AS m FROM hospitalisation ORDER BY m")["m"].to_pylist()
    months = [month for month in found if month]
    return Place(facility["c"], facility["f"], community or "", months[-14], int(months[-1][:4]))


def _pages(p: Place) -> list[str]:
    """The pages that everybody with figures may open."""
    views = [f"/indicator/{name}?view={view}" for name in (COUNTED, MONEY) for view in ("trend", "institutions", "change", "breakdown", "definition")]
    return [
        "/", f"/?period={p.older}", "/?on=average_stay_days", f"/?place={p.county}", "/highlights?part=1", f"/highlights?place={p.county}&part=1", "/wall",
        f"/place/{p.county}", f"/place/{p.county}?period={p.older}", f"/facility/{p.facility}", *(f"/indicators?theme={name}" for name in THEMES),
        f"/indicators?period={p.older}", *views, f"/indicator/{COUNTED}?view=change&place={p.county}", f"/indicator/{COUNTED}?place={p.county}",
        "/case-mix", f"/case-mix?facility={p.facility}", "/outcomes", "/outcomes?outcome=stay_days", "/quality-goals", f"/outcomes/{p.facility}",
        "/flow", f"/flow?period={p.older[:4]}", f"/flow/county/{p.county}", "/communities", f"/community/{p.community}", "/targets", "/data",
        f"/data/sender/{p.facility}", "/data/checks", "/about", "/password", "/sign-in",
        "/appraisal", "/infections", "/vaccine-safety", "/preparedness", "/preparedness/mass-testing", "/preparedness/stockpile", "/preparedness/surge"]


def _watched(p: Place) -> list[str]:
    """The pages of those who may see small numbers."""
    return ["/findings", "/warnings", f"/warnings/place/{p.county}", "/diseases/influenza", "/preparedness/exercises"]


def _files(p: Place) -> list[str]:
    """The main exports."""
    return ["/?export=standings.csv", "/?export=counties.xlsx", f"/indicator/{COUNTED}?export=trend.xlsx", f"/indicator/{COUNTED}/figures.csv?by=place,month",
            "/indicator/average_stay_days/figures.xlsx?by=facility_code,month", "/flow?export=matrix.csv", "/data?export=timeliness.csv",
            *(f"/brief.{form}" for form in ("docx", "pptx", "xlsx", "pdf"))]


def _asked(p: Place) -> list[str]:
    """The API: every action that only reads and asks for nothing that somebody must have made first, and the routes beside them."""
    told = {"indicator": COUNTED, "code": p.community, "facility": p.facility, "before": str(p.year - 1), "after": str(p.year), "item": "influenza",
            "place": p.county}
    found = []
    for name, one in actions().items():
        if not one.changes and one.permission == "figures" and all(q.name in told for q in one.parameters if q.is_required):
            given = "&".join(f"{q.name}={quote(told[q.name])}" for q in one.parameters if q.is_required)
            found.append(f"/api/{name.replace('_', '-')}" + (f"?{given}" if given else ""))
    return [*found, "/api/indicators", f"/api/indicators/{COUNTED}?by=place,month", "/api/flow/matrix?by=home_county,facility_county",
            "/api/flow/split?by=kind_code", "/api/flow/siphon", "/api/flow/regain", f"/api/flow/county/{p.county}?from={p.year - 1}-01&to={p.year - 1}-12"]


def _rows(p: Place) -> list[str]:
    """What only who may see rows may open."""
    return [f"/indicator/{COUNTED}/rows?period={p.older}", f"/indicator/{COUNTED}/rows?period={p.older}&export=rows.csv",
            f"/flow/rows?what=outflow&home_county={p.county}"]


def _somebody(app: Any, role: str, scope: str) -> TestClient:
    """Somebody who has just signed in, the one-time password changed."""
    site, name, word = app.state.desk.site, f"bench-{secrets.token_hex(4)}", "a long enough phrase 7"
    once = site.accounts.add(name, role, scope)
    client = TestClient(app, raise_server_exceptions=False, headers={"user-agent": name})

    def sign_in(password: str) -> None:
        assert client.post("/sign-in", data={"name": name, "password": password}, follow_redirects=False).status_code == 303

    sign_in(once)
    found = re.search('name="csrf" value="([^"]+)"', client.get("/password").text)
    assert found
    client.post("/password", data={"csrf": found[1], "old": once, "new": word}, follow_redirects=False)
    sign_in(word)
    return client


def _timed(client: TestClient, path: str) -> tuple[float, float]:
    """Seconds, and seconds of all processors together, which do not grow when others use the machine."""
    started, begun = time.perf_counter(), time.process_time()
    answer = client.get(path, follow_redirects=False)
    spent = time.perf_counter() - started, time.process_time() - begun
    if answer.status_code != 200:
        raise Unanswered(f"{answer.status_code}")
    return spent


def _told(runs: list[tuple[float, float]]) -> list[float]:
    """Median, 95th percentile and largest in milliseconds, and the median of processor time."""
    ordered = sorted(wall for wall, _ in runs)
    chosen = median(ordered), ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))], ordered[-1], median(cpu for _, cpu in runs)
    return [round(1000 * one, 1) for one in chosen]


def _both(desk: Desk, client: TestClient, paths: list[str], runs: int, failed: dict[str, str]) -> dict[str, dict[str, list[float]]]:
    """Path → first and again: before each first opening the memory is what it was when the measuring began."""
    begun, found = desk.memory(), {}
    for path in paths:
        times: dict[str, list[tuple[float, float]]] = {"first": [], "again": []}
        try:
            for _ in range(runs):
                desk.recall(begun)
                times["first"].append(_timed(client, path))
                times["again"].append(_timed(client, path))
        except Unanswered as status:
            failed[path] = str(status)
            continue
        found[path] = {name: _told(spent) for name, spent in times.items()}
        print(f"{path}: {found[path]}", file=sys.stderr, flush=True)
    desk.recall(begun)
    return found


def _until_quiet(desk: Desk, scope: Scope) -> float:
    """Seconds until what is worked out in the background for a scope is there."""
    started = time.perf_counter()
    while not desk.is_warm(scope) and time.perf_counter() - started < LONGEST_WAIT:
        time.sleep(0.05)
    return time.perf_counter() - started


def _served(folder: str, runs: int) -> dict[str, Any]:
    site = Site(Path(folder))
    place, started = _place(site), time.perf_counter()
    app = create_app(site)
    desk: Desk = app.state.desk
    with TestClient(app):
        leader = _somebody(app, "leader", "region")
        at_once, _ = _timed(leader, "/")
        _until_quiet(desk, Scope())
        warmed = time.perf_counter() - started
        print(f"warm after {warmed:.1f} s, {time.process_time():.1f} s of processors", file=sys.stderr, flush=True)
        section, county = _somebody(app, "section", "region"), _somebody(app, "section", f"county:{place.county}")
        signed_in, _ = _timed(county, "/")
        waited = _until_quiet(desk, Scope("county", place.county))
        failed: dict[str, str] = {}
        everything = [*_pages(place), *_files(place), *_asked(place)]
        found = {"leader": _both(desk, leader, everything, runs, failed) | _both(desk, section, [*_rows(place), *_watched(place), "/review"], runs, failed),
                 "county": _both(desk, county, [*everything, *_rows(place)], runs, failed)}
        site.accounts.disable(leader.headers["user-agent"])
        for client in (section, county):
            site.accounts.disable(client.headers["user-agent"])
    return {"pages": found, "not answered with 200": failed, "seconds until warm": round(warmed, 1),
            "ms of the first page while warming": round(1000 * at_once),
            "ms of a county's first page after sign-in": round(1000 * signed_in), "seconds until a county is warm": round(waited, 1)}


def _naive(folder: str, paths: list[str]) -> dict[str, list[float]]:
    """The same for somebody of the whole region without anything kept from one request to the next: tables in files, no warming, one run."""
    site = Site(Path(folder))
    app = create_app(site)
    desk: Desk = app.state.desk
    client = _somebody(app, "section", "region")
    with closing(client):
        found = {path: _forgotten(desk, client, path, Scope()) for path in paths}
    site.accounts.disable(client.headers["user-agent"])
    return found


def _forgotten(desk: Desk, client: TestClient, path: str, scope: Scope) -> list[float]:
    desk.forget()
    desk.indicators(scope)  # opened, with nothing in it
    return [round(1000 * one, 1) for one in _timed(client, path)]


def _rows_in(site: Site) -> int:
    return sum(rows for _, rows in site.ledger.versions(site.snapshot().id).values())


def measured(folder: Path, runs: int = RUNS, show: Callable[[str], None] = print) -> dict[str, Any]:
    """The figures of one site."""
    site = Site(folder)
    residents = site.indicators().engine.table("SELECT count(*) AS n FROM resident")["n"][0].as_py()
    limit, load = next(seconds for most, seconds in LIMITS.items() if residents <= most), os.getloadavg()[0]
    ours = measure(_served, str(folder), runs)
    pages = ours.result.pop("pages")
    plain = measure(_naive, str(folder), list(pages["leader"]))
    over = {}
    ratios = [pages["leader"][path]["again"][0] / spent[0] for path, spent in plain.result.items()]
    for name, paths in pages.items():
        for path, times in paths.items():
            slow = times["first"][0] > 1000 * limit
            over |= {f"{name} {path}": times["first"][0]} if slow else {}
            first, again = ("/".join(f"{one:.0f}" for one in times[key]) for key in ("first", "again"))
            show(f"{name:7} {path:75} {first:>21} {again:>19} {plain.result[path][0] if name == 'leader' else 0:>8.0f} {'over' if slow else ''}")
    first = [t["first"][0] for paths in pages.values() for t in paths.values()]
    return {"residents": residents, "rows": _rows_in(site), "runs": runs, "limit ms": 1000 * limit, "load before": round(load, 1),
            "load after": round(os.getloadavg()[0], 1), **ours.result, "pages measured": len(first), "median ms of first openings": round(median(first)),
            "over the limit": over, "ratio (again / nothing remembered, median)": round(median(ratios), 3), "peak MB": round(ours.peak_mb),
            "peer peak MB": round(plain.peak_mb), "ms (median, p95, largest, processor)": pages, "peer ms (wall, processor)": plain.result}


def run(folder: Path) -> dict[str, object]:
    """Measure; returns the report's line."""
    make_region(folder / "region", residents=RESIDENTS, seed=9)
    site = make_site(folder / "site", "990100")
    take(site, folder / "region", manifest(folder / "region"))
    site.build()
    found = measured(folder / "site", show=lambda line: print(line, file=sys.stderr))
    return _line({f"{RESIDENTS:,} residents": found})


def _line(sizes: dict[str, Any]) -> dict[str, object]:
    return {"bench": "(p) server time of pages, exports and API / the same with nothing held or remembered", "sizes": sizes}


def main() -> None:
    """Measure the sites named on the command line (`--runs=N`, by default RUNS) and keep the figures beside those of other sizes."""
    path = Path(__file__).with_name("results.json")
    runs = next((int(one.removeprefix("--runs=")) for one in sys.argv[1:] if one.startswith("--runs=")), RUNS)
    for folder in (one for one in sys.argv[1:] if not one.startswith("--")):
        found = measured(Path(folder), runs)
        known = json.loads(path.read_text("utf-8"))
        sizes = known["results"].get("p", {}).get("sizes", {}) | {f"{round(found['residents'], -4):,} residents": found}
        known["results"] = dict(sorted((known["results"] | {"p": _line(sizes)}).items()))
        path.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(json.dumps({key: value for key, value in found.items() if not key.startswith("ms (")}, ensure_ascii=False))


if __name__ == "__main__":
    main()
