"""Reproduction numbers: how many people a case infects, from counts by day and the serial interval.

A. Cori et al., A new framework and software to estimate time-varying reproduction numbers during epidemics, American Journal of Epidemiology
2013;178:1505–1512 (instantaneous, backward looking); J. Wallinga and P. Teunis, Different epidemic curves for severe acute respiratory syndrome reveal
similar impacts of control measures, American Journal of Epidemiology 2004;160:509–516 (of cases, forward looking: the newest days come out low).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
LEVELS = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
BISECTIONS = 52


@dataclass(frozen=True)
class Reproduction:
    """By window (first and last day, numbers from 0, both included): mean, standard deviation and quantiles (windows × levels) of R; NaN where none is told."""

    first: Whole
    last: Whole
    mean: Numbers
    deviation: Numbers
    quantiles: Numbers
    levels: tuple[float, ...] = LEVELS


def gamma_interval(mean: float, deviation: float, longest: int) -> Numbers:
    """Weights of 0 … `longest` days: a gamma distribution from day 1 on, made discrete as in Cori 2013 (web appendix 11); not scaled to a sum of 1.

    Raises ValueError unless mean > 1 and deviation > 0.
    """
    if not (mean > 1 and deviation > 0):
        raise ValueError("the mean must be above 1 day and the deviation above 0")
    shape, scale = ((mean - 1) / deviation) ** 2, deviation**2 / (mean - 1)
    day = np.arange(longest + 1, dtype=np.float64)

    def below(at: Numbers, more: float) -> Numbers:
        return np.asarray(special.gammainc(shape + more, np.maximum(at, 0) / scale), dtype=np.float64)

    weights = day * below(day, 0) + (day - 2) * below(day - 2, 0) - 2 * (day - 1) * below(day - 1, 0)
    weights += shape * scale * (2 * below(day - 1, 1) - below(day - 2, 1) - below(day, 1))
    return np.asarray(np.maximum(weights, 0), dtype=np.float64)


def windows_of(days: int, length: int, first: int = 1) -> tuple[Whole, Whole]:
    """First and last day of every window of a length, from day number `first` on (day 0 has no infectors)."""
    starts = np.arange(first, max(days - length + 1, first), dtype=np.int64)
    return starts, starts + length - 1


def infectivity(counts: Numbers, weights: Numbers) -> Numbers:
    """Λ: what earlier cases weigh on each day, Σ counts[t − s] · weights[s]; NaN on day 0."""
    found = np.convolve(counts, np.r_[0.0, weights[1:]])[: len(counts)].astype(np.float64)
    found[:1] = np.nan
    return found


def _posterior(local: Numbers, pressure: Numbers, first: Whole, last: Whole, mean_prior: float, deviation_prior: float) -> tuple[Numbers, Numbers]:
    """Shape and scale of the gamma distribution of R in each window."""
    shape, rate = (mean_prior / deviation_prior) ** 2, mean_prior / deviation_prior**2
    cases, weight = (np.r_[0.0, np.cumsum(np.nan_to_num(values))] for values in (local, pressure))
    return shape + cases[last + 1] - cases[first], 1 / (rate + weight[last + 1] - weight[first])


def cori(counts: Numbers, weights: Numbers, first: Whole, last: Whole, *, imported: Numbers | None = None, mean_prior: float = 5.0,
         deviation_prior: float = 5.0) -> Reproduction:
    """R with a given serial interval (`weights` of 0, 1, … days; of 0 is left out); imported cases infect, but were not infected here.

    A window that ends before the mean interval has passed tells nothing (NaN). counts: all cases by day, `imported` among them.
    """
    local = counts - (imported if imported is not None else 0.0)
    shape, scale = _posterior(local, infectivity(counts, weights), first, last, mean_prior, deviation_prior)
    is_known = last + 1 > float((weights * np.arange(len(weights))).sum())
    shape, scale = np.where(is_known, shape, np.nan), np.where(is_known, scale, np.nan)
    quantiles = special.gammaincinv(shape[:, None], np.array(LEVELS)) * scale[:, None]
    return Reproduction(first, last, shape * scale, np.sqrt(shape) * scale, quantiles)


def cori_uncertain(counts: Numbers, intervals: Numbers, first: Whole, last: Whole, *, imported: Numbers | None = None, mean_prior: float = 5.0,
                   deviation_prior: float = 5.0) -> Reproduction:
    """R where the serial interval is not certain: the mixture over `intervals` (samples × days, as `sampled_intervals` draws them), its quantiles exact."""
    local = counts - (imported if imported is not None else 0.0)
    parts = [_posterior(local, infectivity(counts, one), first, last, mean_prior, deviation_prior) for one in intervals]
    shape, scale = (np.stack([part[at] for part in parts]) for at in (0, 1))
    mean = (shape * scale).mean(axis=0)
    spread = np.sqrt((shape * scale**2 + (shape * scale) ** 2).mean(axis=0) - mean**2)
    low, high = np.zeros((len(first), len(LEVELS))), np.repeat((mean + 60 * spread + 1e-9)[:, None], len(LEVELS), axis=1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = special.gammainc(shape[:, :, None], middle / scale[:, :, None]).mean(axis=0) < np.array(LEVELS)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    is_known = last + 1 > float((intervals * np.arange(intervals.shape[1])).sum(axis=1).mean())
    mean, spread = np.where(is_known, mean, np.nan), np.where(is_known, spread, np.nan)
    return Reproduction(first, last, mean, spread, np.where(is_known[:, None], (low + high) / 2, np.nan))


def sampled_intervals(mean: tuple[float, float, float, float], deviation: tuple[float, float, float, float], longest: int, samples: int, seed: int) -> Numbers:
    """Samples × days: serial intervals whose mean and deviation are normal (centre, spread) and cut at (least, most); the mean is not below the deviation."""
    rng, told = np.random.default_rng(seed), []
    for _ in range(200 * samples):
        one = [rng.normal(centre, spread) for centre, spread, _, _ in (mean, deviation)]
        if mean[2] <= one[0] <= mean[3] and deviation[2] <= one[1] <= deviation[3] and one[0] >= one[1] and one[0] > 1:
            told.append(gamma_interval(one[0], one[1], longest))
            if len(told) == samples:
                return np.stack(told)
    raise ValueError("no serial interval fits between the limits")


def _infected_by(counts: Numbers, weights: Numbers) -> Numbers:
    """Days × days: the chance that a case of the row's day was infected by one given case of the column's day."""
    days = len(counts)
    padded = np.r_[0.0, weights[1:], np.zeros(max(days + 1 - len(weights), 0))]
    delay = np.subtract.outer(np.arange(days), np.arange(days))
    chance = np.where(delay > 0, padded[np.clip(delay, 0, len(padded) - 1)], 0.0)
    total = chance @ counts
    return np.asarray(np.divide(chance, total[:, None], out=np.zeros_like(chance), where=total[:, None] > 0), dtype=np.float64)


def wallinga_teunis(counts: Numbers, weights: Numbers, first: Whole, last: Whole, *, simulations: int = 0, seed: int = 1) -> Reproduction:
    """R of the cases with onset in each window: the mean exact; deviation and quantiles from `simulations` trees of who infected whom (NaN without)."""
    counts = np.asarray(counts, dtype=np.float64)
    chance = _infected_by(counts, weights)
    own = counts @ chance

    def mean_of(by_day: Numbers) -> Numbers:
        """Mean over the cases of each window of what each day's cases infect (… × days)."""
        many, cases = np.cumsum(by_day * counts, axis=-1), np.cumsum(counts)
        many, cases = np.concatenate([np.zeros((*many.shape[:-1], 1)), many], axis=-1), np.r_[0.0, cases]
        within = cases[last + 1] - cases[first]
        return np.asarray(np.divide(many[..., last + 1] - many[..., first], within, out=np.full((*many.shape[:-1], len(first)), np.nan), where=within > 0))

    empty = np.full((len(first), len(LEVELS)), np.nan)
    if not simulations:
        return Reproduction(first, last, mean_of(own), empty[:, 0], empty)
    rng, infected = np.random.default_rng(seed), np.zeros((simulations, len(counts)))
    for day in np.flatnonzero(counts > 0):
        by_day = chance[day] * counts
        if by_day.sum() > 0:
            infected += rng.multinomial(int(counts[day]), by_day / by_day.sum(), size=simulations)
    drawn = mean_of(np.divide(infected, counts, out=np.zeros_like(infected), where=counts > 0))
    return Reproduction(first, last, mean_of(own), drawn.std(axis=0, ddof=1), np.quantile(drawn, LEVELS, axis=0).T)
