"""The warehouse is a build product: lost or damaged it comes back the same, and built in steps it is what it is built at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quanmin.catalog.messages import say
from quanmin.model import Refusal
from quanmin.site import Site
from tests.records.made_files import contents, reopened, send, stay, text_of
from tests.records.made_region import (
    EAST,
    WEST,
    answers,
    built_anew,
    charges,
    claim,
    differences,
    every_answer,
    facilities,
    first_wave,
    new_region,
    patient,
    person,
    regions,
    stays,
    visits,
    written,
)

Step = Callable[[Site, Path], object]


def _register(**changes: dict[str, object]) -> str:
    rows = [person(n, **changes.get(f"p{n}", {})) for n in range(1, 21) if changes.get(f"p{n}") != {}]
    return written("resident_register", rows)


def _decide(site: Site, decision: str) -> None:
    """About the two people of April and May who were never seen before or since."""
    columns = list(site.catalog.tables["stay"].columns)
    ids = {row[columns.index("case_number")]: row[columns.index("identity_id")] for row in contents(site, ["stay"])["stay"]}
    site.operator().decide(str(ids["R0031"]), str(ids["R0032"]), decision, "seen the papers")


def _residents_of(site: Site, number: object) -> set[object]:
    """Who the identities with this identity number are said to be."""
    held = {row[0] for row in contents(site, ["identity"])["identity"] if number in row}
    return {resident for identity, resident in contents(site, ["resident_cluster"])["resident_cluster"] if identity in held}


WAVES: dict[str, Step] = {
    "more stays, some soon after the last": lambda s, d: send(s, d, "h1_3.csv", text_of(stays("2026-03", range(1, 9))), "H1"),
    "a month corrected with fewer rows": lambda s, d: send(s, d, "h1_2b.csv", text_of(stays("2026-02", range(1, 6), B34C="5")), "H1"),
    "charges of a month": lambda s, d: send(s, d, "hi_charges_2.csv", charges("2026-02", range(1, 8)), "HI"),
    "charges of the months beside it": lambda s, d: (
        send(s, d, "hi_charges_1.csv", charges("2026-01", range(1, 8)), "HI"), send(s, d, "hi_charges_3.csv", charges("2026-03", range(2, 6)), "HI")),
    "stragglers": lambda s, d: send(s, d, "h2_1b.csv", text_of(stays("2026-01", [13, 14, 15, 16, 7], "H2", D01="1")), "H2"),
    "settlements come late": lambda s, d: send(s, d, "hi_3.csv", written("claim_settlement", [claim(f"3-{n}", n, "2026-03") for n in (5, 6, 17)]), "HI"),
    "a settlement and a visit that tell no birth date": lambda s, d: (
        send(s, d, "hi_4.csv", written("claim_settlement", [claim("4-1", 3, "2026-04", birth_date="", sex_code="")]), "HI"),
        send(s, d, "c1_3.csv", visits("2026-03", [4, 5]).replace(str(person(4)["birth_date"]).replace("-", ""), ""), "C1")),
    "a facility changes county and level": lambda s, d: send(
        s, d, "f2.csv", facilities(H1={"county_code": WEST, "level_code": "6", "region_code": WEST + "001"}), "HC"),
    "birth date and sex corrected in the register": lambda s, d: send(
        s, d, "p2.csv", _register(p3={"birth_date": "2020-03-13", "sex_code": "2"}, p4={"birth_date": "1931-01-01"}), "HC"),
    "residents move, one is no longer listed": lambda s, d: send(
        s, d, "p3.csv", _register(p5={"region_code": WEST + "001"}, p6={"region_code": EAST + "001", "insurance_type_code": ""}, p8={}), "HC"),
    "a county joins the region": lambda s, d: send(s, d, "r2.csv", regions("990103"), "HC"),
    "one person, two writings of the name": lambda s, d: send(
        s, d, "h2_4.csv", text_of([*stays("2026-04", [3, 9], "H2"), stay(40, "2026-04", facility="H2", **patient(3, A11=str(person(4)["name"])))]), "H2"),
    "two strangers, one month after the other": lambda s, d: (
        send(s, d, "h2_5.csv", text_of(stays("2026-05", [31], "H2")), "H2"), send(s, d, "h2_6.csv", text_of(stays("2026-06", [32], "H2")), "H2")),
    "a stay long after a death": lambda s, d: send(s, d, "h1_9.csv", text_of(stays("2026-09", range(1, 5))), "H1"),
    "a long stay that began soon after another": lambda s, d: send(
        s, d, "h1_10.csv", text_of([stay(i, "2026-10", **patient(i, B12=f"2026-0{i + 1}-12 08:00:00")) for i in (1, 2, 3)]), "H1"),
    "a number that many turn out to share": lambda s, d: send(
        s, d, "h2_7.csv", text_of([stay(n, "2026-07", facility="H2", **patient(n, A20=str(person(9)["identity_number"]))) for n in range(1, 17)]), "H2"),
    "the same people without their numbers": lambda s, d: send(s, d, "h2_8.csv", text_of(stays("2026-08", range(1, 33, 4), "H2", A20="-")), "H2"),
    "two people are one": lambda s, d: _decide(s, "join"),
    "no, they are not": lambda s, d: _decide(s, "withdraw"),
    "visits of another month": lambda s, d: send(s, d, "c1_12.csv", visits("2025-12", range(1, 9)), "C1"),
}

# Held against a build from nothing before a wave that does everything again, and at the end; name every wave here to find the one at fault.
LOOKED_AT = ("a settlement and a visit that tell no birth date", "residents move, one is no longer listed", "two people are one", list(WAVES)[-1])


def test_built_in_steps_it_is_what_it_is_built_at_once(tmp_path: Path) -> None:
    site = new_region(tmp_path / "site")
    first_wave(site, tmp_path)
    site.build()
    since: list[str] = []
    for name, step in WAVES.items():
        step(site, tmp_path)
        before = _residents_of(site, person(9)["identity_number"])
        _, is_new = site.build()
        assert is_new, name
        assert (len(_residents_of(site, person(9)["identity_number"])) > 10 > len(before) > 0) == (name == "a number that many turn out to share"), name
        since.append(name)
        if name in LOOKED_AT:
            again = built_anew(site, tmp_path / "again")
            assert (since, differences(site, again)) == (since, {})
            assert answers(site) == answers(again)
            since = []
    assert not since


@pytest.fixture
def region(tmp_path: Path) -> Site:
    made = new_region(tmp_path / "site")
    first_wave(made, tmp_path)
    made.build()
    return made


def test_a_warehouse_that_is_gone_comes_back_with_the_same_answers(region: Site) -> None:
    before = every_answer(region), answers(region), {t: list(map(str, rows)) for t, rows in contents(region).items()}
    shutil.rmtree(region.folders.warehouse)
    with pytest.raises(Refusal) as refused:
        region.indicators().ask("average_stay_days")
    assert refused.value.problems[0].rule == say("snapshot_gone")
    site = reopened(region)
    _, is_new = site.build()
    assert is_new and len(before[0]) > 300
    assert (every_answer(site), answers(site), {t: list(map(str, rows)) for t, rows in contents(site).items()}) == before
    assert answers(region) == before[1], "who had it open before goes on asking"


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def _older_shape(path: Path) -> None:
    """As a version that knew one column less would have left it."""
    import pyarrow.parquet as pq

    from quanmin.records.accepted import checksum

    table = pq.read_table(path)
    pq.write_table(table.drop_columns([table.column_names[3]]), path)
    path.rename(path.with_name(f"{path.name.split('.')[0]}.{checksum(path)}.parquet"))


@pytest.mark.parametrize(("table", "harm"), [
    ("stay", Path.unlink), ("stay_diagnosis", _truncate), ("stay", _flip), ("stay_diagnosis", lambda p: p.write_bytes(b"")), ("stay", _older_shape),
], ids=["gone", "half", "flipped", "empty", "older"])
def test_a_damaged_cache_is_made_again_from_landing(tmp_path: Path, table: str, harm: Callable[[Path], object]) -> None:
    site = new_region(tmp_path / "site")
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_text(text_of(stays(f"2026-0{1 + number}", range(1, 6), diagnoses=3)), "utf-8")
    site.intake().take(paths, sender="H1")
    send(site, tmp_path, "more.csv", text_of(stays("2026-06", range(1, 4))), "H1")
    files = sorted(site.folders.accepted.glob(f"{table}/*.parquet"))
    assert len(files) == 2, "four files of one command are one file of the cache"
    undisturbed = built_anew(site, tmp_path / "undisturbed")
    harm(files[0])
    site.build()
    assert differences(site, undisturbed) == {}
    assert len(contents(site, ["stay"])["stay"]) == 23 and len(contents(site, ["stay_diagnosis"])["stay_diagnosis"]) == 4 * 5 * 3 + 3 * 2


def test_a_correction_after_the_warehouse_was_lost_still_replaces(tmp_path: Path) -> None:
    site = new_region(tmp_path / "site")
    send(site, tmp_path, "march.csv", text_of([stay(i) for i in range(10)]), "H1")
    site.build()
    shutil.rmtree(site.folders.warehouse)
    receipt = send(reopened(site), tmp_path, "corrected.csv", text_of([stay(i, D01="1") for i in range(8)]), "H1")
    assert {s["mode"] for s in receipt.slices} == {"replace"}
    site = reopened(site)
    site.build()
    assert len(contents(site, ["stay"])["stay"]) == 8


@pytest.mark.parametrize("harm", [Path.unlink, _flip], ids=["gone", "changed"])
def test_a_landing_that_lost_a_file_says_which_and_mends_when_it_is_sent_again(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    site = new_region(tmp_path / "site")
    receipt = send(site, tmp_path, "march.csv", text_of([stay(i) for i in range(10)]), "H1")
    harm(site.intake().landing.folder_of(receipt.sha256) / "march.csv")
    shutil.rmtree(site.folders.warehouse)
    with pytest.raises(Refusal) as refused:
        site.build()
    assert refused.value.problems[0].rule == say("landing_lost", submission=receipt.submission)
    assert site.ledger.snapshots() == []
    assert send(site, tmp_path, "march.csv", text_of([stay(i) for i in range(10)]), "H1").status == "repeated"
    site.build()
    assert len(contents(site, ["stay"])["stay"]) == 10


def test_a_typing_error_in_a_date_makes_no_sender_late_for_a_century(region: Site, tmp_path: Path) -> None:
    send(region, tmp_path, "typo.csv", text_of([stay(77, "1926-03"), *stays("2026-03", range(1, 5))]), "H1")
    region.build()
    cell = region.indicators().ask("in_county_inpatient_share", suppress_below=0, where=["month < '2026-03'"]).cells[0]
    assert cell.value is not None and not cell.missing
    owed = {row[2].year for row in contents(region, ["receipt"])["receipt"] if row[0] == "H1"}
    assert owed <= {1926, 2026}
