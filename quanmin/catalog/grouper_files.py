"""catalog/groupers: one card (TOML) and one folder of lists (CSV) per grouping scheme; a variant holds only what differs."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog.dip_files import FILES as DIP_FILES
from quanmin.catalog.dip_files import read_clusters, read_kinds
from quanmin.catalog.reading import Complaints, Definition, list_text
from quanmin.model import Label, Refusal
from quanmin.model.scheme import AdjacentGroup, Both, Group, MajorCategory, Rule, Scheme
from quanmin.model.words import STATUSES

CARD_FIELDS = ("name", "kind", "standard", "version", "licence", "source", "status", "note", "based_on", "editions")
KINDS = ("drg", "dip", "edition")
FILES = {  # file → columns, of which the first so many are its key
    "mdc": (("mdc", "zh", "en", "rule"), 1), "mdc_diagnoses": (("mdc", "code", "site"), 2), "adrg": (("adrg", "mdc", "kind", "rule"), 1),
    "adrg_codes": (("adrg", "list", "code"), 3), "drg": (("drg", "adrg", "severity", "zh", "en"), 1), "lists": (("list", "code"), 2),
    "complications": (("code", "level", "exclusion_table"), 1), "exclusions": (("exclusion_table", "principal"), 2),
    "diagnoses": (("code", "insurance_code", "in_both"), 1), "procedures": (("code", "insurance_code", "in_both"), 1),
} | DIP_FILES
OPTIONAL = ("en", "site", "in_both", "mean_charge_cny")
SEVERITIES = ("MCC", "CC", "MCC_OR_CC", "ANY")
Key = tuple[str, ...]
Rows = dict[Key, tuple[int, Key]]  # key → line and values as in FILES, in the order in which they are tried


@dataclass(frozen=True)
class _Shelf:
    """Where a scheme's lists lie, one folder after another."""

    definition: Definition
    folders: tuple[Path, ...]

    def shown(self, path: Path) -> str:
        """How a file is named in a complaint."""
        return f"{Path(self.definition.shown).parent}/{path.parent.name}/{path.name}"


