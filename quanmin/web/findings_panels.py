"""What the pages of supervision show: findings by family, institution and rule, their list, and what stands beside one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.model import Cell, Check
from quanmin.model.asker import Unit
from quanmin.model.finding import FindingAct, Replay
from quanmin.services.supervision.actions import Findings, Tally
from quanmin.services.supervision.outcomes import RuleOutcome
from quanmin.services.supervision.standing import OPEN, STATES, Standing
from quanmin.web.data_pages import bars
from quanmin.web.figures import number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

TONES = ("soft", "brand", "brand", "warn", "good", "good", "line")  # of STATES
RANKED = 15  # institutions of a chart
PER = 1_000  # stays
FEWEST = 50  # stays of an institution that is shown with a rate


def families(view: View) -> dict[str, str]:
    """Code → name of the families of rules, in the order of their list."""
    return {code: label.in_language(language()) for code, label in view.catalog.codes["rule_family"].codes.items()}


def rule_name(rules: Mapping[str, Check], rule: str) -> str:
    """What a rule is called; its id where the catalogue holds it no more."""
    return rules[rule].label.in_language(language()) if rule in rules else rule


def _unit(units: Mapping[str, Unit], code: str) -> str:
    return units[code].name if code in units else code


def link(**told: str) -> str:
    """The address of the list of findings."""
    chosen = {name: value for name, value in told.items() if value}
    return f"/findings?{urlencode(chosen)}" if chosen else "/findings"


def _states(tallies: Iterable[Tally]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in tallies:
        found.update(one.states)
    return found


def counts(tallies: Sequence[Tally]) -> dict[str, int]:
    """Findings by state; late and escalated besides."""
    states = _states(tallies)
    return {state: states[state] for state in STATES} | {"late": sum(t.late for t in tallies), "escalated": sum(t.escalated for t in tallies)}


def _money(amount: float) -> Shown:
    return Shown(number(round(amount)), round(amount, 2))


def family_panel(view: View, tallies: Sequence[Tally], period: str, chosen: dict[str, str]) -> Panel:
    """Findings by family and state."""
    names, groups = families(view), dict[str, list[Tally]]()
    for one in tallies:
        groups.setdefault(one.family, []).append(one)
    order = [code for code in names if code in groups]
    states = {code: _states(groups[code]) for code in order}
    columns = [Column("family", word("finding_family")), Column("findings", word("findings_count"), True), Column("amount_cny", word("finding_amount"), True),
               *(Column(state, word(f"finding_{state}"), True) for state in STATES)]
    rows = [[Shown(names[code], code, link(**(chosen | {"family": code}))), sum(states[code].values()), _money(sum(t.amount_cny for t in groups[code])),
             *(states[code][state] for state in STATES)] for code in order]
    chart = {"kind": "stacked", "y": [names[code] for code in order], "tones": list(TONES),
             "series": [{"name": word(f"finding_{state}"), "data": [states[code][state] for code in order]} for state in STATES]} if order else None
    return Panel("families", word("findings_by_family"), Sheet(columns, rows, about(view, period)), chart)


def facility_panel(view: View, tallies: Sequence[Tally], stays: Mapping[str, Cell], period: str, chosen: dict[str, str]) -> Panel:
    """Findings by institution, against the stays it reported."""
    units, groups = view.inquiry.units("facility"), dict[str, list[Tally]]()
    for one in tallies:
        groups.setdefault(one.facility, []).append(one)
    columns = [Column("facility", word("institution")), Column("findings", word("findings_count"), True), Column("per_1000", word("findings_per_stays"), True),
               Column("amount_cny", word("finding_amount"), True), Column("new", word("finding_new"), True), Column("open", word("findings_open"), True),
               Column("late", word("finding_late"), True), Column("violations", word("findings_done"), True)]
    rows: list[list[Any]] = []
    for code, group in groups.items():
        states, cases = _states(group), int(stays[code].denominator or 0) if code in stays and not stays[code].suppressed else 0
        total = sum(states.values())
        rate = PER * total / cases if cases >= FEWEST else None
        rows.append([Shown(_unit(units, code), code, link(**(chosen | {"facility": code}))), total, Shown("–" if rate is None else f"{rate:.1f}", rate),
                     _money(sum(t.amount_cny for t in group)), states["new"], sum(states[s] for s in OPEN), sum(t.late for t in group),
                     states["closed"] + states["dismissed"]])
    rows.sort(key=lambda row: (-row[1], row[0].value))
    chart = bars(word("findings_count"), [(row[0].text, row[1], number(row[1]), row[0].href) for row in rows[:RANKED]], "")
    return Panel("facilities", word("findings_by_facility"), Sheet(columns, rows, about(view, period)), chart, note=word("findings_by_facility_note"))


def rule_panel(view: View, tallies: Sequence[Tally], outcomes: Mapping[str, RuleOutcome], period: str, chosen: dict[str, str]) -> Panel:
    """The rules: what each found, and how often it was right."""
    rules, names, groups = view.catalog.rules, families(view), dict[str, list[Tally]]()
    for one in tallies:
        groups.setdefault(one.rule, []).append(one)
    columns = [Column("rule", word("finding_rule")), Column("family", word("finding_family")), Column("findings", word("findings_count"), True),
               Column("facilities", word("findings_institutions"), True), Column("amount_cny", word("finding_amount"), True),
               Column("precision", word("rule_precision"), True), Column("settled", word("rule_settled"), True), Column("document", word("document"))]
    rows = []
    quiet = () if chosen.get("rule") or chosen.get("family") else rules  # rules that found nothing are told as well
    sizes = {rule: sum(sum(t.states.values()) for t in groups.get(rule, ())) for rule in (*groups, *quiet)}
    for rule in sorted(sizes, key=lambda rule: (-sizes[rule], rule)):
        group, outcome = groups.get(rule, []), outcomes.get(rule)
        known = rules.get(rule)
        family = known.finding.family if known is not None and known.finding is not None else ""
        rows.append([Shown(rule_name(rules, rule), rule, link(**(chosen | {"rule": rule}))), Shown(names.get(family, ""), family), sizes[rule],
                     len({t.facility for t in group}), _money(sum(t.amount_cny for t in group)), precision(outcome),
                     outcome.violations + outcome.innocent if outcome else 0, known.source.document if known else ""])
    return Panel("rules", word("rules_heading"), Sheet(columns, rows, about(view, period)), note=word("rules_note", count=len(rules)))


def precision(outcome: RuleOutcome | None) -> Shown:
    """A rule's precision with its interval; a dash before anything was settled."""
    if outcome is None or outcome.precision is None:
        return Shown("–", None)
    return Shown(f"{outcome.precision:.0f}% ({outcome.low:.0f}–{outcome.high:.0f})", outcome.precision)


