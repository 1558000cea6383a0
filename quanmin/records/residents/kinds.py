"""The kinds of comparison a model may use: which columns each prepares from a raw value, and its levels from agreement to difference.

A kind's `stages` are SQL expressions over `{c}_raw` (text) and earlier stages, with `{c}` the name of the compared column. Its `levels`
are SQL conditions over the prepared columns of both sides, suffixed `_l` and `_r` as Splink wants them; the first that holds is the pair's
level, and a pair with `{c}_key` missing on a side has no level (it weighs nothing). DuckDB's string distances count bytes, so they are used
on ASCII text only; Chinese names are compared by surname and given characters and by sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from quanmin.records.residents import identity_numbers as numbers

Stage = dict[str, str]


@dataclass(frozen=True)
class Kind:
    """One kind of comparison; `key` is the prepared column that must be present on both sides, `parts` the columns blocking may use."""

    name: str
    stages: tuple[Stage, ...]
    levels: tuple[tuple[str, str], ...]
    parts: tuple[str, ...] = ("key",)

    @property
    def level_names(self) -> tuple[str, ...]:
        """Every level, from the closest agreement to `different`."""
        return (*(name for name, _ in self.levels), "different")


def sided(condition: str) -> str:
    """A level's condition over prepared columns `x_l`, `x_r` as one over `l.x`, `r.x`."""
    return re.sub(r"\b([a-z][a-z0-9_]*)_([lr])\b", r"\2.\1", condition)


def _same(part: str = "key") -> str:
    return f"{{c}}_{part}_l = {{c}}_{part}_r"


_ONE_EDIT = "abs(length({c}_key_l) - length({c}_key_r)) <= 1 and damerau_levenshtein({c}_key_l, {c}_key_r) <= 1"
_TWO_EDITS = "abs(length({c}_key_l) - length({c}_key_r)) <= 2 and damerau_levenshtein({c}_key_l, {c}_key_r) <= 2"
_PLAIN = "upper(nfc_normalize({c}_raw))"
# Letters and digits of any script, small; \\pL and \\pN are RE2 classes.
_LETTERS = f"nullif(lower(regexp_replace({numbers.half_width('{c}_raw')}, '[^\\pL\\pN]', '', 'g')), '')"
_ASCII = "regexp_full_match({c}_key_l, '[ -~]*') and regexp_full_match({c}_key_r, '[ -~]*')"

_EXACT = Kind("exact", ({"{c}_key": f"nullif(trim({_PLAIN}), '')"},), (("same", _same()),))

_INTEGER = Kind(
    "integer", ({"{c}_number": "try_cast({c}_raw as double)"}, {"{c}_key": "{c}_number::varchar"}),
    (("same", "{c}_number_l = {c}_number_r"), ("close", "abs({c}_number_l - {c}_number_r) <= 1")), ("key", "number"))

# A name's parts are joined from the table of distinct names (names.py), so it has no stages of its own.
_CHINESE_NAME = Kind(
    "chinese_name", (),
    (("same", _same()),
     ("sound", _same("sound")),
     ("similar",
      "({c}_surname_l = {c}_surname_r and ({c}_given1_l = {c}_given1_r or {c}_given2_l = {c}_given2_r "
      "or ({c}_given1_l = {c}_given2_r and {c}_given2_l = {c}_given1_r))) "
      "or ({c}_given1_l = {c}_given1_r and {c}_given2_l = {c}_given2_r) "
      "or (least(length({c}_key_l), length({c}_key_r)) >= 3 and (starts_with({c}_key_l, {c}_key_r) or starts_with({c}_key_r, {c}_key_l))) "
      f"or ({_ASCII} and jaro_winkler_similarity({{c}}_key_l, {{c}}_key_r) >= 0.92)"),
     ("surname", _same("surname"))),
    ("key", "sound", "surname", "given1", "given2"))

_LATIN_NAME = Kind(
    "latin_name", ({"{c}_key": _LETTERS}, {"{c}_start": "left({c}_key, 3)"}),
    (("same", _same()),
     ("close", "jaro_winkler_similarity({c}_key_l, {c}_key_r) >= 0.92"),
     ("similar", "jaro_winkler_similarity({c}_key_l, {c}_key_r) >= 0.8")),
    ("key", "start"))

