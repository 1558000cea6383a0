"""Linking at once and in parts, decisions, evidence and ids."""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanmin.records.residents import Linked, link, normalise, residents
from tests.residents.made_people import made_identities, pair_quality, some_name
from tests.residents.made_steps import Steps, in_parts, tables
from tests.residents.test_cases import CASES, identities, together


@cache
def _mixed() -> pa.Table:
    """Identities of the cases (one hand-made person each) and of some families, small but knotty."""
    return together(made_identities(60, missing=0.5, seed=4).drop_columns("person"))


@cache
def _at_once() -> Linked:
    return link(duckdb.connect(), _mixed())


@cache
def _expected() -> dict[str, pa.Table]:
    return tables(_at_once())


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_order_and_any_parts_give_the_same(data: st.DataObject) -> None:
    whole, parts = _mixed(), data.draw(st.integers(1, 4))
    part_of = data.draw(st.lists(st.integers(0, parts - 1), min_size=len(whole), max_size=len(whole)))
    order = data.draw(st.permutations(range(len(whole))))
    linked = in_parts(whole.take(order), [part_of[i] for i in order]).tables()
    assert {name: rows.equals(_expected()[name].select(rows.column_names)) for name, rows in linked.items()} == dict.fromkeys(linked, True)


def test_ids_stay_when_records_are_added() -> None:
    people = made_identities(300, missing=0.3, seed=5).drop_columns("person")
    before = link(duckdb.connect(), people.slice(0, 600))
    after = link(duckdb.connect(), people)
    old = dict(zip(*(before.clusters[c].to_pylist() for c in ("identity_id", "resident_id")), strict=True))
    now = dict(zip(*(after.clusters[c].to_pylist() for c in ("identity_id", "resident_id")), strict=True))
    moved = {identity for identity in old if old[identity] != now[identity]}
    first = people["identity_id"].to_pylist()
    for identity in moved:  # only where two residents proved to be one: the older id lives on
        merged = sorted((i for i in now if now[i] == now[identity]), key=first.index)
        assert now[identity] == "R" + merged[0][:15] and now[identity] in old.values()
    assert len(moved) < 10


def test_a_resident_is_named_after_the_identity_first_seen() -> None:
    linked = _at_once()
    first = {identity: place for place, identity in enumerate(_mixed()["identity_id"].to_pylist())}
    groups: dict[str, list[str]] = {}
    for row in linked.clusters.to_pylist():
        groups.setdefault(row["resident_id"], []).append(row["identity_id"])
    groups.pop(None, None)  # type: ignore[call-overload]
    assert all(resident == "R" + min(group, key=first.__getitem__)[:15] for resident, group in groups.items())


def _family() -> pa.Table:
    """A boy seen twice (a1, a3) and his twin (a2), none with a number."""
    boy, twin = some_name(0) + some_name(51)[1], some_name(0) + some_name(101)[1]
    return pa.table({"identity_id": ["a1", "a2", "a3"], "name": [boy, twin, boy], "birth_date": ["2019-05-20"] * 3,
                     "phone": ["13805710015"] * 3, "address": ["7-101", "7-101", "7-102"],
                     "first_submission": [1, 1, 1], "first_line": [2, 3, 4]})


def _together(linked: Linked) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for row in linked.clusters.to_pylist():
        groups.setdefault(row["resident_id"], set()).add(row["identity_id"])
    return {frozenset(group) for group in groups.values()}


def _decisions(*rows: tuple[str, str, str]) -> pa.Table:
    return pa.table({"identity_a": [r[0] for r in rows], "identity_b": [r[1] for r in rows], "decision": [r[2] for r in rows],
                     "decided_by": ["registrar"] * len(rows)})


def test_a_decision_to_split_undoes_a_join_and_taking_it_back_joins_again() -> None:
    con, family = duckdb.connect(), _family()
    linked = link(con, family)
    assert _together(linked) == {frozenset({"a1", "a3"}), frozenset({"a2"})}
    split = link(con, family, decisions=_decisions(("a1", "a3", "split")))
    assert _together(split) == {frozenset({"a1"}), frozenset({"a2"}), frozenset({"a3"})}
    kept = next(e for e in split.edges.to_pylist() if (e["identity_a"], e["identity_b"]) == ("a1", "a3"))
    assert (kept["verdict"], kept["status"], kept["decided_by"]) == ("same", "apart", "model"), "the evidence stays, the join does not"
    assert ("a1", "a3") not in {(r["identity_a"], r["identity_b"]) for r in split.review.to_pylist()}
    steps = Steps(family)
    steps.add(family, {("a1", "a3"): "split"})
    steps.add(family.slice(0, 0), {})
    assert {name: rows.equals(tables(linked)[name]) for name, rows in steps.tables().items()} == dict.fromkeys(steps.tables(), True)


def test_a_decision_to_join_is_evidence_with_a_name_and_leaves_the_review_list() -> None:
    con, family = duckdb.connect(), _family()
    assert {r["reason"] for r in link(con, family).review.to_pylist()} == {"needs_support"}
    joined = link(con, family, decisions=_decisions(("a2", "a1", "join")))
    assert _together(joined) == {frozenset({"a1", "a2", "a3"})} and len(joined.review) == 0
    assert ("a1", "a2", "registrar", "joined") in {
        (e["identity_a"], e["identity_b"], e["decided_by"], e["status"]) for e in joined.edges.to_pylist()}


