"""What the platform is for, walked through on the real pages: from a fallen share to its cause, from a figure to its rows, from a month to its brief."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Browser, Locator, Page, expect
from pptx import Presentation
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from tests.journeys.browsing import CHROMIUM, visiting
from tests.journeys.conftest import Region
from tests.journeys.test_change_truth import chapters_lost

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser `chromium` is not installed")
SHARE, NAME = "in_county_inpatient_share", "In-county inpatient share"
BEFORE, AFTER = "2025-03..2025-09", "2026-03..2026-09"
IDENTITY, TELEPHONE = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def lost_services(region: Region) -> tuple[str, set[str]]:
    """The county that lost services, and the ICD chapters it shows in."""
    event = next(row for row in region.truth("events") if row["kind"] == "lost_services")
    return event["place_code"], chapters_lost(set(event["detail"].split()))


def taken(page: Page, link: Locator) -> bytes:
    """What a link of a page downloads."""
    with page.expect_download() as downloading:
        link.click()
    return Path(downloading.value.path()).read_bytes()


def number(text: str) -> float:
    """A number as the pages write it."""
    return float(re.sub(r"[^0-9.]", "", text))


def test_a_leader_finds_why_a_county_fell(region: Region, address: str, browser: Browser) -> None:
    county, lost = lost_services(region)
    names = {code: region.site.catalog.codes["icd_chapter"].codes[code].en for code in lost}
    with visiting(region.site, address, browser, "leader") as visitor:
        page = visitor.go("/", "en")
        expect(page.locator("[data-chart=map-data] svg path")).not_to_have_count(0)
        card = page.locator("article.figure", has=page.get_by_role("link", name=NAME, exact=True))
        headline = card.locator(".big").inner_text()
        card.get_by_role("link", name=NAME, exact=True).click()
        expect(page.locator(".headline .big")).to_contain_text(f"{number(headline):.2f}")
        marked = page.locator("#counties tbody tr", has=page.locator(f"th a[href*='place={county}']")).locator("td").first
        expect(marked.get_by_role("img", name="missed")).to_be_visible()
        page.locator(f"#counties tbody th a[href*='place={county}']").click()
        page.get_by_role("navigation", name="Views").get_by_role("link", name="Why it changed").click()
        expect(page.locator("#causes tbody tr")).not_to_have_count(0)
        page.get_by_label("Before", exact=True).fill(BEFORE)
        page.get_by_label("After", exact=True).fill(AFTER)
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**before=2025-03**")
        page.locator("#causes summary").click()
        causes = [row.locator("td, th").all_inner_texts() for row in page.locator("#causes tbody tr").all()]
        first = [row for row in causes if row[0] == "ICD-10 chapter"][:2]
        assert causes[0] == first[0] and {row[1] for row in first} <= set(names.values()), (causes, names)
        assert all(row[2] == "rate" and row[3].startswith("\u2212") for row in first), first
        page.get_by_role("link", name="See the patient flow").click()
        page.wait_for_url(f"**/flow/county/{county}**")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Where residents of")
        for chart in page.locator("[data-chart]").all():
            expect(chart.locator("svg path")).not_to_have_count(0)
        visitor.go(f"/indicator/{SHARE}/rows", "en")
        assert page.get_by_role("heading", level=1).inner_text() == "Not allowed", "a leader reads no rows"
        visitor.errors = [error for error in visitor.errors if "403" not in error]


def test_a_section_chief_reaches_the_rows_and_exports_them(region: Region, address: str, browser: Browser) -> None:
    county, month = lost_services(region)[0], "2026-09"
    with visiting(region.site, address, browser, "section") as visitor:
        page = visitor.go(f"/indicator/{SHARE}?period={month}", "en")
        row = page.locator("#counties tbody tr", has=page.locator(f"th a[href*='place={county}']"))
        cells = dict(zip(page.locator("#counties thead th").all_inner_texts(), row.locator("th, td").all_inner_texts(), strict=True))
        counted = {which: int(number(cells[which.capitalize()])) for which in ("numerator", "denominator")}
        row.get_by_role("link", name="Rows").click()
        page.wait_for_url("**/rows?**")
        for which, count in counted.items():
            link = page.get_by_role("navigation", name="Rows").get_by_role("link", name=which.capitalize())
            visitor.go(link.get_attribute("href") or "")  # a click right after a download may be lost with the navigation it ended
            shown = page.locator("table.rows thead th").all_inner_texts()
            assert {"Sender", "File", "Line in the file"} <= set(shown), shown
            assert page.locator("table.rows tbody tr").count() == min(count, 200)
            listed = list(csv.DictReader(io.StringIO(taken(page, page.get_by_role("link", name="CSV")).decode("utf-8-sig"))))
            book = CalamineWorkbook.from_filelike(io.BytesIO(taken(page, page.get_by_role("link", name="Export rows XLSX"))))
            sheet = book.get_sheet_by_index(0).to_python()
            assert len(listed) == len(sheet) - 1 == count, (which, len(listed), len(sheet), count)
            assert all(line["sender"] and line["file"] and line["line"].isdigit() for line in listed)
            sent = {Path(name).name for files in region.files_of_submissions().values() for name in files}
            assert {Path(line["file"]).name for line in listed} <= sent, "every row leads to a file that was sent"
            for text in (page.content(), "\n".join(map(str, sheet)), "\n".join(str(line) for line in listed)):
                assert not IDENTITY.findall(text) and not TELEPHONE.findall(text), "identity and telephone numbers are masked"


def _read(content: bytes, form: str) -> str:
    stream = io.BytesIO(content)
    if form == "docx":
        document = Document(stream)
        parts = [p.text for p in document.paragraphs] + [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    elif form == "pptx":
        shapes = [shape for slide in Presentation(stream).slides for shape in slide.shapes]
        parts = [shape.text_frame.text for shape in shapes if shape.has_text_frame]
        parts += [cell.text for shape in shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    elif form == "xlsx":
        book = CalamineWorkbook.from_filelike(stream)
        parts = [str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row]
    else:
        parts = [sheet.extract_text() for sheet in PdfReader(stream).pages]
    return re.sub(r"\s+", "", "".join(parts))


def test_a_statistician_issues_the_brief(region: Region, address: str, browser: Browser) -> None:
    with visiting(region.site, address, browser, "section") as visitor:
        page = visitor.go("/", "en")
        figures = {card.locator("h3").inner_text(): f"{number(card.locator('.big').evaluate('e => e.childNodes[e.childNodes.length - 2].textContent')):,.2f}"
                   for card in page.locator("article.figure").all() if any(c.isdigit() for c in card.locator(".big").inner_text())}
        assert NAME in figures and len(figures) >= 8
        for form, button in (("docx", "Word"), ("pptx", "PowerPoint"), ("xlsx", "Excel"), ("pdf", "PDF")):
            text = _read(taken(page, page.get_by_role("link", name=button, exact=True)), form)
            assert re.sub(r"\s+", "", NAME) in text and figures[NAME] in text, (form, figures[NAME])
            missing = [name for name, figure in figures.items() if figure not in text and figure.rstrip("0").rstrip(".") not in text]
            assert not missing, (form, missing)
