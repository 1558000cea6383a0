"""`quanmin quality cusum`: every unit's cases in order, from bare files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import special

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import NUMBER, Cases, read_cases
from quanmin.services.quality.charts import by_unit, ra_cusum, rocket_tails, vlad
from quanmin.services.quality.run_length import limit_for

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What to follow: columns of the files (`risk`, or `score` with its intercept and slope on the log-odds scale), and how to signal.

    With a `run_length` the limit is found at which a chart without any change runs so many cases on average; the files' own risks are its mix.
    """

    outcome: str
    risk: str = ""
    score: str = ""
    intercept: float = 0.0
    slope: float = 1.0
    unit: str = ""
    order: str = ""
    odds: float = 2.0
    limit: float = 4.5
    run_length: float | None = None
    reset: bool = True
    level: float = 0.95


@dataclass(frozen=True)
class Followed:
    """One unit's chart in short: `first_signal` counts its cases from 1, 0 where there is none."""

    unit: str
    cases: int
    observed: float
    expected: float
    vlad: float
    highest: float
    signals: int
    first_signal: int


@dataclass(frozen=True)
class Monitored:
    """All charts: a row per usable case, unit by unit in order, a line per unit, the limit used, and the cases they were made of."""

    rows: pa.Table
    units: tuple[Followed, ...]
    limit: float
    cases: Cases


def coded(texts: pa.Array) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct texts, sorted, and the place of each row's among them."""
    names, places = np.unique(np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object).astype(str), return_inverse=True)
    return [str(name) for name in names], places.astype(np.int64)


def sortable(texts: pa.Array) -> NDArray[np.generic]:
    """Texts as something that sorts: numbers if all of them are, else as they stand (dates as 2026-03-01 sort well)."""
    found: NDArray[np.generic] = np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object).astype(str)
    is_number = pc.all(pc.match_substring_regex(texts, NUMBER)).as_py()
    return found.astype(np.float64) if is_number else found


def _check(asked: Asked) -> None:
    above = say("quality_above_zero")
    wrong = [
        ("--odds", asked.odds, not (0 < asked.odds < np.inf and asked.odds != 1), say("quality_odds_range")),
        ("--limit", asked.limit, not 0 < asked.limit < np.inf, above),
        ("--run-length", asked.run_length, asked.run_length is not None and not 1 < asked.run_length < np.inf, say("quality_above_one")),
        ("--level", asked.level, not 0 < asked.level < 1, say("quality_level_range"))]
    problems = [Problem(option, None, "", str(value), say("quality_bad_option"), say("quality_mend_range", range=told)) for option, value, bad, told in wrong
                if bad]
    if bool(asked.risk) == bool(asked.score):
        problems.append(Problem("--risk", None, "", "", say("quality_need"), say("quality_mend_need", options="--risk | --score --intercept --slope")))
    if problems:
        raise Refusal(*problems)


def _risks(cases: Cases, asked: Asked) -> Numbers:
    if asked.risk:
        return cases.between(asked.risk, 0, 1, say("quality_no_risk"), say("quality_mend_risk"))
    found: Numbers = special.expit(asked.intercept + asked.slope * cases.numbers(asked.score))
    return found


def _limit(asked: Asked, risks: Numbers) -> float:
    if asked.run_length is None:
        return asked.limit
    try:
        return limit_for(asked.run_length, risks, asked.odds)
    except ValueError as error:
        raise Refusal(Problem("--run-length", None, "", f"{asked.run_length:g}", say("quality_no_length"), say("quality_mend_length"))) from error


def monitor(paths: Sequence[Path], asked: Asked) -> Monitored:
    """The RA-CUSUM and VLAD of every unit of the files.

    Raises Refusal for files that cannot be read, columns that are not there, options that cannot be used, and where no row is left.
    """
    _check(asked)
    cases = read_cases(paths, [asked.risk, asked.score, asked.unit, asked.order], asked.outcome)
    outcome, risk = cases.outcome(asked.outcome), _risks(cases, asked)
    units = cases.told(asked.unit) if asked.unit else pa.array([say("quality_all")] * cases.usable.size, pa.string())
    order = cases.told(asked.order) if asked.order else None
    kept = cases.kept()
    outcome, risk = outcome[kept], risk[kept]
    names, unit = coded(units.take(pa.array(kept)))
    limit = _limit(asked, risk)
    when = np.arange(kept.size) if order is None else sortable(order.take(pa.array(kept)))
    sequence = np.lexsort((np.arange(kept.size), when))
    found = {name: np.zeros(kept.size) for name in ("weight", "cusum", "vlad", "tail")}
    signal, placed, followed = np.zeros(kept.size, dtype=bool), [], []
    for name, within in zip(names, by_unit(unit[sequence], len(names)), strict=True):
        at = sequence[within]
        chart = ra_cusum(outcome[at], risk[at], asked.odds, limit, asked.reset)
        found["weight"][at], found["cusum"][at], signal[at] = chart.weight, chart.path, chart.signal
        found["vlad"][at], found["tail"][at] = vlad(outcome[at], risk[at]), rocket_tails(risk[at], asked.level)
        placed.append(at)
        followed.append(Followed(name, at.size, float(outcome[at].sum()), float(risk[at].sum()), float(found["vlad"][at[-1]]), float(chart.path.max()),
                                 int(chart.signal.sum()), int(np.argmax(chart.signal)) + 1 if chart.signal.any() else 0))
    rows = pa.table({
        "file": pa.array([cases.names[number] for number in cases.files[kept]]), "line": cases.lines[kept], "unit": pa.array([names[u] for u in unit]),
        "order": order.take(pa.array(kept)) if order is not None else pa.array([str(n) for n in cases.lines[kept]]), "outcome": outcome.astype(np.int64),
        "risk": risk, **found, "signal": signal.astype(np.int64)})
    return Monitored(rows.take(pa.array(np.concatenate(placed))), tuple(followed), limit, cases)
