"""Risk models: the chance of a binary outcome, or the days of a stay, expected of every stay from what it came with.

The logistic model is fitted by Newton's method (iteratively reweighted least squares: P. McCullagh & J. A. Nelder, Generalized Linear Models, 1989),
the days by least squares on their logarithm, brought back by the smearing factor (N. Duan, Journal of the American Statistical Association
1983;78:605–610). Rows are made and used in blocks, so memory does not grow with the number of columns times the number of stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, special

from quanmin.services.quality.design import BLOCK, Rows

Numbers = NDArray[np.float64]
MOST_STEPS = 20  # a likelihood with a summit is climbed in fewer; where it has none, each step raises the fit by ever less
CLIMBED = 1e-10  # twice what the step just made gains in log-likelihood; the next one gains its square
RIDGE = 1.0  # the weight of one case per column, columns taken in standard deviations
SAMPLE = 20_000
HALVINGS = 20
LARGEST_CONDITION = 1e12
EVEN = 1e-12  # a variance that small is rounding


@dataclass(frozen=True)
class RiskModel:
    """A fitted model: `kind` is logistic or log_days; coefficients on the log-odds or log-days scale with their standard errors, by column name.

    `ridge` is 0 for a plain fit; above 0 it says that columns repeat each other or part the outcomes entirely, so that the coefficients were held
    back by a penalty of ½ × ridge × (coefficient × standard deviation of the column)². `smearing` turns exp(log days) into mean days (1 for logistic);
    `scatter` is the standard deviation of log days around the model (NaN for logistic).
    """

    kind: str
    names: tuple[str, ...]
    coefficients: Numbers
    standard_errors: Numbers
    row_count: int
    event_count: float
    log_likelihood: float
    steps: int
    ridge: float = 0.0
    smearing: float = 1.0
    scatter: float = float("nan")

    def expected(self, rows: Rows, count: int) -> Numbers:
        """The expected outcome (chance or days) of the first `count` rows."""
        found = np.empty(count)
        for part in blocks(count):
            score = rows(part) @ self.coefficients
            found[part] = special.expit(score) if self.kind == "logistic" else np.exp(score) * self.smearing
        return found


@dataclass(frozen=True)
class _Climb:
    """Where a climb ended: coefficients, the inverse of the curvature there, and whether it is the summit."""

    coefficients: Numbers
    covariance: Numbers
    log_likelihood: float
    steps: int
    is_summit: bool


def blocks(count: int) -> list[slice]:
    """The slices in which rows are made and used."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


def _checked(outcome: ArrayLike, names: Sequence[str], is_binary: bool) -> Numbers:
    happened: Numbers = np.asarray(outcome, dtype=np.float64)
    if happened.ndim != 1 or happened.size <= len(names):
        raise ValueError("there must be more stays than columns")
    if is_binary and (not np.isin(happened, (0, 1)).all() or happened.min() == happened.max()):
        raise ValueError("the outcome must be 0 or 1, and both must occur")
    if not is_binary and not (happened > 0).all():
        raise ValueError("days must be above 0")
    return happened


def slopes(rows: Rows, happened: Numbers, offset: Numbers | None, coefficients: Numbers) -> tuple[float, Numbers, Numbers]:
    """Log-likelihood, its gradient and its curvature (X'WX) at the coefficients, in one pass."""
    likelihood, gradient, curvature = 0.0, np.zeros(coefficients.size), np.zeros((coefficients.size,) * 2)
    for part in blocks(happened.size):
        made, seen = rows(part), happened[part]
        score = made @ coefficients
        if offset is not None:
            score += offset[part]
        chance = special.expit(score)
        likelihood += float(seen @ score + special.log_expit(-score).sum())
        gradient += made.T @ (seen - chance)
        made *= np.sqrt(chance * (1 - chance))[:, None]
        curvature += made.T @ made
    return likelihood, gradient, curvature


def _climb(rows: Rows, happened: Numbers, offset: Numbers | None, start: Numbers, penalty: Numbers) -> _Climb:
    """Newton's method with halved steps; not a summit where the likelihood goes on rising or the curvature cannot be inverted."""
    at, before, step = start, -np.inf, np.zeros(start.size)
    covariance, halvings, number = np.full((start.size,) * 2, np.nan), 0, 0
    while number < MOST_STEPS:
        likelihood, gradient, curvature = slopes(rows, happened, offset, at)
        likelihood -= float(penalty @ at**2) / 2
        if likelihood < before - 1e-9 * abs(before) and halvings < HALVINGS:  # of this step: a level of few stays may ask for more than one long one
            step, halvings = step / 2, halvings + 1
            at = at - step
            continue
        halvings, number = 0, number + 1
        curvature[np.diag_indices(start.size)] += penalty
        scale = 1 / np.sqrt(np.maximum(np.diag(curvature), np.finfo(float).tiny))
        scaled = curvature * scale[:, None] * scale
        if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > LARGEST_CONDITION:
            return _Climb(at, covariance, likelihood, number, False)
        covariance = linalg.inv(scaled) * scale[:, None] * scale
        step = covariance @ (gradient - penalty * at)
        gain = float(step @ (gradient - penalty * at))
        at, before = at + step, likelihood
        if gain < CLIMBED:
            return _Climb(at, covariance, likelihood, number, True)
    return _Climb(at, covariance, before, MOST_STEPS, False)


def penalty_of(rows: Rows, count: int, width: int, ridge: float) -> Numbers:
    """ridge × the variance of every column; an intercept is free, other columns without variance are held like those with a variance of 1."""
    total, squares = np.zeros(width), np.zeros(width)
    for part in blocks(count):
        made = rows(part)
        total += made.sum(axis=0)
        squares += (made**2).sum(axis=0)
    variance = squares / count - (total / count) ** 2
    is_even = variance <= EVEN * squares / count
    is_free = is_even & (squares > 0)
    is_free[np.flatnonzero(is_free)[1:]] = False
    return ridge * np.where(is_free, 0.0, np.where(is_even, 1.0, variance))


