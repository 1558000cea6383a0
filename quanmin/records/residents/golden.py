"""One row per resident: the best of what the senders say."""

from __future__ import annotations

import duckdb

from quanmin.records.residents.identity_numbers import birth_date, sex_code
from quanmin.records.residents.model_file import load_model
from quanmin.records.residents.prepare import NODE, Rows, bring, column_names, prepare


def residents(con: duckdb.DuckDBPyConnection, identities: Rows, clusters: Rows) -> duckdb.DuckDBPyRelation:
    """The residents behind `clusters` (identity_id, resident_id), as a relation of `con` ordered by resident_id.

    `identities` as for `link`, with `table_name` (where each was first seen: resident, stay, visit, claim). Columns: resident_id, name,
    birth_date, sex_code, identity_number (a valid one or null), home_region, home_county (6 digits), home_township (9 digits or null),
    identity_count. Name: as the newest register entry has it, else the commonest. Birth date and sex: as in the valid identity number,
    else the register, else the commonest. Home: the newest register entry, else the newest county insured in, else the commonest region.
    """
    given, linked = bring(con, identities, "residents_source"), bring(con, clusters, "residents_linked")
    there = column_names(con, given)
    prepare(con, given, load_model())
    order = "(g.first_submission, g.first_line)" if {"first_submission", "first_line"} <= set(there) else "n.rn"
    table = "g.table_name" if "table_name" in there else "null::varchar"
    con.execute(f"""create or replace temp table residents_golden as
        with member as (
            select c.resident_id, n.identity_number_valid as number, n.name_key, g.name, n.birth_date_key, n.sex_code_key, g.region_code,
                {table} as table_name, {order} as seen, n.rn
            from {linked} as c join {NODE} as n using (identity_id) join {given} as g using (identity_id) where c.resident_id is not null),
        best as (
            select resident_id, mode(number order by rn) as identity_number, count(*) as identity_count,
                coalesce(arg_max(name, seen) filter (table_name = 'resident' and name_key is not null),
                    mode(name order by rn) filter (name_key is not null), any_value(name order by rn)) as name,
                coalesce(arg_max(birth_date_key, seen) filter (table_name = 'resident'),
                    mode(birth_date_key order by rn)) as birth_date_key,
                coalesce(arg_max(sex_code_key, seen) filter (table_name = 'resident'), mode(sex_code_key order by rn)) as sex_code,
                coalesce(arg_max(region_code, seen) filter (table_name = 'resident'),
                    arg_max(region_code, seen) filter (table_name = 'claim'), mode(region_code order by rn)) as home_region
            from member group by resident_id)
        select resident_id, name, coalesce({birth_date('identity_number')}, try_strptime(birth_date_key, '%Y%m%d')::date) as birth_date,
            coalesce({sex_code('identity_number')}, sex_code) as sex_code, identity_number, home_region,
            left(home_region, 6) as home_county, case when length(home_region) >= 9 then left(home_region, 9) end as home_township,
            identity_count
        from best order by resident_id""")
    con.execute(f"drop table {NODE}")
    return con.table("residents_golden")