class Schemes(Mapping[str, Scheme]):
    """All grouping schemes by id; the lists of one are read when it is first asked for."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._read: dict[str, Scheme] = {}

    def add(self, definition: Definition) -> None:
        """Take in a card; its lists lie in the folder of its name (and in that of the shipped card of the same name)."""
        definition.known_keys(CARD_FIELDS)
        definition.label("name")
        definition.word("kind", KINDS)
        definition.word("status", STATUSES)
        for key in ("standard", "version", "licence", "source"):
            if not definition.data.get(key):
                definition.complain(key, "", "is missing from the card", "state where the scheme comes from")
        folder, before = definition.path.with_suffix(""), self._shelves.get(definition.id)
        if not folder.is_dir():
            definition.complain("name", folder.name, "folder of lists does not exist", "put the lists beside their card")
        base = str(definition.data.get("based_on", ""))
        if base and base not in self._shelves:
            definition.complain("based_on", base, "is not a grouping scheme", "name one that is loaded before it")
        below = self._shelves[base].folders if base in self._shelves else before.folders if before else ()
        self._shelves[definition.id] = _Shelf(definition, (*below, folder))
        self._read.clear()

    def __getitem__(self, scheme_id: str) -> Scheme:
        """A scheme; raises Refusal, with all that is wrong, for one whose lists or rules cannot be used."""
        if scheme_id not in self._read:
            complaints = Complaints()
            scheme = self._scheme(self._shelves[scheme_id], complaints)
            if complaints.problems:
                raise Refusal(*complaints.problems)
            self._read[scheme_id] = scheme
        return self._read[scheme_id]

    def __contains__(self, scheme_id: object) -> bool:
        return scheme_id in self._shelves and self._shelves[str(scheme_id)].definition.data.get("kind") != "edition"

    def __iter__(self) -> Iterator[str]:
        return (name for name, shelf in self._shelves.items() if shelf.definition.data.get("kind") != "edition")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def kind(self, scheme_id: str) -> str:
        """drg, dip or edition; "" where there is no such scheme."""
        return str(self._shelves[scheme_id].definition.data.get("kind", "")) if scheme_id in self._shelves else ""

    def trial(self) -> Schemes:
        """The same schemes, to which one may be added on trial."""
        found = Schemes()
        found._shelves = dict(self._shelves)
        return found

    def group_lists(self) -> list[Path]:
        """The lists of groups that regions drew from their own cases, each with the columns group, zh, en."""
        return [path for shelf in self._shelves.values() for path in (shelf.folders[-1] / "groups.csv",) if path.exists()]

    def fingerprint(self, scheme_id: str) -> str:
        """A word that changes with anything a scheme is made from; "" where there is no such scheme."""
        shelves = [self._shelves[name] for name in (scheme_id, *self._editions(scheme_id)) if name in self._shelves]
        return _fingerprint(shelves)

    def _editions(self, scheme_id: str) -> tuple[str, ...]:
        shelf = self._shelves.get(scheme_id)
        return tuple(shelf.definition.data.get("editions", ())) if shelf else ()

    def check(self, complaints: Complaints) -> None:
        """Read every scheme and complain of what is wrong with its lists and rules."""
        for scheme_id in self:
            self._scheme(self._shelves[scheme_id], complaints)

    def _scheme(self, shelf: _Shelf, complaints: Complaints) -> Scheme:
        data = shelf.definition.data
        tables = {name: _rows(shelf, name, complaints) for name in FILES}
        for edition in data.get("editions", ()):
            if edition not in self._shelves:
                shelf.definition.complain("editions", edition, "is not an edition of codes", "name a card of kind edition")
                continue
            for name in ("diagnoses", "procedures"):
                tables[name] |= _rows(self._shelves[edition], name, complaints)
        name = data.get("name", {})
        lists: dict[str, set[str]] = {}
        for _, (listed, code) in tables["lists"].values():
            lists.setdefault(listed, set()).add(code)
        return Scheme(
            id=shelf.definition.id, label=Label(name.get("zh", ""), name.get("en", "")), version=str(data.get("version", "")), status=data.get("status", ""),
            categories=_categories(shelf, tables, lists, complaints), adjacents=_adjacents(shelf, tables, lists, complaints),
            groups=_groups(shelf, tables, complaints), lists={name: frozenset(codes) for name, codes in lists.items()},
            complications={code: (level, excluded) for _, (code, level, excluded) in tables["complications"].values()},
            exclusions={principal: excluded for excluded, principal in tables["exclusions"]},
            diagnosis_edition={code: into for _, (code, into, _) in tables["diagnoses"].values()},
            procedure_edition={code: into for _, (code, into, _) in tables["procedures"].values()},
            in_both=frozenset(code for name in ("diagnoses", "procedures") for _, (code, _, both) in tables[name].values() if both),
            path=shelf.definition.shown, is_dip=data.get("kind") == "dip",
            clusters=read_clusters(shelf.shown(shelf.folders[-1] / "groups.csv"), tables["groups"].values(), complaints),
            procedure_kinds=read_kinds(shelf.shown(shelf.folders[-1] / "procedure_kinds.csv"), tables["procedure_kinds"].values(), complaints),
        )


def _fingerprint(shelves: Iterable[_Shelf]) -> str:
    digest = hashlib.sha256()
    for folder in (folder for shelf in shelves for folder in shelf.folders):
        for path in sorted(folder.glob("*.csv")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _rows(shelf: _Shelf, name: str, complaints: Complaints) -> Rows:
    """The rows of a list, those of each folder in turn laid over those before: `change` says add or remove, `before` where among the others."""
    columns, keyed = FILES[name]
    found: Rows = {}
    for path in (folder / f"{name}.csv" for folder in shelf.folders):
        if not path.exists():
            continue
        shown, seen = shelf.shown(path), set()
        reader = csv.reader(list_text(path, shown, complaints))
        header = next(reader, [])
        missing = [c for c in columns if c not in OPTIONAL and c not in header]
        if missing:
            complaints.add(shown, 1, missing[0], "", "column is missing", "columns: " + ", ".join(columns))
            continue
        is_variant = not {"change", "before"}.isdisjoint(header)
        at = [header.index(c) if c in header else len(header) for c in columns]
        for values in reader:
            padded = (*values, *[""] * (len(header) + 1 - len(values)))
            row = tuple([padded[i] for i in at])
            key = row[:keyed]
            if "" in key or key in seen:
                complaints.add(shown, reader.line_num, columns[0], ", ".join(key), "is blank or repeated", "keep one row per key")
            seen.add(key)
            if is_variant:
                _lay(found, key, (reader.line_num, row), dict(zip(header, padded, strict=False)))
            else:
                found[key] = (reader.line_num, row)
    return found


def _lay(found: Rows, key: Key, row: tuple[int, Key], said: dict[str, str]) -> None:
    """Put one row of a variant where it belongs, or take away the one it names."""
    before = found.pop(key, None) if said.get("change") == "remove" or said.get("before") else None
    if said.get("change") == "remove":
        return
    place = next((known for known in found if known[0] == said.get("before")), None)
    if place is None:
        if before is not None:
            found[key] = before
        found[key] = row
        return
    later = list(found.items())[list(found).index(place) :]
    for moved, _ in later:
        del found[moved]
    found[key] = row
    found.update(later)


def _rule(shelf: _Shelf, name: str, line: int, text: str, known: set[str], complaints: Complaints) -> Rule:
    from quanmin.catalog.expressions import BadExpression  # the parser behind it takes long to load, and few commands group
    from quanmin.catalog.grouper_rules import read_rule

    try:
        return read_rule(text, known)
    except BadExpression as error:
        complaints.add(shelf.shown(shelf.folders[-1] / f"{name}.csv"), line, "rule", text, str(error), "write it as the other rules of the scheme")
        return Both()


def _categories(shelf: _Shelf, tables: dict[str, Rows], lists: dict[str, set[str]], complaints: Complaints) -> tuple[MajorCategory, ...]:
    diagnoses: dict[str, dict[str, str]] = {}
    for _, (category, code, site) in tables["mdc_diagnoses"].values():
        diagnoses.setdefault(category, {})[code] = site
    found = []
    for line, (name, zh, en, text) in tables["mdc"].values():
        known = {*lists, "MDC_DX"} if name in diagnoses else set(lists)
        found.append(MajorCategory(name, Label(zh, en), _rule(shelf, "mdc", line, text, known, complaints), text, diagnoses.get(name, {})))
    return tuple(found)


def _adjacents(shelf: _Shelf, tables: dict[str, Rows], lists: dict[str, set[str]], complaints: Complaints) -> tuple[AdjacentGroup, ...]:
    own: dict[str, dict[str, set[str]]] = {}
    for adjacent, listed, code in tables["adrg_codes"]:
        own.setdefault(adjacent, {}).setdefault(listed, set()).add(code)
    found = []
    for line, (name, category, kind, text) in tables["adrg"].values():
        if (category,) not in tables["mdc"]:
            complaints.add(shelf.shown(shelf.folders[-1] / "adrg.csv"), line, "mdc", category, "is not a category of mdc.csv", "name one that is")
        mine = own.get(name, {})
        rule = _rule(shelf, "adrg", line, text, {*lists, *mine}, complaints)
        found.append(AdjacentGroup(name, category, kind, rule, text, {listed: frozenset(codes) for listed, codes in mine.items()}))
    return tuple(found)


def _groups(shelf: _Shelf, tables: dict[str, Rows], complaints: Complaints) -> tuple[Group, ...]:
    found, path = [], shelf.shown(shelf.folders[-1] / "drg.csv")
    for line, (name, adjacent, severity, zh, en) in tables["drg"].values():
        if severity not in SEVERITIES:
            complaints.add(path, line, "severity", severity, "is not one of " + ", ".join(SEVERITIES), "choose one of them")
        if tables["adrg"] and (adjacent,) not in tables["adrg"]:
            complaints.add(path, line, "adrg", adjacent, "is not a group of adrg.csv", "name one that is")
        found.append(Group(name, adjacent, severity, Label(zh, en or zh)))
    ending = {group.adjacent for group in found if group.severity == "ANY"}
    for line, (name, *_) in tables["adrg"].values():
        if name not in ending:
            shown = shelf.shown(shelf.folders[-1] / "adrg.csv")
            complaints.add(shown, line, "adrg", name, "has no group for cases of any severity", "end it with severity ANY")
    return tuple(found)
