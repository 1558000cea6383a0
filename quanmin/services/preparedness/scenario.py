"""Scenarios: what a simulation starts from, read from TOML and checked against the fields of its kind, all errors at once.

A number may be written plainly or with where it is from: `rate = { value = 60, source = "…", status = "recalled" }`,
the source in one text or as { zh = "…", en = "…" }.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import quanmin.catalog
from quanmin.catalog.messages import say
from quanmin.model import Label, Problem, Refusal

TEMPLATES = Path(quanmin.catalog.__file__).with_name("scenarios")
STATUSES = ("verified", "transcribed", "recalled", "own")
LARGEST_FILE = 4 << 20
MOST_ROWS = 5_000
FIRST_YEAR, LAST_YEAR = 1949, 2150
HEAD = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"-]+)\s*\]\]?")
KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")
STEP = re.compile(r"([A-Za-z0-9_-]+)(?:\[([0-9]{1,4})\])?")


@dataclass(frozen=True)
class Field:
    """A value of a scenario: `kind` is number, text, label, flag, date, list (of numbers) or map (of numbers); without a default it must be given.

    `choices` are the texts it may be, or the keys of a map; `words` texts that stand for a number.
    """

    name: str
    low: float = 0.0
    high: float = 1e12
    default: Any = None
    is_whole: bool = False
    kind: str = "number"
    choices: tuple[str, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    is_optional: bool = False


@dataclass(frozen=True)
class Part:
    """A table of a scenario (`is_list`: one that is repeated, `least` times at the least)."""

    name: str
    fields: tuple[Field, ...]
    is_list: bool = False
    least: int = 0


@dataclass(frozen=True)
class Scenario:
    """A checked scenario: `values` by part ("" holds the fields at the top), each a mapping or a list of them; `sources` path → (source, status)."""

    kind: str
    label: Label
    values: Mapping[str, Any]
    sources: Mapping[str, tuple[Label, str]] = field(default_factory=dict)

    def of(self, part: str) -> dict[str, Any]:
        """The values of a part."""
        found: dict[str, Any] = self.values[part]
        return found

    def rows(self, part: str) -> list[dict[str, Any]]:
        """The rows of a repeated part."""
        found: list[dict[str, Any]] = self.values[part]
        return found


class _Checked:
    """One scenario while it is checked: collects values, sources and problems."""

    def __init__(self, shown: str, lines: Mapping[str, int]) -> None:
        self.shown, self.lines = shown, lines
        self.problems: list[Problem] = []
        self.sources: dict[str, tuple[Label, str]] = {}

    def complain(self, path: str, value: object, rule: str, mend: str) -> None:
        """Note a problem at the line of a path, or of the nearest thing around it."""
        at = path
        while at and at not in self.lines:
            at = at.rpartition(".")[0]
        self.problems.append(Problem(self.shown, self.lines.get(at), path, str(value)[:60], rule, mend))

    def part(self, spec: Part, data: Mapping[str, Any]) -> Any:
        """The checked values of a part."""
        given = data.get(spec.name) if spec.name else {k: v for k, v in data.items() if not isinstance(v, dict | list) or k in _names(spec)}
        if not spec.is_list:
            if given is not None and not isinstance(given, dict):
                self.complain(spec.name, given, say("scenario_no_table"), f"[{spec.name}]")
                given = {}
            return self.table(spec, spec.name, given or {})
        rows = given if given is not None else []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not spec.least <= len(rows) <= MOST_ROWS:
            self.complain(spec.name, len(rows) if isinstance(rows, list) else rows, say("scenario_rows", least=spec.least, most=MOST_ROWS), f"[[{spec.name}]]")
            return []
        found = [self.table(spec, f"{spec.name}[{i}]", row) for i, row in enumerate(rows)]
        if any(one.name == "id" for one in spec.fields):
            seen: set[Any] = set()
            for i, row in enumerate(found):
                if row["id"] in seen:
                    self.complain(f"{spec.name}[{i}].id", row["id"], say("scenario_twice"), say("scenario_mend_twice"))
                seen.add(row["id"])
        return found

    def table(self, spec: Part, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The checked fields of one table, defaults filled in."""
        known = {one.name: one for one in spec.fields}
        for key in given:
            if key not in known:
                self.complain(f"{path}.{key}".lstrip("."), "", say("scenario_unknown"), say("scenario_known", known=", ".join(known) or "–"))
        return {one.name: self.value(one, f"{path}.{one.name}".lstrip("."), given.get(one.name)) for one in spec.fields}

    def value(self, one: Field, path: str, given: Any) -> Any:
        """A checked value, or its default."""
        if isinstance(given, dict) and "value" in given and one.kind != "map":
            status, source = given.get("status", ""), _source(given.get("source"))
            if status not in STATUSES or source is None or set(given) - {"value", "source", "status"}:
                self.complain(path, status, say("scenario_source"), 'value = …, source = "…", status = ' + " | ".join(STATUSES))
            else:
                self.sources[path] = (source, status)
            given = given["value"]
        if given is None:
            if one.default is None and not one.is_optional:
                self.complain(path, "", say("scenario_missing"), f"{one.name} = {_example(one)}")
            return one.default
        given = one.words.get(given, given) if isinstance(given, str) else given
        if not _fits(one, given):
            self.complain(path, given, _rule(one), f"{one.name} = {_example(one)}")
            return one.default if one.default is not None else _stand_in(one)
        return Label(given["zh"], given["en"]) if one.kind == "label" else date.fromisoformat(str(given)) if one.kind == "date" else given


