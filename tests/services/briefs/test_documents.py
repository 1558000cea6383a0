"""Every document read back: what the brief says stands in it, letter by letter, and equal briefs give equal files."""

from __future__ import annotations

import dataclasses
import io
import math
import re
import zipfile
from typing import Any

import docx
import pptx
import pypdf
import pytest
import python_calamine

from quanmin.model import Refusal
from quanmin.services.briefs import FORMATS, Brief, Section, fixed_words, write
from quanmin.services.briefs.contents import caption, number, verdict_text
from tests.services.briefs.made import LINK, made_brief

LANGUAGES = ("zh", "en")
HYPERLINK = "/hyperlink"


@pytest.fixture(scope="module", params=LANGUAGES)
def brief(request: pytest.FixtureRequest) -> Brief:
    return made_brief(request.param)


def sentences(brief: Brief) -> list[str]:
    parts = (brief.changes, brief.attention, brief.next_steps, brief.notes)
    return [brief.title, brief.period, brief.issued_by, brief.issued_on, brief.as_of, *brief.headline, *(p.heading for p in parts),
            *(s for p in parts for s in p.sentences), *(f.text for f in brief.footnotes), *(f.indicator for f in brief.footnotes)]


def links(relationships: Any) -> set[str]:
    return {r.target_ref for r in relationships.values() if r.reltype.endswith(HYPERLINK)}


def wanted_links(brief: Brief) -> set[str]:
    return {LINK.format(f.number) for f in brief.footnotes}


