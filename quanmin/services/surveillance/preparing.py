"""Getting the detectors that watch a region ready before anybody asks: on the first use on a machine their loops are compiled, which takes seconds."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from quanmin.detectors.detect import detect
from quanmin.detectors.signals import Timeline
from quanmin.detectors.telling import preparing

WEEKS, DAYS = 330, 120


def prepare() -> None:
    """Judge a series without a case and one with some, by the methods and with the kinds of numbers of the watch; from disk it is done at once."""
    with preparing():
        weekly = np.stack([np.zeros(WEEKS), np.arange(WEEKS) % 7 + 3.0])
        detect(weekly, "farrington_flexible", timeline=Timeline(52, (1, 1)), range=np.arange(WEEKS - 2, WEEKS))
        days = tuple(date(2020, 1, 1) + timedelta(days=i) for i in range(DAYS))
        detect(np.arange(2.0 * DAYS).reshape(2, -1) % 7 + 3, "essence", timeline=Timeline(365, (1, 1), days), range=np.arange(DAYS - 2, DAYS), fallback=False)