def _source(given: Any) -> Label | None:
    """Where a number is from, in one text or both languages; None for neither."""
    if isinstance(given, str):
        return Label(given, given)
    is_both = isinstance(given, dict) and all(isinstance(given.get(name), str) for name in ("zh", "en"))
    return Label(given["zh"], given["en"]) if is_both else None


def _names(spec: Part) -> set[str]:
    return {one.name for one in spec.fields}


def _is_number(one: Field, given: Any) -> bool:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or not one.low <= given <= one.high:
        return False
    return not one.is_whole or float(given).is_integer()


def _is_date(given: Any) -> bool:
    try:
        return FIRST_YEAR <= date.fromisoformat(str(given)).year <= LAST_YEAR
    except ValueError:
        return False


def _fits(one: Field, given: Any) -> bool:
    if one.kind == "number":
        return _is_number(one, given)
    if one.kind == "text":
        return isinstance(given, str) and 0 < len(given) <= 200 and (not one.choices or given in one.choices)
    if one.kind == "label":
        return isinstance(given, dict) and all(isinstance(given.get(name), str) and given[name] for name in ("zh", "en"))
    if one.kind == "flag":
        return isinstance(given, bool)
    if one.kind == "date":
        return _is_date(given)
    if one.kind == "map":
        return isinstance(given, dict) and all(_is_number(one, value) and (not one.choices or name in one.choices) for name, value in given.items())
    return isinstance(given, list) and 0 < len(given) <= MOST_ROWS and all(_is_number(one, value) for value in given)


def _rule(one: Field) -> str:
    if one.choices:
        return say("scenario_choice", choices=", ".join(one.choices))
    if one.kind in ("number", "list", "map"):
        return say("scenario_whole" if one.is_whole else "scenario_number", low=f"{one.low:g}", high=f"{one.high:g}")
    return say(f"scenario_{one.kind}")


def _example(one: Field) -> str:
    if one.choices:
        return f'"{one.choices[0]}"'
    number = f"{max(one.low, min(one.high, 1)):g}"
    return {"text": '"…"', "label": '{ zh = "…", en = "…" }', "flag": "true", "date": "2026-12-31", "list": f"[{number}]", "map": "{ … = " + number + " }"}.get(
        one.kind, number)


def _stand_in(one: Field) -> Any:
    """What the rest of the check goes on with."""
    number = max(one.low, 1.0)
    found: dict[str, Any] = {"text": "", "label": Label("", ""), "flag": False, "date": date(2000, 1, 1), "list": [number], "map": {}}
    return found.get(one.kind, number)


def lines_of(text: str) -> dict[str, int]:
    """Path → line of everything that is set in a TOML text: `area[2].population`, `lab`, …"""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := HEAD.match(line):
            name = head[2].strip('"')
            here = name
            if head[1] == "[[":
                here = f"{name}[{counts.get(name, 0)}]"
                counts[name] = counts.get(name, 0) + 1
                found.setdefault(name, number)
            found.setdefault(here, number)
        elif key := KEY.match(line):
            found.setdefault(f"{here}.{key[1]}".lstrip("."), number)
    return found


