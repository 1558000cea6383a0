"""What is expected in control, for the charts that need it told: a (negative binomial or Poisson) regression on time and yearly waves, all series at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from quanmin.detectors.compiling import compiled
from quanmin.detectors.signals import Numbers, Whole

MOST_STEPS, PRECISION, MOST_TURNS = 25, 1e-8, 50
LEAST_LOG_THETA, MOST_LOG_THETA = -12.0, 14.0  # beyond the second a Poisson model does
CHUNK = 500  # series fitted together


def waves(t: Numbers, freq: int, count: int, has_trend: bool) -> Numbers:
    """The design: 1, time where asked (in units of all of it), and `count` pairs of cosine and sine of a year of `freq` periods; shape (len(t), columns)."""
    columns = [np.ones_like(t)] + ([t / len(t)] if has_trend else [])
    for s in range(1, count + 1):
        columns += [np.cos(2 * s * np.pi / freq * t), np.sin(2 * s * np.pi / freq * t)]
    return np.column_stack(columns)


def _solved(weight: Numbers, target: Numbers, design: Numbers) -> Numbers:
    """Weighted least squares of every series: weights and working responses (series, time) on one design."""
    width = design.shape[1]
    squares = (weight @ (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)).reshape(-1, width, width)
    across = (weight * target) @ design
    try:
        found = np.linalg.solve(squares, across[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        found = (np.linalg.pinv(squares, hermitian=True) @ across[:, :, None])[:, :, 0]
    return found


def log_linear(design: Numbers, y: Numbers, theta: Numbers, start: Numbers | None = None) -> Numbers:
    """Coefficients (series, column) of log-linear models by iterated weighted least squares with the stopping rule of R's glm.

    `y` is (series, time), NaN left out; `theta` per series, infinite for Poisson, else negative binomial (variance μ + μ²/θ). NaN where a series has too few
    values or cases, or does not converge.
    """
    there = ~np.isnan(y)
    found = np.full((len(y), design.shape[1]), np.nan)
    active = np.flatnonzero((there.sum(axis=1) > design.shape[1]) & (np.nansum(y, axis=1) > 0))
    there, y, theta = there[active], np.where(there, y, 0.0)[active], theta[active, None]
    mu = np.where(np.isfinite(theta), np.where(y == 0, 1 / 6, y), y + 0.1) if start is None else np.exp(start[active] @ design.T)
    eta, before = np.log(mu), np.full(len(active), np.inf)
    for _ in range(MOST_STEPS):
        if not active.size:
            break
        with np.errstate(all="ignore"):
            coefficients = _solved(np.where(there, mu / (1 + mu / theta), 0.0), eta + (y - mu) / mu, design)
            eta = coefficients @ design.T
            mu = np.exp(eta)
            part = y * np.log(np.where(y > 0, y, 1.0) / mu)
            more = np.where(np.isfinite(theta), (y + theta) * np.log((y + theta) / (mu + theta)), y - mu)
            deviance = 2 * np.where(there, np.where(y > 0, part, 0.0) - more, 0.0).sum(axis=1)
            done = np.abs(deviance - before) / (np.abs(deviance) + 0.1) < PRECISION
        found[active[done]] = coefficients[done]
        left = ~done & np.isfinite(deviance)
        active, there, y, theta, mu, eta, before = active[left], there[left], y[left], theta[left], mu[left], eta[left], deviance[left]
    return found


@compiled
def _gammas(x):  # type: ignore[no-untyped-def]
    """The first and second derivative of log Gamma, by recurrence and the asymptotic series."""
    one, two = 0.0, 0.0
    while x < 10:
        one -= 1 / x
        two += 1 / (x * x)
        x += 1
    y = 1 / (x * x)
    one += math.log(x) - 0.5 / x - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    two += 1 / x + y / 2 + y / x * (1 / 6 - y * (1 / 30 - y * (1 / 42 - y * (1 / 30 - y * 5 / 66))))
    return one, two


@compiled
def _likeliest(values, times, y, mu, log_theta):  # type: ignore[no-untyped-def]
    """The most likely log θ for given means, by Newton's steps held inside what the score allows; `values` are the distinct counts, `times` how often each
    is."""
    low, high = LEAST_LOG_THETA, MOST_LOG_THETA
    for _ in range(60):
        th = math.exp(log_theta)
        one, two = 0.0, 0.0
        zero = _gammas(th)
        for i in range(len(values)):
            at = _gammas(th + values[i])
            one += times[i] * (at[0] - zero[0] + log_theta + 1)
            two += times[i] * (at[1] - zero[1] + 1 / th)
        for t in range(len(y)):
            if not math.isnan(y[t]):
                m = mu[t] + th
                one -= math.log(m) + (y[t] + th) / m
                two += (y[t] + th) / (m * m) - 2 / m
        slope, curve = th * one, th * one + th * th * two
        if slope > 0:
            low = log_theta
        else:
            high = log_theta
        step = log_theta - slope / curve if curve != 0 else low
        if not low < step < high:
            step = (low + high) / 2
        moved, log_theta = abs(step - log_theta), step
        if moved < 1e-11:
            break
    return log_theta


def _theta(y: Numbers, mu: Numbers, start: Numbers) -> Numbers:
    """The most likely θ of every series; infinite where the counts are not overdispersed."""
    found = np.empty(len(y))
    for s, row in enumerate(y):
        values, times = np.unique(row[~np.isnan(row)], return_counts=True)
        found[s] = _likeliest(values, times, row, mu[s], start[s])
    return np.where(found > MOST_LOG_THETA - 1e-3, np.inf, np.exp(found))


def negative_binomial(design: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Coefficients and θ of every series by turns until neither moves (as MASS::glm.nb)."""
    theta = np.full(len(y), np.inf)
    coefficients = log_linear(design, y, theta)
    moving = np.flatnonzero(~np.isnan(coefficients[:, 0]))
    log_theta = np.zeros(len(y))
    for _ in range(MOST_TURNS):
        if not moving.size:
            break
        mu = np.exp(coefficients[moving] @ design.T)
        now = _theta(y[moving], mu, log_theta[moving])
        with np.errstate(invalid="ignore"):
            still = ~np.isinf(now) & ~(np.abs(now - theta[moving]) < 1e-8 * now)
        theta[moving] = now
        moving = moving[still]
        log_theta[moving] = np.log(theta[moving])
        if moving.size:
            coefficients[moving] = log_linear(design, y[moving], theta[moving], coefficients[moving])
            moving = moving[~np.isnan(coefficients[moving, 0])]
    return coefficients, theta


def expectation(history: Numbers, freq: int, periods: Whole, count: int, has_trend: bool, is_negative_binomial: bool,
                offset: int = 0) -> tuple[Numbers, NDArray[np.float64]]:
    """The expected counts of every series in `periods` from all earlier ones, and 1/θ of each (0 for Poisson); NaN where no model can be fitted.

    Time is the place counted from 1 + `offset`.
    """
    first = int(periods[0])
    t = np.arange(1, history.shape[1] + 1, dtype=np.float64) + offset
    design = waves(t, freq, count, has_trend)
    found, alpha = np.full((len(history), len(periods)), np.nan), np.zeros(len(history))
    for begin in range(0, len(history), CHUNK):
        rows = slice(begin, begin + CHUNK)
        y = history[rows, :first]
        if is_negative_binomial:
            coefficients, theta = negative_binomial(design[:first], y)
            alpha[rows] = np.where(np.isnan(coefficients[:, 0]), np.nan, 1 / theta)
        else:
            coefficients = log_linear(design[:first], y, np.full(len(y), np.inf))
        with np.errstate(over="ignore"):
            found[rows] = np.exp(coefficients @ design[periods].T)
    return found, alpha
