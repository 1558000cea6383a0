"""Every page, in both languages: readable with assistive technology, on a phone, in the dark, by keyboard; every chart with its table, files and link."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from tests.journeys.browsing import CHROMIUM, DESK, PATIENCE, PHONE, Visitor, serious, shorten, unfold, visiting
from tests.journeys.conftest import Region

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
SHARE, COUNTY, MONTH = "/indicator/in_county_inpatient_share", "990104", "2026-09"
COMMUNITY, HOSPITAL, CHECK = f"{COUNTY}Y001", f"{COUNTY}H001", "stay/identity_number_invalid"
PAGES = (
    "/", "/highlights", "/wall", f"/place/{COUNTY}", f"/facility/{HOSPITAL}", "/targets", "/flow", "/flow?cut=icd_chapter&measure=charge_cny",
    "/case-mix", f"/case-mix?facility={HOSPITAL}", "/appraisal", f"/appraisal/{HOSPITAL}", "/appraisal/handbooks", "/findings",
    "/outcomes", f"/outcomes/{HOSPITAL}?outcome=readmission", "/quality-goals",
    "/preparedness", f"/preparedness/mass-testing?place={COUNTY}", "/preparedness/stockpile", "/preparedness/surge?reproduction=3",
    "/preparedness/exercises",
    f"/flow/county/{COUNTY}", "/communities", f"/community/{COMMUNITY}?set=2020", "/data", f"/data/sender/{HOSPITAL}", "/data/checks",
    f"/data/checks/{CHECK}", "/infections", "/infections?device=catheter", "/data/front-pages", f"/data/front-pages?facility={HOSPITAL}",
    "/vaccine-safety", "/review", "/about", *(f"{SHARE}?view={view}" for view in ("trend", "institutions", "change", "breakdown", "definition")),
    f"{SHARE}?period=2026-10&place={COUNTY}", f"{SHARE}/rows?period={MONTH}", f"/flow/rows?what=outflow&home_county={COUNTY}",
    "/indicators?theme=tiered_care", "/warnings", f"/warnings/place/{COUNTY}", "/diseases/influenza", "/nothing",
)
WITHOUT_CHART = ("/highlights", "/quality-goals", "/place/", "/facility/", "/targets", "/data/checks/", "/review", "/about", "definition", "/rows",
                 "/indicators", "/nothing", "/exercises")
WITHOUT_FILTER = ("/highlights", "/wall", "/community/", "/review", "/about", "/nothing", "/password", "/rows", "/data/sender/", "/data/checks/", "definition",
                  "primary_lead_pay_ratio")


@pytest.fixture(scope="module")
def section(region: Region, address: str, browser: Browser) -> Iterator[Visitor]:
    """Somebody of a section, in one window for all pages."""
    with visiting(region.site, address, browser, "section") as found:
        yield found


@pytest.fixture
def window(section: Visitor) -> Iterator[Visitor]:
    """A new window of theirs; nothing may go wrong in it during a test."""
    section.errors.clear()
    section.opened()
    yield section
    errors, section.errors = section.errors, []
    assert not errors, errors


WIDER = """() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391 && !e.closest('.scroll'))
    .slice(0, 4).map(e => e.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_read_by_axe_and_fits_a_phone(window: Visitor, path: str, language: str) -> None:
    page = window.go(path, language)
    drawn = page.evaluate("[...document.querySelectorAll('main [data-chart]')].map(one => [one.dataset.chart, one.querySelectorAll('svg path').length])")
    assert all(paths for _, paths in drawn) and (drawn or any(part in path for part in WITHOUT_CHART)), drawn
    unfold(page)
    page.set_viewport_size(PHONE)
    with suppress(TimeoutError):  # charts follow the window a moment later
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=PHONE["width"], timeout=3_000)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], (width, page.evaluate(WIDER))
    page.set_viewport_size(DESK)
    shorten(page)  # rows of a table are alike
    found = serious(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", PAGES[::4])
def test_in_the_dark(window: Visitor, path: str) -> None:
    window.page.emulate_media(color_scheme="dark")
    page = window.go(path, "zh")
    unfold(page)
    shorten(page)
    assert not (found := serious(page, "color-contrast")), "\n".join(found)


@pytest.mark.parametrize("path", PAGES[::4])
def test_the_skip_link_and_the_first_filter_are_reached_by_tab(window: Visitor, path: str) -> None:
    page = window.go(path, "en")
    page.keyboard.press("Tab")
    if path != "/wall":
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
    if any(part in path for part in WITHOUT_FILTER):
        return
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches(':is(form.filters, nav.tabs) :is(select, input, a)')"):
            return
    raise AssertionError("no filter is reached by Tab")


def _panels(page: Page) -> list[dict[str, Any]]:
    return page.evaluate("""() => [...document.querySelectorAll('main .panel')].map(p => ({ id: p.id, charts: p.querySelectorAll('[data-chart]').length,
        drawn: p.querySelectorAll('[data-chart] svg path').length, rows: p.querySelectorAll('table tbody tr:has(td)').length,
        links: [...p.querySelectorAll('p.leave a')].map(a => a.getAttribute('href')) }))""")


def _seen(page: Page) -> str:
    """The words of a page's headings, figures and tables."""
    text = page.locator("main").evaluate("e => [...e.querySelectorAll('h1, h2, .big, td, th, dd')].map(one => one.textContent).join('|')")
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("path", PAGES[::3])
def test_every_chart_has_its_table_its_files_and_its_link(region: Region, window: Visitor, path: str) -> None:
    snapshot, page = region.site.snapshot().id, window.go(path, "en")
    shown, panels = _seen(page), _panels(page)
    assert len({panel["id"] for panel in panels}) == len(panels), "an id is given twice"
    assert sum(panel["charts"] for panel in panels) == page.locator("main [data-chart]").count() or path == "/wall", "a chart without its panel"
    for panel in panels:
        where = panel["id"]
        *files, permanent = panel["links"]
        forms = {link.split("#")[0].rsplit(".", 1)[-1]: link for link in files}
        assert {"csv", "xlsx", "json"} <= set(forms) and len(forms) == len(files), where
        assert not panel["charts"] or (panel["drawn"] and panel["rows"]), f"{where}: a chart without its drawing or its table"
        for form, link in forms.items():
            answer = page.request.get(f"{window.address}{link}", timeout=PATIENCE)
            assert answer.ok and f"{where}.{form}" in answer.headers["content-disposition"], (where, form, answer.status)
            if form == "csv":
                assert len(list(csv.reader(io.StringIO(answer.text().removeprefix("\ufeff"))))) > panel["rows"], f"{where}: the file lacks rows"
            assert form not in ("xlsx", "docx") or answer.body().startswith(b"PK"), where
            assert form != "json" or len(answer.json()["rows"]) >= panel["rows"], where
        assert f"as_of={snapshot}" in permanent and permanent.endswith(f"#{where}"), where
    if panels:
        window.go(panels[0]["links"][-1])
        assert "as_of=" in page.url and _seen(page) == shown, "the permanent link gives another page"


def test_the_weeks_of_a_map_are_gone_through_by_keyboard_and_nothing_moves_by_itself(address: str, window: Visitor) -> None:
    def said(page: Page) -> str:
        return page.locator("#map output").inner_text()

    page = window.go("/diseases/influenza", "en")
    slider = page.locator("#map input[type=range]")
    before = said(page)
    page.wait_for_timeout(1_500)
    assert said(page) == before, "nobody pressed play"
    slider.press("Home")
    first = slider.get_attribute("aria-valuetext")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == said(page) != first, "one week on"
    rows = page.request.get(f"{address}/diseases/influenza?export=map.json").json()["rows"]
    second = sorted({row["week"] for row in rows})[1]
    assert f"{second} · Cases reported {sum(row['cases'] for row in rows if row['week'] == second)}" in said(page)
    page.locator("#map button", has_text="Play").click()
    page.wait_for_function("text => document.querySelector('#map output').innerText !== text", arg=said(page))
    page.locator("#map button", has_text="Stop").click()
    page.emulate_media(reduced_motion="reduce")
    page = window.go("/diseases/influenza", "en")
    assert page.locator("#map .player input").count() == 1 and page.locator("#map button", has_text="Play").count() == 0
    page.emulate_media(reduced_motion="no-preference")
