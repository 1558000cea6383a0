"""python -m docs.measure_surveillance SITE: write the table of docs/explanation/surveillance.md from a site that `quanmin demo` made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from quanmin.gate.inquiry import Inquiry
from quanmin.services.surveillance.actions import clusters, signals
from quanmin.site import Site
from tests.journeys.outbreaks import Outbreak, asker, false_alarms, missed_cases, outbreaks
from tests.journeys.replays import days_to_cluster, false_clusters, nowcasts, past_hits, study

PAGE = Path(__file__).parent / "explanation" / "surveillance.md"
SHORT = ("influenza", "other_infectious_diarrhoea", "hand_foot_mouth", "covid19", "dengue")  # reported within days
LONG = ("hepatitis_b", "tuberculosis")  # within weeks
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
            *_cases(inquiry, planted),
            f"- Missed cases: {len(truth)} planted, {len(found & truth)} of them found (recall {len(found & truth) / len(truth):.3f}), "
            f"{len(found)} clues (precision {len(found & truth) / len(found):.3f})."]


def _cases(inquiry: Inquiry, planted: Sequence[Outbreak]) -> list[str]:
    """Clusters and nowcasts worked out as of earlier days."""
    known = study(inquiry)
    started = perf_counter()
    scanned = clusters(inquiry)
    seconds = perf_counter() - started
    days = [days_to_cluster(known, one) for one in planted]
    found = sorted(day for day in days if day is not None)
    false, scans = false_clusters(known, planted)
    hits, of = past_hits(known, planted)
    middle, longest = found[len(found) // 2], found[-1]
    lines = [f"- Clusters: the daily scan of {scanned.diseases} diseases over {scanned.places} townships took {seconds:.1f} s; as of earlier days it held"
             f" the township of {len(found)} of {len(planted)} outbreaks, {middle} days (median; longest {longest}) after the third reported case;"
             f" {false} of {scans} weekly scans had a cluster of no planted outbreak (budget one in a hundred days; neighbouring weeks see the same one)."
             f" Scans of the past year held {hits} of its {of} outbreaks."]
    for names, shown, said in ((SHORT, 14, "reported within days"), (LONG, 42, "reported within weeks")):
        told = nowcasts(inquiry, names, shown=shown)
        lines.append(f"- Nowcasts of {len(names)} diseases {said}, every week of a year and a half, {shown} newest days: {told.reported} cases were reported by"
                     f" then, {told.estimate:.0f} estimated, {told.truth} in the end; 95 % limits held {100 * told.held:.1f} % of {told.days} days.")
    return lines


def main() -> None:
    """Measure the named site and write the page."""
    text = PAGE.read_text("utf-8")
    head, rest = text.split(FIRST)
    PAGE.write_text(head + FIRST + "\n".join(measured(Path(sys.argv[1]))) + "\n" + LAST + rest.split(LAST)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
