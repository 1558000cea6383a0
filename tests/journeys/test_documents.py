"""Every command of the tutorial runs, and the figures it states are the figures it prints; the reference names every definition."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from quanmin.site import Site, make_site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
ROOT = Path(__file__).parents[2]
SHARE = "/indicator/in_county_inpatient_share"


def run_blocks(document: str, folder: Path) -> str:
    """Run every sh block of a document in `folder`, in order, those that stand in both languages once; returns what they printed."""
    blocks = dict.fromkeys(BLOCK.findall((ROOT / document).read_text("utf-8")))
    assert blocks, f"{document} has no command"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    printed = ""
    for block in blocks:
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{document}: {block}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout
    return printed


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md"])
def test_the_make_targets_of_the_readme_exist(document: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"^make (\w+)", (ROOT / document).read_text("utf-8"), re.MULTILINE)
    assert {"demo", "test"} <= set(named) <= set(targets)


def test_every_command_of_the_readme_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    printed = run_blocks("README.md", tmp_path)
    assert BLOCK.findall((ROOT / "README.zh-CN.md").read_text("utf-8")) == BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    stays = sorted(p.name for p in (region.folder / "region" / "files" / "990101H001").glob("*_stay_2026-0[1-3].csv"))
    assert len(stays) == 3 and all(name in printed for name in stays)
    with (tmp_path / "stays.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["month"] for row in csv.DictReader(stream)] == ["2026-01", "2026-02", "2026-03"]
    assert (tmp_path / "findings.csv").read_text("utf-8").startswith("check,name,category,severity,sender,")
    assert all((tmp_path / name).stat().st_size > 100 for name in ("months.csv", "ranks.csv", "groups.csv", "highlights.json", "communities.csv"))
    assert {path.suffix for path in (tmp_path / "brief").iterdir()} == {".docx", ".pptx", ".xlsx", ".pdf"}


def test_every_command_of_the_guide_to_linking_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    (tmp_path / "quanmin").symlink_to(ROOT / "quanmin")
    run_blocks("docs/how-to/link-files.md", tmp_path)
    with (tmp_path / "clusters.csv").open(encoding="utf-8", newline="") as stream:
        people = Counter(row["cluster_id"] for row in csv.DictReader(stream))
    with (tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as stream:
        joined = [row for row in csv.DictReader(stream) if row["status"] == "joined"]
    assert joined and 1 in people.values() and sum(n > 1 for n in people.values()) <= len(joined)
    assert all(row["file_a"] != row["file_b"] for row in joined), "a register lists nobody twice"


def test_every_command_of_the_guide_to_grouping_runs(tmp_path: Path) -> None:
    printed = run_blocks("docs/how-to/group-cases.md", tmp_path)
    with (tmp_path / "groups.csv").open(encoding="utf-8", newline="") as stream:
        found = {row["case_id"]: row for row in csv.DictReader(stream)}
    assert {name: (row["drg"], row["reason"]) for name, row in found.items()} == {"1": ("FM19", ""), "2": ("KS15", ""), "3": ("", "sex_conflict")}
    assert "I25.103" in found["1"]["explanation"] and "3" in printed
    with (tmp_path / "dip.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["drg"] for row in csv.DictReader(stream)] == ["J18.9"] * 5 + ["I25.1:36.06"] * 3 + ["I25:operation", "J18:diagnostic"]
    with (tmp_path / "dip-site/definitions/groupers/dip_region/groups.csv").open(encoding="utf-8-sig", newline="") as stream:
        points = {row["group"]: row["points"] for row in csv.DictReader(stream)}
    guide = (ROOT / "docs/how-to/group-cases.md").read_text("utf-8")
    assert (points["J18.9"], points["I25.1:36.06"]) == ("215.054", "1935.484") and all(points[name] in guide for name in ("J18.9", "I25.1:36.06"))


def test_every_command_of_the_guide_to_outcomes_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    run_blocks("docs/how-to/compare-outcomes.md", tmp_path)
    with (tmp_path / "stays.csv").open(encoding="utf-8", newline="") as stream:
        stays = [row for row in csv.DictReader(stream) if row["expected"]]
    died = sum(row["B34C"] == "5" for row in stays)
    assert died > 20 and abs(sum(float(row["expected"]) for row in stays) - died) < 0.01 * died
    with (tmp_path / "charts.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(stays)
    with (tmp_path / "strata.csv").open(encoding="utf-8", newline="") as stream:
        assert {row["unit"] for row in csv.DictReader(stream)} == {row["A01"] for row in stays}


def test_every_command_of_the_guide_to_preparedness_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    printed = run_blocks("docs/how-to/plan-mass-testing.md", tmp_path)
    with (tmp_path / "hours.csv").open(encoding="utf-8", newline="") as stream:
        assert float(list(csv.DictReader(stream))[-1]["people_with_result"]) == 600_000
    assert "deadline_days,resource,factor,lab_factor,units,cny" in printed and "name,of,supply,peak_need" in printed
    assert all((tmp_path / name).stat().st_size > 300 for name in ("cover.csv", "course.csv", "demo-hours.csv", "demo-surge.csv", "demo-cover.csv"))


def test_every_command_of_the_guide_to_stocks_and_exercises_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    run_blocks("docs/how-to/stocks-and-exercises.md", tmp_path)
    with (tmp_path / "cover.csv").open(encoding="utf-8", newline="") as stream:
        short = {(row["institution"], row["item"]) for row in csv.DictReader(stream) if row["situation"] == "full_load" and row["is_short"].lower() == "true"}
    planted = {(row["facility_code"], row["item_code"]) for row in region.truth("supplies") if row["kind"] == "short"}
    assert short == {pair for pair in planted if pair[0].startswith("990104")} and len(short) == 1
    stock = json.loads((tmp_path / "stock.json").read_text("utf-8"))
    assert (stock["source"], stock["target_days"]) == ("counted", 45) and stock["short_count"] > len(planted), "more staff on duty, a higher target"
    with (tmp_path / "exercises.csv").open(encoding="utf-8", newline="") as stream:
        newest = next(csv.DictReader(stream))
    assert float(newest["score"]) == 15 and newest["is_over"].lower() == "true" and (tmp_path / "exercise.docx").stat().st_size > 10_000
    assert all((tmp_path / name).stat().st_size > 100 for name in ("ready.csv", "expired.csv", "reactions.csv"))


def test_every_command_of_the_path_to_a_cause_runs(region: Region, tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(region.folder)
    run_blocks("docs/tutorials/from-a-number-to-its-cause.md", tmp_path)
    with (tmp_path / "groups.csv").open(encoding="utf-8", newline="") as stream:
        groups = {row["group"]: float(row["data"]) + float(row["mix"]) + float(row["rate"]) for row in csv.DictReader(stream)}
    county = next(row["place_code"] for row in region.truth("events") if row["kind"] == "lost_services")
    assert county == "990104" and sorted(groups, key=lambda group: groups[group])[:1] == ["11"] and groups["09"] < 0 and groups["19"] < 0
    assert {path.suffix for path in (tmp_path / "brief").iterdir()} == {".docx", ".pdf"}


def test_every_command_of_the_path_to_a_closed_finding_runs(tmp_path: Path) -> None:
    printed = run_blocks("docs/tutorials/front-page-to-closed-finding.md", tmp_path)
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as stream:
        found = {row["rule"]: row for row in csv.DictReader(stream)}
    assert {rule: float(row["amount_cny"]) for rule, row in found.items()} == {
        "stay_conduct/readmitted_same_day_same_facility": 6100, "stay_conduct/male_female_diagnosis": 4300}
    assert "stay_conduct/readmitted_same_day_same_facility,1,1,0,100.0," in printed
    last = json.loads(printed[printed.rindex("\n{\n") :])
    assert (last["is_found"], last["standing"]["state"], last["standing"]["verdict"], len(last["acts"])) == (False, "closed", "violation", 5)


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the tutorial of the national series was followed, and what it printed."""
    found = ROOT.parent / "shared" / "data" / "notifiable_monthly" / "monthly-cases.csv"
    if not found.exists():
        pytest.skip(f"{found.name} is not at ../shared/data/notifiable_monthly")
    folder = tmp_path_factory.mktemp("national")
    (folder / found.name).symlink_to(found)
    return folder, run_blocks("docs/tutorials/national-monthly-series.md", folder)


