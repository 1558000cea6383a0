"""python -m docs.generate: the reference of every table, indicator, check and code list, made from their definitions, and of the question language,
made from its stories (tests/meaning/cases)."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quanmin.catalog import Catalog, load
from quanmin.model import Check, Indicator, Table

HERE = Path(__file__).parent
STORIES = HERE.parent / "tests" / "meaning" / "cases"
WORDS = tomllib.loads((HERE / "question_language.toml").read_text("utf-8"))
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


def rule_page(rule: Check) -> list[str]:
    """A rule of supervision: what it says of a case, when the same picture is proper, from where it comes."""
    lines = [f"### {rule.label.zh} · {rule.label.en}", "", f"`{rule.id}` · {rule.source.status} · {rule.source.document} {rule.source.item}".rstrip(), ""]
    text = rule.finding
    said = [text.explanation.zh, "", text.explanation.en, "", f"- {text.innocent.zh}", f"- {text.innocent.en}", ""] if text else []
    return [*lines, f"`{rule.applies or 'TRUE'}` → `{rule.violated}`", "", *said]


def rule_pages(catalog: Catalog) -> list[str]:
    """The rules of supervision by family."""
    lines = ["# Rules of supervision", ""]
    for code, label in catalog.codes["rule_family"].codes.items():
        of_family = [rule for rule in catalog.rules.values() if rule.finding and rule.finding.family == code]
        lines += [f"## {label.zh} · {label.en}", "", *(line for rule in of_family for line in rule_page(rule))]
    return lines


def grid(text: str) -> list[str]:
    """A table of text as a table of Markdown; what is blank is said to be so."""
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    lines = ["| " + " | ".join(f"`{name}`" for name in header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(cell or "*null*" for cell in row) + " |" for row in rows), ""]


def _asked(one: Mapping[str, Any], name: str) -> str:
    """A question as it is typed."""
    by, where = one.get("by", []), one.get("where", [])
    words = ["rows" if "rows" in one else "ask", name, *([f"--which {one['rows']}"] if "rows" in one else []), *([f"--by {','.join(by)}"] if by else [])]
    return " ".join([*words, *(f'--where "{text}"' for text in where)])


def _needed(name: str, questions: Mapping[str, str]) -> list[str]:
    """A question and those it is made of."""
    data = tomllib.loads(questions[name])
    return [name, *(part for part in (data.get("of"), *data.get("parts", {}).values()) if part in questions)]


def story_page(story: Mapping[str, Any]) -> list[str]:
    """The rules of one file of stories: rows, definitions, then each rule with its question and answer."""
    lines = [f"## {story['title']['zh']} · {story['title']['en']}", ""]
    for name, text in story.get("tables", {}).items():
        lines += [f"`{name}`", "", *grid(text)]
    for one in story["case"]:
        questions = {**story.get("questions", {}), **one.get("questions", {})}
        asked = one.get("ask") or next(iter(one.get("questions", {}) or questions))
        lines += [f"### {one['id'].replace('_', ' ').capitalize()}", "", one["zh"], "", one["en"], ""]
        for name, text in one.get("tables", {}).items():
            lines += [f"`{name}`", "", *grid(text)]
        lines += ["```toml", *(f"# {name}\n{questions[name].strip()}" for name in _needed(asked, questions)), "```", "", f"`{_asked(one, asked)}`", ""]
        lines += grid(one["answer"]) if "answer" in one else [WORDS["refused"]["zh"] + " · " + WORDS["refused"]["en"] + f" (`{one['refused']}`)", ""]
    return lines


def question_language() -> list[str]:
    """The manual of the question language, made of the stories that are run on both engines."""
    stories = [tomllib.loads(path.read_text("utf-8")) for path in sorted(STORIES.glob("*.toml"))]
    head = [f"# {WORDS['title']['zh']} · {WORDS['title']['en']}", "", WORDS["about"]["zh"], "", WORDS["about"]["en"], ""]
    return head + [line for story in stories for line in story_page(story)]


def pages(catalog: Catalog) -> dict[str, list[str]]:
    """File name → its lines."""
    made = {"tables.md": ["# Tables", ""], "checks.md": ["# Checks", ""], "codes.md": ["# Code lists", ""]}
    made["question-language.md"] = question_language()
    for table in catalog.tables.values():
        made["tables.md"] += table_page(table)
    for one in sorted(catalog.indicators.values(), key=lambda i: (i.code, i.part)):
        made.setdefault(f"indicators-{one.theme}.md", [f"# {one.theme}", ""]).extend(indicator_page(one))
    for check in catalog.checks.values():
        made["checks.md"] += check_page(check)
    made["rules.md"] = rule_pages(catalog)
    for codes in (catalog.codes[name] for name in catalog.codes):
        card = f"`{codes.id}` · {codes.standard} · {codes.version} · {codes.licence} · {codes.status}"
        made["codes.md"] += [f"## {codes.label.zh} · {codes.label.en}", "", card, ""]
    return made


def main() -> None:
    """Write docs/_built: the written pages and the generated reference."""
    shutil.rmtree(BUILT, ignore_errors=True)
    for folder in ("tutorials", "how-to", "explanation", "decisions", "images"):
        shutil.copytree(HERE / folder, BUILT / "pages" / folder)
    for name, lines in pages(load()).items():
        target = BUILT / "pages" / "reference" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
    (BUILT / "pages" / "index.md").write_text((HERE / "index.md").read_text("utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
