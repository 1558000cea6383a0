"""What every document of a brief says alike: clean texts, written numbers, verdicts, captions and the sentences over charts."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from quanmin.services.briefs.brief import Bars, Brief, KeyFigure, MapOf, Section, Trend

MARKS = {"met": "\u25cf", "missed": "\u25b2"}
NOTHING = "\u2013"
Words = Mapping[str, str]
Chart = Trend | Bars | MapOf
Anything = TypeVar("Anything")
# XML 1.0, production Char: what no document of ours may hold; line breaks within a text would break table rows
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_DATES = ("%d %B %Y", "%B %d, %Y", "%d %b %Y")


def clean(given: Anything) -> Anything:
    """`given` (a brief or any part of one) without control characters and line breaks in texts and without numbers that are none (NaN → None)."""
    found: Any = given
    if isinstance(given, str):
        found = _FORBIDDEN.sub("", re.sub(r"[\r\n\t\x85\u2028\u2029]+", " ", given))
    elif isinstance(given, float):
        found = given if math.isfinite(given) else None
    elif dataclasses.is_dataclass(given) and not isinstance(given, type):
        found = dataclasses.replace(given, **{f.name: clean(getattr(given, f.name)) for f in dataclasses.fields(given)})
    elif isinstance(given, Mapping):
        found = {clean(key): clean(value) for key, value in given.items()}
    elif isinstance(given, Sequence):
        found = [clean(value) for value in given]
    return found  # type: ignore[no-any-return]


def issued_at(brief: Brief) -> datetime:
    """The day of issue at 00:00, read from its text in ISO, Chinese or English form; 1 January 1980 (the zip format's first day) if it is none."""
    if numbers := re.search(r"(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})", brief.issued_on):
        try:
            return max(datetime(*map(int, numbers.groups())), datetime(1980, 1, 1))  # type: ignore[arg-type]
        except ValueError:
            return datetime(1980, 1, 1)
    for form in _DATES:
        try:
            return max(datetime.strptime(brief.issued_on.strip(), form), datetime(1980, 1, 1))
        except ValueError:
            continue
    return datetime(1980, 1, 1)


def number(value: float | None, unit: str = "") -> str:
    """A number with thousands separators and at most two decimals, with its unit behind it; a dash for None."""
    if value is None:
        return NOTHING
    written = f"{value:,.2f}".rstrip("0").rstrip(".")
    if not unit:
        return written
    return f"{written}{unit}" if unit in ("%", "\u2030") else f"{written} {unit}"


def note(number_of: int | Sequence[int]) -> str:
    """The footnote numbers as documents show them: [3] or [3][5]; nothing for 0."""
    return "".join(f"[{n}]" for n in ([number_of] if isinstance(number_of, int) else number_of) if n)


def verdict_text(verdict: str, words: Words) -> str:
    """A verdict as mark and word, since colour alone is not enough; nothing where there is none."""
    return f"{MARKS[verdict]} {words[verdict]}" if verdict in MARKS else ""


def caption(chart: Chart, words: Words) -> str:
    """A chart's title with its unit."""
    return words["with_unit"].format(title=chart.title, unit=chart.unit) if chart.unit else chart.title


def is_link(link: str) -> bool:
    """Whether a footnote's link may be clickable: web addresses only."""
    return link.startswith(("http://", "https://"))


def told(chart: Chart, words: Words) -> str:
    """A chart in one sentence: the last month against the target, or the highest and the lowest place."""
    if isinstance(chart, Trend):
        known = [(month, value) for month, value in zip(chart.months, chart.values, strict=True) if value is not None]
        if not known:
            return chart.title
        filled = {"title": chart.title, "month": known[-1][0], "value": number(known[-1][1], chart.unit)}
        if chart.target is None:
            return words["trend_sentence"].format(**filled)
        return words["trend_sentence_target"].format(**filled, name=chart.target_name, target=number(chart.target, chart.unit))
    pairs = chart.values.items() if isinstance(chart, MapOf) else zip(chart.names, chart.values, strict=True)
    ordered = sorted(((value, name) for name, value in pairs if value is not None), key=lambda pair: -pair[0])
    if len(ordered) < 2 or ordered[0][0] == ordered[-1][0]:
        return chart.title
    (most, first), (least, last) = ordered[0], ordered[-1]
    return words["places_sentence"].format(title=chart.title, first=first, most=number(most, chart.unit), last=last, least=number(least, chart.unit))


def figures_told(figures: Sequence[KeyFigure], words: Words) -> str:
    """How many key figures met and missed their targets, in one sentence."""
    counts = {verdict: sum(f.verdict == verdict for f in figures) for verdict in MARKS}
    return words["figures_sentence"].format(count=len(figures), **counts)


def figure_row(figure: KeyFigure, words: Words) -> dict[str, str]:
    """A key figure's texts by the names the templates use."""
    return {
        "name": figure.name, "unit": figure.unit, "value": figure.text or NOTHING, "numerator": number(figure.numerator),
        "denominator": number(figure.denominator), "unknown": f"{words['unknown']} {number(figure.unknown)}" if figure.unknown else "",
        "target": figure.target_text or NOTHING, "verdict": figure.verdict, "verdict_text": verdict_text(figure.verdict, words),
        "rank": figure.rank or NOTHING, "change": figure.change or NOTHING, "chance": figure.chance or NOTHING, "note": note(figure.footnote),
    }


def section_rows(section: Section, words: Words) -> dict[str, Any]:
    """A section for the templates: its heading and its sentences, the last one with the section's footnote numbers."""
    sentences = [{"text": text, "note": ""} for text in section.sentences] or [{"text": words["none"], "note": ""}]
    sentences[-1]["note"] = note(section.footnotes)
    return {"heading": section.heading, "sentences": sentences}


def charts_of(brief: Brief) -> list[Chart]:
    """All charts in the order documents show them: maps, comparisons, trends."""
    return [*brief.maps, *brief.bars, *brief.trends]


def context(brief: Brief, words: Words) -> dict[str, Any]:
    """What the templates of Word and PDF may name; `pictures` lack their pictures still."""
    return {
        **{name: getattr(brief, name) for name in ("language", "region", "title", "period", "issued_by", "issued_on", "as_of")},
        "w": dict(words), "headline": list(brief.headline),
        "figures": [figure_row(figure, words) for figure in brief.figures],
        "pictures": [{"title": caption(chart, words), "note": note(chart.footnote), "told": told(chart, words)} for chart in charts_of(brief)],
        **{name: section_rows(getattr(brief, name), words) for name in ("changes", "attention", "next_steps", "notes")},
        "footnotes": [{"number": f.number, "note": note(f.number), "indicator": f.indicator, "text": f.text, "link": f.link,
                       "is_link": is_link(f.link)} for f in brief.footnotes],
    }
