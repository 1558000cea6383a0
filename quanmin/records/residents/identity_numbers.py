"""Resident identity numbers in DuckDB SQL: cleaned, upgraded from 15 to 18 digits, and judged valid or not.

Rules of GB 11643-1999: six digits of area, eight of birth date, three of order, one check character by ISO 7064 MOD 11-2.
Numbers of residence permits for Hong Kong, Macao and Taiwan residents (81-83) and of foreigners' permanent residence cards (9) follow them too.
"""

from __future__ import annotations

# GB 11643-1999, 6.1: weight of each of the first seventeen digits, from the left.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
# First two digits of GB/T 2260 codes, and residence permits 81-83.
PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81,
             82, 83)
_FULL_WIDTH = "".join(chr(c) for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), 0x00D7, 0xFF0A))
_HALF_WIDTH = "".join(map(chr, (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x41, 0x5B)))) + "X*"


def ascii_capitals(text: str) -> str:
    """SQL: `text` with full-width letters and digits made ordinary, in capitals."""
    return (f"case when regexp_full_match({text}, '[0-9A-Z]*') then {text} "
            f"else upper(translate({text}, '{_FULL_WIDTH}', '{_HALF_WIDTH}')) end")


def half_width(text: str) -> str:
    """SQL: `text` with full-width letters and digits made ordinary; their case is kept as capitals."""
    return f"case when regexp_matches({text}, '[\\x{{FF10}}-\\x{{FF5A}}]') then translate({text}, '{_FULL_WIDTH}', '{_HALF_WIDTH}') else {text} end"


def cleaned(text: str, shortest: int = 6) -> str:
    """SQL: an identity or document number in capital letters and digits only; too short or one repeated character gives null."""
    plain = f"regexp_replace({ascii_capitals(text)}, '[^0-9A-Z*]', '', 'g')"
    return f"nullif(case when length({plain}) >= {shortest} and replace({plain}, left({plain}, 1), '') <> '' then {plain} end, '')"


def check_character(seventeen: str) -> str:
    """SQL: the check character of the seventeen digits in integer expression `seventeen`."""
    terms = " + ".join(f"(({seventeen} // {10 ** (16 - i)}) % 10) * {weight}" for i, weight in enumerate(WEIGHTS))
    return f"substr('{CHECK_CHARACTERS}', (({terms}) % 11 + 1)::integer, 1)"


def _real_date(year: str, month: str, day: str) -> str:
    return f"try_cast({year} || '-' || {month} || '-' || {day} as date) is not null"


def upgraded(number: str) -> str:
    """SQL: a 15-digit number with a real birth date as 18 characters (born 19xx); anything else unchanged."""
    seventeen = f"(left({number}, 6) || '19' || right({number}, 9))"
    real = _real_date(f"'19' || substr({number}, 7, 2)", f"substr({number}, 9, 2)", f"substr({number}, 11, 2)")
    return (f"case when regexp_full_match({number}, '[1-9][0-9]{{14}}') and {real} "
            f"then {seventeen} || {check_character(f'try_cast({seventeen} as bigint)')} else {number} end")


def valid(number: str) -> str:
    """SQL: `number` if it is a valid 18-character resident identity number, else null."""
    seventeen = f"try_cast(left({number}, 17) as bigint)"
    real = _real_date(f"substr({number}, 7, 4)", f"substr({number}, 11, 2)", f"substr({number}, 13, 2)")
    area = f"(left({number}, 1) = '9' or left({number}, 2) in ({', '.join(repr(str(p)) for p in PROVINCES)}))"
    return (f"case when regexp_full_match({number}, '[1-9][0-9]{{16}}[0-9X]') and {area} and {real} "
            f"and substr({number}, 7, 4) between '1850' and '2100' and {check_character(seventeen)} = right({number}, 1) then {number} end")


def birth_date(number: str) -> str:
    """SQL: birth date (DATE) in a valid number."""
    return f"try_cast(substr({number}, 7, 4) || '-' || substr({number}, 11, 2) || '-' || substr({number}, 13, 2) as date)"


def sex_code(number: str) -> str:
    """SQL: '1' male or '2' female, from the order digit of a valid number."""
    return f"case when {number} is not null then case when try_cast(substr({number}, 17, 1) as integer) % 2 = 1 then '1' else '2' end end"
