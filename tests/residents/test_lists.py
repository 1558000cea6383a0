"""The reference lists: names taken apart, characters folded, numbers judged."""

from __future__ import annotations

import duckdb
import pytest
from pypinyin import Style, pinyin

from quanmin.records.residents import normalise
from quanmin.records.residents.names import _rows, fold, given_characters, parse_name, surnames
from tests.residents.made_people import with_check
from tests.residents.test_cases import identities


def test_a_variant_is_read_like_its_standard_character_and_folding_settles_at_once() -> None:
    rows = _rows("variant_characters.csv")
    assert len({row["variant"] for row in rows}) == len(rows) > 1000
    standards = {row["variant"]: row["standard"] for row in rows}
    assert not {s for s in standards.values() if s in standards}, "a standard character is nobody's variant"
    strange = {(v, s) for v, s in standards.items()
               if not set(pinyin(v, style=Style.NORMAL, heteronym=True)[0]) & set(pinyin(s, style=Style.NORMAL, heteronym=True)[0])}
    assert len(strange) <= 2, strange  # characters whose reading as a variant pypinyin does not know


def test_name_lists_are_folded_and_plausible() -> None:
    names = [*surnames(), *given_characters()]
    assert [name for name in names if fold(name) != name] == []
    assert 0.8 < sum(share for share, _ in surnames().values()) < 1.05
    assert 0.5 < sum(given_characters().values()) < 1.05
    assert all(reading.isascii() and reading.isalpha() for _, reading in surnames().values())


def test_compound_surnames_are_kept_whole_and_read_their_own_way() -> None:
    for surname, (_, reading) in surnames().items():
        if len(surname) == 2:
            parsed = parse_name(surname + next(iter(given_characters())))
            assert parsed.surname == surname and parsed.sound is not None and parsed.sound.startswith(reading)


def test_a_common_name_tells_less_than_a_rare_one() -> None:
    by_share = sorted(given_characters(), key=given_characters().__getitem__)
    first = max(surnames(), key=lambda s: surnames()[s][0])
    common, rare = parse_name(first + by_share[-1]), parse_name(first + by_share[0] + by_share[1])
    assert common.frequency is not None and rare.frequency is not None and common.frequency > 10 * rare.frequency


NUMBERS = [  # as written, as compared, valid
    ("11010519491231002X", "11010519491231002X", True),
    ("11010519491231002x", "11010519491231002X", True),
    (" 110105 19491231 002X ", "11010519491231002X", True),
    ("110105491231002", "11010519491231002X", True),
    ("110105194912310021", "110105194912310021", False),
    ("110105194902310021", "110105194902310021", False),
    (with_check("11010519490231002"), with_check("11010519490231002"), False),
    (with_check("01010519491231002"), with_check("01010519491231002"), False),
    (with_check("72010519491231002"), with_check("72010519491231002"), False),
    (with_check("81000019900101001"), with_check("81000019900101001"), True),
    ("110105491331002", "110105491331002", False),
    ("000000000000000000", None, False),
    ("12345", None, False),
    ("H12345678", "H12345678", False),
    ("", None, False),
]


@pytest.mark.parametrize(("written", "compared", "is_valid"), NUMBERS)
def test_identity_numbers(written: str, compared: str | None, is_valid: bool) -> None:
    prepared = normalise(duckdb.connect(), identities(f"id | number\na | {written}")).to_arrow_table().to_pylist()[0]
    assert prepared["identity_number_key"] == compared
    assert prepared["identity_number_valid"] == (compared if is_valid else None)
