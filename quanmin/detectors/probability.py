"""Tails and quantiles of counts, compiled: negative binomial (variance phi × mean), Poisson, Student's t.

Own code because they are called inside compiled loops, and because the quantile of scipy does not return for sizes that sparse series do reach.
"""

from __future__ import annotations

import math

from quanmin.detectors.compiling import compiled

EPS = 2.220446049250313e-16
TINY = 1e-300
LARGEST_MEAN = 1e8  # above it the quantile is that of the normal distribution with the same mean, variance and skewness
FUZZ = 1.5e-14  # a cumulative probability this much below the level counts as the level (as R's quantiles do)


@compiled
def _stirling(x: float) -> float:
    """log Gamma(x) − ((x − ½) log x − x + ½ log 2π) for x ≥ 10."""
    y = 1.0 / (x * x)
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * 691 / 360360))))) / x


@compiled
def log_beta(a: float, b: float) -> float:
    """log B(a, b), without cancellation where one of them is large."""
    p, q = min(a, b), max(a, b)
    if p >= 10:
        corrections = _stirling(p) + _stirling(q) - _stirling(p + q)
        return -0.5 * math.log(q) + 0.9189385332046727 + corrections + (p - 0.5) * math.log(p / (p + q)) + q * math.log1p(-p / (p + q))
    if q >= 10:
        corrections = _stirling(q) - _stirling(p + q)
        return math.lgamma(p) + corrections + p - p * math.log(p + q) + (q - 0.5) * math.log1p(-p / (p + q))
    return math.lgamma(p) + math.lgamma(q) - math.lgamma(p + q)


@compiled
def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (modified Lentz)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > TINY else TINY)
    h = d
    for m in range(1, 200_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1.0 + even * d, 1.0 + even / c
        d = 1.0 / (d if abs(d) > TINY else TINY)
        c = c if abs(c) > TINY else TINY
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1.0 + odd * d, 1.0 + odd / c
        d = 1.0 / (d if abs(d) > TINY else TINY)
        c = c if abs(c) > TINY else TINY
        h *= d * c
        if abs(d * c - 1.0) < EPS * 2:
            break
    return h


@compiled
def incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """The regularised incomplete beta function I_x(a, b); `y` is 1 − x, given so that neither loses digits."""
    if x <= 0:
        return 0.0
    if y <= 0:
        return 1.0
    log_x, log_y = math.log(x) if x < 0.5 else math.log1p(-y), math.log1p(-x) if x < 0.5 else math.log(y)
    front = math.exp(a * log_x + b * log_y - log_beta(a, b))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, y) / b


@compiled
def student_two_sided(t: float, df: float) -> float:
    """P(|T| ≥ |t|) with `df` degrees of freedom."""
    if math.isnan(t) or df <= 0:
        return math.nan
    if math.isinf(t):
        return 0.0
    return incomplete_beta(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t))


@compiled
def normal_above(z: float) -> float:
    """P(Z > z)."""
    return 0.5 * math.erfc(z / 1.4142135623730951)


@compiled
def _log_poisson(k: float, mean: float) -> float:
    return k * math.log(mean) - mean - math.lgamma(k + 1)


@compiled
def poisson_at_least(k: float, mean: float) -> float:
    """P(Y ≥ k) of a Poisson count."""
    if k <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if k <= mean:
        term = total = math.exp(_log_poisson(k - 1, mean))
        at = k - 1
        while at > 0 and term > total * EPS:
            term *= at / mean
            total += term
            at -= 1
        return max(0.0, 1.0 - total)
    term = total = math.exp(_log_poisson(k, mean))
    at = k + 1
    while term > total * EPS:
        term *= mean / at
        total += term
        at += 1
    return min(total, 1.0)


