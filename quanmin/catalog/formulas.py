"""Indicators made of other indicators: do their parts exist, and is the formula plain arithmetic?"""

from __future__ import annotations

from sqlglot import exp

from quanmin.catalog.expressions import BadExpression, parse
from quanmin.catalog.reading import Definition
from quanmin.model import Indicator

ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren, exp.Column, exp.Identifier, exp.Literal)


def check_made_of_others(indicators: dict[str, Indicator], definitions: dict[str, Definition]) -> None:
    """Complain of growth and composite indicators whose parts are missing, not executable, or made of others themselves in a circle."""
    for one in indicators.values():
        if not one.is_executable or one.kind not in ("growth", "composite"):
            continue
        names = list(one.parts.values()) if one.kind == "composite" else [one.of]
        for name in names:
            part = indicators.get(name)
            if part is None or not part.is_executable or part.kind in ("growth", "composite"):
                definitions[one.id].complain("parts" if one.parts else "of", name, "is not an executable indicator counted from tables", "name one that is")
        if one.kind == "composite":
            _check_formula(one, definitions[one.id])


def _check_formula(one: Indicator, definition: Definition) -> None:
    try:
        tree = parse(one.formula)
    except BadExpression as error:
        definition.complain("formula", one.formula, str(error), "write arithmetic over the parts")
        return
    for node in tree.walk():
        if not isinstance(node, ARITHMETIC) or (isinstance(node, exp.Column) and node.name not in one.parts):
            definition.complain("formula", node.sql(), "is not arithmetic over the parts", "use the names given in parts")
