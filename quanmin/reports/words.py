"""What services and reports say, in the spoken language: each service's words.toml, and reports/words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import quanmin.services
from quanmin.catalog.messages import language

OWN = "reports"


@cache
def _words(service: str) -> dict[str, dict[str, str]]:
    folder = Path(__file__).parent if service == OWN else Path(quanmin.services.__path__[0]) / service
    return tomllib.loads((folder / "words.toml").read_text("utf-8"))


def told(service: str, name: str, /, **values: object) -> str:
    """A sentence of a service ("reports" for our own) with its values filled in; an unknown one is a KeyError."""
    return _words(service)[name][language()].format(**values)
