"""Linkage models: one TOML file says which columns are compared how, what each agreement weighs, and when two records are one person."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quanmin.catalog.reading import Complaints, Definition
from quanmin.model import Label, Refusal
from quanmin.records.residents.kinds import KINDS, Kind
from quanmin.records.residents.names import LISTS

RESIDENTS_MODEL = LISTS / "chinese_residents.toml"
FIELDS = ("name", "prior", "decide", "columns", "files", "comparison", "block", "exact", "train", "note")
COMPARISON_FIELDS = ("column", "kind", "m", "u", "frequency", "shared_by_at_most")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class Comparison:
    """One compared column: `m` and `u` are the probabilities of each level among pairs of one person and of two (empty: to be trained).

    With `frequency`, agreeing on a rare value weighs more than on a common one. A value carried under more than `shared_by_at_most`
    different names says nothing about who somebody is (0: no limit).
    """

    column: str
    kind: Kind
    m: Mapping[str, float]
    u: Mapping[str, float]
    frequency: bool = False
    shared_by_at_most: int = 0

    @property
    def levels(self) -> tuple[tuple[str, str], ...]:
        """The levels in use with their SQL conditions, closest first, without `different`."""
        return tuple((name, condition.replace("{c}", self.column)) for name, condition in self.kind.levels if not self.m or name in self.m)

    def weight(self, level: str) -> float:
        """Match weight (bits) of a level before any adjustment for frequency."""
        return math.log2(self.m[level] / self.u[level]) if level in self.m else 0.0


@dataclass(frozen=True)
class Block:
    """Pairs agreeing on all these prepared columns are compared; `other_number` = also when both hold different valid identity numbers."""

    on: tuple[str, ...]
    other_number: bool = False


@dataclass(frozen=True)
class Exact:
    """The columns of the exact pass: a valid citizen identity number under the same name is one person.

    A number carried by more than `carried_by_at_most` different names is set aside as shared.
    """

    number: str
    name: str
    birth_date: str
    sex: str
    carried_by_at_most: int = 10


@dataclass(frozen=True)
class Training:
    """How Splink estimates the probabilities: rules that are nearly always right, the share of matches they find, blocks for EM."""

    certain: tuple[tuple[str, ...], ...]
    recall: float
    blocks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class LinkModel:
    """A whole model. `accept` and `review` are match probabilities; `certain_when` and `never_when` list level sets {column: levels}.

    A pair at or above `accept` is joined when one of `certain_when` holds (or the list is empty) and none of `never_when` does;
    other pairs at or above `review` go to the review list. An identity that holds none of the column sets of `identifies` (if any are
    given) says too little to be anybody and gets no resident.
    """

    label: Label
    prior: float
    accept: float
    review: float
    comparisons: tuple[Comparison, ...]
    blocks: tuple[Block, ...]
    columns: Mapping[str, tuple[str, ...]]
    certain_when: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    never_when: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    identifies: tuple[tuple[str, ...], ...] = ()
    exact: Exact | None = None
    training: Training | None = None
    record: tuple[str, ...] = ()
    within_a_file: bool = True
    path: str = ""

    def comparison(self, column: str) -> Comparison:
        """The comparison of one column."""
        return next(c for c in self.comparisons if c.column == column)

    def within(self, is_within: bool) -> LinkModel:
        """The same model, looking for duplicates inside a file or not."""
        return replace(self, within_a_file=is_within)

    @property
    def review_weight(self) -> float:
        """Match weight (bits) at which a pair is worth a person's look."""
        return math.log2(self.review / (1 - self.review))


