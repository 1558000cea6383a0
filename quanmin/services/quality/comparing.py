"""`quanmin quality standardise`: units of bare files against what their cases would have had elsewhere, or on one standard population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.bare_files import Cases, header_of, read_cases
from quanmin.services.quality.monitoring import coded
from quanmin.services.quality.standardise import DIRECT_METHODS, DISPERSIONS, KINDS, METHODS, counted, direct, indirect

Numbers = NDArray[np.float64]
RATE = "rate"
POPULATION = "population"
BETWEEN = "\x1f"  # parts the columns of a stratum; no text file holds it


@dataclass(frozen=True)
class Asked:
    """What to compare: a column of expected events with one of observed, or an outcome by strata, with the reference of their rates or population.

    `reference` is a file of the strata with the outcome or a column `rate` (without it the files' own rates); `population` a column of the files
    or a file of the strata with a column `population`.
    """

    unit: str
    observed: str = ""
    expected: str = ""
    outcome: str = ""
    by: tuple[str, ...] = ()
    reference: Path | None = None
    is_direct: bool = False
    population: str = ""
    method: str = ""
    level: float = 0.95
    dispersion: str = "none"
    kind: str = "interpolated"


@dataclass(frozen=True)
class Compared:
    """A row per unit, and the cases it was made of (the reference's own besides, where there is one)."""

    rows: pa.Table
    cases: Cases
    reference: Cases | None = None


def _check(asked: Asked) -> None:
    methods = DIRECT_METHODS if asked.is_direct else METHODS
    known = (("--method", asked.method, ("", *methods)), ("--dispersion", asked.dispersion, DISPERSIONS), ("--limits", asked.kind, KINDS))
    problems = [Problem(option, None, "", value, say("bad_value"), say("choose_from", choices=", ".join(word for word in words if word)))
                for option, value, words in known if value not in words]
    if not 0 < asked.level < 1:
        told = say("quality_mend_range", range=say("quality_level_range"))
        problems.append(Problem("--level", None, "", str(asked.level), say("quality_bad_option"), told))
    wanted = "--outcome --by --population" if asked.is_direct else "--observed --expected | --outcome --by | --outcome --expected"
    is_told = bool(asked.outcome and asked.by and asked.population) if asked.is_direct else bool(
        (asked.observed or asked.outcome) and (asked.expected or (asked.outcome and asked.by)))
    if not is_told:
        problems.append(Problem("--direct" if asked.is_direct else "--observed", None, "", "", say("quality_need"),
                                say("quality_mend_need", options=wanted)))
    if problems:
        raise Refusal(*problems)


def _strata(cases: Cases, by: Sequence[str]) -> pa.Array:
    return pc.binary_join_element_wise(*(cases.told(name) for name in by), BETWEEN)


def _events(cases: Cases, asked: Asked) -> Numbers:
    """Observed events per row."""
    if not asked.observed:
        return cases.outcome(asked.outcome)
    values = cases.between(asked.observed, 0, np.inf, say("quality_no_count"), say("quality_mend_count"))
    cases.refuse(values != np.floor(values), asked.observed, say("quality_no_count"), say("quality_mend_count"))
    return values


def _rates(asked: Asked, path: Path) -> tuple[dict[str, float], Cases]:
    """The reference's rate of every stratum."""
    header = header_of(path)
    has_outcome = asked.outcome.partition("=")[0] in header or asked.outcome in header
    cases = read_cases([path], [*asked.by, "" if has_outcome else RATE], asked.outcome if has_outcome else "")
    rates = cases.outcome(asked.outcome) if has_outcome else cases.between(RATE, 0, np.inf, say("quality_below_zero"), say("quality_mend_below_zero"))
    texts = _strata(cases, asked.by)
    kept = cases.kept()
    names, stratum = coded(texts.take(pa.array(kept)))
    means = np.bincount(stratum, rates[kept]) / np.bincount(stratum)
    return dict(zip(names, means.tolist(), strict=True)), cases


def _refuse_unknown(cases: Cases, texts: pa.Array, known: Sequence[str], by: Sequence[str]) -> None:
    is_known = pc.is_in(texts, value_set=pa.array(list(known), pa.string())).to_numpy(zero_copy_only=False)
    cases.refuse(~is_known, by[0], say("quality_no_stratum", columns=", ".join(by)), say("quality_mend_stratum"))


def compare(paths: Sequence[Path], asked: Asked) -> Compared:
    """Every unit of the files, standardised indirectly, or directly where asked.

    Raises Refusal for files that cannot be read, columns that are not there, options that cannot be used, and where no row is left.
    """
    _check(asked)
    is_column = bool(asked.population) and all(asked.population in header_of(path) for path in paths)
    wanted = [asked.unit, asked.observed, asked.expected, *(() if asked.expected else asked.by), asked.population if is_column else ""]
    cases = read_cases(paths, wanted, "" if asked.observed else asked.outcome)
    units, events = cases.told(asked.unit), _events(cases, asked)
    if asked.is_direct:
        return _directly(cases, asked, units, events, is_column)
    reference: Cases | None = None
    if asked.expected:
        expected = cases.between(asked.expected, 0, np.inf, say("quality_below_zero"), say("quality_mend_below_zero"))
        kept = cases.kept()
    else:
        texts = _strata(cases, asked.by)
        rates: dict[str, float] | None = None
        if asked.reference is not None:
            rates, reference = _rates(asked, asked.reference)
            _refuse_unknown(cases, texts, list(rates), asked.by)
        kept = cases.kept()
        names, stratum = coded(texts.take(pa.array(kept)))
        own = np.bincount(stratum, events[kept]) / np.bincount(stratum)
        expected = np.full(cases.usable.size, np.nan)
        expected[kept] = (own if rates is None else np.array([rates[name] for name in names]))[stratum]
    names, unit = coded(units.take(pa.array(kept)))
    found = indirect(np.bincount(unit, events[kept]), np.bincount(unit, expected[kept]), asked.method or METHODS[0], asked.level, asked.dispersion, asked.kind)
    columns = ("observed", "expected", "smr", "low", "high", "p", "low_95", "high_95", "low_998", "high_998", "outside")
    return Compared(pa.table({"unit": names, **{name: getattr(found, name) for name in columns}}), cases, reference)


def _standard(asked: Asked) -> tuple[dict[str, float], Cases]:
    """The standard population of every stratum, from a file."""
    cases = read_cases([Path(asked.population)], [*asked.by, POPULATION])
    sizes = cases.between(POPULATION, 0, np.inf, say("quality_below_zero"), say("quality_mend_below_zero"))
    texts = _strata(cases, asked.by)
    kept = cases.kept()
    names, stratum = coded(texts.take(pa.array(kept)))
    return dict(zip(names, np.bincount(stratum, sizes[kept]).tolist(), strict=True)), cases


def _directly(cases: Cases, asked: Asked, units: pa.Array, events: Numbers, is_column: bool) -> Compared:
    texts, reference = _strata(cases, asked.by), None
    if is_column:
        sizes = cases.between(asked.population, 0, np.inf, say("quality_below_zero"), say("quality_mend_below_zero"))
        usable = cases.kept()
        strata, place = coded(texts.take(pa.array(usable)))
        meant = np.full(cases.usable.size, np.nan)
        told = sizes[usable][np.unique(place, return_index=True)[1]]
        meant[usable] = told[place]
        cases.refuse(sizes != meant, asked.population, say("quality_population_differs"), say("quality_mend_population"))
        standard = dict(zip(strata, told.tolist(), strict=True))
    else:
        standard, reference = _standard(asked)
        _refuse_unknown(cases, texts, list(standard), asked.by)
    kept = cases.kept()
    stratum = pc.index_in(texts.take(pa.array(kept)), value_set=pa.array(list(standard), pa.string())).to_numpy(zero_copy_only=False).astype(np.int64)
    names, unit = coded(units.take(pa.array(kept)))
    shape = (len(names), len(standard))
    found = direct(counted(unit, stratum, events[kept], shape), counted(unit, stratum, None, shape), np.array([*standard.values()]),
                   asked.method or DIRECT_METHODS[0], asked.level)
    columns = ("events", "exposure", "crude", "rate", "low", "high", "covered")
    return Compared(pa.table({"unit": names, **{name: getattr(found, name) for name in columns}}), cases, reference)
