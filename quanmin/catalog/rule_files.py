"""catalog/rules → Check with what it says of a finding, held against its table."""

from __future__ import annotations

import string
from collections.abc import Container, Mapping
from typing import Any

from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.question_files import CHECK_FIELDS, Checker, check_of
from quanmin.catalog.reading import Definition
from quanmin.model import Check, Label, RuleText, Table

FINDING_FIELDS = ("family", "explanation", "innocent", "amount", "due_days")
FAMILIES = "rule_family"
NEEDED_COLUMNS = ("subject_key", "facility_code", "facility_county")
PLAIN = {"category": "plausibility", "severity": "warning"}  # a rule needs to say no more than what differs


def read_rule(definition: Definition, table_id: str, tables: Mapping[str, Table], codes: CodeLists, checks: Container[str]) -> Check:
    """The rule of one file; the folder it lies in names its table. Every fault is complained of."""
    definition.known_keys((*CHECK_FIELDS, "finding"))
    given = definition.data.get("finding")
    if not isinstance(given, dict):
        definition.complain("name", "", "says nothing of its findings", "add [finding] with family, explanation and innocent")
        given = {}
    definition.data = {**PLAIN, "mend": given.get("innocent", {}), **definition.data}
    table = tables.get(table_id)
    text = _text(definition, given, table, tables, codes)
    found = check_of(definition, table_id, tables, codes, text)
    if found.id in checks:
        definition.complain("name", found.id, "is already the name of a check", "give the file another name")
    if table is not None:
        _carries_rules(definition, table, tables.get("finding"))
    _both_cases(definition, found)
    return found


def _text(definition: Definition, given: Mapping[str, Any], table: Table | None, tables: Mapping[str, Table], codes: CodeLists) -> RuleText:
    for key in given:
        if key not in FINDING_FIELDS:
            definition.complain(key, "", "is not a field of a finding", "known fields: " + ", ".join(FINDING_FIELDS))
    families = codes[FAMILIES].codes
    if given.get("family") not in families:
        definition.complain("family", given.get("family"), "is not a family of rules", "use one of " + ", ".join(families))
    blank = Label("", "")
    explanation, innocent = definition.label("explanation", given) or blank, definition.label("innocent", given) or blank
    for text in (explanation.zh, explanation.en):
        _placeholders(definition, text, table)
    amount, days = str(given.get("amount", "")), given.get("due_days", 15)
    Checker(definition, tables, codes).expression("amount", amount, table)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        definition.complain("due_days", days, "is not a number of days", "write a whole number from 1")
        days = 15
    return RuleText(str(given.get("family", "")), explanation, innocent, amount, days)


def _placeholders(definition: Definition, text: str, table: Table | None) -> None:
    """Hold the {column} of an explanation against the table; a column that names a person must not be told."""
    try:
        parts = [(name, form, turn) for _, name, form, turn in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        definition.complain("explanation", text, f"is not a template: {error}", "write columns as {column}")
        return
    for name, form, turn in parts:
        if form or turn or not name.isidentifier():
            definition.complain("explanation", name, "is not a {column}", "write the name of a column alone in the braces")
        elif table is not None and name not in table.columns:
            definition.complain("explanation", name, f"is not a column of table {table.id}", "name a declared column")
        elif table is not None and table.columns[name].private == "direct":
            definition.complain("explanation", name, "names a person", "tell the case by other columns")


def _carries_rules(definition: Definition, table: Table, finding: Table | None) -> None:
    """Complain of a table on which findings cannot stand."""
    faults = [f"has no column {name}" for name in NEEDED_COLUMNS if name not in table.columns]
    if len(table.key) != 1 or table.columns[table.key[0]].type != "text":
        faults.append("has no key of one text column")
    if not table.time:
        faults.append("has no time")
    for kind, column in (("county", "facility_county"), ("facility", "facility_code")):
        if table.scope.get(kind) != column:
            faults.append(f"is not within the scope of a {kind} by {column}")
    if finding is not None and table.id not in finding.derived_from:
        faults.append("is not among those the table finding is derived from")
    for fault in faults:
        definition.complain("name", table.id, f"table {table.id} {fault}", "rules stand on tables made for them")


def _both_cases(definition: Definition, rule: Check) -> None:
    """Complain where the worked example lacks a violation or a counter-example."""
    answers = rule.example.answers if rule.example is not None else ()
    violated = sum(int(one.get("numerator") or 0) for one in answers)
    told = sum(int(one.get("denominator") or 0) for one in answers)
    if rule.example is not None and not 0 < violated < told:
        definition.complain("answer", f"{violated} of {told}", "shows no violation beside a counter-example", "give rows of both in [example]")
