"""A region of two counties, three facilities and a few people, as files of its senders; and a site held against itself built anew."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from quanmin.model import Answer
from quanmin.records.residents.identity_numbers import check_character
from quanmin.site import Site
from tests.records.made_files import CATALOG, NAMES, WORDS, contents, new_site, send, stay, text_of

REGION, EAST, WEST, FAR = "990100", "990101", "990102", "110101"
QUESTIONS: list[tuple[str, tuple[str, ...]]] = [
    ("in_county_inpatient_share", ()), ("in_county_inpatient_share", ("month", "place")), ("in_county_inpatient_share", ("facility_level",)),
    ("average_stay_days", ("month",)), ("average_stay_days", ("place", "age_band")), ("inpatient_mortality_share", ("month",)),
    ("unplanned_readmission_31_days_share", ("month",)), ("in_county_fund_share", ("place",)), ("referred_out_of_county_share", ("month",)),
    ("in_county_inpatient_charge_growth", ("month",)), ("stay/stay_days_mismatch", ("sender",)), ("stay/identity_number_invalid", ("sender", "month")),
    ("stay_review/duplicate_admission", ()), ("stay_review/overlapping_stays", ("month",)), ("stay_review/stay_after_death", ("month",)),
    ("receipt/not_received", ("sender",)), ("visit/total_charge_negative", ("month",)),
]


def written(mapping: str, rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of our columns as a sender of this layout writes them."""
    fills = {fill.column: fill for fill in CATALOG.mappings[mapping].into[0].fills if fill.source}
    theirs = {column: {ours: code for code, ours in fill.codes.items()} for column, fill in fills.items()}
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=CATALOG.mappings[mapping].delimiter or ",", lineterminator="\n")
    writer.writerow([fill.source[0] for fill in fills.values()])
    for row in rows:
        writer.writerow([theirs[c].get(str(row.get(c, "")), row.get(c, "")) for c in fills])
    return stream.getvalue()


def identity_number(number: int, born: str = "1950-03-15", sex: str = "1") -> str:
    """A valid number of a made-up person."""
    first = f"{EAST}{born.replace('-', '')}{number:02d}{1 if sex == '1' else 2}"
    return first + check_character(first)


def person(number: int, **more: object) -> dict[str, object]:
    """A person of the register; odd numbers live in the east."""
    sex, born = str(1 + number % 2), f"19{50 + number % 40}-03-{10 + number % 15}"
    return {"register_number": f"P{number}", "name": NAMES[number] + NAMES[number + 7][:1], "sex_code": sex, "birth_date": born,
            "identity_number": identity_number(number, born, sex), "phone": f"1380000{number:04d}", "region_code": (EAST if number % 2 else WEST) + "001",
            "insurance_type_code": "resident", "registered_on": "2025-01-01"} | more


def regions(*more: str) -> str:
    """The list of regions: two counties with a township each, and others if asked."""
    rows = [{"region_code": REGION, "name": WORDS[8], "level": "city"}]
    for code in (EAST, WEST, *more):
        rows.append({"region_code": code, "name": WORDS[9] + code, "level": "county", "parent_code": REGION})
        rows.append({"region_code": code + "001", "name": WORDS[10] + code, "level": "township", "parent_code": code})
    return written("region_list", rows)


def facilities(**changes: Mapping[str, object]) -> str:
    """The list of facilities; `changes` by code."""
    rows = []
    for code, county, level, kind in (("H1", EAST, "1", "A100"), ("H2", WEST, "6", "A100"), ("C1", EAST, "9", "C210")):
        base = {"facility_code": code, "name": WORDS[11] + code, "type_code": kind, "level_code": level, "is_public": "true",
                "region_code": county + "001", "county_code": county}
        rows.append(base | dict(changes.get(code, {})))
    return written("facility_list", rows)


def patient(number: int, **more: str) -> dict[str, str]:
    """Front-page fields that say who it is."""
    one = person(number)
    theirs = {"A11": "name", "A12C": "sex_code", "A13": "birth_date", "A20": "identity_number", "A27": "phone"}
    return {column: str(one[ours]) for column, ours in theirs.items()} | more


def stays(month: str, people: Sequence[int], facility: str = "H1", **more: str) -> list[dict[str, str]]:
    """One stay per person."""
    return [stay(n, month, facility=facility, **(patient(n) | more)) for n in people]


def claim(number: str, who: int, month: str, **more: object) -> dict[str, object]:
    """An inpatient settlement outside the region."""
    one = person(who)
    return {"claim_number": number, "kind_code": "inpatient", "insurance_type_code": "resident", "insured_county_code": EAST if who % 2 else WEST,
            "facility_code": "X9", "facility_county_code": FAR, "facility_level_code": "1",
            "admitted_on": f"{month}-10", "discharged_on": f"{month}-20", "settled_on": f"{month}-21",
            "total_cny": "9000", "fund_paid_cny": "5000", "self_paid_cny": "4000", "has_referral": "true",
            **{c: one[c] for c in ("name", "sex_code", "birth_date", "identity_number")}} | more


