"""What a brief says, before it is a document: plain values and ready texts in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Footnote:
    """Where a figure comes from: the indicator's code and name, what was counted, source and status of its definition, and the page that shows it."""

    number: int
    indicator: str
    text: str
    link: str


@dataclass(frozen=True)
class KeyFigure:
    """One indicator of the table of key figures; texts as the pages show them, numbers beside them for charts and workbooks (None = not shown).

    `value` and `target` in the indicator's unit; `verdict` is met, missed or ""; `rank` reads like "3 / 8"; `chance` is the probability of reaching
    the target in words; `footnote` the number of its footnote.
    """

    indicator: str
    name: str
    unit: str
    text: str
    value: float | None
    numerator: float | None
    denominator: float | None
    unknown: float | None
    target_text: str
    target: float | None
    verdict: str
    rank: str
    change: str
    chance: str
    footnote: int


@dataclass(frozen=True)
class Trend:
    """A line over months: `values`, `low`, `high` have the length of `months` (None where there is none); `target` a level line."""

    title: str
    unit: str
    months: Sequence[str]
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    target: float | None
    target_name: str
    footnote: int


@dataclass(frozen=True)
class Bars:
    """Places against each other, the largest first: `values` and intervals (None where there is none), and whether each meets its target."""

    title: str
    unit: str
    names: Sequence[str]
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    verdicts: Sequence[str]
    target: float | None
    target_name: str
    footnote: int


@dataclass(frozen=True)
class MapOf:
    """Places on a map: outlines as GeoJSON geometries (Polygon or MultiPolygon, WGS-84) by name, with the value and text each shows."""

    title: str
    unit: str
    outlines: Mapping[str, Mapping[str, object]]
    values: Mapping[str, float | None]
    texts: Mapping[str, str]
    footnote: int


@dataclass(frozen=True)
class Section:
    """A headed list of sentences."""

    heading: str
    sentences: Sequence[str]
    footnotes: Sequence[int] = ()


@dataclass(frozen=True)
class Brief:
    """A monthly brief.

    `language` is zh or en; `words` are the fixed words of the document (see words.toml) in that language; `as_of` says snapshot and date.
    """

    language: str
    region: str
    title: str
    period: str
    issued_by: str
    issued_on: str
    as_of: str
    headline: Sequence[str]
    figures: Sequence[KeyFigure]
    trends: Sequence[Trend]
    bars: Sequence[Bars]
    maps: Sequence[MapOf]
    changes: Section
    attention: Section
    next_steps: Section
    notes: Section
    footnotes: Sequence[Footnote]
    words: Mapping[str, str] = field(default_factory=dict)
