"""Evidence of appraisals reported on a page: taken in as a file of its sender, as if it had come as a workbook."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.data_desk import DataDesk
from quanmin.gate.finding_desk import admissible
from quanmin.gate.uploads import submit
from quanmin.model import Problem, Receipt, Refusal
from quanmin.model.asker import Evidence
from quanmin.records.finding_ledger import attachment, keep_attachment
from quanmin.records.intake import Intake

MAPPING = "appraisal_evidence_workbook"
JUDGEMENTS = ("", "met", "partly", "unmet")
ATTACHED = re.compile(" #[0-9a-f]{64}$")  # what names an attached file at the end of a document
LONGEST = 1_000  # characters of a statement


@dataclass(frozen=True)
class Reported:
    """What a hospital says of an item in a year: a judgement or a value, the document it rests on (or a file: its name and content), a statement."""

    indicator: str
    facility: str
    county: str
    year: int
    judgement: str
    value: str
    document: str
    statement: str
    file: tuple[str, bytes] | None = None


def _checked(one: Reported, known: frozenset[str]) -> str:
    """The name of the document; raises Refusal for what cannot be reported."""
    document, wrong = one.document.strip(), []
    if one.file is not None:
        shown = admissible(*one.file)
        document = document or shown
    if one.indicator not in known:
        wrong.append(Problem("evidence", None, "indicator", one.indicator[:60], say("bad_value"), ", ".join(sorted(known)[:5]) + " …"))
    if one.judgement not in JUDGEMENTS or not (one.judgement or one.value.strip()):
        wrong.append(Problem("evidence", None, "judgement", one.judgement[:20], say("bad_value"), ", ".join(JUDGEMENTS[1:])))
    try:
        is_number = not one.value.strip() or math.isfinite(float(one.value))
    except ValueError:
        is_number = False
    if not is_number:
        wrong.append(Problem("evidence", None, "value", one.value[:40], say("unreadable_number"), say("mend_number")))
    if not document or ATTACHED.search(document) or len(document) > LONGEST or len(one.statement) > LONGEST:
        wrong.append(Problem("evidence", None, "document", "", say("evidence_document"), f"1–{LONGEST}"))
    if wrong:
        raise Refusal(*wrong)
    return document


def report(desk: DataDesk, intake: Intake, one: Reported, known: frozenset[str]) -> Receipt:
    """Take in one reported item for an institution in the actor's scope, beside what it reported before; in force from the next build. Raises Refusal."""
    desk.actor.require("submit", "report evidence", one.facility)
    desk.require_sender(one.facility, "report evidence")
    document = _checked(one, known)
    if one.file is not None:
        document += f" #{keep_attachment(desk.ledger, one.facility, one.file[1], desk.actor.name)}"
    columns = {fill.column: fill.source[0] for into in desk.catalog.mappings[MAPPING].into for fill in into.fills if fill.source}
    told = {"indicator": one.indicator, "unit_code": one.facility, "county_code": one.county, "year": str(one.year), "document": document,
            "judgement": one.judgement, "value": one.value.strip(), "statement": one.statement.strip()}
    sender = desk.catalog.mappings[MAPPING].sender_column
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(columns[name] for name in told), *([sender] if sender else [])])
    writer.writerow([*told.values(), *([one.facility] if sender else [])])
    name = f"{one.facility}_evidence_{one.indicator}_{one.year}.csv"
    return submit(desk, intake, one.facility, name, io.BytesIO(stream.getvalue().encode("utf-8-sig")), "add")


def kept(desk: DataDesk, evidence: Iterable[Evidence], facility: str, sha256: str) -> bytes | None:
    """A file that an institution in the actor's scope attached to some of the evidence the actor sees, audited; None where there is none."""
    desk.require_sender(facility, "evidence")
    if not any(one.unit == facility and one.document.endswith(f" #{sha256}") for one in evidence):
        return None
    Audit(desk.ledger).note(desk.actor.name, "evidence", f"{facility} {sha256[:12]}")
    return attachment(desk.ledger, facility, sha256)
