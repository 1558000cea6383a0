"""What each role may: the table below is the expectation, held against what `catalog/roles.toml` brings about at the door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quanmin.gate import Accounts, Actor, NotAllowed, Scope
from quanmin.gate.accounts import roles
from quanmin.gate.audit import Audit
from quanmin.gate.permitted import LONGEST
from quanmin.model import Refusal
from quanmin.records.ledger import Ledger
from quanmin.services.indicators import Indicators

MATRIX = """
role           figures small rows identified submit decide targets supervise respond answer accounts audit
administrator  .       .     .    .          .      .      .       .         .       .      x        .
auditor        .       .     .    .          .      .      .       .         .       .      .        x
leader         x       x     .    .          .      .      .       .         .       .      .        .
section        x       x     x    .          x      x      x       x         x       .      .        .
epidemiologist x       x     x    x          x      .      .       .         x       .      .        .
institution    x       x     x    x          x      .      .       .         .       x      .        .
viewer         x       .     .    .          .      .      .       .         .       .      .        .
operator       x       x     x    x          x      x      x       x         x       x      x        x
"""
HEADER, *LINES = [line.split() for line in MATRIX.strip().splitlines()]
MAY = {role: {name for name, mark in zip(HEADER[1:], marks, strict=True) if mark == "x"} for role, *marks in LINES}
PAIR = ("a" * 32, "b" * 32)


def actor(role: str, ledger: Ledger, scope: str = "region") -> Actor:
    return Actor(f"some {role}", role, Scope.parse(scope), ledger)


def test_the_roles_are_these_and_no_more() -> None:
    assert {role: set(may) for role, (_, may) in roles().items()} == MAY
    assert not MAY["administrator"] & {"figures", "rows", "identified", "audit"} and not MAY["auditor"] & {"figures", "rows", "accounts"}


@pytest.mark.parametrize("role", [role for role in MAY if role != "operator"])
def test_an_account_may_what_its_role_may(accounts: Accounts, role: str) -> None:
    accounts.add("x", role, "county:C1")
    [account] = accounts.all()
    assert {name for name in HEADER[1:] if account.may(name)} == MAY[role] and account.scope == Scope("county", "C1")


ACTIONS: dict[str, tuple[str, Callable[[Actor, Indicators], object]]] = {
    "figures": ("figures", lambda a, i: a.figures(i, "deaths")),
    "rows": ("rows", lambda a, i: a.rows(i, "deaths")),
    "rows unmasked": ("identified", lambda a, i: a.rows(i, "deaths", unmasked=True)),
    "pairs": ("decide", lambda a, i: a.review_pairs(i)),
    "decide": ("decide", lambda a, i: a.decide(*PAIR, "join", "same person")),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", MAY)
def test_every_action_of_every_role(ledger: Ledger, indicators: Indicators, role: str, action: str) -> None:
    permission, act = ACTIONS[action]
    indicators.engine.connection.execute("CREATE TABLE identity AS SELECT unnest(['a', 'b']) AS identity_id, 'N' AS name, '1' AS sex_code,"
                                         " DATE '1950-01-01' AS birth_date, 'stay' AS table_name")
    indicators.engine.connection.execute("CREATE TABLE resident_review AS SELECT 'a' AS identity_a, 'b' AS identity_b, 0.5 AS probability, '' AS reason,"
                                         " '' AS levels")
    if permission in MAY[role]:
        act(actor(role, ledger), indicators)
        assert not [e for e in Audit(ledger).entries() if e["result"] == "refused"]
    else:
        with pytest.raises(NotAllowed):
            act(actor(role, ledger), indicators)
        [entry] = Audit(ledger).entries()
        assert (entry["account"], entry["result"], entry["rows"]) == (f"some {role}", "refused", 0)
        assert not ledger.decisions()


@pytest.mark.parametrize("role", [role for role in MAY if "figures" in MAY[role]])
def test_small_counts_are_seen_by_who_may(ledger: Ledger, indicators: Indicators, role: str) -> None:
    cells = {cell.key["place"]: cell for cell in actor(role, ledger).figures(indicators, "deaths", ["place"]).cells}
    assert cells["C1"].suppressed == cells["C2"].suppressed == ("small" not in MAY[role])
    assert cells["C1"].numerator == (3 if "small" in MAY[role] else None)


# A question: what it takes besides figures. "" = nothing, "no" = nobody may.
QUESTIONS = [
    ([], [], ""), (["sex_code"], [], ""), (["place", "month"], [], ""), (["week"], ["county = 'C2'"], ""), ([], ["month = '2026-03' AND place = 'C2'"], ""),
    ([], ["(year = 2026)"], ""),
    ([], ["month <> '2026-03'"], "small"), ([], ["sex_code = '1'"], "small"), ([], ["month = '2026-03' OR place = 'C2'"], "small"),
    ([], ["place IN ('C2')"], "small"), ([], ["NOT place = 'C1'"], "small"), ([], ["day = '2026-03-04'"], "small"), ([], ["place = county"], "small"),
    (["age_years"], [], "rows"), (["hospitalisation_id"], [], "rows"), (["sex_code", "home_township"], [], "rows"), ([], ["age_years > 3"], "rows"),
    ([], ["resident_id = 'R1'"], "rows"),
]


@pytest.mark.parametrize("role", [role for role in MAY if "figures" in MAY[role]])
@pytest.mark.parametrize(("by", "where", "takes"), QUESTIONS)
def test_figures_cannot_be_cut_finer_than_the_role_may_see(ledger: Ledger, indicators: Indicators, role: str, by: list, where: list, takes: str) -> None:
    if not takes or takes in MAY[role]:
        assert actor(role, ledger).figures(indicators, "deaths", by, where).cells
        return
    with pytest.raises(NotAllowed):
        actor(role, ledger).figures(indicators, "deaths", by, where)
    assert Audit(ledger).entries()[0]["result"] == "refused"


@pytest.mark.parametrize("role", ["section", "institution", "operator"])
@pytest.mark.parametrize("column", ["name", "birth_date", "seen_at"])
def test_what_masking_hides_is_no_dimension_and_no_condition(ledger: Ledger, indicators: Indicators, role: str, column: str) -> None:
    stays = indicators.catalog.tables["hospitalisation"]
    kinds = {"name": ("text", "direct"), "birth_date": ("date", "quasi"), "seen_at": ("timestamp", "quasi")}
    kind, private = kinds[column]
    more = {column: replace(stays.columns["origin"], name=column, type=kind, private=private, codes="")}
    tables = {"hospitalisation": replace(stays, columns={**stays.columns, **more})}
    indicators.catalog = replace(indicators.catalog, tables=tables)
    asked = [lambda a: a._admit(indicators, "figures", "deaths", [column], []), lambda a: a._admit(indicators, "rows", "deaths", [], [f"{column} IS NULL"])]
    for ask in asked:
        if "identified" in MAY[role]:
            ask(actor(role, ledger))
        else:
            with pytest.raises(NotAllowed):
                ask(actor(role, ledger))


def test_wrong_questions_are_refused_as_wrong_and_long_ones_unread(ledger: Ledger, indicators: Indicators) -> None:
    viewer = actor("viewer", ledger)
    for by, where in ((["nonsense"], []), ([], ["nonsense ="]), ([], [f"place = '{'x' * LONGEST}'"])):
        with pytest.raises(Refusal) as refused:
            viewer.figures(indicators, "deaths", by, where)
        assert not isinstance(refused.value, NotAllowed)


@pytest.mark.parametrize("scope", ["county:C1", "facility:C1-F0"])
def test_pairs_of_the_whole_region_are_not_for_who_sees_a_part(ledger: Ledger, indicators: Indicators, scope: str) -> None:
    for act in (ACTIONS["pairs"][1], ACTIONS["decide"][1]):
        with pytest.raises(NotAllowed):
            act(actor("section", ledger, scope), indicators)
    assert not ledger.decisions()


@pytest.mark.parametrize(("first", "second", "decision"), [(*PAIR, "marry"), (PAIR[0], PAIR[0], "join"), (PAIR[0], "R1' --", "join"), ("", PAIR[1], "split")])
def test_decisions_are_about_two_identities(ledger: Ledger, first: str, second: str, decision: str) -> None:
    with pytest.raises(Refusal):
        actor("section", ledger).decide(first, second, decision, "")
    assert not ledger.decisions() and not Audit(ledger).entries()
