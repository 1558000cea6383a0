"""Which of the identities known before a few new ones touch: all others stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from quanmin.records.residents.exact import SHARED
from quanmin.records.residents.index import CROWDED, EDGES, agrees, crowdable
from quanmin.records.residents.model_file import LinkModel
from quanmin.records.residents.prepare import FRESH, NODE, Rows, bring

BESIDE, AGAIN, FOUND, START = "residents_beside", "residents_again", "residents_found", "residents_start"
MATES, BORDER = "residents_mates", "residents_border"
COARSE = 0.001  # a column on which two strangers agree more often than this does not narrow a search
VALUES = ("weight", "probability", "levels", "rule", "set_aside", "decided_by", "verdict")


@dataclass(frozen=True)
class Known:
    """What earlier runs found and kept, as names of tables or views: the fields of `Linked`, of all identities so far."""

    prepared: str
    clusters: str
    edges: str
    review: str


def _among(columns: tuple[str, ...]) -> str:
    """SQL: whether a known identity has these columns in common with a new one."""
    listed, there = ", ".join(columns), " and ".join(f"{column} is not null" for column in columns)
    return f"({listed}) in (select {f'({listed})' if len(columns) > 1 else listed} from {FRESH} where {there})"


def _narrowing(model: LinkModel) -> list[tuple[str, ...]]:
    """Few columns (or whole blocks, where no column will do) of which every block's pairs share one: looked at before the blocks."""
    telling = {f"{c.column}_{part}" for c in model.comparisons for part in ("key", "sound") if part in c.kind.parts and 0 < c.u.get("same", 1) <= COARSE}
    left = [block.on for block in model.blocks]
    chosen: list[tuple[str, ...]] = []
    while left:
        best = max(sorted(telling), key=lambda column: sum(column in on for on in left), default="")
        if not any(best in on for on in left):
            return [*chosen, *left]
        chosen.append((best,))
        left = [on for on in left if best not in on]
    return chosen


def beside(con: duckdb.DuckDBPyConnection, model: LinkModel, known: Known) -> None:
    """Make `BESIDE`, the known identities that the new ones (`FRESH`) are to be held against, with their prepared columns.

    They share a block with a new one, or a valid number (`is_numbered`; of a number shared by too many only those of the same sound, since others
    have no exact edge), or carry a value that has become too common (`is_crowded`). Tables of common values must be there for `FRESH`.
    """
    numbered = "false"
    if model.exact:
        number, sound = f"{model.exact.number}_valid", f"{model.exact.name}_sound"
        numbered = (f"coalesce({_among((number, sound))}, false) or coalesce({number} in (select {number} from {FRESH} where {number} is not null"
                    f" and {number} not in (select value from {SHARED} where not is_newly)), false)")
    newly = [f"{column}_key in (select value from {CROWDED}{column} where is_newly)" for column in crowdable(model) if _is_newly(con, column)]
    crowded = " or ".join(f"coalesce({condition}, false)" for condition in newly) or "false"
    first = " or ".join(_among(columns) for columns in _narrowing(model))
    blocked = " or ".join(_among(block.on) for block in model.blocks)
    con.execute(f"""create or replace temp table {BESIDE} as
        select * from (
            select * from (select *, {numbered} as is_numbered, {crowded} as is_crowded from {known.prepared})
            where is_numbered or is_crowded or {first})
        where is_numbered or is_crowded or {blocked}""")


def _is_newly(con: duckdb.DuckDBPyConnection, column: str) -> bool:
    return bool(con.execute(f"select coalesce(bool_or(is_newly), false) from {CROWDED}{column}").fetchone()[0])


def crowding(con: duckdb.DuckDBPyConnection, model: LinkModel, known: Known) -> str | None:
    """A table of the stored edges to be judged again, because what they agree on has become too common; None where there is none."""
    columns = [column for column in crowdable(model) if _is_newly(con, column)]
    if not columns:
        return None
    judged = " or ".join(f"({agrees(column)} and a.{column}_key in (select value from {CROWDED}{column} where is_newly))" for column in columns)
    con.execute(f"""create or replace temp table {AGAIN} as select e.* from {known.edges} as e
        join {BESIDE} as a on a.identity_id = e.identity_a where e.decided_by = 'model' and ({judged})""")
    return AGAIN


def start(con: duckdb.DuckDBPyConnection, decided: str | None, reopened: Rows | None) -> None:
    """Make `FOUND`, the edges of `EDGES` by identity, and `START`, the known identities from which what changes spreads.

    These are the ends of edges that are new, gone or judged again (not those of edges that join nothing), and of the decisions (`reopened`,
    identity_a and identity_b) that may have changed.
    """
    con.execute(f"""create or replace temp table {FOUND} as
        select a.identity_id as one, b.identity_id as other, {', '.join(f'e.{value}' for value in VALUES)}
        from {EDGES} as e join {NODE} as a on a.rn = e.l join {NODE} as b on b.rn = e.r""")
    ends = [f"select identity_id from {BESIDE} where is_numbered or is_crowded", f"select one from {FOUND} where verdict = 'same'",
            f"select other from {FOUND} where verdict = 'same'"]
    if decided is not None:
        ends += [f"select {end} from {decided} where identity_a in (select identity_id from {FRESH}) or identity_b in (select identity_id from {FRESH})"
                 for end in ("identity_a", "identity_b")]
    if reopened is not None:
        given = bring(con, reopened, "residents_reopened")
        ends += [f"select {end} from {given}" for end in ("identity_a", "identity_b")]
    con.execute(f"create or replace temp table {START} as select identity_id from ({' union '.join(ends)}) anti join {FRESH} using (identity_id)")


def spread(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Make `MATES` (identity_id, resident_id): all known identities that edges of verdict "same" or a resident tie to those of `START`.

    And `BORDER`: every stored edge of theirs.
    """
    while True:
        con.execute(f"create or replace temp table {MATES} as select * from {known.clusters} semi join {START} using (identity_id)")
        con.execute(f"""insert into {MATES} select * from {known.clusters} as k
            semi join (select distinct resident_id from {MATES}) as m using (resident_id) anti join {START} using (identity_id)""")
        mates = f"(select identity_id from {MATES})"
        con.execute(f"create or replace temp table {BORDER} as select * from {known.edges} where identity_a in {mates} or identity_b in {mates}")
        con.execute(f"""create or replace temp table {START} as select identity_id from {MATES}
            union select identity_a from {BORDER} where verdict = 'same' union select identity_b from {BORDER} where verdict = 'same'""")
        counted = con.execute(f"select (select count(*) from {START}), (select count(*) from {MATES})").fetchone()
        if counted[0] == counted[1]:
            return

