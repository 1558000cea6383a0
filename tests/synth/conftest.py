"""A small synthetic region, made once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from readers import Region

from quanmin.synth import make_region

RESIDENTS = 3_000


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    folder: Path = tmp_path_factory.mktemp("region")
    make_region(folder, residents=RESIDENTS, seed=7)
    return Region(folder)
