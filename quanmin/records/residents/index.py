"""Who is who: identities → residents, with the evidence of every join."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from quanmin.records.residents.exact import EXACT, SHARED, exact_edges, shared_numbers, too_common
from quanmin.records.residents.grouping import Edge, Numbers, components, untangle
from quanmin.records.residents.model_file import RESIDENTS_MODEL, LinkModel, load_model
from quanmin.records.residents.prepare import NODE, Rows, bring, column_names, prepare, prepared
from quanmin.records.residents.scoring import SCORED, score, train

EDGES, CLUSTERS, DECIDED, CROWDED = "residents_edges", "residents_clusters", "residents_decided", "residents_crowded_"
RESIDENT_ID = "'R' || left({identity_id}, 15)"


@dataclass(frozen=True)
class Linked:
    """The result of linking, as Arrow tables ordered by identity.

    `clusters`: identity_id, resident_id (null for one that stands alone and says too little to be anybody: `identifies` of the model).
    `edges`: identity_a < identity_b, weight (bits; null unless the model compared them), probability, levels ("name=same phone=different"),
    rule, set_aside (columns whose agreement was ignored because too many people share the value), decided_by ("exact", "model" or who
    decided), verdict of the pair alone ("same" or "uncertain"), status ("joined", "review" or "apart").
    `review`: the pairs a person should look at, the strongest one of each two residents: identity_a, identity_b, resident_a, resident_b,
    weight, probability, levels, reason (catalog/linkage/review_reasons.csv). `prepared`: the compared columns of the identities and the order
    in which they were first seen, to be kept for `relink`.
    """

    clusters: pa.Table
    edges: pa.Table
    review: pa.Table
    model: LinkModel
    prepared: pa.Table

    @property
    def resident_count(self) -> int:
        """How many residents the identities make."""
        return len(self.clusters.column("resident_id").drop_null().unique())


def _has(wanted: dict[str, tuple[str, ...]], levels: str) -> str:
    """SQL: whether a pair's levels meet every column of one level set."""
    return "(" + " and ".join("(" + " or ".join(f"contains(' ' || {levels} || ' ', ' {column}={level} ')" for level in allowed) + ")"
                              for column, allowed in wanted.items()) + ")"


def _verdict(model: LinkModel) -> str:
    """SQL over `levels` and `probability`: same, uncertain or apart."""
    certain = " or ".join(_has(dict(w), "levels") for w in model.certain_when) or "true"
    never = " or ".join(_has(dict(w), "levels") for w in model.never_when) or "false"
    return (f"case when probability >= {model.accept} and ({certain}) and not ({never}) then 'same' "
            f"when probability >= {model.review} then 'uncertain' else 'apart' end")


def _reason(model: LinkModel) -> str:
    never = " or ".join(_has(dict(w), "levels") for w in model.never_when) or "false"
    return (f"case when verdict = 'same' then 'conflict' when decided_by = 'exact' then 'shared_number' when {never} then 'other_number' "
            f"when probability >= {model.accept} then 'needs_support' else 'uncertain' end")


def common_values(con: duckdb.DuckDBPyConnection, model: LinkModel, known: str | None = None) -> None:
    """Make, for every column with `shared_by_at_most`, the table of values carried under too many names (see `too_common`)."""
    name = next((c.column for c in model.comparisons if c.kind.name == "chinese_name"), None)
    for column in crowdable(model):
        too_common(con, CROWDED + column, f"{column}_key", f"{name}_sound", model.comparison(column).shared_by_at_most, known)


def crowdable(model: LinkModel) -> list[str]:
    """The columns whose values say nothing once too many people share them."""
    return [c.column for c in model.comparisons if c.shared_by_at_most] if any(c.kind.name == "chinese_name" for c in model.comparisons) else []


def agrees(column: str) -> str:
    """SQL over `levels`: whether a pair agrees on a column's value."""
    return f"contains(' ' || levels || ' ', ' {column}=same ')"


def collect(con: duckdb.DuckDBPyConnection, model: LinkModel, again: str | None = None) -> None:
    """Make `EDGES` of exact and scored pairs, and of the stored pairs to be judged `again`, each with its verdict.

    Agreement on a crowded value is taken out of a pair's weight here and not earlier, so that stored pairs need no comparing anew.
    """
    old = "" if again is None else f"""union all select a.rn, b.rn, s.weight, s.levels from {again} as s
        join {NODE} as a on a.identity_id = s.identity_a join {NODE} as b on b.identity_id = s.identity_b"""
    reductions, notes = ["0.0"], ["''"]
    for column in crowdable(model):
        crowd = f"{agrees(column)} and l in (select rn from {NODE} where {column}_key in (select value from {CROWDED}{column}))"
        reductions.append(f"case when {crowd} then {max(0.0, model.comparison(column).weight('same'))} else 0.0 end")
        notes.append(f"case when {crowd} then '{column} ' else '' end")
    con.execute(f"""create or replace temp table {EDGES} as
        select l, r, weight, probability, levels, 'model' as rule, set_aside, 'model' as decided_by, {_verdict(model)} as verdict from (
            select l, r, weight, levels, trim({' || '.join(notes)}) as set_aside,
                1.0 / (1.0 + pow(2.0, -least(greatest(weight - ({' + '.join(reductions)}), -500.0), 500.0))) as probability
            from (select l, r, weight, levels from {SCORED} {old}))
        union all
        select least(l, r), greatest(l, r), null, null, levels, rule, '', 'exact', verdict from {EXACT}""")


