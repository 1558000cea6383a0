"""Clusters and nowcasts of a site worked out as of earlier days, held against what was planted and what came later: for tests and the figures of the docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from quanmin.gate.inquiry import Inquiry
from quanmin.services.surveillance.case_actions import study_seen
from quanmin.services.surveillance.case_lines import CaseLines, cases_of
from quanmin.services.surveillance.clustering import Cluster, Study, clusters_on
from quanmin.services.surveillance.delays import shown_nowcast
from quanmin.services.surveillance.seen import watched_of
from tests.journeys.outbreaks import Outbreak

LATEST = 14  # days after the third case, after which a cluster counts as missed
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Nowcasted:
    """All days of all replays together: reported by then, the sum of the estimates, what it came to be, the share of days within the limits."""

    days: int
    reported: int
    estimate: float
    truth: int
    held: float


def study(inquiry: Inquiry) -> Study:
    """What is scanned on a site."""
    return study_seen(inquiry, watched_of(inquiry))


def _end(known: Study, day: str) -> int:
    return (date.fromisoformat(day) - EPOCH).days - known.daily.first_day


def _hits(one: Outbreak, found: Sequence[Cluster]) -> bool:
    return any(cluster.item == one.disease and one.township in {place.place for place in cluster.places}
               and cluster.last_on >= one.first_on and cluster.first_on <= one.last_on for cluster in found)


def days_to_cluster(known: Study, one: Outbreak) -> int | None:
    """Days from the third reported case to the first daily scan of all diseases with a cluster that holds its township; None within two weeks."""
    third = _end(known, one.third_on)
    for day in range(max(0, third - 3), min(third + LATEST + 1, known.daily.counts.shape[1])):
        if _hits(one, clusters_on(known, day).clusters):
            return day - third
    return None


def false_clusters(known: Study, planted: Sequence[Outbreak], step: int = 7, days: int = 728) -> tuple[int, int]:
    """Daily scans, every so many days of two years, with a cluster of no planted outbreak; and how many scans there were."""
    last = known.daily.counts.shape[1] - 1
    scans = [clusters_on(known, end).clusters for end in range(last, max(0, last - days), -step)]
    false = [found for found in scans if any(not any(_hits(one, [cluster]) for one in planted) for cluster in found)]
    return len(false), len(scans)


def past_hits(known: Study, planted: Sequence[Outbreak]) -> tuple[int, int]:
    """Outbreaks of the last year that a past cluster of their disease holds, and how many there were."""
    last = known.daily.counts.shape[1] - 1
    mine = [one for one in planted if _end(known, one.first_on) > last - 360]
    return sum(_hits(one, clusters_on(known, last, [one.disease], True).clusters) for one in mine), len(mine)


def nowcasts(inquiry: Inquiry, items: Sequence[str], step: int = 7, shown: int = 14) -> Nowcasted:
    """Nowcasts of diseases as of every so many days of a year and a half that is long enough ago for all to be reported."""
    lines, diseases, counties = cases_of(inquiry), inquiry.diseases(), set(inquiry.units("county"))
    reported, estimate, truth, held = 0, 0.0, 0, []
    for now in range(lines.now - 130 - 540, lines.now - 130, step):
        known = _as_of(lines, now)
        for item in items:
            mine = (lines.disease == item) & np.isin(lines.county, sorted(counties))
            for one in shown_nowcast(known, item, "", counties, diseases, known.now - shown + 1, known.now).days:
                later = int((mine & (lines.onset == (date.fromisoformat(one.day) - EPOCH).days)).sum())
                reported, estimate, truth = reported + one.reported, estimate + one.mean, truth + later
                held.append(one.low <= later <= one.high)
    return Nowcasted(len(held), reported, estimate, truth, float(np.mean(held)))


def _as_of(lines: CaseLines, now: int) -> CaseLines:
    at = lines.reported <= now
    return replace(lines, **{name: values[at] for name, values in vars(lines).items() if name != "now"}, now=now)
