"""Supervision: what rules found, sent out, answered, checked, mended and closed."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from quanmin.catalog.messages import language
from quanmin.gate import NotAllowed
from quanmin.gate.finding_desk import LARGEST_BYTES, attach, attached
from quanmin.gate.performing import perform
from quanmin.model import Check, Problem, Refusal
from quanmin.services.supervision.actions import SHOWN, Findings, Tally, Told
from quanmin.services.supervision.standing import DUE, STATES
from quanmin.web.findings_panels import (
    comparison_panel,
    counts,
    facility_panel,
    families,
    family_panel,
    history_panel,
    link,
    list_panel,
    precision,
    replay_panel,
    rule_name,
    rule_panel,
    state_text,
)
from quanmin.web.panels import answer
from quanmin.web.row_sheet import named, record_panel
from quanmin.web.view import View

router = APIRouter()
ALL = 100_000
ACT = re.compile(r"/findings/[0-9a-f]{32,64}")
LARGEST_FORM = LARGEST_BYTES + (64 << 10)
FINDING = re.compile("[0-9a-f]{32,64}")
PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
STAYS = "grouped_share"  # its denominator: stays that institutions reported


def _tallies(view: View, chosen: dict[str, str], period: str) -> tuple[Tally, ...]:
    found: tuple[Tally, ...] = perform(view.inquiry, "finding_tallies", {"place": chosen["place"], "facility": chosen["facility"], "period": period})
    return tuple(one for one in found if chosen["family"] in ("", one.family) and chosen["rule"] in ("", one.rule))


@router.get("/findings")
def findings_page(request: Request, period: str = "", place: str = "", facility: str = "", family: str = "", rule: str = "", state: str = "",
                  issued: int = -1) -> Response:
    """What rules found in a period: by family, institution and rule, and one by one."""
    view = View.of(request)
    view.actor.require("small", "findings", "list")
    shown = period if period in view.periods() else view.period("")[:4]
    chosen = {"period": shown, "place": place, "facility": facility, "family": family, "rule": rule}
    view.inquiry.where(place, facility)
    tallies = _tallies(view, chosen, shown)
    outcomes = {one.rule: one for one in perform(view.inquiry, "rule_outcomes", {})}
    limit = ALL if request.query_params.get("export") else SHOWN
    listed: Findings = perform(view.inquiry, "findings", {**chosen, "state": state, "limit": limit})
    panels = [family_panel(view, tallies, shown, chosen), facility_panel(view, tallies, view.inquiry.by_unit(STAYS, shown, "facility"), shown, chosen),
              list_panel(view, listed, shown), rule_panel(view, tallies, outcomes, shown, chosen)]
    tiles = [(name, count, link(**chosen, state=name)) for name, count in counts(tallies).items()]
    return answer(request, "findings.html", panels, snapshot=view.snapshot, period=shown, periods=view.periods(), place=place, counties=view.counties(),
                  facility=facility, facility_name=view.facility_names().get(facility, facility), family=family, families=families(view), rule=rule,
                  rule_name=rule_name(view.catalog.rules, rule), state=state, states=(*STATES, "late", "escalated"), tiles=tiles, issued=issued,
                  may_issue=view.actor.may("supervise"), may_replay=view.actor.may("rows"), new=counts(tallies)["new"], all_of_it=link(period=shown))


@router.post("/findings/issue")
def issue(request: Request, rule: Annotated[str, Form()] = "", facility: Annotated[str, Form()] = "", place: Annotated[str, Form()] = "",
          period: Annotated[str, Form()] = "", due_on: Annotated[str, Form()] = "", text: Annotated[str, Form()] = "") -> Response:
    """Send the new findings of a rule to their institutions."""
    told = {"rule": rule, "facility": facility, "place": place, "period": period, "due_on": due_on, "text": text}
    count = perform(View.of(request).inquiry, "issue_findings", told)
    return RedirectResponse(f"{link(period=period, place=place, facility=facility, rule=rule)}&issued={count}", 303)


@router.get("/findings/replay")
def replay_page(request: Request, rule: str = "", applies: str = "", violated: str = "", facility: str = "") -> Response:
    """A rule with other conditions, on all months that are kept."""
    view = View.of(request)
    view.actor.require("rows", "replay", rule if rule in view.catalog.rules else "?")
    known = view.catalog.rules.get(rule)
    if known is None:
        raise HTTPException(404)
    told = {"rule": rule, "applies": applies, "violated": violated, "facility": facility}
    found, problems = None, ()
    if violated or applies:
        try:
            found = perform(view.inquiry, "replay_rule", told)
        except NotAllowed:
            raise
        except Refusal as refusal:
            problems = refusal.problems
    panels = [replay_panel(view, found)] if found is not None else []
    shown = answer(request, "replay.html", panels, snapshot=view.snapshot, rule=known, applies=applies or known.applies, violated=violated or known.violated,
                   facility=facility, found=found, problems=problems, columns=view.column_labels(known))
    shown.status_code = 400 if problems else shown.status_code
    return shown


def _told(view: View, finding: str) -> Told:
    view.actor.require("small", "finding", finding[:64] if FINDING.fullmatch(finding) else "?")
    try:
        found: Told = perform(view.inquiry, "finding", {"finding": finding if FINDING.fullmatch(finding) else "?"})
    except Refusal as refusal:
        raise HTTPException(404) from refusal
    return found


def _explained(view: View, rule: Check, text: str, row: dict[str, Any]) -> str:
    """An explanation with what the row says, codes by their names; a dash where it says nothing."""
    return PLACEHOLDER.sub(lambda found: named(row.get(found[1]), view.code_names(rule, found[1])) or "–", text)


def _page(request: Request, view: View, told: Told, problems: tuple[Problem, ...] = ()) -> Response:
    rule: Check | None = view.catalog.rules.get(told.found.rule)
    panels, row = [history_panel(view, told.acts, told.found.id)] if told.acts else [], dict[str, Any]()
    month = told.found.found_on[:7]
    if rule is not None:
        panels.append(comparison_panel(view, rule, told.found.facility, [f"month = '{month}'"], month))
    if rule is not None and told.is_found and view.actor.may("rows"):
        rows = view.actor.rows(view.indicators, rule.id, "numerator", [f"subject_key = '{told.found.subject_key}'"], 20)
        panels.append(record_panel(view, rule, rows))
        row = next(iter(rows.to_pylist()), {})
    text, facility = rule.finding if rule is not None else None, told.found.facility
    found = answer(request, "finding.html", panels, snapshot=view.snapshot, one=told, rule=rule, name=rule_name(view.catalog.rules, told.found.rule),
                   family=families(view).get(told.found.family, ""), facility_name=view.facility_names().get(facility, facility),
                   explanation=_explained(view, rule, text.explanation.in_language(language()), row) if rule is not None and text is not None and row else "",
                   innocent=text.innocent.in_language(language()) if text is not None else "", precision=precision(told.outcome).text,
                   state=state_text(told.standing), acts=told.may, due=DUE, problems=problems, today=view.inquiry.today(),
                   others=link(rule=told.found.rule, facility=facility, period=month[:4]))
    found.status_code = 400 if problems else found.status_code
    return found


@router.get("/findings/{finding}")
def finding_page(request: Request, finding: str) -> Response:
    """One finding: why, how it compares, what was done and what may be done next."""
    view = View.of(request)
    return _page(request, view, _told(view, finding))


@router.post("/findings/{finding}")
def act(request: Request, finding: str, act: Annotated[str, Form()] = "", text: Annotated[str, Form()] = "", due_on: Annotated[str, Form()] = "",
        evidence_file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Take the next step with a finding."""
    view = View.of(request)
    told = _told(view, finding)
    try:
        is_taken = act in told.may and text.strip()  # what will be refused keeps no file
        file = evidence_file if is_taken and evidence_file is not None and evidence_file.filename else None
        evidence = attach(view.inquiry, told.found, file.filename or "", file.file.read()) if file is not None else ("", "")
        perform(view.inquiry, "act_on_finding", {"finding": finding, "act": act, "text": text, "due_on": due_on if act in DUE else "", "evidence": evidence[0],
                                                 "evidence_name": evidence[1]})
    except Refusal as refusal:
        return _page(request, view, told, refusal.problems)
    return RedirectResponse(f"/findings/{finding}", 303)


@router.get("/findings/{finding}/evidence/{sha256}")
def evidence(request: Request, finding: str, sha256: str) -> Response:
    """A file attached to a finding, to be kept and not shown."""
    found = attached(View.of(request).inquiry, finding, sha256) if FINDING.fullmatch(finding) and FINDING.fullmatch(sha256) else None
    if found is None:
        raise HTTPException(404)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", found[0])
    return Response(found[1], media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'})
