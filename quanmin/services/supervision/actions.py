"""What may be asked of supervision and done in it: findings, where each stands, and the steps from issue to close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from quanmin.catalog.messages import say
from quanmin.model import Check, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.model.finding import FindingAct, Found, Replay
from quanmin.services.supervision.outcomes import RuleOutcome, outcomes
from quanmin.services.supervision.standing import AFTER, DUE, NEW, NEXT, STATES, Standing, by_finding, standing

SHOWN = 200  # findings of a list, where nothing else is said
MOST = 100_000
LONGEST_TEXT = 2_000
LONGEST_DAYS = 366  # how far ahead a day may be set


@dataclass(frozen=True)
class Listed:
    """A finding with where it stands; `is_found` tells whether the rule still finds it in the snapshot."""

    found: Found
    standing: Standing
    is_found: bool = True


@dataclass(frozen=True)
class Findings:
    """The findings asked for, the most money first within the newest month; `count` of them in all, of which `findings` are told."""

    count: int
    findings: tuple[Listed, ...]
    snapshot: int


@dataclass(frozen=True)
class Tally:
    """Findings of a rule at an institution by state; `late` of those waited for, `amount_cny` in question."""

    rule: str
    family: str
    facility: str
    county: str
    month: str
    states: dict[str, int]
    late: int
    escalated: int
    amount_cny: float


@dataclass(frozen=True)
class Told:
    """A finding, where it stands, what was done about it and what the asker may do next; `outcome` is the record of its rule."""

    found: Found
    standing: Standing
    is_found: bool
    acts: tuple[FindingAct, ...]
    may: tuple[str, ...]
    outcome: RuleOutcome | None
    snapshot: int


def _refuse(field: str, value: str, rule: str, mend: str) -> Refusal:
    return Refusal(Problem("finding", None, field, value[:60], say(rule), mend))


def _of_acts(done: Sequence[FindingAct], rules: dict[str, Check]) -> Found:
    """What acts tell of a finding that its rule does not find any more."""
    last = done[-1]
    rule = rules.get(last.rule)
    family = rule.finding.family if rule is not None and rule.finding is not None else ""
    return Found(last.finding, last.rule, family, rule.table if rule else "", "", "", last.facility, last.county, "", last.found_on, last.amount_cny)


def _listed(asker: Asker, rule: str = "", family: str = "", facility: str = "", place: str = "", period: str = "", finding: str = "") -> list[Listed]:
    """What rules find in the snapshot, and what they found before and somebody acted on; with where each stands today."""
    if rule and rule not in asker.rules():
        raise _refuse("rule", rule, "no_rule", ", ".join(list(asker.rules())[:5]) + " …")
    if not asker.may("small"):
        raise _refuse("role", "", "finding_role", say("mend_finding_role"))
    acts, today = by_finding(asker.finding_acts(finding)), asker.today()
    standings = {name: standing(done, today) for name, done in acts.items()}
    found = asker.findings(rule=rule, family=family, facility=facility, place=place, period=period, finding=finding)
    known = {one.id for one in found}
    gone = [_of_acts(done, dict(asker.rules())) for name, done in acts.items() if name not in known]
    wanted = [one for one in gone if (not rule or one.rule == rule) and (not family or one.family == family) and (not facility or one.facility == facility)
              and (not place or one.county == place) and one.found_on.startswith(period)]
    missing = _elsewhere(asker, [one.id for one in wanted])
    return ([Listed(one, standings.get(one.id, NEW)) for one in found]
            + [Listed(one, standings[one.id], False) for one in wanted if one.id not in missing])


def _elsewhere(asker: Asker, ids: Sequence[str]) -> set[str]:
    """Those of the findings that the rules still find, outside what was asked for."""
    return {one.id for one in asker.findings(among=tuple(ids))} if ids else set()


def _one(asker: Asker, finding: str) -> Listed:
    found = _listed(asker, finding=finding) if finding else []
    if not found:
        raise _refuse("finding", finding, "no_finding", say("mend_no_finding"))
    return found[0]


@action("figures")
def findings(asker: Asker, rule: str = "", family: str = "", facility: str = "", place: str = "", period: str = "", state: str = "",
             limit: int = SHOWN) -> Findings:
    """Findings of supervision with where each stands: of a rule, family, institution, county, period or state (late and escalated are states too)."""
    if state and state not in (*STATES, "late", "escalated"):
        raise _refuse("state", state, "bad_value", ", ".join((*STATES, "late", "escalated")))
    listed = _listed(asker, rule, family, facility, place, period)
    chosen = [one for one in listed if not state or one.standing.state == state or (state == "late" and one.standing.days_late)
              or (state == "escalated" and one.standing.is_escalated)]
    chosen.sort(key=lambda one: (one.found.found_on[:7], one.found.amount_cny or 0, one.found.id), reverse=True)
    return Findings(len(chosen), tuple(chosen[:max(0, min(limit, MOST))]), asker.snapshot)


@action("figures")
def finding_tallies(asker: Asker, place: str = "", facility: str = "", period: str = "") -> tuple[Tally, ...]:
    """How many findings each rule has at each institution in each month, by state."""
    groups: dict[tuple[str, str, str], list[Listed]] = {}
    for one in _listed(asker, facility=facility, place=place, period=period):
        groups.setdefault((one.found.rule, one.found.facility, one.found.found_on[:7]), []).append(one)
    return tuple(Tally(rule, listed[0].found.family, unit, listed[0].found.county, month, dict(Counter(one.standing.state for one in listed)),
                       sum(one.standing.days_late > 0 for one in listed), sum(one.standing.is_escalated for one in listed),
                       sum(one.found.amount_cny or 0.0 for one in listed)) for (rule, unit, month), listed in sorted(groups.items()))


@action("figures")
def finding(asker: Asker, finding: str) -> Told:
    """One finding: where it stands, what was done about it, what may be done next, and how often its rule was right."""
    one = _one(asker, finding)
    acts = tuple(asker.finding_acts(finding))
    may = tuple(act for act, permission in NEXT[one.standing.state].items() if asker.may(permission))
    return Told(one.found, one.standing, one.is_found, acts, may, next((o for o in rule_outcomes(asker) if o.rule == one.found.rule), None), asker.snapshot)


@action("figures")
def rule_outcomes(asker: Asker) -> tuple[RuleOutcome, ...]:
    """How often each rule was right, by what people decided about its findings."""
    acts = by_finding(asker.finding_acts())
    return tuple(outcomes(acts, {name: standing(done, asker.today()) for name, done in acts.items()}).values())


def _due(asker: Asker, act: str, rule: str, due_on: str) -> str:
    """The day by which the institution has to act: as told, or the rule's number of days from today."""
    if act not in DUE:
        return ""
    today = date.fromisoformat(asker.today())
    if not due_on:
        known = asker.rules().get(rule)
        days = known.finding.due_days if known is not None and known.finding is not None else 15
        return (today + timedelta(days=days)).isoformat()
    try:
        told = date.fromisoformat(due_on)
    except ValueError:
        raise _refuse("due_on", due_on, "unreadable_date", today.isoformat()) from None
    if not today <= told <= today + timedelta(days=LONGEST_DAYS):
        raise _refuse("due_on", due_on, "due_out_of_range", say("mend_due_out_of_range", first=today.isoformat(), days=LONGEST_DAYS))
    return told.isoformat()


