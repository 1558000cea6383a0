"""OutbreakP (Frisén & Andersson 2009; R's algo.outbreakP): how much likelier a mean that only rises is than one that does not change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from quanmin.detectors.compiling import compiled
from quanmin.detectors.signals import ALARM, NO_MODEL, QUIET, Series, Signals, signals


@compiled
def _log_ratio(y, s, end, last, mean, weight):  # type: ignore[no-untyped-def]
    """Log-likelihood ratio of the values before `end` and then `last`: the best rising means (pooled neighbours) against one mean."""
    blocks, total, count = 0, 0.0, 0
    for t in range(end + 1):
        value = last if t == end else y[s, t]
        if math.isnan(value):
            continue
        total += value
        count += 1
        mean[blocks], weight[blocks] = value, 1.0
        blocks += 1
        while blocks > 1 and mean[blocks - 2] >= mean[blocks - 1]:
            both = weight[blocks - 2] + weight[blocks - 1]
            mean[blocks - 2] = (mean[blocks - 2] * weight[blocks - 2] + mean[blocks - 1] * weight[blocks - 1]) / both
            weight[blocks - 2] = both
            blocks -= 1
    if count == 0 or total == 0:
        return 0.0
    ratio = 0.0
    for b in range(blocks):
        if mean[b] > 0:
            ratio += weight[b] * mean[b] * math.log(mean[b] * count / total)
    return ratio


@compiled
def _judge(y, periods, limit, wants_cases, most, value, cases, alarm, mean, weight):  # type: ignore[no-untyped-def]
    for s in range(len(y)):
        for j in range(len(periods)):
            t = periods[j]
            if math.isnan(y[s, t]):
                continue
            value[s, j] = _log_ratio(y, s, t, y[s, t], mean, weight)
            alarm[s, j] = ALARM if value[s, j] > limit else QUIET
            if wants_cases and _log_ratio(y, s, t, 0.0, mean, weight) <= limit:
                low, high = 0.0, 1.0
                while high < most and _log_ratio(y, s, t, high, mean, weight) <= limit:
                    low, high = high, 2 * high
                while high - low > 1:
                    middle = float(math.floor((low + high) / 2))
                    if _log_ratio(y, s, t, middle, mean, weight) <= limit:
                        low = middle
                    else:
                        high = middle
                if high <= most:
                    cases[s, j] = high


def outbreak_p(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """An alarm where the ratio exceeds `k`, from the first period on; ret = "cases": `upper` is how many cases raise it, up to `maxUpperboundCases`, and
    missing where no case is needed; ret = "value": `upper` holds the ratio."""
    value, cases, alarm = np.full(of.shape, np.nan), np.full(of.shape, np.nan), np.full(of.shape, NO_MODEL, np.int8)
    wants_cases = settings["ret"] == "cases"
    y = of.history.copy()
    y[:, of.periods] = of.counts[:, of.periods]
    _judge(y, of.periods, math.log(settings["k"]), wants_cases, float(settings["maxUpperboundCases"]), value, cases, alarm,
           *np.empty((2, y.shape[1] + 1)))
    with np.errstate(over="ignore"):
        ratio = np.exp(value)
    first = np.zeros(of.shape[1], np.int64)
    return signals(name, of, cases if wants_cases else ratio, score=value / math.log(settings["k"]), alarm=alarm, baseline=(first, of.periods - 1, of.periods),
                   extra={"statistic": ratio})
