"""How values are shown in receipts and rejects: private ones with only their ends left, long ones cut."""

from __future__ import annotations

LONGEST_SHOWN = 80


def mask(value: str | None) -> str:
    """A private value with only its ends left."""
    if not value:
        return ""
    return value[0] + "*" * min(len(value) - 1, LONGEST_SHOWN) if len(value) < 8 else value[:3] + "*" * min(len(value) - 6, LONGEST_SHOWN) + value[-3:]


def shown(value: str | None, is_private: bool) -> str:
    """A value fit for a receipt."""
    if is_private:
        return mask(value)
    return value[:LONGEST_SHOWN] + "…" if value and len(value) > LONGEST_SHOWN else value or ""
