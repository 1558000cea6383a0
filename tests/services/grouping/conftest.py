"""The shipped scheme, made ready once."""

from __future__ import annotations

import pytest

from quanmin.catalog import Catalog
from quanmin.services.grouping.grouper import Ready
from quanmin.services.grouping.schemes import scheme_of


@pytest.fixture(scope="session")
def national(catalog: Catalog) -> Ready:
    return scheme_of(catalog, "chs_drg_1_1")