def state_text(standing: Standing) -> str:
    """A state in words, with the days somebody is late."""
    said = word(f"finding_{standing.state}")
    return f"{said} · {word('finding_days_late', days=standing.days_late)}" if standing.days_late else said


def list_panel(view: View, found: Findings, period: str) -> Panel:
    """The findings one by one."""
    rules, names, units = view.catalog.rules, families(view), view.inquiry.units("facility")
    columns = [Column("finding", word("finding")), Column("rule", word("finding_rule")), Column("family", word("finding_family")),
               Column("facility", word("institution")), Column("found_on", word("finding_found_on")), Column("amount_cny", word("finding_amount"), True),
               Column("state", word("finding_state")), Column("due_on", word("finding_due_on"))]
    rows = []
    for one in found.findings:
        it, stands = one.found, state_text(one.standing) + ("" if one.is_found else f" · {word('finding_gone')}")
        rows.append([Shown(it.id[:8], it.id, f"/findings/{it.id}"), Shown(rule_name(rules, it.rule), it.rule), Shown(names.get(it.family, ""), it.family),
                     Shown(_unit(units, it.facility), it.facility), it.found_on, "" if it.amount_cny is None else _money(it.amount_cny),
                     Shown(stands, one.standing.state, verdict="missed" if one.standing.days_late else ""), one.standing.due_on])
    return Panel("list", word("findings_list"), Sheet(columns, rows, about(view, period)), is_open=True,
                 note=word("findings_shown", shown=len(found.findings), count=found.count))


