"""The brief as PDF: a typst template that reads the brief as JSON beside it."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from pathlib import Path

import typst

from quanmin.services.briefs.brief import Brief
from quanmin.services.briefs.charts import picture
from quanmin.services.briefs.contents import Words, charts_of, context, issued_at
from quanmin.services.briefs.shipped import template
from quanmin.services.briefs.words import refused

# what the shipped template asks for, in its order; one of them must be there
CJK = ("Noto Serif CJK SC", "Noto Sans CJK SC", "Noto Serif SC", "Noto Sans SC", "Source Han Serif SC", "Source Han Sans SC", "FangSong", "SimSun", "SimHei",
       "Songti SC", "Microsoft YaHei", "WenQuanYi Zen Hei")


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


def chinese_fonts(families: Sequence[str]) -> list[str]:
    """The Chinese fonts among the `families` of this machine, the best first; a Refusal if there is none."""
    if found := [name for name in CJK if name in families]:
        return found
    raise refused("fonts", "no_font", "mend_no_font", fonts=", ".join(CJK[:4]))


def _fetched(path: Path) -> tuple[int, str] | None:
    """The first line of a template that asks for a package from the network, for a brief must be set without one."""
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        if named := re.search(r"@preview/[\w:./-]*", line):
            return number, named[0]
    return None


def pdf(brief: Brief, words: Words, templates: Path | None) -> bytes:
    """The brief as PDF with selectable text; a bureau's own template that typst cannot set is a Refusal with its line."""
    values = context(brief, words)
    families = set(_fonts().families())
    values["fonts"] = {"serif": chinese_fonts([*families]), "sans": sorted(chinese_fonts([*families]), key=lambda name: "Serif" in name or "Song" in name)}
    at = issued_at(brief)
    values["day"] = {"year": at.year, "month": at.month, "day": at.day}
    given = template("brief.typ", templates)
    if given.is_own and (asked := _fetched(given.path)):
        raise refused(str(given.path), "no_packages", "mend_no_packages", asked[0], field="import", value=asked[1])
    with tempfile.TemporaryDirectory(prefix="quanmin-brief-") as folder:
        root = Path(folder)
        for place, (entry, chart) in enumerate(zip(values["pictures"], charts_of(brief), strict=True)):
            entry["picture"] = f"picture{place}.svg"
            (root / entry["picture"]).write_bytes(picture(chart, words, "svg"))
        (root / "brief.json").write_text(json.dumps(values, ensure_ascii=False), "utf-8")
        try:
            (root / "brief.typ").write_bytes(given.path.read_bytes())
            found = typst.compile(str(root / "brief.typ"), root=folder, font_paths=_fonts(), timestamp=at.replace(tzinfo=UTC),
                                  package_path=str(root / "packages"), package_cache_path=str(root / "packages"))
        except (typst.TypstError, OSError, RuntimeError) as error:
            if not given.is_own:
                raise
            where = re.search(r"brief\.typ:(\d+)", str(getattr(error, "diagnostic", "")))
            reason = str(getattr(error, "message", "")) or str(error)
            raise refused(str(given.path), "broken_template", "mend_template", int(where[1]) if where else None, reason=reason) from error
    if not isinstance(found, bytes):
        raise refused(str(given.path), "broken_template", "mend_template", reason=type(found).__name__)
    return found