def test_a_split_is_stronger_than_a_chain_of_joins() -> None:
    decided = _decisions(("a1", "a2", "join"), ("a2", "a3", "join"), ("a1", "a3", "split"))
    linked = link(duckdb.connect(), _family(), decisions=decided)
    assert not any({"a1", "a3"} <= group for group in _together(linked))
    assert any(r["reason"] == "conflict" for r in linked.review.to_pylist()) is False, "the pair was decided, so nobody is asked again"


def _crowd(count: int, **same: str) -> pa.Table:
    """People with nothing in common but what is given."""
    rows = {"identity_id": [f"{i:04x}" for i in range(count)], "name": [some_name(50 * i) for i in range(count)],
            "birth_date": [f"19{30 + i}-0{1 + i % 9}-1{i % 7}" for i in range(count)]}
    return pa.table(rows | {column: [value] * count for column, value in same.items()})


@pytest.mark.parametrize("filler", [{"identity_number": "11010519491231002X"}, {"identity_number": "123456789012345678"},
                                    {"health_card_number": "12345678"}, {"phone": "13800138000"}, {"birth_date": "1990-01-01"}])
def test_a_filler_typed_for_everybody_joins_nobody(filler: dict[str, str]) -> None:
    linked = link(duckdb.connect(), _crowd(60, **filler))
    assert linked.resident_count == 60 and len(linked.review) == 0


def test_who_is_nobody_alone_may_be_somebody_by_decision() -> None:
    known = pa.table({"identity_id": ["aa"], "name": [some_name(3)], "birth_date": ["1980-01-02"]})
    both = pa.concat_tables([known, pa.table({"identity_id": ["bb"]})], promote_options="default")
    assert [r["resident_id"] for r in link(duckdb.connect(), both).clusters.to_pylist()] == ["Raa", None]
    decided = link(duckdb.connect(), both, decisions=_decisions(("aa", "bb", "join")))
    assert [r["resident_id"] for r in decided.clusters.to_pylist()] == ["Raa", "Raa"]


def test_a_phone_that_forty_people_share_is_set_aside() -> None:
    phone, name = "13805710099", some_name(60) + some_name(80)[1]
    pair = pa.table({"identity_id": ["fff0", "fff1"], "name": [name, name], "birth_date": ["1960-05-05", "1961-06-17"],
                     "phone": [phone, phone]})
    assert link(duckdb.connect(), pair).edges["set_aside"].to_pylist() == [""]
    crowded = link(duckdb.connect(), pa.concat_tables([_crowd(40, phone=phone), pair]))
    edge = next(e for e in crowded.edges.to_pylist() if e["identity_a"] == "fff0")
    assert edge["set_aside"] == "phone" and edge["status"] == "apart"


def test_nothing_to_link() -> None:
    linked = link(duckdb.connect(), _family().slice(0, 0))
    assert (len(linked.clusters), len(linked.edges), len(linked.review)) == (0, 0, 0)


def test_a_connection_is_left_clean_also_after_a_failure() -> None:
    con = duckdb.connect()
    link(con, _family())
    with pytest.raises(duckdb.Error):
        link(con, pa.table({"name": ["x"]}))
    assert con.execute("select count(*) from duckdb_tables()").fetchone() == (0,)
    assert con.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)


def test_prepared_columns_can_be_seen() -> None:
    shown = normalise(duckdb.connect(), identities(CASES[0]["rows"])).to_arrow_table()
    assert shown["name_sound"].unique().to_pylist() == ["pangqing"] and len(shown["name_key"].unique()) == 1


def test_one_row_per_resident_takes_the_best_of_each_sender() -> None:
    given = pa.table({
        "identity_id": ["a", "b", "c"], "name": [some_name(1)] * 3, "sex_code": ["2", "2", "1"],
        "birth_date": ["1949-12-30", "1949-12-31", "1949-12-31"],
        "identity_number": ["11010519491231002X"] * 3, "region_code": ["330106", "330106001002", "330127003"],
        "table_name": ["claim", "resident", "resident"], "first_submission": [1, 1, 2], "first_line": [2, 3, 2]})
    con = duckdb.connect()
    linked = link(con, given)
    row = residents(con, given, linked.clusters).to_arrow_table().to_pylist()
    assert len(row) == 1
    assert (str(row[0]["birth_date"]), row[0]["sex_code"]) == ("1949-12-31", "2"), "as in the valid number"
    assert (row[0]["home_county"], row[0]["home_township"], row[0]["identity_count"]) == ("330127", "330127003", 3), "newest register entry"


@pytest.mark.parametrize(("missing", "recall"), [(0.12, 0.99), (0.5, 0.98), (1.0, 0.97)])
def test_made_people_are_found(missing: float, recall: float) -> None:
    people = made_identities(4000, missing=missing, seed=11)
    con = duckdb.connect()
    linked = link(con, people)
    precision, found = pair_quality(con, linked.clusters, people)
    assert precision >= 0.998 and found >= recall, (precision, found)
