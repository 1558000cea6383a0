"""Makes the synthetic region: files as their senders would send them, and the truth beside them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from quanmin.synth import settings
from quanmin.synth.block import Maker
from quanmin.synth.infections import Infections
from quanmin.synth.place import words
from quanmin.synth.registers import city_files
from quanmin.synth.senders import usual_day
from quanmin.synth.sentinels import Sentinels
from quanmin.synth.sheets import write_sheet
from quanmin.synth.supplies import Stores
from quanmin.synth.supply_files import send_supplies
from quanmin.synth.workbooks import FacilityBooks, labels

Progress = Callable[[int, int, str], None]


def make_region(folder: Path, residents: int = 50_000, seed: int = 1, progress: Progress | None = None) -> None:
    """Writes `folder`/files (with manifest.csv) and `folder`/truth: about `residents` people, five years, deterministic by seed.

    `progress(done, total, label)` is called after each block of residents and each county. An existing `files` or `truth` folder
    is replaced.
    """
    folder = Path(folder)
    for part in ("files", "truth"):
        shutil.rmtree(folder / part, ignore_errors=True)
    maker = Maker(folder, residents, seed)
    steps = maker.census.blocks + len(maker.place.counties) + 1
    tell = progress or (lambda done, total, label: None)
    for block in range(maker.census.blocks):
        maker.block(block)
        tell(block + 1, steps, "residents")
    books = FacilityBooks(maker.place, maker.activity, residents, seed)
    for k, county in enumerate(maker.place.counties):
        _county_books(maker, books, county)
        tell(maker.census.blocks + k + 1, steps, "workbooks")
    city_files(maker.outbox, maker.place, maker.activity, books)
    Infections(maker.place, maker.activity.occupied(), residents, maker.census.generator(0, 40)).send(maker.outbox, maker.truth)
    Sentinels(maker.place, maker.reports, maker.activity.village_people, maker.census.generator(0, 41)).send(maker.outbox)
    send_supplies(Stores(maker.place, books, maker.activity.occupied(), maker.census.generator(0, 42)), maker.outbox, maker.truth)
    maker.truth.close([r["id"] for r in maker.illnesses.mix.rows])
    maker.truth.missing(maker.claims.sender)
    maker.nil_reports()
    _resend(maker)
    _manifest(maker)
    tell(steps, steps, "manifest")


def _county_books(maker: Maker, books: FacilityBooks, county: dict[str, str]) -> None:
    code, text = county["region_code"], words("words.toml")["workbook"]
    sender, sheet = f"HC-{code}", text["sheet"]["zh"]

    def titles(kind: str, period: str) -> list[str]:
        return [text[kind]["zh"].format(place=county["name"]), text["prepared"]["zh"].format(place=county["name"], period=period)]

    for batch, period in enumerate(settings.BATCHES):
        months = np.flatnonzero(batch == settings.BATCH_OF_MONTH)
        entry = maker.outbox.note(
            f"{sender}/{sender}_facility_month_{period}.xlsx", sender, "facility_month_workbook", usual_day(batch, int(code))
        )
        write_sheet(
            maker.outbox.path(entry.file),
            sheet,
            titles("month_title", period),
            list(labels("facility_month").values()),
            books.month_columns(code, months),
            as_text=13,
        )
    entry = maker.outbox.note(f"{sender}/{sender}_facility_year.xlsx", sender, "facility_year_workbook", "2026-10-31")
    write_sheet(
        maker.outbox.path(entry.file),
        sheet,
        titles("year_title", "2021-2026"),
        list(labels("facility_year").values()),
        books.year_columns(code),
        as_text=17,
    )


def _resend(maker: Maker) -> None:
    """Corrected months (an incomplete first version was sent before) and one file sent twice."""
    planted, outbox = maker.place.names["planted"], maker.outbox
    for given in planted["corrected"]:
        facility = maker.place.caring[maker.place.find(given["kind"], given["county"])]["facility_code"]
        batch = settings.BATCHES.index(given["month"])
        entry = outbox.sent.get(maker.senders.file(facility, "stay", batch))
        if entry is None:
            continue
        whole = outbox.path(entry.file).read_bytes().splitlines(keepends=True)
        early = outbox.note(entry.file.replace(".csv", "_first.csv"), entry.sender, entry.mapping, entry.sent_on, "superseded")
        outbox.path(early.file).write_bytes(b"".join(whole[: max(1, int(len(whole) * 0.7))]))
        entry.sent_on, entry.remark = given["sent_on"], "correction"
    twice = planted["sent_twice"]
    facility = maker.place.caring[maker.place.find(twice["kind"], twice["county"])]["facility_code"]
    entry = outbox.sent.get(maker.senders.file(facility, "stay", settings.BATCHES.index(twice["month"])))
    if entry is not None:
        again = outbox.note(entry.file.replace(".csv", "_again.csv"), entry.sender, entry.mapping, entry.sent_on, "duplicate")
        shutil.copyfile(outbox.path(entry.file), outbox.path(again.file))


def _manifest(maker: Maker) -> None:
    with (maker.outbox.folder / "files" / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["order", "file", "sender", "mapping", "sent_on", "remark"])
        for order, sent in enumerate(maker.outbox.manifest(), 1):
            writer.writerow([order, sent.file, sent.sender, sent.mapping, sent.sent_on, sent.remark])