class _Section:
    """The n-th [[comparison]] or [[block]] of a model, able to complain of a key at its own line."""

    def __init__(self, definition: Definition, header: str, number: int) -> None:
        self.definition = definition
        lines = definition.text.splitlines()
        starts = [i for i, text in enumerate(lines) if re.match(rf"\s*\[\[\s*{header}\s*\]\]", text)]
        self.start = starts[number] if number < len(starts) else 0
        self.lines = lines[self.start: starts[number + 1] if number + 1 < len(starts) else len(lines)]

    def complain(self, key: str, value: object, rule: str, mend: str) -> None:
        """Note a problem at the line where this section sets `key`, else at its header."""
        at = next((i for i, text in enumerate(self.lines) if re.match(rf"\s*{re.escape(key)}\s*=", text)), 0)
        self.definition.complaints.add(self.definition.shown, self.start + at + 1, key, value, rule, mend)


def _probabilities(given: Any, kind: Kind, which: str, column: str, definition: _Section) -> dict[str, float]:
    values = {str(k): float(v) for k, v in (given or {}).items() if isinstance(v, int | float)}
    for name in values:
        if name not in kind.level_names:
            definition.complain(which, name, f"is not a level of {kind.name} (column {column})", "levels: " + ", ".join(kind.level_names))
    if values and "different" not in values:
        definition.complain(which, column, f"{which} gives no probability of `different`", "add different = …")
    if any(not 0 < value <= 1 for value in values.values()) or sum(values.values()) > 1.01:
        definition.complain(which, column, f"{which} of column {column} are no probabilities",
                            "each must lie above 0, and together at most 1")
        return {}
    return values


def _comparison(given: Mapping[str, Any], definition: _Section) -> Comparison | None:
    for key in given:
        if key not in COMPARISON_FIELDS:
            definition.complain(key, "", "is not a field of [[comparison]]", "known fields: " + ", ".join(COMPARISON_FIELDS))
    column, kind = str(given.get("column", "")), KINDS.get(str(given.get("kind", "")))
    if not _IDENTIFIER.match(column) or column.endswith(("_l", "_r")):
        definition.complain("column", column, "is no usable column name", "small letters, digits and _; not ending in _l or _r")
        return None
    if kind is None:
        definition.complain("kind", given.get("kind"), "is not a kind of comparison", "kinds: " + ", ".join(KINDS))
        return None
    m = _probabilities(given.get("m"), kind, "m", column, definition)
    u = _probabilities(given.get("u"), kind, "u", column, definition)
    if set(m) != set(u):
        definition.complain("m", column, f"m and u of column {column} do not list the same levels", "give both for every level in use")
        return None
    return Comparison(column, kind, m, u, bool(given.get("frequency", False)), int(given.get("shared_by_at_most", 0)))


def _prepared(name: str, comparisons: Mapping[str, Comparison]) -> str | None:
    """The prepared column behind a blocking name: `phone` is `phone_key`, `name_sound` is itself."""
    if name in comparisons:
        return f"{name}_key"
    for column, comparison in comparisons.items():
        if name.startswith(f"{column}_") and name[len(column) + 1:] in comparison.kind.parts:
            return name
    return None


def _key_sets(given: Any, field: str, comparisons: Mapping[str, Comparison],
              definition: Definition | _Section) -> tuple[tuple[str, ...], ...]:
    sets = []
    for names in given or ():
        prepared = [_prepared(str(name), comparisons) for name in names]
        for name, found in zip(names, prepared, strict=True):
            if found is None:
                parts = ", ".join(f"{c}_{p}" for c in sorted(comparisons) for p in comparisons[c].kind.parts)
                definition.complain(field, name, f"{field} names no compared column or part of one", f"use one of {parts}")
        sets.append(tuple(name for name in prepared if name))
    return tuple(sets)


def _level_sets(given: Any, field: str, comparisons: Mapping[str, Comparison],
                definition: Definition) -> tuple[dict[str, tuple[str, ...]], ...]:
    sets = []
    for wanted in given or ():
        for column, levels in wanted.items():
            known = comparisons[column].kind.level_names if column in comparisons else ()
            for level in levels:
                if level not in known:
                    definition.complain(field, f"{column} = {level}", "is not a level of a compared column", "levels: " + ", ".join(known))
        sets.append({str(column): tuple(levels) for column, levels in wanted.items()})
    return tuple(sets)


