"""Files of other years and states (87 to 114 columns, any order) go through the same mapping and give the same figures."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path

import pytest

from quanmin.site import make_site

ROWS = 1_500
LATER = ("AUD_JUST", "SIS_JUST", "VAL_SH_FED", "VAL_SP_FED", "VAL_SH_GES", "VAL_SP_GES", "VAL_UCI", "MARCA_UCI")  # columns that older years lack
FIGURES = ("in_county_inpatient_share", "inpatient_mortality_share", "average_stay_days")


@pytest.fixture(scope="module")
def rows(discharges: Path) -> list[dict[str, str]]:
    with gzip.open(discharges, "rt", encoding="utf-8", newline="") as stream:
        return [row for row, _ in zip(csv.DictReader(stream), range(ROWS), strict=False)]


def variant(rows: list[dict[str, str]], columns: int) -> list[str]:
    """The header of a year with so many columns."""
    newest = list(rows[0])
    old = [c for c in newest if c not in LATER and not c.startswith(("DIAGSEC", "TPDISEC"))]
    chosen = {87: old, 94: old + list(LATER[:7]), 96: [*old, *LATER, "ETNIA_OLD"], 113: newest, 114: ["NEW_FIELD", *newest]}[columns]
    assert len(chosen) == columns
    return chosen


def figures(folder: Path, rows: list[dict[str, str]], header: list[str]) -> tuple[int, int, dict[str, list[tuple[object, ...]]]]:
    """Rows accepted and rejected, and what the site then says by municipality."""
    path = folder / "discharges.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    site = make_site(folder / "site")
    receipt = site.intake().take([path], mapping="datasus_sih_rd")[0]
    site.build()
    asked = {name: site.indicators().ask(name, ["place"], suppress_below=0).cells for name in FIGURES}
    return receipt.accepted, receipt.rejected, {n: [(c.key["place"], c.numerator, c.denominator, c.unknown) for c in cells] for n, cells in asked.items()}


@pytest.fixture(scope="module")
def newest(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory):
    return figures(tmp_path_factory.mktemp("newest"), rows, variant(rows, 113))


def test_the_figures_are_those_counted_by_hand(rows: list[dict[str, str]], newest) -> None:
    accepted, rejected, asked = newest
    new = [row for row in rows if row["IDENT"] != "5"]
    assert (accepted, rejected) == (len(rows), 0) and len(new) < len(rows), "continuations are kept and not counted"
    assert sum(cell[1] for cell in asked["in_county_inpatient_share"]) == sum(row["MUNIC_RES"] == row["MUNIC_MOV"] for row in new)
    assert sum(cell[2] for cell in asked["in_county_inpatient_share"]) == len(new)
    assert sum(cell[1] for cell in asked["inpatient_mortality_share"]) == sum(row["MORTE"] == "1" for row in new)


@pytest.mark.parametrize("columns", [87, 94, 96, 114])
def test_other_years_and_orders(rows: list[dict[str, str]], newest, tmp_path: Path, columns: int) -> None:
    header = variant(rows, columns)
    random.Random(columns).shuffle(header)
    assert figures(tmp_path, rows, header) == newest
