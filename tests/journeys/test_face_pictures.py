"""The pictures of the documents, made of the real pages: QUANMIN_SCREENSHOTS=1 writes docs/images; without it they must exist and their pages be drawn."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.journeys.browsing import CHROMIUM, PATIENCE, Visitor

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
MOST, COLOURS, RESOLUTION = 250_000, 128, 70  # bytes of a picture; of its palette; dots per inch of a printed page
SHARE, COUNTY = "/indicator/in_county_inpatient_share", "990104"
CHANGE = f"{SHARE}?view=change&place={COUNTY}&before=2025-03..2025-09&after=2026-03..2026-09"
PICTURED = {"overview": ("/", 1100), "indicator": (f"{SHARE}?view=trend&place={COUNTY}", 1250), "change": (CHANGE, 1150), "flow": ("/flow", 1250),
            "wall": ("/wall", 900), "data": ("/data", 1100), "communities": ("/communities?year=2025", 1150),
            "disease": ("/diseases/influenza", 1500), "stockpile": ("/preparedness/stockpile", 1250)}  # address; height in px at 1440 px
WIDTHS, LANGUAGES = (1440, 390), ("zh", "en")
PHONE_HEIGHT = 844
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


def file_of(name: str, width: int, language: str) -> Path:
    """Where a picture stands."""
    return IMAGES / f"{name}{'' if width == WIDTHS[0] else f'-{width}'}-{language}.png"


def written(picture: bytes, path: Path) -> None:
    """A picture in few colours, so that it is small."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def is_writing() -> bool:
    """Whether the pictures are made anew."""
    return os.environ.get("QUANMIN_SCREENSHOTS") == "1"


@pytest.mark.parametrize("name", PICTURED)
def test_what_is_pictured_is_drawn(visitor: Visitor, name: str) -> None:
    path, height = PICTURED[name]
    if is_writing():
        visitor.go("/highlights")  # worked out once, so that the overview shows them at once
    for language in LANGUAGES:
        for width in WIDTHS if is_writing() else (WIDTHS[LANGUAGES.index(language)],):
            visitor.page.set_viewport_size({"width": width, "height": height if width == WIDTHS[0] else PHONE_HEIGHT})
            page = visitor.go(path, language)
            assert page.get_by_role("heading", level=1).count() == 1 and page.locator("[data-chart]").count()
            for chart in page.locator("[data-chart]").all():
                assert chart.locator("svg path").count() > 3, f"{name}: {chart.get_attribute('data-chart')} is not drawn"
            if is_writing():
                page.wait_for_load_state("networkidle")
                written(page.screenshot(animations="disabled"), file_of(name, width, language))


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="`pdftoppm` is not installed")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_of_the_brief_is_drawn(visitor: Visitor, tmp_path: Path, language: str) -> None:
    visitor.go("/", language)
    answer = visitor.page.request.get(f"{visitor.address}/brief.pdf", timeout=PATIENCE)
    assert answer.ok
    (tmp_path / "brief.pdf").write_bytes(answer.body())
    subprocess.run(["pdftoppm", "-png", "-singlefile", "-r", str(RESOLUTION), tmp_path / "brief.pdf", tmp_path / "brief"], check=True, timeout=60)
    drawn = (tmp_path / "brief.png").read_bytes()
    assert len(Image.open(io.BytesIO(drawn)).convert("L").getcolors(256) or ()) > 10, "the page is blank"
    if is_writing():
        written(drawn, IMAGES / f"brief-{language}.png")


def test_every_picture_of_the_documents_is_there_and_is_made_here() -> None:
    documents = [path for path in (*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")) if "_built" not in path.parts]
    shown = {(path.parent / name).resolve() for path in documents for name in PICTURE.findall(path.read_text("utf-8"))}
    made_here = {file_of(name, width, language) for name in PICTURED for width in WIDTHS for language in LANGUAGES}
    made_here |= {IMAGES / f"brief-{language}.png" for language in LANGUAGES}
    assert len(shown) >= 12 and shown <= made_here, shown - made_here
    assert {path for path in IMAGES.iterdir()} == made_here
    for path in made_here:
        assert path.stat().st_size < MOST and Image.open(path).width >= WIDTHS[1], path
