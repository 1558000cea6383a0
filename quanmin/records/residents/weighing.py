"""Match weights of a few new identities against those beside them, without the preparations that only pay for many."""

from __future__ import annotations

import math

import duckdb

from quanmin.records.residents.model_file import Comparison, LinkModel
from quanmin.records.residents.prepare import NAMES, NODE
from quanmin.records.residents.scoring import SCORED, block_sql, level_sql


def _weight(comparison: Comparison) -> str:
    """SQL over ` column=level` texts and `tf_…` shares: the bits a pair's level is worth, a common name less than a rare one."""
    column, whens = comparison.column, []
    for level, m in comparison.m.items():
        bits = f"{math.log2(m / comparison.u[level])!r}::double"
        if level == "same" and comparison.frequency:
            bits += f" + coalesce({math.log2(comparison.u[level])!r}::double - log2(tf_{column}), 0.0::double)"
        whens.append(f"when ' {column}={level}' then {bits}")
    return f"case {column}_level {' '.join(whens)} else 0.0::double end"


def weigh(con: duckdb.DuckDBPyConnection, model: LinkModel) -> None:
    """Make the table `SCORED` (see `scoring.score`) of the pairs of `NODE` with a new side.

    Weights are those of Splink to the fourth decimal: log2 of the prior odds and of m / u of every level, plus log2 of u / share of the name.
    """
    odd = [c.column for c in model.comparisons if not c.m or (c.frequency and c.kind.name != "chinese_name")]
    if odd:
        raise ValueError(f"columns {odd} are weighed by what all records hold")
    pairs = " union ".join(
        f"select least(l.rn, r.rn) as l, greatest(l.rn, r.rn) as r from {NODE} as l join {NODE} as r on {block_sql(block, model)} and l.is_new and l.rn <> r.rn"
        for block in model.blocks)
    frequent = [c.column for c in model.comparisons if c.frequency]
    shares = [f"(select max(frequency) from {NAMES} where key = l.{column}_key) as tf_{column}" for column in frequent]
    levels = [f"{level_sql(c)} as {c.column}_level" for c in model.comparisons]
    prior = math.log2(model.prior / (1 - model.prior))
    weight = " + ".join([f"{prior!r}::double", *(f"({_weight(c)})" for c in model.comparisons)])
    con.execute(f"""create or replace temp table {SCORED} as
        select l, r, round(weight, 4) as weight, substr({' || '.join(f'{c.column}_level' for c in model.comparisons)}, 2) as levels from (
            select *, {weight} as weight from (
                select p.l, p.r, {', '.join([*levels, *shares])} from ({pairs}) as p
                join {NODE} as l on l.rn = p.l join {NODE} as r on r.rn = p.r))
        where weight >= {model.review_weight}""")
