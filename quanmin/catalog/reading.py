"""Reading definition files: TOML with the line of every complaint."""

from __future__ import annotations

import hashlib
import io
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quanmin.model import Label, Problem


@dataclass
class Complaints:
    """All that is wrong with a catalogue, collected so that it is told at once."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, file: str, line: int | None, key: str, value: object, rule: str, mend: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(file, line, key, str(value), rule, mend))


def list_text(path: Path, shown: str, complaints: Complaints) -> io.StringIO:
    """The text of a list beside a definition, to be read as CSV; empty, with a complaint, where it was saved in another encoding."""
    try:
        return io.StringIO(path.read_text("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        complaints.add(shown, None, "", "", "is not UTF-8 text", "save it as CSV UTF-8")
        return io.StringIO()


class Definition:
    """One definition file: its values, its text and a place to complain."""

    def __init__(self, path: Path, shown: str, complaints: Complaints) -> None:
        self.path, self.shown, self.complaints = path, shown, complaints
        raw = path.read_bytes()
        self.version = hashlib.sha256(raw).hexdigest()[:12]
        self.id = path.stem
        self.text = raw.decode("utf-8", errors="replace")
        self.data: dict[str, Any] = {}
        try:
            self.data = tomllib.loads(self.text)
            self.is_readable = True
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            complaints.add(shown, int(at[1]) if at else None, "", "", f"not readable as TOML: {error}", "mend the syntax on that line")
            self.is_readable = False

    def line(self, key: str) -> int | None:
        """The line on which `key` is set or first named."""
        last = key.split(".")[-1]
        for pattern in (rf"^\s*(?:\[+)?{re.escape(last)}\b\s*(?:=|\])", rf"\b{re.escape(last)}\b"):
            for number, text in enumerate(self.text.splitlines(), 1):
                if re.search(pattern, text):
                    return number
        return None

    def complain(self, key: str, value: object, rule: str, mend: str) -> None:
        """Note a problem of this file at the line of `key`."""
        self.complaints.add(self.shown, self.line(key) if key else None, key, value, rule, mend)

    def label(self, key: str, within: Mapping[str, Any] | None = None, required: bool = True) -> Label | None:
        """The zh/en pair under `key`; a missing half is complained of."""
        value = (self.data if within is None else within).get(key)
        if value is None and not required:
            return None
        if not isinstance(value, dict) or not value.get("zh") or not value.get("en"):
            self.complain(key, value, "needs both languages", f'write {key} = {{ zh = "…", en = "…" }}')
            return Label("", "")
        return Label(str(value["zh"]), str(value["en"]))

    def word(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """The value of `key`, which must be one of `allowed`."""
        value = self.data.get(key, default)
        options = tuple(allowed)
        if value not in options:
            self.complain(key, value, "is not one of " + ", ".join(options), "choose one of them")
            return options[0]
        return str(value)

    def known_keys(self, allowed: Iterable[str]) -> None:
        """Complain of every top-level key that means nothing (a typing error would be silent otherwise)."""
        options = set(allowed)
        for key in self.data:
            if key not in options:
                self.complain(key, "", "is not a known field", "known fields: " + ", ".join(sorted(options)))
