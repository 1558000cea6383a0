"""The rule that splits outflow, as people read it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quanmin.model import Label

RULE = Path(__file__).with_name("rule.toml")


@dataclass(frozen=True)
class Rule:
    """The rule in one paragraph and its parameters: name → value, and name → what it means."""

    sentence: Label
    values: Mapping[str, float]
    meanings: Mapping[str, Label]


@cache
def outflow_rule() -> Rule:
    """The rule by which every stay outside the home county is told; its values are those of `catalog/tables/derived/outflow.sql`.

    Source: rule.toml beside this file. No errors.
    """
    data = tomllib.loads(RULE.read_text("utf-8"))
    values = {name: float(given["value"]) for name, given in data["parameters"].items()}
    filled = {name: f"{value:g}" for name, value in values.items()}
    sentence = Label(*(data["sentence"][language].format(**filled) for language in ("zh", "en")))
    return Rule(sentence, values, {name: Label(given["zh"], given["en"]) for name, given in data["parameters"].items()})
