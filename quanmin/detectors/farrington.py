"""Farrington et al. 1996 and Farrington Flexible (Noufaily et al. 2013), equal to R's `surveillance`, over all series and periods in one compiled loop."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from quanmin.detectors.compiling import compiled
from quanmin.detectors.farrington_fit import CONVERGED, DISPERSION, P_VALUE, PREDICTED, RESULTS, SLOPE, VARIANCE, WORK, fit
from quanmin.detectors.probability import count_at_least, count_quantile, normal_above
from quanmin.detectors.reference_periods import NOWHERE, block_labels, reference_points, times, usable_years
from quanmin.detectors.signals import (
    ALARM,
    FEWER_YEARS,
    MISSING,
    NO_MODEL,
    NOT_CONVERGED,
    OK,
    QUIET,
    TOO_FEW_CASES,
    TOO_SHORT,
    Numbers,
    Series,
    SettingError,
    Signals,
    signals,
)

POWERS = {"2/3": 2 / 3, "1/2": 0.5, "none": 1.0}
THRESHOLDS = ("delta", "nbPlugin", "muan")
EXPECTED, UPPER, SCORE, TAIL, PHI, TREND = range(6)
FEWEST_YEARS = 3  # with fewer, a window of seven weeks has too few rows to say what is usual


@dataclass(frozen=True)
class Design:
    """Per period judged (first axis): the baseline's places, their times and levels, how many, where the prediction lies, and how many years it reaches
    back."""

    rows: NDArray[np.int64]
    time: Numbers
    label: NDArray[np.int64]
    size: NDArray[np.int64]
    time_now: Numbers
    years: NDArray[np.int64]


def design(of: Series, b: int, w: int, blocks: int, past: int) -> Design:
    """The baselines of all periods; a period without enough years has none (size 0)."""
    parts: list[tuple[NDArray[np.int64], Numbers, NDArray[np.int64], float, int]] = []
    nothing = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), 0.0, 0)
    for at in of.periods.tolist():
        points = reference_points(of.timeline, at, b)
        years = usable_years(points, w)
        if years < b and (of.is_strict or years < min(b, FEWEST_YEARS)):
            parts.append(nothing)
            continue
        try:
            labels = block_labels(points[: years + 1], w, blocks, at)
        except ValueError as error:
            raise SettingError("noPeriods", blocks, "range", "1–10") from error
        labels[max(at - past, 0):] = NOWHERE
        rows = np.flatnonzero(labels != NOWHERE)
        if not rows.size:
            parts.append(nothing)
            continue
        time = times(of.timeline, int(rows[0]))
        parts.append((rows, time[rows], labels[rows], float(time[at]), years))
    widest = max((len(part[0]) for part in parts), default=0)

    def padded(which: int) -> NDArray[Any]:
        return np.array([np.pad(part[which], (0, widest - len(part[0]))) for part in parts]).reshape(len(parts), widest)  # type: ignore[arg-type]

    return Design(padded(0).astype(np.int64), padded(1).astype(np.float64), padded(2).astype(np.int64), np.array([len(part[0]) for part in parts], np.int64),
                  np.array([part[3] for part in parts]), np.array([part[4] for part in parts], np.int64))


@compiled
def _upper(mean, variance, phi, level, z, power, threshold, seen):  # type: ignore[no-untyped-def]
    """The limit and the probability of so many cases or more."""
    if threshold == 0:
        tau = phi + mean * variance
        if power == 1.0:
            deviation = math.sqrt(mean * tau)
        elif power == 0.5:
            deviation = math.sqrt(tau / 4)
        else:
            deviation = math.sqrt(4 / 9 * mean ** (1 / 3) * tau)
        centre = mean ** power
        top = centre + z * deviation
        return (top ** (1 / power) if top > 0 else math.nan), normal_above((seen ** power - centre) / deviation)
    if threshold == 2:
        mean = math.exp(min(math.log(mean) + z * math.sqrt(variance), 710.0))
        if math.isinf(mean):
            return math.nan, math.nan
    return count_quantile(level, z, mean, phi), count_at_least(seen, mean, phi)


@compiled
def _chosen(n, y, y23, x, label, offset, log_start, log_part, work, sums, levels, with_trend, p_trend, b, is_original, weights, x0, offset0, found):  # type: ignore[no-untyped-def]
    """Write into `found` the fit with the trend where it is to be kept, else without; returns whether it was kept."""
    for attempt in range(0 if with_trend else 1, 2):  # one place that calls the fit: less to compile
        fit(n, y, y23, x, label, offset, log_start, log_part, work, sums, levels, attempt == 0, is_original, weights, x0, levels - 1, offset0, found)
        if attempt == 0 and found[CONVERGED] == 1 and found[P_VALUE] < p_trend and b >= 3:
            for i in range(n):
                if found[PREDICTED] <= y[i]:
                    return True
    return False


@compiled
def _recent(counts, s, k, over, is_strict):  # type: ignore[no-untyped-def]
    """Cases of the last periods, the one judged included; strictly NaN where one of them is missing."""
    total = 0.0
    for t in range(max(k - over + 1, 0), k + 1):
        if is_strict or not math.isnan(counts[s, t]):
            total += counts[s, t]
    return total


@compiled
def _gathered(history, log_population, s, rows, time, labels, size, root, logs, parts, y, y23, x, label, offset, start, part):  # type: ignore[no-untyped-def]
    """The baseline rows that have a count and a population, side by side; returns how many."""
    n = 0
    for i in range(size):
        r = rows[i]
        if math.isnan(history[s, r]) or math.isnan(log_population[s, r]):
            continue
        y[n], y23[n], x[n], label[n] = history[s, r], root[r], time[i], labels[i]
        offset[n], start[n], part[n] = log_population[s, r], logs[r], parts[r]
        n += 1
    return n


@compiled
def _told(s, j, seen, mean, upper, tail, recent, fewest, is_linked, is_strict, out, alarm, reason):  # type: ignore[no-untyped-def]
    """What is written of a period with a model; where nothing may stand in (strict) as the reference writes it."""
    out[EXPECTED, s, j], reason[s, j] = mean, OK
    if math.isnan(seen) and not is_strict:
        reason[s, j], out[UPPER, s, j] = MISSING, upper
        return
    if math.isnan(upper) and not is_strict:  # a limit beyond all numbers watches nothing
        reason[s, j] = NOT_CONVERGED
        return
    out[TAIL, s, j] = tail
    centre = math.log(mean) if is_linked else mean
    out[SCORE, s, j] = (seen - centre) / (upper - centre) if upper != centre else math.nan
    alarm[s, j] = QUIET
    if recent >= fewest and not (is_strict and math.isnan(upper)):
        out[UPPER, s, j] = upper
        alarm[s, j] = ALARM if seen > upper and seen != 0 else QUIET
        return
    reason[s, j] = MISSING if math.isnan(recent) else TOO_FEW_CASES if recent < fewest else OK
    if is_strict:
        out[EXPECTED, s, j] = math.nan


@compiled
def _judge(counts, history, log_population, rows, time, labels, size, time_now, years, periods, levels, with_trend, p_trend, is_original,  # type: ignore[no-untyped-def]
           weights, fewest, over, level, z, power, threshold, is_linked, is_strict, is_shifted, begin, end, out, alarm, reason, used_rows,
           label, work, sums, found, y, y23, x, offset, start, part, root, logs, parts):
    """Judge the series `begin` … `end`−1; results go into out (6, series, period), alarm, reason and used_rows; what comes after is scratch."""
    length = counts.shape[1]
    for s in range(begin, end):
        for t in range(length):
            value = history[s, t]
            root[t], logs[t], parts[t] = value ** (2 / 3), math.log(value + 0.1), (value * math.log(value) if value > 0 else 0.0)
        for j in range(len(periods)):
            k = periods[j]
            n = _gathered(history, log_population, s, rows[j], time[j], labels[j], size[j], root, logs, parts, y, y23, x, label, offset, start, part)
            used_rows[s, j] = n
            if n == 0 or math.isnan(log_population[s, k]):
                reason[s, j] = TOO_SHORT
                continue
            now = time_now[j] - x[0] if is_shifted else time_now[j]
            has_trend = _chosen(n, y, y23, x, label, offset, start, part, work, sums, levels, with_trend, p_trend, years[j], is_original, weights, now,
                                log_population[s, k], found)
            mean, phi = found[PREDICTED], found[DISPERSION]
            if math.isnan(mean) or math.isnan(phi):
                reason[s, j] = NOT_CONVERGED
                out[EXPECTED, s, j] = 0.0 if is_strict and not is_original else math.nan  # the reference leaves its initial value
                continue
            upper, tail = _upper(mean, found[VARIANCE], phi, level, z, power, threshold, counts[s, k])
            out[PHI, s, j] = phi
            if has_trend:
                out[TREND, s, j] = found[SLOPE]
            _told(s, j, counts[s, k], mean, upper, tail, _recent(counts, s, k, over, is_strict), fewest, is_linked, is_strict, out, alarm, reason)


def farrington(of: Series, name: str, settings: Mapping[str, Any]) -> Signals:
    """Judge series by Farrington's method; `settings` as R names them (b, w, reweight, weightsThreshold, trend, pThresholdTrend, limit54, powertrans,
    noPeriods, pastWeeksNotIncluded, thresholdMethod, alpha, populationOffset). `name` "farrington" is the version of 1996, which uses z of 1−α/2, its
    windows only and other dispersions. Where nothing may stand in (strict), the score of the plug-in limits is measured from the logarithm of the
    expectation, as R does."""
    is_original = name == "farrington"
    blocks = 1 if is_original else settings["noPeriods"]
    past = 0 if is_original else settings["pastWeeksNotIncluded"]
    plan = design(of, settings["b"], settings["w"], blocks, settings["w"] if is_original else past)
    if settings["populationOffset"] and of.population is None:
        raise SettingError("populationOffset", True, "needed", "population")
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.log(of.population) if settings["populationOffset"] and of.population is not None else np.zeros(of.counts.shape)
    offset = np.ascontiguousarray(np.where(np.isfinite(offset), offset, np.nan))
    alpha = settings["alpha"] / 2 if is_original else settings["alpha"]
    threshold = 0 if is_original else THRESHOLDS.index(settings["thresholdMethod"])
    is_shifted = of.is_strict and not is_original and of.timeline.dates is not None  # the reference predicts from its first row that has a count
    out = np.full((TREND + 1, *of.shape), np.nan)
    alarm, reason, used_rows = np.full(of.shape, NO_MODEL, np.int8), np.full(of.shape, TOO_SHORT, np.int8), np.zeros(of.shape, np.int64)

    widest, length = plan.rows.shape[1], of.counts.shape[1]

    def judge(begin: int, end: int) -> None:
        _judge(of.counts, of.history, offset, plan.rows, plan.time, plan.label, plan.size, plan.time_now, plan.years, of.periods, blocks, settings["trend"],
               float(settings["pThresholdTrend"]), is_original, float(settings["weightsThreshold"]) if settings["reweight"] else -1.0,
               float(settings["limit54"][0]),
               int(settings["limit54"][1]), 1 - alpha, float(ndtri(1 - alpha)), POWERS[settings["powertrans"]],
               threshold, of.is_strict and threshold > 0, of.is_strict, is_shifted, begin, end, out, alarm, reason, used_rows,
               np.zeros(widest, np.int64), np.empty((WORK, max(widest, 1))), np.zeros((4, blocks)), np.empty(RESULTS), *np.zeros((6, widest)),
               *np.empty((3, length)))

    in_threads(judge, len(of.counts), of.workers)
    reason[(reason == OK) & (plan.years < settings["b"])[None, :] & (used_rows > 0)] = FEWER_YEARS
    if of.is_strict and is_original:  # what the reference shows where too few cases are about
        out[UPPER][reason == TOO_FEW_CASES] = 0.0
    has = plan.size > 0
    last = np.array([plan.rows[j, n - 1] if n else -1 for j, n in enumerate(plan.size.tolist())])
    first = np.where(has, plan.rows[:, 0], -1) if plan.rows.size else np.full(len(last), -1)
    told = signals(name, of, out[UPPER], expected=out[EXPECTED], score=out[SCORE], alarm=alarm, reason=reason, p_value=out[TAIL],
                   baseline=(first, last, used_rows), phi=out[PHI], trend=out[TREND])
    return told


def in_threads(work: Any, count: int, workers: int) -> None:
    """Call work(begin, end) for stretches of 0 … count−1 in threads; the compiled loops let go of the interpreter's lock."""
    if workers <= 1 or count < 2 * workers:
        work(0, count)
        return
    ends = np.linspace(0, count, 4 * workers + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, begin, end) for begin, end in itertools.pairwise(ends) if end > begin]:
            done.result()


