"""(g) Risk adjustment over a million stays beside its peer, statsmodels GLM, in the same run: seconds, peak memory, and how far the two are apart.

python -m bench.risk [ROWS]. The stays are synthetic: age with three knots, sex, 5 routes, 25 groups, 3 severities, a comorbidity score: 40 columns with
the intercept, about 4 % deaths. Each part runs in a process of its own on one thread of linear algebra; ours makes its rows in blocks from columns as
they are stored, the peer is given the whole matrix, as its interface asks for one (making it is not counted). statsmodels comes with the
development tools, not with the platform.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.measure import measure, peak_mb
from quanmin.services.quality.calibration import c_statistic
from quanmin.services.quality.design import Design, design_of
from quanmin.services.quality.risk import fit_logistic

ROWS = 1_000_000
NUMBERS, CATEGORIES = ("age", "score", "weight"), ("sex", "route", "group", "severity")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def stays_of(count: int) -> tuple[dict[str, Any], np.ndarray]:
    """Columns of stays and their outcomes, the same for the same count."""
    rng = np.random.default_rng(11)
    age = np.clip(rng.gamma(8, 8, count), 0, 103).round()
    score, weight = rng.poisson(0.7, count).astype(float), rng.normal(1, 0.3, count)
    levels = {"sex": 2, "route": 5, "group": 25, "severity": 3}
    codes = {name: rng.choice(size, count, p=(shares := 1 / np.arange(2, size + 2)) / shares.sum()) for name, size in levels.items()}
    effect = {name: rng.normal(0, 0.4, size) for name, size in levels.items()}
    risk = -6.6 + 0.03 * age + 0.02 * np.maximum(age - 70, 0) + 0.25 * score + 0.3 * weight + sum(effect[name][codes[name]] for name in levels)
    died = (rng.random(count) < 1 / (1 + np.exp(-risk))).astype(float)
    stays: dict[str, Any] = {"age": age, "score": score, "weight": weight}
    for name, size in levels.items():
        stays[name] = pa.DictionaryArray.from_arrays(pa.array(codes[name].astype(np.int32)), pa.array([f"{name}{i}" for i in range(size)]))
    return stays, died


def ours(count: int) -> dict[str, Any]:
    """Design, fit, expected outcomes and c-statistic."""
    stays, died = stays_of(count)
    before, started = peak_mb(), time.perf_counter()
    design = design_of(stays, NUMBERS, CATEGORIES)
    rows = design.rows(stays)
    model = fit_logistic(rows, died, design.columns)
    fitted = time.perf_counter() - started
    ranked = c_statistic(died, model.expected(rows, count))
    return {"seconds": fitted, "all_seconds": time.perf_counter() - started, "before_mb": before, "peak_mb": peak_mb(), "columns": len(design.columns),
            "steps": model.steps, "ridge": model.ridge, "c_statistic": ranked, "deaths": int(died.sum()), "coefficients": model.coefficients.tolist(),
            "standard_errors": model.standard_errors.tolist()}


def peer(count: int) -> dict[str, Any]:
    """statsmodels GLM with the binomial family on the same matrix."""
    import statsmodels.api as sm

    stays, died = stays_of(count)
    design: Design = design_of(stays, NUMBERS, CATEGORIES)
    matrix = design.rows(stays)(slice(0, count))
    before, started = peak_mb(), time.perf_counter()
    found = sm.GLM(died, matrix, family=sm.families.Binomial()).fit(tol=1e-10)
    return {"seconds": time.perf_counter() - started, "before_mb": before, "peak_mb": peak_mb(), "coefficients": np.asarray(found.params).tolist(),
            "standard_errors": np.asarray(found.bse).tolist()}


def measured(count: int) -> dict[str, Any]:
    """Both, one after the other, and their figures side by side."""
    for name in THREADS:
        os.environ[name] = "1"
    mine = measure(ours, count).result
    found = {"bench": "risk", "rows": count, **{name: mine[name] for name in ("columns", "deaths", "steps", "ridge")}, "seconds": round(mine["seconds"], 2),
             "seconds_with_expected": round(mine["all_seconds"], 2), "peak_mb": round(mine["peak_mb"]), "input_mb": round(mine["before_mb"]),
             "c_statistic": round(mine["c_statistic"], 4)}
    theirs = measure(peer, count).result
    apart = {name: float(np.abs(np.subtract(mine[name], theirs[name])).max()) for name in ("coefficients", "standard_errors")}
    return found | {"peer": "statsmodels GLM", "peer_seconds": round(theirs["seconds"], 2), "peer_peak_mb": round(theirs["peak_mb"]),
                    "peer_input_mb": round(theirs["before_mb"]), "ratio": round(theirs["seconds"] / mine["seconds"], 1),
                    "largest_difference": {name: float(f"{value:.2g}") for name, value in apart.items()}}


def run(folder: Path) -> dict[str, Any]:
    """A million stays; nothing is written."""
    del folder
    return measured(ROWS)


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]) if sys.argv[1:] else ROWS), indent=1))
