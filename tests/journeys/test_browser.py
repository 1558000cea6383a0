"""A person in front of the real page: signing in, languages, charts, keyboard, the pages of other roles."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browsing import CHROMIUM, Visitor, serious
from tests.journeys.conftest import Region
from tests.journeys.people import PASSWORD, made

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
SHARE = "/indicator/in_county_inpatient_share"


def test_from_the_first_password_to_the_rows(region: Region, address: str, browser: Browser) -> None:
    name, once = made(region.site, "section")
    context = browser.new_context()
    visitor = Visitor(context, address)
    page = visitor.page
    visitor.go("/", "en")
    assert page.url.endswith("/sign-in")
    visitor.sign_in(name, once)
    expect(page.get_by_text("one-time password")).to_be_visible()
    assert page.url.endswith("/password")
    visitor.change_password(once)
    expect(page.get_by_role("status")).to_contain_text("sign in again")
    visitor.sign_in(name, PASSWORD)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Indicators").click()
    page.get_by_role("link", name="Tiered care").click()
    page.get_by_role("link", name="In-county inpatient share", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("In-county inpatient share")
    assert page.locator("#main .big").inner_text().rstrip("%").strip(" ●▲\n").replace(".", "").isdigit()
    page.get_by_label("Period").select_option("2025")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Region · 2025")).to_be_visible()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Breakdown").click()
    page.get_by_role("combobox", name="Breakdown").select_option("sex_code")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("rowheader", name="Female")).to_be_visible()
    assert "period=2025" in page.url and "view=breakdown" in page.url and "by=sex_code" in page.url
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Trend and counties").click()
    page.get_by_role("link", name="Rows").first.click()
    expect(page.locator("table.rows tbody tr")).to_have_count(200)
    page.get_by_role("link", name="Numerator").click()
    expect(page.locator("nav[aria-label=Rows] [aria-current]")).to_have_text("Numerator")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    visitor.go("/")
    assert page.url.endswith("/sign-in"), "signed out"
    assert not visitor.errors, visitor.errors
    context.close()


def test_the_language_is_switched_and_stays(visitor: Visitor) -> None:
    page = visitor.go(f"{SHARE}?period=2026-09", "zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "period=2026-09" in page.url
    visitor.go("/")
    expect(page.get_by_role("heading", name="Highlights")).to_be_visible()


def test_charts_are_drawn(visitor: Visitor) -> None:
    page = visitor.go(f"{SHARE}?period=2026-09", "en")
    for name in ("trend-data", "progress-data", "counties-data", "ranks-data"):
        assert page.locator(f"[data-chart={name}] svg path").count() > 8, name
    assert page.locator("[data-chart=counties-data] svg").get_by_text("Target 83").count() == 1
    shown = page.locator("[data-chart=counties-data] svg text").all_text_contents()
    rows = page.locator("#counties tbody tr td:nth-of-type(1)").all_text_contents()
    assert len(rows) == 8 and {text.strip("\u25cf\u25b2 \n") for text in rows} <= {text.strip("\u25cf\u25b2 ") for text in shown}
    page.emulate_media(color_scheme="dark")
    assert page.locator("[data-chart=counties-data] svg path").count() > 8


@pytest.mark.parametrize("role", ["administrator", "auditor", "viewer"])
def test_axe_on_the_pages_of_other_roles(region: Region, address: str, browser: Browser, role: str) -> None:
    name, once = made(region.site, role)
    context = browser.new_context()
    visitor = Visitor(context, address)
    found = serious(visitor.go("/sign-in", "en"))
    visitor.sign_in(name, once)
    found += serious(visitor.page)
    visitor.change_password(once)
    visitor.sign_in(name, PASSWORD)
    for language in ("zh", "en"):
        found += serious(visitor.go("/", language))
    assert not found and not visitor.errors, (found, visitor.errors)
    context.close()


def test_the_focus_is_seen_and_the_keyboard_is_enough(visitor: Visitor, account: str) -> None:
    page = visitor.go("/sign-in", "en")
    expect(page.locator("input[name=name]")).to_be_focused()
    page.keyboard.type(account)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{visitor.address}/")
    visitor.go("/indicators?theme=tiered_care", "en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip" and page.locator(".skip").bounding_box()["x"] >= 0
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
            return [e.tagName, s.outlineStyle, parseFloat(s.outlineWidth), b.width * b.height, e.textContent.trim().slice(0, 40)]; }""")
        if focus[0] == "BODY":
            break
        assert focus[1] != "none" and focus[2] >= 2 and focus[3] > 0, f"the focus cannot be seen on {focus}"
        reached.append(focus[4])
    assert {"Change password", "Sign out", "Tiered care", "Show", "In-county inpatient share"} <= set(reached)
