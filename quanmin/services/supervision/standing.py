"""Where a finding stands after what was done about it, and what may be done next by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from quanmin.model.finding import FindingAct

STATES = ("new", "issued", "answered", "rectifying", "rectified", "closed", "dismissed")
OPEN = ("issued", "answered", "rectifying", "rectified")
VERDICTS = MappingProxyType({"confirm": "violation", "dismiss": "innocent"})
AFTER = MappingProxyType({  # act → state it leads to
    "issue": "issued", "admit": "answered", "contest": "answered", "confirm": "rectifying", "dismiss": "dismissed", "rectify": "rectified",
    "return": "rectifying", "close": "closed", "reopen": "issued",
})
NEXT: Mapping[str, Mapping[str, str]] = MappingProxyType({  # state → act → permission it takes
    "new": {"issue": "supervise", "dismiss": "supervise"},
    "issued": {"admit": "answer", "contest": "answer", "confirm": "supervise", "dismiss": "supervise"},
    "answered": {"confirm": "supervise", "dismiss": "supervise"},
    "rectifying": {"rectify": "answer"},
    "rectified": {"close": "supervise", "return": "supervise"},
    "closed": {"reopen": "supervise"},
    "dismissed": {"reopen": "supervise"},
})
WAITS_FOR = MappingProxyType({"issued": "answer", "rectifying": "answer", "answered": "supervise", "rectified": "supervise"})
DUE = frozenset({"issue", "confirm", "return", "reopen"})  # acts that set a day
ESCALATED_AFTER_DAYS = 15  # an institution that late is reported to the leaders of the bureau


@dataclass(frozen=True)
class Standing:
    """The state of a finding on a day; `due_on` "" where nobody is waited for, `days_late` 0 where nobody is late; `verdict` is violation, innocent or ""."""

    state: str
    due_on: str = ""
    days_late: int = 0
    verdict: str = ""
    steps: int = 0

    @property
    def is_escalated(self) -> bool:
        """Whether the institution is so late that leaders are told."""
        return self.days_late > ESCALATED_AFTER_DAYS


NEW = Standing("new")


def standing(acts: Sequence[FindingAct], on: str) -> Standing:
    """Where a finding stands on a day, after its acts in order."""
    if not acts:
        return NEW
    state = AFTER[acts[-1].act]
    due = next((one.due_on for one in reversed(acts) if one.act in DUE), "") if state in ("issued", "rectifying") else ""
    late = max(0, (date.fromisoformat(on) - date.fromisoformat(due)).days) if due else 0
    verdict = next((VERDICTS[one.act] for one in reversed(acts) if one.act in VERDICTS), "")
    return Standing(state, due, late, "" if acts[-1].act == "reopen" else verdict, acts[-1].step)


def by_finding(acts: Sequence[FindingAct]) -> dict[str, list[FindingAct]]:
    """Finding → its acts in order."""
    found: dict[str, list[FindingAct]] = {}
    for one in acts:
        found.setdefault(one.finding, []).append(one)
    return found