def _act(asker: Asker, one: Listed, act: str, text: str, due_on: str = "", evidence: str = "", evidence_name: str = "") -> FindingAct:
    """An act on a finding, refused where its state or the role does not allow it."""
    permission = NEXT[one.standing.state].get(act)
    if permission is None:
        raise _refuse("act", act, "not_now", ", ".join(NEXT[one.standing.state]))
    if not asker.may(permission):
        raise _refuse("role", "", "not_your_act", say("mend_not_your_act"))
    said = text.strip()
    if not said and act != "issue":
        raise _refuse("text", "", "finding_text", say("mend_finding_text"))
    if len(said) > LONGEST_TEXT:
        raise _refuse("text", f"{len(said)}", "text_too_long", f"≤ {LONGEST_TEXT}")
    found = one.found
    return FindingAct(found.id, one.standing.steps + 1, act, said, _due(asker, act, found.rule, due_on), evidence, evidence_name, found.rule, found.facility,
                      found.county, found.found_on, found.amount_cny, "")


@action("supervise", changes=True)
def issue_findings(asker: Asker, rule: str = "", facility: str = "", place: str = "", period: str = "", finding: str = "", due_on: str = "",
                   text: str = "") -> int:
    """Send findings nobody has looked at to their institutions to be checked by a day, one or all of a rule, institution, county, period; tells how many."""
    if not (rule or finding):
        raise _refuse("rule", "", "issue_what", say("mend_issue_what"))
    listed = [_one(asker, finding)] if finding else [one for one in _listed(asker, rule, "", facility, place, period) if one.standing.state == "new"]
    asker.act_on_findings([_act(asker, one, "issue", text, due_on) for one in listed])
    return len(listed)


@action("figures", changes=True)
def act_on_finding(asker: Asker, finding: str, act: str, text: str = "", due_on: str = "", evidence: str = "", evidence_name: str = "") -> Standing:
    """Take the next step with a finding: issue, admit, contest, confirm, dismiss, rectify, return, close or reopen; tells where it then stands."""
    if act not in AFTER:
        raise _refuse("act", act, "bad_value", ", ".join(AFTER))
    one = _one(asker, finding)
    done = _act(asker, one, act, text, due_on, evidence, evidence_name)
    asker.act_on_findings([done])
    return standing(asker.finding_acts(finding), asker.today())


@action("rows")
def replay_rule(asker: Asker, rule: str, applies: str = "", violated: str = "", facility: str = "") -> Replay:
    """What a rule would find with other conditions (left out = as they are), against what it finds: both, only now, only then, by institution and month."""
    return asker.replayed(rule, applies, violated, asker.where(facility=facility))
