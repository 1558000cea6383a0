"""The nouns as frozen dataclasses: no I/O, standard library only."""

from quanmin.model.answer import Answer, Cell
from quanmin.model.mapping import Fill, Into, Mapping
from quanmin.model.question import Check, Example, Half, Indicator, Provenance, RuleText, Waiting
from quanmin.model.receipt import Problem, Receipt, Refusal, one_line
from quanmin.model.table import CodeList, Column, Table
from quanmin.model.words import Label

__all__ = [
    "Answer", "Cell", "Check", "CodeList", "Column", "Example", "Fill", "Half", "Indicator", "Into", "Label", "Mapping",
    "Problem", "Provenance", "Receipt", "Refusal", "RuleText", "Table", "Waiting", "one_line",
]
