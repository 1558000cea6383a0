"""The model of an outcome over all stays of a region: what each brought with it, and what the stays of all other institutions would have made of it.

Nothing here is shown: actions.py shows institutions within a scope.
"""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from quanmin.catalog.messages import say
from quanmin.model import Label, Problem, Refusal
from quanmin.services.quality.calibration import Performance, performance
from quanmin.services.quality.comorbidity import comorbidity_index
from quanmin.services.quality.design import INTERCEPT, Category, Design, Number, design_of
from quanmin.services.quality.leaving_out import expected_elsewhere
from quanmin.services.quality.risk import RiskModel, fit_days, fit_logistic, penalty_of

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
TABLE = "stay_outcome"
FEWEST_EVENTS = 10  # with and without, for a model at all
FEWEST_STAYS, MOST_LEVELS = 10, 120  # of a level with a coefficient of its own, and how many a category may have
NUMBERS = ("age_years",)
CATEGORIES = ("sex_code", "admission_route_code", "mdc", "adrg", "principal_category")
FLAGGED = ("elixhauser", "organ_failure")
NONE = ""
SPREAD = 1.0  # standard deviation that effects are expected to have, on the log-odds or log-days scale: most multiply by a third to three
COLUMNS = ("hospitalisation_id", "facility_code", "discharged_on", "excluded_code", "age_years", "sex_code", "admission_route_code", "mdc", "adrg",
           "principal_category", *FLAGGED, "left_against_advice")


@dataclass(frozen=True)
class Outcome:
    """An outcome that is compared: `column` of the table stay_outcome, `kind` logistic or log_days."""

    id: str
    label: Label
    kind: str
    column: str
    follow_up_months: int
    scope: Label

    @property
    def is_binary(self) -> bool:
        """Whether it happens or does not."""
        return self.kind == "logistic"


@dataclass(frozen=True)
class Learnt:
    """A region's model of an outcome and its stays, ordered by institution and day: those of institution i are edges[i] … edges[i + 1].

    `expected` is what the stays of the other institutions say (of the same ones, where there is only one: `is_of_others`); `fitted` and `validated`
    judge the common model on its own stays and `expected`. `excluded` counts stays left out, by reason; `kept` holds what was worked out from all this.
    """

    outcome: Outcome
    model: RiskModel
    fitted: Performance
    validated: Performance
    units: tuple[str, ...]
    edges: Places
    happened: Numbers
    expected: Numbers
    discharged: NDArray[np.datetime64]
    left_against_advice: NDArray[np.bool_]
    excluded: Mapping[str, int]
    first_month: str
    last_month: str
    is_of_others: bool
    kept: dict[Hashable, Any] = field(default_factory=dict)


@cache
def outcomes_known() -> Mapping[str, Outcome]:
    """The outcomes by id, from outcomes.toml."""
    told: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("outcomes.toml").read_text("utf-8"))
    return {name: Outcome(name, Label(**one["name"]), one["kind"], one["column"], one.get("follow_up_months", 0), Label(**one["scope"]))
            for name, one in told.items()}


def outcome_of(name: str) -> Outcome:
    """An outcome by its id; raises Refusal for another."""
    known = outcomes_known()
    if name not in known:
        raise Refusal(Problem("question", None, "outcome", name[:40], say("bad_value"), say("choose_from", choices=", ".join(known))))
    return known[name]


def columns_of(outcome: Outcome) -> tuple[str, ...]:
    """The columns of stay_outcome that a model of the outcome is learnt from."""
    return (*COLUMNS, outcome.column)


def _flags(stays: pa.Table, name: str) -> dict[str, Numbers]:
    """The categories of an index that occur, 0 or 1 per stay."""
    encoded = pc.dictionary_encode(pc.fill_null(stays[name].combine_chunks(), ""))
    place = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    mixes = [frozenset(text.split("|")) for text in encoded.dictionary.to_pylist()]
    has = {category.id: np.array([category.id in mix for mix in mixes], dtype=np.float64) for category in comorbidity_index(name).categories}
    return {f"{name}.{category}": of[place] for category, of in has.items() if of.any()}


