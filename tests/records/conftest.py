"""A fresh site for every test, in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quanmin.catalog.messages import speak
from quanmin.site import Site
from tests.records.made_files import new_site


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    speak("en")
    yield
    speak("")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "site")
