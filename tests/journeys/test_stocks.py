"""Stocks on a site: what was planted is found and nothing else, figures are those of the rows, and each sees what is theirs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from fastapi import FastAPI

from quanmin.catalog.supplies import activity, uses
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Refusal
from quanmin.services.preparedness.actions import stockpile_cover
from quanmin.services.preparedness.stockpile_answer import StockpileAnswer
from quanmin.site import Site, make_site
from quanmin.web.app import create_app
from tests.journeys.conftest import Region
from tests.journeys.people import Person, exported, somebody

PAGE, COUNTY, OTHER, HOSPITAL = "/preparedness/stockpile", "990104", "990101", "990104H001"


@pytest.fixture(scope="module")
def inquiry(region: Region, app: FastAPI) -> Inquiry:
    return app.state.desk.inquiry(region.site.operator())


@pytest.fixture(scope="module")
def found(inquiry: Inquiry) -> StockpileAnswer:
    return stockpile_cover(inquiry)


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, Person]:
    return {"section": somebody(app, "section"), "county": somebody(app, "section", f"county:{COUNTY}"),
            "hospital": somebody(app, "institution", f"facility:{HOSPITAL}"), "viewer": somebody(app, "viewer", f"county:{COUNTY}")}


def planted(region: Region, kind: str) -> list[dict[str, str]]:
    return [row for row in region.truth("supplies") if row["kind"] == kind]


def of_facility(found: StockpileAnswer) -> dict[tuple[str, str], float | None]:
    return {(row.institution, row.item): row.usable_days for row in found.cover if row.situation == "full_load"}


def test_planted_shortages_are_found_and_nothing_else(region: Region, found: StockpileAnswer) -> None:
    short = {(row.institution, row.item) for row in found.cover if row.situation == "full_load" and row.is_short}
    told = planted(region, "short")
    assert len(told) == 4 and short == {(row["facility_code"], row["item_code"]) for row in told}
    days = of_facility(found)
    for row in told:
        value = days[(row["facility_code"], row["item_code"])]
        assert value is not None and value <= float(row["days"]) + 3, "whole packs may give a day or so more"


def test_surplus_goes_where_it_is_short(region: Region, found: StockpileAnswer) -> None:
    surplus = {row["item_code"]: row["facility_code"] for row in planted(region, "surplus")}
    days = of_facility(found)
    for row in planted(region, "short"):
        [move] = [one for one in found.moves if (one.taker, one.item) == (row["facility_code"], row["item_code"])]
        assert move.taker_days_before is not None and move.taker_days_before < 30
        assert move.taker_days_after is not None and move.taker_days_after >= 29
        assert move.giver_days_after is not None and move.giver_days_after >= 30, "nobody gives what they need themselves"
        if row["item_code"] in surplus:
            assert (days[(surplus[row["item_code"]], row["item_code"])] or 0) >= 45


def test_lots_that_expire_are_listed_and_saved(region: Region, found: StockpileAnswer) -> None:
    left = {(lot.institution, lot.item, lot.expires_on) for lot in found.lots if lot.expired > 0}
    expiring = {(row["facility_code"], row["item_code"], row["detail"]) for row in planted(region, "expiring")}
    stale = {(row["facility_code"], row["item_code"]) for row in planted(region, "stale")}
    assert expiring <= left and {(f, i) for f, i, _ in left} == {(f, i) for f, i, _ in expiring} | stale
    assert {(one.giver, one.item) for one in found.rescues} == {(f, i) for f, i, _ in expiring}, "what has expired already cannot be saved"
    for one in found.rescues:
        assert one.taker != one.giver and one.quantity >= 1


def test_who_stopped_reporting_is_named_and_not_guessed(region: Region, found: StockpileAnswer) -> None:
    state = {row.institution: row.reporting for row in found.reported}
    stopped = {row["facility_code"] for row in planted(region, "stopped")}
    assert stopped and {code for code, how in state.items() if how == "late"} == stopped
    counted = {row.institution for row in found.cover}
    assert counted == {code for code, how in state.items() if how == "reported"} and not counted & stopped
    assert {lot.institution for lot in found.lots} <= counted and {order.institution for order in found.orders} <= counted


def test_cover_is_that_of_the_rows(region: Region, found: StockpileAnswer) -> None:
    """Counted again by SQL and by hand, from what was taken in."""
    engine = region.site.indicators().engine
    held = {(row["f"], row["i"]): float(row["q"]) for row in engine.table(
        "SELECT facility_code AS f, item_code AS i, sum(quantity) AS q FROM stock_lot WHERE reported_on = DATE '2026-10-31' AND storage_code = 'physical'"
        " AND expires_on >= reported_on GROUP BY ALL").to_pylist()}
    years = {row["f"]: (float(row["s"] or 0), float(row["b"] or 0)) for row in engine.table(
        "SELECT facility_code AS f, arg_max(technical_staff_count, year) AS s, arg_max(bed_count, year) AS b FROM facility_year GROUP BY ALL").to_pylist()}
    issued = {(row["f"], row["i"]): float(row["q"]) / 92 for row in engine.table(
        "SELECT facility_code AS f, item_code AS i, sum(issued_quantity) AS q FROM stock_movement WHERE month >= DATE '2026-08-01' GROUP BY ALL").to_pylist()}
    checked = 0
    for row in found.cover:
        if row.item not in ("gown", "respirator", "gloves") or (row.institution, row.item) not in held:
            continue
        if row.situation == "normal":
            assert row.basis == "issued" and row.per_day == pytest.approx(issued[(row.institution, row.item)])
        if row.situation == "full_load":
            need = sum(amount * activity(*years[row.institution]).get(driver, 0.0) for driver, amount in uses()[row.item].items())
            assert row.per_day == pytest.approx(max(need, issued[(row.institution, row.item)]))
            assert row.days is not None and abs(row.days - math.floor(row.stock / row.per_day)) <= 0
            if not any(lot.expired > 0 for lot in found.lots if (lot.institution, lot.item) == (row.institution, row.item)):
                assert row.stock == pytest.approx(held[(row.institution, row.item)])
                checked += 1
    assert checked > 100


def test_the_indicator_and_the_trend_say_what_the_page_says(region: Region, found: StockpileAnswer) -> None:
    cells = region.site.indicators().ask("stock_cover_days_30_share", ["month"], suppress_below=0).cells
    by_month = {cell.key["month"]: cell for cell in cells}
    short = {row["facility_code"] for row in planted(region, "short")}
    counted = {row.institution for row in found.cover}
    newest = by_month["2026-10"]
    assert (newest.denominator, newest.numerator) == (len(counted), len(counted) - len(short))
    months = {(row.month, row.item): row for row in found.months}
    assert months[("2026-10", "respirator")].short_count == 1 and months[("2026-10", "respirator")].institutions == len(counted)
    assert months[("2026-02", "respirator")].short_count == 0, "before the shortage was planted"
    expired = region.site.indicators().ask("expired_stock_share", ["month"], suppress_below=0).cells
    assert {cell.key["month"]: cell.numerator for cell in expired}["2026-10"] == len(planted(region, "stale"))


def test_each_sees_their_own_stock(people: dict[str, Person], found: StockpileAnswer) -> None:
    own = {row.institution for row in stockpile_institutions(found, COUNTY)}
    seen = {row["institution"] for row in people["county"].get("/api/stockpile-cover").json()["cover"]}
    assert seen == own == {row["institution"] for row in people["viewer"].get("/api/stockpile-cover").json()["cover"]}
    told = people["hospital"].get("/api/stockpile-cover").json()
    for part in ("cover", "lots", "orders", "reported", "consumption"):
        assert {row["institution"] for row in told[part]} <= {HOSPITAL}, part
    assert told["cover"] and not told["moves"] and not told["rescues"]
    assert people["county"].get("/api/stockpile-cover", place=OTHER).status_code == 400
    assert people["county"].get(PAGE, place=OTHER).status_code == 400
    assert len({row["institution_name"] for row in exported(people["hospital"], PAGE, "cover")}) == 1


def stockpile_institutions(found: StockpileAnswer, county: str) -> list[object]:
    return [row for row in found.cover if row.institution.startswith(county)]


def test_the_page_uses_what_was_counted(people: dict[str, Person], found: StockpileAnswer) -> None:
    page = people["section"].get(PAGE, lang="en").text
    assert found.source == "counted" and "newest count of each institution" in page and 'name="held"' not in page
    rows = exported(people["section"], PAGE, "cover")
    first = min(float(row.usable_days) for row in found.cover if row.situation == "full_load" and row.usable_days is not None)
    assert float(rows[0]["usable_days"]) == first and len(rows) == sum(row.situation == "full_load" for row in found.cover)
    more = exported(people["section"], PAGE, "cover", duty="0.7")
    assert float(more[0]["usable_days"]) <= float(rows[0]["usable_days"])
    assert {row["reporting"] for row in exported(people["section"], PAGE, "silent")} == {"late", "never"}
    assert len(exported(people["section"], PAGE, "moves")) == len(found.moves)


STORE = Path(__file__).with_name("assets") / "store_export.csv"  # as a hospital's store exports it, but for the encoding


def test_without_counts_stocks_are_assumed_and_a_stores_own_export_ends_that(region: Region, tmp_path: Path) -> None:
    site = bare(region, tmp_path / "bare")
    told = asked(site, held=30)
    days = {row.days for row in told.cover if row.situation == "normal"}
    assert told.source == "assumed" and days == {30.0} and not told.moves and not told.levels and not told.reported
    assert all((row.days or 0) <= 30 for row in told.cover)
    store = tmp_path / "store.csv"
    store.write_bytes(STORE.read_text("utf-8").encode("gb18030"))
    [receipt] = site.intake().take([store], sender="990104H001")
    assert receipt.accepted == 3 and receipt.mapping == "stock_lot_store"
    site.build()
    told = asked(site, held=30)
    assert told.source == "counted" and told.as_of == "2026-09-30", "a count of a day that has not come does not count"
    assert {(lot.item, lot.lot, lot.quantity) for lot in told.lots} == {("respirator", "R1", 400), ("gown", "G1", 30)}
    assert {row.basis for row in told.cover} == {"activity"}, "no movements are reported"
    with pytest.raises(Refusal):
        asked(site, place=OTHER)


def bare(region: Region, folder: Path) -> Site:
    """A site that knows institutions and nothing of their stores."""
    site, sent = make_site(folder, "990100"), region.folder / "region" / "files"
    sent_files = [*sent.glob("HC-990100/*region.csv"), *sent.glob("HC-990100/*facility.csv"), *sent.glob("HC-99010[14]/*facility_year.xlsx")]
    assert len(sent_files) == 4
    for file in sent_files:
        site.intake().take([file], sender=file.parent.name)
    site.build()
    return site


def asked(site: Site, **told: object) -> StockpileAnswer:
    return stockpile_cover(create_app(site).state.desk.inquiry(site.operator()), **told)
