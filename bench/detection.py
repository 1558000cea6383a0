"""(u) Outbreak detectors over 100 districts × 40 diseases × 52 weeks with five years' baseline, on one core and two, beside R's surveillance on a sample.

R comes from Debian: apt-get install --no-install-recommends r-base-core r-cran-surveillance. Without it there is no peer in the figures. R is run on a few
of the series and its seconds per series and week are scaled to all; its alarms and limits are compared with ours on these.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import measure
from quanmin.detectors.detect import detect

DISTRICTS, DISEASES, BASELINE, JUDGED, SAMPLE = 100, 40, 5 * 52 + 3, 52, 12
NOUFAILY: dict[str, Any] = {"b": 5, "w": 3, "weightsThreshold": 2.58, "pThresholdTrend": 1.0, "limit54": [5, 4], "noPeriods": 10, "pastWeeksNotIncluded": 26,
                            "thresholdMethod": "nbPlugin", "alpha": 0.005}
MOST_CPU_SECONDS, MOST_WEEKLY_SECONDS, MOST_EARS_MICROSECONDS, FASTER, FASTER_ON_TWO = 30.0, 1.0, 0.2, 70.0, 100.0
Numbers = NDArray[np.float64]


def world(districts: int = DISTRICTS, diseases: int = DISEASES) -> Numbers:
    """Weekly counts (series, week): diseases from a case in a hundred weeks to hundreds a week, seasonal, overdispersed, districts of different size."""
    rng = np.random.default_rng(20)
    week = np.arange(BASELINE + JUDGED)
    level = np.exp(np.linspace(-4, 5, diseases))[None, :] * rng.gamma(4, 0.25, (districts, 1))
    wave = 1 + rng.uniform(0, 0.8, (1, diseases, 1)) * np.cos(2 * np.pi * (week / 52 - rng.random((1, diseases, 1))))
    mean = level[:, :, None] * wave
    phi = rng.uniform(1.05, 3, (1, diseases, 1))
    return rng.negative_binomial(mean / (phi - 1), 1 / phi).reshape(districts * diseases, -1).astype(np.float64)


def _year(workers: int) -> dict[str, float]:
    y, judged = world(), {"from": BASELINE + 1, "to": BASELINE + JUDGED}
    detect(y[:4], "farrington_flexible", range=judged, workers=workers, **NOUFAILY)  # compiled code is loaded
    started, cpu = time.perf_counter(), time.process_time()
    told = detect(y, "farrington_flexible", range=judged, workers=workers, **NOUFAILY)
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu, "series_weeks": told.alarm.size,
            "alarms": int((told.alarm == 1).sum())}


def _timed(y: Numbers, method: str, **settings: Any) -> float:
    """CPU seconds per series and period."""
    detect(y[:4], method, workers=1, **settings)
    cpu = time.process_time()
    told = detect(y, method, workers=1, **settings)
    return (time.process_time() - cpu) / told.alarm.size


def _week() -> dict[str, float]:
    y, last = world(), {"from": BASELINE + JUDGED, "to": BASELINE + JUDGED}
    detect(y[:4], "farrington_flexible", range=last, **NOUFAILY)
    started, cpu = time.perf_counter(), time.process_time()
    detect(y, "farrington_flexible", range=last, workers=1, **NOUFAILY)
    found = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
    judged = {"from": BASELINE + 1, "to": BASELINE + JUDGED}
    micro = {"ears": _timed(y, "ears"), "rki": _timed(y, "rki"), "bayes": _timed(y, "bayes"), "cusum": _timed(y, "cusum"),
             "glr_poisson": _timed(y[1500:2000], "glr_poisson", range=judged, mu0=5.0, ret="value"),
             "farrington": _timed(y, "farrington", range=judged)}
    return found | {f"{name}_microseconds": round(seconds * 1e6, 3) for name, seconds in micro.items()}


def _reference(folder: Path) -> dict[str, Any]:
    """R on a sample of the series: its seconds per series and week, and where it differs from ours."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {"peer": "R is not installed"}
    y = world()
    chosen = y[np.linspace(0, len(y) - 1, SAMPLE * 3).astype(int)]
    chosen = chosen[chosen[:, :BASELINE].sum(axis=1) > 20][:SAMPLE]
    path, out = folder / "counts.csv", folder / "signals.csv"
    np.savetxt(path, chosen.T, fmt="%d", delimiter=",", header=",".join(f"s{i}" for i in range(len(chosen))), comments="")
    done = subprocess.run([rscript, str(Path(__file__).with_name("detection.R")), str(path), str(BASELINE + 1), str(out)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        return {"peer": "R has no surveillance: " + done.stderr.strip().splitlines()[-1][:100]}
    version, spent, ears = done.stdout.split()[-3:]
    lines = [line.split(",") for line in out.read_text("utf-8").splitlines()[1:]]
    limits, alarms = np.array([np.nan if upper == "NA" else float(upper) for upper, _ in lines]), np.array([alarm == "TRUE" for _, alarm in lines])
    told = detect(chosen, "farrington_flexible", range={"from": BASELINE + 1, "to": BASELINE + JUDGED}, fallback=False, **NOUFAILY)
    size = told.alarm.size
    return {"peer": f"R surveillance {version}", "peer_series": len(chosen), "peer_ms_per_series_week": round(float(spent) / size * 1e3, 3),
            "peer_ears_microseconds": round(float(ears) / size * 1e6, 1), "alarms_differ": int((alarms != (told.alarm.ravel() == 1)).sum()),
            "limits_differ_at_most": float(np.nanmax(np.abs(told.upper.ravel() - limits), initial=0.0))}


def run(folder: Path) -> dict[str, Any]:
    """Seconds of a year on one core and two, of a week, of the quick methods, and of R per series and week."""
    one, two, week, peer = (measure(_year, 1), measure(_year, 2), measure(_week), _reference(folder))
    count, spent = one.result["series_weeks"], one.result["cpu_seconds"]
    each = spent / count * 1e3
    slow = peer.get("peer_ms_per_series_week")
    found = {"name": "outbreak detectors", "series_weeks": count, "alarms": one.result["alarms"], "cpu_seconds_one_core": round(spent, 2),
             "ms_per_series_week": round(each, 4), "seconds_two_threads": round(two.result["seconds"], 2),
             "cpu_seconds_two_threads": round(two.result["cpu_seconds"], 2), "week_of_4000_seconds": round(week.result["seconds"], 3),
             "week_of_4000_cpu_seconds": round(week.result["cpu_seconds"], 3), "peak_mb": round(one.peak_mb)}
    found |= {name: value for name, value in week.result.items() if name.endswith("microseconds")} | peer
    if slow:
        found |= {"faster_on_one_core": round(slow / each, 1), "faster_on_two": round(slow / (two.result["seconds"] / count * 1e3), 1)}
    met = spent < MOST_CPU_SECONDS and week.result["cpu_seconds"] < MOST_WEEKLY_SECONDS and week.result["ears_microseconds"] <= MOST_EARS_MICROSECONDS
    return found | {"met": met and (not slow or (found["faster_on_one_core"] >= FASTER and found["faster_on_two"] >= FASTER_ON_TWO))}
