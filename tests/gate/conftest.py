"""A ledger of its own for every test, and small tables to look at through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from quanmin.catalog import Catalog
from quanmin.catalog.loader import read_all
from quanmin.engines.duckdb import DuckDBEngine
from quanmin.gate import Accounts
from quanmin.model import Half, Indicator, Label, Provenance
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger
from quanmin.services.indicators import Indicators
from tests.conftest import frames_of

WHOLE, _ = read_all()
STAYS = "hospitalisation"


@pytest.fixture(autouse=True)
def in_english(english: None) -> None:
    """Messages are read in English."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    t.metadata.create_all(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture
def accounts(ledger: Ledger) -> Accounts:
    return Accounts(ledger)


def deaths() -> Indicator:
    """The share of stays that ended in death, by sex: 3 of 40 in the county C1, 20 of 40 in C2."""
    half = Half(STAYS, time="discharged_on", place="home_county")
    return Indicator("deaths", "X", Label("x", "Deaths"), "share", "%", "lower", "t", Provenance("d", status="own"), replace(half, where="died"), half,
                     by=("sex_code",))


def stays() -> list[dict]:
    """40 stays of each of two counties in two facilities each."""
    made = []
    for i in range(80):
        county, number = ("C1", i) if i < 40 else ("C2", i - 40)
        made.append({name: None for name in WHOLE.tables[STAYS].columns} | {
            "hospitalisation_id": f"S{i}", "resident_id": f"R{i}", "home_county": county, "facility_county": county, "facility_code": f"{county}-F{i % 2}",
            "home_township": f"{county}-T{i % 3}", "sex_code": str(1 + i % 2), "died": number < (3 if county == "C1" else 20), "age_years": i,
            "admitted_on": date(2026, 3, 1), "discharged_on": date(2026, 3, 2) + timedelta(days=i % 20),
        })
    return made


@pytest.fixture(scope="session")
def small() -> Catalog:
    return Catalog(tables={STAYS: WHOLE.tables[STAYS]}, codes=WHOLE.codes, indicators={"deaths": deaths()})


@pytest.fixture
def indicators(small: Catalog) -> Indicators:
    return Indicators(small, DuckDBEngine(small, frames=frames_of(small, {STAYS: stays()}), threads=1), 7, suppress_below=5)
