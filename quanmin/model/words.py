"""Labels in both languages and the word lists that definitions may use."""

from __future__ import annotations

from dataclasses import dataclass

TYPES = ("text", "code", "integer", "number", "money", "date", "timestamp", "boolean")
KINDS = ("share", "rate", "ratio", "mean", "total", "growth", "composite")
BETTER = ("higher", "lower", "target", "none")
GRAINS = ("day", "week", "month", "quarter", "year")
STATUSES = ("verified", "transcribed", "recalled", "own")
CATEGORIES = ("conformance", "completeness", "plausibility")
SEVERITIES = ("error", "warning")
UNIT_SCALE = {"%": 100.0, "‰": 1000.0}


@dataclass(frozen=True)
class Label:
    """One thing's name in Chinese and English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in `language` ("zh" or "en")."""
        return self.en if language == "en" else self.zh
