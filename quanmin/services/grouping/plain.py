"""One case after another, as a person would with the book open: slow, obvious, the truth; and the reasons of a group in codes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.model.scheme import AdjacentGroup, Both, Coded, Either, MajorCategory, Measured, Negated, OfSex, Rule, Scheme, Sites
from quanmin.services.grouping.cases import SEPARATOR, SEXES
from quanmin.services.grouping.rules import RELATIONS

SEX_NAMES = {number: sex for sex, number in SEXES.items()}


@dataclass(frozen=True)
class Case:
    """One stay: codes with the principal first, numbers by name (AGE_YEARS, AGE_DAYS, BIRTH_WEIGHT_G) where they are known."""

    sex: int
    numbers: Mapping[str, float]
    diagnoses: Sequence[str]
    procedures: Sequence[str]


@dataclass(frozen=True)
class Grouped:
    """Where a case came to; all blank where it has no group."""

    category: str = ""
    adjacent: str = ""
    group: str = ""
    level: str = ""


def holds(rule: Rule, case: Case, scheme: Scheme, one: MajorCategory | AdjacentGroup) -> bool:
    """Whether a rule of a category or adjacent group holds for a case."""
    match rule:
        case Coded(subject, listed):
            return any(True for _ in matching(case, subject, scheme.codes(one, listed)))
        case Measured(subject, relation, value):
            return subject in case.numbers and bool(RELATIONS[relation](case.numbers[subject], value))
        case OfSex(sex):
            return SEX_NAMES.get(case.sex) == sex
        case Sites(least):
            diagnoses = one.diagnoses if isinstance(one, MajorCategory) else {}
            return len({diagnoses[code] for code in case.diagnoses if diagnoses.get(code)}) >= least
        case Both(parts):
            return all(holds(part, case, scheme, one) for part in parts)
        case Either(parts):
            return any(holds(part, case, scheme, one) for part in parts)
        case Negated(part):
            return not holds(part, case, scheme, one)


def matching(case: Case, subject: str, codes: Collection[str]) -> Iterator[str]:
    """The codes of a case that a list holds, of those the subject (PDX, ANYDX, PROC1, ANYPROC) speaks of."""
    listed = case.diagnoses if subject in ("PDX", "ANYDX") else case.procedures
    return (code for code in (listed[:1] if subject in ("PDX", "PROC1") else listed) if code in codes)


def complications(scheme: Scheme, case: Case) -> dict[str, str]:
    """Level → the first other diagnosis of a case at that level which the principal diagnosis does not exclude."""
    found: dict[str, str] = {}
    for code in case.diagnoses[1:]:
        level, table = scheme.complications.get(code, ("", ""))
        if level and table != scheme.exclusions.get(case.diagnoses[0]):
            found.setdefault(level, code)
    return found


def group_one(scheme: Scheme, case: Case) -> Grouped:
    """The group of one case whose codes are in the scheme's edition."""
    found = complications(scheme, case)
    level = "MCC" if "MCC" in found else "CC" if "CC" in found else ""
    for category in scheme.categories:
        if holds(category.rule, case, scheme, category):
            for adjacent in (a for a in scheme.adjacents if a.category == category.id):
                if holds(adjacent.rule, case, scheme, adjacent):
                    return Grouped(category.id, adjacent.id, _at_severity(scheme, adjacent.id, level), level)
    return Grouped(level=level)


def _at_severity(scheme: Scheme, adjacent: str, level: str) -> str:
    for group in scheme.groups:
        if group.adjacent == adjacent and (group.severity == "ANY" or level in group.severity.split("_OR_")):
            return group.id
    return ""


def explain(scheme: Scheme, case: Case, adjacent: str) -> str:
    """Which rules a grouped case met, with the codes that met them, in the spoken language."""
    one = next(a for a in scheme.adjacents if a.id == adjacent)
    category = next(m for m in scheme.categories if m.id == one.category)
    parts = [say("grouped_category", mdc=category.id, rule=category.text, codes=_evidence(category.rule, case, scheme, category)),
             say("grouped_adjacent", adrg=one.id, rule=one.text, codes=_evidence(one.rule, case, scheme, one))]
    found = complications(scheme, case)
    for level in ("MCC", "CC"):
        if level in found:
            parts.append(say("grouped_level", level=level, code=found[level], table=scheme.complications[found[level]][1]))
            break
    return " → ".join(parts)


def _evidence(rule: Rule, case: Case, scheme: Scheme, one: MajorCategory | AdjacentGroup) -> str:
    return SEPARATOR.join(dict.fromkeys(_met(rule, case, scheme, one)))


def _met(rule: Rule, case: Case, scheme: Scheme, one: MajorCategory | AdjacentGroup) -> Iterator[str]:
    if isinstance(rule, Coded):
        yield from matching(case, rule.subject, scheme.codes(one, rule.listed))
    elif isinstance(rule, Measured):
        yield f"{rule.subject}={case.numbers.get(rule.subject, float('nan')):g}"
    elif isinstance(rule, OfSex):
        yield f"SEX={SEX_NAMES.get(case.sex, '')}"
    elif isinstance(rule, Both | Either):
        for part in rule.parts:
            if holds(part, case, scheme, one):
                yield from _met(part, case, scheme, one)
