"""Findings of supervision within an actor's scope: what rules found, what was done about it, what is attached."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.model import Problem, Refusal
from quanmin.model.finding import FindingAct, Found, Replay
from quanmin.records.finding_ledger import attachment, keep_attachment, record_acts, recorded_acts

if TYPE_CHECKING:
    from quanmin.gate.inquiry import Inquiry

LARGEST_BYTES = 10 << 20
KINDS = (".pdf", ".png", ".jpg", ".jpeg", ".docx", ".xlsx", ".csv", ".txt")
LONGEST_NAME = 120
WORD = re.compile(r"[0-9A-Za-z_./-]{1,120}")
COLUMNS = {"rule": "rule", "family": "family", "facility": "facility_code", "place": "facility_county", "finding": "finding_id"}
_FINDINGS = """
SELECT finding_id, rule, family, rule_table, row_key, subject_key, facility_code, facility_county, department_code, found_on,
    CAST(amount_cny AS DOUBLE) AS amount_cny
FROM finding WHERE {conditions} ORDER BY found_on DESC, finding_id
"""


def _found(row: dict[str, Any]) -> Found:
    return Found(row["finding_id"], row["rule"], row["family"], row["rule_table"], row["row_key"], row["subject_key"], row["facility_code"] or "",
                 row["facility_county"] or "", row["department_code"] or "", row["found_on"].isoformat(), row["amount_cny"])


def findings_seen(inquiry: Inquiry, told: dict[str, str], among: Sequence[str] | None) -> list[Found]:
    """What the rules find in the snapshot, within the actor's scope; raises Refusal for words that name nothing."""
    for name, word in told.items():
        if word and not WORD.fullmatch(word):
            raise Refusal(Problem("finding", None, name, word[:40], say("bad_value"), say("mend_code")))
    conditions = [f"{column} = '{told[name]}'" for name, column in COLUMNS.items() if told[name]]  # as text: for parameters duckdb loads pandas
    if told["period"]:
        conditions.append(f"starts_with(strftime(found_on, '%Y-%m'), '{told['period']}')")
    if among is not None:
        conditions.append(" OR ".join(f"finding_id = '{one}'" for one in among if WORD.fullmatch(one)) or "FALSE")
    return [_found(row) for row in inquiry.listed(_FINDINGS.format(conditions=" AND ".join(f"({one})" for one in conditions) or "TRUE"))]


def acts_seen(inquiry: Inquiry, finding: str = "") -> list[FindingAct]:
    """What was done about findings of institutions within the actor's scope."""
    return [one for one in recorded_acts(inquiry.actor.ledger, finding) if is_seen(inquiry, one)]


def is_seen(inquiry: Inquiry, act: FindingAct) -> bool:
    """Whether an act's institution lies within the actor's scope."""
    scope = inquiry.actor.scope
    return scope.kind == "region" or (act.facility if scope.kind == "facility" else act.county) == scope.value


def act(inquiry: Inquiry, acts: Sequence[FindingAct]) -> None:
    """Record acts in the actor's name, all or none, each audited; raises Refusal outside their scope, or where somebody was faster."""
    actor = inquiry.actor
    for one in acts:
        if not is_seen(inquiry, one):
            actor.refuse("act on finding", one.finding)
        if one.evidence and attachment(actor.ledger, one.facility, one.evidence) is None:
            raise Refusal(Problem("finding", None, "evidence", one.evidence[:12], say("no_attachment"), say("mend_no_attachment")))
    record_acts(actor.ledger, [replace(one, by=actor.name) for one in acts])
    alike = Counter((one.act, one.rule, one.facility) for one in acts)
    for (done, rule, facility), count in alike.items():
        which = acts[0].finding if len(acts) == 1 else ""
        Audit(actor.ledger).note(actor.name, "act on finding", " ".join(word for word in (done, which, rule, facility) if word), rows=count)


def admissible(name: str, content: bytes) -> str:
    """The name a file may be attached by; raises Refusal for kinds and sizes that are not taken."""
    shown = PurePath(name.replace("\\", "/")).name[-LONGEST_NAME:]
    if PurePath(shown).suffix.lower() not in KINDS:
        raise Refusal(Problem("evidence", None, "file", shown, say("attachment_kind"), " ".join(KINDS)))
    if not 0 < len(content) <= LARGEST_BYTES:
        raise Refusal(Problem("evidence", None, "file", shown, say("attachment_size"), f"1 B – {LARGEST_BYTES >> 20} MB"))
    return shown


def attach(inquiry: Inquiry, finding: Found, name: str, content: bytes) -> tuple[str, str]:
    """Keep a file as evidence to a finding that the actor may answer or settle; returns its SHA-256 and the name it goes by. Raises Refusal."""
    actor = inquiry.actor
    if not (actor.may("answer") or actor.may("supervise")):
        actor.refuse("attach", finding.id)
    shown = admissible(name, content)
    sha256 = keep_attachment(actor.ledger, finding.facility, content, actor.name)
    Audit(actor.ledger).note(actor.name, "attach", f"{finding.id} {sha256[:12]}")
    return sha256, shown


def attached(inquiry: Inquiry, finding: str, sha256: str) -> tuple[str, bytes] | None:
    """Name and content of a file attached to a finding within the actor's scope, audited; None where there is none."""
    inquiry.actor.require("small", "attachment", finding[:64])
    one = next((one for one in acts_seen(inquiry, finding) if one.evidence == sha256), None) if finding and sha256 else None
    content = attachment(inquiry.actor.ledger, one.facility, sha256) if one else None
    if one is None or content is None:
        return None
    Audit(inquiry.actor.ledger).note(inquiry.actor.name, "attachment", f"{finding} {sha256[:12]}")
    return one.evidence_name, content


def replayed(inquiry: Inquiry, name: str, applies: str, violated: str, where: Sequence[str]) -> Replay:
    """A rule as it is and as it might be, on all months within the actor's scope, audited; conditions on columns their role may not see are refused."""
    from quanmin.services.supervision.replay import changed, replay  # what stands behind it takes time to load

    catalog, actor = inquiry.indicators.catalog, inquiry.actor
    actor.require("rows", "replay", name if name in catalog.rules else "?")
    after = changed(catalog, name, applies or None, violated or None)
    actor.admit(inquiry.indicators, name, (), [after.applies, after.violated] if after.applies else [after.violated])
    Audit(actor.ledger).note(actor.name, "replay", name)
    return replay(inquiry.indicators.engine, catalog, catalog.rules[name], after, where)
