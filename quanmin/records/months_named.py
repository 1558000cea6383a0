"""The months that a file's name says it is about: how a sender tells that a month had nothing to report."""

from __future__ import annotations

import re

_MONTH = re.compile(r"(?<!\d)(20\d\d)(?:\D?(0[1-9]|1[0-2]))?(?!\d)(?![-./]\d\d(?!\d\d))")  # the day of an export names no month


def months_named(file: str) -> tuple[str, str] | None:
    """First and last month ("2026-03", "2026-03") named: one year, one month, or two of them as a range; None where the name says none or more."""
    found = _MONTH.findall(file)
    if not 1 <= len(found) <= 2:
        return None
    first, last = found[0], found[-1]
    named = f"{first[0]}-{first[1] or '01'}", f"{last[0]}-{last[1] or '12'}"
    return named if named[0] <= named[1] else None