def decide(con: duckdb.DuckDBPyConnection, decisions: Rows | None, places: str = NODE) -> None:
    """Make `DECIDED` (l, r, decision, who) and add a joining edge for every decision to join; `places` has the row numbers in question."""
    con.execute(f"create or replace temp table {DECIDED} (l bigint, r bigint, decision varchar, who varchar)")
    if decisions is None:
        return
    given = bring(con, decisions, "residents_decisions")
    who = "coalesce(d.decided_by, 'person')" if "decided_by" in column_names(con, given) else "'person'"
    con.execute(f"""insert into {DECIDED} select distinct least(a.rn, b.rn), greatest(a.rn, b.rn), d.decision, {who} from {given} as d
        join {places} as a on a.identity_id = d.identity_a join {places} as b on b.identity_id = d.identity_b where a.rn <> b.rn
            and least(a.rn, b.rn) < (select count(*) from {NODE})""")
    con.execute(f"""insert into {EDGES} select l, r, null, null, '', 'decision', '', who, 'same' from {DECIDED} where decision = 'join'""")


def accepted(con: duckdb.DuckDBPyConnection) -> tuple[Numbers, Numbers]:
    """Both ends of all edges that join."""
    found = con.execute(f"select l, r from {EDGES} where verdict = 'same'").fetchnumpy()
    return np.asarray(found["l"], dtype=np.int64), np.asarray(found["r"], dtype=np.int64)


def undo_knots(con: duckdb.DuckDBPyConnection, model: LinkModel, labels: Numbers) -> None:
    """Split, in place, the components that hold different valid numbers or two identities that a person set apart."""
    con.register("residents_labels", pa.table({"rn": np.arange(len(labels)), "label": labels}))
    anchor = f"{model.exact.number}_anchor" if model.exact else "null::varchar"
    anchored = f"""select rn, label, case when {anchor} not in (select value from {SHARED}) then {anchor} end as anchor
        from {NODE} join residents_labels using (rn)"""
    knots = f"""select label from ({anchored}) group by label having count(distinct anchor) > 1
        union select a.label from {DECIDED} as d join residents_labels as a on a.rn = d.l join residents_labels as b on b.rn = d.r
        where d.decision = 'split' and a.label = b.label"""
    con.execute(f"create or replace temp table residents_knot as select * from ({anchored}) where label in ({knots})")
    nodes, anchors = defaultdict(list), {}
    for rn, label, number in con.execute("select rn, label, anchor from residents_knot order by rn").fetchall():
        nodes[label].append(rn)
        if number is not None:
            anchors[rn] = number
    edges, apart = defaultdict(list), defaultdict(list)
    for left, right, label, tier, weight, a, b in con.execute(f"""select e.l, e.r, k.label,
            case decided_by when 'exact' then 1 when 'model' then 2 else 0 end, coalesce(e.weight, 0.0),
            least(x.identity_id, y.identity_id), greatest(x.identity_id, y.identity_id)
            from {EDGES} as e join residents_knot as k on k.rn = e.l
            join {NODE} as x on x.rn = e.l join {NODE} as y on y.rn = e.r where e.verdict = 'same'""").fetchall():
        edges[label].append(Edge(left, right, tier, weight, (a, b)))
    for left, right, label in con.execute(f"""select d.l, d.r, k.label from {DECIDED} as d join residents_knot as k on k.rn = d.l
            where d.decision = 'split'""").fetchall():
        apart[label].append((left, right))
    for label, members in nodes.items():
        for node, group in untangle(members, edges[label], anchors, apart[label]).items():
            labels[node] = group
    con.unregister("residents_labels")
    con.execute("drop table residents_knot")


