"""The words of the pages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from quanmin.catalog.messages import language


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def is_word(name: str) -> bool:
    """Whether there is such a word."""
    return name in _words()


def word(name: str, /, **values: object) -> str:
    """A word or sentence in the spoken language; an unknown name is a KeyError."""
    return _words()[name][language()].format(**values)
