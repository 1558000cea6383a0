"""A person in front of the real page: the served site in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.journeys.conftest import Region
from tests.journeys.people import PASSWORD, made

CHROMIUM = shutil.which("chromium") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
AXE = Path(__file__).with_name("assets") / "axe.min.js"
SERIOUS = ("serious", "critical")
ABORTED = "net::ERR_ABORTED"  # what a page still asked for when it was left
SHARE = "/indicator/in_county_inpatient_share"
PAGES = (
    "/?theme=tiered_care", "/?theme=county_community", "/?theme=public_health", "/?theme=tiered_care&period=2026-10", SHARE,
    f"{SHARE}?period=2026-10&by=facility_level", "/indicator/average_stay_days?by=facility_code", "/indicator/tertiary_medical_income_growth",
    "/indicator/primary_lead_pay_ratio", "/indicator/siphoned_inpatient_share",
    f"{SHARE}/rows?period=2026-09", f"{SHARE}/rows?period=2026-09&which=unknown", "/password", "/nothing",
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `quanmin serve` over the region."""
    port, log = _free_port(), tmp_path_factory.mktemp("served") / "log"
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "serve", str(region.folder), "--port", str(port)]
    with log.open("w") as stream:
        server = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        yield started
        started.close()


class Visitor:
    """A browser window that remembers what went wrong in it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address, self.errors = address, []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: request.failure == ABORTED or self.errors.append(f"failed: {request.url} {request.failure}"))
        self.page.on("request", lambda request: request.url.startswith((address, "data:")) or self.errors.append(f"asks elsewhere: {request.url}"))

    def _note(self, message: ConsoleMessage) -> None:
        is_expected = "404" in message.text and "/nothing" in self.page.url
        if message.type in ("error", "warning") and not is_expected:
            self.errors.append(f"{self.page.url}: {message.text}")

    def go(self, path: str, language: str = "") -> Page:
        joined = f"{path}{'&' if '?' in path else '?'}lang={language}" if language else path
        self.page.goto(self.address + joined)
        return self.page

    def sign_in(self, name: str, password: str) -> None:
        self.go("/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("button.primary")
        self.page.wait_for_load_state()

    def change_password(self, old: str) -> None:
        self.page.fill("input[name=old]", old)
        self.page.fill("input[name=new]", PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_url("**/sign-in?changed")


@pytest.fixture(scope="module")
def account(region: Region, address: str, browser: Browser) -> str:
    """An account of a section whose password was set on the page."""
    name, once = made(region.site, "section")
    context = browser.new_context()
    visitor = Visitor(context, address)
    visitor.sign_in(name, once)
    visitor.change_password(once)
    context.close()
    return name


@pytest.fixture
def visitor(request: pytest.FixtureRequest, address: str, browser: Browser, account: str) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **getattr(request, "param", {}))
    visitor = Visitor(context, address)
    visitor.sign_in(account, PASSWORD)
    yield visitor
    assert not visitor.errors, visitor.errors
    context.close()


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
    page.get_by_role("link", name="In-county inpatient share").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("In-county inpatient share")
    assert page.locator("#main .big").inner_text().rstrip("%").strip().replace(".", "").isdigit()
    page.get_by_label("Period").select_option("2025")
    page.get_by_label("Breakdown").select_option("sex_code")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Region · 2025")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Female")).to_be_visible()
    page.get_by_role("link", name="Rows").first.click()
    expect(page.locator("table.rows tbody tr")).to_have_count(200)
    page.get_by_role("link", name="Numerator").click()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Numerator")
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
    expect(page.get_by_role("heading", name="Indicators")).to_be_visible()


def test_charts_are_drawn(visitor: Visitor) -> None:
    page = visitor.go(f"{SHARE}?period=2026-09", "en")
    for name in ("trend-data", "bars-data"):
        assert page.locator(f"[data-chart={name}] svg path").count() > 8, name
    assert page.locator("[data-chart=bars-data] svg").get_by_text("Target 83").count() == 1
    shown = page.locator("[data-chart=bars-data] svg text").all_text_contents()
    rows = page.locator(".pair tbody tr td.n:nth-of-type(1)").all_text_contents()
    assert len(rows) == 8 and {text.strip("\u25cf\u25b2 \n") for text in rows} <= {text.strip("\u25cf\u25b2 ") for text in shown}
    page.emulate_media(color_scheme="dark")
    assert page.locator("[data-chart=bars-data] svg path").count() > 8


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_serious(visitor: Visitor, language: str) -> None:
    found = []
    for path in PAGES:
        found += _axe(visitor.go(path, language))
    assert not found, found


@pytest.mark.parametrize("visitor", [{"color_scheme": "dark"}], indirect=True)
def test_axe_finds_nothing_serious_in_the_dark(visitor: Visitor) -> None:
    found = []
    for path in PAGES[::3]:
        found += _axe(visitor.go(path, "zh"))
    assert not found, found


def _axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(result["passes"]) > 8, "axe has looked at nothing"
    return [f"{page.url}: {v['id']} ({v['impact']}): {v['nodes'][0]['html'][:120]}" for v in result["violations"] if v["impact"] in SERIOUS]


@pytest.mark.parametrize("role", ["administrator", "auditor", "viewer"])
def test_axe_on_the_pages_of_other_roles(region: Region, address: str, browser: Browser, role: str) -> None:
    name, once = made(region.site, role)
    context = browser.new_context()
    visitor = Visitor(context, address)
    found = _axe(visitor.go("/sign-in", "en"))
    visitor.sign_in(name, once)
    found += _axe(visitor.page)
    visitor.change_password(once)
    visitor.sign_in(name, PASSWORD)
    for language in ("zh", "en"):
        found += _axe(visitor.go("/", language))
    assert not found and not visitor.errors, (found, visitor.errors)
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_wider_than_a_phone(visitor: Visitor, language: str) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (*PAGES, "/sign-in"):
        visitor.go(path, language)
        for summary in page.locator("summary").all():
            summary.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} px wide"


def test_the_focus_is_seen_and_the_keyboard_is_enough(visitor: Visitor, account: str) -> None:
    page = visitor.go("/sign-in", "en")
    expect(page.locator("input[name=name]")).to_be_focused()
    page.keyboard.type(account)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip" and page.locator(".skip").bounding_box()["x"] >= 0
    reached = []
    for _ in range(45):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
            return [e.tagName, s.outlineStyle, parseFloat(s.outlineWidth), b.width * b.height, e.textContent.trim().slice(0, 40)]; }""")
        if focus[0] == "BODY":
            break
        assert focus[1] != "none" and focus[2] >= 2 and focus[3] > 0, f"the focus cannot be seen on {focus}"
        reached.append(focus[4])
    assert {"Change password", "Sign out", "Tiered care", "Show", "In-county inpatient share"} <= set(reached)
