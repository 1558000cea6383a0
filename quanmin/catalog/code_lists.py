"""catalog/codes: one card (TOML) and one list (CSV: code, zh, en, parent) per value domain."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quanmin.catalog.reading import Complaints, Definition, list_text
from quanmin.model import CodeList, Label
from quanmin.model.words import STATUSES

CARD_FIELDS = ("name", "standard", "version", "licence", "source", "status", "english", "note")


class CodeLists(Mapping[str, CodeList]):
    """All code lists by id; the codes of a list are read when it is first asked for."""

    def __init__(self) -> None:
        self._cards: dict[str, tuple[Definition, Path]] = {}
        self._read: dict[str, CodeList] = {}
        self._more: dict[str, list[tuple[Path, str]]] = {}

    def add(self, definition: Definition) -> None:
        """Take in a card; its list must lie beside it."""
        definition.known_keys(CARD_FIELDS)
        definition.label("name")
        definition.word("status", STATUSES)
        for key in ("standard", "version", "licence", "source"):
            if not definition.data.get(key):
                definition.complain(key, "", "is missing from the card", "state where the list comes from")
        rows = definition.path.with_suffix(".csv")
        if not rows.exists():
            definition.complain("name", rows.name, "list file does not exist", "put the codes beside their card")
        self._cards[definition.id] = (definition, rows)
        self._read.pop(definition.id, None)

    def extend(self, list_id: str, rows: Path, column: str = "code") -> None:
        """Let a list also name what stands in another file (CSV with zh, en and a column of codes); its own codes come first and stay as they are."""
        self._more.setdefault(list_id, []).append((rows, column))
        self._read.pop(list_id, None)

    def csv_path(self, list_id: str) -> Path:
        """The list file, for engines that read it themselves."""
        return self._cards[list_id][1]

    def shown(self, list_id: str) -> str:
        """How complaints call the list file."""
        return str(Path(self._cards[list_id][0].shown).with_suffix(".csv"))

    def __getitem__(self, list_id: str) -> CodeList:
        if list_id not in self._read:
            self._read[list_id] = _read_list(*self._cards[list_id], self._more.get(list_id, ()))
        return self._read[list_id]

    def __contains__(self, list_id: object) -> bool:
        return list_id in self._cards

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def check(self, complaints: Complaints) -> None:
        """Read every list and complain of duplicate codes, missing names and unknown parents."""
        for list_id, (definition, path) in self._cards.items():
            seen: set[str] = set()
            english = definition.data.get("english", True)
            shown = self.shown(list_id)
            for number, row in enumerate(csv.DictReader(list_text(path, shown, complaints)), 2):
                code = row.get("code") or ""
                if not code or code in seen:
                    complaints.add(shown, number, "code", code, "is blank or repeated", "keep one row per code")
                if not row.get("zh") or (english and not row.get("en")):
                    complaints.add(shown, number, "zh/en", code, "needs both languages", "fill zh and en")
                seen.add(code)
            if not seen:
                complaints.add(definition.shown, 1, "", list_id, "list is empty", "fill the list")


def _read_list(definition: Definition, path: Path, more: Iterable[tuple[Path, str]]) -> CodeList:
    data = definition.data
    codes: dict[str, Label] = {}
    parents: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            codes[row["code"]] = Label(row["zh"], row.get("en") or row["zh"])
            if row.get("parent"):
                parents[row["code"]] = row["parent"]
    for further, column in more:
        for row in csv.DictReader(list_text(further, further.name, definition.complaints)):
            codes.setdefault(row.get(column) or "", Label(row.get("zh") or "", row.get("en") or ""))
    name = data.get("name", {})
    return CodeList(
        id=definition.id, label=Label(name.get("zh", ""), name.get("en", "")), standard=data.get("standard", ""),
        version=str(data.get("version", "")), licence=data.get("licence", ""), source=data.get("source", ""),
        status=data.get("status", ""), codes=codes, parents=parents, path=definition.shown,
    )
