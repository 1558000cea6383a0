"""A brief of awkward contents: formula-like, template-like and markup-like texts, very long names, values that are missing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from quanmin.services.briefs import Bars, Brief, Footnote, KeyFigure, MapOf, Section, Trend

VALUES = (64.2, 71.5, None, 1234567.0, 0.25, 88.125, 93.0, 12.0, 3.41)
LINK = "https://quanmin.example/figures/HT.02?region=4201&as_of=12#note-{}"


def _outline(place: int, split: bool) -> dict[str, Any]:
    """One cell of a 4 x 2 grid of half degrees with a slanted side; `split` cuts an island off."""
    x, y = 110 + place % 4 * 0.5, 30 + place // 4 * 0.4
    ring = [[x, y], [x + 0.5, y], [x + 0.5, y + 0.4], [x + 0.2, y + 0.36], [x, y + 0.4], [x, y]]
    if not split:
        return {"type": "Polygon", "coordinates": [ring]}
    island = [[x + 0.3, y - 0.1], [x + 0.36, y - 0.1], [x + 0.33, y - 0.05], [x + 0.3, y - 0.1]]
    return {"type": "MultiPolygon", "coordinates": [[island], [ring]]}


def made_brief(language: str = "zh") -> Brief:
    """The brief in `language`; its words come from the package."""
    given = tomllib.loads(Path(__file__).with_name("made.toml").read_text("utf-8"))
    said: dict[str, Any] = {name: texts[language] for name, texts in given.items() if name != "sections"}
    sections = {name: Section(texts[language][0], texts[language][1:], (1, 2) if name != "notes" else ()) for name, texts in given["sections"].items()}
    figures = [
        KeyFigure(f"HT.{n:02}", name, "%" if n != 9 else said["density"], f"{value:,}%" if value is not None else "", value,
                  None if value is None else 12345.0 * n, None if value is None else 23456.0 * n, 17.0 if n == 1 else None, "\u2265 70%" if n < 7 else "",
                  70.0 if n < 7 else None, ("met", "missed", "")[n % 3] if n < 7 else "", f"{n} / 9" if value is not None else "",
                  f"+{n / 10} {said['points']}", said["chances"][n % 3], n)
        for n, (name, value) in enumerate(zip(said["figures"], VALUES, strict=True), 1)]
    months = [f"{2023 + m // 12}-{m % 12 + 1:02}" for m in range(25)]
    line = [None if m == 7 else round(52 + 0.5 * m + (m * 7 % 5) * 0.6, 2) for m in range(25)]
    trend = Trend(f"{said['rate']}<&>", "%", months, line, [None if v is None else round(v - 2, 2) for v in line],
                  [None if v is None else round(v + 2, 2) for v in line],
                  70.0, said["target_name"], 1)
    values = [81.3, 77.0, 74.25, 71.0, 70.4, 66.2, None, 51.0]
    bars = Bars(said["rate"], "%", said["places"], values, [None if v is None else v - 3 for v in values], [None if v is None else v + 3 for v in values],
                ["" if v is None else "met" if v >= 70 else "missed" for v in values], 70.0, said["target_name"], 1)
    shown = dict(zip(said["places"], values, strict=True))
    drawn = MapOf(said["rate"], "%", {name: _outline(n, n == 5) for n, name in enumerate(said["places"])}, shown,
                  {name: "" if v is None else f"{v}%" for name, v in shown.items()}, 2)
    footnotes = [Footnote(n, figure.indicator, f"{figure.name}: {said['footnote']}", LINK.format(n)) for n, figure in enumerate(figures, 1)]
    return Brief(language, said["region"], said["title"], said["period"], said["issued_by"], said["issued_on"], said["as_of"], said["headline"], figures,
                 [trend], [bars], [drawn], sections["changes"], sections["attention"], sections["next_steps"], sections["notes"], footnotes)
