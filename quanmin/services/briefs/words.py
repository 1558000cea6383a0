"""The documents' own fixed words, and what is said when a document cannot be written: words.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from quanmin.catalog.messages import language
from quanmin.model import Problem, Refusal


@cache
def fixed_words(in_language: str) -> Mapping[str, str]:
    """Every fixed word and sentence in `in_language` (zh or en) by name; any other language is a KeyError."""
    said = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    return {name: texts[in_language] for name, texts in said.items()}


def refused(file: str, rule: str, mend: str, line: int | None = None, field: str = "", value: str = "", **filled: str) -> Refusal:
    """The Refusal with the sentences `rule` and `mend` of words.toml in the spoken language, `filled` in."""
    words = fixed_words(language())
    return Refusal(Problem(file, line, field, value, words[rule].format(**filled), words[mend].format(**filled)))
