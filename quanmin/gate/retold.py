"""What the platform once said, said again in another language: receipts keep the sentences of the day they were written."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from quanmin.catalog.messages import LANGUAGES, all_messages

_HOLE = re.compile(r"\{(\w+)\}")


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    found = []
    for texts in all_messages().values():
        for spoken in LANGUAGES:
            parts = _HOLE.split(texts[spoken])
            if len("".join(parts[::2]).strip()) > 1:
                names: set[str] = set()
                pattern = "".join(re.escape(part) if i % 2 == 0 else _group(part, names) for i, part in enumerate(parts))
                found.append((re.compile(pattern, re.DOTALL), texts))
    return sorted(found, key=lambda pair: pair[0].groups)  # sentences without values first


def _group(name: str, names: set[str]) -> str:
    if name in names:
        return f"(?P={name})"
    names.add(name)
    return f"(?P<{name}>.*?)"


@lru_cache(10_000)
def retold(sentence: str, language: str) -> str:
    """The sentence in `language` where it is one of ours in any language; else as it is."""
    for pattern, texts in _patterns():
        if match := pattern.fullmatch(sentence):
            return texts[language].format(**match.groupdict())
    return sentence
