"""The fit inside the Farrington methods, compiled: a quasi-Poisson model of seasonal levels and a trend, with R's starting values and stopping rule.

The model has one level per block of the year and one slope, so that each weighted least squares step of `glm` has a closed form: weighted means within the
blocks, and one slope through what is left. Farrington et al. 1996 (JRSS A 159), Noufaily et al. 2013 (Stat Med 32).
"""

from __future__ import annotations

import math

from quanmin.detectors.compiling import compiled
from quanmin.detectors.probability import student_two_sided

EPS = 2.220446049250313e-16
MOST_STEPS, PRECISION = 25, 1e-8  # glm.control of R
SLOPE, PREDICTED, VARIANCE, DISPERSION, P_VALUE, CONVERGED, FREEDOM = range(7)  # places in the result of a fit
RESULTS = 7
ETA, MU, WEIGHT, LEVERAGE, OMEGA, Z = range(6)  # rows of the scratch array
WORK = 6


@compiled
def _step(n, x, label, offset, work, sums, levels, with_trend):  # type: ignore[no-untyped-def]
    """One weighted least squares step: the slope, and in `sums` per level weight, mean time and intercept; returns slope and the spread of time."""
    for g in range(levels):
        sums[0, g] = sums[1, g] = sums[2, g] = 0.0
    for i in range(n):
        g = label[i]
        w = work[WEIGHT, i]
        sums[0, g] += w
        sums[1, g] += w * x[i]
        sums[2, g] += w * work[Z, i]
    for g in range(levels):
        if sums[0, g] > 0:
            sums[1, g] /= sums[0, g]
            sums[2, g] /= sums[0, g]
    slope, spread = 0.0, 0.0
    if with_trend:
        across = 0.0
        for i in range(n):
            d = x[i] - sums[1, label[i]]
            spread += work[WEIGHT, i] * d * d
            across += work[WEIGHT, i] * d * (work[Z, i] - sums[2, label[i]])
        slope = across / spread if spread > 0 else 0.0
    for g in range(levels):
        sums[3, g] = sums[2, g] - slope * sums[1, g]
    for i in range(n):
        eta = sums[3, label[i]] + slope * x[i] + offset[i]
        work[ETA, i] = eta
        work[MU, i] = max(math.exp(eta), EPS)
    return slope, spread


@compiled
def _deviance(n, y, log_part, work):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(n):
        mu = work[MU, i]
        total += work[OMEGA, i] * (log_part[i] - (y[i] * math.log(mu) if mu <= EPS else y[i] * work[ETA, i]) - y[i] + mu)
    return 2 * total


@compiled
def fit_once(n, y, x, label, offset, log_start, log_part, work, sums, levels, with_trend):  # type: ignore[no-untyped-def]
    """Fit by iterated weighted least squares with prior weights work[OMEGA]; leaves mu and leverages in `work`.

    Returns converged, slope, spread of time (weighted), the dispersion and the degrees of freedom. Arrays hold n baseline rows; `log_start` = log(y + 0.1),
    `log_part` = y log y.
    """
    for i in range(n):
        work[MU, i] = y[i] + 0.1
        work[ETA, i] = log_start[i]
    before, converged, slope, spread = _deviance(n, y, log_part, work), False, 0.0, 0.0
    for _ in range(MOST_STEPS):
        for i in range(n):
            mu = work[MU, i]
            work[Z, i] = work[ETA, i] - offset[i] + (y[i] - mu) / mu
            work[WEIGHT, i] = work[OMEGA, i] * mu
        slope, spread = _step(n, x, label, offset, work, sums, levels, with_trend)
        now = _deviance(n, y, log_part, work)
        if not math.isfinite(now):
            break
        if abs(now - before) / (abs(now) + 0.1) < PRECISION:
            converged = True
            break
        before = now
    rank = 1 if with_trend and spread > 0 else 0
    for g in range(levels):
        rank += sums[0, g] > 0
    squares = 0.0
    for i in range(n):
        r = (y[i] - work[MU, i]) / work[MU, i]
        squares += work[WEIGHT, i] * r * r
        d = x[i] - sums[1, label[i]]
        work[LEVERAGE, i] = work[WEIGHT, i] * (1 / sums[0, label[i]] + (d * d / spread if rank and spread > 0 else 0.0))
    freedom = n - rank
    return converged, slope, spread, (squares / freedom if freedom > 0 else math.nan), freedom


@compiled
def _reweigh(n, y, y23, phi, threshold, work):  # type: ignore[no-untyped-def]
    """Weights from standardised Anscombe residuals, adding up to n: past outbreaks weigh less."""
    total = 0.0
    for i in range(n):
        root = work[MU, i] ** (1 / 6)
        s = 1.5 * (y23[i] / root - root * root * root) / math.sqrt(max(phi * (1 - work[LEVERAGE, i]), 0.0) + 1e-300)
        work[OMEGA, i] = 1 / (s * s) if s > threshold else 1.0
        total += work[OMEGA, i]
    for i in range(n):
        work[OMEGA, i] *= n / total


@compiled
def fit(n, y, y23, x, label, offset, log_start, log_part, work, sums, levels, with_trend, is_original, threshold, x0, label0, offset0, out):  # type: ignore[no-untyped-def]
    """The two fits (`threshold` < 0: only the first) and the prediction at time x0, level label0 and offset0.

    Writes into `out`: slope, predicted mean, variance of its logarithm, phi, p of the slope, converged, degrees of freedom. In the flexible version the
    variance and the p-value use the dispersion with the prior instead of the working weights, as R's farringtonFlexible does.
    """
    for r in range(RESULTS):
        out[r] = math.nan
    for i in range(n):
        work[OMEGA, i] = 1.0
    slope, spread, ordinary, freedom, phi, dispersion = 0.0, 0.0, 0.0, 0, 1.0, 1.0
    for turn in range(2):
        converged, slope, spread, ordinary, freedom = fit_once(n, y, x, label, offset, log_start, log_part, work, sums, levels, with_trend)
        if turn == 0:  # of the second fit convergence is not asked, as in R
            out[CONVERGED] = converged
            if not converged or freedom <= 0 or not sums[0, label0] > 0:
                return
        phi = max(ordinary, 1.0)
        dispersion = phi if is_original else ordinary
        if threshold < 0:
            break
        if turn == 0:
            _reweigh(n, y, y23, phi, threshold, work)
        elif not is_original:
            dispersion = 0.0
            for i in range(n):
                r = (y[i] - work[MU, i]) / work[MU, i]
                dispersion += work[OMEGA, i] * r * r
            dispersion /= freedom
    d = x0 - sums[1, label0]
    unscaled = 1 / sums[0, label0] + (d * d / spread if with_trend and spread > 0 else 0.0)
    out[SLOPE] = slope
    out[PREDICTED] = max(math.exp(sums[3, label0] + slope * x0 + offset0), EPS)
    out[VARIANCE] = dispersion * unscaled
    out[DISPERSION] = phi
    out[FREEDOM] = freedom
    if with_trend and spread > 0:
        out[P_VALUE] = student_two_sided(slope / math.sqrt((ordinary if is_original else dispersion) / spread), float(freedom))
