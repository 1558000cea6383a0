"""python -m docs.measure_surveillance SITE: write the table of docs/explanation/surveillance.md from a site that `quanmin demo` made."""

from __future__ import annotations

import sys
from pathlib import Path

from quanmin.services.surveillance.actions import signals
from quanmin.site import Site
from tests.journeys.outbreaks import asker, false_alarms, missed_cases, outbreaks

PAGE = Path(__file__).parent / "explanation" / "surveillance.md"
FIRST, LAST = "<!-- measured -->\n", "<!-- end -->\n"


def measured(folder: Path) -> list[str]:
    """The lines of the table: outbreak by outbreak, then false alarms and missed cases."""
    site = Site(folder)
    inquiry = asker(site)
    planted, names = outbreaks(inquiry, folder / "region"), site.catalog.codes["notifiable_disease"].codes
    columns = ("disease", "county", "from", "cases", "third reported", "signal", "days", "method")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for one in planted:
        told = (names[one.disease].en, one.county, one.first_on, str(one.cases), one.third_on, one.raised_on or "–", str(one.days) if one.raised_on else "–",
                min(one.signals, key=lambda signal: signal.raised_on).method if one.signals else "–")
        lines.append("| " + " | ".join(told) + " |")
    others, rate = false_alarms(inquiry, planted)
    truth, found = missed_cases(site, inquiry, folder / "region")
    weeks = len(inquiry.units("county")) * 365 / 7
    more = [one for one in signals(inquiry, limit=100_000).signals if one.source != "case"]
    return [*lines, "", f"- {sum(bool(one.raised_on) for one in planted)} of {len(planted)} outbreaks found; {others} other case signals in two years, "
            f"{rate:.4f} per county and week (budget 1).",
            f"- Signals of the other sources and combined triggers in a year: {len(more)}, {len(more) / weeks:.3f} per county and week.",
            f"- Missed cases: {len(truth)} planted, {len(found & truth)} of them found (recall {len(found & truth) / len(truth):.3f}), "
            f"{len(found)} clues (precision {len(found & truth) / len(found):.3f})."]


def main() -> None:
    """Measure the named site and write the page."""
    text = PAGE.read_text("utf-8")
    head, rest = text.split(FIRST)
    PAGE.write_text(head + FIRST + "\n".join(measured(Path(sys.argv[1]))) + "\n" + LAST + rest.split(LAST)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
