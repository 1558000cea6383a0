"""The scenarios of a site: the shipped templates with the site's own people, beds, staff and laboratories, and a few numbers that a page may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from quanmin.catalog.messages import say
from quanmin.catalog.supplies import activity, rules
from quanmin.model import Problem, Refusal
from quanmin.model.asker import Asker
from quanmin.services.preparedness import campaign, stockpile, surge
from quanmin.services.preparedness.on_site import MOST_INSTITUTIONS, Institution, counties_seen, institutions, places
from quanmin.services.preparedness.scenario import Scenario, checked, template, template_names
from quanmin.services.preparedness.stockpile import DRIVERS

DAY_HOURS = 24
PER_100K = 1e5


def _put(data: dict[str, Any], part: str, changes: Mapping[str, float | None]) -> None:
    """Set numbers of a part where they are told, keeping where the others are from."""
    within = data.setdefault(part, {}) if part else data
    for name, value in changes.items():
        if value is not None and not (name in within and isinstance(within[name], dict) and within[name]["value"] == value):
            within[name] = {"value": value, "source": {"zh": say("prepared_set", "zh"), "en": say("prepared_set", "en")}, "status": "own"}


def _label(name: str, name_en: str = "") -> dict[str, str]:
    return {"zh": name, "en": name_en or name}


def _here() -> dict[str, str]:
    return _label(say("prepared_here", "zh"), say("prepared_here", "en"))


def _located(row: dict[str, Any], longitude: float | None, latitude: float | None) -> dict[str, Any]:
    return row | ({"longitude": float(longitude), "latitude": float(latitude)} if longitude is not None and latitude is not None else {})


def _known(name: str, kind: str) -> str:
    names = template_names(kind)
    if name and name not in names:
        raise Refusal(Problem("preparedness", None, "template", name[:40], say("bad_value"), ", ".join(names)))
    return name or names[0]


def mass_testing_scenario(asker: Asker, place: str, changes: Mapping[str, Mapping[str, float | None]], teams: float, lab: float) -> Scenario:
    """Townships and laboratories of the site; `teams` and `lab` are times what the rule gives and what is reported."""
    data = template(_known("", campaign.KIND))
    counties, data["name"] = counties_seen(asker, place), _here()
    towns, sampling = places(asker, counties), data["sampling"]
    if not towns:
        raise Refusal(Problem("preparedness", None, "place", place, say("prepared_no_people"), say("prepared_mend_people")))
    per_point, per_sampler = (float(sampling[name]["value"]) for name in ("people_per_point", "people_per_sampler"))
    data["area"] = [_located({"id": town.code, "name": _label(town.name, town.name_en), "population": town.people,
                              "points": -(-town.people // per_point) * teams, "staff": -(-town.people // per_sampler) * teams}, town.longitude, town.latitude)
                    for town in towns]
    tested = [one for one in institutions(asker, counties) if one.has["pcr_tubes_per_day"] > 0]
    if tested:
        data["lab"] = [_located({"id": one.code, "name": _label(one.name), "tubes_per_hour": one.has["pcr_tubes_per_day"] / DAY_HOURS * lab}, one.longitude,
                                one.latitude)
                       for one in tested]
    else:
        for row in data["lab"]:
            row["tubes_per_hour"] = campaign.hourly_capacity(row.pop("instruments"), row["hours_per_day"]) * lab
    for part, told in changes.items():
        _put(data, part, told)
    return checked(campaign.KIND, campaign.PARTS, data, campaign.KIND)


def _sum(rows: Sequence[Institution], county: str, name: str) -> float:
    return sum(one.has[name] for one in rows if one.county == county)


def surge_scenario(asker: Asker, kind: str, place: str, infected_per_100k: float, changes: Mapping[str, Mapping[str, float | None]]) -> Scenario:
    """Counties of the site with their beds and nurses; ventilators are not registered: as many as intensive-care beds."""
    data, counties = template(_known(kind, surge.KIND)), counties_seen(asker, place)
    rows, data["starts_on"] = institutions(asker, counties), asker.today()
    data["county"] = [{
        "id": county.code, "name": _label(county.name, county.name_en), "population": county.people, "infected": county.people / PER_100K * infected_per_100k,
        "beds": _sum(rows, county.code, "bed_count"), "icu_beds": _sum(rows, county.code, "icu_bed_count"),
        "ventilators": _sum(rows, county.code, "icu_bed_count"),
        "convertible_beds": _sum(rows, county.code, "convertible_bed_count"), "nurses": _sum(rows, county.code, "nurse_count"),
        "rooms": max(1, round(county.people / 50_000)),
        "tests_per_day": _sum(rows, county.code, "pcr_tubes_per_day") or None} for county in places(asker, counties, True)]
    if not data["county"]:
        raise Refusal(Problem("preparedness", None, "place", place, say("prepared_no_people"), say("prepared_mend_people")))
    for part, told in changes.items():
        _put(data, part, told)
    return checked(surge.KIND, surge.PARTS, data, surge.KIND)


def _activity(one: Institution, on_duty_share: float) -> dict[str, float]:
    found = activity(one.has["technical_staff_count"], one.has["bed_count"], on_duty_share)
    return {driver: round(value, 1) for driver, value in found.items() if value > 0}


def stockpile_template(target_days: float | None, as_of: date) -> Scenario:
    """Items with lead times and packs, situations and targets of the shipped scenario, for stocks counted on a day: its institutions and lots are examples."""
    data = template(_known("", stockpile.KIND)) | {"name": _here(), "as_of": as_of}
    _put(data, "", {"target_days": target_days})
    return checked(stockpile.KIND, stockpile.PARTS, data, stockpile.KIND)


def stockpile_scenario(asker: Asker, place: str, held_days: float, on_duty_share: float, surge_factor: float, changes: Mapping[str, float | None]) -> Scenario:
    """Institutions of the site at full load, each holding `held_days` of its normal use: for a site to which nobody reports what is in store."""
    data = template(_known("", stockpile.KIND)) | {"name": _here()}
    seen = institutions(asker, counties_seen(asker, place))
    rows = [one for one in seen if one.has["bed_count"] > 0 and one.has["technical_staff_count"] > 0][:MOST_INSTITUTIONS]
    if not rows:
        raise Refusal(Problem("preparedness", None, "place", place, say("prepared_no_institution"), say("prepared_mend_people")))
    for situation in data["situation"]:
        situation["activity"] = {"normal": dict(rules()["normal"]), "surge": {driver: surge_factor for driver in DRIVERS}}.get(situation["id"], {})
    data["institution"] = [{"id": one.code, "name": _label(one.name), "activity": _activity(one, on_duty_share)} for one in rows]
    data["on_order"], data["stock"] = [], []
    _put(data, "", dict(changes) | {"as_of": None})
    data["as_of"] = asker.today()
    bare = stockpile.stockpile_of(checked(stockpile.KIND, stockpile.PARTS, data, stockpile.KIND))
    usual = bare.rate[bare.situations.index("normal")]
    data["stock"] = [{"institution": code, "item": item, "quantity": float(usual[i, k] * held_days)} for i, code in enumerate(bare.institutions)
                     for k, item in enumerate(bare.items)]
    return checked(stockpile.KIND, stockpile.PARTS, data, stockpile.KIND)
