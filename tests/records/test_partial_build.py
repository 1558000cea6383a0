"""What a build does again when definitions change: the derived tables they make and those made from them, and the outcome is that of a build from nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quanmin.catalog.loader import SHIPPED
from quanmin.model import Refusal
from quanmin.services.grouping.plain import Case, group_one
from quanmin.services.grouping.schemes import scheme_of
from quanmin.site import Site
from tests.records.made_files import contents, send, text_of
from tests.records.made_region import differences, first_wave, new_region, stays

WEIGHTS = "drg,weight,mean_charge_cny,mean_days,risk_level\n"


def weighed(site: Site, name: str, lines: str, valid_from: str = "2026-01-01") -> Site:
    """The site with a set of weights, opened again."""
    folder = site.folder / "definitions" / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(WEIGHTS + lines, "utf-8")
    (folder / f"{name}.toml").write_text(f'name = {{ zh = "w", en = "W" }}\nscheme = "chs_drg_1_1"\nvalid_from = {valid_from}\nstatus = "own"\n', "utf-8")
    return Site(site.folder)


def versions(site: Site) -> dict[str, int]:
    """Table → version in the newest snapshot."""
    return {name: version for name, (version, _) in site.ledger.versions(site.snapshot().id).items()}


def column(site: Site, name: str) -> list[object]:
    """A column of all hospitalisations, in the order of their ids."""
    rows = site.indicators().engine.table(f"SELECT {name} FROM hospitalisation WHERE drg IS NOT NULL ORDER BY hospitalisation_id").to_pylist()
    return [row[name] for row in rows]


def from_nothing(site: Site, folder: Path) -> Site:
    """The same site, built anew."""
    shutil.copytree(site.folder, folder / "again", ignore=shutil.ignore_patterns("warehouse", "scratch"))
    other = Site(folder / "again")
    other.build()
    return other


@pytest.fixture
def region(tmp_path: Path) -> Site:
    made = new_region(tmp_path / "site")
    first_wave(made, tmp_path)
    made.build()
    return made


def test_new_weights_redo_what_is_made_from_them_and_nothing_else(region: Site, tmp_path: Path) -> None:
    groups = sorted({str(drg) for drg in column(region, "drg")})
    assert groups and set(column(region, "relative_weight")) == {None}
    before = versions(region)
    site = weighed(region, "w2026", "".join(f"{drg},{1 + i / 4},8000,6,1\n" for i, drg in enumerate(groups)))
    _, is_new = site.build()
    after = versions(site)
    assert is_new
    made_from, tables = {"hospitalisation"}, [table for table in site.catalog.tables.values() if table.id in after]
    while more := {table.id for table in tables if made_from & set(table.derived_from)} - made_from:
        made_from |= more
    assert {name for name, version in after.items() if before[name] != version} - {"receipt"} == made_from and "finding" in made_from
    assert column(site, "relative_weight") == [1 + groups.index(str(drg)) / 4 for drg in column(site, "drg")]
    _, is_new = Site(site.folder).build()
    assert not is_new, "nothing changed since"


def test_in_steps_it_is_what_it_is_at_once(region: Site, tmp_path: Path) -> None:
    groups = sorted({str(drg) for drg in column(region, "drg")})
    site = weighed(region, "w2026", "".join(f"{drg},1.5,8000,6,\n" for drg in groups))
    send(site, tmp_path, "h1_3.csv", text_of(stays("2026-03", range(1, 9))), "H1")
    site.build()
    site = weighed(site, "w2026b", "".join(f"{drg},2.5,,,\n" for drg in groups[:1]), "2026-02-01")
    site.build()
    assert differences(site, from_nothing(site, tmp_path)) == {}
    told = site.indicators().engine.table("SELECT DISTINCT strftime(discharged_on, '%Y-%m') AS m, drg, relative_weight AS w FROM hospitalisation"
                                          " WHERE drg IS NOT NULL").to_pylist()
    assert {row["w"] for row in told if row["m"] == "2026-01"} == {1.5}
    assert {row["w"] for row in told if row["m"] > "2026-01"} == {2.5 if row["drg"] == groups[0] else None for row in told if row["m"] > "2026-01"}


def test_what_is_made_from_a_table_without_months_follows_its_definition(region: Site, tmp_path: Path) -> None:
    own = region.folder / "definitions" / "tables" / "derived"
    own.mkdir(parents=True)
    for name in ("facility_attributes.toml", "facility_attributes.sql"):
        shutil.copy(SHIPPED / "tables" / "derived" / name, own)
    sql = own / "facility_attributes.sql"
    sql.write_text(f"SELECT * REPLACE ('primary' AS facility_level) FROM ({sql.read_text('utf-8')})", "utf-8")
    site = Site(region.folder)
    site.build()
    levels = site.indicators().engine.table("SELECT DISTINCT facility_level AS level FROM hospitalisation WHERE origin = 'front_page'").to_pylist()
    assert levels == [{"level": "primary"}]
    assert differences(site, from_nothing(site, tmp_path)) == {}


def test_groups_are_those_that_bare_files_get(region: Site) -> None:
    scheme = scheme_of(region.catalog, "chs_drg_1_1").scheme
    held = contents(region, ["stay", "stay_group", "stay_diagnosis"])
    names = {table: list(region.catalog.tables[table].columns) for table in held}
    stay = [dict(zip(names["stay"], row, strict=False)) for row in held["stay"]]
    said = [dict(zip(names["stay_diagnosis"], row, strict=False)) for row in held["stay_diagnosis"]]
    found = {(row["submission"], row["line"]): row for row in (dict(zip(names["stay_group"], r, strict=False)) for r in held["stay_group"])
             if str(row["hospitalisation_id"]).startswith("S")}
    assert len(found) == len(stay) > 20
    key = ("facility_code", "case_number", "admission_number", "discharged_at")
    for one in stay:
        codes = [d["diagnosis_code"] for d in sorted(said, key=lambda d: d["diagnosis_order"]) if all(d[k] == one[k] for k in key)]
        plain = group_one(scheme, Case(int(one["sex_code"] or 0), {"AGE_YEARS": one["age_years"]}, codes, []))
        row = found[(one["submission"], one["line"])]
        assert (row["adrg"] or "", row["drg"] or "") == (plain.adjacent, plain.group)


@pytest.mark.parametrize(("lines", "told"), [
    ("FR19,-1,,,\n", "w.csv:2"), ("FR19,1,,,\nFR19,2,,,\n", "w.csv:3"), ("FR19,x,,,\n", "w.csv:2"), ("FR19,1,,,9\n", "w.csv:2"), ("FR19,inf,,,\n", "w.csv:2"),
    ("", "w.csv")])
def test_weights_that_cannot_be_are_told_with_file_and_line(tmp_path: Path, lines: str, told: str) -> None:
    site = weighed(new_region(tmp_path / "site"), "w", lines)
    with pytest.raises(Refusal) as refusal:
        _ = site.catalog
    assert told in " ".join(problem.sentence() for problem in refusal.value.problems)


def test_a_scheme_the_site_does_not_know_is_told_at_its_place(tmp_path: Path) -> None:
    site = new_region(tmp_path / "site")
    first_wave(site, tmp_path)
    settings = site.folder / "site.toml"
    settings.write_text(settings.read_text("utf-8").replace("chs_drg_1_1", "chs_drg_9"), "utf-8")
    with pytest.raises(Refusal) as refusal:
        Site(site.folder).build()
    assert "site.toml" in refusal.value.problems[0].sentence() and "chs_drg_1_1" in refusal.value.problems[0].sentence()
