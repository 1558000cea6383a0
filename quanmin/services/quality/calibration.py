"""How good expected outcomes are: do they tell stays apart, and do they come true; on the stays themselves, on later ones, and on ones kept aside.

Sources: J. A. Hanley & B. J. McNeil, Radiology 1982;143:29–36 (c-statistic by ranks); D. R. Cox, Biometrika 1958;45:562–565 (calibration intercept
and slope); G. W. Brier, Monthly Weather Review 1950;78:1–3; E. W. Steyerberg, Clinical Prediction Models, 2019, chapters 15 and 17 (validation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from quanmin.services.quality.design import Rows
from quanmin.services.quality.risk import RiskModel, fit_logistic, refitted

Numbers = NDArray[np.float64]
GROUPS = 10
FOLDS = 5
EARLIER = 0.7
EDGE = 1e-12  # a chance nearer to 0 or 1 has no usable log-odds
FEWEST_STAYS = 3


@dataclass(frozen=True)
class Calibration:
    """Groups by expected outcome, lowest first: how many stays, the mean expected and the mean observed."""

    counts: NDArray[np.int64]
    expected: Numbers
    observed: Numbers


@dataclass(frozen=True)
class Performance:
    """What expected outcomes are worth.

    `c_statistic` is the share of pairs of stays with and without the outcome (of days: with more and fewer, as Kendall's tau gives it) that are
    ranked rightly, ties as half. `intercept` is 0 and `slope` 1 where the expected come true: log-odds (log days) too low by `intercept` throughout,
    and too extreme by 1 ÷ `slope`. `error` is the mean square of observed − expected (Brier score of a binary outcome; days² of days).
    NaN where it cannot be known.
    """

    row_count: int
    c_statistic: float
    intercept: float
    slope: float
    error: float
    groups: Calibration


def c_statistic(outcome: ArrayLike, expected: ArrayLike) -> float:
    """The share of pairs with and without the outcome in which the one with it had the higher expectation, ties as half; NaN without both."""
    happened, score = np.asarray(outcome, dtype=np.float64) > 0, np.asarray(expected, dtype=np.float64)
    events = int(happened.sum())
    others = happened.size - events
    if not events or not others:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[happened].sum() - events * (events + 1) / 2) / events / others)


def calibration(outcome: ArrayLike, expected: ArrayLike, groups: int = GROUPS) -> Calibration:
    """Stays in groups of equal size by expected outcome; stays with the same expectation are in the same group, so a group may be empty and left out."""
    happened, score = np.asarray(outcome, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if not score.size:
        return Calibration(np.zeros(0, dtype=np.int64), score, score)
    group = np.minimum(((stats.rankdata(score) - 0.5) / score.size * groups).astype(np.int64), groups - 1)
    counts = np.bincount(group, minlength=groups)
    used = counts > 0
    means = [np.bincount(group, values, groups)[used] / counts[used] for values in (score, happened)]
    return Calibration(counts[used], means[0], means[1])


def _one_column(values: Numbers) -> Rows:
    return lambda of: np.column_stack([np.ones(values[of].size), values[of]])


def _binary(happened: Numbers, chance: Numbers) -> tuple[float, float]:
    """Calibration intercept (slope held at 1) and slope of a binary outcome."""
    score = special.logit(np.clip(chance, EDGE, 1 - EDGE))
    if happened.size < FEWEST_STAYS or happened.min() == happened.max():
        return float("nan"), float("nan")
    intercept = fit_logistic(lambda of: np.ones((score[of].size, 1)), happened, ("intercept",), offset=score).coefficients[0]
    if np.ptp(score) < EDGE:
        return float(intercept), float("nan")
    spread = float(score.std())
    slope = fit_logistic(_one_column((score - score.mean()) / spread), happened, ("intercept", "slope")).coefficients[1] / spread
    return float(intercept), float(slope)


def performance(outcome: ArrayLike, expected: ArrayLike, is_binary: bool = True) -> Performance:
    """All of it for one set of stays: outcomes (0/1, or days above 0) and what was expected. Raises ValueError where they differ in number."""
    happened, score = np.asarray(outcome, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if happened.shape != score.shape:
        raise ValueError("there must be one expected outcome per stay")
    if is_binary:
        (intercept, slope), ranked = _binary(happened, score), c_statistic(happened, score)
    else:
        intercept = float(np.log(happened.mean() / score.mean())) if happened.size else float("nan")
        told = happened.size >= FEWEST_STAYS and np.ptp(np.log(score)) > EDGE
        slope = float(np.polyfit(np.log(score), np.log(happened), 1)[0]) if told else float("nan")
        ranked = float((1 + stats.kendalltau(happened, score).statistic) / 2) if told else float("nan")
    error = float(((happened - score) ** 2).mean()) if happened.size else float("nan")
    return Performance(happened.size, ranked, intercept, slope, error, calibration(happened, score))


def validated_by_time(model: RiskModel, rows: Rows, outcome: ArrayLike, time: ArrayLike, earlier: float = EARLIER) -> Performance:
    """The model fitted again to the earlier stays and judged on the later ones; stays of the same time stay together.

    `time` is anything that sorts, one per stay. Raises ValueError where no time parts the stays or the earlier ones cannot be fitted.
    """
    happened, when = np.asarray(outcome, dtype=np.float64), np.asarray(time)
    cut = np.sort(when)[min(int(earlier * when.size), when.size - 1)]
    is_earlier = when < cut
    if not is_earlier.any():
        raise ValueError("all stays are of one time")
    return _judged(model, rows, happened, [~is_earlier])


def validated_by_folds(model: RiskModel, rows: Rows, outcome: ArrayLike, folds: int = FOLDS, seed: int = 1) -> Performance:
    """The model fitted `folds` times to all stays but one fold, each stay judged by the fit without it; the same seed makes the same folds."""
    happened = np.asarray(outcome, dtype=np.float64)
    if folds < 2:
        raise ValueError("there must be at least two folds")
    fold = np.random.default_rng(seed).permutation(happened.size) % folds
    return _judged(model, rows, happened, [fold == one for one in range(folds)])


def _judged(model: RiskModel, rows: Rows, happened: Numbers, kept_aside: list[NDArray[np.bool_]]) -> Performance:
    expected = np.full(happened.size, np.nan)
    for is_aside in kept_aside:
        fitted = refitted(model, rows, happened, np.flatnonzero(~is_aside))
        expected[is_aside] = fitted.expected(rows, happened.size)[is_aside]
    known = ~np.isnan(expected)
    return performance(happened[known], expected[known], model.kind == "logistic")
