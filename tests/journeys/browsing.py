"""People in front of the real pages: the served site in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from quanmin.site import Site
from tests.journeys.people import PASSWORD, made

if TYPE_CHECKING:
    from tests.journeys.conftest import Region

CHROMIUM = shutil.which("chromium") or ""
AXE = Path(__file__).with_name("assets") / "axe.min.js"
SERIOUS = ("serious", "critical")
ABORTED = "net::ERR_ABORTED"  # what a page still asked for when it was left
PATIENCE = 120_000  # ms: a server that has just started works out much at once
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """The address of `quanmin serve` over a site; what it says goes into `log` and must hold no traceback."""
    port = free_port()
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "serve", str(folder), "--port", str(port)]
    command += ["--workers", "1", "--no-warm"]  # every page is asked for once: what is worked out for two workers is worked out twice
    with log.open("w") as stream:
        server = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:  # a query under way is not left off in the middle
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=20)


@pytest.fixture(scope="session")
def address(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `quanmin serve` over the region."""
    with serving(region.folder, tmp_path_factory.mktemp("served") / "log") as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser."""
    if not CHROMIUM:
        pytest.skip("the browser `chromium` is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        yield started
        started.close()


class Visitor:
    """A browser window that remembers what went wrong in it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address, self.errors = context, address, list[str]()
        self.page = self.opened()

    def opened(self) -> Page:
        """A new window in place of the one before: one that has shown many pages grows slow."""
        if self.context.pages:
            self.page.close()
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: request.failure == ABORTED or self.errors.append(f"failed: {request.url} {request.failure}"))
        self.page.on("request", lambda request: request.url.startswith((self.address, "data:")) or self.errors.append(f"asks elsewhere: {request.url}"))
        return self.page

    def _note(self, message: ConsoleMessage) -> None:
        is_expected = "404" in message.text and "/nothing" in self.page.url
        if message.type in ("error", "warning") and not is_expected:
            self.errors.append(f"{self.page.url}: {message.text}")

    def go(self, path: str, language: str = "") -> Page:
        """Open an address of ours, in a language."""
        joined = f"{path}{'&' if '?' in path else '?'}lang={language}" if language else path
        self.page.goto(self.address + joined)
        return self.page

    def sign_in(self, name: str, password: str) -> None:
        """Sign in at the page."""
        self.go("/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("button.primary")
        self.page.wait_for_load_state()

    def change_password(self, old: str) -> None:
        """Set the password of this suite in place of the one-time password."""
        self.page.fill("input[name=old]", old)
        self.page.fill("input[name=new]", PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_url("**/sign-in?changed")


@contextmanager
def visiting(site: Site, address: str, browser: Browser, role: str, scope: str = "region", **options: Any) -> Iterator[Visitor]:
    """Somebody new of a role, signed in with a password of their own; nothing may have gone wrong in their window."""
    name, once = made(site, role, scope)
    context = browser.new_context(**({"viewport": DESK} | options))
    visitor = Visitor(context, address)
    visitor.sign_in(name, once)
    visitor.change_password(once)
    visitor.sign_in(name, PASSWORD)
    yield visitor
    assert not visitor.errors, visitor.errors
    context.close()


@pytest.fixture(scope="session")
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
    """A section's account, signed in; `indirect` parameters are options of the browser's context."""
    context = browser.new_context(viewport=DESK, **getattr(request, "param", {}))
    visitor = Visitor(context, address)
    visitor.sign_in(account, PASSWORD)
    yield visitor
    assert not visitor.errors, visitor.errors
    context.close()


def serious(page: Page, rule: str = "") -> list[str]:
    """What axe-core finds serious or critical on a page (by one rule, or all)."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("""rule => axe.run(document, { resultTypes: ['violations'], ...(rule && { runOnly: [rule] }) }).then(found => ({
        passes: found.passes.length,
        violations: found.violations.map(one => ({ id: one.id, impact: one.impact, html: one.nodes[0].html.slice(0, 160) })) }))""", rule)
    assert result["passes"] > (0 if rule else 8), "axe has looked at nothing"
    return [f"{page.url}: {v['id']} ({v['impact']}): {v['html']}" for v in result["violations"] if v["impact"] in SERIOUS]


def shorten(page: Page, rows: int = 30) -> None:
    """Leave only the first rows of long tables."""
    page.evaluate("rows => document.querySelectorAll('main table').forEach(one => [...one.rows].slice(rows).forEach(row => row.remove()))", rows)


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
