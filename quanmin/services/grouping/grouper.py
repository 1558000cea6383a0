"""A scheme made ready for columns, and cases put through it: every rule is asked of all cases that reach it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from quanmin.catalog.grouper_rules import DIAGNOSES
from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.scheme import LEVELS, AdjacentGroup, Coded, MajorCategory, Scheme
from quanmin.services.grouping.cases import Cases, Codes, Places, Truth, Whole, cases_of
from quanmin.services.grouping.rules import AGE, SEX, STRICT, UNKNOWN, Test, lists_in, test_of

NONE = -1
UNGROUPED = "0000"
ADDED = ("mdc", "adrg", "drg", "cc_level", "reason")
SOME, MAJOR = LEVELS.index("CC"), LEVELS.index("MCC")
SEVERITIES = {"MCC": (MAJOR,), "CC": (SOME,), "MCC_OR_CC": (SOME, MAJOR), "ANY": (0, SOME, MAJOR)}
REASONS = ("", "no_principal", "unknown_principal", "sex_conflict", "age_conflict", "number_unknown", "no_category", "no_group", "other_codes_unknown")
Categories: TypeAlias = tuple[tuple[Test, tuple[tuple[int, Test], ...]], ...]  # who enters, and the adjacent groups tried in it


@dataclass(frozen=True)
class Ready:
    """A scheme made ready: its rules as tests, its codes as numbers."""

    scheme: Scheme
    diagnoses: Codes
    procedures: Codes
    categories: Mapping[str, Categories]  # by what is granted
    levels: Whole  # of each diagnosis as a complication: its place in LEVELS
    excluded_by: Whole  # the exclusion table of each complication
    excludes: Whole  # the exclusion table that each principal diagnosis is in
    by_level: Whole  # adjacent group × level → place among the scheme's groups
    of_categories: Truth  # which diagnoses some category takes as principal


def ready(scheme: Scheme, diagnoses: Iterable[str] = (), procedures: Iterable[str] = (), is_other_edition: bool = False) -> Ready:
    """The scheme made ready; `diagnoses` and `procedures` are all codes that exist, named by a rule or not. Refuses a scheme without rules.

    A code of the other edition becomes that of the scheme's where the scheme does not know it; with `is_other_edition` also where it does, since some
    codes mean different things in the two.
    """
    if not scheme.has_rules:
        raise Refusal(Problem(scheme.path, None, "scheme", scheme.id, say("scheme_without_rules"), say("mend_scheme_without_rules", scheme=scheme.id)))
    named = _named(scheme)
    principal = {code for category in scheme.categories for code in category.diagnoses}
    dx = Codes({*diagnoses, *named[True], *scheme.complications, *scheme.exclusions, *principal}, scheme.diagnosis_edition, is_other_edition)
    ops = Codes({*procedures, *named[False]}, scheme.procedure_edition, is_other_edition)
    kept: dict[tuple[str, bool, str], Truth] = {}

    def marks(one: MajorCategory | AdjacentGroup, rule: Coded) -> Truth:
        key = (one.id, rule.subject in DIAGNOSES, rule.listed)
        if key not in kept:
            kept[key] = (dx if key[1] else ops).marked(scheme.codes(one, rule.listed))
        return kept[key]

    categories = {granted: _categories(scheme, dx, marks, granted) for granted in (STRICT, UNKNOWN, SEX, AGE)}
    return Ready(scheme, dx, ops, categories, *_severity(scheme, dx), _by_level(scheme), dx.marked(principal))


def _categories(scheme: Scheme, dx: Codes, marks: Callable[[MajorCategory | AdjacentGroup, Coded], Truth], granted: str) -> Categories:
    numbered = list(enumerate(scheme.adjacents))

    def test(one: MajorCategory | AdjacentGroup) -> Test:
        return test_of(one.rule, partial(marks, one), _sites(one, dx), granted)

    return tuple((test(m), tuple((place, test(a)) for place, a in numbered if a.category == m.id)) for m in scheme.categories)


def _named(scheme: Scheme) -> dict[bool, set[str]]:
    """All codes that rules name: diagnoses (True) and procedures."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    everything: list[MajorCategory | AdjacentGroup] = [*scheme.categories, *scheme.adjacents]
    for one in everything:
        for rule in lists_in(one.rule):
            found[rule.subject in DIAGNOSES] |= set(scheme.codes(one, rule.listed))
    return found


def _sites(one: MajorCategory | AdjacentGroup, dx: Codes) -> Whole:
    sites = np.zeros(dx.count + 1, np.int32)
    if isinstance(one, MajorCategory):
        for number, site in enumerate(sorted({site for site in one.diagnoses.values() if site}), 1):
            sites[dx.marked([code for code, named in one.diagnoses.items() if named == site])] = number
    return sites