def visits(month: str, people: Sequence[int], facility: str = "C1") -> str:
    """One outpatient visit per person."""
    rows = []
    for n in people:
        one = person(n)
        rows.append({"facility_code": facility, "visit_number": f"{month}-{n}", "visited_at": month.replace("-", "") + "15093000", "kind_code": "outpatient",
                     "diagnosis_code": "J06.900", "total_charge_cny": "80", "birth_date": str(one["birth_date"]).replace("-", ""),
                     **{c: one[c] for c in ("name", "sex_code", "identity_number", "phone")}})
    return written("visit_dialect_his", rows)


def charges(month: str, people: Sequence[int]) -> str:
    """Lines of the stays in H1 and the visits to C1 of a month: a test in both, one on its own and one that its panel includes, doses, an implant."""
    rows, codes = [], ("LAB04", "LAB05", "LAB19", "DRU05", "MAT12", "BED01")
    for n in people:
        for k, code in enumerate(codes):
            line = {"facility_code": "H1", "charge_number": f"{month}-{n}-{k}", "care_kind_code": "inpatient", "case_number": f"R{n:04d}",
                    "admission_number": "1", "charged_at": f"{month}-0{2 + k % 3} 09:1{k}:00", "item_code": code}
            rows.append(line | {"quantity": str(1 + n % 4), "unit_price_cny": "10", "amount_cny": str(10 * (1 + n % 4))})
        rows.append({"facility_code": "C1", "charge_number": f"{month}-{n}-v", "care_kind_code": "outpatient", "visit_number": f"{month}-{n}",
                     "charged_at": f"{month}-15 09:40:00", "item_code": "LAB19", "quantity": "1", "unit_price_cny": "150", "amount_cny": "150"})
    return written("charge_item_export", rows)


def first_wave(site: Site, folder: Path) -> None:
    """Lists, register, and two months of front pages, visits and settlements."""
    send(site, folder, "regions.csv", regions(), "HC")
    send(site, folder, "facilities.csv", facilities(), "HC")
    send(site, folder, "residents.csv", written("resident_register", [person(n) for n in range(1, 21)]), "HC")
    for month in ("2026-01", "2026-02"):
        send(site, folder, f"h1_{month}.csv", text_of(stays(month, range(1, 9), diagnoses=4)), "H1")
        send(site, folder, f"h2_{month}.csv", text_of(stays(month, range(7, 13), "H2")), "H2")
        send(site, folder, f"c1_{month}.csv", visits(month, range(1, 15)), "C1")
        send(site, folder, f"hi_{month}.csv", written("claim_settlement", [claim(f"{month}-{n}", n, month) for n in (3, 4, 15)]), "HI")


def new_region(folder: Path) -> Site:
    """An empty site of this region."""
    return new_site(folder, REGION)


def plain(answer: Answer) -> str:
    """An answer as text, without the snapshot it was asked of."""
    return json.dumps(asdict(answer) | {"snapshot": None}, default=str, ensure_ascii=False, sort_keys=True)


def answers(site: Site, as_of: int | None = None) -> dict[str, str]:
    """What the site says to the usual questions."""
    indicators = site.indicators(as_of)
    return {f"{name} by {', '.join(by)}": plain(indicators.ask(name, by, suppress_below=0)) for name, by in QUESTIONS}


def every_answer(site: Site) -> dict[str, str]:
    """What the site says to everything it can be asked."""
    indicators = site.indicators()
    names = [i.id for i in site.catalog.indicators.values() if i.is_executable] + list(site.catalog.checks)
    return {name: plain(indicators.ask(name, suppress_below=0)) for name in names}


def built_anew(site: Site, folder: Path) -> Site:
    """The same landing and ledger with a warehouse built from nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(site.folder, folder, ignore=shutil.ignore_patterns("warehouse", "scratch"))
    again = Site(folder)
    again.__dict__["catalog"] = site.catalog
    again.build()
    return again


def differences(one: Site, other: Site) -> dict[str, str]:
    """Table → the first rows that only one of two sites holds."""
    ours, theirs = contents(one), contents(other)
    found = {}
    for table in sorted(set(ours) | set(theirs)):
        left, right = ours.get(table, []), theirs.get(table, [])
        if list(map(str, left)) != list(map(str, right)):
            only = [("-", row) for row in left if row not in right][:2] + [("+", row) for row in right if row not in left][:2]
            found[table] = f"{len(left)} / {len(right)} rows: {only}"
    return found
