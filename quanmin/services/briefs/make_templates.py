"""Make the shipped templates of Word and PowerPoint anew: `python -m quanmin.services.briefs.make_templates`.

The Word template follows the layout of official documents (GB/T 9704-2012: A4, type area 156 x 225 mm); a bureau edits a copy of it in Word.
"""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import pptx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml as parse_slide_xml
from pptx.oxml.ns import nsdecls as nsdecls_p
from pptx.oxml.ns import qn as pqn

from quanmin.services.briefs.sealing import sealed
from quanmin.services.briefs.shipped import TEMPLATES

TITLE, SONG, HEI, LATIN = "FZXiaoBiaoSong-B05S", "FangSong", "SimHei", "Times New Roman"
RED = RGBColor(0xC0, 0x1A, 0x1A)
LEFT, CENTRE = WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER
DAY = datetime(2025, 1, 1)
# name → Chinese font, size and line in points, space before and after, alignment, first line in characters
STYLES: dict[str, tuple[str, float, float, float, float, Any, int]] = {
    "Brief Title": (TITLE, 30, 42, 0, 10, CENTRE, 0), "Brief Title en": (TITLE, 24, 30, 0, 10, CENTRE, 0),
    "Brief Issuer": (SONG, 14, 20, 0, 14, LEFT, 0), "Brief Issuer en": (SONG, 11, 16, 0, 12, LEFT, 0),
    "Brief Period": (SONG, 14, 22, 0, 8, CENTRE, 0), "Brief Period en": (SONG, 11, 16, 0, 8, CENTRE, 0),
    "Brief Heading": (HEI, 16, 28, 8, 2, LEFT, 0), "Brief Heading en": (HEI, 13, 18, 10, 4, LEFT, 0),
    "Brief Body": (SONG, 16, 28, 0, 0, WD_ALIGN_PARAGRAPH.JUSTIFY, 2), "Brief Body en": (SONG, 11.5, 16, 0, 5, LEFT, 0),
    "Brief Caption": (HEI, 12, 18, 8, 2, CENTRE, 0), "Brief Caption en": (HEI, 10.5, 15, 8, 2, CENTRE, 0),
    "Brief Table": (SONG, 10, 13, 1, 1, CENTRE, 0), "Brief Table en": (SONG, 9, 11.5, 1, 1, CENTRE, 0),
    "Brief Note": (SONG, 10.5, 15, 0, 3, LEFT, 0), "Brief Note en": (SONG, 9, 12, 0, 3, LEFT, 0),
}
COLUMNS = (("indicator", 40), ("value", 20), ("numerator", 22), ("target", 22), ("rank", 13), ("change", 21), ("chance", 18))  # width in mm


def _fonts(holder: Any, chinese: str) -> None:
    fonts = holder.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for kind, name in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", chinese), ("cs", LATIN)):
        fonts.set(qn(f"w:{kind}"), name)


