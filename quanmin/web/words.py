"""The words of the pages: words.toml, and one file per group of pages in words/."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from quanmin.catalog.messages import language

CHINESE = re.compile("[\u4e00-\u9fff]")


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


def native(text: object) -> Markup:
    """A name as it is; where the page is English and the name exists only in Chinese, it is marked as Chinese."""
    shown = "" if text is None else str(text)
    if language() == "en" and CHINESE.search(shown):
        return Markup('<span lang="zh-CN">{}</span>').format(shown)
    return escape(shown)
