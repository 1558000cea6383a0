"""Splink at work: candidate pairs, their match weights, and (for bare files) the estimation of a model's probabilities."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb

from quanmin.records.residents.kinds import sided
from quanmin.records.residents.model_file import Block, Comparison, LinkModel
from quanmin.records.residents.prepare import NAMES, NODE

SCORED = "residents_scored"
# Pairs drawn at random to estimate u, and the seed that makes an estimate repeatable.
RANDOM_PAIRS, SEED = 1_000_000, 1


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _comparison(comparison: Comparison) -> dict[str, Any]:
    key = f"{comparison.column}_key"
    levels: list[dict[str, Any]] = [
        {"sql_condition": f"{key}_l is null or {key}_r is null", "label_for_charts": "missing", "is_null_level": True}]
    for name, condition in (*comparison.levels, ("different", "ELSE")):
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": name}
        if comparison.m:
            level |= {"m_probability": comparison.m[name], "u_probability": comparison.u[name]}
        if name == "same" and comparison.frequency:
            level |= {"tf_adjustment_column": key, "tf_adjustment_weight": 1.0}
        levels.append(level)
    return {"output_column_name": comparison.column, "comparison_levels": levels}


def block_sql(block: Block, model: LinkModel) -> str:
    """SQL over `l` and `r`: whether a block makes them a pair to compare."""
    terms = [f"l.{column} = r.{column}" for column in block.on]
    if model.exact:
        # Two valid numbers are either equal (the exact pass has them) or of two persons; one upgraded from 15 digits may carry an error.
        valid, anchor = f"{model.exact.number}_valid", f"{model.exact.number}_anchor"
        terms.append(f"l.{anchor} <> r.{anchor}" if block.other_number else
                     f"(l.{valid} is null or r.{valid} is null or (l.{valid} <> r.{valid} and (l.{anchor} is null or r.{anchor} is null)))")
    if not model.within_a_file:
        terms.append("l.part <> r.part")
    return " and ".join(terms)


def _settings(model: LinkModel) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only", "unique_id_column_name": "rn", "retain_matching_columns": False,
        "probability_two_random_records_match": model.prior, "comparisons": [_comparison(c) for c in model.comparisons],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": block_sql(block, model)} for block in model.blocks],
    }


def _linker(con: duckdb.DuckDBPyConnection, model: LinkModel) -> tuple[Any, Any]:
    from splink import DuckDBAPI, Linker  # takes over half a second to load: not before it is needed

    api = DuckDBAPI(con)
    linker = Linker(api.register(NODE), _settings(model), log_level=None, validate_settings=False)
    for comparison in model.comparisons:
        if comparison.frequency and comparison.kind.name == "chinese_name":
            key = f"{comparison.column}_key"
            con.execute(f"""create or replace temp table residents_frequency as
                select key as {key}, max(frequency) as tf_{key} from {NAMES} where key is not null group by key""")
            linker.table_management.register_term_frequency_lookup(api.register("residents_frequency"), key)
    return api, linker


def level_sql(comparison: Comparison) -> str:
    """SQL over `l` and `r` giving ` column=level` of a pair, or an empty string when a side is missing."""
    key, column = f"{comparison.column}_key", comparison.column
    whens = " ".join(f"when {sided(condition)} then ' {column}={name}'" for name, condition in comparison.levels)
    return f"case when l.{key} is null or r.{key} is null then '' {whens} else ' {column}=different' end"


def score(con: duckdb.DuckDBPyConnection, model: LinkModel) -> int:
    """Make the table `SCORED` (l, r, weight in bits, levels) of candidate pairs worth at least a look; returns how many.

    Weights depend on the two identities alone; `weighing.weigh` gives the same for a few new identities among many.
    """
    with _quiet():
        api, linker = _linker(con, model)
        predicted = linker.inference.predict(threshold_match_weight=model.review_weight, warning_mode="never")
        levels = " || ".join(level_sql(comparison) for comparison in model.comparisons)
        con.execute(f"""create or replace temp table {SCORED} as
            select p.rn_l as l, p.rn_r as r, round(p.match_weight, 4) as weight, substr({levels}, 2) as levels
            from {predicted.physical_name} as p join {NODE} as l on l.rn = p.rn_l join {NODE} as r on r.rn = p.rn_r""")
        api.delete_tables_created_by_splink_from_db()
    con.execute("drop table if exists residents_frequency")
    return int(con.execute(f"select count(*) from {SCORED}").fetchone()[0])


def train(con: duckdb.DuckDBPyConnection, model: LinkModel) -> LinkModel:
    """The model with its probabilities estimated from the prepared records: u from random pairs, m by expectation maximisation.

    Needs `model.training`. Method: Fellegi-Sunter with EM as Splink implements it (doi:10.23889/ijpds.v7i3.1794).
    """
    training = model.training
    if training is None:
        return model
    across = "" if model.within_a_file else " and l.part <> r.part"
    with _quiet():
        api, linker = _linker(con, model)
        rules = [" and ".join(f"l.{column} = r.{column}" for column in rule) + across for rule in (*training.certain, *training.blocks)]
        certain, blocks = rules[:len(training.certain)], rules[len(training.certain):]
        with contextlib.suppress(ValueError):  # more certain pairs than `recall` allows: the stated prior stands
            linker.training.estimate_probability_two_random_records_match(certain, recall=training.recall)
        linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
        for block in blocks:
            linker.training.estimate_parameters_using_expectation_maximisation(block)
        trained = _trained(model, linker)
        api.delete_tables_created_by_splink_from_db()
    return trained


def _trained(model: LinkModel, linker: Any) -> LinkModel:
    settings = linker.misc.save_model_to_json()
    comparisons = []
    for comparison, estimated in zip(model.comparisons, settings["comparisons"], strict=True):
        m, u = {}, {}
        for level in estimated["comparison_levels"]:
            if not level.get("is_null_level"):
                # A level never seen gets a little of both sides: it then weighs nothing.
                m[level["label_for_charts"]] = float(level.get("m_probability") or 1e-6)
                u[level["label_for_charts"]] = float(level.get("u_probability") or 1e-6)
        comparisons.append(replace(comparison, m=m, u=u))
    return replace(model, prior=float(settings["probability_two_random_records_match"]), comparisons=tuple(comparisons), training=None)
