"""Shared by all suites: the catalogue, loaded once, and frames made of worked examples."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from quanmin.catalog import Catalog
from quanmin.catalog.examples import parse_rows
from quanmin.catalog.loader import read_all
from quanmin.catalog.messages import speak
from quanmin.records.accepted import ARROW_TYPES


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    loaded, complaints = read_all()
    assert not complaints.problems, "\n".join(p.sentence() for p in complaints.problems)
    return loaded


@pytest.fixture
def english() -> Iterator[None]:
    """Messages in English while a test runs."""
    speak("en")
    yield
    speak("")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first, one such suite for each worker: the kills; the journeys; then the rest."""
    first = ("tests/reliability/test_kills.py", "tests/journeys/")
    items.sort(key=lambda item: next((n for n, part in enumerate(first) if item.nodeid.startswith(part)), len(first)))


def frames_of(catalog: Catalog, tables: dict[str, list[dict]]) -> dict[str, pa.Table]:
    """Rows per table → Arrow tables with the declared types."""
    return {
        name: pa.Table.from_pylist(rows, schema=pa.schema([(c.name, ARROW_TYPES[c.type]) for c in catalog.tables[name].columns.values()]))
        for name, rows in tables.items()
    }


def rows_of(catalog: Catalog, texts: dict[str, str]) -> dict[str, list[dict]]:
    """Text tables → typed rows."""
    return {name: parse_rows(text, catalog.tables[name]) for name, text in texts.items()}