@compiled
def count_at_least(k: float, mean: float, phi: float) -> float:
    """P(Y ≥ k) of a count with this mean and variance phi × mean: negative binomial, Poisson where phi is 1."""
    if k <= 0:
        return 1.0
    if not mean > 0 or math.isinf(mean):
        return math.nan if math.isnan(mean) else 0.0 if mean <= 0 else 1.0
    if mean > LARGEST_MEAN:
        return normal_above((k - mean) / math.sqrt(phi * mean))
    if phi - 1 < 1e-12 * mean or phi <= 1:
        return poisson_at_least(k, mean)
    return incomplete_beta(k, mean / (phi - 1), (phi - 1) / phi, 1 / phi)


@compiled
def _summed_quantile(level: float, first: float, size: float, ratio: float) -> float:
    """The quantile by adding up from P(0) = first; P(k+1)/P(k) = ratio (size + k)/(k + 1), or ratio/(k + 1) for Poisson (size < 0)."""
    term = total = first
    k = 0.0
    while total < level:
        term *= (ratio if size < 0 else ratio * (size + k)) / (k + 1)
        k += 1
        total += term
        if term < 1e-18 * total:  # far in the tail: the rest adds nothing
            break
    return k


@compiled
def count_quantile(level: float, z: float, mean: float, phi: float) -> float:
    """The smallest count that is not exceeded with probability `level`; `z` is the normal quantile of `level`. Variance phi × mean (negative binomial,
    Poisson)."""
    if not mean > 0:
        return math.nan if math.isnan(mean) else 0.0
    deviation, skew = math.sqrt(phi * mean), (2 * phi - 1) / math.sqrt(phi * mean)
    start = math.floor(mean + deviation * (z + skew * (z * z - 1) / 6) + 0.5)
    if mean > LARGEST_MEAN or math.isinf(start):
        return start
    wanted = level * (1 - FUZZ)
    is_poisson = phi <= 1 or phi - 1 < 1e-12 * mean
    if is_poisson and mean < 600:
        return _summed_quantile(wanted, math.exp(-mean), -1.0, mean)
    size = -1.0 if is_poisson else mean / (phi - 1)
    if not is_poisson and mean < 2000 and size * math.log(phi) < 600:
        return _summed_quantile(wanted, math.exp(-size * math.log(phi)), size, (phi - 1) / phi)
    k = max(start, 0.0)
    above = count_at_least(k + 1, mean, phi)  # P(Y > k)
    if is_poisson:
        term = math.exp(_log_poisson(k, mean))
    else:
        term = math.exp(k * math.log1p(-1 / phi) - size * math.log(phi) - log_beta(size, k + 1) - math.log(size + k))
    limit, ratio = 1 - wanted, (mean if is_poisson else (phi - 1) / phi)
    while above > limit:
        term *= (ratio if is_poisson else ratio * (size + k)) / (k + 1)
        k += 1
        above -= term
        if term <= 0:
            break
    while k > 0 and above + term <= limit:
        above += term
        term *= k / (ratio if is_poisson else ratio * (size + k - 1))
        k -= 1
    return k


@compiled
def predictive_quantile(level: float, total: float, periods: float) -> float:
    """The quantile of a new count after `total` cases in `periods` periods: NB with size total + ½ and probability periods/(periods + 1) (Bayes, R's bayes)."""
    size, ratio = total + 0.5, 1 / (periods + 1)
    start = -size * math.log1p(1 / periods)
    if start > -600 and size / periods < 2000:
        return _summed_quantile(level * (1 - FUZZ), math.exp(start), size, ratio)
    k, low = float(math.ceil(size / periods)), -1.0
    wanted = 1 - level * (1 - FUZZ)
    while incomplete_beta(k + 1, size, ratio, 1 - ratio) > wanted:
        low, k = k, 2 * k + 1
    while k - low > 1:
        middle = float(math.floor((k + low) / 2))
        if incomplete_beta(middle + 1, size, ratio, 1 - ratio) > wanted:
            low = middle
        else:
            k = middle
    return k


@compiled
def predictive_at_least(k: float, total: float, periods: float) -> float:
    """P(Y ≥ k) of a new count after `total` cases in `periods` periods."""
    return 1.0 if k <= 0 else incomplete_beta(k, total + 0.5, 1 / (periods + 1), periods / (periods + 1))
