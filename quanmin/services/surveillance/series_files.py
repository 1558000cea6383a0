"""Reproduction numbers from a file of counts by day, and nowcasts from a line list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from quanmin.catalog.messages import say
from quanmin.detectors import nowcast as nowcasting
from quanmin.detectors import reproduction as reproducing
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import header_of
from quanmin.services.surveillance.bare_rows import Days, Numbers, Rows, Whole, edges_of, read_rows
from quanmin.services.surveillance.set_options import Given, Option, given

WIDE = 1e6
MOST_PERIODS = 4_000
REPRODUCTION = {
    "mean_si": Option(None, 1.000001, 365), "std_si": Option(None, 1e-6, 365), "window": Option(7, 1, 365, is_whole=True),
    "mean_prior": Option(5, 1e-6, WIDE), "std_prior": Option(5, 1e-6, WIDE), "std_mean_si": Option(None, 1e-9, 365), "min_mean_si": Option(None, 0, 365),
    "max_mean_si": Option(None, 0, 365), "std_std_si": Option(None, 1e-9, 365), "min_std_si": Option(None, 0, 365), "max_std_si": Option(None, 0, 365),
    "n1": Option(500, 1, 2_000, is_whole=True), "n_sim": Option(1000, 0, 10_000, is_whole=True), "seed": Option(1, 0, 2**31, is_whole=True)}
NOWCAST = {"method": Option("bnb_truncated", choices=nowcasting.METHODS), "D": Option(15, 1, 400, is_whole=True),
           "m": Option(None, 1, MOST_PERIODS, is_whole=True), "alpha": Option(0.05, 1e-6, 0.999), "most": Option(None, 1, 1e6, is_whole=True)}
METHODS = ("cori", "wallinga_teunis")
UNCERTAIN = ("std_mean_si", "min_mean_si", "max_mean_si", "std_std_si", "min_std_si", "max_std_si")


@dataclass(frozen=True)
class AskedReproduction:
    """Counts by day, how to read them, and the serial interval: a file of `lag, w`, or mean_si and std_si among `settings`."""

    file: Path
    method: str = "cori"
    date: str = "date"
    count: str = "count"
    imported: str = ""
    interval: Path | None = None
    settings: tuple[str, ...] = ()


def _refused(command: str, option: str, value: object, known: str) -> Refusal:
    return Refusal(Problem(command, None, option, str(value)[:40], say("quality_bad_option"), say("quality_mend_range", range=known)))


def _day_numbers(rows: Rows, column: str) -> tuple[Whole, Days | None]:
    """Days as numbers from 0, and the first date; whole numbers (a running index) as they are, without a date."""
    texts = rows.told(column)
    if len(texts) and all(str(text).isdigit() and len(str(text)) != len("2026") for text in texts.tolist()):
        index = rows.counts(column)
        return index - int(index.min()), None
    days, grain = rows.dates(column)
    rows.refuse(grain != "D", column, say("unreadable_date"), say("mend_date"))
    rows.refuse(days > np.datetime64(date.today(), "D"), column, say("scan_future"), say("scan_mend_future"))
    first = days.min() if len(days) else np.datetime64(date.today(), "D")
    return (days - first).astype(np.int64), np.array([first])


def _interval(asked: AskedReproduction, chosen: Given, days: int) -> tuple[Numbers, bool]:
    """Weights by day, or samples of them (and then True)."""
    if asked.interval is not None:
        header = header_of(asked.interval)
        lag, weight = (next((name for name in names if name in header), names[0]) for names in (("lag", "k", "day"), ("w", "weight", "p")))
        rows = read_rows(asked.interval, (lag, weight))
        lags, weights = rows.counts(lag), rows.numbers(weight)
        rows.refuse((weights < 0) | (weights > 1), weight, say("reproduction_bad_weight"), say("reproduction_mend_weight"))
        rows.refuse(lags > MOST_PERIODS, lag, say("reproduction_bad_weight"), say("reproduction_mend_weight"))
        found = np.zeros(int(lags.max(initial=0)) + 1)
        np.add.at(found, lags, weights)
        if not 0 < found[1:].sum() <= 1 + 1e-3:
            raise Refusal(Problem(rows.file, None, weight, f"{found[1:].sum():g}", say("reproduction_bad_weight"), say("reproduction_mend_weight")))
        return found, False
    if not (chosen.has("mean_si") and chosen.has("std_si")):
        raise Refusal(Problem("reproduction", None, "--set mean_si, std_si", "", say("quality_need"),
                              say("quality_mend_need", options="--set mean_si=… --set std_si=… | --interval FILE")))
    if not any(chosen.has(name) for name in UNCERTAIN):
        return reproducing.gamma_interval(chosen.number("mean_si"), chosen.number("std_si"), days), False
    if not all(chosen.has(name) for name in UNCERTAIN):
        raise Refusal(Problem("reproduction", None, "--set", "", say("quality_need"), say("quality_mend_need", options=", ".join(UNCERTAIN))))
    mean, spread = (tuple(chosen.number(name) for name in (f"{kind}_si", f"std_{kind}_si", f"min_{kind}_si", f"max_{kind}_si")) for kind in ("mean", "std"))
    try:
        return reproducing.sampled_intervals(mean, spread, days, chosen.whole("n1"), chosen.whole("seed")), True  # type: ignore[arg-type]
    except ValueError as error:
        raise _refused("reproduction", "--set", ", ".join(UNCERTAIN), "min < mean_si < max") from error


def reproduction_of(asked: AskedReproduction) -> list[dict[str, Any]]:
    """R by window; days that the file leaves out count as days without a case. Raises Refusal for options and files that cannot be used."""
    if asked.method not in METHODS:
        raise _refused("reproduction", "--method", asked.method, " | ".join(METHODS))
    chosen = given("reproduction", asked.settings, REPRODUCTION)
    rows = read_rows(asked.file, tuple(name for name in (asked.date, asked.count, asked.imported) if name))
    number, first = _day_numbers(rows, asked.date)
    counted = rows.counts(asked.count)
    foreign = rows.counts(asked.imported) if asked.imported else np.zeros(len(rows), dtype=np.int64)
    rows.refuse(foreign > counted, asked.imported or asked.count, say("reproduction_more_imported"), say("reproduction_mend_imported"))
    days = int(number.max(initial=0)) + 1
    length = chosen.whole("window")
    if not len(rows) or days <= length or days > MOST_PERIODS:
        raise Refusal(Problem(rows.file, None, asked.date, str(days), say("reproduction_short", days=length + 1), say("reproduction_mend_short")))
    counts, imported = np.zeros(days), np.zeros(days)
    np.add.at(counts, number, counted)
    np.add.at(imported, number, foreign)
    weights, is_sampled = _interval(asked, chosen, days)
    begins, ends = reproducing.windows_of(days, length)
    prior = {"mean_prior": chosen.number("mean_prior"), "deviation_prior": chosen.number("std_prior")}
    if asked.method == "wallinga_teunis":
        if is_sampled:
            raise _refused("reproduction", "--method", asked.method, "cori")
        found = reproducing.wallinga_teunis(counts, weights, begins, ends, simulations=chosen.whole("n_sim"), seed=chosen.whole("seed"))
    else:
        told = reproducing.cori_uncertain if is_sampled else reproducing.cori
        found = told(counts, weights, begins, ends, imported=imported, **prior)
    return _windows(found, counts, first)


def _windows(found: reproducing.Reproduction, counts: Numbers, first: Days | None) -> list[dict[str, Any]]:
    cases = np.r_[0.0, np.cumsum(counts)]

    def day(number: int) -> str | int:
        return number + 1 if first is None else str(first[0] + number)

    names = [f"q{level * 100:g}" for level in found.levels]
    rows = []
    for at, (begin, end) in enumerate(zip(found.first.tolist(), found.last.tolist(), strict=True)):
        figures = dict(zip(("r", "deviation", *names), (found.mean[at], found.deviation[at], *found.quantiles[at]), strict=True))
        rows.append({"first_on": day(begin), "last_on": day(end), "cases": int(cases[end + 1] - cases[begin])}
                    | {name: None if value != value else float(value) for name, value in figures.items()})
    return rows


@dataclass(frozen=True)
class AskedNowcast:
    """A line list with the day of onset and of report (or, with `delay`, of onset, delay in periods and count), and `now` (the newest report without)."""

    file: Path
    onset: str = "onset"
    report: str = "report"
    delay: str = ""
    count: str = "count"
    period: str = "day"
    now: str = ""
    settings: tuple[str, ...] = ()


def nowcast_of(asked: AskedNowcast) -> list[dict[str, Any]]:
    """By period of onset: cases reported and estimated. Raises Refusal for options and files that cannot be used."""
    chosen = given("nowcast", asked.settings, NOWCAST)
    if asked.period not in ("day", "week"):
        raise _refused("nowcast", "--period", asked.period, "day | week")
    longest = chosen.whole("D")
    rows = read_rows(asked.file, (asked.onset, asked.delay or asked.report), (asked.count,))
    onset = rows.dates(asked.onset)[0]
    if asked.delay:
        report = onset + rows.counts(asked.delay) * (7 if asked.period == "week" else 1)
    else:
        report = rows.dates(asked.report)[0]
        rows.refuse(report < onset, asked.report, say("nowcast_before_onset"), say("nowcast_mend_before_onset"))
    counts = rows.counts(asked.count) if asked.count in rows.columns else np.ones(len(rows), dtype=np.int64)
    try:
        now = np.datetime64(date.fromisoformat(asked.now), "D") if asked.now else report.max()
    except ValueError as error:
        raise _refused("nowcast", "--now", asked.now or rows.file, "2026-03-01") from error
    rows.refuse(onset > np.datetime64(date.today(), "D"), asked.onset, say("scan_future"), say("scan_mend_future"))
    kept = report <= now
    first = onset[kept].min() if kept.any() else now
    periods = int((now - first).astype(np.int64)) // (7 if asked.period == "week" else 1) + 1
    if periods <= longest or periods > MOST_PERIODS:
        raise Refusal(Problem(rows.file, None, asked.onset, str(periods), say("reproduction_short", days=longest + 1), say("reproduction_mend_short")))
    edges = edges_of(first, now, asked.period)
    begun, told = (np.searchsorted(edges, days[kept], side="right") - 1 for days in (onset, report))
    many = counts[kept]
    triangle = nowcasting.triangle_of(np.repeat(begun, many), np.repeat(told, many), len(edges) - 2, longest)
    found = nowcasting.nowcast(triangle, chosen.text("method"), alpha=chosen.number("alpha"),  # type: ignore[arg-type]
                               window=chosen.whole("m") if chosen.has("m") else None, most=chosen.whole("most") if chosen.has("most") else None)
    return _estimates(found, edges)


def _estimates(found: nowcasting.Nowcast, edges: Days) -> list[dict[str, Any]]:
    columns: Sequence[Any] = (found.reported, found.median, found.low, found.high, found.share)
    return [{"onset_on": str(edges[at])} | dict(zip(("reported", "estimate", "low", "high", "reported_share"), (value.item() for value in values), strict=True))
            for at, values in enumerate(zip(*columns, strict=True))]
