"""New identities among known ones: whatever comes when, it ends as if all had come at once, and strangers are left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanmin.records.residents import Relinked
from tests.residents.made_people import made_identities, some_name, with_check
from tests.residents.made_steps import Decided, Steps, differences, in_parts, touchy
from tests.residents.test_cases import together

COLUMNS = ("name", "sex_code", "birth_date", "identity_number", "phone", "address", "health_card_number")
SEVERAL = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def rows(*people: dict[str, str], first: int = 0) -> pa.Table:
    """Identities in order of first sight; `id` names each."""
    columns = {name: pa.array([p.get(name) for p in people], pa.string()) for name in COLUMNS}
    return pa.table({"identity_id": pa.array([p["id"] for p in people], pa.string())} | columns
                    | {"first_submission": pa.array([1] * len(people), pa.int64()), "first_line": pa.array(range(first, first + len(people)), pa.int64())})


def mixed() -> pa.Table:
    """Identities of all cases, of some families, and people who share phones, cards and numbers."""
    return together(made_identities(40, missing=0.5, seed=4).drop_columns("person"), crowd(30))


def crowd(count: int) -> pa.Table:
    """Twice the same people, the second time born a day later, under few phones, cards and numbers."""
    people = [{"name": some_name(40 + i), "birth_date": f"1970-0{1 + i % 9}-1{1 + i % 5}", "phone": f"1380571000{i % 3}",
               "health_card_number": f"3301270{i % 4}1", "identity_number": with_check(f"330106197{i % 4}0512{10 + i % 2}1") if i % 3 else ""}
              for i in range(count)]
    later = [person | {"birth_date": person["birth_date"][:-1] + str(int(person["birth_date"][-1]) + 1)} for person in people]
    return rows(*({k: v for k, v in p.items() if v} | {"id": f"cc{i:02d}"} for i, p in enumerate([*people, *later])))


@SEVERAL
@given(st.data())
def test_any_parts_under_any_decisions_give_the_same(data: st.DataObject) -> None:
    whole, parts, at_most = mixed(), data.draw(st.integers(2, 4)), data.draw(st.sampled_from([1, 2, 3, 10]))
    ids = whole["identity_id"].to_pylist()
    part_of = data.draw(st.lists(st.integers(0, parts - 1), min_size=len(whole), max_size=len(whole)))
    pairs = st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda pair: pair[0] < pair[1])
    steps = Steps(whole, touchy(at_most))
    for part in range(parts):
        known = [(a, b) for a, b in steps.con.execute("select identity_a, identity_b from known_edges order by all").fetchall()]
        either = st.one_of(pairs, st.sampled_from(known)) if known else pairs
        steps.add(whole.filter(pa.array([p == part for p in part_of])),
                  data.draw(st.dictionaries(either, st.sampled_from(["join", "split"]), max_size=6)) if data.draw(st.booleans()) else None)
        assert differences(steps, whole.filter(pa.array([p <= part for p in part_of]))) == {}


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_identities_in_batches_give_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = made_identities(500, missing=[0.1, 0.5, 0.9][seed], seed=seed).drop_columns("person")
    few = pa.array([f"1380571{i:04d}" for i in rng.integers(0, 12, len(people))])
    people = people.set_column(people.column_names.index("phone"), "phone", pc.if_else(pa.array(rng.random(len(people)) < 0.3), few, people["phone"]))
    steps = in_parts(people, np.sort(rng.integers(0, 10, len(people))).tolist())
    assert differences(steps, people) == {}
    assert steps.con.execute("select count(*) from known_edges where set_aside <> ''").fetchall()[0][0] > 0, "phones became too common on the way"


# --- what may come later, one by one: each step says what it must have changed ---

ANNA, BERTA = {"name": some_name(3), "birth_date": "1980-01-02"}, {"name": some_name(57), "birth_date": "1975-07-08"}
NUMBER = with_check("33010619800102123")


def _status(steps: Steps, a: str, b: str) -> str:
    found = steps.con.execute("select status from known_edges where identity_a = ? and identity_b = ?", [a, b]).fetchall()
    return str(found[0][0]) if found else ""


def _residents(steps: Steps, *ids: str) -> int:
    held = dict(steps.con.execute("select identity_id, resident_id from known_clusters").fetchall())
    return len({held[i] for i in ids})


def _others(count: int, **same: str) -> list[dict[str, str]]:
    return [{"id": f"f{i:02d}", "name": some_name(51 * i + 100), "birth_date": f"19{40 + i}-05-1{i % 10}"} | same for i in range(count)]


def _steps(*batches: pa.Table) -> tuple[Steps, pa.Table]:
    steps = Steps(batches[0])
    for batch in batches:
        steps.add(batch)
    return steps, pa.concat_tables(batches)


def test_a_third_writing_makes_two_residents_one() -> None:
    one, other = {"id": "a1", "identity_number": NUMBER} | ANNA, {"id": "a2", "name": ANNA["name"], "phone": "13805710015", "address": "Lu Lu 7-101 330106"}
    first, second = rows(one, other), rows({"id": "a3", "identity_number": NUMBER, "phone": "13805710015", "address": "Lu Lu 7-101 330106"} | ANNA, first=9)
    steps, _ = _steps(first)
    assert _residents(steps, "a1", "a2") == 2
    made = steps.add(second)
    assert _residents(steps, "a1", "a2", "a3") == 1 and made.clusters.gone["identity_id"].to_pylist() == ["a2"]
    assert differences(steps, pa.concat_tables([first, second])) == {}


def test_a_number_that_many_turn_out_to_share_joins_nobody_any_more() -> None:
    first = rows({"id": "a1", "identity_number": NUMBER, "name": ANNA["name"]}, {"id": "a2", "identity_number": NUMBER} | ANNA)
    steps, _ = _steps(first)
    assert _residents(steps, "a1", "a2") == 1
    second = rows(*_others(12, identity_number=NUMBER), first=10)
    steps.add(second)
    assert _residents(steps, "a1", "a2") == 2
    third = rows({"id": "a3", "identity_number": NUMBER} | ANNA, first=40)
    steps.add(third)
    assert _residents(steps, "a2", "a3") == 1, "same name and birth date under a shared number"
    assert differences(steps, pa.concat_tables([first, second, third])) == {}


def test_a_phone_that_many_turn_out_to_share_counts_no_more_for_pairs_of_before() -> None:
    pair = {"name": some_name(60), "phone": "13805710099"}
    first = rows(pair | {"id": "a1", "birth_date": "1960-05-05"}, pair | {"id": "a2", "birth_date": "1961-06-17"})
    steps, _ = _steps(first)
    assert _status(steps, "a1", "a2") in ("joined", "review")
    second = rows(*_others(25, phone="13805710099"), first=10)
    steps.add(second)
    assert steps.con.execute("select count(*) from known_edges where set_aside <> ''").fetchall() == [(0,)]
    third = rows(*({**p, "id": "e" + p["id"], "name": some_name(800 + i)} for i, p in enumerate(_others(9, phone="13805710099"))), first=60)
    steps.add(third)
    assert _status(steps, "a1", "a2") == "apart"
    assert differences(steps, pa.concat_tables([first, second, third])) == {}


def test_a_group_that_proves_to_be_two_people_is_split() -> None:
    home = {"phone": "13805710015", "address": "Lu Lu 7-101 330106"}
    first = rows({"id": "a1"} | ANNA | home, {"id": "a2", "identity_number": NUMBER} | ANNA | home)
    steps, _ = _steps(first)
    assert _residents(steps, "a1", "a2") == 1
    second = rows({"id": "a3", "identity_number": with_check("33010619800102321")} | ANNA | home, first=9)
    steps.add(second)
    assert _residents(steps, "a1", "a2", "a3") == 3, "fits both numbers alike, so belongs to neither"
    third = rows({"id": "b1", "identity_number": with_check("33010619750708321")} | BERTA, first=20)
    steps.add(third)
    fourth = rows({"id": "a4", "identity_number": NUMBER} | ANNA | {"phone": "13805710015"}, first=30)
    steps.add(fourth)
    assert differences(steps, pa.concat_tables([first, second, third, fourth])) == {}


def test_a_pair_to_review_dissolves_when_both_prove_to_be_one() -> None:
    boy, twin = some_name(0) + some_name(51)[1], some_name(0) + some_name(101)[1]
    home = {"birth_date": "2019-05-20", "phone": "13805710015", "address": "7-101"}
    first = rows({"id": "a1", "name": boy} | home, {"id": "a2", "name": twin} | home)
    steps, _ = _steps(first)
    assert _status(steps, "a1", "a2") == "review" and len(steps.tables()["review"]) == 1
    steps.add(first.slice(0, 0), {("a1", "a2"): "join"})
    assert len(steps.tables()["review"]) == 0 and differences(steps, first) == {}
    steps.add(first.slice(0, 0), {})
    assert len(steps.tables()["review"]) == 1 and differences(steps, first) == {}
    steps.add(first.slice(0, 0), {("a1", "a2"): "split"})
    second = rows({"id": "a3", "name": boy} | home, first=9)
    steps.add(second)
    assert len(steps.tables()["review"]) == 0, "the two are known to be apart, under whatever writing"
    assert differences(steps, pa.concat_tables([first, second])) == {}


@pytest.mark.parametrize("decision", ["join", "split"])
def test_a_decision_on_somebody_who_is_yet_to_come_waits(decision: str) -> None:
    home = {"phone": "13805710015", "address": "Lu Lu 7-101 330106"}
    first, second = rows({"id": "a1"} | (ANNA | home)), rows({"id": "a2"} | ((BERTA if decision == "join" else ANNA) | home), first=9)
    steps = Steps(first)
    decided: Decided = {("a1", "a2"): decision}
    steps.add(first, decided)
    steps.add(second)
    assert _residents(steps, "a1", "a2") == (1 if decision == "join" else 2)
    assert differences(steps, pa.concat_tables([first, second])) == {}


def _stranger() -> pa.Table:
    return rows({"id": "zz", "name": some_name(333), "birth_date": "1911-11-11", "phone": "13911111111"}, first=10_000)


def _filler() -> pa.Table:
    return rows({"id": "zz", "name": some_name(333), "birth_date": "1911-11-11", "identity_number": NUMBER, "phone": "13805710099"}, first=10_000)


@pytest.mark.parametrize("newcomer", [_stranger, _filler])
def test_only_what_a_newcomer_touches_is_looked_at(newcomer: Callable[[], pa.Table]) -> None:
    people = made_identities(200, missing=0.3, seed=9).drop_columns("person")
    steps = Steps(people)
    steps.add(people)
    steps.add(rows(*_others(40, phone="13805710099", identity_number=NUMBER), first=5000))
    made: Relinked = steps.add(newcomer())
    assert made.touched["identity_id"].to_pylist() == ["zz"], "a value that was too common before ties nobody"
    assert [len(change.gone) for change in (made.clusters, made.edges, made.review)] == [0, 0, 0]


def test_what_is_new_changes_only_the_rows_that_differ() -> None:
    people = made_identities(300, missing=0.9, seed=18).drop_columns("person")
    steps = Steps(people)
    steps.add(people.slice(0, 600))
    made = steps.add(people.slice(600))
    moved, new = len(made.clusters.gone), len(people) - 600
    assert 0 < moved < 20 and new + moved < len(made.touched) < len(people)
    assert len(made.clusters.come) == new + moved
