"""`quanmin quality risk`: a risk model of the stays of bare files, how good it is, and what it expects of every stay."""

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
from quanmin.records.bare_files import Cases, read_cases
from quanmin.services.quality.calibration import FOLDS, Performance, performance, validated_by_folds, validated_by_time
from quanmin.services.quality.comorbidity import INDICES, comorbidities, comorbidity_index, split_codes
from quanmin.services.quality.design import KNOTS, design_of
from quanmin.services.quality.monitoring import sortable
from quanmin.services.quality.risk import RiskModel, fit_days, fit_logistic

Numbers = NDArray[np.float64]
MODELS = ("logistic", "days")
MOST_KNOTS = 9
EXPECTED = "expected"


@dataclass(frozen=True)
class Asked:
    """What to model: the outcome (0/1, or days above 0), its numbers and categories, diagnoses to score, and the time that parts earlier from later."""

    outcome: str
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    separator: str = "|"
    index: str = INDICES[0]
    scheme: str = ""
    time: str = ""
    model: str = MODELS[0]
    knots: int = KNOTS


@dataclass(frozen=True)
class Modelled:
    """The model, what it is worth on its own stays and on stays it did not see, and the cases; `expected` has NaN for rows that were rejected."""

    model: RiskModel
    fitted: Performance
    validated: Performance
    expected: Numbers
    cases: Cases


def _check(asked: Asked) -> None:
    problems = [Problem(option, None, "", value, say("bad_value"), say("choose_from", choices=", ".join(known)))
                for option, value, known in (("--model", asked.model, MODELS), ("--index", asked.index, INDICES)) if value not in known]
    schemes = comorbidity_index(asked.index).schemes if asked.index in INDICES else ()
    if asked.scheme and schemes and asked.scheme not in schemes:
        problems.append(Problem("--weights", None, "", asked.scheme, say("bad_value"), say("choose_from", choices=", ".join(schemes))))
    if not 0 <= asked.knots <= MOST_KNOTS:
        told = say("quality_mend_range", range=say("quality_whole_range"))
        problems.append(Problem("--knots", None, "", str(asked.knots), say("quality_bad_option"), told))
    if not (asked.numbers or asked.categories or asked.diagnoses):
        options = "--number --category --diagnoses"
        problems.append(Problem("--number", None, "", "", say("quality_need"), say("quality_mend_need", options=options)))
    terms = [*asked.numbers, *asked.categories, *((asked.index,) if asked.diagnoses else ())]
    problems += [Problem("--number", None, "", name, say("repeated_column"), say("name_columns_once"))
                 for name in dict.fromkeys(terms) if terms.count(name) > 1]
    if problems:
        raise Refusal(*problems)


def _scored(cases: Cases, asked: Asked, kept: NDArray[np.int64]) -> Numbers:
    """The comorbidity score of every usable stay."""
    texts = pc.binary_join_element_wise(*(cases.text(name) for name in asked.diagnoses), asked.separator).take(pa.array(kept))
    stays, codes = split_codes(texts, asked.separator)
    found = comorbidities(stays, codes, kept.size, comorbidity_index(asked.index), asked.scheme)
    return found.score.astype(np.float64)


def _no_model(asked: Asked, reason: str) -> Refusal:
    return Refusal(Problem("--outcome", None, "", asked.outcome, say("quality_no_model", reason=reason), say("quality_mend_model")))


def model_of(paths: Sequence[Path], asked: Asked, keep_all: bool = False) -> Modelled:
    """The model of the files' stays; `keep_all` keeps all their columns, to be written with what is expected.

    Validation is by time where a time column is named (earlier 70 %, later 30 %), else in five folds. Raises Refusal for files that cannot be read,
    columns that are not there, options that cannot be used, and stays no model can be fitted to.
    """
    _check(asked)
    is_binary = asked.model == MODELS[0]
    columns = [*asked.numbers, *asked.categories, *asked.diagnoses, asked.time, "" if is_binary else asked.outcome]
    cases = read_cases(paths, columns, asked.outcome if is_binary else "", keep_all)
    outcome = cases.outcome(asked.outcome) if is_binary else cases.numbers(asked.outcome)
    if not is_binary:
        cases.refuse(~(outcome > 0), asked.outcome, say("quality_no_days"), say("quality_mend_days"))
    numbers = {name: cases.numbers(name) for name in asked.numbers}
    categories = {name: cases.told(name) for name in asked.categories}
    time = cases.told(asked.time) if asked.time else None
    kept = cases.kept()
    stays = {name: values[kept] for name, values in numbers.items()} | {name: texts.take(pa.array(kept)) for name, texts in categories.items()}
    names = list(asked.numbers)
    if asked.diagnoses:
        stays[asked.index] = _scored(cases, asked, kept)
        names.append(asked.index)
    design = design_of(stays, names, list(asked.categories), asked.knots)
    rows, happened = design.rows(stays), outcome[kept]
    if happened.size <= len(design.columns):
        raise _no_model(asked, say("quality_few_rows", rows=happened.size, columns=len(design.columns)))
    if is_binary and happened.min() == happened.max():
        raise _no_model(asked, say("quality_one_outcome"))
    model = (fit_logistic if is_binary else fit_days)(rows, happened, design.columns)
    expected = np.full(cases.usable.size, np.nan)
    expected[kept] = model.expected(rows, kept.size)
    when = None if time is None else sortable(time.take(pa.array(kept)))
    if when is not None and (when == when[0]).all():
        raise Refusal(Problem("--time", None, "", asked.time, say("quality_one_time"), say("quality_mend_time")))
    try:
        judged = validated_by_folds(model, rows, happened, FOLDS) if when is None else validated_by_time(model, rows, happened, when)
    except ValueError as error:
        raise _no_model(asked, say("quality_few_rows", rows=happened.size, columns=len(design.columns))) from error
    return Modelled(model, performance(happened, expected[kept], is_binary), judged, expected, cases)
