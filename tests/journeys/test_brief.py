"""The brief's numbers are those of the pages and of the API: the documents are read back."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docx import Document
from fastapi import FastAPI
from pptx import Presentation
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from quanmin.gate.inquiry import Inquiry
from quanmin.reports.brief import Issue, brief
from quanmin.services.briefs import FORMATS, Brief
from tests.journeys.conftest import Region
from tests.journeys.people import Person, somebody

MONTH = "2026-09"


@pytest.fixture(scope="module")
def leader(app: FastAPI) -> Person:
    return somebody(app, "leader")


@pytest.fixture(scope="module")
def documents(leader: Person) -> dict[str, bytes]:
    found = {}
    for form in FORMATS:
        answer = leader.get(f"/brief.{form}", period=MONTH, lang="zh")
        assert answer.status_code == 200 and f"brief-{MONTH}-zh.{form}" in answer.headers["content-disposition"]
        found[form] = answer.content
    return found


@pytest.fixture(scope="module")
def expected(region: Region) -> Brief:
    region.site.speak("zh")
    inquiry = Inquiry(region.site.operator(), region.site.indicators(), region.site.settings.region)
    return brief(inquiry, region.site.boards, Issue("", "2026-11-28", "http://testserver"), region.site.snapshot().published_at, MONTH)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _docx(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return _squeezed("".join([p.text for p in document.paragraphs] + cells))


def _pptx(content: bytes) -> str:
    shapes = [shape for slide in Presentation(io.BytesIO(content)).slides for shape in slide.shapes]
    texts = [shape.text_frame.text for shape in shapes if shape.has_text_frame]
    texts += [cell.text for shape in shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    return _squeezed("".join(texts))


def _xlsx(content: bytes) -> str:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return _squeezed("".join(str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row))


def _pdf(content: bytes) -> str:
    return _squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


READ = {"docx": _docx, "pptx": _pptx, "xlsx": _xlsx, "pdf": _pdf}


@pytest.mark.parametrize("form", FORMATS)
def test_every_figure_target_and_sentence_stands_in_the_document(documents: dict[str, bytes], expected: Brief, form: str) -> None:
    text = READ[form](documents[form])
    assert len(expected.figures) >= 12 and len(expected.headline) >= 3
    for one in expected.figures:
        for part in (one.name, one.text, one.target_text):
            assert _squeezed(part) in text, (form, one.indicator, part)
    for line in [*expected.headline, *expected.changes.sentences, *expected.attention.sentences]:
        assert _squeezed(line)[:24] in text, (form, line)


def test_the_figures_are_those_of_the_pages_and_the_api(leader: Person, expected: Brief) -> None:
    for one in expected.figures:
        where = f"month = '{MONTH}'"
        [cell] = leader.get(f"/api/indicators/{one.indicator}", where=where).json()["cells"]
        assert (one.value, one.numerator, one.denominator) == (cell["value"], cell["numerator"], cell["denominator"]), one.indicator
        page = leader.get(f"/indicator/{one.indicator}", period=MONTH, lang="zh").text
        shown = page[page.index('class="big') :].split("</p>")[0]
        assert one.text in shown, one.indicator
        assert next(f for f in expected.footnotes if f.number == one.footnote).link.endswith(f"/indicator/{one.indicator}?period={MONTH}")


def test_no_cell_of_the_workbook_is_a_formula(documents: dict[str, bytes]) -> None:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(documents["xlsx"])) as packed:
        assert not [name for name in packed.namelist() if name.startswith("xl/worksheets/") and b"<f>" in packed.read(name)]


def test_the_command_writes_what_the_page_gives(region: Region, expected: Brief, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from quanmin.cli import main; main()", "brief", str(region.folder), "--period", MONTH]
    command += ["--forms", "xlsx,docx", "--lang", "zh", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    written = {path.suffix[1:]: path for path in tmp_path.iterdir()}
    assert set(written) == {"xlsx", "docx"}
    for form, path in written.items():
        text = READ[form](path.read_bytes())
        assert all(_squeezed(one.text) in text for one in expected.figures), form


def test_in_english_nothing_but_names_is_chinese(leader: Person) -> None:
    text = _pdf(leader.get("/brief.pdf", period=MONTH, lang="en").content)
    assert "Populationhealth" in text and "Whatchangedandwhy" in text
    without_sources = text[: text.index("Definitionsandsources")] if "Definitionsandsources" in text else text
    assert not re.findall("[\u4e00-\u9fff]{2,}", without_sources)


@pytest.mark.parametrize("path", ["/brief.exe", "/brief.docx?period=2026", "/brief.docx?period=2031-01", "/brief.pdf?period=junk"])
def test_what_cannot_be_briefed_is_said(leader: Person, path: str) -> None:
    assert leader.get(path).status_code in (400, 404)


def test_a_county_gets_a_brief_of_its_own_county(app: FastAPI) -> None:
    text = _docx(somebody(app, "leader", "county:990103").get("/brief.docx", period=MONTH, lang="zh").content)
    names = {code: name for code, name in app.state.desk.site.indicators().engine.connection.cursor().execute(
        "SELECT region_code, name FROM region WHERE level = 'county'").fetchall()}
    assert names["990103"] in text and not [name for code, name in names.items() if code != "990103" and name in text]
