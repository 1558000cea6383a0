"""New identities among those linked before: only what they touch is done again, and ends as if all had come at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from quanmin.records.residents.exact import exact_edges, shared_numbers
from quanmin.records.residents.grouping import components
from quanmin.records.residents.index import (
    CLUSTERS,
    EDGES,
    accepted,
    clear,
    collect,
    common_values,
    decide,
    evidence,
    make_clusters,
    undo_knots,
)
from quanmin.records.residents.model_file import RESIDENTS_MODEL, LinkModel, load_model
from quanmin.records.residents.nearby import BESIDE, BORDER, FOUND, MATES, VALUES, Known, beside, crowding, spread, start
from quanmin.records.residents.prepare import FRESH, NODE, SEEN, Rows, bring, place, prepare, prepared
from quanmin.records.residents.weighing import weigh

FAR, PLACES, KEPT, TIED = "residents_far", "residents_places", "residents_kept", "residents_tied"


@dataclass(frozen=True)
class Change:
    """What becomes of a stored table: rows that go and rows that come."""

    gone: pa.Table
    come: pa.Table


@dataclass(frozen=True)
class Relinked:
    """What new identities change in the tables of `Linked`; `touched` are all clusters looked at, changed or not, as they are now."""

    clusters: Change
    edges: Change
    review: Change
    prepared: pa.Table
    touched: pa.Table


def _change(con: duckdb.DuckDBPyConnection, before: str, now: pa.Table) -> Change:
    con.register("residents_now", now)
    listed = ", ".join(now.column_names)
    gone = con.execute(f"select {listed} from ({before}) except select {listed} from residents_now").to_arrow_table()
    come = con.execute(f"select {listed} from residents_now except select {listed} from ({before})").to_arrow_table()
    con.unregister("residents_now")
    return Change(gone, come)


def _find(con: duckdb.DuckDBPyConnection, model: LinkModel, known: Known) -> None:
    """Make `EDGES` of the pairs with a new side, and of the stored ones that the new identities have judged again."""
    shared_numbers(con, model.exact, known.prepared)
    common_values(con, model, known.prepared)
    beside(con, model, known)
    again = crowding(con, model, known)
    place(con, f"""select *, true as is_new, true as is_numbered from {FRESH}
        union all by name select * exclude (is_crowded), false as is_new from {BESIDE}""")
    if again:
        common_values(con, model, known.prepared)
    exact_edges(con, model)
    weigh(con, model)
    collect(con, model, again)


def _gather(con: duckdb.DuckDBPyConnection, model: LinkModel, known: Known, decided: str | None) -> int:
    """Make `NODE` of the new and touched identities, `FAR` of the others that edges lead to, `PLACES` of both and `EDGES` of all their edges."""
    exact, keys = model.exact, {key for keys in model.identifies for key in keys}
    keys |= {f"{exact.number}_valid", f"{exact.number}_anchor", f"{exact.name}_sound"} if exact else set()
    columns = ", ".join(["identity_id", *SEEN, *sorted(keys)])
    con.execute(f"""create or replace temp table {TIED} as select {columns}, true as is_new from {FRESH}
        union all select {columns}, false from {known.prepared} semi join {MATES} using (identity_id)""")
    count = place(con, f"select * from {TIED}")
    numbered = f"(select identity_id from {BESIDE} where is_numbered union all select identity_id from {FRESH})"
    con.execute(f"""create or replace temp table {KEPT} as
        select identity_a as one, identity_b as other, {', '.join(VALUES)} from {BORDER}
        where rule <> 'decision' and not (decided_by = 'exact' and identity_a in {numbered} and identity_b in {numbered})
            and (identity_a, identity_b) not in (select (least(one, other), greatest(one, other)) from {FOUND})
        union all select * from {FOUND}""")
    ends = "".join(f" union select {end} from {decided}" for end in ("identity_a", "identity_b")) if decided else ""
    con.execute(f"""create or replace temp table {FAR} as
        select {count} - 1 + row_number() over (order by identity_id) as rn, identity_id, resident_id from {known.clusters}
        semi join (select one as identity_id from {KEPT} union select other from {KEPT}{ends}) using (identity_id)
        anti join {NODE} using (identity_id)""")
    con.execute(f"create or replace temp table {PLACES} as select rn, identity_id from {NODE} union all select rn, identity_id from {FAR}")
    con.execute(f"""create or replace temp table {EDGES} as select least(a.rn, b.rn) as l, greatest(a.rn, b.rn) as r, {', '.join(VALUES)}
        from {KEPT} join {PLACES} as a on a.identity_id = one join {PLACES} as b on b.identity_id = other""")
    return count


def relink(con: duckdb.DuckDBPyConnection, arrived: Rows, known: Known, decisions: Rows | None = None, reopened: Rows | None = None,
           model: LinkModel | Path | str = RESIDENTS_MODEL) -> Relinked:
    """Link identities that have `arrived` to those `known`; what it changes makes of the known tables what `link` makes of all identities.

    `arrived`, `decisions` and `model` as for `link`; `reopened` (identity_a, identity_b) are all pairs on which a decision was made or taken
    back since (more do no harm). Only pairs with a new side are compared; a stored pair is judged again where the value it agrees on has become
    too common, and groups are made again among those tied to such pairs. Works in temporary tables named residents_* of `con`.
    """
    used = model if isinstance(model, LinkModel) else load_model(model)
    if used.training:
        raise ValueError("a model to be trained depends on all records")
    try:
        decided = None if decisions is None else bring(con, decisions, "residents_decisions")
        prepare(con, arrived, used)
        columns = prepared(con)
        _find(con, used, known)
        start(con, decided, reopened)
        spread(con, known)
        count = _gather(con, used, known, decided)
        shared_numbers(con, used.exact, known.prepared)
        decide(con, decided, PLACES)
        labels = components(count, *accepted(con))
        undo_knots(con, used, labels)
        touched = make_clusters(con, used, labels)
        con.execute(f"insert into {CLUSTERS} select * from {FAR}")
        edges, review = evidence(con, used)
        residents = f"(select resident_id from {MATES} where resident_id is not null)"
        return Relinked(_change(con, f"from {MATES}", touched), _change(con, f"from {BORDER}", edges),
                        _change(con, f"from {known.review} where resident_a in {residents} or resident_b in {residents}", review), columns, touched)
    finally:
        clear(con)
