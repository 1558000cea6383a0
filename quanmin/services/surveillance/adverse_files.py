"""Adverse events after vaccines from a bare file: which product and event stand out, rates per dose, and a watch dose by dose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quanmin.catalog.messages import say
from quanmin.detectors import disproportionality as pairs
from quanmin.detectors import maxsprt
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import header_of
from quanmin.services.surveillance.bare_rows import Numbers, Rows, read_rows
from quanmin.services.surveillance.set_options import Given, Option, given

MEASURES = ("disproportionality", "rates", "sequential")
SETTINGS = {"prior": Option("published", choices=("published", "fitted")), "per": Option(100_000, 1, 1e9), "level": Option(0.95, 0.5, 0.9999),
            "T": Option(None, 1e-3, 1000), "alpha": Option(0.05, 1e-6, 0.5), "M": Option(1, 1, 100, is_whole=True)}
CELLS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class AskedAdverse:
    """A file and what to make of it.

    disproportionality: columns a, b, c, d, or product, event, count (reports); rates: events, doses and, where known, expected;
    sequential: events and expected in the order of the rows. Columns that are not needed are told again as they are.
    """

    file: Path
    measure: str = ""
    settings: tuple[str, ...] = ()


def _measure(asked: AskedAdverse, header: tuple[str, ...]) -> str:
    if asked.measure and asked.measure not in MEASURES:
        known = say("quality_mend_range", range=" | ".join(MEASURES))
        raise Refusal(Problem("adverse-events", None, "--measure", asked.measure[:40], say("quality_bad_option"), known))
    if asked.measure:
        return asked.measure
    if set(CELLS) <= set(header) or {"product", "event", "count"} <= set(header):
        return "disproportionality"
    if {"events", "doses"} <= set(header):
        return "rates"
    if {"events", "expected"} <= set(header):
        return "sequential"
    raise Refusal(Problem(str(asked.file), 1, "", ", ".join(header)[:40], say("adverse_no_columns"), say("adverse_mend_columns")))


def adverse_events_of(asked: AskedAdverse) -> list[dict[str, Any]]:
    """The measures of every row (or pair of product and event). Raises Refusal for options and files that cannot be used."""
    chosen, header = given("adverse-events", asked.settings, SETTINGS), header_of(asked.file)
    measure = _measure(asked, header)
    told = {"disproportionality": _pairs, "rates": _rates, "sequential": _sequential}[measure](asked, chosen, header)
    if not told:
        raise Refusal(Problem(str(asked.file), 1, "", "", say("quality_no_rows"), say("quality_mend_no_rows")))
    return [{name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()} for row in told]


def _rows_of(labels: dict[str, Any], figures: dict[str, Any]) -> list[dict[str, Any]]:
    columns = {name: np.asarray(values).tolist() for name, values in (labels | figures).items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _labels(rows: Rows, used: tuple[str, ...]) -> dict[str, Any]:
    return {name: values for name, values in rows.columns.items() if name not in used}


def _pairs(asked: AskedAdverse, chosen: Given, header: tuple[str, ...]) -> list[dict[str, Any]]:
    if set(CELLS) <= set(header):
        rows = read_rows(asked.file, header)
        cells = [rows.counts(name).astype(np.float64) for name in CELLS]
        labels: dict[str, Any] = _labels(rows, CELLS)
        with_product, with_event = cells[0] + cells[1], cells[0] + cells[2]
        rows.refuse((with_product <= 0) | (with_event <= 0), "a", say("adverse_empty_margin"), say("adverse_mend_margin"))
    else:
        rows = read_rows(asked.file, ("product", "event", "count"))
        labels, cells = _tables(rows)
    if not len(cells[0]):
        return []
    expected = (cells[0] + cells[1]) * (cells[0] + cells[2]) / np.maximum(sum(cells), 1)
    prior = pairs.fitted_prior(cells[0], expected) if chosen.text("prior") == "fitted" else pairs.PRIOR
    found = pairs.disproportionality(cells[0], cells[1], cells[2], cells[3], prior)
    return _rows_of(labels | dict(zip(CELLS, (cell.astype(np.int64) for cell in cells), strict=True)), vars(found))


def _tables(rows: Rows) -> tuple[dict[str, Any], list[Numbers]]:
    """The table of every pair of product and event that was reported at least once."""
    (products, product), (events, event) = (np.unique(rows.told(name).astype(str), return_inverse=True) for name in ("product", "event"))
    table = np.zeros((len(products), len(events)))
    np.add.at(table, (product, event), rows.counts("count"))
    at, of = np.nonzero(table)
    own = table[at, of]
    b, c = table.sum(axis=1)[at] - own, table.sum(axis=0)[of] - own
    return {"product": products[at], "event": events[of]}, [own, b, c, table.sum() - own - b - c]


def _rates(asked: AskedAdverse, chosen: Given, header: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = read_rows(asked.file, ("events", "doses", *header))
    events, doses = rows.counts("events").astype(np.float64), rows.counts("doses").astype(np.float64)
    rows.refuse(doses <= 0, "doses", say("adverse_no_doses"), say("adverse_mend_doses"))
    rows.refuse(events > doses, "events", say("adverse_more_events"), say("adverse_mend_more_events"))
    expected: Numbers | float = np.nan
    if "expected" in header:
        expected = rows.numbers("expected")
        rows.refuse(expected <= 0, "expected", say("adverse_no_expected"), say("adverse_mend_expected"))
    found = pairs.rates_per_dose(events, doses, expected, chosen.number("per"), chosen.number("level"))
    return _rows_of(_labels(rows, ("events", "doses", "expected")) | {"events": events.astype(np.int64), "doses": doses.astype(np.int64)}, vars(found))


def _sequential(asked: AskedAdverse, chosen: Given, header: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = read_rows(asked.file, ("events", "expected", *header))
    events, expected = rows.counts("events"), rows.numbers("expected")
    rows.refuse(expected < 0, "expected", say("quality_below_zero"), say("quality_mend_below_zero"))
    if not len(rows):
        return []
    until = np.cumsum(expected)
    upper = chosen.number("T") if chosen.has("T") else float(until[-1])
    critical = maxsprt.critical_value(upper, chosen.number("alpha"), chosen.whole("M")) if upper > 0 else None
    if critical is None:
        raise Refusal(Problem(rows.file, None, "--set T", f"{upper:g}", say("adverse_no_critical"), say("adverse_mend_critical")))
    found = maxsprt.watch(np.cumsum(events), until, upper, chosen.number("alpha"), chosen.whole("M"), critical)
    figures = {"events_so_far": np.cumsum(events), "expected_so_far": until, "llr": found.ratio, "critical": np.full(len(rows), critical),
               "signal": found.signal}
    return _rows_of(_labels(rows, ("events", "expected")) | {"events": events, "expected": expected}, figures)