def _styles(document: Any) -> None:
    for name, (chinese, size, line, before, after, alignment, indent) in STYLES.items():
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.quick_style = document.styles["Normal"], True
        style.font.size = Pt(size)
        _fonts(style.element, chinese)
        form = style.paragraph_format
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.AT_LEAST, Pt(line)
        form.space_before, form.space_after, form.alignment = Pt(before), Pt(after), alignment
        if indent:
            ind = style.element.get_or_add_pPr().get_or_add_ind()
            ind.set(qn("w:firstLineChars"), str(indent * 100))
            ind.set(qn("w:firstLine"), str(int(size * 20 * indent)))
        if "Title" in name:
            style.font.color.rgb, style.font.bold = RED, name.endswith("en")
        if "Heading" in name or "Caption" in name:
            form.keep_with_next, style.font.bold = True, name.endswith("en")
        if "Issuer" in name:
            form.tab_stops.add_tab_stop(Mm(156), WD_TAB_ALIGNMENT.RIGHT)
            style.element.get_or_add_pPr().append(parse_xml(
                f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="18" w:space="4" w:color="C01A1A"/></w:pBdr>'))
            _in_order(style.element.pPr)


def _in_order(properties: Any) -> None:
    """Word wants the children of pPr in the order of the schema (ECMA-376 part 1, 17.3.1.26)."""
    order = ("keepNext", "numPr", "pBdr", "shd", "tabs", "spacing", "ind", "jc", "outlineLvl")
    children = sorted(properties, key=lambda child: order.index(child.tag.split("}")[1]))
    for child in children:
        properties.append(child)


def _numbered(document: Any) -> None:
    """Headings number themselves, so that a bureau can leave sections out: Chinese numerals for Chinese, 1. 2. 3. for English."""
    numbering = document.part.numbering_part.element
    for place, (style, form, text) in enumerate((("Brief Heading", "chineseCounting", "%1\u3001"), ("Brief Heading en", "decimal", "%1. "))):
        key = 90 + place
        numbering.insert(place, parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{key}"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0"><w:start w:val="1"/>'
            f'<w:numFmt w:val="{form}"/><w:suff w:val="nothing"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/></w:lvl></w:abstractNum>'))
        numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{key}"><w:abstractNumId w:val="{key}"/></w:num>'))
        properties = document.styles[style].element.get_or_add_pPr()
        properties.append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="{key}"/></w:numPr>'))
        properties.append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="0"/>'))
        _in_order(properties)


def _page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    section.footer_distance = Mm(25)
    footer = section.footer.paragraphs[0]
    footer.style, footer.alignment = document.styles["Brief Note"], CENTRE
    footer.add_run("\u2014 ")
    for text in ('<w:fldChar w:fldCharType="begin"/>', '<w:instrText xml:space="preserve"> PAGE </w:instrText>',
                 '<w:fldChar w:fldCharType="separate"/>', "<w:t>1</w:t>", '<w:fldChar w:fldCharType="end"/>'):
        footer._p.append(parse_xml(f"<w:r {nsdecls('w')}>{text}</w:r>"))
    footer.add_run(" \u2014")
    language = document.styles.element.xpath("w:docDefaults/w:rPrDefault/w:rPr")[0].find(qn("w:lang"))
    language.set(qn("w:eastAsia"), "zh-CN")


def _line(holder: Any, style: str, *texts: str, is_bold: bool = False) -> Any:
    """A paragraph of runs; one that begins with ^ is raised."""
    paragraph = holder.add_paragraph(style=style)
    for text in texts:
        run = paragraph.add_run(text.removeprefix("^"))
        run.font.superscript, run.bold = text.startswith("^") or None, is_bold or None
    return paragraph


def _cell(cell: Any, *lines: tuple[str, ...], is_head: bool = False) -> None:
    for place, texts in enumerate(lines):
        paragraph = _line(cell, "Brief Table", *texts, is_bold=is_head)
        if place == 0:
            cell._tc.remove(cell.paragraphs[0]._p)
        if is_head:
            paragraph.paragraph_format.keep_with_next = True
    if is_head:
        cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="EAF0F6"/>'))
    cell.vertical_alignment = 1


def _table(document: Any) -> None:
    table = document.add_table(4, len(COLUMNS), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    table._tbl.tblPr.find(qn("w:tblLook")).addprevious(parse_xml(
        f'<w:tblCellMar {nsdecls("w")}><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'))
    for place, (_, width) in enumerate(COLUMNS):
        table.columns[place].width = Mm(width)
        for row in table.rows:
            row.cells[place].width = Mm(width)
    head, begin, body, end = table.rows
    for cell, (name, _) in zip(head.cells, COLUMNS, strict=True):
        _cell(cell, ("{{ w." + name + " }}",), *([("{{ w.denominator }}",)] if name == "numerator" else []), is_head=True)
    head._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    body._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
    begin.cells[0].paragraphs[0].text, end.cells[0].paragraphs[0].text = "{%tr for f in figures %}", "{%tr endfor %}"
    lines: list[list[tuple[str, ...]]] = [
        [("{{ f.name }}", "^{{ f.note }}"), ("{{ w.unit }}{{ w.colon }}{{ f.unit }}",)], [("{{ f.value }}",)],
        [("{{ f.numerator }}",), ("{{ f.denominator }}",), ("{%p if f.unknown %}",), ("{{ f.unknown }}",), ("{%p endif %}",)],
        [("{{ f.target }}",), ("{%p if f.verdict %}",), ("{{r f.verdict_text }}",), ("{%p endif %}",)],
        [("{{ f.rank }}",)], [("{{ f.change }}",)], [("{{ f.chance }}",)]]
    for cell, texts in zip(body.cells, lines, strict=True):
        _cell(cell, *texts)
    for paragraph in body.cells[0].paragraphs:
        paragraph.alignment = LEFT


def _listed(document: Any, style: str, loop: str, *texts: str) -> None:
    _line(document, style, "{%p for " + loop + " %}")
    _line(document, style, *texts)
    _line(document, style, "{%p endfor %}")


def word_template() -> bytes:
    """The Word template, brief.docx."""
    document = docx.Document()
    _fonts(document.styles["Normal"].element, SONG)
    _styles(document)
    _numbered(document)
    _page(document)
    _line(document, "Brief Title", "{{ title }}")
    _line(document, "Brief Issuer", "{{ issued_by }}\t{{ issued_on }}")
    _line(document, "Brief Period", "{{ w.period }}{{ w.colon }}{{ period }}")
    _line(document, "Brief Period", "{{ as_of }}")
    _line(document, "Brief Heading", "{{ w.headline }}")
    _listed(document, "Brief Body", "sentence in headline", "{{ sentence }}")
    _line(document, "Brief Heading", "{{ w.figures }}")
    _table(document)
    _line(document, "Brief Heading", "{{ w.charts }}")
    _line(document, "Brief Body", "{%p for p in pictures %}")
    _line(document, "Brief Caption", "{{ p.title }}", "^{{ p.note }}")
    _line(document, "Brief Caption", "{{ p.picture }}").paragraph_format.keep_with_next = False
    _line(document, "Brief Body", "{%p endfor %}")
    for name in ("changes", "attention", "next_steps", "notes"):
        _line(document, "Brief Heading", "{{ " + name + ".heading }}")
        _listed(document, "Brief Body", f"s in {name}.sentences", "{{ s.text }}", "^{{ s.note }}")
    _line(document, "Brief Heading", "{{ w.footnotes }}")
    _listed(document, "Brief Note", "n in footnotes", "{{ n.note }} {{ n.indicator }} {{ n.text }} ", "{{r n.link }}")
    return _written(document)


def slide_template() -> bytes:
    """The slide master, brief.pptx: python-pptx's plain one at 16:9 with our letters and colours."""
    show = pptx.Presentation()
    before, show.slide_width = show.slide_width, Mm(338.667)
    show.slide_height = Mm(190.5)
    stretch = show.slide_width / before
    for holder in (show.slide_master, *show.slide_layouts):
        for shape in holder.shapes:
            if holder is show.slide_master or shape._element.spPr.find(pqn("a:xfrm")) is not None:
                shape.left, shape.width = int(shape.left * stretch), int(shape.width * stretch)
    master = show.slide_master
    title = next(shape for shape in master.placeholders if shape.placeholder_format.type == PP_PLACEHOLDER.TITLE)
    title.left, title.top, title.width, title.height = Mm(14), Mm(7), show.slide_width - Mm(28), Mm(24)
    title._element.txBody.bodyPr.set("anchor", "b")
    title._element.txBody.bodyPr.set("lIns", "0")
    first = master._element.find(pqn("p:txStyles")).find(pqn("p:titleStyle")).find(pqn("a:lvl1pPr"))
    first.set("algn", "l")
    letters = first.find(pqn("a:defRPr"))
    letters.set("sz", "2600")
    letters.set("b", "1")
    letters.find(pqn("a:solidFill")).find(pqn("a:schemeClr")).set("val", "tx2")
    master.shapes._spTree.append(parse_slide_xml(
        f'<p:sp {nsdecls_p("p", "a")}><p:nvSpPr><p:cNvPr id="90" name="line"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm>'
        f'<a:off x="{Mm(14)}" y="{Mm(32)}"/><a:ext cx="{show.slide_width - Mm(28)}" cy="{Mm(0.8)}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        '<a:solidFill><a:srgbClr val="C01A1A"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>'))
    cover = next(layout for layout in show.slide_layouts if any(p.placeholder_format.type == PP_PLACEHOLDER.CENTER_TITLE for p in layout.placeholders))
    cover._element.set("showMasterSp", "0")
    for holder in cover.placeholders:
        if holder.placeholder_format.type in (PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.SUBTITLE):
            holder.left, holder.width = Mm(24), show.slide_width - Mm(48)
            holder._element.txBody.bodyPr.set("anchor", "b" if holder.placeholder_format.type == PP_PLACEHOLDER.CENTER_TITLE else "t")
            for level in holder._element.txBody.iter(pqn("a:lvl1pPr")):
                level.set("algn", "l")
    theme = next(rel.target_part for rel in show.slide_master.part.rels.values() if rel.reltype.endswith("/theme"))
    blob = theme.blob.replace(b'<a:ea typeface=""/>', b'<a:ea typeface="Microsoft YaHei"/>')
    theme._blob = blob.replace(b'<a:latin typeface="Calibri"/>', b'<a:latin typeface="Arial"/>').replace(b"1F497D", b"12395B").replace(b"4F81BD", b"1F5F99")
    return _written(show)


def _written(document: Any) -> bytes:
    document.core_properties.created = document.core_properties.modified = DAY
    document.core_properties.author = document.core_properties.last_modified_by = document.core_properties.comments = ""
    document.core_properties.title = ""
    written = io.BytesIO()
    document.save(written)
    return sealed(written.getvalue(), DAY)


def main(folder: Path = TEMPLATES) -> None:
    """Write brief.docx and brief.pptx into `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "brief.docx").write_bytes(word_template())
    (folder / "brief.pptx").write_bytes(slide_template())


if __name__ == "__main__":
    main()
