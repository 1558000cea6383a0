"""Draws the fictional prefecture once: `python -m quanmin.synth.draw_place` rewrites region.csv and facility.csv from the name lists."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from pypinyin import lazy_pinyin

from quanmin.synth import outlines
from quanmin.synth.place import FOLDER

SEED = 990100
REGION_FIELDS = (
    "region_code",
    "name",
    "name_en",
    "level",
    "parent_code",
    "is_urban",
    "area_km2",
    "longitude",
    "latitude",
    "weight",
    "boundary",
)
FACILITY_FIELDS = (
    "facility_code",
    "name",
    "name_en",
    "kind",
    "region_code",
    "county_code",
    "longitude",
    "latitude",
    "community_code",
    "is_community_lead",
    "opened_on",
)


def spelled(name: str) -> str:
    """A name in letters, the first one capital."""
    return "".join(lazy_pinyin(name)).capitalize()


class Draft:
    """The prefecture while it is being drawn: rows of regions and facilities, and the places they hang on."""

    def __init__(self, names: dict[str, Any], kinds: dict[str, Any]) -> None:
        self.names, self.kinds = names, kinds
        self.rng = np.random.default_rng(SEED)
        self.regions: list[dict[str, Any]] = []
        self.facilities: list[dict[str, Any]] = []
        self.serial: dict[str, int] = {}
        self.brand = 0
        self.used: set[str] = set()

    def region(self, code: str, zh: str, en: str, level: str, parent: str, **more: Any) -> dict[str, Any]:
        """Adds a region row."""
        row = {"region_code": code, "name": zh, "name_en": en, "level": level, "parent_code": parent, **more}
        self.regions.append(row)
        return row

    def new_name(self, first: str, second: str) -> str:
        """A two-character name not used before."""
        while True:
            name = str(self.rng.choice(list(first))) + str(self.rng.choice(list(second)))
            if name not in self.used:
                self.used.add(name)
                return name

    def next_brand(self) -> list[str]:
        """The brand names in turn."""
        brands = self.kinds["brands"]["list"]
        self.brand += 1
        return brands[(self.brand * 7) % len(brands)]

    def facility(
        self, kind: str, place: dict[str, Any], county: str, letter: str, near: tuple[float, float], **more: Any
    ) -> dict[str, Any]:
        """Adds a facility row of `kind` near a point (degrees); `letter` tells H hospital, T primary, P clinic, K other."""
        template = self.kinds["kind"][kind]
        self.serial[county + letter] = self.serial.get(county + letter, 0) + 1
        code = more.pop("code", None) or f"{county}{letter}{self.serial[county + letter]:03d}"
        brand = self.next_brand() if "{brand}" in template["zh"] else ["", ""]
        words = {
            "place": (place["name"], place["name_en"]),
            "brand": brand,
            **{
                k: (self.names[k]["zh"], self.names[k]["en"].replace(" City", "").replace(" Province", ""))
                for k in ("city", "province", "capital")
            },
            "number": (more.pop("number", ""), ""),
        }
        en = template["en"].format(number_en=more.pop("number_en", ""), **{k: v[1] for k, v in words.items()})
        zh = template["zh"].format(**{k: v[0] for k, v in words.items()})
        at = self.rng.normal(0, 0.012, 2) + near
        row = {
            "facility_code": code,
            "name": zh,
            "name_en": en,
            "kind": kind,
            "region_code": place["region_code"],
            "county_code": county,
            "longitude": round(float(at[0]), 5),
            "latitude": round(float(at[1]), 5),
            "opened_on": f"{int(self.rng.integers(1952, 2019))}-{int(self.rng.integers(1, 13)):02d}-01",
            **more,
        }
        self.facilities.append(row)
        return row


def _towns(draft: Draft, county: dict[str, Any], points: np.ndarray, cells: np.ndarray, nodes: np.ndarray, cell_km2: float) -> None:
    seeds, owner = outlines.spread_seeds(points, county["towns"], draft.rng)
    order = np.argsort(np.hypot(seeds[:, 0] - county["x"], seeds[:, 1] - county["y"]))
    words = draft.names["township"]
    centre = draft.names["centre"]
    for rank, k in enumerate(order.tolist()):
        code = f"{county['code']}{(100 + rank):03d}" if rank >= county["streets"] else f"{county['code']}{(1 + rank):03d}"
        if rank == 0 and county["streets"] == 0:
            base, kind = words["centre_first"]["zh"], "town"
        else:
            base = draft.new_name(words["first"], words["second"])
            kind = "street" if rank < county["streets"] else ("rural" if draft.rng.random() < words["rural_share"] else "town")
        mine = {tuple(c) for c in cells[owner == k].tolist()}
        at = outlines.to_degrees(seeds[k], centre["longitude"], centre["latitude"])
        town = draft.region(
            code,
            base + words[kind]["zh"],
            f"{spelled(base)} {words[kind]['en']}",
            "township",
            county["code"],
            is_urban=kind == "street",
            area_km2=round(len(mine) * cell_km2, 1),
            longitude=at[0],
            latitude=at[1],
            boundary=json.dumps(outlines.geometry(mine, nodes), separators=(",", ":")),
        )
        weight = (3.2 if kind == "street" else 1.7 if rank == 0 else 1.0) * float(draft.rng.lognormal(0, 0.3))
        _villages(draft, town, points[owner == k], weight)


def _villages(draft: Draft, town: dict[str, Any], points: np.ndarray, weight: float) -> None:
    words, centre = draft.names["village"], draft.names["centre"]
    count = int(draft.rng.integers(words["per_town"][0], words["per_town"][1] + 1))
    seeds, _ = outlines.spread_seeds(points, min(count, len(points)), draft.rng)
    kind = "community" if town["is_urban"] else "village"
    names: set[str] = set()
    shares = draft.rng.dirichlet(np.full(len(seeds), 6.0))
    for k, seed in enumerate(seeds):
        while True:
            base = str(draft.rng.choice(list(words["first"]))) + str(draft.rng.choice(list(words["second"])))
            if base not in names:
                names.add(base)
                break
        at = outlines.to_degrees(seed, centre["longitude"], centre["latitude"])
        draft.region(
            f"{town['region_code']}{200 + k:03d}",
            base + words[kind]["zh"],
            f"{spelled(base)} {'Community' if town['is_urban'] else 'Village'}",
            "village",
            town["region_code"],
            is_urban=town["is_urban"],
            longitude=at[0],
            latitude=at[1],
            weight=round(weight * float(shares[k]), 5),
        )


def _regions(draft: Draft) -> None:
    names = draft.names
    centre = names["centre"]
    side = names["radius_km"] * 2.5
    grid = outlines.grid_nodes(names["cells"], side, draft.rng)
    middles = (grid[:-1, :-1] + grid[1:, 1:]) / 2
    rows, columns = np.mgrid[0 : names["cells"], 0 : names["cells"]]
    points, cells = middles.reshape(-1, 2), np.stack([columns.ravel(), rows.ravel()], axis=1)
    inside = outlines.inside_rim(points, names["radius_km"])
    points, cells = points[inside], cells[inside]
    cell_km2 = (side / names["cells"]) ** 2
    nodes = outlines.to_degrees(grid, centre["longitude"], centre["latitude"])
    counties = names["county"]
    at = np.array([[c["x"], c["y"]] for c in counties])
    reach = np.array([c["reach"] for c in counties])
    owner = np.argmin(np.hypot(points[:, None, 0] - at[:, 0], points[:, None, 1] - at[:, 1]) / reach, axis=1)
    whole = outlines.geometry({tuple(c) for c in cells.tolist()}, nodes)
    _above(draft, round(len(points) * cell_km2, 1), json.dumps(whole, separators=(",", ":")))
    for k, county in enumerate(counties):
        mine = owner == k
        spot = outlines.to_degrees(at[k], centre["longitude"], centre["latitude"])
        draft.region(
            county["code"],
            county["zh"],
            county["en"],
            "county",
            names["city"]["code"],
            is_urban=county["urban"],
            area_km2=round(int(mine.sum()) * cell_km2, 1),
            longitude=spot[0],
            latitude=spot[1],
            boundary=json.dumps(outlines.geometry({tuple(c) for c in cells[mine].tolist()}, nodes), separators=(",", ":")),
        )
        _towns(draft, county, points[mine], cells[mine], nodes, cell_km2)


def _above(draft: Draft, area_km2: float, boundary: str) -> None:
    """The province and its cities."""
    names, parent = draft.names, draft.names["province"]["code"]
    draft.region(parent, names["province"]["zh"], names["province"]["en"], "province", "")
    city, at = names["city"], {k: names["centre"][k] for k in ("longitude", "latitude")}
    draft.region(city["code"], city["zh"], city["en"], "city", parent, area_km2=area_km2, boundary=boundary, **at)
    for key in ("capital", "neighbour"):
        place = names[key]
        at = {k: place[k] for k in ("longitude", "latitude")}
        draft.region(place["code"], place["zh"], place["en"], "city", parent, **at)


def _county_facilities(draft: Draft, county: dict[str, Any], town: dict[str, Any], towns: list[dict[str, Any]]) -> None:
    code, kinds = county["region_code"], draft.kinds
    near, community = (county["longitude"], county["latitude"]), f"{code}Y001"
    here = {"region_code": town["region_code"], "name": county["name"], "name_en": county["name_en"]}
    draft.facility(kinds["county_general"][code], here, code, "H", near, community_code=community, is_community_lead="true")
    for kind in ("county_tcm", "county_maternal"):
        draft.facility(kind, here, code, "H", near, community_code=community, is_community_lead="false")
    for kind in kinds["private"].get(code, ()):
        draft.facility(kind, here, code, "H", near)
    for rank, place in enumerate(towns):
        kind = "community_centre" if place["is_urban"] else "central_centre" if rank % 4 == 1 else "township_centre"
        draft.facility(kind, place, code, "T", (place["longitude"], place["latitude"]), community_code=community, is_community_lead="false")
    for kind, count in kinds["clinics"].items():
        for k in range(count):
            place = towns[(k * 3) % len(towns)] if kind == "clinic" else town
            draft.facility(kind, place, code, "P", (place["longitude"], place["latitude"]))
    draft.facility("disease_control", here, code, "K", near)


def _facilities(draft: Draft) -> None:
    by_code = {r["region_code"]: r for r in draft.regions}
    counties = [r for r in draft.regions if r["level"] == "county"]
    towns = {c["region_code"]: [r for r in draft.regions if r["parent_code"] == c["region_code"]] for c in counties}
    for given in draft.kinds["city_facility"]:
        county = by_code[given["county"]]
        draft.facility(given["kind"], towns[given["county"]][0], given["county"], "H", (county["longitude"], county["latitude"]))
    for county in counties:
        _county_facilities(draft, county, towns[county["region_code"]][0], towns[county["region_code"]])
    first = counties[0]
    for kind in ("blood_station", "emergency_centre"):
        draft.facility(kind, towns[first["region_code"]][0], first["region_code"], "K", (first["longitude"], first["latitude"]))
    for village in [r for r in draft.regions if r["level"] == "village" and not r["is_urban"]]:
        if draft.rng.random() < 0.92:
            town = by_code[village["parent_code"]]
            place = {**village, "name": town["name"] + village["name"], "name_en": f"{village['name_en']}, {town['name_en']}"}
            draft.facility(
                "village_clinic",
                place,
                village["region_code"][:6],
                "V",
                (village["longitude"], village["latitude"]),
                code=village["region_code"] + "V",
                community_code=village["region_code"][:6] + "Y001",
                is_community_lead="false",
            )
    capital = by_code[draft.names["capital"]["code"]]
    near = (capital["longitude"], capital["latitude"])
    for kind in (
        "provincial_general",
        "provincial_cancer",
        "provincial_children",
        "provincial_tcm",
        "provincial_maternal",
        "provincial_mental",
    ):
        draft.facility(kind, capital, capital["region_code"], "H", near)
    for number, number_en in draft.names["numbers"]:
        draft.facility("provincial_university", capital, capital["region_code"], "H", near, number=number, number_en=number_en)


def _csv(fields: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                f: {True: "true", False: "false"}.get(row.get(f), row.get(f, "")) if isinstance(row.get(f), bool) else row.get(f, "")
                for f in fields
            }
        )
    return text.getvalue()


def drawn(folder: Path = FOLDER) -> dict[str, str]:
    """The text of region.csv and facility.csv, by file name."""
    names = tomllib.loads((folder / "place.toml").read_text("utf-8"))
    kinds = tomllib.loads((folder / "facility_kinds.toml").read_text("utf-8"))
    draft = Draft(names, kinds)
    _regions(draft)
    _facilities(draft)
    return {"region.csv": _csv(REGION_FIELDS, draft.regions), "facility.csv": _csv(FACILITY_FIELDS, draft.facilities)}


if __name__ == "__main__":
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, "utf-8", newline="")
