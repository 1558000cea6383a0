"""A file that names its month and holds no row says that there was nothing to report; history sent at connection is not late."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanmin.records.months_named import months_named
from quanmin.site import Site
from tests.records.made_files import contents, stay, text_of

HEADER = text_of([stay(1)]).splitlines(keepends=True)[0]


@pytest.mark.parametrize(("file", "named"), [
    ("H1_stay_2026-03.csv", ("2026-03", "2026-03")), ("stays202603.csv", ("2026-03", "2026-03")), ("H1_2026_03_final.xlsx", ("2026-03", "2026-03")),
    ("990101H001_stay_2021-11_2022-12.csv", ("2021-11", "2022-12")), ("year 2024.csv", ("2024-01", "2024-12")), ("2023-2024.csv", ("2023-01", "2024-12")),
    ("export_20260310.csv", None), ("2026-03-10.csv", None), ("990120260301.csv", None), ("march.csv", None), ("2026-13.csv", None),
    ("2026-03_2025-01.csv", None), ("2024_2025_2026.csv", None), ("99H2026.csv", ("2026-01", "2026-12")),
])
def test_months_a_name_tells(file: str, named: tuple[str, str] | None) -> None:
    assert months_named(file) == named


def receipts(site: Site, sender: str = "H1") -> dict[str, tuple[bool, int | None, int | None]]:
    """Month → received, accepted rows, days late, of the sender's stays."""
    site.build()
    names = list(site.catalog.tables["receipt"].columns)
    rows = [dict(zip(names, row, strict=True)) for row in contents(site, ["receipt"])["receipt"]]
    return {str(r["period"])[:7]: (r["is_received"], r["accepted"], r["days_late"]) for r in rows if r["sender"] == sender and r["table"] == "stay"}


def sent(site: Site, folder: Path, month: str, text: str, on: str, sender: str = "H1") -> str:
    path = folder / f"{sender}_stay_{month}.csv"
    path.write_text(text, "utf-8")
    return site.intake().take([path], sender=sender, received_at=[f"{on}T09:00:00+08:00"])[0].status


def test_nil_months_are_received_silent_ones_are_not(site: Site, tmp_path: Path) -> None:
    for month, text, on in (("2026-01", text_of([stay(1, "2026-01")]), "2026-02-03"), ("2026-02", HEADER, "2026-03-04"), ("2026-03", HEADER, "2026-04-20"),
                            ("2026-05", text_of([stay(2, "2026-05")]), "2026-06-02")):
        assert sent(site, tmp_path, month, text, on) == "accepted"
    found = receipts(site)
    assert found == {"2026-01": (True, 1, None), "2026-02": (True, 0, 0), "2026-03": (True, 0, 10), "2026-04": (False, 0, None), "2026-05": (True, 1, 0)}
    assert sent(site, tmp_path, "2026-03", HEADER, "2026-07-01") == "repeated" and receipts(site) == found
    late = {c.key["sender"]: (c.numerator, c.denominator) for c in site.indicators().ask("receipt/received_late", ["sender"], suppress_below=0).cells}
    assert late == {"H1": (1, 3)}


def test_nil_months_of_one_command_are_all_taken(site: Site, tmp_path: Path) -> None:
    sent(site, tmp_path, "2026-01", text_of([stay(1, "2026-01")]), "2026-02-03")
    files = []
    for month in ("2026-02", "2026-03"):
        files.append(tmp_path / f"H1_stay_{month}.csv")
        files[-1].write_text(HEADER, "utf-8")
    files += [tmp_path / "again" / files[0].name]
    files[-1].parent.mkdir()
    files[-1].write_text(HEADER, "utf-8")
    receipts_given = site.intake().take(files, sender="H1")
    assert [r.status for r in receipts_given] == ["accepted", "accepted", "repeated"]
    kept = site.intake().landing.folder_of(receipts_given[0].sha256)
    assert {p.name for p in kept.glob(".receipt-*.json")} == {f".receipt-{r.submission}.json" for r in receipts_given[:2]}
    sent(site, tmp_path, "2026-04", text_of([stay(2, "2026-04")]), "2026-05-03")
    assert [month for month, (received, *_) in receipts(site).items() if received] == ["2026-01", "2026-02", "2026-03", "2026-04"]


def test_a_file_whose_rows_were_all_rejected_is_no_nil_report(site: Site, tmp_path: Path) -> None:
    sent(site, tmp_path, "2026-01", text_of([stay(1, "2026-01")]), "2026-02-03")
    sent(site, tmp_path, "2026-02", HEADER + "a,b\n", "2026-03-03")
    sent(site, tmp_path, "2026-03", text_of([stay(2, "2026-03")]), "2026-04-03")
    assert receipts(site)["2026-02"][0] is False


def test_a_file_named_by_the_year_says_nothing_of_months_to_come(site: Site, tmp_path: Path) -> None:
    sent(site, tmp_path, "2026", text_of([stay(1, "2026-01"), stay(2, "2026-03")]), "2026-04-03")
    sent(site, tmp_path, "2026-06", text_of([stay(3, "2026-06")]), "2026-07-03", sender="H2")
    found = receipts(site)
    assert [month for month, (received, *_) in found.items() if received] == ["2026-01", "2026-02", "2026-03"]
    assert [month for month, (received, *_) in found.items() if not received] == ["2026-04", "2026-05", "2026-06"]


def test_history_is_not_late(site: Site, tmp_path: Path) -> None:
    sent(site, tmp_path, "2025", text_of([stay(1, "2025-03"), stay(2, "2025-11")]), "2026-01-20")
    sent(site, tmp_path, "2026-01", text_of([stay(3, "2026-01")]), "2026-02-25")
    found = receipts(site)
    assert found["2025-03"] == (True, 1, None) and found["2025-07"] == (True, 0, None) and found["2026-01"] == (True, 1, 15)
