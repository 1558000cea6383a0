"""A fresh site for every test, in English."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanmin.site import Site
from tests.records.made_files import new_site


@pytest.fixture(autouse=True)
def in_english(english: None) -> None:
    """Messages are read in English."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "site")
