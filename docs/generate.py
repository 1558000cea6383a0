"""python -m docs.generate: the reference of every table, indicator, check and code list, made from their definitions."""

from __future__ import annotations

import shutil
from pathlib import Path

from quanmin.catalog import Catalog, load
from quanmin.model import Check, Indicator, Table

HERE = Path(__file__).parent
BUILT = HERE / "_built"


def table_page(table: Table) -> list[str]:
    """A table with its columns."""
    lines = [f"## {table.id}", "", f"{table.label.zh} · {table.label.en}", ""]
    lines += ["| column | zh | en | type | unit | codes | element |", "|---|---|---|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.label.zh} | {c.label.en} | {c.type} | {c.unit} | {c.codes} | {c.element} |" for c in table.columns.values()]
    return [*lines, ""]


def indicator_page(one: Indicator) -> list[str]:
    """An indicator: names, code, formula, source and status, or what it waits for."""
    lines = [f"## {one.label.zh} · {one.label.en}", "", f"`{one.id}` · {one.code} · {one.kind} · {one.unit} · {one.source.status} · {one.source.document}", ""]
    if one.waits_for:
        lines += [f"`{one.waits_for.table}.{one.waits_for.column}`: {one.waits_for.reason.zh} · {one.waits_for.reason.en}", ""]
    for half in (one.numerator, one.denominator):
        if half is not None:
            lines.append(f"- `{half.table}` `{half.sum or half.distinct or 'rows'}` where `{half.where or 'TRUE'}`")
    return [*lines, "", *([one.why.zh, "", one.why.en, ""] if one.why else [])]


def check_page(check: Check) -> list[str]:
    """A check: rule and mend."""
    lines = [f"## {check.label.zh} · {check.label.en}", "", f"`{check.id}` · {check.category} · {check.severity}", ""]
    return [*lines, f"`{check.violated}`", "", f"{check.mend.zh} · {check.mend.en}", ""]


def pages(catalog: Catalog) -> dict[str, list[str]]:
    """File name → its lines."""
    made = {"tables.md": ["# Tables", ""], "checks.md": ["# Checks", ""], "codes.md": ["# Code lists", ""]}
    for table in catalog.tables.values():
        made["tables.md"] += table_page(table)
    for one in sorted(catalog.indicators.values(), key=lambda i: (i.code, i.part)):
        made.setdefault(f"indicators-{one.theme}.md", [f"# {one.theme}", ""]).extend(indicator_page(one))
    for check in catalog.checks.values():
        made["checks.md"] += check_page(check)
    for codes in (catalog.codes[name] for name in catalog.codes):
        card = f"`{codes.id}` · {codes.standard} · {codes.version} · {codes.licence} · {codes.status}"
        made["codes.md"] += [f"## {codes.label.zh} · {codes.label.en}", "", card, ""]
    return made


def main() -> None:
    """Write docs/_built: the written pages and the generated reference."""
    shutil.rmtree(BUILT, ignore_errors=True)
    for folder in ("tutorials", "how-to", "explanation", "decisions"):
        shutil.copytree(HERE / folder, BUILT / "pages" / folder)
    for name, lines in pages(load()).items():
        target = BUILT / "pages" / "reference" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
    (BUILT / "pages" / "index.md").write_text((HERE / "index.md").read_text("utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
