"""How much likelier counts are where each case brings others: mean mu + lambda × the cases of the period before (Höhle & Paul 2008, the epidemic chart)."""

from __future__ import annotations

import math

from quanmin.detectors.compiling import compiled

LEAST = -18.0  # log lambda below which the reference gives up
CLOSE, MOST_STEPS = 1e-6, 1000


@compiled
def _slope(y, mu, s, begin, end, start, before, a, rate):  # type: ignore[no-untyped-def]
    """The score of lambda, and its square terms."""
    slope, squares = 0.0, 0.0
    for t in range(begin, end):
        last = y[s, t - 1] if t > start else before
        if not math.isnan(y[s, t]) and not math.isnan(last) and not math.isnan(mu[s, t]):
            m = mu[s, t] + rate * last
            slope += last * (y[s, t] - m) / (m * (1 + a * m)) if m > 0 else 0.0
            squares += y[s, t] * last * last / (m * m) if m > 0 else 0.0
    return slope, squares


@compiled
def _ratio(y, mu, s, begin, end, start, before, a, rate):  # type: ignore[no-untyped-def]
    total = 0.0
    for t in range(begin, end):
        last = y[s, t - 1] if t > start else before
        if not math.isnan(y[s, t]) and not math.isnan(last) and not math.isnan(mu[s, t]):
            more = math.log(rate * last / mu[s, t] + 1)
            if a == 0:
                total += y[s, t] * more - rate * last
            else:
                total += y[s, t] * more + (y[s, t] + 1 / a) * math.log((1 + a * mu[s, t]) / (1 + a * (mu[s, t] + rate * last)))
    return total


@compiled
def _likeliest(y, mu, s, begin, end, start, before, a):  # type: ignore[no-untyped-def]
    """The most likely lambda, by halving."""
    low, high = 0.0, 1.0
    if _slope(y, mu, s, begin, end, start, before, a, 0.0)[0] <= 0:
        return 0.0
    while high < 1e9 and _slope(y, mu, s, begin, end, start, before, a, high)[0] > 0:
        low, high = high, 2 * high
    for _ in range(100):
        middle = 0.5 * (low + high)
        if _slope(y, mu, s, begin, end, start, before, a, middle)[0] > 0:
            low = middle
        else:
            high = middle
        if high - low < 1e-15 * high:
            break
    return 0.5 * (low + high)


@compiled
def _stepped(y, mu, s, begin, end, start, before, log_rate):  # type: ignore[no-untyped-def]
    """Newton's steps on log lambda as the reference takes them: from where the stretch before ended, and none at all once that was below e^−18."""
    old, steps = 2.0, 0
    while log_rate > LEAST and abs(math.exp(log_rate) - math.exp(old)) > CLOSE and steps < MOST_STEPS:
        old, rate = log_rate, math.exp(log_rate)
        slope, squares = _slope(y, mu, s, begin, end, start, before, 0.0, rate)
        information = -rate * slope + rate * rate * squares
        log_rate = old + rate * slope / information if information != 0 else -math.inf
        steps += 1
    return log_rate


@compiled
def _intercept(y, mu, s, begin, end, a, value):  # type: ignore[no-untyped-def]
    """Newton's steps on the change of the intercept: what the reference takes for log lambda where counts are negative binomial."""
    old, steps = 0.4, 0
    while value > LEAST and abs(value - old) > CLOSE and steps < MOST_STEPS:
        old, e, slope, curve = value, math.exp(value), 0.0, 0.0
        for t in range(begin, end):
            d = 1 + a * e * mu[s, t]
            slope += (y[s, t] - e * mu[s, t]) / d
            curve += mu[s, t] * (a * y[s, t] + 1) / (d * d)
        value = old + slope / (e * curve)
        steps += 1
    return value


@compiled
def contagious(y, mu, s, first, last, end, start, before, a, is_strict):  # type: ignore[no-untyped-def]
    """The largest log-likelihood ratio of series s over stretches that begin at first … last and end before `end`; `start` is where the chart began, with
    `before` cases the period before; `a` is the negative binomial's alpha."""
    best, log_rate = -math.inf, math.log(0.5) if a == 0 else 0.5
    for begin in range(first, last + 1):
        if not is_strict:
            rate = _likeliest(y, mu, s, begin, end, start, before, a)
        elif a == 0:
            log_rate = _stepped(y, mu, s, begin, end, start, before, log_rate)
            rate = math.exp(log_rate)
        else:
            log_rate = _intercept(y, mu, s, begin, end, a, log_rate)
            rate = math.exp(log_rate)
        value = _ratio(y, mu, s, begin, end, start, before, a, rate)
        if value > best:
            best = value
    return best
