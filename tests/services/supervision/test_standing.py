"""Where a finding stands: every way through the steps, who may take them, and what is late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quanmin.engines.answers import wilson
from quanmin.model.finding import FindingAct
from quanmin.services.supervision.outcomes import outcomes
from quanmin.services.supervision.standing import AFTER, ESCALATED_AFTER_DAYS, NEXT, STATES, WAITS_FOR, by_finding, standing

FIRST = FindingAct("f" * 32, 1, "issue", "", "2026-03-10", "", "", "table/rule", "H1", "C1", "2026-02-01", 12.5, "section")


def acts(*names: str, due: str = "2026-03-10") -> list[FindingAct]:
    return [replace(FIRST, step=i + 1, act=name, due_on=due if name in ("issue", "confirm", "return", "reopen") else "") for i, name in enumerate(names)]


def test_every_state_can_be_reached_and_left_and_every_step_is_open_to_one_side() -> None:
    reached, waiting = {"new"}, ["new"]
    while waiting:
        for act, permission in NEXT[waiting.pop()].items():
            assert permission in ("supervise", "answer")
            if AFTER[act] not in reached:
                reached.add(AFTER[act])
                waiting.append(AFTER[act])
    assert reached == set(STATES) == set(NEXT) and {act for steps in NEXT.values() for act in steps} == set(AFTER)
    assert all(permission in NEXT[state].values() for state, permission in WAITS_FOR.items())


@pytest.mark.parametrize(("names", "state", "verdict"), [
    ((), "new", ""), (("issue",), "issued", ""), (("issue", "admit"), "answered", ""), (("issue", "contest"), "answered", ""),
    (("issue", "contest", "dismiss"), "dismissed", "innocent"), (("issue", "admit", "confirm"), "rectifying", "violation"),
    (("issue", "admit", "confirm", "rectify"), "rectified", "violation"), (("issue", "admit", "confirm", "rectify", "return"), "rectifying", "violation"),
    (("issue", "admit", "confirm", "rectify", "close"), "closed", "violation"), (("issue", "admit", "confirm", "rectify", "close", "reopen"), "issued", ""),
    (("issue", "contest", "dismiss", "reopen", "admit", "confirm"), "rectifying", "violation")])
def test_steps_lead_to_states(names: tuple[str, ...], state: str, verdict: str) -> None:
    found = standing(acts(*names), "2026-03-01")
    assert (found.state, found.verdict, found.steps) == (state, verdict, len(names))


@pytest.mark.parametrize(("names", "on", "late"), [
    (("issue",), "2026-03-10", 0), (("issue",), "2026-03-11", 1), (("issue", "admit"), "2026-04-30", 0), (("issue", "admit", "confirm"), "2026-03-15", 5),
    (("issue", "admit", "confirm", "rectify"), "2026-05-01", 0), (("issue", "admit", "confirm", "rectify", "return"), "2026-03-12", 2)])
def test_only_who_is_waited_for_is_late(names: tuple[str, ...], on: str, late: int) -> None:
    found = standing(acts(*names), on)
    assert found.days_late == late and not found.is_escalated


def test_leaders_are_told_of_the_very_late() -> None:
    assert not standing(acts("issue"), f"2026-03-{10 + ESCALATED_AFTER_DAYS}").is_escalated
    assert standing(acts("issue"), f"2026-03-{11 + ESCALATED_AFTER_DAYS}").is_escalated


def test_a_rule_learns_from_verdicts_that_stand() -> None:
    done = [[replace(act, finding=f"{i:032x}") for act in acts(*names)] for i, names in enumerate([
        ("issue", "admit", "confirm"), ("issue", "admit", "confirm", "rectify", "close"), ("issue", "contest", "dismiss"), ("issue",),
        ("issue", "contest", "dismiss", "reopen")])]
    grouped = by_finding([act for one in done for act in one])
    found = outcomes(grouped, {name: standing(one, "2026-03-01") for name, one in grouped.items()})["table/rule"]
    assert (found.looked_at, found.violations, found.innocent) == (5, 2, 1)
    low, high = wilson(2, 3)
    assert (found.precision, found.low, found.high) == pytest.approx((200 / 3, 100 * low, 100 * high))