_DATE = Kind(
    "date",
    ({"{c}_day": "coalesce(try_cast({c}_raw as date), "
      "try_strptime({c}_raw, ['%Y%m%d', '%Y/%m/%d', '%Y.%m.%d', '%Y-%m-%d %H:%M:%S'])::date)",
      "{c}_digits": "nullif(regexp_replace({c}_raw, '[^0-9]', '', 'g'), '')"},
     {"{c}_written": "coalesce(strftime({c}_day, '%Y%m%d'), {c}_digits)"},
     # Day nought of databases and spreadsheets stands for an unknown date.
     {"{c}_key": "case when {c}_written not in ('19000101', '18991231', '18991230') then {c}_written end"},
     {"{c}_year": "left({c}_key, 4)", "{c}_month_day": "substr({c}_key, 5, 4)", "{c}_month": "left({c}_key, 6)"}),
    (("same", _same()),
     ("swapped", "{c}_year_l = {c}_year_r and length({c}_key_l) = 8 and length({c}_key_r) = 8 "
      "and substr({c}_key_l, 5, 2) = substr({c}_key_r, 7, 2) and substr({c}_key_l, 7, 2) = substr({c}_key_r, 5, 2)"),
     ("one_digit", _ONE_EDIT),
     ("two_parts", "{c}_month_l = {c}_month_r or {c}_month_day_l = {c}_month_day_r"),
     ("year", _same("year"))),
    ("key", "year", "month_day", "month"))

_NUMBER_PARTS = {"{c}_head": "case when not contains({c}_key, '*') then left({c}_key, 9) end",
                 "{c}_tail": "case when not contains({c}_key, '*') then right({c}_key, 9) end",
                 "{c}_last4": "right({c}_key, 4)"}
_ID_NUMBER = Kind(
    "id_number", (*numbers.cleaned("{c}_key", shortest=3), _NUMBER_PARTS),
    (("same", _same()), ("one_digit", _ONE_EDIT), ("two_digits", _TWO_EDITS)),
    ("key", "head", "tail", "last4"))

# A number upgraded from 15 digits has no check character of its own: it is compared as valid but never sets two people apart for certain.
_CITIZEN_ID = Kind(
    "citizen_id",
    (*numbers.cleaned("{c}_clean"), *numbers.UPGRADED, *numbers.VALID,
     {"{c}_anchor": "case when length({c}_clean) = 18 then {c}_valid end", **_NUMBER_PARTS}),
    (("same", "{c}_key_l = {c}_key_r and not contains({c}_key_l, '*')"),
     ("masked", "(contains({c}_key_l, '*') or contains({c}_key_r, '*')) "
      "and left({c}_key_l, 6) = left({c}_key_r, 6) and {c}_last4_l = {c}_last4_r"),
     ("other_valid", "{c}_anchor_l <> {c}_anchor_r"),
     ("one_digit", _ONE_EDIT),
     ("two_digits", _TWO_EDITS)),
    ("key", "valid", "anchor", "head", "tail", "last4"))

_PHONE = Kind(
    "phone",
    ({"{c}_digits": f"regexp_replace({numbers.ascii_capitals('{c}_raw')}, '[^0-9]', '', 'g')"},
     {"{c}_mobile": "regexp_extract({c}_digits, '1[3-9][0-9]{9}')"},
     {"{c}_number": "case when {c}_mobile <> '' then {c}_mobile else ltrim({c}_digits, '0') end"},
     {"{c}_key": "case when length({c}_number) >= 5 and length(replace({c}_number, right({c}_number, 1), '')) > 2 then {c}_number end"},
     {"{c}_last7": "right({c}_key, 7)"}),
    (("same", _same()),
     ("last7", "length({c}_key_l) >= 7 and length({c}_key_r) >= 7 and {c}_last7_l = {c}_last7_r"),
     ("one_digit", _ONE_EDIT)),
    ("key", "last7"))

_POSTCODE = Kind(
    "postcode", ({"{c}_key": _LETTERS}, {"{c}_area": "left({c}_key, 2)"}),
    (("same", _same()), ("one_digit", _ONE_EDIT), ("area", _same("area"))), ("key", "area"))

# The end of a Chinese address is its most telling part; the end of a Latin one is the word "street".
_ADDRESS = Kind(
    "address",
    ({"{c}_key": _LETTERS},
     {"{c}_end": "case when length({c}_key) >= 8 and not regexp_full_match({c}_key, '[ -~]*') then right({c}_key, 6) end"}),
    (("same", _same()),
     ("contained", "least(length({c}_key_l), length({c}_key_r)) >= 6 "
      "and (ends_with({c}_key_l, {c}_key_r) or ends_with({c}_key_r, {c}_key_l))"),
     ("same_end", _same("end")),
     ("similar", f"{_ASCII} and jaro_winkler_similarity({{c}}_key_l, {{c}}_key_r) >= 0.88")),
    ("key", "end"))

_REGION = Kind(
    "region",
    ({"{c}_digits": "regexp_replace({c}_raw, '[^0-9]', '', 'g')"},
     {"{c}_key": "case when length({c}_digits) >= 6 then left({c}_digits, 6) end",
      "{c}_township": "case when length({c}_digits) >= 9 then left({c}_digits, 9) end"}),
    (("township", _same("township")), ("county", _same())), ("key", "township"))

KINDS: dict[str, Kind] = {kind.name: kind for kind in (
    _EXACT, _INTEGER, _CHINESE_NAME, _LATIN_NAME, _DATE, _ID_NUMBER, _CITIZEN_ID, _PHONE, _POSTCODE, _ADDRESS, _REGION)}