def tight(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_word_says_everything(brief: Brief) -> None:
    words, document = fixed_words(brief.language), docx.Document(io.BytesIO(write(brief, "docx")))
    text = "\n".join(p.text for p in document.paragraphs)
    assert not [s for s in sentences(brief) if s not in text]
    rows = document.tables[0].rows[1:]
    assert len(rows) == len(brief.figures)
    for row, figure in zip(rows, brief.figures, strict=True):
        name, value, counts, target, rank, change, chance = (cell.text for cell in row.cells)
        assert name == f"{figure.name}[{figure.footnote}]\n{words['unit']}{words['colon']}{figure.unit}"
        assert (value, rank, change, chance) == (figure.text or "\u2013", figure.rank or "\u2013", figure.change, figure.chance)
        assert counts.split("\n")[:2] == [number(figure.numerator), number(figure.denominator)]
        assert (f"{words['unknown']} 17" in counts) == (figure.unknown == 17)
        assert target == "\n".join(filter(None, (figure.target_text or "\u2013", verdict_text(figure.verdict, words))))
    assert links(document.part.rels) == wanted_links(brief)
    assert [f"{caption(c, words)}[{c.footnote}]" in text for c in (*brief.maps, *brief.bars, *brief.trends)] == [True] * 3
    assert len(document.inline_shapes) == 3 and all(shape._inline.docPr.get("descr") for shape in document.inline_shapes)
    assert {p.style.name.endswith(" en") for p in document.paragraphs if p.style.name.startswith("Brief")} == {brief.language == "en"}


def slide_texts(show: Any) -> list[str]:
    shapes = [shape for slide in show.slides for shape in slide.shapes]
    cells = [cell.text_frame.text for s in shapes if s.has_table for row in s.table.rows for cell in row.cells]
    return [*(shape.text_frame.text for shape in shapes if shape.has_text_frame), *cells]


def test_slides_say_everything(brief: Brief) -> None:
    words, show = fixed_words(brief.language), pptx.Presentation(io.BytesIO(write(brief, "pptx")))
    texts = slide_texts(show)
    assert not [s for s in sentences(brief) if not any(s in text for text in texts)]
    assert math.isclose(show.slide_width / show.slide_height, 16 / 9, rel_tol=1e-3)
    assert all(slide.shapes.title is not None and slide.shapes.title.text_frame.text for slide in show.slides)
    rows = [[cell.text_frame.text for cell in row.cells] for slide in show.slides for s in slide.shapes if s.has_table for row in list(s.table.rows)[1:]]
    for row, figure in zip(rows, brief.figures, strict=True):
        assert row[0] == f"{figure.name}[{figure.footnote}]" and row[1:4] == [figure.unit, figure.text or "\u2013", number(figure.numerator)]
        assert row[4].startswith(number(figure.denominator)) and row[6] == (figure.rank or "\u2013")
        assert row[5] == f"{figure.target_text or chr(0x2013)} {verdict_text(figure.verdict, words)}".strip()
        assert row[7:] == [figure.change, figure.chance]
    assert set().union(*(links(slide.part.rels) for slide in show.slides)) == wanted_links(brief)
    assert sum(shape.shape_type == 13 for slide in show.slides for shape in slide.shapes) == 1, "the map is a picture"


def test_slides_hold_charts_that_can_be_edited(brief: Brief) -> None:
    show = pptx.Presentation(io.BytesIO(write(brief, "pptx")))
    bars, trend = (shape.chart for slide in show.slides for shape in slide.shapes if shape.has_chart)
    assert list(bars.plots[0].series[0].values) == list(brief.bars[0].values)
    assert [c.split(" \u25cf")[0].split(" \u25b2")[0] for c in bars.plots[0].categories][:6] == list(brief.bars[0].names)[:6]
    series = {s.name: list(s.values) for s in trend.plots[0].series}
    assert list(trend.plots[0].categories) == list(brief.trends[0].months) and list(brief.trends[0].values) in series.values()
    assert series[f"{brief.trends[0].target_name} 70%"] == [70.0] * 25
    assert b"errBars" in bars._chartSpace.xml.encode()


def test_many_places_are_spread_over_slides(brief: Brief) -> None:
    bars = brief.bars[0]
    many = dataclasses.replace(bars, **{name: list(getattr(bars, name)) * 7 for name in ("names", "values", "low", "high", "verdicts")})
    show = pptx.Presentation(io.BytesIO(write(dataclasses.replace(brief, bars=[many], trends=[]), "pptx")))
    charts = [shape.chart for slide in show.slides for shape in slide.shapes if shape.has_chart]
    assert [len(chart.plots[0].categories) for chart in charts] == [19, 19, 18]
    assert [value for chart in charts for value in chart.plots[0].series[0].values] == list(many.values)


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_workbook_says_everything_in_numbers(brief: Brief) -> None:
    words, content = fixed_words(brief.language), write(brief, "xlsx")
    found = sheets(content)
    assert list(found) == [words["headline"], words["figures"], *(f"{words[k]} 1" for k in ("map", "bars", "trend")), words["footnotes"]]
    for row, f in zip(found[words["figures"]][1:], brief.figures, strict=True):
        assert row == [f.indicator, f.name, f.unit, *("" if v is None else v for v in (f.value,)), f.text,
                       *("" if v is None else v for v in (f.numerator, f.denominator, f.unknown, f.target)), f.target_text,
                       verdict_text(f.verdict, words), f.rank, f.change, f.chance, f.footnote]
    trend, bars, shown = brief.trends[0], brief.bars[0], brief.maps[0]
    rows = found[f"{words['trend']} 1"][3:]
    assert rows == [["" if v is None else v for v in row] for row in zip(trend.months, trend.values, trend.low, trend.high, [70.0] * 25, strict=True)]
    assert [row[:2] for row in found[f"{words['bars']} 1"][3:]] == [[n, "" if v is None else v] for n, v in zip(bars.names, bars.values, strict=True)]
    assert {row[0]: row[1] for row in found[f"{words['map']} 1"][3:]} == {n: "" if v is None else v for n, v in shown.values.items()}
    assert found[words["footnotes"]][1:] == [[f.number, f.indicator, f.text, f.link] for f in brief.footnotes]
    everything = "\n".join(str(cell) for rows in found.values() for row in rows for cell in row)
    assert not [s for s in sentences(brief) if s not in everything]


def test_workbook_holds_no_formula_and_only_the_footnotes_link(brief: Brief) -> None:
    with zipfile.ZipFile(io.BytesIO(write(brief, "xlsx"))) as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)}
        targets = re.findall(r'Target="([^"]*)" TargetMode="External"', "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".rels")))
        places = re.findall(r'location="([^"]*)"', "".join(pages.values()))
    assert len(pages) == 6 and not [name for name, text in pages.items() if re.search(r"<f[ >]", text)]
    assert {f"{t.replace('&amp;', '&')}#{p}" for t in targets for p in places} == wanted_links(brief)


def test_pdf_says_everything_in_selectable_text(brief: Brief) -> None:
    words, reader = fixed_words(brief.language), pypdf.PdfReader(io.BytesIO(write(brief, "pdf")))
    pages = [page.extract_text() for page in reader.pages]
    text = tight(re.sub(r"\n?\u2014 ?\d+ ?\u2014\n?", "", "\n".join(pages)))
    assert not [s for s in sentences(brief) if tight(s) not in text]
    for f in brief.figures:
        row = [f"{f.name}[{f.footnote}]{words['unit']}{words['colon']}{f.unit}", f.text, number(f.numerator), number(f.denominator), f.target_text,
               verdict_text(f.verdict, words), f.rank, f.change, f.chance]
        assert not [cell for cell in row if tight(cell) not in text]
    for chart in (*brief.maps, *brief.bars, *brief.trends):
        assert tight(f"{caption(chart, words)}[{chart.footnote}]") in text
    assert not [label for label in brief.maps[0].texts.values() if label not in text], "the labels of the map are text"
    found = [a.get_object() for page in reader.pages for a in page.get("/Annots", [])]
    assert {a["/A"]["/URI"] for a in found if "/URI" in a.get("/A", {})} == wanted_links(brief)
    assert any("/Dest" in a or a.get("/A", {}).get("/S") == "/GoTo" for a in found), "footnote numbers lead to the list"
    assert reader.metadata is not None and reader.metadata.title == brief.title and "/StructTreeRoot" in reader.trailer["/Root"]


@pytest.mark.parametrize("form", FORMATS)
def test_equal_briefs_give_equal_files_dated_by_the_day_of_issue(brief: Brief, form: str) -> None:
    content = write(brief, form)
    assert content == write(made_brief(brief.language), form) != write(dataclasses.replace(brief, title="other"), form)
    if form != "pdf":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {member.date_time for member in archive.infolist()} == {(2025, 2, 10, 0, 0, 0)}
            assert re.findall(r"\d{4}-\d\d-\d\dT[\d:]*Z", archive.read("docProps/core.xml").decode()) == ["2025-02-10T00:00:00Z"] * 2


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_brief_and_unclean_values_are_written(form: str) -> None:
    nothing = Section("Heading", [])
    bare = Brief("en", "R", "Title", "2025", "Issuer", "some day", "", [], [], [], [], [], nothing, nothing, nothing, nothing, [])
    assert len(write(bare, form)) > 1000
    full = made_brief("en")
    unclean = dataclasses.replace(full, headline=["one\x00two\nthree\x0b"], figures=[dataclasses.replace(full.figures[0], value=math.nan, text="\ud800")])
    assert len(write(unclean, form)) > 1000


def test_own_words_go_first() -> None:
    found = docx.Document(io.BytesIO(write(dataclasses.replace(made_brief("en"), words={"headline": "In short"}), "docx")))
    assert "In short" in [p.text for p in found.paragraphs] and "Key points" not in [p.text for p in found.paragraphs]


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        write(made_brief("en"), "odt")
    assert refusal.value.problems[0].value == "odt" and "docx" in refusal.value.problems[0].mend