def _severity(scheme: Scheme, dx: Codes) -> tuple[Whole, Whole, Whole]:
    tables = {name: i for i, name in enumerate(sorted({*scheme.exclusions.values(), *(t for _, t in scheme.complications.values())}), 1)}
    levels, excluded_by, excludes = (np.zeros(dx.count + 1, np.int32) for _ in range(3))
    for number, code in enumerate(dx.names):
        if code in scheme.complications:
            level, table = scheme.complications[code]
            levels[number], excluded_by[number] = LEVELS.index(level), tables[table]
        excludes[number] = tables.get(scheme.exclusions.get(code, ""), 0)
    return levels, excluded_by, excludes


def _by_level(scheme: Scheme) -> Whole:
    found = np.full((len(scheme.adjacents), len(LEVELS)), NONE, np.int32)
    place = {adjacent.id: i for i, adjacent in enumerate(scheme.adjacents)}
    for number, group in enumerate(scheme.groups):
        row = found[place[group.adjacent]]
        for level in SEVERITIES[group.severity]:
            row[level] = number if row[level] == NONE else row[level]
    return found


def _adjacent(categories: Categories, cases: Cases, left: Places) -> Whole:
    """The adjacent group of some cases by its place in the scheme; a case that none of a category takes goes on to the next category."""
    found, asked = np.full(len(cases), NONE, np.int32), left
    for enters, adjacents in categories:
        here = left[enters(cases, left)]
        for place, belongs in adjacents:
            if not len(here):
                break
            holds = belongs(cases, here)
            found[here[holds]] = place
            here = here[~holds]
        left = left[found[left] == NONE]
    return found[asked]


def _level(prepared: Ready, cases: Cases) -> Whole:
    """The worst complication of each case among its other diagnoses, those excluded by the principal diagnosis left out."""
    values, starts = cases.diagnoses.values, cases.diagnoses.starts
    owner = np.repeat(np.arange(len(cases)), np.diff(starts))
    excluded = prepared.excluded_by[values] == prepared.excludes[cases.principal][owner]
    levels = np.where(excluded, 0, prepared.levels[values])
    levels[starts[:-1][np.diff(starts) > 0]] = 0  # the principal diagnosis is no complication
    worst = np.zeros(len(cases), np.int32)
    np.maximum.at(worst, owner, levels)
    return worst


def _reason(prepared: Ready, cases: Cases, adjacent: Whole) -> Whole:
    """Why a case has no group, or what of it was not understood: places in REASONS."""
    everyone, left = np.arange(len(cases)), np.flatnonzero(adjacent == NONE)
    unknown = cases.diagnoses.any(prepared.diagnoses.unknown(), everyone) | cases.procedures.any(prepared.procedures.unknown(), everyone)
    found = np.where(unknown, REASONS.index("other_codes_unknown"), 0).astype(np.int32)
    found[left] = REASONS.index("no_group")
    found[left[~prepared.of_categories[cases.principal[left]]]] = REASONS.index("no_category")
    for granted, reason in ((AGE, "age_conflict"), (SEX, "sex_conflict")):
        found[left[_adjacent(prepared.categories[granted], cases, left) != NONE]] = REASONS.index(reason)
    lacking = cases.lacking()
    found[lacking[_adjacent(prepared.categories[UNKNOWN], cases, lacking) != adjacent[lacking]]] = REASONS.index("number_unknown")
    found[left[cases.principal[left] == prepared.diagnoses.count]] = REASONS.index("unknown_principal")
    found[left[np.diff(cases.diagnoses.starts)[left] == 0]] = REASONS.index("no_principal")
    return found


def group(prepared: Ready, table: pa.Table) -> pa.Table:
    """The group of every case of a table with the columns of `cases_of`, row by row: the columns ADDED.

    A case without a group has mdc 0000 and no adrg and drg; `reason` (one of REASONS) says why.
    """
    cases = cases_of(table, prepared.diagnoses, prepared.procedures)
    adjacent, level = _adjacent(prepared.categories[STRICT], cases, np.arange(len(cases))), _level(prepared, cases)
    scheme = prepared.scheme
    names = {"mdc": [a.category for a in scheme.adjacents] + [UNGROUPED], "adrg": [a.id for a in scheme.adjacents] + [""],
             "drg": [g.id for g in scheme.groups] + [""], "cc_level": list(LEVELS), "reason": list(REASONS)}
    drg = np.where(adjacent == NONE, NONE, prepared.by_level[adjacent, level])
    places = {"mdc": adjacent, "adrg": adjacent, "drg": drg, "cc_level": level, "reason": _reason(prepared, cases, adjacent)}
    columns = {name: pa.DictionaryArray.from_arrays(pa.array(np.where(found == NONE, len(names[name]) - 1, found), pa.int32()), pa.array(names[name]))
               for name, found in places.items()}
    return pa.table({name: column.cast(pa.string()) for name, column in columns.items()})