def fit_logistic(rows: Rows, outcome: ArrayLike, names: Sequence[str], offset: ArrayLike | None = None, ridge: float = 0.0,
                 penalty: Numbers | None = None) -> RiskModel:
    """The logistic model of a binary outcome (0/1) on the columns that `rows` makes; the columns' names in order, an intercept among them.

    `offset` is added to every score with a coefficient of 1; `penalty`, one number per column, holds each coefficient by ½ × penalty × coefficient²
    (1 ÷ variance of a normal prior around 0) in place of a ridge. A fit without a summit (columns that repeat each other, or part the outcomes entirely)
    is made again with a ridge of 1, which the model states. Many stays begin from the fit of an even sample of them. Raises ValueError for outcomes
    other than 0 and 1, only one of them, or fewer stays than columns.
    """
    happened = _checked(outcome, names, True)
    added = None if offset is None else np.asarray(offset, dtype=np.float64)
    start = np.zeros(len(names))
    if added is None:
        start[0] = special.logit(happened.mean())
    if happened.size > 4 * SAMPLE:
        start = _sampled_start(rows, happened, added, start)
    free = np.zeros(start.size) if ridge <= 0 else penalty_of(rows, happened.size, start.size, ridge)
    found = _climb(rows, happened, added, start, free if penalty is None else penalty)
    used = ridge
    if not found.is_summit and ridge <= 0 and penalty is None:
        used = RIDGE
        again = np.zeros(start.size)
        again[0] = 0.0 if added is not None else special.logit(happened.mean())
        found = _climb(rows, happened, added, again, penalty_of(rows, happened.size, start.size, used))
    return RiskModel("logistic", tuple(names), found.coefficients, np.sqrt(np.diag(found.covariance)), happened.size, float(happened.sum()),
                     found.log_likelihood, found.steps, used)


def _sampled_start(rows: Rows, happened: Numbers, offset: Numbers | None, start: Numbers) -> Numbers:
    """The ridge fit of every so many-th stay: a start from which few passes over all stays are needed."""
    every = happened.size // SAMPLE
    taken = np.concatenate([rows(part)[::every] for part in blocks(happened.size)])
    seen = np.concatenate([happened[part][::every] for part in blocks(happened.size)])
    moved = None if offset is None else np.concatenate([offset[part][::every] for part in blocks(happened.size)])
    if seen.min() == seen.max():
        return start
    found = _climb(lambda of: taken[of].copy(), seen, moved, start, penalty_of(lambda of: taken[of], seen.size, start.size, RIDGE))
    return found.coefficients if found.is_summit else start


def fit_days(rows: Rows, outcome: ArrayLike, names: Sequence[str], ridge: float = 0.0, penalty: Numbers | None = None) -> RiskModel:
    """The model of days (above 0): least squares on log days, expected days by the smearing factor (Duan 1983).

    Columns that repeat each other are held by a ridge of 1, which the model states, or by a `penalty` per column as of `fit_logistic`, in units of the
    inverse variance of log days. Raises ValueError for days not above 0 or fewer stays than columns.
    """
    days = np.log(_checked(outcome, names, False))
    width, count = len(names), days.size
    square, product, total = np.zeros((width, width)), np.zeros(width), float((days**2).sum())
    for part in blocks(count):
        made = rows(part)
        square += made.T @ made
        product += made.T @ days[part]
    scale = 1 / np.sqrt(np.maximum(np.diag(square), np.finfo(float).tiny))
    is_singular = penalty is None and np.linalg.cond(square * scale[:, None] * scale) > LARGEST_CONDITION
    used = ridge or (RIDGE if is_singular else 0.0)
    if used > 0 or penalty is not None:
        square = square + np.diag(penalty_of(rows, count, width, used) if penalty is None else penalty)
        scale = 1 / np.sqrt(np.diag(square))
    inverse = linalg.inv(square * scale[:, None] * scale) * scale[:, None] * scale
    coefficients = inverse @ product
    residual = max(total - float(coefficients @ product), 0.0)
    variance = residual / (count - width)
    smearing = sum(float(np.exp(days[part] - rows(part) @ coefficients).sum()) for part in blocks(count)) / count
    likelihood = -count / 2 * (np.log(2 * np.pi * max(residual, np.finfo(float).tiny) / count) + 1)
    return RiskModel("log_days", tuple(names), coefficients, np.sqrt(np.diag(inverse) * variance), count, float(np.exp(days).sum()), float(likelihood), 1,
                     used, smearing, float(np.sqrt(variance)))


def only(rows: Rows, taken: NDArray[np.int64]) -> Rows:
    """The rows at some places (rising), for a fit to part of the stays; each block is made from those it spans."""

    def block(of: slice) -> Numbers:
        places = taken[of]
        if not places.size:
            return rows(slice(0, 0))
        edges = [*range(0, places.size, BLOCK), places.size]
        made = []
        for start, stop in pairwise(edges):
            first = int(places[start])
            made.append(rows(slice(first, int(places[stop - 1]) + 1))[places[start:stop] - first])
        return np.concatenate(made)

    return block


def refitted(model: RiskModel, rows: Rows, outcome: ArrayLike, taken: NDArray[np.int64]) -> RiskModel:
    """The same kind of model fitted to the stays at some places (rising) only."""
    seen = np.asarray(outcome, dtype=np.float64)[taken]
    fit = fit_logistic if model.kind == "logistic" else fit_days
    return replace(fit(only(rows, taken), seen, model.names), row_count=int(taken.size))