def test_tutorial_of_the_national_series(national: tuple[Path, str]) -> None:
    folder, printed = national
    guide = (ROOT / "docs/tutorials/national-monthly-series.md").read_text("utf-8")
    assert "84" in (refused := (folder / "refused.txt").read_text("utf-8")) and "83" in refused and not (folder / "pertussis.csv").exists()
    sums = next(line.split() for line in printed.splitlines() if re.fullmatch(r"[\d ]+", line))
    assert sums[0] == sums[1] and all(f"{int(value):,}" in guide for value in sums)
    judged, alarms = {}, Counter()
    for name in ("plain", "told"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                judged[name, row["unit"], row["date"]] = row
                alarms[name, row["unit"], row["date"][:4]] += row["alarm"] == "1"
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in guide.splitlines() if re.search(r"\| \d \|$", line)]
    names = {row[0].split(" · ")[1]: row[0].split(" · ")[0] for row in table}
    stood = (("plain", "2020"), ("plain", "2023"), ("plain", "2024"), ("told", "2023"), ("told", "2024"))
    assert len(table) == 12 and all([int(cell) for cell in row[1:]] == [alarms[run, row[0].split(" · ")[0], year] for run, year in stood] for row in table)
    assert sum(count for (run, _, year), count in alarms.items() if (run, year) == ("plain", "2020")) == 1
    early, flu = names["Pertussis"], judged["plain", names["Influenza"], "2020-01"]
    shown = [flu, judged["plain", early, "2023-08"], judged["told", early, "2023-08"]]
    assert all(f"{int(one[column]):,}" in guide for one in shown for column in ("observed", "upper"))
    assert f"{int(judged['told', early, '2024-05']['observed']):,}" in guide
    first = {run: min(date for told, unit, date in judged if (told, unit) == (run, early) and date >= "2023" and judged[told, unit, date]["alarm"] == "1")
             for run in ("plain", "told")}
    assert first == {"plain": "2023-12", "told": "2023-08"}
    assert [judged[run, early, "2023-12"]["baseline_periods"] for run in ("plain", "told")] == ["55", "19"] and "55" in guide and "19" in guide
    assert {row["reason"] for (_, _, date), row in judged.items() if date in ("2010-10", "2010-11")} == {"missing"}, "a month left out is not 0"


