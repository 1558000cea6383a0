"""What a site must keep, whatever happened to the command before."""

from __future__ import annotations

import json
import re
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.records.landing import fingerprint
from quanmin.records.months_named import months_named
from quanmin.site import Site
from tests.records.made_files import contents
from tests.records.made_region import plain
from tests.reliability.conftest import Outcome, Sent

RECEIPT = re.compile(say("receipt_line", "zh", file="(.+)", read="([0-9,]+)", accepted="([0-9,]+)", rejected="([0-9,]+)"))
LEFT = [say(name, "zh", left="[0-9,]+", **more) for name, more in (("seconds_left", {}), ("rows_per_second", {"rate": "[0-9,]+"}))]
PROGRESS = re.compile(rf"\S+ +[0-9]+%  ({'|'.join(LEFT)})")  # what a command says that takes longer than two seconds
ASKED = (("in_county_inpatient_share", ("month", "place")), ("average_stay_days", ("month",)), ("stay/stay_days_mismatch", ("sender",)),
         ("unplanned_readmission_31_days_share", ("month",)), ("receipt/not_received", ()))


def opened(folder: Path, like: Site | None = None) -> Site:
    """A site opened anew (with a catalogue that is loaded already)."""
    site = Site(folder)
    if like is not None:
        site.__dict__["catalog"] = like.catalog
    return site


def asked(site: Site, as_of: int | None = None) -> list[str]:
    """A few answers of a snapshot."""
    indicators = site.indicators(as_of)
    return [plain(indicators.ask(name, by, suppress_below=0)) for name, by in ASKED]


def acknowledged(site: Site) -> dict[tuple[object, ...], tuple[object, ...]]:
    """(content, sender, months of a nil report) → what the ledger says of the file: its counts and its pieces."""
    pieces = site.ledger.pieces()
    found = {}
    for s in site.ledger.submissions():
        own = sorted((p.table_name, p.period, p.mode, p.rows) for p in pieces if p.submission == s.id)
        key = s.sha256, s.sender, None if s.read else months_named(s.file)
        assert key not in found, f"{s.file} is acknowledged twice"
        found[key] = (s.read, s.accepted, s.rejected, *own)
    return found


def hold(site: Site, whole: Site, outcome: Outcome, sent: Sent | None, before: dict[tuple[object, ...], tuple[object, ...]]) -> None:
    """Nothing acknowledged is lost, nothing is there in part, and what was said is true."""
    said = [line for line in outcome.err.splitlines() if not PROGRESS.fullmatch(line)]
    assert not said or outcome.code in (0, 2), outcome.err
    assert "Traceback" not in outcome.out + outcome.err
    now, expected = acknowledged(site), acknowledged(whole)
    assert before.items() <= now.items(), "something acknowledged is lost"
    assert now.items() <= expected.items(), "something was acknowledged that is not what the file says"
    by_file = {}
    for s in site.ledger.submissions():
        kept = site.intake().landing.find(s.sha256)
        assert kept is not None and fingerprint(kept) == s.sha256, f"{s.file} is not in landing"
        receipt = json.loads((kept.parent / f".receipt-{s.id}.json").read_text("utf-8"))
        assert (receipt["read"], receipt["accepted"], receipt["rejected"], receipt["sender"]) == (s.read, s.accepted, s.rejected, s.sender)
        by_file[(s.sender, s.file)] = s
    for file, read, accepted, rejected in RECEIPT.findall(outcome.out):
        assert sent is not None
        s = by_file[(sent.sender, file)]
        assert [s.read, s.accepted, s.rejected] == [int(n.replace(",", "")) for n in (read, accepted, rejected)]


def rows_by_submission(site: Site) -> dict[tuple[str, int], int]:
    """(table, submission) → rows published."""
    found: dict[tuple[str, int], int] = {}
    for table in ("stay", "stay_diagnosis", "visit", "claim", "resident"):
        place = list(site.catalog.tables[table].columns).index("submission")
        for row in contents(site, [table])[table]:
            found[(table, int(str(row[place])))] = found.get((table, int(str(row[place]))), 0) + 1
    return found