def make_clusters(con: duckdb.DuckDBPyConnection, model: LinkModel, labels: Numbers) -> pa.Table:
    """Make `CLUSTERS` (rn, identity_id, resident_id) of labelled identities; returns it by identity."""
    con.register("residents_labels", pa.table({"rn": np.arange(len(labels)), "label": labels}))
    resident = RESIDENT_ID.format(identity_id="f.identity_id")
    identifies = " or ".join("(" + " and ".join(f"n.{key} is not null" for key in keys) + ")" for keys in model.identifies) or "true"
    con.execute(f"""create or replace temp table {CLUSTERS} as
        select n.rn, n.identity_id,
            case when {identifies} or count(*) over (partition by g.label) > 1 then {resident} end as resident_id
        from {NODE} as n join residents_labels as g on g.rn = n.rn join {NODE} as f on f.rn = g.label""")
    con.unregister("residents_labels")
    return con.execute(f"select identity_id, resident_id from {CLUSTERS} order by identity_id").to_arrow_table()


def evidence(con: duckdb.DuckDBPyConnection, model: LinkModel) -> tuple[pa.Table, pa.Table]:
    """The edges with their final status, and the review list."""
    split = f"""select a.resident_id as ra, b.resident_id as rb from {DECIDED} as d join {CLUSTERS} as a on a.rn = d.l
        join {CLUSTERS} as b on b.rn = d.r where d.decision = 'split'"""
    con.execute(f"""create or replace temp table residents_evidence as
        select least(x.identity_id, y.identity_id) as identity_a, greatest(x.identity_id, y.identity_id) as identity_b,
            case when x.identity_id < y.identity_id then x.resident_id else y.resident_id end as resident_a,
            case when x.identity_id < y.identity_id then y.resident_id else x.resident_id end as resident_b,
            e.weight, e.probability, e.levels, e.rule, e.set_aside, e.decided_by, e.verdict,
            case when x.resident_id = y.resident_id then 'joined' when x.resident_id is null or y.resident_id is null then 'apart'
                when e.verdict = 'apart' or (least(x.resident_id, y.resident_id), greatest(x.resident_id, y.resident_id))
                    in (select (least(ra, rb), greatest(ra, rb)) from ({split})) then 'apart'
                else 'review' end as status
        from {EDGES} as e join {CLUSTERS} as x on x.rn = e.l join {CLUSTERS} as y on y.rn = e.r""")
    edges = con.execute("""select identity_a, identity_b, weight, probability, levels, rule, set_aside, decided_by, verdict, status
        from residents_evidence order by identity_a, identity_b, decided_by""").to_arrow_table()
    review = con.execute(f"""select identity_a, identity_b, resident_a, resident_b, weight, probability, levels, {_reason(model)} as reason
        from residents_evidence where status = 'review'
        qualify row_number() over (partition by least(resident_a, resident_b), greatest(resident_a, resident_b)
            order by verdict, probability desc nulls first, weight desc, identity_a, identity_b) = 1
        order by identity_a, identity_b""").to_arrow_table()
    con.execute("drop table residents_evidence")
    return edges, review


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Leave the connection as it was found."""
    made = con.execute("select table_name from duckdb_tables() where temporary and starts_with(table_name, 'residents_')").fetchall()
    for (table,) in made:
        con.execute(f"drop table {table}")
    con.execute("drop view if exists residents_parts")
    for view in ("residents_given", "residents_decisions", "residents_reopened", "residents_now"):
        con.unregister(view)


def normalise(con: duckdb.DuckDBPyConnection, identities: Rows, model: LinkModel | None = None) -> duckdb.DuckDBPyRelation:
    """The identities with their prepared columns (name_key, name_sound, identity_number_valid, phone_key …), as a relation of `con`."""
    prepare(con, identities, model or load_model())
    return con.table(NODE)


def link(con: duckdb.DuckDBPyConnection, identities: Rows, decisions: Rows | None = None, model: LinkModel | Path | str = RESIDENTS_MODEL) -> Linked:
    """Link identities to residents; a pure function of the identities, the decisions and the model.

    `identities`: identity_id (text, hexadecimal hash), name, sex_code, birth_date, identity_number, phone, address, region_code,
    health_card_number, first_submission, first_line (the order in which each was first received, also when the record that brought an
    identity has been superseded). Missing columns count as unknown. `decisions`: identity_a, identity_b, decision ("join" or "split"),
    optionally decided_by. A resident's id comes from the identity first seen, and changes only when two residents turn out to be one or one
    to be two. `relink` adds identities to what was linked before. Works in temporary tables named residents_* of `con`.
    Errors: Refusal for a model that cannot be used.
    """
    used = model if isinstance(model, LinkModel) else load_model(model)
    try:
        count = prepare(con, identities, used)
        columns = prepared(con)
        if used.training:
            used = train(con, used)
        shared_numbers(con, used.exact)
        common_values(con, used)
        exact_edges(con, used)
        score(con, used)
        collect(con, used)
        decide(con, decisions)
        labels = components(count, *accepted(con))
        undo_knots(con, used, labels)
        clusters = make_clusters(con, used, labels)
        edges, review = evidence(con, used)
    finally:
        clear(con)
    return Linked(clusters, edges, review, used, columns)
