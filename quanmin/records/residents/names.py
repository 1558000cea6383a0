"""Chinese (and Latin) personal names taken apart: folded, split into surname and given characters, read aloud, and weighed.

All lists are data under `catalog/linkage`. Work is done once per distinct name, never once per record.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

LISTS = Path(__file__).resolve().parents[2] / "catalog" / "linkage"

# Shares used where a list is silent, and bounds that keep a name's weight within reason (fraction of the population).
UNLISTED_SURNAME_SHARE = 1e-4
UNLISTED_CHARACTER_SHARE = 2e-4
ONE_CHARACTER_SHARE = 0.10
TWO_CHARACTER_SHARE = 0.90
# Given names are not drawn character by character: popular single characters and popular pairs are commoner than chance.
SINGLE_CLUSTERING = 5.0
PAIR_CLUSTERING = 3.0
RAREST_NAME = 1e-6
LONG_OR_LATIN_NAME = 2e-6

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+\\Z")
_NOT_LETTERS = re.compile(r"[\W\d_]+")


class ParsedName(NamedTuple):
    """One name: `key` folded letters, `sound` toneless pinyin, `surname`, first and remaining given characters, `frequency` (fraction)."""

    key: str | None
    sound: str | None = None
    surname: str | None = None
    given1: str | None = None
    given2: str | None = None
    frequency: float | None = None


def _rows(name: str) -> list[dict[str, str]]:
    with (LISTS / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@cache
def _folding() -> dict[int, str]:
    return {ord(row["variant"]): row["standard"] for row in _rows("variant_characters.csv")}


@cache
def surnames() -> dict[str, tuple[float, str]]:
    """Surname → (share of the population as a fraction, reading as a surname)."""
    return {row["surname"]: (float(row["share_percent"]) / 100, row["reading"]) for row in _rows("surnames.csv")}


@cache
def given_characters() -> dict[str, float]:
    """Character → its share (fraction) among the characters of given names."""
    return {row["character"]: float(row["share_percent"]) / 100 for row in _rows("given_characters.csv")}


@cache
def _placeholders() -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    rows = _rows("placeholder_names.csv")
    by = {match: tuple(row["pattern"] for row in rows if row["match"] == match) for match in ("whole", "start", "end")}
    return frozenset(by["whole"]), by["start"], by["end"]


@cache
def _reading(character: str) -> str:
    from pypinyin import lazy_pinyin  # its dictionaries take a moment to load: only when a name is read

    return str(lazy_pinyin(character)[0])


def fold(text: str) -> str:
    """Text with full-width forms, compatibility, traditional and variant characters replaced by standard ones, in capitals."""
    return unicodedata.normalize("NFKC", text).translate(_folding()).upper()


def _frequency(surname: str, given: str) -> float:
    share = surnames().get(surname, (UNLISTED_SURNAME_SHARE, ""))[0]
    shares = given_characters()
    if len(given) == 1:
        probability = share * ONE_CHARACTER_SHARE * SINGLE_CLUSTERING * shares.get(given, UNLISTED_CHARACTER_SHARE)
    elif len(given) == 2:
        probability = (share * TWO_CHARACTER_SHARE * PAIR_CLUSTERING
                       * shares.get(given[0], UNLISTED_CHARACTER_SHARE) * shares.get(given[1], UNLISTED_CHARACTER_SHARE))
    else:
        probability = RAREST_NAME
    return max(RAREST_NAME, probability)


def _split(key: str) -> tuple[str, str]:
    """Surname and given name; names too long to be Han names (minorities, transliterations) have no surname."""
    if len(key) > 2 and key[:2] in surnames() and len(key) <= 4:
        return key[:2], key[2:]
    if 2 <= len(key) <= 4:
        return key[0], key[1:]
    return "", key


def parse_name(folded: str) -> ParsedName:
    """Take one folded name apart; a placeholder ("unknown", a newborn under the mother's name) or a blank gives `key` None."""
    key = _NOT_LETTERS.sub("", folded)
    whole, start, end = _placeholders()
    if not key or key in whole or key.startswith(start) or key.endswith(end):
        return ParsedName(None)
    if not _HAN.match(key):
        return ParsedName(key, key.lower(), None, None, None, LONG_OR_LATIN_NAME)
    surname, given = _split(key)
    reading = surnames()[surname][1] if surname in surnames() else "".join(map(_reading, surname))
    sound = reading + "".join(map(_reading, given))
    if not surname:
        return ParsedName(key, sound, None, None, None, LONG_OR_LATIN_NAME)
    return ParsedName(key, sound, surname, given[0], given[1:] or None, _frequency(surname, given))


def name_table(names: Iterable[str]) -> pa.Table:
    """Distinct raw names → columns raw, key, sound, surname, given1, given2, frequency (one row per name given)."""
    raw = [name for name in names if name is not None]
    # One pass over one long text is some ten times faster than folding name by name.
    folded = fold("\n".join(name.replace("\n", " ") for name in raw)).split("\n") if raw else []
    columns = list(zip(*map(parse_name, folded), strict=True)) if raw else [()] * len(ParsedName._fields)
    types = [pa.string()] * 5 + [pa.float64()]
    return pa.table({"raw": pa.array(raw, pa.string())} | {
        field: pa.array(column, kind) for field, column, kind in zip(ParsedName._fields, columns, types, strict=True)})
