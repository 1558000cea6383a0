"""Detectors on a bare file of counts: what is asked for, the signals, and the table they are written as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from quanmin.catalog.messages import all_messages, say
from quanmin.detectors.detect import detect
from quanmin.detectors.ranking import rank
from quanmin.detectors.settings import Setting, checked, method_of
from quanmin.detectors.signals import ALARM, NO_MODEL, REASONS, USED, SettingError, Signals
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import header_of
from quanmin.services.surveillance.counts_file import Counts, Layout, read_counts

Numbers = NDArray[np.float64]
GIVEN = ("mu0", "m", "pi0")  # settings that may be a column, or FILE:COLUMN
OWN = ("freq", "start", "range", "exclude", "single_case", "holidays", "workdays")  # settings of ours, beside the flags and numbers below
CHECKED = {"fallback": Setting(True, "flag"), "day_effects": Setting(False, "flag"), "fallback_alpha": Setting(None, "number", 1e-12, 0.5),
           "fewest_cases": Setting(None, "number", 0, 1e9), "budget": Setting(None, "whole", 0, 1e9), "share": Setting(1.0, "number", 1e-12, 1),
           "workers": Setting(None, "whole", 1, 256)}
COLUMN = "column "  # how R's runs name a column that was given


@dataclass(frozen=True)
class Asked:
    """A file, how it is laid out, the method and its settings; `population` is a column or another file of the same layout."""

    path: Path
    method: str
    date: str
    counts: tuple[str, ...]
    by: tuple[str, ...]
    population: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """The signals as a table, and what they come to: series, periods judged (series × periods), alarms, and how many had no or another model, by reason."""

    table: pa.Table
    method: str
    series: int
    periods: int
    judged: int
    alarms: int
    unmodelled: Counter[str]
    stood_in: Counter[str]
    raised: int


def signals_of(asked: Asked) -> Found:
    """Read, detect, lay out. Raises Refusal for files and settings that cannot be used."""
    try:
        return _signals_of(asked)
    except SettingError as error:
        raise _refused(error) from error


def _refused(error: SettingError) -> Refusal:
    option = "--method" if error.name == "method" else "--population" if error.name == "population" else "--set"
    rule = f"detect_setting_{error.rule}"
    rule = rule if rule in all_messages() else "detect_setting_range"
    return Refusal(Problem(option, None, error.name, str(error.value)[:60], say(rule), say("detect_mend_allowed", allowed=error.allowed or "-")))


def _signals_of(asked: Asked) -> Found:
    method, settings = method_of(asked.method), dict(asked.settings)
    own = {name: settings.pop(name) for name in OWN if name in settings}
    own |= {name: checked(name, settings.pop(name, of.default), of) for name, of in CHECKED.items()}
    freq, start = _rhythm(own)
    header = header_of(asked.path)
    columns = {name: value.removeprefix(COLUMN) for name in GIVEN if isinstance(value := settings.get(name), str) and value.removeprefix(COLUMN) in header}
    exclude = str(own["exclude"]) if own.get("exclude") in header else ""
    shared = [*columns.values(), *([asked.population] if asked.population in header else []), *([exclude] if exclude else [])]
    counts = read_counts(asked.path, Layout(asked.date, asked.counts, asked.by, tuple(dict.fromkeys(shared))), freq, start)
    settings |= {name: counts.shared[column] for name, column in columns.items()}
    for name in GIVEN:
        if str(settings.get(name)).startswith(COLUMN):
            settings[name] = None  # a column that R's run was given and this file does not have: estimated from the periods before
        elif isinstance(settings.get(name), str) and settings[name] not in ("glm", "mean"):
            settings[name] = _from_file(settings[name], asked, counts, name)
    population = counts.shared.get(asked.population)
    if asked.population and population is None:
        population = _from_file(asked.population, asked, counts, "population")
    if population is not None and method.startswith("farrington"):
        settings.setdefault("populationOffset", True)
    percentiles = settings.pop("P", [80]) if method == "moving_percentile" else [None]
    parts = []
    for p in percentiles if isinstance(percentiles, list) else [percentiles]:
        chosen = settings if p is None else settings | {"P": p}
        told = detect(counts.values, method, timeline=counts.axis.timeline, population=population, exclude=_excluded(own, exclude, counts),
                      range=_range(own.get("range"), counts), fallback=own["fallback"], fallback_alpha=own["fallback_alpha"],
                      fewest_cases=own["fewest_cases"], single_case=_listed(own, counts), holidays=_days("holidays", own), workdays=_days("workdays", own),
                      day_effects=own["day_effects"], workers=own["workers"], **chosen)
        parts.append((p, told))
    return _found(parts, counts, method, own)


def _rhythm(own: dict[str, Any]) -> tuple[int | None, tuple[int, int] | None]:
    freq, start = own.pop("freq", None), own.pop("start", None)
    if freq is not None and not (isinstance(freq, int) and 1 <= freq <= 400):
        raise SettingError("freq", freq, "range", "1 … 400: 365, 52, 12")
    if start is not None and not (isinstance(start, list) and len(start) == 2 and all(isinstance(part, int) for part in start)):
        raise SettingError("start", start, "range", "2001,1")
    return freq, None if start is None else (start[0], start[1])


def _place(value: Any, counts: Counts) -> int:
    """The place (from 1) of a period named by its place or as it is written in the file."""
    if isinstance(value, int) and not isinstance(value, bool) and counts.axis.form != "number":
        return value
    at = counts.axis.place(str(value))
    if at is None:
        raise SettingError("range", value, "range", f"{counts.axis.labels[0]} … {counts.axis.labels[-1]}")
    return at + 1


def _range(value: Any, counts: Counts) -> Any:
    """{"from", "to"} or "from:to" as places from 1."""
    if value is None:
        return None
    if isinstance(value, str):
        begin, _, end = value.partition(":")
        value = {"from": int(begin) if begin.isdigit() else begin, "to": int(end) if end.isdigit() else end}
    if not isinstance(value, Mapping) or set(value) - {"from", "to"}:
        raise SettingError("range", value, "range", "300:522")
    return {name: _place(one, counts) for name, one in value.items() if one not in (None, "")}


def _excluded(own: Mapping[str, Any], column: str, counts: Counts) -> NDArray[np.bool_] | None:
    """Confirmed outbreak periods: a column of 0 and 1, or stretches "from:to"."""
    value = own.get("exclude")
    if value is None:
        return None
    if column:
        found: NDArray[np.bool_] = np.nan_to_num(counts.shared[column]) != 0
        return found
    marked = np.zeros(counts.values.shape, dtype=bool)
    for one in value if isinstance(value, list) else [value]:
        stretch = _range(str(one), counts)
        marked[:, stretch.get("from", 1) - 1: stretch.get("to", len(counts.axis.labels))] = True
    return marked


def _listed(own: Mapping[str, Any], counts: Counts) -> Any:
    """Which series have a single case as signal: all, or those one of whose names is listed."""
    value = own.get("single_case", False)
    if isinstance(value, bool):
        return value
    wanted = {str(one) for one in (value if isinstance(value, list) else [value])}
    known = {name for names in counts.names for name in names}
    if wanted - known:
        raise SettingError("single_case", ", ".join(sorted(wanted - known)), "choice", ", ".join(sorted(known))[:200])
    return np.array([bool(wanted & set(names)) for names in counts.names])


def _days(name: str, own: Mapping[str, Any]) -> list[date]:
    """Dates given in a list, or one a line in a text file."""
    value = own.get(name)
    if value is None:
        return []
    texts = value if isinstance(value, list) else Path(value).read_text("utf-8").split() if Path(str(value)).is_file() else [value]
    try:
        return [date.fromisoformat(str(text)) for text in texts]
    except ValueError as error:
        raise SettingError(name, str(error)[:60], "range", "2026-10-01,2026-10-02") from error


def _from_file(told: str, asked: Asked, counts: Counts, name: str) -> Numbers:
    """FILE:COLUMN or FILE (its columns those of the counts) laid over the series and periods of the counts: where it says nothing, NaN."""
    whole, _, column = told.rpartition(":")
    path, column = (Path(whole), column) if whole and not Path(told).is_file() else (Path(told), "")
    if not path.is_file():
        raise SettingError(name, told, "file", "COLUMN, FILE, FILE:COLUMN")
    header = header_of(path)
    when = next((one for one in (asked.date, "t", "date") if one in header), asked.date)
    by = tuple(one for one in (*asked.by, "unit") if one in header)
    other = read_counts(path, Layout(when, (column,) if column else (), by), counts.axis.timeline.freq, counts.axis.timeline.start)
    found = np.full(counts.values.shape, np.nan)
    rows = {key: at for at, key in enumerate(other.called())}
    known = counts.called()
    for at, key in enumerate(known):
        row = 0 if len(rows) == 1 and len(known) == 1 else rows.get(key)
        if row is not None:
            for period, label in enumerate(other.axis.labels):
                place = counts.axis.place(label) if when == asked.date or counts.axis.form == "number" else int(label) - 1 if label.isdigit() else None
                if place is not None and place < len(counts.axis.labels):
                    found[at, place] = other.values[row, period]
    return found


def _found(parts: list[tuple[Any, Signals]], counts: Counts, method: str, own: Mapping[str, Any]) -> Found:
    tables, unmodelled, stood_in, alarms, raised, judged = [], Counter[str](), Counter[str](), 0, 0, 0
    for p, told in parts:
        ranked = rank(told, own["share"], own["budget"])
        tables.append(_laid_out(told, counts, method, p, ranked.q, ranked.rank, ranked.raised))
        lacking = told.alarm == NO_MODEL
        unmodelled.update(REASONS[code] for code in told.reason[lacking].tolist())
        stood_in.update(USED[code] for code in told.used[told.used > 1].tolist())
        alarms, raised, judged = alarms + int((told.alarm == ALARM).sum()), raised + int(ranked.raised.sum()), judged + told.alarm.size
    return Found(pa.concat_tables(tables), method, len(counts.values), len(parts[0][1].periods), judged, alarms, unmodelled, stood_in, raised)


def _laid_out(told: Signals, counts: Counts, method: str, p: Any, q: Numbers, places: NDArray[np.int64], raised: NDArray[np.bool_]) -> pa.Table:
    """One row per series and period: names, date, observed, expected, upper, score, alarm, then what explains them."""
    series, length = told.alarm.shape
    labels = pa.array(counts.axis.labels)

    def number(values: Numbers) -> pa.Array:
        flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
        return pa.array(flat, mask=np.isnan(flat))

    def whole(values: Any, mask: Any) -> pa.Array:
        return pa.array(np.ascontiguousarray(values).ravel().astype(np.int64), mask=np.ascontiguousarray(mask).ravel())

    def word(codes: Any, words: tuple[str, ...]) -> pa.Array:
        return pa.array(words).take(pa.array(np.ascontiguousarray(codes).ravel().astype(np.int64)))

    def period(at: Any) -> pa.Array:
        flat = np.ascontiguousarray(at).ravel().astype(np.int64)
        return labels.take(pa.array(flat, mask=flat < 0))

    columns: dict[str, Any] = {}
    for key, texts in zip(counts.keys, zip(*counts.names, strict=True), strict=True):
        columns[key] = pa.array(texts).take(pa.array(np.repeat(np.arange(series), length)))
    columns |= {"date": labels.take(pa.array(np.tile(told.periods, series)))}
    if p is not None:
        columns["percentile"] = pa.array(np.full(series * length, float(p)))
    columns |= {name: number(getattr(told, name)) for name in ("observed", "expected", "upper", "score")}
    columns["alarm"] = whole(told.alarm, told.alarm == NO_MODEL)
    columns["method"] = word(told.used, ("", method, *USED[2:]))
    columns["reason"] = word(told.reason, REASONS)
    columns |= {"baseline_first": period(told.first), "baseline_last": period(told.last), "baseline_periods": whole(told.size, told.size <= 0)}
    columns |= {"p_value": number(told.p_value), "q_value": number(q), "rank": whole(places, places == 0), "raised": whole(raised, told.alarm == NO_MODEL)}
    columns |= {"phi": number(told.phi), "trend": number(told.trend)}
    columns |= {name: number(values) for name, values in told.extra.items() if name not in columns}
    return pa.table(columns)


def write_signals(table: pa.Table, out: Path | None) -> bytes:
    """The table as CSV into a file, or as bytes where there is none."""
    options = pacsv.WriteOptions(quoting_style="needed")
    if out is not None:
        pacsv.write_csv(table, out, options)
        return b""
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink, options)
    return bytes(sink.getvalue())
