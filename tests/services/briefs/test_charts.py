"""Drawn charts and maps: their texts, their marks, and the same picture for the same values."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

import numpy as np
import pytest

from quanmin.services.briefs import fixed_words
from quanmin.services.briefs.charts import picture, shortened
from quanmin.services.briefs.contents import told
from quanmin.services.briefs.maps import middle, readable, rings_of
from tests.services.briefs.made import made_brief

BRIEF = made_brief("zh")
WORDS = fixed_words("zh")
CHARTS = (BRIEF.maps[0], BRIEF.bars[0], BRIEF.trends[0])


def texts(drawing: bytes) -> list[str]:
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawing.decode())]


@pytest.mark.parametrize("chart", CHARTS)
def test_pictures_are_equal_for_equal_charts(chart: object) -> None:
    for form, start in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        drawing = picture(chart, WORDS, form)  # type: ignore[arg-type]
        assert drawing.startswith(start) and drawing == picture(chart, WORDS, form)  # type: ignore[arg-type]


def test_the_map_names_every_place_with_its_value_and_hatches_the_unknown() -> None:
    drawing = picture(BRIEF.maps[0], WORDS, "svg")
    said = texts(drawing)
    assert not [name for name in BRIEF.maps[0].outlines if shortened(name, 16) not in said]
    assert not [text for text in BRIEF.maps[0].texts.values() if text and text not in said]
    assert WORDS["no_data"] in said and "%" in said and b"<pattern" in drawing
    known = dataclasses.replace(BRIEF.maps[0], values=dict.fromkeys(BRIEF.maps[0].outlines, 70.0))
    assert b"<pattern" not in picture(known, WORDS, "svg")


def test_bars_carry_values_marks_and_target() -> None:
    said = texts(picture(BRIEF.bars[0], WORDS, "svg"))
    assert {"81.3 \u25cf", "66.2 \u25b2", WORDS["no_data"], f"{BRIEF.bars[0].target_name} 70%"} <= set(said)


def test_charts_without_values_are_drawn() -> None:
    bars = dataclasses.replace(BRIEF.bars[0], names=[], values=[], low=[], high=[], verdicts=[], target=None)
    trend = dataclasses.replace(BRIEF.trends[0], values=[None] * 25, low=[None] * 25, high=[None] * 25, target=None)
    empty = dataclasses.replace(BRIEF.maps[0], outlines={}, values={}, texts={})
    for chart in (bars, trend, empty, dataclasses.replace(trend, months=[], values=[], low=[], high=[])):
        assert picture(chart, WORDS, "svg").startswith(b"<?xml") and told(chart, WORDS) == chart.title


def test_dollar_signs_are_no_formulas() -> None:
    assert "$x^2$" in texts(picture(dataclasses.replace(BRIEF.bars[0], names=["$x^2$", *BRIEF.bars[0].names[1:]]), WORDS, "svg"))


def test_the_middle_of_a_square_and_the_rings_of_both_kinds() -> None:
    square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [0.0, 0.0]]
    assert middle(np.array(square)) == (1.0, 1.0, 4.0)
    assert len(rings_of({"type": "MultiPolygon", "coordinates": [[square], [square, square]]})) == 2
    assert rings_of({"type": "Point", "coordinates": [0, 0]}) == [] and rings_of({}) == []


def test_letters_have_contrast() -> None:
    assert readable((1.0, 1.0, 1.0, 1.0)) == "black" and readable((0.03, 0.19, 0.42, 1.0)) == "white"


def test_sentences_over_charts() -> None:
    assert "81.3%" in told(BRIEF.bars[0], WORDS) and "51%" in told(BRIEF.maps[0], WORDS)
    assert "2025-01" in told(BRIEF.trends[0], WORDS) and "70%" in told(BRIEF.trends[0], WORDS)
