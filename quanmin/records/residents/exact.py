"""The exact pass: identities under one valid citizen identity number."""

from __future__ import annotations

import duckdb

from quanmin.records.residents.kinds import sided
from quanmin.records.residents.model_file import Exact, LinkModel
from quanmin.records.residents.prepare import NODE

EXACT, SHARED = "residents_exact", "residents_shared"
_NUMBERED = "residents_numbered"


def too_common(con: duckdb.DuckDBPyConnection, into: str, key: str, sound: str, at_most: int, known: str | None) -> None:
    """Make the table `into` (value, is_newly) of the values of `key` in `NODE` that are carried by more than `at_most` names.

    `known` is a table of all prepared identities of earlier runs, for whom the value counts too; `is_newly` says that without the new ones it
    would not be too common.
    """
    others = f" union all select {key}, {sound}, false from {known} semi join {NODE} using ({key})" if known else ""
    before = f"count(distinct {sound}) filter (not is_new)" if known else "0"
    con.execute(f"""create or replace temp table {into} as select {key} as value, {before} <= {at_most} as is_newly
        from (select {key}, {sound}, is_new from {NODE} where {key} is not null{others}) group by 1 having count(distinct {sound}) > {at_most}""")


def shared_numbers(con: duckdb.DuckDBPyConnection, exact: Exact | None, known: str | None = None) -> None:
    """Make the table `SHARED` of valid numbers carried by more names than one person has: a typist's filler, not a person."""
    if exact is None:
        con.execute(f"create or replace temp table {SHARED} (value varchar, is_newly boolean)")
    else:
        too_common(con, SHARED, f"{exact.number}_valid", f"{exact.name}_sound", exact.carried_by_at_most, known)


def exact_edges(con: duckdb.DuckDBPyConnection, model: LinkModel) -> None:
    """Make the table `EXACT` (l, r, levels, rule, verdict) of row numbers under one valid number; `SHARED` must be there.

    Same number with the same name (or sound) is the same person, also with a similar or missing name when the birth date does not disagree.
    The same number under another name is uncertain: a parent's card used for a child, a borrowed card, or a new name.
    Identities equal in number, name, birth date and sex hang on the earliest of them; so edges stay few.
    """
    exact = model.exact
    con.execute(f"create or replace temp table {EXACT} (l bigint, r bigint, levels varchar, rule varchar, verdict varchar)")
    if exact is None:
        return
    number, name, birth, sex = f"{exact.number}_valid", exact.name, f"{exact.birth_date}_key", f"{exact.sex}_key"
    con.execute(f"""create or replace temp table {_NUMBERED} as
        select rn, min(rn) over (partition by {number}, {name}_key, {birth}, {sex}) as first_rn, {number},
            {number} in (select value from {SHARED}) as is_shared, {name}_key, {name}_sound, {name}_surname, {name}_given1, {name}_given2, {birth}, {sex}
        from {NODE} where {number} is not null and is_numbered""")
    con.execute(f"""insert into {EXACT}
        select first_rn, rn, '{exact.number}=same {exact.name}=same {exact.birth_date}=same {exact.sex}=same',
            'same_number_name_birth', 'same'
        from {_NUMBERED} where rn <> first_rn and (not is_shared or ({name}_key is not null and {birth} is not null))""")
    similar = sided(dict(model.comparison(name).levels).get("similar", "false"))
    con.execute(f"""insert into {EXACT}
        select l, r, '{exact.number}=same ' || case when named <> '' then '{exact.name}=' || named || ' ' else '' end
            || '{exact.birth_date}=' || case when births_agree then 'same' when births_agree is null then 'missing' else 'different' end,
            'same_number_' || case when named in ('same', 'sound') then 'name' when named = '' then 'only' else named || '_name' end,
            case when named in ('same', 'sound') or (named in ('', 'similar') and coalesce(births_agree, true))
                then 'same' else 'uncertain' end
        from (select l.first_rn as l, r.first_rn as r, l.is_shared, l.{birth} = r.{birth} as births_agree,
                case when l.{name}_key is null or r.{name}_key is null then '' when l.{name}_key = r.{name}_key then 'same'
                    when l.{name}_sound = r.{name}_sound then 'sound' when {similar} then 'similar' else 'different' end as named
            from {_NUMBERED} as l join {_NUMBERED} as r on l.{number} = r.{number} and l.first_rn < r.first_rn
                and l.rn = l.first_rn and r.rn = r.first_rn)
        where not is_shared or (named in ('same', 'sound') and births_agree)""")
    con.execute(f"drop table {_NUMBERED}")