def history_panel(view: View, acts: Sequence[FindingAct], finding: str) -> Panel:
    """What was done about a finding, step by step."""
    columns = [Column("step", "#", True), Column("at", word("finding_done_at")), Column("by", word("finding_done_by")), Column("act", word("finding_act")),
               Column("text", word("finding_text")), Column("due_on", word("finding_due_on")), Column("evidence", word("finding_evidence"))]
    rows = [[one.step, one.at[:16].replace("T", " "), one.by, Shown(word(f"act_{one.act}"), one.act), one.text, one.due_on,
             Shown(one.evidence_name, one.evidence, f"/findings/{finding}/evidence/{one.evidence}") if one.evidence else ""] for one in acts]
    return Panel("history", word("finding_history"), Sheet(columns, rows, about(view, "")), is_open=True)


def comparison_panel(view: View, rule: Check, facility: str, where: list[str], period: str) -> Panel:
    """How often the rule finds something at each institution."""
    units = view.inquiry.units("facility")
    cells = {str(c.key["facility_code"]): c for c in view.inquiry.figures(rule.id, ["facility_code"], where).cells if c.key["facility_code"] is not None}
    order = sorted(cells, key=lambda code: (-float(cells[code].value or 0), code))
    columns = [Column("facility", word("institution")), Column("findings", word("findings_count"), True), Column("rows", word("rule_applicable"), True),
               Column("share", word("rule_share"), True)]
    rows = [[Shown(_unit(units, code), code, f"/facility/{code}"), int(cells[code].numerator or 0), int(cells[code].denominator or 0),
             Shown("–" if cells[code].value is None else f"{cells[code].value:.2f}%", cells[code].value)] for code in order]
    shown = [row for row in rows if row[3].value][:RANKED]
    mine = next((row for row in rows if row[0].value == facility), None)
    if mine is not None and mine[3].value and mine not in shown:
        shown.append(mine)
    marked = [(f"▶ {row[0].text}" if row[0].value == facility else row[0].text, row) for row in shown]
    chart = bars(word("rule_share"), [(name, round(float(row[3].value), 3), f"{row[1]} / {row[2]}", "") for name, row in marked])
    place = order.index(facility) + 1 if facility in order else 0
    return Panel("comparison", word("finding_comparison"), Sheet(columns, rows, about(view, period)), chart,
                 note=word("finding_comparison_note", rank=place, count=len(order)) if place else "")


def replay_panel(view: View, found: Replay) -> Panel:
    """What a changed rule would find, by institution and month."""
    units, sides = view.inquiry.units("facility"), ("both", "only_before", "only_after")
    columns = [Column("facility", word("institution")), Column("month", word("month")), *(Column(side, word(f"replay_{side}"), True) for side in sides)]
    rows = [[Shown(_unit(units, one.facility_code), one.facility_code), one.month, *(getattr(one, side) for side in sides)] for one in found.by]
    years = sorted({one.month[:4] for one in found.by})
    counted = {(year, side): sum(getattr(one, side) for one in found.by if one.month[:4] == year) for year in years for side in sides}
    series = [{"name": word(f"replay_{side}"), "data": [counted[(year, side)] for year in years]} for side in sides]
    chart = {"kind": "stacked", "y": years, "tones": ["soft", "warn", "brand"], "series": series} if years else None
    return Panel("replay", word("replay_found"), Sheet(columns, rows, about(view, "") | {"rule": found.after.id, "violated": found.after.violated}), chart,
                 note=word("replay_note", both=found.both, before=found.only_before, after=found.only_after))
