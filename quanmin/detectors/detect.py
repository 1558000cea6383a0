"""detect(counts, method, **settings): one signature for every detector of a single series, over all series at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from quanmin.detectors.cusum import binomial_cusum, cusum
from quanmin.detectors.day_effects import FEWEST_DAYS, day_factors, kinds_of_days
from quanmin.detectors.essence import essence
from quanmin.detectors.fallback import with_fallback, with_single_cases
from quanmin.detectors.farrington import farrington
from quanmin.detectors.individuals import xmr
from quanmin.detectors.likelihood_ratio import glr
from quanmin.detectors.moments import cdc, ears, fixed_threshold, moving_percentile, rki
from quanmin.detectors.outbreak_p import outbreak_p
from quanmin.detectors.settings import SETTINGS, method_of, settled
from quanmin.detectors.signals import Flags, Numbers, Series, SettingError, Signals, Timeline, Whole

__all__ = ["METHODS", "detect"]
FALLBACK_ALPHA = 0.005
YEARS = 5
FEWEST_CASES = 10  # in the baseline, below which a regression says little
Method = Callable[[Series, str, Mapping[str, Any]], Signals]
METHODS: dict[str, Method] = {
    "farrington_flexible": farrington, "farrington": farrington, "ears": ears, "cusum": cusum, "glr_poisson": glr, "glr_negbin": glr,
    "binomial_cusum": binomial_cusum,
    "outbreak_p": outbreak_p, "rki": rki, "bayes": rki, "cdc": cdc, "moving_percentile": moving_percentile, "fixed_threshold": fixed_threshold,
    "essence": essence, "xmr": xmr,
}
assert set(METHODS) == set(SETTINGS)


def detect(counts: Numbers, method: str, /, *, timeline: Timeline | None = None, population: Numbers | None = None, exclude: Flags | None = None,
           range: Any = None, fallback: bool = True, fallback_alpha: float | None = None, fewest_cases: float | None = None,
           single_case: bool | Sequence[bool] | Flags = False, holidays: Iterable[date] | None = None, workdays: Iterable[date] = (), day_effects: bool = False,
           workers: int | None = None, **settings: Any) -> Signals:
    """Look for unusual counts; returns Signals for the periods judged.

    `counts` has the shape (series, time), NaN where a period is missing; `population` the same shape (denominators, people under observation, tests).
    `exclude` (the same shape, or one row for all) marks periods of confirmed outbreaks: judged, but in no baseline. `range` says which periods are judged:
    {"from": 300, "to": 522} as R counts, from 1, or places from 0; without it all whose whole baseline exists. `fallback`: where the method has no model,
    or its baseline has fewer than `fewest_cases` (Farrington: 10), the Bayes predictive judges at `fallback_alpha`; without it results are the
    reference's, missing values included. `single_case` marks series (or all) of which any case is a signal. `day_effects` (daily series with dates) takes
    weekdays, `holidays` and `workdays` into account. `workers` threads share the series. All else are the method's settings, see `settings.SETTINGS`.

    Raises SettingError for a method or setting that is not known or cannot be used.
    """
    line = timeline or Timeline()
    name = method_of(method)
    chosen = settled(name, settings, line.freq)
    told = np.ascontiguousarray(np.atleast_2d(np.asarray(counts, dtype=np.float64)))
    first = max(_first(name, chosen, line.freq), FEWEST_DAYS if day_effects else 0)
    judged = _periods(range, told.shape[1], first, fallback)
    if not judged.size:
        raise SettingError("range", told.shape[1], "range", f"> {first}")
    if line.dates is not None and len(line.dates) != told.shape[1]:
        raise SettingError("dates", len(line.dates), "range", str(told.shape[1]))
    history = told
    if exclude is not None:
        history = np.where(np.broadcast_to(np.asarray(exclude, dtype=bool), told.shape), np.nan, told)
    people = None if population is None else np.ascontiguousarray(np.broadcast_to(np.asarray(population, dtype=np.float64), told.shape))
    of = Series(told, history, people, line, judged, not fallback, workers or (os.cpu_count() or 1 if len(told) > 64 else 1))
    if day_effects:
        signals = _by_kind_of_day(of, name, chosen, frozenset(holidays or ()), frozenset(workdays))
    else:
        signals = METHODS[name](of, name, chosen)
    if fallback:
        signals = _stood_in(signals, of, name, chosen, fallback_alpha, fewest_cases)
    return with_single_cases(signals, of, np.broadcast_to(np.asarray(single_case, dtype=bool), len(told)))


def _stood_in(signals: Signals, of: Series, name: str, settings: Mapping[str, Any], alpha: float | None, fewest_cases: float | None) -> Signals:
    """The signals with the Bayes predictive where the method has no say: with the Farrington methods' own baseline, else that of all earlier periods of
    five years."""
    is_regression = name.startswith("farrington")
    if alpha is None:
        alpha = float(settings["alpha"]) if is_regression else FALLBACK_ALPHA
    least = (FEWEST_CASES if is_regression else 0) if fewest_cases is None else fewest_cases
    past = int(settings["pastWeeksNotIncluded"]) if name == "farrington_flexible" else int(settings["w"]) if is_regression else 0
    return with_fallback(signals, of, alpha, int(settings.get("b") or YEARS) * of.timeline.freq, past, least)


def _first(name: str, settings: Mapping[str, Any], freq: int) -> int:
    """The first place (from 0) whose whole baseline can exist."""
    if name in ("farrington", "farrington_flexible"):
        return int(settings["b"] * freq + settings["w"])
    if name in ("rki", "bayes"):
        return int(settings["b"] * freq + settings["w"])
    if name == "ears":
        return int(settings["baseline"] + {"C1": 0, "C2": 2, "C3": 4}[settings["method"]])
    if name == "cdc":
        return int(settings["b"] * freq + 4 * settings["m"] + 3)
    if name == "moving_percentile":
        steps = settings["block_steps"] or (7 if freq >= 300 else 1)
        return int((settings["year_steps"] or (364 if freq >= 300 else freq)) * settings["years"] + steps * (settings["half_window_blocks"] + 1) - 1)
    if name in ("cusum", "glr_poisson", "glr_negbin", "binomial_cusum", "xmr"):
        return int(min(2 * freq, 104))
    return 0


def _periods(wanted: Any, length: int, first: int, fallback: bool) -> Whole:
    """Places of the periods judged."""
    if wanted is None:
        begin = first if first < length else (min(8, max(length - 1, 0)) if fallback else length)
        return np.arange(begin, length)
    if isinstance(wanted, Mapping):
        begin, end = int(wanted.get("from") or 1), int(wanted.get("to") or length)
        if not 1 <= begin <= end <= length:
            raise SettingError("range", f"{begin}:{end}", "range", f"1:{length}")
        return np.arange(begin - 1, end)
    places = np.asarray(wanted, dtype=np.int64).ravel()
    if places.size and (places.min() < 0 or places.max() >= length or (np.diff(places) <= 0).any()):
        raise SettingError("range", str(wanted)[:40], "range", f"0 … {length - 1}")
    return places


def _by_kind_of_day(of: Series, name: str, settings: dict[str, Any], holidays: frozenset[date], workdays: frozenset[date]) -> Signals:
    """The method with what weekdays and holidays do taken out: as an offset where the method knows one, else counts are divided and limits multiplied again."""
    if of.timeline.dates is None or of.timeline.freq < 300:
        raise SettingError("day_effects", True, "needed", "date")
    factors = day_factors(of.history, kinds_of_days(of.timeline, holidays, workdays), int(of.periods[0]) if of.periods.size else 0)
    if name.startswith("farrington"):
        known = of.population if settings["populationOffset"] and of.population is not None else 1.0
        return METHODS[name](replace(of, population=factors * known), name, settings | {"populationOffset": True})
    at = factors[:, of.periods]
    signals = METHODS[name](replace(of, counts=of.counts / factors, history=of.history / factors), name, settings)
    return replace(signals, observed=of.observed(), expected=signals.expected * at, upper=signals.upper * at, extra=signals.extra | {"day_factor": at})
