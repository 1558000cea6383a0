"""What the platform says to people, in their language: catalog/messages.toml holds both texts of every sentence."""

from __future__ import annotations

import os
import tomllib
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")
_language: ContextVar[str] = ContextVar("language", default="")


@cache
def _messages() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("messages.toml").read_text("utf-8"))


def language() -> str:
    """The language spoken now: the one chosen with `speak`, else QUANMIN_LANGUAGE, else zh."""
    chosen = _language.get() or os.environ.get("QUANMIN_LANGUAGE", "")
    return chosen if chosen in LANGUAGES else "zh"


def speak(chosen: str) -> None:
    """Speak `chosen` ("zh" or "en") from here on in this context."""
    _language.set(chosen)


def say(message: str, in_language: str = "", **values: object) -> str:
    """The sentence `message` in the spoken language with its values filled in; an unknown id is a KeyError."""
    return _messages()[message][in_language or language()].format(**values)


def all_messages() -> dict[str, dict[str, str]]:
    """Every sentence in both languages."""
    return _messages()
