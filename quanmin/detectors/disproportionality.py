"""Signals of adverse events after vaccines or drugs: is an event reported with one product more often than with all others?

Tables are a: the product and the event, b: the product and another event, c: another product and the event, d: neither. PRR: S. J. Evans et al.,
Pharmacoepidemiology and Drug Safety 2001;10:483–486. ROR: E. P. van Puijenbroek et al., the same 2002;11:3–10. IC: G. N. Norén et al., Statistical Methods in
Medical Research 2013;22:57–69 (shrunk observed-to-expected ratio with exact gamma limits). EBGM: W. DuMouchel, American Statistician 1999;53:177–190.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Numbers = NDArray[np.float64]
Z = 1.959963984540054
SHRINK = 0.5  # added to observed and expected of IC
PRIOR = (0.2, 0.1, 2.0, 4.0, 1 / 3)  # DuMouchel's starting values: shape and rate of two gamma distributions, weight of the first
BISECTIONS = 100


@dataclass(frozen=True)
class Disproportionality:
    """One value per table; NaN where a limit does not exist (an empty cell). `fisher_p` is one-sided: at least so many by chance."""

    expected: Numbers
    rr: Numbers
    prr: Numbers
    prr_low: Numbers
    prr_high: Numbers
    ror: Numbers
    ror_low: Numbers
    ror_high: Numbers
    chi2: Numbers
    chi2_yates: Numbers
    ic: Numbers
    ic025: Numbers
    ic975: Numbers
    ebgm: Numbers
    eb05: Numbers
    eb95: Numbers
    fisher_p: Numbers


def disproportionality(a: Numbers, b: Numbers, c: Numbers, d: Numbers, prior: tuple[float, ...] = PRIOR) -> Disproportionality:
    """All measures of many tables (counts as arrays of one length) with 95 % limits (EBGM: 5 and 95 % points)."""
    a, b, c, d = (np.asarray(values, dtype=np.float64) for values in (a, b, c, d))
    total, with_product, with_event = a + b + c + d, a + b, a + c
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = with_product * with_event / total
        prr, ror = (a / with_product) / (c / (c + d)), a * d / (b * c)
        prr_error = np.where(a > 0, np.sqrt(1 / a - 1 / with_product + 1 / c - 1 / (c + d)), np.nan)
        ror_error = np.where(a * b * c * d > 0, np.sqrt(1 / a + 1 / b + 1 / c + 1 / d), np.nan)
        prr_low, prr_high, ror_low, ror_high = (value * np.exp(sign * Z * error) for value, error in ((prr, prr_error), (ror, ror_error)) for sign in (-1, 1))
        margins, apart = with_product * (c + d) * with_event * (b + d), np.abs(a * d - b * c)
        chi2, yates = (total * lack**2 / margins for lack in (apart, np.maximum(apart - total / 2, 0)))
        ic, low, high = (np.log2(value / (expected + SHRINK)) for value in (a + SHRINK, *(special.gammaincinv(a + SHRINK, level) for level in (0.025, 0.975))))
        ebgm, eb05, eb95 = empirical_bayes(a, expected, prior)
        fisher = stats.hypergeom.sf(a - 1, total, with_event, with_product)
        return Disproportionality(expected, a / expected, prr, prr_low, prr_high, ror, ror_low, ror_high, chi2, yates, ic, low, high, ebgm, eb05, eb95, fisher)


def _posterior(observed: Numbers, expected: Numbers, prior: tuple[float, ...]) -> tuple[Numbers, Numbers]:
    """The weight of the first gamma distribution after the data, and the logarithm of the marginal likelihood."""
    first, second = (special.gammaln(shape + observed) - special.gammaln(shape) - special.gammaln(observed + 1) + shape * np.log(rate / (rate + expected))
                     + special.xlogy(observed, expected / (rate + expected)) for shape, rate in (prior[:2], prior[2:4]))
    both = np.stack([np.log(prior[4]) + first, np.log1p(-prior[4]) + second])
    total = special.logsumexp(both, axis=0)
    return np.asarray(np.exp(both[0] - total)), np.asarray(total)


def empirical_bayes(observed: Numbers, expected: Numbers, prior: tuple[float, ...] = PRIOR) -> tuple[Numbers, Numbers, Numbers]:
    """EBGM (geometric mean of the posterior of observed / expected), EB05 and EB95."""
    observed, expected = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    weight, _ = _posterior(observed, expected, prior)
    shapes, rates = [prior[0] + observed, prior[2] + observed], [prior[1] + expected, prior[3] + expected]
    weights = (weight, 1 - weight)
    logs = sum(part * (special.digamma(shape) - np.log(rate)) for part, shape, rate in zip(weights, shapes, rates, strict=True))
    told = []
    for level in (0.05, 0.95):
        low = np.full(observed.shape, -60.0)
        high = np.log(np.maximum(*(special.gammaincinv(shape, 0.999999) / rate for shape, rate in zip(shapes, rates, strict=True)))) + 1
        for _ in range(BISECTIONS):  # on the logarithm: the limits span many orders of magnitude
            middle = (low + high) / 2
            below = sum(part * special.gammainc(shape, np.exp(middle) * rate) for part, shape, rate in zip(weights, shapes, rates, strict=True)) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        told.append(np.exp((low + high) / 2))
    return np.asarray(np.exp(logs)), told[0], told[1]


def fitted_prior(observed: Numbers, expected: Numbers) -> tuple[float, ...]:
    """The prior that makes the observed counts of all pairs most likely (MGPS), found from DuMouchel's starting values."""
    def loss(at: Numbers) -> float:
        prior = (*np.exp(at[:4]), float(special.expit(at[4])))
        return -float(_posterior(observed, expected, prior)[1].sum())

    start = np.r_[np.log(PRIOR[:4]), special.logit(PRIOR[4])]
    found = optimize.minimize(loss, start, method="L-BFGS-B", bounds=[(-7, 7)] * 5)
    return (*(float(value) for value in np.exp(found.x[:4])), float(special.expit(found.x[4])))


@dataclass(frozen=True)
class RatePerDose:
    """Events per dose with exact Poisson limits, and against what would be expected by chance (NaN where nothing is given)."""

    rate: Numbers
    low: Numbers
    high: Numbers
    ratio: Numbers
    ratio_low: Numbers
    ratio_high: Numbers
    p: Numbers


def rates_per_dose(events: Numbers, doses: Numbers, background: Numbers | float = np.nan, per: float = 100_000, level: float = 0.95) -> RatePerDose:
    """Rates per `per` doses; `background`: events expected among those doses in the days at risk. Limits: Garwood 1936; p: P(at least so many | expected)."""
    events, doses = np.asarray(events, dtype=np.float64), np.asarray(doses, dtype=np.float64)
    expected = np.broadcast_to(np.asarray(background, dtype=np.float64), events.shape)
    tail = (1 - level) / 2
    low = np.where(events > 0, special.gammaincinv(np.maximum(events, 1), tail), 0.0)
    high = special.gammainccinv(events + 1, tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_least = np.where(events > 0, special.gammainc(np.maximum(events, 1), expected), 1.0)
        return RatePerDose(per * events / doses, per * low / doses, per * high / doses, events / expected, low / expected, high / expected,
                           np.where(np.isnan(expected), np.nan, at_least))
