"""A bureau's own templates are used; broken ones are refused with their file, fault and mend."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pptx
import pypdf
import pytest

from quanmin.model import Refusal
from quanmin.services.briefs import TEMPLATES, make_templates, write
from quanmin.services.briefs.charts import chosen_font
from quanmin.services.briefs.pdf import chinese_fonts
from tests.services.briefs.made import made_brief

BRIEF = made_brief("en")
TYPST = (TEMPLATES / "brief.typ").read_text("utf-8")


def with_line(folder: Path, line: str) -> None:
    document = docx.Document(str(TEMPLATES / "brief.docx"))
    document.paragraphs[0].insert_paragraph_before(line)
    document.save(str(folder / "brief.docx"))


def refusal(folder: Path, form: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        write(BRIEF, form, folder)
    problem = caught.value.problems[0]
    assert problem.file.startswith(str(folder)) and problem.rule and problem.mend
    return caught.value


def test_a_bureaus_word_template_is_used(tmp_path: Path) -> None:
    with_line(tmp_path, "Bureau copy of {{ title }}")
    document = docx.Document(io.BytesIO(write(BRIEF, "docx", tmp_path)))
    assert document.paragraphs[0].text == f"Bureau copy of {BRIEF.title}"
    assert docx.Document(io.BytesIO(write(BRIEF, "docx"))).paragraphs[0].text == BRIEF.title


def test_a_bureaus_slide_master_is_used_without_its_sample_slides(tmp_path: Path) -> None:
    show = pptx.Presentation(str(TEMPLATES / "brief.pptx"))
    show.slides.add_slide(show.slide_layouts[0]).shapes.title.text_frame.text = "Sample"
    for layout in show.slide_layouts:
        layout.name = f"Bureau {layout.name}"
    show.save(str(tmp_path / "brief.pptx"))
    found = pptx.Presentation(io.BytesIO(write(BRIEF, "pptx", tmp_path)))
    assert {slide.slide_layout.name.split()[0] for slide in found.slides} == {"Bureau"}
    assert found.slides[0].shapes.title.text_frame.text == BRIEF.title
    assert len(found.slides) == len(pptx.Presentation(io.BytesIO(write(BRIEF, "pptx"))).slides)


def test_a_bureaus_typst_template_is_used(tmp_path: Path) -> None:
    (tmp_path / "brief.typ").write_text(TYPST + "\nSigned for the bureau\n", "utf-8")
    pages = pypdf.PdfReader(io.BytesIO(write(BRIEF, "pdf", tmp_path))).pages
    assert "Signed for the bureau" in " ".join(page.extract_text() for page in pages)


def test_a_folder_without_templates_changes_nothing(tmp_path: Path) -> None:
    assert write(BRIEF, "docx", tmp_path) == write(BRIEF, "docx")


@pytest.mark.parametrize(("line", "says"), [
    ("{{ titel }}", "titel"), ("{{ title", "expected token"), ("{{ figures[0].nme }}", "nme"), ("{{ title.__class__.__mro__ }}", "unsafe"),
    ("{{ pictures[0].picture.tpl }}", "unsafe"), ("{% for i in range(10000000) %}x{% endfor %}", "Range too big"),
])
def test_a_broken_word_template_is_refused(tmp_path: Path, line: str, says: str) -> None:
    with_line(tmp_path, line)
    assert says in str(refusal(tmp_path, "docx"))


@pytest.mark.parametrize("name", ["brief.docx", "brief.pptx"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no document")
    refusal(tmp_path, name.split(".")[1])
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("a.txt", "a")
    refusal(tmp_path, name.split(".")[1])


def test_a_slide_master_without_titles_is_refused(tmp_path: Path) -> None:
    show = pptx.Presentation(str(TEMPLATES / "brief.pptx"))
    for layout in [layout for layout in show.slide_layouts if layout.name != "Blank"]:
        show.slide_layouts.remove(layout)
    show.save(str(tmp_path / "brief.pptx"))
    assert "layout" in str(refusal(tmp_path, "pptx")) or "\u7248" in str(refusal(tmp_path, "pptx"))


def test_a_broken_typst_template_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "brief.typ").write_text('#let brief = json("brief.json")\n\n#brief.titel\n', "utf-8")
    problem = refusal(tmp_path, "pdf").problems[0]
    assert problem.line == 3 and "titel" in problem.rule


@pytest.mark.parametrize("line", ['#read("/../../../../etc/hostname")', '#read("../secret.txt")', "#let x = (", '#import "@preview/cetz:0.3.0"'])
def test_a_typst_template_reads_nothing_but_the_brief(tmp_path: Path, line: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "brief.typ").write_text(line, "utf-8")
    refusal(tmp_path, "pdf")


def test_a_machine_without_chinese_fonts_is_told_which_to_install() -> None:
    for choose in (chosen_font, chinese_fonts):
        with pytest.raises(Refusal) as caught:
            choose(["DejaVu Sans", "Libertinus Serif"])
        assert "Noto Sans CJK SC" in caught.value.problems[0].mend
    assert chosen_font(["SimHei", "Noto Sans CJK SC"]) == "Noto Sans CJK SC"


def test_the_shipped_templates_are_those_of_the_script(tmp_path: Path) -> None:
    make_templates.main(tmp_path)
    for name in ("brief.docx", "brief.pptx"):
        with zipfile.ZipFile(tmp_path / name) as made, zipfile.ZipFile(TEMPLATES / name) as shipped:
            assert made.namelist() == shipped.namelist()
            assert not [n for n in made.namelist() if made.read(n) != shipped.read(n)], f"run python -m quanmin.services.briefs.make_templates for {name}"