def _designed(stays: pa.Table, happened: Numbers, is_binary: bool) -> tuple[Design, dict[str, Any], Numbers]:
    """What the model is made of, its columns, and how strongly each coefficient is held (1 ÷ the variance it is expected to have).

    A group's effect is that of its MDC, and what its ADRG and its principal diagnosis differ by, all held, so that rare ones lean on their MDC; of age
    it is the effect of a standard deviation that is held.
    """
    held: dict[str, Any] = {name: pc.fill_null(stays[name].combine_chunks(), NONE).dictionary_encode() for name in CATEGORIES}
    held |= {name: stays[name].combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64) for name in NUMBERS}
    flags = {name: values for index in FLAGGED for name, values in _flags(stays, index).items()}
    numbers = design_of(held, NUMBERS, ()).terms
    categories = [Category(name, (NONE, *_levels(held[name], happened, is_binary))) for name in CATEGORIES]
    made = Design((*numbers, *(Number(name, ()) for name in flags), *(term for term in categories if term.columns)))
    stays = held | flags
    variance = penalty_of(made.rows(stays), happened.size, len(made.columns), 1.0)
    is_number = np.array([name.startswith(NUMBERS) for name in made.columns])
    is_free = np.array([name == INTERCEPT for name in made.columns])
    return made, stays, np.where(is_free, 0.0, np.where(is_number, variance, 1.0) / SPREAD**2)


def _levels(told: pa.DictionaryArray, happened: Numbers, is_binary: bool) -> list[str]:
    """The levels that have a coefficient: of those with enough stays the MOST_LEVELS that say most; what is not told, or rare, is what they differ from."""
    names = told.dictionary.to_pylist()
    place = told.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    stays = np.bincount(place, minlength=len(names))
    weight = np.maximum(np.bincount(place, happened, len(names)), stays * happened.mean()) if is_binary else stays
    chosen = [at for at in np.lexsort((np.array(names), -weight)) if names[at] != NONE and stays[at] >= FEWEST_STAYS]
    return [names[at] for at in chosen[:MOST_LEVELS]]


def _refusal(outcome: Outcome, reason: str) -> Refusal:
    return Refusal(Problem("question", None, "outcome", outcome.id, say("quality_no_model", reason=reason), say("quality_mend_site_model")))


def learn(outcome: Outcome, stays: pa.Table, last_month: str) -> Learnt:
    """The model of the stays (columns `columns_of`) discharged up to a month; raises Refusal where none can be fitted."""
    month = pc.strftime(stays["discharged_on"], "%Y-%m")
    is_late = pc.fill_null(pc.greater(month, last_month), True)
    reasons = {row["values"]: int(row["counts"]) for row in pc.value_counts(pc.drop_null(stays["excluded_code"].filter(pc.invert(is_late)))).to_pylist()}
    in_scope = pc.and_(pc.invert(is_late), pc.is_null(stays["excluded_code"]))
    excluded = {**reasons, "not_in_question": int(pc.sum(pc.and_(in_scope, pc.is_null(stays[outcome.column]))).as_py() or 0)}
    stays = stays.filter(pc.and_(in_scope, pc.is_valid(stays[outcome.column])))
    stays = stays.sort_by([("facility_code", "ascending"), ("discharged_on", "ascending"), ("hospitalisation_id", "ascending")])
    happened = pc.cast(stays[outcome.column].combine_chunks(), pa.float64()).to_numpy(zero_copy_only=False)
    if outcome.is_binary and (happened.sum() < FEWEST_EVENTS or (1 - happened).sum() < FEWEST_EVENTS):
        raise _refusal(outcome, say("quality_few_events", events=int(happened.sum()), fewest=FEWEST_EVENTS))
    design, held, penalty = _designed(stays, happened, outcome.is_binary)
    if happened.size <= len(design.columns):
        raise _refusal(outcome, say("quality_few_rows", rows=happened.size, columns=len(design.columns)))
    rows = design.rows(held)
    model = (fit_logistic if outcome.is_binary else fit_days)(rows, happened, design.columns, penalty=penalty)
    encoded = stays["facility_code"].combine_chunks().dictionary_encode()
    units = tuple(encoded.dictionary.to_pylist())  # in the order they come, which is sorted
    edges = np.searchsorted(encoded.indices.to_numpy(zero_copy_only=False), np.arange(len(units) + 1)).astype(np.int64)
    common, elsewhere = model.expected(rows, happened.size), expected_elsewhere(model, rows, happened, edges, penalty)
    months = pc.min_max(pc.strftime(stays["discharged_on"], "%Y-%m")).as_py()
    return Learnt(outcome, model, performance(happened, common, outcome.is_binary), performance(happened, elsewhere, outcome.is_binary), units, edges,
                  happened, elsewhere, stays["discharged_on"].combine_chunks().to_numpy(zero_copy_only=False).astype("datetime64[D]"),
                  pc.fill_null(stays["left_against_advice"].combine_chunks(), False).to_numpy(zero_copy_only=False), excluded, months["min"], months["max"],
                  len(units) > 1)
