"""The words of the pages: words.toml, and one file per group of pages in words/."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from quanmin.catalog.messages import language


@cache
def _words() -> dict[str, dict[str, str]]:
    here = Path(__file__)
    return {name: said for path in (here.with_name("words.toml"), *sorted(here.with_name("words").glob("*.toml")))
            for name, said in tomllib.loads(path.read_text("utf-8")).items()}


def is_word(name: str) -> bool:
    """Whether there is such a word."""
    return name in _words()


def word(name: str, /, **values: object) -> str:
    """A word or sentence in the spoken language; an unknown name is a KeyError."""
    return _words()[name][language()].format(**values)