@pytest.fixture(scope="module")
def brazil(discharges: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the tutorial of the real discharges was followed, and what it printed."""
    folder = tmp_path_factory.mktemp("datasus")
    shutil.copy(discharges, folder)
    return folder, run_blocks("docs/tutorials/datasus.md", folder)


def test_datasus_tutorial(brazil: tuple[Path, str]) -> None:
    folder, printed = brazil
    for figure in ("66.11", "6,570", "9,938", "5.13", "510"):
        assert figure in printed, figure
    assert (folder / "share.csv").read_text().startswith("home_county,month,numerator,denominator,unknown,value,low,high,suppressed\n")
    assert all((folder / name).stat().st_size > 300 for name in ("ranks.csv", "groups.csv", "flow.csv"))


@pytest.fixture(scope="module")
def ana(brazil: tuple[Path, str]) -> Person:
    return somebody(create_app(Site(brazil[0] / "brazil")), "section")


@pytest.mark.parametrize(("path", "panels"), [
    ("/?period=2019", ("counties",)), (f"{SHARE}?period=2019", ("trend", "counties", "ranks")),
    (f"{SHARE}?view=breakdown&period=2019", ("breakdown",)),
    (f"{SHARE}?view=change&before=2019-01..2019-06&after=2019-07..2019-12", ("bridge", "causes", "groups")),
    ("/flow?period=2019", ("sankey", "counties", "matrix")), ("/flow/county/431490?period=2019", ("trend", "destinations", "facilities")),
    ("/place/431490?period=2019", ("standings",)), ("/data", ("timeliness", "counts")), ("/about", ("definitions",)), ("/wall?period=2019", ())])
def test_the_same_pages_show_the_real_discharges(brazil: tuple[Path, str], ana: Person, path: str, panels: tuple[str, ...]) -> None:
    for language in ("zh", "en"):
        page = ana.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert page.status_code == 200, (path, page.status_code)
    for panel in panels:
        sheet = ana.get(f"{path}{'&' if '?' in path else '?'}export={panel}.json")
        assert sheet.status_code == 200, (path, panel)
        values = [value for row in sheet.json()["rows"] for value in row.values() if isinstance(value, int | float) and not isinstance(value, bool)]
        assert len(values) >= 2 and any(values), f"{path}: {panel} has no figures"
    if path == f"{SHARE}?period=2019":
        [cell] = Site(brazil[0] / "brazil").indicators().ask(SHARE.split("/")[2], [], ["month >= '2019-01'", "month <= '2019-12'"]).cells
        assert 9_000 < cell.denominator < 9_938 and all(text in page.text for text in (f"{cell.value:.2f}", f"{cell.numerator:,}", f"{cell.denominator:,}"))


def test_the_mapping_of_the_recipe_takes_a_file(tmp_path: Path) -> None:
    text = re.search(r"```toml\n(.*?)```", (ROOT / "DEVELOPING.md").read_text("utf-8"), re.DOTALL)
    assert text
    make_site(tmp_path / "site")
    own = tmp_path / "site" / "definitions" / "mappings"
    own.mkdir(parents=True, exist_ok=True)
    (own / "clinic.toml").write_text(text[1], "utf-8")
    columns = tomllib.loads(text[1])["recognise"]
    sources = [c["from"] if isinstance(c, dict) else c for c in tomllib.loads(text[1])["into"][0]["columns"].values()
               if isinstance(c, str) or "from" in c]
    amount = re.search(r"replace\((\w+)", text[1])
    assert amount
    header = [*dict.fromkeys([*columns, *sources]), amount[1]]
    kind = next(iter(tomllib.loads(text[1])["into"][0]["columns"]["kind_code"]["codes"]))
    values = {header[0]: "7", header[1]: "2026/03/02 09:15", amount[1]: "12.50"} | {h: kind for h in header[3:-1]}
    (tmp_path / "visits.csv").write_text(",".join(header) + "\n" + ",".join(values.get(h, "") for h in header) + "\n", "utf-8")
    receipt = Site(tmp_path / "site").intake().take([tmp_path / "visits.csv"])[0]
    assert (receipt.mapping, receipt.sender, receipt.accepted, receipt.rejected) == ("clinic", "H001", 1, 0), receipt.problems


def test_reference_names_every_definition() -> None:
    from docs.generate import pages
    from quanmin.catalog import load

    catalog = load()
    text = "\n".join(line for lines in pages(catalog).values() for line in lines)
    for name in (*catalog.tables, *catalog.indicators, *catalog.checks, *catalog.rules, *catalog.codes):
        assert name in text, name
