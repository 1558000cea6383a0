"""The house rules as small programs; every failure says what to do instead."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from quanmin.catalog.loader import read_all
from quanmin.catalog.messages import all_messages
from quanmin.web.words import is_word

ROOT = Path(__file__).parents[2]
TRACKED = [ROOT / line for line in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()]
PYTHON = [p for p in TRACKED if p.suffix == ".py" and p.exists()]
PRODUCT = [p for p in PYTHON if p.is_relative_to(ROOT / "quanmin")]
CHINESE = re.compile("[\u4e00-\u9fff]")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_module_over_400_lines() -> None:
    long = {shown(p): n for p in PYTHON if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert not long, f"split these modules along their nouns: {long}"


def test_no_function_over_50_lines() -> None:
    long = {
        f"{shown(p)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for p in PYTHON for node in ast.walk(ast.parse(p.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > 50
    }
    assert not long, f"give the steps of these functions names of their own: {long}"


def test_no_module_with_a_name_that_says_nothing() -> None:
    bad = [shown(p) for p in PYTHON if p.stem in {"utils", "util", "misc", "common", "helpers", "helper", "base", "manager"}]
    assert not bad, f"name these after what they hold: {bad}"


def test_no_chinese_in_code_or_templates() -> None:
    ours = [p for p in TRACKED if p.suffix in {".py", ".html", ".js"} and not p.name.endswith(".min.js") and p.exists()]
    bad = [shown(p) for p in ours if CHINESE.search(p.read_text("utf-8"))]
    assert not bad, f"put the words into TOML or CSV beside their English: {bad}"


def test_no_machine_path_or_registry_host() -> None:
    pattern = re.compile(r"/(?:work|farm|root)/|pypi\.org|pythonhosted|npmjs\.(?:org|com)|deb\.debian\.org")
    kinds = {".py", ".toml", ".md", ".csv", ".sql", ".html", ".yml", ".lock", ".txt", ""}
    text = [p for p in TRACKED if p.suffix in kinds and p.exists() and p != Path(__file__)]
    bad = [f"{shown(p)}: {m[0]}" for p in text if (m := pattern.search(p.read_text("utf-8", errors="replace")))]
    assert not bad, f"leave these out: {bad}"


def test_public_things_have_docstrings() -> None:
    bad = []
    for path in PRODUCT:
        tree = ast.parse(path.read_text("utf-8"))
        nodes = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_"))]
        bad += [f"{shown(path)} {getattr(n, 'name', 'module')}" for n in nodes if not ast.get_docstring(n)]
    bad = [b for b in bad if "migrations/versions" not in b]
    assert not bad, f"say in one sentence what these are for: {bad}"


@pytest.mark.parametrize("path", ["quanmin/web/words.toml", "quanmin/catalog/messages.toml", "quanmin/catalog/roles.toml",
                                  *sorted(shown(p) for part in ("services/*/words.toml", "web/words/*.toml") for p in (ROOT / "quanmin").glob(part))])
def test_sentences_stand_in_both_languages_with_the_same_values(path: str) -> None:
    for name, texts in tomllib.loads((ROOT / path).read_text("utf-8")).items():
        assert texts.get("zh") and texts.get("en"), f"{path}: {name} lacks a language"
        assert set(re.findall(r"{(\w+)", texts["zh"])) == set(re.findall(r"{(\w+)", texts["en"])), f"{path}: {name} fills in different values"


def test_every_sentence_is_used_and_every_used_one_exists() -> None:
    code = "\n".join(p.read_text("utf-8") for p in [*PRODUCT, *(p for p in TRACKED if p.suffix == ".html" and p.exists())])
    used = set(re.findall(r"""\bsay\(\s*['"]([a-z_0-9]+)['"]""", code))
    missing = used - set(all_messages())
    assert not missing, f"write these into catalog/messages.toml: {missing}"
    files = [ROOT / "quanmin/web/words.toml", *sorted((ROOT / "quanmin/web/words").glob("*.toml"))]
    defined = [name for path in files for name in tomllib.loads(path.read_text("utf-8"))]
    assert len(defined) == len(set(defined)), f"give these words one place: {sorted({name for name in defined if defined.count(name) > 1})}"
    words = set(defined)
    asked = set(re.findall(r"""(?<![.\w])(?:t|word)\(\s*['"]([a-z_0-9]+)['"]\s*[,)]""", code))
    assert not asked - words, f"write these into web/words.toml: {asked - words}"


AUDITED = re.compile(r"""\.(?:require\(\s*"[a-z]+",|refuse\(|note\(\s*[\w.]+,)\s*"([a-z_ ]+)\"""")


def test_everything_in_the_audit_trail_has_a_name() -> None:
    names = {name for path in PRODUCT for name in AUDITED.findall(path.read_text("utf-8"))}
    assert len(names) > 30
    unnamed = {name for name in names if not is_word(f"action_{name.replace(' ', '_')}") and f"do_{name}" not in all_messages()}
    assert not unnamed, f"write action_… for these into a file of web/words: {unnamed}"


def test_the_catalogue_is_as_rich_as_promised() -> None:
    catalog, complaints = read_all()
    catalog.codes.check(complaints)
    assert not complaints.problems, "\n".join(p.sentence() for p in complaints.problems)
    codes = {i.code for i in catalog.indicators.values()}
    executable = {i.code for i in catalog.indicators.values() if i.is_executable}
    assert len(codes) >= 229 and len(executable) >= 100
    assert not [i.id for i in catalog.indicators.values() if i.source.status == "verified"], "a status of verified needs the document at hand"
    assert len(catalog.checks) >= 120 and {c.category for c in catalog.checks.values()} == {"conformance", "completeness", "plausibility"}


def test_the_whole_front_page_layout_is_mapped() -> None:
    import csv

    from quanmin.records.conform import sources_of

    catalog, _ = read_all()
    with (ROOT / "quanmin/catalog/mappings/front_page_national_header.csv").open(encoding="utf-8") as stream:
        header = {row["column"] for row in csv.DictReader(stream)}
    assert len(header) == 642
    assert not header - sources_of(catalog.mappings["front_page_national"])
