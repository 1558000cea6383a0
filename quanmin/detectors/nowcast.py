"""Nowcasts: how many cases have already begun, counting those not reported yet.

J. F. Lawless, Adjustments for reporting delays and the prediction of occurred but not reported events, Canadian Journal of Statistics 1994;22:15–31; M. Höhle
and M. an der Heiden, Bayesian nowcasting during the STEC O104:H4 outbreak in Germany, Biometrics 2014;70:993–1002. Numbers are those of the R package
surveillance, whose quirks are kept in the methods that bear its names and left out in ours:

- `lawless`: its variance leaves out how uncertain the delays are, and its truncated normal distribution is not scaled as one;
- `bnb`: delays are counted as if everything had been reported (no right truncation), so recent days come out too low while delays are long.

`lawless_full` has both terms of the variance and a proper truncation. `bnb_truncated` puts the posterior of a right-truncated delay (a product of beta
distributions, one for each reverse hazard) by its mean and variance into one beta distribution, so that it stays closed form.
`gamma_poisson` holds a number of cases the likelier the nearer it is to that of the days around (a weak gamma prior), where the others hold all numbers equally
likely: with few cases a day and a small share reported only this is of use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Method = Literal["bnb_truncated", "bnb", "lawless_full", "lawless", "gamma_poisson"]
METHODS: tuple[Method, ...] = ("bnb_truncated", "bnb", "lawless_full", "lawless", "gamma_poisson")
KAPPA = 0.1  # of the symmetric Dirichlet prior of delays
AROUND = 28  # periods up to each that say what is usual (gamma_poisson)
LEAST = 0.05  # cases that are held possible in so many periods where there were none
WEIGHT = 0.1  # periods that the usual counts for
GRID = 32  # shares of a beta distribution that stand for all
TAIL = 1e-10  # of a predictive distribution that is not looked at


@dataclass(frozen=True)
class Nowcast:
    """By period of onset: cases reported so far, the median, the limits and the mean of all of them, and the share thought reported."""

    reported: Whole
    median: Whole
    low: Whole
    high: Whole
    share: Numbers
    mean: Numbers


def triangle_of(onset: Whole, report: Whole, now: int, longest: int) -> Whole:
    """Line list (periods as numbers from 0; onset ≤ report) as onset × delay (0 … `longest`, longer delays put to the longest), known at `now`."""
    table = np.zeros((now + 1, longest + 1), dtype=np.int64)
    known = (report <= now) & (onset >= 0) & (onset <= now) & (report >= onset)
    np.add.at(table, (onset[known], np.minimum(report[known] - onset[known], longest)), 1)
    return table


def reverse_hazards(triangle: Whole, window: int | None = None) -> tuple[Numbers, Numbers]:
    """By delay x, over the newest `window` periods whose delay x has passed: cases reported with it, and with it or less (Lawless 2.7, 2.8)."""
    newest, longest = triangle.shape[0] - 1, triangle.shape[1] - 1
    start = max(0, newest - (newest if window is None else window))
    up_to = np.cumsum(triangle, axis=1)
    exact, within = np.zeros(longest + 1), np.zeros(longest + 1)
    for delay in range(longest + 1):
        rows = slice(start, max(newest - delay + 1, start))
        exact[delay], within[delay] = triangle[rows, delay].sum(), up_to[rows, delay].sum()
    return exact, within


def _known(triangle: Whole) -> tuple[Whole, Whole]:
    """Cases reported by now and the periods that have passed, by onset; delays that have not passed are not counted."""
    newest, longest = triangle.shape[0] - 1, triangle.shape[1] - 1
    passed = np.minimum(newest - np.arange(newest + 1), longest)
    return np.cumsum(triangle, axis=1)[np.arange(newest + 1), passed], passed


def _from_pmf(mass: Numbers, alpha: float) -> tuple[int, int, int]:
    """Median and limits as the first values above the levels."""
    below = np.cumsum(mass)
    median, low, high = (int(np.argmax(below > level)) for level in (0.5, alpha / 2, 1 - alpha / 2))
    return median, low, high


def _lawless(triangle: Whole, exact: Numbers, within: Numbers, alpha: float, is_full: bool, most: int | None) -> Nowcast:
    known, passed = _known(triangle)
    hazard = np.divide(exact, within, out=np.zeros_like(exact), where=within > 0)
    hazard[0] = 1.0
    share_by = np.r_[np.cumprod((1 - hazard)[:0:-1])[::-1], 1.0]  # by the periods that have passed
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(hazard / (within * (1 - hazard)), posinf=0.0)
    uncertain = np.r_[np.cumsum(terms[:0:-1])[::-1], 0.0]  # of ln share
    told = []
    for count, delay in zip(known.tolist(), passed.tolist(), strict=True):
        part = share_by[delay]
        mean, variance = (count / part, count * (1 - part) / part**2) if part > 0 else (float(count), 0.0)
        if is_full and part > 0:
            variance += count * (count + 1) / part**2 * uncertain[delay]
        if variance <= 0:
            told.append((round(mean),) * 3)
            continue
        spread = float(np.sqrt(variance))
        support = np.arange((most if most is not None else int(mean + 40 * spread) + count + 2) + 1)
        if is_full:
            low = stats.norm.cdf(count - 0.5, mean, spread)
            below = np.where(support < count, 0.0, (stats.norm.cdf(support + 0.5, mean, spread) - low) / (1 - low))
        else:
            below = np.where(support < count, 0.0, stats.norm.cdf(support, mean, spread) / (1 - stats.norm.cdf(count, mean, spread)))
        told.append(_from_pmf(np.diff(np.r_[0.0, below]), alpha))
    median, low_limit, high_limit = np.array(told, dtype=np.int64).T
    share = share_by[passed]
    return Nowcast(known, median, low_limit, high_limit, share, np.divide(known, share, out=known.astype(np.float64), where=share > 0))


def _beta_negative_binomial(count: int, first: float, second: float) -> Numbers:
    """P(k cases are still to come), k = 0, 1, …, where `count` came and the share reported is Beta(first, second), up to a tail of 1e-10."""
    size, most = count + 1.0, 64
    while True:
        more = np.arange(most, dtype=np.float64)
        mass = np.exp(special.betaln(first + size, second + more) - special.betaln(first, second)
                      + special.gammaln(size + more) - special.gammaln(size) - special.gammaln(more + 1))
        if mass.sum() > 1 - TAIL or most > 1 << 16:
            return np.asarray(mass, dtype=np.float64)
        most *= 4


def _shares(exact: Numbers, within: Numbers, is_truncated: bool) -> tuple[Numbers, Numbers]:
    """Beta distributions of the share reported once 0, 1, … periods have passed (the longest delay is left out: all is reported)."""
    longest = len(exact) - 1
    if not is_truncated:
        first = np.cumsum(exact + KAPPA)
        return first[:-1], first[-1] - first[:-1]
    own, less = exact[1:] + KAPPA, within[1:] - exact[1:] + KAPPA * np.arange(1, longest + 1)  # reverse hazard of delay 1 … longest
    total = own + less
    mean, square = less / total, less * (less + 1) / (total * (total + 1))
    mean, square = (np.cumprod(values[::-1])[::-1] for values in (mean, square))
    weight = np.maximum((mean - square) / np.maximum(square - mean**2, 1e-300), 1e-9)
    return mean * weight, (1 - mean) * weight


def _bayes(triangle: Whole, exact: Numbers, within: Numbers, alpha: float, is_truncated: bool) -> Nowcast:
    known, passed = _known(triangle)
    first, second = _shares(exact, within, is_truncated)
    told, share, mean = [], np.ones(len(known)), known.astype(np.float64)
    for at, (count, delay) in enumerate(zip(known.tolist(), passed.tolist(), strict=True)):
        if delay >= len(first):
            told.append((count,) * 3)
            continue
        share[at] = first[delay] / (first[delay] + second[delay])
        mass = _beta_negative_binomial(count, first[delay], second[delay])
        mean[at] += float(mass @ np.arange(len(mass)))
        told.append(tuple(count + value for value in _from_pmf(mass, alpha)))
    median, low, high = np.array(told, dtype=np.int64).T
    return Nowcast(known, median, low, high, share, mean)


def _gamma_poisson(triangle: Whole, exact: Numbers, within: Numbers, alpha: float) -> Nowcast:
    """Cases of a period are Poisson, their mean gamma around the cases of the periods before, by the share of each that is reported."""
    known, passed = _known(triangle)
    first, second = _shares(exact, within, True)
    is_open = passed < len(first)
    share = np.ones(len(known))
    share[is_open] = first[passed[is_open]] / (first[passed[is_open]] + second[passed[is_open]])
    seen, shown = (np.r_[0.0, np.cumsum(values)] for values in (known, share))
    start = np.maximum(np.arange(len(known)) - AROUND + 1, 0)
    usual = (seen[1:] - seen[start] + LEAST) / np.maximum(shown[1:] - shown[start], LEAST)
    told, mean = [(int(count),) * 3 for count in known], known.astype(np.float64)
    levels = (np.arange(GRID) + 0.5) / GRID
    for at in np.flatnonzero(is_open).tolist():
        part = np.clip(special.betaincinv(first[passed[at]], second[passed[at]], levels), 1e-6, 1 - 1e-9)
        size, rate = WEIGHT * usual[at] + known[at], WEIGHT + part
        most = 64
        while True:
            mass = stats.nbinom.pmf(np.arange(most)[:, None], size, rate / (rate + 1 - part)).mean(axis=1)
            if mass.sum() > 1 - 1e-6 or most > 1 << 14:
                break
            most *= 4
        mass /= mass.sum()
        mean[at] += float(mass @ np.arange(len(mass)))
        told[at] = tuple(int(known[at]) + value for value in _from_pmf(mass, alpha))
    median, low, high = np.array(told, dtype=np.int64).T
    return Nowcast(known, median, low, high, share, mean)


def nowcast(triangle: Whole, method: Method = "bnb_truncated", *, alpha: float = 0.05, window: int | None = None, most: int | None = None,
            delays: Whole | None = None) -> Nowcast:
    """All cases by period of onset, from cases by onset (rows, the newest last: now) and delay (columns); what lies after now is not looked at.

    `window` newest periods to learn delays from; `delays` other cases of the same shape to learn them from; `most` cases that `lawless` holds possible
    (surveillance's N.tInf.max). Raises ValueError for an unknown method, for `delays` of another shape, or where the longest delay does not fit into the time.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method}")
    if triangle.shape[1] > triangle.shape[0]:
        raise ValueError("the longest delay is longer than the time")
    if delays is not None and delays.shape != triangle.shape:
        raise ValueError("delays and cases have not the same shape")
    newest, longest = triangle.shape[0] - 1, triangle.shape[1] - 1
    seen = np.add.outer(np.arange(newest + 1), np.arange(longest + 1)) <= newest
    counts = np.where(seen, triangle, 0)
    exact, within = reverse_hazards(counts if delays is None else np.where(seen, delays, 0), window)
    if method in ("lawless", "lawless_full"):
        return _lawless(counts, exact, within, alpha, method == "lawless_full", most)
    if method == "gamma_poisson":
        return _gamma_poisson(counts, exact, within, alpha)
    return _bayes(counts, exact, within, alpha, method == "bnb_truncated")
