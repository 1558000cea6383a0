"""(f) Forecasts three months ahead over every county of a synthetic region: how often the 90 % interval holds, beside the seasonal naive forecast.

python -m bench.forecast SITE measures a site made before; as part of python -m bench a region of 50,000 residents is made first. Every indicator,
county and origin from the third year on; months without all their submissions are left out. The peer forecasts last year's figure of the same
month and gets its interval the same way, from its own past errors. Also: the year's figure at 31 December forecast in every month, and whether the
chance to reach a target comes true as often as said (targets: the 10th, 30th, 70th and
90th percentile of the series so far).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quanmin.services.progress import forecast, progress
from quanmin.services.progress.forecast import known_series, reach_of, restored, stabilised
from quanmin.site import Site

AHEAD, LEVEL, FIRST = 3, 0.9, 35
INDICATORS = {
    "in_county_inpatient_share": "share", "in_city_inpatient_share": "share", "insured_in_county_inpatient_share": "share", "in_county_visit_share": "share",
    "referred_out_of_county_share": "share", "primary_care_visit_share": "share", "inpatient_mortality_share": "share",
    "unplanned_readmission_31_days_share": "share", "secondary_operated_share": "share", "tertiary_operated_share": "share", "average_stay_days": "mean",
    "in_county_inpatient_charge": "mean",
}


@dataclass
class Tally:
    """What became of the forecasts of one indicator."""

    inside: int = 0
    naive_inside: int = 0
    count: int = 0
    widths: list[float] = field(default_factory=list)
    year: list[bool] = field(default_factory=list)
    chances: list[tuple[float, bool]] = field(default_factory=list)


def series_of(site: Site, name: str) -> dict[str, tuple[list[str], list[float | None], list[float | None]]]:
    """County → its months, numerators and denominators; None where the month's submissions are not complete."""
    cells = site.indicators().ask(name, ["month", "place"], suppress_below=0).cells
    months = sorted({cell.key["month"] for cell in cells})
    found = {}
    for place in sorted({cell.key["place"] for cell in cells if cell.key["place"]}):
        of = {cell.key["month"]: cell for cell in cells if cell.key["place"] == place and cell.value is not None and not cell.missing}
        found[place] = (months, [float(of[m].numerator or 0) if m in of else None for m in months], [of[m].denominator if m in of else None for m in months])
    return found


def naive(above: Any, below: Any, kind: str) -> tuple[float, float]:
    """The seasonal naive interval `AHEAD` months after the last: last year's figure of that month, its own past errors around it."""
    above, below = known_series(above, below)
    even, size = stabilised(kind, above / below), np.sqrt(np.nanmean(below[-12:]))
    centre = even[AHEAD - 1 - 12]
    width = reach_of((even[12:] - even[:-12]) * size, LEVEL, kind) / size
    return float(restored(kind, centre - width)), float(restored(kind, centre + width))


def follow(tally: Tally, months: list[str], above: list[float | None], below: list[float | None], kind: str) -> None:
    """Every origin of one county's series."""
    for origin in range(FIRST, len(months)):
        told, size = above[: origin + 1], below[: origin + 1]
        if above[origin] is None:
            continue
        due = months[origin][:4] + "-12"
        if due in months and due > months[origin] and above[months.index(due)] is not None:
            found = progress(months[: origin + 1], told, size, 0.0, due, "higher", "year", kind)
            whole = [i for i, m in enumerate(months) if m[:4] == due[:4] and above[i] is not None]
            tally.year.append(found.low <= sum(above[i] or 0 for i in whole) / sum(below[i] or 0 for i in whole) <= found.high)
        if origin + AHEAD >= len(months) or above[origin + AHEAD] is None or above[origin + AHEAD - 12] is None:
            continue
        outcome = float(above[origin + AHEAD] or 0) / float(below[origin + AHEAD] or 1)
        ours = forecast(told, size, AHEAD, kind, LEVEL)
        low, high = naive(told, size, kind)
        assert ours is not None
        tally.count += 1
        tally.inside += bool(ours.low[-1] - 1e-12 <= outcome <= ours.high[-1] + 1e-12)
        tally.naive_inside += low - 1e-12 <= outcome <= high + 1e-12
        tally.widths.append(float(ours.high[-1] - ours.low[-1]) / (high - low) if high > low else float("nan"))
        before = [n / d for n, d in zip(told, size, strict=True) if n is not None and d]
        for goal in np.quantile(before, [0.1, 0.3, 0.7, 0.9]):
            found = progress(months[: origin + 1], told, size, float(goal), months[origin + AHEAD], "higher", "month", kind)
            tally.chances.append((found.probability, outcome >= goal))


def calibration(chances: list[tuple[float, bool]]) -> dict[str, tuple[int, float, float]]:
    """Band of the stated chance → how many, the mean chance said, the share that came true."""
    said, came = np.array([c for c, _ in chances]), np.array([b for _, b in chances])
    bands = {"0-20%": (0.0, 0.2), "20-40%": (0.2, 0.4), "40-60%": (0.4, 0.6), "60-80%": (0.6, 0.8), "80-100%": (0.8, 1.01)}
    picked = {name: (said >= low) & (said < high) for name, (low, high) in bands.items()}
    return {name: (int(of.sum()), round(float(said[of].mean()), 3), round(float(came[of].mean()), 3)) for name, of in picked.items() if of.any()}


def measured(site: Site) -> dict[str, Any]:
    """The whole of it."""
    started, tallies = time.perf_counter(), {}
    for name, kind in INDICATORS.items():
        tallies[name] = Tally()
        for months, above, below in series_of(site, name).values():
            follow(tallies[name], months, above, below, kind)
    every, years = sum(t.count for t in tallies.values()), [hit for t in tallies.values() for hit in t.year]
    return {
        "bench": "forecast", "months_ahead": AHEAD, "level": LEVEL, "forecasts": every, "seconds": round(time.perf_counter() - started, 1),
        "coverage": round(sum(t.inside for t in tallies.values()) / every, 4),
        "coverage_seasonal_naive": round(sum(t.naive_inside for t in tallies.values()) / every, 4),
        "width_to_seasonal_naive": round(float(np.nanmedian([w for t in tallies.values() for w in t.widths])), 3),
        "coverage_of_the_year": round(float(np.mean(years)), 4), "years": len(years),
        "chance_said_and_true": calibration([c for t in tallies.values() for c in t.chances]),
        "by_indicator": {name: {"forecasts": t.count, "coverage": round(t.inside / t.count, 3), "coverage_seasonal_naive": round(t.naive_inside / t.count, 3),
                                "width_to_seasonal_naive": round(float(np.nanmedian(t.widths)), 3), "coverage_of_the_year": round(float(np.mean(t.year)), 3)}
                         for name, t in tallies.items() if t.count},
    }


def run(folder: Path) -> dict[str, Any]:
    """Make a region of 50,000 residents and measure it."""
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "demo", "--site", str(folder / "site"), "--residents", "50000", "--no-serve"]
    subprocess.run(command, check=True, capture_output=True)
    return measured(Site(folder / "site"))


if __name__ == "__main__":
    print(json.dumps(measured(Site(Path(sys.argv[1]))), ensure_ascii=False, indent=1))
