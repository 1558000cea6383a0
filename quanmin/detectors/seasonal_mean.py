"""What is expected in control, for the charts that need it told: a mean, or a (negative binomial or Poisson) regression on time and yearly waves."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma

from quanmin.detectors.signals import Numbers, Whole

MOST_STEPS, PRECISION = 25, 1e-8


def waves(t: Numbers, freq: int, count: int, has_trend: bool) -> Numbers:
    """The design: 1, time where asked, and `count` pairs of cosine and sine of a year of `freq` periods; shape (len(t), columns)."""
    columns = [np.ones_like(t)] + ([t] if has_trend else [])
    for s in range(1, count + 1):
        columns += [np.cos(2 * s * np.pi / freq * t), np.sin(2 * s * np.pi / freq * t)]
    return np.column_stack(columns)


def poisson_fit(design: Numbers, y: Numbers, theta: float = np.inf, start: Numbers | None = None) -> Numbers | None:
    """Coefficients of a log-linear model by iterated weighted least squares as R's glm does it; `theta` < infinity: negative binomial (variance μ + μ²/θ).

    Missing y are left out. None where it does not converge or there are too few.
    """
    ok = ~np.isnan(y)
    x, y = design[ok], y[ok]
    if len(y) <= x.shape[1] or not y.any():
        return None
    mu = np.where(y == 0, 1 / 6, y) if np.isfinite(theta) else y + 0.1
    if start is not None:
        mu = np.exp(x @ start)
    eta, before, coefficients = np.log(mu), np.inf, None
    for _ in range(MOST_STEPS):
        with np.errstate(all="ignore"):
            weight = mu / (1 + mu / theta)
            root = np.sqrt(weight)
            coefficients = np.linalg.lstsq(x * root[:, None], (eta + (y - mu) / mu) * root, rcond=None)[0]
            eta = x @ coefficients
            mu = np.exp(eta)
            part = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0.0)
            deviance = 2 * float((part - (y - mu)).sum() if np.isinf(theta) else (part - (y + theta) * np.log((y + theta) / (mu + theta))).sum())
        if not np.isfinite(deviance):
            return None
        if abs(deviance - before) / (abs(deviance) + 0.1) < PRECISION:
            return coefficients
        before = deviance
    return None


def _theta(y: Numbers, mu: Numbers) -> float:
    """The maximum likelihood θ for given means; infinity where the counts are not overdispersed."""

    def slope(log_theta: float) -> float:
        th = np.exp(log_theta)
        return float((digamma(th + y) - digamma(th) + np.log(th) + 1 - np.log(th + mu) - (y + th) / (mu + th)).sum())

    low, high = -12.0, 14.0
    return float(np.exp(brentq(slope, low, high, xtol=1e-13))) if slope(low) > 0 > slope(high) else np.inf


def negative_binomial_fit(design: Numbers, y: Numbers) -> tuple[Numbers, float] | None:
    """Coefficients and θ by turns until neither moves (as MASS::glm.nb); θ is infinite where a Poisson model does."""
    ok = ~np.isnan(y)
    coefficients = poisson_fit(design, y)
    theta = np.inf
    for _ in range(50):
        if coefficients is None:
            return None
        mu = np.exp(design[ok] @ coefficients)
        now = _theta(y[ok], mu)
        if np.isinf(now) or abs(now - theta) < 1e-10 * now:
            return coefficients, now
        theta = now
        coefficients = poisson_fit(design, y, theta, coefficients)
    return None if coefficients is None else (coefficients, theta)


def expectation(history: Numbers, freq: int, periods: Whole, count: int, has_trend: bool, is_negative_binomial: bool, offset: int = 0) -> tuple[Numbers,
                                                                                                                                                Numbers]:
    """The expected counts of every series in `periods` from all earlier ones, and 1/θ of each (0 for Poisson); NaN where no model can be fitted.

    Time is the place counted from 1 + `offset`.
    """
    first = int(periods[0])
    t = np.arange(1, history.shape[1] + 1, dtype=np.float64) + offset
    design = waves(t, freq, count, has_trend)
    found, alpha = np.full((len(history), len(periods)), np.nan), np.zeros(len(history))
    for s, y in enumerate(history[:, :first]):
        if is_negative_binomial:
            fitted = negative_binomial_fit(design[:first], y)
            coefficients, alpha[s] = (None, np.nan) if fitted is None else (fitted[0], 1 / fitted[1])
        else:
            coefficients = poisson_fit(design[:first], y)
        if coefficients is not None:
            with np.errstate(over="ignore"):
                found[s] = np.exp(design[periods] @ coefficients)
    return found, alpha