def checked(kind: str, parts: Sequence[Part], data: Mapping[str, Any], shown: str, lines: Mapping[str, int] | None = None,
            problems: Sequence[Problem] = ()) -> Scenario:
    """A scenario of a kind from plain data; raises Refusal with every problem, those found before included."""
    checking = _Checked(shown, lines or {})
    known = {part.name for part in parts} | {"kind", "name"} | {one.name for part in parts if not part.name for one in part.fields}
    for key in data:
        if key not in known:
            checking.complain(key, "", say("scenario_unknown"), say("scenario_known", known=", ".join(sorted(known - {""}))))
    if data.get("kind") != kind:
        checking.complain("kind", data.get("kind", ""), say("scenario_choice", choices=kind), f'kind = "{kind}"')
    name = checking.value(Field("name", kind="label"), "name", data.get("name"))
    values = {part.name: checking.part(part, {k: v for k, v in data.items() if k not in ("kind", "name")} if not part.name else data) for part in parts}
    if checking.problems or problems:
        raise Refusal(*problems, *checking.problems)
    return Scenario(kind, name, values, checking.sources)


def _parsed(text: str) -> Any:
    """A value as TOML writes it, or the text itself."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def changed(data: Mapping[str, Any], sets: Sequence[str]) -> tuple[dict[str, Any], list[Problem]]:
    """Data with other values, each told as `part.key=value` or `part[2].key=value`; and what could not be understood."""
    found, problems = deepcopy(dict(data)), []
    for told in sets:
        path, sign, text = told.partition("=")
        steps = [STEP.fullmatch(step) for step in path.strip().split(".")]
        at: Any = found
        for step in steps[:-1]:
            at = _down(at, step)
        last = steps[-1]
        if not sign or last is None or last[2] is not None or not isinstance(at, dict):
            problems.append(Problem("--set", None, path[:60], text[:60], say("scenario_set"), "--set sampling.hours_per_day=14"))
            continue
        before = at.get(last[1])
        value = _parsed(text.strip())
        at[last[1]] = before | {"value": value} if isinstance(before, dict) and "value" in before else value
    return found, problems


def _down(at: Any, step: re.Match[str] | None) -> Any:
    if step is None or not isinstance(at, dict):
        return None
    within = at.setdefault(step[1], {}) if step[2] is None else at.get(step[1])
    if step[2] is None:
        return within
    return within[int(step[2])] if isinstance(within, list) and int(step[2]) < len(within) else None


def parsed(text: str, shown: str) -> dict[str, Any]:
    """The data of a scenario's text; raises Refusal where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise Refusal(Problem(shown, int(at[1]) if at else None, "", "", say("scenario_unreadable"), str(error))) from error


def text_of(path: Path) -> str:
    """The text of a scenario file; raises Refusal for what is no text, and OSError for what cannot be read."""
    if path.stat().st_size > LARGEST_FILE:
        raise Refusal(Problem(path.name, None, "", "", say("scenario_unreadable"), f"< {LARGEST_FILE >> 20} MB"))
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(Problem(path.name, None, "", "", say("scenario_unreadable"), "UTF-8")) from error


def read(kind: str, parts: Sequence[Part], path: Path, sets: Sequence[str] = ()) -> Scenario:
    """A scenario file of a kind, with other values where they are told; raises Refusal with all that is wrong."""
    text = text_of(path)
    data, problems = changed(parsed(text, path.name), sets)
    return checked(kind, parts, data, path.name, lines_of(text), problems)


def template_names(kind: str) -> list[str]:
    """The shipped scenarios of a kind, the plain one first."""
    return sorted((path.stem for path in TEMPLATES.glob("*.toml") if path.stem == kind or path.stem.startswith(f"{kind}_")),
                  key=lambda name: (name != kind, name))


@cache
def template_text(name: str) -> str:
    """The text of a shipped scenario."""
    return (TEMPLATES / f"{name}.toml").read_text("utf-8")


def template(name: str) -> dict[str, Any]:
    """The data of a shipped scenario, to be changed freely."""
    return deepcopy(_template(name))


@cache
def _template(name: str) -> dict[str, Any]:
    return tomllib.loads(template_text(name))