def _exact(given: Mapping[str, Any] | None, comparisons: Mapping[str, Comparison], definition: Definition) -> Exact | None:
    if not given:
        return None
    for role, kind in (("number", "citizen_id"), ("name", "chinese_name"), ("birth_date", "date"), ("sex", "")):
        column = str(given.get(role, ""))
        if column not in comparisons or (kind and comparisons[column].kind.name != kind):
            definition.complain("exact", f"{role} = {column}", f"needs a compared column of kind {kind or 'exact'}",
                                "name one of [[comparison]]")
            return None
    return Exact(given["number"], given["name"], given["birth_date"], given["sex"], int(given.get("carried_by_at_most", 10)))


def _share(data: Mapping[str, Any], key: str, default: float, definition: Definition) -> float:
    value = data.get(key, default)
    if not isinstance(value, int | float) or not 0 < value < 1:
        definition.complain(key, value, "is no probability between 0 and 1", f"for example {key} = {default}")
        return default
    return float(value)


def read_model(definition: Definition) -> LinkModel:
    """The model of one file; everything wrong with it is complained of."""
    definition.known_keys(FIELDS)
    data = definition.data
    read = [_comparison(given, _Section(definition, "comparison", number)) for number, given in enumerate(data.get("comparison", ()))]
    comparisons = {c.column: c for c in read if c}
    if not read:
        definition.complain("comparison", "", "compares no column", "add [[comparison]]")
    blocks = [Block(on, bool(given.get("other_number", False))) for number, given in enumerate(data.get("block", ()))
              for on in _key_sets([given.get("on", ())], "on", comparisons, _Section(definition, "block", number))]
    if not any(block.on for block in blocks):
        definition.complain("block", "", "has no blocking rule: every record would be compared with every other",
                            "add [[block]] on = [...]")
    decide, train, files = data.get("decide", {}), data.get("train"), data.get("files", {})
    training = None
    if train:
        training = Training(_key_sets(train.get("certain"), "certain", comparisons, definition), _share(train, "recall", 0.8, definition),
                            _key_sets(train.get("blocks"), "blocks", comparisons, definition))
        if not training.certain or not training.blocks:
            definition.complain("train", "", "says too little to estimate from", "give certain = [[...]] and blocks = [[...], [...]]")
    elif any(not c.m for c in comparisons.values()):
        definition.complain("comparison", "", "has neither probabilities nor [train]", "give m and u for every level, or add [train]")
    columns = {str(k): (v,) if isinstance(v, str) else tuple(map(str, v)) for k, v in data.get("columns", {}).items()}
    record = files.get("record", ())
    return LinkModel(
        label=definition.label("name") or Label("", ""), prior=_share(data, "prior", 1e-4, definition),
        accept=_share(decide, "accept", 0.95, definition), review=_share(decide, "review", 0.5, definition),
        comparisons=tuple(comparisons.values()), blocks=tuple(b for b in blocks if b.on),
        columns={c: columns.get(c, (c,)) for c in comparisons},
        certain_when=_level_sets(decide.get("certain_when"), "certain_when", comparisons, definition),
        never_when=_level_sets(decide.get("never_when"), "never_when", comparisons, definition),
        identifies=_key_sets(decide.get("identifies"), "identifies", comparisons, definition),
        exact=_exact(data.get("exact"), comparisons, definition), training=training,
        record=(record,) if isinstance(record, str) else tuple(record), within_a_file=bool(files.get("within", True)),
        path=definition.shown)


def load_model(path: Path | str = RESIDENTS_MODEL) -> LinkModel:
    """Read a model file. Errors: Refusal with every problem of the file, each with its line."""
    path, complaints = Path(path), Complaints()
    if not path.is_file():
        complaints.add(str(path), None, "", "", "is not there", "name a model file")
        raise Refusal(*complaints.problems)
    definition = Definition(path, path.name, complaints)
    if definition.is_readable:
        model = read_model(definition)
        if not complaints.problems:
            return model
    raise Refusal(*complaints.problems)
