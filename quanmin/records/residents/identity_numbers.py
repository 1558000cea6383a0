"""Resident identity numbers in DuckDB SQL: cleaned, upgraded from 15 to 18 digits, and judged valid or not.

Rules of GB 11643-1999: six digits of area, eight of birth date, three of order, one check character by ISO 7064 MOD 11-2.
Residence permits of Hong Kong, Macao and Taiwan residents (81-83) and foreigners' permanent residence cards (9) follow them too.
"""

from __future__ import annotations

# GB 11643-1999, 6.1: weight of each of the first seventeen digits, from the left.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
# First two digits of GB/T 2260 codes, and residence permits 81-83.
PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
             61, 62, 63, 64, 65, 71, 81, 82, 83)
_FULL_WIDTH = "".join(chr(c) for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), 0x00D7, 0xFF0A))
_HALF_WIDTH = "".join(map(chr, (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x41, 0x5B)))) + "X*"


def ascii_capitals(text: str) -> str:
    """SQL: `text` with full-width letters and digits made ordinary, in capitals."""
    return (f"case when regexp_full_match({text}, '[0-9A-Z]*') then {text} "
            f"else upper(translate({text}, '{_FULL_WIDTH}', '{_HALF_WIDTH}')) end")


def half_width(text: str) -> str:
    """SQL: `text` with full-width letters and digits made ordinary; their case is kept as capitals."""
    return (f"case when regexp_matches({text}, '[\\x{{FF10}}-\\x{{FF5A}}]') "
            f"then translate({text}, '{_FULL_WIDTH}', '{_HALF_WIDTH}') else {text} end")


def cleaned(column: str, shortest: int = 6) -> tuple[dict[str, str], ...]:
    """Stages from `{c}_raw` to `column`: a document number in capitals and digits; too short or one repeated character gives null."""
    return ({"{c}_ascii": ascii_capitals("{c}_raw")},
            {"{c}_plain": "regexp_replace({c}_ascii, '[^0-9A-Z*]', '', 'g')"},
            {column: f"case when length({{c}}_plain) >= {shortest} "
                     "and replace({c}_plain, left({c}_plain, 1), '') <> '' then {c}_plain end"})


def check_character(seventeen: str) -> str:
    """SQL: the check character of the seventeen digits in integer expression `seventeen`."""
    terms = " + ".join(f"(({seventeen} // {10 ** (16 - i)}) % 10) * {weight}" for i, weight in enumerate(WEIGHTS))
    return f"substr('{CHECK_CHARACTERS}', (({terms}) % 11 + 1)::integer, 1)"


def _real_date(year: str, month: str, day: str) -> str:
    return f"try_cast({year} || '-' || {month} || '-' || {day} as date) is not null"


# Stages from `{c}_clean` to `{c}_key`: a 15-digit number with a real birth date as 18 characters (born 19xx), anything else unchanged.
UPGRADED: tuple[dict[str, str], ...] = (
    {"{c}_longer": "case when regexp_full_match({c}_clean, '[1-9][0-9]{14}') and "
     + _real_date("'19' || substr({c}_clean, 7, 2)", "substr({c}_clean, 9, 2)", "substr({c}_clean, 11, 2)")
     + " then left({c}_clean, 6) || '19' || right({c}_clean, 9) end"},
    {"{c}_longer_digits": "try_cast({c}_longer as bigint)"},
    {"{c}_key": f"coalesce({{c}}_longer || {check_character('{c}_longer_digits')}, {{c}}_clean)"},
)

# Stages from `{c}_key` to `{c}_valid`: the number if it is a valid 18-character resident identity number, else null.
VALID: tuple[dict[str, str], ...] = (
    {"{c}_digits": "case when regexp_full_match({c}_key, '[1-9][0-9]{16}[0-9X]') then try_cast(left({c}_key, 17) as bigint) end"},
    {"{c}_valid": f"case when {check_character('{c}_digits')} = right({{c}}_key, 1) "
     f"and (left({{c}}_key, 1) = '9' or left({{c}}_key, 2) in ({', '.join(repr(str(p)) for p in PROVINCES)})) "
     f"and substr({{c}}_key, 7, 4) between '1850' and '2100' and "
     + _real_date("substr({c}_key, 7, 4)", "substr({c}_key, 11, 2)", "substr({c}_key, 13, 2)") + " then {c}_key end"},
)


def birth_date(number: str) -> str:
    """SQL: birth date (DATE) in a valid number."""
    return f"try_cast(substr({number}, 7, 4) || '-' || substr({number}, 11, 2) || '-' || substr({number}, 13, 2) as date)"


def sex_code(number: str) -> str:
    """SQL: '1' male or '2' female, from the order digit of a valid number."""
    return f"case when {number} is not null then case when try_cast(substr({number}, 17, 1) as integer) % 2 = 1 then '1' else '2' end end"
