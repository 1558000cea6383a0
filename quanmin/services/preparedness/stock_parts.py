"""What an answer about counted stocks says besides cover: who reported, what was issued, and how cover went by month."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """An institution that should report its stock: the day of its newest count ("" never), days since, lots, and how it reports: reported, late or never."""

    institution: str
    institution_name: str
    counted_on: str
    age_days: int | None
    lots: int
    reporting: str


@dataclass(frozen=True)
class Consumption:
    """Use a day of an item at an institution: as issued in the newest months, as its activity would need, and their ratio in percent (None without either)."""

    institution: str
    institution_name: str
    item: str
    item_name: str
    unit: str
    issued_per_day: float | None
    needed_per_day: float
    full_load_per_day: float
    ratio: float | None


@dataclass(frozen=True)
class MonthCover:
    """A key item in a month: days that all usable stock lasts at full load of those who reported, the fewest days, and how many are below the target."""

    month: str
    item: str
    item_name: str
    institutions: int
    days: float | None
    fewest_days: float | None
    short_count: int
