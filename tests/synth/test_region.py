"""The region as a whole: repeatable, complete, consistent between its files and its truth."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from readers import DIALECTS, SYNTHETIC, Region, day, number_is_valid

from quanmin.synth import make_region, settings
from quanmin.synth.draw_place import drawn
from quanmin.synth.outbox import BOM
from quanmin.synth.people import Census, age_bands, full_years
from quanmin.synth.place import Place

MAPPINGS = SYNTHETIC.parents[1] / "mappings"


def fingerprint(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        make_region(tmp_path / name, residents=600, seed=seed)
    first, again, other = (fingerprint(tmp_path / n) for n in "abc")
    assert first == again
    assert first["truth/residents.parquet"] != other["truth/residents.parquet"]


def test_manifest_lists_every_file_once_in_order_of_sending(region: Region) -> None:
    listed = [m["file"] for m in region.manifest]
    there = {str(p.relative_to(region.folder / "files")) for p in (region.folder / "files").rglob("*") if p.is_file()} - {"manifest.csv"}
    assert sorted(listed) == sorted(there) and len(listed) == len(set(listed)) <= 1_600
    assert [m["sent_on"] for m in region.manifest] == sorted(m["sent_on"] for m in region.manifest)
    assert [int(m["order"]) for m in region.manifest] == list(range(1, len(listed) + 1))
    assert {m["mapping"] for m in region.manifest} <= {p.stem for p in MAPPINGS.glob("*.toml")}
    assert Counter(m["remark"] for m in region.manifest)["superseded"] == 3
    assert len(set(Path(f).name for f in listed)) == len(listed)


def test_who_has_nothing_to_report_says_so(region: Region) -> None:
    """A live month without rows is a header-only file; only the hospital that stopped sending is silent."""
    silent = {(m["sender"], m["table"]) for m in csv.DictReader((region.folder / "truth" / "missing.csv").open(encoding="utf-8"))}
    files = {Path(m["file"]).name for m in region.manifest}
    senders = {(m["sender"], table) for m in region.manifest for table in ("stay", "visit") if Path(m["file"]).name.startswith(f"{m['sender']}_{table}_")}
    assert silent & senders
    for sender, table in sorted(senders - silent):
        assert {f"{sender}_{table}_2026-{month:02d}.csv" for month in range(1, 11)} <= files, sender
    assert any(not region.rows(m) for m in region.manifest if m["mapping"] == "front_page_national")


def test_each_mapping_recognises_the_header_of_its_files(region: Region) -> None:
    for entry in {m["mapping"]: m for m in region.manifest}.values():
        mapping = tomllib.loads((MAPPINGS / f"{entry['mapping']}.toml").read_text("utf-8"))
        if entry["file"].endswith(".xlsx"):
            header = set(region.sheet(entry["file"])[mapping["header_row"] - 1])
        else:
            header = set(region.header(entry))
        assert set(mapping["recognise"]) <= header
        asked = {
            f["from"] if isinstance(f, dict) else f
            for into in mapping["into"]
            for f in into["columns"].values()
            if isinstance(f, str) or "from" in f
        }
        assert {a for a in asked if "{" not in a} <= header


def test_a_corrected_month_was_first_sent_in_part_and_a_duplicate_is_equal_to_the_byte(region: Region) -> None:
    files = region.folder / "files"
    for m in region.manifest:
        if m["remark"] == "superseded":
            whole = (files / m["file"].replace("_first", "")).read_bytes()
            early = (files / m["file"]).read_bytes()
            assert whole.startswith(early) and len(early) < len(whole)
        if m["remark"] == "duplicate":
            assert (files / m["file"]).read_bytes() == (files / m["file"].replace("_again", "")).read_bytes()


def test_half_of_the_hospitals_write_gb18030(region: Region) -> None:
    forms = Counter()
    for m in region.effective:
        if m["mapping"] == "front_page_national":
            content = (region.folder / "files" / m["file"]).read_bytes()
            forms["bom" if content.startswith(BOM) else "gb"] += 1
            assert content.startswith(BOM) or content.decode("gb18030")
    assert 0.3 < forms["gb"] / forms.total() < 0.7


def test_what_is_missing_is_really_missing(region: Region) -> None:
    sent = {(m["sender"], m["file"].rsplit("_", 1)[1].split(".")[0], m["mapping"].split("_")[0]) for m in region.manifest}
    kind = {"stay": "front", "visit": "visit", "claim": "claim"}
    missing = region.truth("missing.csv")
    assert missing and not [m for m in missing if (m["sender"], m["month"], kind[m["table"]]) in sent]
    silent = {m["sender"] for m in missing if m["table"] == "stay"}
    since = min(m["month"] for m in missing if m["table"] == "stay")
    stays = [s for s in region.truth("stays.parquet") if s["facility_code"] in silent and s["discharged_on"].isoformat()[:7] >= since]
    header = dict(DIALECTS["claim_settlement"]["columns"])["case_number"]
    claimed = {r[header] for r in region.claims}
    assert stays and {s["case_number"] for s in stays} & claimed


def test_true_shares_are_those_of_the_true_stays(region: Region) -> None:
    count: Counter[tuple[str, str, str]] = Counter()
    for s in region.truth("stays.parquet"):
        if s["home_county"]:
            key = (s["discharged_on"].isoformat()[:7], s["home_county"])
            count[(*key, "total")] += 1
            count[(*key, "in_county")] += s["home_county"] == s["facility_county"]
            count[(*key, "in_city")] += s["facility_county"] != ""
    rows = region.truth("in_county_share.csv")
    assert len(rows) == 480
    assert all(int(r[k]) == count[r["month"], r["county"], k] for r in rows for k in ("in_county", "in_city", "total"))
    total = sum(int(r["total"]) for r in rows)
    assert 0.74 < sum(int(r["in_county"]) for r in rows) / total < 0.86 and 0.88 < sum(int(r["in_city"]) for r in rows) / total < 0.94


def test_avoidable_outflow_never_includes_what_the_county_cannot_treat(region: Region) -> None:
    for s in region.truth("stays.parquet"):
        if s["avoidable_outflow"]:
            assert s["could_stay"] and s["home_county"] != s["facility_county"] and s["home_county"]
    rows = region.truth("avoidable_outflow.csv")
    assert 0 < sum(int(r["avoidable"]) for r in rows) < sum(int(r["outflow"]) for r in rows)


def test_every_sent_stay_is_a_true_stay_or_planted(region: Region) -> None:
    true = {(s["facility_code"], s["case_number"], s["discharged_on"].isoformat()) for s in region.truth("stays.parquet")}
    spoiled = {(e["file"], int(e["line"])) for e in region.errors if e["table"] == "stay"}
    assert not [r for r in region.stays if (r.file, r.line) not in spoiled and (r["A01"], r["A48"], r["B15"][:10]) not in true]
    nameless = ("hospital_infection", "stock_lot", "stock_movement")  # their rows name no resident
    planted = {(e["file"], int(e["line"])) for e in region.errors if e["table"] not in nameless}
    assert {(r["file"], r["line"]) for r in region.truth("records.parquet")} >= planted


def test_records_name_the_person_that_the_truth_names(region: Region) -> None:
    people = {p["resident_id"]: p for p in region.truth("residents.parquet")}
    kind = {(r["file"], r["line"]): r["identity_error"] for r in region.truth("records.parquet")}
    spoiled = {(e["file"], int(e["line"])) for e in region.errors}
    for r in region.stays:
        if (r.file, r.line) in spoiled:
            continue
        person = people[region.resident_of[r.file, r.line]]
        assert r["A13"] == person["birth_date"].isoformat() and r["A12C"] == person["sex_code"]
        assert (r["A20"] == person["identity_number"]) or kind[r.file, r.line] == "missing_number"
        if kind[r.file, r.line] == "":
            assert r["A11"] == person["name"]


def test_identity_numbers_are_valid_unique_and_from_the_unused_range(region: Region) -> None:
    people = region.truth("residents.parquet")
    numbers = [p["identity_number"] for p in people]
    assert len(set(numbers)) == len(numbers) and all(number_is_valid(n) and n.startswith("990") for n in numbers)
    assert all(
        n[6:14] == p["birth_date"].strftime("%Y%m%d") and (int(n[16]) % 2 == 1) == (p["sex_code"] == "1")
        for n, p in zip(numbers, people, strict=True)
    )
    assert all(len(p["phone"]) == 11 and p["phone"].startswith("12") for p in people)


def test_population_table_counts_the_residents(region: Region) -> None:
    book = next(m["file"] for m in region.manifest if m["mapping"] == "population_workbook")
    rows = [dict(zip(("code", "year", "sex", "band", "people", "insured"), r, strict=True)) for r in region.sheet(book)[3:]]
    here = [p for p in region.truth("residents.parquet") if p["is_resident"]]
    alive = sum(
        (p["died_on"] is None or p["died_on"] > date(2025, 12, 31))
        and p["birth_date"] <= date(2025, 12, 31)
        and (p["moved_out_on"] is None or p["moved_out_on"] > date(2025, 12, 31))
        for p in here
    )
    counties = sum(r["people"] for r in rows if len(r["code"]) == 6 and r["year"] == 2025)
    towns = sum(r["people"] for r in rows if len(r["code"]) == 9 and r["year"] == 2025)
    assert counties == towns and abs(counties - alive) <= 0.03 * alive  # late movers-in are not yet there
    assert all(r["insured"] <= r["people"] for r in rows)


def test_targets_name_indicators_of_the_catalogue(region: Region) -> None:
    book = next(m["file"] for m in region.manifest if m["mapping"] == "target_workbook")
    known = {p.stem for p in (MAPPINGS.parent / "indicators").rglob("*.toml")}
    assert {r[0] for r in region.sheet(book)[3:]} <= known


def test_registers_hold_every_resident_and_movers_twice(region: Region) -> None:
    lines = Counter(region.resident_of[r.file, r.line] for _, rows in region.of_mapping("resident_register") for r in rows)
    residents = {p["resident_id"] for p in region.truth("residents.parquet") if p["is_resident"]}
    assert set(lines) == residents and set(lines.values()) == {1, 2}


def test_geography_has_the_promised_size_and_is_what_the_names_draw(region: Region) -> None:
    place = Place()
    assert len(place.counties) == 8 and 80 <= len(place.towns) <= 90
    assert 235 <= sum(1 for f in place.facilities if not f["facility_code"].endswith("V")) <= 260
    for name, text in drawn().items():
        assert (SYNTHETIC / name).read_text("utf-8") == text


def test_neighbours_share_the_points_of_their_border() -> None:
    inside = Counter()
    for town in Place().towns:
        shape = json.loads(town["boundary"])
        rings = [shape["coordinates"][0]] if shape["type"] == "Polygon" else [p[0] for p in shape["coordinates"]]
        for ring in rings:
            assert ring[0] == ring[-1]
            inside.update({tuple(sorted((tuple(a), tuple(b)))) for a, b in pairwise(ring)})
    assert set(inside.values()) <= {1, 2} and sum(v == 2 for v in inside.values()) > 4 * sum(v == 1 for v in inside.values())


def test_blocks_do_not_depend_on_each_other_and_are_of_bounded_size() -> None:
    census = Census(Place(), seed=3, residents=90_000)
    assert census.blocks == 5 and census.sizes.max() <= settings.BLOCK and census.sizes.sum() == 90_000
    census.sizes = np.minimum(census.sizes, 400)
    late = census.block(4)
    again = Census(Place(), seed=3, residents=90_000)
    again.sizes = np.minimum(again.sizes, 400)
    again.block(1)
    assert again.block(4).texts["name"].equals(late.texts["name"])
    other = again.block(2)
    assert not {bytes(x) for x in other.letters} & {bytes(x) for x in late.letters}


@pytest.mark.parametrize(
    ("born", "now", "years"), [("2000-02-29", "2001-02-28", 0), ("2000-02-29", "2001-03-01", 1), ("1990-05-05", "2026-05-05", 36)]
)
def test_ages(born: str, now: str, years: int) -> None:
    def number(text: str) -> int:
        return (day(text) - date(1970, 1, 1)).days

    assert full_years(np.array([number(born)]), number(now))[0] == years
    assert age_bands(np.array([number(born)]), number(now))[0] == (0 if years < 1 else 1 if years < 5 else years // 5 + 1)


def test_workbook_rows_are_one_per_institution_and_month(region: Region) -> None:
    seen = Counter()
    texts = 0
    for m in region.manifest:
        if m["mapping"] == "facility_month_workbook":
            rows = region.sheet(m["file"])[3:]
            seen.update((r[0], r[1]) for r in rows)
            texts += sum(isinstance(v, str) and "," in v for r in rows for v in r[2:])
    assert max(seen.values()) == 1 and texts > 100
    facilities = {f["facility_code"] for f in csv.DictReader((SYNTHETIC / "facility.csv").open(encoding="utf-8"))}
    assert {code for code, _ in seen} <= facilities and len({month for _, month in seen}) == settings.MONTHS
