"""The first use on a machine: what the watch needs is made ready beforehand, and a page asked meanwhile says so and opens itself."""

from __future__ import annotations

import subprocess
import sys

from fastapi import FastAPI

from quanmin.detectors.telling import preparing
from tests.journeys.conftest import Region
from tests.journeys.people import somebody

LOOPS = """
import sys
from pathlib import Path
from quanmin.detectors import essence, fallback, farrington
from quanmin.services.surveillance.actions import events
from quanmin.services.surveillance.preparing import prepare
from quanmin.site import Site
from quanmin.web.app import create_app
loops = (farrington._judge, fallback._baselines, fallback._judge, essence._all)
prepare()
before = [set(loop.signatures) for loop in loops]
site = Site(Path(sys.argv[1]))
found = events(create_app(site).state.desk.inquiry(site.operator()))
print(len(found.events) > 0, all(before), [set(loop.signatures) for loop in loops] == before)
"""


def test_all_that_the_watch_needs_is_made_ready(region: Region) -> None:
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", LOOPS, str(region.folder)], capture_output=True, text=True, timeout=300, check=True)
    assert told.stdout.split() == ["True", "True", "True"]


def test_a_page_asked_meanwhile_says_so(app: FastAPI) -> None:
    person = somebody(app, "section")
    with preparing():
        waiting = person.get("/warnings", lang="en")
    assert waiting.status_code == 200 and "The detectors are being made ready" in waiting.text and 'http-equiv="refresh"' in waiting.text
    assert 'id="events"' not in waiting.text
    there = person.get("/warnings", lang="en").text
    assert "being made ready" not in there and 'http-equiv="refresh"' not in there and "<table" in there
