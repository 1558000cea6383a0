"""The national quality goals and the indicators that measure them; catalog/programmes/quality_goals.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import quanmin.catalog
from quanmin.model import Label

PATH = Path(quanmin.catalog.__file__).parent / "programmes" / "quality_goals.toml"


@dataclass(frozen=True)
class Goal:
    """A goal: its code in the list, and its indicators, the one that is shown first first."""

    code: str
    label: Label
    indicators: tuple[str, ...]


@dataclass(frozen=True)
class Goals:
    """The list of some years, with where it comes from."""

    label: Label
    years: tuple[int, ...]
    document: str
    status: str
    note: Label
    goals: tuple[Goal, ...]


@cache
def quality_goals() -> Goals:
    """The shipped list."""
    told = tomllib.loads(PATH.read_text("utf-8"))
    goals = tuple(Goal(one["code"], Label(**one["name"]), tuple(one["indicators"])) for one in told["goals"])
    return Goals(Label(**told["name"]), tuple(told["years"]), told["source"]["document"], told["source"]["status"], Label(**told["note"]), goals)
