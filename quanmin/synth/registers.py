"""What the city bureau and the resident registers send: regions, facilities, population, targets, residents."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.activity import Activity
from quanmin.synth.dirt import Planted
from quanmin.synth.illness import Rows
from quanmin.synth.naming import all_letters
from quanmin.synth.outbox import Outbox
from quanmin.synth.people import NEVER, People
from quanmin.synth.place import Place, table, words
from quanmin.synth.posting import Post
from quanmin.synth.sheets import Column, write_sheet
from quanmin.synth.text import choose, dates, glue, number, pick, same, texts
from quanmin.synth.visits import Dialect
from quanmin.synth.workbooks import FacilityBooks, labels

SENT_ON = "2026-01-15"
REGION_COLUMNS = ("region_code", "name", "name_en", "level", "parent_code", "is_urban", "area_km2", "longitude", "latitude", "boundary")


def _write(outbox: Outbox, name: str, mapping: str, sender: str, header: list[str], rows: list[list[Any]]) -> None:
    entry = outbox.note(f"{sender}/{sender}_{name}.csv", sender, mapping, SENT_ON)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    outbox.path(entry.file).write_bytes(text.getvalue().encode("utf-8-sig"))


def city_files(outbox: Outbox, place: Place, activity: Activity, books: FacilityBooks) -> None:
    """region.csv, facility.csv, population.xlsx and target.xlsx of the city bureau."""
    sender = f"HC-{place.names['city']['code']}"
    zh = labels("region")
    _write(
        outbox, "region", "region_list", sender, [zh[c] for c in REGION_COLUMNS], [[r[c] for c in REGION_COLUMNS] for r in place.regions]
    )
    zh = labels("facility")
    _write(
        outbox, "facility", "facility_list", sender, list(zh.values()), [_facility_row(place, f, list(zh), books) for f in place.facilities]
    )
    text = words("words.toml")["workbook"]
    city = place.names["city"]["zh"]
    zh = labels("population")
    entry = outbox.note(f"{sender}/{sender}_population.xlsx", sender, "population_workbook", "2026-01-16")
    sheet = text["sheet"]["zh"]
    write_sheet(
        outbox.path(entry.file), sheet, [text["population_title"]["zh"].format(place=city)], list(zh.values()), _population(place, activity)
    )
    zh = labels("target")
    entry = outbox.note(f"{sender}/{sender}_target.xlsx", sender, "target_workbook", "2026-01-16")
    document = text["target_document"]["zh"].format(place=city)
    codes = [place.names["city"]["code"], *(c["region_code"] for c in place.counties)]
    rows = [(t["indicator"], code, float(t["city" if code == codes[0] else "county"])) for t in table("targets.csv") for code in codes]
    columns: list[Column] = [
        texts([r[0] for r in rows]),
        texts([r[1] for r in rows]),
        same("2026", len(rows)),
        np.array([r[2] for r in rows]),
        same(document, len(rows)),
    ]
    write_sheet(outbox.path(entry.file), sheet, [text["target_title"]["zh"].format(place=city)], list(zh.values()), columns)


def _facility_row(place: Place, facility: dict[str, str], columns: list[str], books: FacilityBooks) -> list[Any]:
    kind = place.kinds[facility["kind"]]
    at = books.caring.get(facility["facility_code"])
    public = kind["public"]
    town = {t["region_code"]: t["name"] for t in place.towns}.get(facility["region_code"][:9], "")
    given = {
        **facility,
        "type_code": kind["type_code"],
        "level_code": kind["level_code"],
        "is_public": "1" if public else "0",
        "economic_type_code": "110" if public else "173",
        "management_type_code": "1" if public or "rehabilitation" in facility["kind"] else "2",
        "address": town,
        "is_community_lead": {"true": "1", "false": "0"}.get(facility["is_community_lead"], ""),
        "bed_count": "" if at is None or books.beds[at] == 0 else int(books.beds[at]),
        "closed_on": "",
    }
    return [given[c] for c in columns]


def _population(place: Place, activity: Activity) -> list[Column]:
    """Columns of population.xlsx: counties, then townships, by year, sex and age band."""
    bands = list(dict.fromkeys(r["age_band"] for r in table("age_sex.csv")))
    county = np.zeros((len(place.counties), *activity.population.shape[1:]), dtype=np.int64)
    np.add.at(county, place.town_county, activity.population)
    codes = [c["region_code"] for c in place.counties] + [t["region_code"] for t in place.towns]
    counts = np.concatenate([county, activity.population])
    at = np.indices(counts.shape[:-1]).reshape(4, -1)
    return [
        pick(texts(codes), at[0]),
        settings.YEARS[at[1]].astype(float),
        pick(texts(["1", "2"]), at[2]),
        pick(texts(bands), at[3]),
        counts[..., 0].ravel().astype(float),
        counts[..., 1].ravel().astype(float),
    ]


class Register:
    """The resident register of each county, one file that grows block by block."""

    def __init__(self, place: Place) -> None:
        self.place, self.dialect = place, Dialect.named("resident_register")
        self.village_code = texts([v["region_code"] for v in place.villages])
        self.county_code = texts([c["region_code"] for c in place.counties])
        self.count = np.zeros(len(place.counties), dtype=np.int64)

    def _rows(self, people: People, rng: np.random.Generator) -> Rows:
        """Everyone at home, and again in the former county those who moved to another one; sorted by county."""
        place = self.place
        now = np.flatnonzero(people.resident)
        county = place.town_county[place.village_town]
        left = now[county[people.old_village[now]] != county[people.village[now]]]
        person = np.concatenate([now, left])
        former = np.arange(len(person)) >= len(now)
        village = np.where(former, people.old_village[person], people.village[person])
        moved = people.move_day[person]
        first = np.maximum(people.birth_day[person] + 12, 14_700 + rng.integers(0, 3000, len(person)))
        first = np.where(people.from_day[person] > settings.START, np.maximum(people.from_day[person], people.birth_day[person] + 5), first)
        registered = np.where((moved > 0) & ~former, np.maximum(moved, people.birth_day[person] + 12), np.minimum(first, settings.END))
        gone = np.where(former, moved, people.moved_out[person])
        registered = np.where(gone < NEVER, np.minimum(registered, gone - 1), registered)
        rows = {
            "person": person,
            "village": village,
            "former": former,
            "registered": registered,
            "gone": np.where(np.abs(gone) < NEVER, gone, NEVER),
            "died": np.where(former, NEVER, people.died[person]),
            "county": county[village],
        }
        order = np.lexsort((person, village))
        return {k: v[order] for k, v in rows.items()}

    def post(self, post: Post, people: People, rng: np.random.Generator) -> None:
        """Appends the residents of a block to the files of their counties."""
        rows = self._rows(people, rng)
        person, former, county = rows["person"], rows["former"], rows["county"]
        serial = np.empty(len(person), dtype=np.int64)
        for k in range(len(self.count)):
            mine = county == k
            serial[mine] = self.count[k] + np.arange(mine.sum())
            self.count[k] += mine.sum()

        def when(days: np.ndarray) -> pa.Array:
            return choose(days < NEVER, dates(np.where(days < NEVER, days, 0)), "")

        insured = people.insured[person]
        columns = {
            "register_number": glue(pick(self.county_code, county), number(serial, 8)),
            "name": pick(people.texts["name"], person),
            "sex_code": self.dialect.word("sex", (~people.male[person]).astype(int)),
            "birth_date": dates(people.birth_day[person]),
            "identity_number": all_letters(people.letters[person]),
            "phone": choose(former, pick(people.texts["old_phone"], person), pick(people.texts["phone"], person)),
            "address": choose(former, pick(people.texts["old_address"], person), pick(people.texts["address"], person)),
            "region_code": pick(self.village_code, rows["village"]),
            "household_number": glue(pick(self.county_code, county), number(people.block * 20_000 + people.household[person], 8)),
            "health_card_number": glue("HK", number(person * 7 + people.block * 1_000_003, 10)),
            "insurance_type_code": choose(insured, self.dialect.word("insurance", 1 - people.employee[person]), ""),
            "insured_county_code": choose(insured, pick(self.county_code, county), ""),
            "registered_on": dates(rows["registered"]),
            "moved_out_on": when(rows["gone"]),
            "died_on": when(rows["died"]),
        }
        entries = {}
        for k, c in enumerate(self.place.counties):
            sender = f"RR-{c['region_code']}"
            entries[k] = post.outbox.note(f"{sender}/{sender}_resident.csv", sender, "resident_register", "2026-10-31")
        post.deliver(
            "resident",
            self.dialect.lines(columns),
            county,
            entries,
            self.dialect.head(),
            self.dialect.encoding,
            self.dialect.delimiter,
            people.ids(person),
            Planted(),
        )
