"""Every page, in both languages: readable with assistive technology, on a phone, in the dark, by keyboard; every chart with its table, files and link."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsing import CHROMIUM, PATIENCE, PHONE, Visitor, serious, unfold
from tests.journeys.conftest import Region

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
SHARE, COUNTY, MONTH = "/indicator/in_county_inpatient_share", "990104", "2026-09"
COMMUNITY, HOSPITAL, CHECK = f"{COUNTY}Y001", f"{COUNTY}H001", "stay/identity_number_invalid"
PAGES = (
    "/", f"/?place={COUNTY}&period=2026-10", "/highlights", "/wall", f"/place/{COUNTY}", f"/facility/{HOSPITAL}", "/targets", "/flow",
    f"/flow/county/{COUNTY}", "/communities", f"/community/{COMMUNITY}", "/data", f"/data/sender/{HOSPITAL}", "/data/checks", f"/data/checks/{CHECK}",
    "/review", "/about", *(f"{SHARE}?view={view}" for view in ("trend", "institutions", "change", "breakdown", "definition")),
    f"{SHARE}?period=2026-10&place={COUNTY}", f"{SHARE}?view=breakdown&by=facility_code&period=2025", "/indicator/average_stay_days?view=institutions",
    "/indicator/tertiary_medical_income_growth", "/indicator/primary_lead_pay_ratio", f"{SHARE}/rows?period={MONTH}",
    f"{SHARE}/rows?period={MONTH}&which=unknown", f"/flow/rows?what=outflow&home_county={COUNTY}", "/indicators?theme=tiered_care",
    "/indicators?theme=public_health&period=2026-10", "/password", "/nothing",
)
WITHOUT_FILTER = ("/highlights", "/wall", "/community/", "/review", "/about", "/nothing", "/password", "/rows", "/data/sender/", "/data/checks/", "definition",
                  "primary_lead_pay_ratio")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_serious(visitor: Visitor, language: str) -> None:
    found = []
    for path in PAGES:
        page = visitor.go(path, language)
        unfold(page)
        found += serious(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("visitor", [{"color_scheme": "dark"}], indirect=True)
def test_axe_finds_nothing_serious_in_the_dark(visitor: Visitor) -> None:
    found = []
    for path in PAGES[::3]:
        page = visitor.go(path, "zh")
        unfold(page)
        found += serious(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_wider_than_a_phone(visitor: Visitor, language: str) -> None:
    page, wide = visitor.page, {}
    page.set_viewport_size(PHONE)
    for path in (*PAGES, "/sign-in"):
        visitor.go(path, language)
        unfold(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[path] = (width, page.evaluate("""() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391
                && !e.closest('.scroll')).slice(0, 4).map(e => e.outerHTML.slice(0, 90))"""))
    assert not wide, wide


def test_the_skip_link_and_the_first_filter_are_reached_by_tab(visitor: Visitor) -> None:
    for path in PAGES:
        page = visitor.go(path, "en")
        page.keyboard.press("Tab")
        if path != "/wall":
            assert page.evaluate("document.activeElement.className") == "skip", path
            page.keyboard.press("Enter")
        if any(part in path for part in WITHOUT_FILTER):
            assert path == "/nothing" or page.locator("main a, main button, header a").count(), path
            continue
        expect(page.locator("form.filters select, form.filters input:not([type=hidden])").first).to_be_attached()
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('form.filters') !== null && /SELECT|INPUT/.test(document.activeElement.tagName)"):
                break
        else:
            raise AssertionError(f"no filter of {path} is reached by Tab")


def _panels(page: Page) -> list[dict[str, object]]:
    return page.evaluate("""() => [...document.querySelectorAll('main .panel')].map(p => ({ id: p.id, charts: p.querySelectorAll('[data-chart]').length,
        drawn: p.querySelectorAll('[data-chart] svg path').length, rows: p.querySelectorAll('table tbody tr').length,
        links: [...p.querySelectorAll('p.leave a')].map(a => a.getAttribute('href')) }))""")


def test_every_chart_has_its_table_its_files_and_its_link(region: Region, visitor: Visitor) -> None:
    snapshot, charts, asked = region.site.snapshot().id, 0, visitor.page.request
    for path in PAGES:
        panels = _panels(visitor.go(path, "en"))
        assert len({panel["id"] for panel in panels}) == len(panels), f"{path}: an id is given twice"
        for panel in panels:
            where, links = f"{path} {panel['id']}", panel["links"]
            assert isinstance(links, list) and len(links) == 4, where
            assert not panel["charts"] or (panel["drawn"] and panel["rows"]), f"{where}: a chart without its drawing or its table"
            charts += bool(panel["charts"])
            for form, link in zip(("csv", "xlsx", "json"), links, strict=False):
                answer = asked.get(f"{visitor.address}{link}", timeout=PATIENCE)
                assert answer.ok and f"{panel['id']}.{form}" in answer.headers["content-disposition"], (where, form, answer.status)
                body = answer.body()
                if form == "csv":
                    assert len(list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))) == int(str(panel["rows"])) + 1, f"{where}: the file is not the table"
                assert form != "xlsx" or body.startswith(b"PK"), where
                assert form != "json" or len(answer.json()["rows"]) == panel["rows"], where
            assert f"as_of={snapshot}" in links[3] and links[3].endswith(f"#{panel['id']}"), where
    assert charts >= 20, charts


def _seen(page: Page) -> str:
    """The words of a page's panels and figures, without the addresses in them."""
    text = page.locator("main").evaluate("e => [...e.querySelectorAll('h1, h2, .big, td, th, dd')].map(one => one.textContent).join('|')")
    return re.sub(r"\s+", " ", text)


def test_the_permanent_link_gives_the_same_page(visitor: Visitor) -> None:
    for path in PAGES:
        page = visitor.go(path, "en")
        links = page.locator(".panel p.leave a:last-child, details p.leave a:last-child")
        if not links.count():
            continue
        shown, link = _seen(page), str(links.first.get_attribute("href"))
        visitor.go(link)
        assert urlsplit(page.url).path == urlsplit(visitor.address + path).path and "as_of=" in page.url
        assert _seen(page) == shown, path
