"""Rules of a scheme as tests on columns: each is asked of some of the cases, and its later parts only of those that passed the earlier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import eq, ge, gt, le, lt
from typing import TypeAlias, assert_never

import numpy as np

from quanmin.catalog.grouper_rules import DIAGNOSES
from quanmin.model.scheme import Both, Coded, Either, Measured, Negated, OfSex, Rule, Sites
from quanmin.services.grouping.cases import SEXES, Cases, Places, Truth, Whole

RELATIONS = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq}
Test: TypeAlias = Callable[[Cases, Places], Truth]
STRICT, UNKNOWN, SEX, AGE = "", "unknown", "sex", "age"  # what is taken to hold: nothing, what is not known, any sex, any number


def lists_in(rule: Rule) -> Iterator[Coded]:
    """All lists that a rule names."""
    if isinstance(rule, Coded):
        yield rule
    elif isinstance(rule, Both | Either):
        for part in rule.parts:
            yield from lists_in(part)
    elif isinstance(rule, Negated):
        yield from lists_in(rule.part)


def test_of(rule: Rule, marks: Callable[[Coded], Truth], sites: Whole, granted: str = STRICT) -> Test:
    """The test of a rule; `marks` gives the codes of a list, `sites` the body site (0 = none) of each diagnosis, `granted` what is taken to hold."""
    match rule:
        case Coded():
            return _coded(rule, marks(rule))
        case Measured():
            return _measured(rule, granted)
        case OfSex(sex):
            allowed = {SEXES[sex], 0} if granted == UNKNOWN else set(SEXES.values()) if granted == SEX else {SEXES[sex]}
            return lambda cases, at: np.isin(cases.sex[at], list(allowed))
        case Sites(least):
            return lambda cases, at: _site_count(cases, at, sites) >= least
        case Both(parts):
            return _both([test_of(part, marks, sites, granted) for part in parts])
        case Either(parts):
            return _either([test_of(part, marks, sites, granted) for part in parts])
        case Negated(part):
            inner = test_of(part, marks, sites, granted)
            return lambda cases, at: ~inner(cases, at)
        case _:
            assert_never(rule)


def _measured(rule: Measured, granted: str) -> Test:
    compare = RELATIONS[rule.relation]

    def test(cases: Cases, at: Places) -> Truth:
        numbers = cases.numbers[rule.subject][at]
        holds: Truth = compare(numbers, rule.value)
        if granted == UNKNOWN:
            return holds | np.isnan(numbers)
        return ~np.isnan(numbers) if granted == AGE else holds

    return test


def _coded(rule: Coded, marks: Truth) -> Test:
    match rule.subject:
        case "PDX":
            return lambda cases, at: marks[cases.principal[at]]
        case "PROC1":
            return lambda cases, at: marks[cases.first_procedure[at]]
        case _:
            return lambda cases, at: (cases.diagnoses if rule.subject in DIAGNOSES else cases.procedures).any(marks, at)


def _both(parts: list[Test]) -> Test:
    def test(cases: Cases, at: Places) -> Truth:
        holds = np.ones(len(at), np.bool_)
        for part in parts:
            holds[holds] = part(cases, at[holds])
        return holds

    return test


def _either(parts: list[Test]) -> Test:
    def test(cases: Cases, at: Places) -> Truth:
        holds = np.zeros(len(at), np.bool_)
        for part in parts:
            holds[~holds] = part(cases, at[~holds])
        return holds

    return test


def _site_count(cases: Cases, at: Places, sites: Whole) -> Whole:
    """How many different body sites the diagnoses of each case name."""
    values, ends = cases.diagnoses.of(at)
    bits = np.concatenate([[0], np.where(sites[values] > 0, 1 << sites[values], 0)])
    found = np.zeros(len(at), np.int64)
    np.bitwise_or.at(found, np.repeat(np.arange(len(at)), np.diff(ends)), bits[1:])
    return np.bitwise_count(found).astype(np.int32)
