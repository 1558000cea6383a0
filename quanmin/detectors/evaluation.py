"""What a detector is worth where the outbreaks are known: false alarms, outbreaks found, how soon; for simulated data and for a region's own past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanmin.detectors.signals import Flags, Numbers


@dataclass(frozen=True)
class Worth:
    """Shares from 0 to 1: `false_positive_rate` of periods of the series without outbreak, `found` of outbreaks with an alarm in one of their periods,
    `sensitivity` and `specificity` of periods with and without outbreak cases, `precision` of alarms, `f1`; `delay` is (first alarm − start) / duration, 1
    where missed."""

    false_positive_rate: float
    found: float
    sensitivity: float
    specificity: float
    precision: float
    f1: float
    delay: float
    outbreaks: int


def worth(without: Flags, alarms: Flags, outbreak: Numbers) -> Worth:
    """Score alarms (series, period) where each series has at most one outbreak: `outbreak` holds its cases by period, `without` the alarms on the same
    series had it not happened."""
    sick = outbreak > 0
    has = sick.any(axis=1)
    true, false = int((alarms & sick).sum()), int((alarms & ~sick).sum())
    length = sick.shape[1]
    start, end = sick.argmax(axis=1), length - 1 - sick[:, ::-1].argmax(axis=1)
    caught = alarms & sick
    first = np.where(caught.any(axis=1), caught.argmax(axis=1), end + 1)
    delay = ((first - start) / (end - start + 1))[has]
    sensitivity, precision = true / max(int(sick.sum()), 1), true / max(true + false, 1)
    return Worth(float(without.mean()), float(caught.any(axis=1)[has].mean()), sensitivity, 1 - false / max(int((~sick).sum()), 1), precision,
                 2 * sensitivity * precision / max(sensitivity + precision, 1e-300), float(delay.mean()), int(has.sum()))
